"""The parc: what a bailleur owns in a département, dwelling by dwelling, and why each is in the assiette or out."""

from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from reservation import convertisseurs  # noqa: F401 (registers the converters of the paths below)
from reservation.acteur import Acteur
from reservation.exports import FORMATS, Colonne, Format, TropDeLignes, exporter, nom_de_fichier
from reservation.filters import FiltreLogements, FiltreParc
from reservation.models import (
    AgregatParc,
    Drapeau,
    EtatParc,
    ImportRpls,
    Logement,
    Organisation,
)
from reservation.nomenclature_rpls import FINAN, MODE, en_clair
from reservation.regles.statut import (
    CONVENTIONNE_APL,
    LIBELLES_DRAPEAU,
    LIBELLES_STATUT,
    STATUTS_DANS,
    StatutLogement,
)
from reservation.views import drapeaux
from reservation.views.fiche_logement import faits, histoire, questions, raisons
from reservation.views.perimetre_parc import (
    Parc,
    designe_un_parc,
    parc_de_la_requete,
    parc_demande,
    reserver_aux_lecteurs,
)
from reservation.views.porte import ouvrir
from reservation.views.synthese_parc import synthetiser

LIGNES_PAR_PAGE = 50
COMPTE_MAXIMAL = 10_000


# --- Parcs, and one parc ----------------------------------------------------------------------------------------------


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """The parcs that the actor may read, one line per bailleur × département; the parc itself when there is one."""
    acteur = request.acteur
    reserver_aux_lecteurs(acteur)
    derniers = _derniers_etats(acteur)
    if acteur.est_bailleur and len(derniers) == 1:
        return detail(request, derniers[0].bailleur_id, derniers[0].departement_id)
    assiettes = _assiettes(acteur, derniers)
    lignes = [
        {
            "etat": etat,
            "assiette": assiettes.get((etat.bailleur_id, etat.departement_id), 0),
            "url": reverse("reservation:parc_detail", args=[etat.bailleur_id, etat.departement_id]),
        }
        for etat in derniers
    ]
    sans_parc = Organisation.objects.none()
    if acteur.est_service_etat:
        charges = {etat.bailleur_id for etat in derniers}
        sans_parc = (
            Organisation.objects.visibles_par(acteur)
            .bailleurs()
            .exclude(pk__in=charges)
            .order_by("nom_tri", "pk")
        )
    contexte = {
        "lignes": lignes,
        "total": sum(ligne["etat"].logements for ligne in lignes),
        "total_assiette": sum(ligne["assiette"] for ligne in lignes),
        "sans_parc": sans_parc,
    }
    return render(request, "reservation/parc/liste.html", contexte)


def _derniers_etats(acteur: Acteur) -> list[EtatParc]:
    """The last millésime of each parc, by name of the bailleur."""
    etats = (
        EtatParc.objects.visibles_par(acteur)
        .select_related("bailleur", "departement", "import_rpls")
        .order_by("bailleur__nom_tri", "bailleur_id", "departement_id", "-millesime")
    )
    return [
        next(millesimes) for _, millesimes in groupby(etats, key=lambda e: (e.bailleur_id, e.departement_id))
    ]


def _assiettes(acteur: Acteur, etats: list[EtatParc]) -> dict[tuple[int, str], int]:
    """Dwellings of the assiette by (bailleur, département), each at its own millésime."""
    par_millesime = Q(pk__in=[])
    for millesime in {etat.millesime for etat in etats}:
        bailleurs = [etat.bailleur_id for etat in etats if etat.millesime == millesime]
        par_millesime |= Q(millesime=millesime, bailleur__in=bailleurs)
    demandes = {(e.bailleur_id, e.departement_id, e.millesime) for e in etats}
    lignes = (
        AgregatParc.objects.visibles_par(acteur)
        .filter(par_millesime, statut__in=STATUTS_DANS)
        .order_by()
        .values_list("bailleur", "departement", "millesime")
        .annotate(n=Sum("nombre"))
    )
    return {(b, d): n for b, d, m, n in lignes if (b, d, m) in demandes}


@require_safe
def detail(request: HttpRequest, bailleur: int, departement: str) -> HttpResponse:
    """One parc: from the parc to the assiette, by reason; what it is made of; what waits for an answer."""
    parc = parc_demande(request.acteur, bailleur, departement, request.GET.get("millesime", ""))
    synthese = synthetiser(parc, toutes_les_communes=request.GET.get("communes") == "toutes")
    en_attente = (
        ImportRpls.objects.visibles_par(request.acteur)
        .filter(bailleur=parc.bailleur, etat=ImportRpls.Etat.A_CONFIRMER)
        .first()
    )
    contexte = {
        "parc": parc,
        "synthese": synthese,
        "millesimes": [
            {"annee": e.millesime, "url": parc.url_millesime(e.millesime), "ici": e.pk == parc.etat.pk}
            for e in parc.etats
        ],
        "etudiants": parc.nombre_par_question.get("RESIDENCE", 0),
        "etudiants_url": parc.url_liste(question="RESIDENCE"),
        "vides": parc.nombre_par_question.get("VENTE_DEMOLITION", 0),
        "vides_url": parc.url_liste(question="VENTE_DEMOLITION"),
        "import_en_attente": en_attente,
        "cle_historique": f"{parc.bailleur.pk}-{parc.departement.pk}",
    }
    return render(request, "reservation/parc/detail.html", contexte)


# --- The dwellings of a parc ------------------------------------------------------------------------------------------


CODES_DANS = frozenset(statut.value for statut in STATUTS_DANS)


def _oui_non(valeur: bool) -> str:
    return "oui" if valeur else "non"


def _drapeaux_en_clair(ligne) -> str:
    return ", ".join(LIBELLES_DRAPEAU.get(code, code) for code in ligne.drapeaux)


# The table of the dwellings, declared once. Rows are plain tuples of these fields: a parc has up to 100 000 of them.
CHAMPS_EXPORTES = [
    "ident_int",
    "ident_rep",
    "adresse",
    "code_postal",
    "commune__nom",
    "commune_id",
    "qpv",
    "code_qpv",
    "programme",
    "typologie",
    "nbpiece",
    "surfhab",
    "construct",
    "finan",
    "financement",
    "conv",
    "mode",
    "drapeaux",
    "statut",
    "millesime",
]
COLONNES = [
    Colonne("Référence du bailleur", attrgetter("ident_int"), largeur=22),
    Colonne("Identifiant RPLS", attrgetter("ident_rep"), largeur=14),
    Colonne("Adresse", attrgetter("adresse"), largeur=40),
    Colonne("Code postal", attrgetter("code_postal"), largeur=10),
    Colonne("Commune", attrgetter("commune__nom"), largeur=24),
    Colonne("Code INSEE", attrgetter("commune_id"), largeur=10),
    Colonne("En QPV", lambda x: _oui_non(x.qpv), largeur=8),
    Colonne("Code du QPV", attrgetter("code_qpv"), largeur=12),
    Colonne("Programme", attrgetter("programme"), largeur=24),
    Colonne("Typologie", attrgetter("typologie"), largeur=10),
    Colonne("Pièces", attrgetter("nbpiece"), Format.ENTIER, largeur=8),
    Colonne("Surface habitable (m²)", attrgetter("surfhab"), Format.ENTIER, largeur=10),
    Colonne("Année de construction", attrgetter("construct"), Format.ENTIER, largeur=12),
    Colonne("Financement initial", lambda x: en_clair(x.finan, FINAN), largeur=30),
    Colonne("Classe de financement", attrgetter("financement"), largeur=12),
    Colonne("Conventionné APL", lambda x: _oui_non(x.conv == CONVENTIONNE_APL), largeur=12),
    Colonne("Occupation", lambda x: en_clair(x.mode, MODE), largeur=30),
    Colonne("Drapeaux", _drapeaux_en_clair, largeur=30),
    Colonne("Dans l’assiette", lambda x: _oui_non(x.statut in CODES_DANS), largeur=10),
    Colonne("Raison", lambda x: LIBELLES_STATUT[x.statut], largeur=40),
    Colonne("RPLS au 1er janvier", attrgetter("millesime"), Format.ENTIER, largeur=10),
]

# Sorts of the list: word of the URL → (title of the column, order). `cle` is the order of the index.
TRIS = {
    "reference": ("Référence", ["ident_int", "cle"]),
    "adresse": ("Adresse", ["adresse", "cle"]),
    "commune": ("Commune", ["commune__nom_tri", "adresse", "cle"]),
    "typologie": ("Typologie", ["nbpiece", "cle"]),
    "construction": ("Construction", ["construct", "cle"]),
    "financement": ("Financement", ["financement", "finan", "cle"]),
    "occupation": ("Occupation", ["mode", "cle"]),
    "statut": ("Statut", ["statut", "cle"]),
}


def _ordonner(logements: QuerySet[Logement], tri: str) -> QuerySet[Logement]:
    """Sort by a word of `TRIS`, with "-" before it for the reverse; any other word gives the order of the index."""
    _, champs = TRIS.get(tri.removeprefix("-"), ("", ["cle"]))
    if tri.startswith("-"):
        champs = [f"-{champs[0]}", *champs[1:]]
    return logements.order_by(*champs)


class PagesComptees(Paginator):
    """Pages of a list whose length was found elsewhere: counting a million rows again would cost more than the page."""

    def __init__(self, lignes, par_page: int, compte: int):
        super().__init__(lignes, par_page)
        self.count = compte


@dataclass(frozen=True)
class Selection:
    """Dwellings of a parc that a query string asks for."""

    parc: Parc
    filtre: FiltreLogements
    logements: QuerySet[Logement]
    tri: str


def _selectionner(request: HttpRequest) -> Selection:
    parc = parc_de_la_requete(request)
    logements = Logement.objects.visibles_par(request.acteur).filter(
        bailleur=parc.bailleur, departement=parc.departement, millesime=parc.millesime
    )
    filtre = FiltreLogements(request.GET, queryset=logements, communes=parc.communes, profils=parc.questions)
    tri = request.GET.get("tri", "")
    return Selection(parc, filtre, _ordonner(filtre.qs, tri), tri)


def _compter(selection: Selection) -> tuple[int, bool]:
    """(dwellings, whether there are more): from the aggregate where it can answer, else up to `COMPTE_MAXIMAL`."""
    parc, filtre = selection.parc, selection.filtre
    if filtre.compte_par_l_agregat:
        memes = FiltreParc(filtre.data, queryset=parc.agregat, communes=parc.communes, profils=parc.questions)
        return memes.qs.order_by().aggregate(n=Sum("nombre"))["n"] or 0, False
    compte = filtre.qs.order_by()[: COMPTE_MAXIMAL + 1].count()
    return min(compte, COMPTE_MAXIMAL), compte > COMPTE_MAXIMAL


def _colonnes_triables(request: HttpRequest, tri: str) -> list[dict[str, str]]:
    """Headers of the list: what each sorts by when activated, and what is sorted now."""
    garde = {nom: valeur for nom, valeur in request.GET.items() if nom not in ("tri", "page")}
    entetes = []
    for mot, (titre, _) in TRIS.items():
        actif = tri.removeprefix("-") == mot
        croissant = actif and not tri.startswith("-")
        entetes.append(
            {
                "titre": titre,
                "url": "?" + urlencode(garde | {"tri": f"-{mot}" if croissant else mot}),
                "ordre": ("ascending" if croissant else "descending") if actif else "",
            }
        )
    return entetes


@require_safe
def logements(request: HttpRequest) -> HttpResponse:
    """The dwellings of a parc, filtered and sorted, one page at a time; first of all, which parc."""
    reserver_aux_lecteurs(request.acteur)
    if not designe_un_parc(request):
        return liste(request)
    selection = _selectionner(request)
    compte, davantage = _compter(selection)
    page = PagesComptees(selection.logements.select_related("commune"), LIGNES_PAR_PAGE, compte).get_page(
        request.GET.get("page")
    )
    sans_page = request.GET.copy()
    sans_page.pop("page", None)
    parc = selection.parc
    contexte = {
        "parc": parc,
        "filtre": selection.filtre,
        "page": page,
        "compte": compte,
        "davantage": davantage,
        "base": f"{sans_page.urlencode()}&" if sans_page else "",
        "requete": sans_page.urlencode(),
        "entetes": _colonnes_triables(request, selection.tri),
        "tri": selection.tri,
        "statuts_dans": STATUTS_DANS,
        "programme": request.GET.get("programme", ""),
        "sans_programme": parc.url_liste(),
        "sans_filtre": parc.url_liste(),
        "filtre_actif": selection.filtre.actif,
        "occupations": MODE,
    }
    return render(request, "reservation/parc/logements.html", contexte)


@require_safe
def exporter_logements(request: HttpRequest, format_: str) -> HttpResponse:
    """What the list shows, all pages, as a file."""
    if format_ not in FORMATS:
        raise Http404
    reserver_aux_lecteurs(request.acteur)
    selection = _selectionner(request)
    parc = selection.parc
    nom = nom_de_fichier("parc", parc.bailleur.nom, parc.departement.pk, parc.millesime)
    try:
        lignes = selection.logements.values_list(*CHAMPS_EXPORTES, named=True).iterator(2000)
        return exporter(format_, nom, COLONNES, lignes, feuille="Logements")
    except TropDeLignes as erreur:
        messages.error(request, str(erreur))
        return redirect(f"{reverse('reservation:logements')}?{request.GET.urlencode()}")


# --- One dwelling -----------------------------------------------------------------------------------------------------


@require_safe
def logement(request: HttpRequest, pk: int) -> HttpResponse:
    """One dwelling: why it is in the assiette or out, its facts, its flags, its history."""
    acteur = request.acteur
    fiche = ouvrir(
        Logement.objects.select_related("bailleur", "departement", "commune", "import_rpls"), acteur, pk=pk
    )
    parc = parc_demande(acteur, fiche.bailleur_id, fiche.departement_id, str(fiche.millesime))
    millesimes = list(
        Logement.objects.visibles_par(acteur)
        .filter(bailleur=fiche.bailleur_id, cle=fiche.cle)
        .select_related("import_rpls__cree_par")
        .order_by("millesime")
    )
    poses = list(_drapeaux_de(acteur, fiche).select_related("pose_par", "retire_par"))
    statut, *suivantes = raisons(fiche, parc.exclusions)
    contexte = {
        "logement": fiche,
        "parc": parc,
        "statut": statut,
        "dans": StatutLogement(fiche.statut).dans_assiette,
        "suivantes": suivantes,
        "questions": questions(fiche, parc.exclusions),
        "blocs": faits(fiche),
        "millesimes": list(reversed(millesimes)),
        "drapeaux": [d for d in poses if d.retire_le is None],
        "histoire": histoire(millesimes, poses),
        "statuts_dans": STATUTS_DANS,
        "voisins_url": parc.url_liste(programme=fiche.programme) if fiche.programme else "",
    }
    return render(request, "reservation/parc/logement.html", contexte)


def _drapeaux_de(acteur: Acteur, fiche: Logement) -> QuerySet[Drapeau]:
    """Flags, in force or withdrawn, on the dwelling or on its programme."""
    cible = Q(portee=Drapeau.Portee.LOGEMENT, cible=fiche.cle)
    if fiche.programme:
        cible |= Q(portee=Drapeau.Portee.PROGRAMME, cible=fiche.programme)
    return Drapeau.objects.visibles_par(acteur).filter(
        cible, bailleur=fiche.bailleur_id, departement=fiche.departement_id
    )


urlpatterns = [
    path("parc/", liste, name="parc"),
    path("parc/logements/", logements, name="logements"),
    path("parc/logements/export.<str:format_>", exporter_logements, name="logements_export"),
    path("parc/logements/<int:pk>/", logement, name="logement"),
    path("parc/logements/<int:pk>/drapeau/", drapeaux.poser, name="drapeau_poser"),
    path("parc/drapeaux/<int:pk>/retirer/", drapeaux.retirer, name="drapeau_retirer"),
    path("parc/<identifiant:bailleur>/<departement:departement>/", detail, name="parc_detail"),
    path(
        "parc/<identifiant:bailleur>/<departement:departement>/etudiants/",
        drapeaux.etudiants,
        name="parc_etudiants",
    ),
]
