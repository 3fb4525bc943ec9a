"""After the CALEOL: offer, ten days, next rank, condition, lease, and taking the last act back."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError

from flux.models import (
    Attribution,
    CalculAFaire,
    CodeMotif,
    Commission,
    Confirmation,
    Imputation,
    Liberation,
    MotifRefus,
    Passage,
    Usage,
)
from flux.services import attributions, controles
from flux.services import liberations as services
from flux.services.attributions import ActeDefait
from flux.services.candidatures import lister_candidatures
from reservation.acteur import Acteur
from tests.flux.fabriques import ANNEE, actes_paca, attribution, liberation, menage

SYSTEME = Acteur.du_systeme("essai")
LIBEREE, CALEOL, OFFRE = date(ANNEE, 3, 2), date(ANNEE, 3, 20), date(ANNEE, 3, 23)


@pytest.fixture(autouse=True)
def aujourd_hui():
    with time_machine.travel(date(ANNEE, 6, 30), tick=False):
        yield


@pytest.fixture
def cast(cast):
    actes_paca(cast)
    return cast


def passer(faite: Liberation, decision: str = "ATTR_RANG", *, commission=None, **champs) -> Passage:
    lieu = {"bailleur_id": faite.bailleur_id, "departement_id": faite.departement_id}
    commission = commission or Commission.objects.get_or_create(**lieu, date=CALEOL)[0]
    return Passage.objects.create(
        **lieu,
        commission=commission,
        liberation=faite,
        decision=decision,
        menage=champs.pop("menage", None) or menage(),
        **champs,
    )


@pytest.fixture
def rangs(cast) -> list[Passage]:
    """A dwelling of the État attributed to the first of three ranks: a DALO household, a group 2, another one."""
    faite = liberation(cast.bailleur_a, LIBEREE, reservataire=cast.ddets_06)
    labels = ([("DALO", date(2025, 1, 1))], [("HEBERGEMENT", date(2025, 1, 1))], [])
    passages = [
        passer(faite, rang=rang, menage=menage("06", *ceux_ci)) for rang, ceux_ci in enumerate(labels, 1)
    ]
    attribution(faite, CALEOL, passage=passages[0], menage=passages[0].menage)
    return passages


def motif(code: str) -> MotifRefus:
    return MotifRefus.objects.get(code=code)


def reprise() -> CodeMotif:
    return CodeMotif.objects.get(code="E_DATE")


def vivante(faite: Liberation) -> Attribution | None:
    return faite.attributions.filter(refusee_le=None).first()


# --- Offer and answer -------------------------------------------------------------------------------------------


def test_from_the_offer_to_the_lease(rangs):
    faite = rangs[0].liberation
    servie = vivante(faite)
    with pytest.raises(ValidationError, match="L’offre suit la CALEOL, qui est du 20 mars 2026"):
        attributions.notifier_offre(SYSTEME, servie, date=CALEOL - timedelta(1))
    with pytest.raises(ValidationError, match="Notifiez d’abord l’offre"):
        attributions.accepter_offre(SYSTEME, servie, date=OFFRE)
    with pytest.raises(ValidationError, match="date à venir"):
        attributions.notifier_offre(SYSTEME, servie, date=date(ANNEE, 7, 1))
    attributions.notifier_offre(SYSTEME, servie, date=OFFRE)
    with pytest.raises(ValidationError, match="déjà notifiée"):
        attributions.notifier_offre(SYSTEME, servie, date=OFFRE)
    with pytest.raises(ValidationError, match="L’acceptation suit l’offre, qui est du 23 mars 2026"):
        attributions.accepter_offre(SYSTEME, servie, date=OFFRE - timedelta(1))
    # A yes after the ten days is a yes.
    attributions.accepter_offre(SYSTEME, servie, date=OFFRE + timedelta(20))
    with pytest.raises(ValidationError, match="a accepté cette offre"):
        attributions.constater_silence(SYSTEME, servie, date=date(ANNEE, 6, 1))
    with pytest.raises(ValidationError, match="Le bail suit l’acceptation"):
        attributions.enregistrer_bail(SYSTEME, servie, date=OFFRE + timedelta(19))
    attributions.enregistrer_bail(SYSTEME, servie, date=OFFRE + timedelta(20))
    with pytest.raises(ValidationError, match="Le bail est signé"):
        attributions.refuser_attribution(
            SYSTEME, servie, date=date(ANNEE, 5, 1), motif=motif("M_LOCALISATION")
        )
    assert Imputation.objects.get().detail == "PRIORITE_1"


def test_silence_only_once_the_ten_days_are_over(rangs):
    servie = vivante(rangs[0].liberation)
    with pytest.raises(ValidationError, match="Notifiez d’abord l’offre"):
        attributions.constater_silence(SYSTEME, servie, date=date(ANNEE, 4, 30))
    attributions.notifier_offre(SYSTEME, servie, date=OFFRE)
    with pytest.raises(ValidationError, match="jusqu’au 2 avril 2026 inclus"):
        attributions.constater_silence(SYSTEME, servie, date=date(ANNEE, 4, 2))
    attributions.constater_silence(SYSTEME, servie, date=date(ANNEE, 4, 3))
    servie.refresh_from_db()
    assert servie.motif_refus.code == "M_SANS_REPONSE"
    assert vivante(rangs[0].liberation).passage == rangs[1]


def test_silence_is_not_dated_of_a_day_to_come(rangs):
    servie = vivante(rangs[0].liberation)
    attributions.notifier_offre(SYSTEME, servie, date=date(ANNEE, 6, 25))
    with pytest.raises(ValidationError, match="date à venir"):
        attributions.constater_silence(SYSTEME, servie, date=date(ANNEE, 7, 6))


# --- The next rank ----------------------------------------------------------------------------------------------


def test_each_refusal_serves_the_next_rank_and_the_imputation_follows(rangs):
    faite = rangs[0].liberation
    attendus = [(0, "PRIORITE_1"), (1, "PRIORITE_2"), (2, "AUTRE")]
    for rang, detail in attendus:
        servie = vivante(faite)
        assert (servie.passage, servie.menage, servie.date_caleol) == (
            rangs[rang],
            rangs[rang].menage,
            CALEOL,
        )
        if rang:
            assert Imputation.objects.get().detail == detail
        attributions.refuser_attribution(
            SYSTEME, servie, date=OFFRE + timedelta(rang), motif=motif("M_LOYER")
        )
    assert vivante(faite) is None
    assert faite.attributions.count() == 3
    # The last refusal leaves the attribution counted (PACA, art. 1).
    assert Imputation.objects.get().detail == "AUTRE"


def test_missing_documents_are_a_refusal_of_their_own_kind(rangs):
    servie = vivante(rangs[0].liberation)
    attributions.constater_pieces_manquantes(SYSTEME, servie, date=OFFRE)
    servie.refresh_from_db()
    assert servie.motif_refus.code == "M_PIECES"
    assert vivante(rangs[0].liberation).passage == rangs[1]


def test_only_ranks_of_the_same_commission_that_were_not_served(cast, rangs):
    faite = rangs[0].liberation
    passer(faite, "NON_ATTR", motif=motif("RESSOURCES_PLAFOND"))
    autre = Commission.objects.create(
        bailleur=cast.bailleur_a, departement_id="06", date=CALEOL + timedelta(7)
    )
    passer(faite, rang=2, commission=autre)
    ailleurs = passer(liberation(cast.bailleur_a, LIBEREE), rang=2)
    assert attributions.rang_suivant(vivante(faite)) == rangs[1]
    attributions.refuser_attribution(SYSTEME, vivante(faite), date=OFFRE, motif=motif("M_LOYER"))
    assert attributions.rang_suivant(vivante(faite)) == rangs[2]
    assert not Attribution.objects.filter(passage=ailleurs).exists()


def test_an_import_that_brings_the_next_attribution_itself(rangs):
    faite = rangs[0].liberation
    attributions.refuser_attribution(
        SYSTEME, vivante(faite), date=OFFRE, motif=motif("M_LOYER"), servir_suivant=False
    )
    assert vivante(faite) is None


# --- Suspensive condition ---------------------------------------------------------------------------------------


@pytest.fixture
def conditionnee(cast) -> Attribution:
    faite = liberation(cast.bailleur_a, LIBEREE, reservataire=cast.ddets_06)
    passage = passer(
        faite,
        "ATTR_COND",
        condition_piece=CodeMotif.objects.get(code="P_CONGE"),
        condition_echeance=date(ANNEE, 4, 10),
    )
    return attribution(faite, CALEOL, passage=passage, menage=passage.menage)


def test_nothing_follows_before_the_condition_is_lifted(conditionnee):
    for verbe in (attributions.notifier_offre, attributions.enregistrer_bail):
        with pytest.raises(ValidationError, match="sous condition suspensive"):
            verbe(SYSTEME, conditionnee, date=date(ANNEE, 4, 1))
    with pytest.raises(ValidationError, match="attendue le 10 avril 2026 au plus tard"):
        attributions.lever_condition(SYSTEME, conditionnee, date=date(ANNEE, 4, 11))
    with pytest.raises(ValidationError, match="suit la décision"):
        attributions.lever_condition(SYSTEME, conditionnee, date=CALEOL - timedelta(1))
    attributions.lever_condition(SYSTEME, conditionnee, date=date(ANNEE, 4, 10))
    with pytest.raises(ValidationError, match="déjà levée"):
        attributions.lever_condition(SYSTEME, conditionnee, date=date(ANNEE, 4, 10))
    attributions.notifier_offre(SYSTEME, conditionnee, date=date(ANNEE, 4, 11))
    assert (
        attributions.defaire_dernier_acte(SYSTEME, conditionnee.liberation, motif=reprise()).acte
        == ActeDefait.OFFRE
    )
    assert (
        attributions.defaire_dernier_acte(SYSTEME, conditionnee.liberation, motif=reprise()).acte
        == ActeDefait.CONDITION
    )
    conditionnee.passage.refresh_from_db()
    assert conditionnee.passage.condition_levee_le is None


def test_the_condition_expires_the_day_after(conditionnee):
    second = passer(conditionnee.liberation, rang=1)
    with pytest.raises(ValidationError, match="jusqu’au 10 avril 2026 inclus"):
        attributions.constater_condition_expiree(SYSTEME, conditionnee, date=date(ANNEE, 4, 10))
    attributions.constater_condition_expiree(SYSTEME, conditionnee, date=date(ANNEE, 4, 11))
    conditionnee.refresh_from_db()
    assert conditionnee.motif_refus.code == "PIECES_NON_PRODUITES"
    assert vivante(conditionnee.liberation).passage == second


def test_a_condition_is_asked_for_where_there_is_one(rangs):
    for verbe in (attributions.lever_condition, attributions.constater_condition_expiree):
        with pytest.raises(ValidationError, match="n’a pas de condition"):
            verbe(SYSTEME, vivante(rangs[0].liberation), date=OFFRE)


# --- Taking back ------------------------------------------------------------------------------------------------


def test_every_act_is_taken_back_from_the_last(rangs):
    faite = rangs[0].liberation
    servie = vivante(faite)
    attributions.notifier_offre(SYSTEME, servie, date=OFFRE)
    attributions.refuser_attribution(SYSTEME, servie, date=OFFRE, motif=motif("M_LOYER"))
    deuxieme = vivante(faite)
    attributions.notifier_offre(SYSTEME, deuxieme, date=OFFRE)
    attributions.accepter_offre(SYSTEME, deuxieme, date=OFFRE)
    attributions.enregistrer_bail(SYSTEME, deuxieme, date=date(ANNEE, 4, 2))
    defaits = []
    for _ in range(5):
        defaits.append(attributions.defaire_dernier_acte(SYSTEME, faite, motif=reprise()).acte.value)
    assert defaits == ["BAIL", "ACCEPTATION", "OFFRE", "REFUS", "OFFRE"]
    servie.refresh_from_db()
    assert vivante(faite) == servie and faite.attributions.count() == 1
    assert (servie.refusee_le, servie.motif_refus, servie.offre_le) == (None, None, None)
    assert Imputation.objects.get().detail == "PRIORITE_1"
    # The decision itself is the commission's.
    with pytest.raises(ValidationError, match="rouvrant la commission"):
        attributions.defaire_dernier_acte(SYSTEME, faite, motif=reprise())


def test_an_attribution_without_commission_is_taken_off(cast):
    faite = liberation(cast.bailleur_a, date(ANNEE - 1, 12, 1), reservataire=cast.als)
    attributions.enregistrer_attribution(SYSTEME, faite, date_caleol=CALEOL)
    CalculAFaire.objects.all().delete()
    attributions.defaire_dernier_acte(SYSTEME, faite, motif=reprise())
    assert not faite.attributions.exists() and not Imputation.objects.exists()
    # The year that it left is computed again too.
    assert set(CalculAFaire.objects.values_list("annee", flat=True)) == {ANNEE - 1, ANNEE}


def test_taking_back_has_its_limits(cast, rangs):
    faite = rangs[0].liberation
    with pytest.raises(ValidationError, match="n’est pas un motif de cet acte"):
        attributions.defaire_dernier_acte(SYSTEME, faite, motif=CodeMotif.objects.get(code="A_ERREUR"))
    for _ in rangs:
        attributions.refuser_attribution(SYSTEME, vivante(faite), date=OFFRE, motif=motif("M_LOYER"))
    Liberation.objects.filter(pk=faite.pk).update(designation_echouee_le=OFFRE)
    with pytest.raises(ValidationError, match="constaté depuis ce refus"):
        attributions.defaire_dernier_acte(SYSTEME, faite, motif=reprise())
    rien = liberation(cast.bailleur_a, LIBEREE)
    with pytest.raises(ValidationError, match="Rien à reprendre"):
        attributions.defaire_dernier_acte(SYSTEME, rien, motif=reprise())
    services.annuler_liberation(SYSTEME, rien, date=OFFRE, motif=CodeMotif.objects.get(code="A_MAINTIEN"))
    with pytest.raises(ValidationError, match="est annulée"):
        attributions.defaire_dernier_acte(SYSTEME, rien, motif=reprise())


# --- Correct, restore, several at once --------------------------------------------------------------------------


def test_correct_and_restore(cast):
    faite = liberation(cast.bailleur_a, LIBEREE)
    faits = {"date": date(ANNEE, 3, 5), "usage": Usage.FLUX}
    with pytest.raises(ValidationError, match="annulez-la et déclarez-la de nouveau"):
        services.corriger_liberation(SYSTEME, faite, **faits | {"date": date(ANNEE - 1, 3, 5)})
    with pytest.raises(ValidationError, match="référence de son justificatif"):
        services.corriger_liberation(SYSTEME, faite, **faits | {"usage": "RU"})
    corrigee = services.corriger_liberation(
        SYSTEME, faite, **faits | {"usage": "RU", "preuve": " NPNRU-4 "}, date_disponibilite=date(ANNEE, 4, 1)
    )
    assert (corrigee.usage, corrigee.preuve, corrigee.date) == ("RU", "NPNRU-4", date(ANNEE, 3, 5))
    with pytest.raises(ValidationError, match="n’est pas annulée"):
        services.retablir_liberation(SYSTEME, faite, motif=reprise())
    services.annuler_liberation(
        SYSTEME,
        faite,
        date=OFFRE,
        motif=CodeMotif.objects.get(code="A_AUTRE"),
        precision="congé retiré",
    )
    faite.refresh_from_db()
    assert faite.motif_annulation == "Autre motif\u00a0: congé retiré"
    assert faite.code_annulation.code == "A_AUTRE"
    retablie = services.retablir_liberation(SYSTEME, faite, motif=reprise())
    assert (retablie.annulee_le, retablie.motif_annulation, retablie.code_annulation) == (None, "", None)


def test_several_at_once_or_none(cast, django_assert_max_num_queries):
    lignes = [liberation(cast.bailleur_a, LIBEREE) for _ in range(4)]
    cles = [ligne.pk for ligne in lignes]
    services.dater_la_disponibilite(SYSTEME, cles, date_disponibilite=date(ANNEE, 5, 1))
    services.changer_l_usage(SYSTEME, cles[:2], usage="RU", preuve="NPNRU-1")
    assert list(Liberation.objects.order_by("pk").values_list("usage", flat=True)) == [
        "RU",
        "RU",
        "FLUX",
        "FLUX",
    ]
    attribution(lignes[3], CALEOL, date_bail=OFFRE)
    maintien = CodeMotif.objects.get(code="A_MAINTIEN")
    with pytest.raises(ValidationError) as refus:
        services.annuler_ensemble(SYSTEME, cles, date=OFFRE, motif=maintien)
    assert refus.value.messages == [
        f"{lignes[3].reference}\u00a0: Un bail est signé sur ce logement\u00a0: la libération ne peut plus être annulée."
    ]
    assert not Liberation.objects.exclude(annulee_le=None).exists()
    services.annuler_ensemble(SYSTEME, cles[:3], date=OFFRE, motif=maintien)
    assert Liberation.objects.exclude(annulee_le=None).count() == 3
    with pytest.raises(ValidationError, match="au moins une"):
        services.annuler_ensemble(SYSTEME, [], date=OFFRE, motif=maintien)


def test_a_foreign_row_among_ones_own_stops_all(cast):
    a, b = liberation(cast.bailleur_a, LIBEREE), liberation(cast.bailleur_b, LIBEREE)
    with pytest.raises(PermissionDenied):
        services.dater_la_disponibilite(
            cast.acteur("gestionnaire_a"), [a.pk, b.pk], date_disponibilite=date(ANNEE, 5, 1)
        )
    a.refresh_from_db()
    assert a.date_disponibilite is None


# --- Who may, and what is seen ----------------------------------------------------------------------------------


def test_only_those_of_the_bailleur_who_may_manage(cast, rangs):
    faite = rangs[0].liberation
    for nom in ("lecteur_a", "administrateur_a", "gestionnaire_b", "agent_ddets_06", "charge_als"):
        acteur = cast.acteur(nom)
        servie = vivante(faite)
        for geste in (
            lambda acteur=acteur, servie=servie: attributions.notifier_offre(acteur, servie, date=OFFRE),
            lambda acteur=acteur, servie=servie: attributions.accepter_offre(acteur, servie, date=OFFRE),
            lambda acteur=acteur, servie=servie: attributions.constater_silence(acteur, servie, date=OFFRE),
            lambda acteur=acteur, servie=servie: attributions.constater_pieces_manquantes(
                acteur, servie, date=OFFRE
            ),
            lambda acteur=acteur, servie=servie: attributions.lever_condition(acteur, servie, date=OFFRE),
            lambda acteur=acteur, servie=servie: attributions.constater_condition_expiree(
                acteur, servie, date=OFFRE
            ),
            lambda acteur=acteur: attributions.defaire_dernier_acte(acteur, faite, motif=reprise()),
            lambda acteur=acteur: services.corriger_liberation(acteur, faite, date=LIBEREE, usage="FLUX"),
            lambda acteur=acteur: services.retablir_liberation(acteur, faite, motif=reprise()),
            lambda acteur=acteur: services.dater_la_disponibilite(
                acteur, [faite.pk], date_disponibilite=OFFRE
            ),
        ):
            with pytest.raises(PermissionDenied):
                geste()
    servie = vivante(faite)
    attributions.notifier_offre(cast.acteur("gestionnaire_a"), servie, date=OFFRE)
    attributions.refuser_attribution(cast.acteur("signataire_a"), servie, date=OFFRE, motif=motif("M_LOYER"))
    assert vivante(faite).cree_par == cast.signataire_a


def test_the_household_list_says_no_more_than_one_may_know(cast, rangs):
    faite = rangs[0].liberation
    passer(faite, "NON_ATTR", motif=motif("RESSOURCES_PLAFOND"))
    attributions.refuser_attribution(SYSTEME, vivante(faite), date=OFFRE, motif=motif("M_LOYER"))

    def lues(nom):
        servies = list(faite.attributions.select_related("menage", "motif_refus", "passage").order_by("pk"))
        return lister_candidatures(cast.acteur(nom), faite, servies, date(ANNEE, 4, 1))

    lignes = lues("gestionnaire_a")
    assert [(ligne.label, ligne.decision) for ligne in lignes] == [
        ("groupe 1", "b – attribution, rang 1"),
        ("groupe 2", "b – attribution, rang 2"),
        ("sans label", "b – attribution, rang 3"),
        ("sans label", "d – non-attribution"),
    ]
    assert lignes[0].suite == "Refus le 23 mars 2026\u00a0: Loyer ou charges trop élevés"
    assert lignes[1].en_cours and lignes[1].suite == "Offre à notifier"
    assert lignes[2].suite.startswith("En réserve")
    assert lignes[3].suite == "Motif\u00a0: Ressources au-dessus du plafond"
    assert lues("agent_cannes") == []  # not of its contingent
    Passage.objects.filter(liberation=faite).update(reservataire=cast.commune_cannes)
    assert [ligne.label for ligne in lues("agent_cannes")] == [
        "prioritaire",
        "prioritaire",
        "non prioritaire",
        "non prioritaire",
    ]
    Passage.objects.filter(liberation=faite).update(reservataire=cast.als)
    assert lues("charge_als")[0].label == "groupe 1"


def test_steps_partition_what_waits(cast, rangs, conditionnee):
    e = Liberation.objects.all().conditions(date(ANNEE, 6, 30))
    bailleur = cast.bailleur_a
    liberation(bailleur, LIBEREE)  # to orient
    liberation(bailleur, LIBEREE, reservataire=cast.als)  # waits for candidates
    liberation(bailleur, LIBEREE, reservataire=bailleur)  # non réservé: to the CALEOL
    liberation(bailleur, LIBEREE, usage="RU")
    echouee = liberation(bailleur, LIBEREE, reservataire=cast.als, designation_echouee_le=LIBEREE)
    inscrite = liberation(bailleur, LIBEREE, reservataire=cast.als)
    passer(inscrite, "")
    hors = liberation(bailleur, LIBEREE, dans_assiette=False)
    louee = liberation(bailleur, LIBEREE, reservataire=cast.als)
    attribution(louee, CALEOL, date_bail=OFFRE)
    acceptee = liberation(bailleur, LIBEREE, reservataire=cast.als)
    attribution(acceptee, CALEOL, offre_le=OFFRE, acceptee_le=OFFRE)
    en_retard = liberation(bailleur, LIBEREE, reservataire=cast.als)
    attribution(en_retard, CALEOL, offre_le=date(ANNEE, 6, 19))
    a_temps = liberation(bailleur, LIBEREE, reservataire=cast.als)
    attribution(a_temps, CALEOL, offre_le=date(ANNEE, 6, 20))
    attente = Liberation.objects.en_attente()
    nombres = {nom: attente.filter(condition).count() for nom, condition in e.items()}
    assert nombres.pop("retard") == 1
    assert nombres == {
        "a_orienter": 1,
        "candidats": 1,
        "caleol": 4,
        "condition": 1,
        "a_offrir": 1,
        "offre": 2,
        "bail": 1,
    }
    assert sum(nombres.values()) == attente.count()
    assert list(Liberation.objects.all().a_l_etape("retard", date(ANNEE, 6, 30))) == [en_retard]
    assert {echouee, inscrite} <= set(Liberation.objects.all().a_l_etape("caleol"))
    assert not {hors, louee} & set(attente)


def test_what_was_confirmed_is_not_asked_again(cast):
    acteur = cast.acteur("gestionnaire_a")
    deja = liberation(cast.bailleur_a, LIBEREE, cle_logement="L-9")
    liberation(cast.bailleur_b, LIBEREE + timedelta(1), cle_logement="L-9")
    faits = {"date": date(ANNEE, 5, 4), "cle_logement": "L-9"}
    (anomalie,) = controles.controler_declaration(acteur, **faits)
    assert "2 mars 2026" in anomalie.phrase and "63 jours" in anomalie.phrase
    nouvelle = liberation(cast.bailleur_a, date(ANNEE, 5, 4), cle_logement="L-9")
    assert controles.nouvelles(nouvelle, [anomalie]) == [anomalie]
    controles.retenir(acteur, nouvelle, [anomalie])
    controles.retenir(acteur, nouvelle, [anomalie])
    assert controles.nouvelles(nouvelle, [anomalie]) == []
    confirmation = Confirmation.objects.get()
    assert (confirmation.confirmee_par, confirmation.phrase) == (cast.gestionnaire_a, anomalie.phrase)
    for nom, vues in (("lecteur_a", 1), ("agent_ddets_06", 1), ("gestionnaire_b", 0), ("charge_als", 0)):
        assert Confirmation.objects.visibles_par(cast.acteur(nom)).count() == vues
    # Cancelled, the other one is no oddity any more; the same day is not one either: it is refused.
    assert controles.controler_declaration(acteur, **faits | {"date": LIBEREE}, sauf=nouvelle) == []
    services.annuler_liberation(SYSTEME, deja, date=OFFRE, motif=CodeMotif.objects.get(code="A_DOUBLON"))
    assert controles.controler_declaration(acteur, **faits, sauf=nouvelle) == []
