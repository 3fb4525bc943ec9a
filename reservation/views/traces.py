"""The Historique of an object, and the journal of an organisation."""

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from reservation.acteur import Acteur, Role
from reservation.exports import Colonne, exporter, nom_de_fichier
from reservation.filters_journal import FiltreJournal
from reservation.models import LigneJournal
from reservation.services.historique import (
    designation,
    genres,
    historique,
    libelle_du_type,
    ouvrir_objet,
    qui,
)

PAR_PAGE = 50
LIGNES_EXPORTEES = 100_000


@require_safe
def page_historique(request: HttpRequest, genre: str, cle: str) -> HttpResponse:
    objet = ouvrir_objet(request.acteur, genre, cle)
    if objet is None:
        raise Http404
    demandee = request.GET.get("page", "1")
    numero = int(demandee) if demandee.isascii() and demandee.isdecimal() and len(demandee) < 6 else 1
    entrees, suite = historique(request.acteur, objet, page=max(numero, 1))
    return render(
        request,
        "reservation/traces/historique.html",
        {
            "objet": objet,
            "entrees": entrees,
            "precedente": numero - 1,
            "suivante": numero + 1 if suite else None,
            "fil": [(objet.titre, objet.url)],
        },
    )


def peut_lire_le_journal(acteur: Acteur) -> bool:
    """Administrators of an organisation, and support."""
    return acteur.support or (Role.ADMINISTRATION in acteur.roles and acteur.organisation_id is not None)


def _filtre(request: HttpRequest) -> FiltreJournal:
    if not peut_lire_le_journal(request.acteur):
        raise PermissionDenied("Le journal est lu par les administrateurs d’une organisation.")
    return FiltreJournal(
        request.GET,
        queryset=LigneJournal.objects.visibles_par(request.acteur)
        .select_related("auteur", "organisation", "assistant", "personne", "bailleur")
        .order_by("-pk"),
    )


class LigneLue:
    """A line of the journal as its page and its file say it to one reader."""

    def __init__(self, ligne: LigneJournal, acteur: Acteur) -> None:
        self.ligne = ligne
        self.le = ligne.le
        self.qui = qui(acteur, ligne)
        self.organisation = str(ligne.organisation) if ligne.organisation else ""
        self.assistant = str(ligne.assistant) if ligne.assistant else ""
        self.acte = ligne.get_acte_display()
        self.objet = libelle_du_type(ligne.objet_type)
        self.designation = designation(ligne)
        self.bailleur = str(ligne.bailleur) if ligne.bailleur else ""
        self.motif = ligne.motif
        self.a_un_historique = ligne.genre in genres() and not acteur.support


@require_safe
def journal(request: HttpRequest) -> HttpResponse:
    filtre = _filtre(request)
    page = Paginator(filtre.qs, PAR_PAGE).get_page(request.GET.get("page"))
    parametres = request.GET.copy()
    parametres.pop("page", None)
    return render(
        request,
        "reservation/traces/journal.html",
        {
            "filtre": filtre,
            "page": page,
            "lignes": [LigneLue(ligne, request.acteur) for ligne in page],
            "base_page": f"{parametres.urlencode()}&" if parametres else "",
            "requete": parametres.urlencode(),
            "limite": LIGNES_EXPORTEES,
        },
    )


COLONNES = (
    Colonne("Date et heure", lambda lue: f"{timezone.localtime(lue.le):%d/%m/%Y %H:%M:%S}"),
    Colonne("Personne", lambda lue: lue.qui),
    Colonne("Organisation", lambda lue: lue.organisation),
    Colonne("Assistance", lambda lue: lue.assistant),
    Colonne("Acte", lambda lue: lue.acte),
    Colonne("Objet", lambda lue: lue.objet),
    Colonne("Désignation", lambda lue: lue.designation),
    Colonne("Bailleur", lambda lue: lue.bailleur),
    Colonne("Motif", lambda lue: lue.motif),
    Colonne("Requête", lambda lue: lue.ligne.requete),
)


@require_safe
def exporter_journal(request: HttpRequest) -> HttpResponse:
    """The lines of the page, filters included; the last ones when there are too many."""
    lignes = _filtre(request).qs[:LIGNES_EXPORTEES]
    return exporter(
        "csv",
        nom_de_fichier("journal", timezone.localdate()),
        COLONNES,
        (LigneLue(ligne, request.acteur) for ligne in lignes.iterator(chunk_size=2000)),
    )


urlpatterns = [
    path("historique/<slug:genre>/<str:cle>/", page_historique, name="historique"),
    path("journal/", journal, name="journal"),
    path("journal/export.csv", exporter_journal, name="journal_export"),
]
