"""What the templates of documents need besides the filters of every template."""

from django import template

from reservation.documents.typographie import baliser, composer

register = template.Library()
register.filter("baliser", baliser)
register.filter("composer", composer)


@register.filter
def imprimer(texte: object) -> str:
    """Any value as a document prints it: French typography, characters of the font, "1er" raised."""
    return baliser(composer(str(texte)))
