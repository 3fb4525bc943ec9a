"""What goes with the life of a bilan: points d'étape, the assiette agreed, the COPIL's version, who is written to."""

import hashlib
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction
from django.urls import reverse

from bilans.documents.pdf import Pdf
from bilans.models import Bilan, PointEtape, VersionCopil, VersionReservataire
from bilans.regles.campagne import NatureEcheance
from bilans.regles.cycle_copil import BilanCopil
from bilans.regles.donnees import relire
from bilans.services import cycle, points
from bilans.services.cycle_controles import controler
from bilans.services.documents import produire_document
from bilans.services.donnees_bilan import lire_donnees
from bilans.services.faits_campagne import FAITS
from flux.models import AssietteConvenue, Nature
from flux.services import assiettes
from flux.services.calculs import calculer
from reservation.acteur import Acteur
from reservation.models import Courriel
from tests.bilans.conftest import ANNEE, FEVRIER
from tests.flux.fabriques import liberation

SYSTEME = Acteur.du_systeme("essai")
ETE = date(ANNEE, 6, 30)


@pytest.fixture(autouse=True)
def _sans_rendu(sans_rendu, monkeypatch):
    monkeypatch.setattr(cycle, "rendre_texte", lambda contenu: Pdf(contenu.encode(), 1))
    monkeypatch.setattr(cycle, "rendre", lambda document: Pdf(f"%PDF {document.reference}".encode(), 2))


@pytest.fixture
def soumis(cast, bilan):
    marque = produire_document(SYSTEME, bilan, FEVRIER).document.empreinte_donnees
    return cycle.soumettre(cast.acteur("signataire_a"), bilan, marque)


def page(client, cast, qui: str, nom: str, *args, attendu: int = 200) -> str:
    client.force_login(cast.gens[qui])
    reponse = client.get(reverse(f"bilans:{nom}", args=args))
    assert reponse.status_code == attendu, (qui, nom)
    return reponse.content.decode()


# --- Point d'étape --------------------------------------------------------------------------------------------------


def test_a_point_d_etape_is_sent_in_versions_and_closes_nothing(client, cast, bilan):
    gestion, ddets = cast.acteur("gestionnaire_a"), cast.acteur("agent_ddets_06")
    with time_machine.travel(ETE, tick=False):
        with pytest.raises(ValidationError, match="Produisez le PDF"):
            points.transmettre_point(gestion, bilan, "")
        marque = produire_document(SYSTEME, bilan).document.empreinte_donnees
        with pytest.raises(ValidationError, match="ont changé depuis"):
            points.transmettre_point(gestion, bilan, "0" * 64)
        for qui in (ddets, cast.acteur("lecteur_a"), cast.acteur("gestionnaire_b")):
            with pytest.raises(PermissionDenied):
                points.transmettre_point(qui, bilan, marque)
        texte = page(client, cast, "gestionnaire_a", "suivi", bilan.pk)
        assert "Transmettre le point d’étape" in texte and "premier semestre" in texte
    with time_machine.travel(date(ANNEE, 7, 4), tick=False):
        # Read on 30 June, sent some days after: what it says of that day is still so.
        point = points.transmettre_point(gestion, bilan, marque, " Deux programmes livrés. ")
        assert (point.semestre, point.version, point.observation) == (1, 1, "Deux programmes livrés.")
        with pytest.raises(ValidationError, match="déjà transmis"):
            points.transmettre_point(gestion, bilan, marque)
        liberation(bilan.bailleur, date(ANNEE, 6, 20))
        calculer(bilan.bailleur_id, "06", ANNEE, Nature.DEFINITIF, "essai")
        with pytest.raises(ValidationError, match="ont changé depuis"):
            points.transmettre_point(gestion, bilan, marque)
        marque = produire_document(SYSTEME, bilan).document.empreinte_donnees
        assert points.transmettre_point(gestion, bilan, marque).version == 2
        assert "semestre 1, version 2" in page(client, cast, "agent_ddets_06", "suivi", bilan.pk)
    cle = (bilan.bailleur_id, "06", ANNEE)
    assert set(FAITS[NatureEcheance.POINT_ETAPE_1]([bilan.bailleur_id], [ANNEE, ANNEE + 1])) == {cle}
    # To the DDETS; and to each réservataire its own part, that it reads and nobody else's.
    annonces = Courriel.objects.filter(objet__startswith="Point")
    assert set(annonces.values_list("destinataire", flat=True)) == {
        cast.gens[qui].courriel for qui in ("agent_ddets_06", "charge_als", "agent_cannes")
    }
    als = VersionReservataire.objects.visibles_par(cast.acteur("charge_als"))
    recue = als.latest("pk")
    assert (recue.point, recue.etape, als.count()) == (PointEtape.objects.get(version=2), None, 2)
    assert annonces.filter(corps_texte__contains=reverse("bilans:recu", args=[recue.pk])).exists()
    assert cycle.points_en_attente(datetime.now(UTC)) == list(
        PointEtape.objects.order_by("pk").values_list("pk", flat=True)
    )
    assert cycle.produire_versions_du_point(recue.point_id) == recue.point.envois.count() >= 2
    recu = page(client, cast, "charge_als", "recu", recue.pk)
    assert "Point d’étape de la gestion en flux" in recu and "Rien n’est jugé avant le 31 décembre" in recu
    assert "Point d’étape 2025" in page(client, cast, "charge_als", "liste").replace("\xa0", " ")
    page(client, cast, "agent_cannes", "recu", recue.pk, attendu=404)
    page(client, cast, "gestionnaire_b", "recu_pdf", recue.pk, attendu=404)
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
        PointEtape.objects.update(observation="autre")


@pytest.mark.parametrize(
    ("jour", "refus"),
    [(date(ANNEE, 5, 31), "à partir du 1er juin"), (FEVRIER, "tient lieu de point d’étape")],
)
def test_a_point_d_etape_has_its_season(cast, bilan, jour, refus):
    with time_machine.travel(jour, tick=False):
        marque = produire_document(SYSTEME, bilan).document.empreinte_donnees
        with pytest.raises(ValidationError, match=refus):
            points.transmettre_point(cast.acteur("gestionnaire_a"), bilan, marque)


# --- Assiette -------------------------------------------------------------------------------------------------------


def test_the_assiette_of_the_next_year_is_agreed_by_both(client, cast, bilan, soumis):
    gestion, ddets, suivante = cast.acteur("gestionnaire_a"), cast.acteur("agent_ddets_06"), ANNEE + 1
    lieu = (bilan.bailleur, "06", suivante)
    with pytest.raises(ValidationError, match="n’est pas calculée"):
        assiettes.proposer_assiette(gestion, *lieu)
    calcul = calculer(bilan.bailleur_id, "06", suivante, Nature.PREVISIONNEL, "essai")
    for qui in ("charge_als", "gestionnaire_b", "agent_ddets_22", "lecteur_a", "agent_sgc_06"):
        with pytest.raises(PermissionDenied):
            assiettes.proposer_assiette(cast.acteur(qui), *lieu)
    premiere = assiettes.proposer_assiette(gestion, *lieu, "Selon le RPLS.")
    assert (premiere.millesime, premiere.logements) == (calcul.millesime, calcul.soumis)
    with pytest.raises(ValidationError, match="Vous proposez déjà"):
        assiettes.proposer_assiette(gestion, *lieu)
    with pytest.raises(ValidationError, match="acceptez-la"):
        assiettes.proposer_assiette(ddets, *lieu)
    with pytest.raises(PermissionDenied, match="par l’autre partie"):
        assiettes.accepter_assiette(gestion, premiere)
    assert "Accepter cette assiette" in page(client, cast, "agent_ddets_06", "suivi", bilan.pk)
    assert "Accepter cette assiette" not in page(client, cast, "gestionnaire_a", "suivi", bilan.pk)
    client.force_login(cast.gens["agent_ddets_06"])
    assert client.post(reverse("bilans:assiette_accepter", args=[premiere.pk])).status_code == 302
    with pytest.raises(ValidationError, match="déjà convenue"):
        assiettes.accepter_assiette(ddets, premiere)
    with pytest.raises(ValidationError, match="L’assiette convenue est déjà"):
        assiettes.proposer_assiette(ddets, *lieu)
    assert "convenue le" in page(client, cast, "lecteur_a", "bilan", bilan.pk)
    client.force_login(cast.gens["lecteur_a"])
    flux = client.get(reverse("flux:detail", args=[bilan.bailleur_id, "06", suivante]))
    assert "convenue entre le bailleur et l’État" in flux.content.decode()
    # The parc moves: what was agreed stays, until both agree on another.
    AssietteConvenue.objects.filter(pk=premiere.pk).update(logements=premiere.logements + 3)
    seconde = assiettes.proposer_assiette(ddets, *lieu)
    assert seconde.version == 2 and AssietteConvenue.objects.get(etat="ACCEPTEE") == premiere
    assiettes.accepter_assiette(gestion, seconde)
    assert AssietteConvenue.objects.get(pk=premiere.pk).etat == "REMPLACEE"
    assert AssietteConvenue.objects.get(pk=premiere.pk).acceptee_le
    gabarits = Courriel.objects.filter(gabarit__startswith="assiette").values_list("gabarit", flat=True)
    assert set(gabarits) == {"assiette_proposee", "assiette_convenue"}


# --- COPIL ----------------------------------------------------------------------------------------------------------


def test_the_copil_reads_validated_bilans_only(client, cast, bilan, soumis):
    assert not VersionCopil.objects.exists()
    cycle.valider(cast.acteur("agent_ddets_06"), bilan)
    version = VersionCopil.objects.get()
    lu = relire(BilanCopil, version.donnees)
    assert lu.flux == soumis.document.donnees["flux"]["flux"] and lu.bilan_numero == soumis.document.numero
    # A handful of households: nothing is said of them.
    assert all(q.prioritaires is None and q.manque is None for q in lu.quarts) and lu.quarts
    assert all(ligne.nombre is None for ligne in lu.etat) and lu.refus is None
    texte = page(client, cast, "charge_dreal", "copil", version.pk)
    assert "masqué" in texte and "Le PDF est en préparation" in texte
    page(client, cast, "charge_dreal", "copil_pdf", version.pk, attendu=404)
    assert cycle.produire_versions(version.etape_id) == 1
    assert cycle.produire_versions(version.etape_id) == 0
    version.refresh_from_db()
    assert version.empreinte_pdf == hashlib.sha256(version.octets).hexdigest()
    page(client, cast, "charge_dreal", "copil_pdf", version.pk)
    assert reverse("bilans:copil", args=[version.pk]) in page(client, cast, "charge_dreal", "liste")
    page(client, cast, "charge_dreal", "bilan", bilan.pk, attendu=404)
    page(client, cast, "charge_dreal", "pdf", soumis.document_id, attendu=404)
    for qui in ("charge_als", "agent_cannes", "gestionnaire_b", "agent_ddets_22"):
        page(client, cast, qui, "copil", version.pk, attendu=404)
    # A correction: the validated version stays, then the next one takes its place.
    cycle.rouvrir(cast.acteur("agent_ddets_06"), bilan, "Une ligne manque.")
    assert VersionCopil.objects.visibles_par(cast.acteur("charge_dreal")).get() == version
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
        VersionCopil.objects.update(donnees={})


# --- Who is written to ----------------------------------------------------------------------------------------------


def test_each_act_writes_to_those_whom_it_concerns(cast, bilan, soumis):
    ddets, bailleur = cast.acteur("agent_ddets_06"), cast.acteur("gestionnaire_a")
    adresses = {nom: cast.gens[nom].courriel for nom in ("agent_ddets_06", "gestionnaire_a", "charge_als")}

    def nouveaux() -> set[str]:
        ecrits = Courriel.objects.filter(gabarit="bilan_acte")
        lus = {c.destinataire for c in ecrits}
        for courriel in ecrits:
            assert "mot secret" not in courriel.corps_texte + courriel.corps_html
        ecrits.delete()
        return {nom for nom, adresse in adresses.items() if adresse in lus}

    tous = set(adresses)
    assert nouveaux() == tous
    demande = cycle.demander(ddets, bilan, "APPRECIATION", "Expliquez, mot secret.")
    assert nouveaux() == {"gestionnaire_a"}
    cycle.repondre(bailleur, bilan, demande.pk, "Réponse, mot secret.")
    assert nouveaux() == {"agent_ddets_06"}
    cycle.renvoyer(ddets, bilan, "À reprendre, mot secret.")
    assert nouveaux() == {"gestionnaire_a"}
    cycle.soumettre(cast.acteur("signataire_a"), bilan, soumis.document.empreinte_donnees)
    recue = VersionReservataire.objects.filter(reservataire=cast.als).latest("pk")
    [courriel] = Courriel.objects.filter(gabarit="bilan_acte", destinataire=adresses["charge_als"])
    assert reverse("bilans:recu", args=[recue.pk]) in courriel.corps_texte
    assert nouveaux() == tous
    cycle.valider(ddets, bilan)
    assert nouveaux() == {"gestionnaire_a", "charge_als"}
    cycle.rouvrir(ddets, bilan, "Mot secret.")
    assert nouveaux() == {"gestionnaire_a", "charge_als"}


# --- Before signing -------------------------------------------------------------------------------------------------


def test_the_reconciliation_is_looked_at_before_signing(cast, bilan):
    lues = {c.texte for c in controler(cast.acteur("signataire_a"), bilan, lire_donnees(bilan))}
    assert any("Aucun rapprochement de 2025 avec le SNE" in texte for texte in lues)


@pytest.mark.django_db
def test_gaps_that_nobody_explained_are_counted(decor):
    objets, qui = decor.a, decor.cast.acteur("signataire_a")
    rapprochement = objets.rapprochement
    bilan = Bilan(bailleur=objets.bailleur, departement_id="06", annee=rapprochement.debut.year)
    donnees = lire_donnees(objets.bilan)
    liens = {c.lien: c.texte for c in controler(qui, bilan, donnees) if "outils d’origine" in c.texte}
    ouverts = rapprochement.ecarts.filter(etat="A_TRAITER", disparu_le=None).count()
    assert ouverts
    assert liens[reverse("flux:rapprochement", args=[rapprochement.pk])].startswith(f"{ouverts} écart")
    rapprochement.ecarts.update(etat="SANS_SUITE", motif="VERIFIE")
    assert not [c for c in controler(qui, bilan, donnees) if "outils d’origine" in c.texte]
