// An editable combobox with a list (WAI-ARIA APG), over a field that works without it: the server gives the options,
// each an <li role="option" data-valeur>. Arrows move, Enter or Tab chooses, Escape closes then empties. While the
// answer is awaited, Enter waits for it too: it never sends a form whose dwelling was not chosen.
document.querySelectorAll("[data-combobox]").forEach((boite) => {
  const champ = boite.querySelector("input");
  const liste = document.createElement("ul");
  const annonce = document.createElement("p");
  let choisi = -1;
  let attente = 0;
  let demande = null;
  let cherche = false;
  let prendre = false;
  let visee = null; // what the arrows aimed at, kept when a newer list comes

  liste.id = `${champ.id}-liste`;
  liste.className = "combobox__liste";
  liste.setAttribute("role", "listbox");
  liste.setAttribute("aria-label", "Logements proposés");
  liste.hidden = true;
  annonce.className = "vh";
  annonce.setAttribute("role", "status");
  champ.insertAdjacentElement("afterend", liste);
  boite.append(annonce);
  champ.setAttribute("role", "combobox");
  champ.setAttribute("aria-autocomplete", "list");
  champ.setAttribute("aria-expanded", "false");
  champ.setAttribute("aria-controls", liste.id);

  const options = () => [...liste.children];

  function viser(rang) {
    choisi = rang;
    options().forEach((option, i) => option.setAttribute("aria-selected", String(i === rang)));
    const option = options()[rang];
    if (option) {
      champ.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else champ.removeAttribute("aria-activedescendant");
  }

  function fermer() {
    liste.hidden = true;
    champ.setAttribute("aria-expanded", "false");
    viser(-1);
  }

  function choisir(option) {
    champ.value = option.dataset.valeur;
    fermer();
    annonce.textContent = "";
    champ.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function ouvrir() {
    const nombre = options().length;
    const { singulier, pluriel, aucun } = boite.dataset;
    annonce.textContent = nombre === 0 ? aucun : nombre === 1 ? singulier : `${nombre} ${pluriel}`;
    if (!nombre) return fermer();
    liste.hidden = false;
    champ.setAttribute("aria-expanded", "true");
    // One answer only, or the very reference that was typed: Enter takes it.
    const exact = options().findIndex((o) => o.dataset.valeur.toLowerCase() === champ.value.trim().toLowerCase());
    const gardee = visee === null ? -1 : options().findIndex((o) => o.dataset.valeur === visee);
    viser(nombre === 1 ? 0 : gardee < 0 ? exact : gardee);
    if (prendre && choisi >= 0) choisir(options()[choisi]);
  }

  async function chercher() {
    demande?.abort();
    const texte = champ.value.trim();
    if (texte.length < 2) {
      liste.replaceChildren();
      annonce.textContent = "";
      cherche = prendre = false;
      return fermer();
    }
    demande = new AbortController();
    const adresse = `${boite.dataset.combobox}?${boite.dataset.parametre}=${encodeURIComponent(texte)}`;
    try {
      const reponse = await fetch(adresse, { signal: demande.signal, headers: { "HX-Request": "true" } });
      if (reponse.ok) {
        liste.innerHTML = await reponse.text();
        ouvrir();
      }
    } catch (erreur) {
      if (erreur.name === "AbortError") return; // another search, or nobody is in the field any more
      annonce.textContent = "";
    }
    cherche = prendre = false;
  }

  champ.addEventListener("input", () => {
    clearTimeout(attente);
    cherche = true;
    prendre = false;
    visee = null;
    attente = setTimeout(chercher, 120);
  });

  champ.addEventListener("keydown", (evenement) => {
    const nombre = options().length;
    const ouverte = !liste.hidden;
    switch (evenement.key) {
      case "ArrowDown":
      case "ArrowUp":
        if (!nombre) return;
        evenement.preventDefault();
        if (!ouverte) ouvrir();
        viser((choisi + (evenement.key === "ArrowDown" ? 1 : choisi < 0 ? 0 : -1) + nombre) % nombre);
        visee = options()[choisi].dataset.valeur;
        break;
      case "Enter":
        if (cherche) prendre = true;
        else if (!ouverte) return;
        else if (choisi < 0) viser(0);
        else choisir(options()[choisi]);
        evenement.preventDefault();
        break;
      case "Tab":
        if (ouverte && choisi >= 0) choisir(options()[choisi]);
        break;
      case "Escape":
        if (ouverte) fermer();
        else if (champ.value) {
          champ.value = "";
          champ.dispatchEvent(new Event("change", { bubbles: true }));
        } else return;
        evenement.preventDefault();
        break;
    }
  });

  liste.addEventListener("mousedown", (evenement) => {
    const option = evenement.target.closest("[role=option]");
    evenement.preventDefault();
    if (option) choisir(option);
  });
  champ.addEventListener("blur", () => {
    clearTimeout(attente);
    demande?.abort();
    cherche = prendre = false;
    fermer();
  });

  // Ready to type, unless something else on the page asks to be read first.
  if (!document.querySelector("[autofocus]")) champ.focus();
});
