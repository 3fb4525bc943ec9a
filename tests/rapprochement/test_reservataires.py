"""What a réservataire reads of a reconciliation: the lines of its contingent, yes or no for a label, nothing to write."""

import io
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.urls import reverse
from pypdf import PdfReader

from flux.models import Attribution, EcartRapprochement, LigneRapprochement, Rapprochement
from flux.services import rapprochements as services
from flux.services.imputations import imputer
from reservation.perimetre import agir
from tests.personnages import CANNES
from tests.rapprochement.fabrique import BAIL, MARS, attribuer, extrait, passer

pytestmark = pytest.mark.django_db
TABLES = ("flux_rapprochement", "flux_lignerapprochement", "flux_ecartrapprochement", "flux_evenementecart")


@pytest.fixture
def rapprochement(monde) -> Rapprochement:
    """The year of the services' tests, and for Action Logement a late label, another ground, a line of the SNE alone."""
    cast, cas = monde
    cas["tardif"] = attribuer(
        cast.bailleur_a, cast.als, MARS, ("DALO", MARS + timedelta(days=3)), date_bail=BAIL
    )
    cas["motif"] = attribuer(
        cast.bailleur_a, cast.als, MARS, ("DALO", MARS - timedelta(days=40)), date_bail=BAIL
    )
    imputer(paires=[(cast.bailleur_a.pk, "06")])
    commun = {"date_caleol": MARS, "date_bail": BAIL, "contingent": "ALS", "bailleur": cast.bailleur_a}
    extrait(
        cast.ddets_06,
        "SNE",
        [
            commun | {"menage": cas["tardif"].menage},
            commun | {"menage": cas["motif"].menage},
            commun | {"menage": "a" * 60 + "7777", "reservataire": cast.als, "logement_brut": "LOT-7"},
        ],
    )
    debut = {"label_debut": MARS - timedelta(days=40)}
    extrait(
        cast.ddets_06,
        "SYPLO",
        [
            {"menage": cas["tardif"].menage, "label_categorie_id": "DALO", **debut},
            {"menage": cas["motif"].menage, "label_categorie_id": "BPI", **debut},
        ],
    )
    return passer(cast)


def ouvrir(client, cast, qui: str, nom: str, *args, **parametres) -> tuple[int, str]:
    client.force_login(cast.gens[qui])
    reponse = client.get(reverse(f"flux:{nom}", args=args), parametres)
    octets = b"".join(reponse.streaming_content) if reponse.streaming else reponse.content
    texte = octets.decode("utf-8", "ignore")
    if octets.startswith(b"%PDF"):
        texte = "".join(page.extract_text() for page in PdfReader(io.BytesIO(octets)).pages)
    return reponse.status_code, " ".join(texte.split())


def test_action_logement_reads_the_lines_of_its_contingent_alone(client, cast, monde, rapprochement):
    siennes = LigneRapprochement.objects.filter(reservataire=cast.als)
    assert siennes.count() == 6
    for nom, args in (
        ("rapprochement", (rapprochement.pk,)),
        ("rapprochement_export", (rapprochement.pk, "csv")),
        ("rapprochement_fiche", (rapprochement.pk, "BAILLEUR")),
        ("rapprochement_fiche", (rapprochement.pk, "ALS")),
        ("rapprochement_concordances", (rapprochement.pk,)),
    ):
        code, texte = ouvrir(client, cast, "charge_als", nom, *args)
        assert code == 200
        for ligne in LigneRapprochement.objects.exclude(pk__in=siennes):
            assert f"…{ligne.numero_fin}" not in texte, (nom, ligne.numero_fin)
            assert not ligne.reference or ligne.reference not in texte.split(), (nom, ligne.reference)
    _, texte = ouvrir(client, cast, "charge_als", "rapprochement", rapprochement.pk)
    assert "…7777" in texte and "Votre contingent" in texte and "Déposées par" not in texte
    assert "Commune de Cannes" not in texte and "État</th>" not in texte  # the effect is its own line
    for ligne in LigneRapprochement.objects.all():
        code, _ = ouvrir(client, cast, "charge_als", "rapprochement_ligne", ligne.pk)
        assert code == (200 if ligne.reservataire_id == cast.als.pk else 404)
    _, texte = ouvrir(client, cast, "charge_als", "rapprochements")
    ecarts = EcartRapprochement.objects.filter(ligne__in=siennes).exclude(nature="MOTIF")
    assert f">{ecarts.count()}</a>" in texte


def test_a_label_is_valid_or_not_and_nothing_more(client, cast, monde, rapprochement):
    _, cas = monde
    tardif = EcartRapprochement.objects.get(ligne__attribution=cas["tardif"])
    assert tardif.nature == "LABEL_TARDIF"
    assert EcartRapprochement.objects.filter(ligne__attribution=cas["motif"], nature="MOTIF").exists()
    services.changer_etat(
        cast.acteur("agent_ddets_06"),
        EcartRapprochement.objects.filter(pk=tardif.pk),
        "EXPLIQUE",
        "EXCEPTION_DDETS",
    )
    for nom, args in (
        ("rapprochement", (rapprochement.pk,)),
        ("rapprochement_export", (rapprochement.pk, "csv")),
        ("rapprochement_fiche", (rapprochement.pk, "ALS")),
        ("rapprochement_ligne", (tardif.ligne_id,)),
    ):
        _, texte = ouvrir(client, cast, "charge_als", nom, *args)
        for mot in (
            "postérieur",
            "échu",
            "label absent",
            "motif de priorité",
            "exception motivée",
            "protection",
        ):
            assert mot not in texte, (nom, mot)
    _, texte = ouvrir(client, cast, "charge_als", "rapprochement_ligne", tardif.ligne_id)
    assert "Sans label valable à la CALEOL" in texte and "ménage prioritaire dans SYPLO au" in texte
    assert "Gestionnaire" not in texte and "Agent DDETS" not in texte
    # A filter on what is not told tells nothing either.
    _, filtre = ouvrir(client, cast, "charge_als", "rapprochement", rapprochement.pk, nature="LABEL_TARDIF")
    assert f"…{tardif.ligne.numero_fin}" not in filtre or "…7777" in filtre


def test_the_database_says_the_same_and_nothing_is_written(cast, monde, rapprochement):
    _, cas = monde
    acteur = cast.acteur("charge_als")

    def lus() -> list[int]:
        with agir(acteur), connection.cursor() as curseur:
            nombres = []
            for table in TABLES:
                curseur.execute(f"SELECT count(*) FROM {table}")
                nombres += curseur.fetchone()
        return nombres

    with agir(acteur):
        attendus = [
            modele.objects.visibles_par(acteur).count()
            for modele in (Rapprochement, LigneRapprochement, EcartRapprochement)
        ]
        assert attendus == [1, 6, 5] and lus() == [*attendus, 0]
        for ecrire in (
            lambda: services.changer_etat(acteur, EcartRapprochement.objects.all(), "EN_COURS"),
            lambda: services.demander(
                acteur, rapprochement.departement, debut=MARS, fin=MARS, bailleur=cast.bailleur_a
            ),
        ):
            with pytest.raises(PermissionDenied):
                ecrire()
        assert not EcartRapprochement.objects.update(etat="CORRIGE")
    # What is no longer of its contingent is no longer its to read, before the run is made again.
    Attribution.objects.filter(pk=cas["tardif"].pk).update(reservataire=cast.commune_cannes)
    assert lus()[1] == 5
    with agir(cast.acteur("agent_cannes")):
        assert not LigneRapprochement.objects.visibles_par(cast.acteur("agent_cannes")).exists()


def test_a_commune_reads_its_own(client, cast, monde, rapprochement):
    assert ouvrir(client, cast, "agent_cannes", "rapprochement", rapprochement.pk)[0] == 404
    code, texte = ouvrir(client, cast, "agent_cannes", "rapprochements")
    assert code == 200 and "Aucun rapprochement" in texte
    sienne = attribuer(cast.bailleur_a, cast.commune_cannes, MARS, date_bail=BAIL)
    assert sienne.liberation.commune_id == CANNES
    imputer(paires=[(cast.bailleur_a.pk, "06")])
    passer(cast)
    code, texte = ouvrir(client, cast, "agent_cannes", "rapprochement", rapprochement.pk)
    assert code == 200 and f"…{sienne.menage.numero_fin}" in texte
    assert ouvrir(client, cast, "agent_caf", "rapprochement", rapprochement.pk)[0] == 404
    assert ouvrir(client, cast, "agent_sgc_06", "rapprochement", rapprochement.pk)[0] == 200
