"""From rows to the acts of the rules: one per version in force, cut where the next begins, few queries."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from reservation.regles.actes import ALS, ETAT, Nature, Reservataire, points, regime_de_l_annee, taux_net
from reservation.services.conventions import actes_par_paire, ajouter_avenant, deroger, signer_avenant
from tests.conventions.fabrique import SYSTEME, brouillon, signee

pytestmark = pytest.mark.django_db


def avenant_signe(convention, effet, **champs):
    avenant = ajouter_avenant(SYSTEME, convention, effet=effet, objet="Essai", **champs)
    return signer_avenant(SYSTEME, avenant, signee_le=date(2025, 12, 1), confirmer=True)


def test_l_acte_paca_a_28_63_points_nets(cast):
    signee(cast, cast.ddets_06)
    (acte,) = actes_par_paire(2025)[cast.bailleur_a.pk, "06"]
    assert acte.reservataire == ETAT
    assert taux_net(acte, date(2025, 6, 1)) == Fraction("28.63")
    assert points([acte], ALS, date(2025, 6, 1), "06029") == Fraction("1.37")
    assert acte.regime.plancher_hors_qpv == 30
    assert acte.regime.exclusions.vente_demolition
    assert acte.communes is None
    assert acte.libelle == "convention 06-ETAT-2025"


def test_un_acte_par_version_coupe_a_la_suivante(cast):
    convention = signee(cast, cast.ddets_06)
    avenant_signe(convention, date(2026, 7, 1), taux=Decimal(28))
    avenant_signe(convention, date(2027, 1, 1), exclut_pli=False)
    actes = actes_par_paire(2026)[cast.bailleur_a.pk, "06"]
    assert [(a.debut, a.fin, a.taux) for a in actes] == [
        (date(2025, 1, 1), date(2026, 6, 30), 30),
        (date(2026, 7, 1), date(2026, 12, 31), 28),
    ]
    assert [a.libelle[-9:] for a in actes] == ["ETAT-2025", "avenant 1"]
    # The version in force on 1 January governs the whole year.
    assert regime_de_l_annee(actes, 2026).exclusions.pli
    assert not regime_de_l_annee(actes_par_paire(2027)[cast.bailleur_a.pk, "06"], 2027).exclusions.pli


def test_les_actes_de_tous_les_reservataires_dans_l_ordre_des_regles(cast):
    signee(cast, cast.autre_caf, "2")
    signee(cast, cast.commune_cannes, "15")
    signee(cast, cast.als, "20")
    signee(cast, cast.ddets_06)
    actes = actes_par_paire(2025)[cast.bailleur_a.pk, "06"]
    assert [a.reservataire for a in actes] == [
        ETAT,
        ALS,
        Reservataire(Nature.COLLECTIVITE, "06029"),
        Reservataire(Nature.AUTRE, "CAF06"),
    ]
    assert [a.communes for a in actes] == [None, None, frozenset({"06029"}), None]


def test_une_derogation_suit_son_acte(cast):
    convention = signee(cast, cast.ddets_06)
    deroger(
        SYSTEME,
        convention,
        numero="1",
        taux=Decimal(33),
        debut=date(2026, 3, 1),
        fin=date(2026, 8, 31),
        motif="Sécurité publique",
    )
    (acte,) = actes_par_paire(2026)[cast.bailleur_a.pk, "06"]
    assert taux_net(acte, date(2026, 2, 28)) == Fraction("28.63")
    assert taux_net(acte, date(2026, 3, 1)) == Fraction("31.63")
    assert taux_net(acte, date(2026, 9, 1)) == Fraction("28.63")


def test_ni_les_brouillons_ni_les_autres_annees(cast):
    brouillon(cast, cast.als, "10")
    signee(cast, cast.ddets_06)
    assert [a.reservataire for a in actes_par_paire(2025)[cast.bailleur_a.pk, "06"]] == [ETAT]
    assert actes_par_paire(2024) == {}
    assert actes_par_paire(2028) == {}


def test_les_paires_demandees_et_elles_seules(cast):
    signee(cast, cast.ddets_06)
    signee(cast, cast.ddets_06, bailleur=cast.bailleur_b)
    signee(cast, cast.ddets_22, departement="22")
    a, b = cast.bailleur_a.pk, cast.bailleur_b.pk
    assert set(actes_par_paire(2025)) == {(a, "06"), (b, "06"), (a, "22")}
    # b × 22 does not exist; a × 06 is not asked for although both its halves are.
    assert set(actes_par_paire(2025, paires=[(a, "22"), (b, "06")])) == {(a, "22"), (b, "06")}
    assert set(actes_par_paire(2025, departements=["06"])) == {(a, "06"), (b, "06")}
    assert actes_par_paire(2025, paires=[]) == {}


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_d_actes(cast, django_assert_num_queries):
    signee(cast, cast.ddets_06)
    with django_assert_num_queries(3):
        actes_par_paire(2025)
    signee(cast, cast.als, "20")
    signee(cast, cast.commune_cannes, "15")
    signee(cast, cast.ddets_06, bailleur=cast.bailleur_b)
    with django_assert_num_queries(3):
        assert len(actes_par_paire(2025)) == 2


def test_un_regime_partage_est_un_seul_objet(cast):
    signee(cast, cast.ddets_06)
    signee(cast, cast.ddets_06, bailleur=cast.bailleur_b)
    actes = actes_par_paire(2025)
    (premier,), (second,) = actes[cast.bailleur_a.pk, "06"], actes[cast.bailleur_b.pk, "06"]
    assert premier.regime is second.regime
