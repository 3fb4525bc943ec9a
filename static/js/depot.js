// A file may be dropped on its frame; without this script the button chooses it.
for (const zone of document.querySelectorAll(".depose")) {
  const champ = zone.querySelector("input[type=file]");
  const survol = (actif) => (evenement) => {
    evenement.preventDefault();
    zone.classList.toggle("depose--survol", actif);
  };
  zone.addEventListener("dragover", survol(true));
  zone.addEventListener("dragleave", survol(false));
  zone.addEventListener("drop", (evenement) => {
    survol(false)(evenement);
    if (evenement.dataTransfer.files.length) champ.files = evenement.dataTransfer.files;
  });
}
