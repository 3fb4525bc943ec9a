"""Counts the indicators of the priority households for what one actor may read: tests of chapter 6, article 5 of PACA.

The rules are those of the bilan (`flux.regles.realise`), the rows too (imputations, passages of closed commissions,
attributions): `bilans.services.donnees_bilan` freezes them for one bailleur and one year, this reads them for many and for
a part of a year. Each figure knows how to name its lines (`Lignes`), which `bilans.services.indicateurs_lignes` gives back.

Counts are made on behalf of the application, within the perimeter of the actor: half the labels would be a wrong total.
What the actor may be shown of them is decided here as well (chapter 2): see `Lecture`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db import connection

from bilans.documents.methode import MOTIFS
from bilans.regles.consolidation import (
    AUTRE,
    BAUX_NON_COMPTES,
    MOTIVES,
    NON_COMPTES,
    TITRES,
    TITRES_COMPTES,
    Lus,
    est_tu,
    lire_titres,
    masquer_menages,
)
from bilans.regles.indicateurs import (
    INDICATEURS,
    LIBELLES_PERIODE,
    SIX_POUR_CENT,
    SORTANTS,
    Definition,
    jours_de,
)
from bilans.services.donnees_bilan import DALO, DECISIONS, PRIORITAIRES
from flux.models import MotifRefus, Passage
from flux.regles.annuel import Destination, destination
from flux.regles.imputation import Titre, contingent_impute
from flux.regles.realise import (
    CentPourCent,
    LotImpute,
    evaluer_cent_pour_cent,
    evaluer_quarts,
    manque_au_quart,
)
from flux.services.cadres import Cadre, Paire, charger_cadres, reservataire_de
from flux.services.lecture import presences_visibles
from publics.models import CategorieLabel
from publics.regles.secret_hierarchique import LARGEUR, masquer_arbre
from publics.regles.secret_statistique import masquer_partition, masquer_tests
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Convention, Departement, Organisation
from reservation.perimetre import agir
from reservation.regles.actes import (
    ALS,
    BAILLEUR,
    ETAT,
    Acte,
    FaitGenerateur,
    Reservataire,
    lister_reservataires,
)

HORS_CONTINGENT = "HORS_FLUX"
SANS_MOTIF = "SANS"
SANS_EPCI = "SANS"
EFFACE = "EFFACE"
DALO_CODE = "DALO"
OUI, NON, HORS = "oui", "non", "hors"
REFUS_CALEOL = (Passage.Decision.NON_ATTRIBUTION, Passage.Decision.IRRECEVABLE)
DEFINITIONS = {definition.code: definition for definition in INDICATEURS}


# --- Who reads what -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lecture:
    """What the table of chapter 2 lets one actor read of the indicators.

    `lignes`: figures lead to their lines. `masque`: counts of households under eleven are hidden (COPIL). `dalo`, `motifs`:
    "" nothing, "masque" from eleven households on, "tout" as they are.
    """

    lignes: bool
    masque: bool
    dalo: str
    motifs: str
    sortants: str

    @classmethod
    def de(cls, acteur: Acteur) -> "Lecture | None":
        """None: nothing at all (an OPERATEUR, a person without organisation)."""
        if acteur.systeme or acteur.est_ddets:
            return cls(True, False, "tout", "tout", "tout")
        if acteur.type_organisation == TypeOrganisation.PREFECTURE:
            return cls(True, False, "tout", "masque", "masque")
        if acteur.est_bailleur:
            return cls(True, False, "tout", "", "")
        if acteur.type_organisation == TypeOrganisation.ACTION_LOGEMENT:
            return cls(True, False, "masque", "masque", "")
        if acteur.est_reservataire:
            return cls(True, False, "", "", "")
        if acteur.est_copil:
            return cls(False, True, "masque", "masque", "masque")
        return None


@dataclass(frozen=True)
class Demande:
    """What is asked: a year or a part of it, and filters; empty: all that the actor may read."""

    annee: int
    periode: str = ""
    departement: str = ""
    bailleur: int | None = None
    reservataire: str = ""

    @property
    def debut(self) -> date:
        return jours_de(self.annee, self.periode).debut

    @property
    def fin(self) -> date:
        return jours_de(self.annee, self.periode).fin

    @property
    def libelle(self) -> str:
        return f"{self.annee}, {LIBELLES_PERIODE[self.periode]}" if self.periode else str(self.annee)

    @property
    def requete(self) -> str:
        return _requete(self.__dict__)


@dataclass(frozen=True)
class Lignes:
    """How to find the lines of a figure: the words of the query string of their page."""

    nature: str
    annee: int
    periode: str = ""
    departement: str = ""
    bailleur: int | None = None
    reservataire: str = ""
    priorite: str = ""
    motif: str = ""
    decision: str = ""
    dalo: str = ""
    compte: str = ""
    emploi: str = ""
    typologie: str = ""
    financement: str = ""
    qpv: str = ""
    epci: str = ""
    commune: str = ""

    @property
    def requete(self) -> str:
        return _requete(self.__dict__)


def _requete(champs: Mapping[str, Any]) -> str:
    return urlencode({nom: valeur for nom, valeur in champs.items() if valeur not in ("", None)})


@dataclass(frozen=True)
class Chiffre:
    """A count; None: hidden. `lignes`: how its lines are found, None when there are none to show."""

    nombre: int | None
    lignes: Lignes | None = None


# --- What is shown --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LigneQuart:
    """A quarter at least: of a contingent in a département, or of one bailleur's part of it. `manque` None: hidden."""

    departement: str
    code: str
    nom: str
    bailleur: Organisation | None
    prioritaires: Chiffre
    attributions: Chiffre
    manque: int | None
    article: str


@dataclass(frozen=True)
class LigneCent:
    """The État outside agents: `exceptions` by logged reason, in the order of the reasons; `manque`: neither."""

    departement: str
    bailleur: Organisation | None
    prioritaires: Chiffre
    attributions: Chiffre
    exceptions: tuple[tuple[str, Chiffre], ...]
    manque: Chiffre


@dataclass(frozen=True)
class LigneSortants:
    """People leaving shelters or the street among all attributions of the département (PACA's regional strategy)."""

    departement: str
    sortants: Chiffre
    attributions: Chiffre
    manque: int | None


@dataclass(frozen=True)
class Detail:
    """A line of an indicator. `total`: it sums those before it."""

    code: str
    libelle: str
    chiffre: Chiffre
    total: bool = False


@dataclass(frozen=True)
class Indicateur:
    """One of the seven: its definition, its lines; `reserve`: why some of it is not shown."""

    definition: Definition
    details: tuple[Detail, ...]
    reserve: str = ""


@dataclass(frozen=True)
class Indicateurs:
    """Everything that the page, its files and the API say."""

    demande: Demande
    lecture: Lecture
    quarts: tuple[LigneQuart, ...]
    cent: tuple[LigneCent, ...]
    sortants: tuple[LigneSortants, ...]
    article_5: tuple[Indicateur, ...]
    contingent: str
    noms: Mapping[str, str] = field(default_factory=dict)


# --- Counted by PostgreSQL ------------------------------------------------------------------------------------


class Imputees(NamedTuple):
    """`nombre` imputations of the period alike. `label`: category that ranks the household, "" without a title of priority."""

    departement: str
    bailleur: int
    titre: str
    detail: str
    motif: str
    dalo: bool
    label: str
    sortant: bool
    nombre: int


class Examines(NamedTuple):
    """`nombre` passages of closed commissions, or attributions pronounced, alike. `suite`: decision, or "REFUSEE", or ""."""

    departement: str
    bailleur: int
    usage: str
    premiere: bool
    oriente: int | None
    echouee: bool
    suite: str
    motif: int | None
    nombre: int


DU_PERIMETRE = """
  AND (%(departements)s::text[] IS NULL OR {t}.departement_id = ANY(%(departements)s))
  AND (%(bailleurs)s::bigint[] IS NULL OR {t}.bailleur_id = ANY(%(bailleurs)s))
  AND (%(reservataire)s::bigint IS NULL OR {r}.reservataire_id = %(reservataire)s)
"""
# The label that gave the group, as the imputation keeps it: best group, DALO first, then the oldest.
LABEL = """
(SELECT e.categorie_id FROM jsonb_to_recordset(i.explication->'labels') AS x(id bigint, groupe int, valide boolean)
 JOIN publics_labellisation e ON e.id = x.id WHERE x.valide
 ORDER BY x.groupe, (e.categorie_id = 'DALO') DESC, e.debut, e.id LIMIT 1)
"""
SORTANT = """
EXISTS (SELECT FROM jsonb_to_recordset(i.explication->'labels') AS x(id bigint, valide boolean)
        JOIN publics_labellisation e ON e.id = x.id WHERE x.valide AND e.categorie_id = ANY(%(sortants)s))
"""
IMPUTEES = f"""
SELECT i.departement_id, i.bailleur_id, i.titre, i.detail, i.motif_hors_prioritaire, {DALO},
       CASE WHEN i.detail = ANY(%(prioritaires)s) THEN coalesce({LABEL}, 'EFFACE') ELSE '' END, {SORTANT}, count(*)
FROM flux_imputation i JOIN flux_attribution a ON a.id = i.attribution_id
WHERE i.annee = %(annee)s AND i.date_caleol BETWEEN %(debut)s AND %(fin)s {DU_PERIMETRE.format(t="i", r="i")}
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
BAUX = f"""
SELECT i.departement_id, i.bailleur_id, i.titre, i.detail, i.motif_hors_prioritaire, false, '', false, count(*)
FROM flux_imputation i
WHERE i.annee = %(annee)s AND i.date_bail BETWEEN %(debut)s AND %(fin)s {DU_PERIMETRE.format(t="i", r="i")}
GROUP BY 1, 2, 3, 4, 5
"""
EXAMINES = f"""
SELECT s.departement_id, s.bailleur_id, l.usage, l.premiere, l.reservataire_id,
       coalesce(l.designation_echouee_le <= s.date AND l.reservataire_id <> l.bailleur_id, false),
       p.decision, p.motif_id, count(*)
FROM flux_commission s JOIN flux_passage p ON p.commission_id = s.id JOIN flux_liberation l ON l.id = p.liberation_id
WHERE s.date BETWEEN %(debut)s AND %(fin)s AND s.etat = 'CLOSE' AND p.decision <> ''
      {DU_PERIMETRE.format(t="s", r="l")}
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
PRONONCEES = f"""
SELECT a.departement_id, a.bailleur_id, l.usage, l.premiere, l.reservataire_id,
       coalesce(l.designation_echouee_le <= a.date_caleol AND l.reservataire_id <> l.bailleur_id, false),
       CASE WHEN a.refusee_le IS NULL THEN '' ELSE 'REFUSEE' END, a.motif_refus_id, count(*)
FROM flux_attribution a JOIN flux_liberation l ON l.id = a.liberation_id
WHERE a.date_caleol BETWEEN %(debut)s AND %(fin)s AND l.annulee_le IS NULL AND l.dans_assiette
      AND l.date <= make_date(%(annee)s, 12, 31) {DU_PERIMETRE.format(t="a", r="l")}
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""

# Dwellings oriented in the period: of the flux once their usage is looked at, what a bilan calls proposed.
ORIENTEES = f"""
SELECT l.departement_id, l.bailleur_id, l.usage, l.premiere, l.reservataire_id, false, '', NULL::bigint, count(*)
FROM flux_liberation l
WHERE greatest(l.orientee_le, l.date) BETWEEN %(debut)s AND %(fin)s AND l.annulee_le IS NULL AND l.dans_assiette
      AND l.reservataire_id IS NOT NULL {DU_PERIMETRE.format(t="l", r="l")}
GROUP BY 1, 2, 3, 4, 5
"""
# Dwellings handed to a réservataire in the period, for it to designate.
REMISES = f"""
SELECT d.departement_id, d.bailleur_id, l.usage, l.premiere, d.reservataire_id, false,
       CASE WHEN d.etat = 'ECHOUEE' THEN 'ECHOUEE' ELSE '' END, d.motif_id, count(*)
FROM flux_designation d JOIN flux_liberation l ON l.id = d.liberation_id
WHERE d.ouverte_le BETWEEN %(debut)s AND %(fin)s AND d.etat <> 'REMPLACEE' AND l.annulee_le IS NULL
      {DU_PERIMETRE.format(t="d", r="d")}
GROUP BY 1, 2, 3, 4, 5, 7, 8
"""


def parametres(acteur: Acteur, demande: Demande) -> dict[str, Any]:
    """What the queries need to stay within the perimeter of the actor, whatever is asked."""
    departements = None
    if acteur.est_service_etat or acteur.est_copil:
        departements = [d for d in acteur.departements if demande.departement in ("", d)]
    elif demande.departement:
        departements = [demande.departement]
    bailleurs = None
    if acteur.est_bailleur:
        bailleurs = [acteur.organisation_id] if demande.bailleur in (None, acteur.organisation_id) else []
    elif demande.bailleur is not None and not acteur.est_copil:  # hidden numbers are hidden among all of them
        bailleurs = [demande.bailleur]
    return {
        "annee": demande.annee,
        "debut": demande.debut,
        "fin": demande.fin,
        "departements": departements,
        "bailleurs": bailleurs,
        "reservataire": acteur.organisation_id if acteur.est_reservataire else None,
        "prioritaires": [str(titre) for titre in PRIORITAIRES],
        "sortants": [str(label) for label in SORTANTS],
    }


class Comptes:
    """What PostgreSQL counted for one demand, and what tells the contingent of each line."""

    def __init__(self, acteur: Acteur, demande: Demande) -> None:
        self.demande = demande
        self.parametres = parametres(acteur, demande)
        self.imputees = [Imputees(*ligne) for ligne in self._executer(IMPUTEES)]
        self.baux = [Imputees(*ligne) for ligne in self._executer(BAUX)]
        self.examines = [Examines(*ligne) for ligne in self._executer(EXAMINES)]
        self.prononcees = [Examines(*ligne) for ligne in self._executer(PRONONCEES)]
        presences = presences_visibles(acteur)
        if self.parametres["departements"] is not None:
            presences = presences.filter(departement__in=self.parametres["departements"])
        if self.parametres["bailleurs"] is not None:
            presences = presences.filter(bailleur__in=self.parametres["bailleurs"])
        self.paires: set[Paire] = {
            *presences.values_list("bailleur_id", "departement_id"),
            *((x.bailleur, x.departement) for x in (*self.imputees, *self.baux)),
            *((x.bailleur, x.departement) for x in (*self.examines, *self.prononcees)),
        }
        self.cadres: dict[Paire, Cadre] = charger_cadres(self.paires, demande.annee)
        orientes = {x.oriente for x in (*self.examines, *self.prononcees) if x.oriente}
        versions = [v for cadre in self.cadres.values() for v in cadre.versions]
        self.organisations = Organisation.objects.in_bulk(
            orientes | {v.organisation_id for v in versions} | {bailleur for bailleur, _ in self.paires}
        )

    def _executer(self, requete: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as curseur:
            curseur.execute(requete, self.parametres)
            return curseur.fetchall()

    @cached_property
    def orientees(self) -> list[Examines]:
        """Dwellings oriented in the period; counted when it is asked for."""
        return self._suites(ORIENTEES)

    @cached_property
    def remises(self) -> list[Examines]:
        """Dwellings handed to a réservataire in the period; counted when it is asked for."""
        return self._suites(REMISES)

    def _suites(self, requete: str) -> list[Examines]:
        lignes = [Examines(*ligne) for ligne in self._executer(requete)]
        if manquants := {x.oriente for x in lignes if x.oriente} - self.organisations.keys():
            self.organisations |= Organisation.objects.in_bulk(manquants)
        if paires := {(x.bailleur, x.departement) for x in lignes} - self.cadres.keys():
            self.cadres |= charger_cadres(paires, self.demande.annee)
        return lignes

    def contingent(self, ligne: Examines) -> str:
        return contingent_de(ligne, self.cadres, self.organisations, self.demande)

    def retenus(self, lignes: Iterable[Examines], code: str) -> list[Examines]:
        """Those of the contingent of this code; all of them when there is none."""
        return [ligne for ligne in lignes if not code or self.contingent(ligne) == code]

    @cached_property
    def par_paire(self) -> dict[Paire, list[Imputees]]:
        """The imputations of each bailleur in each département, gathered once."""
        siennes: dict[Paire, list[Imputees]] = {paire: [] for paire in self.paires}
        for x in self.imputees:
            siennes[x.bailleur, x.departement].append(x)
        return siennes

    @cached_property
    def titulaires(self) -> dict[Paire, frozenset[str]]:
        """Codes of those whom each bailleur owes something in the year, or for whom it let something."""
        return {
            paire: frozenset(
                {acte.reservataire.code for acte in self.cadres[paire].actes} | {x.titre for x in lignes}
            )
            for paire, lignes in self.par_paire.items()
        }

    def du_departement(self, departement: str, bailleur: int | None = None) -> list[Imputees]:
        return [
            x
            for (b, d), lignes in self.par_paire.items()
            if d == departement and bailleur in (None, b)
            for x in lignes
        ]

    def actes(self, departement: str) -> tuple[Acte, ...]:
        codes = {x.titre for x in self.du_departement(departement)}
        return tuple(
            acte
            for (_, lieu), cadre in self.cadres.items()
            if lieu == departement
            for acte in cadre.completer(codes)
        )

    @cached_property
    def codes(self) -> dict[str, Organisation]:
        """Code of a collectivité or of an other réservataire → organisation."""
        return {
            o.code: o
            for o in self.organisations.values()
            if o.type in (TypeOrganisation.COLLECTIVITE, TypeOrganisation.AUTRE_RESERVATAIRE)
        }

    def nom(self, code: str) -> str:
        noms = {"ETAT": "État", "ALS": "Action Logement Services", "BAILLEUR": "Bailleur (non réservé)"}
        return noms.get(code) or (self.codes[code].nom if code in self.codes else code)


def contingent_de(
    ligne: Any, cadres: Mapping[Paire, Cadre], organisations: Mapping[int, Organisation], demande: Demande
) -> str:
    """Code of the contingent that a passage or an attribution bears on, by the rules of the imputation.

    `ligne`: an `Examines`, or anything else that has its `bailleur`, `departement`, `usage`, `premiere`, `oriente`, `echouee`.
    """
    regime = cadres[ligne.bailleur, ligne.departement].regime
    sort = destination(demande.debut, ligne.premiere, False, ligne.usage, demande.annee, regime)
    if sort != Destination.FLUX:
        return HORS_CONTINGENT
    reservataire = None
    if ligne.oriente:
        organisation = organisations[ligne.oriente]
        reservataire = reservataire_de(organisation.type, organisation.code)
    return contingent_impute(reservataire, ligne.echouee).code


@agir(Acteur.du_systeme("indicateurs"))
def lire_indicateurs(
    acteur: Acteur, demande: Demande, comptes: "Comptes | None" = None
) -> Indicateurs | None:
    """The tests and the seven indicators that `acteur` may read; None when it may read nothing of them.

    Eight queries or so, whatever the number of bailleurs and of lines. `comptes`: those of the same actor and demand, when
    the caller has made them.
    """
    lecture = Lecture.de(acteur)
    if lecture is None:
        return None
    if (
        lecture.masque
    ):  # one département, the whole year: sums and parts of them would give hidden numbers back
        premier = next(iter(acteur.departements), "")
        demande = replace(demande, periode="", departement=demande.departement or premier)
    comptes = comptes or Comptes(acteur, demande)
    composeur = _Composeur(acteur, lecture, comptes)
    return Indicateurs(
        demande=demande,
        lecture=lecture,
        quarts=tuple(composeur.quarts()),
        cent=tuple(composeur.cent()),
        sortants=tuple(composeur.sortants()),
        article_5=tuple(composeur.article_5()),
        contingent=comptes.nom(composeur.contingent) if composeur.contingent else "",
        noms=dict(Departement.objects.filter(pk__in={d for _, d in comptes.paires}).values_list("pk", "nom")),
    )


@agir(Acteur.du_systeme("choix des indicateurs"))
def reservataires_lisibles(acteur: Acteur, annee: int) -> list[tuple[str, str]]:
    """(code, name) of the contingents that the actor may ask for, in the order of the lists."""
    if acteur.est_reservataire:
        organisation = Organisation.objects.get(pk=acteur.organisation_id)
        return [(organisation.code_reservataire, organisation.nom)]
    paires = set(presences_visibles(acteur).values_list("bailleur_id", "departement_id"))
    cadres = charger_cadres(paires, annee)
    noms = {v.reservataire.code: v.nom for cadre in cadres.values() for v in cadre.versions}
    connus = {"ETAT": "État", "ALS": "Action Logement Services", "BAILLEUR": "Bailleur (non réservé)"}
    reservataires = lister_reservataires(acte for cadre in cadres.values() for acte in cadre.actes)
    return [(r.code, connus.get(r.code) or noms.get(r.code, r.code)) for r in reservataires]


class _Composeur:
    """Puts the counts in the order of the page, with the lines behind them, hidden where they must be."""

    def __init__(self, acteur: Acteur, lecture: Lecture, comptes: Comptes) -> None:
        self.acteur, self.lecture, self.comptes = acteur, lecture, comptes
        self.demande = comptes.demande
        self.departements = sorted({d for _, d in comptes.paires})
        # One contingent asked for: its lines are those of the bailleurs.
        self.par_bailleur = not acteur.est_bailleur and bool(
            self.demande.reservataire or acteur.est_reservataire
        )

    def _chiffre(self, nombre: int | None, **lignes: Any) -> Chiffre:
        """`lignes`: what finds the lines again; a hidden number has none."""
        if nombre is None or not self.lecture.lignes or not lignes:
            return Chiffre(nombre)
        d = self.demande
        return Chiffre(nombre, Lignes(annee=d.annee, periode=d.periode, **lignes))

    def _bailleurs(self, departement: str) -> list[Organisation]:
        """Those of a département, by name; for the COPIL the filter applies here, once numbers are hidden."""
        return sorted(
            (self.comptes.organisations[b] for b, d in self.comptes.paires if d == departement),
            key=lambda o: (o.nom_tri, o.pk),
        )

    def _lots(self, departement: str, bailleur: int | None = None) -> list[LotImpute]:
        return [
            LotImpute(x.titre, x.detail, bool(x.motif), True, False, False, x.nombre)
            for x in self.comptes.du_departement(departement, bailleur)
            if x.titre not in (Destination.SOUSTRACTION, Destination.HORS_FLUX)
        ]

    # --- The quarters ---------------------------------------------------------------------------------------

    def quarts(self) -> Iterable[LigneQuart]:
        """ALS and each collectivité in a département, each bailleur in a département (chapter 6)."""
        for departement in self.departements:
            bailleurs = self._bailleurs(departement)
            actes = self.comptes.actes(departement)
            ensembles = self._evaluer(self._lots(departement), actes)
            siens = {o.pk: self._evaluer(self._lots(departement, o.pk), actes) for o in bailleurs}
            for reservataire, ensemble in ensembles.items():
                if not self._demande_le(reservataire):
                    continue
                au_bailleur = reservataire == BAILLEUR
                par_bailleur = {
                    o.pk: siens[o.pk][reservataire]
                    for o in bailleurs
                    if au_bailleur or reservataire.code in self.comptes.titulaires[o.pk, departement]
                }
                masques = masquer_tests(par_bailleur)
                if not au_bailleur:
                    montre = not self.lecture.masque or _somme_lisible(departement, par_bailleur)
                    yield self._ligne_quart(departement, reservataire, None, ensemble, montre)
                if au_bailleur or self.par_bailleur:
                    for o in bailleurs:
                        if o.pk in par_bailleur and self._montre(o.pk):
                            montre = not self.lecture.masque or o.pk in masques.lignes
                            yield self._ligne_quart(departement, reservataire, o, par_bailleur[o.pk], montre)

    def _montre(self, bailleur: int) -> bool:
        return self.demande.bailleur in (None, bailleur)

    @cached_property
    def _code_propre(self) -> str:
        return Organisation.objects.get(pk=self.acteur.organisation_id).code_reservataire

    def _demande_le(self, reservataire: Reservataire) -> bool:
        if self.acteur.est_reservataire:
            return reservataire.code == self._code_propre
        return self.demande.reservataire in ("", reservataire.code)

    @staticmethod
    def _evaluer(lots: Sequence[LotImpute], actes: Sequence[Acte]) -> dict[Reservataire, tuple[int, int]]:
        """Réservataire → (priority households, attributions), by the rule of the bilan, in the order of the lists."""
        return {q.reservataire: (q.prioritaires, q.attributions) for q in evaluer_quarts(lots, actes)}

    def _ligne_quart(
        self,
        departement: str,
        reservataire: Reservataire,
        bailleur: Organisation | None,
        quart: tuple[int, int],
        montre: bool,
    ) -> LigneQuart:
        prioritaires, attributions = quart
        filtre = {
            "nature": "attributions",
            "departement": departement,
            "reservataire": reservataire.code,
            "bailleur": bailleur.pk if bailleur else self.demande.bailleur,
        }
        return LigneQuart(
            departement,
            reservataire.code,
            self.comptes.nom(reservataire.code),
            bailleur,
            self._chiffre(prioritaires if montre else None, **filtre, priorite=OUI),
            self._chiffre(attributions, **filtre),
            manque_au_quart(prioritaires, attributions) if montre else None,
            "L. 313-26-2" if reservataire == ALS else "L. 441-1",
        )

    # --- The État at 100 % ----------------------------------------------------------------------------------

    def cent(self) -> Iterable[LigneCent]:
        if not self._demande_le(ETAT):
            return
        for departement in self.departements:
            yield self._ligne_cent(departement, None)
            if self.par_bailleur and not self.lecture.masque:
                for o in self._bailleurs(departement):
                    if ETAT.code in self.comptes.titulaires[o.pk, departement] and self._montre(o.pk):
                        yield self._ligne_cent(departement, o)

    def _ligne_cent(self, departement: str, bailleur: Organisation | None) -> LigneCent:
        pk = bailleur.pk if bailleur else None
        cent: CentPourCent = evaluer_cent_pour_cent(self._lots(departement, pk))
        motifs: Counter[str] = Counter()
        for x in self.comptes.du_departement(departement, pk):
            if x.titre == ETAT.code and x.detail == Titre.AUTRE and x.motif:
                motifs[x.motif] += x.nombre
        parts: dict[str, int | None] = {
            OUI: cent.prioritaires,
            **{motif: motifs[motif] for motif in MOTIFS},
            SANS_MOTIF: cent.manque,
        }
        attributions: int | None = cent.attributions
        if self.lecture.masque:
            lus = self._etat_lu(departement)
            titres = lire_titres(lus)
            priorites = (
                titres[t] for t in (Titre.PRIORITE_1, Titre.PRIORITE_2, Titre.PRIORITE_3, Titre.AUTRE)
            )
            parts = dict.fromkeys(parts) if None in priorites else masquer_partition(parts)
            if titres[Titre.AGENT] is None or est_tu(lus, "attributions"):
                attributions = None
        filtre = {
            "nature": "attributions",
            "departement": departement,
            "reservataire": ETAT.code,
            "bailleur": pk or self.demande.bailleur,
        }
        return LigneCent(
            departement,
            bailleur,
            self._chiffre(parts[OUI], **filtre, priorite=OUI),
            self._chiffre(attributions, **filtre, priorite="hors_agents"),
            tuple(
                (libelle, self._chiffre(parts[motif], **filtre, priorite=NON, motif=motif))
                for motif, libelle in MOTIFS.items()
            ),
            self._chiffre(parts[SANS_MOTIF], **filtre, priorite=NON, motif=SANS_MOTIF),
        )

    def _etat_lu(self, departement: str) -> Lus:
        """What the COPIL may read of the State's households of the département: the same as in the regional bilan."""
        titres, non_comptes, baux = {}, {}, {}
        signes: dict[int, Counter[bool]] = {}  # leases of the État, of households that count for it or not
        for x in self.comptes.baux:
            if x.departement == departement and x.titre == ETAT.code:
                signes.setdefault(x.bailleur, Counter())[_ne_compte_pas(x)] += x.nombre
        for o in self._bailleurs(departement):
            chemin = (departement, str(o.pk))
            compte = Counter(dict.fromkeys(TITRES, 0))
            siennes = self.comptes.du_departement(departement, o.pk)
            for x in siennes:
                if x.titre == ETAT.code and x.detail in TITRES:
                    compte[x.detail] += x.nombre
            absents = sum(x.nombre for x in siennes if _ne_compte_pas(x))
            if any(compte.values()):  # nobody to hide where the État obtained nothing
                non_comptes[chemin] = {NON_COMPTES: absents}
            motives = compte.pop(AUTRE) - absents
            titres[chemin] = {**compte, MOTIVES: motives}
            au_bail = self.comptes.cadres[o.pk, departement].regime.fait_generateur == FaitGenerateur.BAIL
            if au_bail and o.pk in signes:
                baux[chemin] = {BAUX_NON_COMPTES: signes[o.pk][True]}
        tables = {TITRES_COMPTES: titres, NON_COMPTES: non_comptes, BAUX_NON_COMPTES: baux}
        lieu = (departement,)
        return {nom: lignes[lieu] for nom, lignes in masquer_menages(tables).items() if lieu in lignes}

    @cached_property
    def _tus(self) -> frozenset[str]:
        """Counts of dwellings of the contingent of article 5 that are hidden, for the households that they would tell."""
        if not self.lecture.masque or self.contingent != ETAT.code:
            return frozenset()
        lus = self._etat_lu(self.demande.departement)
        return frozenset(champ for champ in ("attributions", "baux") if est_tu(lus, champ))

    # --- The 6 % --------------------------------------------------------------------------------------------

    def sortants(self) -> Iterable[LigneSortants]:
        """Where an act of the État says so: those made from the model of PACA (its preamble)."""
        if not self.lecture.sortants or self.demande.reservataire:
            return
        for departement in self.departements:
            cadres = [cadre for (_, lieu), cadre in self.comptes.cadres.items() if lieu == departement]
            if not any(self._suit_les_six_pour_cent(cadre) for cadre in cadres):
                continue
            siennes = self.comptes.du_departement(departement)
            total = sum(x.nombre for x in siennes)
            sortants = sum(x.nombre for x in siennes if x.sortant)
            entier = not self.demande.periode and self.demande.bailleur is None
            lisible = departement in masquer_tests({departement: (sortants, total)}).lignes
            montre = self.lecture.sortants == "tout" or (entier and lisible)
            # Less the contingents, which are shown, the total says those of the État, but for what is out of them.
            hors = sum(x.nombre for x in siennes if _priorite(x) == HORS)
            tu = self.lecture.masque and hors < LARGEUR and est_tu(self._etat_lu(departement), "attributions")
            yield LigneSortants(
                departement,
                Chiffre(sortants if montre else None),
                self._chiffre(
                    None if tu else total,
                    nature="attributions",
                    departement=departement,
                    bailleur=self.demande.bailleur,
                ),
                manque_au_quart(sortants, total, SIX_POUR_CENT) if montre and not tu else None,
            )

    def _suit_les_six_pour_cent(self, cadre: Cadre) -> bool:
        return any(
            v.reservataire == ETAT
            and v.modele == Convention.Modele.PACA
            and v.debut <= self.demande.fin
            and v.fin >= self.demande.debut
            for v in cadre.versions
        )

    # --- Article 5 ------------------------------------------------------------------------------------------

    def article_5(self) -> Iterable[Indicateur]:
        """The seven, for the contingent that is asked for, or for all that the actor reads."""
        motifs = {m.pk: m for m in MotifRefus.objects.order_by("rang", "code")}
        examines = self.comptes.retenus(self.comptes.examines, self.contingent)
        refusees = [x for x in self.comptes.retenus(self.comptes.prononcees, self.contingent) if x.suite]
        refus = [x for x in examines if x.suite in REFUS_CALEOL]
        contingents = [x for x in self.comptes.imputees if self._retenu(x.titre)]
        yield self._indicateur(
            "decisions",
            {d.value: (libelle, {"decision": d.value}) for d, libelle in DECISIONS.items()},
            _compter(examines, lambda x: x.suite),
            "Ensemble des décisions",
            nature="dossiers",
        )
        yield self._indicateur(
            "dossiers", {}, _compter(examines, lambda x: ""), "Dossiers présentés", nature="dossiers"
        )
        for code, lignes, vide in (
            ("refus_caleol", refus, "Irrecevable, sans motif enregistré"),
            ("refus_menages", refusees, "Motif non renseigné"),
        ):
            presents = {x.motif for x in lignes}
            parts = {m.code: (m.libelle, {"motif": m.code}) for pk, m in motifs.items() if pk in presents}
            if None in presents:
                parts[SANS_MOTIF] = (vide, {"motif": SANS_MOTIF})
            compte = _compter(lignes, lambda x: motifs[x.motif].code if x.motif else SANS_MOTIF)
            yield self._indicateur(code, parts, compte, "Ensemble des refus", nature=code)
        baux = [x for x in self.comptes.baux if self._retenu(x.titre)]
        yield self._indicateur(
            "baux", {}, _compter(baux, lambda x: ""), "Baux signés", tu="baux" in self._tus, nature="baux"
        )
        yield from self._publics(contingents)

    @cached_property
    def contingent(self) -> str:
        """Code of the contingent of article 5, "" for all: one's own for a réservataire; that of ALS, whom the article
        speaks of, where a sum of contingents would give hidden numbers back."""
        if self.acteur.est_reservataire:
            return self._code_propre
        return self.demande.reservataire or (ALS.code if self.lecture.masque else "")

    def _retenu(self, titre: str) -> bool:
        return self.contingent in ("", titre)

    def _indicateur(
        self,
        code: str,
        parts: Mapping[str, tuple[str, dict[str, str]]],
        compte: Mapping[str, int],
        total: str,
        tu: bool = False,
        **lignes: str,
    ) -> Indicateur:
        """`parts`: code → (label, what finds its lines); `compte`: code → count, all of whose keys are parts if any is."""
        nombres: Mapping[str, int | None] = {cle: compte.get(cle, 0) for cle in parts}
        somme: int | None = sum(compte.values())
        if self.lecture.masque:
            nombres = masquer_partition({cle: compte.get(cle, 0) for cle in parts})
            somme = None if tu else masquer_partition({"": somme})[""]
        details = [
            Detail(cle, libelle, self._chiffre(nombres[cle], **self._filtre, **lignes, **filtre))
            for cle, (libelle, filtre) in parts.items()
        ]
        details.append(Detail("", total, self._chiffre(somme, **self._filtre, **lignes), total=True))
        return Indicateur(DEFINITIONS[code], tuple(details))

    @property
    def _filtre(self) -> dict[str, Any]:
        d = self.demande
        return {"departement": d.departement, "bailleur": d.bailleur, "reservataire": self.contingent}

    # Small numbers are hidden table by table: a part of the year, a bailleur or a sum of contingents beside the whole
    # would give a hidden number back, so that they are not shown to whom something is hidden.
    @cached_property
    def _tableau_entier(self) -> bool:
        d = self.demande
        return bool(d.departement and self.contingent and d.bailleur is None and not d.periode)

    def _publics(self, siennes: Sequence[Imputees]) -> Iterable[Indicateur]:
        """The last two indicators: titles, which follow the lines; grounds and DALO, as chapter 2 says."""
        titres = _compter(siennes, _priorite)
        masque = self.lecture.masque
        lus: Mapping[str, int | None] = {cle: titres[cle] for cle in (OUI, NON, HORS)}
        if masque:
            lus = masquer_partition({cle: titres[cle] for cle in (OUI, NON)}) | {HORS: None}
            if not self._publics_lisibles(siennes):
                lus = dict.fromkeys(lus)
        motifs, dalo = self._motifs_et_dalo(siennes, titres[OUI])
        libelles = {OUI: "Prioritaires", NON: "Autres ménages", HORS: "Hors contingent"}
        details = [
            Detail(cle, libelle, self._chiffre(lus[cle], **self._filtre, nature="attributions", priorite=cle))
            for cle, libelle in libelles.items()
            if cle != HORS or (titres[HORS] and not masque)
        ]
        ensemble = Detail(
            "",
            "Ensemble des attributions",
            self._chiffre(
                None if "attributions" in self._tus else sum(titres.values()),
                **self._filtre,
                nature="attributions",
            ),
            total=True,
        )
        yield Indicateur(
            DEFINITIONS["priorite"],
            (*details, ensemble, *motifs),
            self._reserve(self.lecture.motifs, "motifs de priorité"),
        )
        yield Indicateur(
            DEFINITIONS["dalo"],
            (*dalo, ensemble) if dalo else (),
            self._reserve(self.lecture.dalo, "ménages DALO"),
        )

    def _publics_lisibles(self, siennes: Sequence[Imputees]) -> bool:
        """Whether the priority households of the contingent are shown to the COPIL: the same as in the regional bilan."""
        if self.contingent == ETAT.code:
            return None not in lire_titres(self._etat_lu(self.demande.departement)).values()
        tests: dict[int, tuple[int, int]] = {}
        for x in siennes:
            p, n = tests.get(x.bailleur, (0, 0))
            tests[x.bailleur] = (p + (x.nombre if _priorite(x) == OUI else 0), n + x.nombre)
        return _somme_lisible(self.demande.departement, tests)

    def _reserve(self, lecture: str, quoi: str) -> str:
        if not lecture:
            return f"Les {quoi} ne font pas partie de ce que votre organisation peut lire."
        if lecture == "masque" and not self._tableau_entier:
            return (
                f"Les {quoi} se lisent par nombres de onze ménages au moins : choisissez un département et un "
                "réservataire, l’année entière, sans bailleur."
            )
        return ""

    def _motifs_et_dalo(
        self, siennes: Sequence[Imputees], prioritaires: int
    ) -> tuple[list[Detail], list[Detail]]:
        """Grounds among the priority households, and DALO among all: hidden together, for DALO is a ground."""
        categories = {c.pk: c.libelle for c in CategorieLabel.objects.order_by("rang")}
        par_motif = _compter((x for x in siennes if x.label), lambda x: x.label)
        motifs: Mapping[str, int | None] = {code: par_motif[code] for code in categories}
        if par_motif[EFFACE]:
            categories[EFFACE] = "Label effacé au terme de sa conservation"
            motifs = {**motifs, EFFACE: par_motif[EFFACE]}
        total = sum(x.nombre for x in siennes)
        nombre_dalo = sum(x.nombre for x in siennes if x.dalo)
        dalo: Mapping[str, int | None] = {OUI: nombre_dalo, NON: total - nombre_dalo}
        if "masque" in (self.lecture.motifs, self.lecture.dalo):
            motifs, dalo = _masquer_ensemble(
                {code: par_motif[code] for code in categories},
                {OUI: nombre_dalo, NON: total - nombre_dalo},
                dalo_masque=self.lecture.dalo == "masque",
            )
        if "attributions" in self._tus:  # both parts would give their sum back
            dalo = {**dalo, NON: None}
        lignes_motifs = _detailler(motifs, categories) if self._lit(self.lecture.motifs) else []
        lignes_dalo = (
            [
                Detail(
                    cle,
                    libelle,
                    self._chiffre(dalo[cle], **self._filtre, nature="attributions", dalo=cle)
                    if self.lecture.dalo == "tout"
                    else Chiffre(dalo[cle]),
                )
                for cle, libelle in ((OUI, "DALO"), (NON, "Non DALO"))
            ]
            if self._lit(self.lecture.dalo)
            else []
        )
        return lignes_motifs, lignes_dalo

    def _lit(self, lecture: str) -> bool:
        return lecture == "tout" or (lecture == "masque" and self._tableau_entier)


def _somme_lisible(departement: str, tests: Mapping[int, tuple[int, int]]) -> bool:
    """Whether the priority households of all the bailleurs together are shown: the same as in the regional bilan."""
    feuilles = {(departement, str(cle)): {OUI: p, NON: n - p} for cle, (p, n) in tests.items()}
    return bool(feuilles) and masquer_arbre(feuilles)[(departement,)][OUI] is not None


def _compter(lignes: Iterable[Any], cle: Callable[[Any], str]) -> Counter[str]:
    compte: Counter[str] = Counter()
    for ligne in lignes:
        compte[cle(ligne)] += ligne.nombre
    return compte


def _priorite(ligne: Imputees) -> str:
    if ligne.titre in (Destination.SOUSTRACTION, Destination.HORS_FLUX):
        return HORS
    return OUI if ligne.detail in PRIORITAIRES else NON


def _ne_compte_pas(ligne: Imputees) -> bool:
    """A household of the État with neither a priority nor a logged reason."""
    return ligne.titre == ETAT.code and ligne.detail == AUTRE and not ligne.motif


def _detailler(motifs: Mapping[str, int | None], libelles: Mapping[str, str]) -> list[Detail]:
    """The grounds that somebody has; those that are hidden in one line, for which of them are zero is hidden too."""
    details = [
        Detail(code, libelle, Chiffre(motifs[code])) for code, libelle in libelles.items() if motifs[code]
    ]
    if None in motifs.values():
        details.append(Detail("AUTRES", "Chacun des autres motifs", Chiffre(None)))
    return details


def dalo_des_prioritaires(siennes: Sequence[Imputees], categories: Iterable[str]) -> int | None:
    """DALO among the priority households of a contingent in a département, the whole year; None when it is hidden.

    The number that the indicators of that contingent show: hidden there, hidden here.
    """
    par_motif = _compter((x for x in siennes if x.label), lambda x: x.label)
    motifs = {code: par_motif[code] for code in (*categories, *([EFFACE] if par_motif[EFFACE] else []))}
    oui = sum(x.nombre for x in siennes if x.dalo)
    dalo = {OUI: oui, NON: sum(x.nombre for x in siennes) - oui}
    return _masquer_ensemble(motifs, dalo, dalo_masque=True)[0][DALO_CODE]


def _masquer_ensemble(
    motifs: Mapping[str, int], dalo: Mapping[str, int], *, dalo_masque: bool
) -> tuple[Mapping[str, int | None], Mapping[str, int | None]]:
    """Grounds and DALO without what would give one back from the other."""
    if not dalo_masque:  # its lines are read one by one: nothing to hide, and nothing to protect
        return masquer_partition({cle: n for cle, n in motifs.items() if cle != DALO_CODE}) | {
            DALO_CODE: motifs[DALO_CODE]
        }, dalo
    lus_dalo, lus_motifs = masquer_partition(dalo), masquer_partition(motifs)
    if lus_dalo[OUI] is None or lus_motifs[DALO_CODE] is None:
        return masquer_partition(motifs, forces=[DALO_CODE]), dict.fromkeys(dalo)
    return lus_motifs, lus_dalo
