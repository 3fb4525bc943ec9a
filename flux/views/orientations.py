"""The board of the orientations, the dwellings that a réservataire may fill, the préfet's urgent designations."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from flux.forms_orientation import FormulaireCandidat, FormulaireRenoncement, FormulaireUrgence
from flux.models import Candidat, Designation, Liberation, Usage
from flux.services import designations, orientations, reprises
from flux.services.cadres import charger_cadres
from flux.services.candidats_possibles import designation_lisible
from flux.services.lecture import presences_visibles
from flux.services.suggestions import Tableau, charger_tableau
from flux.views.actes import reporter
from reservation import convertisseurs  # noqa: F401 (registers the converters of the paths below)
from reservation.models import Organisation, Presence
from reservation.regles.actes import ETAT
from reservation.regles.typographie import decimal_fr, entier_fr, typographier
from reservation.views.porte import ouvrir

PAR_PAGE = 50
ANNEES_MONTREES = 3


# --- The board ----------------------------------------------------------------------------------------------------


def _presences(acteur):
    """The figures of every réservataire side by side: the bailleur's own, and the State services' of the département."""
    if acteur.est_bailleur or acteur.est_service_etat:
        return presences_visibles(acteur)
    return Presence.objects.none()


@require_safe
def liste(request):
    """The bailleurs of the perimeter, with how many dwellings wait for a réservataire."""
    if not (request.acteur.est_bailleur or request.acteur.est_service_etat):
        raise Http404
    annee = timezone.localdate().year
    attente = (
        Liberation.objects.filter(
            bailleur=OuterRef("bailleur"),
            departement=OuterRef("departement"),
            date__year=annee,
            reservataire=None,
            annulee_le=None,
            usage=Usage.FLUX,
            dans_assiette=True,
        )
        .order_by()
        .values("bailleur")
        .annotate(nombre=Count("pk"))
        .values("nombre")
    )
    presences = (
        _presences(request.acteur)
        .annotate(attente=Coalesce(Subquery(attente, output_field=IntegerField()), 0))
        .order_by("departement_id", "bailleur__nom_tri", "pk")
    )
    page = Paginator(presences, PAR_PAGE).get_page(request.GET.get("page"))
    return render(request, "flux/orientations/liste.html", {"page": page, "annee": annee})


@require_safe
def tableau(request, bailleur: int, departement: str, annee: int):
    presence = get_object_or_404(_presences(request.acteur), bailleur=bailleur, departement=departement)
    aujourd_hui = timezone.localdate()
    lu = charger_tableau((bailleur, departement), annee, aujourd_hui=aujourd_hui)
    page = Paginator(_attente(lu), PAR_PAGE).get_page(request.GET.get("page"))
    lignes = _lignes(lu)
    return render(
        request,
        "flux/orientations/tableau.html",
        {
            "presence": presence,
            "annee": annee,
            "annees": range(aujourd_hui.year + 1 - ANNEES_MONTREES, aujourd_hui.year + 1),
            "aujourd_hui": aujourd_hui,
            "tableau": lu,
            "balance": lu.balance,
            "lignes": lignes,
            "total_attendu": sum(ligne["attendu"] for ligne in lignes),
            "total_engages": sum(ligne["engages"] for ligne in lignes),
            "page": page,
            "peut_orienter": request.acteur.est_bailleur and request.acteur.peut_gerer,
        },
    )


def _lignes(lu: Tableau) -> list[dict]:
    """One line a réservataire; the floor outside QPV and the agents' ceiling are said under the État."""
    balance = lu.balance
    if balance is None:
        return []
    lignes = []
    for r in balance.reservataires:
        realise = lu.realises[r.code]
        ecart = -balance.retard(r)
        lignes.append(
            {
                "nom": "État" if r == ETAT else lu.noms.get(r.code) or r.titre,
                "note": _note_de_l_etat(lu) if r == ETAT else "",
                "attendu": balance.attendu(r),
                "engages": balance.engages.de(r),
                "ecart": ecart,
                "apres": ecart + 1,
                "attributions": realise.attributions,
                "realise": realise.realise,
                "objectif": balance.objectif(r),
            }
        )
    return lignes


def _note_de_l_etat(lu: Tableau) -> str:
    balance = lu.balance
    notes = []
    if balance.hors_qpv is not None:
        notes.append(
            f"hors QPV : {entier_fr(balance.engages.etat_hors_qpv)} engagés pour un plancher de "
            f"{decimal_fr(balance.hors_qpv)}"
        )
    if balance.a_ce_jour.agents_max or balance.engages.agents:
        notes.append(
            f"agents : {entier_fr(balance.engages.agents)} sur {entier_fr(balance.a_ce_jour.agents_max)} au plus"
        )
    return typographier(" ; ".join(notes))


def _attente(lu: Tableau) -> list[dict]:
    lignes = []
    for a in lu.a_orienter:
        suggestion = lu.suggestions.get(a.liberation)
        retenu = suggestion and suggestion.retenu
        lignes.append(
            {
                "a": a,
                "nom": "État" if retenu == ETAT else retenu and (lu.noms.get(retenu.code) or retenu.titre),
                "phrase": suggestion.phrase if suggestion else "",
                "organisation": lu.organisation(retenu) if retenu else None,
            }
        )
    return lignes


@require_POST
def suivre(request, pk: int):
    """Orient one dwelling as suggested, from the board: refused if the suggestion is no longer the one that was shown."""
    liberation = ouvrir(Liberation.objects.select_related("bailleur"), request.acteur, pk=pk)
    if not Liberation.objects.modifiables_par(request.acteur).filter(pk=pk).exists():
        raise PermissionDenied("Votre rôle permet de lire cette page, non de la modifier.")
    recu = request.POST.get("reservataire", "")
    reservataire = (
        orientations.reservataires_possibles(liberation).filter(pk=int(recu)).first()
        if recu.isascii() and recu.isdecimal() and len(recu) < 19
        else None
    )
    if reservataire is None:
        messages.error(request, "Ce réservataire n’a pas de droits sur ce logement : rien n’a changé.")
    else:
        _suivre(request, liberation, reservataire)
    return redirect(
        "flux:orientations_de", liberation.bailleur_id, liberation.departement_id, liberation.date.year
    )


def _suivre(request, liberation: Liberation, reservataire: Organisation) -> None:
    try:
        orientations.choisir_reservataire(
            request.acteur, liberation, reservataire=reservataire, date=timezone.localdate()
        )
    except ValidationError as erreur:
        messages.error(request, f"{liberation.reference} n’est pas orienté : {' '.join(erreur.messages)}")
    else:
        messages.success(request, f"{liberation.reference} est orienté vers {reservataire.nom}.")


# --- The dwellings that a réservataire may fill ---------------------------------------------------------------------


def _exiger_un_reservataire(acteur) -> None:
    if not (acteur.est_reservataire or acteur.est_ddets):
        raise Http404


@require_safe
def liste_a_pourvoir(request):
    _exiger_un_reservataire(request.acteur)
    lignes = designations.a_pourvoir(request.acteur).annotate(nombre=Count("candidats"))
    page = Paginator(lignes, PAR_PAGE).get_page(request.GET.get("page"))
    repris = reprises.repris_a(request.acteur)[:PAR_PAGE]
    return render(request, "flux/orientations/a_pourvoir.html", {"page": page, "repris": repris})


def _designation(request, pk: int) -> Designation:
    _exiger_un_reservataire(request.acteur)
    return get_object_or_404(designations.a_pourvoir(request.acteur), pk=pk)


def _a_soi(request, pk: int) -> Designation:
    designation = _designation(request, pk)
    if not designations.peut_designer(request.acteur, designation):
        raise PermissionDenied("Votre rôle permet de lire cette page, non de la modifier.")
    return designation


@require_http_methods(["GET", "HEAD", "POST"])
def a_pourvoir(request, pk: int):
    """One dwelling with its clock and its candidates; another candidate is proposed here."""
    if request.method != "POST":
        return _page(request, _designation(request, pk))
    designation = _a_soi(request, pk)
    form = FormulaireCandidat(request.POST)
    if form.is_valid():
        try:
            designations.proposer_candidat(
                request.acteur,
                designation,
                numero_unique=form.cleaned_data["numero_unique"],
                date=timezone.localdate(),
            )
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            messages.success(request, "Candidat proposé.")
            return redirect("flux:a_pourvoir", pk)
    return _page(request, designation, form=form, status=422)


@require_POST
def renoncer(request, pk: int):
    designation = _a_soi(request, pk)
    form = FormulaireRenoncement(request.POST)
    if form.is_valid():
        try:
            designations.renoncer(
                request.acteur, designation, motif=form.cleaned_data["motif"], date=timezone.localdate()
            )
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            messages.success(request, "Vous avez renoncé à ce logement : le bailleur le voit aussitôt.")
            return redirect("flux:a_pourvoir", pk)
    return _page(request, designation, renoncement=form, status=422)


@require_POST
def retirer(request, pk: int, candidat: int):
    designation = _a_soi(request, pk)
    propose = get_object_or_404(
        Candidat.objects.visibles_par(request.acteur), pk=candidat, designation=designation
    )
    try:
        designations.retirer_candidat(request.acteur, propose)
    except ValidationError as erreur:
        messages.error(request, " ".join(erreur.messages))
    else:
        messages.success(request, "Candidat retiré.")
    return redirect("flux:a_pourvoir", pk)


def _page(
    request,
    designation: Designation,
    *,
    form: FormulaireCandidat | None = None,
    renoncement: FormulaireRenoncement | None = None,
    status: int = 200,
):
    candidats = list(
        Candidat.objects.visibles_par(request.acteur).filter(designation=designation).order_by("pk")
    )
    numeros = designations.numeros_lisibles(candidats)
    priorites = designations.priorites_lisibles(request.acteur, candidats, timezone.localdate())
    ouverte = designations.peut_designer(request.acteur, designation) and designation.etat in (
        Designation.Etat.EN_ATTENTE,
        Designation.Etat.PROPOSEE,
    )
    return render(
        request,
        "flux/orientations/proposer.html",
        {
            "d": designation,
            "candidats": [
                {"pk": c.pk, "numero": numeros[c.pk], "priorite": priorites[c.pk], "jour": c.propose_le}
                for c in candidats
            ],
            "ouverte": ouverte,
            "possibles": designation_lisible(request.acteur, designation.liberation) is not None,
            "form": form or FormulaireCandidat(),
            "renoncement": renoncement or FormulaireRenoncement(auto_id="id_renoncer_%s"),
        },
        status=status,
    )


# --- Urgence --------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def urgence(request, pk: int):
    """The préfet's urgent designation: what it does is said before it is done."""
    liberation = ouvrir(
        Liberation.objects.select_related("commune", "reservataire", "bailleur"), request.acteur, pk=pk
    )
    if not orientations.peut_designer_d_urgence(request.acteur, liberation):
        raise PermissionDenied("Seule la DDETS du département désigne d’urgence, avec le rôle de gestion.")
    form = FormulaireUrgence(
        request.POST if request.method == "POST" else None, initial={"date": timezone.localdate()}
    )
    if request.method == "POST" and form.is_valid():
        try:
            orientations.designer_d_urgence(request.acteur, liberation, **form.cleaned_data)
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            messages.success(request, "Logement désigné d’urgence ; le bailleur est prévenu.")
            return redirect("flux:liberation", pk)
    paire = (liberation.bailleur_id, liberation.departement_id)
    regime = charger_cadres([paire], liberation.date.year)[paire].regime
    return render(
        request,
        "flux/orientations/urgence.html",
        {
            "liberation": liberation,
            "form": form,
            "soustrait": Usage.URGENCE_PREFECTORALE.value in regime.soustractions,
        },
        status=422 if form.errors else 200,
    )


urlpatterns = [
    path("orientations/", liste, name="orientations"),
    path(
        "orientations/<identifiant:bailleur>/<departement:departement>/<annee:annee>/",
        tableau,
        name="orientations_de",
    ),
    path("orientations/<int:pk>/suivre/", suivre, name="suivre_suggestion"),
    path("logements-a-pourvoir/", liste_a_pourvoir, name="liste_a_pourvoir"),
    path("logements-a-pourvoir/<int:pk>/", a_pourvoir, name="a_pourvoir"),
    path("logements-a-pourvoir/<int:pk>/renoncer/", renoncer, name="renoncer"),
    path("logements-a-pourvoir/<int:pk>/candidats/<int:candidat>/retirer/", retirer, name="retirer_candidat"),
    path("urgences/<int:pk>/", urgence, name="urgence"),
]
