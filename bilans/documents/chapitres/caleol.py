"""5. Commissions and refusals."""

from collections.abc import Sequence

from bilans.documents.modele import (
    Colonne,
    CoteACote,
    Ligne,
    Numeroteur,
    Section,
    Tableau,
    entier,
    pourcent,
    texte,
)
from bilans.regles.donnees import DonneesBilan
from reservation.regles.typographie import accorder

from .commun import Contingent, compter_par_contingent, par_nature


def section_caleol(donnees: DonneesBilan, numeroteur: Numeroteur) -> Section:
    c = donnees.caleol
    decisions = _tableau_parts(
        numeroteur,
        "Décisions de la CALEOL",
        "Décision (R. 441-3)",
        [(compte.libelle, compte.nombre) for compte in c.decisions],
        "Dossiers présentés",
        precision=accorder(c.seances, "séance"),
    )
    refus = _tableau_parts(
        numeroteur,
        "Refus de la commission",
        "Motif",
        [(compte.libelle, compte.nombre) for compte in c.refus_commission],
        "Refus de la commission (d, e)",
        vide="La commission n’a prononcé aucun refus.",
    )
    return Section(
        "caleol",
        "5. Commissions d’attribution et refus",
        (CoteACote((decisions, refus)), _tableau_refus_menages(donnees, numeroteur)),
    )


def _tableau_parts(
    numeroteur: Numeroteur,
    titre: str,
    entete: str,
    comptes: Sequence[tuple[str, int]],
    total: str,
    **options: str,
) -> Tableau:
    """Counts and their share of the total."""
    somme = sum(nombre for _, nombre in comptes)
    lignes = [Ligne(libelle, (entier(nombre), pourcent(nombre, somme))) for libelle, nombre in comptes]
    if lignes:
        lignes.append(Ligne(total, (entier(somme), pourcent(somme, somme)), "total"))
    return numeroteur.tableau(
        titre,
        (Colonne(entete, None, "g"), Colonne("Dossiers", "14"), Colonne("Part", "16")),
        lignes,
        **options,
    )


def _tableau_refus_menages(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    """Refusals after attribution by motive, then the rate of refusals of each contingent."""
    c = donnees.caleol
    # Refusals by commune would be too few to be read.
    colonnes = [*par_nature(donnees), Contingent("Hors flux", frozenset({"HORS_FLUX"}))]
    lignes = []
    for refus in c.refus_menages:
        comptes = compter_par_contingent(refus.par_contingent, colonnes)
        lignes.append(
            Ligne(
                refus.libelle,
                (
                    *(entier(n) for n in comptes),
                    entier(refus.total, "fort"),
                    pourcent(refus.total, c.total_refus),
                ),
            )
        )
    refuses = tuple(
        sum(compter_par_contingent(refus.par_contingent, [colonne])[0] for refus in c.refus_menages)
        for colonne in colonnes
    )
    prononcees = compter_par_contingent(c.prononcees, colonnes)
    lignes += [
        Ligne(
            "Refus après attribution",
            (*(entier(n) for n in refuses), entier(c.total_refus), pourcent(c.total_refus, c.total_refus)),
            "total",
        ),
        Ligne(
            "Attributions prononcées",
            (*(entier(n) for n in prononcees), entier(c.total_prononcees), texte("")),
        ),
        Ligne(
            "Taux de refus",
            (
                *(pourcent(r, p) for r, p in zip(refuses, prononcees, strict=True)),
                pourcent(c.total_refus, c.total_prononcees),
                texte(""),
            ),
            "sous",
        ),
    ]
    return numeroteur.tableau(
        "Refus du ménage après attribution, par motif et contingent",
        (
            Colonne("Motif", "54", "g"),
            *(Colonne(colonne.titre) for colonne in colonnes),
            Colonne("Total"),
            Colonne("Part", "16"),
        ),
        lignes,
        note=(
            f"{accorder(c.total_prononcees, 'attribution prononcée', 'attributions prononcées')} en CALEOL en "
            f"{donnees.annee}, dont {accorder(c.total_refus, 'refusée')} par le ménage : un logement refusé puis attribué "
            "à un autre ménage compte plusieurs fois ici, une seule parmi les attributions de l’année. Une attribution "
            "refusée reste une attribution."
        ),
    )
