"""Labels: proposed, decided, entered, ended, renewed, corrected; who may, when, and what is refused."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from publics.models import (
    CaseCerfa,
    CategorieLabel,
    DemandeMenage,
    Labellisation,
    MotifLabel,
    PropositionLabel,
)
from publics.services import fusions, labels, oubli
from publics.services.labels import Demande, Instruction
from publics.signaux import labels_modifies
from reservation.models import Courriel, Departement
from reservation.perimetre import agir

pytestmark = pytest.mark.django_db
NUMERO = "0{:017d}"


@pytest.fixture
def ici():
    return Departement.objects.get(pk="06")


def categorie(code="HEBERGEMENT"):
    return CategorieLabel.objects.get(pk=code)


def motif(code):
    return MotifLabel.objects.get(pk=code)


def proposer(cast, ici, qui="operateur", rang=1, code="HEBERGEMENT", **reste):
    acteur = cast.acteur(qui)
    with agir(acteur):
        return labels.proposer(
            acteur,
            ici,
            numero_unique=NUMERO.format(rang),
            categorie=categorie(code),
            instruction=Instruction(**reste),
            demande=Demande(["T3"], ["06029"]),
        )


def accorder(cast, *propositions, **reste):
    acteur = cast.acteur("agent_ddets_06")
    with agir(acteur):
        return labels.accorder(acteur, propositions, **{"debut": timezone.localdate()} | reste)


def test_partners_propose_and_the_ddets_decides_in_one_go(cast, ici):
    jour = timezone.localdate()
    une, deux = proposer(cast, ici, accompagnement="AVDL"), proposer(cast, ici, "gestionnaire_a", 2)
    assert (une.etat, une.echeance) == ("PROPOSEE", jour + timedelta(days=15))
    assert DemandeMenage.objects.get(menage=une.menage).secteur == ["06029"]
    dits = []
    labels_modifies.connect(lambda **d: dits.append(d["menages"]), weak=False, dispatch_uid="essai")
    try:
        accordes = accorder(cast, une, deux)
    finally:
        labels_modifies.disconnect(dispatch_uid="essai")
    assert dits == [{une.menage_id, deux.menage_id}]
    assert [a.source for a in accordes] == ["SIAO", "PARTENAIRE"]
    une.refresh_from_db()
    assert (une.etat, une.label, une.decidee_par) == ("ACCORDEE", accordes[0], cast.ddets_06)
    assert accordes[0].saisie_par == cast.operateur_06 and accordes[0].accompagnement == "AVDL"
    assert accordes[0].fin == labels.ajouter_mois(jour, 12)
    with pytest.raises(ValidationError, match="déjà accordée"):
        accorder(cast, une)


def test_all_or_none(cast, ici):
    une, deux = proposer(cast, ici), proposer(cast, ici, rang=2)
    accorder(cast, deux)
    avant = Labellisation.objects.count()
    with pytest.raises(ValidationError):
        accorder(cast, une, deux)
    une.refresh_from_db()
    assert une.etat == "PROPOSEE" and Labellisation.objects.count() == avant


def test_a_refusal_bears_a_coded_motive_of_its_act(cast, ici):
    une = proposer(cast, ici)
    acteur = cast.acteur("agent_ddets_06")
    with agir(acteur):
        with pytest.raises(ValidationError, match="ne sert pas"):
            labels.refuser(acteur, [une], motif=motif("RELOGE"))
        labels.refuser(acteur, [une], motif=motif("PREUVE_ABSENTE"))
    une.refresh_from_db()
    assert (une.etat, une.motif_id, une.label_id) == ("REFUSEE", "PREUVE_ABSENTE", None)
    proposer(cast, ici)  # refused, it may be proposed again


def test_one_pending_proposal_per_author_and_ground(cast, ici):
    une = proposer(cast, ici)
    with pytest.raises(ValidationError, match="déjà proposé"):
        proposer(cast, ici)
    acteur = cast.acteur("operateur")
    with agir(acteur):
        assert labels.reprendre(acteur, une).etat == "RETIREE"
    proposer(cast, ici)


@pytest.mark.parametrize(
    "qui", ["agent_sgc_06", "lecteur_a", "agent_cannes", "charge_dreal", "agent_ddets_22"]
)
def test_who_may_not_propose(cast, ici, qui):
    with pytest.raises(PermissionDenied):
        proposer(cast, ici, qui)


@pytest.mark.parametrize(
    "qui", ["operateur", "gestionnaire_a", "agent_sgc_06", "lecteur_ddets_06", "agent_ddets_22"]
)
def test_who_may_not_decide_nor_label(cast, ici, qui):
    une = proposer(cast, ici)
    acteur = cast.acteur(qui)
    with agir(acteur):
        with pytest.raises(PermissionDenied):
            labels.accorder(acteur, [une], debut=timezone.localdate())
        with pytest.raises(PermissionDenied):
            labels.refuser(acteur, [une], motif=motif("PREUVE_ABSENTE"))
        with pytest.raises(PermissionDenied):
            labels.enregistrer_decision_comed(
                acteur, ici, numero_unique=NUMERO.format(9), decision_le=date(2025, 1, 1)
            )


def test_a_proposal_is_read_by_its_author_and_by_the_state(cast, ici):
    une = proposer(cast, ici)
    lus = {
        qui
        for qui in cast.gens
        if qui != "ancien_a"
        and PropositionLabel.objects.visibles_par(cast.acteur(qui)).filter(pk=une.pk).exists()
    }
    assert lus == {
        "operateur",
        "agent_ddets_06",
        "lecteur_ddets_06",
        "administrateur_ddets_06",
        "agent_sgc_06",
    }
    motif_lu = {
        qui
        for qui in lus
        if PropositionLabel.objects.motif_lisible_par(cast.acteur(qui)).filter(pk=une.pk).exists()
    }
    assert motif_lu == lus - {"agent_sgc_06"}
    # By SQL too: an operator of the same département reads what it entered and its household, nothing else.
    autre = proposer(cast, ici, "gestionnaire_a", 2)
    with agir(cast.acteur("operateur")):
        assert set(PropositionLabel.objects.values_list("pk", flat=True)) == {une.pk}
        assert DemandeMenage.objects.filter(menage=une.menage_id).exists()
        assert not DemandeMenage.objects.filter(menage=autre.menage_id).exists()


def test_comed_decision_keeps_its_day_sector_and_sizes(cast, ici):
    acteur = cast.acteur("agent_ddets_06")
    with agir(acteur):
        label = labels.enregistrer_decision_comed(
            acteur,
            ici,
            numero_unique=NUMERO.format(1),
            decision_le=date(2025, 3, 4),
            secteur=["06029"],
            tailles=["T2", "T3"],
        )
        assert (label.categorie_id, label.source, label.debut, label.fin) == (
            "DALO",
            "COMED",
            date(2025, 3, 4),
            None,
        )
        assert (label.preuve_id, label.preuve_le) == ("DECISION_COMED", date(2025, 3, 4))
        with pytest.raises(ValidationError, match="a déjà ce label"):
            labels.enregistrer_decision_comed(
                acteur, ici, numero_unique=NUMERO.format(1), decision_le=date(2025, 4, 1)
            )
        with pytest.raises(ValidationError, match="22278, T9"):
            labels.enregistrer_decision_comed(
                acteur,
                ici,
                numero_unique=NUMERO.format(2),
                decision_le=date(2025, 4, 1),
                secteur=["22278"],
                tailles=["T9"],
            )
        with pytest.raises(ValidationError, match="à venir"):
            labels.enregistrer_decision_comed(
                acteur,
                ici,
                numero_unique=NUMERO.format(2),
                decision_le=timezone.localdate() + timedelta(days=1),
            )


def labelliser(cast, ici, rang=1, code="VIOLENCES", **reste):
    acteur = cast.acteur("agent_ddets_06")
    with agir(acteur):
        return labels.labelliser(
            acteur,
            ici,
            numero_unique=NUMERO.format(rang),
            categorie=categorie(code),
            instruction=Instruction(),
            **reste,
        )


def test_a_label_does_not_start_before_it_is_recognised(cast, ici):
    with pytest.raises(ValidationError, match="déjà tenue"):
        labelliser(cast, ici, debut=timezone.localdate() - timedelta(days=1))
    assert labelliser(cast, ici).debut == timezone.localdate()


def test_two_grounds_at_once_but_one_ground_once(cast, ici):
    labelliser(cast, ici)
    labelliser(cast, ici, code="DALO")
    with pytest.raises(ValidationError, match="a déjà ce label"):
        labelliser(cast, ici, debut=timezone.localdate() + timedelta(days=30))


def test_retiring_renewing_correcting(cast, ici):
    jour, acteur = timezone.localdate(), cast.acteur("agent_ddets_06")
    label = labelliser(cast, ici, fin=timezone.localdate() + timedelta(days=10))
    with agir(acteur):
        with pytest.raises(ValidationError, match="passé"):
            labels.retirer(acteur, label, motif=motif("RELOGE"), a_compter_du=jour - timedelta(days=1))
        suite = labels.renouveler(acteur, label)
        assert suite.debut == jour + timedelta(days=11) and suite.renouvelle == label
        with pytest.raises(ValidationError, match="déjà renouvelé"):
            labels.renouveler(acteur, label)
        corrige = labels.corriger(
            acteur,
            label,
            motif=motif("ERREUR_SAISIE"),
            categorie=categorie("EXPULSION"),
            instruction=Instruction(evaluation_sociale=True),
            fin=label.fin,
        )
        assert (corrige.categorie_id, corrige.evaluation_sociale, corrige.debut) == (
            "EXPULSION",
            True,
            label.debut,
        )
        retire = labels.retirer(
            acteur, suite, motif=motif("RELOGE"), a_compter_du=suite.debut + timedelta(days=5)
        )
        assert retire.fin == suite.debut + timedelta(days=4)
        assert retire.etat_le(jour) == "A_VENIR" and retire.etat_le(retire.retiree_le) == "RETIREE"
        with pytest.raises(ValidationError, match="est retiré"):
            labels.renouveler(acteur, retire)
        annule = labels.annuler(acteur, corrige, motif=motif("ERREUR_MENAGE"))
    assert annule.etat_le(jour) == "RETIREE" and annule.fin < annule.debut
    assert not Labellisation.objects.en_vigueur(jour).filter(pk=annule.pk).exists()
    classes = labels.labels_a_classer([label.menage_id], "06")[label.menage_id]
    assert [c.depuis for c in classes] == [label.debut, label.debut]


def test_a_withdrawn_label_counts_until_its_last_day(cast, ici):
    jour, acteur = timezone.localdate(), cast.acteur("agent_ddets_06")
    label = labelliser(cast, ici)
    with agir(acteur):
        labels.retirer(acteur, label, motif=motif("RELOGE"), a_compter_du=jour + timedelta(days=1))
    assert Labellisation.objects.en_vigueur(jour).filter(pk=label.pk).exists()
    assert not Labellisation.objects.en_vigueur(jour + timedelta(days=1)).filter(pk=label.pk).exists()


def test_a_proof_has_its_nature_and_its_date(cast, ici):
    with pytest.raises(ValidationError, match="nature et sa date"):
        proposer(cast, ici, preuve_le=date(2025, 1, 1))


def test_a_box_of_the_cerfa_is_an_automatic_label_where_the_departement_says_so(cast, ici):
    jour, numero = timezone.localdate(), NUMERO.format(1)

    def instruire(qui="gestionnaire_a", case="f6"):
        acteur = cast.acteur(qui)
        with agir(acteur):
            return labels.instruire(acteur, ici, numero_unique=numero, case_cerfa=case)

    with pytest.raises(ValidationError, match="Cases retenues : aucune"):
        instruire()
    CaseCerfa.objects.create(departement=ici, case="F6", categorie=categorie(), debut=jour)
    for qui in ("operateur", "agent_ddets_06", "lecteur_a"):
        with pytest.raises(PermissionDenied):
            instruire(qui)
    label = instruire()
    assert (label.manuelle, label.categorie_id, label.source, label.debut) == (
        False,
        "HEBERGEMENT",
        "CERFA",
        jour,
    )
    with pytest.raises(ValidationError, match="a déjà ce label"):
        instruire("gestionnaire_b")
    # The manual one comes beside it, and ranks the household.
    labelliser(cast, ici, code="HEBERGEMENT")
    assert labels.rang_du_menage(label.menage_id, "06", jour).manuel


@pytest.mark.parametrize(
    ("jour", "mois", "dernier"),
    [
        (date(2025, 3, 15), 12, date(2026, 3, 14)),
        (date(2025, 1, 1), 12, date(2025, 12, 31)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2025, 8, 31), 6, date(2026, 2, 28)),
        (date(2025, 12, 1), 1, date(2025, 12, 31)),
    ],
)
def test_last_day_of_a_number_of_months(jour, mois, dernier):
    assert labels.ajouter_mois(jour, mois) == dernier


# --- What is forgotten, and what follows a merger ---------------------------------------------------------------------


def test_purge_keeps_what_decided_and_forgets_what_was_proposed(cast, ici):
    """A household that no bilan counts goes with all that was entered of it, the year after its last event."""
    une = proposer(cast, ici)
    menage = une.menage
    annee = timezone.localdate().year
    veille, jour = date(annee + 2, 2, 28), date(annee + 2, 3, 1)
    assert menage not in oubli._menages(veille)
    assert menage in oubli._menages(jour)
    PropositionLabel.objects.filter(pk=une.pk).update(saisie_le=date(annee + 1, 1, 5))
    assert menage not in oubli._menages(jour)
    PropositionLabel.objects.filter(pk=une.pk).update(saisie_le=date(annee, 1, 5))
    assert oubli._purger_menages(jour, 10) >= 1
    assert not PropositionLabel.objects.filter(pk=une.pk).exists()
    assert not DemandeMenage.objects.exists()


def test_what_an_absorbed_bailleur_entered_is_the_absorbing_one_s(cast, ici):
    pareilles = [proposer(cast, ici, qui) for qui in ("gestionnaire_a", "gestionnaire_b")]
    seule = proposer(cast, ici, "gestionnaire_a", 2)
    fusions.sur_bailleurs_fusionnes(None, cast.bailleur_a, cast.bailleur_b, timezone.localdate())
    for proposition in (*pareilles, seule):
        proposition.refresh_from_db()
    assert {p.saisie_par for p in (*pareilles, seule)} == {cast.bailleur_b}
    assert [p.etat for p in (*pareilles, seule)] == ["RETIREE", "PROPOSEE", "PROPOSEE"]


def test_who_proposed_is_told_of_the_decision_and_of_nobody(cast, ici):
    """One e-mail a person and an act; whoever has left is not written to, those who manage there are."""
    une, deux = proposer(cast, ici, rang=1), proposer(cast, ici, rang=2)
    trois = proposer(cast, ici, "gestionnaire_a", rang=3)
    accorder(cast, une, deux, trois)
    ecrits = Courriel.objects.filter(gabarit="labels_decides").order_by("destinataire")
    assert [(c.destinataire, c.organisation) for c in ecrits] == [
        ("gestion@a.example", cast.bailleur_a),
        ("siao@siao.example", cast.operateur_06),
    ]
    texte = " ".join(ecrits[1].corps_texte.split())
    assert "a décidé 2 labels que vous aviez proposés" in texte and "ils sont accordés" in texte
    quatre = proposer(cast, ici, "gestionnaire_a", rang=4)
    cast.bailleur_a.rattachements.filter(utilisateur=cast.gestionnaire_a).update(fin=date(2025, 1, 1))
    acteur = cast.acteur("agent_ddets_06")
    with agir(acteur):
        labels.refuser(acteur, [quatre], motif=motif("PREUVE_ABSENTE"))
    dernier = Courriel.objects.filter(gabarit="labels_decides").latest("pk")
    assert dernier.destinataire == "signature@a.example" and "il est refusé" in dernier.corps_texte
    for courriel in Courriel.objects.filter(gabarit="labels_decides"):
        for proposition in (une, deux, trois, quatre):
            assert proposition.menage.numero_fin not in courriel.corps_texte
            assert proposition.categorie.libelle not in courriel.corps_texte
