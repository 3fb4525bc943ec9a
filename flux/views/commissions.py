"""CALEOL: list, agenda, grid of decisions, convocation, closing, procès-verbal."""

import hashlib

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import Greatest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from flux.filters import FiltreCommissions
from flux.forms_commissions import (
    FormulaireCandidature,
    FormulaireCommission,
    FormulaireLigne,
    FormulaireMotif,
    FormulaireMotifCandidatures,
    Nomenclatures,
)
from flux.models import Commission, Convocation, LigneOrdreDuJour, Passage, ProcesVerbal
from flux.regles.imputation import Imputation
from flux.services import agendas, commissions, convocations
from flux.services.proces_verbaux import produire_proces_verbal
from flux.services.seances import LogementExamine, Seance, lire_seance
from flux.views.actes import reporter
from flux.views.titres import nommer_titre
from reservation.acteur import Acteur
from reservation.models import Organisation, PieceJointe
from reservation.regles.typographie import accorder, typographier
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

lire_ou_ecrire = require_http_methods(["GET", "HEAD", "POST"])
PAR_PAGE = 30
LOGEMENTS_PROPOSES = 100
DECRITES = Commission.objects.select_related("bailleur", "departement", "close_par")


def _fil(commission: Commission | None = None) -> list[tuple[str, str]]:
    fil = [("CALEOL", reverse("flux:commissions"))]
    if commission is not None:
        fil.append((str(commission), reverse("flux:commission", args=[commission.pk])))
    return fil


def _exiger_lecteur(acteur: Acteur) -> None:
    if not (acteur.est_bailleur or acteur.est_service_etat):
        raise PermissionDenied("Les commissions se lisent chez leur bailleur et à la DDETS.")


# --- List ---------------------------------------------------------------------------------------------------------


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """Coming, past, not convened; for those who manage, the address of the calendar."""
    acteur = request.acteur
    _exiger_lecteur(acteur)
    visibles = Commission.objects.visibles_par(acteur)
    filtre = FiltreCommissions(request.GET, queryset=visibles.order_by("-date", "-pk"), acteur=acteur)
    lignes = filtre.qs.select_related("bailleur", "departement").annotate(
        logements=Greatest(Count("lignes", distinct=True), Count("passages__liberation", distinct=True)),
        candidatures=Count("passages", distinct=True),
        decidees=Count("passages", filter=~Q(passages__decision=""), distinct=True),
    )
    page = Paginator(lignes, PAR_PAGE).get_page(request.GET.get("page"))
    dernieres = {
        convocation.commission_id: convocation
        for convocation in Convocation.objects.visibles_par(acteur)
        .filter(commission__in=[c.pk for c in page])
        .select_related("courriel")
        .order_by("pk")
    }
    for commission in page:
        commission.derniere_convocation = dernieres.get(commission.pk)
    parametres = request.GET.copy()
    parametres.pop("page", None)
    aujourdhui = timezone.localdate()
    ouvertes = visibles.filter(etat__in=Commission.OUVERTES)
    contexte = {
        "filtre": filtre,
        "page": page,
        "base_page": f"{parametres.urlencode()}&" if parametres else "",
        "compteurs": ouvertes.aggregate(
            a_venir=Count("pk", filter=Q(date__gte=aujourdhui)),
            a_convoquer=Count("pk", filter=Q(date__gte=aujourdhui, etat=Commission.Etat.PREPARATION)),
            a_clore=Count("pk", filter=Q(date__lt=aujourdhui)),
        ),
        "peut_planifier": acteur.est_bailleur and acteur.peut_gerer,
        "peut_s_abonner": (acteur.est_bailleur or acteur.est_ddets) and acteur.peut_gerer,
        "abonnement": agendas.abonnement_de(acteur),
    }
    if contexte["abonnement"]:
        contexte["adresse_agenda"] = request.build_absolute_uri(
            reverse("flux:agenda", args=[contexte["abonnement"].secret])
        )
    return render(request, "flux/commissions/liste.html", contexte)


# --- When and where -----------------------------------------------------------------------------------------------


@lire_ou_ecrire
def planifier(request: HttpRequest) -> HttpResponse:
    acteur = request.acteur
    if not (acteur.est_bailleur and acteur.peut_gerer):
        raise PermissionDenied("Seul le bailleur planifie ses commissions.")
    formulaire = FormulaireCommission(request.POST if request.method == "POST" else None, acteur=acteur)
    if formulaire.is_valid():
        try:
            commission = commissions.planifier_commission(
                acteur,
                Organisation.objects.get(pk=acteur.organisation_id),
                formulaire.cleaned_data["departement"],
                **formulaire.faits(),
            )
        except ValidationError as erreur:
            reporter(formulaire, erreur)
        else:
            messages.success(request, "Commission planifiée. Composez son ordre du jour.")
            return redirect("flux:commission_ordre_du_jour", commission.pk)
    contexte = {"form": formulaire, "fil": _fil(), "titre": "Planifier une commission"}
    return render(
        request, "flux/commissions/planifier.html", contexte, status=422 if formulaire.errors else 200
    )


@lire_ou_ecrire
def modifier(request: HttpRequest, pk: int) -> HttpResponse:
    """Another day, hour, place; the DDETS that was convened is told at once, and the page says so before."""
    commission = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    formulaire = FormulaireCommission(
        request.POST if request.method == "POST" else None, acteur=request.acteur, commission=commission
    )
    if formulaire.is_valid():
        try:
            commission = commissions.modifier_commission(request.acteur, commission, **formulaire.faits())
        except ValidationError as erreur:
            reporter(formulaire, erreur)
        else:
            messages.success(request, "Commission modifiée.")
            return redirect("flux:commission", commission.pk)
    contexte = {
        "form": formulaire,
        "fil": _fil(commission),
        "titre": "Modifier la date ou le lieu",
        "commission": commission,
    }
    return render(
        request, "flux/commissions/planifier.html", contexte, status=422 if formulaire.errors else 200
    )


@lire_ou_ecrire
def annuler(request: HttpRequest, pk: int) -> HttpResponse:
    return _avec_motif(
        request,
        pk,
        commissions.annuler_commission,
        "flux/commissions/annuler.html",
        "Commission annulée.",
    )


@lire_ou_ecrire
def rouvrir(request: HttpRequest, pk: int) -> HttpResponse:
    return _avec_motif(
        request,
        pk,
        commissions.rouvrir_commission,
        "flux/commissions/rouvrir.html",
        "Commission rouverte : ses attributions sont retirées, ses décisions se saisissent de nouveau.",
    )


def _avec_motif(request: HttpRequest, pk: int, verbe, gabarit: str, fait: str) -> HttpResponse:
    commission = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    formulaire = FormulaireMotif(request.POST if request.method == "POST" else None)
    if formulaire.is_valid():
        try:
            verbe(request.acteur, commission, motif=formulaire.cleaned_data["motif"])
        except ValidationError as erreur:
            reporter(formulaire, erreur)
        else:
            messages.success(request, fait)
            return redirect("flux:commission", pk)
    contexte = {"form": formulaire, "commission": commission, "fil": _fil(commission)}
    return render(request, gabarit, contexte, status=422 if formulaire.errors else 200)


# --- The page -----------------------------------------------------------------------------------------------------


class LogementMontre:
    """A dwelling of the agenda as the grid shows it: what is said of it, and the forms of its lines."""

    def __init__(
        self,
        logement: LogementExamine,
        nomenclatures: Nomenclatures,
        modifiable: bool,
        formulaires: dict[int, FormulaireLigne] | None = None,
        conflits: frozenset[int] = frozenset(),
    ) -> None:
        self.logement = logement
        self.ligne, self.liberation = logement.ligne, logement.liberation
        self.formulaire_motif = None
        if modifiable and len(logement.candidatures) < 3 and self.ligne.pk:
            self.formulaire_motif = FormulaireMotifCandidatures(ligne=self.ligne, nomenclatures=nomenclatures)
        self.lignes = []
        for candidature in logement.candidatures:
            formulaire = None
            if modifiable:
                formulaire = (formulaires or {}).get(candidature.passage.pk) or FormulaireLigne(
                    passage=candidature.passage,
                    nom=candidature.nom,
                    ligne=self.ligne.pk,
                    nomenclatures=nomenclatures,
                )
                candidature.erreurs += [
                    typographier(texte) for erreurs in formulaire.errors.values() for texte in erreurs
                ]
                candidature.champs_fautifs |= set(formulaire.errors)
                for champ in candidature.champs_fautifs & set(formulaire.fields):
                    formulaire.fields[champ].widget.attrs["aria-invalid"] = "true"
            self.lignes.append((candidature, formulaire, candidature.passage.pk in conflits))


def _contexte_de_la_page(
    request: HttpRequest,
    commission: Commission,
    seance: Seance,
    formulaires: dict[int, FormulaireLigne] | None = None,
    conflits: frozenset[int] = frozenset(),
) -> dict:
    modifiable = (
        commission.ouverte
        and Commission.objects.modifiables_par(request.acteur).filter(pk=commission.pk).exists()
    )
    nomenclatures = Nomenclatures() if modifiable else None
    return {
        "commission": commission,
        "seance": seance,
        "modifiable": modifiable,
        "logements": [
            LogementMontre(x, nomenclatures, modifiable, formulaires, conflits) for x in seance.logements
        ],
        "enregistre_le": timezone.localtime(),
    }


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    commission = ouvrir(DECRITES, request.acteur, pk=pk)
    return _page(request, commission, lire_seance(commission))


def _page(
    request: HttpRequest,
    commission: Commission,
    seance: Seance,
    *,
    formulaires: dict[int, FormulaireLigne] | None = None,
    conflits: frozenset[int] = frozenset(),
    status: int = 200,
) -> HttpResponse:
    evenements = list(commission.evenements.select_related("par").order_by("le", "pk"))
    contexte = _contexte_de_la_page(request, commission, seance, formulaires, conflits) | {
        "fil": _fil(),
        "evenements": evenements,
        "convocations": list(
            commission.convocations.select_related("courriel", "organisation")
            .annotate(
                pdf=Exists(
                    PieceJointe.objects.filter(courriel=OuterRef("courriel"), type_mime=convocations.PDF)
                )
            )
            .order_by("-pk")
        ),
        "proces_verbaux": list(commission.proces_verbaux.defer("octets").order_by("-version")),
        "gere": request.acteur.est_bailleur and request.acteur.peut_gerer,
    }
    return render(request, "flux/commissions/detail.html", contexte, status=status)


@require_POST
def decider(request: HttpRequest, pk: int, ligne: int) -> HttpResponse:
    """Lines of one dwelling: one of them as soon as it is left (htmx), or all with the button (without script)."""
    commission = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    examinee = ouvrir(LigneOrdreDuJour.objects.filter(commission=commission), request.acteur, pk=ligne)
    nomenclatures = Nomenclatures()
    passages = commission.passages.filter(liberation=examinee.liberation_id).select_related(
        "menage", "motif", "condition_piece"
    )
    formulaires = {
        passage.pk: FormulaireLigne(
            request.POST, passage=passage, nom=str(passage.menage), ligne=ligne, nomenclatures=nomenclatures
        )
        for passage in passages.order_by("pk")
        if FormulaireLigne.presente(request.POST, passage)
    }
    valides = [f for f in formulaires.values() if f.is_valid()]
    refus, conflits = "", frozenset()
    try:
        resultat = commissions.enregistrer_decisions(
            request.acteur, commission, [f.saisie() for f in valides]
        )
        conflits = frozenset(resultat.conflits)
    except ValidationError as erreur:
        refus = erreur.messages[0]
    # What was typed stays on the page where it could not be kept.
    gardes = {cle: f for cle, f in formulaires.items() if f.errors or cle in conflits}
    commission.refresh_from_db()
    seance = lire_seance(commission)
    if request.htmx:
        return _fragment(request, commission, seance, examinee, gardes, conflits, refus)
    if refus:
        messages.error(request, refus)
        return redirect("flux:commission", pk)
    if gardes:
        return _page(request, commission, seance, formulaires=gardes, conflits=conflits, status=422)
    return redirect(f"{reverse('flux:commission', args=[pk])}#ligne-{ligne}")


def _fragment(
    request: HttpRequest,
    commission: Commission,
    seance: Seance,
    ligne: LigneOrdreDuJour,
    formulaires: dict[int, FormulaireLigne],
    conflits: frozenset[int],
    refus: str = "",
) -> HttpResponse:
    """What the grid puts in place, out of its fields: checks of the dwelling, summaries, hour of the last saving."""
    contexte = _contexte_de_la_page(request, commission, seance, formulaires, conflits)
    contexte["change"] = next((x for x in contexte["logements"] if x.ligne.pk == ligne.pk), None)
    contexte["refus"] = refus
    return render(request, "flux/commissions/_enregistre.html", contexte)


@require_POST
def motiver(request: HttpRequest, pk: int, ligne: int) -> HttpResponse:
    """Why a dwelling has fewer than three candidatures."""
    commission = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    examinee = ouvrir(
        LigneOrdreDuJour.objects.select_related("motif_candidatures", "commission").filter(
            commission=commission
        ),
        request.acteur,
        pk=ligne,
    )
    formulaire = FormulaireMotifCandidatures(request.POST, ligne=examinee, nomenclatures=Nomenclatures())
    refus = ""
    if formulaire.is_valid():
        try:
            commissions.motiver_candidatures(request.acteur, examinee, motif=formulaire.cleaned_data["motif"])
        except ValidationError as erreur:
            refus = erreur.messages[0]
    else:
        refus = "Ce motif n’est pas dans la liste."
    if request.htmx:
        return _fragment(request, commission, lire_seance(commission), examinee, {}, frozenset(), refus)
    if refus:
        messages.error(request, refus)
    return redirect(f"{reverse('flux:commission', args=[pk])}#ligne-{ligne}")


# --- Agenda -------------------------------------------------------------------------------------------------------


@lire_ou_ecrire
def ordre_du_jour(request: HttpRequest, pk: int) -> HttpResponse:
    """The dwellings to examine, and their candidatures; POST: put the ticked dwellings on the agenda."""
    commission = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    if request.method == "POST":
        choisis = [
            int(cle)
            for cle in request.POST.getlist("liberation")
            if cle.isascii() and cle.isdecimal() and len(cle) < 19
        ]
        liberations = list(
            commissions.liberations_a_examiner(commission).filter(pk__in=choisis).order_by("pk")
        )
        try:
            if not liberations:
                raise ValidationError("Cochez au moins un logement.")
            inscrits = commissions.inscrire_logements(request.acteur, commission, liberations)
        except ValidationError as erreur:
            return _preparation(request, commission, erreur=erreur.messages[0], status=422)
        messages.success(request, f"{accorder(len(inscrits), 'logement')} à l’ordre du jour.")
        return redirect("flux:commission_ordre_du_jour", pk)
    return _preparation(request, commission)


def _preparation(
    request: HttpRequest,
    commission: Commission,
    *,
    ligne: int | None = None,
    formulaire: FormulaireCandidature | None = None,
    erreur: str = "",
    status: int = 200,
) -> HttpResponse:
    """`formulaire`: that of `ligne`, which came back with errors."""
    if not commission.ouverte:
        raise PermissionDenied(f"Cette commission est {commission.get_etat_display()}.")
    seance = lire_seance(commission)
    recherche = " ".join(request.GET.get("q", "").replace("\0", "").split())[:60]
    disponibles = commissions.liberations_a_examiner(commission)
    if recherche:
        disponibles = disponibles.filter(
            Q(reference__unaccent__icontains=recherche) | Q(adresse__unaccent__icontains=recherche)
        )
    disponibles = list(
        disponibles.select_related("commune", "reservataire").order_by("date", "pk")[: LOGEMENTS_PROPOSES + 1]
    )
    return render(
        request,
        "flux/commissions/ordre_du_jour.html",
        {
            "commission": commission,
            "fil": _fil(commission),
            "lignes": [
                (
                    x,
                    formulaire
                    if formulaire is not None and x.ligne.pk == ligne
                    else FormulaireCandidature(auto_id=f"c{x.ligne.pk}_%s"),
                )
                for x in seance.logements
            ],
            "recherche": recherche,
            "disponibles": disponibles[:LOGEMENTS_PROPOSES],
            "davantage": len(disponibles) > LOGEMENTS_PROPOSES,
            "erreur": erreur,
            "ouverte_sur": ligne or request.GET.get("ligne", ""),
        },
        status=status,
    )


VERBES_DE_LIGNE = ("monter", "descendre", "retirer")


@require_POST
def agir_sur_ligne(request: HttpRequest, pk: int, ligne: int, verbe: str) -> HttpResponse:
    """Move a dwelling on the agenda, or take it off."""
    commission = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    visee = ouvrir(
        LigneOrdreDuJour.objects.select_related("commission").filter(commission=commission),
        request.acteur,
        pk=ligne,
    )
    if verbe not in VERBES_DE_LIGNE:
        raise Http404
    try:
        if verbe == "retirer":
            commissions.retirer_logement(request.acteur, visee)
        else:
            commissions.deplacer_logement(request.acteur, visee, vers_le_haut=verbe == "monter")
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
    return redirect("flux:commission_ordre_du_jour", pk)


@require_POST
def candidater(request: HttpRequest, pk: int, ligne: int) -> HttpResponse:
    """Add a candidature to a dwelling of the agenda; the page comes back ready for the next one."""
    commission = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    visee = ouvrir(
        LigneOrdreDuJour.objects.select_related("commission").filter(commission=commission),
        request.acteur,
        pk=ligne,
    )
    formulaire = FormulaireCandidature(request.POST, auto_id=f"c{ligne}_%s")
    if formulaire.is_valid():
        try:
            commissions.ajouter_candidature(request.acteur, visee, **formulaire.cleaned_data)
        except ValidationError as erreur:
            reporter(formulaire, erreur)
        else:
            page = reverse("flux:commission_ordre_du_jour", args=[pk])
            return redirect(f"{page}?ligne={ligne}#ligne-{ligne}")
    return _preparation(request, commission, ligne=ligne, formulaire=formulaire, status=422)


@require_POST
def retirer_candidature(request: HttpRequest, pk: int, passage: int) -> HttpResponse:
    commission = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    vise = ouvrir(
        Passage.objects.select_related("commission").filter(commission=commission), request.acteur, pk=passage
    )
    try:
        commissions.retirer_candidature(request.acteur, vise)
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
    return redirect("flux:commission_ordre_du_jour", pk)


# --- Convocation --------------------------------------------------------------------------------------------------


@lire_ou_ecrire
def convoquer(request: HttpRequest, pk: int) -> HttpResponse:
    """Read again, then convene: to whom, what, when."""
    commission = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    erreur = ""
    if request.method == "POST":
        try:
            ecrites = convocations.convoquer_ddets(request.acteur, commission)
        except ValidationError as refus:
            erreur = refus.messages[0]
        else:
            messages.success(
                request,
                f"DDETS convoquée : {accorder(len(ecrites), 'courriel')}, avec l’invitation ; l’ordre du jour est en préparation.",
            )
            return redirect("flux:commission", pk)
    contexte = {
        "commission": commission,
        "fil": _fil(commission),
        "ddets": convocations.ddets_a_convoquer(commission),
        "personnes": len(convocations.personnes_a_convoquer(commission)),
        "lignes": convocations.lignes_de_l_ordre_du_jour(commission),
        "decrite": convocations.decrire_seance(commission),
        "erreur": erreur,
    }
    return render(request, "flux/commissions/convoquer.html", contexte, status=422 if erreur else 200)


@require_safe
def ordre_du_jour_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The agenda as it would be sent now."""
    commission = ouvrir(DECRITES, request.acteur, pk=pk)
    pdf = convocations.composer_ordre_du_jour(commission)
    return _fichier(pdf.octets, f"ordre-du-jour-{commission.date:%Y-%m-%d}.pdf")


@require_safe
def convocation_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The agenda as it was sent with one convocation."""
    convocation = ouvrir(Convocation.objects.select_related("commission"), request.acteur, pk=pk)
    piece = (
        PieceJointe.objects.filter(courriel=convocation.courriel_id, type_mime=convocations.PDF)
        .order_by("pk")
        .first()
    )
    if piece is None:
        raise Http404
    return _fichier(bytes(piece.octets), piece.nom)


def _fichier(octets: bytes, nom: str) -> HttpResponse:
    reponse = HttpResponse(octets, content_type="application/pdf")
    reponse.headers["Content-Disposition"] = f'attachment; filename="{nom}"'
    return reponse


# --- Closing ------------------------------------------------------------------------------------------------------


@lire_ou_ecrire
def cloturer(request: HttpRequest, pk: int) -> HttpResponse:
    """Check your answers: who is served first, what it will count as, what is to be confirmed; then the act."""
    commission = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    if not commission.ouverte:
        return redirect("flux:commission", pk)
    seance = lire_seance(commission)
    erreurs: list[str] = []
    if request.method == "POST":
        vus = set(request.POST.getlist("point"))
        confirmes = [point for point in seance.a_confirmer if empreinte_du_point(point) in vus]
        try:
            commissions.cloturer_commission(request.acteur, commission, points_confirmes=confirmes)
        except commissions.PointsAConfirmer:
            erreurs = ["Confirmez chaque point, ou corrigez-le."]
        except ValidationError as refus:
            erreurs = refus.messages
        else:
            messages.success(request, "Commission close : attributions enregistrées, procès-verbal produit.")
            return redirect("flux:commission", pk)
        commission.refresh_from_db()
        seance = lire_seance(commission)
    comptera = seance.comptera()
    contexte = {
        "commission": commission,
        "fil": _fil(commission),
        "seance": seance,
        "lignes": [(x, _libelle_du_titre(x, comptera.get(x.liberation.pk))) for x in seance.logements],
        "points": [(empreinte_du_point(point), point) for point in seance.a_confirmer],
        "a_venir": commission.date > timezone.localdate(),
        "erreurs": erreurs,
    }
    return render(request, "flux/commissions/cloturer.html", contexte, status=422 if erreurs else 200)


def empreinte_du_point(point: str) -> str:
    """What a ticked box says was read: this very sentence."""
    return hashlib.sha256(point.encode()).hexdigest()[:16]


def _libelle_du_titre(logement: LogementExamine, titre: Imputation | None) -> str:
    """ "Action Logement Services, prioritaire": the rules' title, with the name of the réservataire."""
    if logement.servie is None:
        return ""
    if titre is None:
        return "hors assiette, hors flux" if not logement.liberation.dans_assiette else ""
    return nommer_titre(titre, logement.liberation.reservataire)


@require_POST
def refaire_proces_verbal(request: HttpRequest, pk: int) -> HttpResponse:
    """The procès-verbal of a closed commission that has none yet."""
    commission = ouvrir_pour_ecrire(DECRITES, request.acteur, pk=pk)
    try:
        produire_proces_verbal(request.acteur, commission)
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
    return redirect("flux:commission", pk)


@require_safe
def proces_verbal_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    proces_verbal = ouvrir(ProcesVerbal.objects.select_related("commission__bailleur"), request.acteur, pk=pk)
    return _fichier(bytes(proces_verbal.octets), f"{proces_verbal.numero}.pdf")


urlpatterns = [
    path("caleol/", liste, name="commissions"),
    path("caleol/planifier/", planifier, name="commission_planifier"),
    path("caleol/<int:pk>/", detail, name="commission"),
    path("caleol/<int:pk>/modifier/", modifier, name="commission_modifier"),
    path("caleol/<int:pk>/annuler/", annuler, name="commission_annuler"),
    path("caleol/<int:pk>/rouvrir/", rouvrir, name="commission_rouvrir"),
    path("caleol/<int:pk>/ordre-du-jour/", ordre_du_jour, name="commission_ordre_du_jour"),
    path("caleol/<int:pk>/ordre-du-jour.pdf", ordre_du_jour_pdf, name="commission_ordre_du_jour_pdf"),
    path("caleol/<int:pk>/lignes/<int:ligne>/decisions/", decider, name="commission_decisions"),
    path("caleol/<int:pk>/lignes/<int:ligne>/motif/", motiver, name="commission_motif"),
    path("caleol/<int:pk>/lignes/<int:ligne>/candidatures/", candidater, name="commission_candidater"),
    path("caleol/<int:pk>/lignes/<int:ligne>/<slug:verbe>/", agir_sur_ligne, name="commission_ligne"),
    path(
        "caleol/<int:pk>/candidatures/<int:passage>/retirer/",
        retirer_candidature,
        name="commission_candidature_retirer",
    ),
    path("caleol/<int:pk>/convoquer/", convoquer, name="commission_convoquer"),
    path("caleol/<int:pk>/cloturer/", cloturer, name="commission_cloturer"),
    path("caleol/<int:pk>/proces-verbal/", refaire_proces_verbal, name="commission_proces_verbal"),
    path("caleol/convocations/<int:pk>.pdf", convocation_pdf, name="convocation_pdf"),
    path("caleol/proces-verbaux/<int:pk>.pdf", proces_verbal_pdf, name="proces_verbal_pdf"),
]
