"""A commission by a program: planned, its agenda, its candidatures, convened, decided, closed, reopened; and what it is refused."""

import pytest

from flux.models import Attribution, Commission, Convocation, Passage
from tests.acces.decor import ANNEE
from tests.api.test_actes import erreurs

pytestmark = pytest.mark.django_db

REUNION = {"departement": "06", "date": f"{ANNEE}-05-20", "heure": "14:00", "lieu": "salle du conseil"}


def numero(rang: int) -> str:
    return f"0061125DEMO{rang:07d}"


def test_from_the_plan_to_the_closing_and_back(a, decor):
    cree = a.post("commissions/", REUNION)
    assert cree.status_code == 201, cree.content
    ici = f"commissions/{cree.json()['id']}/"
    assert cree["Location"] == f"/api/v1/{ici}"
    libre = decor.a.liberation_libre.pk
    inscrite = a.post(f"{ici}inscription/", {"liberations": [libre]}).json()
    assert [ligne["liberation"] for ligne in inscrite["lignes"]] == [libre]
    assert a.post(f"{ici}motif/", {"liberation": libre, "motif": "C_INSUFFISANTES"}).status_code == 200
    passages = [
        a.post(f"{ici}candidature/", {"liberation": libre, "numero_unique": numero(rang)}).json()
        for rang in (1, 2)
    ]
    assert [p["demande"] for p in passages] == ["…0001", "…0002"]
    assert a.post(f"{ici}convocation/").json()["etat"] == "CONVOQUEE"
    assert Convocation.objects.filter(commission=cree.json()["id"]).exists()
    for passage, decision in zip(
        passages,
        ({"decision": "ATTR_RANG", "rang": 1}, {"decision": "NON_ATTR", "motif": "DOSSIER"}),
        strict=True,
    ):
        faite = a.post(f"passages/{passage['id']}/decision/", decision)
        assert faite.status_code in (200, 422), faite.content
    refus = erreurs(a.post(f"passages/{passages[1]['id']}/decision/", {"decision": "NON_ATTR", "motif": "X"}))
    code = refus["motif"]["attendu"].removeprefix("un code parmi : ").split(", ")[0]
    lue = a.post(f"passages/{passages[1]['id']}/decision/", {"decision": "NON_ATTR", "motif": code}).json()
    assert (lue["decision"], lue["motif"], lue["definitif"]) == ("NON_ATTR", code, False)
    controle = a.get(f"{ici}controle/").json()
    assert controle["erreurs"] == [] and controle["points"]
    sans = a.post(f"{ici}cloture/")
    assert sans.status_code == 422
    assert [e["message"] for e in sans.json()["erreurs"]] == controle["points"]
    close = a.post(f"{ici}cloture/", {"points": controle["points"]})
    assert close.status_code == 200 and close.json()["etat"] == "CLOSE", close.content
    faite = Attribution.objects.get(liberation=libre)
    assert faite.passage_id == passages[0]["id"]
    assert Commission.objects.get(pk=cree.json()["id"]).proces_verbaux.count() == 1
    assert a.post(f"{ici}reouverture/", {"motif": "erreur de rang"}).json()["etat"] == "CONVOQUEE"
    assert not Attribution.objects.filter(liberation=libre).exists()


def test_moved_emptied_cancelled(a, decor):
    ici = f"commissions/{decor.a.commission.pk}/"
    ailleurs = {"date": f"{ANNEE}-05-22", "heure": "09:30", "lieu": "siège"}
    assert a.post(f"{ici}seance/", ailleurs).json()["heure"] == "09:30:00"
    candidature = decor.a.candidature.pk
    assert a.post(f"passages/{candidature}/retrait/").status_code == 200
    assert not Passage.objects.filter(pk=candidature).exists()
    libre = decor.a.liberation_libre.pk
    assert a.post(f"{ici}retrait/", {"liberation": libre}).json()["lignes"] == []
    encore = erreurs(a.post(f"{ici}retrait/", {"liberation": libre}))
    assert "ordre du jour" in encore["liberation"]["message"]
    assert a.post(f"{ici}annulation/", {"motif": "faute de quorum"}).json()["etat"] == "ANNULEE"


def test_what_a_body_may_not_say(a, decor):
    trouvees = erreurs(
        a.post("commissions/", {"date": "demain", "heure": "14h", "lieu": "ici", "salle": "B"})
    )
    assert set(trouvees) == {"date", "heure", "departement", "salle"}
    assert trouvees["heure"]["attendu"] == "une heure HH:MM"
    assert set(erreurs(a.post("commissions/", REUNION | {"lieu": ""}))) == {"lieu"}
    assert set(erreurs(a.post("commissions/", REUNION | {"dematerialisee": True}))) == {"date_fin"}
    assert set(erreurs(a.post("commissions/", REUNION | {"departement": "33"}))) == {"departement"}
    ici = f"commissions/{decor.a.commission.pk}/"
    for faux in ([], ["1"], 3, [True], [0], None):
        assert set(erreurs(a.post(f"{ici}inscription/", {"liberations": faux}))) == {"liberations"}
    etrangere, inconnue = (
        a.post(f"{ici}inscription/", {"liberations": [cle]}).json()["detail"]
        for cle in (decor.b.liberation_libre.pk, 2_000_000_000)
    )
    assert etrangere == inconnue
    numeros = erreurs(
        a.post(f"{ici}candidature/", {"liberation": decor.a.liberation_libre.pk, "numero_unique": "123"})
    )
    assert "123" not in str(numeros["numero_unique"])


def test_a_draft_is_read_by_the_state_and_by_no_reservataire(a, programme, decor):
    la = f"passages/{decor.a.candidature.pk}/"
    a.post(f"{la}decision/", {"decision": "ATTR"})
    assert programme("agent_ddets_06").get(la).json()["decision"] == "ATTR"
    assert programme("charge_als").get(la).status_code == 404


def test_a_dwelling_taken_back_for_one_letting(a, decor):
    ici = f"liberations/{decor.a.liberation_libre.pk}/"
    als = decor.cast.als
    a.post(f"{ici}orientation/", {"reservataire": als.pk, "date": f"{ANNEE}-05-06", "motif": "O_ACCORD"})
    reprise = {"date": f"{ANNEE}-05-07", "motif": "T_ACCORD"}
    refus = a.post(f"{ici}reprise/", reprise)
    assert refus.status_code == 422 and "ne prévoit pas" in refus.json()["detail"]
    decor.a.convention_als.versions.update(reprise_pour_un_tour=True)
    assert a.post(f"{ici}reprise/", reprise).json()["reservataire"]["id"] == decor.a.bailleur.pk
    assert a.post(f"{ici}retour/", {"motif": "E_AUTRE"}).json()["reservataire"]["id"] == als.pk
    assert "motif" in erreurs(a.post(f"{ici}retour/", {"motif": "T_ACCORD"}))
