"""The annex: one line per attribution, on paper and in the workbook."""

from collections.abc import Sequence

from bilans.documents.modele import Cellule, Colonne, Ligne, Section, Tableau, Texte, code, jour, texte
from bilans.regles.donnees import ETAT, DonneesBilan, LigneAttribution
from reservation.regles.typographie import accorder, entier_fr

from .commun import LIGNES_PAR_TABLEAU

# Beyond that the annex is read in the workbook: paper has no filter.
LIGNES_ANNEXE = 300


def section_annexe(donnees: DonneesBilan) -> Section:
    """The tableau d'attributions for the préfet (CA, art. 7.1), in bounded tables, with its control line."""
    lignes = [ligne for ligne in donnees.attributions if ligne.contingent == ETAT]
    titre = "Annexe A. Tableau des attributions prononcées pour le compte du préfet"
    total = f"{accorder(len(lignes), 'attribution')} de {donnees.annee} sur le contingent de l’État"
    if not lignes:
        return Section(
            "annexe",
            titre,
            (Texte(f"Aucune attribution de {donnees.annee} sur le contingent de l’État."),),
        )
    if len(lignes) > LIGNES_ANNEXE:
        return Section(
            "annexe",
            titre,
            (
                Texte(
                    f"{total} : au-delà de {LIGNES_ANNEXE} lignes, le tableau est remis en classeur XLSX, feuille "
                    "« Attributions », avec les mêmes numéro, version et empreinte que ce document. Il porte les "
                    "attributions de tous les contingents et celles du hors flux."
                ),
                Texte(_controle(lignes)),
            ),
        )
    tableaux = []
    for debut in range(0, len(lignes), LIGNES_PAR_TABLEAU):
        fin = min(debut + LIGNES_PAR_TABLEAU, len(lignes))
        dernier = fin == len(lignes)
        rangees = [
            Ligne(str(rang), cellules_annexe(ligne))
            for rang, ligne in enumerate(lignes[debut:fin], debut + 1)
        ]
        suite = f" (lignes {debut + 1} à {fin})" if len(lignes) > LIGNES_PAR_TABLEAU else ""
        tableaux.append(
            Tableau(
                0,
                f"{total}{suite}",
                COLONNES_ANNEXE,
                tuple(rangees),
                precision="par date de CALEOL ; numéro unique : quatre derniers caractères ; ni nom, ni motif du label",
                note=f"Contrôle. {_controle(lignes)} {NOTE_ANNEXE}" if dernier else "",
                genre="annexe",
            )
        )
    return Section("annexe", titre, tuple(tableaux), paysage=True)


COLONNES_ANNEXE = (
    Colonne("N°", "8", "g"),
    Colonne("CALEOL", "18", "g"),
    Colonne("Libéré le", "18", "g"),
    Colonne("Logement", "23", "g"),
    Colonne("Commune", "30", "g"),
    Colonne("QPV", "9", "g"),
    Colonne("Type", "9", "g"),
    Colonne("Financ.", "13", "g"),
    Colonne("Construction", "20", "g"),
    Colonne("Imputation", "30", "g"),
    Colonne("DALO", "10", "g"),
    Colonne("N° unique", "15", "g"),
    Colonne("Bail signé", "18", "g"),
    Colonne("Observation", None, "g"),
)
NOTE_ANNEXE = (
    "Imputation : le seul titre sous lequel l’attribution compte. Libéré le : une date antérieure à l’année est "
    "possible, le réalisé porte sur les attributions de l’année. DALO : décision favorable valide à la date de la "
    "CALEOL. Les quatre derniers caractères du numéro unique servent au rapprochement ; le numéro n’est pas conservé."
)


def cellules_annexe(ligne: LigneAttribution) -> tuple[Cellule, ...]:
    return (
        jour(ligne.date_caleol),
        jour(ligne.date_liberation),
        code(ligne.logement),
        texte(ligne.commune),
        texte("QPV" if ligne.qpv else "hors"),
        texte(ligne.typologie),
        texte(ligne.financement),
        texte(ligne.periode),
        texte(ligne.imputation),
        texte("oui" if ligne.dalo else "non"),
        code(f"…{ligne.menage}" if ligne.menage else "–"),
        jour(ligne.date_bail),
        texte(ligne.observation),
    )


def _controle(lignes: Sequence[LigneAttribution]) -> str:
    """ "77 attributions : 11 agents, 64 prioritaires, 2 autres ; 28 en QPV, 49 hors QPV ; 11 DALO ; 69 baux signés." """
    agents = sum(ligne.titre == "AGENT" for ligne in lignes)
    prioritaires = sum(ligne.prioritaire for ligne in lignes)
    qpv = sum(ligne.qpv for ligne in lignes)
    return (
        f"{accorder(len(lignes), 'attribution')} : {accorder(agents, 'agent')}, "
        f"{accorder(prioritaires, 'prioritaire')}, {accorder(len(lignes) - agents - prioritaires, 'autre')} ; "
        f"{entier_fr(qpv)} en QPV, {entier_fr(len(lignes) - qpv)} hors QPV ; "
        f"{entier_fr(sum(ligne.dalo for ligne in lignes))} DALO ; "
        f"{accorder(sum(ligne.date_bail is not None for ligne in lignes), 'bail signé', 'baux signés')}."
    )
