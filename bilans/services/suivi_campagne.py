"""Who owes what, and where it stands: the acts in force × the dates of their département × what was done."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from bilans.regles.campagne import (
    Echeance,
    NatureEcheance,
    Situation,
    campagnes_ouvertes,
    est_du,
    prochaine,
    situer,
)
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Convention, Departement, Organisation
from reservation.perimetre import agir
from reservation.regles.periodes import jour_a_paris

from .campagnes import departements_de, echeances_en_vigueur
from .faits_campagne import DEMANDES, FAITS, Cle, propositions_en_attente


@dataclass(frozen=True, slots=True)
class Obligation:
    """What one bailleur owes in one département, and where it stands.

    `de_qui`: the organisations from which an act is awaited. Of two that must agree, the one that proposed has done
    its part: it is neither reminded nor called late.
    """

    bailleur: Organisation
    departement: Departement
    situation: Situation
    de_qui: tuple[Organisation, ...] = ()

    @property
    def echeance(self) -> Echeance:
        return self.situation.echeance

    def attendue_de(self, organisation_id: int | None) -> bool:
        """Whether this organisation is to do something, now or later."""
        return not self.situation.faite and any(o.pk == organisation_id for o in self.de_qui)


def debiteurs(nature: NatureEcheance) -> frozenset[TypeOrganisation]:
    """Who is to do it: the bailleur, and for the share of ALS both of those that agree on it."""
    if nature == NatureEcheance.PART_ALS:
        return frozenset({TypeOrganisation.BAILLEUR, TypeOrganisation.ACTION_LOGEMENT})
    return frozenset({TypeOrganisation.BAILLEUR})


def obligations(
    acteur: Acteur,
    maintenant: datetime | None = None,
    annees: Collection[int] | None = None,
    departements: Collection[str] | None = None,
) -> list[Obligation]:
    """What is owed in the perimeter of `acteur`, by date then by bailleur; of the open campaigns unless told otherwise.

    Of ALS, what it owes itself; nothing of the other réservataires nor of the COPIL. A fixed number of queries.
    """
    maintenant = maintenant or timezone.now()
    annees = campagnes_ouvertes(jour_a_paris(maintenant)) if annees is None else annees
    if not (
        acteur.systeme
        or acteur.est_bailleur
        or acteur.est_service_etat
        or acteur.type_organisation == TypeOrganisation.ACTION_LOGEMENT
    ):
        return []
    actes = (
        Convention.objects.visibles_par(acteur)
        .exclude(etat=Convention.Etat.BROUILLON)
        .filter(bailleur__fermee_le=None)
        .select_related("bailleur", "departement", "reservataire")
        .order_by("departement", "bailleur__nom_tri", "pk")
    )
    if departements is not None:
        actes = actes.filter(departement__in=departements)
    actes = list(actes)
    return _situer(acteur, actes, maintenant, annees)


@agir(Acteur.du_systeme("faits d’une campagne"), lecture_seule=True)
def _situer(
    acteur: Acteur, actes: list[Convention], maintenant: datetime, annees: Collection[int]
) -> list[Obligation]:
    """The right of `acteur` was exercised on `actes`; whether a thing was done is said as a date, nothing more."""
    dates = echeances_en_vigueur({a.departement_id: a.departement for a in actes}.values(), annees)
    bailleurs = {a.bailleur_id for a in actes}
    faits = {nature: lire(bailleurs, annees) for nature, lire in FAITS.items()} if actes else {}
    demandes = {nature: lire(bailleurs, annees) for nature, lire in DEMANDES.items()} if actes else {}
    proposants = propositions_en_attente(bailleurs, annees) if actes else {}
    dues: dict[tuple[int, str, int, NatureEcheance], Obligation] = {}
    for acte in actes:
        for annee in annees:
            for echeance in dates[acte.departement_id, annee]:
                cle = (acte.bailleur_id, acte.departement_id, annee)
                if (
                    echeance.nature not in faits
                    or (*cle, echeance.nature) in dues
                    or not _concerne(acteur, acte, echeance)
                    or not _demandee(echeance, cle, demandes, maintenant)
                ):
                    continue
                dues[*cle, echeance.nature] = Obligation(
                    acte.bailleur,
                    acte.departement,
                    situer(echeance, faits[echeance.nature].get(cle), maintenant),
                    _de_qui(acte, echeance.nature, proposants.get(cle)),
                )
    return sorted(
        dues.values(), key=lambda o: (o.echeance.due, o.echeance.nature, o.departement.pk, o.bailleur.nom_tri)
    )


def _demandee(
    echeance: Echeance,
    cle: Cle,
    demandes: Mapping[NatureEcheance, Mapping[Cle, datetime]],
    maintenant: datetime,
) -> bool:
    """Whether it is owed by this bailleur: what is owed on demand was asked, no later than its date."""
    if echeance.nature not in demandes:
        return True
    demandee_le = demandes[echeance.nature].get(cle)
    return demandee_le is not None and demandee_le <= maintenant and jour_a_paris(demandee_le) <= echeance.due


def _de_qui(acte: Convention, nature: NatureEcheance, proposant: int | None) -> tuple[Organisation, ...]:
    if nature != NatureEcheance.PART_ALS:
        return (acte.bailleur,)
    return tuple(o for o in (acte.bailleur, acte.reservataire) if o.pk != proposant)


def _concerne(acteur: Acteur, acte: Convention, echeance: Echeance) -> bool:
    """Whether this act makes its bailleur owe this date, and `acteur` is told of it."""
    if acteur.est_reservataire and acteur.type_organisation not in debiteurs(echeance.nature):
        return False
    if (
        echeance.nature == NatureEcheance.PART_ALS
        and acte.reservataire.type != TypeOrganisation.ACTION_LOGEMENT
    ):
        return False
    return est_du(echeance, acte.debut, acte.fin, acte.signee_le or acte.debut)


def prochain_bilan(acteur: Acteur, jour: date) -> Echeance | None:
    """The next due date of a bilan in the départements of `acteur`; None where they do not all have the same."""
    departements = departements_de(acteur)
    annees = (jour.year, jour.year + 1)
    dates = echeances_en_vigueur(departements, annees)
    prochaines = {
        prochaine([e for an in annees for e in dates[d.pk, an] if e.nature == NatureEcheance.BILAN], jour)
        for d in departements
    }
    return prochaines.pop() if len(prochaines) == 1 else None


def prochaine_date(
    acteur: Acteur, jour: date, dues: Iterable[Obligation] = ()
) -> tuple[Echeance, str] | None:
    """The next date of the départements of `acteur`, and where it applies when not everywhere the same.

    `dues`: what is owed in its perimeter. A date that everybody has met there is not announced any more.
    """
    faites: dict[tuple[str, int, NatureEcheance], bool] = {}
    for o in dues:
        cle = (o.departement.pk, o.echeance.annee, o.echeance.nature)
        faites[cle] = faites.get(cle, True) and o.situation.faite
    departements = departements_de(acteur)
    annees = campagnes_ouvertes(jour)
    dates = echeances_en_vigueur(departements, annees)
    par_departement = {
        d: premiere
        for d in departements
        if (
            premiere := prochaine(
                [
                    e
                    for annee in annees
                    for e in dates[d.pk, annee]
                    if not faites.get((d.pk, annee, e.nature))
                ],
                jour,
            )
        )
    }
    if not par_departement:
        return None
    premiere = min(par_departement.values(), key=lambda e: (e.due, e.nature))
    lieux = [str(d) for d, echeance in par_departement.items() if echeance == premiere]
    return premiere, "" if len(lieux) == len(departements) else ", ".join(lieux)
