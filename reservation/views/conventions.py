"""Conventions: the list, the page that reads like the act, and its life: draft in steps, signature, avenant,
dérogation, résiliation. Every act with an effect is read once more before it is done."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Case, Prefetch, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reservation.acteur import Acteur, TypeOrganisation
from reservation.filters_conventions import FiltreConventions
from reservation.forms.conventions import (
    ChampsGestion,
    ChampsParc,
    ChampsTaux,
    FormulaireAvenant,
    FormulaireDerogation,
    FormulaireMotif,
    FormulaireParties,
    FormulairePeriode,
    FormulaireResiliation,
    FormulaireSignature,
)
from reservation.models import Convention, Departement, VersionConvention
from reservation.regles.actes import taux_brut, taux_net
from reservation.regles.periodes import Periode
from reservation.regles.typographie import typographier
from reservation.services import conventions as services
from reservation.services.conventions import en_phrases, lire_actes, verifier
from reservation.services.lecture_conventions import nom_reservataire, parametres_de, source_de
from reservation.services.modeles_convention import modele_propose, periode_proposee
from reservation.views.edition import Edition
from reservation.views.page_convention import PageConvention, decimal_exact, mois_avant_la_fin, statut
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

PAR_PAGE = 30
PARTIES = ("bailleur", "reservataire", "departement")
RANG_RESERVATAIRE = Case(
    *(When(reservataire__type=type_, then=Value(rang)) for rang, type_ in enumerate(services.RESERVATAIRES))
)


def _etat(convention: Convention) -> bool:
    return convention.reservataire.type == TypeOrganisation.DDETS


def _peut_ecrire(acteur: Acteur) -> bool:
    """Whether some act may be written at all: what the button of the list asks."""
    return (acteur.est_bailleur or acteur.est_ddets) and acteur.peut_gerer


def _ouvrir_pour_ecrire(request: HttpRequest, pk: int) -> Convention:
    return ouvrir_pour_ecrire(Convention.objects.select_related(*PARTIES), request.acteur, pk=pk)


def _brouillon(request: HttpRequest, pk: int) -> Convention:
    """A draft to edit; an act that is signed has no steps any more."""
    convention = _ouvrir_pour_ecrire(request, pk)
    if convention.etat != Convention.Etat.BROUILLON:
        raise Http404
    return convention


def _signee(request: HttpRequest, pk: int) -> Convention:
    convention = _ouvrir_pour_ecrire(request, pk)
    if convention.etat != Convention.Etat.SIGNEE:
        raise Http404
    return convention


def _fil(convention: Convention | None = None) -> list[tuple[str, str]]:
    etapes = [("Conventions", reverse("reservation:conventions"))]
    if convention:
        etapes.append((str(convention.numero), reverse("reservation:convention", args=[convention.pk])))
    return etapes


# --- The list and the page --------------------------------------------------------------------------------------------


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    jour = timezone.localdate()
    filtre = FiltreConventions(
        request.GET,
        queryset=Convention.objects.visibles_par(request.acteur)
        .select_related(*PARTIES)
        .prefetch_related(
            Prefetch(
                "versions", VersionConvention.objects.visibles_par(request.acteur).order_by("rang"), "lues"
            )
        )
        .order_by(
            "departement",
            "bailleur__nom_tri",
            "bailleur",
            RANG_RESERVATAIRE,
            "reservataire__nom_tri",
            "-debut",
        ),
        acteur=request.acteur,
        jour=jour,
    )
    page = Paginator(filtre.qs, PAR_PAGE).get_page(request.GET.get("page"))
    parametres = request.GET.copy()
    parametres.pop("page", None)
    return render(
        request,
        "reservation/conventions/liste.html",
        {
            "filtre": filtre,
            "page": page,
            "lignes": _lignes(page, jour),
            "base_page": f"{parametres.urlencode()}&" if parametres else "",
            "jour": jour,
            "peut_creer": _peut_ecrire(request.acteur),
            "filtres_actifs": any(request.GET.get(nom) for nom in filtre.filters),
        },
    )


@dataclass(frozen=True, slots=True)
class LigneDeListe:
    """An act in the list, with the version in force on the day (or the nearest one), and its rates in points."""

    convention: Convention
    reservataire: str
    version: VersionConvention
    statut: str
    badge: str
    avenant_en_preparation: bool
    a_renouveler: int | None
    taux: Decimal
    net: Decimal
    derogation: bool


def _lignes(conventions: Iterable[Convention], jour: date) -> list[LigneDeListe]:
    """Lines of the list; the rates of the day come from the rules, in the queries of one bulk reading."""
    conventions = list(conventions)
    paires = {(c.bailleur_id, c.departement_id) for c in conventions}
    lus = lire_actes(Periode(jour, jour), paires) if paires else {}
    actes = {lu.convention_id: lu.acte for liste in lus.values() for lu in liste}
    lignes = []
    for convention in conventions:
        projets = [v for v in convention.lues if not v.signee_le and v.rang]
        lisibles = [v for v in convention.lues if v not in projets]
        passees = [v for v in lisibles if v.effet <= min(jour, convention.fin)]
        version = passees[-1] if passees else lisibles[0]
        acte = actes.get(convention.pk)
        taux = decimal_exact(taux_brut(acte, jour)) if acte else version.taux
        lignes.append(
            LigneDeListe(
                convention,
                nom_reservataire(convention.reservataire),
                version,
                *statut(convention, jour),
                avenant_en_preparation=bool(projets),
                a_renouveler=mois_avant_la_fin(convention, jour),
                taux=taux,
                net=decimal_exact(taux_net(acte, jour)) if acte else taux,
                derogation=taux != version.taux,
            )
        )
    return lignes


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    convention = ouvrir(Convention.objects.select_related(*PARTIES), request.acteur, pk=pk)
    rang = request.GET.get("version", "")
    page = PageConvention(
        convention,
        request.acteur,
        timezone.localdate(),
        int(rang) if rang.isdecimal() and len(rang) < 4 else None,
    )
    modifiable = Convention.objects.modifiables_par(request.acteur).filter(pk=pk).exists()
    return render(
        request,
        "reservation/conventions/detail.html",
        {
            "page": page,
            "convention": convention,
            "modifiable": modifiable,
            "derogeable": modifiable and page.etat and request.acteur.est_ddets,
            # The two that negotiate, each on what it sees of them here.
            "simulable": request.acteur.peut_gerer
            and (request.acteur.est_bailleur or request.acteur.est_ddets),
            "fil": _fil(),
        },
    )


# --- Preparing an act, in steps ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Etape:
    code: str
    titre: str
    formulaire: type | None = None
    etat_seul: bool = False


ETAPES = (
    Etape("parties", "Parties, modèle et durée"),
    Etape("taux", "Taux et territoire", ChampsTaux),
    Etape("parc", "Parc et soustractions", ChampsParc, etat_seul=True),
    Etape("gestion", "Gestion et objectifs", ChampsGestion),
    Etape("verification", "Vérification"),
)


def _etapes(etat: bool) -> list[Etape]:
    """An act of ALS or of a commune does not fix the parc: it has one step less."""
    return [etape for etape in ETAPES if etat or not etape.etat_seul]


@dataclass(frozen=True, slots=True)
class Marche:
    """Where one is in the steps."""

    rang: int
    total: int
    etape: Etape
    suivante: Etape | None
    precedente: Etape | None

    @property
    def titre_suivant(self) -> str:
        return self.suivante.titre if self.suivante else ""

    @classmethod
    def de(cls, code: str, etat: bool) -> "Marche":
        etapes = _etapes(etat)
        rang = next((i for i, etape in enumerate(etapes) if etape.code == code), None)
        if rang is None:
            raise Http404
        return cls(
            rang + 1,
            len(etapes),
            etapes[rang],
            etapes[rang + 1] if rang + 1 < len(etapes) else None,
            etapes[rang - 1] if rang else None,
        )


def _url_etape(convention: Convention, code: str) -> str:
    if code == "verification":
        return reverse("reservation:convention_verification", args=[convention.pk])
    return reverse("reservation:convention_etape", args=[convention.pk, code])


@require_http_methods(["GET", "HEAD", "POST"])
def creer(request: HttpRequest) -> HttpResponse:
    """First step: parties, model, period. It makes the draft, that the next steps complete at leisure."""
    if not _peut_ecrire(request.acteur):
        raise PermissionDenied("Votre rôle ne permet pas de préparer une convention.")
    departements = _departements(request.acteur)
    code = request.GET.get("departement", "")
    departement = next((d for d in departements if d.pk == code), None)
    if code and departement is None:
        raise Http404
    if departement is None and len(departements) == 1:
        departement = departements[0]
    if departement is None:
        contexte = {"departements": departements, "fil": _fil()}
        return render(request, "reservation/conventions/departement.html", contexte)
    modele = modele_propose(departement)
    debut, fin = periode_proposee(modele, timezone.localdate())
    formulaire = FormulaireParties(
        request.POST or None,
        acteur=request.acteur,
        departement=departement,
        initial={
            "modele": modele.code,
            "debut": debut,
            "fin": fin,
            "nature": Convention.Nature.CONVENTION,
        },
    )
    if request.method == "POST" and formulaire.is_valid():
        try:
            convention = services.creer_convention(
                request.acteur, departement=departement, **formulaire.cleaned_data
            )
        except ValidationError as erreur:
            formulaire.reporter(erreur)
        else:
            messages.success(
                request,
                typographier("Le brouillon est enregistré : il ne donne aucun droit avant sa signature."),
            )
            return _apres_etape(request, convention, Marche.de("parties", _etat(convention)))
    return render(
        request,
        "reservation/conventions/etape.html",
        {
            "form": formulaire,
            "edition": None,
            "marche": Marche.de("parties", etat=True),
            "convention": None,
            "bailleur": formulaire.bailleur,
            "groupes": [],
            "precedente": None,
            "departement": departement,
            "fil": _fil(),
            "annuler": reverse("reservation:conventions"),
        },
    )


def _departements(acteur: Acteur) -> list[Departement]:
    """Where the actor may make an act: its département, or those where the bailleur owns dwellings."""
    if acteur.est_ddets:
        return list(Departement.objects.filter(pk__in=acteur.departements))
    return list(Departement.objects.filter(presences__bailleur=acteur.organisation_id).order_by("nom_tri"))


def _apres_etape(request: HttpRequest, convention: Convention, marche: Marche) -> HttpResponse:
    if "plus_tard" in request.POST:
        return redirect("reservation:convention", convention.pk)
    return redirect(_url_etape(convention, marche.suivante.code))


@require_http_methods(["GET", "HEAD", "POST"])
def etape(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """One step of a draft: what is given is kept, complete or not."""
    convention = _brouillon(request, pk)
    marche = Marche.de(code, _etat(convention))
    version = convention.versions.select_related("reservataire").get(rang=0)
    edition = Edition(request, "convention", pk)
    if code == "parties":
        formulaire = FormulairePeriode(
            request.POST or None,
            initial={champ: getattr(convention, champ) for champ in FormulairePeriode.base_fields},
        )
    else:
        formulaire = marche.etape.formulaire(request.POST or None, convention=convention, version=version)
    if request.method == "POST" and formulaire.is_valid():
        try:
            with edition.seul():
                if code == "parties":
                    services.modifier_convention(request.acteur, convention, **formulaire.cleaned_data)
                else:
                    services.modifier_version(request.acteur, version, **formulaire.champs_version)
        except ValidationError as erreur:
            formulaire.reporter(erreur)
        else:
            return _apres_etape(request, convention, marche)
    return render(
        request,
        "reservation/conventions/etape.html",
        {
            "form": formulaire,
            "edition": edition,
            "marche": marche,
            "convention": convention,
            "reservataire": nom_reservataire(convention.reservataire),
            "groupes": [] if code == "parties" else list(formulaire.groupes()),
            "fil": _fil(convention),
            "precedente": marche.precedente and _url_etape(convention, marche.precedente.code),
            "annuler": reverse("reservation:convention", args=[convention.pk]),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def verification(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything once more, what the rules say of it beside the other acts, then the signature."""
    convention = _brouillon(request, pk)
    version = convention.versions.select_related("reservataire").prefetch_related("communes").get(rang=0)
    version.convention = convention
    return _signer(
        request,
        convention,
        version,
        lambda **faits: services.signer_convention(request.acteur, convention, **faits),
        "reservation/conventions/verification.html",
        {
            "marche": Marche.de("verification", _etat(convention)),
            "reponses": _reponses(convention, version),
            "precedente": _url_etape(convention, "gestion"),
            "fil": _fil(convention),
            "page": PageConvention(convention, request.acteur, timezone.localdate()),
        },
        "La signature est enregistrée : l’acte donne des droits sur sa période.",
    )


def _signer(
    request: HttpRequest,
    convention: Convention,
    version: VersionConvention,
    signer: Callable,
    gabarit: str,
    contexte: dict,
    fait: str,
) -> HttpResponse:
    """Show the verdict of the rules and take the signature of a convention or of an avenant, as it was read."""
    verdict = verifier(version)
    edition = Edition(request, "convention", convention.pk)
    formulaire = FormulaireSignature(
        request.POST or None,
        convention=convention,
        avenant=bool(version.rang),
        avertissements=bool(verdict.avertissements),
        initial={"signataires": convention.signataires},
    )
    if request.method == "POST" and formulaire.is_valid():
        try:
            with edition.seul():
                signer(**formulaire.cleaned_data)
        except services.AvertissementsNonConfirmes:
            formulaire.add_error("confirmer", "Confirmez que ces points sont voulus, ou corrigez-les.")
        except ValidationError as erreur:
            formulaire.reporter(erreur)
        else:
            messages.success(request, typographier(fait))
            return redirect("reservation:convention", convention.pk)
    return render(
        request,
        gabarit,
        contexte
        | {
            "convention": convention,
            "version": version,
            "form": formulaire,
            "edition": edition,
            "erreurs": en_phrases(verdict.erreurs),
            "avertissements": en_phrases(verdict.avertissements),
        },
    )


@dataclass(frozen=True, slots=True)
class Reponse:
    libelle: str
    valeur: str
    source: str


def _reponses(convention: Convention, version: VersionConvention) -> list[dict]:
    """The answers of each step, with the link that changes them."""
    blocs = []
    for une in _etapes(_etat(convention))[1:-1]:
        reponses = []
        for parametre in parametres_de(version):
            if parametre.champ in une.formulaire.base_fields:
                source = source_de(convention, version, parametre.champs)
                valeur = parametre.lire(version)
                if parametre.unite:
                    valeur = f"{valeur}\u00a0{parametre.unite(version)}"
                reponses.append(Reponse(parametre.libelle, valeur, source.article or source.note))
        blocs.append({"titre": une.titre, "url": _url_etape(convention, une.code), "reponses": reponses})
    return blocs


@require_http_methods(["GET", "HEAD", "POST"])
def supprimer(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a draft away, after a page that says what goes."""
    convention = _brouillon(request, pk)
    if request.method == "POST":
        services.supprimer_brouillon(request.acteur, convention)
        messages.success(request, f"Le brouillon {convention.numero} est supprimé.")
        return redirect("reservation:conventions")
    contexte = {
        "convention": convention,
        "reservataire": nom_reservataire(convention.reservataire),
        "fil": _fil(convention),
    }
    return render(request, "reservation/conventions/supprimer.html", contexte)


# --- Avenant ---------------------------------------------------------------------------------------------------------------


def _projet(convention: Convention) -> VersionConvention | None:
    return (
        convention.versions.filter(rang__gt=0, signee_le=None)
        .select_related("reservataire")
        .prefetch_related("communes")
        .first()
    )


@require_http_methods(["GET", "HEAD", "POST"])
def avenant(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the avenant, or take it up again: the parameters in force, to change."""
    convention = _signee(request, pk)
    if convention.nature == Convention.Nature.ARRETE:
        raise Http404
    edition = Edition(request, "convention", pk)
    projet = _projet(convention)
    base = projet or convention.versions.select_related("reservataire").order_by("rang").last()
    formulaire = FormulaireAvenant(
        request.POST or None,
        convention=convention,
        version=base,
        initial={} if projet else {"effet": None, "objet": ""},
    )
    if request.method == "POST" and formulaire.is_valid():
        try:
            with edition.seul():
                if projet:
                    services.modifier_version(request.acteur, projet, **formulaire.champs_version)
                else:
                    services.ajouter_avenant(request.acteur, convention, **formulaire.champs_version)
        except ValidationError as erreur:
            formulaire.reporter(erreur)
        else:
            return redirect("reservation:avenant_verification", convention.pk)
    return render(
        request,
        "reservation/conventions/avenant.html",
        {
            "form": formulaire,
            "edition": edition,
            "convention": convention,
            "rang": projet.rang if projet else base.rang + 1,
            "fil": _fil(convention),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def avenant_verification(request: HttpRequest, pk: int) -> HttpResponse:
    """What the avenant changes, what the rules say of it, then its signature."""
    convention = _signee(request, pk)
    projet = _projet(convention)
    if projet is None:
        raise Http404
    projet.convention = convention
    return _signer(
        request,
        convention,
        projet,
        lambda **faits: services.signer_avenant(request.acteur, projet, **faits),
        "reservation/conventions/avenant_verification.html",
        {
            "fil": _fil(convention),
            "page": PageConvention(convention, request.acteur, timezone.localdate()),
        },
        f"La signature de l’avenant {projet.rang} est enregistrée.",
    )


@require_POST
def avenant_abandonner(request: HttpRequest, pk: int) -> HttpResponse:
    convention = _signee(request, pk)
    projet = _projet(convention)
    if projet is None:
        raise Http404
    services.abandonner_avenant(request.acteur, projet)
    messages.success(request, f"L’avenant {projet.rang} en préparation est abandonné.")
    return redirect("reservation:convention", convention.pk)


# --- Dérogation, résiliation: one form, one page to read it again --------------------------------------------------------


def _deux_temps(
    request: HttpRequest, formulaire, verbe: Callable, gabarit: str, contexte: dict, suite: Callable
) -> HttpResponse:
    """Ask, show what it will do, do it. The verb is tried and undone before the second page: an error comes back
    to the form, never after the confirmation. Both pages bear the version of the act that was read."""
    edition = Edition(request, "convention", contexte["convention"].pk)
    contexte |= {"form": formulaire, "edition": edition}
    if request.method == "POST" and formulaire.is_valid() and "modifier" not in request.POST:
        try:
            with edition.seul(), transaction.atomic():
                verbe(**formulaire.cleaned_data)
                if "confirmer" not in request.POST:
                    transaction.set_rollback(True)
        except ValidationError as erreur:
            formulaire.reporter(erreur)
        else:
            if "confirmer" in request.POST:
                return suite()
            contexte["a_confirmer"] = True
    return render(request, gabarit, contexte)


@require_http_methods(["GET", "HEAD", "POST"])
def derogation(request: HttpRequest, pk: int) -> HttpResponse:
    """Record an arrêté de dérogation on the État's act."""
    convention = _signee(request, pk)
    if not _etat(convention):
        raise Http404
    page = PageConvention(convention, request.acteur, timezone.localdate())

    def suite() -> HttpResponse:
        messages.success(request, "La dérogation est enregistrée.")
        return redirect("reservation:convention", convention.pk)

    return _deux_temps(
        request,
        FormulaireDerogation(request.POST or None),
        lambda **faits: services.deroger(request.acteur, convention, **faits),
        "reservation/conventions/derogation.html",
        {"convention": convention, "page": page, "fil": _fil(convention)},
        suite,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def derogation_retirer(request: HttpRequest, pk: int, derogation: int) -> HttpResponse:
    convention = _ouvrir_pour_ecrire(request, pk)
    ligne = get_object_or_404(convention.derogations.modifiables_par(request.acteur), pk=derogation)
    formulaire = FormulaireMotif(request.POST or None)
    edition = Edition(request, "convention", convention.pk)
    if request.method == "POST" and formulaire.is_valid():
        try:
            with edition.seul():
                services.retirer_derogation(request.acteur, ligne, **formulaire.cleaned_data)
        except ValidationError as erreur:
            formulaire.add_error(None, erreur)
        else:
            messages.success(request, f"La dérogation {ligne.numero} est retirée.")
            return redirect("reservation:convention", convention.pk)
    return render(
        request,
        "reservation/conventions/derogation_retirer.html",
        {
            "form": formulaire,
            "convention": convention,
            "derogation": ligne,
            "edition": edition,
            "fil": _fil(convention),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def resilier(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a résiliation, after a page that says what it does to the rights."""
    convention = _signee(request, pk)

    def suite() -> HttpResponse:
        messages.success(request, "La résiliation est enregistrée.")
        return redirect("reservation:convention", convention.pk)

    return _deux_temps(
        request,
        FormulaireResiliation(request.POST or None),
        lambda **faits: services.resilier_convention(request.acteur, convention, **faits),
        "reservation/conventions/resilier.html",
        {
            "convention": convention,
            "reservataire": nom_reservataire(convention.reservataire),
            "fil": _fil(convention),
        },
        suite,
    )


urlpatterns = [
    path("conventions/", liste, name="conventions"),
    path("conventions/nouvelle/", creer, name="convention_creer"),
    path("conventions/<int:pk>/", detail, name="convention"),
    path("conventions/<int:pk>/etape/<slug:code>/", etape, name="convention_etape"),
    path("conventions/<int:pk>/verification/", verification, name="convention_verification"),
    path("conventions/<int:pk>/supprimer/", supprimer, name="convention_supprimer"),
    path("conventions/<int:pk>/avenant/", avenant, name="avenant"),
    path("conventions/<int:pk>/avenant/verification/", avenant_verification, name="avenant_verification"),
    path("conventions/<int:pk>/avenant/abandonner/", avenant_abandonner, name="avenant_abandonner"),
    path("conventions/<int:pk>/derogation/", derogation, name="derogation"),
    path(
        "conventions/<int:pk>/derogation/<int:derogation>/retirer/",
        derogation_retirer,
        name="derogation_retirer",
    ),
    path("conventions/<int:pk>/resilier/", resilier, name="convention_resilier"),
]
