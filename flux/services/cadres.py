"""Under which acts a bailleur × département lives in a year: read once for a whole batch, used by all services."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from django.db import connection

from reservation.acteur import TypeOrganisation
from reservation.models import Organisation
from reservation.regles.actes import (
    BAILLEUR,
    ZERO,
    Acte,
    Regime,
    Reservataire,
    acte_regissant,
    regime_de_l_annee,
)
from reservation.services import conventions

Paire = tuple[int, str]
"""(primary key of the bailleur, code of the département): the unit of every calculation."""


def reservataire_de(type_: str, code: str) -> Reservataire:
    """Whose contingent an organisation is: the bailleur's own ("non réservé"), or a holder of rights."""
    return BAILLEUR if type_ == TypeOrganisation.BAILLEUR else conventions.reservataire_de(type_, code)


@dataclass(frozen=True, slots=True)
class VersionSignee:
    """One version of a signed act, and the period over which it is the text in force (both days included)."""

    id: int
    organisation_id: int
    nom: str
    reservataire: Reservataire
    libelle: str
    debut: date
    fin: date
    taux_rotation: Decimal | None
    echelle: str
    modele: str


@dataclass(frozen=True)
class Cadre:
    """What governs a pair in a year. `versions`: of every act that began by 31 December, expired ones included.

    `actes`: the rules' acts that overlap the year, in the order of the lists.
    """

    paire: Paire
    annee: int
    famille: str
    actes: tuple[Acte, ...]
    versions: tuple[VersionSignee, ...]

    @cached_property
    def regime(self) -> Regime:
        return regime_de_l_annee(self.actes, self.annee)

    def version(self, code: str, jour: date) -> VersionSignee | None:
        """The version in force on `jour` for the réservataire of this code."""
        return next(
            (v for v in self.versions if v.reservataire.code == code and v.debut <= jour <= v.fin), None
        )

    @cached_property
    def version_regissante(self) -> VersionSignee | None:
        """The État's version that governs the year (rate of rotation agreed, scale of the État's share)."""
        acte = acte_regissant(self.actes, self.annee)
        return self.version("ETAT", max(acte.debut, date(self.annee, 1, 1))) if acte else None

    @property
    def organisations(self) -> dict[str, int]:
        """Code of réservataire → primary key of the organisation that holds its acts, and the bailleur's own."""
        return {v.reservataire.code: v.organisation_id for v in self.versions} | {"BAILLEUR": self.paire[0]}

    def completer(self, codes: Iterable[str]) -> tuple[Acte, ...]:
        """The acts of the year, with the expired act of each réservataire of `codes` that has none in it.

        An attribution of March may bear on a dwelling freed in November under an act that ended in December:
        its réservataire has no share in the year, but it has a realised.
        """
        presents = {acte.reservataire.code for acte in self.actes}
        anciens = [
            Acte(v.reservataire, v.debut, v.fin, ZERO, libelle=v.libelle)
            for code in sorted({*codes} - presents - {"BAILLEUR"})
            for v in [*(v for v in self.versions if v.reservataire.code == code)][-1:]
        ]
        return (*self.actes, *anciens) if anciens else self.actes


def charger_cadres(paires: Collection[Paire], annee: int) -> dict[Paire, Cadre]:
    """The frame of each pair for `annee`, in a constant number of queries."""
    actes = conventions.actes_par_paire(annee, paires)
    versions = _versions(paires, annee)
    familles = dict(
        Organisation.objects.filter(pk__in={bailleur for bailleur, _ in paires}).values_list("pk", "famille")
    )
    return {
        paire: Cadre(
            paire,
            annee,
            familles[paire[0]],
            tuple(sorted(actes.get(paire, ()), key=lambda acte: (acte.reservataire.rang, acte.debut))),
            tuple(versions.get(paire, ())),
        )
        for paire in paires
    }


VERSIONS = """
SELECT v.bailleur_id, v.departement_id, v.id, v.reservataire_id, r.nom, r.type, r.code, c.nature, c.numero, v.rang,
       greatest(v.effet, c.debut),
       least(c.fin, coalesce(lead(v.effet) OVER (PARTITION BY v.convention_id ORDER BY v.effet) - 1, c.fin)),
       v.taux_rotation, v.echelle, c.modele
FROM unnest(%s::bigint[], %s::text[]) AS p(bailleur_id, departement_id)
JOIN reservation_versionconvention v USING (bailleur_id, departement_id)
JOIN reservation_convention c ON c.id = v.convention_id
JOIN reservation_organisation r ON r.id = v.reservataire_id
WHERE c.etat <> 'BROUILLON' AND v.signee_le IS NOT NULL AND c.debut <= %s
ORDER BY v.bailleur_id, v.departement_id, v.reservataire_id, c.debut, v.effet
"""


def _versions(paires: Collection[Paire], annee: int) -> dict[Paire, list[VersionSignee]]:
    par_paire: dict[Paire, list[VersionSignee]] = {}
    with connection.cursor() as curseur:
        curseur.execute(VERSIONS, [*colonnes(paires), date(annee, 12, 31)])
        for (
            bailleur,
            departement,
            pk,
            organisation,
            nom,
            type_,
            code,
            nature,
            numero,
            rang,
            *dates,
        ) in curseur:
            par_paire.setdefault((bailleur, departement), []).append(
                VersionSignee(
                    pk,
                    organisation,
                    nom,
                    reservataire_de(type_, code),
                    conventions.nom_de_version(nature, numero, rang),
                    *dates,
                )
            )
    return par_paire


def colonnes(paires: Iterable[Paire]) -> tuple[list[int], list[str]]:
    """Two parallel lists for `unnest(%s::bigint[], %s::text[])`."""
    triees: Sequence[Paire] = sorted(paires)
    return [bailleur for bailleur, _ in triees], [departement for _, departement in triees]
