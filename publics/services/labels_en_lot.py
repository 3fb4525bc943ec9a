"""Labels that an extract of another tool tells, many at once: granted when the DDETS hands it in, proposed by its partners.

The rules are those of `services.labels`, asked of thousands of households with a few queries. What the tool says is
already decided there: a label keeps the day from which SYPLO, Imhoweb or the SNE has it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from publics.models import CategorieLabel, Labellisation, PropositionLabel
from publics.regles.groupes import se_chevauchent
from publics.signaux import labels_modifies
from reservation.acteur import Acteur
from reservation.perimetre import agir

from .reglages import reglage_le

LOT = 5_000


@dataclass(frozen=True, slots=True)
class LabelDit:
    """One label as an extract says it. `menage`: primary key; `categorie`: code; `fin` included, or none."""

    menage: int
    departement: str
    categorie: str
    debut: date
    fin: date | None = None
    manuelle: bool = True


@agir(Acteur.du_systeme("labels d’un extrait"))
def labelliser_en_lot(organisation_id: int, source: str, labels: Sequence[LabelDit]) -> int:
    """Record the labels that these households do not have yet on those days; return how many.

    `organisation_id`: the DDETS, whose member agreed to the deposit. A ground that was not in force that day, or a label
    that overlaps one of the same kind, is left: the one recorded here stands. Inside the caller's transaction.
    """
    categories = CategorieLabel.objects.in_bulk()
    periodes: dict[tuple, list[tuple[date, date | None]]] = defaultdict(list)
    for menage, categorie, departement, manuelle, debut, fin in _labels_de({x.menage for x in labels}):
        periodes[menage, categorie, departement, manuelle].append((debut, fin))
    nouveaux = []
    for dit in labels:
        categorie = categories[dit.categorie]
        if (categorie.debut and dit.debut < categorie.debut) or (categorie.fin and categorie.fin < dit.debut):
            continue
        siennes = periodes[dit.menage, dit.categorie, dit.departement, dit.manuelle]
        if any(se_chevauchent(dit.debut, dit.fin, debut, fin) for debut, fin in siennes):
            continue
        siennes.append((dit.debut, dit.fin))
        nouveaux.append(
            Labellisation(
                menage_id=dit.menage,
                departement_id=dit.departement,
                categorie_id=dit.categorie,
                manuelle=dit.manuelle,
                debut=dit.debut,
                fin=dit.fin,
                saisie_par_id=organisation_id,
                source=source,
                decidee_par_id=organisation_id if dit.manuelle else None,
                decidee_le=dit.debut if dit.manuelle else None,
            )
        )
    Labellisation.objects.bulk_create(nouveaux, batch_size=LOT)
    if nouveaux:
        labels_modifies.send(
            sender=Labellisation,
            menages={label.menage_id for label in nouveaux},
            raison="labels d’un extrait",
        )
    return len(nouveaux)


@agir(Acteur.du_systeme("labels d’un extrait"))
def proposer_en_lot(
    organisation_id: int, auteur_id: int | None, labels: Sequence[LabelDit], jour: date | None = None
) -> int:
    """Propose to the DDETS the labels that these households do not have, once each; return how many.

    Manual ones only: an automatic label comes from the instruction, nobody decides it.
    """
    jour = jour or timezone.localdate()
    menages = {dit.menage for dit in labels if dit.manuelle}
    acquis = {
        (menage, categorie)
        for menage, categorie, _, _, debut, fin in _labels_de(menages)
        if debut <= jour and (fin is None or fin >= jour)
    }
    for lot in _lots(menages):
        acquis |= set(
            PropositionLabel.objects.filter(
                menage__in=lot, saisie_par=organisation_id, etat=PropositionLabel.Etat.PROPOSEE
            ).values_list("menage", "categorie")
        )
    delais: dict[str, int] = {}
    nouvelles = []
    for dit in labels:
        if not dit.manuelle or (dit.menage, dit.categorie) in acquis or (dit.fin and dit.fin < jour):
            continue
        acquis.add((dit.menage, dit.categorie))
        if dit.departement not in delais:
            delais[dit.departement] = reglage_le(dit.departement, jour).delai_jours
        nouvelles.append(
            PropositionLabel(
                menage_id=dit.menage,
                departement_id=dit.departement,
                categorie_id=dit.categorie,
                saisie_par_id=organisation_id,
                saisie_le=jour,
                auteur_id=auteur_id,
                echeance=jour + timedelta(days=delais[dit.departement]),
            )
        )
    PropositionLabel.objects.bulk_create(nouvelles, batch_size=LOT)
    return len(nouvelles)


def _lots(menages: set[int]):
    tries = sorted(menages)
    return (tries[debut : debut + LOT] for debut in range(0, len(tries), LOT))


def _labels_de(menages: set[int]):
    for lot in _lots(menages):
        yield from (
            Labellisation.objects.filter(menage__in=lot)
            .order_by("pk")
            .values_list("menage", "categorie", "departement", "manuelle", "debut", "fin")
        )
