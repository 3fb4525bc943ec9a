"""Pages of the entry: declare and go on, confirm what is odd, saved filters, several lines at once, export."""

from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from python_calamine import load_workbook

from flux.models import (
    Attribution,
    CodeMotif,
    Commission,
    Confirmation,
    FiltreEnregistre,
    Liberation,
    MotifRefus,
    Passage,
)
from tests.acces.decor import ANNEE
from tests.flux.fabriques import menage

pytestmark = pytest.mark.django_db

JOUR = f"{ANNEE}-05-04"


@pytest.fixture(autouse=True)
def aujourd_hui():
    with time_machine.travel(datetime(ANNEE, 12, 1, 12, tzinfo=UTC)):
        yield


@pytest.fixture
def a(client, decor):
    client.force_login(decor.cast.gestionnaire_a)
    return client


def entrer(client, decor, nom: str):
    client.force_login(decor.cast.gens[nom])
    return client


def declarer(client, **donnees):
    return client.post("/liberations/declarer/", {"usage": "FLUX", "date": JOUR, **donnees})


def confirmer(client, reponse, **donnees):
    jetons = " ".join(anomalie.jeton for anomalie in reponse.context["a_confirmer"])
    return declarer(client, confirme=jetons, **donnees)


# --- Declaring one after the other ------------------------------------------------------------------------------


def test_after_one_comes_the_next_with_the_last_listed_above(a, decor):
    reponse = declarer(a, reference="A-2", suite="suivante")
    assert reponse.headers["Location"] == "/liberations/declarer/"
    page = a.get("/liberations/declarer/")
    assert [ligne.reference for ligne in page.context["dernieres"]] == ["A-2"]
    assert page.context["form"]["reference"].value() == ""
    assert "Libération de A-2 enregistrée" in page.content.decode()


def test_what_is_odd_is_asked_once_and_remembered(a, decor):
    libere = timezone.localdate() - timedelta(days=3)
    facts = {"reference": "A-2", "date": libere.isoformat(), "suite": "suivante"}
    declarer(a, **facts)
    encore = facts | {"date": (libere + timedelta(days=1)).isoformat()}
    demande = declarer(a, **encore)
    (anomalie,) = demande.context["a_confirmer"]
    assert "1 jour d’écart" in anomalie.phrase and "Confirmer et enregistrer" in demande.content.decode()
    assert Liberation.objects.filter(reference="A-2").count() == 1
    # A token of another sentence confirms nothing.
    assert declarer(a, **encore, confirme="LIBERE_DEUX_FOIS.000000000000").status_code == 200
    reponse = confirmer(a, demande, **encore)
    assert reponse.headers["Location"] == "/liberations/declarer/"
    confirmation = Confirmation.objects.get(controle="LIBERE_DEUX_FOIS")
    assert (confirmation.confirmee_par, confirmation.phrase) == (decor.cast.gestionnaire_a, anomalie.phrase)
    page = a.get(f"/liberations/{confirmation.liberation_id}/").content.decode()
    assert anomalie.phrase in page and "Confirmé le" in page and "Gestionnaire A" in page


def test_confirmations_are_between_the_bailleur_and_the_state(client, decor):
    als = decor.a.liberation_als
    Confirmation.objects.create(
        bailleur_id=als.bailleur_id,
        departement_id="06",
        liberation=als,
        controle="ESSAI",
        phrase="phrase confirmée",
        confirmee_par=decor.cast.gestionnaire_a,
    )
    for nom, vue in (("lecteur_a", True), ("agent_ddets_06", True), ("charge_als", False)):
        page = entrer(client, decor, nom).get(f"/liberations/{als.pk}/").content.decode()
        assert ("phrase confirmée" in page) is vue, nom
        assert ("Gestionnaire A" in page) is vue, nom


def test_without_script_a_part_of_the_address_is_enough(a, decor):
    adresse = decor.a.logement.adresse.split()[0]
    page = declarer(a, reference=adresse)
    propositions = page.context["form"].propositions
    assert {p.cle for p in propositions} and "choisissez le vôtre" in page.content.decode()
    choisie = declarer(a, reference=adresse, choisir=propositions[0].cle)
    # What it names is shown before it is recorded.
    assert choisie.status_code == 200 and choisie.context["faits"]["logement"] == propositions[0]
    assert not Liberation.objects.filter(date=JOUR).exists()


def test_suggestions_name_reference_rpls_and_address(a, decor):
    logement = decor.a.logement
    for texte in (logement.ident_int, logement.ident_rep[:8], logement.adresse[-9:].lower()):
        page = a.get("/liberations/logements/", {"reference": texte}).content.decode()
        assert f'data-valeur="{logement.ident_int}"' in page, texte
    assert "<li" not in a.get("/liberations/logements/", {"reference": "A"}).content.decode()


def test_facts_are_those_of_the_dwelling_and_of_its_liberations(a, decor):
    page = a.get("/liberations/logements/faits/", {"reference": "A-1"}).content.decode()
    assert decor.a.logement.adresse in page and "1er\u00a0mars\u00a02025" in page
    for vide in ("", "\0", "ZZ", decor.b.logement.ident_int):
        assert "<dl" not in a.get("/liberations/logements/faits/", {"reference": vide}).content.decode()


# --- One libération ---------------------------------------------------------------------------------------------


@pytest.fixture
def rangs(decor):
    """Two ranks of one commission on the libération of ALS; the first one served."""
    als = decor.a.liberation_als
    lieu = {"bailleur_id": als.bailleur_id, "departement_id": "06"}
    commission = Commission.objects.create(**lieu, date=date(ANNEE, 3, 20))
    passages = [
        Passage.objects.create(
            **lieu, commission=commission, liberation=als, menage=menage(), decision="ATTR_RANG", rang=rang
        )
        for rang in (1, 2)
    ]
    Attribution.objects.filter(pk=decor.a.attribution.pk).update(
        passage=passages[0], menage=passages[0].menage
    )
    return passages


def test_refusal_cascade_and_lease_in_place(a, decor, rangs):
    url = f"/liberations/{decor.a.liberation_als.pk}/"
    refus = MotifRefus.objects.get(code="M_LOYER").pk
    reprise = CodeMotif.objects.get(code="E_REPONSE").pk
    page = a.get(url).content.decode()
    assert "En réserve" in page and f"{url}accepter/" not in page
    etapes = (
        ("offre", {"date": f"{ANNEE}-03-21"}, "dix jours pour répondre"),
        ("refus", {"date": f"{ANNEE}-03-25", "motif": refus}, "rang 2, est servie"),
        ("defaire", {"motif": reprise}, "rang 2 servi après lui"),
        ("pieces", {"date": f"{ANNEE}-03-26"}, "Pièces manquantes constatées"),
        ("defaire", {"motif": reprise}, "rang 2 servi après lui"),
        ("silence", {"date": f"{ANNEE}-04-01"}, "Silence constaté"),
        ("offre", {"date": f"{ANNEE}-04-02"}, "dix jours"),
        ("accepter", {"date": f"{ANNEE}-04-05"}, "bail à signer"),
        ("bail", {"date": f"{ANNEE}-04-10"}, "Bail enregistré"),
    )
    for acte, donnees, dit in etapes:
        assert f"{url}{acte}/" in a.get(url).content.decode(), acte
        reponse = a.post(f"{url}{acte}/", donnees, follow=True)
        assert dit in reponse.content.decode(), acte
    page = a.get(url)
    assert page.context["attente"] == ("bail signé", "success")
    texte = page.content.decode()
    assert "Rang 2, servi après les rangs précédents" in texte and "Accord du ménage" not in texte
    assert f"{url}annuler/" not in texte


def test_silence_too_early_comes_back_beside_its_date(a, decor, rangs):
    url = f"/liberations/{decor.a.liberation_als.pk}/"
    a.post(f"{url}offre/", {"date": f"{ANNEE}-03-21"})
    reponse = a.post(f"{url}silence/", {"date": f"{ANNEE}-03-31"})
    assert reponse.status_code == 422 and "31 mars 2025 inclus" in reponse.content.decode()


def test_a_late_lease_is_asked_to_be_confirmed(a, decor):
    url = f"/liberations/{decor.a.liberation_als.pk}/bail/"
    donnees = {"date": f"{ANNEE}-09-20"}
    demande = a.post(url, donnees)
    assert demande.status_code == 422 and "À confirmer avant d’enregistrer" in demande.content.decode()
    assert Attribution.objects.get(pk=decor.a.attribution.pk).date_bail is None
    (action,) = [x for etape in demande.context["frise"] for x in etape.actions if x.a_confirmer]
    jeton = action.a_confirmer[0].jeton
    assert a.post(url, donnees | {"confirme": jeton}).status_code == 302
    assert Confirmation.objects.filter(controle="BAIL_TARDIF").count() == 1


def test_cancel_asks_for_a_coded_reason_and_comes_back(a, decor):
    url = f"/liberations/{decor.a.liberation_libre.pk}/"
    autre = CodeMotif.objects.get(code="A_AUTRE").pk
    assert a.post(f"{url}annuler/", {"date": f"{ANNEE}-04-03"}).status_code == 422
    page = a.post(f"{url}annuler/", {"date": f"{ANNEE}-04-03", "motif": autre})
    assert "Précisez en quelques mots" in page.content.decode()
    a.post(f"{url}annuler/", {"date": f"{ANNEE}-04-03", "motif": autre, "precision": "doublon"})
    annulee = a.get(url)
    assert "Autre motif\u00a0: doublon" in annulee.content.decode()
    # Nothing waits any more; what was examined stays told.
    assert [etape.nom for etape in annulee.context["frise"]] == ["liberation", "commission"]
    reprise = CodeMotif.objects.get(code="E_MAINTIEN").pk
    a.post(f"{url}retablir/", {"motif": reprise})
    assert Liberation.objects.get(pk=decor.a.liberation_libre.pk).annulee_le is None


def test_dates_and_use_are_corrected_in_place(a, decor):
    url = f"/liberations/{decor.a.liberation_libre.pk}/"
    donnees = {"date": f"{ANNEE}-04-02", "usage": "RU", "date_disponibilite": f"{ANNEE}-04-20"}
    assert "justificatif" in a.post(f"{url}corriger/", donnees).content.decode()
    assert a.post(f"{url}corriger/", donnees | {"preuve": "NPNRU-7"}).status_code == 302
    libre = Liberation.objects.get(pk=decor.a.liberation_libre.pk)
    assert (libre.usage, libre.preuve, libre.date) == ("RU", "NPNRU-7", date(ANNEE, 4, 2))
    soustraite = a.get(url)  # out of the flux: no réservataire is waited for
    assert [etape.nom for etape in soustraite.context["frise"]] == ["liberation", "commission", "bail"]
    assert "<dd>aucun</dd>" in soustraite.content.decode()


def test_the_page_takes_as_many_queries_whatever_the_candidates(a, decor, rangs, django_assert_num_queries):
    url = f"/liberations/{decor.a.liberation_als.pk}/"
    a.get(url)
    with django_assert_num_queries(42, exact=False) as comptees:
        a.get(url)
    for _ in range(6):
        Passage.objects.create(
            bailleur_id=rangs[0].bailleur_id,
            departement_id="06",
            commission=rangs[0].commission,
            liberation=rangs[0].liberation,
            menage=menage("06", ("DALO", date(2024, 1, 1))),
            decision="NON_ATTR",
            motif=MotifRefus.objects.get(code="MIXITE"),
        )
    with django_assert_num_queries(len(comptees)):
        a.get(url)


# --- The list ---------------------------------------------------------------------------------------------------


def test_counters_lead_to_their_lines(a, decor):
    compteurs = {c["libelle"]: c for c in a.get("/liberations/").context["compteurs"]}
    assert {nom: c["nombre"] for nom, c in compteurs.items() if c["nombre"]} == {
        "à orienter": 1,
        "offres à notifier": 1,
    }
    Attribution.objects.filter(pk=decor.a.attribution.pk).update(offre_le=date(ANNEE, 3, 21))
    offres = {c["libelle"]: c for c in a.get("/liberations/").context["compteurs"]}["offres en cours"]
    assert (offres["nombre"], offres["retard"]) == (1, "1 hors délai")
    for url in (offres["url"], offres["url_retard"]):
        assert [ligne.reference for ligne in a.get(url).context["lignes"]] == ["A-1"]


def test_a_filter_is_kept_for_oneself(a, client, decor):
    nom = "Mes orientées"
    reponse = a.post("/liberations/filtres/?orientation=avec&q=&page=3", {"nom": nom})
    assert reponse.headers["Location"] == "/liberations/?orientation=avec"
    assert nom in a.get("/liberations/").content.decode()
    filtre = FiltreEnregistre.objects.get(nom=nom)
    a.post("/liberations/filtres/?orientation=sans", {"nom": nom})
    filtre.refresh_from_db()
    assert filtre.requete == "orientation=sans"
    assert a.post("/liberations/filtres/?q=", {"nom": "Tout"}).status_code == 422
    assert a.post("/liberations/filtres/?q=a", {"nom": ""}).status_code == 422
    for autre in ("signataire_a", "agent_ddets_06"):
        entrer(client, decor, autre)
        assert nom not in client.get("/liberations/").content.decode()
        assert client.post(f"/liberations/filtres/{filtre.pk}/supprimer/").status_code == 404
    # Whoever reads may keep its own, whatever the role.
    entrer(client, decor, "lecteur_a")
    assert client.post("/liberations/filtres/?q=a", {"nom": "Le mien"}).status_code == 302
    sien = FiltreEnregistre.objects.get(nom="Le mien")
    assert client.post(f"/liberations/filtres/{sien.pk}/supprimer/").status_code == 302
    assert not FiltreEnregistre.objects.filter(nom="Le mien").exists()
    assert FiltreEnregistre.objects.filter(nom=nom).exists()


def test_export_is_what_is_on_screen(a, client, decor):
    csv = b"".join(a.get("/liberations/export.csv?orientation=avec")).decode("utf-8-sig")
    titres, *lignes = csv.splitlines()
    assert titres.startswith("Référence;") and [ligne.split(";")[0] for ligne in lignes] == ["A-1"]
    classeur = load_workbook(BytesIO(b"".join(a.get("/liberations/export.xlsx"))))
    feuille = classeur.get_sheet_by_index(0).to_python()
    assert {ligne[0] for ligne in feuille[1:]} == {"A-1", "A-002"}
    assert a.get("/liberations/export.pdf").status_code == 404
    entrer(client, decor, "charge_als")
    vues = b"".join(client.get("/liberations/export.csv")).decode("utf-8-sig").splitlines()[1:]
    assert len(vues) == 2 and not any(ligne.startswith("A-002") for ligne in vues)


# --- Several at once --------------------------------------------------------------------------------------------


def test_several_lines_are_read_again_then_changed(a, decor):
    cles = [decor.a.liberation_als.pk, decor.a.liberation_libre.pk]
    page = a.get("/liberations/lot/", {"id": cles, "retour": "/liberations/?orientation=avec"})
    assert len(page.context["liberations"]) == 2
    donnees = {"id": cles, "acte": "disponibilite", "retour": "/liberations/?orientation=avec"}
    assert a.post("/liberations/lot/", donnees).status_code == 422
    reponse = a.post("/liberations/lot/", donnees | {"date_disponibilite": f"{ANNEE}-06-01"})
    assert reponse.headers["Location"] == "/liberations/?orientation=avec"
    assert set(Liberation.objects.filter(pk__in=cles).values_list("date_disponibilite", flat=True)) == {
        date(ANNEE, 6, 1)
    }
    usage = a.post("/liberations/lot/", {"id": cles, "acte": "usage", "usage": "RU"})
    assert "justificatif" in usage.content.decode()
    assert a.post("/liberations/lot/", {"id": cles, "acte": "voler"}).status_code == 404
    assert a.get("/liberations/lot/").status_code == 200


def test_two_people_on_the_same_lines_at_once_are_told(a, client, decor):
    cles = [decor.a.liberation_als.pk, decor.a.liberation_libre.pk]
    vues = a.get("/liberations/lot/", {"id": cles}).context["versions"]
    envoi = {"id": cles, "acte": "disponibilite", "date_disponibilite": f"{ANNEE}-06-01", "versions": vues}
    autre = Client()
    autre.force_login(decor.cast.signataire_a)
    faits = {"date": decor.a.liberation_libre.date.isoformat(), "usage": "FLUX"}
    assert (
        autre.post(
            f"/liberations/{cles[1]}/corriger/", faits | {"date_preavis": f"{ANNEE}-01-02"}
        ).status_code
        == 302
    )
    refusee = a.post("/liberations/lot/", envoi)
    assert refusee.status_code == 422
    assert [ligne.pk for ligne in refusee.context["changees"]] == [cles[1]]
    assert "modifiée entre-temps" in refusee.content.decode()
    assert not Liberation.objects.filter(pk__in=cles, date_disponibilite__isnull=False).exists()
    assert a.post("/liberations/lot/", envoi | {"versions": refusee.context["versions"]}).status_code == 302


@pytest.mark.parametrize(
    "retour", ["https://ailleurs.test/liberations/?a", "//ailleurs.test", "/compte/", ""]
)
def test_one_comes_back_to_the_list_and_nowhere_else(a, decor, retour):
    donnees = {"id": [decor.a.liberation_libre.pk], "acte": "disponibilite", "date_disponibilite": JOUR}
    reponse = a.post("/liberations/lot/", donnees | {"retour": retour})
    assert reponse.headers["Location"] == "/liberations/"


@pytest.mark.parametrize("cles", [["x"], ["9" * 30], ["-1"], ["99999999"]])
def test_ids_that_name_nothing_are_refused(a, cles):
    assert a.get("/liberations/lot/", {"id": cles}).status_code == 404
    assert a.post("/liberations/lot/", {"id": cles, "acte": "usage"}).status_code == 404


def test_a_foreign_id_among_ones_own_is_refused_and_nothing_is_written(a, decor):
    donnees = {
        "id": [decor.a.liberation_libre.pk, decor.b.liberation_libre.pk],
        "acte": "disponibilite",
        "date_disponibilite": JOUR,
    }
    assert a.post("/liberations/lot/", donnees).status_code == 404
    assert not Liberation.objects.exclude(date_disponibilite=None).exists()
