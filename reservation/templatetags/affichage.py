"""Display filters, available in every template: one for numbers, one for rates, one for dates, one for signs."""

from datetime import date, datetime, time
from fractions import Fraction

from django import template
from django.utils import timezone

from reservation.regles.typographie import (
    INSECABLE,
    date_fr,
    decimal_fr,
    heure_fr,
    jour_semaine_fr,
    minuscule,
    taux_fr,
)

register = template.Library()
register.filter("minuscule", minuscule)


@register.filter
def nombre(valeur, decimales: int = 0) -> str:
    """12846 → "12 846", "241.0646"|nombre:2 → "241,06"; None → "–". Never fed with a float."""
    if valeur is None or valeur == "":
        return "–"
    return decimal_fr(Fraction(valeur), decimales)


@register.filter
def ecart(valeur) -> str:
    """A signed difference: +3, −5, 0."""
    if valeur is None:
        return "–"
    return f"+{nombre(valeur)}" if valeur > 0 else nombre(valeur)


@register.filter
def retranche(valeur) -> str:
    """A quantity taken off: 94 → "−94", 0 → "0"."""
    return nombre(-valeur) if valeur else "0"


@register.filter
def points(valeur) -> str:
    """A rate in points of the flux: Decimal("28.6300") → "28,63"; at least two decimals, more if it has more."""
    return "–" if valeur is None or valeur == "" else taux_fr(Fraction(valeur))


@register.filter
def jour(valeur: date | datetime | None) -> str:
    """A day written out with a non-breaking space: 1er mars 2026."""
    if not valeur:
        return "–"
    if isinstance(valeur, datetime):
        valeur = timezone.localtime(valeur).date() if timezone.is_aware(valeur) else valeur.date()
    return date_fr(valeur).replace(" ", INSECABLE)


@register.filter
def jour_semaine(valeur: date) -> str:
    """A day with its name: jeudi 8 octobre 2026."""
    return jour_semaine_fr(valeur).replace(" ", INSECABLE)


@register.filter
def heure(valeur: time | None) -> str:
    """An hour: 14 h, 9 h 05."""
    return heure_fr(valeur) if valeur else "–"


@register.filter
def instant(valeur: datetime | None) -> str:
    """A moment: 22 mai 2026 à 9 h 14 (Europe/Paris)."""
    if not valeur:
        return "–"
    local = timezone.localtime(valeur)
    return f"{jour(local.date())} à {local.hour}\u00a0h\u00a0{local.minute:02d}"


@register.filter
def accord(nombre_: int, formes: str) -> str:
    """Agreement in number: {{ n|accord:"logement,logements" }}; zero is singular in French."""
    singulier, pluriel = formes.split(",")
    return pluriel if abs(nombre_) >= 2 else singulier


@register.filter
def cle(dictionnaire: dict, nom):
    """The value of a dictionary under a computed key, or None."""
    return dictionnaire.get(nom)
