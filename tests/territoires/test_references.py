"""The territories that ship with the application, and the classes of the bilan."""

import pytest
from django.core.management import call_command
from django.db.models import Count, F

from flux.models import MotifRefus
from publics.models import CategorieLabel
from publics.regles.groupes import GROUPES_PAR_DEFAUT, TypeLabel
from reservation.models import (
    ClasseFinancement,
    ClassePeriode,
    ClasseTypologie,
    Commune,
    Departement,
    Epci,
    PassageCommune,
    Referentiel,
    Region,
)
from reservation.services.references import charger_references, resoudre_communes

pytestmark = pytest.mark.django_db


def test_le_cog_2026_est_entier():
    assert Commune.objects.count() == 34_969
    assert Region.objects.count() == 18
    assert Departement.objects.count() == 109
    assert Epci.objects.count() == 1_255
    assert Referentiel.objects.get(code="COG").version == "2026"


@pytest.mark.parametrize(
    ("departement", "communes", "epci"),
    [
        ("22", 344, 11),
        ("04", 198, 12),
        ("05", 162, 9),
        ("06", 163, 7),
        ("13", 119, 4),
        ("83", 153, 14),
        ("84", 151, 14),
    ],
)
def test_communes_et_epci_des_departements(departement, communes, epci):
    compte = Commune.objects.filter(departement=departement).aggregate(
        communes=Count("code"), epci=Count("epci", distinct=True)
    )
    assert compte == {"communes": communes, "epci": epci}


def test_les_departements_ont_leur_region_sauf_les_collectivites_d_outre_mer():
    assert set(Region.objects.get(code="93").departements.values_list("code", flat=True)) == {
        "04",
        "05",
        "06",
        "13",
        "83",
        "84",
    }
    sans_region = Departement.objects.filter(region=None).values_list("code", flat=True)
    assert set(sans_region) == {"975", "977", "978", "984", "986", "987", "988", "989"}


def test_une_commune_porte_son_epci_ses_codes_postaux_et_sa_population():
    cannes = Commune.objects.select_related("epci").get(code="06029")
    assert cannes.nom == "Cannes"
    assert "06400" in cannes.codes_postaux
    assert cannes.population > 70_000
    assert cannes.epci.nom == "CA Cannes Pays de Lérins"


@pytest.mark.parametrize(
    ("commune", "premier", "dernier", "nombre"),
    [("13055", "13201", "13216", 16), ("69123", "69381", "69389", 9), ("75056", "75101", "75120", 20)],
)
def test_les_arrondissements_municipaux_menent_a_leur_commune(commune, premier, dernier, nombre):
    codes = [str(code) for code in range(int(premier), int(dernier) + 1)]
    assert resoudre_communes(codes) == dict.fromkeys(codes, commune)
    arrondissements = PassageCommune.objects.filter(commune=commune, nature="ARRONDISSEMENT")
    assert sorted(arrondissements.values_list("ancien_code", flat=True)) == codes
    assert len(codes) == nombre
    assert not Commune.objects.filter(code__in=codes).exists()


@pytest.mark.parametrize(
    ("ancien", "actuelle"),
    [
        ("85053", "85289"),  # La Chapelle-aux-Lys, then Terval: met in the RPLS of 2023
        ("45172", "45025"),  # an associated commune
        ("02077", "02564"),  # merged in 2025, no delegated commune left
        ("20004", "2A004"),  # Ajaccio before Corsica was split
        ("06029", "06029"),  # a commune answers for itself
        ("85289", "85289"),  # also the code of a delegated commune: the commune wins
    ],
)
def test_un_ancien_code_mene_a_la_commune_d_aujourd_hui(ancien, actuelle):
    assert resoudre_communes([ancien]) == {ancien: actuelle}


def test_un_code_inconnu_n_a_pas_de_reponse():
    assert resoudre_communes(["99999", "6029", ""]) == {}


def test_aucun_passage_ne_part_d_une_commune_d_aujourd_hui():
    communes = Commune.objects.values("code")
    assert not PassageCommune.objects.filter(ancien_code__in=communes).exists()


def test_tous_les_codes_connus_en_deux_requetes(django_assert_num_queries):
    with django_assert_num_queries(2):
        codes = resoudre_communes()
    assert len(codes) == Commune.objects.count() + PassageCommune.objects.count()


def test_les_classes_du_bilan():
    assert list(ClasseTypologie.objects.values_list("code", flat=True)) == [
        "T1",
        "T2",
        "T3",
        "T4",
        "T5",
        "T6+",
    ]
    assert list(ClasseFinancement.objects.values_list("code", flat=True)) == [
        "PLAI",
        "PLUS",
        "PLS",
        "PLI",
        "AUTRE",
    ]
    assert ClasseFinancement.objects.get(par_defaut=True).code == "AUTRE"
    finans = [code for classe in ClasseFinancement.objects.all() for code in classe.finans]
    assert len(finans) == len(set(finans))
    # Every FINAN code of the RPLS is named; 17 (PCL) is social only when the dwelling is conventionné.
    connus = {"10", "11", "12", "13", "14", "15", "16", "49", "50", "51", "52", "53", "54", "55", "99"}
    assert set(finans) == connus | {"17/1", "17/2"}


def test_les_classes_de_periode_se_suivent_sans_trou():
    periodes = list(ClassePeriode.objects.all())
    assert [p.annee_max for p in periodes] == [1945, 1970, 1990, 2005, None]
    assert [p.annee_min for p in periodes] == [None, 1946, 1971, 1991, 2006]


def test_les_categories_de_priorite_sont_celles_des_regles():
    categories = {c.code: c.groupe_defaut for c in CategorieLabel.objects.all()}
    assert categories == {str(code): groupe for code, groupe in GROUPES_PAR_DEFAUT.items()}
    lettres = CategorieLabel.objects.filter(code__startswith="L441_1_")
    assert lettres.count() == 14
    assert not lettres.filter(texte_legal="").exists()
    assert TypeLabel.L441_1_G_BIS in categories


def test_les_motifs_de_refus_ont_trois_porteurs():
    porteurs = set(MotifRefus.objects.order_by().values_list("porteur", flat=True))
    assert porteurs == {"CALEOL", "MENAGE", "RESERVATAIRE"}


def test_recharger_ne_fait_rien(django_assert_num_queries):
    with django_assert_num_queries(2):
        charger_references()


def test_recharger_repare_les_territoires_et_garde_les_classes_modifiees():
    Commune.objects.filter(code="06029").update(nom="Kannes", nom_tri="kannes")
    ClassePeriode.objects.filter(code="2006+").update(libelle="Depuis 2006")
    Referentiel.objects.update(empreinte="une édition précédente")

    charger_references()

    assert Commune.objects.get(code="06029").nom_tri == "cannes"
    assert ClassePeriode.objects.get(code="2006+").libelle == "Depuis 2006"
    assert ClassePeriode.objects.count() == 5


def test_une_classe_supprimee_par_l_administrateur_ne_revient_pas():
    ClasseTypologie.objects.filter(code="T6+").delete()
    charger_references()
    assert not ClasseTypologie.objects.filter(code="T6+").exists()


def test_une_population_inconnue_reste_inconnue():
    sans = Commune.objects.filter(population=None)
    assert sans.exists()
    assert not sans.exclude(departement__in=["984", "987", "988", "989", "986", "55"]).exists(), (
        sans.values_list("code", "nom")
    )


@pytest.mark.django_db(transaction=True)
def test_les_references_reviennent_apres_une_remise_a_zero():
    call_command("flush", interactive=False, verbosity=0)
    assert Commune.objects.filter(departement=F("departement__code")).count() == 34_969
    assert ClasseFinancement.objects.count() == 5
    assert CategorieLabel.objects.count() == len(TypeLabel)
    assert MotifRefus.objects.exists()
