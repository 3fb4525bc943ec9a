"""Answers that several pages of the bilans give."""

from django.http import HttpResponse


def repondre_pdf(octets, numero: str) -> HttpResponse:
    """The kept bytes of a PDF, shown by the browser under its number."""
    return HttpResponse(
        bytes(octets),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{numero}.pdf"'},
    )
