"""What a bailleur foresees, sent with receipts and versions; the share of ALS: proposed, accepted, told to the préfet."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from bilans.models import EnvoiProjection, PartConvenue, RemiseProjection
from bilans.regles.campagne import Etat as EtatEcheance
from bilans.services import projections
from bilans.services.suivi_campagne import obligations
from flux.services.soustractions import declarer_soustractions
from reservation.acteur import Acteur
from reservation.models import Convention, Courriel, Rattachement, VersionConvention
from tests.acces.decor import ANNEE

pytestmark = pytest.mark.django_db
AN = ANNEE + 1
Etat = PartConvenue.Etat


@pytest.fixture
def bailleur(decor) -> Acteur:
    return decor.cast.acteur("gestionnaire_a")


@pytest.fixture
def als(decor) -> Acteur:
    return decor.cast.acteur("charge_als")


@pytest.fixture
def envoyer(decor, bailleur):
    return lambda: projections.envoyer_projection(bailleur, decor.a.bailleur, "06", AN)


@pytest.fixture
def proposer(decor):
    """`proposer(who, dwellings)`: a proposal for A in the 06."""
    return lambda acteur, logements: projections.proposer_part(
        acteur, decor.a.bailleur, "06", AN, logements, "essai"
    )


@pytest.fixture(autouse=True)
def _what_the_acts_deduct(decor):
    """The acts of the decor deduct two categories; nothing is computed yet for that year."""
    VersionConvention.objects.filter(bailleur=decor.a.bailleur).update(soustractions=["MUTATION", "VENTE"])


# --- Soustractions ------------------------------------------------------------------------------------------------


def test_sent_to_every_reservataire_and_to_the_state(decor, envoyer):
    envoi = envoyer()
    assert set(envoi.remises.values_list("reservataire__nom", flat=True)) == {
        "Action Logement Services",
        "Commune de Cannes",
        "DDETS des Alpes-Maritimes",
    }
    courriels = Courriel.objects.filter(gabarit="projection_transmise")
    # The people who manage: not those who only read or administer.
    assert set(courriels.values_list("destinataire", flat=True)) == {
        "als@als.example",
        "logement@cannes.example",
        "ddets06@etat.example",
    }
    assert all(f"/projections/{decor.a.bailleur.pk}/06/{AN}/" in c.corps_texte for c in courriels)
    # Nothing foreseen is an answer too: every category, at zero.
    assert (envoi.nombres, envoi.total) == ({"MUTATION": 0, "VENTE": 0}, 0)


def test_a_change_makes_a_version_and_the_same_numbers_do_not(decor, bailleur, envoyer):
    premier = envoyer()
    with pytest.raises(ValidationError, match="déjà transmise"):
        envoyer()
    declarer_soustractions(bailleur, decor.a.bailleur, "06", AN, {"MUTATION": 1})
    second = envoyer()
    assert (second.version, second.total, second.nombres["MUTATION"]) == (2, 1, 1)
    premier.refresh_from_db()
    assert premier.nombres["MUTATION"] == 0 and second.remises.count() == 3


def test_a_reservataire_that_comes_later_gets_the_version_in_force(decor, envoyer):
    envoi = envoyer()
    Convention.objects.filter(pk=decor.a.brouillon.pk).update(etat="SIGNEE", signee_le=date(ANNEE, 1, 1))
    assert envoyer() == envoi
    assert envoi.remises.count() == 4 and EnvoiProjection.objects.filter(annee=AN).count() == 1


def test_who_has_no_account_is_said(decor, envoyer):
    Rattachement.objects.filter(organisation=decor.cast.commune_cannes).delete()
    comptes = dict(envoyer().remises.values_list("reservataire__nom", "comptes"))
    assert comptes["Commune de Cannes"] == 0 and comptes["Action Logement Services"] == 1


@pytest.mark.parametrize("qui", ["lecteur_a", "gestionnaire_b", "agent_ddets_06", "charge_als"])
def test_only_the_bailleur_sends(decor, qui):
    with pytest.raises(PermissionDenied):
        projections.envoyer_projection(decor.cast.acteur(qui), decor.a.bailleur, "06", AN)


def test_receipt_keeps_its_first_day_and_acknowledges_what_came_before(decor, bailleur, als, envoyer):
    envoyer()
    declarer_soustractions(bailleur, decor.a.bailleur, "06", AN, {"MUTATION": 1})
    second = envoyer()
    remise = projections.accuser_reception(als, second)
    le = remise.lue_le
    assert remise.lue_par == decor.cast.charge_als
    siennes = RemiseProjection.objects.filter(reservataire=decor.cast.als, envoi__annee=AN)
    assert siennes.count() == 2 and not siennes.filter(lue_le=None).exists()
    assert projections.accuser_reception(als, second).lue_le == le
    assert second.remises.filter(lue_le=None).count() == 2
    with pytest.raises(PermissionDenied):
        projections.accuser_reception(bailleur, second)


def test_each_reservataire_reads_what_was_sent_to_it_and_only_its_receipt(decor, envoyer):
    envoi = envoyer()
    cannes, caf = decor.cast.acteur("agent_cannes"), decor.cast.acteur("agent_caf")
    assert list(EnvoiProjection.objects.visibles_par(cannes)) == [envoi]
    assert RemiseProjection.objects.visibles_par(cannes).count() == 1
    assert not EnvoiProjection.objects.visibles_par(caf).exists()
    assert (
        RemiseProjection.objects.visibles_par(decor.cast.acteur("agent_ddets_06")).filter(envoi=envoi).count()
        == 3
    )


# --- The share of ALS ---------------------------------------------------------------------------------------------


def test_proposed_by_one_accepted_by_the_other_told_to_the_prefet(decor, bailleur, als, proposer):
    part = proposer(bailleur, 0)
    assert (part.version, part.etat) == (1, Etat.PROPOSEE)
    assert Courriel.objects.get(gabarit="part_als_proposee").destinataire == "als@als.example"
    with pytest.raises(PermissionDenied, match="autre partie"):
        projections.accepter_part(decor.cast.acteur("signataire_a"), part)
    part = projections.accepter_part(als, part)
    assert part.etat == Etat.ACCEPTEE and part.prefet_informe_le == part.acceptee_le
    convenue = Courriel.objects.filter(gabarit="part_als_convenue")
    assert set(convenue.values_list("destinataire", flat=True)) == {
        "ddets06@etat.example",
        "gestion@a.example",
        "signature@a.example",
    }
    with pytest.raises(ValidationError, match="déjà"):
        projections.accepter_part(als, part)


def test_counter_proposal_and_new_version_keep_the_past(decor, bailleur, als, proposer):
    premiere = proposer(bailleur, 7)
    contre = proposer(als, 9)
    premiere.refresh_from_db()
    assert (premiere.etat, premiere.acceptee_le, contre.version) == (Etat.REMPLACEE, None, 2)
    contre = projections.accepter_part(bailleur, contre)
    nouvelle = proposer(bailleur, 8)
    contre.refresh_from_db()
    assert contre.etat == Etat.ACCEPTEE  # in force until the new one is accepted
    projections.accepter_part(als, nouvelle)
    contre.refresh_from_db()
    assert contre.etat == Etat.REMPLACEE and contre.acceptee_le is not None
    with pytest.raises(ValidationError, match="déjà de 8"):
        proposer(als, 8)
    # The first agreement is the day on which it was done.
    [due] = [
        o
        for o in obligations(als, annees=[AN])
        if o.bailleur == decor.a.bailleur and o.echeance.nature == "PART_ALS"
    ]
    assert due.situation.fait_le == contre.acceptee_le
    assert due.situation.etat in (
        EtatEcheance.FAITE,
        EtatEcheance.FAITE_EN_RETARD,
        EtatEcheance.FAITE_TOLEREE,
    )


def test_more_than_the_flux_is_refused(decor, bailleur):
    """The year of the decor is computed."""
    flux = projections.repere(decor.a.bailleur.pk, "06", ANNEE).flux
    with pytest.raises(ValidationError, match="au plus"):
        projections.proposer_part(bailleur, decor.a.bailleur, "06", ANNEE, flux + 1, "")


@pytest.mark.parametrize("qui", ["lecteur_a", "gestionnaire_b", "agent_ddets_06", "agent_cannes"])
def test_others_do_not_engage_the_share(decor, bailleur, proposer, qui):
    with pytest.raises(PermissionDenied):
        proposer(decor.cast.acteur(qui), 1)
    part = proposer(bailleur, 0)
    with pytest.raises(PermissionDenied):
        projections.accepter_part(decor.cast.acteur(qui), part)


def test_without_an_act_of_als_there_is_nothing_to_agree_on(decor, bailleur, proposer):
    Convention.objects.filter(pk=decor.a.convention_als.pk).update(fin=date(ANNEE, 12, 31))
    with pytest.raises(ValidationError, match="pas d’acte"):
        proposer(bailleur, 1)


def test_a_prefecture_without_account_is_told_otherwise(decor, bailleur, als, proposer):
    Rattachement.objects.filter(organisation=decor.cast.ddets_06).delete()
    assert projections.accepter_part(als, proposer(bailleur, 0)).prefet_informe_le is None


def test_the_database_keeps_one_share_in_force(decor, bailleur, als, proposer):
    part = projections.accepter_part(als, proposer(bailleur, 0))
    with pytest.raises(IntegrityError), transaction.atomic():
        PartConvenue.objects.filter(pk=part.pk).update(acceptee_le=None)
    part.pk, part.version = None, 2
    with pytest.raises(IntegrityError), transaction.atomic():
        part.save()


# --- Page ---------------------------------------------------------------------------------------------------------


def test_journey_of_the_page(decor, client, django_assert_max_num_queries):
    adresse = f"/projections/{decor.a.bailleur.pk}/06/{AN}/"
    client.force_login(decor.cast.gestionnaire_a)
    assert "Transmettre à mes réservataires" in client.get(adresse).content.decode()
    assert client.post(f"{adresse}transmettre/").status_code == 302
    page = client.get(adresse).content.decode()
    assert "Transmettre à mes réservataires" not in page and "Commune de Cannes" in page
    assert client.post(f"{adresse}part/", {"logements": "0"}).status_code == 302
    envoi = EnvoiProjection.objects.get(annee=AN)
    client.force_login(decor.cast.agent_cannes)
    page = client.get(adresse).content.decode()
    assert "Accuser réception" in page and "Action Logement Services" not in page
    assert client.post(f"/projections/{envoi.pk}/accuser/").status_code == 302
    assert "Accuser réception" not in client.get(adresse).content.decode()
    client.force_login(decor.cast.charge_als)
    part = PartConvenue.objects.get(annee=AN)
    assert "L’accepter en informe le préfet" in client.get(adresse).content.decode()
    assert client.post(f"/projections/parts/{part.pk}/accepter/").status_code == 302
    client.force_login(decor.cast.agent_ddets_06)
    with django_assert_max_num_queries(26):
        page = client.get(adresse).content.decode()
    assert "acceptée" in page and "Agent commune" in page


def test_page_of_a_proposal_that_is_refused_keeps_what_was_typed(decor, client):
    client.force_login(decor.cast.gestionnaire_a)
    reponse = client.post(
        f"/projections/{decor.a.bailleur.pk}/06/{ANNEE}/part/",
        {"logements": "999999", "observation": "trop haut"},
    )
    page = reponse.content.decode()
    assert reponse.status_code == 422 and "au plus" in page and "trop haut" in page
