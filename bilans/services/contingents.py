"""The contingent of a réservataire, bailleur by bailleur: its share, what was oriented, attributed, let and refused.

Nothing is computed here: the share is that of the calculation of the flux, the counts are those of the indicators (so those of
the bilan), read once and put side by side. A réservataire reads its own contingent and nothing else (chapter 2).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from bilans.models import VersionReservataire
from bilans.regles.contingents import PartLue, base_de_l_annee, lire_part, natures_lues
from bilans.regles.donnees import TauxPeriode
from bilans.services.donnees_bilan import PRIORITAIRES, taux_de_l_annee
from bilans.services.indicateurs import (
    DU_PERIMETRE,
    OUI,
    REFUS_CALEOL,
    Chiffre,
    Comptes,
    Demande,
    Detail,
    Indicateurs,
    LigneQuart,
    Lignes,
    dalo_des_prioritaires,
    lire_indicateurs,
)
from bilans.services.recus import derniers_recus
from flux.models import Nature, PartFlux, StatutEmploi
from flux.regles.imputation import STATUTS_ALS
from flux.services.lecture import avec_leur_base
from publics.models import CategorieLabel
from reservation.acteur import Acteur
from reservation.models import Departement, Organisation
from reservation.perimetre import agir
from reservation.regles.actes import ALS


def largeurs_de_barre(realise: int | None, objectif: int | None) -> dict[str, int]:
    """Abscissas of the bar, on 250: what is done, and the mark of the objective at 200."""
    fait, repere = realise or 0, objectif or 0
    largeur = min(250, fait * 200 // repere) if repere else 250 if fait else 0
    return {"realise": largeur, "cible": 200}


@dataclass(frozen=True)
class LigneContingent:
    """One bailleur in one département. `nature`: which flux the share and the objective are taken from ("" for none yet).

    `taux`: of the year, as the act and the rétrocession give them; `flux`: of the bailleur for ALS, of the territory for the
    others, as the share's nature says it; `libere`: observed to date, whatever it says; `manque`: to the quarter.
    """

    departement: str
    bailleur: Organisation
    nature: str
    taux: tuple[TauxPeriode, ...]
    flux: Decimal | None
    libere: Decimal | None
    part: PartLue | None
    objectif: int | None
    report: int
    realise: int | None
    orientes: Chiffre
    attributions: Chiffre
    baux: Chiffre
    refus_caleol: Chiffre
    refus_menages: Chiffre
    prioritaires: Chiffre
    manque: int | None
    recu: VersionReservataire | None

    @property
    def ecart(self) -> int | None:
        return None if self.objectif is None or self.realise is None else self.realise - self.objectif

    @property
    def largeurs(self) -> dict[str, int]:
        return largeurs_de_barre(self.realise, self.objectif)


@dataclass(frozen=True)
class PublicsALS:
    """Who the attributions of ALS went to in a département (L. 313-26-2).

    `dalo`, `autres_prioritaires`: None when hidden or not asked for the whole département. `salaries`, `demandeurs`: among
    the priority households, who are all one or the other; `sans_emploi`: labelled, neither one nor the other, so not counted.
    """

    dalo: int | None
    autres_prioritaires: int | None
    salaries: Chiffre
    demandeurs: Chiffre
    tous_salaries: Chiffre
    tous_demandeurs: Chiffre
    sans_emploi: int


@dataclass(frozen=True)
class ContingentDepartement:
    """A département: its bailleurs, the sum of their lines, the quarter that is due there."""

    code: str
    nom: str
    lignes: tuple[LigneContingent, ...]
    objectif: int
    realise: int
    orientes: Chiffre
    attributions: Chiffre
    baux: Chiffre
    refus_caleol: Chiffre
    refus_menages: Chiffre
    quart: LigneQuart | None
    publics: PublicsALS | None


@dataclass(frozen=True)
class Contingent:
    """Everything that the home of a réservataire, its files and its note say for one year."""

    organisation: Organisation
    demande: Demande
    departements: tuple[ContingentDepartement, ...]
    refus_caleol: tuple[Detail, ...]
    refus_menages: tuple[Detail, ...]

    @property
    def lignes(self) -> tuple[LigneContingent, ...]:
        return tuple(ligne for departement in self.departements for ligne in departement.lignes)

    @property
    def recus(self) -> tuple[VersionReservataire, ...]:
        return tuple(ligne.recu for ligne in self.lignes if ligne.recu)


class Emplois(NamedTuple):
    """`nombre` attributions of the contingent of ALS alike. `labellise`: a label valid on the day of the CALEOL."""

    departement: str
    statut: str
    prioritaire: bool
    labellise: bool
    nombre: int


EMPLOIS = f"""
SELECT i.departement_id, a.statut_emploi, i.detail = ANY(%(prioritaires)s),
       EXISTS (SELECT FROM jsonb_to_recordset(i.explication->'labels') AS x(id bigint, valide boolean) WHERE x.valide),
       count(*)
FROM flux_imputation i JOIN flux_attribution a ON a.id = i.attribution_id
WHERE i.annee = %(annee)s AND i.date_caleol BETWEEN %(debut)s AND %(fin)s AND i.titre = 'ALS'
      {DU_PERIMETRE.format(t="i", r="i")}
GROUP BY 1, 2, 3, 4
"""


@agir(Acteur.du_systeme("contingent d’un réservataire"))
def lire_contingent(acteur: Acteur, demande: Demande, jour: date | None = None) -> Contingent | None:
    """The contingent of the réservataire that `acteur` acts for; None for anybody else.

    `jour`: today by default; a year that is over on that day is read as its bilan says it, one that runs from its forecast.
    A number of queries that depends on nothing.
    """
    if not acteur.est_reservataire:
        return None
    comptes = Comptes(acteur, demande)
    lus = lire_indicateurs(acteur, demande, comptes)
    return _Composeur(acteur, comptes, lus, jour or timezone.localdate()).contingent()


class _Composeur:
    """Puts the share of each bailleur beside the counts of the indicators."""

    def __init__(self, acteur: Acteur, comptes: Comptes, lus: Indicateurs, jour: date) -> None:
        self.jour = jour
        self.acteur, self.comptes, self.lus, self.demande = acteur, comptes, lus, comptes.demande
        self.organisation = Organisation.objects.get(pk=acteur.organisation_id)
        self.code = self.organisation.code_reservataire
        self.parts = self._parts()
        self.recus = {
            (v.bailleur_id, v.departement_id): v
            for v in derniers_recus(acteur).filter(annee=self.demande.annee)
        }
        retenus, code = comptes.retenus, self.code
        self.orientes = _par_paire(retenus(comptes.orientees, code))
        self.refus_caleol = _par_paire(x for x in retenus(comptes.examines, code) if x.suite in REFUS_CALEOL)
        self.refus_menages = _par_paire(x for x in retenus(comptes.prononcees, code) if x.suite)
        self.baux = _par_paire(x for x in comptes.baux if x.titre == self.code)
        self.quarts = {(q.bailleur.pk if q.bailleur else None, q.departement): q for q in lus.quarts}

    def _parts(self) -> dict[tuple[int, str], dict[str, PartFlux]]:
        """(bailleur, département) → nature → its share in the calculation in force."""
        parts = (
            avec_leur_base(PartFlux.objects.visibles_par(self.acteur))
            .filter(calcul__annee=self.demande.annee, calcul__en_vigueur=True, code=self.code)
            .select_related("calcul")
            .defer("calcul__entrees", "calcul__resultat", "calcul__etapes", "calcul__avertissements")
        )
        par_paire: dict[tuple[int, str], dict[str, PartFlux]] = {}
        for part in parts:
            par_paire.setdefault((part.bailleur_id, part.departement_id), {})[part.calcul.nature] = part
        return par_paire

    def contingent(self) -> Contingent:
        noms = dict(
            Departement.objects.filter(pk__in={d for _, d in self.comptes.paires}).values_list("pk", "nom")
        )
        emplois = self._emplois()
        categories = list(CategorieLabel.objects.values_list("pk", flat=True)) if emplois is not None else []
        departements = []
        for code in sorted(noms):
            paires = sorted(
                (p for p in self.comptes.paires if p[1] == code),
                key=lambda p: (self.comptes.organisations[p[0]].nom_tri, p[0]),
            )
            lignes = tuple(ligne for p in paires if (ligne := self._ligne(p)) is not None)
            if lignes:
                publics = None if emplois is None else self._publics(code, emplois, categories)
                departements.append(self._departement(code, noms[code], lignes, publics))
        details = {i.definition.code: i.details for i in self.lus.article_5}
        return Contingent(
            self.organisation,
            self.demande,
            tuple(departements),
            details["refus_caleol"],
            details["refus_menages"],
        )

    def _chiffre(self, nombre: int, nature: str, departement: str, bailleur: int | None, **filtre) -> Chiffre:
        d = self.demande
        lignes = Lignes(nature, d.annee, d.periode, departement, bailleur or d.bailleur, self.code, **filtre)
        return Chiffre(nombre, lignes)

    def _ligne(self, paire: tuple[int, str]) -> LigneContingent | None:
        """None for a bailleur that owes nothing in the year and for which nothing was done."""
        bailleur, departement = paire
        cadre = self.comptes.cadres[paire]
        quart = self.quarts.get(paire)
        natures = self.parts.get(paire, {})
        a_un_acte = any(acte.reservataire.code == self.code for acte in cadre.actes)
        faits = (self.orientes, self.refus_caleol, self.refus_menages, self.baux)
        if not (
            natures or a_un_acte or any(f[paire] for f in faits) or (quart and quart.attributions.nombre)
        ):
            return None
        part = next((natures[n] for n in natures_lues(self.demande.annee, self.jour) if n in natures), None)
        constate = natures.get(Nature.DEFINITIF)
        taux = taux_de_l_annee(cadre.actes, self.code, self.demande.annee)
        lue = lire_part(part.part_exacte, part.termes or (), taux) if part else None
        return LigneContingent(
            departement=departement,
            bailleur=self.comptes.organisations[bailleur],
            nature=part.calcul.nature if part else "",
            taux=taux,
            flux=self._base(part),
            libere=self._base(constate),
            part=lue,
            objectif=part.objectif_total if part else None,
            report=part.report if part else 0,
            realise=constate.realise if constate else (0 if part else None),
            orientes=self._chiffre(self.orientes[paire], "orientes", departement, bailleur),
            attributions=quart.attributions
            if quart
            else self._chiffre(0, "attributions", departement, bailleur),
            baux=self._chiffre(self.baux[paire], "baux", departement, bailleur),
            refus_caleol=self._chiffre(self.refus_caleol[paire], "refus_caleol", departement, bailleur),
            refus_menages=self._chiffre(self.refus_menages[paire], "refus_menages", departement, bailleur),
            prioritaires=quart.prioritaires
            if quart
            else self._chiffre(0, "attributions", departement, bailleur, priorite=OUI),
            manque=quart.manque if quart else 0,
            recu=self.recus.get(paire),
        )

    def _base(self, part: PartFlux | None) -> Decimal | None:
        """The flux of the bailleur for ALS; for the others that of their territory, which their share rests on."""
        if part is None:
            return None
        if self.acteur.lit_les_flux_entiers:
            return Decimal(part.calcul.flux)
        return base_de_l_annee(part.termes or ())

    def _departement(
        self, code: str, nom: str, lignes: Sequence[LigneContingent], publics: PublicsALS | None
    ) -> ContingentDepartement:
        def somme(champ: str, nature: str) -> Chiffre:
            return self._chiffre(sum(getattr(x, champ).nombre for x in lignes), nature, code, None)

        return ContingentDepartement(
            code=code,
            nom=nom,
            lignes=tuple(lignes),
            objectif=sum(x.objectif or 0 for x in lignes),
            realise=sum(x.realise or 0 for x in lignes),
            orientes=somme("orientes", "orientes"),
            attributions=somme("attributions", "attributions"),
            baux=somme("baux", "baux"),
            refus_caleol=somme("refus_caleol", "refus_caleol"),
            refus_menages=somme("refus_menages", "refus_menages"),
            quart=self.quarts.get((None, code)),
            publics=publics,
        )

    # --- Who they went to (ALS) ---------------------------------------------------------------------------

    def _emplois(self) -> list[Emplois] | None:
        if not self.acteur.est_action_logement:
            return None
        with connection.cursor() as curseur:
            curseur.execute(EMPLOIS, self.comptes.parametres)
            return [Emplois(*ligne) for ligne in curseur.fetchall()]

    def _publics(self, departement: str, emplois: Iterable[Emplois], categories: Sequence[str]) -> PublicsALS:
        siens = [x for x in emplois if x.departement == departement]
        attribuees = [x for x in self.comptes.du_departement(departement) if x.titre == ALS.code]
        # DALO is a ground: read for the whole département and the whole year, never for one bailleur (PACA, art. 5).
        entier = self.demande.bailleur is None and not self.demande.periode
        dalo = dalo_des_prioritaires(attribuees, categories) if entier else None
        prioritaires = sum(x.nombre for x in attribuees if x.detail in PRIORITAIRES)

        def compter(statut: str, prioritaires_seuls: bool) -> Chiffre:
            nombre = sum(
                x.nombre for x in siens if x.statut == statut and (x.prioritaire or not prioritaires_seuls)
            )
            filtre = {"priorite": OUI} if prioritaires_seuls else {}
            return self._chiffre(nombre, "attributions", departement, None, emploi=statut, **filtre)

        return PublicsALS(
            dalo=dalo,
            autres_prioritaires=None if dalo is None else prioritaires - dalo,
            salaries=compter(StatutEmploi.SALARIE, True),
            demandeurs=compter(StatutEmploi.DEMANDEUR_EMPLOI, True),
            tous_salaries=compter(StatutEmploi.SALARIE, False),
            tous_demandeurs=compter(StatutEmploi.DEMANDEUR_EMPLOI, False),
            sans_emploi=sum(
                x.nombre for x in siens if x.labellise and not x.prioritaire and x.statut not in STATUTS_ALS
            ),
        )


def _par_paire(lignes: Iterable) -> Counter[tuple[int, str]]:
    compte: Counter[tuple[int, str]] = Counter()
    for ligne in lignes:
        compte[ligne.bailleur, ligne.departement] += ligne.nombre
    return compte
