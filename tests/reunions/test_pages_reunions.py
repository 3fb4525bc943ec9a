"""The pages of the meetings: what is typed is saved or said not to be; as many queries whatever the agenda holds."""

from datetime import date, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bilans.models import ActionReunion, CompteRendu, Reunion
from bilans.services import reunions
from bilans.services.oubli import _purger_reunions, _reunions
from reservation.acteur import Acteur
from reservation.models import Courriel
from reservation.perimetre import agir
from tests.reunions.conftest import preparer, tenir

HTMX = {"HX-Request": "true"}


@pytest.fixture
def entrer(client, cast):
    def ouvrir(qui: str):
        client.force_login(cast.gens[qui])
        return client

    return ouvrir


def lire(reponse, code: int = 200) -> str:
    assert reponse.status_code == code, reponse.content.decode()[:2000]
    return unescape(reponse.content.decode()).replace("\u00a0", " ")


def test_prepare_convene_open_note_and_close(entrer, cast):
    client = entrer("gestionnaire_dreal")
    assert "Préparer une réunion" in lire(client.get(reverse("bilans:reunions")))
    preparation = reverse("bilans:reunion_preparer")
    page = lire(client.post(preparation, {"objet": "Comité", "heure": "9h30", "heure_fin": "9h"}), 422)
    assert "Indiquez une date." in page and "La fin suit le début" in page
    donnees = {
        "objet": "Comité d’hiver",
        "date": timezone.localdate().isoformat(),
        "heure": "9h30",
        "heure_fin": "12:00",
        "lieu": "Salle 2",
    }
    suite = client.post(preparation, donnees)
    reunion = Reunion.objects.get()
    adresse = reverse("bilans:reunion", args=[reunion.pk])
    assert suite.headers["Location"] == adresse
    assert "L’ordre du jour est vide" in lire(client.get(adresse))
    points = reverse("bilans:reunion_points", args=[reunion.pk])
    assert "Composez d’abord" in lire(
        client.post(reverse("bilans:reunion_convoquer", args=[reunion.pk])), 422
    )
    client.post(points, {"verbe": "proposer"})
    assert "Attendu : entre 1 et 600" in lire(client.post(points, {"titre": "Divers", "duree": "0"}), 422)
    client.post(points, {"titre": "Divers", "duree": "15"})
    assert reunion.points.count() == 5
    dernier = reunion.points.order_by("-rang").first()
    client.post(reverse("bilans:reunion_point", args=[dernier.pk, "monter"]))
    client.post(
        reverse("bilans:reunion_point", args=[dernier.pk, "modifier"]),
        {"titre": "Points divers"},
        headers=HTMX,
    )
    dernier.refresh_from_db()
    assert (dernier.rang, dernier.titre, dernier.duree) == (4, "Points divers", None)
    assert "4 personnes" in lire(client.get(reverse("bilans:reunion_convoquer", args=[reunion.pk])))
    client.post(reverse("bilans:reunion_convoquer", args=[reunion.pk]))
    assert Courriel.objects.filter(gabarit="convocation_copil").count() == 4
    client.post(reverse("bilans:reunion_ouvrir", args=[reunion.pk]))
    page = lire(client.get(adresse))
    assert "Relire et clôturer" in page and reverse("bilans:comite") in page

    invite = reunion.invites.get(organisation=cast.union_hlm_paca)
    presence = {"presence": "PRESENT", "fonctions": "directrice"}
    etat = lire(client.post(reverse("bilans:reunion_invite", args=[invite.pk]), presence, headers=HTMX))
    assert "Enregistré à" in etat
    action = {"libelle": "Transmettre", "responsable": "TOUTES:DDETS", "echeance": "2099-01-05"}
    liste = lire(
        client.post(reverse("bilans:reunion_point", args=[dernier.pk, "action"]), action, headers=HTMX)
    )
    assert f'id="actions-{dernier.pk}"' in liste and "<html" not in liste
    assert ActionReunion.objects.get().organisation == cast.ddets_06
    # Without script: the page again, at the item.
    suite = client.post(reverse("bilans:reunion_point", args=[dernier.pk, "decision"]), {"texte": "Adopté."})
    assert suite.headers["Location"] == f"{adresse}#point-{dernier.pk}"
    relecture = lire(client.get(reverse("bilans:reunion_clore", args=[reunion.pk])))
    assert "Adopté." in relecture and "Transmettre" in relecture and "4 points sans note" in relecture
    client.post(reverse("bilans:reunion_clore", args=[reunion.pk]), {"envoyer": "oui"})
    assert Courriel.objects.filter(gabarit="compte_rendu_copil").count() == 4
    compte_rendu = CompteRendu.objects.get()
    pdf = entrer("charge_union").get(reverse("bilans:compte_rendu_pdf", args=[compte_rendu.pk]))
    assert pdf.content == bytes(compte_rendu.octets)
    page = lire(client.get(adresse))
    assert "directrice" in page and "Adopté." in page and "<textarea" not in page


def test_what_is_refused_is_said_and_nothing_is_written(entrer, cast, dreal):
    reunion = tenir(dreal, preparer(dreal), cast.bailleur_a)
    point, decision, action = reunion.points.get(rang=1), reunion.decisions.get(), reunion.actions.get()
    client = entrer("gestionnaire_dreal")

    def envoyer(nom: str, cle: int, verbe: str, donnees: dict, code: int = 200) -> str:
        reponse = client.post(reverse(f"bilans:{nom}", args=[cle, verbe]), donnees, headers=HTMX)
        dit = lire(reponse, code)
        assert "Non enregistré" not in dit or reponse.headers["HX-Reswap"] == "none"
        return dit

    assert "Écrivez la décision" in envoyer("reunion_point", point.pk, "decision", {"texte": "  "})
    assert "Choisissez qui" in envoyer("reunion_point", point.pk, "action", {"libelle": "Agir"})
    assert "Cette date n’existe pas" in envoyer(
        "reunion_point", point.pk, "action", {"libelle": "Agir", "echeance": "31/02/2027"}
    )
    assert "retirez-les d’abord" in envoyer("reunion_point", point.pk, "retirer", {})
    # Somebody else wrote there meanwhile.
    point.notes, point.revision, point.notees_par = "De quelqu’un d’autre", 9, cast.charge_dreal
    point.save()
    assert "modifiées ailleurs" in envoyer(
        "reunion_point", point.pk, "notes", {"notes": "Les miennes", "revision": "1"}
    )
    dit = envoyer("reunion_point", point.pk, "notes", {"notes": "Les deux", "revision": "9"}, 200)
    assert f'id="revision-{point.pk}" value="10"' in dit
    assert envoyer("reunion_point", point.pk, "inconnu", {}, 404)
    envoyer("reunion_decision", decision.pk, "modifier", {"texte": "Autrement dit."}, 200)
    envoyer("reunion_decision", decision.pk, "retirer", {}, 200)
    faits = {"libelle": "Autre", "responsable": str(cast.als.pk), "echeance": "2099-01-01"}
    envoyer("reunion_action", action.pk, "modifier", faits, 200)
    action.refresh_from_db()
    assert (action.libelle, action.organisation) == ("Autre", cast.als)
    envoyer("reunion_action", action.pk, "retirer", {}, 200)
    assert not reunion.decisions.exists() and not reunion.actions.exists()
    point.refresh_from_db()
    assert point.notes == "Les deux"


def test_whoever_owes_an_action_says_it_is_done(entrer, cast, dreal):
    reunion = tenir(dreal, preparer(dreal, jours=-9), cast.bailleur_a, jours=-2)
    with agir(dreal):
        reunions.clore(dreal, reunion)
    action = reunion.actions.get()
    adresse = reverse("bilans:action_copil", args=[action.pk])
    client = entrer("gestionnaire_a")
    accueil = lire(client.get(reverse("accueil")))
    assert action.libelle in accueil and adresse in accueil and "en retard" in accueil
    page = lire(client.get(adresse))
    assert reverse("bilans:reunion", args=[reunion.pk]) not in page and "Abandonner" not in page
    assert client.get(reverse("bilans:reunion", args=[reunion.pk])).status_code == 404
    faire = reverse("bilans:action_copil_agir", args=[action.pk, "faire"])
    assert "au plus tard aujourd’hui" in lire(client.post(faire, {"realisee_le": "2099-01-01"}), 422)
    client.post(faire, {"realisee_le": timezone.localdate().isoformat(), "commentaire": "Transmise."})
    assert action.libelle not in lire(client.get(reverse("accueil")))
    assert "Aucune action à faire" in lire(client.get(reverse("bilans:actions_copil")))
    assert action.libelle in lire(client.get(reverse("bilans:actions_copil") + "?etat=faites"))
    client = entrer("gestionnaire_dreal")
    assert "Transmise." in lire(client.get(adresse))
    client.post(reverse("bilans:action_copil_agir", args=[action.pk, "defaire"]))
    retard = reverse("bilans:actions_copil") + f"?etat=retard&organisation={cast.bailleur_a.pk}"
    assert action.libelle in lire(client.get(retard))
    client.post(reverse("bilans:action_copil_agir", args=[action.pk, "reporter"]), {"echeance": "2099-01-01"})
    assert action.libelle not in lire(client.get(retard))
    client.post(reverse("bilans:action_copil_agir", args=[action.pk, "abandonner"]), {"motif": "Sans objet."})
    assert "Sans objet." in lire(entrer("gestionnaire_a").get(adresse))


@pytest.mark.parametrize("qui", ["gestionnaire_dreal", "charge_union"])
def test_as_many_queries_whatever_was_noted(entrer, cast, dreal, qui):
    reunion = tenir(dreal, preparer(dreal), cast.bailleur_a)
    adresses = [reverse("bilans:reunion", args=[reunion.pk]), reverse("bilans:actions_copil")]
    client = entrer(qui)

    def nombres() -> list[int]:
        comptes = []
        for adresse in adresses:
            with CaptureQueriesContext(connection) as requetes:
                lire(client.get(adresse))
            comptes.append(len(requetes))
        return comptes

    nombres()
    avant = nombres()
    with agir(dreal):
        for _ in range(3):
            point = reunions.ajouter_point(dreal, reunion, titre="Encore")
            reunions.noter_decision(dreal, point, "Oui.")
            reunions.noter_action(
                dreal, point, libelle="Agir", responsable="TOUS:BAILLEUR", echeance=timezone.localdate()
            )
    assert nombres() == avant and max(avant) < 35
    if qui == "charge_union":
        with agir(dreal):
            reunions.clore(dreal, reunion)
        assert "Agir" in lire(client.get(adresses[0])) and nombres()[0] <= avant[0] + 2


def test_meetings_are_forgotten_ten_years_after_but_for_what_is_still_owed(cast, dreal):
    systeme = Acteur.du_systeme("purge")
    reunion = tenir(dreal, preparer(dreal, jours=-20), cast.bailleur_a, jours=-3)
    with agir(dreal):
        reunions.clore(dreal, reunion)
    dans_dix_ans = date(timezone.localdate().year + 11, 1, 1)
    with agir(systeme):
        assert not _reunions(dans_dix_ans).exists(), "an action is still to do"
        reunions.faire(systeme, reunion.actions.get(), realisee_le=timezone.localdate())
        assert _reunions(timezone.localdate() + timedelta(days=3000)).count() == 0
        assert _purger_reunions(dans_dix_ans, 10) == 1
        assert not Reunion.objects.exists() and not ActionReunion.objects.exists()
