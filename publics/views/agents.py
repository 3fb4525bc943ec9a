"""Files of agents of the État: entered by partners or by the State, validated by the DDETS or the SGC."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from publics.forms import FormulaireAgent, FormulaireDecision
from publics.models import DossierAgent, MotifLabel
from publics.regles.agents import est_eligible
from publics.services import agents as services
from publics.services.labels import departements_de
from publics.views.labels import ECRITURE, PAR_PAGE, choisir, exiger_entree, reporter, rester
from reservation.regles.typographie import accorder
from reservation.views.porte import ouvrir


def _page(request: HttpRequest, *, form=None, choisis=(), status: int = 200) -> HttpResponse:
    jour = timezone.localdate()
    parametres = request.GET if request.method != "POST" else {}
    etat = parametres.get("etat", "PROPOSEE")
    lignes = DossierAgent.objects.visibles_par(request.acteur)
    if etat in DossierAgent.Etat.values:
        lignes = lignes.filter(etat=etat)
    page = Paginator(
        lignes.select_related("menage", "saisie_par", "decidee_par", "motif").order_by("echeance", "pk"),
        PAR_PAGE,
    ).get_page(parametres.get("page"))
    dossiers = []
    for dossier in page.object_list:
        verifications = services.verifications(dossier, dossier.decidee_le or jour)
        dossiers.append(
            {
                "d": dossier,
                "verifications": verifications,
                "eligible": est_eligible(verifications),
                "retard": dossier.etat == "PROPOSEE" and dossier.echeance < jour,
                "choisi": dossier.pk in choisis,
            }
        )
    return render(
        request,
        "publics/agents/dossiers.html",
        {
            "page": page,
            "dossiers": dossiers,
            "base_page": rester(parametres),
            "etat": etat,
            "etats": DossierAgent.Etat.choices,
            "decide": request.acteur.est_service_etat and request.acteur.peut_gerer,
            "depose": request.acteur.peut_gerer,
            "form": form or FormulaireDecision(acte=MotifLabel.Acte.AGENT),
        },
        status=status,
    )


@require_safe
def dossiers(request: HttpRequest) -> HttpResponse:
    exiger_entree(request)
    return _page(request)


@require_http_methods(ECRITURE)
def deposer(request: HttpRequest) -> HttpResponse:
    """The check-list of an agent: who is not eligible is told so at once, and nothing is kept."""
    exiger_entree(request)
    if not request.acteur.peut_gerer:
        raise PermissionDenied("Votre rôle permet de lire les dossiers, non d’en déposer.")
    form = FormulaireAgent(
        request.POST if request.method == "POST" else None, departements=departements_de(request.acteur)
    )
    if request.method == "POST" and form.is_valid():
        d = form.cleaned_data
        try:
            dossier = services.deposer(
                request.acteur,
                form.le_departement,
                demande=form.demande(),
                **{
                    nom: d[nom]
                    for nom in ("numero_unique", "versant", "statut", "contrats", "preuve", "preuve_le")
                },
            )
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            messages.success(request, f"Dossier enregistré pour la demande {dossier.menage}.")
            return redirect("publics:agents_dossiers")
    return render(request, "publics/agents/deposer.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
def decider(request: HttpRequest) -> HttpResponse:
    exiger_entree(request)
    lignes = choisir(request, "dossier", DossierAgent.objects.all())
    if not (request.acteur.est_service_etat and request.acteur.peut_gerer):
        raise PermissionDenied("Un agent de l’État est validé par la DDETS ou par la préfecture (SGC).")
    form = FormulaireDecision(request.POST, acte=MotifLabel.Acte.AGENT)
    if form.is_valid() and not lignes:
        form.add_error(None, "Cochez au moins un dossier.")
    if form.is_valid():
        try:
            d = form.cleaned_data
            services.decider(request.acteur, lignes, motif=d["motif"], fin=d["fin"])
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            verbe = "refusé" if form.cleaned_data["motif"] else "validé"
            messages.success(
                request, f"{accorder(len(lignes), 'dossier')} {verbe}{'s' if len(lignes) > 1 else ''}."
            )
            return redirect("publics:agents_dossiers")
    return _page(request, form=form, choisis={d.pk for d in lignes}, status=422)


@require_POST
def reprendre(request: HttpRequest, pk: int) -> HttpResponse:
    dossier = ouvrir(DossierAgent.objects.all(), request.acteur, pk=pk)
    try:
        services.reprendre(request.acteur, dossier)
    except ValidationError as erreur:
        messages.error(request, " ".join(erreur.messages))
    else:
        messages.success(request, "Dossier retiré.")
    return redirect("publics:agents_dossiers")


urlpatterns = [
    path("agents-de-l-etat/dossiers/", dossiers, name="agents_dossiers"),
    path("agents-de-l-etat/dossiers/deposer/", deposer, name="agent_deposer"),
    path("agents-de-l-etat/dossiers/decider/", decider, name="agents_decider"),
    path("agents-de-l-etat/dossiers/<identifiant:pk>/retirer/", reprendre, name="agent_retirer"),
]
