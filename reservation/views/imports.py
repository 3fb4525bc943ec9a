"""RPLS imports: the file is kept, read, shown with all that is wrong, and written once somebody agrees."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.storage import default_storage
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reservation.acteur import Acteur
from reservation.exports import nom_de_fichier
from reservation.forms.imports import FormulaireImport
from reservation.models import Departement, ImportRpls
from reservation.services.parc import abandonner, confirmer, recevoir_fichier, reprendre
from reservation.views.perimetre_parc import reserver_aux_lecteurs
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire
from reservation.views.rapport_import import Rapport

IMPORTS_PAR_PAGE = 25
EN_COURS = (ImportRpls.Etat.RECU, ImportRpls.Etat.EN_ANALYSE, ImportRpls.Etat.EN_APPLICATION)


def _fil(*etapes: tuple[str, str]) -> list[tuple[str, str]]:
    return [("Imports", reverse("reservation:imports")), *etapes]


def _peut_deposer(acteur: Acteur) -> bool:
    return acteur.est_bailleur and acteur.peut_gerer


def _imports():
    return ImportRpls.objects.select_related("bailleur", "cree_par", "confirme_par")


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """The imports that the actor may read, most recent first."""
    acteur = request.acteur
    reserver_aux_lecteurs(acteur)
    imports = _imports().visibles_par(acteur).defer("rapport").order_by("-cree_le", "-pk")
    contexte = {
        "page": Paginator(imports, IMPORTS_PAR_PAGE).get_page(request.GET.get("page")),
        "peut_deposer": _peut_deposer(acteur),
        "fil": [],
    }
    return render(request, "reservation/imports/liste.html", contexte)


@require_http_methods(["GET", "HEAD", "POST"])
def nouveau(request: HttpRequest) -> HttpResponse:
    """Deposit a file: kept as it is, recognised by its content, read by a worker."""
    acteur = request.acteur
    reserver_aux_lecteurs(acteur)
    if not _peut_deposer(acteur):
        raise PermissionDenied("Seul le bailleur importe son parc, par un membre qui a le rôle de gestion.")
    formulaire = FormulaireImport(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if request.method == "POST" and formulaire.is_valid():
        fichier = formulaire.cleaned_data["fichier"]
        try:
            recu = recevoir_fichier(
                acteur, contenu=fichier, nom=fichier.name, millesime=formulaire.cleaned_data["millesime"]
            )
        except ValidationError as erreur:
            formulaire.add_error(None, erreur)
        else:
            return redirect("reservation:import_rpls", recu.pk)
    statut = 422 if formulaire.errors else 200
    return render(
        request, "reservation/imports/nouveau.html", {"formulaire": formulaire, "fil": _fil()}, status=statut
    )


def _contexte(acteur: Acteur, import_rpls: ImportRpls) -> dict:
    rapport = Rapport(import_rpls, acteur)
    return {
        "import": import_rpls,
        "rapport": rapport,
        "modifiable": ImportRpls.objects.modifiables_par(acteur).filter(pk=import_rpls.pk).exists(),
        "fil": _fil(),
    }


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One import, whatever its state: progress, report, result, refusal."""
    acteur = request.acteur
    import_rpls = ouvrir(_imports(), acteur, pk=pk)
    contexte = _contexte(acteur, import_rpls) | {"en_cours": import_rpls.etat in EN_COURS}
    contexte["parcs"] = _parcs(contexte["rapport"]) if import_rpls.etat == ImportRpls.Etat.APPLIQUE else []
    return render(request, "reservation/imports/detail.html", contexte)


def _parcs(rapport: Rapport) -> list[dict]:
    """Links to the parcs that the import wrote, one per département."""
    if rapport.import_rpls.bailleur_id is None:
        return []
    noms = dict(Departement.objects.filter(pk__in=rapport.departements).values_list("pk", "nom"))
    return [
        {
            "nom": noms[code],
            "url": reverse("reservation:parc_detail", args=[rapport.import_rpls.bailleur_id, code])
            + f"?millesime={rapport.import_rpls.millesime}",
        }
        for code in rapport.departements
        if rapport.acteur.est_bailleur or code in rapport.acteur.departements
    ]


@require_safe
def avancement(request: HttpRequest, pk: int) -> HttpResponse:
    """Fragment asked again every second; once the work is over, the whole page is to be read again."""
    import_rpls = ouvrir(ImportRpls.objects.defer("rapport"), request.acteur, pk=pk)
    if not request.htmx:
        return redirect("reservation:import_rpls", pk)
    if import_rpls.etat not in EN_COURS:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "reservation/imports/avancement.html", {"import": import_rpls})


@require_http_methods(["GET", "HEAD", "POST"])
def enregistrer(request: HttpRequest, pk: int) -> HttpResponse:
    """Check what recording changes in the parc, then agree to it."""
    acteur = request.acteur
    import_rpls = ouvrir_pour_ecrire(_imports(), acteur, pk=pk)
    if request.method == "POST":
        try:
            confirmer(acteur, import_rpls)
        except ValidationError as erreur:
            messages.error(request, " ".join(erreur.messages))
        return redirect("reservation:import_rpls", pk)
    if import_rpls.etat != ImportRpls.Etat.A_CONFIRMER:
        return redirect("reservation:import_rpls", pk)
    contexte = _contexte(acteur, import_rpls)
    adresse = reverse("reservation:import_rpls", args=[pk])
    contexte["fil"] = _fil((import_rpls.nom_fichier, adresse))
    contexte["effet"] = contexte["rapport"].effet()
    return render(request, "reservation/imports/enregistrer.html", contexte)


@require_POST
def abandonner_import(request: HttpRequest, pk: int) -> HttpResponse:
    """Give up an import that is not recorded."""
    import_rpls = ouvrir_pour_ecrire(ImportRpls.objects, request.acteur, pk=pk)
    try:
        abandonner(request.acteur, import_rpls)
        messages.success(request, "L’import est abandonné. Le parc n’a pas changé.")
    except ValidationError as erreur:
        messages.error(request, " ".join(erreur.messages))
    return redirect("reservation:import_rpls", pk)


@require_POST
def reprendre_import(request: HttpRequest, pk: int) -> HttpResponse:
    """Start again an import that was interrupted."""
    import_rpls = ouvrir_pour_ecrire(ImportRpls.objects, request.acteur, pk=pk)
    try:
        reprendre(request.acteur, import_rpls)
    except ValidationError as erreur:
        messages.error(request, " ".join(erreur.messages))
    return redirect("reservation:import_rpls", pk)


@require_safe
def rejets(request: HttpRequest, pk: int) -> HttpResponse:
    """The rejected lines as they were, with what to mend in one more column."""
    acteur = request.acteur
    import_rpls = ouvrir(ImportRpls.objects, acteur, pk=pk)
    if not import_rpls.rejets or not Rapport(import_rpls, acteur).detaille:
        raise Http404
    nom = nom_de_fichier("lignes rejetées", import_rpls.nom_fichier.rsplit(".", 1)[0])
    return FileResponse(
        default_storage.open(import_rpls.rejets),
        as_attachment=True,
        filename=f"{nom}.csv",
        content_type="text/csv; charset=utf-8",
    )


urlpatterns = [
    path("imports/", liste, name="imports"),
    path("imports/rpls/nouveau/", nouveau, name="import_rpls_nouveau"),
    path("imports/rpls/<int:pk>/", detail, name="import_rpls"),
    path("imports/rpls/<int:pk>/avancement/", avancement, name="import_rpls_avancement"),
    path("imports/rpls/<int:pk>/enregistrer/", enregistrer, name="import_rpls_enregistrer"),
    path("imports/rpls/<int:pk>/abandonner/", abandonner_import, name="import_rpls_abandonner"),
    path("imports/rpls/<int:pk>/reprendre/", reprendre_import, name="import_rpls_reprendre"),
    path("imports/rpls/<int:pk>/rejets/", rejets, name="import_rpls_rejets"),
]
