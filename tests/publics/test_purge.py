"""What is forgotten and when: dates of each rule, batches, lock, report; what must stay stays."""

import io
import json
from datetime import UTC, date, datetime, timedelta
from unittest import mock

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from flux.models import Attribution, Commission, FiltreEnregistre, Passage
from flux.regles.conservation import FILTRES_ENREGISTRES
from publics.models import CategorieLabel, Labellisation, LectureSensible, Menage, RapportPurge
from publics.regles.conservation import dernier_exercice_echu
from publics.services import purge
from publics.services.menages import renouveler_les_empreintes, retrouver_menage
from reservation.acteur import Acteur
from reservation.models import Courriel, ImportRpls, Rattachement
from reservation.regles.conservation import echeance
from reservation.regles.typographie import accorder
from reservation.services.conservation import Purgeur, enregistrer_purgeur, purgeurs
from reservation.traces import modeles_de_trace
from tests.acces.decor import ANNEE

SYSTEME = Acteur.du_systeme("essai de purge")


@pytest.fixture
def cast(decor):
    return decor.cast


# --- Dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("jour", "annee"),
    [
        (date(2027, 2, 28), 2024),
        (date(2027, 3, 1), 2025),
        (date(2028, 2, 29), 2025),
        (date(2028, 3, 1), 2026),
    ],
)
def test_a_year_is_past_twelve_months_after_its_bilan_is_due(jour, annee):
    assert dernier_exercice_echu(jour) == annee


@pytest.mark.parametrize(
    ("jour", "mois", "attendu"),
    [
        (date(2026, 11, 15), 12, date(2025, 11, 15)),
        (date(2028, 2, 29), 12, date(2027, 2, 28)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2026, 1, 5), 1, date(2025, 12, 5)),
        (date(2026, 1, 5), 0, date(2026, 1, 5)),
    ],
)
def test_term_of_a_number_of_months(jour, mois, attendu):
    assert echeance(jour, mois) == attendu


@given(st.dates(date(2020, 1, 1), date(2060, 12, 31)), st.integers(0, 120))
def test_terms_never_go_past_their_months(jour, mois):
    terme = echeance(jour, mois)
    assert (jour.year - terme.year) * 12 + jour.month - terme.month == mois
    assert terme.day <= jour.day


# --- Households -------------------------------------------------------------------------------------------------------

APRES = date(ANNEE + 2, 3, 1)  # first day on which the households of ANNEE are no longer kept


def purger_au(jour: date, **options) -> RapportPurge:
    with mock.patch("django.utils.timezone.localdate", return_value=jour):
        return purge.purger(SYSTEME, jour, **options)


def ligne(rapport: RapportPurge, code: str) -> dict:
    return next(ligne for ligne in rapport.lignes if ligne["code"] == code)


@pytest.mark.django_db
def test_households_go_the_day_their_year_is_past(decor):
    a = decor.a.attribution.menage
    veille = purge.compter(APRES - timedelta(days=1))
    assert ligne(veille, "MENAGES")["echus"] == 0
    # Their label has no end, but they are housed: it keeps nobody.
    assert ligne(purge.compter(APRES), "MENAGES") == {
        "code": "MENAGES",
        "donnees": ligne(veille, "MENAGES")["donnees"],
        "echus": 3,
        "purges": 0,
    }
    assert Menage.objects.get(pk=a.pk).numero_hache == a.numero_hache
    rapport = purger_au(APRES, taille_lot=1)
    assert ligne(rapport, "MENAGES")["purges"] == 3
    efface = Menage.objects.get(pk=a.pk)
    assert (efface.numero_fin, efface.cle_numero, efface.efface_le) == ("", "", APRES)
    assert efface.numero_hache != a.numero_hache and len(efface.numero_hache) == 64
    assert Attribution.objects.get(pk=decor.a.attribution.pk).menage_id == a.pk
    assert efface.labels.count() == 2
    assert ligne(purge.compter(APRES), "MENAGES")["echus"] == 0
    assert renouveler_les_empreintes(SYSTEME) == 0  # nothing left to renew on them


@pytest.mark.django_db
def test_a_forgotten_household_is_not_found_again(decor):
    numero = "0061125DEMO0000042"
    menage = retrouver_menage(numero, "06")
    Attribution.objects.filter(pk=decor.a.attribution.pk).update(menage=menage)
    purger_au(APRES)
    assert retrouver_menage(numero, "06").pk != menage.pk


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fait", ["attribution", "bail", "passage", "label qui débute", "label qui finit", "label en attente"]
)
def test_anything_later_keeps_a_household(decor, fait):
    menage = retrouver_menage("0061125DEMO0000042", "06")
    label = {"menage": menage, "departement_id": "06", "categorie": CategorieLabel.objects.get(pk="DALO")}
    suivante = date(ANNEE + 1, 1, 5)
    match fait:
        case "attribution":
            Attribution.objects.filter(pk=decor.a.attribution.pk).update(menage=menage, date_caleol=suivante)
        case "bail":
            Attribution.objects.filter(pk=decor.a.attribution.pk).update(menage=menage, date_bail=suivante)
        case "passage":
            commission = Commission.objects.create(
                bailleur=decor.a.bailleur, departement_id="06", date=suivante
            )
            Passage.objects.create(
                bailleur=decor.a.bailleur,
                departement_id="06",
                commission=commission,
                liberation=decor.a.liberation_als,
                menage=menage,
                decision=Passage.Decision.IRRECEVABLE,
            )
        case "label qui débute":
            Labellisation.objects.create(**label, debut=suivante, fin=suivante)
        case "label qui finit":
            Labellisation.objects.create(**label, debut=date(2020, 1, 1), fin=suivante)
        case "label en attente":
            Labellisation.objects.create(**label, debut=date(2020, 1, 1))
    purger_au(APRES)
    menage.refresh_from_db()
    assert menage.efface_le is None


@pytest.mark.django_db
def test_households_that_no_bilan_counts_are_deleted(decor):
    seul = retrouver_menage("0061125DEMO0000042", "06")
    label = Labellisation.objects.create(
        menage=seul,
        departement_id="06",
        categorie=CategorieLabel.objects.get(pk="DALO"),
        debut=date(2020, 1, 1),
        fin=date(ANNEE, 12, 31),
    )
    purger_au(APRES)
    assert not Menage.objects.filter(pk=seul.pk).exists()
    assert not Labellisation.objects.filter(pk=label.pk).exists()


# --- The other rules --------------------------------------------------------------------------------------------------


def le(jour: date) -> datetime:
    return timezone.make_aware(datetime(jour.year, jour.month, jour.day, 12))


@pytest.mark.django_db
def test_imported_files_go_and_their_reports_stay(decor, django_capture_on_commit_callbacks):
    jour = timezone.localdate()
    anciens = ImportRpls.objects.filter(pk__in=[decor.a.import_rpls.pk, decor.a.import_a_confirmer.pk])
    anciens.update(cree_le=le(jour - timedelta(days=400)))
    ImportRpls.objects.filter(pk=decor.a.import_rpls.pk).update(applique_le=le(jour - timedelta(days=367)))
    decor.a.import_rpls.refresh_from_db()
    fichiers = [decor.a.import_rpls.fichier.name, decor.a.import_rpls.rejets]
    assert all(default_storage.exists(nom) for nom in fichiers)
    with django_capture_on_commit_callbacks(execute=True):
        rapport = purge.purger(SYSTEME, jour)
        assert all(default_storage.exists(nom) for nom in fichiers)  # not before the rows have forgotten them
    assert not any(default_storage.exists(nom) for nom in fichiers)
    assert ligne(rapport, "FICHIERS_IMPORTES")["purges"] == 1
    garde = ImportRpls.objects.get(pk=decor.a.import_rpls.pk)
    assert (garde.fichier.name, garde.rejets) == ("", "")
    assert garde.rapport == decor.a.import_rpls.rapport
    assert ImportRpls.objects.get(pk=decor.a.import_a_confirmer.pk).fichier  # nobody has decided yet
    assert ImportRpls.objects.get(pk=decor.b.import_rpls.pk).fichier


@pytest.mark.django_db
def test_closed_accounts_lose_their_name_and_keep_their_acts(cast):
    jour = timezone.localdate()
    tot, tard = jour - timedelta(days=500), jour - timedelta(days=100)

    def fermer(nom, fin, vu, actif=False):
        utilisateur = cast.gens[nom]
        utilisateur.is_active, utilisateur.last_login = actif, le(vu)
        utilisateur.date_joined = le(tot)
        utilisateur.save()
        Rattachement.objects.filter(utilisateur=utilisateur).update(fin=fin)
        return utilisateur

    partie = fermer("gestionnaire_b", tot, tot)
    fermer("signataire_a", tard, tot)
    fermer("lecteur_a", tot, tard)
    fermer("agent_caf", tot, tot, actif=True)
    fermer("agent_cannes", None, tot)
    rapport = purge.purger(SYSTEME, jour)
    assert ligne(rapport, "COMPTES_FERMES")["purges"] == 1
    partie.refresh_from_db()
    assert (partie.nom, partie.courriel) == (
        f"Compte fermé n° {partie.pk}",
        f"compte-{partie.pk}@ferme.invalid",
    )
    assert not partie.has_usable_password() and partie.last_login is None
    assert partie.rattachements.count() == 1
    assert not cast.gens["signataire_a"].__class__.objects.filter(courriel__contains="b.example").exists()


@pytest.mark.django_db
def test_readings_and_sessions(decor):
    jour = timezone.localdate()
    communs = {"organisation": decor.cast.ddets_06, "departement_id": "06", "objet": "label 1", "page": "/"}
    with mock.patch("django.utils.timezone.now", return_value=le(jour - timedelta(days=367))):
        LectureSensible.objects.create(utilisateur=decor.cast.agent_ddets_06, **communs)
    LectureSensible.objects.create(utilisateur=decor.cast.lecteur_ddets_06, **communs)
    Session.objects.create(session_key="vieille", session_data="", expire_date=le(jour - timedelta(days=1)))
    Session.objects.create(session_key="neuve", session_data="", expire_date=le(jour + timedelta(days=1)))
    rapport = purge.purger(SYSTEME, jour)
    assert ligne(rapport, "LECTURES_SENSIBLES")["purges"] == ligne(rapport, "SESSIONS")["purges"] == 1
    assert LectureSensible.objects.get().utilisateur == decor.cast.lecteur_ddets_06
    assert set(Session.objects.values_list("pk", flat=True)) == {"neuve"}


# --- The purge itself -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_interrupted_it_goes_on(decor):
    for n in range(5):
        retrouver_menage(f"0061125DEMO000004{n}", "06")
    vrai = next(p for p in purgeurs() if p.regle.code == "MENAGES")
    tours = []

    def deux_lots(jour, nombre):
        if len(tours) == 2:
            raise RuntimeError("coupure")
        tours.append(nombre)
        return vrai.purger(jour, nombre)

    coupe = Purgeur(vrai.regle, vrai.compter, deux_lots)
    with (
        mock.patch.object(purge, "purgeurs", return_value=[coupe]),
        pytest.raises(RuntimeError, match="coupure"),
    ):
        purge.purger(SYSTEME, timezone.localdate(), taille_lot=2)
    interrompu = RapportPurge.objects.get()
    assert (interrompu.terminee_le, interrompu.total) == (None, 4)
    suivant = purge.purger(SYSTEME, timezone.localdate(), taille_lot=2)
    assert ligne(suivant, "MENAGES") | {"donnees": ""} == {
        "code": "MENAGES",
        "donnees": "",
        "echus": 1,
        "purges": 1,
    }
    assert suivant.terminee_le is not None


@pytest.mark.django_db
def test_one_at_a_time_by_the_system_and_not_before_its_time(cast):
    jour = timezone.localdate()
    with pytest.raises(PermissionDenied):
        purge.purger(cast.acteur("agent_ddets_06"), jour)
    with pytest.raises(ValidationError, match="devance"):
        purge.purger(SYSTEME, jour + timedelta(days=1))
    autre = connection.copy()
    try:
        with autre.cursor() as curseur:
            curseur.execute("SELECT pg_advisory_lock(%s, 0)", [purge.CLASSE_PURGE])
        with pytest.raises(CommandError, match="déjà en cours"):
            call_command("purger", "--appliquer")
    finally:
        autre.close()
    assert not RapportPurge.objects.exists()


def test_a_rule_has_one_purge():
    with pytest.raises(ValueError, match="Deux purges"):
        enregistrer_purgeur(purgeurs()[0])
    codes = [purgeur.regle.code for purgeur in purgeurs()]
    assert {"COMPTES_FERMES", "FICHIERS_IMPORTES", "LECTURES_SENSIBLES", "MENAGES", "SESSIONS"} <= set(codes)
    assert codes == sorted(codes)


def jouer(*arguments) -> str:
    sortie = io.StringIO()
    call_command("purger", *arguments, stdout=sortie)
    return sortie.getvalue()


@pytest.mark.django_db
def test_command_is_dry_then_leaves_its_report():
    menage = retrouver_menage("0061125DEMO0000042", "06")
    assert "Rien n’est écrit" in jouer()
    a_blanc = json.loads(jouer("--json"))
    assert (a_blanc["appliquee"], a_blanc["rapport"], a_blanc["total"]) == (False, None, 0)
    assert Menage.objects.filter(pk=menage.pk).exists() and not RapportPurge.objects.exists()
    echus = sum(ligne["echus"] for ligne in a_blanc["lignes"])  # those of the decor of this module among them
    assert accorder(echus, "ligne purgée", "lignes purgées") in jouer("--appliquer").replace("\u202f", " ")
    rapport = RapportPurge.objects.get()
    assert rapport.lancee_par == "commande purger"
    assert json.loads(json.dumps(rapport.lignes)) == rapport.lignes
    assert not Menage.objects.filter(pk=menage.pk).exists()
    assert json.loads(jouer("--json", "--appliquer"))["total"] == 0


# --- E-mails and invitations ------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("jour", "reste"), [(date(2027, 6, 15), True), (date(2027, 6, 16), False)])
def test_an_email_goes_twelve_months_after_it_was_written(decor, jour, reste):
    ecrit = Courriel.objects.create(
        gabarit="fusion",
        destinataire="quelqu-un@essai.example",
        objet="Objet",
        corps_texte="Texte",
        corps_html="<p>Texte</p>",
        etat=Courriel.Etat.ENVOYE,
        prochain_essai_le=timezone.now(),
        envoye_le=timezone.now(),
    )
    Courriel.objects.filter(pk=ecrit.pk).update(
        ecrit_le=datetime(2026, 6, 15, 9, tzinfo=timezone.get_current_timezone())
    )
    purger_au(jour)
    assert Courriel.objects.filter(pk=ecrit.pk).exists() is reste


@pytest.mark.django_db
def test_an_email_that_waits_is_never_forgotten(decor):
    attente = Courriel.objects.create(
        gabarit="fusion",
        destinataire="quelqu-un@essai.example",
        objet="Objet",
        corps_texte="Texte",
        corps_html="<p>Texte</p>",
        prochain_essai_le=timezone.now(),
    )
    Courriel.objects.filter(pk=attente.pk).update(
        ecrit_le=datetime(2020, 1, 1, tzinfo=timezone.get_current_timezone())
    )
    purger_au(date(2030, 1, 1))
    assert Courriel.objects.filter(pk=attente.pk).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("jour", "nommee"), [(date(2027, 3, 10), True), (date(2027, 3, 11), False)])
def test_an_ended_invitation_keeps_its_roles_and_loses_its_address(decor, jour, nommee):
    invitation = decor.a.invitation
    fin = datetime(2026, 3, 10, 9, tzinfo=timezone.get_current_timezone())
    type(invitation).objects.filter(pk=invitation.pk).update(expire_le=fin)
    avant = invitation.courriel
    purger_au(jour)
    apres = type(invitation).objects.get(pk=invitation.pk)
    assert (apres.courriel == avant) is nommee and apres.roles == invitation.roles


# --- Traces -----------------------------------------------------------------------------------------------------------


def test_traces_hold_nothing_that_a_purge_would_have_to_erase():
    """They are never rewritten: what leads to a person is not in them."""
    modeles = modeles_de_trace()
    colonnes = {type_: {champ.name for champ in modele._meta.fields} for type_, modele in modeles.items()}
    assert not colonnes["publics.menage"] & {"numero_hache", "numero_fin", "cle_numero"}
    assert not colonnes["reservation.utilisateur"] & {"courriel", "nom", "password"}
    assert not colonnes["reservation.invitation"] & {"courriel", "tirage", "secret_hache"}


@pytest.mark.django_db
def test_the_filters_of_a_closed_account_go_a_month_later(decor):
    [purgeur] = [p for p in purgeurs() if p.regle is FILTRES_ENREGISTRES]
    fermeture = datetime(2025, 3, 10, 12, tzinfo=UTC)
    personne = decor.a.filtre.utilisateur
    assert purgeur.compter(date(2026, 1, 1)) == 0
    personne.is_active, personne.ferme_le = False, fermeture
    personne.save(update_fields=["is_active", "ferme_le"])
    assert (purgeur.compter(date(2025, 4, 10)), purgeur.compter(date(2025, 4, 11))) == (0, 1)
    assert purgeur.purger(date(2025, 4, 11), 10) == 1
    assert not FiltreEnregistre.objects.filter(utilisateur=personne).exists()
