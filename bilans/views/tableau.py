"""The tableau de bord of a State service as a file: the comparison of the bailleurs, numerators and denominators apart."""

from django.http import Http404
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from bilans.services.compte_etat import Compte
from bilans.services.tableau_etat import lire_lignes
from reservation.exports import FORMATS, Colonne, Format, exporter, nom_de_fichier
from reservation.regles.periodes import jour_a_paris


def _nombre(compte: Compte):
    return lambda ligne: ligne.nombres[compte]


COLONNES = (
    Colonne("Bailleur", lambda li: li.bailleur.nom, largeur=32),
    Colonne("SIREN", lambda li: li.bailleur.siren, largeur=12),
    Colonne("Département", lambda li: li.departement, largeur=12),
    Colonne("Données au", lambda li: li.jour, Format.JOUR, 12),
    Colonne("Risque", lambda li: li.risque.libelle, largeur=16),
    Colonne("Pourquoi", lambda li: li.appreciation.phrase, largeur=60),
    Colonne("Flux prévisionnel", lambda li: li.flux, Format.ENTIER),
    Colonne("Objectif de l’État", lambda li: li.objectif, Format.ENTIER),
    Colonne("Réalisé", lambda li: li.realise, Format.ENTIER),
    Colonne("Désignations échouées comptées", lambda li: li.echecs, Format.ENTIER),
    Colonne("Attendu à ce jour", lambda li: li.attendu, Format.ENTIER),
    Colonne("Atterrissage", lambda li: li.projection.central, Format.ENTIER),
    Colonne("Atterrissage, bas", lambda li: li.projection.bas, Format.ENTIER),
    Colonne("Atterrissage, haut", lambda li: li.projection.haut, Format.ENTIER),
    Colonne("Hors QPV", _nombre(Compte.HORS_QPV), Format.ENTIER),
    Colonne("Plancher hors QPV", lambda li: li.plancher, Format.ENTIER),
    Colonne("Agents", _nombre(Compte.AGENTS), Format.ENTIER),
    Colonne("Plafond des agents", lambda li: li.plafond, Format.ENTIER),
    Colonne("Groupe 1", _nombre(Compte.GROUPE_1), Format.ENTIER),
    Colonne("Groupe 2", _nombre(Compte.GROUPE_2), Format.ENTIER),
    Colonne("Groupe 3", _nombre(Compte.GROUPE_3), Format.ENTIER),
    Colonne("Autres, motif consigné", _nombre(Compte.AUTRES), Format.ENTIER),
    Colonne("Autres, sans motif", _nombre(Compte.SANS_MOTIF), Format.ENTIER),
    Colonne("Écarts ouverts avec le SNE", lambda li: li.ecarts.nombre if li.ecarts else None, Format.ENTIER),
)


@require_safe
def exporter_tableau(request, format_: str):
    """Every bailleur of the départements of a State service, in the order of the page."""
    if format_ not in FORMATS or not request.acteur.est_service_etat:
        raise Http404
    jour = jour_a_paris(timezone.now())
    lignes = [
        ligne
        for departement in sorted(request.acteur.departements)
        for ligne in lire_lignes(request.acteur, departement, jour)
    ]
    nom = nom_de_fichier("tableau-de-bord", str(jour), *sorted(request.acteur.departements))
    return exporter(format_, nom, COLONNES, lignes, "Bailleurs")


urlpatterns = [path("tableau-de-bord.<str:format_>", exporter_tableau, name="tableau_export")]
