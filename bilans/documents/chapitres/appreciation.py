"""6. and 8. The bailleur's words, the signatures."""

from bilans.documents.modele import Bloc, Intertitre, Puces, Section, Signatures, Texte
from bilans.regles.donnees import DonneesBilan


def section_appreciation(donnees: DonneesBilan) -> Section:
    blocs = lire_appreciation(donnees.appreciation)
    if not blocs:
        absent = "Non renseigné par le bailleur à la date de production de ce document."
        blocs = tuple(
            bloc
            for titre in (
                "Écarts et raisons",
                "Adéquation des candidats proposés",
                f"Mesures proposées pour {donnees.annee + 1}",
            )
            for bloc in (Intertitre(titre), Texte(absent, "absent"))
        )
    return Section("appreciation", "6. Appréciation du bailleur", blocs)


def lire_appreciation(saisie: str) -> tuple[Bloc, ...]:
    """The bailleur's text as blocks: blank lines separate them, "- " makes a list, "# " a heading."""
    blocs: list[Bloc] = []
    for paragraphe in saisie.replace("\r\n", "\n").split("\n\n"):
        lignes = [ligne.strip() for ligne in paragraphe.splitlines() if ligne.strip()]
        while lignes and lignes[0].startswith("#"):
            blocs.append(Intertitre(lignes.pop(0).lstrip("# ")))
        if lignes and all(ligne.startswith(("- ", "• ")) for ligne in lignes):
            blocs.append(Puces(tuple(ligne[2:].strip() for ligne in lignes)))
        elif lignes:
            blocs.append(Texte(" ".join(lignes)))
    return tuple(blocs)


def section_signatures() -> Section:
    lignes = ("Nom et fonction :", "Date :", "Signature :")
    return Section(
        "signatures",
        "8. Signatures",
        (Signatures((("Pour le bailleur", lignes), ("Pour le préfet, par délégation : la DDETS", lignes))),),
    )
