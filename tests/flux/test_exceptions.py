"""A label admitted after the CALEOL, a dwelling taken back for one letting: who may, what it changes, what stays."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import ProgrammingError, connection, transaction
from django.urls import reverse

from flux.models import (
    CodeMotif,
    Designation,
    ExceptionLabel,
    Imputation,
    Orientation,
    ReprisePourUnTour,
)
from flux.regles.imputation import decrire_imputation
from flux.services import exceptions, orientations, reprises
from flux.services.imputations import imputer, prevoir_exception
from flux.services.suggestions import suggestion_de
from publics.models import Labellisation
from reservation.acteur import Acteur
from reservation.models import Courriel, VersionConvention
from reservation.perimetre import agir
from reservation.regles.actes import BAILLEUR
from reservation.services.historique import historique, ouvrir_objet
from tests.flux.fabriques import (
    ANNEE,
    actes_paca,
    attribution,
    convention_etat,
    liberation,
    menage,
    parc,
)

pytestmark = pytest.mark.django_db

SYSTEME = Acteur.du_systeme("essais")
JOUR = date(ANNEE, 3, 1)
CALEOL = date(ANNEE, 3, 20)


def motif(code: str) -> CodeMotif:
    return CodeMotif.objects.get(code=code)


def titres() -> list[str]:
    return list(Imputation.objects.order_by("annee").values_list("detail", flat=True))


@pytest.fixture
def tardive(cast):
    """An attribution of the État's contingent, whose household was labelled the day after the CALEOL."""
    convention_etat(cast.bailleur_a, cast.ddets_06)
    liberee = liberation(cast.bailleur_a, JOUR, reservataire=cast.ddets_06)
    foyer = menage("06", ("DALO", date(ANNEE, 3, 21)), ("L441_1_A", date(2025, 1, 1), CALEOL.replace(day=19)))
    faite = attribution(liberee, CALEOL, menage=foyer)
    imputer(liberations=[liberee.pk])
    return faite, foyer.labels.get(categorie="DALO")


def test_the_ddets_admits_a_later_label_then_takes_it_back(cast, tardive):
    faite, label = tardive
    assert titres() == ["AUTRE"]
    assert [
        (annee, decrire_imputation(avant), decrire_imputation(apres))
        for annee, (avant, apres) in prevoir_exception(faite, label.pk, True).items()
    ] == [(ANNEE, "ETAT, autre", "ETAT, prioritaire, groupe 1")]
    acteur = cast.acteur("agent_ddets_06")
    with agir(acteur):
        exceptions.admettre_label(acteur, faite, label, motif=motif("X_RECOURS"))
        assert titres() == ["PRIORITE_1"]
        with pytest.raises(ValidationError, match="déjà admis"):
            exceptions.admettre_label(acteur, faite, label, motif=motif("X_RECOURS"))
        exceptions.retirer_exception(acteur, faite, label, motif=motif("E_CANDIDAT"))
    assert titres() == ["AUTRE"]
    assert list(ExceptionLabel.objects.values_list("nature", "faite_par", "date_caleol", "label_depuis")) == [
        (nature, cast.agent_ddets_06.pk, CALEOL, date(ANNEE, 3, 21)) for nature in ("ADMISSION", "RETRAIT")
    ]
    assert Courriel.objects.filter(gabarit="exception_label", organisation=cast.bailleur_a).count() == 4
    assert not Courriel.objects.filter(gabarit="exception_label", corps_texte__contains="DALO").exists()


def test_only_a_later_label_of_that_household_is_admitted(cast, tardive):
    faite, label = tardive
    expire = Labellisation.objects.get(categorie="L441_1_A")
    autre = menage("06", ("DALO", date(ANNEE, 6, 1))).labels.get()
    for vise, phrase in ((expire, "postérieur à la CALEOL"), (autre, "ménage attributaire")):
        with pytest.raises(ValidationError, match=phrase):
            exceptions.admettre_label(SYSTEME, faite, vise, motif=motif("X_AUTRE"))
    with pytest.raises(ValidationError, match="motif"):
        exceptions.admettre_label(SYSTEME, faite, label, motif=motif("O_AUTRE"))
    with pytest.raises(ValidationError, match="n’est pas admis"):
        exceptions.retirer_exception(SYSTEME, faite, label, motif=motif("E_AUTRE"))
    assert not ExceptionLabel.objects.exists()


def test_nobody_but_the_ddets_of_the_departement_admits(cast, tardive):
    faite, label = tardive
    for qui in ("gestionnaire_a", "lecteur_ddets_06", "agent_ddets_22", "agent_sgc_06", "charge_als"):
        acteur = cast.acteur(qui)
        with agir(acteur), pytest.raises(PermissionDenied):
            exceptions.admettre_label(acteur, faite, label, motif=motif("X_AUTRE"))
    ordre = (
        "INSERT INTO flux_exceptionlabel (bailleur_id, departement_id, liberation_id, attribution_id, label_id, nature,"
        " motif_id, date_caleol, label_depuis, faite_le) VALUES (%s, '06', %s, %s, %s, 'ADMISSION', %s, %s, %s, now())"
    )
    valeurs = [cast.bailleur_a.pk, faite.liberation_id, faite.pk, label.pk]
    valeurs += [motif("X_AUTRE").pk, CALEOL, date(ANNEE, 3, 21)]
    with (
        agir(cast.acteur("gestionnaire_a")),
        pytest.raises(ProgrammingError),
        transaction.atomic(),
        connection.cursor() as curseur,
    ):
        curseur.execute(ordre, valeurs)


def test_the_page_says_the_effect_before_the_act(cast, client, tardive):
    faite, label = tardive
    page = reverse("flux:exception_label", args=[faite.pk, label.pk])
    client.force_login(cast.agent_ddets_06)
    detail = client.get(reverse("flux:liberation", args=[faite.liberation_id])).content.decode()
    assert page in detail
    avant = client.get(page).content.decode()
    assert "État, autre" in avant and "prioritaire, groupe 1" in avant and "DALO" not in avant
    assert client.post(page, {}).status_code == 422
    assert client.post(page, {"motif": motif("X_PIECES").pk}).status_code == 302
    assert titres() == ["PRIORITE_1"]
    apres = client.get(reverse("flux:liberation", args=[faite.liberation_id])).content.decode()
    assert "admis par exception" in apres and "Retirer l’exception" in apres
    client.force_login(cast.gestionnaire_a)
    lu = client.get(reverse("flux:liberation", args=[faite.liberation_id])).content.decode()
    assert "Preuve antérieure à la CALEOL" in lu and page not in lu
    acteur = cast.acteur("gestionnaire_a")
    with agir(acteur):
        entrees, _ = historique(acteur, ouvrir_objet(acteur, "liberation", str(faite.liberation_id)))
    assert any("exception" in str(entree).lower() for entree in entrees)


# --- Taken back for one letting -----------------------------------------------------------------------------------


@pytest.fixture
def reprenable(cast):
    """PACA's acts; ALS in gestion directe lets the bailleur take a dwelling back, Cannes does not."""
    versions = actes_paca(cast)
    VersionConvention.objects.filter(pk=versions["als"].pk).update(
        reprise_pour_un_tour=True, gestion="DIRECTE", delai_proposition=15
    )
    parc(cast.bailleur_a)
    return liberation(cast.bailleur_a, JOUR)


def orienter(cast, liberee, organisation) -> None:
    acteur = cast.acteur("gestionnaire_a")
    with agir(acteur):
        orientations.orienter_liberation(acteur, liberee, reservataire=organisation, date=JOUR)


def test_a_dwelling_taken_back_leaves_the_share_whole_then_goes_back(cast, reprenable):
    orienter(cast, reprenable, cast.als)
    suivante = liberation(cast.bailleur_a, date(ANNEE, 3, 2))
    avant = {c.reservataire: c.engages for c in suggestion_de(suivante)[1].choix}
    acteur = cast.acteur("gestionnaire_a")
    with agir(acteur):
        reprises.reprendre_pour_un_tour(acteur, reprenable, motif=motif("T_ACCORD"), date=date(ANNEE, 3, 5))
    reprenable.refresh_from_db()
    assert (reprenable.reservataire, reprenable.orientee_le) == (cast.bailleur_a, date(ANNEE, 3, 5))
    assert Designation.objects.get().etat == "REMPLACEE"
    apres = {c.reservataire: c.engages for c in suggestion_de(suivante)[1].choix}
    als = next(r for r in avant if r.code == "ALS")
    assert (apres[als], apres[BAILLEUR]) == (avant[als] - 1, avant[BAILLEUR] + 1)
    assert Courriel.objects.filter(gabarit="logement_repris", organisation=cast.als).exists()
    with agir(cast.acteur("charge_als")):
        assert [r.reference for r in reprises.repris_a(cast.acteur("charge_als"))] == [reprenable.reference]
    with agir(acteur):
        reprises.rendre_au_reservataire(acteur, reprenable, motif=motif("E_LOGEMENT"))
    reprenable.refresh_from_db()
    assert reprenable.reservataire == cast.als
    assert Designation.objects.vivantes().get().etat == "EN_ATTENTE"
    assert list(ReprisePourUnTour.objects.values_list("nature", flat=True)) == ["REPRISE", "RETOUR"]
    assert reprises.reprise_en_cours(reprenable) is None


def test_a_later_choice_ends_what_was_taken_back(cast, reprenable):
    orienter(cast, reprenable, cast.als)
    reprises.reprendre_pour_un_tour(SYSTEME, reprenable, motif=motif("T_AUTRE"), date=JOUR)
    reprenable.refresh_from_db()
    assert reprises.reprise_en_cours(reprenable) is not None
    orientations.orienter_liberation(SYSTEME, reprenable, reservataire=cast.bailleur_a, date=JOUR)
    assert reprises.reprise_en_cours(reprenable) is None
    with pytest.raises(ValidationError, match="n’est pas repris"):
        reprises.rendre_au_reservataire(SYSTEME, reprenable, motif=motif("E_AUTRE"))


def test_only_where_the_convention_says_so_and_before_an_attribution(cast, reprenable):
    reprendre = reprises.reprendre_pour_un_tour
    with pytest.raises(ValidationError, match="orienté vers un réservataire"):
        reprendre(SYSTEME, reprenable, motif=motif("T_ACCORD"), date=JOUR)
    orienter(cast, reprenable, cast.commune_cannes)
    with pytest.raises(ValidationError, match="ne prévoit pas"):
        reprendre(SYSTEME, reprenable, motif=motif("T_ACCORD"), date=JOUR)
    orienter(cast, reprenable, cast.als)
    with pytest.raises(ValidationError, match="motif"):
        reprendre(SYSTEME, reprenable, motif=motif("O_AUTRE"), date=JOUR)
    with pytest.raises(ValidationError, match="suit l’orientation"):
        reprendre(SYSTEME, reprenable, motif=motif("T_ACCORD"), date=date(ANNEE, 2, 1))
    for qui in ("lecteur_a", "charge_als", "agent_ddets_06", "gestionnaire_b"):
        acteur = cast.acteur(qui)
        with agir(acteur), pytest.raises(PermissionDenied):
            reprendre(acteur, reprenable, motif=motif("T_ACCORD"), date=JOUR)
    attribution(reprenable, CALEOL, menage=menage("06"))
    with pytest.raises(ValidationError, match="attribution en cours"):
        reprendre(SYSTEME, reprenable, motif=motif("T_ACCORD"), date=CALEOL)
    assert not ReprisePourUnTour.objects.exists()


def test_the_page_offers_it_only_where_it_is_allowed(cast, client, reprenable):
    client.force_login(cast.gestionnaire_a)
    page = reverse("flux:liberation", args=[reprenable.pk])
    orienter(cast, reprenable, cast.commune_cannes)
    assert "Reprendre ce logement pour un tour" not in client.get(page).content.decode()
    orienter(cast, reprenable, cast.als)
    assert "Reprendre ce logement pour un tour" in client.get(page).content.decode()
    envoi = {"motif": motif("T_PEUPLEMENT").pk, "date": JOUR.isoformat()}
    assert client.post(f"{page}reprendre/", envoi).status_code == 302
    lu = client.get(page).content.decode()
    assert "Reprise pour un tour par le bailleur" in lu and "Rendre ce logement au réservataire" in lu
    assert client.post(f"{page}rendre/", {"motif": motif("E_AUTRE").pk}).status_code == 302
    assert Orientation.objects.filter(liberation=reprenable).count() == 4
    client.force_login(cast.charge_als)
    assert "Repris pour un tour" in client.get(reverse("flux:liste_a_pourvoir")).content.decode()
