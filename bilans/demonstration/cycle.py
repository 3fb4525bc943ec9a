"""Bilans of past years, told by the services as people live them: validated, sent back, with a demand, only submitted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from time import monotonic, sleep

from django.db import transaction
from django.utils import timezone

from bilans.models import Bilan, EtapeBilan
from bilans.regles.cycle import ActeBilan
from bilans.services import cycle, points
from bilans.services.documents import produire_document
from flux.models import CalculAFaire, Nature
from flux.services import assiettes
from flux.services.calculs import calculer
from flux.services.file_de_calcul import marquer_a_calculer, traiter
from reservation.acteur import Acteur, Role, TypeOrganisation
from reservation.demonstration import BAILLEUR_PRINCIPAL
from reservation.models import Courriel, Organisation, Presence, Rattachement, Utilisateur
from reservation.regles.periodes import PARIS

from .scenario import AUJOURDHUI

PATIENCE = 60  # seconds
DEMANDE = (
    "Le quart dû aux publics prioritaires n’est pas atteint sur un contingent : dites ce qui l’explique."
)
RENVOI = (
    "Les soustractions ne sont pas expliquées dans l’appréciation : reprenez-la, puis soumettez de nouveau."
)
APPRECIATION = (
    "Les libérations ont été plus tardives que prévu : une partie des logements du dernier trimestre n’est attribuée "
    "qu’en janvier. Les candidats proposés correspondaient à la typologie des logements dans la plupart des cas."
)


@dataclass(frozen=True)
class Vie:
    """One bilan: `soumis`, then one act on a later day (None: nothing more)."""

    bailleur: str
    departement: str
    annee: int
    soumis: date
    suite: ActeBilan | None = None
    le: date | None = None


VIES = (
    Vie(BAILLEUR_PRINCIPAL, "06", 2024, date(2025, 2, 20), ActeBilan.VALIDER, date(2025, 4, 10)),
    Vie(BAILLEUR_PRINCIPAL, "06", 2025, date(2026, 2, 24), ActeBilan.DEMANDER, date(2026, 3, 12)),
    Vie("littoral", "06", 2025, date(2026, 3, 9), ActeBilan.RENVOYER, date(2026, 3, 30)),
    Vie("toit", "06", 2025, date(2026, 2, 27)),
    Vie("armor", "22", 2025, date(2026, 2, 12), ActeBilan.VALIDER, date(2026, 3, 26)),
)


def raconter_les_bilans(organisations: Mapping[str, Organisation], annees: tuple[int, ...]) -> int:
    """Live `VIES` for the years that are loaded; returns how many bilans. What is there already is left alone."""
    if EtapeBilan.objects.filter(bailleur__fictive=True).exists():
        return 0
    faites = 0
    for vie in VIES:
        bailleur = organisations.get(vie.bailleur)
        if (
            bailleur is None
            or vie.annee not in annees
            or not Presence.objects.filter(bailleur=bailleur, departement=vie.departement).exists()
        ):
            continue
        calculer_les_lignes(bailleur, vie.departement, vie.annee)
        _vivre(vie, bailleur, organisations[f"ddets-{vie.departement}"])
        faites += 1
    _point(organisations)
    Courriel.objects.filter(gabarit__in=["bilan_acte", "assiette_proposee", "assiette_convenue"]).update(
        etat=Courriel.Etat.ENVOYE, envoye_le=timezone.now(), essais=1
    )
    return faites


@transaction.atomic
def _vivre(vie: Vie, bailleur: Organisation, ddets: Organisation) -> None:
    etat = _agent(ddets, vie.departement)
    signataire = _agent(bailleur, vie.departement)
    bilan, _ = Bilan.objects.get_or_create(bailleur=bailleur, departement_id=vie.departement, annee=vie.annee)
    bilan.appreciation = APPRECIATION
    bilan.save(update_fields=["appreciation"])
    document = produire_document(signataire, bilan).document
    cycle.soumettre(signataire, bilan, document.empreinte_donnees, le=_moment(vie.soumis))
    le = _moment(vie.le) if vie.le else None
    match vie.suite:
        case ActeBilan.DEMANDER:
            cycle.demander(etat, bilan, "QUARTS", DEMANDE, le=le)
        case ActeBilan.RENVOYER:
            cycle.renvoyer(etat, bilan, RENVOI, le=le)
        case ActeBilan.VALIDER:
            cycle.valider(etat, bilan, le=le)
            suivante = vie.annee + 1
            if assiettes.assiette_calculee(bailleur.pk, vie.departement, suivante) is None:
                calculer(bailleur.pk, vie.departement, suivante, Nature.PREVISIONNEL, "assiette à convenir")
            if assiettes.assiette_calculee(bailleur.pk, vie.departement, suivante) is not None:
                proposee = assiettes.proposer_assiette(signataire, bailleur, vie.departement, suivante)
                assiettes.accepter_assiette(etat, proposee)


def _point(organisations: Mapping[str, Organisation]) -> None:
    """The point d'étape of the running year, by the main bailleur: late, as of the last day that the lines tell of.

    The figures of an earlier day cannot be told: the lines are those of today.
    """
    departement, annee = "06", AUJOURDHUI.year
    bailleur = organisations[BAILLEUR_PRINCIPAL]
    if not Presence.objects.filter(bailleur=bailleur, departement=departement).exists():
        return
    auteur = _agent(bailleur, departement)
    calculer_les_lignes(bailleur, departement, annee)
    bilan, _ = Bilan.objects.get_or_create(bailleur=bailleur, departement_id=departement, annee=annee)
    document = produire_document(auteur, bilan, AUJOURDHUI).document
    points.transmettre_point(auteur, bilan, document.empreinte_donnees, le=_moment(AUJOURDHUI))


def calculer_les_lignes(bailleur: Organisation, departement: str, annee: int) -> None:
    """What the worker would do: statuses, imputations, flux. Another one may be at it: wait until nothing is left."""
    marquer_a_calculer(
        [(bailleur.pk, departement)], [annee], "bilan de démonstration", imputer=True, appeler=False
    )
    attend = CalculAFaire.objects.filter(bailleur=bailleur, departement=departement, annee=annee, erreur="")
    terme = monotonic() + PATIENCE
    traiter(departement, annee)
    while attend.exists() and monotonic() < terme:
        sleep(0.2)
        traiter(departement, annee)


def _moment(jour: date) -> datetime:
    return datetime.combine(jour, time(10, 30), PARIS)


def _agent(organisation: Organisation, departement: str) -> Acteur:
    """Somebody who signs for it: an account of the demonstration, else a person without password."""
    siens = Rattachement.objects.filter(organisation=organisation, fin=None).exclude(role=Role.LECTURE)
    personne = Utilisateur.objects.filter(
        pk__in=siens.filter(role=Role.SIGNATURE).values("utilisateur")
    ).first()
    personne = personne or Utilisateur.objects.filter(pk__in=siens.values("utilisateur")).first()
    if personne is None:
        personne = Utilisateur.objects.create_user(
            f"direction.{organisation.pk}@demo.example", nom="Direction générale"
        )
        Rattachement.objects.create(
            utilisateur=personne, organisation=organisation, role=Role.SIGNATURE, debut=date(2023, 1, 1)
        )
    return Acteur(
        utilisateur_id=personne.pk,
        organisation_id=organisation.pk,
        type_organisation=TypeOrganisation(organisation.type),
        roles=frozenset({Role.SIGNATURE}),
        departements=(departement,),
    )
