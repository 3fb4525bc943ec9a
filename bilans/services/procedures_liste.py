"""Lists of procedures: those of an actor, with their clock; whom the figures of a year show as to be examined."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from django.db.models import Q

from bilans.models import EtapeProcedure, Procedure
from bilans.regles.procedures import FINS, RECEPTIONS, Acte, Etat, Sorte, stade
from bilans.regles.procedures_delais import Delai, delai_en_jours, delai_en_mois
from bilans.regles.registre_dettes import manque_de_l_annee
from flux.models import CalculFlux, Nature
from flux.regles.realise import manque_au_quart
from flux.regles.report import Report
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Convention, Departement, Organisation, Presence
from reservation.perimetre import agir
from reservation.regles.actes import BAILLEUR

from .procedures_situation import JOURS_D_OBSERVATIONS

EN_COURS = [etat.value for etat in Etat if etat not in FINS]


class Ligne(NamedTuple):
    """`delai`: the clock that runs, or has run out; None without any"""

    procedure: Procedure
    stade: str
    delai: Delai | None
    expire: bool
    finie: bool


def delais_de(procedures: Iterable[Procedure]) -> dict[int, Delai]:
    """Procedure → its clock, of those where one runs. One query; the right was exercised on the procedures."""
    courent = {p.pk: p for p in procedures if p.etat in (Etat.DELAI, Etat.OBSERVATIONS)}
    if not courent:
        return {}
    recues: dict[int, date] = {}
    jours: dict[int, int] = {}
    with agir(Acteur.du_systeme("délais des procédures")):
        for etape in EtapeProcedure.objects.filter(
            procedure__in=courent, acte__in=[*RECEPTIONS, Acte.NOTIFIER]
        ).order_by("rang"):
            if etape.acte == Acte.NOTIFIER:
                jours[etape.procedure_id] = etape.delai_jours or JOURS_D_OBSERVATIONS
            else:
                recues[etape.procedure_id] = etape.jour
    return {
        pk: (
            delai_en_mois(jour)
            if courent[pk].etat == Etat.DELAI
            else delai_en_jours(jour, jours.get(pk, JOURS_D_OBSERVATIONS))
        )
        for pk, jour in recues.items()
    }


def lignes(acteur: Acteur, jour: date, filtre: Q | None = None) -> list[Ligne]:
    """The procedures that `acteur` reads: a clock that has run out first, then those that run, the ended ones last."""
    trouvees = list(
        Procedure.objects.visibles_par(acteur)
        .filter(filtre or Q())
        .select_related("bailleur", "reservataire", "departement")
    )
    delais = delais_de(trouvees)
    faites = [
        Ligne(
            p,
            stade(Etat(p.etat)),
            delais.get(p.pk),
            p.pk in delais and delais[p.pk].expire(jour),
            Etat(p.etat) in FINS,
        )
        for p in trouvees
    ]
    return sorted(
        faites,
        key=lambda x: (
            x.finie,
            not x.expire,
            x.delai.fin if x.delai else date.max,
            -x.procedure.annee,
            x.procedure.pk,
        ),
    )


class AExaminer(NamedTuple):
    """A bailleur whose figures of the year are short: dwellings missing, per kind of procedure."""

    bailleur: Organisation
    departement: Departement
    objectifs: int
    quart: int

    @property
    def risque(self) -> int:
        return self.objectifs + self.quart


def a_examiner(acteur: Acteur, annee: int) -> list[AExaminer]:
    """For the State: bailleurs short in `annee`, that no procedure about it concerns yet; the most in default first."""
    if not acteur.est_service_etat:
        return []
    deja = set(
        Procedure.objects.visibles_par(acteur)
        .filter(annee=annee)
        .exclude(etat__in=[Etat.ABANDONNEE, Etat.ETEINTE])
        .values_list("bailleur", "departement", "sorte")
    )
    trouves = []
    for calcul in (
        CalculFlux.objects.visibles_par(acteur)
        .filter(annee=annee, nature=Nature.DEFINITIF, en_vigueur=True, bailleur__fermee_le=None)
        .select_related("bailleur", "departement")
        .only("resultat", "bailleur", "departement")
    ):
        lieu = (calcul.bailleur_id, calcul.departement_id)
        objectifs = 0 if (*lieu, Sorte.OBJECTIFS) in deja else _manque(calcul.resultat, annee)
        quart = 0 if (*lieu, Sorte.QUART) in deja else _manque_au_quart(calcul.resultat)
        if objectifs or quart:
            trouves.append(AExaminer(calcul.bailleur, calcul.departement, objectifs, quart))
    return sorted(trouves, key=lambda x: (-x.risque, x.bailleur.nom_tri))


def _manque(resultat: Mapping, annee: int) -> int:
    realises = {ligne["reservataire"]: ligne["realise"] for ligne in resultat["realise"]}
    return sum(
        manque_de_l_annee(
            annee,
            ligne["objectif"],
            realises.get(ligne["reservataire"], 0),
            (Report(annee - 1, ligne["report"]),) if ligne["report"] else (),
        )
        for ligne in resultat["repartition"]
        if ligne["reservataire"] != BAILLEUR.code
    )


def _manque_au_quart(resultat: Mapping) -> int:
    return sum(
        manque_au_quart(q["prioritaires"], q["attributions"])
        for q in resultat["quarts"]
        if q["reservataire"] == BAILLEUR.code
    )


def parties_possibles(acteur: Acteur) -> list[tuple[str, str]]:
    """Whom a procedure may be about in the département of the DDETS: its bailleurs, then ALS and its collectivités."""
    presences = (
        Presence.objects.filter(departement__in=acteur.departements, bailleur__fermee_le=None)
        .select_related("bailleur")
        .order_by("bailleur__nom_tri")
    )
    bailleurs = {f"B{p.bailleur_id}": p.bailleur.nom for p in presences}
    titulaires = Organisation.objects.filter(
        type__in=[TypeOrganisation.ACTION_LOGEMENT, TypeOrganisation.COLLECTIVITE],
        pk__in=Convention.objects.filter(departement__in=acteur.departements).values("reservataire"),
    ).order_by("type", "nom_tri")
    return [*bailleurs.items(), *((f"R{o.pk}", o.nom) for o in titulaires)]
