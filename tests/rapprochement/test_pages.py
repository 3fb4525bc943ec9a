"""The pages: every number leads to its lines, nobody reads a ground that is not theirs, no query in a loop."""

import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfReader

from flux.models import EcartRapprochement, LigneRapprochement, Rapprochement
from flux.services import rapprochements as services
from flux.services.imputations import imputer
from tests.rapprochement.fabrique import BAIL, MARS, attribuer, extrait, passer

pytestmark = pytest.mark.django_db
GROUND = "protection internationale"  # what the label of SYPLO says, and nobody but the DDETS reads


@pytest.fixture
def rapprochement(monde) -> Rapprochement:
    """The year of the services' tests, with one household whose ground is another in SYPLO."""
    cast, _ = monde
    autre = attribuer(cast.bailleur_a, cast.ddets_06, MARS, ("DALO", MARS.replace(month=1)), date_bail=BAIL)

    imputer(paires=[(cast.bailleur_a.pk, "06")])
    extrait(
        cast.ddets_06,
        "SNE",
        [
            {
                "menage": autre.menage,
                "date_caleol": MARS,
                "date_bail": BAIL,
                "contingent": "ETAT_PRIORITAIRE",
                "bailleur": cast.bailleur_a,
            }
        ],
    )
    extrait(
        cast.ddets_06,
        "SYPLO",
        [{"menage": autre.menage, "label_categorie_id": "BPI", "label_debut": MARS.replace(month=1)}],
    )
    return passer(cast)


def ouvrir(client, cast, qui: str, nom: str, *args, **parametres):
    client.force_login(cast.gens[qui])
    return client.get(reverse(f"flux:{nom}", args=args), parametres)


def test_each_counter_leads_to_as_many_lines(client, cast, rapprochement):
    page = ouvrir(client, cast, "gestionnaire_a", "rapprochement", rapprochement.pk)
    assert page.status_code == 200
    compteurs = {c["libelle"]: c for c in page.context["compteurs"]}
    assert compteurs["sans label valable à la CALEOL"]["nombre"] == 3
    assert sum(c["nombre"] for c in compteurs.values()) == page.context["page"].paginator.count == 8
    for compteur in compteurs.values():
        suite = client.get(
            reverse("flux:rapprochement", args=[rapprochement.pk]) + compteur["url"].split("#")[0]
        )
        assert suite.context["page"].paginator.count == compteur["nombre"]
    recuperables = client.get(
        reverse("flux:rapprochement", args=[rapprochement.pk]), {"suivi": "recuperables"}
    )
    assert recuperables.context["page"].paginator.count == 4


def test_the_ground_of_a_label_is_for_the_ddets_alone(client, cast, rapprochement):
    ecart = EcartRapprochement.objects.get(nature="MOTIF")
    adresses = [
        ("rapprochement", (rapprochement.pk,)),
        ("rapprochement_ligne", (ecart.ligne_id,)),
        ("rapprochement_export", (rapprochement.pk, "csv")),
        ("rapprochement_fiche", (rapprochement.pk, "DDETS")),
    ]
    for qui, lisible in (("gestionnaire_a", False), ("agent_sgc_06", False), ("agent_ddets_06", True)):
        for nom, args in adresses:
            reponse = ouvrir(client, cast, qui, nom, *args)
            octets = b"".join(reponse.streaming_content) if reponse.streaming else reponse.content
            texte = octets.decode("utf-8", "ignore")
            if octets.startswith(b"%PDF"):
                texte = "".join(page.extract_text() for page in PdfReader(io.BytesIO(octets)).pages)
            texte = " ".join(texte.split())
            assert (GROUND in texte) is lisible, (qui, nom)
            assert "motif de priorité" in texte, (qui, nom)


def test_the_sheet_holds_the_sentences_of_its_owner(client, cast, rapprochement):
    reponse = ouvrir(client, cast, "gestionnaire_a", "rapprochement_fiche", rapprochement.pk, "BAILLEUR")
    texte = " ".join(
        " ".join(page.extract_text() for page in PdfReader(io.BytesIO(reponse.content)).pages).split()
    )
    siens = EcartRapprochement.objects.filter(responsable="BAILLEUR")
    assert siens.count() == 4
    for ecart in siens.select_related("ligne"):
        assert f"…{ecart.ligne.numero_fin}" in texte
    assert "À corriger dans le SNE" in texte and "COLTER" in texte
    assert (
        ouvrir(
            client, cast, "gestionnaire_a", "rapprochement_fiche", rapprochement.pk, "PERSONNE"
        ).status_code
        == 404
    )


def test_many_at_once_or_none(client, cast, rapprochement):
    client.force_login(cast.gens["gestionnaire_a"])
    adresse = reverse("flux:rapprochement_changer", args=[rapprochement.pk])
    cles = list(EcartRapprochement.objects.filter(nature="LABEL_ABSENT").values_list("pk", flat=True))
    refus = client.post(adresse, {"id": cles, "etat": "EXPLIQUE"})
    assert refus.status_code == 422 and "Dites pourquoi" in refus.content.decode()
    assert client.post(adresse, {"id": cles, "etat": "EXPLIQUE", "motif": "TRANSMISSION"}).status_code == 302
    assert set(EcartRapprochement.objects.filter(pk__in=cles).values_list("etat", "motif")) == {
        ("EXPLIQUE", "TRANSMISSION")
    }
    client.post(adresse, {"id": cles[:1], "responsable": "BAILLEUR", "etat": "EN_COURS"})
    ecart = EcartRapprochement.objects.get(pk=cles[0])
    assert (ecart.responsable, ecart.etat, ecart.motif) == ("BAILLEUR", "EN_COURS", "")
    assert [e.acte for e in ecart.evenements.all()] == ["CONSTATE", "ETAT", "RESPONSABLE", "ETAT"]
    # An id of somebody else's run, or of nobody, changes nothing.
    assert client.post(adresse, {"id": ["999999", "abc"], "etat": "EN_COURS"}).status_code == 302


def test_by_hand_from_the_page(client, cast, monde, rapprochement):
    _, cas = monde
    seule = LigneRapprochement.objects.get(rapprochement=rapprochement, attribution=None)
    page = ouvrir(client, cast, "gestionnaire_a", "rapprochement_ligne", seule.pk)
    assert [c.ligne.attribution_id for c in page.context["candidates"]] == [cas["ici_seul"].pk]
    lier = reverse("flux:rapprochement_lier", args=[seule.pk])
    assert client.post(lier, {"motif": "NUMERO_MAL_SAISI"}).status_code == 422
    reponse = client.post(lier, {"motif": "NUMERO_MAL_SAISI", "attribution": cas["ici_seul"].pk})
    assert reponse.status_code == 302
    rapprochement.refresh_from_db()
    assert rapprochement.en_cours  # asked for again; the worker does it
    services.executer([rapprochement.pk])
    liee = LigneRapprochement.objects.get(attribution=cas["ici_seul"])
    page = ouvrir(client, cast, "gestionnaire_a", "rapprochement_ligne", liee.pk)
    assert "Rapprochées à la main" in page.content.decode()
    assert client.post(reverse("flux:rapprochement_separer", args=[liee.pk]), {}).status_code == 302


def test_as_many_queries_whatever_the_number_of_lines(client, cast, rapprochement):
    client.force_login(cast.gens["agent_ddets_06"])

    def requetes(nom, *args):
        with CaptureQueriesContext(connection) as faites:
            assert client.get(reverse(f"flux:{nom}", args=args)).status_code == 200
        return len(faites)

    pages = (
        ("rapprochements",),
        ("rapprochement", rapprochement.pk),
        ("rapprochement_concordances", rapprochement.pk),
    )
    avant = {nom: requetes(nom, *args) for nom, *args in pages}
    extrait(
        cast.ddets_06,
        "SNE",
        [
            {"menage": f"{rang:064d}", "date_caleol": MARS, "contingent": "ALS", "bailleur": cast.bailleur_a}
            for rang in range(2000, 2030)
        ],
    )
    passer(cast)
    assert {nom: requetes(nom, *args) for nom, *args in pages} == avant
    assert all(nombre < 40 for nombre in avant.values()), avant


def test_asked_from_the_page(client, cast, monde):
    client.force_login(cast.gens["agent_ddets_06"])
    donnees = {"departement": "06", "debut": "01/01/2026", "fin": "31/12/2026", "tolerance": "5"}
    assert client.post(reverse("flux:rapprochement_nouveau"), donnees).status_code == 302
    assert Rapprochement.objects.filter(tolerance=5).count() == 2
    refus = client.post(reverse("flux:rapprochement_nouveau"), donnees | {"fin": "31/12/2025"})
    assert refus.status_code == 422 and "La période finit après son début" in refus.content.decode()
    assert (
        client.post(reverse("flux:rapprochement_nouveau"), donnees | {"departement": "22"}).status_code == 422
    )
