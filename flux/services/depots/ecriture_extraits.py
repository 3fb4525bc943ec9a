"""Writes the accepted lines of an extract: one COPY, and the lines of older extracts that it makes out of date."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.utils import timezone

from flux.models import Depot, EvenementExterne, LigneDepot
from publics.services.labels_en_lot import LabelDit, labelliser_en_lot, proposer_en_lot
from publics.services.menages import Empreintes, retrouver_menages
from reservation.acteur import Acteur, TypeOrganisation
from reservation.copie import copier_objets
from reservation.perimetre import agir

from .plans import LigneEtudiee

Nature = EvenementExterne.Nature
_LOT = 10_000


@dataclass
class ExtraitEcrit:
    """What an extract made: its events, the older lines out of date, the labels granted or proposed."""

    evenements: int = 0
    perimes: int = 0
    labels: int = 0


@agir(Acteur.du_systeme("écriture d’un extrait"))
def ecrire_extrait(
    depot: Depot,
    reglees: Sequence[LigneEtudiee],
    toutes: Sequence[LigneEtudiee],
    suivre: Callable[[str, int], None],
) -> ExtraitEcrit:
    """Write the events of `reglees`, among `toutes` that were studied.

    A newer extract of the same source by the same organisation replaces the older ones on the days that it covers, in
    each département, labels apart: what it no longer says is no longer so. A household of which a line of this
    deposit still waits keeps what was said of it until then.
    """
    suivre("Événements", 10)
    ecrites = [ligne for ligne in reglees if ligne.a_ecrire and ligne.evenement]
    copier_objets(
        [
            EvenementExterne(
                depot_id=depot.pk,
                organisation_id=depot.organisation_id,
                source=depot.sujet,
                ligne=ligne.ligne,
                **ligne.evenement,
            )
            for ligne in ecrites
        ]
    )
    suivre("Labels", 40)
    labels = _ecrire_labels(depot, reglees)
    suivre("Extraits précédents", 60)
    perimes = _perimer(depot, reglees, toutes)
    suivre("Lignes du dépôt", 85)
    maintenant = timezone.now()
    numeros = sorted(ligne.ligne for ligne in reglees)
    for debut in range(0, len(numeros), _LOT):
        LigneDepot.objects.filter(depot=depot, ligne__in=numeros[debut : debut + _LOT]).update(
            appliquee_le=maintenant
        )
    return ExtraitEcrit(len(ecrites), perimes, labels)


def _ecrire_labels(depot: Depot, reglees: Sequence[LigneEtudiee]) -> int:
    """Labels of these lines whose ground is known: granted for the DDETS that hands them in, proposed for the others."""
    dits = [
        ligne
        for ligne in reglees
        if ligne.evenement and ligne.evenement["label_categorie_id"] and ligne.evenement["label_debut"]
    ]
    if not dits:
        return 0
    menages = retrouver_menages(
        (Empreintes(ligne.numero["formes"], ligne.numero["fin"]), ligne.evenement["departement_id"])
        for ligne in dits
    )
    labels = [
        LabelDit(
            menages[next(iter(ligne.numero["formes"]))],
            ligne.evenement["departement_id"],
            ligne.evenement["label_categorie_id"],
            ligne.evenement["label_debut"],
            ligne.evenement["label_fin"],
            ligne.evenement["label_manuel"],
        )
        for ligne in dits
    ]
    if depot.organisation.type == TypeOrganisation.DDETS:
        return labelliser_en_lot(depot.organisation_id, depot.sujet, labels)
    return proposer_en_lot(depot.organisation_id, depot.confirme_par_id, labels)


def _perimer(depot: Depot, reglees: Sequence[LigneEtudiee], toutes: Sequence[LigneEtudiee]) -> int:
    anciens = (
        EvenementExterne.objects.en_vigueur()
        .filter(organisation=depot.organisation_id, source=depot.sujet)
        .exclude(depot=depot)
    )
    remplaces = [ligne.connu for ligne in reglees if ligne.a_ecrire and ligne.connu]
    perimes = 0
    for debut in range(0, len(remplaces), _LOT):
        perimes += anciens.filter(pk__in=remplaces[debut : debut + _LOT]).update(perime_par=depot)
    periodes: dict[tuple[str, bool], tuple[date, date]] = {}
    for ligne in reglees:
        if evenement := ligne.evenement:
            cle = (evenement["departement_id"], evenement["nature"] == Nature.LABEL)
            jour = evenement["jour"]
            debut, fin = periodes.get(cle, (jour, jour))
            periodes[cle] = (min(debut, jour), max(fin, jour))
    identiques = {ligne.connu for ligne in reglees if not ligne.a_ecrire and ligne.connu}
    regles = {id(ligne) for ligne in reglees}
    attendus = {
        forme for ligne in toutes if id(ligne) not in regles for forme in ligne.numero.get("formes", ())
    }
    for (departement, label), (premier, dernier) in periodes.items():
        nature = Q(nature=Nature.LABEL) if label else ~Q(nature=Nature.LABEL)
        candidats = anciens.filter(nature, departement=departement, jour__range=(premier, dernier))
        lignes = candidats.order_by().values_list("pk", "numero_hache").iterator(5_000)
        a_perimer = [pk for pk, hache in lignes if pk not in identiques and hache not in attendus]
        for debut in range(0, len(a_perimer), _LOT):
            perimes += anciens.filter(pk__in=a_perimer[debut : debut + _LOT]).update(perime_par=depot)
    faits = [bornes for (_, label), bornes in periodes.items() if not label] or list(periodes.values())
    if faits:
        depot.periode_debut = min(filter(None, (depot.periode_debut, *(debut for debut, _ in faits))))
        depot.periode_fin = max(filter(None, (depot.periode_fin, *(fin for _, fin in faits))))
    return perimes
