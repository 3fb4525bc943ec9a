"""Fields that several forms share: days and rates as people type them."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from django import forms
from django.db.models import Model

from reservation.services.lecture_conventions import nombre_fr


class ChampDate(forms.DateField):
    """A day typed by hand or picked: ISO from the browser's picker, jj/mm/aaaa from people."""

    def __init__(self, **kwargs):
        kwargs.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        kwargs.setdefault("input_formats", ["%Y-%m-%d", "%d/%m/%Y"])
        kwargs["error_messages"] = {
            "required": "Indiquez une date.",
            "invalid": "Cette date n’existe pas ; attendu : jj/mm/aaaa, par exemple 14/04/2026.",
        } | kwargs.get("error_messages", {})
        super().__init__(**kwargs)


class ChampTaux(forms.DecimalField):
    """A rate, exact: "28,63" or "28.63", shown without idle zeros."""

    def __init__(self, **kwargs):
        kwargs.setdefault(
            "widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "size": 8})
        )
        kwargs.setdefault("min_value", 0)
        kwargs.setdefault("max_value", 100)
        kwargs.setdefault("max_digits", 9)
        kwargs.setdefault("decimal_places", 6)
        kwargs["error_messages"] = {
            "required": "Indiquez un nombre, par exemple 28,63.",
            "invalid": "Ce n’est pas un nombre ; attendu : par exemple 28,63.",
            "min_value": "Attendu : un nombre entre 0 et 100.",
            "max_value": "Attendu : un nombre entre 0 et 100.",
            "max_decimal_places": "Six décimales au plus.",
        } | kwargs.get("error_messages", {})
        super().__init__(**kwargs)

    def to_python(self, value) -> Decimal | None:
        if isinstance(value, str):
            value = "".join(value.split()).replace(",", ".")
        return super().to_python(value)

    def prepare_value(self, value):
        return nombre_fr(value) if isinstance(value, Decimal) else value


class ChampChoixBool(forms.TypedChoiceField):
    """A question with two written answers: nobody has to guess what an unticked box means."""

    def __init__(self, *, oui: str, non: str, **kwargs):
        kwargs.setdefault("widget", forms.RadioSelect)
        super().__init__(
            choices=[("oui", oui), ("non", non)],
            coerce=lambda valeur: valeur == "oui",
            empty_value=None,
            error_messages={"required": "Choisissez une réponse."},
            **kwargs,
        )

    def prepare_value(self, value):
        return {True: "oui", False: "non"}.get(value, value)


class ChampObjet(forms.TypedChoiceField):
    """One of a few objects that the page lists anyway: read once, found again without another query."""

    def __init__(self, **kwargs):
        super().__init__(coerce=self._retrouver, empty_value=None, **kwargs)
        self._objets: dict[str, Model] = {}

    def proposer(self, objets: Iterable[Model], libelle: Callable[[Model], str] = str) -> None:
        """Set what may be chosen, in this order."""
        self._objets = {str(objet.pk): objet for objet in objets}
        self.choices = [("", "Choisir"), *((cle, libelle(objet)) for cle, objet in self._objets.items())]

    def _retrouver(self, cle: str) -> Model:
        return self._objets[cle]

    def __deepcopy__(self, memo):
        copie = super().__deepcopy__(memo)
        copie.coerce = copie._retrouver
        return copie
