"""Reminders day by day, on the clock: each once, never after completion, never to who did its part; alerts that go away."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError

from bilans.models import Bilan, CourrielDeRappel, EnvoiProjection, EtapeBilan, PartConvenue, Rappel
from bilans.regles.campagne import NatureEcheance, Seuil
from bilans.services import campagnes, projections, rappels
from bilans.services.alertes import Genre, alertes
from bilans.services.campagnes import Territoire
from bilans.services.faits_campagne import bilans_soumis
from bilans.tasks import rappeler_les_echeances
from reservation.models import Convention, Courriel, Departement, Rattachement
from reservation.regles.periodes import PARIS
from reservation.services import courriels
from tests.acces.decor import ANNEE, SYSTEME

pytestmark = pytest.mark.django_db
AN = ANNEE + 1
N = NatureEcheance
PANNE = "tests.habilitations.conftest.RelaisEnPanne"


def a(texte: str, heure: str = "06:15:00") -> datetime:
    return datetime.fromisoformat(f"{texte}T{heure}").replace(tzinfo=PARIS)


@pytest.fixture(autouse=True)
def _rien_avant(decor):
    """What the decor holds of another year and of reminders is not what is tried here."""
    CourrielDeRappel.objects.all().delete()
    Rappel.objects.all().delete()
    Courriel.objects.all().delete()
    PartConvenue.objects.all().delete()


@pytest.fixture
def matin(decor):
    """`matin("2025-11-30")`: the task of that morning; what it wrote, by organisation and threshold."""

    def passer(jour: str) -> list[tuple[str, str, str]]:
        avant = set(Rappel.objects.values_list("pk", flat=True))
        with time_machine.travel(a(jour), tick=False):
            rappeler_les_echeances()
        return sorted(
            Rappel.objects.exclude(pk__in=avant).values_list("organisation__nom", "nature", "seuil")
        )

    return passer


def transmettre(decor, quand: datetime, qui: str = "a") -> EnvoiProjection:
    bailleur = getattr(decor, qui).bailleur
    with time_machine.travel(quand, tick=False):
        return projections.envoyer_projection(decor.cast.acteur(f"gestionnaire_{qui}"), bailleur, "06", AN)


LES_DEUX = ("Habitat Essai A", "Logis Essai B")


def test_projection_on_the_clock_for_one_in_time_and_one_late(decor, matin):
    """A sends on 10 December; B never does. A is not reminded after that day; B is, four times in all."""
    assert matin(f"{ANNEE}-11-29") == []
    assert matin(f"{ANNEE}-11-30") == [(nom, N.PROJECTION, Seuil.J_30) for nom in LES_DEUX]
    assert matin(f"{ANNEE}-11-30") == [] and matin(f"{ANNEE}-12-01") == []
    transmettre(decor, a(f"{ANNEE}-12-10"))
    suite = {
        jour: matin(jour)
        for jour in (
            f"{ANNEE}-12-22",
            f"{ANNEE}-12-23",
            f"{ANNEE}-12-24",
            f"{ANNEE}-12-30",
            f"{ANNEE}-12-31",
            f"{AN}-01-01",
            f"{AN}-01-02",
        )
    }
    projection = {
        jour: [(nom, seuil) for nom, nature, seuil in lignes if nature == N.PROJECTION]
        for jour, lignes in suite.items()
    }
    assert {jour: lignes for jour, lignes in projection.items() if lignes} == {
        f"{ANNEE}-12-23": [("Logis Essai B", Seuil.J_7)],
        f"{ANNEE}-12-31": [("Logis Essai B", Seuil.J_1)],
        f"{AN}-01-01": [("Logis Essai B", Seuil.RETARD)],
    }
    assert (
        not Courriel.objects.filter(destinataire__endswith="@a.example", ecrit_le__gt=a(f"{ANNEE}-12-10"))
        .filter(corps_texte__contains="soustractions prévisionnelles")
        .exists()
    )


@pytest.mark.parametrize(
    ("fait", "jour"),
    [
        (f"{ANNEE}-11-29", f"{ANNEE}-11-30"),
        (f"{ANNEE}-12-22", f"{ANNEE}-12-23"),
        (f"{ANNEE}-12-30", f"{ANNEE}-12-31"),
        (f"{ANNEE}-12-31", f"{AN}-01-01"),
    ],
)
def test_done_the_evening_before_nothing_leaves_in_the_morning(decor, matin, fait, jour):
    transmettre(decor, a(fait, "23:59:59"))
    assert not any(nom == "Habitat Essai A" and nature == N.PROJECTION for nom, nature, _ in matin(jour))


def test_who_proposed_is_in_order_and_the_other_is_reminded(decor, matin):
    with time_machine.travel(a(f"{AN}-01-05"), tick=False):
        projections.proposer_part(decor.cast.acteur("gestionnaire_a"), decor.a.bailleur, "06", AN, 0, "")
    lignes = [(nom, seuil) for nom, nature, seuil in matin(f"{AN}-01-23") if nature == N.PART_ALS]
    # A proposed; ALS owes an answer to A, and with B neither moved.
    assert lignes == [
        ("Action Logement Services", Seuil.J_7),
        ("Action Logement Services", Seuil.J_7),
        ("Logis Essai B", Seuil.J_7),
    ]
    with time_machine.travel(a(f"{AN}-01-24"), tick=False):
        projections.accepter_part(decor.cast.acteur("charge_als"), PartConvenue.objects.get())
    lignes = [(nom, seuil) for nom, nature, seuil in matin(f"{AN}-01-31") if nature == N.PART_ALS]
    assert lignes == [("Action Logement Services", Seuil.J_1), ("Logis Essai B", Seuil.J_1)]


def soumettre(decor, quand: datetime, rang: int = 1, qui: str = "a", depuis: str = "PREPARATION") -> Bilan:
    """The act that says that the bilan of ANNEE was submitted, with the document of another year."""
    objets = getattr(decor, qui)
    modele = objets.bilan_soumis.etapes.get()
    lieu = {"bailleur": objets.bailleur, "departement_id": "06"}
    bilan, _ = Bilan.objects.get_or_create(**lieu, annee=ANNEE)
    EtapeBilan.objects.create(
        **lieu, bilan=bilan, rang=rang, acte="SOUMETTRE", de=depuis, vers="SOUMIS", le=quand,
        par=modele.par, organisation=objets.bailleur, document=modele.document,
    )  # fmt: skip
    return bilan


def test_bilans_on_the_clock_for_one_in_time_and_one_late(decor, matin):
    """A submits on 20 February and again, after a return, in March; B never does."""
    a_faire = {}
    for jour in (f"{AN}-01-28", f"{AN}-02-20", f"{AN}-02-21", f"{AN}-02-28", f"{AN}-03-01", f"{AN}-03-02"):
        a_faire[jour] = [(nom, seuil) for nom, nature, seuil in matin(jour) if nature == N.BILAN]
        if jour == f"{AN}-02-20":
            bilan = soumettre(decor, a(f"{AN}-02-20", "23:59:59"))
    assert {jour: lignes for jour, lignes in a_faire.items() if lignes} == {
        f"{AN}-01-28": [(nom, Seuil.J_30) for nom in LES_DEUX],
        f"{AN}-02-20": [(nom, Seuil.J_7) for nom in LES_DEUX],
        f"{AN}-02-28": [("Logis Essai B", Seuil.J_1)],
        f"{AN}-03-01": [("Logis Essai B", Seuil.RETARD)],
    }
    cle, premier = (decor.a.bailleur.pk, "06", AN), a(f"{AN}-02-20", "23:59:59")
    assert bilans_soumis([decor.a.bailleur.pk, decor.b.bailleur.pk], [AN]) == {cle: premier}
    etape = bilan.etapes.get()
    EtapeBilan.objects.create(
        bilan=bilan, bailleur=bilan.bailleur, departement_id="06", rang=2, acte="RENVOYER", de="SOUMIS",
        vers="RENVOYE", le=a(f"{AN}-03-05"), par=etape.par, organisation=bilan.bailleur, texte="À reprendre.",
    )  # fmt: skip
    soumettre(decor, a(f"{AN}-03-10"), rang=3, depuis="RENVOYE")
    assert bilans_soumis([decor.a.bailleur.pk], [AN, ANNEE - 1])[cle] == premier
    assert set(bilans_soumis([decor.a.bailleur.pk], [ANNEE - 1])) == {(decor.a.bailleur.pk, "06", ANNEE - 1)}
    assert bilans_soumis([decor.a.bailleur.pk], [ANNEE]) == {}


def test_the_date_is_that_of_the_campaign_and_a_later_one_reminds_again(decor, matin):
    assert len(matin(f"{ANNEE}-12-23")) == 2
    le_06 = Territoire(departement=Departement.objects.get(pk="06"))
    campagnes.modifier_campagne(
        SYSTEME,
        le_06,
        AN,
        {
            N.PROJECTION: {
                "due": date(AN, 1, 12),
                "tolerance": date(AN, 1, 14),
                "raison": "report accordé",
                "suivie": True,
            }
        },
    )
    assert [li for li in matin(f"{ANNEE}-12-31") if li[1] == N.PROJECTION] == [
        (nom, N.PROJECTION, Seuil.J_30) for nom in LES_DEUX
    ]
    courriel = Courriel.objects.filter(destinataire="gestion@b.example").latest("pk")
    assert f"12 janvier {AN}" in courriel.corps_texte and "30 décembre" not in courriel.corps_texte
    assert "report accordé" in courriel.corps_texte
    assert [li for li in matin(f"{AN}-01-05") if li[1] == N.PROJECTION] == [
        (nom, N.PROJECTION, Seuil.J_7) for nom in LES_DEUX
    ]


def test_words_of_the_email_never_call_late_what_is_tolerated(decor, matin):
    matin(f"{ANNEE}-12-31")
    [tolere] = Courriel.objects.filter(destinataire="gestion@b.example")
    assert f"c’est toléré jusqu’au 31 décembre {ANNEE}" in tolere.corps_texte
    assert f"/projections/{decor.b.bailleur.pk}/06/{AN}/" in tolere.corps_texte
    matin(f"{AN}-01-01")
    retard = Courriel.objects.filter(destinataire="gestion@b.example").latest("pk")
    assert f"était le 30 décembre {ANNEE}, toléré jusqu’au 31 décembre {ANNEE}" in retard.corps_texte
    for courriel in (tolere, retard):
        assert "mise en demeure" not in courriel.corps_texte and "sanction" not in courriel.corps_texte
    assert "retard" not in tolere.corps_texte + tolere.objet


def test_one_email_a_day_for_each_person_who_manages(decor, matin):
    matin(f"{AN}-01-01")  # both the projection (late) and the share of ALS (30 days)
    envois = Courriel.objects.filter(gabarit=rappels.GABARIT)
    adresses = sorted(envois.values_list("destinataire", flat=True))
    assert adresses == [
        "als@als.example",
        "gestion@a.example",
        "gestion@b.example",
        "signature@a.example",
    ]
    assert "2 échéances" in envois.get(destinataire="gestion@a.example").objet.replace("\u202f", " ")


def test_an_organisation_without_account_is_told_the_day_somebody_has_one(decor, matin):
    membres = Rattachement.objects.filter(organisation=decor.b.bailleur)
    membres.update(debut=date(ANNEE, 12, 1))
    assert matin(f"{ANNEE}-11-30") == [("Habitat Essai A", N.PROJECTION, Seuil.J_30)]
    assert matin(f"{ANNEE}-12-01") == [("Logis Essai B", N.PROJECTION, Seuil.J_30)]


def test_no_act_no_reminder(decor, matin):
    Convention.objects.filter(bailleur=decor.b.bailleur, etat="SIGNEE").update(fin=date(ANNEE, 12, 31))
    assert matin(f"{ANNEE}-11-30") == [("Habitat Essai A", N.PROJECTION, Seuil.J_30)]


def test_a_site_that_opens_in_june_does_not_write_about_last_winter(decor, matin):
    assert matin(f"{AN}-06-01") == []


# --- E-mails are rows ---------------------------------------------------------------------------------------------


def test_a_reminder_that_waits_does_not_leave_once_its_thing_is_done(decor, matin, settings):
    matin(f"{ANNEE}-11-30")
    courriel = Courriel.objects.get(destinataire="gestion@a.example")
    de_b = Courriel.objects.get(destinataire="gestion@b.example")
    marche, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, PANNE
    assert courriels.envoyer(courriel.pk, a(f"{ANNEE}-11-30")).etat == Courriel.Etat.EN_ATTENTE
    settings.EMAIL_BACKEND = marche
    transmettre(decor, a(f"{ANNEE}-11-30", "07:00:00"))
    plus_tard = a(f"{ANNEE}-12-01") + timedelta(days=400)  # whatever the clock of the rows
    assert courriels.envoyer(courriel.pk, plus_tard) is None
    assert not Courriel.objects.filter(pk=courriel.pk).exists()
    assert Rappel.objects.filter(organisation=decor.a.bailleur).exists()  # written then, said on the page
    assert courriels.envoyer(de_b.pk, plus_tard).etat == Courriel.Etat.ENVOYE
    assert [m.to for m in mail.outbox] == [["gestion@b.example"]]


def test_a_failure_is_seen_and_sent_again_unless_done_since(decor, client, matin):
    matin(f"{ANNEE}-11-30")
    for destinataire in ("gestion@a.example", "gestion@b.example"):
        Courriel.objects.filter(destinataire=destinataire).update(
            etat=Courriel.Etat.ECHEC, erreur="relais muet"
        )
    courriel = Courriel.objects.get(destinataire="gestion@a.example")
    client.force_login(decor.cast.administrateur_a)
    page = client.get("/campagnes/rappels/").content.decode()
    assert "relais muet" in page and "Renvoyer" in page and "@b.example" not in page
    with pytest.raises(PermissionDenied):
        rappels.renvoyer(decor.cast.acteur("gestionnaire_a"), courriel)
    client.post(f"/campagnes/rappels/{courriel.pk}/renvoyer/")
    courriel.refresh_from_db()
    assert courriel.etat == Courriel.Etat.EN_ATTENTE
    Courriel.objects.filter(pk=courriel.pk).update(etat=Courriel.Etat.ECHEC, erreur="encore")
    transmettre(decor, a(f"{ANNEE}-12-01"))
    with pytest.raises(ValidationError, match="rien à renvoyer"):
        rappels.renvoyer(decor.cast.acteur("administrateur_a"), courriel)
    assert (
        "rien à renvoyer"
        in client.post(f"/campagnes/rappels/{courriel.pk}/renvoyer/", follow=True).content.decode()
    )


def test_page_of_reminders_is_read_by_the_organisation_and_the_state(decor, client, matin):
    matin(f"{ANNEE}-11-30")
    for qui, lus in (
        ("lecteur_a", {"Habitat Essai A"}),
        ("agent_ddets_06", set(LES_DEUX)),
        ("agent_ddets_22", set()),
        ("charge_als", set()),
        ("charge_dreal", set()),
    ):
        visibles = Rappel.objects.visibles_par(decor.cast.acteur(qui))
        assert {r.organisation.nom for r in visibles} == lus, qui
    client.force_login(decor.cast.agent_ddets_06)
    page = client.get("/campagnes/rappels/").content.decode()
    assert "Logis Essai B" in page and "@b.example" not in page and "Renvoyer" not in page


def test_a_morning_that_has_nothing_new_costs_little(decor, django_assert_max_num_queries):
    with time_machine.travel(a(f"{AN}-01-01"), tick=False), django_assert_max_num_queries(70):
        rappels.rappeler()
    with time_machine.travel(a(f"{AN}-01-01"), tick=False), django_assert_max_num_queries(30):
        assert rappels.rappeler() == 0


# --- Alerts -------------------------------------------------------------------------------------------------------


def libelles(decor, qui: str, quand: datetime) -> list[str]:
    return [alerte.libelle for alerte in alertes(decor.cast.acteur(qui), quand)]


def test_news_go_away_when_read_and_actions_when_done(decor):
    quand = a(f"{ANNEE}-12-20")
    assert any(f"prévisionnelles de {AN}" in li for li in libelles(decor, "gestionnaire_a", quand))
    envoi = transmettre(decor, a(f"{ANNEE}-12-15"))
    assert not any(f"prévisionnelles de {AN}" in li for li in libelles(decor, "gestionnaire_a", quand))
    attendue = f"Lire les soustractions prévisionnelles {AN} de Habitat Essai A"
    for qui in ("charge_als", "agent_cannes", "agent_ddets_06"):
        assert attendue in libelles(decor, qui, quand), qui
    assert attendue not in libelles(decor, "agent_caf", quand)
    with time_machine.travel(quand, tick=False):
        projections.accuser_reception(decor.cast.acteur("charge_als"), envoi)
    assert attendue not in libelles(decor, "charge_als", quand)
    assert attendue in libelles(decor, "agent_cannes", quand)


def test_a_bilan_given_back_after_the_date_of_the_corrections_is_told_until_it_is_submitted(decor, matin):
    """No date of the campaign is owed any more: its bailleur is told all the same, and nobody is reminded by e-mail."""
    bilan = soumettre(decor, a(f"{AN}-02-20"))
    par = bilan.etapes.get().par
    commun = {"bilan": bilan, "bailleur": bilan.bailleur, "departement_id": "06", "acte": "RENVOYER"}
    EtapeBilan.objects.create(
        **commun, rang=2, de="SOUMIS", vers="RENVOYE", le=a(f"{AN}-06-05"), par=par,
        organisation=bilan.bailleur, texte="À reprendre.",
    )  # fmt: skip
    attendue = f"Reprendre le bilan {ANNEE} : renvoyé"
    assert attendue not in libelles(decor, "gestionnaire_a", a(f"{AN}-06-04"))
    assert libelles(decor, "gestionnaire_a", a(f"{AN}-06-06")).count(attendue) == 1
    assert attendue not in libelles(decor, "agent_ddets_06", a(f"{AN}-06-06"))
    assert not any(nature == N.CORRECTION for _, nature, _ in matin(f"{AN}-06-06"))
    soumettre(decor, a(f"{AN}-06-10"), rang=3, depuis="RENVOYE")
    assert attendue not in libelles(decor, "gestionnaire_a", a(f"{AN}-06-11"))


def test_a_proposal_is_an_action_for_the_other_and_the_agreement_news_for_the_state(decor):
    quand = a(f"{AN}-01-20")
    with time_machine.travel(a(f"{AN}-01-10"), tick=False):
        part = projections.proposer_part(decor.cast.acteur("charge_als"), decor.a.bailleur, "06", AN, 0, "")
    premiere = alertes(decor.cast.acteur("gestionnaire_a"), quand)[0]
    assert premiere.genre == Genre.ACTION and "Répondre à Action Logement Services" in premiere.libelle
    siennes = [al for al in alertes(decor.cast.acteur("charge_als"), quand) if "Habitat Essai A" in al.detail]
    assert [al.libelle for al in siennes if f"prévisionnelle de {AN}" in al.libelle] == []
    with time_machine.travel(a(f"{AN}-01-15"), tick=False):
        projections.accepter_part(decor.cast.acteur("gestionnaire_a"), part)
    assert not any("Répondre" in li for li in libelles(decor, "gestionnaire_a", quand))
    assert f"1 part convenue avec Action Logement pour {AN}" in libelles(decor, "agent_ddets_06", quand)
    assert not any("part convenue" in li for li in libelles(decor, "agent_ddets_06", a(f"{AN}-02-20")))


def test_an_answer_to_give_is_told_once_with_its_date(decor):
    # Without any proposal, the date is told by itself.
    assert any(
        f"en {AN}" in li and "Convenir" in li for li in libelles(decor, "charge_als", a(f"{AN}-01-09"))
    )
    with time_machine.travel(a(f"{AN}-01-10"), tick=False):
        projections.proposer_part(decor.cast.acteur("charge_als"), decor.a.bailleur, "06", AN, 0, "")
        projections.proposer_part(decor.cast.acteur("gestionnaire_b"), decor.b.bailleur, "06", AN, 0, "")
    for quand, statut, rebours in (
        ("01-20", "à confirmer", "dans 10 jours"),
        ("02-10", "en retard", "passé depuis"),
    ):
        for qui, autre in (("gestionnaire_a", "Action Logement Services"), ("charge_als", "Logis Essai B")):
            dites = [
                al for al in alertes(decor.cast.acteur(qui), a(f"{AN}-{quand}")) if f"en {AN}" in al.libelle
            ]
            [reponse] = [al for al in dites if "Répondre" in al.libelle]
            assert autre in reponse.libelle and reponse.statut == statut and rebours in reponse.detail
            assert not any("Convenir" in al.libelle for al in dites)


def test_more_things_to_do_of_one_kind_than_a_few_make_one_line(decor, monkeypatch, client):
    """Action Logement agrees with each bailleur of the country: its first screen says how many, not each."""
    quand = a(f"{AN}-01-20")

    def dites(qui: str) -> list:
        return [al for al in alertes(decor.cast.acteur(qui), quand) if f"en {AN}" in al.libelle]

    assert len(dites("charge_als")) == 2
    monkeypatch.setattr("bilans.services.alertes.ACTIONS_DETAILLEES", 1)
    [une] = dites("charge_als")
    assert une.detail.replace("\xa0", " ").startswith(
        "2 bailleurs, 1 département. Le premier : Alpes-Maritimes."
    )
    assert "Dernier jour : 30 janvier" in une.detail.replace("\xa0", " ") and une.url == "/#t-parts"
    client.force_login(decor.cast.charge_als)
    assert 'id="t-parts"' in client.get("/").text
    [propre] = dites("gestionnaire_a")  # one of its own kind stays as it was
    assert propre.detail.startswith("Habitat Essai A")
    with time_machine.travel(a(f"{AN}-01-10"), tick=False):
        for bailleur in ("a", "b"):
            decor_bailleur = getattr(decor, bailleur).bailleur
            projections.proposer_part(
                decor.cast.acteur(f"gestionnaire_{bailleur}"), decor_bailleur, "06", AN, 0, ""
            )
    repondre = [al for al in alertes(decor.cast.acteur("charge_als"), quand) if "Répondre" in al.libelle]
    assert [al.libelle.replace("\xa0", " ") for al in repondre] == [
        "Répondre à 2 propositions de part prévisionnelle d’Action Logement"
    ]
    assert repondre[0].url == "/#t-parts" and not any("Convenir" in al.libelle for al in dites("charge_als"))
    # A bailleur of many départements: the list of its bilans.
    monkeypatch.setattr("bilans.services.alertes.ACTIONS_DETAILLEES", 0)
    [bilan] = [
        al
        for al in alertes(decor.cast.acteur("gestionnaire_a"), a(f"{AN}-02-20"))
        if f"le bilan de {ANNEE} " in al.libelle
    ]
    assert bilan.detail.startswith("1") and bilan.url == f"/bilans/?annee={ANNEE}"


def test_the_state_counts_the_late_and_not_those_that_wait_for_an_answer(decor):
    with time_machine.travel(a(f"{AN}-01-10"), tick=False):
        projections.proposer_part(decor.cast.acteur("gestionnaire_a"), decor.a.bailleur, "06", AN, 0, "")
    lues = [
        alerte.libelle
        for alerte in alertes(decor.cast.acteur("agent_ddets_06"), a(f"{AN}-02-10"))
        if alerte.detail.startswith(f"Campagne {AN}") and "part prévisionnelle" in alerte.libelle
    ]
    assert sorted(lues) == [
        "1 bailleur en retard : part prévisionnelle d’Action Logement Services",
        "1 bailleur sans réponse d’Action Logement : part prévisionnelle d’Action Logement Services",
    ]


def test_more_projections_than_a_few_make_one_line(decor, monkeypatch):
    monkeypatch.setattr("bilans.services.alertes.DETAILLEES", 1)
    for qui in ("a", "b"):
        transmettre(decor, a(f"{ANNEE}-12-15"), qui)
    lues = [li for li in libelles(decor, "agent_ddets_06", a(f"{ANNEE}-12-20")) if "à lire" in li]
    assert lues == [f"2 projections {AN} à lire"]
