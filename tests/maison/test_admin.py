"""Django's admin: support's alone, with a second factor, on what belongs to no tenant."""

from datetime import date

import pytest
from django.urls import reverse

from config.admin import site
from flux.models import MotifRefus
from publics.models import CategorieLabel
from reservation.models import Utilisateur
from reservation.perimetre import tables_de_locataires
from tests.acces.matrice import TABLES_COMMUNES
from tests.personnages import MOT_DE_PASSE

pytestmark = pytest.mark.django_db


@pytest.fixture
def support(client):
    personne = Utilisateur.objects.create_user("aide@site.example", MOT_DE_PASSE, nom="Aide", is_staff=True)
    client.force_login(personne)
    return client


def test_no_table_of_tenants_is_there():
    assert not {modele._meta.db_table for modele in site._registry} & tables_de_locataires()


@pytest.mark.parametrize("table", TABLES_COMMUNES)
def test_support_reads_every_table(support, table, django_assert_max_num_queries):
    with django_assert_max_num_queries(14):
        assert support.get(reverse(f"admin:{table}_changelist")).status_code == 200
    if "add" in TABLES_COMMUNES[table]:
        assert support.get(reverse(f"admin:{table}_add")).status_code == 200


def test_the_index_leads_to_each(support):
    page = support.get(reverse("admin:index")).content.decode()
    for table in TABLES_COMMUNES:
        assert reverse(f"admin:{table}_changelist") in page
    assert "style=" not in page and "onclick" not in page


def test_a_motive_changes_but_not_its_code(support):
    motif = MotifRefus.objects.filter(porteur="MENAGE").order_by("pk").first()
    adresse = reverse("admin:flux_motifrefus_change", args=[motif.pk])
    envoi = {"code": "AUTRE", "libelle": "Quartier", "porteur": "MENAGE", "rang": "1"}
    assert support.post(adresse, envoi).status_code == 302
    apres = MotifRefus.objects.get(pk=motif.pk)
    assert (apres.libelle, apres.code, apres.actif) == ("Quartier", motif.code, False)
    assert support.get(f"{adresse[:-7]}delete/").status_code == 404


def test_a_ground_is_added_with_its_date_and_its_group_stays(support):
    adresse = reverse("admin:publics_categorielabel_add")
    envoi = {"code": "l441_1_n", "libelle": "Nouveau public", "article": "CCH, art. L. 441-1, n"}
    envoi |= {"groupe_defaut": "2", "debut": "2026-01-01", "rang": "99"}
    for fautif in (
        {"debut": ""},
        {"code": "1 n"},
        {"fin": "2025-12-31"},
        {"groupe_defaut": "4"},
        {"rang": "1"},
    ):
        assert support.post(adresse, envoi | fautif).status_code == 200
    assert support.post(adresse, envoi).status_code == 302
    change = reverse("admin:publics_categorielabel_change", args=["L441_1_N"])
    assert (
        support.post(change, envoi | {"code": "X", "groupe_defaut": "3", "fin": "2026-12-31"}).status_code
        == 302
    )
    ajoutee = CategorieLabel.objects.get(pk="L441_1_N")
    assert (ajoutee.groupe_defaut, ajoutee.fin) == (2, date(2026, 12, 31))


def test_accounts_are_only_looked_at(support):
    autre = Utilisateur.objects.create_user("autre@site.example", MOT_DE_PASSE, nom="Autre")
    adresse = reverse("admin:reservation_utilisateur_change", args=[autre.pk])
    page = support.get(adresse)
    assert page.status_code == 200 and autre.password not in page.content.decode()
    assert support.post(adresse, {"is_staff": "on", "nom": "Moi"}).status_code == 403
    assert Utilisateur.objects.get(pk=autre.pk).is_staff is False


def test_without_the_second_factor_support_goes_no_further(support, settings):
    settings.SECOND_FACTEUR_OBLIGATOIRE = True
    reponse = support.get(reverse("admin:index"))
    assert reponse.status_code == 302 and reponse["Location"] == reverse("mfa_index")


def test_a_superuser_who_is_no_support_stays_outside(client):
    personne = Utilisateur.objects.create_user("x@site.example", MOT_DE_PASSE, nom="X", is_superuser=True)
    client.force_login(personne)
    assert client.get(reverse("admin:index")).status_code == 403
