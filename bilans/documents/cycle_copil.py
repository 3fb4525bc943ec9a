"""What the COPIL reads of a validated bilan, as a document: flux, objectives, and counts of households of eleven or more."""

from bilans.regles.cycle_copil import BilanCopil
from reservation.documents.typographie import jour as jour_ecrit
from reservation.documents.typographie import jour_court
from reservation.regles.typographie import accorder, entier_fr

from .composition import fuseau
from .modele import (
    Cellule,
    Chiffre,
    Colonne,
    Document,
    Encadre,
    Ligne,
    Numeroteur,
    Section,
    Une,
    ecart,
    entier,
    texte,
)

MASQUE = "masqué"


def composer_copil(lu: BilanCopil, numero: str, marque: str) -> Document:
    """The whole document. Same figures, same document."""
    numeroteur = Numeroteur()
    fictif = " · Données de démonstration : bailleur fictif" if lu.bailleur.fictif else ""
    lieu = f"{lu.departement.nom} ({lu.departement.code})"
    return Document(
        titre=f"Bilan {lu.annee} validé de la gestion en flux : {lu.bailleur.nom}, {lieu}",
        auteur=lu.bailleur.nom,
        sujet="Bilan annuel des réservations validé, version du comité de pilotage",
        mots_cles="gestion en flux, réservation, logement social",
        cree_le=f"{lu.situation.calcule_le:%Y-%m-%dT%H:%M:%S}{fuseau(lu)}",
        courant=(f"Bilan {lu.annee} validé · {lu.bailleur.nom} · {lieu}", "Version du comité de pilotage"),
        reference=(
            f"{numero} · données au {jour_court(lu.situation.donnees_au)} · empreinte {marque[:8]}…{marque[-8:]}{fictif}"
        ),
        empreinte=marque,
        une=_une(lu, numero, marque, lieu, numeroteur),
        sections=(_section_menages(lu, numeroteur), _section_flux(lu, numeroteur)),
    )


def _masquable(nombre: int | None) -> Cellule:
    return texte(MASQUE) if nombre is None else entier(nombre)


def _une(lu: BilanCopil, numero: str, marque: str, lieu: str, numeroteur: Numeroteur) -> Une:
    manquent = [ligne for ligne in lu.lignes if ligne.ecart is not None and ligne.ecart < 0]
    phrases = [
        (
            f"{ligne.nom} : il manque {accorder(-ligne.ecart, 'logement')} à l’objectif, "
            f"{entier_fr(ligne.realise)} pour {entier_fr(ligne.objectif)}.",
            True,
        )
        for ligne in manquent
    ] or [("Tous les objectifs de l’année sont atteints.", True)]
    return Une(
        surtitre=f"Bilan annuel de la gestion en flux · année {lu.annee} · version du comité de pilotage",
        titre=lu.bailleur.nom,
        soustitre=lieu,
        fiches=(
            (
                ("Bailleur", f"{lu.bailleur.nom}, {lu.bailleur.famille}"),
                ("Textes", "CCH, article R. 441-5-1"),
            ),
            (
                ("Bilan d’origine", f"{lu.bilan_numero}, validé le {jour_ecrit(lu.valide_le)}"),
                ("Document", numero),
                ("Empreinte", f"{marque[:32]} {marque[32:]}"),
            ),
        ),
        verdict=Encadre(not manquent, "Objectifs de l’année", (tuple(phrases),)),
        chiffres=(
            Chiffre(entier_fr(lu.soumis), "", f"logements d’assiette, sur {entier_fr(lu.parc)} au parc"),
            Chiffre(entier_fr(lu.liberations), "", "libérations dans l’année"),
            Chiffre(
                entier_fr(lu.flux), "", f"logements de flux annuel, dont {entier_fr(lu.hors_qpv)} hors QPV"
            ),
            Chiffre(
                MASQUE if lu.attributions is None else entier_fr(lu.attributions),
                "",
                "attributions de l’année",
            ),
        ),
        blocs=(
            numeroteur.tableau(
                "Objectifs et réalisé, par réservataire",
                (
                    Colonne("Réservataire", None, "g"),
                    Colonne("Objectif", "30"),
                    Colonne("Réalisé", "30"),
                    Colonne("Écart", "30"),
                ),
                [
                    Ligne(ligne.nom, (entier(ligne.objectif), entier(ligne.realise), ecart(ligne.ecart)))
                    for ligne in lu.lignes
                ],
            ),
        ),
    )


def _section_menages(lu: BilanCopil, numeroteur: Numeroteur) -> Section:
    quarts = numeroteur.tableau(
        "Quart dû aux publics prioritaires, par contingent",
        (
            Colonne("Contingent", None, "g"),
            Colonne("Attributions", "30"),
            Colonne("Prioritaires", "30"),
            Colonne("Il en manque", "30"),
        ),
        [
            Ligne(q.nom, (entier(q.attributions), _masquable(q.prioritaires), _masquable(q.manque)))
            for q in lu.quarts
        ],
        precision="« masqué » : moins de onze ménages d’un côté ou de l’autre",
        vide="Aucun contingent.",
    )
    etat = numeroteur.tableau(
        "Attributions sur le contingent de l’État, par titre",
        (Colonne("Titre", None, "g"), Colonne("Ménages", "30")),
        [Ligne(ligne.libelle, (_masquable(ligne.nombre),)) for ligne in lu.etat],
        precision="« masqué » : moins de onze ménages, ou ce qui permettrait de les retrouver",
        vide="Aucune attribution.",
    )
    refus = numeroteur.tableau(
        "Refus des ménages après attribution",
        (Colonne("Contingents", None, "g"), Colonne("Refus", "30")),
        [Ligne("Ensemble des contingents", (_masquable(lu.refus),))],
    )
    return Section("menages", "1. Publics prioritaires et refus", (quarts, etat, refus))


def _section_flux(lu: BilanCopil, numeroteur: Numeroteur) -> Section:
    soustractions = numeroteur.tableau(
        "Soustractions de l’année, par catégorie",
        (Colonne("Catégorie", None, "g"), Colonne("Fondement", "50", "g"), Colonne("Logements", "26")),
        [Ligne(s.libelle, (texte(s.source), entier(s.nombre))) for s in lu.soustractions],
        precision=f"{entier_fr(lu.liberations)} libérations − {entier_fr(lu.soustraits)} soustractions = "
        f"{entier_fr(lu.flux)} de flux",
        vide="Aucune catégorie de soustraction.",
    )
    return Section("flux", "2. Du parc libéré au flux", (soustractions,))
