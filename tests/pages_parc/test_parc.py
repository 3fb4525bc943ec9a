"""The page of a parc: its figures add up, each leads to its lines, and only those who may read it do."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from reservation.cascade import ETROIT, LARGE, Etage, Retrait, dessiner
from reservation.models import AgregatParc

PAGE = "reservation:parc_detail"


def page(cast, qui, client, departement="06", **parametres):
    client.force_login(cast.gens[qui])
    return client.get(reverse(PAGE, args=[cast.bailleur_a.pk, departement]), parametres)


# --- Rights -----------------------------------------------------------------------------------------------------------

LECTEURS = [
    "gestionnaire_a",
    "signataire_a",
    "lecteur_a",
    "agent_ddets_06",
    "lecteur_ddets_06",
    "agent_sgc_06",
]
ETRANGERS = [
    "gestionnaire_b",
    "agent_ddets_22",
    "charge_als",
    "agent_cannes",
    "agent_caf",
    "charge_dreal",
    "charge_union",
    "operateur",
    "sans_organisation",
]


@pytest.mark.parametrize("qui", LECTEURS)
def test_its_bailleur_and_the_state_of_the_departement_read_it(cast, parc_a, client, qui):
    assert page(cast, qui, client).status_code == 200


@pytest.mark.parametrize("qui", ETRANGERS)
def test_to_others_it_does_not_exist(cast, parc_a, client, qui):
    assert page(cast, qui, client).status_code == 404


def test_each_state_service_reads_its_own_departement_only(cast, parc_a, client):
    assert page(cast, "agent_ddets_22", client, "22").status_code == 200
    assert page(cast, "agent_ddets_06", client, "22").status_code == 404


def test_anonymous_people_are_asked_to_sign_in(cast, parc_a, client):
    reponse = client.get(reverse(PAGE, args=[cast.bailleur_a.pk, "06"]))
    assert reponse.status_code == 302 and reponse.url.startswith(reverse("connexion"))


def test_a_member_who_left_is_signed_out(cast, parc_a, client):
    client.force_login(cast.ancien_a)
    assert client.get(reverse(PAGE, args=[cast.bailleur_a.pk, "06"])).status_code == 302


def test_only_managers_are_offered_to_import(cast, parc_a, client):
    lien = reverse("reservation:import_rpls_nouveau")
    assert lien in page(cast, "gestionnaire_a", client).text
    assert lien not in page(cast, "lecteur_a", client).text
    assert lien not in page(cast, "agent_ddets_06", client).text


# --- Figures ----------------------------------------------------------------------------------------------------------


def test_reasons_add_up_to_the_parc(cast, parc_a, client):
    synthese = page(cast, "gestionnaire_a", client).context["synthese"]
    assert (synthese.total, synthese.assiette, synthese.hors, synthese.offerts) == (14, 10, 4, 9)
    lignes = {ligne.libelle: ligne for ligne in synthese.lignes}
    retraits = [ligne.nombre for ligne in synthese.lignes if ligne.niveau and ligne.retranche]
    *raisons, ni_loues = retraits
    assert sum(raisons) == lignes["2. Hors de l’assiette"].nombre == synthese.hors
    assert lignes["Sortis du parc"].nombre == 1
    assert lignes["Foyers, résidences sociales, universitaires ou services"].nombre == 1
    assert lignes["Prêt locatif intermédiaire (PLI)"].nombre == 1
    assert lignes["Autres (non conventionnés, financés après 1977)"].nombre == 1
    assert lignes["Conventionnés APL"].nombre == 9
    assert lignes["Non conventionnés, financés par l’État avant 1977"].nombre == 1
    assert ni_loues == 1 and lignes["4. Loués ou proposés à la location"].nombre == 9


def test_every_cross_table_has_the_total_of_its_subject(cast, parc_a, client):
    synthese = page(cast, "gestionnaire_a", client).context["synthese"]
    for tableau, total in (
        (synthese.typologies, synthese.assiette),
        (synthese.periodes, synthese.assiette),
        (synthese.communes, synthese.total),
    ):
        assert tableau.total == total == sum(ligne.total for ligne in tableau.lignes)
        assert tableau.totaux == [
            sum(ligne.cellules[rang][0] for ligne in tableau.lignes) for rang in range(len(tableau.colonnes))
        ]
    assert [ligne.libelle for ligne in synthese.typologies.lignes] == ["T3", "T4", "Non renseigné"]
    assert [ligne.libelle for ligne in synthese.communes.lignes] == ["Cannes", "Antibes"]


def test_every_number_leads_to_as_many_lines(cast, parc_a, client):
    reponse = page(cast, "gestionnaire_a", client)
    synthese = reponse.context["synthese"]
    attendus = [(ligne.url, ligne.nombre) for ligne in synthese.lignes if ligne.url]
    for tableau in (synthese.typologies, synthese.periodes, synthese.communes):
        for ligne in tableau.lignes:
            attendus.append((ligne.url, ligne.total))
            attendus += [(url, nombre) for nombre, url in ligne.cellules if url]
    attendus.append((reponse.context["etudiants_url"], reponse.context["etudiants"]))
    assert len(attendus) > 25
    for url, nombre in attendus:
        liste = client.get(url)
        assert liste.context["compte"] == nombre == len(liste.context["page"].object_list), url


def test_a_millesime_is_chosen_and_an_unknown_one_is_not_found(cast, parc_a, client):
    assert page(cast, "gestionnaire_a", client).context["synthese"].total == 14
    assert page(cast, "gestionnaire_a", client, millesime="2025").context["synthese"].total == 3
    assert page(cast, "gestionnaire_a", client, millesime="2019").status_code == 404
    assert page(cast, "gestionnaire_a", client, millesime="abc").status_code == 404


def test_students_without_answer_are_counted_and_their_bailleur_asked(cast, parc_a, client):
    lien = reverse("reservation:parc_etudiants", args=[cast.bailleur_a.pk, "06"])
    reponse = page(cast, "gestionnaire_a", client)
    assert reponse.context["etudiants"] == 3
    assert lien in reponse.text
    assert lien not in page(cast, "agent_ddets_06", client).text


def test_the_act_of_the_year_says_what_goes_out(cast, parc_a, convention_etat, client):
    reponse = page(cast, "gestionnaire_a", client)
    assert "2026-ETAT-A" in reponse.text
    assert "les plans de vente et les démolitions" in reponse.text
    assert reponse.context["vides"] == 1  # MODE 3: a hint, asked about because the convention takes sales out
    avant = page(cast, "gestionnaire_a", client, millesime="2025")
    assert "aucune en 2025" in avant.text and avant.context["vides"] == 0


def test_without_act_no_convention_is_said_to_decide(cast, parc_a, client):
    texte = page(cast, "gestionnaire_a", client).content.decode()
    assert "Sans convention, la règle par défaut" in texte
    assert "la règle par défaut les garde dans l’assiette" in texte
    assert "la convention n’en prévoit pas" not in texte and "la convention les garde" not in texte


def test_the_page_reads_the_aggregate_and_not_the_lines(cast, parc_a, client, django_assert_max_num_queries):
    client.force_login(cast.gestionnaire_a)
    with django_assert_max_num_queries(24) as requetes:
        client.get(reverse(PAGE, args=[cast.bailleur_a.pk, "06"]))
    assert not [r["sql"] for r in requetes if "reservation_logement" in r["sql"]]


# --- The list of parcs ------------------------------------------------------------------------------------------------


def test_a_bailleur_of_one_departement_goes_straight_to_its_parc(cast, parc_b, client):
    client.force_login(cast.gestionnaire_b)
    reponse = client.get(reverse("reservation:parc"))
    assert reponse.context["synthese"].total == 2


def test_a_bailleur_of_two_departements_chooses(cast, parc_a, client):
    client.force_login(cast.gestionnaire_a)
    reponse = client.get(reverse("reservation:parc"))
    assert [
        (x["etat"].departement_id, x["etat"].logements, x["assiette"]) for x in reponse.context["lignes"]
    ] == [
        ("06", 14, 10),
        ("22", 1, 1),
    ]


def test_the_ddets_sees_the_bailleurs_of_its_departement(cast, parc_a, client):
    client.force_login(cast.agent_ddets_06)
    reponse = client.get(reverse("reservation:parc"))
    assert [x["etat"].bailleur for x in reponse.context["lignes"]] == [cast.bailleur_a]
    assert list(reponse.context["sans_parc"]) == [cast.bailleur_b]


def test_without_parc_the_three_first_steps_are_told(cast, client):
    client.force_login(cast.gestionnaire_a)
    reponse = client.get(reverse("reservation:parc"))
    assert "Trois étapes" in reponse.text and reverse("reservation:import_rpls_nouveau") in reponse.text
    client.force_login(cast.lecteur_a)
    assert reverse("reservation:import_rpls_nouveau") not in client.get(reverse("reservation:parc")).text


@pytest.mark.parametrize(
    "qui", ["charge_als", "agent_cannes", "charge_dreal", "operateur", "sans_organisation"]
)
def test_there_is_no_list_of_parcs_for_others(cast, parc_a, client, qui):
    client.force_login(cast.gens[qui])
    assert client.get(reverse("reservation:parc")).status_code == 404


def test_one_more_bailleur_costs_no_more_queries(cast, parc_a, client, django_assert_num_queries, request):
    client.force_login(cast.agent_ddets_06)
    adresse = reverse("reservation:parc")
    with CaptureQueriesContext(connection) as avant:
        client.get(adresse)
    request.getfixturevalue("parc_b")
    with django_assert_num_queries(len(avant)):
        assert len(client.get(adresse).context["lignes"]) == 2


# --- The drawing ------------------------------------------------------------------------------------------------------


def test_the_drawing_repeats_the_figures_of_the_table(cast, parc_a, client):
    synthese = page(cast, "gestionnaire_a", client).context["synthese"]
    for dessin in (synthese.large, synthese.etroit):
        textes = " ".join(t.texte for t in dessin.textes)
        for attendu in ("14 logements", "Assiette\u00a0: 10", "−4", "proposés à la location\u00a0: 9", "−1"):
            assert attendu in textes


@pytest.mark.parametrize("format_", [LARGE, ETROIT])
@pytest.mark.parametrize(
    ("total", "garde"), [(0, 0), (10, 0), (10, 10), (1_000_000, 999_999), (1_000_000, 1)]
)
def test_bars_fill_their_floor_and_stay_inside(format_, total, garde):
    etage = Etage("Titre", total, garde, "Gardés", "Retirés", [Retrait("Une raison", total - garde)])
    dessin = dessiner([etage, etage], format_)
    barres = [r for r in dessin.rectangles if r.hauteur == 44]
    assert sum(r.largeur for r in barres) == 2 * format_.barre
    assert all(r.largeur > 0 and r.x >= 0 and r.x + r.largeur <= format_.largeur for r in dessin.rectangles)
    assert all(0 <= t.y <= dessin.hauteur for t in dessin.textes)
    assert all(r.y + r.hauteur <= dessin.hauteur for r in dessin.rectangles)


def test_the_drawing_is_written_with_points_not_commas(cast, parc_a, client):
    """A French decimal comma would silently break every width of an SVG."""
    svg = re.findall(r"<svg class=\"cascade\".*?</svg>", page(cast, "gestionnaire_a", client).text, re.S)
    assert len(svg) == 2
    assert not re.findall(r"(?:width|height|x|y)=\"[^\"]*,", "".join(svg))


def test_an_empty_aggregate_is_not_an_error(cast, parc_a, client):
    """Between the millésime's removal and its reload, a state may stand without lines."""
    AgregatParc.objects.all().delete()
    assert page(cast, "gestionnaire_a", client).status_code == 200
