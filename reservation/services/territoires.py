"""Finding a territory as people write it: no accent, no capital, « St » for « Saint »."""

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from reservation.models import Commune, cle_de_tri

ABREVIATIONS = {"st": "saint", "ste": "sainte", "sts": "saints", "stes": "saintes"}


def cle_de_recherche(texte: str) -> str:
    """What a person typed, as names are keyed: "St-Étienne" → "saint etienne"."""
    return " ".join(ABREVIATIONS.get(mot, mot) for mot in cle_de_tri(texte).split())


def chercher_communes(texte: str, departements: tuple[str, ...] | None = None) -> QuerySet[Commune]:
    """Communes whose name has a word that starts like `texte`, or whose INSEE or postal code it is.

    Names that start like it come first. Nothing typed, nothing found. `departements`: INSEE codes to stay in.
    """
    cle = cle_de_recherche(texte)
    if not cle:
        return Commune.objects.none()
    code = cle.replace(" ", "").upper()
    communes = Commune.objects.filter(
        Q(nom_tri__startswith=cle)
        | Q(nom_tri__contains=f" {cle}")
        | Q(code=code)
        | Q(codes_postaux__contains=[code])
    )
    if departements is not None:
        communes = communes.filter(departement__in=departements)
    debut = Case(When(nom_tri__startswith=cle, then=Value(0)), default=Value(1), output_field=IntegerField())
    return communes.order_by(debut, "nom_tri", "code")
