// Lines of a list that are ticked: one box for all of them, and how many there are. Without it each line is ticked by hand.
document.querySelectorAll("[data-lignes]").forEach((formulaire) => {
  const lignes = [...formulaire.querySelectorAll("input[name=id]")];
  const compte = formulaire.querySelector("[data-lignes-compte]");
  const toutes = document.createElement("input");
  toutes.type = "checkbox";
  toutes.setAttribute("aria-label", "Choisir toutes les lignes de la page");
  formulaire.querySelector("thead th").append(toutes);

  function compter() {
    const nombre = lignes.filter((ligne) => ligne.checked).length;
    toutes.checked = nombre === lignes.length;
    toutes.indeterminate = nombre > 0 && nombre < lignes.length;
    compte.textContent = nombre ? `${nombre} ${nombre > 1 ? "lignes choisies" : "ligne choisie"}` : "";
  }

  toutes.addEventListener("change", () => {
    for (const ligne of lignes) ligne.checked = toutes.checked;
    compter();
  });
  formulaire.addEventListener("change", compter);
  compter();
});
