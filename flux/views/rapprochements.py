"""Reconciliations: the list, one of them with its gaps, what is done about them, one line with both its sides."""

from collections.abc import Iterable
from datetime import date
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from flux.filters_rapprochements import OUVERTS, FiltreEcarts, FiltreRapprochements
from flux.forms_rapprochements import (
    FormulaireEtat,
    FormulaireLier,
    FormulaireRapprochement,
    FormulaireSeparer,
)
from flux.models import (
    Attribution,
    CorrectionRapprochement,
    EcartRapprochement,
    EtatEcart,
    EvenementEcart,
    Liberation,
    LigneRapprochement,
    Rapprochement,
    ResponsableEcart,
)
from flux.regles.rapprochement import NATURES_LABEL, Contingent, NatureEcart
from flux.services import rapprochements as services
from flux.services.rapprochements.fiches import composer_fiche, reference_de
from flux.services.rapprochements.phrases import (
    NOMS_OUTILS,
    lien_de,
    lieu_de,
    nature_de,
    outils_de,
    phrase_de,
)
from flux.views.actes import reporter
from reservation.acteur import Acteur
from reservation.exports import FORMATS, Colonne, Format, TropDeLignes, exporter, nom_de_fichier
from reservation.regles.typographie import accorder, typographier
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

PAR_PAGE = 50
PAR_PAGE_LISTE = 25
PAR_PAGE_LIGNES = 100


def _reserver(acteur: Acteur) -> None:
    """Its bailleur's and the State's, and a réservataire's for its contingent: to the others, no such page."""
    if not (acteur.est_bailleur or acteur.est_service_etat or acteur.est_reservataire):
        raise Http404


def _peut_demander(acteur: Acteur) -> bool:
    return acteur.peut_gerer and (acteur.est_bailleur or acteur.est_ddets)


def _fil(*etapes: tuple[str, str]) -> list[tuple[str, str]]:
    return [("Rapprochements", reverse("flux:rapprochements")), *etapes]


def _rapprochements():
    return Rapprochement.objects.select_related("bailleur", "departement", "demande_par")


def _siens(modele, acteur: Acteur, lien: str):
    """Rows of `modele` that `acteur` reads and that hang on the row outside."""
    return modele.objects.visibles_par(acteur).filter(**{lien: OuterRef("pk")}).order_by()


def _nombre(lignes, lien: str) -> Coalesce:
    """How many, counted one row at a time: a join would count what the reader may not read."""
    return Coalesce(Subquery(lignes.values(lien).annotate(n=Count("pk")).values("n")), 0)


def _criteres(request: HttpRequest) -> tuple[str, str]:
    """Query string without the page, and the same ready to be followed by one."""
    parametres = request.GET.copy()
    parametres.pop("page", None)
    criteres = parametres.urlencode()
    return criteres, f"{criteres}&" if criteres else ""


def _dire(request: HttpRequest, erreur: ValidationError) -> None:
    messages.error(request, typographier(" ".join(erreur.messages)))


# --- The list --------------------------------------------------------------------------------------------------


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    _reserver(request.acteur)
    ecarts = _siens(EcartRapprochement, request.acteur, "rapprochement").filter(disparu_le=None)
    lignes = _siens(LigneRapprochement, request.acteur, "rapprochement").filter(presente=True)
    filtre = FiltreRapprochements(
        request.GET,
        queryset=_rapprochements()
        .visibles_par(request.acteur)
        .annotate(
            lignes_rapprochees=_nombre(lignes.exclude(lien=""), "rapprochement"),
            ecarts_constates=_nombre(ecarts, "rapprochement"),
            ecarts_ouverts=_nombre(ecarts.filter(etat__in=EcartRapprochement.OUVERTS), "rapprochement"),
        )
        .order_by("-fin", "departement", "bailleur__nom_tri", "pk"),
        acteur=request.acteur,
    )
    return render(
        request,
        "flux/rapprochements/liste.html",
        {
            "filtre": filtre,
            "page": Paginator(filtre.qs, PAR_PAGE_LISTE).get_page(request.GET.get("page")),
            "base_page": _criteres(request)[1],
            "peut_demander": _peut_demander(request.acteur),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def nouveau(request: HttpRequest) -> HttpResponse:
    """Ask for one, or for those of a whole département; asked again, the same rows."""
    acteur = request.acteur
    _reserver(acteur)
    if acteur.est_reservataire:
        raise Http404
    if not _peut_demander(acteur):
        raise PermissionDenied("Un rapprochement se demande avec le rôle de gestion.")
    formulaire = FormulaireRapprochement(request.POST if request.method == "POST" else None, acteur=acteur)
    if request.method == "POST" and formulaire.is_valid():
        try:
            demandes = services.demander(acteur, **formulaire.cleaned_data)
        except ValidationError as erreur:
            reporter(formulaire, erreur)
        else:
            if len(demandes) == 1:
                return redirect("flux:rapprochement", demandes[0].pk)
            messages.success(
                request, f"{accorder(len(demandes), 'rapprochement demandé', 'rapprochements demandés')}."
            )
            return redirect("flux:rapprochements")
    return render(
        request,
        "flux/rapprochements/nouveau.html",
        {"formulaire": formulaire, "fil": _fil()},
        status=422 if formulaire.errors else 200,
    )


# --- One reconciliation ----------------------------------------------------------------------------------------


# The filter of the same page has fields of the same names.
CHAMPS = "id_decision_%s"
ORDRE = ("responsable", "nature", "ligne__caleol_ici", "ligne__caleol_sne", "pk")


def _ecarts(request: HttpRequest, rapprochement: Rapprochement) -> FiltreEcarts:
    # The order of the natures would tell a réservataire which labels are late, which expired.
    ordre = [nom for nom in ORDRE if nom != "nature" or not request.acteur.est_reservataire]
    return FiltreEcarts(
        request.GET,
        queryset=EcartRapprochement.objects.visibles_par(request.acteur)
        .filter(rapprochement=rapprochement)
        .select_related("ligne", "ligne__reservataire")
        .order_by(*ordre),
        acteur=request.acteur,
    )


def preparer(
    ecarts: Iterable[EcartRapprochement], rapprochement: Rapprochement, acteur: Acteur
) -> Iterable[EcartRapprochement]:
    """What the list, its export and the page of a line say of each gap."""
    for ecart in ecarts:
        ecart.phrase = phrase_de(ecart, rapprochement, acteur)
        ecart.ou = lieu_de(ecart, rapprochement)
        ecart.titre = nature_de(ecart, acteur)[1]
        # Why a gap is closed may say what the DDETS decided of a label.
        ecart.pourquoi = ecart.get_motif_display() if ecart.motif and not acteur.est_reservataire else ""
        yield ecart


def _raconter(ecart: EcartRapprochement) -> EcartRapprochement:
    """The history of a gap, in words."""
    libelles = dict(EtatEcart.choices) | dict(ResponsableEcart.choices)
    for acte in (actes := list(ecart.evenements.all())):
        acte.texte = acte.get_acte_display().capitalize()
        if acte.apres:
            acte.texte += typographier(
                f" : {libelles.get(acte.avant, acte.avant)} → {libelles.get(acte.apres, acte.apres)}"
            )
        if acte.motif:
            acte.texte += f" ({acte.get_motif_display()})"
    ecart.actes = actes
    return ecart


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, ouvrir(_rapprochements(), request.acteur, pk=pk), FormulaireEtat(auto_id=CHAMPS))


def _page(
    request: HttpRequest, rapprochement: Rapprochement, formulaire: FormulaireEtat, status: int = 200
) -> HttpResponse:
    acteur = request.acteur
    filtre = _ecarts(request, rapprochement)
    page = Paginator(filtre.qs, PAR_PAGE).get_page(request.GET.get("page"))
    criteres, base_page = _criteres(request)
    ouverts = _compter(acteur, rapprochement)
    return render(
        request,
        "flux/rapprochements/detail.html",
        {
            "rapprochement": rapprochement,
            "fil": _fil(),
            "filtre": filtre,
            "page": page,
            "ecarts": list(preparer(page, rapprochement, acteur)),
            "criteres": criteres,
            "base_page": base_page,
            "compteurs": _compteurs(request, rapprochement, ouverts),
            "fiches": [
                (code, libelle, nombre)
                for code, libelle in ResponsableEcart.choices
                if (nombre := sum(n for (_, r, _), n in ouverts.items() if r == code))
            ],
            "ouverts": sum(ouverts.values()),
            "effet": services.effet_lisible(acteur, rapprochement) if rapprochement.rang else None,
            "rapprochees": LigneRapprochement.objects.visibles_par(acteur)
            .filter(rapprochement=rapprochement, presente=True)
            .exclude(lien="")
            .count()
            if acteur.est_reservataire
            else None,
            "modifiable": Rapprochement.objects.modifiables_par(acteur).filter(pk=rapprochement.pk).exists(),
            "formulaire": formulaire,
            "formats": FORMATS,
            "outils": outils_de(rapprochement),
            "sources": _sources(acteur, rapprochement),
            "corrections": CorrectionRapprochement.objects.visibles_par(acteur)
            .filter(
                bailleur=rapprochement.bailleur_id, departement=rapprochement.departement_id, retiree_le=None
            )
            .select_related("attribution__liberation", "par"),
        },
        status=status,
    )


def _compter(acteur: Acteur, rapprochement: Rapprochement) -> dict[tuple[str, str, bool], int]:
    """(nature, who must act, mended here) → gaps still to treat; one query."""
    return {
        (nature, responsable, recuperable): nombre
        for nature, responsable, recuperable, nombre in EcartRapprochement.objects.visibles_par(acteur)
        .filter(rapprochement=rapprochement, disparu_le=None, etat__in=EcartRapprochement.OUVERTS)
        .order_by()
        .values_list("nature", "responsable", "recuperable")
        .annotate(nombre=Count("pk"))
    }


COMPTEURS = (
    ("SNE_SEUL", (NatureEcart.SNE_SEUL,), "dans {sne}, pas ici"),
    ("ICI_SEUL", (NatureEcart.ICI_SEUL,), "ici, pas dans {sne}"),
    ("LABEL", NATURES_LABEL, "sans label valable à la CALEOL"),
    ("CONTINGENT", (NatureEcart.CONTINGENT,), "contingent différent"),
    ("BAIL_ABSENT", (NatureEcart.BAIL_ABSENT,), "bail manquant"),
    ("RADIATION", (NatureEcart.RADIATION,), "radiation différente"),
    ("MOTIF", (NatureEcart.MOTIF,), "motif de priorité différent"),
)


def _compteurs(request: HttpRequest, rapprochement: Rapprochement, ouverts: dict) -> list[dict]:
    """Gaps still to treat by nature; each number leads to its lines."""
    sne = outils_de(rapprochement)["attributions"]
    return [
        {
            "nombre": sum(n for (nature, _, _), n in ouverts.items() if nature in natures),
            "libelle": libelle.format(sne=sne),
            "url": f"?{urlencode({'suivi': OUVERTS, 'nature': code})}#ecarts",
            "actif": request.GET.get("nature") == code,
        }
        for code, natures, libelle in COMPTEURS
        if code != "MOTIF" or not request.acteur.est_reservataire
    ]


def _sources(acteur: Acteur, rapprochement: Rapprochement) -> list[str]:
    """The extracts of the run; whoever is not the State is told of its own files, and of the days that the State's
    cover."""
    dites = []
    for source in rapprochement.sources:
        sienne = acteur.est_service_etat or source["a"] == acteur.organisation_id
        if not sienne and source["a"]:
            continue  # another bailleur's
        du, au = (date.fromisoformat(source[nom]) for nom in ("du", "au"))
        nom = f", {source['nom']}" if sienne else ", déposé par la DDETS"
        lignes = f", {accorder(source['lignes'], 'ligne')}" if sienne else ""
        outil = NOMS_OUTILS[source["source"]].removeprefix("le ")
        dites.append(f"{outil}{nom}{lignes}, du {du:%d/%m/%Y} au {au:%d/%m/%Y}")
    return dites


@require_safe
def avancement(request: HttpRequest, pk: int) -> HttpResponse:
    """Fragment asked again every second; once it is done, the whole page is to be read again."""
    rapprochement = ouvrir(_rapprochements(), request.acteur, pk=pk)
    if not request.htmx:
        return redirect("flux:rapprochement", pk)
    if not rapprochement.en_cours:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "flux/rapprochements/avancement.html", {"rapprochement": rapprochement})


@require_POST
def refaire(request: HttpRequest, pk: int) -> HttpResponse:
    """The same again, with the extracts and the attributions of now."""
    rapprochement = ouvrir_pour_ecrire(_rapprochements(), request.acteur, pk=pk)
    services.demander(
        request.acteur,
        rapprochement.departement,
        debut=rapprochement.debut,
        fin=rapprochement.fin,
        tolerance=rapprochement.tolerance,
        bailleur=rapprochement.bailleur,
    )
    return redirect("flux:rapprochement", pk)


@require_POST
def changer(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the gaps that were ticked in a state, or in somebody else's hands: all of them, or none."""
    rapprochement = ouvrir_pour_ecrire(_rapprochements(), request.acteur, pk=pk)
    formulaire = FormulaireEtat(request.POST, auto_id=CHAMPS)
    choisis = [int(x) for x in request.POST.getlist("id") if x.isascii() and x.isdecimal() and len(x) < 19]
    ecarts = EcartRapprochement.objects.visibles_par(request.acteur).filter(
        rapprochement=rapprochement, pk__in=choisis
    )
    if not choisis:
        messages.error(
            request, "Aucun écart n’est choisi : cochez les lignes, puis choisissez ce qu’elles deviennent."
        )
    elif formulaire.is_valid():
        try:
            nombre = _appliquer(request.acteur, ecarts, formulaire.cleaned_data)
        except ValidationError as erreur:
            reporter(formulaire, erreur)
        else:
            messages.success(request, f"{accorder(nombre, 'écart modifié', 'écarts modifiés')}.")
            return redirect(_retour(request, rapprochement))
    return _page(request, rapprochement, formulaire, status=422)


def _appliquer(acteur: Acteur, ecarts, donnees: dict) -> int:
    nombre = 0
    if donnees["responsable"]:
        nombre = services.changer_responsable(acteur, ecarts, donnees["responsable"])
    if donnees["etat"]:
        nombre = max(nombre, services.changer_etat(acteur, ecarts, donnees["etat"], donnees["motif"]))
    return nombre


def _retour(request: HttpRequest, rapprochement: Rapprochement) -> str:
    """Back to the line, when one page of a line asked; else to the same list."""
    ligne = request.POST.get("ligne", "")
    if ligne.isascii() and ligne.isdecimal() and len(ligne) < 19:
        return reverse("flux:rapprochement_ligne", args=[int(ligne)])
    criteres = request.GET.urlencode()
    return f"{reverse('flux:rapprochement', args=[rapprochement.pk])}?{criteres}#ecarts"


def _contingent(code: str) -> str:
    return Contingent(code).libelle if code else ""


COLONNES = (
    Colonne("Écart", lambda e: e.titre, largeur=26),
    Colonne("À corriger", lambda e: e.ou, largeur=16),
    Colonne("Qui doit agir", lambda e: e.get_responsable_display(), largeur=18),
    Colonne("Demande (fin du numéro)", lambda e: e.ligne.numero_fin, largeur=12),
    Colonne("Logement", lambda e: e.ligne.reference or e.ligne.logement_sne, largeur=24),
    Colonne(
        "Réservataire", lambda e: e.ligne.reservataire.nom if e.ligne.reservataire_id else "", largeur=28
    ),
    Colonne("CALEOL, ici", lambda e: e.ligne.caleol_ici, Format.JOUR, 12),
    Colonne("CALEOL, extrait", lambda e: e.ligne.caleol_sne, Format.JOUR, 12),
    Colonne("Bail, ici", lambda e: e.ligne.bail_ici, Format.JOUR, 12),
    Colonne("Bail, extrait", lambda e: e.ligne.bail_sne, Format.JOUR, 12),
    Colonne("Contingent, ici", lambda e: _contingent(e.ligne.contingent_ici), largeur=24),
    Colonne("Contingent, extrait", lambda e: _contingent(e.ligne.contingent_sne), largeur=24),
    Colonne("État", lambda e: e.get_etat_display(), largeur=12),
    Colonne("Motif", lambda e: e.pourquoi, largeur=28),
    Colonne("À reporter", lambda e: e.phrase, largeur=90),
)


@require_safe
def exporter_ecarts(request: HttpRequest, pk: int, format_: str) -> HttpResponse:
    """The gaps of the page, all pages, same filters."""
    if format_ not in FORMATS:
        raise Http404
    rapprochement = ouvrir(_rapprochements(), request.acteur, pk=pk)
    lignes = preparer(
        _ecarts(request, rapprochement).qs.iterator(chunk_size=2000), rapprochement, request.acteur
    )
    try:
        return exporter(
            format_,
            nom_de_fichier("écarts", rapprochement.departement_id, rapprochement.debut, rapprochement.fin),
            COLONNES,
            lignes,
            feuille="Écarts",
        )
    except TropDeLignes as erreur:
        messages.error(request, str(erreur))
        return redirect("flux:rapprochement", pk)


@require_safe
def fiche(request: HttpRequest, pk: int, responsable: str) -> HttpResponse:
    """The printable sheet of who must act."""
    rapprochement = ouvrir(_rapprochements(), request.acteur, pk=pk)
    if responsable not in ResponsableEcart.values:
        raise Http404
    try:
        pdf = composer_fiche(request.acteur, rapprochement, responsable)
    except ValidationError as erreur:
        _dire(request, erreur)
        return redirect("flux:rapprochement", pk)
    nom = reference_de(rapprochement, responsable)
    return HttpResponse(
        pdf.octets,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{nom}.pdf"'},
    )


# --- The lines that agree --------------------------------------------------------------------------------------


@require_safe
def concordances(request: HttpRequest, pk: int) -> HttpResponse:
    """Every matched line, with how it was matched."""
    rapprochement = ouvrir(_rapprochements(), request.acteur, pk=pk)
    lignes = (
        LigneRapprochement.objects.visibles_par(request.acteur)
        .filter(rapprochement=rapprochement, presente=True)
        .exclude(lien="")
        .select_related("reservataire")
        .annotate(
            ecarts_constates=_nombre(
                _siens(EcartRapprochement, request.acteur, "ligne").filter(disparu_le=None), "ligne"
            )
        )
        .order_by("caleol_ici", "pk")
    )
    page = Paginator(lignes, PAR_PAGE_LIGNES).get_page(request.GET.get("page"))
    return render(
        request,
        "flux/rapprochements/concordances.html",
        {
            "rapprochement": rapprochement,
            "fil": _fil((str(rapprochement), reverse("flux:rapprochement", args=[pk]))),
            "page": page,
            "lignes": [(ligne, lien_de(ligne)) for ligne in page],
        },
    )


# --- One line --------------------------------------------------------------------------------------------------


def _lignes():
    return LigneRapprochement.objects.select_related(
        "rapprochement__bailleur", "rapprochement__departement", "reservataire", "attribution"
    )


@require_safe
def ligne(request: HttpRequest, pk: int) -> HttpResponse:
    return _page_ligne(request, ouvrir(_lignes(), request.acteur, pk=pk))


def _page_ligne(
    request: HttpRequest,
    trouvee: LigneRapprochement,
    *,
    lier: FormulaireLier | None = None,
    separer: FormulaireSeparer | None = None,
    status: int = 200,
) -> HttpResponse:
    acteur, rapprochement = request.acteur, trouvee.rapprochement
    ecarts = (
        EcartRapprochement.objects.visibles_par(acteur)
        .filter(ligne=trouvee)
        .select_related("ligne")
        .prefetch_related(
            Prefetch("evenements", EvenementEcart.objects.visibles_par(acteur).select_related("par"))
        )
        .order_by("nature")
    )
    modifiable = Rapprochement.objects.modifiables_par(acteur).filter(pk=rapprochement.pk).exists()
    seule = trouvee.attribution_id is None and trouvee.presente
    return render(
        request,
        "flux/rapprochements/ligne.html",
        {
            "ligne": trouvee,
            "rapprochement": rapprochement,
            "fil": _fil((str(rapprochement), reverse("flux:rapprochement", args=[rapprochement.pk]))),
            "ecarts": [
                (_raconter(ecart), FormulaireEtat(auto_id=f"id_{ecart.pk}_%s"))
                for ecart in preparer(ecarts, rapprochement, acteur)
            ],
            "lien": lien_de(trouvee),
            "contingent_ici": _contingent(trouvee.contingent_ici),
            "contingent_sne": _contingent(trouvee.contingent_sne),
            "outils": outils_de(rapprochement),
            "modifiable": modifiable,
            "liberation_lisible": bool(trouvee.attribution_id)
            and Liberation.objects.visibles_par(acteur).filter(pk=trouvee.attribution.liberation_id).exists(),
            "candidates": services.proposer_proches(acteur, trouvee) if seule and modifiable else [],
            "seule": seule,
            "lier": lier or FormulaireLier(),
            "separer": separer or FormulaireSeparer(),
        },
        status=status,
    )


@require_POST
def lier_ligne(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that this line of the extract is that attribution; then the run is made again."""
    trouvee = ouvrir_pour_ecrire(_lignes(), request.acteur, pk=pk)
    formulaire = FormulaireLier(request.POST)
    choisie = request.POST.get("attribution", "")
    attribution = (
        Attribution.objects.visibles_par(request.acteur).filter(pk=int(choisie)).first()
        if choisie.isascii() and choisie.isdecimal() and len(choisie) < 19
        else None
    )
    if formulaire.is_valid():
        if attribution is None:
            formulaire.add_error(None, "Choisissez l’attribution que dit cette ligne.")
        else:
            try:
                services.lier(request.acteur, trouvee, attribution, formulaire.cleaned_data["motif"])
            except ValidationError as erreur:
                reporter(formulaire, erreur)
            else:
                return _refaire_et_revenir(
                    request, trouvee, "Rapprochées à la main. Le rapprochement se refait."
                )
    return _page_ligne(request, trouvee, lier=formulaire, status=422)


@require_POST
def separer_ligne(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that the two sides of this line are two attributions; then the run is made again."""
    trouvee = ouvrir_pour_ecrire(_lignes(), request.acteur, pk=pk)
    formulaire = FormulaireSeparer(request.POST)
    if formulaire.is_valid():
        try:
            services.separer(request.acteur, trouvee, formulaire.cleaned_data["motif"])
        except ValidationError as erreur:
            reporter(formulaire, erreur)
        else:
            return _refaire_et_revenir(request, trouvee, "Séparées. Le rapprochement se refait.")
    return _page_ligne(request, trouvee, separer=formulaire, status=422)


@require_POST
def retirer(request: HttpRequest, pk: int) -> HttpResponse:
    """Go back on a match or a separation by hand; the next run no longer knows of it."""
    correction = ouvrir_pour_ecrire(CorrectionRapprochement.objects.all(), request.acteur, pk=pk)
    services.retirer_correction(request.acteur, correction)
    messages.success(request, "Décision retirée : refaites le rapprochement pour en voir l’effet.")
    derniers = Rapprochement.objects.visibles_par(request.acteur).filter(
        bailleur=correction.bailleur_id, departement=correction.departement_id
    )
    dernier = derniers.order_by("-termine_le", "-pk").first()
    return redirect("flux:rapprochement", dernier.pk) if dernier else redirect("flux:rapprochements")


def _refaire_et_revenir(request: HttpRequest, trouvee: LigneRapprochement, fait: str) -> HttpResponse:
    rapprochement = trouvee.rapprochement
    services.demander(
        request.acteur,
        rapprochement.departement,
        debut=rapprochement.debut,
        fin=rapprochement.fin,
        tolerance=rapprochement.tolerance,
        bailleur=rapprochement.bailleur,
    )
    messages.success(request, fait)
    return redirect("flux:rapprochement", rapprochement.pk)


urlpatterns = [
    path("rapprochements/", liste, name="rapprochements"),
    path("rapprochements/nouveau/", nouveau, name="rapprochement_nouveau"),
    path("rapprochements/<int:pk>/", detail, name="rapprochement"),
    path("rapprochements/<int:pk>/avancement/", avancement, name="rapprochement_avancement"),
    path("rapprochements/<int:pk>/refaire/", refaire, name="rapprochement_refaire"),
    path("rapprochements/<int:pk>/ecarts/", changer, name="rapprochement_changer"),
    path("rapprochements/<int:pk>/ecarts.<slug:format_>", exporter_ecarts, name="rapprochement_export"),
    path("rapprochements/<int:pk>/fiches/<slug:responsable>.pdf", fiche, name="rapprochement_fiche"),
    path("rapprochements/<int:pk>/concordances/", concordances, name="rapprochement_concordances"),
    path("rapprochements/lignes/<int:pk>/", ligne, name="rapprochement_ligne"),
    path("rapprochements/lignes/<int:pk>/lier/", lier_ligne, name="rapprochement_lier"),
    path("rapprochements/lignes/<int:pk>/separer/", separer_ligne, name="rapprochement_separer"),
    path("rapprochements/corrections/<int:pk>/retirer/", retirer, name="rapprochement_retirer"),
]
