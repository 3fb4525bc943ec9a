// Notes of a meeting: what is noted empties its field and waits for the next; what could not be saved is said and stays typed.
// Saving itself is htmx (hx-post); without this script, and without htmx, each form has its button.
(() => {
  document.addEventListener("DOMContentLoaded", () => {
    const seance = document.getElementById("seance");
    if (!seance) return;
    seance.classList.add("seance-vive");
    let attente = 0;
    const dire = (texte) => {
      const etat = document.getElementById("etat-notes");
      if (etat) etat.textContent = texte;
    };
    document.addEventListener("htmx:before:request", () => {
      attente += 1;
    });
    document.addEventListener("htmx:finally:request", () => {
      attente -= 1;
    });
    document.addEventListener("htmx:after:swap", (evenement) => {
      const { sourceElement, response } = evenement.detail.ctx;
      if (response.headers.get("HX-Reswap") === "none" || !sourceElement.matches("[data-vider]")) return;
      sourceElement.reset();
      sourceElement.querySelector("input:not([type=hidden])").focus();
    });
    document.addEventListener("htmx:error", () => {
      dire("Non enregistré : le site n’a pas répondu. Ce que vous avez écrit est encore dans la page : modifiez-le de nouveau.");
    });
    document.addEventListener("htmx:response:error", () => {
      dire("Non enregistré : le site a refusé. Ce que vous avez écrit est encore dans la page.");
    });
    // Typed and not sent yet, or sent and not answered: the browser asks before leaving.
    let saisie = false;
    seance.addEventListener("input", () => {
      saisie = true;
    });
    document.addEventListener("htmx:after:request", (evenement) => {
      if (evenement.detail.ctx.response.status < 400) saisie = false;
    });
    document.addEventListener("submit", () => {
      saisie = false;
    });
    window.addEventListener("beforeunload", (evenement) => {
      if (saisie || attente > 0) evenement.preventDefault();
    });
  });
})();
