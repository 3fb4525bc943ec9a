"""First lettings: programmes, their concertation, the distribution agreed, the record as a PDF."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from flux.forms_programmes import FormulaireArret, FormulaireProgramme, FormulaireReponses
from flux.models import Consultation, Programme
from flux.services import programmes as services
from flux.views.actes import reporter
from reservation.models import Organisation
from reservation.views.edition import Edition
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

PAR_PAGE = 50


@require_safe
def liste(request):
    acteur = request.acteur
    if not (acteur.est_bailleur or acteur.est_service_etat or acteur.est_reservataire):
        raise Http404
    lignes = Programme.objects.visibles_par(request.acteur).select_related("commune", "bailleur")
    page = Paginator(lignes, PAR_PAGE).get_page(request.GET.get("page"))
    return render(request, "flux/programmes/liste.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def creer(request):
    """Open a concertation: every réservataire of the commune is consulted at once."""
    if not (request.acteur.est_bailleur and request.acteur.peut_gerer):
        raise PermissionDenied("Seul le bailleur ouvre une concertation, avec le rôle de gestion.")
    form = FormulaireProgramme(
        request.POST if request.method == "POST" else None, initial={"consulte_le": timezone.localdate()}
    )
    if request.method == "POST" and form.is_valid():
        bailleur = Organisation.objects.get(pk=request.acteur.organisation_id)
        try:
            programme = services.ouvrir_concertation(request.acteur, bailleur, **form.cleaned_data)
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            messages.success(request, f"Concertation ouverte sur {programme.nom}.")
            return redirect("flux:programme", programme.pk)
    return render(request, "flux/programmes/creer.html", {"form": form}, status=422 if form.errors else 200)


def _lignes():
    return Programme.objects.select_related("commune", "bailleur", "departement", "arretee_par")


def _page(request, programme: Programme, edition: Edition, *, reponses=None, arret=None, status: int = 200):
    lu = services.situation(programme)
    ecrit = Programme.objects.modifiables_par(request.acteur).filter(pk=programme.pk).exists()
    ouvert = ecrit and programme.etat == Programme.Etat.CONCERTATION
    if ouvert:
        reponses = reponses or FormulaireReponses(
            consultations=lu["consultations"], non_reserves=programme.non_reserves
        )
        arret = arret or FormulaireArret(auto_id="id_arret_%s", initial={"date": timezone.localdate()})
    return render(
        request,
        "flux/programmes/detail.html",
        {
            "programme": programme,
            "edition": edition,
            "reponses": reponses,
            "arret": arret,
            "ouvert": ouvert,
            "rattachables": list(services.rattachables(programme)[:PAR_PAGE]) if ecrit else [],
            **lu,
        },
        status=status,
    )


def _page_du_reservataire(request, pk: int):
    """What a réservataire may read of a concertation: the programme, its own answer, its own rights for one letting."""
    programme = ouvrir(_lignes(), request.acteur, pk=pk)
    if request.method == "POST":
        raise PermissionDenied("Le bailleur tient le relevé de la concertation : adressez-lui votre réponse.")
    consultation = ouvrir(Consultation.objects.all(), request.acteur, programme=programme)
    return render(
        request, "flux/programmes/consultation.html", {"programme": programme, "consultation": consultation}
    )


@require_http_methods(["GET", "HEAD", "POST"])
def detail(request, pk: int):
    """The concertation; what is known of the answers is saved here, complete or not."""
    edition = Edition(request, "programme", pk)
    if request.acteur.est_reservataire:
        return _page_du_reservataire(request, pk)
    if request.method != "POST":
        return _page(request, ouvrir(_lignes(), request.acteur, pk=pk), edition)
    programme = ouvrir_pour_ecrire(_lignes(), request.acteur, pk=pk)
    form = FormulaireReponses(
        request.POST,
        consultations=list(programme.consultations.select_related("reservataire").order_by("pk")),
        non_reserves=programme.non_reserves,
    )
    if form.is_valid():
        try:
            with edition.seul():
                services.enregistrer_reponses(
                    request.acteur, programme, form.lignes(), form.cleaned_data["non_reserves"]
                )
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            messages.success(request, "Réponses enregistrées.")
            return redirect("flux:programme", pk)
    return _page(request, programme, edition, reponses=form, status=422)


@require_POST
def arreter(request, pk: int):
    programme = ouvrir_pour_ecrire(_lignes(), request.acteur, pk=pk)
    edition = Edition(request, "programme", pk)
    form = FormulaireArret(request.POST, auto_id="id_arret_%s")
    if form.is_valid():
        try:
            with edition.seul():
                services.arreter_repartition(request.acteur, programme, **form.cleaned_data)
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            messages.success(request, "Répartition arrêtée : elle guide désormais les orientations.")
            return redirect("flux:programme", pk)
    return _page(request, programme, edition, arret=form, status=422)


@require_POST
def rattacher(request, pk: int):
    programme = ouvrir_pour_ecrire(_lignes(), request.acteur, pk=pk)
    choisies = [
        int(v) for v in request.POST.getlist("liberation") if v.isascii() and v.isdecimal() and len(v) < 19
    ]
    try:
        nombre = services.rattacher_liberations(request.acteur, programme, choisies)
    except ValidationError as erreur:
        messages.error(request, " ".join(erreur.messages))
    else:
        messages.success(
            request, f"{nombre} logement{'s' if nombre > 1 else ''} rattaché{'s' if nombre > 1 else ''}."
        )
    return redirect("flux:programme", pk)


@require_safe
def releve(request, pk: int):
    """The record of the concertation, as a PDF."""
    if request.acteur.est_reservataire:  # the answers and the parts of the others are in it
        raise Http404
    programme = ouvrir(_lignes(), request.acteur, pk=pk)
    reponse = HttpResponse(services.composer_releve(programme).octets, content_type="application/pdf")
    reponse["Content-Disposition"] = f'attachment; filename="concertation-{programme.pk}.pdf"'
    return reponse


urlpatterns = [
    path("programmes/", liste, name="programmes"),
    path("programmes/ouvrir/", creer, name="programme_creer"),
    path("programmes/<int:pk>/", detail, name="programme"),
    path("programmes/<int:pk>/arreter/", arreter, name="programme_arreter"),
    path("programmes/<int:pk>/rattacher/", rattacher, name="programme_rattacher"),
    path("programmes/<int:pk>/releve.pdf", releve, name="programme_releve"),
]
