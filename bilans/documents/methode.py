"""The chapter "Méthode et définitions": the words of the bilan, as the acts of the year define them.

What the conventions make a parameter is said as they fix it, with its article; nothing is true of one département
only because the program was written with it in mind.
"""

from fractions import Fraction

from bilans.regles.donnees import ETAT, DonneesBilan
from flux.regles.imputation import MotifHorsPrioritaire
from reservation.documents.typographie import jour
from reservation.regles.actes import Soustraction
from reservation.regles.typographie import entier_fr, enumerer, minuscule, taux_fr

from .modele import Definitions

MOTIFS = {
    MotifHorsPrioritaire.PLS_SANS_CANDIDAT: "PLS sans candidat prioritaire",
    MotifHorsPrioritaire.REFUS_CANDIDATS_ETAT: "refus de tous les candidats de l’État",
}


def definitions(donnees: DonneesBilan) -> Definitions:
    """Word by word, in the order in which the document uses them."""
    return Definitions(
        (
            ("Assiette.", _assiette(donnees)),
            (
                "Libération.",
                "Logement de l’assiette devenu disponible dans l’année. Libéré deux fois, il compte deux fois ; annulée, "
                "elle ne compte pas.",
            ),
            ("Soustractions.", _soustractions(donnees)),
            ("Flux.", _flux(donnees)),
            ("Premières mises en location.", _premieres(donnees)),
            (
                "Objectif.",
                "Part entière du flux de l’année, plus le report de l’année précédente non justifié. Un dépassement "
                "n’ouvre pas de crédit. L’objectif est manqué s’il manque un logement entier.",
            ),
            (
                "Proposé.",
                "Logement orienté dans l’année vers le réservataire. Après une désignation échouée, il est proposé une "
                "seconde fois, au bailleur.",
            ),
            (
                "Attribution.",
                "Décision de la CALEOL d’attribuer le logement (R. 441-3), suivie ou non d’un bail. Elle compte l’année de "
                "la CALEOL, quelle que soit celle de la libération.",
            ),
            ("Réalisé.", _realise(donnees)),
            ("Imputation.", _imputation()),
            ("Agents de l’État.", _agents()),
            ("État, hors agents.", _cent()),
            ("Un quart.", _quart()),
            ("Hors QPV.", _hors_qpv(donnees)),
            ("Groupes de priorité.", _groupes(donnees)),
            (
                "Arrondis.",
                "Calculs exacts en fractions ; affichage arrondi ; parts entières dont la somme égale le flux.",
            ),
            (
                "Empreinte.",
                "SHA-256 des chiffres, du texte et du tableau d’attributions de ce document. D’autres chiffres font une "
                "autre version, avec une autre empreinte.",
            ),
        )
    )


def _assiette(donnees: DonneesBilan) -> str:
    millesime = donnees.situation.millesime
    base = f"au RPLS du 1er janvier {millesime}" if millesime else "sans parc RPLS importé à ce jour"
    return f"Part du parc soumise à la gestion en flux (R. 441-5), par commune, en et hors QPV, {base}."


def _soustractions(donnees: DonneesBilan) -> str:
    listees = [minuscule(Soustraction(code).libelle) for code in donnees.regime.soustractions]
    source = "par la convention" if donnees.regime.conventionnel else "par la loi, à défaut d’acte"
    if not listees:
        return "L’acte en vigueur n’en prévoit aucune."
    return f"Libérations retirées du flux {source} (R. 441-5, I) : {enumerer(listees)}."


def _flux(donnees: DonneesBilan) -> str:
    previsionnel = donnees.flux.previsionnel
    debut = (
        f"Libérations constatées au {jour(donnees.situation.donnees_au)}, moins les soustractions."
        if donnees.situation.provisoire
        else "Flux définitif : libérations constatées dans l’année civile, moins les soustractions."
    )
    if previsionnel is None:
        return debut
    verbe = (
        "Le flux prévisionnel est de"
        if donnees.situation.provisoire
        else "Il remplace le flux prévisionnel de"
    )
    return f"{debut} {verbe} {entier_fr(previsionnel)}."


def _premieres(donnees: DonneesBilan) -> str:
    if donnees.regime.premieres_dans_le_flux:
        return "Comptées dans le flux par la convention, après concertation avec tous les réservataires."
    return "Hors flux : concertation avec tous les réservataires, droits pour un tour (R. 441-5)."


def _realise(donnees: DonneesBilan) -> str:
    evenement = (
        "Baux signés dans l’année"
        if donnees.regime.au_bail
        else "Attributions de l’année (date de la CALEOL)"
    )
    consomment = [
        donnees.reservataire(code).sigle
        for code in dict.fromkeys(c.reservataire for c in donnees.conventions if c.echec_consomme)
    ]
    echecs = (
        f", plus les désignations échouées que l’acte met à la charge du réservataire ({enumerer(consomment)})"
        if consomment
        else ""
    )
    return f"{evenement}, imputés au réservataire{echecs}."


def _imputation() -> str:
    return (
        "Un seul titre par attribution. Une soustraction l’emporte sur un label ; un logement dont la désignation a échoué "
        "est imputé au bailleur."
    )


def _agents() -> str:
    return (
        "Agents civils et militaires de l’État : validation préalable ou accord postérieur du préfet, logement adapté à la "
        "demande et bail signé, l’année du bail (R. 441-5-2)."
    )


def _cent() -> str:
    return (
        "Le contingent est tout entier aux ménages prioritaires, sauf motif consigné : "
        f"{enumerer(MOTIFS.values(), 'ou')}. Une attribution au motif consigné compte dans l’objectif."
    )


def _quart() -> str:
    return (
        "Nombre attendu : l’entier égal ou supérieur au quart du dénominateur. Trois dénominateurs : le contingent d’ALS "
        "dans le département (L. 313-26-2) ; celui de chaque collectivité ; pour le bailleur, les logements non réservés et "
        "ceux dont la désignation a échoué (L. 441-1)."
    )


def _hors_qpv(donnees: DonneesBilan) -> str:
    plancher = donnees.regime.plancher_hors_qpv
    if plancher is None:
        return "L’acte en vigueur ne fixe pas de plancher hors des quartiers prioritaires de la ville."
    net = next(
        (periode.net for part in donnees.parts if part.code == ETAT for periode in part.taux[-1:]), None
    )
    borne = f", ramené au taux net de {taux_fr(Fraction(net))}" if net is not None and net < plancher else ""
    return (
        f"Hors des quartiers prioritaires de la ville, la part de l’État n’est pas inférieure à "
        f"{taux_fr(Fraction(plancher))} points du flux hors QPV{borne} (R. 441-5-2)."
    )


def _groupes(donnees: DonneesBilan) -> str:
    return " ".join(f"{g.rang} : {enumerer(g.libelles)}." for g in donnees.groupes)
