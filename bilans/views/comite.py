"""The pages of the COPIL: its région, a département, a bailleur there; compared, over the years, on a map.

Every figure is read in the consolidation of the validated bilans (`bilans.services.consolidation`), which says who reads
what and hides small counts; nothing is counted here.
"""

from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import urlencode

from django.http import Http404
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from bilans.regles.consolidation import ALS, BAILLEUR, ETAT, CommuneFlux, Consolidation, Ligne, Niveau
from bilans.regles.dessins_copil import (
    CLASSES,
    SANS_OBJET,
    Cercle,
    Forme,
    cartographier,
    classe,
    placer_communes,
    taux,
    tracer,
)
from bilans.services import cartes, consolidation
from bilans.views.cycle_suites import copils_de
from reservation.models import Departement
from reservation.regles.typographie import decimal_fr

ANNEES_AFFICHEES = 5
# What is counted, for everybody alike. Only the first is what the conventions oppose to the objective.
EVENEMENTS = {
    "realise": "Événement de chaque convention",
    "attributions": "Attribution (date de la CALEOL)",
    "baux": "Bail signé, pour information",
}


@dataclass(frozen=True, slots=True)
class LigneVue:
    """A line of the comparison. `realise` among `du`: the State, for the event chosen; `ecart`: for that of the conventions.

    `realise` None: hidden, and the rates with it.
    """

    ligne: Ligne
    url: str
    realise: int | None
    du: int | None
    ecart: int | None
    taux: Fraction | None
    classe: int | None

    @property
    def pourcentage(self) -> str:
        return "" if self.taux is None else f"{decimal_fr(self.taux, 1)} %"

    @property
    def points(self) -> str:
        """What was done for the State, in points of the flux; "" without flux."""
        if self.realise is None or self.ligne.flux <= 0:
            return ""
        return decimal_fr(taux(self.realise, self.ligne.flux), 2)

    @property
    def etat(self):
        return self.ligne.contingent(ETAT)

    @property
    def als(self):
        return self.ligne.quart(ALS)

    @property
    def bailleurs(self):
        return self.ligne.quart(BAILLEUR)


def _vue(ligne: Ligne, evenement: str, url: str = "") -> LigneVue:
    etat = ligne.contingent(ETAT)
    realise = getattr(etat, evenement)
    valeur = None if realise is None else taux(realise, etat.du)
    return LigneVue(
        ligne, url, realise, etat.du, etat.ecart if evenement == "realise" else None, valeur, classe(valeur)
    )


def _ligne(lue: Consolidation, departement: str, bailleur: str) -> Ligne | None:
    try:
        if bailleur:
            return lue.ligne(Niveau.BAILLEUR, bailleur, departement)
        return lue.ligne(Niveau.DEPARTEMENT, departement) if departement else lue.racine
    except StopIteration:
        return None


def _page(request, departement: str = "", bailleur: str = ""):
    """`annee`, `region`, `evenement` of the address; a value nobody offered is the first offered."""
    acteur = request.acteur
    if not consolidation.peut_lire(acteur):
        raise Http404("Ces pages sont celles du comité de pilotage et des services de l’État.")
    regions = consolidation.regions(acteur)
    voulue = request.GET.get("region", "")
    region = next((r for r in regions if r.code == voulue), regions[0] if regions else None)
    annees = consolidation.annees(acteur, region.code) if region else []
    annee = next((a for a in annees if str(a) == request.GET.get("annee", "")), annees[0] if annees else None)
    evenement = request.GET.get("evenement", "")
    evenement = evenement if evenement in EVENEMENTS else "realise"
    if annee is None:
        if departement:
            raise Http404("Aucun bilan validé à lire.")
        return render(request, "bilans/comite/page.html", {"region": region, "regions": regions})
    depuis = sorted({annee, *[a for a in annees if a <= annee][:ANNEES_AFFICHEES]})
    lues = consolidation.lire_plusieurs(acteur, depuis, region.code)
    lue = lues[-1]
    ligne = _ligne(lue, departement, bailleur)
    if ligne is None:
        raise Http404("Rien de tel dans ce que vous lisez.")
    choix = "?" + urlencode({"annee": annee, "region": region.code, "evenement": evenement})

    def adresse(x: Ligne) -> str:
        if x.niveau == Niveau.DEPARTEMENT:
            return reverse("bilans:comite_departement", args=(x.code,)) + choix
        return reverse("bilans:comite_bailleur", args=(x.departement, x.code)) + choix

    vues = [_vue(x, evenement, adresse(x)) for x in ligne.enfants]
    evolution = [
        (autre.annee, _vue(x, evenement))
        for autre in lues
        if (x := _ligne(autre, departement, bailleur)) is not None and x.valide
    ]
    fil = [(lue.region.nom, reverse("bilans:comite") + choix)] if departement else []
    if bailleur:
        parent = lue.ligne(Niveau.DEPARTEMENT, departement)
        fil.append((parent.intitule, adresse(parent)))
    return render(
        request,
        "bilans/comite/page.html",
        {
            "fil": fil,
            "region": region,
            "regions": regions,
            "annees": annees,
            "annee": annee,
            "evenement": evenement,
            "evenements": EVENEMENTS,
            "lue": lue,
            "ligne": ligne,
            "vue": _vue(ligne, evenement),
            "vues": vues,
            "carte": _carte(lue, evenement, adresse, departement),
            "carte_communes": _carte_communes(ligne),
            "classes": [*enumerate(libelle for _, libelle in CLASSES)],
            "sans_objet": SANS_OBJET,
            "evolution": evolution,
            "courbe": tracer([(an, v.taux) for an, v in evolution]),
            "bilan_valide": copils_de(acteur)
            .filter(annee=annee, departement=departement, bailleur=bailleur)
            .first()
            if bailleur and acteur.est_copil
            else None,
            "choix": choix,
        },
    )


@dataclass(frozen=True, slots=True)
class LieuDessine:
    """`vue` None: no bilan is expected there this year."""

    forme: Forme
    vue: LigneVue | None
    ici: bool


def _carte(lue: Consolidation, evenement: str, adresse, ici: str) -> dict | None:
    """The map of the région (the COPIL) or of the départements read, with the address of each that has bilans."""
    par_code = {x.code: _vue(x, evenement, adresse(x)) for x in lue.departements}
    codes = set(par_code)
    if lue.masque:
        codes |= set(Departement.objects.filter(region=lue.region.code).values_list("pk", flat=True))
    dessin = cartographier(cartes.contours_des_departements(), sorted(codes), cartes.contours_d_outre_mer())
    if dessin is None:
        return None
    lieux = [LieuDessine(forme, par_code.get(forme.code), forme.code == ici) for forme in dessin.formes]
    return {"cadre": dessin.cadre, "texte": dessin.texte, "lieux": lieux}


@dataclass(frozen=True, slots=True)
class CommuneDessinee:
    cercle: Cercle
    commune: CommuneFlux


def _carte_communes(ligne: Ligne) -> dict | None:
    """The flux of each commune of a département, where it is; None elsewhere, or without outline."""
    lieu = cartes.lieux().get(ligne.code) if ligne.niveau == Niveau.DEPARTEMENT and ligne.communes else None
    if lieu is None:
        return None
    par_code = {c.code: c for c in ligne.communes}
    dessin = placer_communes(
        lieu["contour"], lieu["communes"], [(c.code, c.nom, c.flux) for c in ligne.communes]
    )
    return {
        "dessin": dessin,
        "communes": [CommuneDessinee(cercle, par_code[cercle.code]) for cercle in dessin.cercles],
        "ailleurs": [par_code[code] for code in dessin.ailleurs],
    }


@require_safe
def region(request):
    return _page(request)


@require_safe
def departement(request, code: str):
    return _page(request, code)


@require_safe
def bailleur(request, code: str, pk: int):
    return _page(request, code, str(pk))


urlpatterns = [
    path("copil/", region, name="comite"),
    path("copil/<slug:code>/", departement, name="comite_departement"),
    path("copil/<slug:code>/<identifiant:pk>/", bailleur, name="comite_bailleur"),
]
