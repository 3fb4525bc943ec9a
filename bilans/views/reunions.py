"""Meetings of the COPIL: list, preparation, meeting, minutes; every note is saved as soon as it is typed."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bilans.forms_reunions import (
    FormulaireAction,
    FormulaireInvite,
    FormulaireMotif,
    FormulairePoint,
    FormulaireReunion,
)
from bilans.models import (
    ActionReunion,
    CompteRendu,
    DecisionReunion,
    InviteReunion,
    PointReunion,
    Reunion,
)
from bilans.regles.reunions import ActeReunion, EtatReunion, Rubrique
from bilans.services import reunions
from bilans.services.consolidation import peut_lire
from bilans.services.reunions_compte_rendu import PointLu, lire_reunion, produire_compte_rendu, projet
from bilans.services.reunions_courriels import decrire, personnes_des_membres
from reservation.regles.typographie import accorder, date_fr
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

lire_ou_ecrire = require_http_methods(["GET", "HEAD", "POST"])
PAR_PAGE = 30
DECRITES = Reunion.objects.select_related("region", "organisation")
# The page that shows the figures of a standing item.
PAGES = {
    Rubrique.ACTIONS: ("bilans:actions_copil", "Actions de la région"),
    Rubrique.OBJECTIFS: ("bilans:comite", "Chiffres du comité de pilotage"),
    Rubrique.QUART: ("bilans:comite", "Chiffres du comité de pilotage"),
    Rubrique.PRIORITAIRES: ("bilans:refus", "Refus et délais"),
    Rubrique.PROCEDURES: ("bilans:procedures", "Procédures"),
}


def _fil(reunion: Reunion | None = None) -> list[tuple[str, str]]:
    fil = [("Réunions du comité", reverse("bilans:reunions"))]
    if reunion is not None:
        fil.append((date_fr(reunion.date), reverse("bilans:reunion", args=[reunion.pk])))
    return fil


def _reporter(formulaire, erreur: ValidationError) -> None:
    """Put the refusal of a service on the form that asked."""
    champs = erreur.message_dict if hasattr(erreur, "error_dict") else {"__all__": erreur.messages}
    for champ, textes in champs.items():
        for texte in textes:
            formulaire.add_error(champ if champ in formulaire.fields else None, texte)


# --- List, when and where ---------------------------------------------------------------------------------------------


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    acteur = request.acteur
    if not peut_lire(acteur):
        raise Http404("Ces pages sont celles du comité de pilotage et des services de l’État.")
    visibles = Reunion.objects.visibles_par(acteur)
    siennes = visibles.select_related("region", "organisation").annotate(
        nombre_points=Count("points", distinct=True)
    )
    if acteur.est_dreal:
        siennes = siennes.annotate(nombre_actions=Count("actions", distinct=True))
    aujourdhui = timezone.localdate()
    a_suivre = siennes.filter(Q(date__gte=aujourdhui) | Q(etat=EtatReunion.OUVERTE)).exclude(
        etat__in=[EtatReunion.ANNULEE, EtatReunion.CLOSE]
    )
    passees = siennes.exclude(pk__in=a_suivre.order_by().values("pk")).order_by("-date", "-pk")
    contexte = {
        "a_suivre": a_suivre.order_by("date", "heure", "pk"),
        "page": Paginator(passees, PAR_PAGE).get_page(request.GET.get("page")),
        "tient": reunions.peut_tenir(acteur),
        "actions": ActionReunion.objects.visibles_par(acteur)
        .ouvertes()
        .aggregate(
            ouvertes=Count("pk"),
            retard=Count("pk", filter=Q(echeance__lt=aujourdhui)),
        ),
    }
    return render(request, "bilans/reunions/liste.html", contexte)


@lire_ou_ecrire
def preparer(request: HttpRequest) -> HttpResponse:
    acteur = request.acteur
    if not peut_lire(acteur):
        raise Http404("Ces pages sont celles du comité de pilotage et des services de l’État.")
    if not reunions.peut_tenir(acteur):
        raise PermissionDenied(
            "La DREAL prépare les réunions du comité de pilotage, avec le rôle de gestion."
        )
    formulaire = FormulaireReunion(request.POST if request.method == "POST" else None)
    if formulaire.is_valid():
        try:
            reunion = reunions.preparer(acteur, **formulaire.cleaned_data)
        except ValidationError as erreur:
            _reporter(formulaire, erreur)
        else:
            messages.success(
                request, "Réunion préparée, avec les membres du comité. Composez son ordre du jour."
            )
            return redirect("bilans:reunion", reunion.pk)
    contexte = {"form": formulaire, "fil": _fil(), "titre": "Préparer une réunion"}
    return render(request, "bilans/reunions/quand.html", contexte, status=422 if formulaire.errors else 200)


@lire_ou_ecrire
def modifier(request: HttpRequest, pk: int) -> HttpResponse:
    reunion = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    formulaire = FormulaireReunion(request.POST if request.method == "POST" else None, reunion=reunion)
    if formulaire.is_valid():
        try:
            reunions.modifier(request.acteur, reunion, **formulaire.cleaned_data)
        except ValidationError as erreur:
            _reporter(formulaire, erreur)
        else:
            messages.success(request, "Réunion modifiée.")
            return redirect("bilans:reunion", pk)
    contexte = {
        "form": formulaire,
        "fil": _fil(reunion),
        "titre": "Modifier la date ou le lieu",
        "reunion": reunion,
    }
    return render(request, "bilans/reunions/quand.html", contexte, status=422 if formulaire.errors else 200)


@lire_ou_ecrire
def annuler(request: HttpRequest, pk: int) -> HttpResponse:
    return _avec_motif(request, pk, reunions.annuler, "annuler", "Réunion annulée.")


@lire_ou_ecrire
def rouvrir(request: HttpRequest, pk: int) -> HttpResponse:
    return _avec_motif(
        request,
        pk,
        reunions.rouvrir,
        "rouvrir",
        "Réunion rouverte : corrigez ce qui doit l’être, puis clôturez-la.",
    )


def _avec_motif(request: HttpRequest, pk: int, verbe: Callable, nom: str, fait: str) -> HttpResponse:
    reunion = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    formulaire = FormulaireMotif(request.POST if request.method == "POST" else None)
    if formulaire.is_valid():
        try:
            verbe(request.acteur, reunion, formulaire.cleaned_data["motif"])
        except ValidationError as erreur:
            _reporter(formulaire, erreur)
        else:
            messages.success(request, fait)
            return redirect("bilans:reunion", pk)
    contexte = {"form": formulaire, "reunion": reunion, "fil": _fil(reunion), "verbe": nom}
    return render(request, "bilans/reunions/motif.html", contexte, status=422 if formulaire.errors else 200)


# --- The page ---------------------------------------------------------------------------------------------------------


def _contexte(request: HttpRequest, reunion: Reunion) -> dict:
    """`mode`: "preparer" (the agenda), "noter" (the meeting), or "" (to read)."""
    tient = Reunion.objects.modifiables_par(request.acteur).filter(pk=reunion.pk).exists()
    mode = ""
    if tient and reunion.s_ordonne:
        mode = "noter" if reunion.etat == EtatReunion.OUVERTE else "preparer"
    contexte = {"reunion": reunion, "tient": tient, "mode": mode, "jour": timezone.localdate()}
    if mode == "noter":
        contexte["responsables"] = list(
            reunions.organisations_responsables(reunion.region_id).only("nom", "type")
        )
        contexte["toutes"] = [(cle, libelle) for cle, (libelle, _type) in reunions.TOUTES.items()]
    return contexte


def _page_de(point: PointReunion) -> tuple[str, str] | None:
    nom = PAGES.get(Rubrique(point.rubrique))
    return (reverse(nom[0]), nom[1]) if nom else None


def _decrire_points(points, jour) -> list[dict]:
    return [
        {
            "lu": lu,
            "point": lu.point,
            "page": _page_de(lu.point),
            "actions": [(action, action.situer(jour)) for action in lu.actions],
            "suivies": [(action, action.situer(jour)) for action in lu.suivies],
            "form": FormulairePoint(
                initial={nom: getattr(lu.point, nom) for nom in ("titre", "texte", "duree")},
                auto_id=f"p{lu.point.pk}-%s",
            ),
        }
        for lu in points
    ]


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, ouvrir(DECRITES, request.acteur, pk=pk))


def _page(request: HttpRequest, reunion: Reunion, *, ajout: FormulairePoint | None = None) -> HttpResponse:
    contexte = _contexte(request, reunion)
    lue = lire_reunion(request.acteur, reunion)
    evenements = list(reunion.evenements.select_related("par").order_by("le", "pk"))
    contexte |= {
        "fil": _fil(),
        "lue": lue,
        "points": _decrire_points(lue.points, contexte["jour"]),
        "seance": decrire(reunion),
        "ajout": ajout or FormulairePoint(auto_id="ajout-%s"),
        "presences": InviteReunion.Presence.choices,
        "evenements": evenements,
        "envoye": bool(evenements) and evenements[-1].acte == ActeReunion.ENVOYER,
        "comptes_rendus": list(reunion.comptes_rendus.defer("octets").order_by("-version")),
    }
    return render(request, "bilans/reunions/detail.html", contexte, status=422 if ajout else 200)


@require_safe
def projet_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The agenda, or the minutes as they would be now, marked as a draft."""
    reunion = ouvrir(DECRITES, request.acteur, pk=pk)
    if reunion.etat == EtatReunion.CLOSE:
        raise Http404("La réunion est close : son compte rendu est à sa page.")
    nature = "ordre-du-jour" if reunion.se_prepare else "projet-de-compte-rendu"
    return _fichier(projet(request.acteur, reunion).octets, f"{nature}-{reunion.date:%Y-%m-%d}.pdf")


@require_safe
def compte_rendu_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    compte_rendu = ouvrir(CompteRendu.objects.select_related("reunion"), request.acteur, pk=pk)
    return _fichier(bytes(compte_rendu.octets), f"{compte_rendu}.pdf")


def _fichier(octets: bytes, nom: str) -> HttpResponse:
    reponse = HttpResponse(octets, content_type="application/pdf")
    reponse.headers["Content-Disposition"] = f'attachment; filename="{nom}"'
    return reponse


# --- Acts on the meeting ----------------------------------------------------------------------------------------------


@lire_ou_ecrire
def convoquer(request: HttpRequest, pk: int) -> HttpResponse:
    """Who will receive what, then the sending."""
    reunion = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    if not reunion.se_prepare:
        return redirect("bilans:reunion", pk)
    erreur = ""
    if request.method == "POST":
        try:
            nombre = reunions.convoquer(request.acteur, reunion)
        except ValidationError as refus:
            erreur = refus.messages[0]
        else:
            messages.success(
                request, f"Membres convoqués : {accorder(nombre, 'courriel')}, avec l’invitation d’agenda."
            )
            return redirect("bilans:reunion", pk)
    contexte = {
        "reunion": reunion,
        "fil": _fil(reunion),
        "lue": lire_reunion(request.acteur, reunion),
        "personnes": len(personnes_des_membres(reunion)),
        "seance": decrire(reunion),
        "erreur": erreur,
    }
    return render(request, "bilans/reunions/convoquer.html", contexte, status=422 if erreur else 200)


@require_POST
def ouvrir_la_seance(request: HttpRequest, pk: int) -> HttpResponse:
    reunion = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    try:
        reunions.ouvrir(request.acteur, reunion)
    except ValidationError as refus:
        messages.error(request, refus.messages[0])
    else:
        messages.success(request, "Séance ouverte : tout ce que vous notez est enregistré aussitôt.")
    return redirect("bilans:reunion", pk)


@lire_ou_ecrire
def clore(request: HttpRequest, pk: int) -> HttpResponse:
    """Check your answers: what the minutes will say, whom the actions will be given to; then the act."""
    reunion = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    if reunion.etat != EtatReunion.OUVERTE:
        return redirect("bilans:reunion", pk)
    erreur = ""
    if request.method == "POST":
        try:
            reunions.clore(request.acteur, reunion)
        except ValidationError as refus:
            erreur = refus.messages[0]
        else:
            produire_compte_rendu(request.acteur, reunion)
            if request.POST.get("envoyer"):
                nombre = reunions.envoyer(request.acteur, reunion)
                messages.success(
                    request, f"Réunion close, compte rendu envoyé : {accorder(nombre, 'courriel')}."
                )
            else:
                messages.success(request, "Réunion close. Relisez le compte rendu, puis envoyez-le.")
            return redirect("bilans:reunion", pk)
    contexte = {
        "reunion": reunion,
        "fil": _fil(reunion),
        "lue": lire_reunion(request.acteur, reunion),
        "a_venir": reunion.date > timezone.localdate(),
        "erreur": erreur,
    }
    return render(request, "bilans/reunions/clore.html", contexte, status=422 if erreur else 200)


@require_POST
def envoyer(request: HttpRequest, pk: int) -> HttpResponse:
    """The minutes to the members, the actions to those who owe them."""
    reunion = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    try:
        produire_compte_rendu(request.acteur, reunion)
        nombre = reunions.envoyer(request.acteur, reunion)
    except ValidationError as refus:
        messages.error(request, refus.messages[0])
    else:
        messages.success(request, f"Compte rendu envoyé : {accorder(nombre, 'courriel')}.")
    return redirect("bilans:reunion", pk)


# --- What is typed ----------------------------------------------------------------------------------------------------


def _repondre(
    request: HttpRequest,
    reunion: Reunion,
    point: PointReunion | None,
    gabarit: str,
    refus: str = "",
    *,
    notes: bool = False,
) -> HttpResponse:
    """To htmx: the list that changed, and whether it is saved. To a browser alone: the page, at the item.

    `notes`: the version of the notes goes back to their field, and with no other answer: it is that of what was typed there.
    """
    if notes and not refus:
        point.refresh_from_db(fields=["revision"])
    if not request.htmx:
        if refus:
            messages.error(request, refus)
        ancre = f"#point-{point.pk}" if point else "#membres"
        return redirect(f"{reverse('bilans:reunion', args=[reunion.pk])}{ancre}")
    contexte = {
        "refus": refus,
        "enregistre_le": timezone.localtime(),
        "point": point,
        "oob": True,
        "avec_revision": notes,
    }
    if refus or not gabarit:
        reponse = render(request, "bilans/reunions/_etat.html", contexte)
        reponse.headers["HX-Reswap"] = "none"
        return reponse
    contexte |= _contexte(request, reunion)
    lu = PointLu(
        point,
        list(point.decisions.order_by("pk")),
        list(point.actions.select_related("organisation").order_by("pk")),
    )
    [contexte["p"]] = _decrire_points([lu], contexte["jour"])
    return render(request, gabarit, contexte)


def _essayer(faire: Callable[[], object]) -> str:
    """The refusal of a service, in a sentence; empty when it is done."""
    try:
        faire()
    except ValidationError as refus:
        return refus.messages[0]
    return ""


@require_POST
def points(request: HttpRequest, pk: int) -> HttpResponse:
    """A new item, or the standing ones (`verbe` = "proposer")."""
    reunion = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    if request.POST.get("verbe") == "proposer":
        refus = _essayer(lambda: reunions.proposer_points(request.acteur, reunion))
        if refus:
            messages.error(request, refus)
        return redirect(f"{reverse('bilans:reunion', args=[pk])}#ordre-du-jour")
    formulaire = FormulairePoint(request.POST, auto_id="ajout-%s")
    if formulaire.is_valid():
        try:
            reunions.ajouter_point(request.acteur, reunion, **formulaire.cleaned_data)
        except ValidationError as erreur:
            _reporter(formulaire, erreur)
    if formulaire.errors:
        return _page(request, reunion, ajout=formulaire)
    return redirect(f"{reverse('bilans:reunion', args=[pk])}#ajout-titre")


@require_POST
def point(request: HttpRequest, pk: int, verbe: str) -> HttpResponse:
    point = ouvrir_pour_ecrire(
        PointReunion.objects.select_related("reunion__region", "reunion__organisation"), request.acteur, pk=pk
    )
    acteur, reunion, gabarit = request.acteur, point.reunion, ""
    match verbe:
        case "modifier":
            formulaire = FormulairePoint(request.POST)
            if formulaire.is_valid():
                refus = _essayer(lambda: reunions.modifier_point(acteur, point, **formulaire.cleaned_data))
            else:
                refus = next(iter(formulaire.errors.values()))[0]
        case "monter" | "descendre":
            refus = _essayer(lambda: reunions.deplacer_point(acteur, point, -1 if verbe == "monter" else 1))
        case "retirer":
            refus = _essayer(lambda: reunions.retirer_point(acteur, point))
            if not refus:
                messages.success(request, f"Point retiré : {point.titre}.")
                return redirect(f"{reverse('bilans:reunion', args=[reunion.pk])}#ordre-du-jour")
        case "notes":
            revision = request.POST.get("revision", "")
            revision = (
                int(revision) if revision.isascii() and revision.isdecimal() and len(revision) < 9 else -1
            )
            texte = request.POST.get("notes", "").replace("\0", "")
            refus = _essayer(lambda: reunions.noter_debats(acteur, point, texte, revision))
        case "decision":
            texte = request.POST.get("texte", "").replace("\0", "")
            refus = _essayer(lambda: reunions.noter_decision(acteur, point, texte))
            gabarit = "bilans/reunions/_decisions.html"
        case "action":
            refus = _noter_action(request, lambda **faits: reunions.noter_action(acteur, point, **faits))
            gabarit = "bilans/reunions/_actions.html"
        case _:
            raise Http404
    return _repondre(request, reunion, point, gabarit, refus, notes=verbe == "notes")


def _noter_action(request: HttpRequest, ecrire: Callable) -> str:
    formulaire = FormulaireAction(request.POST)
    if not formulaire.is_valid():
        return next(iter(formulaire.errors.values()))[0]
    return _essayer(lambda: ecrire(**formulaire.cleaned_data))


@require_POST
def decision(request: HttpRequest, pk: int, verbe: str) -> HttpResponse:
    decision = ouvrir_pour_ecrire(
        DecisionReunion.objects.select_related("point", "reunion__region", "reunion__organisation"),
        request.acteur,
        pk=pk,
    )
    acteur, gabarit = request.acteur, ""
    match verbe:
        case "modifier":
            texte = request.POST.get("texte", "").replace("\0", "")
            refus = _essayer(lambda: reunions.modifier_decision(acteur, decision, texte))
        case "retirer":
            refus = _essayer(lambda: reunions.retirer_decision(acteur, decision))
            gabarit = "bilans/reunions/_decisions.html"
        case _:
            raise Http404
    return _repondre(request, decision.reunion, decision.point, gabarit, refus)


@require_POST
def action_notee(request: HttpRequest, pk: int, verbe: str) -> HttpResponse:
    """While it is noted: the meeting is opened first, whoever only owes the action does not read it."""
    notee = ouvrir(ActionReunion.objects.all(), request.acteur, pk=pk)
    reunion = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=notee.reunion_id)
    notee.reunion = reunion
    acteur, gabarit = request.acteur, ""
    match verbe:
        case "modifier":
            refus = _noter_action(request, lambda **faits: reunions.modifier_action(acteur, notee, **faits))
        case "retirer":
            refus = _essayer(lambda: reunions.retirer_action(acteur, notee))
            gabarit = "bilans/reunions/_actions.html"
        case _:
            raise Http404
    return _repondre(request, reunion, notee.point, gabarit, refus)


@require_POST
def invite(request: HttpRequest, pk: int) -> HttpResponse:
    invite = ouvrir_pour_ecrire(
        InviteReunion.objects.select_related("reunion__region", "reunion__organisation"),
        request.acteur,
        pk=pk,
    )
    formulaire = FormulaireInvite(request.POST)
    if formulaire.is_valid():
        refus = _essayer(lambda: reunions.noter_presence(request.acteur, invite, **formulaire.cleaned_data))
    else:
        refus = next(iter(formulaire.errors.values()))[0]
    return _repondre(request, invite.reunion, None, "", refus)


urlpatterns = [
    path("reunions/", liste, name="reunions"),
    path("reunions/preparer/", preparer, name="reunion_preparer"),
    path("reunions/comptes-rendus/<identifiant:pk>.pdf", compte_rendu_pdf, name="compte_rendu_pdf"),
    path("reunions/points/<identifiant:pk>/<slug:verbe>/", point, name="reunion_point"),
    path("reunions/decisions/<identifiant:pk>/<slug:verbe>/", decision, name="reunion_decision"),
    path("reunions/notees/<identifiant:pk>/<slug:verbe>/", action_notee, name="reunion_action"),
    path("reunions/membres/<identifiant:pk>/", invite, name="reunion_invite"),
    path("reunions/<identifiant:pk>/", detail, name="reunion"),
    path("reunions/<identifiant:pk>/projet.pdf", projet_pdf, name="reunion_projet_pdf"),
    path("reunions/<identifiant:pk>/modifier/", modifier, name="reunion_modifier"),
    path("reunions/<identifiant:pk>/annuler/", annuler, name="reunion_annuler"),
    path("reunions/<identifiant:pk>/rouvrir/", rouvrir, name="reunion_rouvrir"),
    path("reunions/<identifiant:pk>/convoquer/", convoquer, name="reunion_convoquer"),
    path("reunions/<identifiant:pk>/ouvrir/", ouvrir_la_seance, name="reunion_ouvrir"),
    path("reunions/<identifiant:pk>/clore/", clore, name="reunion_clore"),
    path("reunions/<identifiant:pk>/envoyer/", envoyer, name="reunion_envoyer"),
    path("reunions/<identifiant:pk>/points/", points, name="reunion_points"),
]
