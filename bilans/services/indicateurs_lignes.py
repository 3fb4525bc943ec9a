"""The lines behind a figure of the indicators: as many as the figure says, and no other."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from bilans.services.compte_etat import Compte, lignes_du_compte
from bilans.services.donnees_bilan import PRIORITAIRES
from bilans.services.indicateurs import (
    OUI,
    REFUS_CALEOL,
    SANS_EPCI,
    SANS_MOTIF,
    Comptes,
    Demande,
    Examines,
    Lecture,
    Lignes,
    parametres,
)
from flux.models import Attribution, Designation, Imputation, Liberation, Passage
from flux.regles.annuel import Destination
from flux.regles.imputation import Titre
from publics.models import Labellisation
from reservation.acteur import Acteur
from reservation.perimetre import agir

HORS_AGENTS = "hors_agents"
SANS_CONTINGENT = (Destination.SOUSTRACTION, Destination.HORS_FLUX)


class LignesTrouvees(NamedTuple):
    """`lignes`: imputations, passages or attributions, as `nature` says; not evaluated yet."""

    nature: str
    lignes: QuerySet


def trouver(acteur: Acteur, demandees: Lignes) -> LignesTrouvees | None:
    """The rows of a figure; None when the actor reads no line, or not these. To be read under `lecture_des_lignes`."""
    lecture = Lecture.de(acteur)
    if lecture is None or not lecture.lignes or (demandees.dalo and lecture.dalo != "tout"):
        return None
    if (demandees.nature == "etat") is not bool(demandees.compte):
        return None
    if demandees.compte and not (acteur.systeme or acteur.est_bailleur or acteur.est_service_etat):
        return None
    demande = Demande(
        demandees.annee, demandees.periode, demandees.departement, demandees.bailleur, demandees.reservataire
    )
    chercher = NATURES.get(demandees.nature)
    if chercher is None or (demandees.emploi and not _lit_l_emploi(acteur)):
        return None
    trouvees = chercher(acteur, demande, demandees)
    return None if trouvees is None else LignesTrouvees(demandees.nature, trouvees)


def _lit_l_emploi(acteur: Acteur) -> bool:
    """Whether a household works: its bailleur, the State, and ALS whose quarter rests on it (L. 313-26-2)."""
    return acteur.systeme or acteur.est_bailleur or acteur.est_service_etat or acteur.est_action_logement


def lecture_des_lignes():
    """Around the reading of rows that `trouver` gave: their perimeter is in the query; a label is looked at, not shown."""
    return agir(Acteur.du_systeme("lignes d’un indicateur"))


# --- Imputations ----------------------------------------------------------------------------------------------


def _imputations(acteur: Acteur, demande: Demande, demandees: Lignes) -> QuerySet:
    siennes = _du_perimetre(Imputation.objects.visibles_par(acteur), acteur, demande)
    if demandees.nature == "baux":
        siennes = siennes.baux_signes_en(demande.annee).filter(date_bail__range=(demande.debut, demande.fin))
    else:
        siennes = siennes.attribuees_en(demande.annee).filter(date_caleol__range=(demande.debut, demande.fin))
    if demande.reservataire:
        siennes = siennes.filter(titre=demande.reservataire)
    siennes = siennes.filter(_priorite(demandees.priorite))
    if demandees.motif:
        siennes = siennes.filter(
            detail=Titre.AUTRE,
            motif_hors_prioritaire="" if demandees.motif == SANS_MOTIF else demandees.motif,
        )
    if demandees.dalo:
        dalo = _dalo()
        siennes = siennes.filter(dalo if demandees.dalo == OUI else ~dalo)
    if demandees.emploi:
        siennes = siennes.filter(attribution__statut_emploi=demandees.emploi)
    return (
        siennes.filter(_des_logements(demandees))
        .select_related("liberation__commune", "bailleur", "departement", "attribution", "reservataire")
        .order_by("-date_caleol", "-pk")
    )


def _du_perimetre(lignes, acteur: Acteur, demande: Demande):
    """The same bounds as those of the counts."""
    bornes = parametres(acteur, demande)
    if bornes["departements"] is not None:
        lignes = lignes.filter(departement__in=bornes["departements"])
    if bornes["bailleurs"] is not None:
        lignes = lignes.filter(bailleur__in=bornes["bailleurs"])
    return lignes


def _des_logements(demandees: Lignes, chemin: str = "liberation__") -> Q:
    """The filters on the dwellings; `chemin`: from the row to its libération."""
    voulus = Q()
    for champ in ("typologie", "financement", "commune"):
        if valeur := getattr(demandees, champ):
            voulus &= Q(**{f"{chemin}{champ}": valeur})
    if demandees.qpv:
        voulus &= Q(**{f"{chemin}qpv": demandees.qpv == OUI})
    if demandees.epci == SANS_EPCI:
        voulus &= Q(**{f"{chemin}commune__epci__isnull": True})
    elif demandees.epci:
        voulus &= Q(**{f"{chemin}commune__epci": demandees.epci})
    return voulus


def _priorite(voulue: str) -> Q:
    prioritaires = [str(titre) for titre in PRIORITAIRES]
    match voulue:
        case "":
            return Q()
        case "oui":
            return Q(detail__in=prioritaires)
        case "hors":
            return Q(titre__in=SANS_CONTINGENT)
        case "hors_agents":
            return ~Q(detail=Titre.AGENT)
        case _:
            return ~Q(detail__in=prioritaires) & ~Q(titre__in=SANS_CONTINGENT)


def _dalo() -> Exists:
    """A DALO label valid on the day of the CALEOL, or admitted by exception for this attribution."""
    valables = Q(debut__lte=OuterRef("date_caleol")) & (
        Q(fin__isnull=True) | Q(fin__gte=OuterRef("date_caleol"))
    )
    admis = Attribution.labels_admis.through.objects.filter(
        attribution=OuterRef(OuterRef("attribution")), labellisation=OuterRef("pk")
    )
    return Exists(
        Labellisation.objects.filter(menage=OuterRef("attribution__menage"), categorie="DALO")
        .filter(valables | Exists(admis))
        .order_by()
    )


def _de_l_etat(acteur: Acteur, demande: Demande, demandees: Lignes) -> QuerySet:
    """What counts for the objective of the État: the numbers of the tableau de bord. Its bailleur's and the State's."""
    return (
        lignes_du_compte(
            acteur, Compte(demandees.compte), demande.annee, demande.departement, demande.bailleur
        )
        .select_related("liberation__commune", "bailleur", "departement", "attribution", "reservataire")
        .order_by("-compte_le", "-pk")
    )


# --- Passages, and attributions pronounced --------------------------------------------------------------------

# The rows of the groups that were counted: the same columns, compared one by one.
DES_GROUPES = """
SELECT x.id FROM ({lignes}) AS x
JOIN unnest(%(g_departements)s::text[], %(g_bailleurs)s::bigint[], %(g_usages)s::text[], %(g_premieres)s::boolean[],
            %(g_orientes)s::bigint[], %(g_echouees)s::boolean[])
     AS g(departement, bailleur, usage, premiere, oriente, echouee)
  ON (x.departement, x.bailleur, x.usage, x.premiere, x.echouee)
     = (g.departement, g.bailleur, g.usage, g.premiere, g.echouee)
 AND x.oriente IS NOT DISTINCT FROM g.oriente
"""
PASSAGES = """
SELECT p.id, s.departement_id AS departement, s.bailleur_id AS bailleur, l.usage, l.premiere,
       l.reservataire_id AS oriente,
       coalesce(l.designation_echouee_le <= s.date AND l.reservataire_id <> l.bailleur_id, false) AS echouee
FROM flux_commission s JOIN flux_passage p ON p.commission_id = s.id JOIN flux_liberation l ON l.id = p.liberation_id
WHERE s.date BETWEEN %(debut)s AND %(fin)s AND s.etat = 'CLOSE' AND p.decision <> ''
"""
ATTRIBUTIONS = """
SELECT a.id, a.departement_id AS departement, a.bailleur_id AS bailleur, l.usage, l.premiere,
       l.reservataire_id AS oriente,
       coalesce(l.designation_echouee_le <= a.date_caleol AND l.reservataire_id <> l.bailleur_id, false) AS echouee
FROM flux_attribution a JOIN flux_liberation l ON l.id = a.liberation_id
WHERE a.date_caleol BETWEEN %(debut)s AND %(fin)s AND l.annulee_le IS NULL AND l.dans_assiette
      AND l.date <= make_date(%(annee)s, 12, 31)
"""
ORIENTEES = """
SELECT l.id, l.departement_id AS departement, l.bailleur_id AS bailleur, l.usage, l.premiere,
       l.reservataire_id AS oriente, false AS echouee
FROM flux_liberation l
WHERE greatest(l.orientee_le, l.date) BETWEEN %(debut)s AND %(fin)s AND l.annulee_le IS NULL AND l.dans_assiette
"""

REMISES = """
SELECT d.id, d.departement_id AS departement, d.bailleur_id AS bailleur, l.usage, l.premiere,
       d.reservataire_id AS oriente, false AS echouee
FROM flux_designation d JOIN flux_liberation l ON l.id = d.liberation_id
WHERE d.ouverte_le BETWEEN %(debut)s AND %(fin)s AND d.etat <> 'REMPLACEE' AND l.annulee_le IS NULL
"""


def _des_groupes(comptes: Comptes, groupes: list[Examines], lignes: str) -> list[int]:
    """Primary keys of the rows of these groups, in one query."""
    distincts = sorted(
        {(g.departement, g.bailleur, g.usage, g.premiere, g.oriente, g.echouee) for g in groupes},
        key=str,
    )
    if not distincts:
        return []
    colonnes = dict(
        zip(
            ("g_departements", "g_bailleurs", "g_usages", "g_premieres", "g_orientes", "g_echouees"),
            (list(colonne) for colonne in zip(*distincts, strict=True)),
            strict=True,
        )
    )
    with connection.cursor() as curseur:
        curseur.execute(DES_GROUPES.format(lignes=lignes), comptes.parametres | colonnes)
        return [pk for (pk,) in curseur]


def _passages(acteur: Acteur, demande: Demande, demandees: Lignes) -> QuerySet:
    with lecture_des_lignes():
        comptes = Comptes(acteur, demande)
        cles = _des_groupes(comptes, comptes.retenus(comptes.examines, demande.reservataire), PASSAGES)
    lignes = _du_perimetre(Passage.objects.visibles_par(acteur), acteur, demande).filter(
        _des_logements(demandees), pk__in=cles
    )
    if demandees.nature == "refus_caleol":
        lignes = lignes.filter(decision__in=REFUS_CALEOL)
    if demandees.decision:
        lignes = lignes.filter(decision=demandees.decision)
    return (
        _au_motif(lignes, demandees.motif, "motif")
        .select_related(
            "commission",
            "liberation__commune",
            "liberation__reservataire",
            "bailleur",
            "departement",
            "motif",
        )
        .order_by("-commission__date", "-pk")
    )


def _attributions_prononcees(acteur: Acteur, demande: Demande, demandees: Lignes) -> QuerySet:
    """Decisions to attribute; "refus_menages": those that the household refused."""
    with lecture_des_lignes():
        comptes = Comptes(acteur, demande)
        cles = _des_groupes(comptes, comptes.retenus(comptes.prononcees, demande.reservataire), ATTRIBUTIONS)
    lignes = _du_perimetre(Attribution.objects.visibles_par(acteur), acteur, demande).filter(
        _des_logements(demandees), pk__in=cles
    )
    if demandees.nature == "refus_menages":
        lignes = _au_motif(lignes.filter(refusee_le__isnull=False), demandees.motif, "motif_refus")
    return lignes.select_related(
        "liberation__commune", "liberation__reservataire", "bailleur", "departement", "motif_refus"
    ).order_by("-date_caleol", "-pk")


def _orientes(acteur: Acteur, demande: Demande, demandees: Lignes) -> QuerySet | None:
    """Dwellings of the flux oriented to the réservataire who asks: what its bilan calls proposed. None for the others."""
    if not acteur.est_reservataire:
        return None
    with lecture_des_lignes():
        comptes = Comptes(acteur, demande)
        cles = _des_groupes(comptes, comptes.retenus(comptes.orientees, demande.reservataire), ORIENTEES)
    return (
        _du_perimetre(Liberation.objects.visibles_par(acteur), acteur, demande)
        .filter(_des_logements(demandees, ""), pk__in=cles, reservataire=acteur.organisation_id)
        .select_related("commune", "bailleur", "departement")
        .order_by("-date", "-pk")
    )


def _designations(acteur: Acteur, demande: Demande, demandees: Lignes) -> QuerySet:
    """Dwellings handed to a réservataire in the period; "refus_reservataires": those that it could not fill."""
    remises = _du_perimetre(Designation.objects.visibles_par(acteur).vivantes(), acteur, demande).filter(
        _des_logements(demandees),
        ouverte_le__range=(demande.debut, demande.fin),
        liberation__annulee_le__isnull=True,
    )
    if acteur.est_reservataire:
        remises = remises.filter(reservataire=acteur.organisation_id)
    if demande.reservataire:
        with lecture_des_lignes():
            comptes = Comptes(acteur, demande)
            groupes = comptes.retenus(comptes.remises, demande.reservataire)
            cles = _des_groupes(comptes, groupes, REMISES)
        remises = remises.filter(pk__in=cles)
    if demandees.nature == "refus_reservataires":
        remises = _au_motif(remises.filter(etat=Designation.Etat.ECHOUEE), demandees.motif, "motif")
    return remises.select_related(
        "liberation__commune", "reservataire", "bailleur", "departement", "motif"
    ).order_by("-ouverte_le", "-pk")


def _au_motif(lignes, motif: str, champ: str):
    if not motif:
        return lignes
    return lignes.filter(**({f"{champ}__isnull": True} if motif == SANS_MOTIF else {f"{champ}__code": motif}))


NATURES: dict[str, Callable[[Acteur, Demande, Lignes], Any]] = {
    "attributions": _imputations,
    "baux": _imputations,
    "etat": _de_l_etat,
    "dossiers": _passages,
    "refus_caleol": _passages,
    "refus_menages": _attributions_prononcees,
    "prononcees": _attributions_prononcees,
    "orientes": _orientes,
    "demandees": _designations,
    "refus_reservataires": _designations,
}
