"""The regional bilan from validated bilans: who reads what, its files, equal to every other page; the open data."""

import io
import json
import zipfile
from datetime import date

import pytest
from django.urls import reverse

from bilans.api_indicateurs import IndicateursVus
from bilans.documents.dossier_zip import verifier
from bilans.models import VersionCopil, VersionReservataire
from bilans.regles.consolidation import ALS, BAILLEUR, ETAT, Niveau
from bilans.regles.cycle_copil import BilanCopil
from bilans.regles.cycle_extrait import ExtraitBilan
from bilans.regles.donnees import depuis_json, relire
from bilans.regles.tables_publiees import TABLES
from bilans.services import consolidation, cycle, donnees_ouvertes, regional
from bilans.services.documents import produire_document
from bilans.services.indicateurs import Demande, lire_indicateurs
from bilans.tasks import produire_regional, publier_les_donnees_ouvertes
from reservation.acteur import Acteur
from reservation.documents.pdf import Pdf
from tests.bilans.conftest import ANNEE, FEVRIER

SYSTEME = Acteur.du_systeme("essai")


@pytest.fixture(autouse=True)
def _sans_rendu(sans_rendu, monkeypatch):
    monkeypatch.setattr(cycle, "rendre_texte", lambda contenu: Pdf(contenu.encode(), 1))
    for module in (cycle, regional):
        monkeypatch.setattr(module, "rendre", lambda document: Pdf(f"%PDF {document.reference}".encode(), 2))


@pytest.fixture
def valide(cast, bilan):
    """The bilan validated; returns its validated document."""
    marque = produire_document(SYSTEME, bilan, FEVRIER).document.empreinte_donnees
    etape = cycle.soumettre(cast.acteur("signataire_a"), bilan, marque)
    cycle.valider(cast.acteur("agent_ddets_06"), bilan)
    return etape.document


def test_every_shared_figure_is_equal_everywhere(cast, bilan, valide, django_assert_num_queries):
    """The bilan of the State, what ALS, Cannes and the COPIL received, the consolidation, the indicators of the API."""
    donnees = depuis_json(valide.donnees)
    ddets, dreal = cast.acteur("agent_ddets_06"), cast.acteur("charge_dreal")
    entiere = consolidation.lire_consolidation(ddets, ANNEE)
    masquee = consolidation.lire_consolidation(dreal, ANNEE)
    assert not entiere.masque and masquee.masque and entiere.racine.bilans == masquee.racine.bilans == 1
    cle = str(bilan.bailleur_id)
    ligne, cachee = (c.ligne(Niveau.BAILLEUR, cle) for c in (entiere, masquee))
    copil = relire(BilanCopil, VersionCopil.objects.get().donnees)
    assert ligne.flux == cachee.flux == copil.flux == donnees.flux.flux
    assert ligne.contingent(ETAT).realise == cachee.contingent(ETAT).realise == donnees.part("ETAT").realise
    assert [t.nombre for t in cachee.titres] == [t.nombre for t in copil.etat] and cachee.refus == copil.refus
    versions = {v.reservataire_id: relire(ExtraitBilan, v.donnees) for v in VersionReservataire.objects.all()}
    als = versions[cast.als.pk]
    assert (als.part.realise, als.part.objectif_total) == (
        ligne.contingent(ALS).realise,
        ligne.contingent(ALS).du,
    )
    assert als.quart.prioritaires == ligne.quart(ALS).prioritaires
    cannes = versions[cast.commune_cannes.pk]
    assert cannes.part.realise == ligne.contingent("COLLECTIVITES").realise
    lus = IndicateursVus(lire_indicateurs(ddets, Demande(annee=ANNEE, departement="06"))).data
    quarts = {(q["code"], q["bailleur"] and q["bailleur"]["id"]): q for q in lus["quarts"]}
    vu = quarts[ALS, None]
    d = entiere.departements[0]
    assert (vu["prioritaires"], vu["attributions"]) == (d.quart(ALS).prioritaires, d.quart(ALS).attributions)
    vu = quarts[BAILLEUR, bilan.bailleur_id]
    q = ligne.quart(BAILLEUR)
    assert (vu["prioritaires"], vu["attributions"], vu["restent"]) == (
        q.prioritaires,
        q.attributions,
        q.manque,
    )
    cachees = IndicateursVus(lire_indicateurs(dreal, Demande(annee=ANNEE, departement="06"))).data
    assert all(x["prioritaires"] is None for x in cachees["quarts"] if x["code"] == ALS)
    assert [x["attributions"] for x in cachees["etat_100"]] == [None]
    # A fixed number of queries, whatever the number of bailleurs: places, bilans, documents.
    with django_assert_num_queries(8, exact=False):
        consolidation.lire_consolidation(dreal, ANNEE)


def test_who_reads_it_and_what_it_gives(client, cast, bilan, valide):
    page = reverse("bilans:regional")
    adresses = {
        nom: reverse(f"bilans:regional_{nom}", args=[ANNEE, "93"])
        for nom in ("pdf", "pack", "xlsx", "preparer")
    }
    for qui in ("gestionnaire_a", "agent_cannes", "operateur"):
        client.force_login(cast.gens[qui])
        assert client.get(page).status_code == 404 and client.get(adresses["xlsx"]).status_code == 404
    client.force_login(cast.gens["agent_ddets_22"])
    assert "Aucun bilan n’est encore validé" in client.get(page).content.decode()
    for qui in ("charge_dreal", "charge_union", "charge_als", "agent_ddets_06"):
        client.force_login(cast.gens[qui])
        texte = client.get(page).content.decode()
        assert "Préparer le PDF et le pack" in texte and bilan.bailleur.nom in texte
        assert ("Version des services de l’État" in texte) is (qui == "agent_ddets_06")
        assert client.get(adresses["pdf"]).status_code == 404
        assert client.get(adresses["xlsx"]).content.startswith(b"PK")
    client.force_login(cast.gens["charge_dreal"])
    assert client.post(adresses["preparer"]).status_code == 302
    lue = consolidation.lire_consolidation(cast.acteur("charge_dreal"), ANNEE)
    cycle.produire_versions(VersionCopil.objects.get().etape_id)
    produire_regional(ANNEE, "93", [d.code for d in lue.departements], True)
    produire_regional(ANNEE, "93", [d.code for d in lue.departements], True)
    assert "Le pack (ZIP)" in client.get(page).content.decode()
    assert client.get(adresses["pdf"]).content.startswith(b"%PDF REG-")
    octets = client.get(adresses["pack"]).content
    verdict = verifier(octets)
    assert not verdict.anomalies and verdict.manifeste["empreinte"] == lue.empreinte
    noms = zipfile.ZipFile(io.BytesIO(octets)).namelist()
    assert {f"csv/{t.nom}.csv" for t in TABLES} <= set(noms)
    assert f"bilans/{VersionCopil.objects.get().numero}.pdf" in noms
    assert sum(nom.endswith((".pdf", ".xlsx")) for nom in noms) == 3
    # Reopened: what was validated stays until another version is; the figures, and so the number, are the same.
    cycle.rouvrir(cast.acteur("agent_ddets_06"), bilan, "Une ligne manque.")
    relue = consolidation.lire_consolidation(cast.acteur("charge_dreal"), ANNEE)
    assert relue.racine.flux == lue.racine.flux and relue.ligne(Niveau.BAILLEUR, str(bilan.bailleur_id)).etat
    assert produire_regional(2019, "00", None, True) is None


def test_open_data_are_published_each_month_for_everybody(client, bilan, valide, settings):
    page = reverse("bilans:donnees_ouvertes")
    assert "Aucune version n’est encore publiée" in client.get(page).content.decode()
    assert donnees_ouvertes.publier(date(2030, 3, 1)) == len(TABLES) * 3 + 2
    assert donnees_ouvertes.publier(date(2030, 3, 1)) == 0
    publier_les_donnees_ouvertes()
    texte = client.get(page).content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert "Version du 1er mars 2030" in texte and "Licence Ouverte 2.0" in texte
    adresse = lambda nom: reverse("bilans:donnee_ouverte", args=["2030-03-01", nom])  # noqa: E731
    recu = client.get(adresse("titres.csv"))
    assert recu.status_code == 200 and recu["Content-Type"].startswith("text/csv")
    lignes = b"".join(recu.streaming_content).decode().splitlines()
    assert len(lignes) > 5 and all(ligne.endswith(",true") for ligne in lignes[1:])
    paquet = json.loads(b"".join(client.get(adresse("datapackage.json")).streaming_content))
    [exercice] = paquet["exercices"]
    assert exercice.startswith("Provence-Alpes-Côte d") and exercice.endswith(f" {ANNEE}")
    assert b"".join(client.get(adresse("bilans.parquet")).streaming_content).startswith(b"PAR1")
    for nom in ("autre.csv", ".brouillon", ".."):
        assert client.get(f"{page}2030-03-01/{nom}").status_code == 404
    for jour in ("2030-03-02", "brouillon"):
        assert client.get(f"{page}{jour}/titres.csv").status_code == 404
    entree = settings.CELERY_BEAT_SCHEDULE["donnees-ouvertes-chaque-mois"]
    assert entree["task"] == publier_les_donnees_ouvertes.name
