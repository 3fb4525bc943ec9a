"""Deposits: a spreadsheet is handed in, read, shown with all that is wrong, mended in the page, and written once agreed."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Max, Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from flux.forms_depots import FormulaireColonnes, FormulaireDepot, FormulaireValeurs, sujet_connu
from flux.imports.classeurs import annoter, modele
from flux.imports.colonnes import COLONNES, TABLEAUX, associer, est_personnel
from flux.imports.lecture import FichierRefuse, lire_feuilles
from flux.imports.schema import schema_de
from flux.models import (
    SUJETS_EXTERNES,
    CodeMotif,
    Depot,
    Liberation,
    LigneDepot,
    MotifRefus,
    Sujet,
    sujets_de,
)
from flux.services import depots as services
from flux.services.depots import coffre
from flux.services.depots.correspondances import associer_valeurs, cibles, peut_associer, valeurs_du_depot
from flux.services.depots.cycle import REFUS, tableau_de
from flux.views.rapport_depot import Rapport, carte, tous_les_champs
from reservation import convertisseurs  # noqa: F401 (registers the converters of the paths below)
from reservation.acteur import Acteur
from reservation.exports import FORMATS, nom_de_fichier
from reservation.models import EtatParc, Logement
from reservation.regles.typographie import accorder
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

DEPOTS_PAR_PAGE = 25
LIGNES_PAR_PAGE = 50
LOGEMENTS_DU_MODELE = (
    50_000  # a template is opened in a spreadsheet: more lines than this and nobody fills it in
)
EXEMPLES = 3
VALEURS_MAX = 300
EN_COURS = (Depot.Etat.RECU, Depot.Etat.EN_ANALYSE, Depot.Etat.EN_APPLICATION)
Verdict = LigneDepot.Verdict
PILES = {
    "creer": ("À créer", Q(verdict=Verdict.A_CREER) | Q(verdict=Verdict.A_CONFIRMER, creation=True)),
    "modifier": (
        "À mettre à jour",
        Q(verdict=Verdict.A_METTRE_A_JOUR) | Q(verdict=Verdict.A_CONFIRMER, creation=False),
    ),
    "identiques": ("Identiques", Q(verdict=Verdict.IDENTIQUE)),
    "erreur": ("En erreur", Q(verdict=Verdict.EN_ERREUR)),
    "confirmer": ("À confirmer", Q(verdict=Verdict.A_CONFIRMER)),
}
ENREGISTREES = "enregistrees"


def _reserver(acteur: Acteur) -> None:
    """A deposit is the working paper of who hands it in: to those who have none, no such page."""
    if not sujets_de(acteur):
        raise Http404


def _peut_deposer(acteur: Acteur) -> bool:
    return bool(sujets_de(acteur)) and acteur.peut_gerer


def _choix(acteur: Acteur) -> list[tuple[str, str]]:
    return [(str(sujet), sujet.label) for sujet in sujets_de(acteur)]


def _modeles(acteur: Acteur) -> list[tuple[str, str]]:
    """Kinds of files that have a template: not those that another tool makes."""
    return [(code, libelle) for code, libelle in _choix(acteur) if code not in SUJETS_EXTERNES]


def _fil(*etapes: tuple[str, str]) -> list[tuple[str, str]]:
    return [("Dépôts", reverse("flux:depots")), *etapes]


def _depots():
    return Depot.objects.select_related("organisation", "bailleur", "cree_par", "confirme_par")


def _dire(request: HttpRequest, erreur: ValidationError) -> None:
    messages.error(request, " ".join(erreur.messages))


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """The deposits of the organisation, most recent first."""
    acteur = request.acteur
    _reserver(acteur)
    page = Paginator(_depots().visibles_par(acteur), DEPOTS_PAR_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "flux/depots/liste.html",
        {
            "depots": [(depot, Rapport(depot)) for depot in page],
            "page": page,
            "peut_deposer": _peut_deposer(acteur),
            "sujets": _modeles(acteur),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def nouveau(request: HttpRequest) -> HttpResponse:
    """Hand in a file: recognised by its content, read by a worker."""
    acteur = request.acteur
    _reserver(acteur)
    if not _peut_deposer(acteur):
        raise PermissionDenied(REFUS)
    recu = (request.POST, request.FILES) if request.method == "POST" else ()
    formulaire = FormulaireDepot(*recu, sujets=sujets_de(acteur))
    if request.method == "POST" and formulaire.is_valid():
        fichier = formulaire.cleaned_data["fichier"]
        depot = services.recevoir(
            acteur,
            octets=fichier.read(),
            nom=fichier.name,
            sujet=formulaire.cleaned_data["sujet"],
            source=formulaire.cleaned_data["source"],
        )
        return redirect("flux:depot", depot.pk)
    return render(
        request,
        "flux/depots/nouveau.html",
        {"formulaire": formulaire, "fil": _fil(), "sujets": _modeles(acteur)},
        status=422 if formulaire.errors else 200,
    )


@require_safe
def aide(request: HttpRequest) -> HttpResponse:
    """Every column of every kind of file, as the reader knows them."""
    _reserver(request.acteur)
    tableaux = [
        (Sujet(sujet).label, sujet, [(c, c.champ in tableau.obligatoires) for c in tableau.colonnes])
        for sujet, tableau in TABLEAUX.items()
        if sujet in sujets_de(request.acteur)
    ]
    return render(
        request,
        "flux/depots/aide.html",
        {"tableaux": tableaux, "externes": SUJETS_EXTERNES, "fil": _fil()},
    )


@require_safe
def modele_xlsx(request: HttpRequest, sujet: str) -> HttpResponse:
    """The workbook to fill in, with the dwellings (or the freed dwellings) of the bailleur already in it."""
    acteur = request.acteur
    _reserver(acteur)
    if sujet not in dict(_modeles(acteur)):
        raise Http404
    motifs = {
        "motif_decision": _libelles(MotifRefus.objects.filter(porteur=MotifRefus.Porteur.CALEOL, actif=True)),
        "motif_refus": _libelles(MotifRefus.objects.filter(porteur=MotifRefus.Porteur.MENAGE, actif=True)),
        "motif_candidatures": _libelles(
            CodeMotif.objects.filter(acte=CodeMotif.Acte.CANDIDATURES, actif=True)
        ),
        "piece": _libelles(CodeMotif.objects.filter(acte=CodeMotif.Acte.PIECE, actif=True)),
    }
    contenu = modele(sujet, _lignes_du_modele(acteur, sujet), motifs)
    return FileResponse(
        contenu,
        as_attachment=True,
        filename=f"{nom_de_fichier('modèle', Sujet(sujet).label)}.xlsx",
        content_type=FORMATS["xlsx"],
    )


def _libelles(lignes) -> list[str]:
    return list(lignes.values_list("libelle", flat=True))


def _lignes_du_modele(acteur: Acteur, sujet: str):
    if sujet in (Sujet.LIBERATIONS, Sujet.COMBINE):
        dernier = EtatParc.objects.visibles_par(acteur).aggregate(dernier=Max("millesime"))["dernier"]
        logements = (
            Logement.objects.visibles_par(acteur)
            .filter(millesime=dernier, sortie="9")
            .order_by("ident_int", "cle")
        )
        for interne, repertoire, cle, adresse, commune in logements.values_list(
            "ident_int", "ident_rep", "cle", "adresse", "commune"
        )[:LOGEMENTS_DU_MODELE]:
            yield {"reference": interne or repertoire or cle, "adresse": adresse, "commune": commune}
        return
    attendues = Liberation.objects.visibles_par(acteur).filter(annulee_le=None, attributions__date_bail=None)
    for reference, jour in attendues.order_by("-date", "-pk").values_list("reference", "date")[
        :LOGEMENTS_DU_MODELE
    ]:
        yield {"reference": reference, "date_liberation": f"{jour:%d/%m/%Y}"}


@login_not_required
@require_safe
def schema(request: HttpRequest, sujet: str) -> HttpResponse:
    """The columns as a JSON Schema: names and formats, nobody's data."""
    if sujet_connu(sujet) is None:
        raise Http404
    adresse = request.build_absolute_uri(request.path)
    return JsonResponse(
        schema_de(sujet, adresse),
        content_type="application/schema+json",
        json_dumps_params={"ensure_ascii": False, "indent": 2},
    )


# --- One deposit --------------------------------------------------------------------------------------------


def _ouvrir(request: HttpRequest, pk: int) -> Depot:
    _reserver(request.acteur)
    return ouvrir(_depots(), request.acteur, pk=pk)


def _ouvrir_pour_ecrire(request: HttpRequest, pk: int) -> Depot:
    _reserver(request.acteur)
    return ouvrir_pour_ecrire(_depots(), request.acteur, pk=pk)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One deposit, whatever its state: progress, report, result, refusal."""
    depot = _ouvrir(request, pk)
    return render(
        request,
        "flux/depots/detail.html",
        {
            "depot": depot,
            "rapport": Rapport(depot),
            "en_cours": depot.etat in EN_COURS,
            "modifiable": Depot.objects.modifiables_par(request.acteur).filter(pk=pk).exists(),
            "peut_associer": peut_associer(request.acteur, depot),
            "extrait": depot.sujet in SUJETS_EXTERNES,
            "fil": _fil(),
        },
    )


@require_safe
def avancement(request: HttpRequest, pk: int) -> HttpResponse:
    """Fragment asked again every second; once the work is over, the whole page is to be read again."""
    depot = _ouvrir(request, pk)
    if not request.htmx:
        return redirect("flux:depot", pk)
    if depot.etat not in EN_COURS:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "flux/depots/avancement.html", {"depot": depot})


@require_http_methods(["GET", "HEAD", "POST"])
def colonnes(request: HttpRequest, pk: int) -> HttpResponse:
    """Which column of the file is which; examples come from the file itself, nothing of them is kept."""
    depot = _ouvrir_pour_ecrire(request, pk)
    ouvert = depot.etat in (Depot.Etat.A_ASSOCIER, Depot.Etat.A_CONFIRMER) and depot.fichier
    if not ouvert:
        messages.error(request, "Les colonnes de ce dépôt ne changent plus.")
        return redirect("flux:depot", pk)
    demande = request.POST.get("sujet") or request.GET.get("sujet", "")
    sujet = demande if demande in sujets_de(request.acteur) else depot.sujet
    formulaire = FormulaireColonnes(
        request.POST if request.method == "POST" else None,
        sujet=sujet,
        entetes=depot.entetes,
        initial={"source": depot.source} | _deja_associees(depot, sujet),
    )
    if request.method == "POST" and formulaire.is_valid():
        try:
            services.associer(
                request.acteur,
                depot,
                sujet=sujet,
                colonnes=formulaire.colonnes,
                source=formulaire.cleaned_data["source"],
            )
        except ValidationError as erreur:
            formulaire.add_error(None, erreur)
        else:
            return redirect("flux:depot", pk)
    return render(
        request,
        "flux/depots/colonnes.html",
        {
            "depot": depot,
            "formulaire": formulaire,
            "sujet": sujet,
            "sujets": _choix(request.acteur),
            "champs": [champ for champ in formulaire if champ.name != "source"],
            "apercu": _apercu(depot),
            "fil": _fil((depot.nom_fichier, reverse("flux:depot", args=[pk]))),
        },
        status=422 if formulaire.errors else 200,
    )


def _deja_associees(depot: Depot, sujet: str) -> dict[str, str]:
    """What is known already; for another kind of file, what its titles say."""
    if sujet == depot.sujet and depot.correspondance:
        connues = depot.correspondance
    else:
        connues = associer(depot.entetes, TABLEAUX[sujet].champs, {})
    return {champ: str(rang) for champ, rang in connues.items()}


def _apercu(depot: Depot) -> list[tuple[str, list[str]]]:
    """Headers, each with the first values below it. Numbers of households among them are the person's own file."""
    try:
        tableau = tableau_de(depot)
    except FichierRefuse:
        return []
    extrait = depot.sujet in SUJETS_EXTERNES
    return [
        (entete, list(dict.fromkeys(c[rang] for _, c in tableau.lignes[:200] if c[rang]))[:EXEMPLES])
        if not (extrait and est_personnel(entete))
        else (entete, ["jamais gardée"])
        for rang, entete in enumerate(depot.entetes)
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def valeurs(request: HttpRequest, pk: int) -> HttpResponse:
    """The codes of an extract that nobody mapped yet, and those mapped by hand: what each means here."""
    depot = _ouvrir(request, pk)
    if depot.sujet not in SUJETS_EXTERNES:
        raise Http404
    if not peut_associer(request.acteur, depot):
        raise PermissionDenied("Un administrateur de votre organisation dit ce que signifient les codes.")
    trouvees = valeurs_du_depot(depot)[:VALEURS_MAX]
    formulaire = FormulaireValeurs(
        request.POST if request.method == "POST" else None,
        valeurs=trouvees,
        cibles={liste: dict(cibles(liste, depot)) for liste in {valeur.liste for valeur in trouvees}},
    )
    if request.method == "POST" and formulaire.is_valid():
        try:
            nombre = associer_valeurs(request.acteur, depot, formulaire.choix)
            messages.success(
                request,
                f"{accorder(nombre, 'valeur associée', 'valeurs associées')}\u00a0: les lignes suivent.",
            )
        except ValidationError as erreur:
            _dire(request, erreur)
        return redirect("flux:depot", pk)
    return render(
        request,
        "flux/depots/valeurs.html",
        {
            "depot": depot,
            "formulaire": formulaire,
            "fil": _fil((depot.nom_fichier, reverse("flux:depot", args=[pk]))),
        },
        status=422 if formulaire.errors else 200,
    )


@require_safe
def lignes(request: HttpRequest, pk: int) -> HttpResponse:
    """The lines of a pile or of a cause, one card each when something is wrong."""
    depot = _ouvrir(request, pk)
    pile = request.GET.get("pile", "")
    code, champ = request.GET.get("code", ""), request.GET.get("champ", "")
    choisies = LigneDepot.objects.filter(depot=depot).select_related("liberation").order_by("ligne")
    if pile == ENREGISTREES:
        titre, choisies = "Enregistrées", choisies.exclude(appliquee_le=None)
    elif pile in PILES:
        titre, filtre = PILES[pile]
        choisies = choisies.filter(filtre, appliquee_le=None)
    else:
        pile, titre, choisies = "", "Toutes les lignes", choisies
    if code and champ in COLONNES and len(code) <= 30 and "\0" not in code:
        choisies = choisies.filter(messages__contains=[{"code": code, "champ": champ}], appliquee_le=None)
    page = Paginator(choisies, LIGNES_PAR_PAGE).get_page(request.GET.get("page"))
    parametres = request.GET.copy()
    parametres.pop("page", None)
    return render(
        request,
        "flux/depots/lignes.html",
        {
            "depot": depot,
            "titre_pile": titre,
            "page": page,
            "cartes": [carte(depot, ligne) for ligne in page],
            "base_page": f"{parametres.urlencode()}&" if parametres else "",
            "modifiable": Depot.objects.modifiables_par(request.acteur).filter(pk=pk).exists()
            and depot.etat == Depot.Etat.A_CONFIRMER,
            "fil": _fil((depot.nom_fichier, reverse("flux:depot", args=[pk]))),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def ligne(request: HttpRequest, pk: int, numero: int) -> HttpResponse:
    """One line, all its cells; what is sent is mended and read again at once."""
    depot = _ouvrir_pour_ecrire(request, pk)
    trouvee = ouvrir(LigneDepot.objects.filter(depot=depot), request.acteur, ligne=numero)
    if request.method == "POST":
        cellules = {champ: request.POST[champ] for champ in COLONNES if champ in request.POST}
        try:
            services.corriger(request.acteur, depot, numero, cellules)
        except ValidationError as erreur:
            _dire(request, erreur)
            return redirect("flux:depot", pk)
        trouvee.refresh_from_db()
        if trouvee.verdict == Verdict.EN_ERREUR:
            messages.warning(request, f"Ligne {numero}\u00a0: {trouvee.messages[0]['texte']}")
        else:
            messages.success(request, f"Ligne {numero} relue\u00a0: {trouvee.get_verdict_display()}.")
        return redirect("flux:depot", pk)
    return render(
        request,
        "flux/depots/ligne.html",
        {
            "depot": depot,
            "ligne": trouvee,
            "champs": tous_les_champs(depot, trouvee),
            "fil": _fil((depot.nom_fichier, reverse("flux:depot", args=[pk]))),
            "attend": trouvee.appliquee_le is None and depot.etat == Depot.Etat.A_CONFIRMER,
        },
    )


@require_POST
def remplacer(request: HttpRequest, pk: int) -> HttpResponse:
    """The same answer for all the lines that have the same words at fault in one column."""
    depot = _ouvrir_pour_ecrire(request, pk)
    champ = request.POST.get("champ", "")
    if champ not in COLONNES:
        raise Http404
    try:
        nombre = services.remplacer(
            request.acteur,
            depot,
            champ=champ,
            ancien=request.POST.get("ancien", ""),
            nouveau=request.POST.get("nouveau", ""),
        )
        messages.success(request, f"{nombre} lignes corrigées et relues.")
    except ValidationError as erreur:
        _dire(request, erreur)
    return redirect("flux:depot", pk)


@require_POST
def confirmer(request: HttpRequest, pk: int) -> HttpResponse:
    """What looked odd is so: on one line, or on all those of which the same is said."""
    depot = _ouvrir_pour_ecrire(request, pk)
    numero = request.POST.get("ligne", "")
    try:
        nombre = services.confirmer_doutes(
            request.acteur,
            depot,
            request.POST.get("code", "")[:30].replace("\0", ""),
            int(numero) if numero.isascii() and numero.isdecimal() and len(numero) < 9 else None,
        )
        messages.success(request, "Confirmé." if nombre == 1 else f"{nombre} lignes confirmées.")
    except ValidationError as erreur:
        _dire(request, erreur)
    return redirect("flux:depot", pk)


@require_safe
def annote(request: HttpRequest, pk: int) -> HttpResponse:
    """The file as it was sent, with what is wrong on its cells and in a last column. Whoever may send it may have it
    back: it holds numéros uniques."""
    depot = _ouvrir_pour_ecrire(request, pk)
    if not depot.fichier:
        raise Http404
    feuilles = lire_feuilles(coffre.ouvrir(depot))
    dits = {
        numero: [m for m in siens if m["bloquant"] or m["code"] not in confirmations]
        for numero, siens, confirmations in LigneDepot.objects.filter(depot=depot, appliquee_le=None)
        .exclude(messages=[])
        .order_by("ligne")
        .values_list("ligne", "messages", "confirmations")
    }
    contenu = annoter(
        feuilles,
        depot.feuille,
        depot.ligne_entete,
        {numero: siens for numero, siens in dits.items() if siens},
        depot.correspondance,
    )
    return FileResponse(
        contenu,
        as_attachment=True,
        filename=f"{nom_de_fichier(depot.nom_fichier.rsplit('.', 1)[0], 'annoté')}.xlsx",
        content_type=FORMATS["xlsx"],
    )


@require_POST
def enregistrer(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree to what the page shows."""
    depot = _ouvrir_pour_ecrire(request, pk)
    try:
        services.confirmer(request.acteur, depot)
    except ValidationError as erreur:
        _dire(request, erreur)
    return redirect("flux:depot", pk)


@require_POST
def abandonner(request: HttpRequest, pk: int) -> HttpResponse:
    """Give up what is not recorded."""
    depot = _ouvrir_pour_ecrire(request, pk)
    try:
        services.abandonner(request.acteur, depot)
        messages.success(
            request, "Le dépôt est abandonné\u00a0: rien de plus ne sera enregistré, son fichier est effacé."
        )
    except ValidationError as erreur:
        _dire(request, erreur)
    return redirect("flux:depot", pk)


@require_POST
def reprendre(request: HttpRequest, pk: int) -> HttpResponse:
    """Start again a deposit that was interrupted."""
    depot = _ouvrir_pour_ecrire(request, pk)
    try:
        services.reprendre(request.acteur, depot)
    except ValidationError as erreur:
        _dire(request, erreur)
    return redirect("flux:depot", pk)


urlpatterns = [
    path("depots/", liste, name="depots"),
    path("depots/nouveau/", nouveau, name="depot_nouveau"),
    path("depots/aide/", aide, name="depots_aide"),
    path("depots/modele/<slug:sujet>.xlsx", modele_xlsx, name="depot_modele"),
    path("depots/schema/<slug:sujet>.json", schema, name="depot_schema"),
    path("depots/<identifiant:pk>/", detail, name="depot"),
    path("depots/<identifiant:pk>/avancement/", avancement, name="depot_avancement"),
    path("depots/<identifiant:pk>/colonnes/", colonnes, name="depot_colonnes"),
    path("depots/<identifiant:pk>/valeurs/", valeurs, name="depot_valeurs"),
    path("depots/<identifiant:pk>/lignes/", lignes, name="depot_lignes"),
    path("depots/<identifiant:pk>/lignes/<identifiant:numero>/", ligne, name="depot_ligne"),
    path("depots/<identifiant:pk>/remplacer/", remplacer, name="depot_remplacer"),
    path("depots/<identifiant:pk>/confirmer/", confirmer, name="depot_confirmer"),
    path("depots/<identifiant:pk>/annote.xlsx", annote, name="depot_annote"),
    path("depots/<identifiant:pk>/enregistrer/", enregistrer, name="depot_enregistrer"),
    path("depots/<identifiant:pk>/abandonner/", abandonner, name="depot_abandonner"),
    path("depots/<identifiant:pk>/reprendre/", reprendre, name="depot_reprendre"),
]
