"""The service: who signs, what is frozen, what each réservataire receives, what a validation freezes."""

import hashlib
from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction

from bilans.documents.pdf import Pdf
from bilans.models import AccuseBilan, Bilan, DocumentBilan, EtapeBilan, VersionReservataire
from bilans.regles.cycle import EtatBilan
from bilans.services import cycle, fusions, productions
from bilans.services.documents import produire_document
from bilans.services.exportations import lire_classeur, lire_pdf
from flux.models import Attribution, GelExercice, Imputation, Liberation, Nature
from flux.regles import partage
from flux.services.calculs import calculer
from flux.services.file_de_calcul import traiter
from flux.services.imputations import imputer
from publics.models import Labellisation
from reservation.acteur import Acteur
from reservation.models import ClasseTypologie, Convention, Organisation, VersionConvention
from reservation.signaux import fusion_a_preparer
from tests.bilans.conftest import FEVRIER, calculer_tout
from tests.flux.fabriques import attribution, liberation, menage

SYSTEME = Acteur.du_systeme("essai")


@pytest.fixture(autouse=True)
def _sans_rendu(sans_rendu, monkeypatch):
    """The receipt is rendered by its own test; elsewhere its bytes are its markup."""
    monkeypatch.setattr(cycle, "rendre_texte", lambda contenu: Pdf(contenu.encode(), 1))
    monkeypatch.setattr(cycle, "rendre", lambda document: Pdf(f"%PDF {document.reference}".encode(), 2))


@pytest.fixture
def document(bilan):
    return produire_document(SYSTEME, bilan, FEVRIER).document


@pytest.fixture
def gens(cast):
    return {
        nom: cast.acteur(nom) for nom in ("signataire_a", "gestionnaire_a", "agent_ddets_06", "charge_als")
    }


def etat(bilan) -> EtatBilan:
    return cycle.lire_cycle(bilan).etat


def soumettre(gens, bilan) -> EtapeBilan:
    marque = produire_document(SYSTEME, Bilan.objects.get(pk=bilan.pk), FEVRIER).document.empreinte_donnees
    return cycle.soumettre(gens["signataire_a"], bilan, marque)


def test_signing_submits_what_was_read(gens, bilan, document):
    with pytest.raises(PermissionDenied, match="rôle Signature"):
        cycle.soumettre(gens["gestionnaire_a"], bilan, document.empreinte_donnees)
    with pytest.raises(PermissionDenied):
        cycle.soumettre(gens["agent_ddets_06"], bilan, document.empreinte_donnees)
    with pytest.raises(ValidationError, match="ont changé depuis le PDF"):
        cycle.soumettre(gens["signataire_a"], bilan, "0" * 64)
    assert not EtapeBilan.objects.exists()
    etape = cycle.soumettre(gens["signataire_a"], bilan, document.empreinte_donnees)
    assert (etape.de, etape.vers, etape.rang) == ("PREPARATION", "SOUMIS", 1)
    assert etape.document == document
    accuse = AccuseBilan.objects.get(etape=etape)
    texte = bytes(accuse.octets).decode()
    assert "ne vaut pas contrôle de conformité" in texte
    assert document.empreinte_pdf in texte and document.empreinte_donnees in texte
    assert "DDETS des Alpes-Maritimes" in texte and "(heure de Paris)" in texte
    assert accuse.empreinte == hashlib.sha256(accuse.octets).hexdigest()
    with pytest.raises(ValidationError, match="déjà soumis"):
        cycle.soumettre(gens["signataire_a"], bilan, document.empreinte_donnees)


def test_nothing_is_signed_without_a_document_of_today(gens, bilan):
    with pytest.raises(ValidationError, match="Produisez le PDF"):
        cycle.soumettre(gens["signataire_a"], bilan, "")
    marque = produire_document(SYSTEME, bilan, FEVRIER).document.empreinte_donnees
    Attribution.objects.filter(date_caleol=date(2025, 7, 1)).update(date_bail=date(2025, 12, 1))
    calculer_tout(bilan.bailleur)
    with pytest.raises(ValidationError, match="ont changé depuis le PDF"):
        cycle.soumettre(gens["signataire_a"], bilan, marque)


def test_a_year_that_is_not_over_is_a_point_d_etape(gens, bilan, document, monkeypatch):
    monkeypatch.setattr(cycle.timezone, "localdate", lambda *_: date(2025, 7, 1))
    with pytest.raises(ValidationError, match="point d’étape"):
        cycle.soumettre(gens["signataire_a"], bilan, document.empreinte_donnees)


def test_bytes_that_are_no_longer_those_that_were_hashed_stop_everything(gens, bilan, document):
    with open(document.fichier.path, "ab") as fichier:
        fichier.write(b"x")
    with pytest.raises(ValidationError, match="prévenez l’assistance"):
        cycle.soumettre(gens["signataire_a"], bilan, document.empreinte_donnees)


def test_each_reservataire_receives_its_own(cast, gens, bilan, document):
    etape = soumettre(gens, bilan)
    recues = {v.reservataire: v for v in VersionReservataire.objects.filter(etape=etape)}
    assert set(recues) == {cast.als, cast.commune_cannes, cast.ddets_06}
    assert recues[cast.ddets_06].donnees["reservataire"]["code"] == "ETAT"
    als = recues[cast.als]
    assert als.donnees["reservataire"]["code"] == "ALS"
    assert als.donnees["flux"] == document.donnees["flux"]["flux"]
    assert recues[cast.commune_cannes].donnees["flux"] is None
    assert cycle.produire_versions(etape.pk) == 3
    assert cycle.produire_versions(etape.pk) == 0
    als.refresh_from_db()
    assert als.empreinte_pdf == hashlib.sha256(als.octets).hexdigest()
    vues = VersionReservataire.objects
    assert list(vues.visibles_par(cast.acteur("charge_als"))) == [als]
    assert list(vues.visibles_par(cast.acteur("agent_cannes"))) == [recues[cast.commune_cannes]]
    assert not vues.visibles_par(cast.acteur("agent_caf")).exists()
    assert not vues.visibles_par(cast.acteur("gestionnaire_b")).exists()
    assert vues.visibles_par(cast.acteur("gestionnaire_a")).count() == 3


def test_what_is_submitted_is_closed_until_somebody_opens_it(gens, bilan, document):
    soumettre(gens, bilan)
    with pytest.raises(ValidationError, match="la DDETS l’examine"):
        productions.rediger_appreciation(gens["gestionnaire_a"], bilan, "Autre texte.")
    with pytest.raises(ValidationError, match="figé"):
        productions.demander_production(gens["gestionnaire_a"], bilan)
    with pytest.raises(ValidationError, match="Aucun bilan"):
        productions.demander_lot(gens["gestionnaire_a"], 2025)
    with pytest.raises(ValidationError, match="Lignes de 2025"), transaction.atomic():
        liberation(bilan.bailleur, date(2025, 12, 31))
    assert not GelExercice.objects.get().fige


def test_a_demand_opens_what_it_concerns_and_waits_for_its_answer(gens, bilan, document):
    ddets, bailleur = gens["agent_ddets_06"], gens["gestionnaire_a"]
    soumettre(gens, bilan)
    with pytest.raises(ValidationError, match="Choisissez le chiffre"):
        cycle.demander(ddets, bilan, "RIEN", "Pourquoi ?")
    with pytest.raises(ValidationError, match="Écrivez ce que vous demandez"):
        cycle.demander(ddets, bilan, "APPRECIATION", " ")
    with pytest.raises(PermissionDenied):
        cycle.demander(bailleur, bilan, "APPRECIATION", "Pourquoi ?")
    demande = cycle.demander(ddets, bilan, "APPRECIATION", "Expliquez l’écart.")
    assert etat(bilan) == EtatBilan.COMPLEMENT
    productions.rediger_appreciation(bailleur, bilan, "L’écart vient de deux refus.")
    with pytest.raises(ValidationError), transaction.atomic():
        liberation(bilan.bailleur, date(2025, 12, 31))
    with pytest.raises(ValidationError, match="attend votre réponse"):
        soumettre(gens, bilan)
    with pytest.raises(ValidationError, match="se valide une fois soumis de nouveau"):
        cycle.valider(ddets, bilan)
    cycle.repondre(bailleur, bilan, demande.pk, "Écrit dans l’appréciation.")
    with pytest.raises(ValidationError, match="déjà sa réponse"):
        cycle.repondre(bailleur, bilan, demande.pk, "Encore.")
    with pytest.raises(ValidationError, match="n’est pas de ce bilan"):
        cycle.repondre(bailleur, bilan, 10**9, "Encore.")
    etape = soumettre(gens, bilan)
    assert etape.document.version == 2 and etape.document.donnees["appreciation"].startswith("L’écart")
    assert cycle.lire_cycle(bilan).demandes == ()
    assert AccuseBilan.objects.count() == 2


def test_sending_back_says_why_and_opens_everything(gens, bilan, document):
    soumettre(gens, bilan)
    with pytest.raises(ValidationError, match="écrivez le motif"):
        cycle.renvoyer(gens["agent_ddets_06"], bilan, "")
    cycle.renvoyer(gens["agent_ddets_06"], bilan, "Les soustractions n’ont pas de justificatif.")
    assert etat(bilan) == EtatBilan.RENVOYE
    assert not GelExercice.objects.exists()
    productions.rediger_appreciation(gens["gestionnaire_a"], bilan, "Repris.")


def test_a_demand_left_without_answer_does_not_hold_a_bilan_that_was_sent_back(gens, bilan, document):
    soumettre(gens, bilan)
    cycle.demander(gens["agent_ddets_06"], bilan, "APPRECIATION", "Expliquez l’écart.")
    cycle.renvoyer(gens["agent_ddets_06"], bilan, "Reprenez tout le bilan.")
    suivi = cycle.lire_cycle(bilan)
    assert len(suivi.demandes) == 1 and suivi.sans_reponse == 0
    productions.rediger_appreciation(gens["gestionnaire_a"], bilan, "Repris en entier.")
    assert soumettre(gens, bilan).document.version == 2
    assert etat(bilan) == EtatBilan.SOUMIS


def test_a_validated_bilan_survives_everything_byte_for_byte(cast, gens, bilan, document, monkeypatch):
    """Rules, conventions, labels, classes change: figures, text, PDF, workbook, receipt and imputations do not."""
    ddets = gens["agent_ddets_06"]
    etape = soumettre(gens, bilan)
    cycle.produire_versions(etape.pk)
    cycle.valider(ddets, bilan)
    assert GelExercice.objects.get().fige

    def photo():
        actuel = DocumentBilan.objects.get(pk=document.pk)
        return (
            lire_pdf(actuel),
            actuel.donnees,
            lire_classeur(actuel),
            [bytes(a.octets) for a in AccuseBilan.objects.order_by("pk")],
            [(bytes(v.octets), v.donnees) for v in VersionReservataire.objects.order_by("pk")],
            list(Imputation.objects.filter(annee=2025).order_by("pk").values()),
        )

    avant = photo()
    # The code of the rules itself: everybody has nothing.
    monkeypatch.setattr(
        partage, "arrondir_parts", lambda parts, flux: dict.fromkeys((r for r, _ in parts), 0)
    )
    VersionConvention.objects.update(soustractions=[])
    Convention.objects.update(fin=date(2025, 6, 30))
    ClasseTypologie.objects.update(libelle="Autre classe")
    ClasseTypologie.objects.filter(code="T2").update(code="T2BIS")
    Labellisation.objects.all().update(fin=date(2024, 12, 31))
    bilan.bailleur.nom = "Nom nouveau"
    bilan.bailleur.save()
    imputer(paires=[(bilan.bailleur_id, "06")])
    traiter("06", 2025)
    calcul = calculer(bilan.bailleur_id, "06", 2025, Nature.DEFINITIF, "essai")
    assert {p["objectif"] for p in calcul.resultat["repartition"]} == {0}  # the new rules did run
    assert photo() == avant
    monkeypatch.undo()
    with pytest.raises(ValidationError, match="validé et figé"), transaction.atomic():
        Attribution.objects.filter(date_caleol=date(2025, 7, 1)).delete()
    for modele, champs in (
        (DocumentBilan, {"donnees": {}}),
        (EtapeBilan, {"texte": "autre"}),
        (AccuseBilan, {"octets": b""}),
        (VersionReservataire, {"octets": b"x"}),
    ):
        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            modele.objects.update(**champs)
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
        EtapeBilan.objects.filter(pk=etape.pk)._raw_delete("default")
    # Life goes on: what happens in 2026 is of 2026.
    ouverte = Liberation.objects.get(date=date(2025, 12, 1))
    attribution(ouverte, date(2026, 1, 15), menage=menage("06"), date_bail=date(2026, 2, 1))
    assert imputer(liberations=[ouverte.pk]) == 1
    with pytest.raises(ValidationError, match="déjà validé"):
        cycle.valider(ddets, bilan)


def test_figures_that_moved_since_the_submission_are_not_validated(gens, bilan, document):
    soumettre(gens, bilan)
    Labellisation.objects.all().update(fin=date(2024, 12, 31))
    calculer_tout(bilan.bailleur)
    with pytest.raises(ValidationError, match="ne donnent plus les chiffres soumis"):
        cycle.valider(gens["agent_ddets_06"], bilan)


def test_a_correction_is_a_new_version(gens, bilan, document):
    ddets = gens["agent_ddets_06"]
    soumettre(gens, bilan)
    cycle.valider(ddets, bilan)
    with pytest.raises(ValidationError, match="Une correction dit pourquoi"):
        cycle.rouvrir(ddets, bilan, "")
    with pytest.raises(PermissionDenied):
        cycle.rouvrir(gens["signataire_a"], bilan, "Erreur.")
    cycle.rouvrir(ddets, bilan, "Une attribution a été comptée deux fois.")
    suivi = cycle.lire_cycle(bilan)
    assert suivi.etat == EtatBilan.CORRECTION and suivi.validee.document == document
    productions.rediger_appreciation(gens["gestionnaire_a"], bilan, "Corrigé.")
    traiter("06", 2025)
    soumettre(gens, bilan)
    cycle.valider(ddets, bilan)
    assert [e.document.version for e in cycle.lire_cycle(bilan).soumissions] == [1, 2]
    assert DocumentBilan.objects.get(version=1).donnees["appreciation"] == ""


def test_a_merger_waits_for_the_bilan_that_nobody_could_submit_after_it(cast, gens, bilan, document):
    """Owed, under review or sent back: it is validated first; then it is corrected no more."""
    cle = {"absorbe": cast.bailleur_a, "absorbant": cast.bailleur_b}

    def obstacles(annee: int = 2026) -> list[str]:
        reponses = dict(fusion_a_preparer.send(sender=Organisation, effet=date(annee, 1, 1), **cle))
        return reponses[fusions.sur_fusion_a_preparer][1]

    [owed] = obstacles()
    assert "Le bilan 2025 (Alpes-Maritimes)" in owed and "après sa validation" in owed
    assert obstacles(2025) == [] and obstacles(2027) == []  # another year, never begun
    soumettre(gens, bilan)
    assert len(obstacles()) == len(obstacles(2027)) == 1
    cycle.renvoyer(gens["agent_ddets_06"], bilan, "Des lignes manquent.")
    assert len(obstacles()) == 1
    soumettre(gens, bilan)
    cycle.valider(gens["agent_ddets_06"], bilan)
    assert obstacles() == []
    [deja] = obstacles(2025)
    assert "Habitat Essai A est déjà soumis" in deja and "1er janvier 2026" in deja
    cle |= {"absorbe": cast.bailleur_b, "absorbant": cast.bailleur_a}
    assert obstacles(2025) == [deja] and obstacles() == []  # nor may that of the absorbing one change
    Organisation.objects.filter(pk=cast.bailleur_a.pk).update(
        fermee_le=date(2026, 1, 1), absorbee_par=cast.bailleur_b
    )
    with pytest.raises(ValidationError, match="personne ne pourrait soumettre la correction"):
        cycle.rouvrir(gens["agent_ddets_06"], bilan, "Une attribution a été comptée deux fois.")
    assert etat(bilan) == EtatBilan.VALIDE


def test_the_database_refuses_what_is_no_transition(cast, gens, bilan, document):
    etape = soumettre(gens, bilan)
    faux = {
        **{c: getattr(etape, c) for c in ("bilan", "bailleur", "departement", "le", "par", "organisation")},
        "acte": "VALIDER",
        "document": document,
    }
    for rang, de, vers in ((3, "SOUMIS", "VALIDE"), (2, "PREPARATION", "VALIDE"), (2, "SOUMIS", "RENVOYE")):
        with pytest.raises((ValidationError, DatabaseError)), transaction.atomic():
            EtapeBilan.objects.create(rang=rang, de=de, vers=vers, **faux)
    EtapeBilan.objects.create(rang=2, de="SOUMIS", vers="VALIDE", **faux)
