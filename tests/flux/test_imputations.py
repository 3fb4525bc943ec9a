"""One title per attributed libération and per year: what decides it, and what does not move it."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from flux.models import Imputation, Nature
from flux.services.calculs import calculer
from flux.services.imputations import expliquer, imputer
from publics.models import GroupeDepartement
from reservation.acteur import Acteur
from tests.flux.fabriques import (
    ANNEE,
    actes_paca,
    agent_valide,
    attribution,
    convention_etat,
    liberation,
    menage,
    parc,
)

SYSTEME = Acteur.du_systeme("essai")
JOUR = date(ANNEE, 3, 2)
CALEOL = date(ANNEE, 3, 20)


@pytest.fixture
def cast(cast):
    actes_paca(cast)
    parc(cast.bailleur_a)
    return cast


def titres(annee: int | None = None) -> list[tuple[int, str, str]]:
    lignes = Imputation.objects.order_by("annee", "liberation")
    if annee:
        lignes = lignes.filter(annee=annee)
    return list(lignes.values_list("annee", "titre", "detail"))


def une(cast, *, liberation_=None, labels=(), valide_le=None, **champs) -> Imputation | None:
    """The imputation of one attribution to a household with `labels`; `valide_le`: as an agent, by the préfecture."""
    liberee = liberation(cast.bailleur_a, JOUR, **{"reservataire": cast.ddets_06} | (liberation_ or {}))
    foyer = menage("06", *labels)
    if valide_le:
        agent_valide(foyer, valide_le, cast.prefecture_06)
    attribution(liberee, champs.pop("caleol", CALEOL), menage=foyer, **champs)
    imputer(liberations=[liberee.pk])
    return Imputation.objects.filter(liberation=liberee).first()


# --- What decides ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "attendu"),
    [
        ([], "AUTRE"),
        ([("DALO", date(2025, 1, 1))], "PRIORITE_1"),
        ([("HEBERGEMENT", date(2025, 1, 1))], "PRIORITE_2"),
        ([("L441_1_A", date(2025, 1, 1))], "PRIORITE_3"),
        ([("L441_1_A", date(2025, 1, 1)), ("DALO", date(2025, 6, 1))], "PRIORITE_1"),
        ([("DALO", CALEOL, CALEOL)], "PRIORITE_1"),
        ([("DALO", date(ANNEE, 3, 21))], "AUTRE"),
        ([("DALO", date(2025, 1, 1), date(ANNEE, 3, 19))], "AUTRE"),
    ],
)
def test_label_valid_on_the_day_of_the_caleol(cast, labels, attendu):
    ligne = une(cast, labels=labels)
    assert (ligne.titre, ligne.detail, ligne.reservataire_id) == ("ETAT", attendu, cast.ddets_06.pk)


def test_exception_of_the_ddets_bears_on_one_label(cast):
    liberee = liberation(cast.bailleur_a, JOUR, reservataire=cast.ddets_06)
    foyer = menage("06", ("DALO", date(2024, 1, 1), date(2024, 12, 31)), ("L441_1_B", date(ANNEE, 6, 1)))
    faite = attribution(liberee, CALEOL, menage=foyer)
    imputer(liberations=[liberee.pk])
    assert titres() == [(ANNEE, "ETAT", "AUTRE")]
    faite.labels_admis.set([foyer.labels.get(categorie="L441_1_B")])
    imputer(liberations=[liberee.pk])
    assert titres() == [(ANNEE, "ETAT", "PRIORITE_3")], "le DALO expiré n’est pas admis avec lui"


def test_groups_of_the_departement_on_the_day_of_the_caleol(cast):
    for jour, groupe in ((date(2025, 1, 1), 3), (date(ANNEE, 3, 20), 1), (date(ANNEE, 9, 1), 2)):
        GroupeDepartement.objects.create(
            departement_id="06", categorie_id="HEBERGEMENT", groupe=groupe, debut=jour
        )
    labels = [("HEBERGEMENT", date(2025, 1, 1))]
    assert une(cast, labels=labels, caleol=date(ANNEE, 3, 19)).detail == "PRIORITE_3"
    assert une(cast, labels=labels, caleol=date(ANNEE, 3, 20)).detail == "PRIORITE_1"
    assert une(cast, labels=labels, caleol=date(ANNEE, 9, 1)).detail == "PRIORITE_2"


def test_agents_need_a_lease_a_validation_and_a_fit(cast):
    agent = {"agent": True, "valide_le": date(ANNEE, 3, 1), "agent_adapte": True}
    assert une(cast, **agent).detail == "AUTRE"
    assert une(cast, **agent, date_bail=date(ANNEE, 4, 1)).detail == "AGENT"
    # What the bailleur types is no validation.
    declare = {"agent_valide_le": date(ANNEE, 3, 1), "date_bail": date(ANNEE, 4, 1)}
    assert une(cast, **agent | declare | {"valide_le": None}).detail == "AUTRE"
    tardif = agent | {"valide_le": date(ANNEE, 3, 21), "date_bail": date(ANNEE, 4, 1)}
    assert une(cast, **tardif).detail == "AUTRE"
    assert une(cast, **tardif, agent_accord_posterieur=True).detail == "AGENT"
    assert une(cast, **agent | {"agent_adapte": False, "date_bail": date(ANNEE, 4, 1)}).detail == "AUTRE"


@pytest.mark.parametrize(
    ("emploi", "attendu"),
    [("SALARIE", "PRIORITAIRE"), ("DEMANDEUR_EMPLOI", "PRIORITAIRE"), ("AUTRE", "AUTRE")],
)
def test_als_needs_a_priority_household_that_works(cast, emploi, attendu):
    ligne = une(
        cast,
        liberation_={"reservataire": cast.als},
        labels=[("DALO", date(2025, 1, 1))],
        statut_emploi=emploi,
    )
    assert (ligne.titre, ligne.detail) == ("ALS", attendu)


def test_contingents(cast):
    dalo = [("DALO", date(2025, 1, 1))]
    cannes = une(cast, liberation_={"reservataire": cast.commune_cannes}, labels=dalo)
    assert (cannes.titre, cannes.detail, cannes.reservataire_id) == (
        "06029",
        "PRIORITAIRE",
        cast.commune_cannes.pk,
    )
    soi = une(cast, liberation_={"reservataire": cast.bailleur_a}, labels=dalo)
    assert (soi.titre, soi.detail, soi.reservataire_id) == ("BAILLEUR", "PRIORITAIRE", cast.bailleur_a.pk)
    nulle_part = une(cast, liberation_={"reservataire": None})
    assert (nulle_part.titre, nulle_part.detail) == ("BAILLEUR", "AUTRE")
    echouee = une(
        cast,
        liberation_={"reservataire": cast.als, "designation_echouee_le": date(ANNEE, 3, 10)},
        labels=dalo,
    )
    assert (echouee.titre, echouee.detail, echouee.reservataire_id) == (
        "BAILLEUR",
        "PRIORITAIRE",
        cast.bailleur_a.pk,
    )


def test_the_page_names_the_reservataire_whose_designation_failed(client, cast):
    echouee = une(
        cast,
        liberation_={"reservataire": cast.commune_cannes, "designation_echouee_le": date(ANNEE, 3, 10)},
        labels=[("DALO", date(ANNEE - 1, 1, 1))],
    )
    client.force_login(cast.gestionnaire_a)
    page = client.get(reverse("flux:liberation", args=[echouee.liberation_id])).content.decode()
    assert "<b>Commune de Cannes, prioritaire</b>" in page
    assert "la désignation du réservataire a échoué" in page and f"de {cast.commune_cannes.code}" not in page


def test_what_leaves_the_flux_beats_any_label(cast):
    dalo = [("DALO", date(2025, 1, 1))]
    ru = une(cast, liberation_={"usage": "RU"}, labels=dalo)
    assert (ru.titre, ru.detail, ru.reservataire_id) == ("SOUSTRACTION", "RU", None)
    premiere = une(cast, liberation_={"premiere": True, "usage": "RU"}, labels=dalo)
    assert (premiere.titre, premiere.detail) == ("HORS_FLUX", "PREMIERE_MISE_EN_LOCATION")
    urgence = une(cast, liberation_={"usage": "URGENCE_PREFECTORALE"}, labels=dalo)
    assert (urgence.titre, urgence.detail) == ("ETAT", "PRIORITE_1"), "PACA ne la soustrait pas"


def test_cancelled_or_out_of_the_assiette_has_none(cast):
    annulee = {"annulee_le": CALEOL, "motif_annulation": "le locataire reste"}
    assert une(cast, liberation_=annulee) is None
    assert une(cast, liberation_={"dans_assiette": False, "statut_logement": "PLI"}) is None


def test_what_no_longer_holds_is_removed(cast):
    ligne = une(cast)
    ligne.liberation.annulee_le, ligne.liberation.motif_annulation = CALEOL, "le locataire reste"
    ligne.liberation.save()
    assert imputer(liberations=[ligne.liberation_id]) == 1
    assert titres() == []


# --- Years ----------------------------------------------------------------------------------------------------


def test_a_re_attribution_counts_in_its_year_and_leaves_the_year_before(cast):
    """Chapter 4: a re-attribution in N counts in N; the bilan of N−1 is not reopened."""
    liberee = liberation(cast.bailleur_a, date(ANNEE - 1, 11, 3), reservataire=cast.ddets_06)
    premiere = attribution(liberee, date(ANNEE - 1, 12, 5), menage=menage("06", ("DALO", date(2025, 1, 1))))
    imputer(liberations=[liberee.pk])
    avant = calculer(cast.bailleur_a.pk, "06", ANNEE - 1, Nature.DEFINITIF, "avant")
    premiere.refusee_le = date(ANNEE - 1, 12, 12)
    premiere.save()
    attribution(liberee, date(ANNEE, 1, 15), menage=menage("06"))
    imputer(liberations=[liberee.pk])
    assert titres() == [(ANNEE - 1, "ETAT", "PRIORITE_1"), (ANNEE, "ETAT", "AUTRE")]
    assert calculer(cast.bailleur_a.pk, "06", ANNEE - 1, Nature.DEFINITIF, "après").pk == avant.pk
    apres = calculer(cast.bailleur_a.pk, "06", ANNEE, Nature.DEFINITIF, "essai").resultat
    assert apres["etat"] == {"AGENT": 0, "PRIORITE_1": 0, "PRIORITE_2": 0, "PRIORITE_3": 0, "AUTRE": 1}
    assert apres["flux"]["flux"] == 0, "la libération est de l’année d’avant"


def test_two_attributions_of_one_year_make_one_title(cast):
    liberee = liberation(cast.bailleur_a, JOUR, reservataire=cast.ddets_06)
    premiere = attribution(liberee, CALEOL, menage=menage("06", ("DALO", date(2025, 1, 1))))
    premiere.refusee_le = date(ANNEE, 4, 1)
    premiere.save()
    attribution(liberee, date(ANNEE, 5, 5), menage=menage("06", ("L441_1_C", date(2025, 1, 1))))
    imputer(liberations=[liberee.pk])
    assert titres() == [(ANNEE, "ETAT", "PRIORITE_3")]
    with pytest.raises(IntegrityError), transaction.atomic():
        ligne = Imputation.objects.get()
        ligne.pk = None
        ligne.save(force_insert=True)


def test_a_lease_of_the_next_year_has_a_row_there_under_its_regime(cast):
    """The acts of the next year count leases: the agent's row stands in both, each event in its own year."""
    liberee = liberation(cast.bailleur_a, date(ANNEE - 1, 11, 20), reservataire=cast.ddets_06)
    foyer = menage("06")
    agent_valide(foyer, date(ANNEE - 1, 12, 1), cast.ddets_06)
    attribution(
        liberee,
        date(ANNEE - 1, 12, 18),
        menage=foyer,
        date_bail=date(ANNEE, 1, 8),
        agent=True,
        agent_adapte=True,
    )
    imputer(liberations=[liberee.pk])
    assert titres() == [(ANNEE - 1, "ETAT", "AGENT"), (ANNEE, "ETAT", "AGENT")]
    assert Imputation.objects.attribuees_en(ANNEE - 1).count() == 1
    assert Imputation.objects.attribuees_en(ANNEE).count() == 0
    assert Imputation.objects.baux_signes_en(ANNEE).count() == 1
    assert Imputation.objects.baux_signes_en(ANNEE - 1).count() == 0
    passee = calculer(cast.bailleur_a.pk, "06", ANNEE - 1, Nature.DEFINITIF, "essai").resultat
    presente = calculer(cast.bailleur_a.pk, "06", ANNEE, Nature.DEFINITIF, "essai").resultat
    assert (passee["etat"]["AGENT"], passee["realise"][0]["baux"]) == (1, 0)
    assert (presente["etat"]["AGENT"], presente["realise"][0]["baux"]) == (0, 1)


# --- Batches ----------------------------------------------------------------------------------------------------


def plusieurs(cast, nombre: int) -> list[int]:
    cles = []
    for rang in range(nombre):
        liberee = liberation(cast.bailleur_a, JOUR, reservataire=cast.ddets_06)
        attribution(liberee, CALEOL, menage=menage("06", ("DALO", date(2025, 1, 1 + rang))))
        cles.append(liberee.pk)
    return cles


def test_constant_number_of_queries(cast):
    def compter(cles) -> int:
        with CaptureQueriesContext(connection) as capture:
            assert imputer(liberations=cles) == len(cles)
        return len(capture)

    un, vingt = compter(plusieurs(cast, 1)), compter(plusieurs(cast, 20))
    assert un == vingt <= 20


def test_imputing_again_writes_nothing(cast):
    cles = plusieurs(cast, 3)
    assert imputer(liberations=cles) == 3
    ecrites = set(Imputation.objects.values_list("pk", "calculee_le"))
    assert imputer(liberations=cles) == 0
    assert imputer(paires=[(cast.bailleur_a.pk, "06")], annee=ANNEE) == 0
    assert set(Imputation.objects.values_list("pk", "calculee_le")) == ecrites


def test_a_pair_is_imputed_for_one_year_without_touching_the_others(cast):
    liberee = liberation(cast.bailleur_a, date(ANNEE - 1, 11, 20), reservataire=cast.ddets_06)
    attribution(liberee, date(ANNEE - 1, 12, 18), date_bail=date(ANNEE, 1, 8))
    assert imputer(paires=[(cast.bailleur_a.pk, "06")], annee=ANNEE) == 1
    assert titres() == [(ANNEE, "ETAT", "AUTRE")]
    assert imputer(paires=[(cast.bailleur_a.pk, "06")]) == 1
    assert len(titres()) == 2
    liberation(cast.bailleur_b, JOUR)
    assert imputer(paires=[(cast.bailleur_b.pk, "06")]) == 0
    assert imputer() == 0


# --- In words ---------------------------------------------------------------------------------------------------


def test_explanation_shows_nobody_the_ground_of_the_label(cast):
    """It is asked for, and the reading is written. The group is shown, to a collectivité that there is a label."""
    ligne = une(cast, labels=[("VIOLENCES", date(2025, 1, 1)), ("DALO", date(ANNEE, 5, 1))])
    for nom, montre in (
        ("agent_ddets_06", "groupe 2"),
        ("agent_sgc_06", "groupe 2"),
        ("gestionnaire_a", "groupe 2"),
        ("charge_als", "groupe 2"),
        ("agent_cannes", "prioritaire"),
        ("agent_caf", "prioritaire"),
    ):
        explication = expliquer(ligne, cast.acteur(nom))
        textes = " ".join(f"{e.libelle} {e.valeur} {e.detail}" for e in explication.etapes)
        assert "violences" not in textes.lower() and "dalo" not in textes.lower(), nom
        assert [e.valeur for e in explication.etapes if e.code == "imputation.labels"] == [
            montre,
            "sans effet",
        ]
        assert "ETAT, prioritaire, groupe 2" in textes
    complet = " ".join(f"{e.valeur} {e.detail}" for e in expliquer(ligne, SYSTEME).etapes)
    assert "violences" in complet.lower()
    assert "violences" not in str(ligne.explication).lower()


def test_explanation_names_the_titles_not_kept(cast):
    ligne = une(cast, liberation_={"usage": "RU"}, labels=[("DALO", date(2025, 1, 1))])
    [ecarte] = expliquer(ligne, SYSTEME).titres_ecartes
    assert ecarte.imputation == ("ETAT", "PRIORITE_1")
    assert "l’emporte" in ecarte.raison
    assert ligne.explication["convention"]
    assert ligne.version_id


def test_explanation_survives_the_erasure_of_the_household(cast):
    ligne = une(cast, labels=[("VIOLENCES", date(2025, 1, 1))])
    ligne.attribution.menage.labels.all().delete()
    etapes = {etape.code: etape for etape in expliquer(ligne, SYSTEME).etapes}
    assert etapes["imputation.labels"].valeur == "groupe 2"
    assert etapes["imputation.titre"].valeur == "ETAT, prioritaire, groupe 2"


def test_version_is_the_act_that_decided(cast):
    convention_etat(cast.bailleur_b, cast.ddets_06)
    ligne = une(cast, liberation_={"reservataire": cast.als})
    assert ligne.version.reservataire_id == cast.als.pk
    assert une(cast, liberation_={"usage": "MUTATION"}).version.reservataire_id == cast.ddets_06.pk
    assert une(cast, liberation_={"reservataire": None}).version_id is None
