"""The queue of the job: one row per pair and year, lost never, computed by one worker at a time."""

import threading
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone

from flux.models import CalculAFaire, CalculFlux, EtapeRecalcul, Nature, Recalcul, SoustractionPrevisionnelle
from flux.services import file_de_calcul
from flux.services.calculs import calculer, verrouiller
from flux.services.file_de_calcul import (
    actualiser_avancement,
    annees_ouvertes,
    grouper,
    lancer_recalcul,
    marquer_a_calculer,
    reprendre,
    traiter,
)
from reservation.acteur import Acteur
from reservation.perimetre import agir
from reservation.signaux import entrees_modifiees
from tests.flux.fabriques import ANNEE, actes_paca, liberation, parc
from tests.personnages import distribuer

SYSTEME = Acteur.du_systeme("essai")


@pytest.fixture
def cast(cast):
    """Bailleurs A and B own a parc in the Alpes-Maritimes, A also one in the Côtes-d'Armor, without any act."""
    for bailleur in (cast.bailleur_a, cast.bailleur_b):
        actes_paca(cast, bailleur)
        parc(bailleur)
    parc(cast.bailleur_a, "22", lots=[{"commune_id": "22278", "anciens": 100, "emmenages": 9}])
    return cast


def attendent() -> list[tuple[int, str, int, int]]:
    return list(
        CalculAFaire.objects.order_by("bailleur", "departement", "annee").values_list(
            "bailleur_id", "departement_id", "annee", "marque"
        )
    )


# --- Asking -------------------------------------------------------------------------------------------------


def test_asked_ten_times_waits_once(cast):
    paire = (cast.bailleur_a.pk, "06")
    for rang in range(10):
        marquer_a_calculer([paire], [ANNEE], f"raison {rang % 2}")
    assert attendent() == [(*paire, ANNEE, 10)]
    ligne = CalculAFaire.objects.get()
    assert ligne.raison == "raison 0 ; raison 1".replace(" ;", "\N{NARROW NO-BREAK SPACE};")
    assert ligne.imputer is False
    marquer_a_calculer([paire], [ANNEE], "raison 0", imputer=True)
    marquer_a_calculer([paire], [ANNEE], "raison 0")
    assert CalculAFaire.objects.get().imputer is True, "une demande plus faible n’efface pas la plus forte"


def test_reasons_never_overflow(cast):
    for rang in range(30):
        marquer_a_calculer([(cast.bailleur_a.pk, "06")], [ANNEE], f"une raison assez longue numéro {rang}")
    assert len(CalculAFaire.objects.get().raison) == 200


def test_a_worker_is_called_after_commit_only(cast, monkeypatch, django_capture_on_commit_callbacks):
    from flux import tasks

    appels = []
    monkeypatch.setattr(tasks.recalculer_departement, "delay", lambda *a: appels.append(a))
    with django_capture_on_commit_callbacks(execute=True):
        marquer_a_calculer([(cast.bailleur_a.pk, "06"), (cast.bailleur_b.pk, "06")], [ANNEE], "essai")
        assert appels == []
    assert appels == [("06", ANNEE)]
    with pytest.raises(RuntimeError), transaction.atomic():
        marquer_a_calculer([(cast.bailleur_a.pk, "22")], [ANNEE], "essai")
        raise RuntimeError
    assert len(appels) == 1


def test_a_large_request_makes_groups_of_departements(cast, monkeypatch, django_capture_on_commit_callbacks):
    """A task does several départements together, progress included; a small request is one task."""
    from flux import tasks

    pays = [(bailleur, f"{n:02}") for n in range(1, 96) for bailleur in range(n % 40)]
    groupes = grouper(pays)
    assert [d for groupe in groupes for d in groupe] == sorted({d for _, d in pays})
    tailles = [sum(d in groupe for _, d in pays) for groupe in groupes]
    assert len(groupes) == -(-len(pays) // 100) and max(tailles) < 140 and min(tailles) > 60
    assert grouper([]) == [] and grouper([(1, "06")]) == [["06"]]

    appels = []
    monkeypatch.setattr(tasks.recalculer_departement, "delay", lambda *a: appels.append(a))
    with django_capture_on_commit_callbacks(execute=True):
        recalcul = lancer_recalcul(SYSTEME, ANNEE, "tout")
    assert appels == [("06", ANNEE, "22")]
    tasks.recalculer_departement(*appels[0])
    assert attendent() == []
    assert list(recalcul.etapes.order_by("departement").values_list("departement", "faits", "total")) == [
        ("06", 2, 2),
        ("22", 1, 1),
    ]


def test_a_broker_that_is_down_loses_nothing(cast, monkeypatch, django_capture_on_commit_callbacks, caplog):
    from flux import tasks

    def en_panne(*_):
        raise ConnectionError("courtier arrêté")

    monkeypatch.setattr(tasks.recalculer_departement, "delay", en_panne)
    with django_capture_on_commit_callbacks(execute=True):
        marquer_a_calculer([(cast.bailleur_a.pk, "06")], [ANNEE], "essai")
    assert len(attendent()) == 1
    appels = []
    monkeypatch.setattr(tasks.recalculer_departement, "delay", lambda *a: appels.append(a))
    with django_capture_on_commit_callbacks(execute=True):
        assert reprendre(timezone.now() - timedelta(minutes=5)) == 0
        assert reprendre(timezone.now()) == 1
    assert appels == [("06", ANNEE)]


def test_changed_inputs_mark_the_open_years(cast, monkeypatch):
    monkeypatch.setattr(file_de_calcul.timezone, "localdate", lambda *_: date(ANNEE, 11, 22))
    paire = (cast.bailleur_a.pk, "06")
    entrees_modifiees.send(sender=None, paires={paire}, annee=None, raison="Convention signée")
    assert attendent() == [(*paire, ANNEE - 1, 1), (*paire, ANNEE, 1)]
    assert all(ligne.imputer for ligne in CalculAFaire.objects.all())
    CalculAFaire.objects.all().delete()
    calculer(*paire, ANNEE + 1, Nature.PREVISIONNEL, "l’an prochain")
    entrees_modifiees.send(sender=None, paires={paire}, annee=ANNEE, raison="RPLS importé")
    assert attendent() == [(*paire, ANNEE, 1), (*paire, ANNEE + 1, 1)]
    assert annees_ouvertes([(cast.bailleur_b.pk, "06")], None, date(ANNEE, 11, 22)) == [ANNEE - 1, ANNEE]


def test_who_may_ask_for_what(cast):
    acteur = cast.acteur
    for nom, perimetre in (
        ("gestionnaire_a", {"bailleur": cast.bailleur_a}),
        ("signataire_a", {"bailleur": cast.bailleur_a, "departements": ["06"]}),
        ("agent_ddets_06", {"departements": ["06"]}),
        ("agent_ddets_06", {"departements": ["06"], "bailleur": cast.bailleur_b}),
    ):
        assert lancer_recalcul(acteur(nom), ANNEE, "demande", **perimetre).demande_par_id
    for nom, perimetre in (
        ("gestionnaire_a", {"bailleur": cast.bailleur_b}),
        ("gestionnaire_a", {"departements": ["06"]}),
        ("gestionnaire_a", {}),
        ("lecteur_a", {"bailleur": cast.bailleur_a}),
        ("administrateur_a", {"bailleur": cast.bailleur_a}),
        ("agent_ddets_06", {"departements": ["22"]}),
        ("agent_ddets_06", {"bailleur": cast.bailleur_a}),
        ("lecteur_ddets_06", {"departements": ["06"]}),
        ("agent_sgc_06", {"departements": ["06"]}),
        ("charge_als", {"bailleur": cast.bailleur_a}),
        ("agent_cannes", {"departements": ["06"]}),
        ("charge_dreal", {"departements": ["06"]}),
        ("sans_organisation", {"bailleur": cast.bailleur_a}),
    ):
        with pytest.raises(PermissionDenied):
            lancer_recalcul(acteur(nom), ANNEE, "demande", **perimetre)
    assert Recalcul.objects.count() == 4


# --- Doing --------------------------------------------------------------------------------------------------


def test_a_request_is_done_and_says_so(cast):
    recalcul = lancer_recalcul(SYSTEME, ANNEE, "tout")
    assert (recalcul.etat, recalcul.libelle) == ("EN_ATTENTE", "France entière")
    assert list(recalcul.etapes.values_list("departement", "total")) == [("06", 2), ("22", 1)]
    fait = traiter("06", ANNEE)
    assert (fait.paires, fait.nouveaux, fait.erreurs) == (2, 2, 0)
    recalcul.refresh_from_db()
    assert recalcul.etat == "EN_COURS" and recalcul.commence_le
    traiter("22", ANNEE)
    recalcul.refresh_from_db()
    assert recalcul.etat == "TERMINE" and recalcul.termine_le
    assert [(e.faits, e.inchanges, e.erreurs) for e in recalcul.etapes.all()] == [(2, 0, 0), (1, 0, 0)]
    assert attendent() == []
    assert CalculFlux.objects.count() == 6


def test_done_twice_changes_nothing(cast):
    lancer_recalcul(SYSTEME, ANNEE, "un")
    traiter("06", ANNEE)
    assert traiter("06", ANNEE).paires == 0
    avant = set(CalculFlux.objects.values_list("pk", "version"))
    second = lancer_recalcul(SYSTEME, ANNEE, "deux", departements=["06"])
    traiter("06", ANNEE)
    assert set(CalculFlux.objects.values_list("pk", "version")) == avant
    assert [(e.faits, e.inchanges) for e in second.etapes.all()] == [(2, 2)]


def test_one_computation_answers_every_request_made_before_it(cast):
    premier = lancer_recalcul(SYSTEME, ANNEE, "un", departements=["06"])
    second = lancer_recalcul(cast.acteur("gestionnaire_a"), ANNEE, "deux", bailleur=cast.bailleur_a)
    assert [marque for *_, marque in attendent()] == [2, 1, 1]
    assert traiter("06", ANNEE).paires == 2
    premier.refresh_from_db()
    second.refresh_from_db()
    assert (premier.etat, second.etat) == ("TERMINE", "EN_COURS"), "il reste les Côtes-d’Armor de A"
    traiter("22", ANNEE)
    second.refresh_from_db()
    assert second.etat == "TERMINE"


def test_what_is_asked_later_does_not_hold_an_earlier_request(cast):
    recalcul = lancer_recalcul(SYSTEME, ANNEE, "un", departements=["06"])
    traiter("06", ANNEE)
    marquer_a_calculer([(cast.bailleur_a.pk, "06")], [ANNEE], "une libération")
    actualiser_avancement(["06"], ANNEE)
    recalcul.refresh_from_db()
    assert recalcul.etat == "TERMINE"


def test_an_empty_perimeter_is_done_at_once(cast):
    recalcul = lancer_recalcul(SYSTEME, ANNEE, "vide", departements=["75"])
    assert recalcul.etat == "TERMINE" and not recalcul.etapes.exists()


def test_errors_are_seen_and_do_not_stop_the_others(cast):
    SoustractionPrevisionnelle.objects.create(
        bailleur=cast.bailleur_a, departement_id="06", annee=ANNEE, categorie="RU", nombre=900
    )
    recalcul = lancer_recalcul(SYSTEME, ANNEE, "tout", departements=["06"])
    fait = traiter("06", ANNEE)
    assert (fait.paires, fait.erreurs) == (2, 1)
    recalcul.refresh_from_db()
    assert recalcul.etat == "ECHEC"
    [etape] = recalcul.etapes.all()
    assert (etape.total, etape.faits, etape.erreurs, etape.inchanges) == (2, 2, 1, 0)
    ligne = CalculAFaire.objects.get()
    assert "900 soustractions prévisionnelles" in ligne.erreur
    assert CalculFlux.objects.filter(bailleur=cast.bailleur_b).count() == 2
    assert traiter("06", ANNEE).paires == 0, "une erreur n’est pas recommencée sans raison"
    SoustractionPrevisionnelle.objects.update(nombre=9)
    marquer_a_calculer([(cast.bailleur_a.pk, "06")], [ANNEE], "corrigées")
    assert traiter("06", ANNEE).erreurs == 0
    assert attendent() == []
    assert CalculFlux.objects.get(bailleur=cast.bailleur_a, nature="PREVISIONNEL").raison == "corrigées"


def test_a_change_during_the_calculation_is_not_lost(cast, monkeypatch):
    """The mark rises between the moment it was read and the end: the row stays, and is computed again."""
    paire = (cast.bailleur_a.pk, "06")
    marquer_a_calculer([paire], [ANNEE], "premier")
    vrai, passages = file_de_calcul.calculer_lot, []

    def pendant(*arguments):
        calculs = vrai(*arguments)
        if not passages:
            liberation(cast.bailleur_a, date(ANNEE, 5, 5))
            marquer_a_calculer([paire], [ANNEE], "libération")
        passages.append(arguments)
        return calculs

    monkeypatch.setattr(file_de_calcul, "calculer_lot", pendant)
    traiter("06", ANNEE)
    assert len(passages) == 2
    assert attendent() == []
    assert CalculFlux.objects.en_vigueur().get(nature="DEFINITIF").liberations == 1


def test_a_complete_year_moves_the_projection_that_rests_on_it(cast, monkeypatch):
    monkeypatch.setattr(file_de_calcul.timezone, "localdate", lambda *_: date(ANNEE, 11, 22))
    paire = (cast.bailleur_a.pk, "22")
    parc(cast.bailleur_a, "22", millesime=ANNEE - 1, lots=[{"commune_id": "22278"}])
    calculer(*paire, ANNEE, Nature.PREVISIONNEL, "taux du RPLS")
    liberation(cast.bailleur_a, date(ANNEE - 2, 6, 1), "22", commune_id="22278")
    for jour in (1, 2):
        liberation(cast.bailleur_a, date(ANNEE - 1, 6, jour), "22", commune_id="22278")
    marquer_a_calculer([paire], [ANNEE - 1], "libérations saisies")
    traiter("22", ANNEE - 1)
    assert attendent() == [(*paire, ANNEE, 1)]
    traiter("22", ANNEE)
    calcul = CalculFlux.objects.en_vigueur().get(nature="PREVISIONNEL", annee=ANNEE)
    assert calcul.resultat["taux_rotation"] == {"points": "1/5", "origine": "OBSERVE"}
    assert "taux de rotation observé" in calcul.raison


def test_an_agreed_rate_is_not_moved_by_the_year_before(cast, monkeypatch):
    monkeypatch.setattr(file_de_calcul.timezone, "localdate", lambda *_: date(ANNEE, 11, 22))
    paire = (cast.bailleur_a.pk, "06")
    calculer(*paire, ANNEE, Nature.PREVISIONNEL, "taux convenu")
    liberation(cast.bailleur_a, date(ANNEE - 1, 6, 1))
    marquer_a_calculer([paire], [ANNEE - 1], "libération saisie")
    traiter("06", ANNEE - 1)
    assert attendent() == []


# --- Two workers --------------------------------------------------------------------------------------------


class Ailleurs(threading.Thread):
    """Runs `travail` on a connection of its own, and says what happened."""

    def __init__(self, travail):
        super().__init__()
        self.travail, self.resultat, self.erreur = travail, None, None

    def run(self):
        try:
            with agir(Acteur.du_systeme("essai, dans un autre fil")):
                self.resultat = self.travail()
        except Exception as erreur:
            self.erreur = erreur
        finally:
            connection.close()

    def finir(self):
        self.join(timeout=30)
        assert not self.is_alive()
        if self.erreur:
            raise self.erreur
        return self.resultat


@pytest.fixture
def cast_engage(transactional_db):
    cast = distribuer()
    for bailleur in (cast.bailleur_a, cast.bailleur_b):
        actes_paca(cast, bailleur)
        parc(bailleur)
    return cast


def test_a_pair_that_is_being_computed_is_left_to_who_computes_it(cast_engage):
    cast = cast_engage
    lancer_recalcul(SYSTEME, ANNEE, "tout", departements=["06"], appeler=False)
    with transaction.atomic():
        verrouiller([(cast.bailleur_a.pk, "06")], ANNEE)
        fait = Ailleurs(lambda: traiter("06", ANNEE))
        fait.start()
        assert fait.finir().paires == 1
    assert [bailleur for bailleur, *_ in attendent()] == [cast.bailleur_a.pk]
    assert traiter("06", ANNEE).paires == 1
    assert EtapeRecalcul.objects.get().faits == 2


def test_another_year_of_the_same_pair_does_not_wait_nor_is_left(cast_engage):
    """Two tasks of one change (last year, this year) start together: none leaves its year behind."""
    paire = (cast_engage.bailleur_a.pk, "06")
    marquer_a_calculer([paire], [ANNEE, ANNEE + 1], "un import", appeler=False)
    with transaction.atomic():
        verrouiller([paire], ANNEE)
        autre = Ailleurs(lambda: traiter("06", ANNEE + 1))
        autre.start()
        assert autre.finir().paires == 1
    assert attendent() == [(*paire, ANNEE, 1)]


def test_two_workers_share_the_queue_and_make_one_version_each(cast_engage):
    lancer_recalcul(SYSTEME, ANNEE, "tout", departements=["06"], appeler=False)
    ensemble = [Ailleurs(lambda: traiter("06", ANNEE)) for _ in range(3)]
    for travailleur in ensemble:
        travailleur.start()
    faits = [travailleur.finir() for travailleur in ensemble]
    assert sum(fait.nouveaux for fait in faits) == 2
    assert set(CalculFlux.objects.values_list("version", flat=True)) == {1}
    assert attendent() == []
    assert Recalcul.objects.get().etat == "TERMINE"


def test_a_row_that_somebody_is_changing_is_left(cast_engage):
    """An open transaction holds the row: the worker neither waits for it nor loses its change."""
    cast = cast_engage
    paire = (cast.bailleur_a.pk, "06")
    marquer_a_calculer([paire], [ANNEE], "premier", appeler=False)
    with transaction.atomic():
        marquer_a_calculer([paire], [ANNEE], "en cours de saisie", appeler=False)
        travailleur = Ailleurs(lambda: traiter("06", ANNEE))
        travailleur.start()
        assert travailleur.finir().nouveaux == 1
    assert attendent() == [(*paire, ANNEE, 2)]
    traiter("06", ANNEE)
    assert attendent() == []


def test_a_foreground_calculation_waits_for_its_turn(cast_engage):
    paire = (cast_engage.bailleur_a.pk, "06")
    with transaction.atomic():
        verrouiller([paire], ANNEE)
        autre = Ailleurs(lambda: calculer(*paire, ANNEE, Nature.DEFINITIF, "à son tour").version)
        autre.start()
        autre.join(timeout=1)
        assert autre.is_alive()
    assert autre.finir() == 1


def test_a_refused_batch_is_done_pair_by_pair(cast_engage, monkeypatch, caplog):
    """The database refuses one pair (here a figure too large for its column): the other is written, it is seen."""
    from django.db import DataError

    lancer_recalcul(SYSTEME, ANNEE, "tout", departements=["06"], appeler=False)
    vrai = file_de_calcul.calculer_lot

    def refuser(paires, *reste):
        if (cast_engage.bailleur_a.pk, "06") in paires:
            raise DataError("integer out of range")
        return vrai(paires, *reste)

    monkeypatch.setattr(file_de_calcul, "calculer_lot", refuser)
    fait = traiter("06", ANNEE)
    assert (fait.paires, fait.nouveaux, fait.erreurs) == (2, 1, 1)
    ligne = CalculAFaire.objects.get()
    assert (ligne.bailleur_id, ligne.erreur) == (
        cast_engage.bailleur_a.pk,
        "Erreur de la base de données (DataError).",
    )
    assert Recalcul.objects.get().etat == "ECHEC"
