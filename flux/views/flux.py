"""The annual flux: the list of the bailleurs' flux, the page where each figure is explained, its versions, its job."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from flux.models import (
    AssietteConvenue,
    CalculAFaire,
    CalculFlux,
    Nature,
    PartFlux,
    Recalcul,
    SoustractionPrevisionnelle,
)
from flux.services.assiettes import versions_de
from flux.services.file_de_calcul import lancer_recalcul, peut_recalculer
from flux.services.lecture import avec_leur_base, base_des_termes, presences_visibles, travail_en_attente
from flux.services.soustractions import categories_deduites, declarer_soustractions, peut_declarer
from reservation import convertisseurs  # noqa: F401 (registers the converters of the paths below)
from reservation.acteur import Acteur
from reservation.exports import Colonne, Format, exporter
from reservation.models import Departement, NatureSoustraction, Organisation, Presence, cle_de_tri
from reservation.views.edition import Edition
from reservation.views.porte import ouvrir

from .page_flux import comparer, composer

PAR_PAGE = 50
RECALCULS_MONTRES = 5
NATURES = {"previsionnel": Nature.PREVISIONNEL, "definitif": Nature.DEFINITIF}
CHEMINS = {nature: chemin for chemin, nature in NATURES.items()}


# --- The list -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LigneFlux:
    """One bailleur in one département: its flux, and the share that the reader is asked about."""

    bailleur: Organisation
    departement: Departement
    calcul: CalculFlux | None
    part: PartFlux | None
    territoire: Decimal | None
    """The flux on which the share rests: all that a collectivité reads of the flux, and read for it only."""
    attente: CalculAFaire | None
    url: str


@dataclass(frozen=True)
class ColonneTriee:
    """A column that sorts: `cle` in the query string, `valeur` of a line (None last)."""

    cle: str
    titre: str
    valeur: Callable[[LigneFlux], Any]
    numerique: bool = False


class FormulaireListe(forms.Form):
    annee = forms.TypedChoiceField(label="Année", coerce=int, required=False)
    nature = forms.ChoiceField(
        label="Nature",
        choices=[("previsionnel", "prévisionnel"), ("definitif", "constaté ou définitif")],
        required=False,
    )
    departement = forms.ChoiceField(label="Département", required=False)
    q = forms.CharField(label="Bailleur", required=False, max_length=100)

    def __init__(self, *args, annees: list[int], departements: list[Departement], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["annee"].choices = [(annee, str(annee)) for annee in annees]
        self.fields["departement"].choices = [("", "Tous"), *((d.pk, str(d)) for d in departements)]


@dataclass(frozen=True)
class Demande:
    """What the query string of the list asks for."""

    annee: int
    nature: Nature
    departement: str
    q: str
    tri: str

    @property
    def requete(self) -> str:
        return urlencode(
            {
                "annee": self.annee,
                "nature": CHEMINS[self.nature],
                "departement": self.departement,
                "q": self.q,
            }
        )


def _annees(acteur: Acteur) -> list[int]:
    """Years that the reader may ask for: those computed, this one, and the next one to project."""
    cette_annee = timezone.localdate().year
    connues = set(
        CalculFlux.objects.visibles_par(acteur).order_by().values_list("annee", flat=True).distinct()
    )
    return sorted(connues | {cette_annee, cette_annee + 1}, reverse=True)


def _demande(request: HttpRequest, annees: list[int], departements: list[Departement]):
    defauts = {"annee": str(timezone.localdate().year), "nature": "previsionnel"}
    formulaire = FormulaireListe(defauts | request.GET.dict(), annees=annees, departements=departements)
    lu = formulaire.cleaned_data if formulaire.is_valid() else {}
    return formulaire, Demande(
        lu.get("annee") or timezone.localdate().year,
        NATURES[lu.get("nature") or "previsionnel"],
        lu.get("departement", ""),
        lu.get("q", "").strip(),
        request.GET.get("tri", ""),
    )


def _lignes(acteur: Acteur, presences: list[Presence], demande: Demande) -> list[LigneFlux]:
    """All the lines of the reader, in four queries: a région has a few hundred pairs."""
    calculs = {
        (c.bailleur_id, c.departement_id): c
        for c in CalculFlux.objects.visibles_par(acteur)
        .en_vigueur()
        .filter(annee=demande.annee, nature=demande.nature)
        .defer("entrees", "resultat", "etapes", "avertissements")
    }
    siennes = PartFlux.objects.visibles_par(acteur).filter(
        calcul__en_vigueur=True, calcul__annee=demande.annee, calcul__nature=demande.nature
    )
    siennes = (
        siennes.filter(reservataire=acteur.organisation_id)
        if acteur.est_reservataire
        else siennes.filter(code="ETAT")
    )
    entier = acteur.lit_les_flux_entiers
    parts = {part.calcul_id: part for part in (siennes if entier else avec_leur_base(siennes))}
    attente = {
        (f.bailleur_id, f.departement_id): f
        for f in CalculAFaire.objects.visibles_par(acteur).filter(annee=demande.annee)
    }
    cle = cle_de_tri(demande.q)
    lignes = []
    for presence in presences:
        paire = (presence.bailleur_id, presence.departement_id)
        if demande.departement not in ("", presence.departement_id):
            continue
        if cle and cle not in presence.bailleur.nom_tri and demande.q != presence.bailleur.siren:
            continue
        calcul = calculs.get(paire)
        part = parts.get(calcul.pk) if calcul else None
        url = reverse("flux:detail", args=[*paire, demande.annee])
        lignes.append(
            LigneFlux(
                presence.bailleur,
                presence.departement,
                calcul,
                part,
                base_des_termes(part.termes) if part and not entier else None,
                attente.get(paire),
                f"{url}?nature={CHEMINS[demande.nature]}",
            )
        )
    return lignes


COLONNES = [
    ColonneTriee("bailleur", "Bailleur", lambda li: (li.bailleur.nom_tri, li.departement.pk)),
    ColonneTriee("departement", "Département", lambda li: (li.departement.pk, li.bailleur.nom_tri)),
    ColonneTriee("soumis", "Assiette", lambda li: li.calcul and li.calcul.soumis, True),
    ColonneTriee("liberations", "Libérations", lambda li: li.calcul and li.calcul.liberations, True),
    ColonneTriee("soustractions", "Soustractions", lambda li: li.calcul and li.calcul.soustractions, True),
    ColonneTriee("flux", "Flux annuel", lambda li: li.calcul and li.calcul.flux, True),
    ColonneTriee("territoire", "Flux de votre territoire", lambda li: li.territoire, True),
    ColonneTriee("part", "Part", lambda li: li.part and li.part.part_exacte, True),
    ColonneTriee("calcul", "Calculé le", lambda li: li.calcul and li.calcul.calcule_le),
]


DU_FLUX_ENTIER = frozenset({"liberations", "soustractions", "flux"})


def _cachees(acteur: Acteur) -> frozenset[str]:
    """Columns that are not for this reader: neither shown, nor sorted by.

    The assiette is the bailleur's and the State's; a collectivité reads the flux of its territory, not the bailleur's.
    """
    cachees = {"territoire"} if acteur.lit_les_flux_entiers else DU_FLUX_ENTIER
    if acteur.est_bailleur:
        cachees = {*cachees, "bailleur"}
    if acteur.est_reservataire:
        cachees = {*cachees, "soumis"}
    return frozenset(cachees)


def _trier(lignes: list[LigneFlux], tri: str, cachees: frozenset[str] = frozenset()) -> list[LigneFlux]:
    """By the column asked for (a dash before its name reverses); what is not known yet goes last."""
    colonne = next(
        (c for c in COLONNES if c.cle == tri.removeprefix("-") and c.cle not in cachees), COLONNES[0]
    )
    lignes = sorted(lignes, key=COLONNES[0].valeur)
    connues = [ligne for ligne in lignes if colonne.valeur(ligne) is not None]
    inconnues = [ligne for ligne in lignes if colonne.valeur(ligne) is None]
    return [*sorted(connues, key=colonne.valeur, reverse=tri.startswith("-")), *inconnues]


def _entetes(demande: Demande, acteur: Acteur) -> list[dict]:
    """Titles that sort."""
    entetes, cachees = [], _cachees(acteur)
    for colonne in COLONNES:
        if colonne.cle in cachees:
            continue
        titre = colonne.titre
        if colonne.cle == "part":
            titre = "Votre part" if acteur.est_reservataire else "Part de l’État"
        croissant = demande.tri == colonne.cle
        suivant = f"-{colonne.cle}" if croissant else colonne.cle
        entetes.append(
            {
                "titre": titre,
                "numerique": colonne.numerique,
                "url": f"?{demande.requete}&tri={suivant}",
                "ordre": "ascending"
                if croissant
                else "descending"
                if demande.tri == f"-{colonne.cle}"
                else "",
            }
        )
    return entetes


@require_safe
def liste(request):
    acteur = request.acteur
    presences = list(presences_visibles(acteur).order_by("pk"))
    departements = sorted({p.departement for p in presences}, key=lambda d: d.pk)
    formulaire, demande = _demande(request, _annees(acteur), departements)
    lignes = _trier(_lignes(acteur, presences, demande), demande.tri, _cachees(acteur))
    calculees = [ligne for ligne in lignes if ligne.calcul]
    return render(
        request,
        "flux/annuel/liste.html",
        {
            "form": formulaire,
            "demande": demande,
            "page": Paginator(lignes, PAR_PAGE).get_page(request.GET.get("page")),
            "base_page": f"{demande.requete}&tri={demande.tri}&",
            "entetes": _entetes(demande, acteur),
            "aucune_presence": not presences,
            "sans_calcul": len(lignes) - len(calculees),
            "totaux": {
                cle: sum(getattr(ligne.calcul, cle) for ligne in calculees)
                for cle in ("soumis", "liberations", "soustractions", "flux")
            }
            | {
                "part": sum(ligne.part.objectif for ligne in calculees if ligne.part),
                "territoire": sum((ligne.territoire or Decimal(0) for ligne in calculees), Decimal(0)),
                "exacte": sum((ligne.part.part_exacte for ligne in calculees if ligne.part), Decimal(0)),
            },
            "peut_recalculer": presences
            and peut_recalculer(acteur, [(p.bailleur_id, p.departement_id) for p in presences]),
            "recalculs": Recalcul.objects.visibles_par(acteur).select_related("demande_par")[
                :RECALCULS_MONTRES
            ],
        },
    )


@require_safe
def exporter_liste(request, format_: str):
    """The same lines as a file, with the same columns left out as on the screen."""
    if format_ not in ("csv", "xlsx"):
        raise Http404
    acteur = request.acteur
    presences = list(presences_visibles(acteur).order_by("pk"))
    departements = sorted({p.departement for p in presences}, key=lambda d: d.pk)
    _, demande = _demande(request, _annees(acteur), departements)
    lignes = [ligne for ligne in _lignes(acteur, presences, demande) if ligne.calcul]
    part = "Votre part" if acteur.est_reservataire else "Part de l’État"
    colonnes = [
        Colonne("Bailleur", lambda li: li.bailleur.nom, largeur=36),
        Colonne("SIREN", lambda li: li.bailleur.siren),
        Colonne("Département", lambda li: li.departement.pk),
        Colonne("Année", lambda li: li.calcul.annee, Format.ENTIER),
        Colonne("Nature", lambda li: li.calcul.get_nature_display()),
        Colonne("RPLS", lambda li: li.calcul.millesime, Format.ENTIER),
        *(
            []
            if acteur.est_reservataire
            else [Colonne("Assiette", lambda li: li.calcul.soumis, Format.ENTIER)]
        ),
        *(
            [
                Colonne("Libérations", lambda li: li.calcul.liberations, Format.ENTIER),
                Colonne("Soustractions", lambda li: li.calcul.soustractions, Format.ENTIER),
                Colonne("Flux annuel", lambda li: li.calcul.flux, Format.ENTIER),
            ]
            if acteur.lit_les_flux_entiers
            else [
                Colonne(
                    "Flux de votre territoire",
                    lambda li: None if li.territoire is None else f"{li.territoire:f}".replace(".", ","),
                )
            ]
        ),
        Colonne(f"{part}, exacte", lambda li: li.part and f"{li.part.part_exacte:f}".replace(".", ",")),
        Colonne(f"{part}, logements", lambda li: li.part and li.part.objectif, Format.ENTIER),
        Colonne("Calculé le", lambda li: timezone.localdate(li.calcul.calcule_le), Format.JOUR),
    ]
    return exporter(
        format_, f"flux-{demande.annee}-{CHEMINS[demande.nature]}", colonnes, _trier(lignes, ""), "Flux"
    )


@require_POST
def recalculer_tout(request):
    """Ask for the whole perimeter of the reader: all its départements, or its département."""
    acteur = request.acteur
    annee = _annee(request.POST.get("annee", ""))
    perimetre = {}
    if acteur.est_bailleur:
        perimetre["bailleur"] = Organisation.objects.get(pk=acteur.organisation_id)
    else:
        perimetre["departements"] = acteur.departements
    recalcul = lancer_recalcul(acteur, annee, "Recalcul demandé", **perimetre)
    return redirect("flux:recalcul", recalcul.pk)


def _annee(texte: str) -> int:
    if not (texte.isascii() and texte.isdecimal() and 2000 <= int(texte[:6]) <= 2100):
        raise Http404
    return int(texte)


@require_safe
def recalcul(request, pk: int):
    demande = ouvrir(Recalcul.objects.select_related("demande_par", "bailleur"), request.acteur, pk=pk)
    return render(request, "flux/annuel/recalcul.html", _avancement_de(demande))


@require_safe
def recalcul_avancement(request, pk: int):
    """Fragment asked again while the job runs; asks for the whole page once it is over."""
    contexte = _avancement_de(ouvrir(Recalcul.objects.all(), request.acteur, pk=pk))
    reponse = render(request, "flux/annuel/recalcul_avancement.html", contexte)
    if not contexte["en_cours"]:
        reponse["HX-Refresh"] = "true"
    return reponse


def _avancement_de(demande: Recalcul) -> dict:
    etapes = list(demande.etapes.select_related("departement"))
    lignes = CalculAFaire.objects.filter(annee=demande.annee, departement__in=demande.departements).exclude(
        erreur=""
    )
    if demande.bailleur_id:
        lignes = lignes.filter(bailleur=demande.bailleur_id)
    return {
        "fil": _fil(),
        "recalcul": demande,
        "etapes": etapes,
        "faits": sum(etape.faits for etape in etapes),
        "total": sum(etape.total for etape in etapes),
        "en_cours": demande.etat in (Recalcul.Etat.EN_ATTENTE, Recalcul.Etat.EN_COURS),
        "erreurs": lignes.select_related("bailleur", "departement"),
    }


def _fil(presence: Presence | None = None, annee: int = 0) -> list[tuple[str, str]]:
    """Breadcrumb of the pages under the list, and under one flux."""
    etapes = [("Flux", reverse("flux:liste"))]
    if presence is not None:
        url = reverse("flux:detail", args=[presence.bailleur_id, presence.departement_id, annee])
        etapes.append((f"Flux {annee}, {presence.departement}", url))
    return etapes


# --- One flux -----------------------------------------------------------------------------------------------


def _presence(acteur: Acteur, bailleur: int, departement: str) -> Presence:
    return get_object_or_404(presences_visibles(acteur), bailleur=bailleur, departement=departement)


def _nature(request: HttpRequest, annee: int) -> Nature:
    """The nature asked for; by default the observed one once the year is over."""
    defaut = "definitif" if annee < timezone.localdate().year else "previsionnel"
    nature = NATURES.get(request.GET.get("nature", defaut))
    if nature is None:
        raise Http404
    return nature


@require_safe
def detail(request, bailleur: int, departement: str, annee: int):
    acteur = request.acteur
    presence = _presence(acteur, bailleur, departement)
    nature = _nature(request, annee)
    calculs = CalculFlux.objects.visibles_par(acteur).filter(
        bailleur=bailleur, departement=departement, annee=annee
    )
    versions = list(
        calculs.filter(nature=nature)
        .defer("entrees", "resultat", "etapes", "avertissements")
        .order_by("-version")
    )
    if request.GET.get("version"):
        calcul = get_object_or_404(calculs, nature=nature, version=_numero(request.GET["version"]))
    else:
        calcul = calculs.en_vigueur().filter(nature=nature).first()
    autre = calculs.en_vigueur().exclude(nature=nature).first()
    paire = (presence.bailleur_id, presence.departement_id)
    return render(
        request,
        "flux/annuel/detail.html",
        {
            "fil": _fil(),
            "flux": composer(
                acteur, presence.bailleur, presence.departement, annee, nature, calcul, autre, versions
            ),
            "natures": [
                {
                    "libelle": _libelle_nature(candidate, annee),
                    "url": f"?nature={CHEMINS[candidate]}",
                    "ici": candidate == nature,
                }
                for candidate in Nature
            ],
            "nature": CHEMINS[nature],
            "attente": travail_en_attente(acteur, paire, annee),
            "peut_recalculer": peut_recalculer(acteur, [paire]),
            "peut_declarer": peut_declarer(acteur, presence.bailleur_id),
            "annees": _annees_voisines(acteur, paire, annee),
            "assiette": next(
                (v for v in versions_de(acteur, *paire, annee) if v.etat == AssietteConvenue.Etat.ACCEPTEE),
                None,
            ),
        },
    )


def _numero(texte: str) -> int:
    if not (texte.isascii() and texte.isdecimal() and len(texte) < 9):
        raise Http404
    return int(texte)


def _libelle_nature(nature: Nature, annee: int) -> str:
    if nature == Nature.PREVISIONNEL:
        return "Prévisionnel"
    return "Définitif" if annee < timezone.localdate().year else "Constaté à ce jour"


def _annees_voisines(acteur: Acteur, paire: tuple[int, str], annee: int) -> list[int]:
    connues = (
        CalculFlux.objects.visibles_par(acteur)
        .filter(bailleur=paire[0], departement=paire[1], en_vigueur=True)
        .order_by("annee")
        .values_list("annee", flat=True)
        .distinct()
    )
    return sorted({*connues, annee})


@require_safe
def avancement(request, bailleur: int, departement: str, annee: int):
    """Fragment asked again while this pair waits for its calculation; asks for the whole page once it is done."""
    presence = _presence(request.acteur, bailleur, departement)
    attente = travail_en_attente(request.acteur, (presence.bailleur_id, presence.departement_id), annee)
    reponse = render(
        request,
        "flux/annuel/attente.html",
        {
            "attente": attente,
            "bailleur": presence.bailleur,
            "departement": presence.departement,
            "annee": annee,
        },
    )
    if attente is None or attente.erreur:
        reponse["HX-Refresh"] = "true"
    return reponse


@require_POST
def recalculer(request, bailleur: int, departement: str, annee: int):
    presence = _presence(request.acteur, bailleur, departement)
    lancer_recalcul(
        request.acteur,
        annee,
        "Recalcul demandé",
        departements=[departement],
        bailleur=presence.bailleur,
    )
    retour = reverse("flux:detail", args=[bailleur, departement, annee])
    nature = request.POST.get("nature", "")
    return redirect(f"{retour}?nature={nature}" if nature in NATURES else retour)


@require_safe
def versions(request, bailleur: int, departement: str, annee: int):
    """Two versions side by side: the two last ones by default."""
    acteur = request.acteur
    presence = _presence(acteur, bailleur, departement)
    if acteur.est_reservataire:
        raise Http404
    nature = _nature(request, annee)
    toutes = list(
        CalculFlux.objects.visibles_par(acteur)
        .filter(bailleur=bailleur, departement=departement, annee=annee, nature=nature)
        .order_by("version")
    )
    par_numero = {calcul.version: calcul for calcul in toutes}
    if not toutes:
        raise Http404
    apres = par_numero.get(_numero(request.GET.get("a") or str(toutes[-1].version)))
    avant = par_numero.get(
        _numero(request.GET.get("de") or str(max(apres.version - 1, 1) if apres else toutes[0].version))
    )
    if apres is None or avant is None:
        raise Http404
    noms = dict(
        PartFlux.objects.filter(calcul__in=[avant, apres], reservataire__isnull=False).values_list(
            "code", "reservataire__nom"
        )
    )
    return render(
        request,
        "flux/annuel/versions.html",
        {
            "fil": _fil(presence, annee),
            "bailleur": presence.bailleur,
            "departement": presence.departement,
            "annee": annee,
            "nature": CHEMINS[nature],
            "libelle_nature": _libelle_nature(nature, annee),
            "versions": toutes,
            "avant": avant,
            "apres": apres,
            "differences": comparer(avant, apres, noms),
        },
    )


# --- Projected soustractions ----------------------------------------------------------------------------------


class FormulaireSoustractions(forms.Form):
    """One number of dwellings per category that the acts of the year take out of the flux."""

    def __init__(self, *args, categories: list[NatureSoustraction], **kwargs):
        super().__init__(*args, **kwargs)
        for categorie in categories:
            self.fields[categorie.value] = forms.IntegerField(
                label=categorie.label,
                min_value=0,
                max_value=99_999,
                error_messages={
                    "invalid": "Attendu : un nombre entier de logements, 0 si aucun.",
                    "required": "Attendu : un nombre de logements, 0 si aucun.",
                    "min_value": "Attendu : 0 ou plus.",
                },
                widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
            )


@require_http_methods(["GET", "HEAD", "POST"])
def soustractions(request, bailleur: int, departement: str, annee: int):
    """What the bailleur foresees: read by it and the State, written by it, category by category."""
    acteur = request.acteur
    presence = _presence(acteur, bailleur, departement)
    if not (acteur.systeme or acteur.est_bailleur or acteur.est_service_etat):
        raise Http404
    if request.method == "POST" and not peut_declarer(acteur, presence.bailleur_id):
        raise PermissionDenied("Seul le bailleur déclare ses soustractions prévisionnelles.")
    lignes = list(
        SoustractionPrevisionnelle.objects.visibles_par(acteur)
        .filter(bailleur=bailleur, departement=departement, annee=annee)
        .select_related("saisi_par")
    )
    categories = categories_deduites(bailleur, departement, annee)
    connues = {ligne.categorie: ligne.nombre for ligne in lignes}
    edition = Edition(request, "soustractions", f"{bailleur}-{departement}-{annee}")
    formulaire = FormulaireSoustractions(
        request.POST or None,
        categories=categories,
        initial={categorie.value: connues.get(categorie.value, 0) for categorie in categories},
    )
    if request.method == "POST" and not peut_declarer(acteur, presence.bailleur_id):
        raise PermissionDenied("Seul le bailleur déclare ses soustractions prévisionnelles.")
    if request.method == "POST" and formulaire.is_valid():
        try:
            with edition.seul():
                changees = declarer_soustractions(
                    acteur, presence.bailleur, departement, annee, formulaire.cleaned_data
                )
        except ValidationError as erreur:
            formulaire.add_error(None, erreur)
        else:
            messages.success(
                request,
                f"Soustractions prévisionnelles {annee} enregistrées ; le flux est recalculé."
                if changees
                else "Rien n’a changé.",
            )
            return redirect("flux:detail", bailleur, departement, annee)
    return render(
        request,
        "flux/annuel/soustractions.html",
        {
            "fil": _fil(presence, annee),
            "form": formulaire,
            "edition": edition,
            "cle_historique": f"{bailleur}-{departement}-{annee}",
            "bailleur": presence.bailleur,
            "departement": presence.departement,
            "annee": annee,
            "lignes": lignes,
            "derniere": max(lignes, key=lambda ligne: ligne.saisi_le, default=None),
            "modifiable": peut_declarer(acteur, presence.bailleur_id),
            "echeance": date(annee - 1, 12, 31),
            "exclues": [c for c in NatureSoustraction if c not in categories],
        },
        status=422 if formulaire.errors else 200,
    )


urlpatterns = [
    path("flux/", liste, name="liste"),
    path("flux/export.<str:format_>", exporter_liste, name="export"),
    path("flux/recalculer/", recalculer_tout, name="recalculer_tout"),
    path("flux/recalculs/<int:pk>/", recalcul, name="recalcul"),
    path("flux/recalculs/<int:pk>/avancement/", recalcul_avancement, name="recalcul_avancement"),
    path("flux/<identifiant:bailleur>/<departement:departement>/<annee:annee>/", detail, name="detail"),
    path(
        "flux/<identifiant:bailleur>/<departement:departement>/<annee:annee>/avancement/",
        avancement,
        name="avancement",
    ),
    path(
        "flux/<identifiant:bailleur>/<departement:departement>/<annee:annee>/recalculer/",
        recalculer,
        name="recalculer",
    ),
    path(
        "flux/<identifiant:bailleur>/<departement:departement>/<annee:annee>/versions/",
        versions,
        name="versions",
    ),
    path(
        "flux/<identifiant:bailleur>/<departement:departement>/<annee:annee>/soustractions/",
        soustractions,
        name="soustractions",
    ),
]
