"""Labels and reconciliations by program: proposed, taken back, read; a ground never leaves, a gap says its sentence."""

import pytest

from flux.models import EcartRapprochement
from publics.models import PropositionLabel
from publics.services.menages import empreinte_numero
from tests.api.test_actes import erreurs

pytestmark = pytest.mark.django_db
NUMERO = "0061126DEMO0000077"
DEMANDE = {
    "departement": "06",
    "numero_unique": NUMERO,
    "categorie": "HEBERGEMENT",
    "tailles": ["T3"],
    "secteur": ["06029"],
}


def test_proposed_read_and_taken_back(a, programme, decor):
    faite = a.post("propositions/", DEMANDE)
    assert faite.status_code == 201, faite.content
    vue = faite.json()
    assert (vue["etat"], vue["groupe"], vue["demande"]) == ("PROPOSEE", 2, "…0077")
    assert NUMERO not in faite.content.decode() and "HEBERGEMENT" not in faite.content.decode()
    proposition = PropositionLabel.objects.get(pk=vue["id"])
    assert proposition.menage.numero_hache == empreinte_numero(NUMERO)
    assert (proposition.saisie_par, proposition.auteur) == (decor.a.bailleur, decor.cast.gestionnaire_a)
    assert a.get("propositions/", etat="PROPOSEE").json()["resultats"][-1] == vue
    deux = a.post("propositions/", DEMANDE)
    assert deux.status_code == 422 and "déjà proposé" in deux.json()["detail"].replace("\u00a0", " ")
    ddets, b = programme("agent_ddets_06"), programme("gestionnaire_b")
    assert ddets.get(f"propositions/{vue['id']}/").json() == vue
    assert b.get(f"propositions/{vue['id']}/").status_code == 404
    assert ddets.post(f"propositions/{vue['id']}/retrait/").status_code == 403
    assert ddets.post("propositions/", DEMANDE).status_code == 403
    assert a.post(f"propositions/{vue['id']}/retrait/").json()["etat"] == "RETIREE"


def test_what_is_wrong_is_named(a):
    refus = a.post(
        "propositions/",
        DEMANDE
        | {"numero_unique": "123", "categorie": "RIEN", "departement": "99", "tailles": "T3", "nom": "U"},
    )
    assert refus.status_code == 400
    assert set(erreurs(refus)) == {"numero_unique", "tailles", "nom"}
    refus = a.post("propositions/", DEMANDE | {"categorie": "RIEN", "departement": "99"})
    assert refus.status_code == 400 and set(erreurs(refus)) == {"departement"}
    refus = a.post("propositions/", DEMANDE | {"departement": "75"})
    assert refus.status_code == 422 and "n’intervient pas" in refus.json()["detail"]
    refus = a.post("propositions/", DEMANDE | {"secteur": ["22278"]})
    assert refus.status_code == 422
    references = a.get("propositions/references/").json()
    assert "HEBERGEMENT" in {categorie["code"] for categorie in references["categories"]}


def test_labels_are_told_by_their_group(a, programme, decor):
    ddets = programme("agent_ddets_06")
    label = ddets.get(f"labels/{decor.a.label.pk}/")
    assert label.json()["groupe"] == 1 and "DALO" not in label.content.decode()
    assert a.get(f"labels/{decor.a.label.pk}/").status_code == 404
    siens = a.get("labels/").json()["resultats"]
    assert [x["id"] for x in siens] == [decor.a.label_propose.pk]
    jour = decor.a.label_propose.debut.isoformat()
    assert a.get("labels/", valable_le=jour).json()["resultats"] == siens
    assert a.get("labels/", valable_le="2020-01-01").json()["resultats"] == []


def test_gaps_are_read_with_their_sentence_by_those_who_may(a, programme, decor):
    ecart = decor.a.ecart
    for lecteur in (a, programme("agent_ddets_06"), programme("agent_sgc_06"), programme("charge_als")):
        vue = lecteur.get(f"ecarts/{ecart.pk}/").json()
        assert (vue["nature"], vue["lieu"], vue["attribution"]) == (
            "BAIL_ABSENT",
            "ICI",
            decor.a.attribution.pk,
        )
        assert vue["phrase"].replace("\u00a0", " ").startswith("À corriger ici : demande …")
        assert lecteur.post(f"ecarts/{ecart.pk}/").status_code == 405
    for autre in ("gestionnaire_b", "agent_ddets_22", "agent_cannes", "operateur"):
        assert programme(autre).get(f"ecarts/{ecart.pk}/").status_code == 404
    siens = EcartRapprochement.objects.filter(bailleur=decor.a.bailleur)
    assert len(a.get("ecarts/", constate="true").json()["resultats"]) == siens.count()
    als = programme("charge_als").get("ecarts/", rapprochement=str(decor.a.rapprochement.pk)).json()
    assert {x["attribution"] for x in als["resultats"]} == {decor.a.attribution.pk, None}
    # A label is valid or not, to a réservataire: not late, not expired.
    siens.filter(pk=ecart.pk).update(nature="LABEL_EXPIRE", valeur_sne="EXPIRE", valeur_ici="VALIDE")
    vue = programme("charge_als").get(f"ecarts/{ecart.pk}/").json()
    assert vue["nature"] == "LABEL" and "échu" not in vue["phrase"]
    assert not programme("charge_als").get("ecarts/", nature="LABEL_EXPIRE").json()["resultats"]
    assert programme("charge_als").get("ecarts/", nature="LABEL").json()["resultats"]
    assert a.get(f"ecarts/{ecart.pk}/").json()["nature"] == "LABEL_EXPIRE"
