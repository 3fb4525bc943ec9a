"""Libérations in the browser's terms: what is typed, what is refused, and what the page says afterwards."""

from datetime import UTC, date, datetime

import pytest
import time_machine

from flux.forms import FormulaireAttribution, FormulaireLiberation
from flux.models import Attribution, CodeMotif, Liberation
from publics.models import Menage
from publics.services.menages import empreinte_numero, retrouver_menage
from tests.acces.decor import ANNEE
from tests.personnages import CANNES

pytestmark = pytest.mark.django_db

NUMERO = "0061125DEMO0000042"[:18]


@pytest.fixture(autouse=True)
def aujourd_hui():
    with time_machine.travel(datetime(ANNEE, 12, 1, 12, tzinfo=UTC)):
        yield


@pytest.fixture
def a(client, decor):
    client.force_login(decor.cast.gestionnaire_a)
    return client


def declarer(client, **donnees):
    return client.post("/liberations/declarer/", {"usage": "FLUX", "date": f"{ANNEE}-05-04", **donnees})


def test_the_reference_is_enough(a, decor):
    reponse = declarer(a, reference=" A-2 ")
    liberation = Liberation.objects.get(date=date(ANNEE, 5, 4))
    assert reponse.headers["Location"] == f"/liberations/{liberation.pk}/"
    assert (liberation.commune_id, liberation.finan, liberation.dans_assiette) == (CANNES, "12", True)
    assert liberation.cree_par == decor.cast.gestionnaire_a


def test_unknown_reference_says_what_to_do(a):
    page = declarer(a, reference="ZZ-9").content.decode()
    assert "n’est pas dans votre parc" in page and "Première mise en location" in page
    assert not Liberation.objects.filter(date=date(ANNEE, 5, 4)).exists()


def test_the_dwelling_of_another_bailleur_is_unknown(a, decor):
    page = declarer(a, reference=decor.b.logement.ident_int).content.decode()
    assert "n’est pas dans votre parc" in page


def test_new_programme_is_described_by_hand(a):
    neuf = {
        "commune": CANNES,
        "qpv": "2",
        "finan": "13",
        "conv": "1",
        "nbpiece": "3",
        "construct": str(ANNEE),
    }
    manque = declarer(a, reference="NEUF-1", premiere="on", **{**neuf, "commune": "99999"})
    assert "n’est pas un code de commune" in manque.content.decode()
    assert declarer(a, reference="NEUF-1", premiere="on", **neuf).status_code == 302
    assert Liberation.objects.get(reference="NEUF-1").premiere


@pytest.mark.parametrize("oubli", ["commune", "qpv", "finan", "conv", "nbpiece", "construct"])
def test_each_fact_of_a_new_dwelling_is_asked(a, decor, oubli):
    neuf = {
        "commune": CANNES,
        "qpv": "2",
        "finan": "13",
        "conv": "1",
        "nbpiece": "3",
        "construct": str(ANNEE),
    }
    formulaire = FormulaireLiberation(
        {
            "reference": "NEUF-2",
            "date": f"{ANNEE}-05-04",
            "usage": "FLUX",
            "premiere": "on",
            **neuf,
            oubli: "",
        },
        acteur=decor.cast.acteur("gestionnaire_a"),
    )
    assert list(formulaire.errors) == [oubli]


def test_soustraction_needs_its_proof_and_notice_comes_before(a, decor):
    donnees = {
        "reference": "A-2",
        "date": f"{ANNEE}-05-04",
        "date_preavis": f"{ANNEE}-05-05",
        "usage": "RU",
    }
    formulaire = FormulaireLiberation(donnees, acteur=decor.cast.acteur("gestionnaire_a"))
    assert set(formulaire.errors) == {"preuve", "date_preavis"}


def test_twice_on_one_day_is_refused_beside_its_date(a):
    assert declarer(a, reference="A-2").status_code == 302
    refus = declarer(a, reference="A-2")
    assert refus.status_code == 200
    assert "déjà une libération" in refus.context["form"].errors["date"][0]
    assert '<a href="#id_date">' in refus.content.decode()
    assert Liberation.objects.filter(reference="A-2", date=date(ANNEE, 5, 4)).count() == 1


def test_from_orientation_to_lease_on_one_page(a, decor):
    liberation = decor.a.liberation_libre
    url = f"/liberations/{liberation.pk}/"
    etapes = [
        (
            "orienter",
            {
                "reservataire": decor.cast.ddets_06.pk,
                "date": f"{ANNEE}-04-02",
                "motif": CodeMotif.objects.get(code="O_ACCORD").pk,
            },
        ),
        ("attribuer", {"numero_unique": NUMERO, "date_caleol": f"{ANNEE}-04-20", "statut_emploi": "SALARIE"}),
        ("bail", {"date": f"{ANNEE}-05-02"}),
    ]
    for acte, donnees in etapes:
        assert f"{url}{acte}/" in a.get(url).content.decode()
        assert a.post(f"{url}{acte}/", donnees).headers["Location"] == url
    page = a.get(url).content.decode()
    assert "État, autre" in page and "Bail signé<span" in page
    assert f"{url}annuler/" not in page
    assert NUMERO not in page and f"…{NUMERO[-4:]}" in page


def test_a_refused_act_comes_back_where_it_was(a, decor):
    url = f"/liberations/{decor.a.liberation_als.pk}/bail/"
    reponse = a.post(url, {"date": f"{ANNEE}-01-01"})
    assert reponse.status_code == 422
    assert "Le bail ne peut pas précéder la CALEOL" in reponse.content.decode()
    assert Attribution.objects.get(pk=decor.a.attribution.pk).date_bail is None


def test_unknown_act_does_not_exist(a, decor):
    assert a.post(f"/liberations/{decor.a.liberation_als.pk}/voler/").status_code == 404
    assert a.get(f"/liberations/{decor.a.liberation_als.pk}/bail/").status_code == 405


@pytest.mark.parametrize(
    ("requete", "attendues"),
    [
        ("orientation=sans", ["A-002"]),
        ("orientation=avec", ["A-1"]),
        ("suite=attendue", ["A-1"]),
        ("suite=sans", ["A-002"]),
        ("suite=bail", []),
        ("suite=annulee", []),
        ("q=a", ["A-002", "A-1"]),
        ("annee=2020", []),
    ],
)
def test_filters(a, requete, attendues):
    page = a.get(f"/liberations/?{requete}").context["page"]
    assert sorted(liberation.reference for liberation in page) == attendues


def test_list_has_a_fixed_number_of_queries(a, decor, django_assert_num_queries):
    a.get("/liberations/")
    with django_assert_num_queries(15) as comptees:
        a.get("/liberations/")
    modele = Liberation.objects.get(pk=decor.a.liberation_libre.pk)
    for rang in range(10):
        modele.pk, modele.cle_logement = None, f"A-1{rang}"
        modele.save()
    with django_assert_num_queries(len(comptees)):
        a.get("/liberations/")


def test_numero_unique_is_never_kept(settings):
    menage = retrouver_menage(" 0061 125demo0000042 ".replace(" ", ""), "06")
    assert menage == retrouver_menage("0061125DEMO0000042", "06")
    assert (menage.numero_fin, len(menage.numero_hache)) == ("0042", 64)
    assert "DEMO" not in "".join(str(v) for v in Menage.objects.values_list().get(pk=menage.pk))
    avant = empreinte_numero("0061125DEMO0000042")
    settings.CLE_NUMERO_UNIQUE = "une autre clé"
    assert empreinte_numero("0061125DEMO0000042") != avant


@pytest.mark.parametrize(("numero", "longueur"), [("123", 3), ("0061125DEMO00000421", 19)])
def test_numero_unique_has_eighteen_characters(numero, longueur):
    formulaire = FormulaireAttribution(
        {"numero_unique": numero, "date_caleol": "2026-01-02", "statut_emploi": "AUTRE"}
    )
    assert str(longueur) in formulaire.errors["numero_unique"][0]


def test_agent_fields_are_for_agents():
    donnees = {
        "numero_unique": NUMERO,
        "date_caleol": "2026-01-02",
        "statut_emploi": "AUTRE",
        "agent_adapte": "on",
    }
    assert set(FormulaireAttribution(donnees).errors) == {"agent_adapte"}
    assert not FormulaireAttribution({**donnees, "agent": "on"}).errors


def test_communes_of_everywhere_wait_for_a_departement(client, decor, monkeypatch):
    """A réservataire of every département is not offered ten thousand communes; a link that names one still works."""
    client.force_login(decor.cast.charge_als)

    def communes(**requete) -> set[str]:
        filtre = client.get("/liberations/", requete).context["filtre"]
        assert filtre.form.is_valid(), filtre.form.errors
        return {str(valeur) for valeur, _ in filtre.form.fields["commune"].choices if valeur}

    toutes = communes()
    assert CANNES in toutes
    monkeypatch.setattr("flux.filters.DEPARTEMENTS_AVEC_COMMUNES", 0)
    assert communes() == set() and communes(departement="06") == toutes
    assert communes(commune=CANNES) == {CANNES}
    assert communes(commune=CANNES, departement="06") == toutes
    assert "Choisissez d’abord un département" in client.get("/liberations/").text
    assert "Choisissez d’abord" not in client.get("/liberations/?departement=06").text
    # What is no commune, or one where it has nothing, finds nothing and breaks nothing.
    for mauvaise in ("75056", "x' OR", "\x00", "é" * 40):
        page = client.get("/liberations/", {"commune": mauvaise})
        assert page.status_code in (200, 400) and not page.context["filtre"].form.is_valid()
