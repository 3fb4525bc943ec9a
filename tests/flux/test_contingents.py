"""Whose a household is: settled on the day of the CALEOL. A later orientation neither shows it nor takes it away."""

from datetime import date, time

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse

from flux.models import Attribution, CodeMotif, Commission, Imputation, MotifRefus, Passage
from flux.services import attributions, commissions, designations, orientations
from flux.services.seances import lire_seance
from reservation.acteur import Acteur
from reservation.copie import copier_objets
from reservation.perimetre import agir
from tests.flux.fabriques import ANNEE, actes_paca, liberation, menage

SYSTEME = Acteur.du_systeme("essai")
LIBEREE, ORIENTEE, CALEOL, REFUS, ENSUITE = (
    date(ANNEE, 3, 2),
    date(ANNEE, 3, 3),
    date(ANNEE, 3, 20),
    date(ANNEE, 3, 25),
    date(ANNEE, 4, 20),
)
TEMOIN = "7391"


@pytest.fixture(autouse=True)
def aujourd_hui():
    with time_machine.travel(date(ANNEE, 6, 30), tick=False):
        yield


@pytest.fixture
def cast(cast):
    actes_paca(cast)
    return cast


def orienter(liberee, organisation, jour=ORIENTEE):
    orientations.orienter_liberation(SYSTEME, liberee, reservataire=organisation, date=jour)
    liberee.refresh_from_db()


def examiner(cast, liberee, jour=CALEOL, fin=TEMOIN, decision="ATTR", **champs) -> Passage:
    """A household whose number ends with `fin`, examined by a commission of that day, as an import would write it."""
    lieu = {"bailleur_id": liberee.bailleur_id, "departement_id": liberee.departement_id}
    connu = menage("06", ("DALO", date(ANNEE, 1, 1)))
    type(connu).objects.filter(pk=connu.pk).update(numero_fin=fin)
    seance, _ = Commission.objects.get_or_create(**lieu, date=jour, etat="CLOSE")
    return Passage.objects.create(
        **lieu, commission=seance, liberation=liberee, menage=connu, decision=decision, **champs
    )


def attribuer(passage: Passage) -> Attribution:
    return attributions.enregistrer_attribution(
        SYSTEME,
        passage.liberation,
        date_caleol=passage.commission.date,
        menage=passage.menage,
        passage=passage,
    )


def refuser(faite: Attribution) -> None:
    motif = MotifRefus.objects.get(code="M_LOYER")
    attributions.refuser_attribution(SYSTEME, faite, date=REFUS, motif=motif)


def lus(cast, qui: str, modele) -> set[int]:
    """What the queryset shows, which has to be what the database lets through by raw SQL."""
    acteur = cast.acteur(qui)
    attendus = set(modele.objects.visibles_par(acteur).values_list("pk", flat=True))
    with agir(acteur), connection.cursor() as curseur:
        curseur.execute(f"SELECT id FROM {modele._meta.db_table}")
        assert {pk for (pk,) in curseur.fetchall()} == attendus
    return attendus


def pages(client, cast, qui: str, liberee) -> str:
    """Everything that somebody reads of a libération and of its households: pages, fragments, history, export, API."""
    client.force_login(cast.gens[qui])
    adresses = [
        reverse("flux:liberation", args=[liberee.pk]),
        reverse("reservation:historique", args=["liberation", liberee.pk]),
        reverse("flux:liberations"),
        reverse("flux:liberations_export", args=["csv"]),
        reverse("api:liberation-detail", args=[liberee.pk]),
        reverse("api:attribution-list"),
        reverse("api:attribution-list") + f"?liberation={liberee.pk}",
        reverse("api:passage-list"),
        reverse("api:passage-list") + f"?liberation={liberee.pk}&decision=ATTR",
        reverse("flux:liberations") + "?suite=bail",
        *(reverse("api:attribution-detail", args=[a.pk]) for a in liberee.attributions.all()),
        *(reverse("api:passage-detail", args=[p.pk]) for p in liberee.passages.all()),
    ]
    reponses = [client.get(adresse) for adresse in adresses]
    assert {reponse.status_code for reponse in reponses} <= {200, 404}
    return "".join(b"".join(reponse).decode(errors="replace") for reponse in reponses)


def test_a_reorientation_after_the_caleol_shows_nothing_and_takes_nothing_away(client, cast):
    """ALS's candidate refuses; the dwelling goes to Cannes, which proposes its own: each reads its own."""
    liberee = liberation(cast.bailleur_a, LIBEREE)
    orienter(liberee, cast.als)
    des_als = attribuer(examiner(cast, liberee))
    rejete = examiner(cast, liberee, fin="7392", decision="IRRECEV")
    refuser(des_als)
    orienter(liberee, cast.commune_cannes, REFUS)

    assert (lus(cast, "charge_als", Attribution), lus(cast, "agent_cannes", Attribution)) == (
        {des_als.pk},
        set(),
    )
    assert lus(cast, "charge_als", Passage) == {des_als.passage_id, rejete.pk}
    assert lus(cast, "agent_cannes", Passage) == set()
    vu = pages(client, cast, "agent_cannes", liberee)
    assert liberee.reference in vu and TEMOIN not in vu and "7392" not in vu and "Loyer" not in vu
    assert TEMOIN in pages(client, cast, "charge_als", liberee)
    client.force_login(cast.charge_als)
    assert client.get(reverse("flux:liberation", args=[liberee.pk])).status_code == 404
    # The figures follow: until somebody is attributed the dwelling again, it counts for ALS.
    assert Imputation.objects.get().reservataire == cast.als

    de_cannes = attribuer(examiner(cast, liberee, ENSUITE, fin="8402"))
    assert lus(cast, "charge_als", Attribution) == {des_als.pk}
    assert lus(cast, "agent_cannes", Attribution) == {de_cannes.pk}
    assert Imputation.objects.get().reservataire == cast.commune_cannes
    assert "8402" not in pages(client, cast, "charge_als", liberee)
    vu = pages(client, cast, "agent_cannes", liberee)
    assert "8402" in vu and TEMOIN not in vu and "7392" not in vu


def test_a_failed_designation_closes_what_follows_and_leaves_what_was(client, cast):
    liberee = liberation(cast.bailleur_a, LIBEREE)
    orienter(liberee, cast.als)
    sienne = attribuer(examiner(cast, liberee))
    refuser(sienne)
    designations.constater_echec_designation(SYSTEME, liberee, date=date(ANNEE, 3, 27))
    liberee.refresh_from_db()
    du_bailleur = attribuer(examiner(cast, liberee, ENSUITE, fin="8402"))
    du_bailleur.refresh_from_db()
    assert du_bailleur.reservataire == cast.bailleur_a
    assert lus(cast, "charge_als", Attribution) == {sienne.pk}
    assert lus(cast, "charge_als", Passage) == {sienne.passage_id}
    assert Imputation.objects.get().reservataire == cast.bailleur_a
    vu = pages(client, cast, "charge_als", liberee)
    assert TEMOIN in vu and "8402" not in vu
    assert lus(cast, "gestionnaire_a", Attribution) == {sienne.pk, du_bailleur.pk}


def test_the_closing_settles_whose_the_decisions_are(client, cast):
    """Entered while the dwelling was ALS's, decided once it was Cannes's: the decision is of Cannes's contingent."""
    a = cast.acteur("gestionnaire_a")
    liberee = liberation(cast.bailleur_a, LIBEREE)
    orienter(liberee, cast.als)
    seance = commissions.planifier_commission(
        a, cast.bailleur_a, liberee.departement, date=CALEOL, heure=time(9), lieu="Siège"
    )
    [ligne] = commissions.inscrire_logements(a, seance, [liberee])
    commissions.motiver_candidatures(
        a, ligne, motif=CodeMotif.objects.filter(acte=CodeMotif.Acte.CANDIDATURES).first()
    )
    passage = commissions.ajouter_candidature(a, ligne, numero_unique="006112500000007391")
    assert lus(cast, "charge_als", Passage) == {passage.pk}
    orienter(liberee, cast.commune_cannes, date(ANNEE, 3, 10))
    assert lus(cast, "agent_cannes", Passage) == set(), "un brouillon d’avant n’est pas à elle"
    commissions.enregistrer_decisions(a, seance, [commissions.Saisie(passage.pk, "ATTR")])
    try:
        commissions.cloturer_commission(a, seance)
    except commissions.PointsAConfirmer as points:
        commissions.cloturer_commission(a, seance, points_confirmes=points.messages)
    assert lus(cast, "charge_als", Passage) == set()
    assert lus(cast, "agent_cannes", Passage) == {passage.pk}
    assert len(lus(cast, "agent_cannes", Attribution)) == 1
    assert Imputation.objects.get().reservataire == cast.commune_cannes
    assert TEMOIN not in pages(client, cast, "charge_als", liberee)


def test_who_was_proposed_by_another_is_not_examined_on_this_contingent(cast):
    """Taken off the agenda, and typed again by the bailleur if it is its own candidate: the closing tells Cannes nothing."""
    a, als = cast.acteur("gestionnaire_a"), cast.acteur("charge_als")
    numero = "006112500000007391"
    liberee = liberation(cast.bailleur_a, LIBEREE)
    orienter(liberee, cast.als)
    liberee.designations.update(gestion="DIRECTE")
    designations.proposer_candidat(
        als, liberee.designations.get(), numero_unique=numero, date=date(ANNEE, 3, 5)
    )
    seance = commissions.planifier_commission(
        a, cast.bailleur_a, liberee.departement, date=CALEOL, heure=time(9), lieu="Siège"
    )
    [ligne] = commissions.inscrire_logements(a, seance, [liberee])
    presente = Passage.objects.get()
    assert not any("proposée par" in phrase for _, phrase, _ in lire_seance(seance).erreurs)
    orienter(liberee, cast.commune_cannes, date(ANNEE, 3, 10))
    [phrase] = [phrase for _, phrase, _ in lire_seance(seance).erreurs if "proposée par" in phrase]
    assert "Action Logement Services" in phrase and "…7391" in phrase
    commissions.enregistrer_decisions(a, seance, [commissions.Saisie(presente.pk, "NON_ATTR")])
    with pytest.raises(ValidationError, match="proposée par"):
        commissions.cloturer_commission(a, seance)
    assert lus(cast, "agent_cannes", Passage) == set()
    commissions.enregistrer_decisions(a, seance, [commissions.Saisie(presente.pk, "")])
    presente.refresh_from_db()
    commissions.retirer_candidature(a, presente)
    commissions.ajouter_candidature(a, ligne, numero_unique=numero)
    assert not any("proposée par" in phrase for _, phrase, _ in lire_seance(seance).erreurs)


def test_a_dwelling_oriented_to_nobody_is_nobodys_for_good(client, cast):
    liberee = liberation(cast.bailleur_a, LIBEREE)
    faite = attribuer(examiner(cast, liberee))
    refuser(faite)
    orienter(liberee, cast.als, REFUS)
    faite.refresh_from_db()
    assert faite.reservataire is None
    assert lus(cast, "charge_als", Attribution) == lus(cast, "charge_als", Passage) == set()
    vu = pages(client, cast, "charge_als", liberee)
    assert liberee.reference in vu and TEMOIN not in vu


def test_the_column_is_filled_whatever_the_way_and_never_emptied(cast):
    liberee = liberation(cast.bailleur_a, LIBEREE, reservataire=cast.als)
    copie = Attribution(
        bailleur=cast.bailleur_a, departement_id="06", liberation=liberee, menage=menage(), date_caleol=CALEOL
    )
    copier_objets([copie])
    assert Attribution.objects.get(pk=copie.pk).reservataire == cast.als
    # The object in memory does not know it: saved again, it erases nothing.
    copie.reservataire = None
    copie.offre_le = REFUS
    copie.save()
    assert Attribution.objects.get(pk=copie.pk).reservataire == cast.als
    Attribution.objects.filter(pk=copie.pk).update(reservataire=None)
    assert Attribution.objects.get(pk=copie.pk).reservataire == cast.als


@pytest.mark.parametrize(("echec", "attendu"), [(CALEOL, "bailleur_a"), (date(ANNEE, 3, 21), "als")])
def test_a_designation_that_failed_by_the_day_of_the_caleol_is_the_bailleurs(cast, echec, attendu):
    """The boundary: failed that very day, the bailleur's; the day after, still the réservataire's."""
    liberee = liberation(cast.bailleur_a, LIBEREE, reservataire=cast.als, designation_echouee_le=echec)
    passage = examiner(cast, liberee)
    passage.refresh_from_db()
    assert passage.reservataire == getattr(cast, attendu)
