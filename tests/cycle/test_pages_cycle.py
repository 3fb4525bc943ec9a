"""The pages: who reads and does what, what comes back with its errors, what a réservataire opens, what a year asks."""

from datetime import date

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bilans.documents.pdf import Pdf
from bilans.models import AccuseBilan, Bilan, DocumentBilan, VersionReservataire
from bilans.regles.donnees import depuis_json, en_json
from bilans.services import cycle
from bilans.services.cycle_atterrissage import ANNEES
from bilans.services.documents import produire_document
from bilans.services.donnees_bilan import lire_donnees
from flux.models import Nature
from flux.services.calculs import calculer
from flux.services.imputations import imputer
from reservation.acteur import Acteur
from tests.bilans.conftest import ANNEE
from tests.flux.fabriques import attribution, liberation, menage

SYSTEME = Acteur.du_systeme("essai")

pytestmark = pytest.mark.usefixtures("sans_rendu")


@pytest.fixture(autouse=True)
def _rendus(monkeypatch):
    monkeypatch.setattr(cycle, "rendre", lambda document: Pdf(f"%PDF {document.reference}".encode(), 2))
    monkeypatch.setattr(cycle, "rendre_texte", lambda contenu: Pdf(contenu.encode(), 1))


@pytest.fixture
def document(bilan):
    return produire_document(SYSTEME, bilan).document


def lire(client, cast, qui: str, url: str, attendu: int = 200) -> str:
    client.force_login(cast.gens[qui])
    reponse = client.get(url)
    assert reponse.status_code == attendu, (qui, url)
    return reponse.content.decode()


def faire(client, cast, qui: str, bilan, acte: str, attendu: int = 302, **donnees) -> str:
    client.force_login(cast.gens[qui])
    reponse = client.post(reverse("bilans:suivi_acte", args=[bilan.pk, acte]), donnees)
    assert reponse.status_code == attendu, (qui, acte)
    return reponse.content.decode()


def test_the_whole_life_of_a_bilan(client, cast, bilan, document):
    suivi = reverse("bilans:suivi", args=[bilan.pk])
    page = lire(client, cast, "signataire_a", suivi)
    assert "Bilan en préparation." in page and "Les totaux de tous les tableaux concordent" in page
    assert "L’appréciation du bailleur n’est pas écrite" in page
    assert f"{reverse('flux:liberations')}?annee=2025&amp;etape=" in page
    assert "Signer et soumettre" in page
    assert "Signer et soumettre" not in lire(client, cast, "gestionnaire_a", suivi)
    for qui, attendu in (
        ("agent_ddets_22", 404),
        ("gestionnaire_b", 404),
        ("charge_als", 404),
        ("operateur", 404),
    ):
        lire(client, cast, qui, suivi, attendu)
        faire(client, cast, qui, bilan, "soumettre", attendu)
    for qui in ("gestionnaire_a", "lecteur_a", "agent_ddets_06"):
        faire(client, cast, qui, bilan, "soumettre", 403, empreinte=document.empreinte_donnees, lu="on")
    faire(client, cast, "signataire_a", bilan, "inconnu", 404)

    page = faire(client, cast, "signataire_a", bilan, "soumettre", 422, empreinte=document.empreinte_donnees)
    assert "Cochez la case" in page
    page = faire(client, cast, "signataire_a", bilan, "soumettre", 422, empreinte="0" * 64, lu="on")
    assert "ont changé depuis le PDF" in page
    faire(client, cast, "signataire_a", bilan, "soumettre", empreinte=document.empreinte_donnees, lu="on")
    cycle.produire_versions(cycle.lire_cycle(bilan).soumissions[-1].pk)

    accuse = reverse("bilans:accuse", args=[AccuseBilan.objects.get().pk])
    page = lire(client, cast, "lecteur_a", suivi)
    assert "Bilan soumis." in page and accuse in page and "Action Logement Services" in page
    assert client.get(accuse)["Content-Type"] == "application/pdf"
    for qui in ("charge_als", "agent_ddets_22", "gestionnaire_b", "agent_cannes"):
        lire(client, cast, qui, accuse, 404)
    page = lire(client, cast, "gestionnaire_a", f"/bilans/{bilan.pk}/")
    assert "Écrire ou corriger" not in page and "Produire le PDF" not in page

    ddets = "agent_ddets_06"
    page = faire(client, cast, ddets, bilan, "demander", 422, figure="", texte="")
    assert "Choisissez le chiffre" in page and "Écrivez ce que vous demandez" in page
    for qui in ("lecteur_ddets_06", "agent_sgc_06", "signataire_a"):
        faire(client, cast, qui, bilan, "demander", 403, figure="FLUX", texte="Pourquoi ?")
    faire(client, cast, ddets, bilan, "demander", figure="APPRECIATION", texte="Expliquez l’écart.")
    page = lire(client, cast, "gestionnaire_a", suivi)
    assert "Expliquez l’écart." in page and "Ouvert au bailleur par les demandes" in page
    assert "Écrire ou corriger" in lire(client, cast, "gestionnaire_a", f"/bilans/{bilan.pk}/")
    demande = cycle.lire_cycle(bilan).demandes[0][0].pk
    page = faire(client, cast, "gestionnaire_a", bilan, "repondre", 422, demande=demande, texte="")
    assert "Écrivez votre réponse" in page
    faire(client, cast, "gestionnaire_a", bilan, "repondre", demande=demande, texte="Deux refus.")
    faire(client, cast, "signataire_a", bilan, "soumettre", empreinte=document.empreinte_donnees, lu="on")

    faire(client, cast, ddets, bilan, "renvoyer", 422, texte="")
    faire(client, cast, ddets, bilan, "renvoyer", texte="À reprendre.")
    assert "À reprendre." in lire(client, cast, "lecteur_a", suivi)
    faire(client, cast, "signataire_a", bilan, "soumettre", empreinte=document.empreinte_donnees, lu="on")
    faire(client, cast, ddets, bilan, "valider", texte="")
    assert "Bilan validé." in lire(client, cast, ddets, suivi)
    assert "validé" in lire(client, cast, ddets, "/bilans/")
    faire(client, cast, ddets, bilan, "rouvrir", texte="Une ligne manque.")
    assert "La version qui fait foi reste" in lire(client, cast, "lecteur_a", suivi)


def test_a_reservataire_reads_what_it_received(client, cast, bilan, document):
    etape = cycle.soumettre(cast.acteur("signataire_a"), bilan, document.empreinte_donnees)
    als, cannes = (
        VersionReservataire.objects.get(reservataire=organisation)
        for organisation in (cast.als, cast.commune_cannes)
    )
    page, pdf = reverse("bilans:recu", args=[als.pk]), reverse("bilans:recu_pdf", args=[als.pk])
    assert "Le PDF est en préparation" in lire(client, cast, "charge_als", page)
    lire(client, cast, "charge_als", pdf, 404)
    cycle.produire_versions(etape.pk)
    texte = lire(client, cast, "charge_als", page)
    assert "Action Logement Services" in texte and "Commune de Cannes" not in texte
    assert client.get(pdf).content.startswith(b"%PDF")
    liste = lire(client, cast, "charge_als", "/bilans/")
    assert "1 version reçue" in liste and page in liste
    assert reverse("bilans:recu", args=[cannes.pk]) in lire(client, cast, "agent_cannes", "/bilans/")
    for qui in ("agent_cannes", "agent_caf", "gestionnaire_b", "agent_ddets_22", "charge_dreal"):
        lire(client, cast, qui, page, 404)
        lire(client, cast, qui, pdf, 404)
    for qui in ("lecteur_a", "agent_ddets_06"):
        lire(client, cast, qui, page)


def test_the_page_asks_the_same_number_of_queries(client, cast, bilan, document):
    marque, signataire, ddets = (
        document.empreinte_donnees,
        cast.acteur("signataire_a"),
        cast.acteur("agent_ddets_06"),
    )
    cycle.soumettre(signataire, bilan, marque)

    def compter() -> int:
        with CaptureQueriesContext(connection) as requetes:
            lire(client, cast, "lecteur_a", reverse("bilans:suivi", args=[bilan.pk]))
        return len(requetes)

    compter()
    petit = compter()
    for _ in range(3):
        cycle.renvoyer(ddets, bilan, "À reprendre.")
        cycle.soumettre(signataire, bilan, marque)
    assert compter() == petit


def test_last_year_is_looked_at(client, cast, bilan, document):
    """The document of the year before says what moved a lot."""
    avant = Bilan.objects.create(bailleur=bilan.bailleur, departement_id="06", annee=ANNEE - 1)
    donnees = en_json(depuis_json(document.donnees))
    donnees["flux"]["flux"] += 40
    DocumentBilan.objects.create(
        bilan=avant,
        bailleur=bilan.bailleur,
        departement_id="06",
        version=1,
        donnees_au=date(2024, 12, 31),
        donnees=donnees,
        empreinte_donnees="0" * 64,
        empreinte_pdf="0" * 64,
        pages=1,
    )
    page = lire(client, cast, "lecteur_a", reverse("bilans:suivi", args=[bilan.pk]))
    assert "l’année précédente (baisse de 40)" in page


# --- Point d'étape ------------------------------------------------------------------------------------------


def test_the_point_d_etape_says_where_the_year_lands(client, cast, bilan):
    """2024: 2 of 4 by 30 June; 2023: 1 of 4. So far in 2025: 5, and one more is announced for December."""
    bailleur = bilan.bailleur
    for jour in (date(2023, 2, 1), date(2023, 8, 1), date(2023, 9, 1), date(2023, 10, 1)):
        liberation(bailleur, jour)
    for jour in (date(2024, 2, 1), date(2024, 3, 1), date(2024, 9, 1)):
        liberation(bailleur, jour)
    liberation(bailleur, date(2025, 6, 2))
    imputer(paires=[(bailleur.pk, "06")])
    for annee in (2023, 2024, 2025):
        calculer(bailleur.pk, "06", annee, Nature.DEFINITIF, "essai")
    with time_machine.travel(date(2025, 6, 30), tick=False):
        with CaptureQueriesContext(connection) as requetes:
            donnees = lire_donnees(bilan, date(2025, 6, 30))
        assert sum("MMDD" in r["sql"] for r in requetes) == 1
        lu = donnees.atterrissage
        assert (lu.jour, lu.annees, lu.observe, lu.connu) == (date(2025, 6, 30), (2023, 2024), 5, 6)
        # 3 of 8 were there: 5 make 13; 2024 alone makes 10, 2023 alone 20.
        assert (lu.bas, lu.central, lu.haut) == (10, 13, 20)
        assert (lu.sur, lu.nombre, lu.insuffisants) == (11, 1, 0)
        assert lu.besoin.startswith("Il faut orienter 1 des 11 prochaines libérations vers l’État")
        assert "4 logements sont déjà libérés et à orienter" in lu.besoin
        page = lire(client, cast, "gestionnaire_a", f"/bilans/{bilan.pk}/")
        assert "Atterrissage au 31 décembre" in page and "se trompait en moyenne" in page
        assert "Atterrissage" not in lire(client, cast, "gestionnaire_a", f"/bilans/{bilan.pk}/suivi/")
        document = produire_document(SYSTEME, bilan).document
        assert document.donnees["atterrissage"]["central"] == 13
        page = faire(
            client,
            cast,
            "signataire_a",
            bilan,
            "soumettre",
            422,
            empreinte=document.empreinte_donnees,
            lu="on",
        )
        assert "point d’étape" in page
    assert lire_donnees(bilan).atterrissage is None
    assert ANNEES == 3


def test_what_is_oriented_already_is_not_asked_again(cast, bilan):
    bailleur = bilan.bailleur
    avant = lire_donnees(bilan, date(2025, 6, 30)).atterrissage
    liberation(bailleur, date(2025, 6, 3), reservataire=cast.ddets_06)
    agent = liberation(bailleur, date(2025, 6, 4), reservataire=cast.ddets_06)
    attribution(agent, date(2025, 6, 20), menage=menage("06", ("DALO", date(2024, 1, 1))))
    imputer(paires=[(bailleur.pk, "06")])
    calculer(bailleur.pk, "06", ANNEE, Nature.DEFINITIF, "essai")
    apres = lire_donnees(bilan, date(2025, 6, 30)).atterrissage
    assert apres.observe == avant.observe + 2
    assert apres.sur == avant.sur + (apres.central - apres.connu) - (avant.central - avant.connu)
    assert apres.nombre == 0
