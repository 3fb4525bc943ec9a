"""What the note for a council says: the rights, this year and the last one, as the reader's own home page says them."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from bilans.services.contingents import Contingent, lire_contingent
from bilans.services.indicateurs import Demande
from reservation.acteur import Acteur
from reservation.models import Convention, Organisation, VersionConvention
from reservation.perimetre import agir
from reservation.regles.periodes import PARIS


@dataclass(frozen=True)
class DroitLu:
    """An act of the year: `points` of the flux of the territory; `clause_quart`: where it writes the quarter, "" if nowhere."""

    bailleur: str
    departement: str
    numero: str
    points: str
    debut: date
    fin: date
    gestion_deleguee: bool
    clause_quart: str


@dataclass(frozen=True)
class NoteConseil:
    """`territoire`: communes, by name; empty for rights that bear on a whole département. `fictif`: data of a demonstration."""

    organisation: Organisation
    annee: int
    jour: date
    territoire: tuple[str, ...]
    droits: tuple[DroitLu, ...]
    cette_annee: Contingent
    avant: Contingent
    fictif: bool

    @property
    def empreinte(self) -> str:
        """SHA-256 of every figure of the note."""
        figures = [
            self.organisation.pk,
            self.annee,
            self.jour.isoformat(),
            [[str(x) for x in vars(droit).values()] for droit in self.droits],
            [_figures(contingent) for contingent in (self.cette_annee, self.avant)],
        ]
        return hashlib.sha256(json.dumps(figures, ensure_ascii=False).encode()).hexdigest()


def _figures(lu: Contingent) -> list:
    return [
        [
            x.departement,
            x.bailleur.nom,
            str(x.libere),
            str(x.part),
            x.objectif,
            x.realise,
            *(c.nombre for c in (x.orientes, x.attributions, x.baux, x.prioritaires, x.refus_menages)),
            x.recu.numero if x.recu else "",
        ]
        for x in lu.lignes
    ]


@agir(Acteur.du_systeme("note pour un conseil"))
def lire_note(acteur: Acteur, annee: int, jour: date | None = None) -> NoteConseil | None:
    """The note of the organisation that `acteur` acts for: a collectivité or an other réservataire; None for anybody else."""
    if not acteur.est_reservataire or acteur.est_action_logement:
        return None
    organisation = Organisation.objects.get(pk=acteur.organisation_id)
    jour = jour or timezone.localtime(timezone=PARIS).date()
    cette_annee, avant = (lire_contingent(acteur, Demande(an), jour) for an in (annee, annee - 1))
    actes = (
        VersionConvention.objects.visibles_par(acteur)
        .filter(
            reservataire=organisation,
            signee_le__isnull=False,
            convention__debut__lte=date(annee, 12, 31),
            convention__fin__gte=date(annee, 1, 1),
            effet__lte=date(annee, 12, 31),
        )
        .exclude(convention__etat=Convention.Etat.BROUILLON)
        .select_related("convention", "bailleur")
        .order_by("departement_id", "bailleur__nom_tri", "convention_id", "effet")
    )
    # Of each act, the last version of the year: its amendment, when it has one.
    derniers = {version.convention_id: version for version in actes}
    return NoteConseil(
        organisation=organisation,
        annee=annee,
        jour=jour,
        territoire=tuple(organisation.communes.order_by("nom_tri").values_list("nom", flat=True)),
        droits=tuple(
            DroitLu(
                bailleur=v.bailleur.nom,
                departement=v.departement_id,
                numero=v.convention.numero,
                points=str(v.taux),
                debut=v.convention.debut,
                fin=v.convention.fin,
                gestion_deleguee=v.gestion == VersionConvention.Gestion.DELEGUEE,
                clause_quart=v.clause_quart,
            )
            for v in derniers.values()
        ),
        cette_annee=cette_annee,
        avant=avant,
        fictif=any(ligne.bailleur.fictive for ligne in (*cette_annee.lignes, *avant.lignes)),
    )
