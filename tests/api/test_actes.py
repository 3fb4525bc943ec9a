"""The week of a bailleur by its software: declared, oriented, attributed, refused, leased, cancelled; and who may not."""

from datetime import date

import pytest

from flux.models import Attribution, Liberation, MotifRefus
from publics.services.menages import empreinte_numero
from tests.acces.decor import ANNEE, CANARI

pytestmark = pytest.mark.django_db

NUMERO = "0061125DEMO0000042"
SAISIE = {"date": f"{ANNEE}-05-04"}


def erreurs(reponse) -> dict[str, dict]:
    """Field → its error; checks what every problem says."""
    assert reponse["Content-Type"] == "application/problem+json", reponse.content
    corps = reponse.json()
    assert set(corps) == {"type", "title", "status", "detail", "instance", "erreurs"}
    assert corps["status"] == reponse.status_code and corps["detail"]
    assert corps["instance"] == f"urn:uuid:{reponse['X-Request-Id']}"
    return {e["champ"]: e for e in corps["erreurs"]}


def test_from_the_notice_to_the_lease(a, decor):
    reponse = a.post("liberations/", SAISIE | {"reference": "A-2", "date_preavis": f"{ANNEE}-02-04"})
    assert reponse.status_code == 201, reponse.content
    libre = reponse.json()
    assert reponse["Location"] == f"/api/v1/liberations/{libre['id']}/"
    assert (libre["reference"], libre["commune"], libre["dans_assiette"]) == ("A-2", "06029", True)
    assert libre["reservataire"] is None and libre["attributions"] == []

    ici = f"liberations/{libre['id']}/"
    als = decor.cast.als
    orientee = a.post(
        f"{ici}orientation/", {"reservataire": als.pk, "date": f"{ANNEE}-05-06", "motif": "O_ACCORD"}
    ).json()
    assert orientee["reservataire"] == {"id": als.pk, "nom": als.nom, "type": als.type}

    faite = a.post(f"{ici}attribution/", {"numero_unique": NUMERO, "date_caleol": f"{ANNEE}-05-20"})
    assert faite.status_code == 201, faite.content
    attribution = faite.json()
    assert attribution["demande"] == "…0042" and NUMERO not in faite.content.decode()
    menage = Attribution.objects.get(pk=attribution["id"]).menage
    assert menage.numero_hache == empreinte_numero(NUMERO)

    la = f"attributions/{attribution['id']}/"
    motif = MotifRefus.objects.filter(porteur="MENAGE").first()
    refusee = a.post(f"{la}refus/", {"date": f"{ANNEE}-05-25", "motif": motif.code}).json()
    assert (refusee["refusee_le"], refusee["motif_refus"]) == (f"{ANNEE}-05-25", motif.code)

    suivante = a.post(
        f"{ici}attribution/", {"numero_unique": "0061125DEMO0000043", "date_caleol": f"{ANNEE}-05-20"}
    ).json()
    bail = a.post(f"attributions/{suivante['id']}/bail/", {"date": f"{ANNEE}-06-02"}).json()
    assert bail["date_bail"] == f"{ANNEE}-06-02"

    lue = a.get(ici).json()
    assert lue["attributions"] == [attribution["id"], suivante["id"]]
    assert [(i["annee"], i["titre"]) for i in lue["imputations"]] == [(ANNEE, "ALS")]
    annulee = a.post(
        f"{ici}annulation/", {"date": f"{ANNEE}-06-03", "motif": "A_MAINTIEN", "precision": "il reste"}
    )
    assert annulee.status_code == 422 and "bail est signé" in annulee.json()["detail"]


def test_failed_designation_then_cancelled(a, decor):
    ici = f"liberations/{decor.a.liberation_libre.pk}/"
    jour = f"{ANNEE}-05-06"
    trop_tot = a.post(f"{ici}echec/", {"date": jour})
    assert trop_tot.status_code == 422 and "orientée vers un réservataire" in trop_tot.json()["detail"]
    a.post(f"{ici}orientation/", {"reservataire": decor.cast.als.pk, "date": jour, "motif": "O_ACCORD"})
    assert a.post(f"{ici}echec/", {"date": jour}).json()["designation_echouee_le"] == jour
    annulee = a.post(
        f"{ici}annulation/", {"date": jour, "motif": "A_MAINTIEN", "precision": "il reste"}
    ).json()
    assert (annulee["annulee_le"], annulee["motif_annulation"]) == (
        jour,
        "Le locataire reste dans les lieux\u00a0: il reste",
    )
    encore = a.post(f"{ici}annulation/", {"date": jour, "motif": "A_MAINTIEN"})
    assert encore.status_code == 422


# --- What is refused, field by field ------------------------------------------------------------------------------


def test_every_fault_of_a_declaration_at_once(a):
    refus = a.post(
        "liberations/",
        {
            "date": "04/05/2025",
            "usage": "VACANCES",
            "premiere": "oui",
            "nbpiece": "3",
            "construct": 12,
            "finan": 13,
            "surface": 50,
            "date_preavis": 20250204,
        },
    )
    assert refus.status_code == 400
    trouvees = erreurs(refus)
    assert set(trouvees) == {
        *(
            "reference",
            "date",
            "usage",
            "premiere",
            "nbpiece",
            "construct",
            "finan",
            "surface",
            "date_preavis",
        ),
    }
    assert trouvees["reference"]["recu"] is None
    assert (trouvees["date"]["recu"], "AAAA-MM-JJ" in trouvees["date"]["attendu"]) == ('"04/05/2025"', True)
    assert "MUTATION" in trouvees["usage"]["attendu"]
    assert trouvees["premiere"]["attendu"] == "true ou false"
    assert trouvees["construct"]["attendu"] == "un nombre entier de 1700 à 2100"
    assert "reference" in trouvees["surface"]["attendu"] and "50" not in str(trouvees["surface"])


def test_unknown_reference_says_what_to_do(a):
    trouvees = erreurs(a.post("liberations/", SAISIE | {"reference": "ZZ-9"}))
    assert "n’est pas dans votre parc" in trouvees["reference"]["message"]
    trouvees = erreurs(a.post("liberations/", SAISIE | {"reference": "ZZ-9", "premiere": True}))
    assert set(trouvees) == {"commune", "qpv", "finan", "conv", "nbpiece", "construct"}


def test_the_dwelling_of_another_is_as_unknown_as_any(a, decor):
    reponses = [
        a.post("liberations/", SAISIE | {"reference": reference})
        for reference in (decor.b.logement.ident_int, "INCONNUE")
    ]
    messages = [erreurs(r)["reference"]["message"] for r in reponses]
    assert messages[0] == messages[1]
    assert [r.status_code for r in reponses] == [400, 400]


@pytest.mark.parametrize(
    ("champs", "fautif"),
    [
        ({"usage": "MUTATION"}, "preuve"),
        ({"date_preavis": f"{ANNEE}-05-05"}, "date_preavis"),
        ({"reference": "A-2\0"}, "reference"),
        ({"reference": "\ud800"}, "reference"),
        ({"reference": " "}, "reference"),
        ({"reference": ["A-2"]}, "reference"),
        ({"reference": "x" * 101}, "reference"),
        ({"date": "1889-01-01"}, "date"),
        ({"date": f"{ANNEE}-02-30"}, "date"),
        ({"date": None}, "date"),
        ({"premiere": 1}, "premiere"),
        ({"nbpiece": True}, "nbpiece"),
        ({"nbpiece": 1.0}, "nbpiece"),
    ],
)
def test_one_fault_is_one_field(a, champs, fautif):
    refus = a.post("liberations/", {"reference": "A-2"} | SAISIE | champs)
    assert refus.status_code == 400
    assert set(erreurs(refus)) == {fautif}


def test_the_same_dwelling_the_same_day_is_refused(a):
    corps = {"reference": "A-2"} | SAISIE
    assert a.post("liberations/", corps).status_code == 201
    refus = a.post("liberations/", corps)
    assert refus.status_code == 422 and "déjà une libération à cette date" in refus.json()["detail"]


def test_a_numero_unique_is_never_shown_back(a, decor):
    ici = f"liberations/{decor.a.liberation_libre.pk}/attribution/"
    jour = {"date_caleol": f"{ANNEE}-05-20"}
    for numero in (NUMERO[:-1], NUMERO + "9", NUMERO[:-1] + "-", [NUMERO], {"x": NUMERO}, "é" + NUMERO[1:]):
        refus = a.post(ici, jour | {"numero_unique": numero})
        assert refus.status_code == 400
        assert set(erreurs(refus)) == {"numero_unique"}
        assert NUMERO[:10] not in refus.content.decode()
    refus = a.post(ici, jour | {"numeroUnique": NUMERO})
    assert set(erreurs(refus)) == {"numero_unique", "numeroUnique"}
    assert NUMERO[:10] not in refus.content.decode()


def test_only_an_agent_is_validated(a, decor):
    ici = f"liberations/{decor.a.liberation_libre.pk}/attribution/"
    corps = {"numero_unique": NUMERO, "date_caleol": f"{ANNEE}-05-20"}
    assert set(erreurs(a.post(ici, corps | {"agent_adapte": True}))) == {"agent_adapte"}
    agent = a.post(ici, corps | {"agent": True, "agent_valide_le": f"{ANNEE}-05-02"})
    assert agent.json()["agent_valide_le"] == f"{ANNEE}-05-02"


def test_another_choice_than_the_suggestion_asks_for_its_reason(a, decor):
    ici = f"liberations/{decor.a.liberation_libre.pk}/"
    suggestion = a.get(f"{ici}suggestion/").json()
    assert (
        suggestion["reservataire"] == decor.cast.bailleur_a.pk
        and "attendus à ce jour" in suggestion["phrase"]
    )
    autre = decor.cast.als.pk
    corps = {"reservataire": autre, "date": f"{ANNEE}-05-06"}
    refus = a.post(f"{ici}orientation/", corps)
    assert refus.status_code == 422 and "ne suivez pas la suggestion" in refus.json()["detail"]
    assert (
        "un code parmi"
        in erreurs(a.post(f"{ici}orientation/", corps | {"motif": "A_MAINTIEN"}))["motif"]["attendu"]
    )
    assert a.post(f"{ici}orientation/", corps | {"motif": "O_ACCORD"}).json()["reservataire"]["id"] == autre


def test_a_reservataire_without_act_is_as_unknown_as_any(a, decor):
    ici = f"liberations/{decor.a.liberation_libre.pk}/orientation/"
    reponses = []
    for pk in (decor.cast.autre_caf.pk, decor.cast.bailleur_b.pk, 2_000_000_000, 2**63 - 1):
        refus = a.post(ici, {"reservataire": pk, "date": f"{ANNEE}-05-06"})
        assert refus.status_code == 422
        reponses.append(erreurs(refus)["reservataire"]["message"])
    assert len(set(reponses)) == 1
    decor.a.liberation_libre.refresh_from_db()
    assert decor.a.liberation_libre.reservataire is None


def test_a_motive_is_that_of_the_household(a, decor):
    ici = f"attributions/{decor.a.attribution.pk}/refus/"
    caleol = MotifRefus.objects.filter(porteur="CALEOL").first()
    for code in (caleol.code, "INCONNU"):
        refus = a.post(ici, {"date": f"{ANNEE}-05-06", "motif": code})
        assert refus.status_code == 422
        assert "un code parmi" in erreurs(refus)["motif"]["attendu"]


# --- Who may not --------------------------------------------------------------------------------------------------


def test_nothing_of_b_is_found_changed_or_told(a, decor):
    b = decor.b
    jour = {"date": f"{ANNEE}-05-06"}
    gestes = {
        f"liberations/{b.liberation_libre.pk}/orientation/": jour | {"reservataire": decor.cast.als.pk},
        f"liberations/{b.liberation_libre.pk}/annulation/": jour | {"motif": "A_MAINTIEN"},
        f"liberations/{b.liberation_libre.pk}/attribution/": {
            "numero_unique": NUMERO,
            "date_caleol": f"{ANNEE}-05-20",
        },
        f"attributions/{b.attribution.pk}/bail/": jour,
    }
    for adresse, corps in gestes.items():
        refus = a.post(adresse, corps)
        assert refus.status_code == 404 and CANARI not in refus.content.decode()
    for liste in ("liberations", "attributions", "commissions", "passages", "logements", "flux", "bilans"):
        for parametres in ({}, {"bailleur": b.bailleur.pk}):
            contenu = a.get(f"{liste}/", **parametres)
            assert CANARI not in contenu.content.decode()
            if parametres and contenu.status_code == 200:
                assert contenu.json()["resultats"] == []
    avant = Liberation.objects.get(pk=b.liberation_libre.pk)
    assert (avant.reservataire, avant.annulee_le) == (None, None)


@pytest.mark.parametrize("personnage", ["agent_ddets_06", "charge_als", "agent_cannes"])
def test_only_the_bailleur_writes(programme, decor, personnage):
    autre = programme(personnage)
    refus = autre.post("liberations/", {"reference": "A-2"} | SAISIE)
    assert refus.status_code == 403 and "Seul le bailleur" in refus.json()["detail"]
    lu = autre.get(f"liberations/{decor.a.liberation_als.pk}/").status_code
    ecrit = autre.post(f"liberations/{decor.a.liberation_als.pk}/echec/", SAISIE).status_code
    assert (lu, ecrit) == ((404, 404) if personnage == "agent_cannes" else (200, 403))


def test_a_reservataire_reads_its_own_and_not_what_is_kept_from_it(programme, decor):
    Attribution.objects.filter(pk=decor.a.attribution.pk).update(motif_hors_prioritaire="PLS_SANS_CANDIDAT")
    als, ddets = programme("charge_als", "LECTURE"), programme("agent_ddets_06", "LECTURE")
    ici = f"attributions/{decor.a.attribution.pk}/"
    assert ddets.get(ici).json()["motif_hors_prioritaire"] == "PLS_SANS_CANDIDAT"
    assert als.get(ici).json()["motif_hors_prioritaire"] is None
    [flux] = [f for f in als.get("flux/", annee=ANNEE, nature="PREVISIONNEL").json()["resultats"]
              if f["bailleur"]["id"] == decor.a.bailleur.pk]  # fmt: skip
    assert (flux["parc"], flux["soumis"], [p["code"] for p in flux["parts"]]) == (None, None, ["ALS"])
    [entier] = [f for f in ddets.get("flux/", annee=ANNEE, nature="PREVISIONNEL").json()["resultats"]
                if f["bailleur"]["id"] == decor.a.bailleur.pk]  # fmt: skip
    assert entier["parc"] > 0 and len(entier["parts"]) > 2


def test_the_document_of_a_bilan(a, programme, decor):
    lu = a.get(f"bilans/{decor.a.bilan.pk}/").json()
    assert lu["document"]["numero"] == decor.a.document.numero
    pdf = a.get(f"bilans/{decor.a.bilan.pk}/pdf/")
    assert pdf["Content-Type"] == "application/pdf"
    assert b"".join(pdf.streaming_content).startswith(b"%PDF")
    pdf.close()
    assert pdf["Cache-Control"] == "private, no-cache"  # kept by the program alone, asked again each time
    decor.a.bilan.documents.all().delete()
    assert a.get(f"bilans/{decor.a.bilan.pk}/pdf/").status_code == 404
    assert a.get(f"bilans/{decor.a.bilan.pk}/").json()["document"] is None


def test_where_a_bilan_is_and_what_each_received(a, programme, decor):
    lu = a.get(f"bilans/{decor.a.bilan_soumis.pk}/").json()
    etape = decor.a.bilan_soumis.etapes.get()
    assert lu["etat"] == "SOUMIS" and a.get(f"bilans/{decor.a.bilan.pk}/").json()["etat"] == "PREPARATION"
    [version] = lu["soumissions"]
    assert (version["numero"], version["version"], version["validee_le"]) == (etape.document.numero, 1, None)
    assert version["accuse"] == decor.a.accuse.numero
    als, recu = programme("charge_als"), decor.a.bilan_recu
    sien = als.get(f"bilans-recus/{recu.pk}/").json()
    assert sien["numero"] == recu.numero and sien["chiffres"] == recu.donnees
    assert als.get(f"bilans-recus/{recu.pk}/pdf/").content == bytes(recu.octets)
    recus = als.get("bilans-recus/", bailleur=decor.b.bailleur.pk).json()["resultats"]
    assert decor.b.bilan_recu.pk in {ligne["id"] for ligne in recus}
    assert {ligne["bailleur"]["id"] for ligne in recus} == {decor.b.bailleur.pk}
    assert programme("agent_cannes").get(f"bilans-recus/{recu.pk}/").status_code == 404


def test_dates_are_days(a, decor):
    lue = a.get(f"liberations/{decor.a.liberation_als.pk}/").json()
    assert date.fromisoformat(lue["date"]) == decor.a.liberation_als.date
