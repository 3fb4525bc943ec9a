"""An act in words: the models complete and sourced, the differences readable, the articles in order."""

from datetime import date
from decimal import Decimal

import pytest

from reservation.models import Commune, Convention, VersionConvention
from reservation.services.conventions import ajouter_avenant, resilier_convention
from reservation.services.lecture_conventions import (
    PARAMETRES,
    differences,
    nombre_fr,
    parametres_de,
    points_fr,
    rediger,
    restant_retrocession,
    source_de,
    territoire,
)
from reservation.services.modeles_convention import CHAMPS_DE_L_ETAT, CHAMPS_DE_TOUS, modeles
from tests.conventions.fabrique import SYSTEME, brouillon, signee


def sobre(texte: str) -> str:
    """Without the spaces of typography, which are not what is tested here."""
    return texte.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("valeur", "ecrit"),
    [
        (Decimal("30.0000"), "30"),
        (Decimal("28.6300"), "28,63"),
        (Decimal("0.0001"), "0,0001"),
        (Decimal("100"), "100"),
        (Decimal("0"), "0"),
    ],
)
def test_nombre_fr(valeur, ecrit):
    assert nombre_fr(valeur) == ecrit


def test_points_fr_accorde():
    assert sobre(points_fr(Decimal("1.37"))) == "1,37 point"
    assert sobre(points_fr(Decimal(2))) == "2 points"


# --- Models ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", list(Convention.Modele))
def test_un_modele_dit_tout_ce_qu_un_acte_fixe(code):
    familles = modeles()[code].familles
    assert set(familles["ETAT"]) == {*CHAMPS_DE_TOUS, *CHAMPS_DE_L_ETAT}
    assert set(familles["ACTION_LOGEMENT"]) == set(familles["AUTRES"]) == set(CHAMPS_DE_TOUS)


def test_les_parametres_lus_couvrent_les_champs_des_modeles():
    lus = {champ for parametre in PARAMETRES for champ in parametre.champs}
    assert lus == {*CHAMPS_DE_TOUS, *CHAMPS_DE_L_ETAT, "communes"}


def test_chaque_champ_d_une_version_est_un_parametre_ou_son_identite():
    identite = {
        "id",
        "convention",
        "bailleur",
        "reservataire",
        "departement",
        "rang",
        "effet",
        "objet",
        "signee_le",
        "cree_par",
        "cree_le",
        "territoire",  # the communes, as a text that the Historique can show
    }
    champs = {f.name for f in VersionConvention._meta.get_fields() if not f.auto_created} | {"id"}
    assert champs - identite == {*CHAMPS_DE_TOUS, *CHAMPS_DE_L_ETAT, "communes"}


@pytest.mark.parametrize("code", ["PACA", "COTES_D_ARMOR"])
def test_une_valeur_de_modele_a_un_article_ou_une_note(code):
    """What the convention says has its article; what it does not say has a note that says so."""
    facultatifs = {
        "retrocession_taux",
        "retrocession_debut",
        "retrocession_fin",
        "retrocession_prise_sur",
        "delai_proposition",
        "sans_proposition",
        "reprise_pour_un_tour",
        "taux_rotation",
    }
    for champ, parametre in modeles()[code].familles["ETAT"].items():
        assert parametre.article or parametre.note or champ in facultatifs, champ


def test_les_articles_du_modele_paca():
    etat = modeles()["PACA"].familles["ETAT"]
    assert etat["taux"].article == "PACA, art. 4 b"
    assert etat["retrocession_taux"].article == "PACA, art. 4 c"
    assert etat["fait_generateur"].article == "PACA, art. 1"
    assert etat["retrocession_taux"].valeur == Decimal("1.37")
    assert etat["retrocession_fin"].valeur == date(2039, 12, 31)


# --- Differences -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_un_avenant_se_lit(cast):
    convention = signee(cast, cast.ddets_06)
    avenant = ajouter_avenant(
        SYSTEME,
        convention,
        effet=date(2026, 1, 1),
        objet="Révision",
        taux=Decimal(28),
        taux_agents=Decimal("1.5"),
        exclut_pli=False,
        plancher_hors_qpv=None,
        gestion="DIRECTE",
        delai_proposition=15,
        soustractions=["MUTATION", "RU", "ORCOD", "INSALUBRITE", "URGENCE_PREFECTORALE"],
        retrocession_taux=None,
        retrocession_debut=None,
        retrocession_fin=None,
    )
    lues = [sobre(str(d)) for d in differences(convention.versions.get(rang=0), avenant)]
    assert lues == [
        "Taux : 30 → 28 points",
        "Dont agents de l’État, au plus : 5 → 1,5 point",
        "Rétrocession PNRU : 1,37 point, du 1er janvier 2025 au 31 décembre 2039, prise sur les prioritaires "
        "→ aucune",
        "Plancher hors QPV : 30 points → non prévu",
        "Logements financés en PLI : exclus → compris",
        "Soustractions du flux : ajout de « Désignations préfectorales d’urgence », retrait de « Relogements "
        "pour opération de vente »",
        "Gestion : déléguée au bailleur → directe",
        "Délai pour proposer des candidats : non prévu → 15 jours",
    ]


@pytest.mark.django_db
def test_un_territoire_qui_change_se_lit_par_communes(cast):
    cast.commune_cannes.communes.add(*Commune.objects.filter(pk__in=["06088", "06004"]))
    convention = signee(cast, cast.commune_cannes, "10")
    avenant = ajouter_avenant(
        SYSTEME,
        convention,
        effet=date(2026, 1, 1),
        objet="Territoire",
        communes=Commune.objects.filter(pk__in=["06029", "06088"]),
    )
    (ecart,) = differences(convention.versions.get(rang=0), avenant)
    assert sobre(str(ecart)) == "Territoire : retrait de « Antibes »"


@pytest.mark.django_db
def test_deux_versions_identiques_n_ont_pas_de_difference(cast):
    convention = signee(cast, cast.ddets_06)
    avenant = ajouter_avenant(SYSTEME, convention, effet=date(2026, 1, 1), objet="Rien")
    assert differences(convention.versions.get(rang=0), avenant) == []


@pytest.mark.django_db
def test_un_long_territoire_est_coupe(cast):
    cast.commune_cannes.communes.set(Commune.objects.filter(departement="06")[:20])
    version = brouillon(cast, cast.commune_cannes, "10").versions.get()
    assert sobre(territoire(version)).endswith(" et 14 autres communes")
    assert territoire(brouillon(cast, cast.als, "10").versions.get()) == "tout le département"


@pytest.mark.django_db
def test_une_collectivite_n_a_pas_les_parametres_de_l_etat(cast):
    lus = {p.champ for p in parametres_de(brouillon(cast, cast.commune_cannes, "10").versions.get())}
    assert "communes" in lus
    assert not lus & {"taux_agents", "soustractions", "exclut_pli"}
    assert "communes" not in {p.champ for p in parametres_de(brouillon(cast, cast.als).versions.get())}


# --- Articles -------------------------------------------------------------------------------------------------------------


def texte(convention, numero):
    version = convention.versions.select_related("reservataire").get()
    return sobre(" ".join(a.texte for a in rediger(convention, version)[numero - 1].alineas))


@pytest.mark.django_db
def test_la_convention_paca_se_lit(cast):
    convention = signee(cast, cast.ddets_06)
    version = convention.versions.get()
    articles = rediger(convention, version)
    assert [a.numero for a in articles] == list(range(1, 9))
    taux = texte(convention, 3)
    assert "L’État dispose de 30 points du flux annuel, dont 5 points au plus" in taux
    assert "rétrocède 1,37 point à Action Logement Services" in taux
    assert "il lui reste alors 28,63 points" in taux
    assert "le taux net (28,63 points) est inférieur à ce plancher" in taux
    assert "plan de vente et ceux qui doivent être démolis en sont exclus" in texte(convention, 1)
    assert articles[2].alineas[0].article == "PACA, art. 4 b"


@pytest.mark.django_db
def test_la_convention_des_cotes_d_armor_se_lit(cast):
    convention = signee(cast, cast.ddets_22, departement="22", modele="COTES_D_ARMOR")
    assert "rétrocède" not in texte(convention, 3)
    assert "inférieur à ce plancher" not in texte(convention, 3)
    assert "sédentarisation des gens du voyage" in texte(convention, 1)
    assert "restent dans le flux" in texte(convention, 1)
    assert "désignations préfectorales d’urgence" in texte(convention, 6)
    assert "RU, PNRU, NPNRU" in texte(convention, 6)
    assert "Convention, art. 8.2" in texte(convention, 8)


@pytest.mark.django_db
def test_l_acte_d_une_commune_se_lit(cast):
    convention = signee(cast, cast.commune_cannes, "15")
    assert "15 points du flux annuel de son territoire : Cannes." in texte(convention, 3)
    assert "Un quart au moins" in texte(convention, 4)
    assert "acte passé avec l’État" in texte(convention, 6)


@pytest.mark.django_db
def test_une_valeur_changee_n_est_plus_celle_du_modele(cast):
    convention = brouillon(cast, cast.ddets_06, "29")
    version = convention.versions.get()
    assert source_de(convention, version, ["taux"]).article == ""
    assert source_de(convention, version, ["taux_agents"]).article == "PACA, art. 4 b"


@pytest.mark.django_db
def test_une_resiliation_se_lit(cast):
    convention = signee(cast, cast.ddets_06)
    convention = resilier_convention(
        SYSTEME, convention, resiliee_le=date(2026, 3, 1), effet=date(2026, 5, 1), motif="Mise en demeure"
    )
    lu = texte(convention, 2)
    assert "du 1er janvier 2025 au 31 décembre 2027" in lu
    assert "dernier jour d’effet le 30 avril 2026. Motif : Mise en demeure" in lu


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("jour", "reste"),
    [
        (date(2024, 12, 31), None),
        (date(2025, 1, 1), (14, 11)),
        (date(2026, 11, 30), (13, 1)),
        (date(2039, 12, 31), (0, 0)),
        (date(2040, 1, 1), None),
    ],
)
def test_l_horloge_de_la_retrocession(cast, jour, reste):
    assert restant_retrocession(brouillon(cast, cast.ddets_06).versions.get(), jour) == reste
