"""Declaring libérations one after the other, by keyboard: everything known of the dwelling is shown, not asked."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from flux.forms import (
    CARACTERES_MIN,
    FormulaireLiberation,
    chercher_logements,
    faits_de_liberation,
    logements_de_reference,
)
from flux.models import Liberation
from flux.regles.controles import Anomalie, restent_a_confirmer
from flux.services import liberations as services
from flux.services.controles import controler_declaration, retenir
from flux.views.actes import jetons_recus, reporter
from reservation.models import Logement, Organisation
from reservation.regles.statut import StatutLogement
from reservation.regles.typographie import typographier

DERNIERES = 8
SUIVANTE = "suivante"


def creer(request):
    """Declare one libération, then the next one; what looks odd is asked before anything is written."""
    acteur = request.acteur
    if not (acteur.est_bailleur and acteur.peut_gerer):
        raise PermissionDenied("Seul le bailleur déclare ses libérations, avec le rôle de gestion.")
    donnees = request.POST.copy() if request.method == "POST" else None
    if donnees and donnees.get("choisir"):
        donnees["reference"] = donnees["choisir"]
    formulaire = FormulaireLiberation(
        donnees,
        acteur=acteur,
        initial={
            "date": timezone.localdate(),
            "reference": request.GET.get("reference", "").replace("\0", ""),
        },
    )
    a_confirmer: list[Anomalie] = []
    if donnees is not None and formulaire.is_valid():
        anomalies = _controler(acteur, formulaire)
        a_confirmer = restent_a_confirmer(anomalies, jetons_recus(donnees))
        # The choice of a dwelling is read again before it is recorded.
        if not a_confirmer and not donnees.get("choisir"):
            try:
                liberation = _enregistrer(acteur, formulaire, anomalies)
            except ValidationError as erreur:
                # Freed twice on one day: of the two facts that make it so, the date is the one to correct.
                reporter(formulaire, erreur, "date")
            else:
                return _suite(request, liberation)
    return render(
        request,
        "flux/liberations/creer.html",
        {
            "form": formulaire,
            "champs_neuf": [formulaire[nom] for nom in FormulaireLiberation.CHAMPS_NEUF],
            "neuf_ouvert": bool(donnees and donnees.get("premiere"))
            or any(nom in formulaire.errors for nom in FormulaireLiberation.CHAMPS_NEUF),
            "faits": _faits(formulaire.logement, acteur),
            "a_confirmer": a_confirmer,
            "suite": (donnees or {}).get("suite", ""),
            "dernieres": _dernieres(acteur),
        },
    )


def _controler(acteur, formulaire: FormulaireLiberation) -> list[Anomalie]:
    donnees, logement = formulaire.cleaned_data, formulaire.logement
    return controler_declaration(
        acteur,
        cle_logement=logement.cle if logement else donnees["reference"],
        logement=logement,
        **{nom: donnees[nom] for nom in ("date", "date_preavis", "date_disponibilite", "premiere")},
    )


@transaction.atomic
def _enregistrer(acteur, formulaire: FormulaireLiberation, anomalies: list[Anomalie]) -> Liberation:
    bailleur = Organisation.objects.get(pk=acteur.organisation_id)
    liberation = services.enregistrer_liberation(
        acteur, bailleur, logement=formulaire.logement, **faits_de_liberation(formulaire)
    )
    retenir(acteur, liberation, anomalies)
    return liberation


def _suite(request, liberation: Liberation):
    messages.success(
        request,
        typographier(
            f"Libération de {liberation.reference} enregistrée."
            if liberation.dans_assiette
            else f"Libération de {liberation.reference} enregistrée. Le logement est hors de l’assiette "
            f"({liberation.get_statut_logement_display()}) : elle ne compte pas dans le flux."
        ),
    )
    if request.POST.get("suite") == SUIVANTE:
        return redirect("flux:liberation_creer")
    return redirect("flux:liberation", liberation.pk)


def _dernieres(acteur) -> list[Liberation]:
    """What this person declared last, the last first."""
    return list(
        Liberation.objects.visibles_par(acteur)
        .filter(cree_par=acteur.utilisateur_id, cree_le__date=timezone.localdate())
        .select_related("commune")
        .order_by("-pk")[:DERNIERES]
    )


@require_safe
def logements_proposes(request):
    """Dwellings of the actor's parc whose reference, RPLS id or address holds what is typed (fragment)."""
    texte = request.GET.get("reference", "").replace("\0", "").strip()  # PostgreSQL refuses NUL
    logements = []
    if request.acteur.est_bailleur and len(texte) >= CARACTERES_MIN:
        logements = chercher_logements(request.acteur, texte)
    return render(request, "flux/liberations/logements.html", {"logements": logements})


@require_safe
def faits_du_logement(request):
    """What is known of the dwelling that the reference names, and its libérations of the year (fragment)."""
    texte = request.GET.get("reference", "").replace("\0", "").strip()
    logement = None
    if request.acteur.est_bailleur and texte:
        trouves = list(logements_de_reference(request.acteur, texte).select_related("commune")[:2])
        logement = trouves[0] if len(trouves) == 1 else None
    return render(request, "flux/liberations/faits.html", {"faits": _faits(logement, request.acteur)})


def _faits(logement: Logement | None, acteur) -> dict | None:
    """The dwelling as the page shows it before it is declared: nothing of this is typed again."""
    if logement is None:
        return None
    statut = StatutLogement(logement.statut)
    return {
        "logement": logement,
        "statut": statut.libelle,
        "dans_assiette": statut.dans_assiette,
        "liberations": list(
            Liberation.objects.visibles_par(acteur)
            .filter(bailleur=logement.bailleur_id, cle_logement=logement.cle, annulee_le__isnull=True)
            .order_by("-date")[:3]
        ),
    }


urlpatterns = [
    path("liberations/declarer/", creer, name="liberation_creer"),
    path("liberations/logements/", logements_proposes, name="logements_proposes"),
    path("liberations/logements/faits/", faits_du_logement, name="faits_du_logement"),
]
