"""Reads everything that a bilan says, once, into the frozen tree that the page, the PDF and the workbook render.

The shares, the realised and the tests are those of the calculation of the flux, never computed again. What the
calculation does not hold (tables, lines, refusals) is counted by PostgreSQL from the same rows: a number of queries
that depends on nothing, in one snapshot of the database. `bilans.regles.coherence` then proves that both agree.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from bilans.documents.methode import MOTIFS
from bilans.models import Bilan
from bilans.regles.coherence import exiger
from bilans.regles.donnees import (
    ALS,
    BAILLEUR,
    ETAT,
    PREMIERE,
    PREMIERE_HORS_FLUX,
    RELOCATION,
    Caleol,
    CelluleCroisee,
    Classe,
    Compte,
    CompteReservataire,
    ControleCent,
    ControleHorsQpv,
    ControleQuart,
    ConventionLue,
    Croise,
    DonneesBilan,
    FicheBailleur,
    FicheReservataire,
    Flux,
    FluxCommune,
    GroupePriorite,
    LigneAttribution,
    LigneEtat,
    LigneSoustraction,
    Operation,
    Parc,
    Part,
    PartageCommune,
    PartLocale,
    PlafondAgents,
    Pont,
    PremieresParFinancement,
    Refus,
    RegimeLu,
    Situation,
    Suite,
    TauxPeriode,
    Territoire,
)
from flux.models import (
    CalculAFaire,
    CalculFlux,
    Imputation,
    MotifRefus,
    Nature,
    Passage,
    SoustractionPrevisionnelle,
    Usage,
)
from flux.regles.annuel import Destination, destination
from flux.regles.imputation import (
    LIBELLES_TITRE,
    PREMIERE_MISE_EN_LOCATION,
    TITRES_ETAT,
    Titre,
    contingent_impute,
)
from flux.services.avertissements import PREMIERES_HORS_FLUX
from flux.services.cadres import Cadre, reservataire_de
from flux.services.entrees import empreinte, lire_entrees
from flux.services.imputations import GroupesDates
from publics.regles.groupes import TypeLabel, nommer
from reservation.acteur import Acteur
from reservation.models import (
    ClasseFinancement,
    ClassePeriode,
    ClasseTypologie,
    Commune,
    Derogation,
    Organisation,
    VersionConvention,
)
from reservation.perimetre import agir
from reservation.regles.actes import ALS as REGLE_ALS
from reservation.regles.actes import (
    Acte,
    Regime,
    Reservataire,
    Soustraction,
    periodes_de_taux,
    points,
    regime_de_l_annee,
    taux_brut,
)
from reservation.regles.actes import Nature as NatureReservataire
from reservation.regles.periodes import Periode, annee_civile
from reservation.regles.statut import STATUTS_DANS, STATUTS_HORS
from reservation.regles.typographie import date_fr, decimales, entier_fr, taux_fr, typographier

from .cycle_atterrissage import atterrir

PRIORITAIRES = frozenset({Titre.PRIORITE_1, Titre.PRIORITE_2, Titre.PRIORITE_3, Titre.PRIORITAIRE})
HORS_FLUX = Destination.HORS_FLUX.value


class CalculAbsent(LookupError):
    """No observed flux for the year, or none that could be computed from what is known now: waiting changes nothing.

    The message is a French sentence.
    """


class CalculPerime(RuntimeError):
    """The flux is to be computed again before its bilan can be stated. The message is a French sentence."""


@agir(Acteur.du_systeme("chiffres d’un bilan"))
def lire_donnees(bilan: Bilan, jour: date | None = None) -> DonneesBilan:
    """The figures of `bilan`, totals proved: the lines of now, said to be those of `jour` (today by default).

    Only a document that was just made is read again with its own `jour`; a past day does not bring its lines back.
    Raises `CalculAbsent`, `CalculPerime`, or `ChiffresIncoherents` when totals disagree.
    """
    with _instantane():
        return exiger(_Lecture(bilan, jour or timezone.localdate()).donnees())


@contextmanager
def _instantane() -> Iterator[None]:
    """One snapshot for all the queries, unless the caller is already in a transaction."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as curseur:
            curseur.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


# --- What PostgreSQL counts ---------------------------------------------------------------------------------

# Libérations that are in the flux whatever their year, by the rule: (usage, première) pairs that it keeps.
DU_FLUX = """
    SELECT l.* FROM flux_liberation l
    JOIN unnest(%(usages)s::text[], %(premieres)s::boolean[]) AS u(usage, premiere) USING (usage, premiere)
    WHERE l.bailleur_id = %(bailleur)s AND l.departement_id = %(departement)s
      AND l.annulee_le IS NULL AND l.dans_assiette AND l.date <= %(fin)s
"""
# A dwelling oriented before it is free is proposed on the day it is free; one that its réservataire could not fill
# is proposed again, to the bailleur; one never oriented is the bailleur's own, when it attributes it.
PROPOSES = f"""
WITH du_flux AS ({DU_FLUX}), proposes AS (
    SELECT reservataire_id, typologie, financement, qpv, periode, commune_id FROM du_flux
    WHERE reservataire_id IS NOT NULL AND greatest(orientee_le, date) BETWEEN %(debut)s AND %(fin)s
    UNION ALL
    SELECT bailleur_id, typologie, financement, qpv, periode, commune_id FROM du_flux
    WHERE designation_echouee_le BETWEEN %(debut)s AND %(fin)s AND reservataire_id <> bailleur_id
    UNION ALL
    SELECT l.bailleur_id, l.typologie, l.financement, l.qpv, l.periode, l.commune_id FROM du_flux l
    JOIN flux_imputation i ON i.liberation_id = l.id AND i.annee = %(annee)s
    WHERE l.reservataire_id IS NULL AND i.date_caleol BETWEEN %(debut)s AND %(fin)s
)
SELECT grouping(typologie, financement, qpv, periode, commune_id), reservataire_id,
       coalesce(typologie, financement, qpv::text, periode, commune_id), count(*)
FROM proposes
GROUP BY GROUPING SETS ((reservataire_id, typologie), (reservataire_id, financement), (reservataire_id, qpv),
                        (reservataire_id, periode), (reservataire_id, commune_id))
"""
ATTRIBUES = """
SELECT grouping(l.typologie, l.financement, l.qpv, l.periode, l.commune_id), i.titre,
       coalesce(l.typologie, l.financement, l.qpv::text, l.periode, l.commune_id), count(*)
FROM flux_imputation i JOIN flux_liberation l ON l.id = i.liberation_id
WHERE i.departement_id = %(departement)s AND i.annee = %(annee)s AND i.bailleur_id = %(bailleur)s
  AND i.date_caleol BETWEEN %(debut)s AND %(fin)s AND i.titre NOT IN ('SOUSTRACTION', 'HORS_FLUX')
GROUP BY GROUPING SETS ((i.titre, l.typologie), (i.titre, l.financement), (i.titre, l.qpv),
                        (i.titre, l.periode), (i.titre, l.commune_id))
"""
# What `grouping` returns for each set, in the order of its arguments: a bit is 1 for what is not grouped by.
DIMENSIONS = {
    0b01111: "typologie",
    0b10111: "financement",
    0b11011: "localisation",
    0b11101: "construction",
    0b11110: "commune",
}

# A label counts on the day of the CALEOL, or by the DDETS's exception for that attribution.
DALO = """
EXISTS (SELECT 1 FROM publics_labellisation e WHERE e.menage_id = a.menage_id AND e.categorie_id = 'DALO'
        AND (i.date_caleol BETWEEN e.debut AND coalesce(e.fin, 'infinity'::date)
             OR EXISTS (SELECT 1 FROM flux_attribution_labels_admis x
                        WHERE x.attribution_id = a.id AND x.labellisation_id = e.id)))
"""
IMPUTATIONS = f"""
SELECT i.titre, i.detail, i.motif_hors_prioritaire, i.qpv, {DALO}, i.date_bail IS NOT NULL,
       l.date < %(debut)s, l.premiere,
       CASE WHEN l.designation_echouee_le IS NULL THEN coalesce(a.reservataire_id, l.reservataire_id)
            ELSE l.reservataire_id END,
       l.designation_echouee_le IS NOT NULL AND l.reservataire_id <> l.bailleur_id, l.financement, count(*)
FROM flux_imputation i JOIN flux_liberation l ON l.id = i.liberation_id JOIN flux_attribution a ON a.id = i.attribution_id
WHERE i.departement_id = %(departement)s AND i.annee = %(annee)s AND i.bailleur_id = %(bailleur)s
  AND i.date_caleol BETWEEN %(debut)s AND %(fin)s
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
"""
LIGNES = f"""
SELECT i.date_caleol, l.date, l.reference, c.nom, l.qpv, l.typologie, l.financement, l.periode, i.titre, i.detail,
       {DALO}, coalesce(m.numero_fin, ''), i.date_bail, a.refusee_le, i.motif_hors_prioritaire,
       (i.explication -> 'agent' ->> 'validation')::date,
       coalesce((i.explication -> 'agent' ->> 'accord_posterieur')::boolean, FALSE),
       CASE WHEN l.reservataire_id <> l.bailleur_id THEN l.designation_echouee_le END
FROM flux_imputation i
JOIN flux_liberation l ON l.id = i.liberation_id
JOIN flux_attribution a ON a.id = i.attribution_id
JOIN reservation_commune c ON c.code = l.commune_id
LEFT JOIN publics_menage m ON m.id = a.menage_id
WHERE i.departement_id = %(departement)s AND i.annee = %(annee)s AND i.bailleur_id = %(bailleur)s
  AND i.date_caleol BETWEEN %(debut)s AND %(fin)s
ORDER BY i.date_caleol, l.date, l.reference, l.cle_logement, l.id
"""
LIBEREES = """
SELECT l.usage, l.premiere, l.commune_id, l.qpv,
       CASE WHEN i.id IS NOT NULL THEN 'ATTRIBUEE' WHEN l.reservataire_id IS NOT NULL THEN 'ORIENTEE' ELSE '' END,
       count(*)
FROM flux_liberation l
LEFT JOIN flux_imputation i ON i.liberation_id = l.id AND i.annee = %(annee)s
     AND i.date_caleol BETWEEN %(debut)s AND %(fin)s
WHERE l.bailleur_id = %(bailleur)s AND l.departement_id = %(departement)s AND l.date BETWEEN %(debut)s AND %(fin)s
  AND l.annulee_le IS NULL AND l.dans_assiette
GROUP BY 1, 2, 3, 4, 5
"""
# Every decision to attribute of the year, those that the household refused included: a dwelling may be there twice, each
# time for the réservataire whose contingent it was that day.
PRONONCEES = """
SELECT l.usage, l.premiere, coalesce(a.reservataire_id, l.reservataire_id),
       l.designation_echouee_le IS NOT NULL AND l.reservataire_id <> l.bailleur_id
           AND l.designation_echouee_le <= a.date_caleol,
       a.refusee_le IS NOT NULL, a.motif_refus_id, count(*)
FROM flux_attribution a JOIN flux_liberation l ON l.id = a.liberation_id
WHERE a.bailleur_id = %(bailleur)s AND a.departement_id = %(departement)s
  AND a.date_caleol BETWEEN %(debut)s AND %(fin)s AND l.annulee_le IS NULL AND l.dans_assiette AND l.date <= %(fin)s
GROUP BY 1, 2, 3, 4, 5, 6
"""
PASSAGES = """
SELECT p.decision, p.motif_id, count(*)
FROM flux_commission s JOIN flux_passage p ON p.commission_id = s.id
WHERE s.bailleur_id = %(bailleur)s AND s.departement_id = %(departement)s AND s.date BETWEEN %(debut)s AND %(fin)s
  AND s.etat = 'CLOSE' AND p.decision <> ''
GROUP BY 1, 2
"""
# A commission counts once it is held: closed. One in preparation, or cancelled, has decided nothing.
SEANCES = """
SELECT count(*) FROM flux_commission
WHERE bailleur_id = %(bailleur)s AND departement_id = %(departement)s AND date BETWEEN %(debut)s AND %(fin)s
  AND etat = 'CLOSE'
"""


class LigneImputee(NamedTuple):
    """`nombre` imputations of the year alike, soustractions and hors flux included."""

    titre: str
    detail: str
    motif: str
    qpv: bool
    dalo: bool
    bail: bool
    anterieure: bool
    premiere: bool
    oriente: int | None
    echouee: bool
    financement: str
    nombre: int

    @property
    def sur_contingent(self) -> bool:
        return self.titre not in (Destination.SOUSTRACTION, Destination.HORS_FLUX)


class LigneLiberee(NamedTuple):
    """`nombre` libérations of the year alike; `suite`: ATTRIBUEE, ORIENTEE or ""."""

    usage: str
    premiere: bool
    commune: str
    qpv: bool
    suite: str
    nombre: int


FONDEMENTS = {
    Soustraction.MUTATION: "R. 441-5, I",
    Soustraction.RU: "R. 441-5, I",
    Soustraction.ORCOD: "L. 741-1, L. 741-2",
    Soustraction.INSALUBRITE: "L. 521-3-1 à -3",
    Soustraction.VENTE: "R. 441-5, I",
    Soustraction.URGENCE_PREFECTORALE: "convention",
}
DECISIONS = {
    Passage.Decision.ATTRIBUTION: "a. Attribution",
    Passage.Decision.ATTRIBUTION_RANG: "b. Attribution, candidats classés",
    Passage.Decision.ATTRIBUTION_CONDITION: "c. Attribution sous condition suspensive",
    Passage.Decision.NON_ATTRIBUTION: "d. Non-attribution",
    Passage.Decision.IRRECEVABLE: "e. Irrecevabilité",
}
# What a name says in brackets at its end has no room at the head of a column.
PRECISION = re.compile(r"\s*\([^)]*\)$")
LIBELLES_ETAT = {Titre.AGENT: "Agents de l’État", Titre.AUTRE: "Autres"}


@dataclass(frozen=True, slots=True)
class _Calcul:
    """The live calculation and what governs its year."""

    ligne: CalculFlux
    cadre: Cadre
    regime: Regime
    actes: tuple[Acte, ...]


class _Lecture:
    """One reading of one bilan; each method makes one part of the tree."""

    def __init__(self, bilan: Bilan, jour: date) -> None:
        self.bilan = bilan
        self.annee: int = bilan.annee
        self.an = annee_civile(bilan.annee)
        self.jour = min(jour, self.an.fin)
        self.calcul = self._calcul()
        self.resultat: dict[str, Any] = self.calcul.ligne.resultat
        permis = self._usages_du_flux()
        self.parametres = {
            "bailleur": bilan.bailleur_id,
            "departement": bilan.departement_id,
            "annee": bilan.annee,
            "debut": self.an.debut,
            "fin": self.an.fin,
            "usages": [usage for usage, _ in permis],
            "premieres": [premiere for _, premiere in permis],
        }
        self.reservataires = self._reservataires()
        self.imputees = [LigneImputee(*ligne) for ligne in self._executer(IMPUTATIONS)]
        self.liberees = [LigneLiberee(*ligne) for ligne in self._executer(LIBEREES)]
        self.classes = self._classes()
        self.communes = self._communes()

    def donnees(self) -> DonneesBilan:
        croises, proposes_a = self._croises()
        fiches = self._fiches(proposes_a)
        arbre = DonneesBilan(
            annee=self.annee,
            departement=Territoire(self.bilan.departement_id, self.bilan.departement.nom),
            bailleur=self._bailleur(),
            situation=self._situation(),
            reservataires=fiches,
            conventions=self._conventions(),
            regime=self._regime(),
            parc=self._parc(),
            flux=self._flux(),
            parts=self._parts(),
            partages_communes=self._partages_communes(),
            agents=PlafondAgents(self._agents_loges(), self.resultat["agents_max"]),
            etat=self._etat(),
            etat_100=self._etat_100(),
            quarts=self._quarts(),
            hors_qpv=ControleHorsQpv(**self.resultat["hors_qpv"]),
            pont=self._pont(),
            croises=croises,
            communes=self._flux_communes(croises),
            operations=self._operations(),
            premieres=self._premieres(),
            suites=self._suites(),
            caleol=self._caleol(),
            groupes=self._groupes(),
            avertissements=self._avertissements(),
            appreciation=self.bilan.appreciation.strip(),
            attributions=self._attributions(),
        )
        if not arbre.situation.provisoire:
            return arbre
        codes = {pk: reservataire.code for pk, reservataire in self.reservataires.items()}
        return replace(arbre, atterrissage=atterrir(arbre, self.parametres, codes))

    def _executer(self, requete: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as curseur:
            curseur.execute(requete, self.parametres)
            return curseur.fetchall()

    # --- The calculation ----------------------------------------------------------------------------------

    def _calcul(self) -> _Calcul:
        perimetre = {
            "bailleur": self.bilan.bailleur_id,
            "departement": self.bilan.departement_id,
            "annee": self.annee,
        }
        ligne = CalculFlux.objects.filter(**perimetre, nature=Nature.DEFINITIF, en_vigueur=True).first()
        if ligne is None:
            raise CalculAbsent(f"Le flux constaté de {self.annee} n’a pas encore été calculé.")
        attente = CalculAFaire.objects.filter(**perimetre).first()
        if attente is not None and not attente.erreur:
            raise CalculPerime(
                f"Le flux de {self.annee} est en cours de recalcul : ses chiffres vont changer."
            )
        paire = (self.bilan.bailleur_id, self.bilan.departement_id)
        entrees = lire_entrees([paire], self.annee, [Nature.DEFINITIF], self.jour)[paire]
        if empreinte(entrees.en_json(Nature.DEFINITIF, None)) != ligne.empreinte:
            if attente is not None:
                raise CalculAbsent(f"Le flux de {self.annee} n’a pas pu être recalculé. {attente.erreur}")
            raise CalculPerime(f"Ce dont le flux de {self.annee} dépend a changé depuis son calcul.")
        cadre = entrees.cadre
        return _Calcul(ligne, cadre, regime_de_l_annee(cadre.actes, self.annee), cadre.actes)

    def _usages_du_flux(self) -> list[tuple[str, bool]]:
        return [
            (usage, premiere)
            for usage in Usage.values
            for premiere in (False, True)
            if self._destination(usage, premiere) == Destination.FLUX
        ]

    def _destination(self, usage: str, premiere: bool) -> Destination:
        return destination(self.an.debut, premiere, False, usage, self.annee, self.calcul.regime)

    # --- Identity -----------------------------------------------------------------------------------------

    def _bailleur(self) -> FicheBailleur:
        bailleur = self.bilan.bailleur
        return FicheBailleur(bailleur.nom, bailleur.siren, bailleur.get_famille_display(), bailleur.fictive)

    def _situation(self) -> Situation:
        calcul = self.calcul.ligne
        return Situation(
            donnees_au=self.jour,
            provisoire=self.jour < self.an.fin,
            calcule_le=timezone.localtime(calcul.calcule_le).replace(microsecond=0),
            version_calcul=calcul.version,
            millesime=calcul.millesime,
        )

    def _reservataires(self) -> dict[int, Reservataire]:
        """Whom the dwellings of the year were oriented to, besides the bailleur."""
        orientes = {pk for (pk,) in self._executer(ORIENTES)} | set(self.calcul.cadre.organisations.values())
        self.organisations = {o.pk: o for o in Organisation.objects.filter(pk__in=orientes)}
        return {pk: reservataire_de(o.type, o.code) for pk, o in self.organisations.items()}

    def _fiches(self, proposes_a: Iterable[Reservataire]) -> tuple[FicheReservataire, ...]:
        """Those of the calculation, and those to whom a dwelling was proposed without a right in the year."""
        par_code = {r.code: r for r in (*self.reservataires.values(), *proposes_a)}
        organisations = {self.reservataires[pk].code: o for pk, o in self.organisations.items()}
        codes = [ligne["reservataire"] for ligne in self.resultat["repartition"]]
        autres = sorted({r.code for r in proposes_a} - set(codes), key=lambda code: par_code[code].rang)
        fiches = []
        for code in (*codes[:-1], *autres, codes[-1]):
            # Those without an organisation here are the État and ALS, whose code is their nature.
            nature = par_code[code].nature if code in par_code else NatureReservataire(code)
            nom, sigle = self._noms(code, organisations.get(code))
            fiches.append(FicheReservataire(code, nature.value, nom, sigle))
        return tuple(fiches)

    def _noms(self, code: str, organisation: Organisation | None) -> tuple[str, str]:
        if code == ETAT:
            return "État", "État"
        if code == ALS:
            return "Action Logement Services", "ALS"
        if code == BAILLEUR:
            return "Bailleur", "Bailleur"
        nom = organisation.nom if organisation else code
        commune = self.communes.get(code)
        return nom, commune.nom if commune else PRECISION.sub("", nom)

    def _conventions(self) -> tuple[ConventionLue, ...]:
        """Versions in force at some time of the year, in the order of the réservataires then of the dates."""
        cadre = self.calcul.cadre
        voulues = [
            version
            for version in cadre.versions
            if Periode(version.debut, version.fin).commune_avec(self.an) is not None
        ]
        lignes = VersionConvention.objects.select_related("convention").in_bulk([v.id for v in voulues])
        derogations = defaultdict(list)
        for d in Derogation.objects.filter(
            convention__in=[v.convention_id for v in lignes.values()],
            debut__lte=self.an.fin,
            fin__gte=self.an.debut,
        ).order_by("debut"):
            derogations[d.convention_id].append(
                f"dérogation {d.numero} : {taux_fr(Fraction(d.taux))} points du {date_fr(d.debut)} au {date_fr(d.fin)}"
            )
        lues = []
        for voulue in sorted(voulues, key=lambda v: (v.reservataire.rang, v.debut)):
            version = lignes[voulue.id]
            convention = version.convention
            lues.append(
                ConventionLue(
                    reservataire=voulue.reservataire.code,
                    nature="arrêté" if convention.nature == convention.Nature.ARRETE else "convention",
                    numero=convention.numero,
                    rang=version.rang,
                    modele=convention.modele,
                    signee_le=convention.signee_le,
                    effet=version.effet,
                    debut=convention.debut,
                    fin=convention.fin,
                    gestion_deleguee=version.gestion == VersionConvention.Gestion.DELEGUEE,
                    echec_consomme=version.echec_consomme,
                    clause_quart=version.clause_quart,
                    clause_objectifs=version.clause_objectifs,
                    derogations=tuple(derogations[version.convention_id]),
                )
            )
        return tuple(lues)

    def _regime(self) -> RegimeLu:
        regime = self.calcul.regime
        plancher = regime.plancher_hors_qpv
        version = self.calcul.cadre.version_regissante
        return RegimeLu(
            conventionnel=version is not None,
            soustractions=tuple(s.value for s in Soustraction if s in regime.soustractions),
            premieres_dans_le_flux=regime.premieres_mises_en_location,
            au_bail=regime.fait_generateur == "BAIL",
            plancher_hors_qpv=None if plancher is None else _decimal(plancher),
            echelle_commune=version is not None and version.echelle == VersionConvention.Echelle.COMMUNE,
        )

    def _avertissements(self) -> tuple[str, ...]:
        return tuple(
            f"{avertissement['titre']}. {avertissement['texte']}"
            for avertissement in self.calcul.ligne.avertissements
            if avertissement["code"] != PREMIERES_HORS_FLUX
        )

    def _groupes(self) -> tuple[GroupePriorite, ...]:
        """Groups of the département at the end of the year; the third holds every other ground (CA, art. 4.1)."""
        groupes = GroupesDates([self.bilan.departement_id]).le(self.bilan.departement_id, self.jour)
        categories = (*TypeLabel, *sorted(groupes.keys() - {*TypeLabel}))
        premiers = [
            GroupePriorite(
                rang,
                tuple(nommer(categorie) for categorie in categories if groupes.get(categorie, 3) == rang),
            )
            for rang in (1, 2)
        ]
        return (*premiers, GroupePriorite(3, ("les autres publics de l’article L. 441-1",)))

    # --- From the parc to the parts -----------------------------------------------------------------------

    def _parc(self) -> Parc:
        assiette = self.resultat["assiette"]
        details = {etape["code"]: etape["detail"] for etape in self.calcul.ligne.etapes}
        return Parc(
            total=assiette["parc"],
            soumis=assiette["soumis"],
            dans=tuple(
                Compte(s.value, s.libelle, assiette["dans"][s.value], details.get(f"assiette.dans.{s}", ""))
                for s in STATUTS_DANS
                if s.value in assiette["dans"]
            ),
            hors=tuple(
                Compte(
                    s.value,
                    s.libelle,
                    assiette["hors"].get(s.value, 0),
                    details.get(f"assiette.hors.{s}", ""),
                )
                for s in STATUTS_HORS
            ),
        )

    def _flux(self) -> Flux:
        flux = self.resultat["flux"]
        previsionnel = (
            CalculFlux.objects.filter(
                bailleur=self.bilan.bailleur_id,
                departement=self.bilan.departement_id,
                annee=self.annee,
                nature=Nature.PREVISIONNEL,
                en_vigueur=True,
            )
            .values_list("flux", flat=True)
            .first()
        )
        return Flux(
            liberations=flux["liberations"],
            soustraits=sum(flux["soustractions"].values()),
            flux=flux["flux"],
            hors_qpv=flux["flux_hors_qpv"],
            premieres_hors_flux=flux["premieres_hors_flux"],
            previsionnel=previsionnel,
            soustractions=self._soustractions(),
        )

    def _soustractions(self) -> tuple[LigneSoustraction, ...]:
        prevues = dict(
            SoustractionPrevisionnelle.objects.filter(
                bailleur=self.bilan.bailleur_id, departement=self.bilan.departement_id, annee=self.annee
            ).values_list("categorie", "nombre")
        )
        lignes = []
        for categorie in Soustraction:
            siennes = [
                ligne
                for ligne in self.liberees
                if ligne.usage == categorie
                and self._destination(ligne.usage, ligne.premiere) != Destination.HORS_FLUX
            ]
            lieux: Counter[str] = Counter()
            for ligne in siennes:
                lieux[ligne.commune] += ligne.nombre
            lignes.append(
                LigneSoustraction(
                    code=categorie.value,
                    libelle=categorie.libelle,
                    fondement=FONDEMENTS[categorie],
                    prevu=prevues.get(categorie.value),
                    realise=sum(ligne.nombre for ligne in siennes),
                    qpv=sum(ligne.nombre for ligne in siennes if ligne.qpv),
                    deduite=categorie in self.calcul.regime.soustractions,
                    affectation=tuple(
                        Compte(code, self.communes[code].nom, nombre)
                        for code, nombre in sorted(
                            lieux.items(), key=lambda x: (-x[1], self.communes[x[0]].nom_tri)
                        )
                    ),
                )
            )
        return tuple(lignes)

    def _parts(self) -> tuple[Part, ...]:
        realises = {ligne["reservataire"]: ligne for ligne in self.resultat["realise"]}
        return tuple(
            Part(
                code=(code := ligne["reservataire"]),
                taux=self._taux(code),
                calcul=self._termes(code),
                exacte=Decimal(ligne["part_exacte"]),
                objectif=ligne["objectif"],
                report=ligne["report"],
                objectif_total=ligne["objectif_total"],
                attributions=realises[code]["attributions"],
                baux=realises[code]["baux"],
                echecs=realises[code]["echecs"],
                realise=realises[code]["realise"],
                ecart=realises[code]["ecart"],
                atteint=realises[code]["atteint"],
            )
            for ligne in self.resultat["repartition"]
        )

    def _taux(self, code: str) -> tuple[TauxPeriode, ...]:
        return taux_de_l_annee(self.calcul.actes, code, self.annee)

    def _termes(self, code: str) -> tuple[str, ...]:
        """The terms of the exact share, frozen with the calculation: "28,63 points × 280 logements"."""
        termes = self.resultat["lignes"].get(code, ())
        periodes = {(terme["debut"], terme["fin"]) for terme in termes}
        textes = []
        for (debut, fin), siens in groupby(termes, key=lambda t: (t["debut"], t["fin"])):
            quand = ""
            if len(periodes) > 1:
                quand = f"du {date.fromisoformat(debut):%d/%m} au {date.fromisoformat(fin):%d/%m} : "
            for terme in siens:
                base = Fraction(terme["base"])
                textes.append(f"{quand}{taux_fr(Fraction(terme['points']))} × {entier_fr(int(base))}")
        return tuple(typographier(t) for t in textes)

    def _partages_communes(self) -> tuple[PartageCommune, ...]:
        """The table of the parts in each commune, kept with the calculation where the échelle is the commune."""
        return tuple(
            PartageCommune(
                code,
                self.communes[code].nom,
                local["flux"],
                tuple(
                    PartLocale(part["reservataire"], Decimal(part["part_exacte"]), part["objectif"])
                    for part in local["parts"]
                ),
            )
            for code, local in sorted(
                self.resultat.get("communes", {}).items(), key=lambda x: self.communes[x[0]].nom_tri
            )
        )

    # --- Tests --------------------------------------------------------------------------------------------

    def _agents_loges(self) -> int:
        """Agents whose lease was signed in the year, whenever their CALEOL was (CA, art. 5-2)."""
        return (
            Imputation.objects.baux_signes_en(self.annee)
            .filter(
                bailleur=self.bilan.bailleur_id,
                departement=self.bilan.departement_id,
                titre=ETAT,
                detail=Titre.AGENT,
            )
            .count()
        )

    def _etat(self) -> tuple[LigneEtat, ...]:
        lignes = []
        for titre in TITRES_ETAT:
            siennes = [x for x in self.imputees if x.titre == ETAT and x.detail == titre]
            lignes.append(
                LigneEtat(
                    titre=titre.value,
                    libelle=LIBELLES_ETAT.get(titre, f"Groupe {titre[-1]}"),
                    qpv=sum(x.nombre for x in siennes if x.qpv),
                    hors_qpv=sum(x.nombre for x in siennes if not x.qpv),
                    dalo=sum(x.nombre for x in siennes if x.dalo),
                    baux=sum(x.nombre for x in siennes if x.bail),
                    total=self.resultat["etat"][titre.value],
                )
            )
        return tuple(lignes)

    def _etat_100(self) -> ControleCent:
        motifs: Counter[str] = Counter()
        for x in self.imputees:
            if x.titre == ETAT and x.detail == Titre.AUTRE and x.motif:
                motifs[x.motif] += x.nombre
        comptes = tuple(Compte(code, MOTIFS[code], nombre) for code, nombre in sorted(motifs.items()))
        return ControleCent(**self.resultat["etat_100"], motifs=comptes)

    def _quarts(self) -> tuple[ControleQuart, ...]:
        echecs = sum(x.nombre for x in self.imputees if x.titre == BAILLEUR and x.echouee)
        return tuple(
            ControleQuart(
                code=quart["reservataire"],
                prioritaires=quart["prioritaires"],
                attributions=quart["attributions"],
                manque=quart["manque"],
                echecs=echecs if quart["reservataire"] == BAILLEUR else 0,
            )
            for quart in self.resultat["quarts"]
        )

    def _pont(self) -> Pont:
        du_flux = [x for x in self.liberees if self._destination(x.usage, x.premiere) == Destination.FLUX]
        contingents = [x for x in self.imputees if x.sur_contingent]
        return Pont(
            flux=self.resultat["flux"]["flux"],
            orientes=sum(x.nombre for x in du_flux if x.suite == "ORIENTEE"),
            a_orienter=sum(x.nombre for x in du_flux if not x.suite),
            liberes_attribues=sum(x.nombre for x in contingents if not x.anterieure),
            anterieurs=sum(x.nombre for x in contingents if x.anterieure),
            attributions=sum(x.nombre for x in contingents),
        )

    # --- Tables -------------------------------------------------------------------------------------------

    def _classes(self) -> dict[str, dict[str, str]]:
        """Dimension → code of class → label, in the order of the reference tables."""
        tables = {
            "typologie": ClasseTypologie,
            "financement": ClasseFinancement,
            "construction": ClassePeriode,
        }
        classes = {
            dimension: dict(table.objects.values_list("code", "libelle"))
            for dimension, table in tables.items()
        }
        return classes | {"localisation": {"true": "En QPV", "false": "Hors QPV"}}

    def _communes(self) -> dict[str, Commune]:
        codes = (
            {ligne.commune for ligne in self.liberees}
            | {commune for (commune,) in self._executer(COMMUNES)}
            | set(self.resultat.get("communes", {}))
            | {r.code for r in self.reservataires.values() if r.nature == NatureReservataire.COLLECTIVITE}
        )
        return Commune.objects.only("code", "nom", "nom_tri").in_bulk(codes)

    def _croises(self) -> tuple[tuple[Croise, ...], list[Reservataire]]:
        proposes: Counter[tuple[str, str, str]] = Counter()
        attribues: Counter[tuple[str, str, str]] = Counter()
        vus = {}
        for bits, organisation, classe, nombre in self._executer(PROPOSES):
            reservataire = self.reservataires[organisation]
            vus[reservataire.code] = reservataire
            proposes[DIMENSIONS[bits], classe, reservataire.code] += nombre
        for bits, code, classe, nombre in self._executer(ATTRIBUES):
            attribues[DIMENSIONS[bits], classe, code] += nombre
        titres = {
            "typologie": "Par typologie",
            "financement": "Par type de financement",
            "localisation": "Par localisation au regard des quartiers prioritaires de la ville (QPV)",
            "construction": "Par période de construction",
            "commune": "Par commune",
        }
        croises = []
        for dimension, titre in titres.items():
            cles = sorted({(c, r) for d, c, r in (*proposes, *attribues) if d == dimension})
            croises.append(
                Croise(
                    dimension,
                    titre,
                    self._classes_de(dimension, {classe for classe, _ in cles}),
                    tuple(
                        CelluleCroisee(c, r, proposes[dimension, c, r], attribues[dimension, c, r])
                        for c, r in cles
                    ),
                )
            )
        return tuple(croises), list(vus.values())

    def _classes_de(self, dimension: str, presentes: set[str]) -> tuple[Classe, ...]:
        """Reference classes, zeros included, then those that were withdrawn since; communes by flux."""
        if dimension != "commune":
            libelles = self.classes[dimension]
            retirees = sorted(presentes - libelles.keys())
            return tuple(Classe(c, libelles.get(c, c)) for c in (*libelles, *retirees))
        flux = self._flux_par_commune()
        codes = sorted(
            presentes | flux.keys(), key=lambda c: (-flux.get(c, (0, 0))[0], self.communes[c].nom_tri)
        )
        return tuple(Classe(code, self.communes[code].nom) for code in codes)

    def _flux_par_commune(self) -> dict[str, tuple[int, int]]:
        """Commune → (flux of the year, of which outside QPV), as kept with the calculation."""
        flux: dict[str, tuple[int, int]] = {}
        for lieu in self.resultat["territoires"]:
            if lieu["flux"]:
                total, hors = flux.get(lieu["commune"], (0, 0))
                flux[lieu["commune"]] = (total + lieu["flux"], hors + (0 if lieu["qpv"] else lieu["flux"]))
        return flux

    def _flux_communes(self, croises: Sequence[Croise]) -> tuple[FluxCommune, ...]:
        flux = self._flux_par_commune()
        communes = next(croise.classes for croise in croises if croise.dimension == "commune")
        return tuple(FluxCommune(c.code, c.libelle, *flux.get(c.code, (0, 0))) for c in communes)

    def _code_de(self, oriente: int | None, echouee: bool) -> str:
        """Code of the contingent that an orientation leads to, by the rule of the imputation."""
        reservataire = self.reservataires[oriente] if oriente else None
        return contingent_impute(reservataire, echouee).code

    def _operations(self) -> tuple[Operation, ...]:
        """Every attribution of the year, by category of operation (CA, art. 7.1)."""
        par_categorie: dict[str, Counter[str]] = defaultdict(Counter)
        sans_contingent: Counter[str] = Counter()
        for x in self.imputees:
            if x.titre == Destination.SOUSTRACTION:
                sans_contingent[x.detail] += x.nombre
            elif x.titre == Destination.HORS_FLUX:
                par_categorie[PREMIERE_HORS_FLUX][self._code_de(x.oriente, x.echouee)] += x.nombre
            else:
                par_categorie[PREMIERE if x.premiere else RELOCATION][x.titre] += x.nombre
        libelles = {
            RELOCATION: "Relocations, dans le flux",
            PREMIERE: "Premières mises en location, dans le flux",
            PREMIERE_HORS_FLUX: "Premières mises en location, hors flux",
        }
        soustraites = [
            Operation(s.value, s.libelle, (), sans_contingent[s.value], sans_contingent[s.value])
            for s in Soustraction
            if s in self.calcul.regime.soustractions or sans_contingent[s.value]
        ]
        contingents = {
            code: Operation(
                code, libelle, _comptes(par_categorie[code]), 0, sum(par_categorie[code].values())
            )
            for code, libelle in libelles.items()
            if code != PREMIERE or par_categorie[code]
        }
        premieres = [contingents[code] for code in (PREMIERE, PREMIERE_HORS_FLUX) if code in contingents]
        return (contingents[RELOCATION], *soustraites, *premieres)

    def _premieres(self) -> tuple[PremieresParFinancement, ...]:
        par_financement: dict[str, Counter[str]] = defaultdict(Counter)
        for x in self.imputees:
            if x.titre == Destination.HORS_FLUX:
                par_financement[x.financement][self._code_de(x.oriente, x.echouee)] += x.nombre
        libelles = self.classes["financement"]
        ordre = [
            *(c for c in libelles if c in par_financement),
            *sorted(par_financement.keys() - libelles.keys()),
        ]
        return tuple(
            PremieresParFinancement(
                code,
                libelles.get(code, code),
                _comptes(par_financement[code]),
                sum(par_financement[code].values()),
            )
            for code in ordre
        )

    def _suites(self) -> tuple[Suite, ...]:
        suites = []
        for ligne in self.resultat["repartition"]:
            code = ligne["reservataire"]
            siennes = [x for x in self.imputees if x.titre == code]
            suites.append(
                Suite(
                    code=code,
                    attributions=sum(x.nombre for x in siennes),
                    prioritaires=sum(x.nombre for x in siennes if x.detail in PRIORITAIRES),
                    dalo=sum(x.nombre for x in siennes if x.dalo),
                    baux=sum(x.nombre for x in siennes if x.bail),
                )
            )
        return tuple(suites)

    # --- Commissions and refusals -------------------------------------------------------------------------

    def _caleol(self) -> Caleol:
        motifs = {motif.pk: motif for motif in MotifRefus.objects.all()}
        decisions: Counter[str] = Counter()
        refus_commission: Counter[tuple[int, str, str]] = Counter()
        for decision, motif_id, nombre in self._executer(PASSAGES):
            decisions[decision] += nombre
            if decision == Passage.Decision.NON_ATTRIBUTION:
                motif = motifs[motif_id]
                refus_commission[motif.rang, motif.code, motif.libelle] += nombre
            elif decision == Passage.Decision.IRRECEVABLE:
                motif = motifs.get(motif_id)
                cle = (
                    (motif.rang, motif.code, f"Irrecevable : {motif.libelle}")
                    if motif
                    else (0, "", "Irrecevable")
                )
                refus_commission[(1000 + cle[0], *cle[1:])] += nombre
        ((seances,),) = self._executer(SEANCES)
        return Caleol(
            seances=seances,
            dossiers=sum(decisions.values()),
            decisions=tuple(
                Compte(code.value, libelle, decisions[code]) for code, libelle in DECISIONS.items()
            ),
            refus_commission=tuple(
                Compte(code, libelle, nombre)
                for (_, code, libelle), nombre in sorted(refus_commission.items())
            ),
            **self._prononcees(motifs),
        )

    def _prononcees(self, motifs: dict[int, MotifRefus]) -> dict[str, Any]:
        """Attributions pronounced and refused by the household, by contingent, and by motive."""
        prononcees: Counter[str] = Counter()
        refus: dict[tuple[int, str, str], Counter[str]] = defaultdict(Counter)
        for usage, premiere, oriente, echouee, refusee, motif_id, nombre in self._executer(PRONONCEES):
            contingent = HORS_FLUX
            if self._destination(usage, premiere) == Destination.FLUX:
                contingent = self._code_de(oriente, echouee)
            prononcees[contingent] += nombre
            if refusee:
                motif = motifs.get(motif_id)
                cle = (motif.rang, motif.code, motif.libelle) if motif else (1000, "", "Motif non renseigné")
                refus[cle][contingent] += nombre
        return {
            "prononcees": _comptes(prononcees),
            "total_prononcees": sum(prononcees.values()),
            "refus_menages": tuple(
                Refus(code, libelle, _comptes(comptes), sum(comptes.values()))
                for (_, code, libelle), comptes in sorted(refus.items())
            ),
            "total_refus": sum(sum(comptes.values()) for comptes in refus.values()),
        }

    # --- The lines ----------------------------------------------------------------------------------------

    def _attributions(self) -> tuple[LigneAttribution, ...]:
        lignes = []
        for (
            caleol,
            liberation,
            reference,
            commune,
            qpv,
            typologie,
            financement,
            periode,
            titre,
            detail,
            dalo,
            menage,
            bail,
            refusee,
            motif,
            validation,
            accord,
            echec,
        ) in self._executer(LIGNES):
            lignes.append(
                LigneAttribution(
                    date_caleol=caleol,
                    date_liberation=liberation,
                    logement=reference,
                    commune=commune,
                    qpv=qpv,
                    typologie=typologie,
                    financement=financement,
                    periode=self.classes["construction"].get(periode, periode),
                    contingent=titre,
                    titre=detail,
                    imputation=libelle_imputation(titre, detail),
                    prioritaire=detail in PRIORITAIRES,
                    dalo=dalo,
                    menage=menage,
                    date_bail=bail,
                    refusee_le=refusee,
                    observation=observer(detail, motif, validation, accord, bail, refusee, echec),
                )
            )
        return tuple(lignes)


ORIENTES = """
SELECT DISTINCT reservataire_id FROM flux_liberation
WHERE bailleur_id = %(bailleur)s AND departement_id = %(departement)s AND reservataire_id IS NOT NULL
  AND date <= %(fin)s
"""
COMMUNES = """
SELECT DISTINCT l.commune_id FROM flux_liberation l
WHERE l.bailleur_id = %(bailleur)s AND l.departement_id = %(departement)s AND l.date <= %(fin)s
"""


def libelle_imputation(titre: str, detail: str) -> str:
    """ "Prioritaire, groupe 1", "Soustraction : mutations dans le parc du bailleur", "Première mise en location"."""
    if titre == Destination.SOUSTRACTION:
        libelle = Soustraction(detail).libelle
        return typographier(f"Soustraction : {libelle[0].lower()}{libelle[1:]}")
    if detail == PREMIERE_MISE_EN_LOCATION:
        return "Première mise en location"
    libelle = LIBELLES_TITRE[Titre(detail)]
    return libelle[0].upper() + libelle[1:]


def observer(
    detail: str,
    motif: str,
    validation: date | None,
    accord: bool,
    bail: date | None,
    refusee: date | None,
    echec: date | None,
) -> str:
    """What a reader of the line asks first: the reason that was logged, the validation of the agent, the lease."""
    remarques = []
    if motif and detail == Titre.AUTRE:
        remarques.append(f"motif consigné : {MOTIFS[motif]}")
    if detail == Titre.AGENT:
        remarques.append(
            "accord postérieur du préfet" if accord else f"agent validé le {validation:%d/%m/%Y}"
        )
    if echec:
        remarques.append(f"désignation échouée le {echec:%d/%m/%Y}")
    if refusee:
        remarques.append(f"refusée le {refusee:%d/%m/%Y}")
    elif bail is None:
        remarques.append("bail en attente")
    texte = " ; ".join(remarques)
    return typographier(texte[:1].upper() + texte[1:])


def taux_de_l_annee(actes: Sequence[Acte], code: str, annee: int) -> tuple[TauxPeriode, ...]:
    """Rates of one réservataire over the year, as the acts and the rétrocession give them."""
    if code == BAILLEUR:
        return ()
    siens = [acte for acte in actes if acte.reservataire.code == code]
    if not siens and code != ALS:  # ALS may have the rétrocession without a convention of its own
        return ()
    taux: list[TauxPeriode] = []
    for periode in _periodes(siens, actes, annee):
        acte = next((a for a in siens if a.actif(periode.debut)), None)
        commune = min(acte.communes) if acte and acte.communes else None
        titulaire = siens[0].reservataire if siens else REGLE_ALS
        net = points(actes, titulaire, periode.debut, commune)
        if acte is None and not net:
            continue
        brut = taux_brut(acte, periode.debut) if acte else Fraction(0)
        ligne = TauxPeriode(periode.debut, periode.fin, _decimal(net), _decimal(brut), _decimal(net - brut))
        if taux and (taux[-1].net, taux[-1].acte) == (ligne.net, ligne.acte):
            ligne = TauxPeriode(taux.pop().debut, ligne.fin, ligne.net, ligne.acte, ligne.retrocede)
        taux.append(ligne)
    return tuple(taux)


def _periodes(siens: Sequence[Acte], actes: Sequence[Acte], annee: int) -> tuple[Periode, ...]:
    """Parts of the year over which no rate that concerns these acts changes (ALS: the rétrocession too)."""
    return periodes_de_taux([*siens, *(a for a in actes if a.retrocession)], annee)


def _comptes(compteur: Counter[str]) -> tuple[CompteReservataire, ...]:
    return tuple(CompteReservataire(code, nombre) for code, nombre in sorted(compteur.items()) if nombre)


def _decimal(valeur: Fraction) -> Decimal:
    """Points of the flux, with the decimals that the acts keep (four)."""
    return Decimal(decimales(valeur, 4)).normalize() + Decimal(0)
