"""E-mails as rows: what they say, when they leave, what becomes of them when the relay refuses."""

import re
from datetime import timedelta
from html import unescape
from io import StringIO

import pytest
from django.conf import settings as reglages
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from config.serveurs import RACINE, wait_until
from reservation.acteur import Acteur
from reservation.models import Courriel
from reservation.services import courriels
from reservation.services.courriels import DELAIS, ecrire, envoyer, renvoyer, reprendre
from reservation.services.habilitations import inviter
from tests.personnages import distribuer

SYSTEME = Acteur.du_systeme("essai des courriels")
CONTEXTES = {
    "convocation_copil": {
        "objet": "Comité <régional>",
        "comite": "DREAL (essai)",
        "region": "Provence-Alpes-Côte d’Azur",
        "jour": "jeudi 8 octobre 2026",
        "seance": "de 9 h 30 à 12 h, salle 2",
        "nature": "CONVOQUER",
        "points": ["1. Suivi des objectifs (30 min)", "2. Procédures"],
        "page": "/reunions/1/",
    },
    "compte_rendu_copil": {
        "objet": "Comité régional",
        "comite": "DREAL (essai)",
        "jour": "jeudi 8 octobre 2026",
        "version": 2,
        "page": "/reunions/1/",
    },
    "actions_copil": {
        "organisation": "Habitat <Essai>",
        "nombre": "1 action",
        "rappel": True,
        "lignes": [
            {
                "libelle": "Transmettre la liste",
                "quand": "Pour le 1er mars 2026 (demain), décidée le 8 octobre 2026, DREAL (essai).",
                "page": "/reunions/actions/1/",
            }
        ],
        "page": "/reunions/actions/",
    },
    "invitation": {
        "organisation": "Habitat <Essai> & fils",
        "invitant": "Une personne",
        "roles": "le rôle lecture",
        "expire": "1er mars 2026",
    },
    "acces_accorde": {"organisation": "Essai", "roles": "le rôle lecture", "fin": "1er mars 2026"},
    "acces_refuse": {"organisation": "Essai", "motif": "Poste inconnu"},
    "demande_acces": {"organisation": "Essai", "demandeur": "Quelqu’un", "page": "/demandes-acces/1/"},
    "roles_modifies": {"organisation": "Essai", "roles": "le rôle lecture", "fin": ""},
    "acces_termine": {"organisation": "Essai"},
    "renouvellement": {
        "organisation": "Essai",
        "nombre": "2 accès",
        "fin": "1er mars 2026",
        "jours": 30,
        "page": "/organisations/1/",
    },
    "compte_inutilise": {"fermeture": "1er mars 2026"},
    "compte_ferme": {},
    "fusion": {"absorbe": "Toit", "absorbant": "Essai", "effet": "1er janvier 2026"},
    "acces_api": {
        "organisation": "Essai",
        "auteur": "Une personne",
        "nom": "logiciel de gestion",
        "personne": "Une autre",
        "role": "gestion",
        "fin": "1er mars 2026",
        "page": "/jetons/1/",
    },
    "acces_api_secret": {
        "organisation": "Essai",
        "nom": "logiciel de gestion",
        "role": "gestion",
        "fin": "1er mars 2026",
        "page": "/mes-acces/",
    },
    "acces_api_fin": {
        "organisation": "Essai",
        "nom": "logiciel de gestion",
        "personne": "Une personne",
        "fin": "1er mars 2026",
        "administre": False,
        "page": "/mes-acces/",
    },
    "exception_label": {
        "admise": True,
        "bailleur": "Habitat <Essai>",
        "reference": "HDA-1",
        "caleol": "1er mars 2026",
        "motif": "décision de justice",
        "page": "/liberations/1/",
    },
    "labels_decides": {
        "nombre": 2,
        "accordee": False,
        "ddets": "Alpes-Maritimes",
        "page": "/labels/propositions/?etat=REFUSEE",
    },
    "logement_repris": {
        "bailleur": "Habitat <Essai>",
        "reservataire": "Essai",
        "reference": "HDA-1",
        "commune": "Nice",
        "date": "1er mars 2026",
        "motif": "relogement",
        "page": "/logements-a-pourvoir/",
    },
    "convocation_caleol": {
        "bailleur": "Habitat <Essai>",
        "nature": "MISE_A_JOUR",
        "jour": "mardi 3 mars 2026",
        "seance": "14 h, salle du conseil",
        "logements": "2 logements",
        "page": "/caleol/1/",
    },
    "designation_hors_delai": {
        "reservataire": "Essai",
        "reference": "HDA-1",
        "commune": "Nice",
        "echeance": "1er mars 2026",
        "page_bailleur": "/liberations/1/",
    },
    "designation_urgence": {
        "reference": "HDA-1",
        "bailleur": "Essai",
        "commune": "Nice",
        "acte": "2026-12",
        "date": "1er mars 2026",
        "page": "/liberations/1/",
    },
    "logement_a_pourvoir": {
        "bailleur": "Habitat Essai",
        "reservataire": "Essai",
        "reference": "HDA-1",
        "logement": "T3, 64 m²",
        "commune": "Nice",
        "libere": "1er février 2026",
        "echeance": "1er mars 2026",
        "delai": "un mois",
        "page": "/liberations/1/",
    },
    "assiette_proposee": {
        "bailleur": "Habitat <Essai>",
        "departement": "Alpes-Maritimes",
        "annee": 2026,
        "logements": "959 logements",
        "millesime": 2026,
        "precedente": 2025,
    },
    "assiette_convenue": {
        "bailleur": "Habitat <Essai>",
        "departement": "Alpes-Maritimes",
        "annee": 2026,
        "logements": "959 logements",
        "millesime": 2026,
        "precedente": 2025,
    },
    "bilan_acte": {
        "objet": "Bilan 2025 soumis",
        "fait": "Le bilan est soumis.",
        "suite": "La DDETS l’examine.",
        "lieu": "Suivi du bilan",
        "page": "/bilans/1/suivi/",
    },
    "lettre_envoyee": {
        "objet": "Une lettre vous est adressée",
        "numero": "MED-06-2026-001",
        "departement": "Alpes-Maritimes",
        "mode": "lettre recommandée avec avis de réception",
        "jour": "8 avril 2026",
        "correction": False,
        "page": "/lettres/1/",
    },
    "delai_expire": {
        "numero": "MAN-2025-06-1",
        "sorte": "Manquement à la convention",
        "annee": 2025,
        "vise": "Habitat <Essai>",
        "departement": "Alpes-Maritimes",
        "fin": "9 juin 2026",
        "page": "/procedures/1/",
    },
    "simulation_partagee": {
        "titre": "Trente points",
        "proprietaire": "Habitat <Essai>",
        "bailleur": "Habitat <Essai>",
        "departement": "Alpes-Maritimes",
        "organisation": "Action Logement Services",
        "page": "/simulations/1/",
    },
    "part_als_proposee": {
        "bailleur": "Habitat <Essai>",
        "departement": "Alpes-Maritimes",
        "annee": 2026,
        "proposant": "Essai",
        "als": "Action Logement Services",
        "logements": "12 logements",
        "version": 1,
        "page": "/projections/1/06/2026/",
    },
    "part_als_convenue": {
        "bailleur": "Habitat <Essai>",
        "departement": "Alpes-Maritimes",
        "annee": 2026,
        "als": "Action Logement Services",
        "logements": "12 logements",
        "version": 1,
        "page": "/projections/1/06/2026/",
    },
    "projection_transmise": {
        "bailleur": "Habitat <Essai>",
        "departement": "Alpes-Maritimes",
        "annee": 2026,
        "total": "30 logements",
        "version": 1,
        "page": "/projections/1/06/2026/",
    },
    "rappels_campagne": {
        "organisation": "Habitat <Essai>",
        "nombre": "1 échéance",
        "jour": "1er mars 2026",
        "lignes": [
            {
                "objet": "Transmettre le bilan.",
                "lieu": "Alpes-Maritimes",
                "quand": "passé depuis 2 jours",
                "raison": "CCH, art. R. 441-5-1",
                "page": "/bilans/",
            }
        ],
        "page": "/campagnes/rappels/",
    },
    "webhook_suspendu": {
        "nom": "Logiciel de <gestion>",
        "organisation": "Habitat <Essai>",
        "raison": "l’adresse ne répond plus depuis 3 jours",
        "page": "/acces-programmes/webhooks/1/",
    },
}


def test_every_text_is_known_here():
    assert {p.stem for p in (RACINE / "templates" / "courriels").glob("*.txt")} == set(CONTEXTES)


@pytest.mark.django_db
@pytest.mark.parametrize("gabarit", CONTEXTES)
def test_text_and_html_say_the_same(gabarit, monkeypatch):
    # Whether it is still of use is asked elsewhere: its text is read here.
    monkeypatch.setattr(courriels, "_ENCORE_UTILES", {})
    ecrit = ecrire(gabarit, "quelqu.un@essai.example", CONTEXTES[gabarit])
    assert ecrit.objet and "\n" not in ecrit.objet and "Objet" not in ecrit.objet
    assert ecrit.corps_texte.startswith("Bonjour,\n\n") and reglages.SITE_URL in ecrit.corps_texte
    assert "{{" not in ecrit.corps_texte + ecrit.corps_html and "\n\n\n" not in ecrit.corps_texte
    envoyer(ecrit.pk)
    [message] = mail.outbox
    assert (message.to, message.subject) == (["quelqu.un@essai.example"], ecrit.objet)
    [(page, nature)] = message.alternatives
    assert nature == "text/html"
    lu = " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
    corps = message.body.removeprefix("Bonjour,").partition("\n--\n")[0]
    for paragraphe in corps.strip().split("\n\n"):
        assert " ".join(paragraphe.split()) in lu


@pytest.mark.django_db
def test_names_are_escaped_in_html_and_only_there():
    ecrit = ecrire("invitation", "x@essai.example", CONTEXTES["invitation"])
    assert "Habitat <Essai> & fils" in ecrit.objet and "Habitat <Essai> & fils" in ecrit.corps_texte
    assert "<Essai>" not in ecrit.corps_html and "&lt;Essai&gt; &amp; fils" in ecrit.corps_html


@pytest.mark.django_db
def test_a_name_on_two_lines_cannot_add_a_header():
    ecrit = ecrire(
        "acces_termine", "x@essai.example", {"organisation": "Essai\nBcc: pirate@ailleurs.example"}
    )
    assert "\n" not in ecrit.objet and "Bcc" not in ecrit.objet
    envoyer(ecrit.pk)
    assert mail.outbox[0].recipients() == ["x@essai.example"]


@pytest.mark.django_db
def test_it_leaves_once(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as apres:
        ecrit = ecrire("compte_ferme", "x@essai.example")
        assert mail.outbox == []
    assert len(apres) == 1
    assert envoyer(ecrit.pk).etat == Courriel.Etat.ENVOYE
    assert envoyer(ecrit.pk) is None and len(mail.outbox) == 1
    assert reprendre() == 0


@pytest.mark.django_db
def test_nothing_is_written_when_the_act_is_undone():
    class Annule(Exception):
        pass

    with pytest.raises(Annule), transaction.atomic():
        ecrire("compte_ferme", "x@essai.example")
        raise Annule
    assert not Courriel.objects.exists()


@pytest.mark.django_db
def test_a_relay_that_refuses_is_tried_again_then_given_up(relais_en_panne, settings):
    ecrit = ecrire("compte_ferme", "x@essai.example")
    maintenant = timezone.now()
    for rang, delai in enumerate(DELAIS, 1):
        essai = envoyer(ecrit.pk, maintenant)
        assert (essai.etat, essai.essais) == (Courriel.Etat.EN_ATTENTE, rang)
        assert essai.prochain_essai_le == maintenant + delai
        assert envoyer(ecrit.pk, maintenant + delai - timedelta(seconds=1)) is None
        assert reprendre(maintenant) == 0 and reprendre(maintenant + delai) == 1
        maintenant += delai
    dernier = envoyer(ecrit.pk, maintenant)
    assert (dernier.etat, dernier.erreur) == (
        Courriel.Etat.ECHEC,
        "ConnectionRefusedError : relais arrêté",
    )
    assert reprendre(maintenant + timedelta(days=9)) == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    renvoyer(SYSTEME, dernier)
    assert envoyer(ecrit.pk).etat == Courriel.Etat.ENVOYE
    with pytest.raises(ValidationError):
        renvoyer(SYSTEME, dernier)


@pytest.mark.django_db
def test_only_administrators_of_the_organisation_send_again(cast):
    ecrit = ecrire("acces_termine", "x@a.example", {"organisation": "A"}, organisation=cast.bailleur_a)
    Courriel.objects.update(etat=Courriel.Etat.ECHEC, erreur="refusé")
    for etranger in ("gestionnaire_a", "gestionnaire_b", "agent_ddets_06"):
        with pytest.raises(PermissionDenied):
            renvoyer(cast.acteur(etranger), ecrit)
        assert not Courriel.objects.visibles_par(cast.acteur(etranger)).exists()
    assert renvoyer(cast.acteur("administrateur_a"), ecrit).etat == Courriel.Etat.EN_ATTENTE


@pytest.mark.django_db
def test_the_command_sends_again_what_was_given_up():
    perdu, parti = (ecrire("compte_ferme", f"{nom}@essai.example") for nom in ("perdu", "parti"))
    envoyer(parti.pk)
    Courriel.objects.filter(pk=perdu.pk).update(etat=Courriel.Etat.ECHEC, erreur="refusé", essais=7)
    sortie = StringIO()
    call_command("renvoyer_courriels", stdout=sortie)
    assert "1 courriel non remis (rien n’est fait" in sortie.getvalue() and envoyer(perdu.pk) is None
    call_command("renvoyer_courriels", "--appliquer", stdout=sortie)
    assert envoyer(perdu.pk).essais == 1 and len(mail.outbox) == 2


@pytest.mark.django_db
def test_the_link_of_an_invitation_is_sent_and_never_stored(cast):
    invitation = inviter(cast.acteur("administrateur_a"), cast.bailleur_a, "neuf@a.example", ["GESTION"])
    ecrit = Courriel.objects.get(invitation=invitation)
    ligne = "".join(str(getattr(ecrit, champ.attname)) for champ in Courriel._meta.concrete_fields)
    ligne += "".join(str(getattr(invitation, champ.attname)) for champ in invitation._meta.concrete_fields)
    assert invitation.secret not in ligne
    envoyer(ecrit.pk)
    lien = f"{reglages.SITE_URL}/invitations/{invitation.secret}/"
    message = mail.outbox[0]
    assert lien in message.body and f'href="{lien}"' in message.alternatives[0][0]
    assert Courriel.MARQUE_LIEN not in message.body + message.alternatives[0][0]


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_send_the_same_row():
    ecrit = ecrire("compte_ferme", "x@essai.example")
    autre = connection.copy()
    try:
        autre.set_autocommit(False)
        with autre.cursor() as curseur:
            curseur.execute("SELECT 1 FROM reservation_courriel WHERE id = %s FOR UPDATE", [ecrit.pk])
        assert envoyer(ecrit.pk) is None and mail.outbox == []
    finally:
        autre.rollback()
        autre.close()
    assert envoyer(ecrit.pk).etat == Courriel.Etat.ENVOYE


@pytest.mark.travailleur
def test_a_real_worker_sends_after_the_commit(travailleur):
    cast = distribuer()
    with transaction.atomic():
        invitation = inviter(cast.acteur("administrateur_a"), cast.bailleur_a, "neuf@a.example", ["LECTURE"])
    envoyes = Courriel.objects.filter(invitation=invitation, etat=Courriel.Etat.ENVOYE)
    assert wait_until(envoyes.exists, 30)
