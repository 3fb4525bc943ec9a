"""Tables of the flux that leave the application."""

from flux.models import Liberation
from reservation.exports import Colonne, Format


def _oui_non(valeur: bool) -> str:
    return "oui" if valeur else "non"


def _de_la_derniere(champ: str):
    def lire(liberation: Liberation):
        derniere = liberation.derniere_attribution
        return getattr(derniere, champ) if derniere else None

    return lire


# Rows as the list prepares them (`flux.views.liberations.preparer`). No household: the list shows none.
COLONNES_LIBERATIONS = (
    Colonne("Référence", lambda ligne: ligne.reference),
    Colonne("Clé du logement", lambda ligne: ligne.cle_logement, largeur=24),
    Colonne("Bailleur", lambda ligne: ligne.bailleur.nom, largeur=28),
    Colonne("Département", lambda ligne: ligne.departement_id, largeur=10),
    Colonne("Code commune", lambda ligne: ligne.commune_id, largeur=10),
    Colonne("Commune", lambda ligne: ligne.commune.nom, largeur=24),
    Colonne("Adresse", lambda ligne: ligne.adresse, largeur=40),
    Colonne("En QPV", lambda ligne: _oui_non(ligne.qpv), largeur=8),
    Colonne("Typologie", lambda ligne: ligne.typologie, largeur=10),
    Colonne("Financement", lambda ligne: ligne.financement, largeur=12),
    Colonne("Période de construction", lambda ligne: ligne.periode, largeur=14),
    Colonne("Dans l’assiette", lambda ligne: _oui_non(ligne.dans_assiette), largeur=10),
    Colonne("Statut du logement", lambda ligne: ligne.get_statut_logement_display(), largeur=28),
    Colonne("Préavis reçu le", lambda ligne: ligne.date_preavis, Format.JOUR, 12),
    Colonne("Libéré le", lambda ligne: ligne.date, Format.JOUR, 12),
    Colonne("Disponible le", lambda ligne: ligne.date_disponibilite, Format.JOUR, 12),
    Colonne("Usage", lambda ligne: ligne.get_usage_display(), largeur=24),
    Colonne("Justificatif", lambda ligne: ligne.preuve, largeur=20),
    Colonne("Première mise en location", lambda ligne: _oui_non(ligne.premiere), largeur=12),
    Colonne(
        "Réservataire",
        lambda ligne: ligne.reservataire.nom if ligne.reservataire_id else "",
        largeur=28,
    ),
    Colonne("Orientée le", lambda ligne: ligne.orientee_le, Format.JOUR, 12),
    Colonne("Désignation échouée le", lambda ligne: ligne.designation_echouee_le, Format.JOUR, 12),
    Colonne("CALEOL", _de_la_derniere("date_caleol"), Format.JOUR, 12),
    Colonne("Offre notifiée le", _de_la_derniere("offre_le"), Format.JOUR, 12),
    Colonne("Acceptée le", _de_la_derniere("acceptee_le"), Format.JOUR, 12),
    Colonne("Refusée le", _de_la_derniere("refusee_le"), Format.JOUR, 12),
    Colonne("Bail signé le", _de_la_derniere("date_bail"), Format.JOUR, 12),
    Colonne("Compte comme", lambda ligne: ligne.titre, largeur=32),
    Colonne("Annulée le", lambda ligne: ligne.annulee_le, Format.JOUR, 12),
    Colonne("Motif de l’annulation", lambda ligne: ligne.motif_annulation, largeur=32),
)
