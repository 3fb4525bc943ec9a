"""Reads the validated bilans of a year into the one tree that every regional rendering prints.

The figures are those of the documents that were validated, as frozen; four queries, whatever the number of bailleurs.
Who reads what (domain, chapters 2 and 12): the COPIL (DREAL, union HLM, ALS) its région with small counts hidden, the
services of the State their département as it is, everybody the open data, hidden like the COPIL's.
"""

from collections.abc import Collection, Sequence

from django.db.models import Exists, JSONField, OuterRef, Subquery
from django.db.models.expressions import RawSQL
from django.utils import timezone

from bilans.models import Bilan, DocumentBilan, EtapeBilan
from bilans.regles.consolidation import BilanAttendu, Consolidation, consolider
from bilans.regles.cycle import ActeBilan, EtatBilan
from bilans.regles.donnees import Territoire, depuis_json
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Departement, Region
from reservation.perimetre import agir

from .cycle import etats_des_bilans

# Lines and cross tables are most of the weight of a tree, and say nothing here: they stay in the database.
_INUTILES = ("attributions", "croises", "partages_communes", "conventions", "operations")


def peut_lire(acteur: Acteur) -> bool:
    """The COPIL and the services of the State."""
    return acteur.est_copil or acteur.est_service_etat or _est_als(acteur)


def _est_als(acteur: Acteur) -> bool:
    return acteur.type_organisation == TypeOrganisation.ACTION_LOGEMENT


def lit_sans_masque(acteur: Acteur) -> bool:
    """Whether small counts are shown: the services of the State, in their département."""
    return acteur.systeme or acteur.est_service_etat


def _perimetre(acteur: Acteur) -> Collection[str] | None:
    """Codes of the départements that `acteur` reads; None: all of them (ALS has no other territory)."""
    return None if acteur.systeme or _est_als(acteur) else acteur.departements


def regions(acteur: Acteur) -> list[Territoire]:
    """Régions of which `acteur` reads something, by name; the only one of a DREAL, of a union HLM, of a DDETS."""
    if not peut_lire(acteur):
        return []
    perimetre = _perimetre(acteur)
    lieux = Departement.objects.filter(region__isnull=False)
    if perimetre is None:
        with agir(Acteur.du_systeme("régions qui ont un bilan")):
            codes = list(
                _valides(Bilan.objects.all()).order_by().values_list("departement", flat=True).distinct()
            )
        lieux = lieux.filter(pk__in=codes)
    else:
        lieux = lieux.filter(pk__in=perimetre)
    vues = Region.objects.filter(pk__in=lieux.values("region")).order_by("nom_tri", "pk")
    return [Territoire(r.pk, r.nom) for r in vues]


def annees(acteur: Acteur, region: str = "") -> list[int]:
    """Years of which a bilan is validated there, the last first."""
    lieux = _departements(acteur, region)
    with agir(Acteur.du_systeme("années qui ont un bilan")):
        return list(
            _valides(Bilan.objects.filter(departement__in=[d.pk for d in lieux]))
            .order_by("-annee")
            .values_list("annee", flat=True)
            .distinct()
        )


def lire_consolidation(acteur: Acteur, annee: int, region: str = "") -> Consolidation | None:
    """What `acteur` reads of `annee` in `region` (code; "": its first). None: it reads nothing there."""
    lues = lire_plusieurs(acteur, [annee], region)
    return lues[0] if lues else None


def lire_plusieurs(acteur: Acteur, des_annees: Sequence[int], region: str = "") -> list[Consolidation]:
    """The same for several years, in their order; none when `acteur` reads nothing there."""
    lieux = _departements(acteur, region)
    if not lieux:
        return []
    territoire = Territoire(lieux[0].region_id, lieux[0].region.nom)
    attendus = _attendus([lieu.pk for lieu in lieux], des_annees)
    return [
        consolider(annee, territoire, attendus.get(annee, []), masque=not lit_sans_masque(acteur))
        for annee in des_annees
    ]


def lire_en_systeme(
    annee: int, region: str, departements: Collection[str] | None = None, *, masque: bool = True
) -> Consolidation | None:
    """What a task prints again for those who read it: a whole région, or some of its départements. None: no such place."""
    lieux = Departement.objects.filter(region=region).select_related("region").order_by("code")
    if departements is not None:
        lieux = lieux.filter(pk__in=departements)
    if not lieux:
        return None
    attendus = _attendus([lieu.pk for lieu in lieux], [annee])
    return consolider(annee, Territoire(region, lieux[0].region.nom), attendus[annee], masque=masque)


def exercices_publies() -> list[tuple[str, int]]:
    """(région, year) of which a bilan is validated, in order."""
    with agir(Acteur.du_systeme("exercices des données ouvertes")):
        return list(
            _valides(Bilan.objects.filter(departement__region__isnull=False))
            .order_by("departement__region", "annee")
            .values_list("departement__region", "annee")
            .distinct()
        )


def _departements(acteur: Acteur, region: str) -> list[Departement]:
    """Départements of one région that `acteur` reads, by code."""
    if not (acteur.systeme or peut_lire(acteur)):
        return []
    choisie = region or next((r.code for r in regions(acteur)), "")
    lieux = Departement.objects.filter(region=choisie).select_related("region").order_by("code")
    perimetre = _perimetre(acteur)
    return list(lieux if perimetre is None else lieux.filter(pk__in=perimetre))


def _valides(bilans):
    return bilans.filter(Exists(EtapeBilan.objects.filter(bilan=OuterRef("pk"), acte=ActeBilan.VALIDER)))


@agir(Acteur.du_systeme("consolidation des bilans validés"))
def _attendus(departements: Collection[str], des_annees: Collection[int]) -> dict[int, list[BilanAttendu]]:
    """Year → bilans of these départements, by département then name; those validated with their frozen figures."""
    derniere = EtapeBilan.objects.filter(bilan=OuterRef("pk"), acte=ActeBilan.VALIDER).order_by("-rang")
    bilans = list(
        Bilan.objects.filter(departement__in=departements, annee__in=des_annees)
        .select_related("bailleur", "departement")
        .annotate(
            etat=etats_des_bilans(),
            valide=Subquery(derniere.values("document")[:1]),
            valide_le=Subquery(derniere.values("le")[:1]),
        )
        .order_by("departement", "bailleur__nom_tri", "pk")
    )
    documents = {
        d.pk: d
        for d in DocumentBilan.objects.filter(pk__in=[b.valide for b in bilans if b.valide])
        .select_related("bilan", "bailleur")
        .defer("donnees")
        .annotate(lues=RawSQL("bilans_documentbilan.donnees - %s::text[]", [[*_INUTILES]], JSONField()))
    }
    lus: dict[int, list[BilanAttendu]] = {annee: [] for annee in des_annees}
    for bilan in bilans:
        etat = EtatBilan(bilan.etat or EtatBilan.PREPARATION)
        document = documents.get(bilan.valide)
        lus[bilan.annee].append(
            BilanAttendu(
                bailleur=bilan.bailleur_id,
                nom=bilan.bailleur.nom,
                siren=bilan.bailleur.siren or "",
                departement=Territoire(bilan.departement_id, bilan.departement.nom),
                etat=etat.value,
                etat_libelle=etat.libelle,
                donnees=depuis_json(document.lues | dict.fromkeys(_INUTILES, ())) if document else None,
                numero=document.numero if document else "",
                empreinte=document.empreinte_donnees if document else "",
                valide_le=timezone.localdate(bilan.valide_le) if document else None,
            )
        )
    return lus
