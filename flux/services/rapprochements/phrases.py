"""A gap in words, for whom reads it: the sentence to carry over, without the ground of a label unless it may be read.

To a réservataire a label is valid on the day of the CALEOL or not (chapter 2): neither late nor expired.
"""

from flux.models import EcartRapprochement, LigneRapprochement, Rapprochement, SourceExterne
from flux.regles.rapprochement import NATURES_LABEL, Appariement, Lien, Lieu
from flux.regles.rapprochement_phrases import expliquer_appariement, ou_corriger, phrase_a_corriger
from reservation.acteur import Acteur

NOMS_OUTILS = {SourceExterne.SNE: "le SNE", SourceExterne.SYPLO: "SYPLO", SourceExterne.IMHOWEB: "Imhoweb"}


def outils_de(rapprochement: Rapprochement) -> dict[str, str]:
    """Names of the tool of the labels and of that of the attributions, as a sentence has them."""
    return {
        "outil": NOMS_OUTILS.get(rapprochement.outil_labels, "SYPLO"),
        "attributions": NOMS_OUTILS.get(rapprochement.outil, "le SNE"),
    }


def phrase_de(ecart: EcartRapprochement, rapprochement: Rapprochement, acteur: Acteur) -> str:
    """ "À corriger dans le SNE : …", exact and ready to be copied. Only the DDETS is told the ground of a label."""
    ligne = ecart.ligne
    return phrase_a_corriger(
        ecart.nature,
        ecart.lieu,
        numero=ligne.numero_fin,
        logement=ligne.reference or ligne.logement_sne,
        caleol=ligne.jour,
        sne=ecart.valeur_sne,
        ici=ecart.valeur_ici,
        bail=ligne.bail_ici if ecart.lieu == Lieu.SNE else ligne.bail_sne,
        motif_lisible=acteur.est_ddets,
        label_oui_ou_non=acteur.est_reservataire,
        **outils_de(rapprochement),
    )


LABEL = ("LABEL", "sans label valable à la CALEOL")


def nature_de(ecart: EcartRapprochement, acteur: Acteur) -> tuple[str, str]:
    """Code and label of what does not agree, as `acteur` may read it."""
    if acteur.est_reservataire and ecart.nature in NATURES_LABEL:
        return LABEL
    return ecart.nature, ecart.get_nature_display()


def lieu_de(ecart: EcartRapprochement, rapprochement: Rapprochement) -> str:
    """ "dans le SNE", "dans SYPLO", "ici"."""
    return ou_corriger(ecart.lieu, **outils_de(rapprochement)).removeprefix("À corriger ")


def lien_de(ligne: LigneRapprochement) -> str:
    """How the two sides of a line were matched; "" for a lonely one."""
    if not ligne.lien:
        return ""
    return expliquer_appariement(Appariement(Lien(ligne.lien), ligne.jours, ligne.autre_logement))
