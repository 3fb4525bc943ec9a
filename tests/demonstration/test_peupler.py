"""The command: what it leaves behind, a second time, another size; on two very small départements."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Count, F, Q
from django.test import override_settings

from bilans.demonstration import evenements, scenario
from bilans.demonstration.peuplement import ACTEUR, COMPLETE, REFERENTIEL, peupler
from bilans.demonstration.rappels import rappeler_chaque_matin
from bilans.models import (
    Bilan,
    EnvoiProjection,
    EtapeBilan,
    PartConvenue,
    PointEtape,
    Procedure,
    Rappel,
    VersionCopil,
    VersionReservataire,
)
from bilans.regles.procedures import Sorte
from bilans.services.cycle import etats_des_bilans
from bilans.services.procedures_situation import Objet, lire_dossier
from flux.models import (
    Attribution,
    CalculAFaire,
    CalculFlux,
    Commission,
    Convocation,
    Designation,
    Imputation,
    Liberation,
    MotifRefus,
    Passage,
    Programme,
    ReportObjectif,
    SoustractionPrevisionnelle,
)
from publics.models import Menage
from reservation.demonstration import COMPTES
from reservation.models import (
    Courriel,
    Drapeau,
    EtatParc,
    ImportRpls,
    Logement,
    Organisation,
    Presence,
    Referentiel,
    Utilisateur,
)

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("peupler")]
ESSAI = scenario.ECHELLES["essai"]
CLES = (
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint "
    "WHERE contype = 'f' AND conrelid = ANY(%s::regclass[]) ORDER BY 1, 2"
)


def cles_etrangeres():
    with connection.cursor() as curseur:
        curseur.execute(CLES, [[modele._meta.db_table for modele in evenements.TABLES]])
        return curseur.fetchall()


@pytest.fixture(scope="module")
def peuple(django_db_setup, django_db_blocker, tmp_path_factory):
    """The demonstration, loaded and computed once for these tests, then undone."""
    paroles = []
    fichiers = tmp_path_factory.mktemp("fichiers")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=fichiers), transaction.atomic():
        avant = cles_etrangeres()
        assert peupler("essai", graine=7, calculer=True, suites=True, dire=paroles.append)
        assert cles_etrangeres() == avant
        yield paroles
        transaction.set_rollback(True)


def lancer(**options):
    sortie = StringIO()
    call_command("peupler", stdout=sortie, **options)
    return sortie.getvalue()


def test_it_says_what_it_did(peuple):
    assert [p.split(" : ")[0] for p in peuple] == [
        "Organisations et conventions",
        "Parc 2025 (essai)",
        "Parc 2026 (essai)",
        "Fichier de dépôt",
        "Libérations et attributions",
        "Logements à pourvoir et programme neuf",
        "Commissions à venir",
        "Labels proposés",
        "Campagnes",
        "Réunions du comité de pilotage",
        "Extraits du SNE et de SYPLO, rapprochements",
        "Calcul du flux",
        "Bilans des années passées",
        "Rappels des campagnes",
        "Procédures",
        "Lettres des procédures",
        "Données ouvertes",
    ]


def test_a_second_time_is_said_and_changes_nothing(peuple):
    avant = {m: m.objects.count() for m in (Logement, Liberation, Organisation, Utilisateur, ImportRpls)}
    assert lancer(echelle="essai", graine=7) == "Les données de démonstration sont déjà là.\n"
    assert avant == {m: m.objects.count() for m in avant}


@pytest.mark.parametrize("autre", [{"echelle": "demo", "graine": 7}, {"echelle": "essai", "graine": 8}])
def test_another_demonstration_is_not_mixed_with_it(peuple, autre):
    with pytest.raises(CommandError, match="déjà d’autres données de démonstration .essai, graine 7"):
        lancer(**autre)


def test_what_was_interrupted_is_resumed(peuple):
    """The mark says that the load did not reach its end: everything is gone through again, nothing is doubled."""
    modeles = (Logement, Liberation, Organisation, Utilisateur, ImportRpls, Attribution, Drapeau)
    avant = {m: m.objects.count() for m in modeles}
    Referentiel.objects.filter(pk=REFERENTIEL).update(empreinte="en cours")
    assert peupler("essai", graine=7, dire=lambda texte: None)
    assert avant == {m: m.objects.count() for m in modeles}
    assert not peupler("essai", graine=7, dire=lambda texte: None)


def test_the_campaigns_have_something_to_say(peuple):
    """One bailleur never sent its projection; a share waits for its answer; each version has its receipts."""
    envois = EnvoiProjection.objects.filter(annee=scenario.AUJOURDHUI.year)
    assert envois and not envois.filter(bailleur__nom__contains="SEM").exists()
    assert not envois.filter(remises=None).exists()
    assert set(PartConvenue.objects.values_list("etat", flat=True)) == {"PROPOSEE", "ACCEPTEE"}
    assert not PartConvenue.objects.filter(etat="ACCEPTEE", prefet_informe_le=None).exists()


def test_the_reminders_were_those_of_their_morning(peuple):
    """In the story they left, each with the facts of its day; one was refused and may be sent again. Told once."""
    rappels = Rappel.objects.filter(annee=scenario.AUJOURDHUI.year)
    assert set(rappels.values_list("seuil", flat=True)) == {"J-30", "J-7", "J+1", "RETARD"}
    # The projection of the main bailleur left on 11 December: nothing reminds of it afterwards.
    principal = rappels.filter(bailleur__nom="Habitat Démonstration Azur", nature="PROJECTION")
    assert set(principal.values_list("seuil", flat=True)) == {"J-30"}
    # Nobody is told in March to answer what was asked on the 12th before that day.
    demandes = rappels.filter(nature="CORRECTION", ecrit_le__date__lt=date(2026, 3, 12))
    assert not demandes.exists()
    courriels = Courriel.objects.filter(gabarit="rappels_campagne")
    assert not courriels.filter(etat=Courriel.Etat.EN_ATTENTE).exists()
    refuse = courriels.get(etat=Courriel.Etat.ECHEC)
    assert refuse.organisation.nom == "Habitat Démonstration Azur"
    assert rappeler_chaque_matin(ACTEUR, {}) == 0


def test_everything_is_flagged_fictitious(peuple):
    assert not Organisation.objects.filter(fictive=False).exists()
    marque = Referentiel.objects.get(pk=REFERENTIEL)
    assert (marque.version, marque.empreinte) == ("essai, graine 7", COMPLETE)
    # Those who sign in the story have no password; who may sign in is printed.
    entrent = Utilisateur.objects.filter(courriel__endswith="@demo.example").exclude(password__startswith="!")
    assert {u.courriel for u in entrent} == {compte.courriel for compte in COMPTES}


def test_the_parc_went_through_the_importer_without_a_rejected_line(peuple):
    imports = list(ImportRpls.objects.filter(famille=ImportRpls.Famille.LOI).order_by("millesime"))
    assert [i.millesime for i in imports] == [2025, 2026]
    for import_rpls in imports:
        assert import_rpls.etat == ImportRpls.Etat.APPLIQUE
        assert (import_rpls.lignes_rejetees, import_rpls.lignes_ignorees) == (0, 1)  # the header
        assert import_rpls.rapport["erreurs"] == import_rpls.rapport["avertissements"] == []


def test_the_main_bailleur_has_a_file_to_agree_to(peuple):
    depot = ImportRpls.objects.get(famille=ImportRpls.Famille.DEPOT)
    assert depot.etat == ImportRpls.Etat.A_CONFIRMER
    assert depot.cree_par.courriel == "gestionnaire@demo.example"
    changements = depot.rapport["changements"]
    assert depot.lignes_acceptees == changements["identiques"] + changements["modifies"]
    assert changements["nouveaux"] == 0 and changements["disparus"] == depot.lignes_rejetees


def test_from_one_year_to_the_next_only_what_lives_changes(peuple):
    precedent = ImportRpls.objects.get(millesime=2026, famille="LOI").rapport["precedent"]
    assert precedent["modifies"] < 0.12 * precedent["identiques"]
    assert precedent["nouveaux"] > 0


@pytest.mark.parametrize(("departement", "logements"), [("06", 654), ("22", 241)])
def test_each_departement_has_its_share_of_the_published_total(peuple, departement, logements):
    presents = Logement.objects.filter(departement=departement, millesime=2025, sortie="9")
    assert presents.count() == logements
    etats = EtatParc.objects.filter(departement=departement, millesime=2025)
    assert {e.bailleur.siren for e in etats.select_related("bailleur")} == {
        p.siren for p in scenario.parts_nommees(departement)
    }
    references = list(presents.values_list("bailleur", "ident_int"))
    assert len(set(references)) == len(
        references
    )  # what a spreadsheet of the bailleur names its dwellings by


def test_every_bailleur_that_owns_has_acts_and_calculations(peuple):
    paires = set(Presence.objects.values_list("bailleur_id", "departement_id"))
    for annee in ESSAI.annees:
        for nature in ("PREVISIONNEL", "DEFINITIF"):
            calcules = CalculFlux.objects.filter(annee=annee, nature=nature, en_vigueur=True)
            assert set(calcules.values_list("bailleur_id", "departement_id")) == paires
    assert not CalculAFaire.objects.exists()


def test_flags_are_set_and_obeyed(peuple):
    poses = Drapeau.objects.filter(departement="06", bailleur__nom="Habitat Démonstration Azur")
    assert {"PLAN_DE_VENTE", "DEMOLITION"} <= set(poses.values_list("code", flat=True))
    for drapeau in poses.filter(code="PLAN_DE_VENTE"):
        vises = Logement.objects.filter(bailleur=drapeau.bailleur, programme=drapeau.cible, millesime=2026)
        assert vises.exists()
        assert set(vises.values_list("statut", flat=True)) <= {"VENTE_DEMOLITION", "HORS_PARC"}


def test_liberations_are_those_of_dwellings_of_the_parc(peuple):
    relocations = Liberation.objects.filter(premiere=False)
    connus = set(Logement.objects.values_list("bailleur_id", "cle"))
    assert relocations.exists()
    assert {(b, c) for b, c in relocations.values_list("bailleur_id", "cle_logement")} <= connus
    un = relocations.filter(date__year=2025).order_by("pk").first()
    logement = Logement.objects.get(bailleur=un.bailleur_id, millesime=2025, cle=un.cle_logement)
    for champ in ("adresse", "qpv", "finan", "conv", "nbpiece", "typologie", "financement", "periode"):
        assert getattr(un, champ) == getattr(logement, champ), champ
    assert un.reference == logement.ident_int and un.commune_id == logement.commune_id


def test_the_lease_shown_by_rpls_is_the_one_of_the_attribution(peuple):
    signees = Attribution.objects.filter(date_bail__year=2025).select_related("liberation")
    compares = 0
    for attribution in signees:
        liberation = attribution.liberation
        suivantes = Liberation.objects.filter(
            bailleur=liberation.bailleur_id, cle_logement=liberation.cle_logement, date__gt=liberation.date
        ).filter(date__year__lt=2026)
        logement = Logement.objects.filter(
            bailleur=liberation.bailleur_id, millesime=2026, cle=liberation.cle_logement, mode="1"
        ).first()
        if logement is None or suivantes.exists():
            continue
        compares += 1
        assert logement.bail == attribution.date_bail.replace(day=1)
    assert compares > 10


def test_attributions_count_under_one_title_a_year(peuple):
    assert Imputation.objects.filter(annee=2025).exists()
    assert set(Imputation.objects.values_list("titre", flat=True)) >= {"ETAT", "ALS", "BAILLEUR"}
    assert not Attribution.objects.exclude(departement=F("liberation__departement")).exists()
    assert not Passage.objects.exclude(bailleur=F("liberation__bailleur")).exists()


def test_motives_are_those_of_their_holder(peuple):
    refus = MotifRefus.objects.in_bulk()
    for pk in set(Attribution.objects.exclude(motif_refus=None).values_list("motif_refus", flat=True)):
        assert refus[pk].porteur == "MENAGE"
    for pk in set(Passage.objects.exclude(motif=None).values_list("motif", flat=True)):
        assert refus[pk].porteur == "CALEOL"


def test_households_have_no_name_and_one_hash_each(peuple):
    assert Menage.objects.exists()
    assert not Menage.objects.exclude(numero_hache__regex=r"^[0-9a-f]{64}$").exists()
    assert not (Menage.objects.annotate(n=Count("passages")).filter(Q(n=0) | Q(n__gt=1)).exists())


def test_bailleurs_foresaw_their_soustractions_and_one_owes_the_state(peuple):
    assert set(SoustractionPrevisionnelle.objects.values_list("annee", flat=True)) == {2025, 2026}
    # What is reported is what the flux of the year before says that it lacks: the letters say the same.
    for report in ReportObjectif.objects.all():
        assert (report.bailleur.nom, report.annee) == ("Logis Fictif du Littoral", 2026)
        objet = Objet(Sorte.OBJECTIFS, "06", 2025, bailleur=report.bailleur_id)
        (part,) = (p for p in lire_dossier(objet).parts if p.code == "ETAT")
        assert report.nombre == part.manque > 0
    assert ReportObjectif.objects.count() == Procedure.objects.filter(sorte=Sorte.OBJECTIFS).count()


def test_commissions_to_come_have_candidatures_and_past_ones_are_closed(peuple):
    """What is decided is closed; the main bailleur has one to decide, one convened, one in preparation."""
    a_saisir = Commission.objects.exclude(etat=Commission.Etat.CLOSE)
    assert not Passage.objects.filter(commission__in=a_saisir).exclude(decision="").exists()
    assert not Passage.objects.filter(commission__etat=Commission.Etat.CLOSE, definitif=False).exists()
    principales = a_saisir.filter(bailleur__nom="Habitat Démonstration Azur").order_by("date")
    assert [c.etat for c in principales] == ["CONVOQUEE", "CONVOQUEE", "PREPARATION"]
    assert principales[0].passages.exists()
    assert not Courriel.objects.filter(gabarit="convocation_caleol", etat="EN_ATTENTE").exists()


def test_the_ddets_was_convened_to_every_commission(peuple):
    """All but those in preparation, before they were held."""
    assert not Commission.objects.exclude(etat="PREPARATION").filter(convocations=None).exists()
    assert not Convocation.objects.filter(ecrite_le__date__gte=F("commission__date")).exists()
    assert not Convocation.objects.exclude(departement=F("organisation__departement")).exists()


def test_the_reservataires_have_dwellings_to_fill_and_a_programme_to_agree_on(peuple):
    designations = Designation.objects.select_related("liberation", "reservataire")
    assert {d.reservataire.type for d in designations} >= {"DDETS", "ACTION_LOGEMENT"}
    for designation in designations:
        assert (designation.gestion, designation.etat) == ("DIRECTE", "EN_ATTENTE")
        assert designation.echeance > scenario.AUJOURDHUI
        assert designation.liberation.reservataire_id == designation.reservataire_id
    assert not Courriel.objects.filter(gabarit="logement_a_pourvoir", etat="EN_ATTENTE").exists()
    programme = Programme.objects.get()
    assert programme.etat == "CONCERTATION"
    assert {c.reponse for c in programme.consultations.all()} == {"ACCORD", "ATTENDUE"}


def test_past_bilans_live(peuple):
    """Submitted, sent back, with a demand, validated: the pages have something to say."""
    etats = Bilan.objects.annotate(etat=etats_des_bilans()).exclude(etat=None).values_list("etat", flat=True)
    assert sorted(etats) == ["COMPLEMENT", "RENVOYE", "SOUMIS", "VALIDE"]
    assert VersionCopil.objects.count() == 1 and PointEtape.objects.count() == 1
    recues = VersionReservataire.objects.filter(reservataire__type="ACTION_LOGEMENT")
    assert (recues.filter(point=None).count(), recues.exclude(point=None).count()) == (4, 1)
    premier = EtapeBilan.objects.filter(acte="SOUMETTRE").earliest("le")
    assert premier.le.date() == date(2026, 2, 12)
