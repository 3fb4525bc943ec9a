"""Actions that the COPIL decided: all those of the région for its members, its own for whoever owes one."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from bilans.forms_reunions import ETATS_ACTIONS, FormulaireMotif, FormulaireRealisation, FormulaireReport
from bilans.models import ActionReunion
from bilans.services import reunions
from bilans.services.consolidation import peut_lire
from reservation.models import Organisation
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

PAR_PAGE = 50
DECRITES = ActionReunion.objects.select_related("organisation", "comite", "dite_par")


def _fil(request: HttpRequest) -> list[tuple[str, str]]:
    """Whoever only owes an action does not read the meetings."""
    return [("Réunions du comité", reverse("bilans:reunions"))] if peut_lire(request.acteur) else []


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """`etat`, `organisation` of the address; a value that nobody offered is the first offered."""
    acteur = request.acteur
    if not acteur.organisation_id:
        raise Http404("Ces pages sont celles des membres d’une organisation.")
    jour = timezone.localdate()
    visibles = ActionReunion.objects.visibles_par(acteur).filter(publiee_le__isnull=False)
    etat = request.GET.get("etat", "")
    etat = etat if etat in dict(ETATS_ACTIONS) else "ouvertes"
    organisations = list(
        Organisation.objects.filter(pk__in=visibles.order_by().values("organisation")).order_by(
            "nom_tri", "pk"
        )
    )
    organisation = request.GET.get("organisation", "")
    choisie = next((o for o in organisations if str(o.pk) == organisation), None)
    lignes = visibles.filter(_filtre(etat, jour))
    if choisie:
        lignes = lignes.filter(organisation=choisie)
    ordre = ("-seance", "echeance", "pk") if etat in ("faites", "abandonnees") else ("echeance", "pk")
    lignes = lignes.select_related("organisation", "comite").order_by(*ordre)
    page = Paginator(lignes, PAR_PAGE).get_page(request.GET.get("page"))
    parametres = request.GET.copy()
    parametres.pop("page", None)
    contexte = {
        "page": page,
        "lignes": [(action, action.situer(jour)) for action in page],
        "etat": etat,
        "etats": ETATS_ACTIONS,
        "organisations": organisations,
        "choisie": choisie,
        "membre": peut_lire(acteur),
        "fil": _fil(request),
        "base_page": f"{parametres.urlencode()}&" if parametres else "",
    }
    return render(request, "bilans/reunions/actions.html", contexte)


def _filtre(etat: str, jour) -> Q:
    ouverte = Q(realisee_le=None, abandonnee_le=None)
    match etat:
        case "ouvertes":
            return ouverte
        case "retard":
            return ouverte & Q(echeance__lt=jour)
        case "faites":
            return Q(realisee_le__isnull=False)
        case "abandonnees":
            return Q(abandonnee_le__isnull=False)
        case _:
            return Q()


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, ouvrir(DECRITES.filter(publiee_le__isnull=False), request.acteur, pk=pk))


def _page(request: HttpRequest, action: ActionReunion, **formulaires) -> HttpResponse:
    """`formulaires`: the one that came back with errors, by its name."""
    acteur = request.acteur
    modifiable = ActionReunion.objects.modifiables_par(acteur).filter(pk=action.pk).exists()
    situation = action.situer(timezone.localdate())
    contexte = {
        "action": action,
        "situation": situation,
        "modifiable": modifiable,
        "tient": modifiable and action.comite_id == acteur.organisation_id,
        "lit_la_reunion": peut_lire(acteur),
        "fil": [*_fil(request), ("Actions du comité", reverse("bilans:actions_copil"))],
        "faire": FormulaireRealisation(auto_id="faire-%s"),
        "reporter": FormulaireReport(auto_id="reporter-%s", initial={"echeance": action.echeance}),
        "abandonner": FormulaireMotif(auto_id="abandonner-%s"),
        **formulaires,
    }
    return render(request, "bilans/reunions/action.html", contexte, status=422 if formulaires else 200)


FAITS: dict[str, tuple[type | None, Callable, str]] = {
    "faire": (FormulaireRealisation, reunions.faire, "Action faite : son alerte a disparu."),
    "defaire": (None, reunions.defaire, "L’action est de nouveau à faire."),
    "abandonner": (FormulaireMotif, reunions.abandonner, "Action abandonnée."),
    "reporter": (FormulaireReport, reunions.reporter, "Échéance reportée."),
}


@require_POST
def agir(request: HttpRequest, pk: int, verbe: str) -> HttpResponse:
    action = ouvrir_pour_ecrire(DECRITES.filter(publiee_le__isnull=False), request.acteur, pk=pk)
    if verbe not in FAITS:
        raise Http404
    classe, faire, fait = FAITS[verbe]
    formulaire = classe(request.POST, auto_id=f"{verbe}-%s") if classe else None
    if formulaire is not None and not formulaire.is_valid():
        return _page(request, action, **{verbe: formulaire, "form": formulaire})
    try:
        faire(request.acteur, action, **(formulaire.cleaned_data if formulaire else {}))
    except ValidationError as erreur:
        if formulaire is None:
            messages.error(request, erreur.messages[0])
            return redirect("bilans:action_copil", pk)
        for texte in erreur.messages:
            formulaire.add_error(None, texte)
        return _page(request, action, **{verbe: formulaire, "form": formulaire})
    messages.success(request, fait)
    return redirect("bilans:action_copil", pk)


urlpatterns = [
    path("reunions/actions/", liste, name="actions_copil"),
    path("reunions/actions/<identifiant:pk>/", detail, name="action_copil"),
    path("reunions/actions/<identifiant:pk>/<slug:verbe>/", agir, name="action_copil_agir"),
]
