"""The dates of a territory, their changes, who owes what; the pages and the calendar."""

from datetime import date, datetime

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from bilans.models import Bilan, DocumentBilan, EcheanceCampagne, EtapeBilan, PointEtape
from bilans.regles.campagne import Etat, NatureEcheance, echeances_par_defaut
from bilans.services import campagnes, projections
from bilans.services.campagnes import Territoire
from bilans.services.suivi_campagne import obligations, prochaine_date
from config.accueil import tableau_d_accueil
from flux.services import agendas
from flux.services.echeances import echeance_du_bilan
from reservation.acteur import Acteur
from reservation.models import Convention, Departement
from reservation.regles.periodes import PARIS
from tests.acces.decor import ANNEE, SYSTEME
from tests.lecteur_ics import lire_ics

pytestmark = pytest.mark.django_db
N = NatureEcheance
AN = ANNEE + 1


def moment(texte: str) -> datetime:
    return datetime.fromisoformat(texte).replace(tzinfo=PARIS)


@pytest.fixture
def le_06(decor) -> Territoire:
    return Territoire(departement=Departement.objects.select_related("region").get(pk="06"))


@pytest.fixture
def en_paca(le_06) -> Territoire:
    return Territoire(region=le_06.departement.region)


def valeurs(due: date, tolerance: date | None = None, raison: str = "réunion du comité", suivie: bool = True):
    return {"due": due, "tolerance": tolerance or due, "raison": raison, "suivie": suivie}


def due_de(territoire: Territoire, nature: N, annee: int = AN) -> date:
    return next(e.due for e in campagnes.echeances_de(territoire, annee) if e.nature == nature)


def test_the_ddets_moves_a_date_for_its_departement_only(decor, le_06):
    ddets = decor.cast.acteur("agent_ddets_06")
    jour = date(AN, 3, 16)
    assert campagnes.modifier_campagne(ddets, le_06, AN, {N.BILAN: valeurs(jour)})
    assert due_de(le_06, N.BILAN) == jour
    le_22 = Territoire(departement=Departement.objects.get(pk="22"))
    assert due_de(le_22, N.BILAN) == date(AN, 2, 27)
    assert not campagnes.modifier_campagne(ddets, le_06, AN, {N.BILAN: valeurs(jour)})
    [ligne] = EcheanceCampagne.objects.all()
    assert ligne.modifiee_par == decor.cast.agent_ddets_06
    # Put back as it ships: it follows the others again.
    [bilan] = [e for e in echeances_par_defaut(AN) if e.nature == N.BILAN]
    assert campagnes.modifier_campagne(
        ddets, le_06, AN, {N.BILAN: valeurs(bilan.due, bilan.tolerance, bilan.raison)}
    )
    assert not EcheanceCampagne.objects.exists()


def test_the_region_applies_where_the_departement_says_nothing(decor, le_06, en_paca):
    jour = date(AN, 3, 10)
    campagnes.modifier_campagne(SYSTEME, en_paca, AN, {N.BILAN: valeurs(jour), N.CORRECTION: valeurs(jour)})
    campagnes.modifier_campagne(SYSTEME, le_06, AN, {N.BILAN: valeurs(date(AN, 3, 1))})
    assert (due_de(le_06, N.BILAN), due_de(le_06, N.CORRECTION)) == (date(AN, 3, 1), jour)
    en_vigueur = campagnes.echeances_en_vigueur(Departement.objects.filter(pk__in=["06", "22", "13"]), [AN])
    dues = {d: {e.nature: e.due for e in dates} for (d, _), dates in en_vigueur.items()}
    assert [dues[d][N.CORRECTION] for d in ("06", "13", "22")] == [jour, jour, date(AN, 3, 31)]
    assert campagnes.echeances_de(le_06, AN) == en_vigueur["06", AN]


@pytest.mark.parametrize(
    "qui",
    ["agent_ddets_22", "lecteur_ddets_06", "agent_sgc_06", "gestionnaire_a", "charge_als", "charge_dreal"],
)
def test_others_do_not_move_dates(decor, le_06, qui):
    with pytest.raises(PermissionDenied):
        campagnes.modifier_campagne(decor.cast.acteur(qui), le_06, AN, {N.BILAN: valeurs(date(AN, 3, 1))})


def test_a_dreal_that_manages_writes_its_region_and_no_other(decor, le_06, en_paca):
    dreal = decor.cast.acteur("charge_dreal")
    gere = Acteur(
        dreal.utilisateur_id,
        dreal.organisation_id,
        dreal.type_organisation,
        decor.cast.acteur("agent_ddets_06").roles,
        dreal.departements,
    )
    bretagne = Territoire(region=Departement.objects.get(pk="22").region)
    assert campagnes.peut_modifier(gere, en_paca)
    assert not campagnes.peut_modifier(gere, bretagne) and not campagnes.peut_modifier(gere, le_06)
    assert not campagnes.peut_modifier(dreal, en_paca)


def test_every_fault_is_said_at_once_and_nothing_is_written(decor, le_06):
    with pytest.raises(ValidationError) as refus:
        campagnes.modifier_campagne(
            decor.cast.acteur("agent_ddets_06"),
            le_06,
            AN,
            {
                N.PROJECTION: valeurs(date(AN - 1, 12, 1)),
                N.BILAN: valeurs(date(AN, 3, 1), date(AN, 2, 28), " "),
                N.CORRECTION: valeurs(date(AN + 5, 3, 1)),
            },
        )
    fautes = refus.value.message_dict
    assert {nature: len(f) for nature, f in fautes.items()} == {"BILAN": 2, "CORRECTION": 2}
    assert "attendu" in fautes["CORRECTION"][0] and "raison" in fautes["BILAN"][1]
    assert not EcheanceCampagne.objects.exists()
    with pytest.raises(ValidationError, match="2020"):
        campagnes.modifier_campagne(SYSTEME, le_06, 2019, {})


def test_the_database_refuses_what_the_service_refuses(decor, le_06, en_paca):
    bon = {
        "annee": AN,
        "nature": N.BILAN,
        "departement": le_06.departement,
        "due": date(AN, 3, 1),
        "tolerance": date(AN, 3, 1),
        "raison": "essai",
    }
    EcheanceCampagne.objects.create(**bon)
    for faute in (
        {},
        {"tolerance": date(AN, 2, 1), "annee": 2030},
        {"region": en_paca.region},
        {"raison": ""},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            EcheanceCampagne.objects.create(**{**bon, **faute})


# --- Who owes what ------------------------------------------------------------------------------------------------


def de_a(decor, quand: datetime, nature: N = N.PROJECTION, annee: int = AN):
    """What A owes of one nature."""
    siennes = [
        o
        for o in obligations(decor.cast.acteur("gestionnaire_a"), quand)
        if (o.echeance.nature, o.echeance.annee) == (nature, annee)
    ]
    assert {o.bailleur for o in siennes} <= {decor.a.bailleur}
    return siennes


def test_projection_is_owed_until_it_is_sent(decor):
    veille = moment(f"{ANNEE}-12-20T10:00:00")
    [due] = de_a(decor, veille)
    assert (due.situation.etat, due.departement.pk) == (Etat.PROCHE, "06")
    with time_machine.travel(veille, tick=False):
        projections.envoyer_projection(decor.cast.acteur("gestionnaire_a"), decor.a.bailleur, "06", AN)
    [due] = de_a(decor, moment(f"{AN}-02-01T10:00:00"))
    assert due.situation.etat == Etat.FAITE and due.situation.fait_le == veille
    # Corrected in spring: it was in time all the same, and B owes its own.
    autres = obligations(decor.cast.acteur("agent_ddets_06"), moment(f"{AN}-02-01T10:00:00"))
    etats = {
        o.bailleur: o.situation.etat
        for o in autres
        if (o.echeance.nature, o.echeance.annee) == (N.PROJECTION, AN)
    }
    assert etats == {decor.a.bailleur: Etat.FAITE, decor.b.bailleur: Etat.EN_RETARD}


def test_nobody_owes_before_an_act_nor_after_it(decor):
    quand = moment(f"{AN}-02-01T10:00:00")
    actes = Convention.objects.filter(bailleur=decor.a.bailleur, etat=Convention.Etat.SIGNEE)
    actes = Convention.objects.filter(pk__in=list(actes.values_list("pk", flat=True)))
    assert de_a(decor, quand)[0].situation.en_retard
    actes.update(signee_le=date(AN, 1, 15))  # signed after the date, with effect before
    assert de_a(decor, quand) == []
    actes.update(signee_le=date(ANNEE, 1, 1), fin=date(ANNEE, 12, 31))
    assert de_a(decor, quand) == []
    actes.update(fin=date(AN, 12, 31), etat=Convention.Etat.BROUILLON, signee_le=None)
    assert de_a(decor, quand) == []


@pytest.mark.parametrize(
    "qui", ["agent_cannes", "agent_caf", "charge_dreal", "operateur", "sans_organisation"]
)
def test_the_others_owe_nothing_and_read_nobody_s_delay(decor, qui):
    assert obligations(decor.cast.acteur(qui), moment(f"{AN}-02-01T10:00:00")) == []


def test_number_of_queries_does_not_depend_on_the_bailleurs(decor, django_assert_num_queries):
    """The acts, the dates, one for each kind of fact, what was asked, the proposals."""
    for qui in ("gestionnaire_a", "agent_ddets_06"):
        acteur = decor.cast.acteur(qui)
        with django_assert_num_queries(10):
            obligations(acteur, moment(f"{AN}-02-01T10:00:00"))


# --- Home ---------------------------------------------------------------------------------------------------------


def test_home_counts_down_and_forgets_what_is_done(decor, le_06):
    acteur, quand = decor.cast.acteur("gestionnaire_a"), moment(f"{ANNEE}-12-23T09:00:00")
    tableau = tableau_d_accueil(acteur, quand)
    assert tableau.prochaine.compte_a_rebours == "dans 7 jours"
    taches = [t for t in tableau.taches if f"prévisionnelles de {AN}" in t.libelle]
    assert [t.statut for t in taches] == ["à faire"]
    with time_machine.travel(quand, tick=False):
        projections.envoyer_projection(decor.cast.acteur("gestionnaire_a"), decor.a.bailleur, "06", AN)
    # Sent in the 06, not in the 22: only the latter is still announced. Who has nothing to do reads whose it is.
    reste = tableau_d_accueil(acteur, quand).prochaine
    ailleurs = str(Departement.objects.get(pk="22"))
    assert (reste.echeance.nature, reste.lieux, reste.du_bailleur) == (N.PROJECTION, ailleurs, False)
    assert tableau_d_accueil(decor.cast.acteur("charge_als"), quand).prochaine.du_bailleur
    plus_tard = moment(f"{AN}-01-02T09:00:00")
    assert not any(
        f"prévisionnelles de {AN}" in t.libelle for t in tableau_d_accueil(acteur, plus_tard).taches
    )
    # A date that the DDETS moves is the one that is counted.
    campagnes.modifier_campagne(SYSTEME, le_06, AN, {N.PART_ALS: valeurs(date(AN, 1, 5))})
    assert tableau_d_accueil(acteur, plus_tard).prochaine.echeance.due == date(AN, 1, 5)


def test_where_a_date_applies_is_said_when_it_is_not_everywhere(decor, le_06):
    acteur = decor.cast.acteur("gestionnaire_a")  # present in the 06 and in the 22
    jour = date(AN, 1, 2)
    assert prochaine_date(acteur, jour)[1] == ""
    campagnes.modifier_campagne(SYSTEME, le_06, AN, {N.PART_ALS: valeurs(date(AN, 1, 5))})
    premiere, lieux = prochaine_date(acteur, jour)
    assert (premiere.due, lieux) == (date(AN, 1, 5), "Alpes-Maritimes")
    assert prochaine_date(decor.cast.acteur("sans_organisation"), jour) is None


# --- Pages --------------------------------------------------------------------------------------------------------


def donnees_du_formulaire(territoire: Territoire, **changements: str) -> dict[str, str]:
    donnees = {}
    for e in campagnes.echeances_de(territoire, AN):
        donnees |= {
            f"{e.nature}-due": e.due.isoformat(),
            f"{e.nature}-tolerance": e.tolerance.isoformat(),
            f"{e.nature}-raison": e.raison,
        }
        if e.suivie:
            donnees[f"{e.nature}-suivie"] = "on"
    return donnees | changements


def test_page_says_each_date_its_reason_and_who_did_it(decor, client, django_assert_max_num_queries):
    client.force_login(decor.cast.agent_ddets_06)
    with time_machine.travel(moment(f"{AN}-02-01T10:00:00")), django_assert_max_num_queries(22):
        page = client.get(f"/campagnes/departement/06/{AN}/").content.decode()
    for texte in (
        f"27\u00a0février\u00a0{AN}",
        f"28\u00a0février\u00a0{AN}",
        "R. 441-5-1",
        "Habitat Essai A",
        "en retard",
        "Changer les dates",
    ):
        assert texte in page
    client.force_login(decor.cast.agent_cannes)
    page = client.get(f"/campagnes/departement/06/{AN}/").content.decode()
    assert (
        f"27\u00a0février\u00a0{AN}" in page
        and "Habitat Essai A" not in page
        and "Changer les dates" not in page
    )


def test_form_moves_a_date_and_the_history_says_who(decor, client, le_06):
    client.force_login(decor.cast.agent_ddets_06)
    adresse = f"/campagnes/departement/06/{AN}/modifier/"
    mauvais = client.post(adresse, donnees_du_formulaire(le_06, **{"BILAN-tolerance": f"{AN}-02-01"}))
    assert mauvais.status_code == 422 and "précède" in mauvais.content.decode()
    bon = donnees_du_formulaire(
        le_06,
        **{"BILAN-due": f"{AN}-03-16", "BILAN-tolerance": f"{AN}-03-20", "BILAN-raison": "réunion du comité"},
    )
    assert client.post(adresse, bon).status_code == 302
    assert due_de(le_06, N.BILAN) == date(AN, 3, 16)
    historique = client.get(f"/historique/campagne/departement-06-{AN}/").content.decode()
    assert "Agent DDETS 06" in historique and "réunion du comité" in historique


def test_two_agents_at_once_the_second_is_told(decor, client, le_06):
    client.force_login(decor.cast.agent_ddets_06)
    adresse = f"/campagnes/departement/06/{AN}/modifier/"
    version = client.get(adresse).context["edition"].version
    premier = donnees_du_formulaire(le_06, version=str(version), **{"BILAN-tolerance": f"{AN}-03-20"})
    second = donnees_du_formulaire(le_06, version=str(version), **{"BILAN-tolerance": f"{AN}-03-25"})
    assert client.post(adresse, premier).status_code == 302
    reponse = client.post(adresse, second)
    assert reponse.status_code == 422 and "entre-temps" in reponse.content.decode()


def test_calendar_has_a_whole_day_for_each_date_that_is_held(decor, client):
    client.force_login(decor.cast.agent_cannes)
    reponse = client.get(f"/campagnes/departement/06/{AN}/agenda.ics")
    assert reponse.headers["Content-Type"].startswith("text/calendar")
    texte = reponse.content.decode()
    assert len(lire_ics(reponse.content).events) == 5
    assert f"DTSTART;VALUE=DATE:{AN}0227\r\n" in texte and "TRANSP:TRANSPARENT" in texte
    assert "DTSTART:" not in texte
    # A tolerance is said where there is one: not for a date that has none.
    assert texte.replace("\r\n ", "").count("Toléré jusqu’au") == 4


@pytest.mark.parametrize(
    "adresse", ["commune/06", "departement/99", "departement/22", "region/93", "departement/06%00"]
)
def test_other_addresses_do_not_exist(decor, client, adresse):
    client.force_login(decor.cast.agent_ddets_06)
    assert client.get(f"/campagnes/{adresse}/{AN}/").status_code == 404


# --- The calendar that one subscribes to ---------------------------------------------------------------------------


def s_abonner(client, personne) -> str:
    """The address that the page shows once it is made."""
    client.force_login(personne)
    assert client.post("/campagnes/agenda/renouveler/").status_code == 302
    return client.get("/campagnes/").context["adresse_agenda"]


@time_machine.travel(datetime(ANNEE, 12, 10, 9, tzinfo=PARIS), tick=False)
def test_a_calendar_is_subscribed_to_by_those_who_manage_and_follows_the_dates(decor, client, le_06):
    adresse = s_abonner(client, decor.cast.charge_als)
    campagnes.modifier_campagne(SYSTEME, le_06, AN, {N.BILAN: valeurs(date(AN, 3, 12))})
    client.logout()
    reponse = client.get(adresse)
    assert reponse.headers["Content-Type"].startswith("text/calendar")
    texte = reponse.content.decode()
    assert lire_ics(reponse.content).events
    assert f"UID:campagne-departement-06-{AN}-bilan@" in texte and f"DTSTART;VALUE=DATE:{AN}0312\r\n" in texte
    assert f"{AN}0227" not in texte and "departement-22" not in texte


def test_the_address_of_another_subject_opens_nothing(decor, client):
    """That of the commissions is not that of the campaigns, and the other way round."""
    adresse = s_abonner(client, decor.cast.gestionnaire_b)
    client.logout()
    assert client.get(adresse).status_code == 200
    secret = adresse.rsplit("/", 1)[1].removesuffix(".ics")
    assert agendas.calendrier_du_secret(secret) is None
    assert campagnes.calendrier_du_secret(decor.a.agenda.secret) is None
    assert agendas.calendrier_du_secret(decor.a.agenda.secret) is not None
    # Renewed, then taken back: neither of the two addresses opens anything.
    autre = s_abonner(client, decor.cast.gestionnaire_b)
    assert autre != adresse
    client.post("/campagnes/agenda/retirer/")
    assert client.get("/campagnes/").context["adresse_agenda"] == ""
    client.logout()
    assert [client.get(a).status_code for a in (adresse, autre)] == [404, 404]


def test_who_only_reads_does_not_subscribe(decor, client):
    client.force_login(decor.cast.charge_dreal)
    assert client.post("/campagnes/agenda/renouveler/").status_code == 403
    assert not client.get("/campagnes/").context["peut_s_abonner"]


def test_no_page_says_another_date_than_the_campaign(decor, client, le_06):
    """The list of the bilans, the end of a reconciliation: what the DDETS changed is what they say."""
    campagnes.modifier_campagne(SYSTEME, le_06, AN, {N.BILAN: valeurs(date(AN, 3, 12))})
    assert echeance_du_bilan("06", ANNEE) == date(AN, 3, 12)
    assert echeance_du_bilan("22", ANNEE) == echeance_du_bilan("00", ANNEE) == date(AN, 2, 27)
    with time_machine.travel(moment(f"{ANNEE}-12-10"), tick=False):
        client.force_login(decor.cast.agent_ddets_06)
        page = client.get("/bilans/").content.decode().replace("\xa0", " ")
    assert f"12 mars {AN}" in page and "28 février" not in page


# --- What is owed on demand, and the half-year -----------------------------------------------------------------------


def etape(decor, bilan, acte: str, de: str, vers: str, quand: str, **champs) -> None:
    EtapeBilan.objects.create(
        bilan=bilan,
        bailleur=bilan.bailleur,
        departement=bilan.departement,
        rang=EtapeBilan.objects.filter(bilan=bilan).count() + 1,
        acte=acte,
        de=de,
        vers=vers,
        le=moment(quand),
        par=decor.cast.agent_ddets_06,
        organisation=decor.cast.ddets_06,
        **champs,
    )


@pytest.fixture
def bilan_a_venir(decor):
    """A bilan of a year without any act, and its document."""
    bilan = Bilan.objects.create(bailleur=decor.cast.bailleur_a, departement_id="06", annee=AN + 1)
    document = DocumentBilan.objects.create(
        bilan=bilan,
        bailleur=bilan.bailleur,
        departement_id="06",
        version=1,
        donnees_au=date(AN + 1, 12, 31),
        donnees={},
        empreinte_donnees="a" * 64,
        empreinte_pdf="b" * 64,
        pages=1,
    )
    Convention.objects.filter(bailleur=decor.cast.bailleur_a).update(fin=date(AN + 3, 12, 31))
    return bilan, document


def corrections(decor, quand: str) -> list:
    dues = obligations(decor.cast.acteur("gestionnaire_a"), moment(quand), [AN + 2], ["06"])
    return [(o.situation.etat, o.de_qui) for o in dues if o.echeance.nature == N.CORRECTION]


def test_a_correction_is_owed_once_asked_for_and_done_once_submitted_again(decor, bilan_a_venir):
    bilan, document = bilan_a_venir
    assert corrections(decor, f"{AN + 2}-03-20") == []
    etape(decor, bilan, "SOUMETTRE", "PREPARATION", "SOUMIS", f"{AN + 2}-02-20", document=document)
    assert corrections(decor, f"{AN + 2}-03-20") == []
    etape(decor, bilan, "RENVOYER", "SOUMIS", "RENVOYE", f"{AN + 2}-03-10", texte="à reprendre")
    assert corrections(decor, f"{AN + 2}-03-20") == [(Etat.PROCHE, (bilan.bailleur,))]
    assert corrections(decor, f"{AN + 2}-04-01") == [(Etat.EN_RETARD, (bilan.bailleur,))]
    etape(decor, bilan, "SOUMETTRE", "RENVOYE", "SOUMIS", f"{AN + 2}-03-31", document=document)
    assert [etat for etat, _ in corrections(decor, f"{AN + 2}-04-01")] == [Etat.FAITE]


def test_what_is_asked_after_the_date_is_not_held_to_it(decor, bilan_a_venir):
    bilan, document = bilan_a_venir
    etape(decor, bilan, "SOUMETTRE", "PREPARATION", "SOUMIS", f"{AN + 2}-02-20", document=document)
    etape(decor, bilan, "RENVOYER", "SOUMIS", "RENVOYE", f"{AN + 2}-04-01", texte="à reprendre")
    assert corrections(decor, f"{AN + 2}-04-20") == []


def test_a_point_d_etape_is_what_was_sent_of_that_half_year(decor):
    def points(quand: str) -> list:
        dues = obligations(decor.cast.acteur("gestionnaire_a"), moment(quand), [AN], ["06"])
        return [o.situation.etat for o in dues if o.echeance.nature == N.POINT_ETAPE_1]

    Convention.objects.filter(bailleur=decor.cast.bailleur_a).update(fin=date(AN + 3, 12, 31))
    assert points(f"{AN}-06-30") == [Etat.A_VENIR]
    assert points(f"{AN}-09-01") == [Etat.EN_RETARD]
    bilan, _ = Bilan.objects.get_or_create(bailleur=decor.cast.bailleur_a, departement_id="06", annee=AN)
    for version, (semestre, attendu) in enumerate(((2, Etat.EN_RETARD), (1, Etat.FAITE)), start=1):
        PointEtape.objects.create(
            bilan=bilan,
            bailleur=bilan.bailleur,
            departement_id="06",
            semestre=semestre,
            version=1,
            le=moment(f"{AN}-07-15"),
            par=decor.cast.gestionnaire_a,
            organisation=bilan.bailleur,
            document=DocumentBilan.objects.create(
                bilan=bilan,
                bailleur=bilan.bailleur,
                departement_id="06",
                version=version,
                donnees_au=date(AN, 6, 30),
                donnees={},
                empreinte_donnees=str(version) * 64,
                empreinte_pdf="b" * 64,
                pages=1,
            ),
        )
        assert points(f"{AN}-09-01") == [attendu]
