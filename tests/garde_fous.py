"""What makes the suite stricter than production: no network, no undefined template variable, no order by luck, no untagged PDF."""

import ipaddress
import random
import re
import socket
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models import QuerySet
from django.template import engines
from django.template.base import FilterExpression
from django.template.defaultfilters import default, default_if_none
from weasyprint.document import Document

from tests.documents_balises import fautes_pdf

# --- Network ------------------------------------------------------------------------------------------------------

LOCAL_NAMES = {None, "", "localhost", socket.gethostname()}


class ReseauInterdit(RuntimeError):
    """A test tried to leave the machine."""


def is_local(address) -> bool:
    """Tell whether a socket address stays on this machine: a UNIX path, or the loopback."""
    if not isinstance(address, tuple):
        return True
    host = address[0].decode() if isinstance(address[0], bytes) else address[0]
    if host in LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_network(event, args):
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        address = (args[0],)
    else:
        return
    if not is_local(address):
        raise ReseauInterdit(f"Les tests ne sortent pas de la machine : {address!r}")


def forbid_network() -> None:
    """Refuse, for the rest of this process, every connection and name look-up that leaves the machine."""
    sys.addaudithook(_refuse_network)


# --- Templates ----------------------------------------------------------------------------------------------------


class UndefinedVariable(str):
    """Stands for `string_if_invalid`: Django asks whether it is true each time a variable does not resolve.

    Answering "false" gives production's behaviour, so that templates of other packages, which count on it, work as
    they do there; in a template of ours the test fails. A `|default:` says that the absence is meant.
    """

    def __bool__(self):
        frame = sys._getframe(1)
        if frame.f_code is not FilterExpression.resolve.__code__:
            return False  # a filter, or a tag, looks at the value it was given
        expression = frame.f_locals["self"]
        if any(filtre in (default, default_if_none) for filtre, _ in expression.filters):
            return False
        while frame and frame.f_code.co_name != "render_annotated":
            frame = frame.f_back
        origin = getattr(frame and frame.f_locals["self"], "origin", None)
        if origin is not None and is_ours(Path(origin.name)):
            pytest.fail(f"Variable indéfinie « {expression.token} » dans {origin.name}")
        return False


def is_ours(chemin: Path) -> bool:
    """Tell whether a template belongs to the project (not to the environment, which may lie inside it)."""
    return chemin.is_relative_to(settings.BASE_DIR) and "site-packages" not in chemin.parts


def forbid_undefined_variables() -> None:
    engines["django"].engine.string_if_invalid = UndefinedVariable()


# --- Order --------------------------------------------------------------------------------------------------------

luck = random.Random()


def shuffle_unordered_querysets() -> None:
    """Give the rows of a queryset without order in a drawn order: whoever counts on the order must ask for it."""
    fetch_all = QuerySet._fetch_all

    def fetch_all_shuffled(self):
        first_time = self._result_cache is None
        fetch_all(self)
        if first_time and not self.ordered:
            luck.shuffle(self._result_cache)

    QuerySet._fetch_all = fetch_all_shuffled


# --- Documents ----------------------------------------------------------------------------------------------------


def kind_of(titre: str) -> str:
    """The first words of a title, without its numbers: what is made from the same template."""
    return " ".join(re.sub(r"\d+", "", titre).split()[:3])


def forbid_untagged_documents() -> None:
    """Read the structure of the first PDF of each kind that this process makes, whichever test asks for it."""
    write_pdf, lus = Document.write_pdf, set()

    def write_and_read(self, target=None, *args, **options):
        octets = write_pdf(self, target, *args, **options)
        kind = kind_of(self.metadata.title or "")
        if octets is not None and kind not in lus:
            if fautes := fautes_pdf(octets):
                pytest.fail(f"PDF « {self.metadata.title} » : " + " ; ".join(sorted(set(fautes))))
            lus.add(kind)
        return octets

    Document.write_pdf = write_and_read
