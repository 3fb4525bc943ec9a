"""The pages of the flux: figures that lead to their lines, what each reader sees, a fixed number of queries."""

import csv
import io
import re
from datetime import date
from fractions import Fraction
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from flux.models import CalculAFaire, CalculFlux, Nature, PartFlux, Recalcul, SoustractionPrevisionnelle
from flux.services.calculs import calculer
from flux.services.file_de_calcul import marquer_a_calculer, traiter
from flux.services.imputations import imputer
from reservation.models import Organisation, Presence
from reservation.regles.typographie import decimal_fr
from tests.flux.fabriques import ANNEE, actes_paca, attribution, liberation, menage, parc
from tests.personnages import NICE


@pytest.fixture
def cast(cast):
    """Bailleur A: a parc on two communes, six libérations of which one is cancelled, three attributions."""
    actes_paca(cast)
    parc(
        cast.bailleur_a,
        lots=[
            {"nombre": 2_345},
            {"nombre": 1_111, "commune_id": NICE, "qpv": True},
            {"nombre": 77, "finan": "16"},
            {"nombre": 48, "typeconst": "E"},
        ],
    )
    a = cast.bailleur_a
    faites = [
        liberation(a, date(ANNEE, 2, 1), reservataire=cast.ddets_06),
        liberation(a, date(ANNEE, 3, 1), reservataire=cast.als),
        liberation(a, date(ANNEE, 4, 1), reservataire=cast.commune_cannes),
        liberation(a, date(ANNEE, 5, 1), commune_id=NICE, qpv=True),
        liberation(a, date(ANNEE, 6, 1), usage="MUTATION"),
        liberation(a, date(ANNEE, 6, 2), premiere=True),
    ]
    liberation(a, date(ANNEE, 7, 1), annulee_le=date(ANNEE, 7, 2), motif_annulation="le locataire reste")
    for faite in faites[:3]:
        attribution(faite, date(ANNEE, 7, 9), menage=menage("06", ("DALO", date(2025, 1, 1))))
    SoustractionPrevisionnelle.objects.create(
        bailleur=a, departement_id="06", annee=ANNEE, categorie="MUTATION", nombre=12
    )
    imputer(paires=[(a.pk, "06")])
    for nature in Nature:
        calculer(a.pk, "06", ANNEE, nature, "Premier calcul")
    return cast


def adresse(cast, nom: str = "detail") -> str:
    return reverse(f"flux:{nom}", args=[cast.bailleur_a.pk, "06", ANNEE])


def lire(client, cast, nom: str, url: str) -> str:
    """The page as somebody reads it: tags kept, entities decoded."""
    client.force_login(getattr(cast, nom))
    reponse = client.get(url)
    assert reponse.status_code == 200
    return unescape(reponse.content.decode())


def texte(page: str) -> str:
    """The words of a page, every kind of space made an ordinary one."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


# --- Figures and their lines --------------------------------------------------------------------------------------


def test_every_observed_figure_leads_to_as_many_lines(client, cast):
    page = lire(client, cast, "gestionnaire_a", adresse(cast) + "?nature=definitif")
    liens = re.findall(r'<a href="(/liberations/\?[^"]*)">(−?\d+)</a>', page)
    assert len(liens) >= 5
    for url, chiffre in liens:
        liste = lire(client, cast, "gestionnaire_a", url)
        [compte] = re.findall(r'id="c-liberations">(\d+) libération', liste)
        assert compte == chiffre.removeprefix("−"), url


def test_the_page_says_what_it_rests_on(client, cast):
    page = texte(lire(client, cast, "gestionnaire_a", adresse(cast)))
    for attendu in (
        "28,63 points nets",
        "30,00 brut − 1,37 rétrocédé à Action Logement = 28,63 net",
        "8,50 % × 3 504 loués ou proposés",
        "Du parc aux parts",
        "48 logements peut-être hors assiette",
        "CCH, art. R. 441-5",
        "version 1",
        "Premier calcul",
        "Reste du département",
    ):
        assert attendu in page, attendu


def test_no_inline_style_or_script(client, cast):
    page = lire(client, cast, "gestionnaire_a", adresse(cast))
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*src=)", page)


# --- Who sees what ------------------------------------------------------------------------------------------------


def test_als_reads_the_flux_and_its_own_share_only(client, cast):
    page = lire(client, cast, "charge_als", adresse(cast))
    lu = texte(page)
    entier = texte(lire(client, cast, "agent_ddets_06", adresse(cast)))
    assert "Votre part" in lu
    assert f"{286}" in lu, "le flux prévisionnel se lit"
    for cache in ("3 581", "3 504", "Commune de Cannes", "Hors assiette", "28,63", "RPLS"):
        assert cache in entier, cache
        assert cache not in lu, cache
    assert "/parc/" not in page and "/liberations/" not in page


def test_a_collectivite_reads_its_share_and_the_flux_of_its_territory_only(client, cast):
    """Table of chapter 2: "its own share", where ALS reads "its own share + flux of each bailleur"."""
    page = lire(client, cast, "agent_cannes", adresse(cast))
    lu = texte(page)
    entier = texte(lire(client, cast, "agent_ddets_06", adresse(cast)))
    part = PartFlux.objects.get(calcul__nature=Nature.PREVISIONNEL, reservataire=cast.commune_cannes)
    assert "Votre part" in lu and "Commune de Cannes" in lu
    assert decimal_fr(Fraction(part.part_exacte), 2) in lu
    assert "Libérations" not in lu and "Soustractions" not in lu and "Cascade" not in lu
    assert "286" in entier and "286" not in lu, "le flux du bailleur n’est pas le sien"
    for cache in ("3 581", "3 504", "Action Logement Services", "Hors assiette", "28,63", "RPLS"):
        assert cache in entier, cache
        assert cache not in lu, cache
    assert "/parc/" not in page and "/liberations/" not in page
    client.force_login(cast.agent_cannes)
    assert client.get(adresse(cast, "versions")).status_code == 404
    assert client.get(adresse(cast, "soustractions")).status_code == 404


def test_the_copil_reads_all_the_figures_and_no_line(client, cast):
    page = lire(client, cast, "charge_dreal", adresse(cast) + "?nature=definitif")
    assert "Action Logement Services" in page
    assert "/parc/logements/" not in page and "/liberations/" not in page
    assert "Recalculer</button>" not in page


def test_buttons_are_for_those_who_may(client, cast):
    for nom, recalculer, declarer in (
        ("gestionnaire_a", True, True),
        ("lecteur_a", False, False),
        ("agent_ddets_06", True, False),
        ("lecteur_ddets_06", False, False),
        ("charge_als", False, False),
    ):
        page = lire(client, cast, nom, adresse(cast))
        assert ("Recalculer</button>" in page) is recalculer, nom
        assert ("Soustractions prévues</a>" in page) is declarer, nom


# --- The list -------------------------------------------------------------------------------------------------------


def test_list_per_reader(client, cast):
    attendus = {
        "gestionnaire_a": ("Alpes-Maritimes", True),
        "agent_ddets_06": ("Habitat Essai A", True),
        "charge_als": ("Votre part", True),
        "charge_dreal": ("Habitat Essai A", True),
        "agent_caf": ("Aucun flux n’est encore à votre portée", False),
        "sans_organisation": ("Aucun flux n’est encore à votre portée", False),
    }
    for nom, (attendu, calcule) in attendus.items():
        lu = texte(lire(client, cast, nom, reverse("flux:liste") + f"?annee={ANNEE}"))
        assert attendu in lu, nom
        assert ("286" in lu) is calcule, nom
    assert "Assiette" not in texte(lire(client, cast, "charge_als", reverse("flux:liste")))


def test_the_list_of_a_collectivite_has_its_territory_instead_of_the_flux(client, cast):
    """On the screen, in the file, and in the order of the lines: a hidden column does not sort either."""
    actes_paca(cast, cast.bailleur_b)
    parc(cast.bailleur_b)
    calculer(cast.bailleur_b.pk, "06", ANNEE, Nature.PREVISIONNEL, "essai")
    base = f"?annee={ANNEE}&nature=previsionnel"
    lu = texte(lire(client, cast, "agent_cannes", reverse("flux:liste") + base))
    assert "Flux de votre territoire" in lu and "Votre part" in lu
    assert "Libérations" not in lu and "286" not in lu
    fichier = b"".join(client.get(reverse("flux:export", args=["csv"]) + base)).decode("utf-8-sig")
    entete, ligne = fichier.splitlines()[:2]
    assert (
        "Flux de votre territoire" in entete and "Flux annuel" not in entete and "Libérations" not in entete
    )
    assert ";286;" not in ligne
    for colonne in ("flux", "liberations", "soumis"):
        page = lire(client, cast, "agent_cannes", reverse("flux:liste") + base + f"&tri={colonne}")
        assert page.index("Habitat Essai A") < page.index("Logis Essai B"), "par nom, à défaut"
    accueil = texte(lire(client, cast, "agent_cannes", "/"))
    assert "286" not in accueil


def test_sort_filter_and_export(client, cast):
    actes_paca(cast, cast.bailleur_b)
    parc(cast.bailleur_b)
    calculer(cast.bailleur_b.pk, "06", ANNEE, Nature.PREVISIONNEL, "essai")
    base = reverse("flux:liste") + f"?annee={ANNEE}&nature=previsionnel"
    montant = lire(client, cast, "agent_ddets_06", base + "&tri=flux")
    assert montant.index("Logis Essai B") < montant.index("Habitat Essai A")
    descendant = lire(client, cast, "agent_ddets_06", base + "&tri=-flux")
    assert descendant.index("Habitat Essai A") < descendant.index("Logis Essai B")
    assert 'aria-sort="descending"' in descendant
    assert "Logis Essai B" not in lire(client, cast, "agent_ddets_06", base + "&q=hàbitat")
    reponse = client.get(reverse("flux:export", args=["csv"]) + f"?annee={ANNEE}&nature=previsionnel")
    lignes = list(
        csv.DictReader(io.StringIO(b"".join(reponse.streaming_content).decode("utf-8-sig")), delimiter=";")
    )
    assert [(ligne["SIREN"], ligne["Flux annuel"]) for ligne in lignes] == [
        ("000000017", "286"),
        ("000000025", "85"),
    ]
    assert client.get(reverse("flux:export", args=["pdf"])).status_code == 404


# --- Asking, waiting, comparing ---------------------------------------------------------------------------------------


def test_recalculer_then_wait(client, cast):
    client.force_login(cast.gestionnaire_a)
    assert client.get(adresse(cast, "recalculer")).status_code == 405
    reponse = client.post(adresse(cast, "recalculer"), {"nature": "definitif"}, follow=True)
    assert reponse.redirect_chain[0][0].endswith("?nature=definitif")
    assert "Recalcul en attente" in reponse.content.decode()
    recalcul = Recalcul.objects.get()
    assert (recalcul.demande_par, recalcul.bailleur) == (cast.gestionnaire_a, cast.bailleur_a)
    assert "HX-Refresh" not in client.get(adresse(cast, "avancement"))
    assert "HX-Refresh" not in client.get(reverse("flux:recalcul_avancement", args=[recalcul.pk]))
    traiter("06", ANNEE)
    assert client.get(adresse(cast, "avancement"))["HX-Refresh"] == "true"
    assert client.get(reverse("flux:recalcul_avancement", args=[recalcul.pk]))["HX-Refresh"] == "true"
    assert "1 bailleur × département calculé" in texte(
        lire(client, cast, "gestionnaire_a", reverse("flux:recalcul", args=[recalcul.pk]))
    )


def test_an_error_is_shown_and_the_last_version_stays(client, cast):
    SoustractionPrevisionnelle.objects.update(nombre=9_000)
    marquer_a_calculer([(cast.bailleur_a.pk, "06")], [ANNEE], "essai")
    traiter("06", ANNEE)
    assert CalculAFaire.objects.get().erreur
    lu = texte(lire(client, cast, "gestionnaire_a", adresse(cast)))
    assert "Le dernier calcul n’a pas abouti" in lu and "286" in lu


def test_versions_side_by_side(client, cast):
    SoustractionPrevisionnelle.objects.update(nombre=20)
    calculer(cast.bailleur_a.pk, "06", ANNEE, Nature.PREVISIONNEL, "Mutations corrigées")
    lu = texte(lire(client, cast, "agent_ddets_06", adresse(cast, "versions")))
    assert "de la version 1 à la version 2" in lu
    assert "Mutations dans le parc du bailleur (prévues) 12 20 +8" in lu
    assert "Flux annuel 286 278 −8" in lu
    ancienne = texte(lire(client, cast, "agent_ddets_06", adresse(cast) + "?version=1"))
    assert "remplacée depuis" in ancienne and "Premier calcul" in ancienne
    assert CalculFlux.objects.filter(nature="PREVISIONNEL").count() == 2


@pytest.mark.parametrize(
    "requete", ["?nature=autre", "?version=9", "?version=x", "?version=99999999999", "?version=²"]
)
def test_impossible_addresses_do_not_exist(client, cast, requete):
    client.force_login(cast.gestionnaire_a)
    assert client.get(adresse(cast) + requete).status_code == 404


def test_soustractions_form(client, cast):
    url = adresse(cast, "soustractions")
    client.force_login(cast.gestionnaire_a)
    valeurs = {"MUTATION": "15", "RU": "0", "ORCOD": "0", "INSALUBRITE": "0", "VENTE": "2"}
    refus = client.post(url, valeurs | {"RU": "-1"})
    assert refus.status_code == 422 and "Attendu : 0 ou plus" in refus.content.decode()
    trop = client.post(url, valeurs | {"RU": "900"})
    assert trop.status_code == 422 and "le flux ne peut pas être négatif" in trop.content.decode()
    assert client.post(url, valeurs).status_code == 302
    assert dict(SoustractionPrevisionnelle.objects.values_list("categorie", "nombre")) == {
        "MUTATION": 15,
        "VENTE": 2,
    }
    assert "15" in texte(lire(client, cast, "agent_ddets_06", url))


# --- Queries ----------------------------------------------------------------------------------------------------------


def test_fixed_number_of_queries(client, cast):
    def compter(url: str) -> int:
        client.force_login(cast.agent_ddets_06)
        client.get(url)
        with CaptureQueriesContext(connection) as capture:
            assert client.get(url).status_code == 200
        assert not [r for r in capture.captured_queries if "reservation_logement" in r["sql"]]
        return len(capture)

    detail, liste = adresse(cast), reverse("flux:liste") + f"?annee={ANNEE}"
    avant = compter(detail), compter(liste)
    for rang in range(6):
        bailleur = Organisation.objects.create(
            type="BAILLEUR", nom=f"Bailleur {rang}", siren=f"3{rang:08d}", famille="OPH"
        )
        Presence.objects.create(bailleur=bailleur, departement_id="06")
        actes_paca(cast, bailleur)
        parc(bailleur)
        calculer(bailleur.pk, "06", ANNEE, Nature.PREVISIONNEL, "essai")
    assert (compter(detail), compter(liste)) == avant
    assert avant[0] <= 20 and avant[1] <= 15
