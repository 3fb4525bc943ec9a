"""The assiette: what part of the parc is subject to gestion en flux (domain, chapter 3; R. 441-5)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reservation.regles import articles
from reservation.regles.etapes import Etape
from reservation.regles.statut import STATUTS_DANS, STATUTS_HORS, Exclusions, StatutLogement
from reservation.regles.typographie import entier_fr, minuscule


class LotParc(NamedTuple):
    """Dwellings alike: `nombre` of them, of which `loues_ou_proposes` are let or on offer (MODE 1, 2)."""

    commune: str
    qpv: bool
    statut: StatutLogement
    nombre: int
    loues_ou_proposes: int


@dataclass(frozen=True, slots=True)
class Assiette:
    """Dwellings at 1 January. `parc` = `soumis` + the sum of `hors`; `soumis` = the sum of `dans`.

    `dans` and `hors` leave zeros out. `soumis_par_commune`: (commune, in QPV) → dwellings of the assiette, the
    key on which a collectivité's share of a projected flux rests.
    """

    parc: int
    soumis: int
    loues_ou_proposes: int
    dans: Mapping[StatutLogement, int]
    hors: Mapping[StatutLogement, int]
    soumis_par_commune: Mapping[tuple[str, bool], int]


ASSIETTE_VIDE = Assiette(0, 0, 0, {}, {}, {})


def calculer_assiette(lots: Iterable[LotParc]) -> Assiette:
    """Count the parc by status. The order of lots and the way they are grouped change nothing."""
    par_statut: Counter[StatutLogement] = Counter()
    par_commune: Counter[tuple[str, bool]] = Counter()
    loues = 0
    for commune, qpv, statut, nombre, dont_loues in lots:
        par_statut[statut] += nombre
        if statut in STATUTS_DANS:
            par_commune[commune, qpv] += nombre
            loues += dont_loues
    dans = {statut: par_statut[statut] for statut in STATUTS_DANS if par_statut[statut]}
    hors = {statut: par_statut[statut] for statut in STATUTS_HORS if par_statut[statut]}
    soumis = sum(dans.values())
    return Assiette(
        parc=soumis + sum(hors.values()),
        soumis=soumis,
        loues_ou_proposes=loues,
        dans=dans,
        hors=hors,
        soumis_par_commune={cle: nombre for cle, nombre in sorted(par_commune.items()) if nombre},
    )


def expliquer_assiette(assiette: Assiette, exclusions: Exclusions) -> tuple[Etape, ...]:
    """The cascade from the parc to the assiette, one line per reason, zeros said."""
    etapes = [Etape("assiette.parc", "Parc au 1er janvier", assiette.parc, "RPLS", articles.REPERTOIRE)]
    for statut in STATUTS_HORS:
        etapes.append(
            Etape(
                f"assiette.hors.{statut}",
                statut.libelle,
                -assiette.hors.get(statut, 0),
                _origine(statut, exclusions),
                statut.article,
                niveau=1,
            )
        )
    etapes.append(
        Etape(
            "assiette.soumis",
            "Assiette",
            assiette.soumis,
            f"{entier_fr(assiette.parc)} − {entier_fr(assiette.parc - assiette.soumis)}",
            articles.ASSIETTE,
        )
    )
    for statut in STATUTS_DANS:
        etapes.append(
            Etape(
                f"assiette.dans.{statut}",
                f"dont {minuscule(statut.libelle)}",
                assiette.dans.get(statut, 0),
                _origine(statut, exclusions),
                statut.article,
                niveau=1,
            )
        )
    etapes.append(
        Etape(
            "assiette.loues_ou_proposes",
            "Loués ou proposés à la location",
            assiette.loues_ou_proposes,
            "RPLS : MODE 1 et 2 ; base du taux de rotation",
            articles.ASSIETTE,
        )
    )
    return tuple(etapes)


_ORIGINES = {
    StatutLogement.CONVENTIONNE: "RPLS : CONV 1",
    StatutLogement.AVANT_1977: "RPLS : CONV 2 et FINAN 50 à 55 ou 99",
    StatutLogement.DECONVENTIONNE_L411_6: "indicateur tenu par le bailleur",
    StatutLogement.HORS_PARC: "RPLS : SORTIEPATRIM 1 à 5, MODE 9",
    StatutLogement.FOYER_RESIDENCE: "indicateur tenu par le bailleur",
    StatutLogement.DEFENSE_SECURITE_SANTE: "indicateur tenu par le bailleur",
    StatutLogement.SEM_NON_CONVENTIONNE: "bailleur SEM, RPLS : CONV 2",
    StatutLogement.PLI: "RPLS : FINAN 16",
    StatutLogement.LOCALE: "indicateur tenu par le bailleur",
    StatutLogement.VENTE_DEMOLITION: "indicateur tenu par le bailleur",
    StatutLogement.HORS_CHAMP: "RPLS : CONV et FINAN",
}


def _origine(statut: StatutLogement, exclusions: Exclusions) -> str:
    """Where the figure comes from, and what the convention says of the reason when it has its say."""
    choix = {
        StatutLogement.PLI: exclusions.pli,
        StatutLogement.LOCALE: bool(exclusions.locales),
        StatutLogement.VENTE_DEMOLITION: exclusions.vente_demolition,
    }
    if statut not in choix:
        return _ORIGINES[statut]
    if choix[statut]:
        return f"{_ORIGINES[statut]} ; exclusion prévue par la convention"
    return "la convention n’en prévoit pas l’exclusion"
