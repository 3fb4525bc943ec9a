"""The list of the dwellings: filters, sorts, pages, exports; what a spreadsheet would run never runs."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from python_calamine import CalamineWorkbook

from reservation.exports import Colonne, Format, TropDeLignes, en_csv, en_xlsx, nom_de_fichier, sans_formule
from reservation.views import parc as vues
from tests.pages_parc.fabriques import logement, poser_parc
from tests.personnages import CANNES, SAINT_BRIEUC

LISTE = "reservation:logements"


def liste(cast, client, qui="gestionnaire_a", **parametres):
    client.force_login(cast.gens[qui])
    return client.get(reverse(LISTE), {"departement": "06", **parametres})


def cles(reponse) -> set[str]:
    return {x.cle for x in reponse.context["page"].object_list}


# --- Rights -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nom", [LISTE, "reservation:logements_export"])
@pytest.mark.parametrize(
    ("qui", "statut"),
    [
        ("gestionnaire_a", 200),
        ("lecteur_a", 200),
        ("agent_ddets_06", 200),
        ("agent_sgc_06", 200),
        ("gestionnaire_b", 404),
        ("agent_ddets_22", 404),
        ("charge_als", 404),
        ("agent_cannes", 404),
        ("charge_dreal", 404),
        ("operateur", 404),
        ("sans_organisation", 404),
    ],
)
def test_who_reads_the_dwellings(cast, parc_a, client, nom, qui, statut):
    client.force_login(cast.gens[qui])
    adresse = reverse(nom, args=["csv"]) if nom.endswith("export") else reverse(nom)
    reponse = client.get(adresse, {"bailleur": cast.bailleur_a.pk, "departement": "06"})
    assert reponse.status_code == statut
    reponse.close()


def test_a_bailleur_need_not_name_itself_the_state_must(cast, parc_a, client):
    client.force_login(cast.gestionnaire_a)
    assert client.get(reverse(LISTE)).context["compte"] == 14
    client.force_login(cast.agent_ddets_06)
    assert [x["etat"].bailleur for x in client.get(reverse(LISTE)).context["lignes"]] == [cast.bailleur_a]
    assert client.get(reverse(LISTE), {"bailleur": "abc"}).status_code == 404
    assert client.get(reverse("reservation:logements_export", args=["csv"])).status_code == 404


def test_without_parc_the_list_tells_the_first_steps(cast, client):
    client.force_login(cast.gestionnaire_a)
    assert "Trois étapes" in client.get(reverse(LISTE)).text


# --- Filters ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parametres", "attendues"),
    [
        ({"statut": "hors"}, {"F1", "PLI", "HC", "SORTI"}),
        ({"statut": "PLI"}, {"PLI"}),
        ({"statut": "AVANT_1977"}, {"AV77"}),
        ({"commune": "06004"}, {"C3", "C4"}),
        ({"qpv": "oui"}, {"C2"}),
        ({"typologie": "T4"}, {"C2"}),
        ({"typologie": "NR"}, {"NR"}),
        ({"financement": "PLAI"}, {"C3"}),
        ({"periode": "NR"}, {"NR"}),
        ({"statut": "dans", "occupation": "autres"}, {"C4"}),
        ({"occupation": "9"}, {"SORTI"}),
        ({"drapeau": "LOGEMENT_FOYER"}, {"F1"}),
        ({"question": "RESIDENCE"}, {"E1", "E2", "E3"}),
        ({"programme": "RESIDENCE DES ILES"}, {"E1", "E2"}),
        ({"q": "REF-E3"}, {"E3"}),
        ({"q": "00000000C3"}, {"C3"}),
        ({"q": "résidence îles"}, {"E1", "E2"}),
        ({"q": "introuvable"}, set()),
        ({"millesime": "2025"}, {"C1", "C2", "V1"}),
        ({"departement": "22"}, {"BZH"}),
    ],
)
def test_filters_and_their_count(cast, parc_a, client, parametres, attendues):
    reponse = liste(cast, client, **parametres)
    assert cles(reponse) == attendues
    assert reponse.context["compte"] == len(attendues)


def test_search_ignores_accents_and_case_both_ways(cast, parc_a, client):
    for mots in ("impasse de l’été", "IMPASSE ETE", "ete impasse 12"):
        assert liste(cast, client, q=mots).context["compte"] == 14, mots


def test_special_characters_are_searched_as_they_are(cast, parc_a, client):
    for mots in ("%", "_", "REF_C1", "\\"):
        assert liste(cast, client, q=mots).context["compte"] == 0, mots


def test_an_unknown_value_is_said_and_not_silently_dropped(cast, parc_a, client):
    reponse = liste(cast, client, statut="INCONNU")
    assert "corriger" in reponse.text and reponse.context["filtre_actif"]


def test_a_commune_where_the_bailleur_has_nothing_is_no_choice(cast, parc_a, client):
    choix = liste(cast, client).context["filtre"].form.fields["commune"].queryset
    assert [c.nom for c in choix] == ["Antibes", "Cannes"]


# --- Sorts, pages -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tri", list(vues.TRIS))
def test_each_sort_orders_both_ways(cast, parc_a, client, tri):
    croissant = [x.pk for x in liste(cast, client, tri=tri).context["page"].object_list]
    decroissant = [x.pk for x in liste(cast, client, tri=f"-{tri}").context["page"].object_list]
    assert sorted(croissant) == sorted(decroissant) and len(croissant) == 14
    entete = next(e for e in liste(cast, client, tri=tri).context["entetes"] if e["ordre"])
    assert entete["ordre"] == "ascending" and f"tri=-{tri}" in entete["url"]


def test_the_sort_of_communes_is_french(cast, client):
    poser_parc(
        cast.bailleur_a, 2026, [logement("1", "06154"), logement("2", "06053"), logement("3", "06029")]
    )
    noms = [x.commune.nom for x in liste(cast, client, tri="commune").context["page"].object_list]
    assert noms == sorted(noms)


def test_an_unknown_sort_is_the_order_of_the_keys(cast, parc_a, client):
    lignes = [x.cle for x in liste(cast, client, tri="mot_de_passe").context["page"].object_list]
    assert lignes == sorted(lignes)


@pytest.fixture
def grand_parc(cast):
    return poser_parc(cast.bailleur_a, 2026, [logement(f"{n:04d}") for n in range(120)])


def test_pages_follow_one_another_and_lose_nobody(cast, grand_parc, client):
    vus = []
    for numero in (1, 2, 3):
        page = liste(cast, client, page=numero, tri="-typologie").context["page"]
        vus += [x.cle for x in page.object_list]
    assert len(vus) == 120 == len(set(vus)) and page.number == page.paginator.num_pages == 3


def test_a_page_that_is_not_there_is_the_last_one(cast, grand_parc, client):
    assert liste(cast, client, page="99").context["page"].number == 3
    assert liste(cast, client, page="abc").context["page"].number == 1


def test_filters_are_kept_from_page_to_page(cast, grand_parc, client):
    assert "statut=dans&amp;" in liste(cast, client, statut="dans").text


def test_beyond_the_bound_the_count_says_so(cast, grand_parc, client, monkeypatch):
    monkeypatch.setattr(vues, "COMPTE_MAXIMAL", 100)
    reponse = liste(cast, client, q="impasse")
    assert "Plus de 100 logements" in reponse.text
    assert "Plus de" not in liste(cast, client).text


def test_the_page_costs_the_same_for_ten_or_a_hundred_dwellings(cast, grand_parc, client, request):
    client.force_login(cast.gestionnaire_a)
    comptes = []
    for numero in ("3", "1"):
        with CaptureQueriesContext(connection) as requetes:
            client.get(reverse(LISTE), {"departement": "06", "page": numero})
        comptes.append(len(requetes))
    assert comptes[0] == comptes[1] <= 22  # the two statements of the request’s transaction included


def test_without_words_to_search_nothing_counts_the_dwellings(cast, grand_parc, client):
    client.force_login(cast.gestionnaire_a)
    with CaptureQueriesContext(connection) as requetes:
        client.get(reverse(LISTE), {"statut": "dans"})
    lectures = [r["sql"] for r in requetes if "reservation_logement" in r["sql"]]
    assert len(lectures) == 1 and "COUNT" not in lectures[0] and "LIMIT 50" in lectures[0]


# --- Exports ----------------------------------------------------------------------------------------------------------


def exporter(cast, client, format_, **parametres) -> bytes:
    client.force_login(cast.gestionnaire_a)
    reponse = client.get(
        reverse("reservation:logements_export", args=[format_]), {"departement": "06", **parametres}
    )
    assert reponse.status_code == 200
    return b"".join(reponse.streaming_content), reponse


def test_csv_has_the_rows_of_the_screen_in_its_order(cast, parc_a, client):
    contenu, reponse = exporter(cast, client, "csv", statut="hors", tri="-reference")
    assert 'filename="parc-habitat-essai-a-06-2026.csv"' in reponse["Content-Disposition"]
    assert contenu.startswith("\ufeff".encode())
    lignes = list(csv.DictReader(io.StringIO(contenu.decode("utf-8-sig")), delimiter=";"))
    assert [x["Référence du bailleur"] for x in lignes] == ["REF-SORTI", "REF-PLI", "REF-HC", "REF-F1"]
    foyer = lignes[-1]
    assert foyer["Drapeaux"] == "logement-foyer ou résidence sociale"
    assert foyer["Dans l’assiette"] == "non"
    assert foyer["Raison"] == "Foyers, résidences sociales, universitaires ou services"
    assert foyer["Financement initial"] == "13 – PLUS (LLS outre-mer)"


def test_xlsx_has_the_same_rows_and_numbers_as_numbers(cast, parc_a, client):
    contenu, _ = exporter(cast, client, "xlsx", statut="hors", tri="-reference")
    lignes = CalamineWorkbook.from_filelike(io.BytesIO(contenu)).get_sheet_by_name("Logements").to_python()
    titres, *donnees = lignes
    assert titres == [c.titre for c in vues.COLONNES]
    assert [x[0] for x in donnees] == ["REF-SORTI", "REF-PLI", "REF-HC", "REF-F1"]
    assert donnees[0][titres.index("Surface habitable (m²)")] == 64.0
    assert donnees[0][titres.index("Code INSEE")] == "06029"


def test_an_unknown_format_is_not_found(cast, parc_a, client):
    client.force_login(cast.gestionnaire_a)
    assert client.get(reverse("reservation:logements_export", args=["exe"])).status_code == 404


def test_the_export_costs_the_same_whatever_its_length(cast, grand_parc, client):
    client.force_login(cast.gestionnaire_a)
    with CaptureQueriesContext(connection) as requetes:
        reponse = client.get(reverse("reservation:logements_export", args=["csv"]), {"departement": "06"})
    assert len(list(csv.reader(io.StringIO(b"".join(reponse.streaming_content).decode())))) == 121
    assert len(requetes) <= 15  # the two statements of the request’s transaction included


def test_a_formula_typed_as_a_reference_stays_a_text(cast, client):
    poser_parc(
        cast.bailleur_a, 2026, [logement("X", ident_int="=HYPERLINK(1)", adresse="-2+3", programme="@A")]
    )
    contenu, _ = exporter(cast, client, "csv")
    ligne = next(csv.DictReader(io.StringIO(contenu.decode("utf-8-sig")), delimiter=";"))
    assert (ligne["Référence du bailleur"], ligne["Adresse"], ligne["Programme"]) == (
        "'=HYPERLINK(1)",
        "'-2+3",
        "'@A",
    )
    contenu, _ = exporter(cast, client, "xlsx")
    ligne = CalamineWorkbook.from_filelike(io.BytesIO(contenu)).get_sheet_by_index(0).to_python()[1]
    assert ligne[0] == "=HYPERLINK(1)"  # a text cell: nothing is evaluated


@pytest.mark.parametrize("texte", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_formulas_are_disarmed(texte):
    assert sans_formule(texte) == "'" + texte


@pytest.mark.parametrize("texte", ["", "12 rue", "a=b", "’-"])
def test_ordinary_texts_are_left_alone(texte):
    assert sans_formule(texte) == texte


def test_negative_numbers_are_numbers_not_formulas():
    colonne = Colonne("Écart", lambda x: x, Format.ENTIER)
    with en_csv([colonne], [-3]) as fichier:
        assert fichier.read().decode("utf-8-sig").splitlines() == ["Écart", "-3"]


def test_a_sheet_that_cannot_hold_the_table_says_what_to_do(monkeypatch):
    monkeypatch.setattr("reservation.exports.LIGNES_XLSX", 2)
    with pytest.raises(TropDeLignes, match="CSV"):
        en_xlsx([Colonne("N", lambda x: x, Format.ENTIER)], range(3), "Feuille")


def test_too_long_an_export_comes_back_to_the_list(cast, parc_a, client, monkeypatch):
    monkeypatch.setattr("reservation.exports.LIGNES_XLSX", 2)
    client.force_login(cast.gestionnaire_a)
    reponse = client.get(reverse("reservation:logements_export", args=["xlsx"]), {"departement": "06"})
    assert reponse.status_code == 302 and reponse.url.startswith(reverse(LISTE))


def test_file_names_have_neither_accents_nor_spaces():
    assert nom_de_fichier("Parc", "Habitat de l’Été", 2026) == "parc-habitat-de-l-ete-2026"


def test_lines_of_another_departement_are_not_in_the_export_of_this_one(cast, parc_a, client):
    contenu, _ = exporter(cast, client, "csv")
    codes = {x["Code INSEE"] for x in csv.DictReader(io.StringIO(contenu.decode("utf-8-sig")), delimiter=";")}
    assert CANNES in codes and SAINT_BRIEUC not in codes
