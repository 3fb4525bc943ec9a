"""The contingent of a réservataire: what its home page shows, as files, and the note for its council."""

from django.http import Http404, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from bilans.documents.note_conseil import composer_note
from bilans.documents.pdf import rendre
from bilans.exports_contingent import (
    COLONNES_BAILLEURS,
    COLONNES_PUBLICS,
    COLONNES_PUBLICS_ALS,
    COLONNES_REFUS,
    lignes_des_bailleurs,
    lignes_des_publics,
    lignes_des_refus,
)
from bilans.forms_indicateurs import FormulaireContingent, choisir
from bilans.services.contingents import lire_contingent
from bilans.services.note_conseil import lire_note
from reservation.exports import FORMATS, exporter, nom_de_fichier

TABLEAUX = {
    "bailleurs": ("Bailleurs", lignes_des_bailleurs),
    "publics": ("Publics", lignes_des_publics),
    "refus": ("Refus", lignes_des_refus),
}


def _demande(request):
    if not request.acteur.est_reservataire:
        raise Http404
    return choisir(request.acteur, request.GET, FormulaireContingent).demande()


@require_safe
def exporter_contingent(request, tableau: str, format_: str):
    """One of the tables of the home page as a file."""
    if tableau not in TABLEAUX or format_ not in FORMATS:
        raise Http404
    demande = _demande(request)
    lu = lire_contingent(request.acteur, demande)
    colonnes = {
        "bailleurs": COLONNES_BAILLEURS,
        "publics": COLONNES_PUBLICS_ALS if request.acteur.est_action_logement else COLONNES_PUBLICS,
        "refus": COLONNES_REFUS,
    }
    feuille, lignes = TABLEAUX[tableau]
    nom = nom_de_fichier("contingent", tableau, demande.libelle, demande.departement)
    return exporter(format_, nom, colonnes[tableau], lignes(lu), feuille)


@require_safe
def note(request):
    """The note for the council of a collectivité, or for the board of an other réservataire. Same figures, same bytes."""
    demande = _demande(request)
    lue = lire_note(request.acteur, demande.annee)
    if lue is None:
        raise Http404
    pdf = rendre(composer_note(lue))
    nom = nom_de_fichier("note", lue.organisation.nom, demande.annee)
    return HttpResponse(
        pdf.octets,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{nom}.pdf"'},
    )


urlpatterns = [
    path("contingent/note.pdf", note, name="contingent_note"),
    path("contingent/<slug:tableau>.<str:format_>", exporter_contingent, name="contingent_export"),
]
