"""Years whose lines are closed because their bilan is submitted, or frozen because it is validated (chapter 9).

The bilans say it in one row; the database refuses, whatever the way a line is written: a declaration, a correction,
an undoing, an import. What happens later to a dwelling of a closed year (a lease of January, a new orientation) is an
event of the next year and stays free.
"""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from reservation.acteur import Acteur
from reservation.models import Departement, Organisation, PerimetreQuerySet
from reservation.operations import REFUS

LIBERATIONS, ATTRIBUTIONS = "LIBERATIONS", "ATTRIBUTIONS"


class GelExercice(models.Model):
    """The lines of `annee` of a bailleur in a département are closed, but for `ouvertes` (LIBERATIONS, ATTRIBUTIONS).

    `fige`: its imputations are frozen as well, and not computed again. `phrase`: why, in a French sentence, which is
    what anybody is told who tries. No row: the year is open.
    """

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    annee = models.PositiveSmallIntegerField("exercice")
    fige = models.BooleanField("imputations figées", default=False)
    ouvertes = ArrayField(
        models.CharField(max_length=20), verbose_name="encore ouvertes", default=list, blank=True
    )
    phrase = models.CharField("raison", max_length=400)
    depuis = models.DateTimeField("depuis le", auto_now=True)

    class GelQuerySet(PerimetreQuerySet):
        champ_reservataire = None

        def filtre_modifiables(self, acteur: Acteur):
            """Only the application closes a year, when its bilan changes hands."""
            return Q() if acteur.systeme else None

    objects = GelQuerySet.as_manager()

    class Meta:
        verbose_name = "exercice fermé"
        verbose_name_plural = "exercices fermés"
        ordering = ["annee", "departement", "bailleur"]
        constraints = [
            models.UniqueConstraint(fields=["bailleur", "departement", "annee"], name="gel_unique"),
            models.CheckConstraint(
                name="gel_fige_ferme",
                condition=Q(fige=False) | Q(ouvertes=[]),
                violation_error_message="Un exercice figé n’a rien d’ouvert.",
            ),
        ]


def _refuser(lignes: str, condition: str) -> str:
    """Body of a trigger: refuse the statement when one of `lignes` (SQL, joined with the closed years `g`) is closed."""
    corps = f"""
    SELECT g.phrase INTO refus FROM {lignes} WHERE {condition} LIMIT 1;
    IF refus IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = '{REFUS}', MESSAGE = refus; END IF;
    RETURN NULL;
    """
    return " ".join(corps.split())


def _de(ligne: str, *annees: str) -> str:
    """Closed years of `ligne`, one of whose `annees` (SQL) is."""
    return (
        f"JOIN flux_gelexercice AS g ON g.bailleur_id = {ligne}.bailleur_id "
        f"AND g.departement_id = {ligne}.departement_id AND g.annee IN ({', '.join(annees)})"
    )


def _an(colonne: str) -> str:
    return f"extract(year FROM {colonne})::int"


def _autre(colonnes: tuple[str, ...]) -> str:
    anciennes, nouvelles = (", ".join(f"{t}.{c}" for c in colonnes) for t in ("o", "n"))
    return f"(({anciennes}) IS DISTINCT FROM ({nouvelles}))"


def _date_changee(colonne: str) -> str:
    """The date is another one, and the old or the new one is in the closed year."""
    return (
        f"(o.{colonne} IS DISTINCT FROM n.{colonne} "
        f"AND g.annee IN ({_an(f'o.{colonne}')}, {_an(f'n.{colonne}')}))"
    )


def _declencheurs(ajout: str, change: str, retrait: str) -> list[pgtrigger.Trigger]:
    """One per verb: a statement of a million lines is looked at once."""
    commun = {"level": pgtrigger.Statement, "when": pgtrigger.After}

    def declencheur(nom, operation, corps, **tables):
        return pgtrigger.Trigger(
            name=f"gel_{nom}",
            operation=operation,
            declare=[("refus", "text")],
            func=corps,
            referencing=pgtrigger.Referencing(**tables),
            **commun,
        )

    return [
        declencheur("ajout", pgtrigger.Insert, ajout, new="nouveaux"),
        declencheur("change", pgtrigger.Update, change, old="anciens", new="nouveaux"),
        declencheur("retrait", pgtrigger.Delete, retrait, old="anciens"),
    ]


_FERMEES_L = f"NOT '{LIBERATIONS}' = ANY (g.ouvertes)"
_FERMEES_A = f"NOT '{ATTRIBUTIONS}' = ANY (g.ouvertes)"
_FAITS_L = (
    *("date", "usage", "premiere", "annulee_le", "dans_assiette", "commune_id", "qpv"),
    *("typologie", "financement", "periode"),
)
_FAITS_A = (
    *("date_caleol", "liberation_id", "statut_emploi", "motif_hors_prioritaire"),
    *("agent", "agent_valide_le", "agent_accord_posterieur", "agent_adapte"),
)
_AVANT_APRES = "anciens AS o JOIN nouveaux AS n ON n.id = o.id"


# A merger gives the absorbing bailleur what was the absorbed one's own ("non réservé").
_ABSORBE = """(n.reservataire_id IS NOT DISTINCT FROM n.bailleur_id AND EXISTS (SELECT FROM reservation_organisation AS r
    WHERE r.id = o.reservataire_id AND r.type = 'BAILLEUR'))"""


def gel_des_liberations() -> list[pgtrigger.Trigger]:
    """Libérations of a closed year: none added, none taken off, none of their facts changed; nor the orientation or the
    failure dated of that year."""
    annees = [_an(f"{t}.{c}") for t in "on" for c in ("date", "orientee_le", "designation_echouee_le")]
    change = f"""
        ({_FERMEES_L} AND g.annee IN ({_an("o.date")}, {_an("n.date")}) AND {_autre(_FAITS_L)})
        OR ({_FERMEES_A} AND (
            (o.reservataire_id IS DISTINCT FROM n.reservataire_id AND NOT {_ABSORBE}
             AND (n.orientee_le IS NULL AND g.annee = {_an("o.orientee_le")} OR g.annee = {_an("n.orientee_le")}))
            OR {_date_changee("designation_echouee_le")}))
    """
    return _declencheurs(
        _refuser(f"nouveaux AS n {_de('n', _an('n.date'))}", f"{_FERMEES_L} AND n.dans_assiette"),
        _refuser(f"{_AVANT_APRES} {_de('o', *annees)}", change),
        _refuser(f"anciens AS o {_de('o', _an('o.date'))}", f"{_FERMEES_L} AND o.dans_assiette"),
    )


def gel_des_attributions() -> list[pgtrigger.Trigger]:
    """Attributions of a closed year (CALEOL), and leases and refusals dated of it."""
    annees = [_an(f"{t}.{c}") for t in "on" for c in ("date_caleol", "date_bail", "refusee_le")]
    change = f"""
        {_FERMEES_A} AND (
            (g.annee IN ({_an("o.date_caleol")}, {_an("n.date_caleol")}) AND ({_autre(_FAITS_A)}
             OR (n.menage_id IS NOT NULL AND n.menage_id IS DISTINCT FROM o.menage_id)))
            OR {_date_changee("date_bail")} OR {_date_changee("refusee_le")})
    """
    return _declencheurs(
        _refuser(f"nouveaux AS n {_de('n', _an('n.date_caleol'), _an('n.date_bail'))}", _FERMEES_A),
        _refuser(f"{_AVANT_APRES} {_de('o', *annees)}", change),
        _refuser(f"anciens AS o {_de('o', _an('o.date_caleol'), _an('o.date_bail'))}", _FERMEES_A),
    )


def gel_des_imputations() -> list[pgtrigger.Trigger]:
    """Imputations of a frozen year: none added, taken off or changed (their bailleur may be absorbed by another)."""
    decisif = (
        *("attribution_id", "annee", "titre", "detail", "qpv", "date_caleol", "date_bail"),
        *("motif_hors_prioritaire", "version_id", "explication"),
    )
    return _declencheurs(
        _refuser(f"nouveaux AS n {_de('n', 'n.annee')}", "g.fige"),
        _refuser(f"{_AVANT_APRES} {_de('o', 'o.annee', 'n.annee')}", f"g.fige AND {_autre(decisif)}"),
        _refuser(f"anciens AS o {_de('o', 'o.annee')}", "g.fige"),
    )
