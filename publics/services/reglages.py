"""How each département ranks its households, on any date: read, previewed, set for the future. The past stays as it was."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from publics.models import CaseCerfa, CategorieLabel, GroupeDepartement, ReglagePriorite
from publics.regles.groupes import CRITERES_PAR_DEFAUT, GROUPES, Critere
from reservation.acteur import Acteur
from reservation.models import Departement
from reservation.regles.typographie import date_fr, typographier

MODELES = Path(__file__).resolve().parent.parent / "donnees" / "modeles_priorites.json"
DUREE_PAR_DEFAUT, DELAI_PAR_DEFAUT = 12, 15


@dataclass(frozen=True, slots=True)
class Modele:
    """A ready-made setting: what a convention says, and where."""

    code: str
    libelle: str
    source: str
    reglage: "Reglage"
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reglage:
    """The setting of a département on a day. `groupes`: category → 1, 2, 3; `cases`: box of the Cerfa → category."""

    groupes: Mapping[str, int]
    criteres: tuple[str, ...]
    cases: Mapping[str, str]
    duree_mois: int = DUREE_PAR_DEFAUT
    delai_jours: int = DELAI_PAR_DEFAUT
    modele: str = ""
    debut: date | None = None


@dataclass(frozen=True, slots=True)
class Changement:
    """One line of a preview."""

    quoi: str
    avant: str
    apres: str


@lru_cache(maxsize=1)
def modeles() -> dict[str, Modele]:
    """The shipped models, by code."""
    lus = json.loads(MODELES.read_text(encoding="utf-8"))
    return {
        code: Modele(
            code,
            m["libelle"],
            typographier(m["source"]),
            Reglage(m["groupes"], tuple(m["criteres"]), m["cases"], m["duree_mois"], m["delai_jours"], code),
            tuple(typographier(note) for note in m["notes"]),
        )
        for code, m in lus.items()
    }


def reglage_du_modele(code: str) -> Reglage | None:
    """The setting of this model, a ground added since taking its default group; None: no such model."""
    modele = modeles().get(code)
    if modele is None:
        return None
    defauts = dict(CategorieLabel.objects.order_by().values_list("code", "groupe_defaut"))
    return replace(modele.reglage, groupes=defauts | dict(modele.reglage.groupes))


def reglage_le(departement: str, jour: date) -> Reglage:
    """What holds in `departement` (code) on `jour`; what was never set has its default. Four queries."""
    return reglages_le([departement], jour)[departement]


def reglages_le(departements: Iterable[str], jour: date) -> dict[str, Reglage]:
    """`reglage_le` for several, in the same four queries."""
    codes = list(departements)
    defauts = dict(CategorieLabel.objects.order_by().values_list("code", "groupe_defaut"))
    groupes = {code: dict(defauts) for code in codes}
    cases: dict[str, dict[str, str]] = {code: {} for code in codes}
    poses: dict[str, ReglagePriorite] = {}
    anterieurs = {"departement__in": codes, "debut__lte": jour}
    for ligne in GroupeDepartement.objects.filter(**anterieurs).order_by("debut", "pk"):
        groupes[ligne.departement_id][ligne.categorie_id] = ligne.groupe
    for ligne in CaseCerfa.objects.filter(**anterieurs).order_by("debut", "pk"):
        cases[ligne.departement_id][ligne.case] = ligne.categorie_id
    for ligne in ReglagePriorite.objects.filter(**anterieurs).order_by("debut", "pk"):
        poses[ligne.departement_id] = ligne
    resultat = {}
    for code in codes:
        pose = poses.get(code)
        lues = {case: categorie for case, categorie in cases[code].items() if categorie}
        if pose is None:
            resultat[code] = Reglage(groupes[code], tuple(CRITERES_PAR_DEFAUT), lues)
        else:
            resultat[code] = Reglage(
                groupes[code],
                tuple(pose.criteres),
                lues,
                pose.duree_mois,
                pose.delai_jours,
                pose.modele,
                pose.debut,
            )
    return resultat


def comparer(avant: Reglage, apres: Reglage) -> list[Changement]:
    """What would change, in words: order, groups, boxes, delays."""
    libelles = dict(CategorieLabel.objects.order_by("rang").values_list("code", "libelle"))
    changements = []
    if avant.criteres != apres.criteres:
        changements.append(Changement("Ordre", decrire_ordre(avant.criteres), decrire_ordre(apres.criteres)))
    changements += [
        Changement(libelle, f"groupe {avant.groupes[code]}", f"groupe {apres.groupes[code]}")
        for code, libelle in libelles.items()
        if avant.groupes.get(code) != apres.groupes.get(code)
    ]
    for case in sorted(avant.cases.keys() | apres.cases.keys(), key=lambda c: (len(c), c)):
        un, deux = avant.cases.get(case), apres.cases.get(case)
        if un != deux:
            changements.append(
                Changement(
                    f"Case {case} du Cerfa",
                    libelles.get(un, "ne fait pas un label"),
                    libelles.get(deux, "ne fait pas un label"),
                )
            )
    for nom, quoi, unite in (
        ("duree_mois", "Durée d’un label manuel", "mois"),
        ("delai_jours", "Délai pour décider une proposition", "jours"),
    ):
        un, deux = getattr(avant, nom), getattr(apres, nom)
        if un != deux:
            changements.append(Changement(quoi, f"{un} {unite}", f"{deux} {unite}"))
    return changements


def decrire_ordre(criteres: Sequence[str]) -> str:
    """The criteria in words, first to last, separated by semicolons."""
    return " ; ".join(Critere(critere).libelle for critere in criteres)


@transaction.atomic
def appliquer(acteur: Acteur, departement: Departement, reglage: Reglage, debut: date) -> list[Changement]:
    """Set the département from `debut` on, tomorrow at the earliest; return what it changes.

    A CALEOL of today or before keeps the setting of its day: nothing of the past is touched. A setting already
    prepared for the same day is replaced; one prepared for later stays.
    """
    if not (
        acteur.systeme or (acteur.est_ddets and acteur.peut_gerer and departement.pk in acteur.departements)
    ):
        raise PermissionDenied(
            "Les priorités d’un département se règlent à sa DDETS, avec le rôle de gestion."
        )
    demain = timezone.localdate() + timedelta(days=1)
    if debut < demain:
        raise ValidationError(
            {"debut": f"Un réglage ne récrit pas le passé : au plus tôt le {date_fr(demain)}."}
        )
    _verifier(reglage)
    Departement.objects.select_for_update().get(pk=departement.pk)
    avant = reglage_le(departement.pk, debut)
    changements = comparer(avant, reglage)
    le = {"departement": departement, "debut": debut}
    for modele in (GroupeDepartement, CaseCerfa, ReglagePriorite):
        modele.objects.filter(**le).delete()
    GroupeDepartement.objects.bulk_create(
        GroupeDepartement(**le, categorie_id=code, groupe=groupe) for code, groupe in reglage.groupes.items()
    )
    connues = set(CaseCerfa.objects.filter(departement=departement).values_list("case", flat=True))
    CaseCerfa.objects.bulk_create(
        CaseCerfa(**le, case=case, categorie_id=reglage.cases.get(case))
        for case in sorted(connues | reglage.cases.keys())
    )
    ReglagePriorite.objects.create(
        **le,
        modele=reglage.modele,
        criteres=list(reglage.criteres),
        duree_mois=reglage.duree_mois,
        delai_jours=reglage.delai_jours,
        cree_par_id=acteur.utilisateur_id,
    )
    return changements


@transaction.atomic
def abandonner(acteur: Acteur, reglage: ReglagePriorite) -> None:
    """Take back a setting that has not begun."""
    if not (acteur.est_ddets and acteur.peut_gerer and reglage.departement_id in acteur.departements):
        raise PermissionDenied(
            "Les priorités d’un département se règlent à sa DDETS, avec le rôle de gestion."
        )
    if reglage.debut <= timezone.localdate():
        raise ValidationError("Ce réglage a commencé : il ne s’efface plus. Préparez-en un autre.")
    le = {"departement": reglage.departement_id, "debut": reglage.debut}
    for modele in (GroupeDepartement, CaseCerfa):
        modele.objects.filter(**le).delete()
    reglage.delete()


def _verifier(reglage: Reglage) -> None:
    connues = set(CategorieLabel.objects.values_list("code", flat=True))
    if manquantes := connues - reglage.groupes.keys():
        raise ValidationError(f"Sans groupe : {', '.join(sorted(manquantes))}.")
    if set(reglage.groupes.values()) - {*GROUPES}:
        raise ValidationError("Un groupe est 1, 2 ou 3.")
    if inconnues := (set(reglage.cases.values()) | reglage.groupes.keys()) - connues:
        raise ValidationError(f"Catégorie inconnue : {', '.join(sorted(inconnues))}.")
    if not reglage.criteres or len(set(reglage.criteres)) != len(reglage.criteres):
        raise ValidationError("L’ordre comporte au moins un critère, chacun une fois.")
    if set(reglage.criteres) - {*Critere}:
        raise ValidationError("Critère inconnu.")
