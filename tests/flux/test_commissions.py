"""The life of a commission, through its services: agenda, decisions, closing, reopening, convocations, calendars."""

import io
import threading
from datetime import date, time, timedelta

import pypdf
import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from flux.models import (
    Attribution,
    CodeMotif,
    Commission,
    Convocation,
    EvenementCommission,
    Imputation,
    MotifRefus,
    Passage,
    StatutEmploi,
)
from flux.services import agendas, attributions, commissions
from flux.services.commissions import PointsAConfirmer, Saisie
from flux.services.convocations import convoquer_ddets
from flux.services.orientations import designer_d_urgence
from flux.services.seances import lire_seance
from publics.models import Labellisation
from publics.services.menages import retrouver_menage
from reservation.acteur import Acteur
from reservation.models import Courriel, Departement
from reservation.perimetre import agir
from reservation.services import courriels
from tests.flux.fabriques import actes_paca, liberation
from tests.lecteur_ics import lire_ics
from tests.personnages import distribuer


def hier() -> date:
    return timezone.localdate() - timedelta(days=1)


def numero(rang: int) -> str:
    return f"0061125DEMO{rang:03d}Z{rang:03d}"


def planifier(cast, jour: date | None = None, **faits) -> Commission:
    return commissions.planifier_commission(
        cast.acteur("gestionnaire_a"),
        cast.bailleur_a,
        Departement.objects.get(pk="06"),
        **{"date": jour or hier(), "heure": time(14), "lieu": "salle du conseil"} | faits,
    )


def garnir(cast, commission, *logements, candidats: int = 3, debut: int = 1) -> list:
    """Put the dwellings on the agenda, each with its own candidates; returns the lines."""
    a = cast.acteur("gestionnaire_a")
    lignes = commissions.inscrire_logements(a, commission, logements)
    for rang, ligne in enumerate(lignes):
        for k in range(candidats):
            commissions.ajouter_candidature(
                a, ligne, numero_unique=numero(debut + 10 * rang + k), statut_emploi=StatutEmploi.SALARIE
            )
    return lignes


def classer(cast, commission, **faits) -> None:
    """Rank all candidatures of each dwelling in the order in which they came."""
    saisies, rangs = [], {}
    for passage in commission.passages.order_by("pk"):
        rangs[passage.liberation_id] = rangs.get(passage.liberation_id, 0) + 1
        saisies.append(Saisie(passage.pk, "ATTR_RANG", rang=rangs[passage.liberation_id]))
    commissions.enregistrer_decisions(cast.acteur("gestionnaire_a"), commission, saisies)


def clore(cast, commission):
    a = cast.acteur("gestionnaire_a")
    return commissions.cloturer_commission(
        a, commission, points_confirmes=lire_seance(commission).a_confirmer
    )


@pytest.fixture
def als(cast):
    """A dwelling oriented to Action Logement Services, under the acts of PACA."""
    actes_paca(cast)
    return liberation(cast.bailleur_a, hier() - timedelta(days=40), reservataire=cast.als)


# --- Planning and agenda ------------------------------------------------------------------------------------------


def test_a_meeting_has_a_place_and_a_window_an_end(cast):
    planifiee = planifier(cast)
    assert (planifiee.etat, planifiee.lieu) == ("PREPARATION", "salle du conseil")
    fenetre = planifier(
        cast,
        dematerialisee=True,
        heure=time(9),
        date_fin=hier() + timedelta(days=1),
        heure_fin=time(9),
    )
    assert fenetre.fin - fenetre.debut == timedelta(days=1) and fenetre.lieu == ""
    for fautive in (
        {"lieu": " "},
        {"dematerialisee": True},
        {"dematerialisee": True, "date_fin": hier(), "heure_fin": time(14)},
        {"heure_fin": time(13)},
    ):
        with pytest.raises(ValidationError):
            planifier(cast, **fautive)
    assert list(planifiee.evenements.values_list("nature", flat=True)) == ["CREATION"]


def test_a_dwelling_that_the_prefet_took_meanwhile_is_not_attributed(cast, als):
    commission = planifier(cast)
    garnir(cast, commission, als)
    classer(cast, commission)
    designer_d_urgence(
        cast.acteur("agent_ddets_06"),
        als,
        reference="AP-1",
        motif=CodeMotif.objects.get(code="U_VIOLENCES"),
        date=hier(),
    )
    with pytest.raises(ValidationError, match="a désigné ce logement d’urgence"):
        clore(cast, commission)
    assert not Attribution.objects.exists()


@pytest.mark.parametrize("qui", ["lecteur_a", "gestionnaire_b", "agent_ddets_06", "charge_als"])
def test_only_its_bailleur_writes(cast, als, qui):
    commission = planifier(cast)
    (ligne,) = garnir(cast, commission, als)
    acteur = cast.acteur(qui)
    for acte in (
        lambda: commissions.planifier_commission(
            acteur, cast.bailleur_a, Departement.objects.get(pk="06"), date=hier(), heure=time(9), lieu="x"
        ),
        lambda: commissions.modifier_commission(acteur, commission, date=hier(), heure=time(9), lieu="x"),
        lambda: commissions.annuler_commission(acteur, commission, motif="x"),
        lambda: commissions.inscrire_logements(acteur, commission, [als]),
        lambda: commissions.ajouter_candidature(acteur, ligne, numero_unique=numero(9)),
        lambda: commissions.enregistrer_decisions(acteur, commission, []),
        lambda: commissions.cloturer_commission(acteur, commission),
        lambda: commissions.rouvrir_commission(acteur, commission, motif="x"),
        lambda: convoquer_ddets(acteur, commission),
    ):
        with pytest.raises(PermissionDenied):
            acte()


def test_the_agenda_takes_what_waits(cast, als):
    commission = planifier(cast)
    annulee = liberation(
        cast.bailleur_a, hier(), annulee_le=hier(), motif_annulation="le locataire reste", cle_logement="X"
    )
    attribuee = liberation(cast.bailleur_a, hier() - timedelta(days=3))
    Attribution.objects.create(
        bailleur=cast.bailleur_a, departement_id="06", liberation=attribuee, date_caleol=hier()
    )
    ailleurs = liberation(cast.bailleur_b, hier())
    assert list(commissions.liberations_a_examiner(commission)) == [als]
    a = cast.acteur("gestionnaire_a")
    for refusee in (annulee, attribuee, ailleurs):
        with pytest.raises(ValidationError, match="relisez la liste"):
            commissions.inscrire_logements(a, commission, [refusee])
    garnir(cast, commission, als)
    with pytest.raises(ValidationError):
        commissions.inscrire_logements(a, commission, [als])


def test_lines_move_and_leave_with_their_candidatures(cast, als):
    commission = planifier(cast)
    autre = liberation(cast.bailleur_a, hier())
    premiere, seconde = garnir(cast, commission, als, autre)
    a = cast.acteur("gestionnaire_a")
    commissions.deplacer_logement(a, seconde, vers_le_haut=True)
    assert list(commission.lignes.order_by("rang")) == [seconde, premiere]
    commissions.deplacer_logement(a, seconde, vers_le_haut=True)  # already the first
    passage = commission.passages.filter(liberation=als).first()
    commissions.enregistrer_decisions(a, commission, [Saisie(passage.pk, "ATTR")])
    with pytest.raises(ValidationError, match="décisions"):
        commissions.retirer_logement(a, premiere)
    with pytest.raises(ValidationError, match="décision"):
        commissions.retirer_candidature(a, passage)
    commissions.enregistrer_decisions(a, commission, [Saisie(passage.pk, "")])
    commissions.retirer_logement(a, premiere)
    assert not commission.passages.filter(liberation=als).exists()


def test_a_household_is_known_by_its_hash_and_comes_once(cast, als):
    commission = planifier(cast)
    (ligne,) = garnir(cast, commission, als, candidats=1)
    passage = commission.passages.get()
    assert passage.menage == retrouver_menage(numero(1), "06") and str(passage.menage) == "…Z001"
    with pytest.raises(ValidationError, match="déjà examiné"):
        commissions.ajouter_candidature(cast.acteur("gestionnaire_a"), ligne, numero_unique=numero(1).lower())
    with pytest.raises(ValidationError, match="proposition"):
        commissions.ajouter_candidature(
            cast.acteur("gestionnaire_a"),
            ligne,
            numero_unique=numero(2),
            date_proposition=hier() + timedelta(days=1),
        )


# --- Decisions ----------------------------------------------------------------------------------------------------


def test_lines_are_kept_incomplete_and_say_what_is_missing(cast, als):
    commission = planifier(cast)
    garnir(cast, commission, als)
    a = cast.acteur("gestionnaire_a")
    un, deux, trois = commission.passages.order_by("pk")
    commissions.enregistrer_decisions(
        a,
        commission,
        [Saisie(un.pk, "ATTR_RANG", 1), Saisie(deux.pk, "ATTR_RANG", 1), Saisie(trois.pk, "NON_ATTR")],
    )
    seance = lire_seance(commission)
    assert [phrase for _, phrase, _ in seance.erreurs] == [
        "Deux candidats au rang 1 (…Z001 et …Z002)\u00a0: donnez un rang différent à chacun.",
        "Donnez le motif pour la demande …Z003.",
    ]
    assert seance.decidees == 3 and seance.logements[0].etat == "A_CORRIGER"
    with pytest.raises(ValidationError, match="rang 1"):
        clore(cast, commission)


def test_what_does_not_go_with_a_decision_is_left_out(cast, als):
    commission = planifier(cast)
    garnir(cast, commission, als, candidats=1)
    a, passage = cast.acteur("gestionnaire_a"), commission.passages.get()
    motif = MotifRefus.objects.filter(porteur="CALEOL").first()
    piece = CodeMotif.objects.filter(acte="PIECE").first()
    tout = {"rang": 2, "motif": motif, "piece": piece, "echeance": hier()}
    attendus = {
        "ATTR": (None, None, None, None),
        "ATTR_RANG": (2, None, None, None),
        "ATTR_COND": (None, None, piece.pk, hier()),
        "IRRECEV": (None, motif.pk, None, None),
        "": (None, None, None, None),
    }
    for decision, attendu in attendus.items():
        commissions.enregistrer_decisions(a, commission, [Saisie(passage.pk, decision, **tout)])
        passage.refresh_from_db()
        faits = (passage.rang, passage.motif_id, passage.condition_piece_id, passage.condition_echeance)
        assert faits == attendu, decision
    etranger = MotifRefus.objects.filter(porteur="MENAGE").first()
    with pytest.raises(ValidationError, match="pas de la commission"):
        commissions.enregistrer_decisions(a, commission, [Saisie(passage.pk, "NON_ATTR", motif=etranger)])


def test_a_line_entered_by_somebody_else_meanwhile_is_not_written_over(cast, als):
    commission = planifier(cast)
    garnir(cast, commission, als, candidats=1)
    passage = commission.passages.get()
    un, deux = cast.acteur("gestionnaire_a"), cast.acteur("signataire_a")
    vue = passage.revision
    commissions.enregistrer_decisions(un, commission, [Saisie(passage.pk, "ATTR", revision=vue)])
    resultat = commissions.enregistrer_decisions(
        deux, commission, [Saisie(passage.pk, "IRRECEV", revision=vue)]
    )
    assert resultat.conflits == [passage.pk] and not resultat.enregistrees
    passage.refresh_from_db()
    assert passage.decision == "ATTR"
    # Seen, then decided: the line bears the new version. And one is never in conflict with oneself.
    vue = passage.revision
    assert commissions.enregistrer_decisions(
        deux, commission, [Saisie(passage.pk, "IRRECEV", revision=vue)]
    ).enregistrees
    assert commissions.enregistrer_decisions(
        deux, commission, [Saisie(passage.pk, "", revision=vue)]
    ).enregistrees


def test_the_database_holds_the_rule_of_what_is_definitive(cast, als):
    commission = planifier(cast)
    garnir(cast, commission, als)
    passages = list(commission.passages.order_by("pk"))
    for fautif in (
        {"decision": "ATTR_RANG", "rang": None},
        {"decision": "NON_ATTR"},
        {"decision": "ATTR", "rang": 1},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Passage.objects.filter(pk=passages[0].pk).update(definitif=True, **fautif)
    with pytest.raises(IntegrityError), transaction.atomic():
        commission.passages.update(definitif=True, decision="ATTR_RANG", rang=1)


# --- Points to confirm --------------------------------------------------------------------------------------------


def test_labels_of_the_day_are_groups_and_later_ones_are_told(cast, als):
    commission = planifier(cast)
    garnir(cast, commission, als)
    un, deux, _ = commission.passages.select_related("menage").order_by("pk")
    for passage, categorie, debut in (
        (un, "DALO", hier()),
        (deux, "HEBERGEMENT", hier() + timedelta(days=1)),
    ):
        Labellisation.objects.create(
            departement_id="06", menage=passage.menage, categorie_id=categorie, debut=debut
        )
    classer(cast, commission)
    with agir(cast.acteur("gestionnaire_a")):
        seance = lire_seance(commission)
    labels = [c.label for c in seance.candidatures]
    assert (labels[0].groupe, labels[0].depuis) == (1, hier())
    assert (labels[1].groupe, labels[1].ensuite, labels[1].groupe_ensuite) == (
        None,
        hier() + timedelta(days=1),
        2,
    )
    assert labels[2].groupe is labels[2].ensuite is None
    assert ["sauf exception motivée" in point for point in seance.a_confirmer] == [False, True]
    assert "DALO" not in "".join(seance.a_confirmer)


def test_a_point_that_was_not_read_stops_the_closing(cast, als):
    commission = planifier(cast)
    garnir(cast, commission, als)
    classer(cast, commission)
    a = cast.acteur("gestionnaire_a")
    with pytest.raises(PointsAConfirmer, match="convoquée"):
        commissions.cloturer_commission(a, commission)
    clore(cast, commission)
    (cloture,) = commission.evenements.filter(nature="CLOTURE")
    assert cloture.par_id == a.utilisateur_id and "convoquée" in cloture.points[0]


def test_fewer_than_three_candidatures_ask_for_the_reasons_of_the_law(cast, als):
    commission = planifier(cast)
    (ligne,) = garnir(cast, commission, als, candidats=1)
    classer(cast, commission)
    a = cast.acteur("gestionnaire_a")
    assert "moins de trois" in lire_seance(commission).erreurs[0][1]
    with pytest.raises(ValidationError):
        commissions.motiver_candidatures(a, ligne, motif=CodeMotif.objects.filter(acte="PIECE").first())
    for code, point in (("C_INSUFFISANTES", ""), ("C_DALO", "groupe 1"), ("C_PLAI_ADAPTE", "PLAI adapté")):
        commissions.motiver_candidatures(a, ligne, motif=CodeMotif.objects.get(code=code))
        seance = lire_seance(commission)
        assert not seance.erreurs
        assert any(point in p for _, p, _ in seance.points_des_logements) == bool(point), code


# --- Closing ------------------------------------------------------------------------------------------------------


def test_closing_attributes_to_the_first_and_counts_as_foreseen(cast, als):
    commission = planifier(cast)
    etat = liberation(cast.bailleur_a, hier() - timedelta(days=9), reservataire=cast.ddets_06)
    garnir(cast, commission, als, etat)
    premier = commission.passages.select_related("menage").filter(liberation=etat).order_by("pk").first()
    for liberee in (als, etat):
        siens = commission.passages.filter(liberation=liberee).order_by("pk")
        Labellisation.objects.create(
            departement_id="06", menage=siens[0].menage, categorie_id="DALO", debut=hier()
        )
    classer(cast, commission)
    prevu = lire_seance(commission).comptera()
    assert tuple(prevu[etat.pk]) == ("ETAT", "PRIORITE_1")
    assert tuple(prevu[als.pk]) == ("ALS", "PRIORITAIRE")
    proces_verbal = clore(cast, commission)
    commission.refresh_from_db()
    assert commission.etat == "CLOSE" and commission.close_par == cast.gestionnaire_a
    attribution = Attribution.objects.get(liberation=etat)
    assert (attribution.passage, attribution.menage, attribution.date_caleol) == (
        premier,
        premier.menage,
        hier(),
    )
    assert attribution.statut_emploi == "SALARIE"
    imputees = Imputation.objects.filter(attribution__passage__commission=commission)
    assert {i.liberation_id: (i.titre, i.detail) for i in imputees} == {
        cle: tuple(titre) for cle, titre in prevu.items()
    }
    assert commission.passages.filter(definitif=False).count() == 0
    assert proces_verbal.version == 1 and proces_verbal.empreinte
    with pytest.raises(ValidationError, match="close"):
        commissions.enregistrer_decisions(
            cast.acteur("gestionnaire_a"), commission, [Saisie(premier.pk, "ATTR")]
        )


def test_a_condition_is_served_before_the_ranks(cast, als):
    commission = planifier(cast)
    garnir(cast, commission, als)
    un, deux, trois = commission.passages.order_by("pk")
    piece = CodeMotif.objects.get(code="P_IMPOSITION")
    commissions.enregistrer_decisions(
        cast.acteur("gestionnaire_a"),
        commission,
        [
            Saisie(un.pk, "ATTR_RANG", 1),
            Saisie(deux.pk, "ATTR_COND", piece=piece, echeance=hier() + timedelta(days=10)),
            Saisie(trois.pk, "ATTR_RANG", 2),
        ],
    )
    clore(cast, commission)
    assert Attribution.objects.get(liberation=als).passage == deux


def test_a_commission_that_attributes_nothing_can_be_closed(cast, als):
    commission = planifier(cast)
    garnir(cast, commission, als)
    motif = MotifRefus.objects.filter(porteur="CALEOL").first()
    commissions.enregistrer_decisions(
        cast.acteur("gestionnaire_a"),
        commission,
        [Saisie(p.pk, "NON_ATTR", motif=motif) for p in commission.passages.all()],
    )
    clore(cast, commission)
    assert not Attribution.objects.filter(liberation=als).exists()


def test_neither_before_its_day_nor_empty(cast, als):
    demain = planifier(cast, hier() + timedelta(days=2))
    garnir(cast, demain, als)
    classer(cast, demain)
    with pytest.raises(ValidationError, match="ne peut pas être close avant"):
        clore(cast, demain)
    with pytest.raises(ValidationError, match="Aucun logement"):
        clore(cast, planifier(cast))


def test_two_commissions_on_one_dwelling_the_second_is_told(cast, als):
    une, autre = planifier(cast), planifier(cast)
    garnir(cast, une, als)
    garnir(cast, autre, als, debut=50)
    assert "Aussi à l’ordre du jour" in lire_seance(autre).logements[0].notes[0]
    classer(cast, une)
    classer(cast, autre)
    clore(cast, une)
    with pytest.raises(ValidationError, match="déjà attribué par la CALEOL") as refus:
        clore(cast, autre)
    assert als.reference in refus.value.messages[0]
    assert Attribution.objects.filter(liberation=als).count() == 1
    # Attributing it to nobody, the second can be closed.
    motif = MotifRefus.objects.get(code="RANG_SUIVANT")
    commissions.enregistrer_decisions(
        cast.acteur("gestionnaire_a"),
        autre,
        [Saisie(p.pk, "NON_ATTR", motif=motif) for p in autre.passages.all()],
    )
    clore(cast, autre)


# --- Reopening ----------------------------------------------------------------------------------------------------


def test_reopening_undoes_the_attributions_and_leaves_a_trace(cast, als):
    commission = planifier(cast)
    garnir(cast, commission, als)
    classer(cast, commission)
    clore(cast, commission)
    a = cast.acteur("signataire_a")
    with pytest.raises(ValidationError, match="motif"):
        commissions.rouvrir_commission(a, commission, motif=" ")
    commissions.rouvrir_commission(a, commission, motif="Rangs inversés")
    commission.refresh_from_db()
    assert commission.etat == "PREPARATION" and commission.close_le is None
    assert not Attribution.objects.filter(liberation=als).exists()
    assert not Imputation.objects.filter(liberation=als).exists()
    (trace,) = commission.evenements.filter(nature="REOUVERTURE")
    assert (trace.motif, trace.par) == ("Rangs inversés", cast.signataire_a)
    assert clore(cast, commission).version == 2
    assert commission.proces_verbaux.count() == 2


@pytest.mark.parametrize("suite", ["offre", "refus", "bail"])
def test_what_had_a_sequel_is_not_reopened(cast, als, suite):
    commission = planifier(cast)
    garnir(cast, commission, als)
    classer(cast, commission)
    clore(cast, commission)
    attribution = Attribution.objects.get(liberation=als)
    a = cast.acteur("gestionnaire_a")
    if suite == "offre":
        Attribution.objects.filter(pk=attribution.pk).update(offre_le=hier())
    elif suite == "refus":
        motif = MotifRefus.objects.filter(porteur="MENAGE").first()
        attributions.refuser_attribution(a, attribution, date=hier(), motif=motif)
    else:
        attributions.enregistrer_bail(a, attribution, date=hier())
    with pytest.raises(ValidationError, match=als.reference):
        commissions.rouvrir_commission(a, commission, motif="trop tard")
    commission.refresh_from_db()
    assert commission.etat == "CLOSE"


# --- Convocations -------------------------------------------------------------------------------------------------


def pieces(courriel: Courriel) -> dict:
    """Those that left with it: the worker made the PDF."""
    courriels.envoyer(courriel.pk)
    return {piece.nom: bytes(piece.octets) for piece in courriel.pieces.order_by("pk")}


def texte_du_pdf(octets: bytes) -> str:
    lecteur = pypdf.PdfReader(io.BytesIO(octets))
    return "\n".join(page.extract_text() for page in lecteur.pages)


def test_the_ddets_receives_an_invitation_and_the_agenda(cast, als):
    commission = planifier(cast, hier() + timedelta(days=8))
    garnir(cast, commission, als)
    (convocation,) = convoquer_ddets(cast.acteur("gestionnaire_a"), commission)
    commission.refresh_from_db()
    assert commission.etat == "CONVOQUEE" and convocation.organisation == cast.ddets_06
    courriel = convocation.courriel
    assert [piece.nom for piece in courriel.pieces.all()] == ["convocation.ics"], (
        "la page n’attend pas le PDF"
    )
    assert courriel.destinataire == "ddets06@etat.example"
    assert courriel.objet.startswith("Convocation à la CALEOL du")
    (ics, pdf) = pieces(courriel).values()
    calendrier = lire_ics(ics)
    assert calendrier["METHOD"] == "REQUEST"
    (evenement,) = calendrier.events
    assert evenement["SEQUENCE"] == 0 and evenement["STATUS"] == "CONFIRMED"
    assert evenement["LOCATION"] == "salle du conseil"
    assert evenement.start == commission.debut
    assert evenement.attendees == ["mailto:ddets06@etat.example"]
    lu = texte_du_pdf(pdf)
    assert als.reference in lu and "Action Logement" in lu
    # Nothing of a household, in none of the three.
    for contenu in (courriel.corps_texte, courriel.corps_html, ics.decode().replace("\r\n ", ""), lu):
        assert not any(numero(rang)[-4:] in contenu for rang in (1, 2, 3))


def test_it_leaves_by_mail_with_its_files(cast, als):
    commission = planifier(cast, hier() + timedelta(days=8))
    (convocation,) = convoquer_ddets(cast.acteur("gestionnaire_a"), commission)
    courriels.envoyer(convocation.courriel_id)
    (message,) = mail.outbox
    types = [partie.get_content_type() for partie in message.message().walk()]
    assert types.count("text/calendar") == 2 and "application/pdf" in types
    calendrier = next(p for p in message.message().walk() if p.get_content_type() == "text/calendar")
    assert calendrier.get_param("method") == "REQUEST"
    convocation.courriel.refresh_from_db()
    assert convocation.courriel.etat == "ENVOYE"


def test_a_change_updates_the_entry_and_a_cancellation_takes_it_back(cast, als):
    commission = planifier(cast, hier() + timedelta(days=8))
    garnir(cast, commission, als)
    a = cast.acteur("gestionnaire_a")
    (premiere,) = convoquer_ddets(a, commission)
    faits = {"date": commission.date, "heure": time(15), "lieu": "salle du conseil"}
    commissions.modifier_commission(a, commission, **faits)
    commissions.modifier_commission(a, commission, **faits)  # nothing changed: nothing is sent
    convoquer_ddets(a, commission)
    commissions.annuler_commission(a, commission, motif="Quorum non réuni")
    envois = list(Convocation.objects.filter(commission=commission).order_by("pk"))
    assert [(e.nature, e.sequence) for e in envois] == [
        ("CONVOCATION", 0),
        ("MISE_A_JOUR", 1),
        ("MISE_A_JOUR", 2),
        ("ANNULATION", 3),
    ]
    lus = [lire_ics(pieces(e.courriel)["convocation.ics"]) for e in envois]
    assert [x["METHOD"] for x in lus] == ["REQUEST", "REQUEST", "REQUEST", "CANCEL"]
    assert {x.events[0]["UID"] for x in lus} == {lus[0].events[0]["UID"]}
    assert [x.events[0]["SEQUENCE"] for x in lus] == [0, 1, 2, 3]
    assert premiere.courriel.pieces.count() == 2 and envois[-1].courriel.pieces.count() == 1
    commission.refresh_from_db()
    assert commission.etat == "ANNULEE" and not commission.passages.exists()
    assert list(commission.evenements.values_list("nature", flat=True)) == [
        "CREATION",
        "CONVOCATION",
        "MISE_A_JOUR",
        "MISE_A_JOUR",
        "ANNULATION",
    ]


def test_nobody_to_convene_is_said(cast):
    cast.agent_ddets_06.rattachements.all().delete()
    commission = planifier(cast)
    with pytest.raises(ValidationError, match="Personne n’a d’accès en gestion"):
        convoquer_ddets(cast.acteur("gestionnaire_a"), commission)
    commission.refresh_from_db()
    assert commission.etat == "PREPARATION" and not Courriel.objects.filter(gabarit="convocation_caleol")


def test_the_record_of_a_convocation_outlives_its_email(cast):
    commission = planifier(cast)
    (convocation,) = convoquer_ddets(cast.acteur("gestionnaire_a"), commission)
    convocation.courriel.delete()
    convocation.refresh_from_db()
    assert convocation.courriel is None and convocation.ecrite_le


# --- Procès-verbal ------------------------------------------------------------------------------------------------


def test_the_proces_verbal_says_decisions_ranks_motives_and_no_more_than_four_characters(cast, als):
    commission = planifier(cast)
    garnir(cast, commission, als)
    un, deux, trois = commission.passages.order_by("pk")
    motif = MotifRefus.objects.get(code="COMPOSITION")
    commissions.enregistrer_decisions(
        cast.acteur("gestionnaire_a"),
        commission,
        [
            Saisie(un.pk, "ATTR_RANG", 2),
            Saisie(deux.pk, "ATTR_RANG", 1),
            Saisie(trois.pk, "NON_ATTR", motif=motif),
        ],
    )
    proces_verbal = clore(cast, commission)
    octets = bytes(proces_verbal.octets)
    lu = " ".join(texte_du_pdf(octets).split())
    assert "…Z001" in lu and "COMPOSITION" in lu and als.reference in lu
    assert numero(1) not in lu and numero(1)[:-4] not in lu
    racine = pypdf.PdfReader(io.BytesIO(octets)).trailer["/Root"]
    assert racine["/MarkInfo"]["/Marked"] and str(racine["/Lang"]).startswith("fr")
    # The bytes are kept: asked again, it is the same one.
    from flux.services.proces_verbaux import produire_proces_verbal

    assert produire_proces_verbal(cast.acteur("gestionnaire_a"), commission) == proces_verbal


# --- Calendars ----------------------------------------------------------------------------------------------------


def test_the_calendar_of_each(cast, als):
    a = cast.acteur("gestionnaire_a")
    preparee, convoquee = planifier(cast), planifier(cast, hier() + timedelta(days=8))
    garnir(cast, convoquee, als)
    convoquer_ddets(a, convoquee)
    adresses = {
        qui: agendas.renouveler_adresse(cast.acteur(qui))
        for qui in ("gestionnaire_a", "agent_ddets_06", "gestionnaire_b", "agent_ddets_22")
    }
    lus = {
        qui: lire_ics(agendas.calendrier_du_secret(adresse.secret).encode())
        for qui, adresse in adresses.items()
    }
    uids = {qui: {e["UID"].split("@")[0] for e in lu.events} for qui, lu in lus.items()}
    assert uids == {
        "gestionnaire_a": {f"caleol-{preparee.pk}", f"caleol-{convoquee.pk}"},
        "agent_ddets_06": {f"caleol-{convoquee.pk}"},
        "gestionnaire_b": set(),
        "agent_ddets_22": set(),
    }
    statuts = {e["UID"].split("@")[0]: e["STATUS"] for e in lus["gestionnaire_a"].events}
    assert statuts == {f"caleol-{preparee.pk}": "TENTATIVE", f"caleol-{convoquee.pk}": "CONFIRMED"}
    assert all("ATTENDEE" not in e for lu in lus.values() for e in lu.events)
    commissions.annuler_commission(a, convoquee, motif="Quorum non réuni")
    lu = lire_ics(agendas.calendrier_du_secret(adresses["agent_ddets_06"].secret).encode())
    assert lu.events[0]["STATUS"] == "CANCELLED"


def test_an_address_taken_back_or_renewed_opens_nothing(cast):
    a = cast.acteur("gestionnaire_a")
    premiere = agendas.renouveler_adresse(a).secret
    seconde = agendas.renouveler_adresse(a).secret
    assert agendas.calendrier_du_secret(premiere) is None
    assert agendas.calendrier_du_secret(seconde)
    agendas.retirer_adresse(a)
    assert agendas.calendrier_du_secret(seconde) is None
    for qui in ("lecteur_a", "charge_als", "agent_sgc_06", "charge_dreal"):
        with pytest.raises(PermissionDenied):
            agendas.renouveler_adresse(cast.acteur(qui))


# --- Really at once -----------------------------------------------------------------------------------------------


class Ailleurs(threading.Thread):
    """Runs `travail` on a connection of its own, and keeps what happened."""

    def __init__(self, travail):
        super().__init__()
        self.travail, self.erreur = travail, None

    def run(self):
        try:
            with agir(Acteur.du_systeme("essai, dans un autre fil")):
                self.travail()
        except ValidationError as erreur:
            self.erreur = erreur
        finally:
            connection.close()


@pytest.mark.django_db(transaction=True)
def test_two_closings_at_the_same_moment_attribute_once():
    cast = distribuer()
    actes_paca(cast)
    liberees = [liberation(cast.bailleur_a, hier(), reservataire=cast.als) for _ in range(3)]
    seances = [planifier(cast), planifier(cast)]
    garnir(cast, seances[0], *liberees)
    garnir(cast, seances[1], *reversed(liberees), debut=50)
    for seance in seances:
        classer(cast, seance)
    depart = threading.Barrier(2)

    def fermer(commission):
        points = lire_seance(commission).a_confirmer
        depart.wait(timeout=20)
        commissions.cloturer_commission(cast.acteur("gestionnaire_a"), commission, points_confirmes=points)

    fils = [Ailleurs(lambda c=c: fermer(c)) for c in seances]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join(timeout=60)
        assert not fil.is_alive()
    (refus,) = [fil.erreur for fil in fils if fil.erreur]
    assert all("déjà attribué" in phrase for phrase in refus.messages) and len(refus.messages) == 3
    assert sorted(Commission.objects.values_list("etat", flat=True)) == ["CLOSE", "PREPARATION"]
    assert Attribution.objects.filter(refusee_le=None).count() == 3
    assert EvenementCommission.objects.filter(nature="CLOTURE").count() == 1
