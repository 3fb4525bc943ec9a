"""One act on several libérations: the lines that were ticked are read again, then the act is done on all or none."""

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from flux.forms_saisie import LotAnnulation, LotDisponibilite, LotUsage
from flux.models import Liberation
from flux.regles.controles import Anomalie, anomalies_de_la_disponibilite, restent_a_confirmer
from flux.services import liberations as services
from flux.services.actes import verrouiller_ensemble
from flux.services.controles import retenir_ensemble
from flux.views.actes import jetons_recus, reporter
from reservation.regles.typographie import accorder, typographier
from reservation.services.historique import versions_de

LIGNES_MAX = 200
CHANGEES = typographier(
    "Quelqu’un a modifié une de ces libérations pendant que vous remplissiez la page. Rien n’est enregistré : relisez les "
    "lignes, puis envoyez de nouveau si c’est bien ce que vous voulez."
)


@dataclass(frozen=True)
class ActeEnLot:
    """`controler`: what looks odd in one libération, given the answers; asked once for all of them."""

    formulaire: type[forms.Form]
    executer: Callable
    fait: str
    controler: Callable[[Liberation, dict], list[Anomalie]] = lambda liberation, donnees: []


def _controler_disponibilite(liberation: Liberation, donnees: dict) -> list[Anomalie]:
    return anomalies_de_la_disponibilite(
        jour=liberation.date, date_disponibilite=donnees["date_disponibilite"]
    )


ACTES_EN_LOT = {
    "disponibilite": ActeEnLot(
        LotDisponibilite,
        services.dater_la_disponibilite,
        "disponibilité enregistrée",
        _controler_disponibilite,
    ),
    "usage": ActeEnLot(LotUsage, services.changer_l_usage, "usage enregistré"),
    "annuler": ActeEnLot(LotAnnulation, services.annuler_ensemble, "annulation enregistrée"),
}


def lot(request):
    """GET: the lines ticked in the list (`id`, repeated), and the acts. POST: one of the acts, on those lines."""
    acteur = request.acteur
    if not (acteur.est_bailleur and acteur.peut_gerer):
        raise PermissionDenied("Seul le bailleur modifie ses libérations, avec le rôle de gestion.")
    donnees = request.POST if request.method == "POST" else request.GET
    liberations = _choisies(acteur, donnees.getlist("id"))
    retour = _retour(request, donnees.get("retour", ""))
    formulaires = {
        nom: acte.formulaire(auto_id=f"id_{nom}_%s", initial={"date": timezone.localdate()})
        for nom, acte in ACTES_EN_LOT.items()
    }
    versions = _versions(liberations)
    choisi, a_confirmer, changees = "", [], []
    if request.method == "POST":
        choisi = donnees.get("acte", "")
        if choisi not in ACTES_EN_LOT:
            raise Http404
        acte = ACTES_EN_LOT[choisi]
        formulaire = formulaires[choisi] = acte.formulaire(donnees, auto_id=f"id_{choisi}_%s")
        recues = donnees.get("versions", "")
        if formulaire.is_valid() and recues and recues != versions:
            changees = _changees(liberations, recues)
            formulaire.add_error(None, CHANGEES)
        elif formulaire.is_valid():
            anomalies = [(ligne, acte.controler(ligne, formulaire.cleaned_data)) for ligne in liberations]
            a_confirmer = [
                (ligne, reste)
                for ligne, siennes in anomalies
                for reste in restent_a_confirmer(siennes, jetons_recus(donnees))
            ]
            faites = [] if a_confirmer else _faire(acteur, acte, anomalies, formulaire, recues)
            if faites:
                messages.success(request, f"{accorder(len(faites), 'libération')} : {acte.fait}.")
                return redirect(retour)
    return render(
        request,
        "flux/liberations/lot.html",
        {
            "liberations": liberations,
            "formulaires": [(nom, formulaire) for nom, formulaire in formulaires.items()],
            "choisi": choisi,
            "versions": versions,
            "changees": changees,
            "a_confirmer": a_confirmer,
            "jetons": " ".join(sorted({anomalie.jeton for _, anomalie in a_confirmer})),
            "retour": retour,
        },
        status=422 if choisi else 200,
    )


def _versions(liberations: list[Liberation]) -> str:
    """What the form bears: each row with the version that its reader saw ("12:3 15:1")."""
    lues = versions_de("liberation", [str(ligne.pk) for ligne in liberations])
    return " ".join(f"{ligne.pk}:{lues[str(ligne.pk)]}" for ligne in liberations)


def _changees(liberations: list[Liberation], recues: str) -> list[Liberation]:
    """The rows that somebody wrote since the page was read."""
    vues = set(recues.split())
    return [
        ligne
        for ligne, version in zip(liberations, _versions(liberations).split(), strict=True)
        if version not in vues
    ]


def _faire(acteur, acte: ActeEnLot, anomalies: list, formulaire: forms.Form, recues: str) -> list[Liberation]:
    """The rows that were changed; none, and the form says why, when one of them refuses, or changed meanwhile."""
    lignes = [ligne for ligne, _ in anomalies]
    try:
        with transaction.atomic():
            verrouiller_ensemble(acteur, [ligne.pk for ligne in lignes])
            if recues and recues != _versions(lignes):
                raise ValidationError(CHANGEES)
            faites = acte.executer(acteur, [ligne.pk for ligne, _ in anomalies], **formulaire.cleaned_data)
            retenir_ensemble(acteur, anomalies)
    except ValidationError as erreur:
        reporter(formulaire, erreur)
        return []
    return faites


def _choisies(acteur, cles: list[str]) -> list[Liberation]:
    """The rows that these ids name, every one of them: a stranger's does not exist (404)."""
    if any(not (cle.isascii() and cle.isdecimal() and len(cle) < 19) for cle in cles):
        raise Http404
    demandees = {int(cle) for cle in cles}
    if len(demandees) > LIGNES_MAX:
        raise Http404
    trouvees = list(
        Liberation.objects.modifiables_par(acteur)
        .filter(pk__in=demandees)
        .select_related("commune", "reservataire")
        .order_by("-date", "-pk")
    )
    if len(trouvees) != len(demandees):
        raise Http404
    return trouvees


def _retour(request, adresse: str) -> str:
    """The list as it was left; nowhere else."""
    liste = reverse("flux:liberations")
    sur = url_has_allowed_host_and_scheme(adresse, allowed_hosts=None)
    return adresse if sur and adresse.startswith(f"{liste}?") else liste


urlpatterns = [path("liberations/lot/", lot, name="liberations_lot")]
