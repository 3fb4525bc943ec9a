"""Lists: filters that are understood or refused, pages that follow each other, a number of queries that does not grow."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flux.filters import FiltreLiberations
from flux.models import Attribution, Commission, Liberation, Passage
from tests.acces.decor import ANNEE

pytestmark = pytest.mark.django_db

LISTES = (
    "liberations", "attributions", "commissions", "passages", "logements", "flux", "bilans", "bilans-recus",
    "organisations",
)  # fmt: skip


@pytest.fixture
def nombreuses(decor):
    """Thirty more of each for bailleur A."""
    modele = decor.a.liberation_libre
    for rang in range(30):
        modele.pk = None
        modele.cle_logement = modele.reference = f"L-{rang:02}"
        modele.date = date(ANNEE, 1 + rang % 12, 1)
        modele.save(force_insert=True)
        commission = Commission.objects.create(
            bailleur=decor.a.bailleur, departement_id="06", date=date(ANNEE, 6, 1 + rang % 28)
        )
        lieu = {"bailleur": decor.a.bailleur, "departement_id": "06", "liberation_id": modele.pk}
        Passage.objects.create(**lieu, commission=commission, menage=decor.a.passage.menage)
        Attribution.objects.create(**lieu, menage=decor.a.passage.menage, date_caleol=date(ANNEE, 12, 15))
    modele.refresh_from_db()
    decor.a.liberation_libre.pk = Liberation.objects.get(reference="A-002").pk
    decor.a.liberation_libre.refresh_from_db()


def tout(programme, liste: str, **parametres) -> list[dict]:
    """Every row, page after page."""
    lignes, reponse = [], programme.get(f"{liste}/", **parametres)
    for _ in range(100):
        assert reponse.status_code == 200, reponse.content
        page = reponse.json()
        lignes += page["resultats"]
        if not page["suivant"]:
            return lignes
        chemin = page["suivant"].removeprefix("http://testserver/api/v1/")
        reponse = programme.get(chemin)
    raise AssertionError("Une liste sans fin.")


@pytest.mark.parametrize("liste", LISTES)
def test_pages_follow_each_other_and_miss_nobody(a, nombreuses, liste):
    entiere = [ligne["id"] for ligne in tout(a, liste, limite=200)]
    par_sept = [ligne["id"] for ligne in tout(a, liste, limite=7)]
    assert par_sept == entiere and len(set(entiere)) == len(entiere) >= 1


@pytest.mark.parametrize("liste", LISTES)
def test_the_number_of_queries_does_not_grow(a, nombreuses, liste):
    comptes = []
    for limite in (1, 200):
        a.get(f"{liste}/", limite=limite)
        with CaptureQueriesContext(
            connection,
        ) as requetes:
            assert a.get(f"{liste}/", limite=limite).status_code == 200
        comptes.append(len(requetes))
    # The token, the roles of its person, the list, and what its rows name.
    assert comptes[0] == comptes[1] <= 7


def test_a_row_that_comes_meanwhile_shifts_nothing(a, nombreuses, decor):
    premiere = a.get("liberations/", limite=10).json()
    Liberation.objects.filter(pk=premiere["resultats"][0]["id"]).update(reference="changée")
    Liberation.objects.filter(pk=premiere["resultats"][1]["id"]).update(
        annulee_le=date(ANNEE, 1, 2), motif_annulation="x"
    )
    suite = a.get(premiere["suivant"].removeprefix("http://testserver/api/v1/")).json()
    entiere = [ligne["id"] for ligne in tout(a, "liberations", limite=200)]
    assert [x["id"] for x in (*premiere["resultats"], *suite["resultats"])] == entiere[:20]


@pytest.mark.parametrize(
    ("parametres", "attendu"),
    [
        ({"reference": "L-03"}, 1),
        ({"depuis": f"{ANNEE}-12-01"}, 2),
        ({"jusqu_au": f"{ANNEE}-01-31"}, 3),
        ({"orientee": "true"}, 1),
        ({"annulee": "true"}, 0),
        ({"annee": ANNEE}, 32),
        ({"annee": ANNEE - 1}, 0),
        ({"usage": "MUTATION"}, 0),
        ({"departement": "22"}, 0),
        ({"qpv": "false"}, 1),
    ],
)
def test_filters(a, nombreuses, parametres, attendu):
    assert len(tout(a, "liberations", limite=200, **parametres)) == attendu


@pytest.mark.parametrize(
    "parametres",
    [
        {"anee": 2025},
        {"annee": "MMXXV"},
        {"annee": "1e3"},
        {"annee": "9" * 30},
        {"limite": 0},
        {"limite": 201},
        {"orientee": "oui"},
        {"depuis": "2025"},
        {"usage": "X"},
        {"reservataire": "9" * 19},
        {"reservataire": -1},
        {"reference": "a\0b"},
        {"a\0b": "1"},
        {"annee": ["2025", "2024"]},
        {"curseur": "eyJhIjoxfQ"},
        {"curseur": "1"},
        {"curseur": ""},
        {"departement": "06'; --"},
    ],
)
def test_what_is_not_understood_is_refused(a, parametres):
    refus = a.get("liberations/", **parametres)
    assert refus.status_code == 400, refus.content
    assert refus["Content-Type"] == "application/problem+json"


def test_the_cursor_of_another_list_is_refused(a, nombreuses):
    suivant = a.get("logements/", limite=1).json()["suivant"]
    curseur = suivant.partition("curseur=")[2].partition("&")[0]
    assert a.get("liberations/", curseur=curseur).status_code == 400


@pytest.mark.parametrize("adresse", ["liberations/1/", "flux/1/", "moi/", "motifs/", "nomenclatures/"])
def test_what_has_no_parameter_refuses_them(a, decor, adresse):
    adresse = adresse.replace("liberations/1", f"liberations/{decor.a.liberation_als.pk}")
    adresse = adresse.replace("flux/1", f"flux/{decor.a.calcul.pk}")
    assert a.get(adresse).status_code == 200
    assert a.get(adresse, format="json").status_code == 400


def test_a_dwelling_is_found_by_any_of_its_references(a, decor):
    connu = decor.a.logement
    for texte in (connu.ident_int, connu.ident_rep, connu.cle):
        [trouve] = a.get("logements/", reference=texte).json()["resultats"]
        assert trouve["id"] == connu.pk
    assert a.get("logements/", reference=decor.b.logement.ident_int).json()["resultats"] == []
    assert a.get("logements/", millesime=ANNEE - 5).json()["resultats"] == []


def test_nomenclatures_name_what_answers_use(a, decor):
    codes = a.get("nomenclatures/").json()
    connu = a.get(f"logements/{decor.a.logement.pk}/").json()
    for champ, table in (("typologie", "typologies"), ("financement", "financements"), ("statut", "statuts")):
        assert connu[champ] in {ligne["code"] for ligne in codes[table]}
    motifs = a.get("motifs/").json()
    assert {"refus", "actes", "usages", "decisions", "statuts_emploi"} == set(motifs)


def test_a_collectivite_reads_its_share_and_not_the_flux_of_the_bailleur(programme, decor):
    """Table of chapter 2: ALS reads the flux of each bailleur beside its own share, a collectivité its own share."""
    lus = {
        qui: [
            ligne for ligne in tout(programme(qui), "flux") if ligne["bailleur"]["id"] == decor.a.bailleur.pk
        ]
        for qui in ("gestionnaire_a", "charge_als", "agent_cannes")
    }
    for bailleur, als, cannes in zip(*lus.values(), strict=True):
        assert bailleur["id"] == als["id"] == cannes["id"]
        for champ in ("liberations", "soustractions", "flux"):
            assert bailleur[champ] is not None and als[champ] == bailleur[champ] and cannes[champ] is None
        assert [part["code"] for part in als["parts"]] == ["ALS"]
        [part] = cannes["parts"]
        sienne = next(p for p in bailleur["parts"] if p["code"] == part["code"])
        assert part == sienne and "base" in part
        assert cannes["parc"] is None and cannes["soumis"] is None


# --- Versions, filters of the pages, objectives ----------------------------------------------------------------------


def lire(programme, chemin: str, **entetes):
    """Read to its end, a document too."""
    reponse = programme.client.get(f"/api/v1/{chemin}", headers=programme.entetes(**entetes))
    assert b"".join(reponse) if reponse.streaming else reponse.content
    return reponse


def test_what_did_not_change_is_not_sent_again(a, decor):
    ici = f"liberations/{decor.a.liberation_libre.pk}/"
    lue = a.get(ici)
    etag = lue["ETag"]
    assert lue["Cache-Control"] == "private, no-cache" and etag.startswith('"')
    for chemin in (ici, "liberations/", "moi/", f"bilans/{decor.a.bilan.pk}/pdf/"):
        etag = lire(a, chemin)["ETag"]
        encore = a.client.get(f"/api/v1/{chemin}", headers=a.entetes(**{"If-None-Match": f'W/{etag}, "x"'}))
        assert (encore.status_code, encore.content, encore["ETag"]) == (304, b"", etag)
        assert lire(a, chemin, **{"If-None-Match": '"x"'}).status_code == 200
    avant = a.get(ici)["ETag"]
    a.post(
        f"{ici}orientation/",
        {"reservataire": decor.cast.bailleur_a.pk, "date": f"{ANNEE}-05-06", "motif": "O_ACCORD"},
    )
    assert a.get(ici)["ETag"] != avant
    assert "ETag" not in a.get("liberations/0/")


def test_an_act_on_what_changed_meanwhile_is_refused(a, decor):
    ici = f"liberations/{decor.a.liberation_libre.pk}/"
    corps = {"reservataire": decor.cast.bailleur_a.pk, "date": f"{ANNEE}-05-06", "motif": "O_ACCORD"}
    etag = a.get(ici)["ETag"]
    perime = a.post(f"{ici}orientation/", corps, **{"If-Match": '"x"'})
    assert (perime.status_code, perime.json()["type"].partition("#")[2]) == (412, "version-depassee")
    assert a.get(ici).json()["reservataire"] is None
    faite = a.post(f"{ici}orientation/", corps, **{"If-Match": etag})
    assert faite.status_code == 200, faite.content
    assert a.post(f"{ici}orientation/", corps, **{"If-Match": etag}).status_code == 412
    # An object of another does not exist, whatever its version is said to be.
    ailleurs = f"liberations/{decor.b.liberation_libre.pk}/orientation/"
    assert a.post(ailleurs, corps, **{"If-Match": "*"}).status_code == 404


def test_objectives_are_those_of_the_flux(a, programme, decor):
    calcul = decor.a.calcul
    lus = a.get("objectifs/", annee=calcul.annee, nature=calcul.nature).json()["resultats"]
    parts = {p.code: p for p in calcul.parts.all()}
    assert {o["code"] for o in lus} == parts.keys()
    for objectif in lus:
        part = parts[objectif["code"]]
        assert objectif["objectif_total"] == part.objectif_total and objectif["realise"] == part.realise
        assert objectif["objectif"] + objectif["report"] == objectif["objectif_total"]
        assert objectif["part_exacte"] == f"{part.part_exacte:.4f}"
        assert objectif["flux"] == calcul.pk
    # Each réservataire reads its own.
    als = programme("charge_als").get("objectifs/").json()["resultats"]
    assert als and {o["reservataire"]["id"] for o in als} == {decor.cast.als.pk}
    vus = programme("gestionnaire_b").get("objectifs/").json()["resultats"]
    assert {o["bailleur"]["id"] for o in vus} == {decor.cast.bailleur_b.pk}
    convenues = programme("charge_als").get("parts-convenues/").json()["resultats"]
    assert {p["id"] for p in convenues} >= {decor.a.part.pk}


def test_the_filters_are_those_of_the_pages(a, decor):
    acteur = decor.cast.acteur("gestionnaire_a")
    siennes = Liberation.objects.visibles_par(acteur)
    for nom, filtre in FiltreLiberations.base_filters.items():
        if nom not in ("etape", "suite", "compte"):
            continue
        for code, _ in filtre.extra["choices"]:
            attendues = FiltreLiberations({nom: code}, queryset=siennes, acteur=acteur).qs
            lues = a.get("liberations/", **{nom: code}).json()["resultats"]
            assert {x["id"] for x in lues} == {x.pk for x in attendues}, (nom, code)
    assert {x["id"] for x in a.get("liberations/", q="a-").json()["resultats"]}
    assert a.get("liberations/", qpv="true").status_code == 200
    assert a.get("commissions/", quand="closes").json()["resultats"][0]["etat"] == "CLOSE"
    soumis = a.get("bilans/", etat="SOUMIS").json()["resultats"]
    assert {x["id"] for x in soumis} == {decor.a.bilan_soumis.pk}
    assert a.get("liberations/", suite="x").status_code == 400
