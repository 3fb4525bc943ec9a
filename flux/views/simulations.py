"""Simulations: the atelier where two people try an act before signing it, what is kept of it, its sharing and its PDF."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from flux.documents_simulations import composer_simulation
from flux.forms_simulations import FormulaireEnregistrer, FormulaireSimulation, saisie_de
from flux.models import PartageSimulation, Simulation, VersionSimulation
from flux.regles.simulation import SimulationImpossible
from flux.services import simulations as services
from flux.services.simulations import Depart, Lecture
from flux.views.actes import reporter
from reservation import convertisseurs  # noqa: F401 (registers the converters of the paths below)
from reservation.acteur import Acteur
from reservation.models import Presence, VersionConvention
from reservation.services.conventions import nom_de_version
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

PAR_PAGE = 50


def _fil() -> list[tuple[str, str]]:
    return [("Simulations", reverse("flux:simulations"))]


def _membre(acteur: Acteur) -> None:
    """Whoever may make one, or may be shown one."""
    if not (acteur.est_bailleur or acteur.est_service_etat or acteur.est_reservataire):
        raise Http404


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    _membre(request.acteur)
    lignes = Simulation.objects.visibles_par(request.acteur).select_related(
        "bailleur", "departement", "proprietaire"
    )
    return render(
        request,
        "flux/simulations/liste.html",
        {
            "page": Paginator(lignes, PAR_PAGE).get_page(request.GET.get("page")),
            "simule": services.peut_simuler(request.acteur),
        },
    )


@require_safe
def nouvelle(request: HttpRequest) -> HttpResponse:
    """Whose acts, and where: asked only of who has the choice."""
    if not services.peut_simuler(request.acteur):
        raise PermissionDenied("Le bailleur et la DDETS simulent, avec le rôle de gestion.")
    presences = services.presences_simulables(request.acteur).order_by("bailleur__nom_tri", "departement")
    page = Paginator(presences, PAR_PAGE).get_page(request.GET.get("page"))
    if page.paginator.count == 1:
        seule = page.object_list[0]
        return redirect("flux:simulation_atelier", seule.bailleur_id, seule.departement_id)
    return render(request, "flux/simulations/nouvelle.html", {"fil": _fil(), "page": page})


# --- The atelier --------------------------------------------------------------------------------------------


def _presence(acteur: Acteur, bailleur: int, departement: str) -> Presence:
    """The pair of the address: 404 to who does not read its whole flux, 403 to who may not simulate."""
    lieu = {"bailleur": bailleur, "departement": departement}
    presences = Presence.objects.select_related("bailleur", "departement").filter(**lieu)
    if acteur.est_bailleur:
        presences = presences.filter(bailleur=acteur.organisation_id)
    elif acteur.est_service_etat:
        presences = presences.filter(departement__in=acteur.departements)
    else:
        presences = presences.none()
    trouvee = presences.first()
    if trouvee is None:
        raise Http404("Aucun flux à cette adresse.")
    if not services.presences_simulables(acteur).filter(pk=trouvee.pk).exists():
        raise PermissionDenied("Le bailleur et la DDETS du département simulent, avec le rôle de gestion.")
    return trouvee


def _entier(texte: str | None) -> int | None:
    return int(texte) if texte and texte.isascii() and texte.isdecimal() and len(texte) < 19 else None


def _acte(request: HttpRequest, presence: Presence) -> VersionConvention | None:
    """The version of an act that the request starts from (`convention`, `rang`), if it is of this pair and visible."""
    demande = request.POST if request.method == "POST" else request.GET
    convention, rang = _entier(demande.get("convention")), _entier(demande.get("rang"))
    if convention is None or rang is None:
        return None
    return (
        VersionConvention.objects.visibles_par(request.acteur)
        .filter(
            convention=convention, rang=rang, bailleur=presence.bailleur, departement=presence.departement
        )
        .select_related("convention", "reservataire")
        .first()
    )


def _nom(version: VersionConvention) -> str:
    return nom_de_version(version.convention.nature, version.convention.numero, version.rang)


def _depart_et_acte(request: HttpRequest, presence: Presence) -> tuple[Depart, VersionConvention | None]:
    version = _acte(request, presence)
    return services.preparer(presence, [version.reservataire_id] if version else []), version


@require_http_methods(["GET", "HEAD", "POST"])
def atelier(request: HttpRequest, bailleur: int, departement: str) -> HttpResponse:
    presence = _presence(request.acteur, bailleur, departement)
    depart, version = _depart_et_acte(request, presence)
    depuis = {"convention": version.convention_id, "rang": version.rang} if version else {}
    initial = saisie_de(services.changements_de_version(version, depart)) if version else {}
    titre = {"titre": _nom(version)[:120]} if version else {}
    return _atelier(request, depart, initial, titre, depuis=depuis, acte=_nom(version) if version else "")


@require_http_methods(["GET", "HEAD", "POST"])
def modifier(request: HttpRequest, pk: int) -> HttpResponse:
    simulation = ouvrir_pour_ecrire(Simulation.objects.all(), request.acteur, pk=pk)
    derniere = simulation.versions.order_by("-rang").first()
    return _atelier(
        request,
        services.depart_de(simulation, derniere),
        saisie_de(services.changements_de(derniere)),
        {"titre": simulation.titre, "note": simulation.note},
        simulation=simulation,
        depuis={"simulation": simulation.pk},
    )


def _atelier(
    request: HttpRequest,
    depart: Depart,
    initial: dict,
    textes: dict,
    *,
    depuis: dict,
    acte: str = "",
    simulation: Simulation | None = None,
) -> HttpResponse:
    """Show the form with what it gives; on POST, compute again, or keep (`geste=enregistrer`)."""
    envoye = request.method == "POST"
    form = FormulaireSimulation(request.POST if envoye else None, depart=depart, initial=initial)
    garder = envoye and request.POST.get("geste") == "enregistrer"
    textes_form = FormulaireEnregistrer(
        request.POST if garder else None,
        initial=textes | {nom: request.POST[nom] for nom in ("titre", "note") if nom in request.POST},
    )
    if garder and form.is_valid() and textes_form.is_valid():
        try:
            version = services.enregistrer(
                request.acteur,
                depart,
                form.changements,
                simulation=simulation,
                acte=acte,
                **textes_form.cleaned_data,
            )
        except SimulationImpossible as erreur:
            form.add_error(erreur.champ if erreur.champ in form.fields else None, str(erreur))
        except ValidationError as erreur:
            reporter(textes_form, erreur)
        else:
            messages.success(request, "Simulation enregistrée. Partagez-la pour que d’autres la lisent.")
            return redirect("flux:simulation", version.simulation_id)
    lu = form if envoye else FormulaireSimulation(initial, depart=depart)
    lecture, erreur = _calculer(request.acteur, depart, lu)
    fautif = garder and bool(form.errors or textes_form.errors)
    return render(
        request,
        "flux/simulations/atelier.html",
        {
            "fil": _fil(),
            "depart": depart,
            "form": form,
            "textes": textes_form,
            "lecture": lecture,
            "liens": _liens(lecture, depart.presence.bailleur_id, depart.presence.departement_id),
            "erreur": erreur,
            "simulation": simulation,
            "depuis": depuis,
            "acte": acte,
        },
        status=422 if fautif else 200,
    )


def _liens(lecture: Lecture | None, bailleur: int, departement: str) -> dict[int, dict[str, str]]:
    """Year → what its figures lead to: the lines that were read, for who reads them, and the calculation in force."""
    lieu = {"bailleur": bailleur, "departement": departement}
    liens: dict[int, dict[str, str]] = {}
    for lue in lecture.annees if lecture else ():
        siens = liens.setdefault(lue.annee, {})
        if lue.sources["version"]:
            requete = urlencode({"nature": "definitif", "version": lue.sources["version"]})
            siens["calcul"] = f"{reverse('flux:detail', args=[bailleur, departement, lue.annee])}?{requete}"
        if not lecture.complete:
            continue
        requete = urlencode(lieu | {"annee": lue.annee, "compte": "oui"})
        siens["liberations"] = f"{reverse('flux:liberations')}?{requete}"
        if millesime := lue.sources["millesime"]:
            parc = f"{reverse('reservation:logements')}?{urlencode(lieu | {'millesime': millesime})}"
            siens |= {"parc": parc, "assiette": f"{parc}&statut=dans"}
    return liens


def _calculer(acteur: Acteur, depart: Depart, form: FormulaireSimulation) -> tuple[Lecture | None, str]:
    """What the form gives, or the sentence that says why it gives nothing."""
    if not form.is_valid():
        return None, "Corrigez la saisie : le résultat suivra."
    try:
        calcul = services.calculer_simulation(depart, form.changements)
    except SimulationImpossible as erreur:
        return None, str(erreur)
    return services.lire(acteur, calcul.resultat), ""


@require_POST
def apercu(request: HttpRequest, bailleur: int, departement: str) -> HttpResponse:
    """The result of what is typed, as it is typed; nothing is kept."""
    presence = _presence(request.acteur, bailleur, departement)
    simulation = _entier(request.POST.get("simulation"))
    if simulation is not None:
        trouvee = ouvrir(
            Simulation.objects.all(),
            request.acteur,
            pk=simulation,
            bailleur=bailleur,
            departement=departement,
        )
        depart = services.depart_de(trouvee, trouvee.versions.order_by("-rang").first())
    else:
        depart, _ = _depart_et_acte(request, presence)
    form = FormulaireSimulation(request.POST, depart=depart)
    lecture, erreur = _calculer(request.acteur, depart, form)
    return render(
        request,
        "flux/simulations/_resultat.html",
        {
            "lecture": lecture,
            "liens": _liens(lecture, bailleur, departement),
            "erreur": erreur,
            "form": form,
            "depart": depart,
        },
    )


# --- What is kept -------------------------------------------------------------------------------------------


def _ouvrir(request: HttpRequest, pk: int) -> tuple[Simulation, list[VersionSimulation], VersionSimulation]:
    """A simulation, its versions without their results, and the one that `?version=` names (the last by default)."""
    simulation = ouvrir(
        Simulation.objects.select_related("bailleur", "departement", "proprietaire", "creee_par"),
        request.acteur,
        pk=pk,
    )
    versions = list(
        VersionSimulation.objects.visibles_par(request.acteur)
        .filter(simulation=simulation)
        .select_related("calculee_par")
        .defer("entrees", "resultat")
        .order_by("-rang")
    )
    rang = _entier(request.GET.get("version"))
    choisie = versions[0] if rang is None else next((v for v in versions if v.rang == rang), None)
    if choisie is None:
        raise Http404("Cette version n’existe pas.")
    return simulation, versions, choisie


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    simulation, versions, version = _ouvrir(request, pk)
    modifiable = Simulation.objects.modifiables_par(request.acteur).filter(pk=pk).exists()
    chez_soi = simulation.proprietaire_id == request.acteur.organisation_id
    partages = list(
        PartageSimulation.objects.visibles_par(request.acteur)
        .filter(simulation=simulation)
        .select_related("organisation", "partagee_par")
    )
    deja = {partage.organisation_id for partage in partages}
    lecture = services.lire(request.acteur, version.resultat)
    return render(
        request,
        "flux/simulations/detail.html",
        {
            "fil": _fil(),
            "simulation": simulation,
            "versions": versions,
            "version": version,
            "lecture": lecture,
            "liens": _liens(lecture, simulation.bailleur_id, simulation.departement_id),
            "modifiable": modifiable,
            "chez_soi": chez_soi,
            "partages": partages,
            "a_partager": [o for o in services.organisations_parties(simulation, version) if o.pk not in deja]
            if modifiable
            else [],
        },
    )


@require_safe
def imprimer(request: HttpRequest, pk: int) -> HttpResponse:
    """The page as a PDF, for its reader: it holds what this reader may read and nothing else."""
    simulation, _, version = _ouvrir(request, pk)
    pdf = composer_simulation(simulation, version, services.lire(request.acteur, version.resultat))
    reponse = HttpResponse(pdf.octets, content_type="application/pdf")
    reponse["Content-Disposition"] = f'inline; filename="simulation-{simulation.pk}-v{version.rang}.pdf"'
    return reponse


@require_POST
def recalculer(request: HttpRequest, pk: int) -> HttpResponse:
    simulation = ouvrir_pour_ecrire(Simulation.objects.all(), request.acteur, pk=pk)
    try:
        version, nouvelle_ = services.recalculer(request.acteur, simulation)
    except SimulationImpossible as erreur:
        messages.error(request, f"Recalcul impossible sur les actes d’aujourd’hui. {erreur}")
    else:
        if nouvelle_:
            messages.success(request, f"Version {version.rang} calculée ; la précédente reste lisible.")
        else:
            messages.info(request, "Rien n’a changé depuis le dernier calcul : la version reste la même.")
    return redirect("flux:simulation", pk)


@require_POST
def partager(request: HttpRequest, pk: int) -> HttpResponse:
    simulation = ouvrir_pour_ecrire(Simulation.objects.all(), request.acteur, pk=pk)
    try:
        partage = services.partager(
            request.acteur, simulation, _entier(request.POST.get("organisation")) or 0
        )
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
    else:
        messages.success(
            request, f"{partage.organisation} lit désormais cette simulation, pour ce qui la concerne."
        )
    return redirect("flux:simulation", pk)


@require_POST
def ne_plus_partager(request: HttpRequest, pk: int) -> HttpResponse:
    simulation = ouvrir_pour_ecrire(Simulation.objects.all(), request.acteur, pk=pk)
    services.ne_plus_partager(request.acteur, simulation, _entier(request.POST.get("organisation")) or 0)
    messages.success(request, "Le partage est retiré.")
    return redirect("flux:simulation", pk)


@require_POST
def supprimer(request: HttpRequest, pk: int) -> HttpResponse:
    simulation = ouvrir_pour_ecrire(Simulation.objects.all(), request.acteur, pk=pk)
    services.supprimer(request.acteur, simulation)
    messages.success(request, "Simulation supprimée, avec ses versions et ses partages.")
    return redirect("flux:simulations")


PAIRE = "simulations/<identifiant:bailleur>/<departement:departement>"
UNE = "simulations/<identifiant:pk>"
urlpatterns = [
    path("simulations/", liste, name="simulations"),
    path("simulations/nouvelle/", nouvelle, name="simulation_nouvelle"),
    path(f"{PAIRE}/", atelier, name="simulation_atelier"),
    path(f"{PAIRE}/apercu/", apercu, name="simulation_apercu"),
    path(f"{UNE}/", detail, name="simulation"),
    path(f"{UNE}/modifier/", modifier, name="simulation_modifier"),
    path(f"{UNE}/simulation.pdf", imprimer, name="simulation_pdf"),
    path(f"{UNE}/recalculer/", recalculer, name="simulation_recalculer"),
    path(f"{UNE}/partager/", partager, name="simulation_partager"),
    path(f"{UNE}/ne-plus-partager/", ne_plus_partager, name="simulation_ne_plus_partager"),
    path(f"{UNE}/supprimer/", supprimer, name="simulation_supprimer"),
]
