"""Orientations, designations and urgent designations: what is kept, what is refused, who is told, and what the database
lets nobody do."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.urls import reverse

from flux.forms_orientation import FormulaireChoix
from flux.models import (
    Candidat,
    CodeMotif,
    Commission,
    Consultation,
    Designation,
    Liberation,
    LogementDeProgramme,
    MotifRefus,
    Nature,
    Orientation,
    Passage,
    Programme,
    Urgence,
)
from flux.regles.orientation import Raison
from flux.services import designations, orientations
from flux.services.calculs import calculer
from flux.services.suggestions import charger_tableau, suggestion_de
from flux.tasks import constater_les_delais
from publics.models import Menage
from reservation.acteur import Acteur
from reservation.models import Courriel, Organisation
from reservation.perimetre import agir
from reservation.regles.actes import ALS, BAILLEUR, ETAT
from tests.flux.fabriques import (
    ANNEE,
    actes_paca,
    attribution,
    convention,
    convention_etat,
    liberation,
    menage,
    parc,
)
from tests.personnages import ANTIBES, CANNES, NICE

pytestmark = pytest.mark.django_db

SYSTEME = Acteur.du_systeme("essais")
JOUR = date(ANNEE, 4, 10)
NUMERO = "006112500000000042"


@pytest.fixture
def annee(cast):
    """PACA's acts, a parc of two communes, ten dwellings of Cannes freed on ten days."""
    versions = actes_paca(cast)
    parc(cast.bailleur_a, lots=[{}, {"commune_id": NICE, "nombre": 500}])
    libres = [liberation(cast.bailleur_a, date(ANNEE, 3, 1 + rang)) for rang in range(10)]
    return versions, libres


@pytest.fixture
def directe(cast):
    """The État in gestion directe, fifteen days to propose; ALS in gestion déléguée."""
    convention_etat(
        cast.bailleur_a, cast.ddets_06, gestion="DIRECTE", delai_proposition=15, echec_consomme=True
    )
    convention(cast.bailleur_a, cast.als, taux="27")
    return liberation(cast.bailleur_a, date(ANNEE, 3, 1))


def motif(code: str) -> CodeMotif:
    return CodeMotif.objects.get(code=code)


def choisir(cast, liberee, organisation, **champs) -> Liberation:
    acteur = cast.acteur("gestionnaire_a")
    with agir(acteur):
        return orientations.choisir_reservataire(
            acteur, liberee, reservataire=organisation, date=JOUR, **champs
        )


# --- The suggestion -----------------------------------------------------------------------------------------------


def test_the_suggestion_rests_on_the_year_as_it_is_now(cast, annee):
    _, libres = annee
    tableau, suggestion = suggestion_de(libres[0], JOUR)
    assert tableau.balance.attendu(ETAT) == Fraction("2.863")
    assert tableau.balance.attendu(ALS) == Fraction("2.837")
    assert (suggestion.retenu, suggestion.raison) == (ETAT, Raison.PLANCHER)  # 2,86 outside QPV, none engaged
    for libre in libres:
        _, suggestion = suggestion_de(libre, JOUR)
        Liberation.objects.filter(pk=libre.pk).update(
            reservataire=tableau.organisation(suggestion.retenu), orientee_le=JOUR
        )
    servis = charger_tableau((cast.bailleur_a.pk, "06"), ANNEE).balance.engages.par_code
    assert servis == {"ETAT": 3, "ALS": 3, CANNES: 1, "BAILLEUR": 3}


def test_expected_dwellings_come_from_the_projected_flux(cast, annee):
    calculer(cast.bailleur_a.pk, "06", ANNEE, Nature.PREVISIONNEL, "essai")
    tableau = charger_tableau((cast.bailleur_a.pk, "06"), ANNEE, aujourd_hui=JOUR)
    assert tableau.attendues == 128 - 10  # 8,5 % of 1 500
    assert tableau.balance.projete.flux == 128
    assert (
        charger_tableau((cast.bailleur_a.pk, "06"), ANNEE, aujourd_hui=date(ANNEE + 1, 1, 2)).attendues == 0
    )


def test_what_is_already_done_weighs(cast, annee):
    """A failed designation of ALS (gestion déléguée) is the bailleur's; a household of the État without label fills
    nothing; an orientation to an agent counts as one."""
    _, libres = annee
    Liberation.objects.filter(pk=libres[0].pk).update(
        reservataire=cast.als, orientee_le=JOUR, designation_echouee_le=JOUR
    )
    orientations.orienter_liberation(SYSTEME, libres[1], reservataire=cast.ddets_06, date=JOUR)
    servie = orientations.orienter_liberation(SYSTEME, libres[2], reservataire=cast.ddets_06, date=JOUR)
    attribution(servie, JOUR, menage=menage())
    from flux.services.imputations import imputer

    imputer(liberations=[servie.pk])
    engages = charger_tableau((cast.bailleur_a.pk, "06"), ANNEE).balance.engages
    assert engages.par_code == {"BAILLEUR": 1, "ETAT": 1}


def test_soustractions_and_foreign_uses_have_no_suggestion(cast, annee):
    autre = liberation(cast.bailleur_a, date(ANNEE, 3, 20), usage="MUTATION", preuve="M-1")
    hors = liberation(cast.bailleur_a, date(ANNEE, 3, 20), dans_assiette=False)
    neuve = liberation(cast.bailleur_a, date(ANNEE, 3, 20), premiere=True)
    assert [suggestion_de(lib)[1] for lib in (autre, hors, neuve)] == [None, None, None]


def test_a_tableau_costs_the_same_whatever_it_holds(cast, annee, django_assert_max_num_queries):
    for rang in range(30):
        liberation(cast.bailleur_a, date(ANNEE, 5, 1), commune_id=ANTIBES if rang % 2 else CANNES)
    with django_assert_max_num_queries(14):
        tableau = charger_tableau((cast.bailleur_a.pk, "06"), ANNEE)
    assert len(tableau.suggestions) == 40


# --- The choice ---------------------------------------------------------------------------------------------------


def test_following_the_suggestion_asks_nothing_and_keeps_the_figures(cast, annee):
    _, libres = annee
    choisir(cast, libres[0], cast.ddets_06)
    gardee = Orientation.objects.get()
    assert gardee.suivie and gardee.motif is None and gardee.faite_par == cast.gestionnaire_a
    assert "hors QPV et l’État y est sous son plancher" in gardee.phrase
    etat = gardee.chiffres["choix"][0]
    assert (etat["code"], Fraction(etat["attendu"])) == ("ETAT", Fraction("2.863"))


def test_another_choice_asks_for_its_coded_reason(cast, annee):
    _, libres = annee
    for mauvais in (None, motif("U_AUTRE")):
        with pytest.raises(ValidationError, match="Choisissez un motif"):
            choisir(cast, libres[0], cast.als, motif=mauvais)
    choisir(cast, libres[0], cast.als, motif=motif("O_TYPOLOGIE"))
    gardee = Orientation.objects.get()
    assert (gardee.suggere, gardee.reservataire, gardee.motif.code) == (
        cast.ddets_06,
        cast.als,
        "O_TYPOLOGIE",
    )
    assert not gardee.suivie
    # Following it later needs none, even if one is sent.
    choisir(cast, libres[1], cast.ddets_06, motif=motif("O_AUTRE"))
    assert Orientation.objects.latest("pk").motif is None


def test_the_database_holds_the_reason(cast, annee):
    _, libres = annee
    commun = {
        "bailleur": cast.bailleur_a,
        "departement_id": "06",
        "liberation": libres[0],
        "reservataire": cast.als,
        "date": JOUR,
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        Orientation.objects.create(**commun, suggere=cast.ddets_06)
    with pytest.raises(IntegrityError), transaction.atomic():
        Orientation.objects.create(**commun, suggere=cast.als, motif=motif("O_AUTRE"))
    Orientation.objects.create(**commun, suggere=None)


def test_who_has_no_right_there_is_refused_whatever_the_reason(cast, annee):
    a_nice = liberation(cast.bailleur_a, date(ANNEE, 3, 20), commune_id=NICE)
    with pytest.raises(ValidationError, match="pas sur son territoire"):
        choisir(cast, a_nice, cast.commune_cannes, motif=motif("O_ACCORD"))


def test_the_ceiling_of_the_agents_is_refused_on_the_server(cast, annee):
    """Ten dwellings: half of one for the agents. Forty: two."""
    _, libres = annee
    with pytest.raises(ValidationError, match="plafond des agents"):
        choisir(cast, libres[0], cast.ddets_06, agents=True, motif=motif("O_ACCORD"))
    with pytest.raises(ValidationError, match="Seul un logement de l’État"):
        choisir(cast, libres[0], cast.als, agents=True, motif=motif("O_ACCORD"))
    autres = [liberation(cast.bailleur_a, date(ANNEE, 5, 1)) for _ in range(30)]
    for autre in autres[:2]:
        choisir(cast, autre, cast.ddets_06, agents=True, motif=motif("O_ACCORD"))
    with pytest.raises(ValidationError, match="plafond des agents"):
        choisir(cast, autres[2], cast.ddets_06, agents=True, motif=motif("O_ACCORD"))


def test_another_bailleur_and_a_reader_orient_nothing(cast, annee):
    for qui in ("gestionnaire_b", "lecteur_a", "agent_ddets_06", "charge_als"):
        acteur = cast.acteur(qui)
        with agir(acteur), pytest.raises(PermissionDenied):
            orientations.choisir_reservataire(acteur, annee[1][0], reservataire=cast.bailleur_a, date=JOUR)


# --- Gestion directe ----------------------------------------------------------------------------------------------


def test_the_reservataire_is_told_with_its_clock_and_nothing_of_a_household(cast, directe):
    choisir(cast, directe, cast.ddets_06, motif=motif("O_ACCORD"))
    designation = Designation.objects.get()
    assert (designation.gestion, designation.delai) == ("DIRECTE", 15)
    assert designation.echeance == JOUR + timedelta(days=15)
    courriel = Courriel.objects.get(gabarit="logement_a_pourvoir")
    assert courriel.destinataire == "ddets06@etat.example"  # who manages; not who reads or administers
    assert "25 avril 2026" in courriel.objet.replace("\u00a0", " ")
    assert f"/logements-a-pourvoir/{designation.pk}/" in courriel.corps_texte


def test_candidates_are_proposed_within_the_delay(cast, directe):
    choisir(cast, directe, cast.ddets_06, motif=motif("O_ACCORD"))
    designation = Designation.objects.get()
    acteur = cast.acteur("agent_ddets_06")
    with agir(acteur):
        with pytest.raises(ValidationError, match="délai de la convention est passé"):
            designations.proposer_candidat(
                acteur, designation, numero_unique=NUMERO, date=designation.echeance + timedelta(days=1)
            )
        candidat = designations.proposer_candidat(
            acteur, designation, numero_unique=NUMERO, date=designation.echeance
        )
        with pytest.raises(ValidationError, match="déjà proposé"):
            designations.proposer_candidat(acteur, designation, numero_unique=NUMERO, date=JOUR)
        designation.refresh_from_db()
        assert designation.etat == "PROPOSEE"
        # Proposed in time: another one may still join it.
        designations.proposer_candidat(
            acteur,
            designation,
            numero_unique=NUMERO[:-1] + "3",
            date=designation.echeance + timedelta(days=3),
        )
    assert Menage.objects.get(pk=candidat.menage_id).numero_fin == NUMERO[-4:]
    for qui in ("gestionnaire_a", "charge_als", "lecteur_ddets_06", "agent_ddets_22"):
        autre = cast.acteur(qui)
        with agir(autre), pytest.raises(PermissionDenied):
            designations.proposer_candidat(autre, designation, numero_unique=NUMERO, date=JOUR)


def test_a_delay_passed_is_a_designation_failed_once(cast, directe):
    choisir(cast, directe, cast.ddets_06, motif=motif("O_ACCORD"))
    designation = Designation.objects.get()
    assert designations.constater_les_delais(designation.echeance) == 0
    lendemain = designation.echeance + timedelta(days=1)
    assert designations.constater_les_delais(lendemain + timedelta(days=2)) == 1
    designation.refresh_from_db()
    directe.refresh_from_db()
    assert (designation.etat, designation.motif.code) == ("ECHOUEE", "R_HORS_DELAI")
    assert designation.close_le == directe.designation_echouee_le == lendemain
    assert (
        Courriel.objects.filter(gabarit="designation_hors_delai", organisation=cast.bailleur_a).count() == 2
    )
    constater_les_delais()
    assert Courriel.objects.filter(gabarit="designation_hors_delai").count() == 2
    # The right is used up by this convention: it stays the État's.
    assert charger_tableau((cast.bailleur_a.pk, "06"), ANNEE).balance.engages.par_code == {"ETAT": 1}


def test_candidates_or_an_attribution_stop_the_clock(cast, directe):
    choisir(cast, directe, cast.ddets_06, motif=motif("O_ACCORD"))
    designation = Designation.objects.get()
    designations.proposer_candidat(SYSTEME, designation, numero_unique=NUMERO, date=JOUR)
    assert designations.constater_les_delais(date(ANNEE, 12, 1)) == 0
    designations.retirer_candidat(SYSTEME, Candidat.objects.get())
    designation.refresh_from_db()
    assert designation.etat == "EN_ATTENTE"
    attribution(directe, JOUR)
    assert designations.constater_les_delais(date(ANNEE, 12, 1)) == 0


def test_the_bailleur_waits_for_the_delay_and_the_reservataire_may_renounce(cast, directe):
    choisir(cast, directe, cast.ddets_06, motif=motif("O_ACCORD"))
    designation = Designation.objects.get()
    aucun = MotifRefus.objects.get(code="R_AUCUN_CANDIDAT")
    acteur = cast.acteur("gestionnaire_a")
    with agir(acteur), pytest.raises(ValidationError, match="a jusqu’au"):
        designations.constater_echec_designation(acteur, directe, date=JOUR, motif=aucun)
    acteur = cast.acteur("agent_ddets_06")
    with agir(acteur):
        with pytest.raises(ValidationError, match="motif de réservataire"):
            designations.renoncer(
                acteur, designation, motif=MotifRefus.objects.get(code="M_LOYER"), date=JOUR
            )
        designations.renoncer(acteur, designation, motif=aucun, date=JOUR)
    directe.refresh_from_db()
    assert directe.designation_echouee_le == JOUR


def test_als_renounces_though_it_writes_no_liberation(cast, directe):
    convention(cast.bailleur_a, cast.autre_caf, taux="2", gestion="DIRECTE", delai_proposition=10)
    choisir(cast, directe, cast.autre_caf, motif=motif("O_ACCORD"))
    acteur = cast.acteur("agent_caf")
    with agir(acteur):
        designations.renoncer(
            acteur,
            Designation.objects.get(),
            motif=MotifRefus.objects.get(code="R_TYPOLOGIE"),
            date=JOUR,
        )
    directe.refresh_from_db()
    assert directe.designation_echouee_le == JOUR


def test_what_follows_a_failure_is_the_convention_s(cast):
    """Back to the bailleur: no other choice. To another réservataire: oriented again, never to the same one."""
    convention_etat(cast.bailleur_a, cast.ddets_06)
    convention(
        cast.bailleur_a,
        cast.als,
        taux="20",
        gestion="DIRECTE",
        delai_proposition=5,
        sans_proposition="AUTRE_RESERVATAIRE",
    )
    libre = liberation(cast.bailleur_a, date(ANNEE, 3, 1))
    choisir(cast, libre, cast.als, motif=motif("O_ACCORD"))
    designations.constater_les_delais(date(ANNEE, 12, 1))
    libre.refresh_from_db()
    tableau = charger_tableau((cast.bailleur_a.pk, "06"), ANNEE)
    assert [a.liberation for a in tableau.a_orienter] == [libre.pk]
    assert not tableau.suggestions[libre.pk].pour("ALS").possible
    with pytest.raises(ValidationError, match="sa désignation a échoué"):
        choisir(cast, libre, cast.als, motif=motif("O_ACCORD"))
    choisir(cast, libre, cast.ddets_06, motif=motif("O_ACCORD"))
    libre.refresh_from_db()
    assert (libre.reservataire, libre.designation_echouee_le) == (cast.ddets_06, None)
    assert list(Designation.objects.order_by("pk").values_list("etat", flat=True)) == [
        "REMPLACEE",
        "EN_ATTENTE",
    ]


def _proposes(cast, liberee) -> list[Candidat]:
    """Two candidates of ALS: a household that has the DALO label, another without any."""
    choisir(cast, liberee, cast.als, motif=motif("O_ACCORD"))
    commun = {
        "bailleur": cast.bailleur_a,
        "departement_id": "06",
        "reservataire": cast.als,
        "liberation": liberee,
        "designation": Designation.objects.get(),
        "propose_le": JOUR,
    }
    return [
        Candidat.objects.create(**commun, menage=menage("06", ("DALO", date(ANNEE, 1, 1)))),
        Candidat.objects.create(**commun, menage=menage()),
    ]


def _examines(cast, candidats: list[Candidat], organisation, **champs) -> None:
    """Both were refused by a commission, on the contingent of `organisation`."""
    seance = Commission.objects.create(
        **{"bailleur": cast.bailleur_a, "departement_id": "06", "date": JOUR, "etat": "CLOSE"}
        | {cle: valeur for cle, valeur in champs.items() if cle == "etat"}
    )
    for candidat in candidats:
        Passage.objects.create(
            bailleur=cast.bailleur_a,
            departement_id="06",
            commission=seance,
            liberation_id=candidat.liberation_id,
            menage_id=candidat.menage_id,
            decision="IRRECEV",
            reservataire=organisation,
            definitif=champs.get("definitif", True),
        )


def _lues(cast, qui: str, candidats: list[Candidat]) -> list[str]:
    lus = designations.priorites_lisibles(cast.acteur(qui), candidats, JOUR)
    return [lus[c.pk] for c in candidats]


@pytest.mark.parametrize(
    ("qui", "organisation", "attendu"),
    [
        ("agent_ddets_06", "als", "groupe 1"),
        ("gestionnaire_a", "als", "groupe 1"),
        ("charge_als", "als", "groupe 1"),
        ("agent_cannes", "commune_cannes", "prioritaire"),
    ],
)
def test_the_priority_is_said_as_the_table_of_visibility_allows(cast, directe, qui, organisation, attendu):
    candidats = _proposes(cast, directe)
    _examines(cast, candidats, getattr(cast, organisation))
    assert _lues(cast, qui, candidats) == [attendu, "non prioritaire"]


@pytest.mark.parametrize("qui", ["charge_als", "agent_cannes", "agent_caf"])
def test_a_reservataire_does_not_learn_a_label_by_typing_a_number(cast, directe, qui):
    """A proposal says nothing; neither do a draft, an open commission, nor a commission of somebody else's contingent."""
    candidats = _proposes(cast, directe)
    rien = [designations.PAS_ENCORE_DITE] * 2
    assert _lues(cast, qui, candidats) == rien
    organisation = cast.acteur(qui).organisation_id
    _examines(cast, candidats, Organisation.objects.get(pk=organisation), definitif=False)
    assert _lues(cast, qui, candidats) == rien
    Passage.objects.all().delete()
    _examines(cast, candidats, Organisation.objects.get(pk=organisation), etat="CONVOQUEE")
    assert _lues(cast, qui, candidats) == rien
    Passage.objects.all().delete()
    _examines(cast, candidats, cast.bailleur_a)
    assert _lues(cast, qui, candidats) == rien


def test_a_dwelling_of_the_agents_stays_theirs_unless_told_otherwise(cast, annee):
    _, libres = annee
    libres += [liberation(cast.bailleur_a, date(ANNEE, 3, 11 + rang)) for rang in range(10)]
    calculer(cast.bailleur_a.pk, "06", ANNEE, Nature.PREVISIONNEL, "essai")
    for libre in libres:  # one of twenty: the ceiling is of the flux freed so far
        choisie = FormulaireChoix(liberation=libre)
        if choisie.suggestion.retenu == ETAT and choisie.suggestion.agents_ouverts:
            break
        choisir(
            cast, libre, Organisation.objects.get(pk=choisie.tableau.organisation(choisie.suggestion.retenu))
        )
    else:
        pytest.fail("le plafond des agents ne s’ouvre jamais")
    etat = str(cast.ddets_06.pk)
    assert choisie.initial["reservataire"] == etat
    choisir(cast, libre, cast.ddets_06, agents=True)
    libre.refresh_from_db()
    assert FormulaireChoix(liberation=libre).initial["reservataire"] == f"{etat}-agents"
    choisir(cast, libre, cast.ddets_06)
    assert Orientation.objects.last().agents
    choisir(cast, libre, cast.ddets_06, agents=False)
    assert not Orientation.objects.last().agents


# --- Urgence ------------------------------------------------------------------------------------------------------


def test_the_prefet_takes_a_dwelling_and_the_bailleur_is_told(cast, directe):
    choisir(cast, directe, cast.ddets_06, motif=motif("O_ACCORD"))
    acteur = cast.acteur("agent_ddets_06")
    with agir(acteur):
        orientations.designer_d_urgence(
            acteur, directe, reference="AP-12", motif=motif("U_SINISTRE"), date=JOUR
        )
    directe.refresh_from_db()
    assert (directe.usage, directe.preuve, directe.reservataire) == ("URGENCE_PREFECTORALE", "AP-12", None)
    assert Designation.objects.get().etat == "REMPLACEE"
    assert Urgence.objects.get().faite_par == cast.agent_ddets_06
    assert Courriel.objects.filter(gabarit="designation_urgence", organisation=cast.bailleur_a).count() == 2
    with pytest.raises(ValidationError, match="déjà pris hors du flux"):
        orientations.designer_d_urgence(
            SYSTEME, directe, reference="AP-13", motif=motif("U_SINISTRE"), date=JOUR
        )


def test_nobody_else_designates_in_an_urgency(cast, directe):
    for qui in ("gestionnaire_a", "lecteur_ddets_06", "agent_ddets_22", "agent_sgc_06", "charge_als"):
        acteur = cast.acteur(qui)
        with agir(acteur), pytest.raises(PermissionDenied):
            orientations.designer_d_urgence(
                acteur, directe, reference="AP-12", motif=motif("U_SINISTRE"), date=JOUR
            )
    with pytest.raises(ValidationError, match="motif d’urgence"):
        orientations.designer_d_urgence(
            SYSTEME, directe, reference="AP-12", motif=motif("O_AUTRE"), date=JOUR
        )


def test_the_database_lets_only_the_state_write_an_urgency(cast, directe):
    ordre = (
        "INSERT INTO flux_urgence (bailleur_id, departement_id, liberation_id, reference, motif_id, date, faite_le) "
        "VALUES (%s, '06', %s, 'AP', %s, now(), now())"
    )
    valeurs = [cast.bailleur_a.pk, directe.pk, motif("U_AUTRE").pk]
    for qui in ("gestionnaire_a", "agent_ddets_22", "lecteur_ddets_06", "charge_als"):
        with (
            agir(cast.acteur(qui)),
            pytest.raises(ProgrammingError),
            transaction.atomic(),
            connection.cursor() as curseur,
        ):
            curseur.execute(ordre, valeurs)
    with agir(cast.acteur("agent_ddets_06")), connection.cursor() as curseur:
        curseur.execute(ordre, valeurs)


# --- First lettings -------------------------------------------------------------------------------------------------


def test_rights_for_one_letting_feed_the_suggestion(cast, annee):
    programme = Programme.objects.create(
        bailleur=cast.bailleur_a,
        departement_id="06",
        commune_id=CANNES,
        nom="Les Essais",
        reference="OP-1",
        livraison=date(ANNEE, 6, 1),
        logements=2,
        non_reserves=1,
        etat="ARRETEE",
        arretee_le=date(ANNEE, 2, 1),
    )
    Consultation.objects.create(
        bailleur=cast.bailleur_a,
        departement_id="06",
        programme=programme,
        reservataire=cast.als,
        consulte_le=date(ANNEE, 1, 10),
        logements=1,
    )
    neuves = [liberation(cast.bailleur_a, date(ANNEE, 6, 1), premiere=True) for _ in range(2)]
    LogementDeProgramme.objects.bulk_create(
        LogementDeProgramme(
            bailleur=cast.bailleur_a, departement_id="06", programme=programme, liberation=neuve
        )
        for neuve in neuves
    )
    suggestions = [suggestion_de(neuve)[1] for neuve in neuves]
    assert [s.retenu for s in suggestions] == [ALS, BAILLEUR]
    assert "hors flux" in suggestions[0].phrase
    choisir(cast, neuves[0], cast.als)
    assert suggestion_de(neuves[1])[1].pour("ALS").raison == "TOUR_EPUISE"


# --- Pages ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def a(client, cast):
    client.force_login(cast.gestionnaire_a)
    return client


def test_the_page_shows_the_table_and_asks_for_the_reason(a, cast, annee):
    libre = annee[1][0]
    url = reverse("flux:liberation", args=[libre.pk])
    page = a.get(url).content.decode()
    assert "suggéré" in page and "sous son plancher" in page and "2,86" in page
    refus = a.post(f"{url}orienter/", {"reservataire": cast.als.pk, "date": JOUR.isoformat()})
    assert refus.status_code == 422 and "vous ne suivez pas la suggestion" in refus.content.decode()
    donnees = {"reservataire": cast.als.pk, "date": JOUR.isoformat(), "motif": motif("O_TYPOLOGIE").pk}
    assert a.post(f"{url}orienter/", donnees).status_code == 302
    page = a.get(url).content.decode()
    assert "Autre choix que la suggestion" in page and "Typologie ou taille" in page


def test_the_board_orients_in_one_click_and_refuses_a_stale_suggestion(a, cast, annee):
    libres = annee[1]
    adresse = reverse("flux:orientations_de", args=[cast.bailleur_a.pk, "06", ANNEE])
    page = a.get(adresse).content.decode()
    assert page.count("Suivre la suggestion") == 10
    suivre = reverse("flux:suivre_suggestion", args=[libres[0].pk])
    a.post(suivre, {"reservataire": cast.als.pk})
    libres[0].refresh_from_db()
    assert libres[0].reservataire is None
    a.post(suivre, {"reservataire": cast.ddets_06.pk})
    libres[0].refresh_from_db()
    assert libres[0].reservataire == cast.ddets_06 and Orientation.objects.get().suivie
    for etrange in ("", "abc", "9" * 30, "0"):
        assert a.post(suivre, {"reservataire": etrange}).status_code == 302


def test_the_board_costs_the_same_whatever_it_holds(a, cast, annee, django_assert_max_num_queries):
    adresse = reverse("flux:orientations_de", args=[cast.bailleur_a.pk, "06", ANNEE])
    a.get(adresse)
    for rang in range(60):
        liberation(cast.bailleur_a, date(ANNEE, 5, 1), commune_id=NICE if rang % 3 else CANNES)
    with django_assert_max_num_queries(26):
        assert a.get(adresse).status_code == 200


def test_a_reservataire_proposes_and_renounces_on_its_page(client, cast, directe):
    choisir(cast, directe, cast.ddets_06, motif=motif("O_ACCORD"))
    designation = Designation.objects.get()
    Designation.objects.update(echeance=date(2100, 1, 1))
    client.force_login(cast.agent_ddets_06)
    assert directe.reference in client.get(reverse("flux:liste_a_pourvoir")).content.decode()
    url = reverse("flux:a_pourvoir", args=[designation.pk])
    court = client.post(url, {"numero_unique": "123"})
    assert court.status_code == 422 and "dix-huit" in court.content.decode()
    assert client.post(url, {"numero_unique": NUMERO}).status_code == 302
    page = client.get(url).content.decode()
    assert f"…{NUMERO[-4:]}" in page and NUMERO not in page and "non prioritaire" in page
    retirer = reverse("flux:retirer_candidat", args=[designation.pk, Candidat.objects.get().pk])
    assert client.post(retirer).status_code == 302 and not Candidat.objects.exists()
    aucun = MotifRefus.objects.get(code="R_AUCUN_CANDIDAT").pk
    assert client.post(reverse("flux:renoncer", args=[designation.pk]), {"motif": aucun}).status_code == 302
    assert "désignation échouée" in client.get(url).content.decode()


def test_in_gestion_deleguee_the_bailleur_designates_on_the_timeline(a, cast, directe):
    choisir(cast, directe, cast.als, motif=motif("O_ACCORD"))
    url = reverse("flux:liberation", args=[directe.pk])
    assert "Gestion déléguée" in a.get(url).content.decode()
    assert a.post(f"{url}proposer/", {"numero_unique": NUMERO}).status_code == 302
    assert f"…{NUMERO[-4:]}" in a.get(url).content.decode()
    echec = {"date": JOUR.isoformat(), "motif": MotifRefus.objects.get(code="R_CANDIDATS_REFUSES").pk}
    assert a.post(f"{url}echec/", echec).status_code == 302
    page = a.get(url).content.decode()
    assert "Tous les candidats proposés" in page and f"{url}orienter/" not in page


def test_the_ddets_designates_in_an_urgency_on_its_page(client, cast, directe):
    client.force_login(cast.agent_ddets_06)
    url = reverse("flux:urgence", args=[directe.pk])
    assert url in client.get(reverse("flux:liberation", args=[directe.pk])).content.decode()
    assert "reste dans le flux" in client.get(url).content.decode()
    donnees = {"reference": "AP-1", "motif": motif("U_VIOLENCES").pk, "date": JOUR.isoformat()}
    assert client.post(url, donnees).status_code == 302
    page = client.get(reverse("flux:liberation", args=[directe.pk])).content.decode()
    assert "Désignée d’urgence par le préfet" in page and "AP-1" in page
    client.force_login(cast.gestionnaire_a)
    page = client.get(reverse("flux:liberation", args=[directe.pk])).content.decode()
    assert "À attribuer" in page and "Mettre à l’ordre du jour" not in page  # no commission examines it
