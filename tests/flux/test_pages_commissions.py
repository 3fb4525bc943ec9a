"""The pages of the commissions: with htmx and without script, what they say, and how many queries they take."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from flux.models import AbonnementAgenda, Attribution, CodeMotif, Commission, MotifRefus
from flux.services.convocations import convoquer_ddets
from reservation.acteur import (
    Acteur,
    Role,
)
from reservation.models import (
    Rattachement,
    Utilisateur,
)
from reservation.services import habilitations
from reservation.services.courriels import envoyer
from tests.flux.fabriques import actes_paca, liberation
from tests.flux.test_commissions import classer, clore, garnir, hier, numero, planifier
from tests.lecteur_ics import lire_ics

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def commission(cast) -> Commission:
    actes_paca(cast)
    preparee = planifier(cast)
    garnir(cast, preparee, liberation(cast.bailleur_a, hier(), reservataire=cast.als))
    return preparee


@pytest.fixture
def a(client, cast):
    client.force_login(cast.gestionnaire_a)
    return client


def page(nom: str, *args) -> str:
    return reverse(f"flux:{nom}", args=args)


def ligne_saisie(passage, decision: str, **faits) -> dict[str, str]:
    return {f"p{passage.pk}-decision": decision, f"p{passage.pk}-revision": str(passage.revision)} | {
        f"p{passage.pk}-{nom}": str(valeur) for nom, valeur in faits.items()
    }


def test_plan_a_commission(a, cast):
    saisie = {"forme": "reunion", "date": str(hier()), "heure": "14:00", "lieu": "salle du conseil"}
    # Present in one département or two: one is asked when there is a choice.
    reponse = a.post(page("commission_planifier"), {**saisie, "departement": "06"})
    creee = Commission.objects.get()
    assert reponse.headers["Location"] == page("commission_ordre_du_jour", creee.pk)
    fautes = (
        ({"lieu": ""}, "Indiquez où se tient la réunion"),
        ({"forme": "fenetre"}, "Demandé pour une commission dématérialisée"),
        (
            {"forme": "fenetre", "date_fin": str(hier()), "heure_fin": "09:00"},
            "La fin suit le début",
        ),
        ({"heure": "25:00"}, "Cette heure n’existe pas"),
    )
    for faute, phrase in fautes:
        reponse = a.post(page("commission_planifier"), {**saisie, "departement": "06", **faute})
        assert reponse.status_code == 422 and phrase in reponse.content.decode(), faute


def test_change_the_place(a, commission):
    adresse = page("commission_modifier", commission.pk)
    assert "salle du conseil" in a.get(adresse).content.decode()
    saisie = {"forme": "fenetre", "date": str(hier()), "heure": "9h", "heure_fin": "9h"}
    a.post(adresse, saisie | {"date_fin": str(hier() + timedelta(days=1))})
    commission.refresh_from_db()
    assert commission.dematerialisee and commission.lieu == ""
    assert "dématérialisée" in a.get(page("commissions")).content.decode()


def test_the_agenda_page_puts_dwellings_and_candidatures(a, cast, commission):
    autre = liberation(cast.bailleur_a, hier() - timedelta(days=4))
    adresse = page("commission_ordre_du_jour", commission.pk)
    assert autre.reference in a.get(adresse).content.decode()
    assert a.post(adresse, {}).status_code == 422
    assert a.post(adresse, {"liberation": [autre.pk]}).status_code == 302
    ligne = commission.lignes.get(liberation=autre)
    candidater = page("commission_candidater", commission.pk, ligne.pk)
    court = a.post(candidater, {"numero_unique": "123"})
    assert court.status_code == 422 and "celui-ci en a 3" in court.content.decode()
    assert a.post(candidater, {"numero_unique": numero(77)}).status_code == 302
    double = a.post(candidater, {"numero_unique": numero(77)})
    assert double.status_code == 422 and "déjà examiné" in double.content.decode()
    contenu = a.get(adresse).content.decode()
    assert "…Z077" in contenu and numero(77) not in contenu
    a.post(page("commission_ligne", commission.pk, ligne.pk, "monter"))
    assert commission.lignes.order_by("rang").first() == ligne
    assert a.post(page("commission_ligne", commission.pk, ligne.pk, "inconnu")).status_code == 404
    passage = commission.passages.get(liberation=autre)
    a.post(page("commission_candidature_retirer", commission.pk, passage.pk))
    a.post(page("commission_ligne", commission.pk, ligne.pk, "retirer"))
    assert commission.lignes.count() == 1


def test_a_line_is_saved_alone_and_only_its_checks_come_back(a, commission):
    un, deux, _ = commission.passages.order_by("pk")
    ligne = commission.lignes.get()
    adresse = page("commission_decisions", commission.pk, ligne.pk)
    a.post(adresse, ligne_saisie(un, "ATTR_RANG", rang=1), headers=HTMX)
    fragment = a.post(adresse, ligne_saisie(deux, "ATTR_RANG", rang=1), headers=HTMX).content.decode()
    assert "Deux candidats au rang 1 (…Z001 et …Z002)" in fragment
    assert f'id="controle-{deux.pk}"' in fragment and "hx-swap-oob" in fragment and "Enregistré à" in fragment
    assert "<select" not in fragment and "<html" not in fragment
    assert list(commission.passages.order_by("pk").values_list("decision", "rang")) == [
        ("ATTR_RANG", 1),
        ("ATTR_RANG", 1),
        ("", None),
    ]
    fragment = a.post(adresse, ligne_saisie(deux, "ATTR_RANG", rang="x"), headers=HTMX).content.decode()
    assert "Un rang est un nombre entier" in fragment


def test_without_script_a_button_saves_a_dwelling(a, commission):
    motif = MotifRefus.objects.get(code="COMPOSITION")
    saisie = {}
    for passage, faits in zip(
        commission.passages.order_by("pk"),
        (
            {"decision": "ATTR_RANG", "rang": 1},
            {"decision": "ATTR_RANG", "rang": 2},
            {"decision": "NON_ATTR", "motif": motif.pk},
        ),
        strict=True,
    ):
        saisie |= ligne_saisie(passage, **faits)
    ligne = commission.lignes.get()
    adresse = page("commission_decisions", commission.pk, ligne.pk)
    assert a.post(adresse, saisie).headers["Location"].endswith(f"#ligne-{ligne.pk}")
    assert commission.passages.exclude(decision="").count() == 3
    contenu = a.get(page("commission", commission.pk)).content.decode()
    assert "complet" in contenu and "Enregistrer les décisions" in contenu
    faute = a.post(adresse, ligne_saisie(commission.passages.earliest("pk"), "ATTR_RANG", rang="deux"))
    assert faute.status_code == 422 and 'value="deux"' in faute.content.decode()


def test_somebody_else_meanwhile_is_told(a, client, cast, commission):
    passage, ligne = commission.passages.earliest("pk"), commission.lignes.get()
    adresse = page("commission_decisions", commission.pk, ligne.pk)
    a.post(adresse, ligne_saisie(passage, "ATTR"), headers=HTMX)
    client.force_login(cast.signataire_a)
    fragment = client.post(adresse, ligne_saisie(passage, "IRRECEV"), headers=HTMX).content.decode()
    assert "Gestionnaire A a enregistré entre-temps" in fragment and "a – attribution" in fragment
    passage.refresh_from_db()
    assert passage.decision == "ATTR"
    assert f'name="p{passage.pk}-revision" value="{passage.revision}"' in fragment


def test_the_reason_for_few_candidatures(a, cast, commission):
    (ligne,) = garnir(cast, commission, liberation(cast.bailleur_a, hier()), candidats=1, debut=30)
    motif = CodeMotif.objects.get(code="C_INSUFFISANTES")
    adresse = page("commission_motif", commission.pk, ligne.pk)
    assert "1 candidature seulement" in a.get(page("commission", commission.pk)).content.decode()
    fragment = a.post(adresse, {f"l{ligne.pk}-motif": motif.pk}, headers=HTMX).content.decode()
    assert "1 candidature seulement" not in fragment
    refus = a.post(adresse, {f"l{ligne.pk}-motif": "999999"}, headers=HTMX).content.decode()
    assert "pas dans la liste" in refus
    ligne.refresh_from_db()
    assert ligne.motif_candidatures == motif


def test_check_your_answers_then_close_then_reopen(a, cast, commission):
    adresse = page("commission_cloturer", commission.pk)
    assert "à corriger" in a.get(adresse).content.decode()
    classer(cast, commission)
    contenu = a.get(adresse).content.decode()
    assert "…Z001, rang 1" in contenu and "Action Logement Services, autre" in contenu
    sans = a.post(adresse, {})
    assert sans.status_code == 422 and "Confirmez chaque point" in sans.content.decode()
    points = [ligne.split('"')[0] for ligne in contenu.split('name="point" value="')[1:]]
    assert a.post(adresse, {"point": points}).headers["Location"] == page("commission", commission.pk)
    proces_verbal = commission.proces_verbaux.get()
    pdf = a.get(page("proces_verbal_pdf", proces_verbal.pk))
    assert (
        pdf.content == bytes(proces_verbal.octets)
        and proces_verbal.numero in pdf.headers["Content-Disposition"]
    )
    contenu = a.get(page("commission", commission.pk)).content.decode()
    assert "Procès-verbal, version 1" in contenu and "<select" not in contenu
    assert a.get(adresse).status_code == 302
    rouvrir = page("commission_rouvrir", commission.pk)
    assert a.post(rouvrir, {"motif": ""}).status_code == 422
    assert a.post(rouvrir, {"motif": "Rangs inversés"}).status_code == 302
    assert "Rangs inversés" in a.get(page("commission", commission.pk)).content.decode()
    assert not Attribution.objects.exists()
    # What was decided is still there, and holds only once the commission is closed again.
    frise = a.get(page("liberation", commission.lignes.get().liberation_id)).content.decode()
    assert "b – attribution avec rang 1 (saisi, sans effet avant la clôture)" in frise
    assert "pas encore de décision" not in frise


def test_the_list_says_of_a_closed_commission_that_no_convocation_is_kept(a, cast, commission):
    adresse, sienne = page("commissions"), page("commission", commission.pk)
    assert "pas convoquée" in a.get(adresse).content.decode()
    classer(cast, commission)
    clore(cast, commission)
    close = a.get(adresse).content.decode()
    assert "aucune convocation enregistrée" in close and "pas convoquée" not in close
    assert "Aucune convocation n’est enregistrée pour cette commission." in a.get(sienne).content.decode()


def test_the_second_commission_is_told_on_its_page(a, cast, commission):
    autre = planifier(cast)
    libre = commission.lignes.get().liberation
    garnir(cast, autre, libre, debut=60)
    for seance in (commission, autre):
        classer(cast, seance)
    clore(cast, commission)
    contenu = a.post(page("commission_cloturer", autre.pk), {}).content.decode()
    assert "Ce logement est déjà attribué par la CALEOL du" in contenu
    assert "Ce logement est déjà attribué" in a.get(page("commission", autre.pk)).content.decode()


def test_convene_from_the_page(a, client, cast, commission):
    adresse = page("commission_convoquer", commission.pk)
    relecture = a.get(adresse).content.decode()
    assert "DDETS des Alpes-Maritimes" in relecture and "1 logement" in relecture
    assert a.post(adresse).status_code == 302
    convocation = commission.convocations.get()
    assert "ordre du jour en préparation" in a.get(page("commission", commission.pk)).content.decode()
    assert a.get(page("convocation_pdf", convocation.pk)).status_code == 404
    envoyer(convocation.courriel_id)
    assert "ordre du jour envoyé" in a.get(page("commission", commission.pk)).content.decode()
    assert a.get(page("convocation_pdf", convocation.pk)).content.startswith(b"%PDF")
    assert a.get(page("commission_ordre_du_jour_pdf", commission.pk)).content.startswith(b"%PDF")
    assert "Renvoyer à la DDETS" in a.get(page("commission", commission.pk)).content.decode()
    client.force_login(cast.agent_ddets_06)
    lue = client.get(page("commission", commission.pk)).content.decode()
    assert "…Z001" in lue and "<select" not in lue and "Relire et clôturer" not in lue
    cast.agent_ddets_06.rattachements.all().delete()
    client.force_login(cast.gestionnaire_a)
    assert client.post(adresse).status_code == 422


def test_cancel_from_the_page(a, commission):
    adresse = page("commission_annuler", commission.pk)
    assert a.get(adresse).status_code == 200
    assert a.post(adresse, {"motif": "Quorum non réuni"}).status_code == 302
    contenu = a.get(page("commission", commission.pk)).content.decode()
    assert "Commission annulée" in contenu and "Quorum non réuni" in contenu
    assert a.get(page("commission_ordre_du_jour", commission.pk)).status_code == 403


def test_the_timeline_of_a_dwelling_puts_it_on_an_agenda(a, cast, commission):
    libre = liberation(cast.bailleur_a, hier())
    adresse = page("liberation_acte", libre.pk, "inscrire")
    refus = a.post(adresse, {})
    assert refus.status_code == 422 and "planifiez-la d’abord" in refus.content.decode()
    assert a.post(adresse, {"commission": commission.pk}).status_code == 302
    assert "À l’ordre du jour de la" in a.get(page("liberation", libre.pk)).content.decode()


def test_the_feed_is_read_without_signing_in(a, client, commission, cast):
    convoquer_ddets(cast.acteur("gestionnaire_a"), commission)
    assert a.post(page("agenda_renouveler")).status_code == 302
    secret = AbonnementAgenda.objects.get().secret
    assert secret in a.get(page("commissions")).content.decode()
    client.logout()
    reponse = client.get(page("agenda", secret))
    assert reponse.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert len(lire_ics(reponse.content).events) == 1
    assert "Z001" not in reponse.content.decode()
    client.force_login(cast.gestionnaire_a)
    client.post(page("agenda_retirer"))
    client.logout()
    assert client.get(page("agenda", secret)).status_code == 404


@pytest.mark.parametrize("perte", ["fin", "echeance", "role", "compte"])
def test_the_feed_ends_with_the_access_that_made_it(a, client, commission, cast, perte):
    """For good: an access given again does not open the old address, whose copies are everywhere."""
    a.post(page("agenda_renouveler"))
    secret = AbonnementAgenda.objects.get().secret
    client.logout()
    assert client.get(page("agenda", secret)).status_code == 200
    personne, siens = cast.gestionnaire_a, Rattachement.objects.filter(utilisateur=cast.gestionnaire_a)
    hier = timezone.localdate() - timedelta(days=1)
    match perte:
        case "fin":
            habilitations.terminer(siens)
        case "echeance":
            siens.update(fin=hier)
        case "role":
            habilitations.changer_roles(Acteur.du_systeme("essai"), personne, cast.bailleur_a, [Role.LECTURE])
        case "compte":
            Utilisateur.objects.filter(pk=personne.pk).update(is_active=False)
    assert client.get(page("agenda", secret)).status_code == 404
    client.force_login(cast.signataire_a)
    assert secret not in client.get(page("commissions")).content.decode()
    if perte in ("fin", "role"):
        with time_machine.travel(timezone.now() + timedelta(days=2)):
            habilitations.donner(personne, cast.bailleur_a, [Role.GESTION])
            assert client.get(page("agenda", secret)).status_code == 404
    # A colleague makes another one.
    client.force_login(cast.signataire_a)
    assert client.post(page("agenda_renouveler")).status_code == 302
    nouveau = AbonnementAgenda.objects.get(retire_le=None).secret
    client.logout()
    assert (client.get(page("agenda", nouveau)).status_code, nouveau != secret) == (200, True)


def test_the_feed_of_an_untouched_access_goes_on(a, client, commission, cast):
    """One more role, or the yearly confirmation, ends nothing."""
    a.post(page("agenda_renouveler"))
    secret = AbonnementAgenda.objects.get().secret
    systeme = Acteur.du_systeme("essai")
    habilitations.changer_roles(
        systeme, cast.gestionnaire_a, cast.bailleur_a, [Role.GESTION, Role.ADMINISTRATION]
    )
    habilitations.renouveler(systeme, cast.gestionnaire_a, cast.bailleur_a)
    client.logout()
    assert client.get(page("agenda", secret)).status_code == 200


def test_the_feed_is_limited(client, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"agenda": "3/m/ip"}
    statuts = [client.get(page("agenda", "0" * 64)).status_code for _ in range(4)]
    assert statuts == [404, 404, 404, 429]


def test_lists_and_pages_take_a_fixed_number_of_queries(a, cast, commission):
    def compter(adresse: str) -> int:
        with CaptureQueriesContext(connection) as comptees:
            assert a.get(adresse).status_code == 200
        return len(comptees)

    adresses = (
        page("commissions"),
        page("commission", commission.pk),
        page("commission_ordre_du_jour", commission.pk),
        page("commission_cloturer", commission.pk),
    )
    avant = [compter(adresse) for adresse in adresses]
    for rang in range(4):
        garnir(cast, commission, liberation(cast.bailleur_a, hier()), debut=100 + 10 * rang)
        autre = planifier(cast)
        convoquer_ddets(cast.acteur("gestionnaire_a"), autre)
    assert [compter(adresse) for adresse in adresses] == avant
    assert avant[0] < 25 and avant[1] < 30, avant
