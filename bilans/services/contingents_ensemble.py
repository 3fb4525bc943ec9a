"""The contingent of a réservataire that has one nearly everywhere: département by département, before any bailleur is read."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Count

from bilans.regles.contingents import natures_lues
from bilans.services.contingents import largeurs_de_barre
from bilans.services.indicateurs import OUI, Chiffre, Demande, Lignes
from bilans.services.projections import AConvenir, compter_parts_a_convenir
from bilans.services.recus import derniers_recus
from flux.models import Imputation, Nature, PartFlux
from flux.regles.realise import LotImpute, Quart, doit_le_quart, evaluer_quart
from flux.services.cadres import reservataire_de
from flux.services.lecture import presences_visibles
from reservation.acteur import Acteur
from reservation.models import Departement, Organisation
from reservation.perimetre import agir

# Beyond, a line per bailleur is a page of thousands of lines that nobody reads.
DEPARTEMENTS_EN_DETAIL = 20


@dataclass(frozen=True)
class LigneDepartement:
    """A département, in dwellings. `objectif`: reports included, None while nothing is computed; `recus`: bilans received."""

    demande: Demande
    nom: str
    bailleurs: int
    objectif: int | None
    report: int
    realise: int
    quart: Quart | None
    code_reservataire: str
    parts: AConvenir
    recus: int

    @property
    def ecart(self) -> int | None:
        return None if self.objectif is None else self.realise - self.objectif

    @property
    def largeurs(self) -> dict[str, int]:
        return largeurs_de_barre(self.realise, self.objectif)

    def _chiffre(self, nombre: int, priorite: str = "") -> Chiffre:
        d = self.demande
        return Chiffre(
            nombre,
            Lignes(
                "attributions",
                d.annee,
                departement=d.departement,
                reservataire=self.code_reservataire,
                priorite=priorite,
            ),
        )

    @property
    def prioritaires(self) -> Chiffre:
        return self._chiffre(self.quart.prioritaires, OUI)

    @property
    def attributions(self) -> Chiffre:
        return self._chiffre(self.quart.attributions)


@dataclass(frozen=True)
class Ensemble:
    """Every département of the contingent for one year, and their sum."""

    demande: Demande
    lignes: tuple[LigneDepartement, ...]

    @property
    def objectif(self) -> int:
        return sum(x.objectif or 0 for x in self.lignes)

    @property
    def realise(self) -> int:
        return sum(x.realise for x in self.lignes)

    @property
    def bailleurs(self) -> int:
        """Pairs of a bailleur and a département: one bailleur counts in each of its départements."""
        return sum(x.bailleurs for x in self.lignes)

    @property
    def recus(self) -> int:
        return sum(x.recus for x in self.lignes)


@agir(Acteur.du_systeme("contingent d’un réservataire"), lecture_seule=True)
def lire_ensemble(acteur: Acteur, annee: int, annees_des_parts: Collection[int], jour: date) -> Ensemble:
    """The contingent of the réservataire that `acteur` acts for, summed where each share is computed. Eight queries.

    The sums are those of `lire_contingent`, of which a département is one click away. `annees_des_parts`: years of the
    forecast shares to agree on.
    """
    organisation = Organisation.objects.get(pk=acteur.organisation_id)
    code = organisation.code_reservataire
    bailleurs = Counter(presences_visibles(acteur).order_by().values_list("departement_id", flat=True))
    parts = _parts(acteur, annee, code)
    quarts = _quarts(organisation, annee)
    a_convenir = compter_parts_a_convenir(acteur, annees_des_parts)
    recus = dict(
        derniers_recus(acteur)
        .filter(annee=annee)
        .order_by()
        .values_list("departement_id")
        .annotate(Count("pk"))
    )
    noms = Departement.objects.filter(pk__in=bailleurs.keys() | parts.keys()).order_by("pk")
    lignes = []
    for departement, nom in noms.values_list("pk", "nom"):
        lues = [_retenir(natures, annee, jour) for natures in parts.get(departement, {}).values()]
        lignes.append(
            LigneDepartement(
                demande=Demande(annee, departement=departement),
                nom=nom,
                bailleurs=bailleurs[departement],
                objectif=sum(objectif for objectif, _, _ in lues) if lues else None,
                report=sum(report for _, report, _ in lues),
                realise=sum(realise for _, _, realise in lues),
                quart=quarts.get(departement),
                code_reservataire=code,
                parts=a_convenir.get(departement, AConvenir(0, 0)),
                recus=recus.get(departement, 0),
            )
        )
    return Ensemble(Demande(annee), tuple(lignes))


Natures = Mapping[str, tuple[int, int, int]]


def _parts(acteur: Acteur, annee: int, code: str) -> dict[str, dict[int, Natures]]:
    """Département → bailleur → nature → (objective, report, realise) of the calculation in force."""
    parts: dict[str, dict[int, dict[str, tuple[int, int, int]]]] = defaultdict(lambda: defaultdict(dict))
    lues = PartFlux.objects.visibles_par(acteur).filter(
        calcul__annee=annee, calcul__en_vigueur=True, code=code
    )
    for departement, bailleur, nature, *nombres in lues.order_by().values_list(
        "departement_id", "bailleur_id", "calcul__nature", "objectif_total", "report", "realise"
    ):
        parts[departement][bailleur][nature] = tuple(nombres)
    return parts


def _retenir(natures: Natures, annee: int, jour: date) -> tuple[int, int, int]:
    """Objective and report where the share of the year is read; done: always what is observed."""
    objectif, report, _ = next(natures[n] for n in natures_lues(annee, jour) if n in natures)
    constate = natures.get(Nature.DEFINITIF)
    return objectif, report, constate[2] if constate else 0


def _quarts(organisation: Organisation, annee: int) -> dict[str, Quart]:
    """Département → the quarter of this contingent, on the attributions of the year."""
    reservataire = reservataire_de(organisation.type, organisation.code)
    if not doit_le_quart(reservataire):
        return {}
    lots: dict[str, list[LotImpute]] = defaultdict(list)
    comptes = (
        Imputation.objects.attribuees_en(annee)
        .filter(reservataire=organisation, titre=reservataire.code)
        .order_by()
        .values_list("departement_id", "titre", "detail")
        .annotate(Count("pk"))
    )
    for departement, titre, detail, nombre in comptes:
        lots[departement].append(LotImpute(titre, detail, False, True, False, False, nombre))
    return {departement: evaluer_quart(reservataire, siens) for departement, siens in lots.items()}
