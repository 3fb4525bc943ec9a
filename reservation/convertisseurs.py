"""What may stand in a URL: an address that names nothing possible is a 404, before any query."""

from django.urls import register_converter
from django.urls.converters import IntConverter, StringConverter


class Identifiant(IntConverter):
    """A primary key that PostgreSQL can hold: eighteen digits at most."""

    regex = "[0-9]{1,18}"


class CodeDepartement(StringConverter):
    """INSEE code of a département: 06, 2A, 974."""

    regex = "(?:[0-9]{2,3}|2[AB])"


class Annee(IntConverter):
    """A year that the flux may be asked for: dates of the year before and of the year after exist."""

    regex = "20[0-9]{2}"


register_converter(Identifiant, "identifiant")
register_converter(CodeDepartement, "departement")
register_converter(Annee, "annee")
