"""The ledger in the database: who writes it, what the objectives inherit, and that there is no second way."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import ProgrammingError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from bilans.models import EcritureRegistre
from bilans.regles.registre_dettes import Nature, Poste
from bilans.services import registre
from bilans.services.registre import Cle
from flux.models import CalculAFaire, CodeMotif, ReportObjectif
from flux.models import Nature as NatureFlux
from flux.services.attributions import defaire_dernier_acte
from flux.services.calculs import calculer
from reservation.acteur import Acteur
from reservation.models import Organisation, Presence
from reservation.perimetre import agir
from reservation.signaux import bailleurs_fusionnes
from tests.flux.fabriques import actes_paca, attribution, liberation, parc

JOUR = {"jour": date(2026, 6, 12), "fondement": "convention, article 8.2"}
SYSTEME = Acteur.du_systeme("essai")


@pytest.fixture
def cle(cast) -> Cle:
    return Cle(cast.bailleur_a.pk, "06", cast.als.pk)


@pytest.fixture
def signataire(cast) -> Acteur:
    return cast.acteur("signataire_ddets_06")


def endetter(acteur, cle, ouverts=9, reportes=0, attribues=0):
    compte = registre.ouvrir(acteur, cle, 2025, ouverts, **JOUR)
    if reportes:
        compte = registre.reporter(acteur, cle, 2025, reportes, annee=2026, **JOUR)
    if attribues:
        compte = registre.attribuer_directement(acteur, cle, 2025, attribues, **JOUR)
    return compte


def reports(cle: Cle) -> dict[int, int]:
    return dict(ReportObjectif.objects.filter(**cle.filtre).order_by("annee").values_list("annee", "nombre"))


def test_a_debt_reported_raises_the_objective_and_asks_for_the_flux_again(cast, cle, signataire):
    with agir(signataire):
        compte = endetter(signataire, cle, 9, 6, 3)
    assert compte.reste == 9 and registre.lire_compte(cle) == compte
    assert reports(cle) == {2026: 6}
    assert "6 de 2025" in ReportObjectif.objects.get(**cle.filtre).motif
    assert CalculAFaire.objects.filter(bailleur=cast.bailleur_a, departement="06", annee=2026).exists()
    derniere = EcritureRegistre.objects.order_by("pk").last()
    assert (derniere.nature, derniere.organisation, derniere.ecrite_par) == (
        "ATTRIBUTION",
        cast.ddets_06,
        cast.signataire_ddets_06,
    )


def test_the_objective_of_the_flux_is_that_of_the_ledger(cast, cle, signataire):
    actes_paca(cast)
    parc(cast.bailleur_a)
    endetter(signataire, cle, 9, 6)
    part = calculer(cast.bailleur_a.pk, "06", 2026, NatureFlux.PREVISIONNEL, "essai").parts.get(code="ALS")
    assert (part.report, part.objectif_total) == (6, part.objectif + 6)


def test_years_follow_each_other_oldest_first(cle, signataire):
    endetter(signataire, cle, 9, 9)
    registre.clore_annee(signataire, cle, 2026, part=20, realise=4, **JOUR)
    assert reports(cle) == {2026: 9, 2027: 5}
    compte = registre.clore_annee(signataire, cle, 2027, part=20, realise=30, **JOUR)
    assert reports(cle) == {2026: 9, 2027: 5} and compte.reste == 0
    with pytest.raises(ValidationError, match="2027 est close"):
        registre.clore_annee(signataire, cle, 2027, part=20, realise=30, **JOUR)


def test_never_both_and_taken_back_or_cancelled_the_objective_follows(cle, signataire):
    endetter(signataire, cle, 9, 6, 3)
    for acte, suite in ((registre.reporter, {"annee": 2026}), (registre.attribuer_directement, {})):
        with pytest.raises(ValidationError, match="il y en a 0"):
            acte(signataire, cle, 2025, 1, **suite, **JOUR)
    registre.reprendre(signataire, cle, 2025, 2, annee=2026, **JOUR)
    assert reports(cle) == {2026: 4}
    registre.annuler(signataire, cle, 2025, 4, Poste.REPORTES, annee=2026, **JOUR)
    assert reports(cle) == {}
    assert EcritureRegistre.objects.count() == 5


def test_an_attribution_of_the_prefet_discharges_one_dwelling_once(cast, cle, signataire):
    endetter(signataire, cle, 2, 0, 2)
    lieu = {"reservataire": cast.als}
    premiere, seconde, refusee = (
        attribution(liberation(cast.bailleur_a, date(2026, 5, j), **lieu), date(2026, 6, j))
        for j in (1, 2, 3)
    )
    assert registre.imputer(signataire, premiere, **JOUR).dette(2025).imputes == 1
    with pytest.raises(ValidationError, match="décharge déjà une dette"):
        registre.imputer(signataire, premiere, **JOUR)
    refusee.refusee_le = date(2026, 6, 8)
    refusee.save()
    with pytest.raises(ValidationError, match="a été refusée"):
        registre.imputer(signataire, refusee, **JOUR)
    assert registre.imputer(signataire, seconde, **JOUR).reste == 0
    autre = attribution(liberation(cast.bailleur_a, date(2026, 5, 9), **lieu), date(2026, 6, 9))
    with pytest.raises(ValidationError, match="1 logement demandé, il y en a 0"):
        registre.imputer(signataire, autre, **JOUR)


def test_an_attribution_that_discharges_a_debt_is_not_taken_back(cast, cle, signataire):
    endetter(signataire, cle, 1, 0, 1)
    libre = liberation(cast.bailleur_a, date(2026, 5, 1), reservataire=cast.als)
    registre.imputer(signataire, attribution(libre, date(2026, 6, 1)), **JOUR)
    motif = CodeMotif.objects.filter(acte=CodeMotif.Acte.CORRECTION).order_by("pk").first()
    with pytest.raises(ValidationError, match="décharge une dette du registre"):
        defaire_dernier_acte(cast.acteur("gestionnaire_a"), libre, motif=motif)
    assert libre.attributions.exists()


@pytest.mark.parametrize(
    "qui",
    [
        *("signataire_a", "agent_ddets_06", "lecteur_ddets_06", "agent_sgc_06", "signataire_ddets_22"),
        *("charge_als", "charge_dreal", "operateur"),
    ],
)
def test_only_who_signs_for_the_ddets_writes(cast, cle, qui):
    acteur = cast.acteur(qui)
    with agir(acteur), pytest.raises(PermissionDenied):
        registre.ouvrir(acteur, cle, 2025, 9, **JOUR)
    assert not EcritureRegistre.objects.exists()


def test_a_decision_is_neither_of_tomorrow_nor_about_what_is_no_objective(cast, cle, signataire):
    demain = timezone.localdate() + timedelta(days=1)
    with pytest.raises(ValidationError, match="dans l’avenir"):
        registre.ouvrir(signataire, cle, 2025, 9, jour=demain, fondement="x")
    with pytest.raises(ValidationError, match="n’est pas un objectif"):
        registre.ouvrir(signataire, cle._replace(reservataire=cast.bailleur_a.pk), 2025, 9, **JOUR)
    Presence.objects.filter(bailleur=cast.bailleur_b, departement="06").delete()
    with pytest.raises(ValidationError, match="pas de logement dans ce département"):
        registre.ouvrir(signataire, cle._replace(bailleur=cast.bailleur_b.pk), 2025, 9, **JOUR)


def test_nothing_is_rewritten_and_there_is_no_second_way(cast, cle, signataire):
    endetter(signataire, cle, 9, 6)
    for sql in ("UPDATE bilans_ecritureregistre SET nombre = 1", "DELETE FROM bilans_ecritureregistre"):
        with (
            pytest.raises(ProgrammingError, match="Cannot update or delete"),
            transaction.atomic(),
            connection.cursor() as curseur,
        ):
            curseur.execute(sql)
    # The database lets no person write a report, the DDETS included: only the application, from the ledger.
    with agir(signataire):
        with connection.cursor() as curseur:
            curseur.execute("UPDATE flux_reportobjectif SET nombre = 1")
            assert curseur.rowcount == 0
        with pytest.raises(ProgrammingError), transaction.atomic():
            ReportObjectif.objects.create(**cle.filtre, annee=2030, nombre=1, motif="autre voie")
    assert reports(cle) == {2026: 6}


def test_what_is_due_follows_a_merger_of_bailleurs(cast, cle, signataire):
    endetter(signataire, cle, 9, 6, 1)
    autre = cle._replace(bailleur=cast.bailleur_b.pk)
    endetter(signataire, autre, 3, 3)
    bailleurs_fusionnes.send(
        sender=Organisation, absorbe=cast.bailleur_a, absorbant=cast.bailleur_b, effet=date(2026, 1, 1)
    )
    assert registre.lire_compte(cle).reste == 0 and reports(cle) == {}
    assert registre.lire_compte(autre).reste == 12 and reports(autre) == {2026: 9}
    assert "Fusion" in EcritureRegistre.objects.filter(nature=Nature.APPORT).order_by("pk").first().fondement


# --- Pages ------------------------------------------------------------------------------------------------------


def test_the_pages_say_where_each_dwelling_is(cast, cle, signataire, client, django_assert_max_num_queries):
    endetter(signataire, cle, 9, 6, 3)
    registre.clore_annee(signataire, cle, 2026, part=20, realise=4, **JOUR)
    client.force_login(cast.gestionnaire_a)
    with django_assert_max_num_queries(20):
        liste = client.get(reverse("bilans:registres"))
    assert "1 compte" in liste.content.decode() and "Action Logement Services" in liste.content.decode()
    page = client.get(reverse("bilans:registre", args=cle)).content.decode()
    for attendu in (
        "Restent dus : 5 logements",
        "6 logements de plus (6 de 2025)",
        "2 logements de plus (2 de 2025)",
        "Attribution directe décidée",
        "convention, article 8.2",
    ):
        assert attendu in page, attendu
    client.force_login(cast.gestionnaire_b)
    assert "Aucune dette n’est inscrite" in client.get(reverse("bilans:registres")).content.decode()
    assert client.get(reverse("bilans:registre", args=cle)).status_code == 404
