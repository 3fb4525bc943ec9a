"""Periods of days, both ends counted, and their cutting where something changes."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
UN_JOUR = timedelta(days=1)


def jour_a_paris(moment: datetime) -> date:
    """The day that a moment belongs to in Paris. Raises `ValueError` for a moment without time zone."""
    if moment.tzinfo is None:
        raise ValueError("Un moment sans fuseau n’a pas de jour à Paris.")
    return moment.astimezone(PARIS).date()


def fin_du_jour(jour: date) -> datetime:
    """The midnight that ends `jour` in Paris: what comes before it is of that day (23, 24 or 25 hours long)."""
    return datetime.combine(jour + UN_JOUR, time(), PARIS)


class Periode(NamedTuple):
    """From `debut` to `fin`, both days included."""

    debut: date
    fin: date

    @property
    def jours(self) -> int:
        return (self.fin - self.debut).days + 1

    def contient(self, jour: date) -> bool:
        return self.debut <= jour <= self.fin

    def commune_avec(self, autre: "Periode") -> "Periode | None":
        """Days that belong to both, or None."""
        debut, fin = max(self.debut, autre.debut), min(self.fin, autre.fin)
        return Periode(debut, fin) if debut <= fin else None


def annee_civile(annee: int) -> Periode:
    """The flux is reckoned by civil year (R. 441-5)."""
    return Periode(date(annee, 1, 1), date(annee, 12, 31))


def decouper(periode: Periode, bornes: Iterable[Periode]) -> tuple[Periode, ...]:
    """Cut `periode` into the longest periods inside which none of `bornes` begins or ends.

    Whatever depends only on which of `bornes` are running is constant over each part, so work can be done
    per part and never per day. The day after a `fin` is computed only inside `periode`: an act may be open
    until 9999-12-31.
    """
    departs = {periode.debut}
    for borne in bornes:
        if periode.debut < borne.debut <= periode.fin:
            departs.add(borne.debut)
        if periode.debut <= borne.fin < periode.fin:
            departs.add(borne.fin + UN_JOUR)
    dates = sorted(departs)
    fins = [suivant - UN_JOUR for suivant in dates[1:]] + [periode.fin]
    return tuple(Periode(*parts) for parts in zip(dates, fins, strict=True))
