"""1. From the parc to the parts: assiette, flux, split."""

from decimal import Decimal
from math import floor

from bilans.documents import figures
from bilans.documents.modele import (
    Bloc,
    Colonne,
    Intertitre,
    Ligne,
    Numeroteur,
    Puces,
    Section,
    Tableau,
    ecart,
    entier,
    exact,
    texte,
)
from bilans.regles.donnees import BAILLEUR, ETAT, DonneesBilan
from reservation.documents.typographie import jour_court
from reservation.regles.typographie import minuscule

from .commun import LIGNES_INSECABLES, actes_de, contingents


def section_parc(donnees: DonneesBilan, numeroteur: Numeroteur) -> Section:
    parts = [
        (
            next(iter(contingent.codes)) if len(contingent.codes) == 1 else contingent.titre,
            contingent.titre,
            sum(part.objectif for part in donnees.parts if part.code in contingent.codes),
        )
        for contingent in contingents(donnees)
    ]
    figure = numeroteur.figure(
        "Du parc au flux, du flux aux parts",
        figures.cascade(
            annee=donnees.annee,
            millesime=donnees.situation.millesime,
            parc=donnees.parc.total,
            soumis=donnees.parc.soumis,
            liberations=donnees.flux.liberations,
            soustraits=donnees.flux.soustraits,
            flux=donnees.flux.flux,
            parts=parts,
            agents=donnees.agents.plafond,
        ),
        "logements ; les libérations sont agrandies ; hachures : hors du calcul",
    )
    blocs: list[Bloc] = [
        figure,
        _tableau_assiette(donnees, numeroteur),
        _tableau_partage(donnees, numeroteur),
    ]
    if donnees.partages_communes:
        blocs.append(_tableau_partages_communes(donnees, numeroteur))
    if donnees.avertissements:
        blocs += [Intertitre("À savoir"), Puces(donnees.avertissements)]
    return Section("parc", "1. Du parc aux parts de chacun", tuple(blocs))


def _tableau_assiette(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    parc = donnees.parc
    millesime = donnees.situation.millesime
    source = f"RPLS, millésime {millesime}" if millesime else "aucun parc importé"
    lignes = [
        Ligne(
            f"Parc au 1er janvier {millesime or donnees.annee}", (texte(source), entier(parc.total)), "sous"
        ),
        *(
            Ligne(f"{rang}. {motif.libelle}", (texte(motif.source), entier(motif.nombre)))
            for rang, motif in enumerate(parc.hors, 1)
        ),
        Ligne("Total des exclus", (texte(""), entier(parc.total - parc.soumis)), "sous"),
        Ligne("Assiette", (texte(""), entier(parc.soumis)), "total"),
        *(Ligne(f"dont {minuscule(m.libelle)}", (texte(m.source), entier(m.nombre))) for m in parc.dans),
    ]
    return numeroteur.tableau(
        "Du parc à l’assiette",
        (Colonne("Motif", "80", "g"), Colonne("Source", "78", "g"), Colonne("Logements")),
        lignes,
        precision="un logement, un motif : le premier de la liste qui s’applique",
    )


def _tableau_partage(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    lignes = []
    for part in donnees.parts:
        arrondi = part.objectif - floor(part.exacte)
        lignes.append(
            Ligne(
                donnees.reservataire(part.code).sigle if part.code != BAILLEUR else "Bailleur (non réservé)",
                (
                    texte(_actes_en_bref(donnees, part.code)),
                    texte(" ; ".join(part.calcul) if part.calcul else None),
                    exact(part.exacte),
                    texte("plafond") if part.code == ETAT else ecart(arrondi),
                    entier(part.objectif, "fort"),
                ),
            )
        )
    lignes.append(
        Ligne(
            "Flux définitif" if not donnees.situation.provisoire else "Flux constaté",
            (
                texte(""),
                texte(""),
                exact(sum((p.exacte for p in donnees.parts), Decimal(0))),
                texte(""),
                entier(donnees.flux.flux),
            ),
            "total",
        )
    )
    echelle = "chaque commune" if donnees.regime.echelle_commune else "département"
    return numeroteur.tableau(
        "Partage du flux",
        (
            Colonne("Réservataire", "34", "g"),
            Colonne(f"Acte en vigueur en {donnees.annee}", "58", "g"),
            Colonne("Calcul (points × flux)", None, "g"),
            Colonne("Part exacte", "14"),
            Colonne("Arrondi", "13"),
            Colonne("Part", "10"),
        ),
        lignes,
        precision=f"échelle : {echelle} ; taux en points du flux",
        note=(
            "L’État est un plafond : sa part exacte est arrondie à l’entier inférieur. Les autres parts suivent la "
            "méthode du plus fort reste : leur somme, avec la sienne, égale le flux."
        ),
    )


def _tableau_partages_communes(donnees: DonneesBilan, numeroteur: Numeroteur) -> Tableau:
    """The same split in each commune, with the convention's échelle (R. 441-5-2)."""
    colonnes = contingents(donnees)
    lignes = []
    for commune in donnees.partages_communes:
        parts = {part.reservataire: part for part in commune.parts}
        etat = parts.get(ETAT)
        lignes.append(
            Ligne(
                commune.nom,
                (
                    entier(commune.flux),
                    exact(etat.exacte if etat else None),
                    *(
                        entier(sum(parts[c].objectif for c in colonne.codes if c in parts))
                        for colonne in colonnes
                    ),
                ),
            )
        )
    return numeroteur.tableau(
        "Partage du flux dans chaque commune",
        (
            Colonne("Commune", "50", "g"),
            Colonne("Flux"),
            Colonne("État, exact"),
            *(Colonne(colonne.titre) for colonne in colonnes),
        ),
        lignes,
        precision="échelle de la part de l’État : chaque commune",
        note=(
            "Chaque commune est arrondie pour elle-même : la somme des parts entières peut différer du partage du "
            "département, qui est celui des objectifs."
        ),
        genre="long" if len(lignes) > LIGNES_INSECABLES else "",
    )


def _actes_en_bref(donnees: DonneesBilan, reservataire: str) -> str:
    if reservataire == BAILLEUR:
        return "Reste du flux"
    actes = actes_de(donnees, reservataire)
    derogations = [derogation for acte in actes[-1:] for derogation in acte.derogations]
    noms = [
        f"avenant {acte.rang} du {jour_court(acte.effet)}"
        if acte.rang
        else f"n° {acte.numero} du {jour_court(acte.signee_le)}"
        for acte in actes
    ]
    if actes and actes[0].rang:
        noms.insert(0, f"n° {actes[0].numero}")
    return ", ".join([*noms, *derogations]) or "Sans acte en vigueur"
