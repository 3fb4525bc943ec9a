"""The regional bilan as a page and as files, and the open data, which anybody reads without an account."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_POST, require_safe

from bilans import exports_regionaux as exports
from bilans.documents.regional import composer_regional, nom_du_fichier
from bilans.exports import TYPE_XLSX
from bilans.regles.consolidation import Consolidation
from bilans.regles.tables_publiees import TABLES
from bilans.services import consolidation, donnees_ouvertes, regional
from bilans.tasks import produire_regional

from .reponses import repondre_pdf


@require_safe
def page(request):
    """The regional bilan of a year: the document as a page, its files. `annee`, `region`: those shown."""
    if not consolidation.peut_lire(request.acteur):
        raise Http404("Le bilan régional est celui du comité de pilotage et des services de l’État.")
    regions = consolidation.regions(request.acteur)
    voulue = request.GET.get("region", "")
    region = next((r for r in regions if r.code == voulue), regions[0] if regions else None)
    annees = consolidation.annees(request.acteur, region.code) if region else []
    choisie = request.GET.get("annee", "")
    annee = next((a for a in annees if str(a) == choisie), annees[0] if annees else None)
    lue = consolidation.lire_consolidation(request.acteur, annee, region.code) if annee and region else None
    return render(
        request,
        "bilans/regional/page.html",
        {
            "fil": [("Bilans", reverse("bilans:liste"))],
            "regions": regions,
            "annees": annees,
            "region": region,
            "annee": annee,
            "lue": lue,
            "document": composer_regional(lue, nom_du_fichier(lue)) if lue else None,
            "pret": bool(lue) and regional.est_pret(lue),
            "tables": TABLES,
        },
    )


def _ouvrir(request, annee: int, region: str) -> Consolidation:
    """What the actor reads of a year; 404 for who reads nothing there, or before anything is validated."""
    lue = (
        consolidation.lire_consolidation(request.acteur, annee, region)
        if consolidation.peut_lire(request.acteur)
        else None
    )
    if lue is None or not lue.racine.bilans:
        raise Http404("Aucun bilan validé à lire.")
    return lue


@require_POST
def preparer(request, annee: int, region: str):
    """Ask for the PDF and the pack: a worker makes them."""
    lue = _ouvrir(request, annee, region)
    produire_regional.delay(annee, region, [d.code for d in lue.departements], lue.masque)
    messages.success(
        request, "Le PDF et le pack se préparent. Ils sont prêts en moins d’une minute : rechargez la page."
    )
    return redirect(f"{reverse('bilans:regional')}?annee={annee}&region={region}")


@require_safe
def pdf(request, annee: int, region: str):
    lue = _ouvrir(request, annee, region)
    octets = regional.lire_fichier(lue, "pdf")
    if octets is None:
        raise Http404("Ce PDF n’est pas encore produit.")
    return repondre_pdf(octets, nom_du_fichier(lue))


@require_safe
def pack(request, annee: int, region: str):
    lue = _ouvrir(request, annee, region)
    octets = regional.lire_fichier(lue, "zip")
    if octets is None:
        raise Http404("Ce pack n’est pas encore produit.")
    return _piece(octets, "application/zip", f"{nom_du_fichier(lue)}.zip")


@require_safe
def xlsx(request, annee: int, region: str):
    lue = _ouvrir(request, annee, region)
    return _piece(regional.classeur(lue), TYPE_XLSX, f"{nom_du_fichier(lue)}.xlsx")


@require_safe
def csv(request, annee: int, region: str, nom: str):
    table = next((t for t in TABLES if t.nom == nom), None)
    if table is None:
        raise Http404("Table inconnue.")
    lue = _ouvrir(request, annee, region)
    return _piece(exports.csv(table, [lue]), "text/csv; charset=utf-8", f"{nom_du_fichier(lue)}-{nom}.csv")


def _piece(octets: bytes, type_: str, nom: str) -> HttpResponse:
    return HttpResponse(
        octets, content_type=type_, headers={"Content-Disposition": f'attachment; filename="{nom}"'}
    )


# --- Open data ----------------------------------------------------------------------------------------------------


@login_not_required
@require_safe
def ouvertes(request):
    publications = donnees_ouvertes.publications()
    return render(
        request,
        "bilans/regional/ouvertes.html",
        {
            "derniere": publications[0] if publications else None,
            "anterieures": publications[1:],
            "licence": donnees_ouvertes.LICENCE,
            "tables": TABLES,
        },
    )


@login_not_required
@require_safe
def ouverte(request, jour: str, nom: str):
    chemin = donnees_ouvertes.chemin_du_fichier(jour, nom)
    if chemin is None:
        raise Http404("Ce fichier n’existe pas.")
    return FileResponse(
        chemin.open("rb"),
        as_attachment=True,
        filename=f"{jour}-{nom}",
        content_type=donnees_ouvertes.TYPES[chemin.suffix],
        headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=86400"},
    )


urlpatterns = [
    path("regional/", page, name="regional"),
    path("regional/<annee:annee>/<slug:region>/preparer/", preparer, name="regional_preparer"),
    path("regional/<annee:annee>/<slug:region>/bilan.pdf", pdf, name="regional_pdf"),
    path("regional/<annee:annee>/<slug:region>/pack.zip", pack, name="regional_pack"),
    path("regional/<annee:annee>/<slug:region>/bilan.xlsx", xlsx, name="regional_xlsx"),
    path("regional/<annee:annee>/<slug:region>/<slug:nom>.csv", csv, name="regional_csv"),
    path("donnees-ouvertes/", ouvertes, name="donnees_ouvertes"),
    path("donnees-ouvertes/<slug:jour>/<str:nom>", ouverte, name="donnee_ouverte"),
]
