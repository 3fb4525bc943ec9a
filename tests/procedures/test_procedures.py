"""Two years, four bailleurs: on target, late, in debt, in breach; and what nobody may do to any of them."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.urls import reverse

from bilans.demonstration.procedures import engager
from bilans.models import (
    EcritureRegistre,
    EtapeProcedure,
    ParagrapheProcedure,
    PieceProcedure,
    Procedure,
    SignatureProcedure,
)
from bilans.regles.procedures import Acte, Etat, Lettre, Sorte
from bilans.regles.registre_dettes import Poste
from bilans.services import procedures, procedures_rappels, registre
from bilans.services.alertes import alertes
from bilans.services.procedures import Saisie
from bilans.services.procedures_situation import Objet
from flux.models import Imputation, ReportObjectif
from flux.regles.imputation import Titre
from reservation.models import Convention, Courriel, Organisation
from reservation.perimetre import agir
from reservation.services.conservation import purgeurs
from tests.flux.fabriques import attribution, liberation
from tests.procedures.fabriques import CLAUSE, SYSTEME, actes, chiffres, remettre

PDF = b"%PDF-1.7 un document"


def le(jour: str):
    """That day at noon in Paris."""
    return time_machine.travel(datetime.fromisoformat(f"{jour}T11:00:00+00:00"), tick=False)


@pytest.fixture
def signe(cast):
    return cast.acteur("signataire_ddets_06")


@pytest.fixture
def gere(cast):
    return cast.acteur("agent_ddets_06")


@pytest.fixture
def bailleurs(cast) -> dict[str, Organisation]:
    """Four bailleurs of the Alpes-Maritimes under acts of 2025-2027."""
    quatre = {
        "tenu": cast.bailleur_a,
        "retard": cast.bailleur_b,
        **{
            nom: Organisation.objects.create(
                type="BAILLEUR", nom=f"Bailleur {nom}", siren=siren, famille="OPH"
            )
            for nom, siren in (("dette", "000000033"), ("manque", "000000041"))
        },
    }
    for bailleur in quatre.values():
        actes(cast, bailleur, date(2025, 1, 1), date(2027, 12, 31))
    return quatre


def objet(sorte: Sorte, bailleur=None, annee: int = 2025, reservataire=None) -> Objet:
    return Objet(sorte, "06", annee, bailleur and bailleur.pk, reservataire and reservataire.pk)


def etat(procedure: Procedure) -> Etat:
    return Etat(Procedure.objects.get(pk=procedure.pk).etat)


def passer(acteur, procedure, acte, **saisie) -> EtapeProcedure:
    with agir(acteur):
        return procedures.accomplir(acteur, procedure, acte, Saisie(**saisie))


def refuse(acteur, procedure, acte, phrase: str, **saisie) -> None:
    avant = EtapeProcedure.objects.count()
    with pytest.raises(ValidationError, match=phrase):
        passer(acteur, procedure, acte, **saisie)
    assert EtapeProcedure.objects.count() == avant


def test_nothing_reaches_the_one_on_target_nor_the_one_that_delivered_late(cast, bailleurs, signe):
    tenu, retard = bailleurs["tenu"], bailleurs["retard"]
    chiffres(tenu, 2025, {"ETAT": (28, 0, 29), "ALS": (20, 0, 20)}, {"BAILLEUR": (13, 52), "ALS": (5, 20)})
    with le("2026-02-20"):
        remettre(tenu, 2025, cast.gens["signataire_a"], valider=True)
        with agir(signe):
            for sorte, phrase in (
                (Sorte.MANQUEMENT, "Tout ce que la convention demande est remis"),
                (Sorte.OBJECTIFS, "Les objectifs sont atteints"),
                (Sorte.QUART, "Le quart est atteint.*13 / 52"),
            ):
                with pytest.raises(ValidationError, match=phrase):
                    procedures.ouvrir(signe, objet(sorte, tenu))
            with pytest.raises(
                ValidationError, match="attendu le 27 février 2026.*toléré jusqu’au 28 février"
            ):
                procedures.ouvrir(signe, objet(Sorte.MANQUEMENT, retard))
    assert not Procedure.objects.exists()
    with le("2026-03-01"), agir(signe):
        en_retard = procedures.ouvrir(signe, objet(Sorte.MANQUEMENT, retard))
        with pytest.raises(ValidationError, match="déjà ouverte"):
            procedures.ouvrir(signe, objet(Sorte.MANQUEMENT, retard))
        passer(signe, en_retard, Acte.METTRE_EN_DEMEURE)
    with le("2026-03-10"):
        procedures.sur_lettre_remise(en_retard.pk, Lettre.MISE_EN_DEMEURE, date(2026, 3, 9))
        remettre(retard, 2025, cast.gens["gestionnaire_b"])
    with le("2026-05-20"):
        refuse(signe, en_retard, Acte.RESILIER, "Tout ce que la convention demande est remis")
        passer(signe, en_retard, Acte.ETEINDRE)
    assert etat(en_retard) == Etat.ETEINTE
    assert not Procedure.objects.filter(bailleur=tenu).exists() and not EcritureRegistre.objects.exists()
    assert Convention.objects.filter(bailleur=retard, etat=Convention.Etat.SIGNEE).count() == 2


def test_a_breach_goes_to_its_end_two_months_after_the_certain_date(cast, bailleurs, signe, gere):
    manque = bailleurs["manque"]
    with le("2026-03-02"), agir(gere):
        procedure = procedures.ouvrir(gere, objet(Sorte.MANQUEMENT, manque))
    refuse_role = "rôle de signature"
    with le("2026-04-07"):
        refuse(gere, procedure, Acte.METTRE_EN_DEMEURE, refuse_role)
        refuse(signe, procedure, Acte.RESILIER, "n’est pas possible")
        passer(signe, procedure, Acte.METTRE_EN_DEMEURE, reference="MED-06-2026-1")
        refuse(gere, procedure, Acte.CONSTATER_RECEPTION, "n’est pas encore envoyée")
    with le("2026-04-09"):
        with pytest.raises(ValidationError, match="précède la signature"):
            procedures.sur_lettre_remise(procedure.pk, Lettre.MISE_EN_DEMEURE, date(2026, 4, 6))
        with pytest.raises(ValidationError, match="est à venir"):
            procedures.sur_lettre_remise(procedure.pk, Lettre.MISE_EN_DEMEURE, date(2026, 4, 10))
        assert procedures.sur_lettre_remise(procedure.pk, Lettre.INVITATION, date(2026, 4, 9)) is None
        assert procedures.sur_lettre_remise(procedure.pk, Lettre.MISE_EN_DEMEURE, date(2026, 4, 9)).rang == 3
        assert procedures.sur_lettre_remise(procedure.pk, Lettre.MISE_EN_DEMEURE, date(2026, 4, 9)) is None
    with le("2026-06-09"):
        assert procedures.lire_procedure(procedure).situation.delai.fin == date(2026, 6, 9)
        refuse(signe, procedure, Acte.RESILIER, "court jusqu’au 9 juin 2026 inclus")
    # The day after, nothing has happened by itself; the préfet may now act.
    with le("2026-06-10"):
        assert etat(procedure) == Etat.DELAI
        refuse(signe, procedure, Acte.PRENDRE_ARRETE, "n’est pas possible")
        refuse(signe, procedure, Acte.RESILIER, "avant d’être décidée", jour=date(2026, 6, 1))
        passer(signe, procedure, Acte.RESILIER, jour=date(2026, 6, 12))
        # It lasts until its day: neither an arrêté in its place, nor a new convention that would settle all.
        for trop_tot, motif in (
            (Acte.PRENDRE_ARRETE, "s’applique jusqu’au 11 juin 2026"),
            (Acte.ETEINDRE, "Aucune nouvelle convention"),
        ):
            refuse(signe, procedure, trop_tot, motif)
        assert "jusqu’au 11 juin 2026" in procedures.lire_procedure(procedure).suites[1]
    with le("2026-06-12"):
        acte = Convention.objects.get(bailleur=manque, reservataire=cast.ddets_06)
        assert (acte.etat, acte.fin) == ("RESILIEE", date(2026, 6, 11))
        passer(signe, procedure, Acte.PRENDRE_ARRETE, reference="arrêté 06-2026-12", jour=date(2026, 6, 15))
    assert etat(procedure) == Etat.ARRETEE
    assert procedure.etapes.get(rang=1).chiffres["engagements"][0]["rempli_le"] == ""
    with le("2027-01-10"), agir(signe), pytest.raises(ValidationError, match="terminée par une mesure"):
        procedures.ouvrir(signe, objet(Sorte.MANQUEMENT, manque))


def test_an_unjustified_shortfall_is_reported_or_attributed_never_both(cast, bailleurs, signe):
    dette = bailleurs["dette"]
    chiffres(dette, 2025, {"ETAT": (28, 0, 19), "ALS": (20, 0, 20), "C": (4, 0, 0)})
    with le("2026-04-07"), agir(signe):
        procedure = procedures.ouvrir(signe, objet(Sorte.OBJECTIFS, dette))
        refuse(signe, procedure, Acte.CONVOQUER, "Fixez le jour")
        passer(signe, procedure, Acte.CONVOQUER, reunion=datetime(2026, 5, 11, 8, tzinfo=UTC), lieu="DDETS")
        procedures.sur_lettre_remise(procedure.pk, Lettre.INVITATION, date(2026, 4, 7))
    with le("2026-05-10"):
        refuse(signe, procedure, Acte.TENIR_REUNION, "fixée au 11 mai 2026")
    with le("2026-05-12"):
        passer(signe, procedure, Acte.TENIR_REUNION, texte="Chacun a lu les écrits de l’autre.")
        refuse(signe, procedure, Acte.JUGER_INJUSTIFIE, "9 attributions manquantes", nombres={"ETAT": 10})
        refuse(signe, procedure, Acte.JUGER_INJUSTIFIE, "dont l’objectif n’est pas", nombres={"ALS": 1})
        passer(signe, procedure, Acte.JUGER_INJUSTIFIE, nombres={"ETAT": 3}, texte="Trois refus établis.")
        cle = registre.Cle(dette.pk, "06", cast.ddets_06.pk)
        assert registre.lire_compte(cle).dette(2025).a_decider == 6
        passer(signe, procedure, Acte.REPORTER, nombres={"ETAT": 4})
        refuse(signe, procedure, Acte.ATTRIBUER, "il y en a 2", nombres={"ETAT": 3})
        passer(signe, procedure, Acte.ATTRIBUER, nombres={"ETAT": 2})
        refuse(signe, procedure, Acte.REPORTER, "rien ne se sanctionne deux fois", nombres={"ETAT": 1})
        refuse(signe, procedure, Acte.CLORE, "encore attribuer 2 logements")
        compte = registre.lire_compte(cle)
        assert (compte.dette(2025).reportes, compte.dette(2025).attribues) == (4, 2)
        assert compte.ecritures[0].fondement == f"{CLAUSE}, procédure {procedure.numero}"
    reports = ReportObjectif.objects.filter(bailleur=dette)
    assert list(reports.values_list("annee", "nombre")) == [(2026, 4)]
    for jour in (1, 2):
        libre = liberation(dette, date(2026, 7, jour), reservataire=cast.ddets_06, reference=f"PREF-{jour}")
        attribution(libre, date(2026, 9, jour))
    ancienne = liberation(dette, date(2026, 2, 1), reservataire=cast.ddets_06, reference="AVANT")
    attribution(ancienne, date(2026, 3, 2))
    with le("2026-09-15"), agir(signe):
        with pytest.raises(ValidationError, match="précède la décision"):
            procedures.inscrire_attribution(signe, procedure, "AVANT")
        for jour in (1, 2):
            procedures.inscrire_attribution(signe, procedure, f"PREF-{jour}")
        with pytest.raises(ValidationError, match="plus de logement à attribuer"):
            procedures.inscrire_attribution(signe, procedure, "PREF-1")
        passer(signe, procedure, Acte.CLORE)
    assert etat(procedure) == Etat.SANCTIONNEE
    # Two attributions of 2026 serve the debt: they are added to what is expected of 2026, and count once.
    assert list(reports.values_list("annee", "nombre")) == [(2026, 6)]
    bilan = remettre(dette, 2026, cast.gens["signataire_a"], valider=True)
    with le("2027-03-15"):
        # 28 of its own + 4 reported + 2 of the préfet's: 31 done pay the four, oldest first, then 25 of its own.
        assert procedures.sur_bilan_valide(bilan, {"ETAT": (28, 31), "ALS": (20, 20)}) == ["ETAT"]
        assert procedures.sur_bilan_valide(bilan, {"ETAT": (28, 31)}) == []
        compte = registre.lire_compte(cle)
        assert (compte.dette(2025).payes, compte.dette(2025).imputes, compte.reste) == (4, 2, 0)
        chiffres(dette, 2026, {"ETAT": (28, 6, 31), "ALS": (20, 0, 20)})
        suivante = procedures.lire_dossier(objet(Sorte.OBJECTIFS, dette, 2026))
        assert [(o.code, o.manque) for o in suivante.situation.manques] == [("ETAT", 3)]


def test_a_decision_withdrawn_leaves_no_debt(cast, bailleurs, signe, gere):
    dette = bailleurs["dette"]
    chiffres(dette, 2025, {"ETAT": (28, 0, 25)})
    with le("2026-04-07"):
        with agir(signe):
            procedure = procedures.ouvrir(signe, objet(Sorte.OBJECTIFS, dette))
        passer(signe, procedure, Acte.CONVOQUER, reunion=datetime(2026, 4, 8, 8, tzinfo=UTC))
        procedures.sur_lettre_remise(procedure.pk, Lettre.INVITATION, date(2026, 4, 7))
    with le("2026-04-09"):
        passer(signe, procedure, Acte.TENIR_REUNION)
        passer(signe, procedure, Acte.JUGER_INJUSTIFIE)
        passer(signe, procedure, Acte.REPORTER, nombres={"ETAT": 2})
        with pytest.raises(PermissionDenied, match="signature"):
            passer(gere, procedure, Acte.ABANDONNER, texte="Décision retirée.")
        refuse(signe, procedure, Acte.ABANDONNER, "Écrivez pourquoi")
        passer(signe, procedure, Acte.ABANDONNER, texte="Décision retirée.")
        compte = registre.lire_compte(registre.Cle(dette.pk, "06", cast.ddets_06.pk))
        assert compte.reste == 0 and compte.total(Poste.ANNULES) == 3
    assert not ReportObjectif.objects.filter(bailleur=dette).exists()


def test_a_quarter_is_imputed_on_whom_it_lacks(cast, bailleurs, signe):
    dette = bailleurs["dette"]
    chiffres(dette, 2025, {"ALS": (20, 0, 20)}, {"ALS": (3, 20), "BAILLEUR": (9, 30)})
    chiffres(bailleurs["tenu"], 2025, {"ALS": (20, 0, 20)}, {"ALS": (2, 8)})
    als = objet(Sorte.QUART, reservataire=cast.als)
    with le("2026-04-07"), agir(signe):
        with pytest.raises(ValidationError, match="n’est pas validé"):
            procedures.ouvrir(signe, als)
        for bailleur in (dette, bailleurs["tenu"]):
            remettre(bailleur, 2025, cast.gens["signataire_a"], valider=True)
        procedure = procedures.ouvrir(signe, als)
        quart = procedures.lire_procedure(procedure).situation.quart
        assert (quart.prioritaires, quart.attributions, quart.manque) == (5, 28, 2)
        passer(signe, procedure, Acte.NOTIFIER, delai_jours=20)
        procedures.sur_lettre_remise(procedure.pk, Lettre.NOTIFICATION_QUART, date(2026, 4, 7))
    with le("2026-04-27"):
        refuse(signe, procedure, Acte.ATTRIBUER, "jusqu’au 27 avril 2026")
    with le("2026-04-28"), agir(signe):
        passer(signe, procedure, Acte.ATTRIBUER)
        lieux = {"etat": cast.ddets_06, "un": cast.als, "deux": cast.als, "autre": cast.als}
        with agir(SYSTEME):
            for nom, titulaire in lieux.items():
                libre = liberation(dette, date(2026, 4, 20), reservataire=titulaire, reference=nom)
                faite = attribution(libre, date(2026, 4, 28))
                if nom in ("un", "autre"):  # what the worker found of it since
                    Imputation.objects.create(
                        liberation=libre,
                        annee=2026,
                        attribution=faite,
                        bailleur=dette,
                        departement_id="06",
                        reservataire=cast.als,
                        titre="ALS",
                        detail=Titre.AUTRE if nom == "autre" else Titre.PRIORITAIRE,
                        qpv=False,
                        date_caleol=faite.date_caleol,
                    )
        with pytest.raises(ValidationError, match="pas reconnu prioritaire"):
            procedures.inscrire_attribution(signe, procedure, "autre")
        with pytest.raises(ValidationError, match="pas sur le contingent"):
            procedures.inscrire_attribution(signe, procedure, "etat")
        with pytest.raises(ValidationError, match="Aucune attribution"):
            procedures.inscrire_attribution(signe, procedure, "inconnue")
        procedures.inscrire_attribution(signe, procedure, "un")
        with pytest.raises(ValidationError, match="déjà inscrite"):
            procedures.inscrire_attribution(signe, procedure, "un")
        refuse(signe, procedure, Acte.CLORE, "encore attribuer 1 logement")
        procedures.inscrire_attribution(signe, procedure, "deux")
        passer(signe, procedure, Acte.CLORE)
    assert etat(procedure) == Etat.IMPUTEE
    assert not EcritureRegistre.objects.exists()
    vues = Procedure.objects.visibles_par
    assert procedure in vues(cast.acteur("charge_als")) and procedure not in vues(
        cast.acteur("gestionnaire_a")
    )
    assert procedure in vues(cast.acteur("charge_dreal"))
    assert not EtapeProcedure.objects.visibles_par(cast.acteur("charge_dreal")).exists()


@pytest.fixture
def convoquee(cast, bailleurs, signe) -> Procedure:
    chiffres(bailleurs["tenu"], 2025, {"ETAT": (28, 0, 25)})
    with le("2026-04-07"), agir(signe):
        procedure = procedures.ouvrir(signe, objet(Sorte.OBJECTIFS, bailleurs["tenu"]))
        passer(signe, procedure, Acte.CONVOQUER, reunion=datetime(2026, 5, 11, 8, tzinfo=UTC))
    return procedure


def test_each_party_writes_attaches_and_signs_its_own(cast, convoquee, signe, gere):
    bailleur, signataire = cast.acteur("gestionnaire_a"), cast.acteur("signataire_a")
    with agir(bailleur):
        cause = procedures.ecrire(bailleur, convoquee, "Deux opérations livrées avec six mois de retard.")
        with pytest.raises(ValidationError, match="n’en est pas un"):
            procedures.joindre(bailleur, convoquee, "courrier.pdf", b"MZ un programme")
        piece = procedures.joindre(bailleur, convoquee, "../a\\courrier.exe", PDF, paragraphe=cause.pk)
        assert (piece.nom, piece.type_mime) == ("courrier.exe.pdf", "application/pdf")
        procedures.ecrire(bailleur, convoquee, "Deux opérations livrées en retard.", paragraphe=cause.pk)
    # A draft is nobody else's, in the queryset and in the database.
    assert not ParagrapheProcedure.objects.visibles_par(gere).exists()
    with agir(gere):
        assert not ParagrapheProcedure.objects.exists() and not PieceProcedure.objects.exists()
        with pytest.raises(ValidationError, match="n’est pas de cette procédure"):
            procedures.ecrire(gere, convoquee, "Réponse", repond_a=cause.pk)
    *_, marque = procedures.a_signer(signataire, convoquee)
    with agir(bailleur), pytest.raises(PermissionDenied, match="rôle Signature"):
        procedures.signer(bailleur, convoquee, marque)
    with agir(signataire):
        with pytest.raises(ValidationError, match="relisez"):
            procedures.signer(signataire, convoquee, "0" * 64)
        procedures.signer(signataire, convoquee, marque)
        with pytest.raises(ValidationError, match="Rien n’attend"):
            procedures.signer(signataire, convoquee, marque)
        with pytest.raises(ValidationError, match="signé"):
            procedures.retirer(signataire, convoquee, cause.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        ParagrapheProcedure.objects.filter(pk=cause.pk).update(texte="Autre chose.")
    with agir(gere):
        reponse = procedures.ecrire(gere, convoquee, "Le retard était connu en janvier.", repond_a=cause.pk)
        assert reponse.repond_a == cause and PieceProcedure.objects.get() == piece
    for etranger in ("gestionnaire_b", "charge_als", "agent_sgc_06", "agent_ddets_22"):
        acteur = cast.acteur(etranger)
        with agir(acteur), pytest.raises(PermissionDenied):
            procedures.ecrire(acteur, convoquee, "Un mot.")
    with agir(bailleur):
        procedures.inscrire_participant(bailleur, convoquee, "directrice des attributions")
        with pytest.raises(ValidationError, match="déjà inscrite"):
            procedures.inscrire_participant(bailleur, convoquee, "directrice des attributions")


def test_the_database_refuses_what_the_table_does_not_hold(cast, convoquee, signe):
    dernier = convoquee.etapes.get(rang=2)
    commun = {
        **{
            c: getattr(dernier, c)
            for c in ("procedure", "departement_id", "bailleur_id", "le", "par", "organisation")
        },
        "sorte": "OBJECTIFS",
    }
    for champs in (
        {"rang": 3, "acte": "RESILIER", "de": "CONVOQUEE", "vers": "RESILIEE"},
        {"rang": 3, "acte": "TENIR_REUNION", "de": "CONTRADICTOIRE", "vers": "DEBATTUE"},
        {"rang": 3, "acte": "CONSTATER_RECEPTION", "de": "CONVOQUEE", "vers": "CONTRADICTOIRE"},
        {"rang": 5, "acte": "CONSTATER_RETOUR", "de": "CONVOQUEE", "vers": "OUVERTE"},
    ):
        with pytest.raises((DatabaseError, ValidationError)), transaction.atomic():
            EtapeProcedure.objects.create(**commun, **champs)
    for changement in ({"etat": "SANCTIONNEE"}, {"annee": 2024}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Procedure.objects.filter(pk=convoquee.pk).update(**changement)
    with pytest.raises(DatabaseError), transaction.atomic(), agir(SYSTEME):
        dernier.delete()
    with le("2026-04-20"):
        procedures.sur_lettre_retournee(convoquee.pk, Lettre.INVITATION, date(2026, 4, 20))
    assert etat(convoquee) == Etat.OUVERTE


@pytest.mark.parametrize(
    "qui", ["signataire_a", "lecteur_ddets_06", "agent_sgc_06", "signataire_ddets_22", "charge_als"]
)
def test_only_the_ddets_of_the_departement_conducts(cast, convoquee, qui):
    acteur = cast.acteur(qui)
    with agir(acteur):
        with pytest.raises(PermissionDenied):
            procedures.ouvrir(acteur, objet(Sorte.OBJECTIFS, cast.bailleur_b))
        with pytest.raises(PermissionDenied):
            procedures.accomplir(acteur, convoquee, Acte.ABANDONNER, Saisie(texte="Non."))


def test_the_end_of_a_clock_is_told_once_and_to_nobody_once_it_is_settled(cast, bailleurs, signe):
    retard, tenu = bailleurs["retard"], bailleurs["tenu"]
    with le("2026-03-02"), agir(signe):
        procedure = procedures.ouvrir(signe, objet(Sorte.MANQUEMENT, retard))
        passer(signe, procedure, Acte.METTRE_EN_DEMEURE)
        procedures.sur_lettre_remise(procedure.pk, Lettre.MISE_EN_DEMEURE, date(2026, 3, 2))
    with le("2026-05-02"):
        assert procedures_rappels.annoncer_les_expirations() == 0
    with le("2026-05-03"):
        ecrits = procedures_rappels.annoncer_les_expirations()
        assert ecrits == Courriel.objects.filter(gabarit="delai_expire").count() > 0
        assert procedures_rappels.annoncer_les_expirations() == 0
        courriel = Courriel.objects.filter(gabarit="delai_expire").first()
        assert procedure.numero in courriel.objet and tenu.nom not in courriel.corps_texte
        assert procedures_rappels.encore_utile(courriel)
        assert etat(procedure) == Etat.DELAI
        dites = [a for a in alertes(signe) if "expiré" in a.statut]
        assert [a.url for a in dites] == [reverse("bilans:procedure", args=[procedure.pk])]
        with agir(cast.acteur("signataire_a")):
            assert not any("Manquement" in a.libelle for a in alertes(cast.acteur("signataire_a")))
        remettre(retard, 2025, cast.gens["gestionnaire_b"])
        passer(signe, procedure, Acte.ETEINDRE)
        assert not procedures_rappels.encore_utile(courriel)


def test_a_year_that_is_not_over_is_said(client, cast, bailleurs, gere):
    dette = bailleurs["dette"]
    phrase = "L’année 2026 n’est pas achevée."
    chiffres(dette, 2026, {"ETAT": (30, 0, 20)})
    with le("2026-11-20"), agir(gere):
        procedure = procedures.ouvrir(gere, objet(Sorte.OBJECTIFS, dette, 2026))
    client.force_login(cast.agent_ddets_06)
    adresse = reverse("bilans:procedure", args=[procedure.pk])
    for jour, dit in (("2026-12-31", True), ("2027-01-02", False)):
        with le(jour):
            client.force_login(cast.agent_ddets_06)
            assert (phrase in client.get(adresse).content.decode()) is dit


def test_the_pages_say_who_may_what_and_what_comes_next(
    cast, convoquee, client, django_assert_max_num_queries
):
    page = reverse("bilans:procedure", args=[convoquee.pk])
    chiffres(cast.bailleur_b, 2025, {"ETAT": (28, 0, 20)}, {"BAILLEUR": (0, 9)})
    client.force_login(cast.gens["signataire_ddets_06"])
    with le("2026-04-10"):
        procedures.sur_lettre_remise(convoquee.pk, Lettre.INVITATION, date(2026, 4, 8))
        with django_assert_max_num_queries(45):
            lu = client.get(page).content.decode()
            assert "Réunion : 11 mai 2026 à 10 h 00." in " ".join(lu.split())
        assert "bservations attendues" in lu and "Si l’administration ne fait rien" in lu
        assert "La réunion n’a pas encore eu lieu" in lu and "Abandonner la procédure" in lu
        with django_assert_max_num_queries(25):
            liste = client.get(reverse("bilans:procedures") + "?annee=2025").content.decode()
        assert "Objectifs non atteints" in liste and cast.bailleur_b.nom in liste
        refus = client.post(
            reverse("bilans:procedure_nouvelle"),
            {"sorte": "QUART", "annee": 2025, "departement": "06", "partie": f"B{cast.bailleur_a.pk}"},
        )
        assert refus.status_code == 422 and "le quart est sans objet" in refus.content.decode()
        vide = client.post(reverse("bilans:procedure_acte", args=[convoquee.pk, "abandonner"]), {"texte": ""})
        assert vide.status_code == 422
        assert (
            client.post(
                reverse("bilans:procedure_acte", args=[convoquee.pk, "constater_reception"])
            ).status_code
            == 403
        )
    client.force_login(cast.gens["signataire_a"])
    with le("2026-04-11"):
        ecrire = reverse("bilans:procedure_ecrit", args=[convoquee.pk, "ecrire"])
        assert client.post(ecrire, {"texte": "Deux opérations en retard."}).status_code == 302
        piece = SimpleUploadedFile("note.pdf", PDF, "text/html")
        joindre = reverse("bilans:procedure_ecrit", args=[convoquee.pk, "joindre"])
        assert client.post(joindre, {"fichier": piece}).status_code == 302
        lu = client.get(page).content.decode()
        assert "À signer" in lu and "Juger" not in lu and "Abandonner" not in lu
        jointe = PieceProcedure.objects.get()
        telecharge = client.get(reverse("bilans:procedure_piece", args=[jointe.pk]))
        assert (
            telecharge["Content-Type"] == "application/pdf"
            and "attachment" in telecharge["Content-Disposition"]
        )
    client.force_login(cast.gens["charge_dreal"])
    assert client.get(page).status_code == 404
    assert "Objectifs non atteints" in client.get(reverse("bilans:procedures")).content.decode()


def test_a_merger_waits_for_the_end_of_the_procedures(cast, bailleurs, signe, gere):
    """Whom a procedure is about must be there to answer; one that has ended stays as it was."""
    with le("2026-03-10"):
        procedure = procedures.ouvrir(signe, objet(Sorte.MANQUEMENT, bailleurs["retard"]))
        cle = {"sender": Organisation, "absorbe": bailleurs["retard"], "absorbant": cast.bailleur_a}
        comptes, obstacles = procedures.sur_fusion_a_preparer(**cle, effet=date(2026, 1, 1))
        assert comptes == {} and procedure.numero in obstacles[0] and "Menez-la à son terme" in obstacles[0]
        passer(gere, procedure, Acte.ABANDONNER, texte="Fusion.")
        assert procedures.sur_fusion_a_preparer(**cle, effet=date(2026, 1, 1)) == ({}, [])
        avant = Procedure.objects.values().get()
        registre.sur_bailleurs_fusionnes(**cle, effet=date(2026, 1, 1))
        assert Procedure.objects.values().get() == avant


def test_what_the_parties_wrote_is_forgotten_after_its_time(cast, bailleurs, signe, gere):
    signataire = cast.acteur("signataire_a")
    with le("2026-03-10"):
        chiffres(bailleurs["tenu"], 2025, {"ETAT": (28, 0, 20)})
        procedure = procedures.ouvrir(signe, objet(Sorte.OBJECTIFS, bailleurs["tenu"]))
        passer(signe, procedure, Acte.CONVOQUER, reunion=datetime(2026, 4, 10, 8, tzinfo=UTC))
        with agir(signataire):
            cause = procedures.ecrire(signataire, procedure, "Deux programmes ont glissé.")
            procedures.joindre(signataire, procedure, "planning.pdf", PDF, paragraphe=cause.pk)
            procedures.signer(signataire, procedure, procedures.a_signer(signataire, procedure)[2])
            procedures.ecrire(signataire, procedure, "Jamais signé.")
        with agir(gere):
            procedures.ecrire(gere, procedure, "Noté.", repond_a=cause.pk)
            procedures.signer(signe, procedure, procedures.a_signer(signe, procedure)[2])
        passer(gere, procedure, Acte.ABANDONNER, texte="Chiffres corrigés.")
    regles_ = {p.regle.code: p for p in purgeurs()}
    brouillons, ecrits = regles_["BROUILLONS_PROCEDURE"], regles_["ECRITS_PROCEDURE"]
    assert (brouillons.compter(date(2027, 3, 10)), brouillons.compter(date(2027, 3, 11))) == (0, 1)
    assert brouillons.purger(date(2027, 3, 11), 10) == 1
    assert (ecrits.compter(date(2036, 3, 10)), ecrits.compter(date(2036, 3, 11))) == (0, 3)
    assert [ecrits.purger(date(2036, 3, 11), 2) for _ in range(3)] == [2, 1, 0]
    assert not ParagrapheProcedure.objects.exists() and not PieceProcedure.objects.exists()
    assert SignatureProcedure.objects.filter(procedure=procedure).exclude(empreinte="").count() == 2
    assert EtapeProcedure.objects.filter(procedure=procedure).count() == 3


def test_the_demonstration_has_procedures_at_several_stages(cast, bailleurs):
    organisations = {"ddets-06": cast.ddets_06, "littoral": cast.bailleur_a}
    chiffres(cast.bailleur_a, 2025, {"ETAT": (28, 0, 23), "ALS": (20, 0, 19)})
    assert engager(organisations) == 3
    # The acts and the ledger say what the flux says.
    cle = registre.Cle(cast.bailleur_a.pk, "06", cast.ddets_06.pk)
    assert registre.lire_compte(cle).dette(2025).reportes == 5
    juge = EtapeProcedure.objects.get(acte=Acte.JUGER_INJUSTIFIE)
    assert {p["code"]: (p["manque"], p["retenus"]) for p in juge.parts} == {"ETAT": (5, 5), "ALS": (1, 0)}
    assert engager(organisations) == 0
    etats = Procedure.objects.order_by("pk").values_list("etat", flat=True)
    assert list(etats) == [Etat.SANCTIONNEE, Etat.DELAI, Etat.OUVERTE]
    assert engager({}) == 0
