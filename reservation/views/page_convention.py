"""What the page of a convention shows: the act as it reads on a day, its figures, its life, its neighbours."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from reservation import frise
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Commune, Convention, Derogation, EvenementConvention, VersionConvention
from reservation.regles import actes as regles
from reservation.regles.periodes import UN_JOUR, Periode
from reservation.regles.typographie import date_fr
from reservation.services.conventions import lire_actes
from reservation.services.lecture_conventions import (
    Article,
    Difference,
    differences,
    nom_reservataire,
    points_fr,
    rediger,
    restant_retrocession,
)
from reservation.services.modeles_convention import modeles

MOIS_DE_PREAVIS = (3, 6)  # reminders before the end (domain, chapter 10)


@dataclass(frozen=True, slots=True)
class VersionLue:
    """A version with the period over which it is in force, and what it changes from the one before."""

    version: VersionConvention
    periode: Periode | None
    differences: list[Difference]

    @property
    def nom(self) -> str:
        return f"Avenant {self.version.rang}" if self.version.rang else "Texte initial"


@dataclass(frozen=True, slots=True)
class PartDuFlux:
    """One line of the split of the flux of a bailleur in a département on a day."""

    reservataire: str
    points: Decimal
    lieu: str
    convention_id: int | None
    ici: bool = False


@dataclass(frozen=True, slots=True)
class Reste:
    """What is left to the bailleur, in points: where no collectivité reserves, and where it has least."""

    departement: Decimal
    minimum: Decimal
    commune: str


def statut(convention: Convention, jour: date) -> tuple[str, str]:
    """(words, look of the badge) of an act on a day."""
    if convention.etat == Convention.Etat.BROUILLON:
        return "brouillon", "new"
    if jour < convention.debut:
        return "à venir", "info"
    if jour <= convention.fin:
        if convention.etat == Convention.Etat.RESILIEE:
            return f"résiliée, effet au {date_fr(convention.fin + UN_JOUR)}", "warning"
        return "en vigueur", "success"
    return ("résiliée", "error") if convention.etat == Convention.Etat.RESILIEE else ("échue", "")


def mois_avant_la_fin(convention: Convention, jour: date) -> int | None:
    """3 or 6 when the act ends within that many months and nothing else is said of it: time to renew."""
    if convention.etat != Convention.Etat.SIGNEE or not convention.debut <= jour <= convention.fin:
        return None
    restant = (convention.fin.year - jour.year) * 12 + convention.fin.month - jour.month
    return next((mois for mois in MOIS_DE_PREAVIS if restant < mois), None)


def decimal_exact(valeur: Fraction) -> Decimal:
    """A rate is a decimal number: nothing is lost."""
    return Decimal(valeur.numerator) / Decimal(valeur.denominator)


class PageConvention:
    """Everything the template asks for; a fixed number of queries. `rang`: version asked for, else the day's."""

    def __init__(self, convention: Convention, acteur: Acteur, jour: date, rang: int | None = None) -> None:
        self.convention = convention
        self.acteur = acteur
        self.jour = jour
        self.etat = convention.reservataire.type == TypeOrganisation.DDETS
        self.statut, self.badge = statut(convention, jour)
        toutes = list(
            VersionConvention.objects.visibles_par(acteur)
            .filter(convention=convention)
            .select_related("reservataire")
            .prefetch_related("communes")
            .order_by("rang")
        )
        for version in toutes:
            version.convention = convention
        self.projet = next((v for v in toutes if v.rang and not v.signee_le), None)
        self._signees = [v for v in toutes if v is not self.projet]
        self.derogations = list(Derogation.objects.visibles_par(acteur).filter(convention=convention))
        self.version = next((v for v in self._signees if v.rang == rang), None) or self.du_jour

    @property
    def jour_lu(self) -> date:
        """Today while the act runs, else its nearest end."""
        return max(self.convention.debut, min(self.jour, self.convention.fin))

    @property
    def du_jour(self) -> VersionConvention:
        """The version in force on the day read."""
        passees = [v for v in self._signees if v.effet <= self.jour_lu]
        return passees[-1] if passees else self._signees[0]

    @property
    def reservataire(self) -> str:
        return nom_reservataire(self.convention.reservataire)

    @property
    def modele(self):
        return modeles()[self.convention.modele]

    @cached_property
    def articles(self) -> list[Article]:
        anterieures = [v for v in self._signees if v.rang < self.version.rang]
        lue = next(lue for lue in self.versions if lue.version is self.version)
        derogations = [
            d for d in self.derogations if lue.periode and lue.periode.commune_avec(Periode(d.debut, d.fin))
        ]
        return rediger(self.convention, self.version, anterieures, derogations)

    @cached_property
    def versions(self) -> list[VersionLue]:
        lues = []
        for rang, version in enumerate(self._signees):
            fin = self.convention.fin
            if rang + 1 < len(self._signees):
                fin = min(fin, self._signees[rang + 1].effet - UN_JOUR)
            periode = Periode(version.effet, fin) if version.effet <= fin else None
            ecarts = differences(self._signees[rang - 1], version) if rang else []
            lues.append(VersionLue(version, periode, ecarts))
        return lues

    @cached_property
    def differences_du_projet(self) -> list[Difference]:
        return differences(self._signees[-1], self.projet) if self.projet else []

    @cached_property
    def actes_du_jour(self) -> list:
        """Acts of the bailleur in the département on the day read; those that the actor may know of."""
        c = self.convention
        paire = (c.bailleur_id, c.departement_id)
        projet = self._signees[0].pk if c.etat == Convention.Etat.BROUILLON else None
        lus = lire_actes(Periode(self.jour_lu, self.jour_lu), [paire], projet=projet).get(paire, [])
        if self.acteur.est_reservataire:
            return [lu for lu in lus if lu.convention_id == c.pk]
        return lus

    @cached_property
    def acte(self) -> regles.Acte | None:
        """This act on the day read, for the rules."""
        return next((lu.acte for lu in self.actes_du_jour if lu.convention_id == self.convention.pk), None)

    @cached_property
    def taux(self) -> dict[str, Decimal]:
        """Points on the day read: gross, given back, net, agents."""
        if self.acte is None:
            return {}
        jour = self.jour_lu
        return {
            "brut": decimal_exact(regles.taux_brut(self.acte, jour)),
            "retrocede": decimal_exact(regles.taux_retrocede(self.acte, jour)),
            "net": decimal_exact(regles.taux_net(self.acte, jour)),
            "agents": decimal_exact(regles.taux_des_agents(self.acte, jour)),
        }

    @cached_property
    def partage(self) -> list[PartDuFlux]:
        """Who has what of this bailleur's flux on the day read; empty for a réservataire, who knows its own."""
        if self.acteur.est_reservataire:
            return []
        noms = {ligne.pk: ligne for ligne in self._conventions_du_jour}
        parts = []
        for lu in self.actes_du_jour:
            convention = noms[lu.convention_id]
            for droit in regles.droits(lu.acte, self.jour_lu):
                retrocede = droit.reservataire != lu.acte.reservataire
                parts.append(
                    PartDuFlux(
                        "Action Logement Services, par rétrocession"
                        if retrocede
                        else nom_reservataire(convention.reservataire),
                        decimal_exact(droit.points),
                        self._lieu(droit.communes),
                        lu.convention_id,
                        lu.convention_id == self.convention.pk,
                    )
                )
        return parts

    @cached_property
    def _communes(self) -> dict[str, str]:
        """Names of the communes on which an act of the day bears."""
        codes = set().union(*(lu.acte.communes or () for lu in self.actes_du_jour))
        return dict(Commune.objects.filter(pk__in=codes).values_list("pk", "nom"))

    def _lieu(self, communes: frozenset[str] | None) -> str:
        if communes is None:
            return "tout le département"
        if len(communes) > 1:
            return f"{len(communes)}\u00a0communes"
        return self._communes[next(iter(communes))]

    @cached_property
    def _conventions_du_jour(self) -> list[Convention]:
        return list(
            Convention.objects.filter(pk__in={lu.convention_id for lu in self.actes_du_jour}).select_related(
                "reservataire"
            )
        )

    @cached_property
    def reste(self) -> Reste:
        """The bailleur's rest, where no collectivité reserves and on the commune where it is smallest."""
        actes = [lu.acte for lu in self.actes_du_jour]
        departement = decimal_exact(regles.points(actes, regles.BAILLEUR, self.jour_lu, None))
        par_commune = [
            (regles.points(actes, regles.BAILLEUR, self.jour_lu, c), c) for c in sorted(self._communes)
        ]
        if not par_commune:
            return Reste(departement, departement, "")
        minimum, commune = min(par_commune)
        return Reste(departement, decimal_exact(minimum), self._communes[commune])

    @property
    def restant_retrocession(self) -> tuple[int, int] | None:
        return restant_retrocession(self.version, self.jour)

    @property
    def a_renouveler(self) -> int | None:
        return mois_avant_la_fin(self.convention, self.jour)

    @cached_property
    def evenements(self) -> list[EvenementConvention]:
        return list(
            EvenementConvention.objects.visibles_par(self.acteur)
            .filter(convention=self.convention)
            .select_related("par", "organisation")
        )

    @cached_property
    def frise(self) -> frise.Frise:
        """The periods of the act on one axis."""
        c, v = self.convention, self.version
        nom = "Arrêté" if c.nature == Convention.Nature.ARRETE else "Convention"
        barres = [
            frise.Barre(
                lue.periode,
                f"{lue.nom} : {points_fr(lue.version.taux)}, du {date_fr(lue.periode.debut)} au "
                f"{date_fr(lue.periode.fin)}",
                "plein" if rang % 2 == 0 else "alterne",
            )
            for rang, lue in enumerate(self.versions)
            if lue.periode
        ]
        if c.fin_convenue:
            perdu = Periode(c.fin + UN_JOUR, c.fin_convenue)
            barres.append(
                frise.Barre(perdu, f"Résiliée : jusqu’au {date_fr(c.fin_convenue)} à l’origine", "vide")
            )
        lignes = [frise.Ligne(nom, barres)]
        if self.derogations:
            lignes.append(
                frise.Ligne(
                    "Dérogations",
                    [
                        frise.Barre(
                            Periode(d.debut, d.fin), f"Arrêté {d.numero} : {points_fr(d.taux)}", "derogation"
                        )
                        for d in self.derogations
                    ],
                )
            )
        if v.retrocession_taux is not None:
            horloge = Periode(v.retrocession_debut, v.retrocession_fin)
            texte = f"Rétrocession : {points_fr(v.retrocession_taux)} à Action Logement Services"
            lignes.append(frise.Ligne("Rétrocession", [frise.Barre(horloge, texte, "retrocession")]))
        return frise.dessiner(lignes, self.jour)
