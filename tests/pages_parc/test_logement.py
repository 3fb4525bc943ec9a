"""One dwelling: why it is in or out, what would come next, its facts, its years, its flags."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from reservation.models import CodeDrapeau, Drapeau, EtatParc, Logement, StatutLogement
from reservation.services.parc import poser_drapeau, poser_drapeaux
from tests.pages_parc.fabriques import MOTIF, logement, poser_parc

FICHE = "reservation:logement"


def nouveaux():
    """Flags set by the test, not by its parc."""
    return Drapeau.objects.exclude(motif=MOTIF)


def fiche(cast, client, logement_, qui="gestionnaire_a"):
    client.force_login(cast.gens[qui])
    return client.get(reverse(FICHE, args=[logement_.pk]))


# --- Rights -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("qui", "statut"),
    [
        ("gestionnaire_a", 200),
        ("lecteur_a", 200),
        ("agent_ddets_06", 200),
        ("gestionnaire_b", 404),
        ("agent_ddets_22", 404),
        ("charge_als", 404),
        ("charge_dreal", 404),
        ("operateur", 404),
    ],
)
def test_who_reads_a_dwelling(cast, parc_a, client, qui, statut):
    assert fiche(cast, client, parc_a["C1"], qui).status_code == statut


@pytest.mark.parametrize("nom", ["reservation:drapeau_poser"])
@pytest.mark.parametrize("methode", ["get", "post"])
@pytest.mark.parametrize(
    ("qui", "statut"),
    [
        ("lecteur_a", 403),
        ("administrateur_a", 403),
        ("agent_ddets_06", 403),
        ("gestionnaire_b", 404),
        ("agent_ddets_22", 404),
        ("charge_als", 404),
        ("sans_organisation", 404),
    ],
)
def test_who_may_not_set_a_flag(cast, parc_a, client, nom, methode, qui, statut):
    client.force_login(cast.gens[qui])
    donnees = {"code": "DEMOLITION", "portee": "LOGEMENT", "motif": "x", "confirmer": "1"}
    adresse = reverse(nom, args=[parc_a["C1"].pk])
    assert getattr(client, methode)(adresse, donnees).status_code == statut
    assert not nouveaux().exists()


@pytest.mark.parametrize("qui", ["lecteur_a", "agent_ddets_06"])
def test_readers_are_offered_no_button_that_refuses_them(cast, parc_a, client, qui):
    assert (
        reverse("reservation:drapeau_poser", args=[parc_a["C1"].pk])
        not in fiche(cast, client, parc_a["C1"], qui).text
    )


# --- Why --------------------------------------------------------------------------------------------------------------


def test_the_reason_is_given_with_its_fact_and_its_article(cast, parc_a, client):
    reponse = fiche(cast, client, parc_a["PLI"])
    assert reponse.context["dans"] is False
    assert "financé en PLI (RPLS\u00a0: FINAN 16)" in reponse.text
    assert [e.code for e in reponse.context["suivantes"]] == ["statut.CONVENTIONNE"]
    assert "Sans cette raison" in reponse.text


def test_reasons_that_would_come_next_are_in_order(cast, client):
    (x,) = poser_parc(
        cast.bailleur_a,
        2026,
        [logement("X", finan="16", conv="2", sortie="1", mode="9", drapeaux=["DEFENSE", "LOGEMENT_FOYER"])],
    )
    reponse = fiche(cast, client, x)
    assert reponse.context["statut"].code == "statut.HORS_PARC"
    assert [e.code.removeprefix("statut.") for e in reponse.context["suivantes"]] == [
        "FOYER_RESIDENCE",
        "DEFENSE_SECURITE_SANTE",
        "PLI",
        "HORS_CHAMP",
    ]


def test_the_first_reason_is_the_status_that_is_counted(cast, parc_a, client):
    for x in parc_a.values():
        if x.departement_id == "06":
            assert fiche(cast, client, x).context["statut"].code == f"statut.{x.statut}"


def test_a_dwelling_in_the_assiette_has_nothing_after(cast, parc_a, client):
    reponse = fiche(cast, client, parc_a["C1"])
    assert reponse.context["dans"] is True and reponse.context["suivantes"] == []
    assert "Sans cette raison" not in reponse.text


def test_the_act_of_the_year_is_named(cast, parc_a, convention_etat, client):
    assert "2026-ETAT-A" in fiche(cast, client, parc_a["C1"]).text


def test_the_question_of_rpls_is_put(cast, parc_a, client):
    assert "résidence universitaire" in fiche(cast, client, parc_a["E1"]).text
    assert not fiche(cast, client, parc_a["E4"]).context["questions"]


# --- Facts and history ------------------------------------------------------------------------------------------------


def test_codes_are_shown_with_their_words(cast, parc_a, client):
    texte = fiche(cast, client, parc_a["SORTI"]).text
    assert "4 – démoli" in texte and "13 – PLUS (LLS outre-mer)" in texte


def test_an_unknown_code_is_shown_as_it_is(cast, client):
    (x,) = poser_parc(cast.bailleur_a, 2026, [logement("X", mode="7")])
    assert "<dd>7 " in fiche(cast, client, x).text


def test_the_same_dwelling_in_other_years_and_what_changed(cast, parc_a, client):
    reponse = fiche(cast, client, parc_a["C1"])
    assert [x.millesime for x in reponse.context["millesimes"]] == [2026, 2025]
    recent, ancien = reponse.context["histoire"]
    assert recent.titre == "RPLS 2026\u00a0: ce qui change" and "premier millésime connu" in ancien.titre
    assert recent.details == [
        "Occupation\u00a0: 2 – proposé à la location, vacant devient 1 – loué avec contrat de location"
    ]
    assert fiche(cast, client, parc_a["AV77"]).context["millesimes"] == [parc_a["AV77"]]


def test_a_dwelling_of_another_year_is_judged_with_the_act_of_that_year(
    cast, parc_a, convention_etat, client
):
    ancien = Logement.objects.get(cle="C1", millesime=2025)
    assert "aucune convention de l’État en 2025" in fiche(cast, client, ancien).text


def test_the_page_costs_the_same_with_ten_flags(cast, parc_a, client):
    client.force_login(cast.gestionnaire_a)
    adresse = reverse(FICHE, args=[parc_a["C1"].pk])
    with CaptureQueriesContext(connection) as avant:
        client.get(adresse)
    Drapeau.objects.bulk_create(
        Drapeau(
            bailleur=cast.bailleur_a,
            departement_id="06",
            portee="LOGEMENT",
            cible="C1",
            code=code,
            motif="essai",
            pose_par=cast.gestionnaire_a,
        )
        for code in list(CodeDrapeau)[:10]
    )
    with CaptureQueriesContext(connection) as apres:
        assert len(client.get(adresse).context["drapeaux"]) == 10
    assert len(apres) == len(avant)


# --- Flags ------------------------------------------------------------------------------------------------------------


def poser(cast, client, x, **donnees):
    client.force_login(cast.gestionnaire_a)
    corps = {
        "code": "RESIDENCE_UNIVERSITAIRE",
        "portee": "LOGEMENT",
        "motif": "Bail au CROUS du 3 mai",
    } | donnees
    return client.post(reverse("reservation:drapeau_poser", args=[x.pk]), corps)


def test_what_a_flag_changes_is_shown_and_nothing_is_written(cast, parc_a, client):
    reponse = poser(cast, client, parc_a["E1"], portee="PROGRAMME")
    assert reponse.status_code == 200
    effet = reponse.context["effet"]
    assert effet.logements == 2
    assert effet.passages == [(StatutLogement.CONVENTIONNE, StatutLogement.FOYER_RESIDENCE, 2)]
    assert "Poser le drapeau" in reponse.text
    assert not nouveaux().exists()


def test_a_flag_that_changes_nothing_says_so(cast, parc_a, client):
    effet = poser(cast, client, parc_a["E1"], code="ORDINAIRE").context["effet"]
    assert (effet.logements, effet.passages, effet.inchanges) == (1, [], 1)
    reponse = poser(cast, client, parc_a["PLI"], code="DEMOLITION")  # without act: demolition changes nothing
    assert "Aucun statut ne change" in reponse.text


def test_the_effect_shown_is_the_one_that_happens(cast, parc_a, client):
    avant = EtatParc.objects.get(bailleur=cast.bailleur_a, departement="06", millesime=2026).revision
    reponse = poser(cast, client, parc_a["E1"], portee="PROGRAMME", confirmer="1")
    assert reponse.url == reverse(FICHE, args=[parc_a["E1"].pk])
    drapeau = nouveaux().get()
    assert (drapeau.portee, drapeau.cible, drapeau.pose_par) == (
        "PROGRAMME",
        "RESIDENCE DES ILES",
        cast.gestionnaire_a,
    )
    passes = Logement.objects.filter(millesime=2026, statut="FOYER_RESIDENCE").values_list("cle", flat=True)
    assert set(passes) == {"E1", "E2", "F1"}
    etat = EtatParc.objects.get(bailleur=cast.bailleur_a, departement="06", millesime=2026)
    assert etat.revision > avant
    texte = fiche(cast, client, parc_a["E2"]).text
    assert "Bail au CROUS du 3 mai" in texte and "Gestionnaire A" in texte


@pytest.mark.parametrize(
    ("manque", "message"),
    [
        ({"code": ""}, "Choisissez la nature"),
        ({"motif": "  "}, "Écrivez pourquoi"),
        ({"portee": ""}, "Dites si le drapeau vaut"),
        ({"code": "INVENTE"}, "INVENTE"),
    ],
)
def test_what_is_missing_is_said_in_the_summary_and_beside_the_field(cast, parc_a, client, manque, message):
    reponse = poser(cast, client, parc_a["E1"], confirmer="1", **manque)
    assert reponse.status_code == 422 and reponse.text.count(message) >= 2
    assert not nouveaux().exists()


@pytest.mark.parametrize("corps", [{}, {"inconnu": "x"}])
def test_an_empty_post_is_an_incomplete_form(cast, parc_a, client, corps):
    client.force_login(cast.gestionnaire_a)
    reponse = client.post(reverse("reservation:drapeau_poser", args=[parc_a["E1"].pk]), corps)
    assert reponse.status_code == 422 and "3 réponses sont à corriger" in reponse.text
    adresse = reverse("reservation:parc_etudiants", args=[cast.bailleur_a.pk, "06"])
    assert client.post(adresse, corps).status_code == 422


def test_a_dwelling_without_programme_offers_no_programme(cast, parc_a, client):
    reponse = poser(cast, client, parc_a["C1"], portee="PROGRAMME", confirmer="1")
    assert reponse.status_code == 422 and not nouveaux().exists()


def test_a_flag_already_there_is_refused_with_its_reason(cast, parc_a, client):
    poser(cast, client, parc_a["E1"], confirmer="1")
    reponse = poser(cast, client, parc_a["E1"], confirmer="1")
    assert reponse.status_code == 422 and "déjà posé" in reponse.text
    assert nouveaux().count() == 1


def test_one_comes_back_to_the_form_with_what_was_typed(cast, parc_a, client):
    reponse = poser(cast, client, parc_a["E1"], modifier="1")
    assert "Voir ce que cela change" in reponse.text and "Bail au CROUS du 3 mai" in reponse.text


# --- Withdrawing ------------------------------------------------------------------------------------------------------


@pytest.fixture
def drapeau(cast, parc_a) -> Drapeau:
    return poser_drapeau(
        cast.acteur("gestionnaire_a"),
        bailleur=cast.bailleur_a,
        departement=parc_a["E1"].departement,
        portee=Drapeau.Portee.PROGRAMME,
        cible="RESIDENCE DES ILES",
        code=CodeDrapeau.RESIDENCE_UNIVERSITAIRE,
        motif="Bail au CROUS",
    )


def test_withdrawing_shows_its_effect_then_brings_the_dwellings_back(cast, parc_a, drapeau, client):
    client.force_login(cast.gestionnaire_a)
    adresse = reverse("reservation:drapeau_retirer", args=[drapeau.pk])
    effet = client.get(adresse).context["effet"]
    assert effet.passages == [(StatutLogement.FOYER_RESIDENCE, StatutLogement.CONVENTIONNE, 2)]
    assert client.post(adresse, {"motif": ""}).status_code == 422
    drapeau.refresh_from_db()
    assert drapeau.retire_le is None
    assert client.post(adresse, {"motif": "Bail résilié"}).status_code == 302
    drapeau.refresh_from_db()
    assert (drapeau.retire_par, drapeau.motif_retrait) == (cast.gestionnaire_a, "Bail résilié")
    assert set(Logement.objects.filter(cle__in=["E1", "E2"]).values_list("statut", flat=True)) == {
        "CONVENTIONNE"
    }
    assert "Bail résilié" in fiche(cast, client, parc_a["E1"]).text
    assert client.get(adresse).status_code == 404  # it is no longer there to withdraw


def test_what_another_flag_holds_does_not_move(cast, parc_a, drapeau, client):
    poser_drapeau(
        cast.acteur("gestionnaire_a"),
        bailleur=cast.bailleur_a,
        departement=parc_a["E1"].departement,
        portee=Drapeau.Portee.LOGEMENT,
        cible="E1",
        code=CodeDrapeau.RESIDENCE_UNIVERSITAIRE,
        motif="Bail au CROUS, lot 1",
    )
    client.force_login(cast.gestionnaire_a)
    reponse = client.get(reverse("reservation:drapeau_retirer", args=[drapeau.pk]))
    assert reponse.context["effet"].logements == 1 and reponse.context["tenus_par_un_autre"] == 1
    client.post(reverse("reservation:drapeau_retirer", args=[drapeau.pk]), {"motif": "Erreur"})
    statuts = dict(Logement.objects.filter(cle__in=["E1", "E2"]).values_list("cle", "statut"))
    assert statuts == {"E1": "FOYER_RESIDENCE", "E2": "CONVENTIONNE"}


@pytest.mark.parametrize(
    ("qui", "statut"),
    [("lecteur_a", 403), ("agent_ddets_06", 403), ("gestionnaire_b", 404), ("charge_als", 404)],
)
def test_who_may_not_withdraw(cast, parc_a, drapeau, client, qui, statut):
    client.force_login(cast.gens[qui])
    adresse = reverse("reservation:drapeau_retirer", args=[drapeau.pk])
    assert client.get(adresse).status_code == client.post(adresse, {"motif": "x"}).status_code == statut
    drapeau.refresh_from_db()
    assert drapeau.retire_le is None


# --- The question « étudiant ? » --------------------------------------------------------------------------------------


def repondre(cast, client, qui="gestionnaire_a", **donnees):
    client.force_login(cast.gens[qui])
    adresse = reverse("reservation:parc_etudiants", args=[cast.bailleur_a.pk, "06"])
    return client.post(adresse, donnees) if donnees else client.get(adresse)


def test_programmes_are_listed_and_the_others_counted(cast, parc_a, client):
    reponse = repondre(cast, client)
    (champ,) = reponse.context["formulaire"].champs_programmes
    assert champ.label == "RESIDENCE DES ILES, Cannes (2 logements)"
    assert reponse.context["sans_programme"] == 1


def test_an_answer_is_a_flag_on_the_programme_and_closes_the_question(cast, parc_a, client):
    reponse = repondre(cast, client, **{"programme-0": "ORDINAIRE", "motif": "Baux d’habitation ordinaires"})
    assert reponse.status_code == 302
    drapeau = nouveaux().get()
    assert (drapeau.code, drapeau.portee, drapeau.cible) == ("ORDINAIRE", "PROGRAMME", "RESIDENCE DES ILES")
    suite = repondre(cast, client)
    assert suite.context["nombre"] == 1 and not suite.context["formulaire"].champs_programmes
    assert set(Logement.objects.filter(cle__in=["E1", "E2"]).values_list("statut", flat=True)) == {
        "CONVENTIONNE"
    }


def test_an_empty_answer_is_said(cast, parc_a, client):
    reponse = repondre(cast, client, **{"programme-0": "", "motif": "Rien"})
    assert reponse.status_code == 422 and "Répondez pour un programme au moins" in reponse.text


def test_all_the_answers_or_none(cast, client):
    lignes = [logement(f"E{n}", typeconst="E", programme=f"P{n}") for n in range(3)]
    poser_parc(cast.bailleur_a, 2026, lignes)
    communs = {
        "bailleur": cast.bailleur_a,
        "departement": Logement.objects.first().departement,
        "portee": Drapeau.Portee.PROGRAMME,
        "motif": "Essai",
    }
    poser_drapeau(cast.acteur("gestionnaire_a"), cible="P2", code=CodeDrapeau.ORDINAIRE, **communs)
    with pytest.raises(Exception, match="contredit"):
        poser_drapeaux(
            cast.acteur("gestionnaire_a"),
            codes={"P0": CodeDrapeau.ORDINAIRE, "P2": CodeDrapeau.RESIDENCE_UNIVERSITAIRE},
            **communs,
        )
    assert nouveaux().count() == 1


@pytest.mark.parametrize(
    ("qui", "statut"),
    [("lecteur_a", 403), ("agent_ddets_06", 403), ("gestionnaire_b", 404), ("charge_als", 404)],
)
def test_who_may_not_answer(cast, parc_a, client, qui, statut):
    assert repondre(cast, client, qui).status_code == statut
    donnees = {"programme-0": "ORDINAIRE", "motif": "x"}
    assert repondre(cast, client, qui, **donnees).status_code == statut
    assert not nouveaux().exists()
