"""The guards of the suite guard: each is shown to catch what it is for."""

import socket
import urllib.request

import pytest
from django.contrib.auth import get_user_model
from django.template import Context, Origin, Template, engines
from weasyprint import HTML

from config.serveurs import RACINE
from tests import garde_fous


@pytest.mark.parametrize("adresse", ["http://exemple.test/", "http://192.0.2.1/"])
def test_the_network_is_closed(adresse):
    with pytest.raises(garde_fous.ReseauInterdit):
        urllib.request.urlopen(adresse, timeout=1)


def test_the_machine_itself_is_open():
    with socket.create_server(("127.0.0.1", 0)) as serveur, socket.create_connection(serveur.getsockname()):
        pass
    assert garde_fous.is_local("/run/une.prise") and garde_fous.is_local(("::1", 80, 0, 0))
    assert not garde_fous.is_local(("10.0.0.1", 80))


def render(source: str, origine, **contexte) -> str:
    return Template(source, Origin(str(origine)), engine=engines["django"].engine).render(Context(contexte))


def test_an_undefined_variable_fails_in_our_templates():
    notre = RACINE / "templates" / "essai.html"
    with pytest.raises(pytest.fail.Exception, match="Variable indéfinie « logement.adresse »"):
        render("{{ logement.adresse }}", notre, logement={})
    assert (
        render("{{ logement.adresse|default:'sans' }}{% if rien %}!{% endif %}", notre, logement={}) == "sans"
    )


def test_templates_of_other_packages_behave_as_in_production():
    autre = RACINE / ".venv" / "lib" / "site-packages" / "dsfr" / "essai.html"
    assert render("[{{ rien|upper }}]", autre) == "[]"


@pytest.mark.django_db
def test_a_queryset_without_order_comes_in_any_order():
    modele = get_user_model()
    modele.objects.bulk_create(
        [modele(**{modele.USERNAME_FIELD: f"personne{n:02}@exemple.test"}) for n in range(12)]
    )
    tirages = {tuple(modele.objects.order_by().values_list("pk", flat=True)) for _ in range(4)}
    assert len(tirages) > 1
    assert len({tuple(modele.objects.order_by("pk").values_list("pk", flat=True)) for _ in range(4)}) == 1


BON = '<html lang="fr"><head><title>{}</title></head><body><h1>A</h1>{}</body></html>'


@pytest.mark.parametrize(
    ("corps", "variante", "faute"),
    [
        ("<p>B</p>", None, "n’est pas dit balisé"),
        ("<h3>B</h3>", "pdf/ua-1", "niveau 3 suit un titre de niveau 1"),
        ("<h1>B</h1>", "pdf/ua-1", "titres de niveau 1 : 2"),
        ("<table><tr><td>B</td><td>C</td></tr></table>", "pdf/ua-1", "un tableau n’a pas d’en-tête"),
        ('<svg width="9" height="9"><rect width="9" height="9"/></svg>', "pdf/ua-1", "pas d’alternative"),
    ],
)
def test_an_unreadable_document_fails_whoever_makes_it(corps, variante, faute):
    with pytest.raises(pytest.fail.Exception, match=faute):
        HTML(string=BON.format(f"fautif {faute}", corps)).write_pdf(pdf_variant=variante)


def test_a_tagged_document_passes_and_its_kind_is_read_once():
    corps = '<p>B</p><table><tr><th scope="col">C</th></tr><tr><td>D</td></tr></table>'
    assert HTML(string=BON.format("essai 12 du balisage", corps)).write_pdf(pdf_variant="pdf/ua-1")
    assert HTML(string=BON.format("essai 13 du balisage", corps)).write_pdf()  # same kind: not read again
    assert garde_fous.kind_of("Bilan annuel 2025 de la gestion") == "Bilan annuel de"
