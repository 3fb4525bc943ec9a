"""The pages: what each shows, what they answer to a wrong answer, what they never show."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from reservation.acteur import Role
from reservation.models import Courriel, DemandeAcces, Invitation, Organisation, Rattachement, Utilisateur
from reservation.services import habilitations as h
from tests.personnages import MOT_DE_PASSE, personne

NOUVEAU = "phrase longue et rare 2026"


def u(nom: str, *args) -> str:
    return reverse(f"reservation:{nom}", args=args)


@pytest.fixture
def admin(cast, client):
    client.force_login(cast.administrateur_a)
    return client


def test_members_see_their_colleagues_and_nothing_to_decide(cast, client):
    h.inviter(cast.acteur("administrateur_a"), cast.bailleur_a, "neuf@a.example", ["LECTURE"])
    h.demander_acces(cast.sans_organisation, cast.bailleur_a, "Chargée de mission")
    client.force_login(cast.lecteur_a)
    page = client.get(u("mon_organisation")).content.decode()
    assert "Gestionnaire A" in page and "Ancien A" not in page
    for cache in ("neuf@a.example", "Chargée de mission", "Inviter", "Modifier", "Derniers actes"):
        assert cache not in page


def test_administrators_see_what_waits(cast, admin):
    h.inviter(cast.acteur("administrateur_a"), cast.bailleur_a, "neuf@a.example", ["LECTURE"])
    h.demander_acces(cast.sans_organisation, cast.bailleur_a, "Chargée de mission")
    page = admin.get(u("mon_organisation")).content.decode()
    for montre in ("neuf@a.example", "en attente d’envoi", "Chargée de mission", "Invitation envoyée"):
        assert montre in page


def test_the_page_has_a_fixed_number_of_queries(cast, admin, django_assert_max_num_queries):
    for n in range(12):
        h.inviter(cast.acteur("administrateur_a"), cast.bailleur_a, f"neuf{n}@a.example", ["LECTURE"])
        personne(f"n{n}@a.example", f"Personne {n}", cast.bailleur_a, Role.LECTURE)
    with django_assert_max_num_queries(20):
        assert admin.get(u("mon_organisation")).status_code == 200


def test_inviting_from_the_page(cast, admin):
    adresse = u("inviter", cast.bailleur_a.pk)
    assert admin.post(adresse, {"courriel": "pas une adresse", "roles": ["LECTURE"]}).status_code == 422
    reponse = admin.post(adresse, {"courriel": "gestion@a.example", "roles": ["LECTURE"]})
    assert reponse.status_code == 422 and "déjà un accès" in reponse.content.decode()
    assert admin.post(adresse, {"courriel": "neuf@a.example", "roles": ["LECTURE"]}).status_code == 302
    assert Invitation.objects.get().courriel == "neuf@a.example"


def test_the_ddets_is_offered_the_role_that_it_may_give(cast, client):
    client.force_login(cast.administrateur_ddets_06)
    adresse = u("inviter", cast.bailleur_b.pk)
    assert "Gestion :" not in client.get(adresse).content.decode()
    assert client.post(adresse, {"courriel": "x@b.example", "roles": ["GESTION"]}).status_code == 422
    assert client.post(adresse, {"courriel": "x@b.example", "roles": ["ADMINISTRATION"]}).status_code == 302
    personne_ = u("acces_personne", cast.bailleur_b.pk, cast.gestionnaire_b.pk)
    assert client.post(personne_, {"r-roles": ["LECTURE"]}).status_code == 403
    assert client.post(personne_, {"terminer": "1", "f-motif": ""}).status_code == 302


def test_a_new_person_accepts_and_signs_in(cast, client):
    invitation = h.inviter(cast.acteur("administrateur_a"), cast.bailleur_a, "neuf@a.example", ["LECTURE"])
    adresse = u("invitation", invitation.secret)
    page = client.get(adresse)
    assert page.status_code == 200 and "no-store" in page.headers["Cache-Control"]
    saisie = {"nom": "Personne neuve", "mot_de_passe": NOUVEAU, "confirmation": "autre phrase longue"}
    reponse = client.post(adresse, saisie)
    assert reponse.status_code == 422 and NOUVEAU not in reponse.content.decode()
    faible = client.post(adresse, saisie | {"mot_de_passe": "court", "confirmation": "court"})
    assert faible.status_code == 422 and "trop court" in faible.content.decode()
    assert not Utilisateur.objects.filter(courriel="neuf@a.example").exists()
    assert client.post(adresse, saisie | {"confirmation": NOUVEAU}).status_code == 302
    assert client.login(username="neuf@a.example", password=NOUVEAU)
    assert "Habitat Essai A" in client.get(u("mes_acces")).content.decode()
    assert client.get(adresse).status_code == 404


def test_a_known_person_signs_in_first(cast, client):
    invitation = h.inviter(cast.acteur("administrateur_a"), cast.bailleur_a, "gestion@b.example", ["LECTURE"])
    adresse = u("invitation", invitation.secret)
    anonyme = client.get(adresse)
    assert anonyme.status_code == 302 and adresse in anonyme.headers["Location"]
    assert (
        client.post(adresse, {"nom": "x", "mot_de_passe": NOUVEAU, "confirmation": NOUVEAU}).status_code
        == 302
    )
    client.force_login(cast.lecteur_a)
    assert client.get(adresse).status_code == client.post(adresse).status_code == 404
    client.force_login(cast.gestionnaire_b)
    assert client.get(adresse).status_code == 200
    assert not Rattachement.objects.filter(
        utilisateur=cast.gestionnaire_b, organisation=cast.bailleur_a
    ).exists()
    assert client.post(adresse).status_code == 302
    assert client.session["organisation_id"] == cast.bailleur_a.pk
    assert "Changer d’organisation" in client.get("/").content.decode()


def test_switching(cast, client):
    personne_ = cast.gestionnaire_b
    Rattachement.objects.create(utilisateur=personne_, organisation=cast.ddets_06, role="LECTURE")
    client.force_login(personne_)
    assert "DDETS des Alpes-Maritimes" in client.get("/").content.decode()
    client.post(reverse("changer_organisation"), {"organisation": cast.bailleur_b.pk})
    page = client.get(u("mes_acces")).content.decode()
    assert "Agir pour DDETS des Alpes-Maritimes" in page and "Agir pour Logis Essai B" not in page


def test_the_last_administrator_is_told_why(cast, admin):
    page = admin.post(u("quitter", cast.bailleur_a.pk))
    assert page.status_code == 409 and "pas d’autre administrateur" in page.content.decode()
    personne_ = u("acces_personne", cast.bailleur_a.pk, cast.administrateur_a.pk)
    for saisie in ({"r-roles": ["LECTURE"]}, {"terminer": "1"}):
        reponse = admin.post(personne_, saisie)
        assert reponse.status_code == 422 and "pas d’autre administrateur" in reponse.content.decode()


def test_an_administrator_who_ends_their_own_access_is_shown_out(cast, admin):
    personne("second@a.example", "Second", cast.bailleur_a, Role.ADMINISTRATION)
    personne_ = u("acces_personne", cast.bailleur_a.pk, cast.administrateur_a.pk)
    reponse = admin.post(personne_, {"terminer": "1"})
    assert (reponse.status_code, reponse.headers["Location"]) == (302, "/")
    assert admin.get(u("mon_organisation")).headers["Location"] == u("mes_acces")


def test_asking_and_deciding(cast, client):
    client.force_login(cast.sans_organisation)
    assert "Habitat Essai A" in client.get(u("demander_acces"), {"q": "habitat"}).content.decode()
    adresse = u("demander_acces_a", cast.bailleur_a.pk)
    assert client.post(adresse, {"message": ""}).status_code == 422
    assert client.post(adresse, {"message": "Responsable"}).status_code == 302
    demande = DemandeAcces.objects.get()
    assert "En attente de décision" in client.get(u("mes_acces")).content.decode()
    assert client.get(u("demande_acces", demande.pk)).status_code == 403
    client.force_login(cast.administrateur_a)
    page = u("demande_acces", demande.pk)
    assert client.post(page, {"refuser": "1", "motif": ""}).status_code == 422
    assert client.post(page, {"accepter": "1", "roles": ["LECTURE", "GESTION"]}).status_code == 302
    assert "acceptée" in client.get(page).content.decode()
    client.force_login(cast.sans_organisation)
    assert "lecture, gestion" in client.get(u("mes_acces")).content.decode()


def test_a_closed_organisation_is_not_asked_for(cast, client):
    Organisation.objects.filter(pk=cast.bailleur_b.pk).update(fermee_le=date(2026, 1, 1))
    client.force_login(cast.sans_organisation)
    assert client.get(u("demander_acces_a", cast.bailleur_b.pk)).status_code == 404
    assert "Logis Essai B" not in client.get(u("demander_acces"), {"q": "logis essai"}).content.decode()


def test_the_campaign_page(cast, admin):
    adresse = u("renouvellement", cast.bailleur_a.pk)
    assert "Aucun accès" in admin.get(adresse).content.decode()
    fin = timezone.localdate() + timedelta(days=20)
    Rattachement.objects.filter(utilisateur__in=[cast.lecteur_a, cast.gestionnaire_a]).update(fin=fin)
    assert admin.post(adresse, {}).status_code == 422
    reponses = {
        f"personne-{cast.lecteur_a.pk}": "CONFIRMER",
        f"personne-{cast.gestionnaire_a.pk}": "TERMINER",
        f"personne-{cast.gestionnaire_b.pk}": "TERMINER",
    }
    assert admin.post(adresse, reponses).status_code == 302
    assert cast.lecteur_a.rattachements.get().fin == timezone.localdate() + timedelta(days=365)
    assert not cast.gestionnaire_a.rattachements.actifs().exists()
    assert cast.gestionnaire_b.rattachements.actifs().exists()


def test_creating_from_the_page(cast, client):
    client.force_login(cast.administrateur_ddets_06)
    adresse = u("organisation_creer")
    saisie = {
        "type_organisation": "BAILLEUR",
        "nom": "habitat essai a",
        "departement": "06",
        "siren": "000 000 018",
        "famille": "OPH",
    }
    assert client.post(adresse, saisie | {"siren": "000000019"}).status_code == 422
    assert client.post(adresse, saisie | {"departement": "22"}).status_code == 422
    doublon = client.post(adresse, saisie)
    assert doublon.status_code == 422 and "Habitat Essai A" in doublon.content.decode()
    assert client.post(adresse, saisie | {"confirmer": "on"}).status_code == 302
    creee = Organisation.objects.get(siren="000000018")
    liste = client.get(u("organisations"), {"q": "000000018"}).content.decode()
    assert "aucun" in liste and u("organisation_acces", creee.pk) in liste


def test_the_name_page(cast, admin):
    adresse = u("organisation_nom", cast.bailleur_a.pk)
    assert admin.post(adresse, {"nom": "Toits", "effet": "2999-01-01"}).status_code == 422
    assert admin.post(adresse, {"nom": "Toits", "effet": "2025-01-01"}).status_code == 302
    page = admin.get(u("mon_organisation")).content.decode()
    assert "Toits" in page and "Habitat Essai A" in page


def test_resending_and_taking_back(cast, admin):
    admin.post(u("inviter", cast.bailleur_a.pk), {"courriel": "neuf@a.example", "roles": ["LECTURE"]})
    invitation = Invitation.objects.get()
    assert admin.get(u("invitation_renvoyer", invitation.pk)).status_code == 405
    admin.post(u("invitation_renvoyer", invitation.pk))
    assert Courriel.objects.count() == 2
    admin.post(u("invitation_retirer", invitation.pk))
    assert (
        admin.post(u("invitation_retirer", invitation.pk), follow=True)
        .content.decode()
        .count("n’attend plus")
        == 1
    )


def test_reading_writes_nothing(cast, admin):
    avant = Courriel.objects.count(), Invitation.objects.count(), Rattachement.objects.count()
    for nom, args in (("mon_organisation", []), ("mes_acces", []), ("quitter", [cast.bailleur_a.pk])):
        assert admin.get(u(nom, *args)).status_code == 200
    assert (Courriel.objects.count(), Invitation.objects.count(), Rattachement.objects.count()) == avant
    assert admin.login(username="administration@a.example", password=MOT_DE_PASSE)
