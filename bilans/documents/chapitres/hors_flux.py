"""3. Out of the flux: soustractions, first lettings."""

from bilans.documents.modele import Bloc, Colonne, Ligne, Numeroteur, Section, Tableau, ecart, entier, texte
from bilans.regles.donnees import DonneesBilan
from reservation.regles.typographie import accorder, entier_fr

from .commun import compter_par_contingent, contingents

COMMUNES_CITEES = 4


def section_hors_flux(donnees: DonneesBilan, numeroteur: Numeroteur) -> Section:
    blocs: list[Bloc] = [_tableau_soustractions(donnees, numeroteur)]
    blocs.append(_tableau_premieres(donnees, numeroteur))
    return Section(
        "hors-flux", "3. Hors du flux : soustractions et premières mises en location", tuple(blocs)
    )


def _tableau_soustractions(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    lignes = []
    for ligne in donnees.flux.soustractions:
        difference = None if ligne.prevu is None else ligne.realise - ligne.prevu
        lignes.append(
            Ligne(
                ligne.libelle,
                (
                    texte(ligne.fondement),
                    entier(ligne.prevu),
                    entier(ligne.realise, "fort"),
                    ecart(difference),
                    entier(ligne.qpv),
                    texte(_affectation(donnees, ligne)),
                ),
            )
        )
    deduites = [ligne for ligne in donnees.flux.soustractions if ligne.deduite]
    prevus = [ligne.prevu for ligne in deduites if ligne.prevu is not None]
    lignes.append(
        Ligne(
            "Total soustrait du flux",
            (
                texte(""),
                entier(sum(prevus) if prevus else None),
                entier(donnees.flux.soustraits),
                ecart(donnees.flux.soustraits - sum(prevus) if prevus else None),
                entier(sum(ligne.qpv for ligne in deduites)),
                texte(""),
            ),
            "total",
        )
    )
    return numeroteur.tableau(
        "Soustractions et leur affectation",
        (
            Colonne("Catégorie", "55", "g"),
            Colonne("Fondement", "30", "g"),
            Colonne(f"Prévu {donnees.annee}", "12"),
            Colonne(f"Réalisé {donnees.annee}", "13"),
            Colonne("Écart", "10"),
            Colonne("dont QPV", "10"),
            Colonne("Affectation", None, "g"),
        ),
        lignes,
        precision=f"libérations de {donnees.annee}",
        note="Prévu : déclaré par le bailleur par catégorie avant le 31 décembre de l’année précédente ; – : non déclaré.",
    )


def _affectation(donnees: DonneesBilan, ligne) -> str:
    """Where the dwellings of a category are: the communes that have most, then the others together."""
    if not ligne.deduite:
        return "non listée : reste dans le flux" if ligne.realise else "non listée par la convention"
    if not ligne.affectation:
        return "sans objet"
    citees = [f"{c.libelle} {entier_fr(c.nombre)}" for c in ligne.affectation[:COMMUNES_CITEES]]
    reste = ligne.affectation[COMMUNES_CITEES:]
    if reste:
        communes = accorder(len(reste), "autre commune", "autres communes")
        citees.append(f"{communes} {entier_fr(sum(c.nombre for c in reste))}")
    return ", ".join(citees)


def _tableau_premieres(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    colonnes = contingents(donnees)
    lignes, sommes = [], [0] * len(colonnes)
    for premiere in donnees.premieres:
        comptes = compter_par_contingent(premiere.par_reservataire, colonnes)
        sommes = [somme + compte for somme, compte in zip(sommes, comptes, strict=True)]
        lignes.append(
            Ligne(premiere.libelle, (*(entier(c) for c in comptes), entier(premiere.total, "fort")))
        )
    if lignes:
        total = sum(premiere.total for premiere in donnees.premieres)
        lignes.append(Ligne("Total", (*(entier(somme) for somme in sommes), entier(total)), "total"))
    dans_le_flux = donnees.regime.premieres_dans_le_flux
    return numeroteur.tableau(
        "Premières mises en location",
        (
            Colonne("Financement", "54", "g"),
            *(Colonne(colonne.titre) for colonne in colonnes),
            Colonne("Total"),
        ),
        lignes,
        precision=f"attribuées en {donnees.annee}, hors flux, droits pour un tour",
        note=(
            "La convention compte les premières mises en location dans le flux : elles figurent aux tableaux précédents."
            if dans_le_flux
            else f"{accorder(donnees.flux.premieres_hors_flux, 'première mise en location', 'premières mises en location')} "
            f"en {donnees.annee}, attribuées ou non. Leur répartition est concertée avec tous les réservataires (R. 441-5)."
        ),
        vide=f"Aucune première mise en location n’a été attribuée hors flux en {donnees.annee}.",
    )
