"""What the bailleur looks at before it signs: actions that miss, what looks odd beside last year, texts left blank.

Nothing here blocks: totals that disagree already do (`bilans.regles.coherence`). Each line says how many, and leads to
them. Another check is one more function of `CONTROLES`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from bilans.models import Bilan, DocumentBilan
from bilans.regles.cycle_ecarts import chiffres_compares, ecarts_notables
from bilans.regles.donnees import DonneesBilan, depuis_json
from flux.models import Commission, EcartRapprochement, EtapeLiberation, Liberation, Rapprochement
from reservation.acteur import Acteur
from reservation.regles.typographie import accorder, typographier


@dataclass(frozen=True, slots=True)
class Controle:
    """`lien`: where the lines are; "" when it is the page itself."""

    texte: str
    lien: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "texte", typographier(self.texte))


_ETAPES = {
    EtapeLiberation.A_ORIENTER: "n’est orientée vers personne|ne sont orientées vers personne",
    EtapeLiberation.CANDIDATS: "attend ses candidats|attendent leurs candidats",
    EtapeLiberation.CALEOL: "attend une commission|attendent une commission",
    EtapeLiberation.CONDITION: "attend une pièce|attendent une pièce",
    EtapeLiberation.A_OFFRIR: "attend que l’offre soit notifiée|attendent que l’offre soit notifiée",
    EtapeLiberation.OFFRE: "attend la réponse du ménage|attendent la réponse du ménage",
    EtapeLiberation.BAIL: "attend son bail|attendent leur bail",
}


def controler(acteur: Acteur, bilan: Bilan, donnees: DonneesBilan) -> tuple[Controle, ...]:
    """Everything to look at, the missing actions first; empty when there is nothing."""
    return tuple(controle for fonction in CONTROLES for controle in fonction(acteur, bilan, donnees))


def _actions(acteur: Acteur, bilan: Bilan, donnees: DonneesBilan) -> Iterator[Controle]:
    """Libérations of the year that still wait for something."""
    siennes = Liberation.objects.visibles_par(acteur).filter(
        bailleur=bilan.bailleur_id, departement=bilan.departement_id, date__year=bilan.annee
    )
    comptes = siennes.compter_par_etape(timezone.localdate())
    for etape, formes in _ETAPES.items():
        if nombre := comptes[etape]:
            singulier, _, pluriel = formes.partition("|")
            yield Controle(
                f"{accorder(nombre, 'libération')} de {bilan.annee} {singulier if nombre == 1 else pluriel}.",
                _lien("flux:liberations", bilan, etape=etape.value),
            )


def _commissions(acteur: Acteur, bilan: Bilan, donnees: DonneesBilan) -> Iterator[Controle]:
    ouvertes = Commission.objects.visibles_par(acteur).filter(
        bailleur=bilan.bailleur_id,
        departement=bilan.departement_id,
        date__year=bilan.annee,
        etat__in=Commission.OUVERTES,
    )
    if nombre := ouvertes.count():
        verbe = "n’est pas close" if nombre == 1 else "ne sont pas closes"
        yield Controle(
            f"{accorder(nombre, 'commission')} de {bilan.annee} {verbe} : ce qu’elle a décidé ne compte pas."
            if nombre == 1
            else f"{accorder(nombre, 'commission')} de {bilan.annee} {verbe} : ce qu’elles ont décidé ne compte pas.",
            _lien("flux:commissions", bilan, quand="a_clore"),
        )


def _rapprochements(acteur: Acteur, bilan: Bilan, donnees: DonneesBilan) -> Iterator[Controle]:
    """Gaps with the SNE and the other tools that nobody has explained, by reconciliation of the year; or none was made."""
    siens = (
        Rapprochement.objects.visibles_par(acteur)
        .filter(
            bailleur=bilan.bailleur_id,
            departement=bilan.departement_id,
            debut__year__lte=bilan.annee,
            fin__year__gte=bilan.annee,
            etat=Rapprochement.Etat.TERMINE,
        )
        .annotate(
            ouverts=Count(
                "ecarts",
                filter=Q(ecarts__etat__in=EcartRapprochement.OUVERTS, ecarts__disparu_le__isnull=True),
            )
        )
        .order_by("-fin", "pk")
    )
    trouves = list(siens)
    if not trouves:
        yield Controle(
            f"Aucun rapprochement de {bilan.annee} avec le SNE : les écarts entre les outils ne sont pas connus.",
            reverse("flux:rapprochements"),
        )
    for rapprochement in trouves:
        if nombre := rapprochement.ouverts:
            yield Controle(
                f"{accorder(nombre, 'écart')} avec le SNE ou les outils d’origine "
                f"{'reste' if nombre == 1 else 'restent'} à traiter ({str(rapprochement).lower()}).",
                reverse("flux:rapprochement", args=[rapprochement.pk]),
            )


def _textes(acteur: Acteur, bilan: Bilan, donnees: DonneesBilan) -> Iterator[Controle]:
    if manque := donnees.etat_100.manque:
        yield Controle(
            f"{accorder(manque, 'attribution')} de l’État à un ménage non prioritaire, sans motif consigné.",
            reverse("bilans:bilan", args=[bilan.pk]) + "#etat",
        )
    if not donnees.appreciation:
        yield Controle(
            "L’appréciation du bailleur n’est pas écrite : les écarts et leurs raisons, l’adéquation des candidats.",
            reverse("bilans:bilan", args=[bilan.pk]) + "#appreciation",
        )


def _annee_precedente(acteur: Acteur, bilan: Bilan, donnees: DonneesBilan) -> Iterator[Controle]:
    """Beside the last document of the year before, if there is one."""
    precedent = (
        DocumentBilan.objects.visibles_par(acteur)
        .filter(bailleur=bilan.bailleur_id, departement=bilan.departement_id, bilan__annee=bilan.annee - 1)
        .order_by("-version")
        .first()
    )
    if precedent is None:
        return
    avant = chiffres_compares(depuis_json(precedent.donnees))
    for ecart in ecarts_notables(avant, chiffres_compares(donnees)):
        yield Controle(ecart.phrase, reverse("bilans:bilan", args=[precedent.bilan_id]))


CONTROLES: tuple[Callable[[Acteur, Bilan, DonneesBilan], Iterator[Controle]], ...] = (
    _actions,
    _commissions,
    _rapprochements,
    _textes,
    _annee_precedente,
)


def _lien(page: str, bilan: Bilan, **filtres: str) -> str:
    return f"{reverse(page)}?{urlencode({'annee': bilan.annee, **filtres})}"
