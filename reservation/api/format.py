"""JSON in UTF-8, in and out, whatever the Accept header says: there is one representation."""

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser


class AnalyseurJson(JSONParser):
    """Refuses as unreadable what Python's decoder would choke on: another charset, a thousand brackets."""

    def parse(self, stream, media_type=None, parser_context=None):
        try:
            return super().parse(stream, media_type, (parser_context or {}) | {"encoding": "utf-8"})
        except (ParseError, RecursionError) as erreur:
            raise ParseError from erreur


class UneSeuleRepresentation(BaseContentNegotiation):
    def select_parser(self, request, parsers):
        """The parser of the body's type; None is told as an unsupported type."""
        type_ = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == type_), None)

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type
