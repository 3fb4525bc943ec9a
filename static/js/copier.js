// A button beside each sentence to carry over. Without it, or where the browser forbids it, the text is selected by hand.
if (navigator.clipboard) {
  document.querySelectorAll("[data-copier]").forEach((texte) => {
    const bouton = document.createElement("button");
    bouton.type = "button";
    bouton.className = "copie fr-btn fr-btn--sm fr-btn--tertiary-no-outline fr-icon-clipboard-line";
    bouton.title = "Copier la phrase";
    bouton.textContent = "Copier la phrase";
    const annonce = document.createElement("span");
    annonce.className = "petit";
    annonce.setAttribute("aria-live", "polite");
    bouton.addEventListener("click", async () => {
      await navigator.clipboard.writeText(texte.textContent);
      annonce.textContent = "Copiée";
    });
    texte.after(bouton, annonce);
  });
}
