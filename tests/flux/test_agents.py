"""Agents of the État who were attributed a dwelling: what counts, who is told, what the préfet's answer changes; and
labels that change after the CALEOL, households with two titles."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils.timezone import localdate as aujourdhui

from config.accueil import tableau_d_accueil
from flux.models import CalculAFaire, DecisionAgent, Imputation
from flux.services import agents
from flux.services.imputations import expliquer, imputer
from publics.models import CategorieLabel, DossierAgent, Labellisation, MotifLabel
from publics.services import agents as dossiers
from publics.services import labels
from publics.services.menages import retrouver_menage
from reservation.models import Departement
from reservation.perimetre import agir
from tests.flux.fabriques import actes_paca, agent_valide, attribution, liberation, menage, parc
from tests.personnages import CANNES, NICE

NUMERO = "0061125DEMO0000042"


@pytest.fixture
def cast(cast):
    actes_paca(cast)
    parc(cast.bailleur_a)
    return cast


def attribuer(cast, foyer, **champs):
    """An attribution of today on the État's contingent, lease signed, that fits."""
    liberee = liberation(cast.bailleur_a, aujourdhui() - timedelta(days=5), reservataire=cast.ddets_06)
    faite = attribution(
        liberee,
        aujourdhui(),
        menage=foyer,
        **{"agent": True, "agent_adapte": True, "date_bail": aujourdhui()} | champs,
    )
    imputer(liberations=[liberee.pk])
    return faite


def titre(faite) -> str:
    return Imputation.objects.get(attribution=faite, annee=aujourdhui().year).detail


def deposer(cast, qui="gestionnaire_a", **champs) -> DossierAgent:
    acteur = cast.acteur(qui)
    with agir(acteur):
        return dossiers.deposer(
            acteur,
            Departement.objects.get(pk="06"),
            **{"numero_unique": NUMERO, "versant": "ETAT", "statut": "TITULAIRE"} | champs,
        )


def valider(cast, dossier, motif=None, qui="agent_sgc_06"):
    acteur = cast.acteur(qui)
    with agir(acteur):
        return dossiers.decider(acteur, [dossier], motif=motif and MotifLabel.objects.get(pk=motif))


def repondre(cast, faite, motif=None, qui="agent_ddets_06") -> DecisionAgent:
    acteur = cast.acteur(qui)
    with agir(acteur):
        return agents.decider(acteur, faite, motif=motif and MotifLabel.objects.get(pk=motif))


@pytest.mark.django_db
def test_who_is_not_eligible_is_told_why_and_nothing_is_kept(cast):
    for faits, phrase in (
        (
            {"versant": "HOSPITALIERE"},
            "agent de l’État : La fonction publique hospitalière n’est jamais concernée",
        ),
        ({"versant": "TERRITORIALE"}, "territoriale n’est jamais concernée"),
        ({"statut": "CONTRACTUEL"}, "Indiquez les contrats"),
        (
            {"statut": "CONTRACTUEL", "contrats": [(aujourdhui(), aujourdhui() + timedelta(days=363))]},
            "364 jours",
        ),
        (
            {"statut": "CONTRACTUEL", "contrats": [(date(2015, 1, 1), date(2019, 1, 1))]},
            "aucun contrat en cours",
        ),
    ):
        with pytest.raises(ValidationError) as refus:
            deposer(cast, **faits)
        assert phrase in " ".join(refus.value.messages).replace("\xa0", " ")
    assert not DossierAgent.objects.exists()
    successifs = [
        (aujourdhui() - timedelta(days=200), aujourdhui() - timedelta(days=1)),
        (aujourdhui(), aujourdhui() + timedelta(days=164)),
    ]
    assert deposer(cast, statut="CONTRACTUEL", contrats=successifs).etat == "PROPOSEE"
    with pytest.raises(ValidationError, match="attend déjà"):
        deposer(cast, "operateur")


@pytest.mark.django_db
def test_validated_here_before_the_proposition_it_counts(cast):
    dossier = deposer(cast)
    faite = attribuer(cast, dossier.menage)
    assert titre(faite) == "AUTRE"
    assert list(agents.a_signaler(cast.acteur("agent_ddets_06"))) == [faite]
    (suivi,) = agents.suivre([faite])
    assert [c.rempli for c in suivi.conditions] == [None, True, True] and suivi.a_decider
    with pytest.raises(PermissionDenied):
        valider(cast, dossier, qui="gestionnaire_a")
    CalculAFaire.objects.all().delete()
    valider(cast, dossier)  # the day of the proposition is still in time
    assert titre(faite) == "AGENT"
    assert CalculAFaire.objects.filter(annee=aujourdhui().year).exists()
    assert not agents.a_signaler(cast.acteur("agent_ddets_06")).exists()
    (suivi,) = agents.suivre([faite])
    assert suivi.compte and not suivi.a_decider


@pytest.mark.django_db
def test_a_validation_after_the_proposition_is_too_late_without_the_prefet(cast):
    foyer = menage("06")
    faite = attribuer(cast, foyer, date_proposition=aujourdhui() - timedelta(days=1))
    DossierAgent.objects.create(
        departement_id="06",
        menage=foyer,
        etat="ACCORDEE",
        saisie_par=cast.ddets_06,
        saisie_le=aujourdhui(),
        echeance=aujourdhui(),
        decidee_par=cast.ddets_06,
        decidee_le=aujourdhui(),
        versant="ETAT",
        statut="MILITAIRE",
    )
    imputer(liberations=[faite.liberation_id])
    assert titre(faite) == "AUTRE"
    repondre(cast, faite)
    assert titre(faite) == "AGENT"


@pytest.mark.django_db
def test_the_answer_of_the_prefet_prevails(cast):
    """Over a validation as over the word of the bailleur, which alone counts for nothing."""
    accordee, valide = attribuer(cast, menage("06"), agent_valide_le=aujourdhui()), menage("06")
    agent_valide(valide, aujourdhui(), cast.prefecture_06)
    refusee = attribuer(cast, valide)
    assert (titre(accordee), titre(refusee)) == ("AUTRE", "AGENT")
    (suivi,) = agents.suivre([accordee])
    assert suivi.a_decider and suivi.conditions[0].rempli is None
    assert "le bailleur la dit validée" in suivi.conditions[0].detail
    for qui in ("gestionnaire_a", "lecteur_ddets_06", "agent_ddets_22"):
        with pytest.raises(PermissionDenied):
            repondre(cast, accordee, qui=qui)
    repondre(cast, accordee, qui="agent_sgc_06")
    repondre(cast, refusee, "AGENT_NON_ETABLI")
    assert (titre(accordee), titre(refusee)) == ("AGENT", "AUTRE")
    with pytest.raises(ValidationError, match="déjà reçu une réponse"):
        repondre(cast, refusee)
    suivis = {s.attribution.pk: s for s in agents.suivre([accordee, refusee])}
    assert suivis[accordee.pk].compte and suivis[refusee.pk].conditions[0].rempli is False


@pytest.mark.django_db
def test_what_the_household_asks_is_followed_live(cast):
    """The bailleur says that the dwelling fits; what is recorded of the request says otherwise, until it is corrected."""
    foyer = retrouver_menage(NUMERO, "06")
    agent_valide(foyer, aujourdhui(), cast.ddets_06)
    faite = attribuer(cast, foyer)  # a T3 of Cannes
    assert titre(faite) == "AGENT"
    acteur, ici = cast.acteur("agent_ddets_06"), Departement.objects.get(pk="06")
    for tailles, secteur, attendu in (
        (["T4"], [], "AUTRE"),
        (["T3", "T4"], [], "AGENT"),
        (["T3"], [NICE], "AUTRE"),
        ([], [NICE, CANNES], "AGENT"),
        ([], [faite.liberation.commune.epci_id], "AGENT"),
    ):
        with agir(acteur):
            labels.noter_demande(acteur, foyer, ici, labels.Demande(tailles, secteur))
        assert titre(faite) == attendu, (tailles, secteur)
        (suivi,) = agents.suivre([faite])
        assert suivi.compte is (attendu == "AGENT")


@pytest.mark.django_db
def test_the_state_is_told_on_its_home_page(cast, client):
    attribuer(cast, menage("06"))
    for qui, attendu in (
        ("agent_ddets_06", 1),
        ("agent_sgc_06", 1),
        ("agent_ddets_22", 0),
        ("gestionnaire_a", 0),
    ):
        taches = [t for t in tableau_d_accueil(cast.acteur(qui)).taches if "agent" in t.libelle]
        assert len(taches) == attendu, qui
    client.force_login(cast.agent_ddets_06)
    page = client.get("/").content.decode()
    assert reverse("flux:agents") + "?quoi=attente" in page


@pytest.mark.django_db
def test_page_answers_and_has_a_fixed_number_of_queries(cast, client, django_assert_num_queries):
    faites = [attribuer(cast, menage("06"))]
    client.force_login(cast.agent_ddets_06)
    client.get(reverse("flux:agents"))
    with django_assert_num_queries(22, exact=False) as comptees:
        assert client.get(reverse("flux:agents")).status_code == 200
    faites += [attribuer(cast, menage("06")) for _ in range(3)]
    with django_assert_num_queries(len(comptees)):
        client.get(reverse("flux:agents"))
    assert (
        client.post(reverse("flux:agent_repondre", args=[faites[0].pk]), {"refuser": "1"}).status_code == 302
    )
    assert not DecisionAgent.objects.exists()  # a refusal without a motive
    client.post(reverse("flux:agent_repondre", args=[faites[0].pk]), {"accorder": "1"})
    client.post(
        reverse("flux:agent_repondre", args=[faites[1].pk]), {"refuser": "1", "motif": "AGENT_VERSANT"}
    )
    assert dict(DecisionAgent.objects.values_list("attribution", "accordee")) == {
        faites[0].pk: True,
        faites[1].pk: False,
    }
    client.force_login(cast.gestionnaire_a)
    texte = client.get(reverse("flux:agents")).content.decode()
    assert "accordée" in texte and "Accorder" not in texte


@pytest.mark.django_db
def test_a_label_granted_withdrawn_or_annulled_is_imputed_again(cast):
    acteur = cast.acteur("agent_ddets_06")
    foyer = retrouver_menage(NUMERO, "06")
    faite = attribuer(cast, foyer, agent=False, agent_adapte=False)
    assert titre(faite) == "AUTRE"
    with agir(acteur):
        label = labels.labelliser(
            acteur,
            Departement.objects.get(pk="06"),
            numero_unique=NUMERO,
            categorie=CategorieLabel.objects.get(pk="DALO"),
            instruction=labels.Instruction(),
        )
        assert label.menage_id == foyer.pk
    assert titre(faite) == "PRIORITE_1"
    with agir(acteur):
        labels.annuler(acteur, label, motif=MotifLabel.objects.get(pk="ERREUR_MENAGE"))
    assert titre(faite) == "AUTRE"
    assert Labellisation.objects.get(pk=label.pk).fin < label.debut


@pytest.mark.django_db
@pytest.mark.parametrize(("usage", "detail"), [("MUTATION", "MUTATION"), ("RU", "RU")])
def test_a_household_with_two_titles_counts_once_and_says_why(cast, usage, detail):
    """Mutation-DALO, ANRU-DALO (CA, art. 7.1): a soustraction, and the title of its label shown as not kept."""
    foyer = menage("06", ("DALO", date(2024, 1, 1)), ("HEBERGEMENT", date(2024, 1, 1)))
    liberee = liberation(
        cast.bailleur_a, aujourdhui() - timedelta(days=5), reservataire=cast.ddets_06, usage=usage
    )
    attribution(liberee, aujourdhui(), menage=foyer)
    imputer(liberations=[liberee.pk])
    ligne = Imputation.objects.get(liberation=liberee)
    assert (ligne.titre, ligne.detail) == ("SOUSTRACTION", detail)
    explication = expliquer(ligne, cast.acteur("agent_ddets_06"))
    (ecarte,) = explication.titres_ecartes
    assert tuple(ecarte.imputation) == ("ETAT", "PRIORITE_1") and "soustraction" in ecarte.raison
