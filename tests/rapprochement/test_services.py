"""From the extracts to the gaps: what a run writes, what it keeps when it is made again, what it is worth."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flux.models import (
    CalculFlux,
    CorrectionRapprochement,
    EcartRapprochement,
    EtatEcart,
    EvenementEcart,
    LigneRapprochement,
    Nature,
    Rapprochement,
)
from flux.services import rapprochements as services
from flux.services.calculs import calculer
from flux.services.imputations import imputer
from flux.services.rapprochements.fusion import suivre_la_fusion
from publics.models import Labellisation
from reservation.models import Departement
from reservation.services.conservation import purgeurs
from tests.flux.fabriques import ANNEE, actes_paca
from tests.rapprochement.fabrique import DALO, DERNIER, MARS, PREMIER, attribuer, extrait, passer

pytestmark = pytest.mark.django_db


def trouves(rapprochement) -> dict:
    return {
        (ecart.ligne.attribution_id, ecart.nature): (ecart.lieu, ecart.responsable, ecart.recuperable)
        for ecart in EcartRapprochement.objects.filter(
            rapprochement=rapprochement, disparu_le=None
        ).select_related("ligne")
    }


def emplacements() -> list[tuple]:
    """Where each line is on the disk: an UPDATE moves it."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT id, ctid::text FROM flux_lignerapprochement ORDER BY id")
        return curseur.fetchall()


def ecart_de(rapprochement, attribution, nature) -> EcartRapprochement:
    return EcartRapprochement.objects.get(
        rapprochement=rapprochement, ligne__attribution=attribution, nature=nature
    )


def test_a_run_writes_each_gap_once(monde):
    cast, cas = monde
    rapprochement = passer(cast)
    assert trouves(rapprochement) == {
        (cas["sans_label_ici"].pk, "LABEL_ABSENT"): ("ICI", "DDETS", True),
        (cas["sans_label_syplo"].pk, "LABEL_ABSENT"): ("LABELS", "DDETS", False),
        (cas["contingent"].pk, "CONTINGENT"): ("SNE", "BAILLEUR", False),
        (cas["ici_seul"].pk, "ICI_SEUL"): ("SNE", "BAILLEUR", False),
        (cas["quart_als"].pk, "LABEL_ABSENT"): ("ICI", "ALS", True),
        (cas["bail_sne"].pk, "BAIL_ABSENT"): ("ICI", "BAILLEUR", True),
        (None, "SNE_SEUL"): ("ICI", "BAILLEUR", True),
    }
    assert rapprochement.etat == Rapprochement.Etat.TERMINE
    assert (rapprochement.outil, rapprochement.outil_labels) == ("SNE", "SYPLO")
    comptes = rapprochement.comptes
    assert (comptes["externes"], comptes["ici"], comptes["rapprochees"], comptes["concordantes"]) == (
        7,
        7,
        6,
        1,
    )
    assert {s["source"] for s in rapprochement.sources} == {"SNE", "SYPLO"}
    juste = LigneRapprochement.objects.get(attribution=cas["juste"])
    assert (juste.lien, juste.jours, juste.numero_fin) == ("DATE", 2, cas["juste"].menage.numero_fin)


def test_again_the_same_and_nothing_twice(monde):
    cast, _ = monde
    premier = passer(cast)
    avant, actes, lignes = trouves(premier), EvenementEcart.objects.count(), emplacements()
    second = passer(cast, qui="agent_ddets_06")
    assert second.pk == premier.pk and second.rang == 2
    assert trouves(second) == avant
    assert EvenementEcart.objects.count() == actes == len(avant)
    assert LigneRapprochement.objects.count() == 8
    assert emplacements() == lignes  # not even written again


def test_what_people_decided_stays_and_what_is_mended_goes(monde):
    cast, cas = monde
    rapprochement = passer(cast)
    acteur = cast.acteur("gestionnaire_a")
    explique = ecart_de(rapprochement, cas["contingent"], "CONTINGENT")
    services.changer_etat(
        acteur, EcartRapprochement.objects.filter(pk=explique.pk), EtatEcart.EXPLIQUE, "CONVENTION"
    )
    confie = ecart_de(rapprochement, cas["quart_als"], "LABEL_ABSENT")
    services.changer_responsable(acteur, EcartRapprochement.objects.filter(pk=confie.pk), "DDETS")
    mende = ecart_de(rapprochement, cas["sans_label_ici"], "LABEL_ABSENT")
    Labellisation.objects.create(
        menage=cas["sans_label_ici"].menage, departement_id="06", categorie_id="DALO", debut=DALO[1]
    )
    passer(cast)
    for ecart in (explique, confie, mende):
        ecart.refresh_from_db()
    assert (explique.etat, explique.motif, explique.disparu_le) == ("EXPLIQUE", "CONVENTION", None)
    assert (confie.responsable, confie.disparu_le) == ("DDETS", None)
    assert mende.disparu_le is not None
    assert [e.acte for e in mende.evenements.all()] == ["CONSTATE", "DISPARU"]
    # The label goes: the gap comes back, and says so.
    Labellisation.objects.filter(menage=cas["sans_label_ici"].menage).delete()
    passer(cast)
    mende.refresh_from_db()
    assert mende.disparu_le is None
    assert [e.acte for e in mende.evenements.all()] == ["CONSTATE", "DISPARU", "REVENU"]
    assert [(e.acte, e.avant, e.apres, e.par_id) for e in explique.evenements.all()][1:] == [
        ("ETAT", "A_TRAITER", "EXPLIQUE", acteur.utilisateur_id)
    ]


def test_matched_and_parted_by_hand(monde):
    cast, cas = monde
    rapprochement = passer(cast)
    acteur = cast.acteur("gestionnaire_a")
    seule = LigneRapprochement.objects.get(rapprochement=rapprochement, attribution=None)
    (candidate,) = services.proposer_proches(acteur, seule)
    assert candidate.ligne.attribution_id == cas["ici_seul"].pk and candidate.pourquoi == "même jour"
    with pytest.raises(ValidationError):
        services.lier(acteur, seule, cas["ici_seul"], "DOUBLON")
    services.lier(acteur, seule, cas["ici_seul"], "NUMERO_MAL_SAISI")
    with pytest.raises(ValidationError):
        services.lier(acteur, seule, cas["ici_seul"], "NUMERO_MAL_SAISI")
    passer(cast)
    liee = LigneRapprochement.objects.get(attribution=cas["ici_seul"])
    assert liee.lien == "MANUEL" and not {"SNE_SEUL", "ICI_SEUL"} & {n for _, n in trouves(rapprochement)}
    # Gone back on: as before.
    assert services.separer(acteur, liee, "") is None
    passer(cast)
    assert {"SNE_SEUL", "ICI_SEUL"} <= {n for _, n in trouves(rapprochement)}
    # And a pair that the rule made.
    paire = LigneRapprochement.objects.get(attribution=cas["juste"])
    assert services.separer(acteur, paire, "AUTRE_ATTRIBUTION").genre == "SEPARER"
    passer(cast)
    assert (cas["juste"].pk, "ICI_SEUL") in trouves(rapprochement)
    services.retirer_correction(acteur, CorrectionRapprochement.objects.get(genre="SEPARER"))
    passer(cast)
    assert (cas["juste"].pk, "ICI_SEUL") not in trouves(rapprochement)


def test_the_effect_is_that_of_the_corrections_once_made(monde):
    """What the page promises, against the calculation after the labels and the lease are really recorded."""
    cast, cas = monde
    rapprochement = passer(cast)
    effet = services.mesurer_effet(rapprochement)
    par_code = {ligne.code: ligne for ligne in effet.lignes}
    assert effet.echeance == date(ANNEE + 1, 2, 27)
    # État: one label; ALS: one label, one attribution that only the SNE knows; a lease changes nothing here.
    assert {code: ligne.recuperables for code, ligne in par_code.items() if ligne.recuperables} == {
        "ETAT": 1,
        "ALS": 2,
    }
    etat, als = par_code["ETAT"], par_code["ALS"]
    assert (etat.avant.realise, etat.apres.realise) == (2, 3)
    assert (als.quart_avant.prioritaires, als.quart_avant.attributions) == (0, 3)
    assert (als.quart_apres.prioritaires, als.quart_apres.attributions) == (1, 4)
    assert (als.avant.realise, als.apres.realise) == (3, 4)
    for nom in ("sans_label_ici", "quart_als"):
        Labellisation.objects.create(
            menage=cas[nom].menage, departement_id="06", categorie_id="DALO", debut=DALO[1]
        )
    attribuer(cast.bailleur_a, cast.als, MARS)
    imputer(paires=[(cast.bailleur_a.pk, "06")])
    calculer(cast.bailleur_a.pk, "06", ANNEE, Nature.DEFINITIF, "essai")
    reel = CalculFlux.objects.get(en_vigueur=True, nature="DEFINITIF", annee=ANNEE)
    realises = {part.code: part.realise for part in reel.parts.all()}
    assert realises["ETAT"] == etat.apres.realise and realises["ALS"] == als.apres.realise
    quarts = {quart["reservataire"]: quart for quart in reel.resultat["quarts"]}
    assert quarts["ALS"]["prioritaires"] == als.quart_apres.prioritaires
    assert quarts["ALS"]["attributions"] == als.quart_apres.attributions


def test_what_somebody_closed_recovers_nothing(monde):
    cast, cas = monde
    rapprochement = passer(cast)
    ecart = ecart_de(rapprochement, cas["sans_label_ici"], "LABEL_ABSENT")
    services.changer_etat(
        cast.acteur("agent_ddets_06"),
        EcartRapprochement.objects.filter(pk=ecart.pk),
        EtatEcart.SANS_SUITE,
        "SNE_FERME",
    )
    par_code = {ligne.code: ligne for ligne in services.mesurer_effet(rapprochement).lignes}
    assert par_code["ETAT"].recuperables == 0
    assert par_code["ETAT"].avant == par_code["ETAT"].apres


def test_without_any_extract_it_says_so(cast):
    actes_paca(cast)
    rapprochement = passer(cast)
    assert rapprochement.etat == Rapprochement.Etat.ECHEC and "déposez-en un" in rapprochement.message


def test_who_may_ask_and_for_whom(monde):
    cast, _ = monde
    departement = Departement.objects.get(pk="06")
    dates = {"debut": PREMIER, "fin": DERNIER, "appeler": False}
    for qui, bailleur in (
        ("lecteur_a", cast.bailleur_a),
        ("gestionnaire_b", cast.bailleur_a),
        ("gestionnaire_a", None),
        ("agent_ddets_22", None),
        ("lecteur_ddets_06", None),
        ("agent_sgc_06", None),
        ("charge_als", None),
    ):
        with pytest.raises(PermissionDenied):
            services.demander(cast.acteur(qui), departement, bailleur=bailleur, **dates)
    tous = services.demander(cast.acteur("agent_ddets_06"), departement, **dates)
    assert {r.bailleur_id for r in tous} == {cast.bailleur_a.pk, cast.bailleur_b.pk}
    with pytest.raises(ValidationError):
        services.demander(
            cast.acteur("agent_ddets_06"), departement, **dates | {"fin": PREMIER - timedelta(1)}
        )


def test_a_state_without_a_reason_or_a_right(monde):
    cast, cas = monde
    rapprochement = passer(cast)
    ecarts = EcartRapprochement.objects.filter(rapprochement=rapprochement)
    with pytest.raises(ValidationError):
        services.changer_etat(cast.acteur("gestionnaire_a"), ecarts, EtatEcart.EXPLIQUE)
    with pytest.raises(ValidationError):
        services.changer_etat(cast.acteur("gestionnaire_a"), ecarts, "AILLEURS")
    for qui in ("lecteur_a", "gestionnaire_b", "agent_sgc_06", "charge_als"):
        with pytest.raises(PermissionDenied):
            services.changer_etat(cast.acteur(qui), ecarts, EtatEcart.EN_COURS)
    assert services.changer_etat(cast.acteur("agent_ddets_06"), ecarts, EtatEcart.EN_COURS) == 7
    assert services.changer_etat(cast.acteur("agent_ddets_06"), ecarts, EtatEcart.EN_COURS) == 0


def test_the_history_is_never_rewritten(monde):
    cast, _ = monde
    passer(cast)
    with pytest.raises(Exception, match="evenement_ecart_inalterable|Cannot update"):
        EvenementEcart.objects.update(acte="ETAT")


def test_more_lines_in_as_many_queries(monde):
    cast, _ = monde
    passer(cast)
    with CaptureQueriesContext(connection) as avant:
        passer(cast)
    extrait(
        cast.ddets_06,
        "SNE",
        [
            {"menage": f"{rang:064d}", "date_caleol": MARS, "contingent": "ALS", "bailleur": cast.bailleur_a}
            for rang in range(1000, 1040)
        ],
    )
    passer(cast)
    with CaptureQueriesContext(connection) as apres:
        passer(cast)
    assert len(apres) == len(avant)


def test_taken_up_again_when_a_message_was_lost(monde):
    cast, _ = monde
    services.demander(
        cast.acteur("agent_ddets_06"),
        Departement.objects.get(pk="06"),
        debut=PREMIER,
        fin=DERNIER,
        appeler=False,
    )
    assert services.reprendre(timezone.now() - timedelta(minutes=5)) == 0
    assert services.reprendre(timezone.now() + timedelta(minutes=5)) == 2


def test_forgotten_fourteen_months_after_the_period(monde):
    cast, cas = monde
    rapprochement = passer(cast)
    paire = LigneRapprochement.objects.get(attribution=cas["juste"])
    services.separer(cast.acteur("gestionnaire_a"), paire, "AUTRE_ATTRIBUTION")
    purgeur = next(p for p in purgeurs() if p.regle.code == "RAPPROCHEMENTS")
    # The decision bears on an attribution of March: it goes before the run of the whole year.
    assert purgeur.compter(date(ANNEE + 1, 5, 10)) == 0
    assert purgeur.compter(date(ANNEE + 1, 5, 11)) == 1
    assert purgeur.compter(date(ANNEE + 2, 3, 1)) == 2
    assert purgeur.purger(date(ANNEE + 2, 3, 1), 1) == 1 and purgeur.purger(date(ANNEE + 2, 3, 1), 10) == 1
    assert not EvenementEcart.objects.exists() and not CorrectionRapprochement.objects.exists()
    assert not Rapprochement.objects.filter(pk=rapprochement.pk).exists()


def test_a_merger_takes_the_runs_of_the_year_along(monde):
    cast, cas = monde
    rapprochement = passer(cast)
    paire = LigneRapprochement.objects.get(attribution=cas["juste"])
    decision = services.separer(cast.acteur("gestionnaire_a"), paire, "AUTRE_ATTRIBUTION")
    liberations = [cas["juste"].liberation_id]
    suivre_la_fusion(cast.bailleur_a, cast.bailleur_b, date(ANNEE + 1, 1, 1), [])
    rapprochement.refresh_from_db()
    assert rapprochement.bailleur_id == cast.bailleur_a.pk
    suivre_la_fusion(cast.bailleur_a, cast.bailleur_b, date(ANNEE, 7, 1), liberations)
    decision.refresh_from_db()
    assert decision.bailleur_id == cast.bailleur_b.pk
    for modele in (Rapprochement, LigneRapprochement, EcartRapprochement, EvenementEcart):
        assert set(modele.objects.values_list("bailleur", flat=True)) == {cast.bailleur_b.pk}
