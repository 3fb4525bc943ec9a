// Keys of the grid of a CALEOL: a to e the decision, 1 to 9 the rank, Enter the next candidature. What is right or wrong
// is said by the server, which saves each line as soon as it changes (hx-post); without this script a button saves them.
(() => {
  const DECISIONS = { a: "ATTR", b: "ATTR_RANG", c: "ATTR_COND", d: "NON_ATTR", e: "IRRECEV" };
  const champ = (ligne, nom) => ligne.querySelector(`[data-champ="${nom}"]`);

  function mettre(element, valeur) {
    if (element.value === valeur) return;
    element.value = valeur;
    element.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function suivante(grille, ligne, pas) {
    const lignes = [...grille.querySelectorAll("tr[data-ligne]")];
    const voisine = lignes[lignes.indexOf(ligne) + pas];
    const cible = voisine ? champ(voisine, "decision") : pas > 0 && document.getElementById("vers-cloture");
    if (!cible) return;
    cible.focus();
    cible.scrollIntoView({ block: "nearest" });
  }

  function touche(evenement) {
    const ligne = evenement.target.closest("tr[data-ligne]");
    if (!ligne || evenement.ctrlKey || evenement.altKey || evenement.metaKey) return;
    const nom = evenement.target.dataset.champ;
    const cle = evenement.key.toLowerCase();
    if (evenement.key === "Enter") {
      evenement.preventDefault();
      // A text field says that it changed when it is left, and it is left here.
      suivante(evenement.currentTarget, ligne, evenement.shiftKey ? -1 : 1);
    } else if ((nom === "decision" || nom === "rang") && DECISIONS[cle]) {
      evenement.preventDefault();
      mettre(champ(ligne, "decision"), DECISIONS[cle]);
      if (nom === "rang" && cle !== "b") champ(ligne, "decision").focus();
    } else if (nom === "decision" && /^[1-9]$/.test(cle)) {
      evenement.preventDefault();
      mettre(champ(ligne, "decision"), DECISIONS.b);
      mettre(champ(ligne, "rang"), cle);
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const grille = document.getElementById("grille");
    if (!grille) return;
    grille.classList.add("grille--vive");
    grille.addEventListener("keydown", touche);
    // The fields keep their focus: only the checks beside them were put in place. Say which fields they speak of.
    document.addEventListener("htmx:after:swap", () => {
      for (const ligne of grille.querySelectorAll("tr[data-ligne]")) {
        const fautifs = (ligne.querySelector(".controle")?.dataset.fautifs ?? "").split(" ");
        for (const element of ligne.querySelectorAll("[data-champ]")) {
          if (fautifs.includes(element.dataset.champ)) element.setAttribute("aria-invalid", "true");
          else element.removeAttribute("aria-invalid");
        }
      }
    });
    const perdu = () => {
      const dernier = document.getElementById("dernier");
      if (dernier) dernier.textContent = "Non enregistré : le site n’a pas répondu. Modifiez la ligne de nouveau.";
    };
    document.addEventListener("htmx:response:error", perdu);
    document.addEventListener("htmx:error", perdu);
  });
})();
