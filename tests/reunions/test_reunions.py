"""A meeting from its preparation to its minutes, who may do what of it, and the actions until they are done."""

from datetime import date, timedelta
from io import BytesIO

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from pypdf import PdfReader

from bilans.models import ActionReunion, CompteRendu, DecisionReunion, PointReunion, Reunion
from bilans.services import reunions, reunions_courriels
from bilans.services.alertes import alertes
from bilans.services.reunions_compte_rendu import lire_reunion, produire_compte_rendu, projet
from reservation.acteur import Role
from reservation.models import Courriel, LigneJournal, PieceJointe
from reservation.perimetre import agir
from reservation.services.acces import acteur_de
from tests.personnages import personne
from tests.reunions.conftest import preparer, tenir

MEMBRES = ("charge_dreal", "charge_union", "charge_als", "agent_ddets_06", "agent_sgc_06")
ETRANGERS = (
    "gestionnaire_a",
    "gestionnaire_b",
    "agent_ddets_22",
    "agent_cannes",
    "agent_caf",
    "operateur",
    "sans_organisation",
)


def lit(cast, qui: str, modele=Reunion, **filtre) -> int:
    """What somebody reads through the queryset; the database, asked without it, gives no more."""
    acteur = acteur_de(cast.gens[qui])
    with agir(acteur):
        vues = modele.objects.visibles_par(acteur).filter(**filtre).count()
        assert modele.objects.filter(**filtre).count() >= vues
    return vues


def sans_filtre(cast, qui: str, modele) -> int:
    with agir(acteur_de(cast.gens[qui])):
        return modele.objects.count()


def texte(octets: bytes) -> str:
    return " ".join(
        " ".join(page.extract_text() for page in PdfReader(BytesIO(bytes(octets))).pages)
        .replace("\u00a0", " ")
        .replace("\u202f", " ")
        .split()
    )


def test_from_the_agenda_to_the_minutes(cast, dreal):
    reunion = preparer(dreal)
    invites = {str(i.organisation) for i in reunion.invites.select_related("organisation")}
    assert invites == {str(o) for o in (cast.dreal_paca, cast.union_hlm_paca, cast.als, cast.ddets_06)}, (
        "not the DDETS of another région"
    )
    with agir(dreal):
        assert reunions.proposer_points(dreal, reunion) == 4
        assert reunions.proposer_points(dreal, reunion) == 0, "those that are there stay"
        dernier = reunion.points.order_by("-rang").first()
        reunions.deplacer_point(dreal, dernier, -1)
        assert [p.rang for p in reunion.points.order_by("rang")] == [1, 2, 3, 4, 5, 6]
        reunions.retirer_point(dreal, dernier)
        assert [p.rang for p in reunion.points.order_by("rang")] == [1, 2, 3, 4, 5]
    assert all(lit(cast, qui) == 0 for qui in MEMBRES[1:] + ETRANGERS), (
        "nobody knows of it before the convocation"
    )

    with agir(dreal):
        assert reunions.convoquer(dreal, reunion) == 4
    convocations = Courriel.objects.filter(gabarit="convocation_copil")
    assert {c.destinataire for c in convocations} == {
        "copil@etat.example",
        "union@hlm.example",
        "als@als.example",
        "ddets06@etat.example",
    }
    assert "1. Suivi des objectifs (30 min)" in convocations.first().corps_texte.replace("\u00a0", " ")
    calendrier = bytes(PieceJointe.objects.filter(courriel=convocations.first()).get().octets).decode()
    assert "METHOD:REQUEST" in calendrier and f"UID:copil-{reunion.pk}@" in calendrier
    assert all(lit(cast, qui) == 1 for qui in MEMBRES)
    assert all(lit(cast, qui) == sans_filtre(cast, qui, Reunion) == 0 for qui in ETRANGERS)

    tenir(dreal, reunion, cast.bailleur_a)
    union = acteur_de(cast.charge_union)
    with agir(union):
        lue = lire_reunion(union, reunion)
        assert not lue.decisions and not lue.actions and not lue.points[0].paragraphes, "noted, not said yet"
        assert "28,63" not in texte(projet(union, reunion).octets)
    with agir(dreal):
        brouillon = texte(projet(dreal, reunion).octets)
    assert "PROJET" in brouillon and "28,63" in brouillon
    assert not alertes(acteur_de(cast.gestionnaire_a)), "nothing is given before the closing"

    with agir(dreal):
        reunions.clore(dreal, reunion)
        produit = produire_compte_rendu(dreal, reunion)
        assert produire_compte_rendu(dreal, reunion).pk == produit.pk, "made once"
        attendu = 4 + 2  # the members; of bailleur A, who manages and who signs
        assert reunions.envoyer(dreal, reunion) == attendu
    lu = texte(produit.octets)
    assert "PROJET" not in lu and str(produit) in lu
    for dit in (
        "Le flux de 2025 est validé.",
        "Décision. Le comité retient l’objectif de 28,63 points.",
        "Transmettre la liste des programmes 2027 : Habitat Essai A",
        "Point non traité en séance.",
        "Les présences n’ont pas été notées.",
    ):
        assert dit in lu, dit
    piece = PieceJointe.objects.filter(courriel__gabarit="compte_rendu_copil").first()
    assert bytes(piece.octets) == bytes(produit.octets)
    with agir(union):
        assert len(lire_reunion(union, Reunion.objects.get(pk=reunion.pk)).decisions) == 1

    with agir(dreal):
        with pytest.raises(ValidationError, match="motif"):
            reunions.rouvrir(dreal, reunion, " ")
        reunions.rouvrir(dreal, reunion, "Une décision manquait.")
        reunions.noter_decision(dreal, reunion.points.get(rang=2), "Prochaine réunion en juin.")
        reunions.clore(dreal, reunion)
        second = produire_compte_rendu(dreal, reunion)
    assert (second.version, CompteRendu.objects.count()) == (2, 2)
    assert "Prochaine réunion en juin." in texte(second.octets)
    actes = [e.acte for e in reunion.evenements.all()]
    assert actes == ["PREPARER", "CONVOQUER", "OUVRIR", "CLORE", "ENVOYER", "ROUVRIR", "CLORE"]
    assert reunion.evenements.get(acte="ROUVRIR").motif == "Une décision manquait."
    assert LigneJournal.objects.filter(
        genre="reunion", cle=str(reunion.pk), objet_type="bilans.decisionreunion"
    ).exists()


def test_what_is_closed_does_not_change_even_in_the_database(cast, dreal):
    reunion = tenir(dreal, preparer(dreal), cast.bailleur_a)
    point, decision = reunion.points.get(rang=1), reunion.decisions.get()
    with agir(dreal):
        reunions.clore(dreal, reunion)
        for refuse in (
            lambda: reunions.noter_debats(dreal, point, "Autre chose", point.revision),
            lambda: reunions.noter_decision(dreal, point, "Une autre"),
            lambda: reunions.retirer_decision(dreal, decision),
            lambda: reunions.proposer_points(dreal, reunion),
            lambda: reunions.noter_presence(dreal, reunion.invites.first(), "PRESENT"),
        ):
            with pytest.raises(ValidationError, match="close"):
                refuse()
        for ecrire in (
            lambda: PointReunion.objects.filter(pk=point.pk).update(notes="Autre chose"),
            lambda: DecisionReunion.objects.filter(pk=decision.pk).delete(),
        ):
            with pytest.raises(ValidationError, match="rouvrez-la"), transaction.atomic():
                ecrire()


def test_only_the_dreal_writes(cast, dreal):
    reunion = tenir(dreal, preparer(dreal), cast.bailleur_a)
    point = reunion.points.get(rang=1)
    for qui in (*MEMBRES, *ETRANGERS):
        acteur = acteur_de(cast.gens[qui])
        with agir(acteur):
            for faire in (
                lambda a: reunions.noter_decision(a, point, "Non"),
                lambda a: reunions.ajouter_point(a, reunion, titre="Non"),
                lambda a: reunions.clore(a, reunion),
                lambda a: reunions.annuler(a, reunion, "Non"),
            ):
                with pytest.raises(PermissionDenied):
                    faire(acteur)
            with pytest.raises(PermissionDenied):
                reunions.preparer(acteur, objet="Non", date=date(2030, 1, 1), heure=None, lieu="")
            assert PointReunion.objects.filter(pk=point.pk).update(titre="Non") == 0, "refused below as well"
    point.refresh_from_db()
    assert point.titre == "Suivi des objectifs"


def test_nothing_is_lost_when_two_people_note(cast, dreal):
    reunion = tenir(dreal, preparer(dreal), cast.bailleur_a)
    point = reunion.points.get(rang=1)
    autre = acteur_de(personne("second@etat.example", "Second", cast.dreal_paca, Role.GESTION))
    with agir(dreal):
        reunions.noter_debats(
            dreal, point, "Premier texte", 0
        )  # one's own, with the version before: not a conflict
    with agir(autre):
        with pytest.raises(ValidationError, match="modifiées ailleurs"):
            reunions.noter_debats(autre, point, "Texte du second", 1)
        point.refresh_from_db()
        assert (point.notes, point.revision) == ("Premier texte", 2)
        reunions.noter_debats(autre, point, "Premier texte, complété", 2)
    point.refresh_from_db()
    assert point.notes == "Premier texte, complété"


@pytest.mark.parametrize(
    ("faits", "dit"),
    [
        ({"libelle": "  "}, "Écrivez ce qui est à faire"),
        ({"responsable": ""}, "Choisissez qui"),
        ({"responsable": "999999999"}, "Choisissez qui"),
        ({"echeance": None}, "sans elle, personne n’est rappelé"),
        ({"echeance": date(2020, 1, 1)}, "précède la réunion"),
        ({"libelle": "x" * 301}, "300 caractères"),
    ],
)
def test_an_action_says_what_lacks(cast, dreal, faits, dit):
    reunion = tenir(dreal, preparer(dreal), cast.bailleur_a)
    juste = {"libelle": "Agir", "responsable": str(cast.als.pk), "echeance": timezone.localdate()}
    with agir(dreal), pytest.raises(ValidationError, match=dit):
        reunions.noter_action(dreal, reunion.points.get(rang=1), **juste | faits)
    assert ActionReunion.objects.count() == 1


def test_an_action_is_given_to_all_of_a_kind(cast, dreal):
    reunion = tenir(dreal, preparer(dreal), cast.als)
    with agir(dreal):
        donnees = reunions.noter_action(
            dreal,
            reunion.points.get(rang=2),
            libelle="Déposer le point d’étape",
            responsable="TOUS:BAILLEUR",
            echeance=timezone.localdate() + timedelta(days=3),
        )
    assert {a.organisation for a in donnees} == {cast.bailleur_a, cast.bailleur_b}


def test_the_action_is_an_alert_until_it_is_done(cast, dreal):
    reunion = tenir(dreal, preparer(dreal, jours=-3), cast.bailleur_a, jours=5)
    with agir(dreal):
        reunions.clore(dreal, reunion)
    action = reunion.actions.get()
    bailleur = acteur_de(cast.gestionnaire_a)
    with agir(bailleur):
        [alerte] = [a for a in alertes(bailleur) if a.libelle == action.libelle]
        assert alerte.statut == "à faire bientôt" and "dans 5 jours" in alerte.detail.replace("\u00a0", " ")
        [alerte] = [
            a for a in alertes(bailleur, timezone.now() + timedelta(days=8)) if a.libelle == action.libelle
        ]
        assert alerte.statut == "en retard"
        # It reads its own action, and nothing of the meeting.
        assert ActionReunion.objects.count() == 1
        assert not Reunion.objects.exists() and not PointReunion.objects.exists()
        assert not DecisionReunion.objects.exists()
    for qui in ("gestionnaire_b", "agent_ddets_22", "agent_cannes", "operateur"):
        assert lit(cast, qui, ActionReunion) == sans_filtre(cast, qui, ActionReunion) == 0
    lecteur = acteur_de(cast.lecteur_a)
    with agir(lecteur), pytest.raises(PermissionDenied):
        reunions.faire(lecteur, action, realisee_le=timezone.localdate())

    with agir(bailleur):
        for jour, dit in (
            (timezone.localdate() + timedelta(days=1), "au plus tard aujourd’hui"),
            (reunion.date - timedelta(days=1), "indiquez une date qui suit"),
        ):
            with pytest.raises(ValidationError, match=dit):
                reunions.faire(bailleur, action, realisee_le=jour)
        with pytest.raises(PermissionDenied):
            reunions.abandonner(bailleur, action, "Trop long")
        reunions.faire(bailleur, action, realisee_le=timezone.localdate(), commentaire="Envoyée ce matin.")
        assert not [a for a in alertes(bailleur) if a.libelle == action.libelle]
    with agir(dreal):
        reunions.defaire(dreal, action)
        reunions.reporter(dreal, action, timezone.localdate() + timedelta(days=60))
        reunions.abandonner(dreal, action, "Le programme est abandonné.")
        with pytest.raises(ValidationError, match="déjà terminée"):
            reunions.faire(dreal, action, realisee_le=timezone.localdate())
    with agir(bailleur):
        assert not [a for a in alertes(bailleur) if a.libelle == action.libelle]


def test_reminders_leave_once_each_and_stop(cast, dreal):
    reunion = tenir(dreal, preparer(dreal, jours=-1), cast.bailleur_a, jours=40)
    with agir(dreal):
        reunions.clore(dreal, reunion)
    echeance = reunion.actions.get().echeance
    envoyes = []
    for jours in (35, 30, 29, 7, 6, 0, -1, -2):
        ecrits = reunions_courriels.rappeler(echeance - timedelta(days=jours))
        if ecrits:
            envoyes.append((jours, ecrits))
    assert envoyes == [(30, 2), (7, 2), (-1, 2)], "thirty days, seven days, late: to whoever manages or signs"
    rappel = Courriel.objects.filter(gabarit="actions_copil").order_by("pk").last()
    assert "rappel" in rappel.objet and reunions_courriels.encore_utile(rappel)
    bailleur = acteur_de(cast.gestionnaire_a)
    with agir(bailleur):
        reunions.faire(bailleur, reunion.actions.get(), realisee_le=timezone.localdate())
    assert not reunions_courriels.encore_utile(rappel)
    assert reunions_courriels.rappeler(echeance + timedelta(days=1)) == 0


def test_a_change_and_a_cancellation_are_told_to_those_who_were_convened(cast, dreal):
    reunion = preparer(dreal, jours=10)
    faits = {"objet": "Comité", "heure": reunion.heure, "lieu": "Marseille", "date": reunion.date}
    with agir(dreal):
        reunions.modifier(dreal, reunion, **faits)
        assert not Courriel.objects.filter(gabarit="convocation_copil").exists(), "nobody knew of it"
        reunions.convoquer(dreal, reunion)
        reunion.refresh_from_db()
        reunions.modifier(dreal, reunion, **faits | {"date": reunion.date + timedelta(days=1)})
        reunions.annuler(dreal, reunion, "Grève des transports.")
    reunion.refresh_from_db()
    assert (reunion.etat, reunion.sequence) == ("ANNULEE", 2)
    assert Courriel.objects.filter(gabarit="convocation_copil").count() == 3 * 4
    dernier = Courriel.objects.filter(gabarit="convocation_copil").order_by("pk").last()
    assert "Grève des transports." in dernier.corps_texte
    assert "METHOD:CANCEL" in bytes(dernier.pieces.get().octets).decode()
    assert lit(cast, "charge_union") == 1, "who was convened still sees that it is cancelled"


def test_a_meeting_to_come_is_not_closed_and_an_empty_one_is_not_convened(cast, dreal):
    reunion = tenir(dreal, preparer(dreal, jours=4), cast.als, jours=9)
    with agir(dreal):
        with pytest.raises(ValidationError, match="à partir de ce jour"):
            reunions.clore(dreal, reunion)
        vide = reunions.preparer(
            dreal, objet="Vide", date=timezone.localdate(), heure=reunion.heure, lieu="Ici"
        )
        with pytest.raises(ValidationError, match="vide"):
            reunions.convoquer(dreal, vide)


def test_what_a_bailleur_owes_follows_its_merger(cast, dreal):
    reunion = tenir(dreal, preparer(dreal), cast.bailleur_a)
    with agir(dreal):
        reunions.clore(dreal, reunion)
    reunions.sur_bailleurs_fusionnes(None, cast.bailleur_a, cast.bailleur_b, None)
    assert lit(cast, "gestionnaire_b", ActionReunion) == 1 and lit(cast, "gestionnaire_a", ActionReunion) == 0


def test_the_agenda_takes_up_what_is_still_open(cast, dreal):
    premiere = tenir(dreal, preparer(dreal, jours=-2), cast.bailleur_a)
    with agir(dreal):
        reunions.clore(dreal, premiere)
        suivante = preparer(dreal, jours=3)
        reunions.proposer_points(dreal, suivante)
        lue = lire_reunion(dreal, suivante)
    [suivi] = [p for p in lue.points if p.point.rubrique == "ACTIONS"]
    assert [a.pk for a in suivi.suivies] == [premiere.actions.get().pk]
