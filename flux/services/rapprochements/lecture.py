"""What a reconciliation reads: extracts, attributions, labels, decisions of people, in a constant number of queries."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, F, Max, Min, Q
from django.db.models.functions import Coalesce

from flux.models import CorrectionRapprochement, EvenementExterne, SourceExterne
from flux.regles.imputation import Agent
from flux.regles.rapprochement import (
    DELAI_RADIATION,
    AttributionLocale,
    Contingent,
    Corrections,
    Evenement,
)
from flux.services.cadres import reservataire_de
from publics.regles.groupes import Label
from reservation.acteur import TypeOrganisation
from reservation.models import Organisation
from reservation.regles.actes import Nature, Reservataire

# What is read around the period, so that a lease or a radiation finds its CALEOL of the year before.
MARGE = timedelta(days=DELAI_RADIATION)


class Source(NamedTuple):
    """A deposit that the run uses. `du`, `au`: the days that it covers; `organisation`: whose lines they are, 0: all."""

    depot: int
    nom: str
    source: str
    organisation: int
    lignes: int
    du: date
    au: date


class Vecu(NamedTuple):
    """What an imputation depends on besides the labels; see `flux.regles.imputation.FaitsAttribution`."""

    liberation: int
    bailleur: int
    reference: str
    qpv: bool
    reservataire: int | None
    titre: str
    detail: str
    nature: Nature | None
    motif: bool
    proposition: date | None
    emploi: str
    agent: Agent | None
    numero_fin: str


class Dit(NamedTuple):
    """What the page shows of an external line, and whose it is."""

    bailleur: int | None
    numero_fin: str
    logement: str
    reservataire: int | None


@dataclass
class Matiere:
    """All that a run needs. `sans_numero`: attributions of the period without a household to compare, by bailleur."""

    sources: list[Source] = field(default_factory=list)
    outil: str = ""
    outil_labels: str = ""
    evenements: list[Evenement] = field(default_factory=list)
    dits: dict[int, Dit] = field(default_factory=dict)
    attributions: list[AttributionLocale] = field(default_factory=list)
    vecus: dict[int, Vecu] = field(default_factory=dict)
    labels: dict[str, list[Label]] = field(default_factory=dict)
    corrections: Corrections = field(default_factory=Corrections)
    sans_numero: dict[int, int] = field(default_factory=dict)
    reservataires: dict[int, Reservataire] = field(default_factory=dict)

    def couverture(self, bailleur: int) -> tuple[date, date] | None:
        """The days that the extracts of attributions cover for a bailleur: its own ones, and the DDETS's."""
        siens = [s for s in self.sources if s.source == self.outil and s.organisation in (bailleur, 0)]
        return (min(s.du for s in siens), max(s.au for s in siens)) if siens else None


def lire(departement: str, bailleurs: Collection[int], debut: date, fin: date) -> Matiere:
    """Extracts of the département in force, and what the bailleurs recorded, around `debut`..`fin`."""
    matiere = Matiere()
    _lire_sources(matiere, departement)
    _lire_attributions(matiere, departement, bailleurs, debut, fin)
    _lire_evenements(matiere, departement, set(bailleurs), debut, fin)
    matiere.reservataires = {
        pk: reservataire_de(type_, code)
        for pk, type_, code in Organisation.objects.filter(
            pk__in={dit.reservataire for dit in matiere.dits.values() if dit.reservataire}
        ).values_list("pk", "type", "code")
    }
    corrections = CorrectionRapprochement.objects.filter(
        departement=departement, bailleur__in=bailleurs, retiree_le=None
    ).values_list("genre", "cle_fait", "attribution")
    genres: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for genre, *couple in corrections:
        genres[genre].add(tuple(couple))
    matiere.corrections = Corrections(
        frozenset(genres[CorrectionRapprochement.Genre.LIER]),
        frozenset(genres[CorrectionRapprochement.Genre.SEPARER]),
    )
    return matiere


# --- Extracts ------------------------------------------------------------------------------------------------


def _lire_sources(matiere: Matiere, departement: str) -> None:
    """The deposits in use, and which tool tells the attributions: the SNE, Imhoweb for want of it."""
    depots = (
        EvenementExterne.objects.filter(departement=departement, perime_par=None)
        .order_by("depot")
        .values("depot", "source", "depot__nom_fichier", "depot__organisation")
        .annotate(
            lignes=Count("pk"),
            du=Coalesce("depot__periode_debut", Min("jour")),
            au=Coalesce("depot__periode_fin", Max("jour")),
            labels=Count("label_categorie"),
            attributions=Count("pk", filter=~Q(nature=EvenementExterne.Nature.LABEL)),
            type=F("depot__organisation__type"),
        )
    )
    lus = list(depots)
    matiere.sources = [
        Source(
            d["depot"],
            d["depot__nom_fichier"],
            d["source"],
            # A deposit of the État speaks of everybody; the others, of themselves.
            0 if d["type"] == TypeOrganisation.DDETS else d["depot__organisation"],
            d["lignes"],
            d["du"],
            d["au"],
        )
        for d in lus
    ]
    qui_attribue = {d["source"] for d in lus if d["attributions"]}
    qui_labellise = {d["source"] for d in lus if d["labels"]}
    ordre = (SourceExterne.SNE, SourceExterne.IMHOWEB)
    matiere.outil = next((source.value for source in ordre if source in qui_attribue), "")
    ordre = (SourceExterne.SYPLO, SourceExterne.IMHOWEB, SourceExterne.SNE)
    matiere.outil_labels = next((source.value for source in ordre if source in qui_labellise), "")


EVENEMENTS = """
SELECT e.id, coalesce('m' || m.id, e.numero_hache), coalesce(e.date_caleol, e.date_attribution), e.date_bail,
       e.date_radiation, e.radiation, e.decision, coalesce(nullif(e.cle_logement, ''), e.ident_rep), e.contingent,
       coalesce(e.motif_categorie_id, ''), coalesce(e.label_categorie_id, ''), e.label_debut, e.label_fin,
       e.source, coalesce(e.bailleur_id, l.bailleur_id), e.numero_fin,
       coalesce(nullif(e.logement_brut, ''), nullif(e.ident_rep, ''), e.cle_logement), e.reservataire_id
FROM flux_evenementexterne e
LEFT JOIN publics_menage m ON m.numero_hache = e.numero_hache
LEFT JOIN flux_liberation l ON l.id = e.liberation_id
WHERE e.departement_id = %s AND e.perime_par_id IS NULL
  AND (e.nature = 'LABEL' OR e.label_categorie_id IS NOT NULL OR e.jour BETWEEN %s AND %s)
"""


def _lire_evenements(matiere: Matiere, departement: str, bailleurs: set[int], debut: date, fin: date) -> None:
    """Lines of the bailleurs, of their households, and the labels of both. Another tool's attributions are left
    out: only its labels are read."""
    with connection.cursor() as curseur:
        curseur.execute(EVENEMENTS, [departement, debut - MARGE, fin + MARGE])
        lus = curseur.fetchall()
    menages = {attribution.menage for attribution in matiere.attributions}
    menages |= {ligne[1] for ligne in lus if ligne[14] in bailleurs}
    for (
        pk,
        menage,
        caleol,
        bail,
        radie,
        radiation,
        decision,
        logement,
        contingent,
        motif,
        label,
        label_debut,
        label_fin,
        source,
        bailleur,
        numero_fin,
        logement_brut,
        reservataire,
    ) in lus:
        if menage not in menages:
            continue
        if source != matiere.outil:
            if not label:
                continue
            evenement = Evenement(pk, menage, label=label, label_debut=label_debut, label_fin=label_fin)
        else:
            evenement = Evenement(
                pk,
                menage,
                caleol,
                bail,
                radie,
                radiation,
                decision,
                logement,
                contingent,
                motif,
                label,
                label_debut,
                label_fin,
            )
        matiere.evenements.append(evenement)
        matiere.dits[pk] = Dit(bailleur, numero_fin, logement_brut, reservataire)
        if label and label_debut:
            matiere.labels.setdefault(menage, []).append(Label(label, label_debut, label_fin))


# --- What is recorded here -----------------------------------------------------------------------------------

ATTRIBUTIONS = """
SELECT a.id, a.bailleur_id, a.menage_id, m.numero_fin, a.date_caleol, a.date_bail, a.refusee_le IS NOT NULL,
       l.cle_logement, l.id, l.reference, l.qpv, a.date_proposition, a.statut_emploi,
       a.motif_hors_prioritaire <> '', a.agent, (i.explication #>> '{agent,validation}')::date,
       i.explication #>> '{agent,accord_posterieur}' = 'true', i.explication #>> '{agent,adapte}' = 'true',
       i.titre, i.detail,
       -- Not imputed yet, it is of the contingent that it was made on; what leaves the flux is of none.
       CASE WHEN i.id IS NULL THEN a.reservataire_id ELSE i.reservataire_id END, o.type, m.efface_le IS NOT NULL
FROM flux_attribution a
JOIN flux_liberation l ON l.id = a.liberation_id
LEFT JOIN publics_menage m ON m.id = a.menage_id
LEFT JOIN flux_imputation i ON i.attribution_id = a.id AND i.annee = extract(year FROM a.date_caleol)
LEFT JOIN reservation_organisation o ON o.id = i.reservataire_id
WHERE a.departement_id = %s AND a.bailleur_id = ANY(%s) AND a.date_caleol BETWEEN %s AND %s
ORDER BY a.id
"""

LABELS = """
SELECT menage_id, id, categorie_id, debut, fin FROM publics_labellisation WHERE menage_id = ANY(%s) ORDER BY debut, id
"""

_NATURES = {
    TypeOrganisation.DDETS: Nature.ETAT,
    TypeOrganisation.ACTION_LOGEMENT: Nature.ALS,
    TypeOrganisation.COLLECTIVITE: Nature.COLLECTIVITE,
    TypeOrganisation.BAILLEUR: Nature.BAILLEUR,
}


def _lire_attributions(
    matiere: Matiere, departement: str, bailleurs: Collection[int], debut: date, fin: date
) -> None:
    with connection.cursor() as curseur:
        curseur.execute(ATTRIBUTIONS, [departement, list(bailleurs), debut - MARGE, fin + MARGE])
        lues = curseur.fetchall()
        curseur.execute(
            "SELECT attribution_id, labellisation_id FROM flux_attribution_labels_admis WHERE attribution_id = ANY(%s)",
            [[ligne[0] for ligne in lues]],
        )
        admis = set(curseur.fetchall())
        curseur.execute(LABELS, [list({ligne[2] for ligne in lues if ligne[2]})])
        labellisations = curseur.fetchall()
    labels: dict[int, list[tuple[int, str, date, date | None]]] = defaultdict(list)
    for menage, *label in labellisations:
        labels[menage].append(tuple(label))
    couvertures = {bailleur: matiere.couverture(bailleur) for bailleur in bailleurs}
    for (
        pk,
        bailleur,
        menage,
        numero_fin,
        caleol,
        bail,
        refusee,
        logement,
        liberation,
        reference,
        qpv,
        proposition,
        emploi,
        motif,
        agent,
        valide,
        accord,
        adapte,
        titre,
        detail,
        reservataire,
        type_,
        efface,
    ) in lues:
        if menage is None or efface:
            matiere.sans_numero[bailleur] = matiere.sans_numero.get(bailleur, 0) + (debut <= caleol <= fin)
            continue
        nature = _NATURES.get(type_, Nature.AUTRE) if type_ else None
        contingent = contingent_de(nature, agent)
        couverture = couvertures[bailleur]
        matiere.attributions.append(
            AttributionLocale(
                pk,
                f"m{menage}",
                caleol,
                bail,
                refusee,
                logement,
                contingent,
                contingent == Contingent.ETAT_PRIORITAIRE and not motif,
                tuple(
                    Label(categorie, depuis, jusque, (pk, label) in admis)
                    for label, categorie, depuis, jusque in labels.get(menage, ())
                ),
                *(couverture or (None, None)),
            )
        )
        matiere.vecus[pk] = Vecu(
            liberation,
            bailleur,
            reference,
            qpv,
            reservataire,
            titre or "",
            detail or "",
            nature,
            motif,
            proposition,
            emploi,
            Agent(valide, bool(accord), bool(adapte)) if agent else None,
            numero_fin,
        )


def contingent_de(nature: Nature | None, agent: bool) -> str:
    """The contingent of an imputation as the SNE has it; "" for what leaves the flux, which no contingent owes."""
    if nature is None:
        return ""
    if nature == Nature.ETAT:
        return Contingent.ETAT_AGENT if agent else Contingent.ETAT_PRIORITAIRE
    return {
        Nature.ALS: Contingent.ALS,
        Nature.COLLECTIVITE: Contingent.COLLECTIVITE,
        Nature.AUTRE: Contingent.AUTRE,
        Nature.BAILLEUR: Contingent.BAILLEUR,
    }[nature]
