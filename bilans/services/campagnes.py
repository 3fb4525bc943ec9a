"""The dates that apply in a territory, and their changes by the DDETS (a département) or the DREAL (a région)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from bilans.models import EcheanceCampagne
from bilans.regles.campagne import (
    TITRES,
    Echeance,
    NatureEcheance,
    bornes,
    campagnes_ouvertes,
    echeances_par_defaut,
    superposer,
)
from flux.services import agendas
from reservation.acteur import Acteur
from reservation.models import Convention, Departement, Presence, Region
from reservation.perimetre import agir
from reservation.regles.agenda import Evenement, Methode, ecrire_calendrier
from reservation.regles.periodes import jour_a_paris
from reservation.regles.typographie import date_fr, typographier
from reservation.services.acces import acteur_de
from reservation.services.assistances import exiger_hors_assistance

PREMIERE_ANNEE, DERNIERE_ANNEE = 2020, 2099


@dataclass(frozen=True, slots=True)
class Territoire:
    """A département, or the whole of a région."""

    departement: Departement | None = None
    region: Region | None = None

    @property
    def genre(self) -> str:
        return "departement" if self.departement else "region"

    @property
    def code(self) -> str:
        return (self.departement or self.region).pk

    @property
    def nom(self) -> str:
        return str(self.departement or self.region)

    @property
    def filtre(self) -> dict[str, str]:
        return {self.genre: self.code}

    def cle(self, annee: int) -> str:
        """Key of its Historique."""
        return f"{self.genre}-{self.code}-{annee}"


def departements_de(acteur: Acteur) -> list[Departement]:
    """Those whose dates are the business of `acteur`: where it has dwellings, rights, or its office."""
    departements = Departement.objects.select_related("region").order_by("pk")
    if acteur.systeme:
        return list(departements)
    if acteur.departements:
        return list(departements.filter(pk__in=acteur.departements))
    if acteur.est_bailleur:
        presences = Presence.objects.filter(bailleur=acteur.organisation_id)
        return list(departements.filter(pk__in=presences.values("departement")))
    if acteur.est_reservataire:
        actes = Convention.objects.visibles_par(acteur).order_by()
        return list(departements.filter(pk__in=actes.values("departement")))
    return []


def territoires_de(acteur: Acteur) -> list[Territoire]:
    """What `acteur` may open: its départements, and the région of a DREAL or of a union HLM."""
    departements = departements_de(acteur)
    regions = []
    if acteur.est_copil or acteur.systeme:
        regions = sorted({d.region for d in departements if d.region}, key=lambda r: r.pk)
    return [*(Territoire(region=r) for r in regions), *(Territoire(departement=d) for d in departements)]


def peut_modifier(acteur: Acteur, territoire: Territoire) -> bool:
    """The DDETS writes the dates of its département, the DREAL those of its région."""
    if acteur.systeme:
        return True
    if not acteur.peut_gerer:
        return False
    if territoire.departement:
        return acteur.est_ddets and territoire.code in acteur.departements
    return acteur.est_dreal and any(t.code == territoire.code for t in territoires_de(acteur) if t.region)


def echeances_en_vigueur(
    departements: Iterable[Departement], annees: Collection[int]
) -> dict[tuple[str, int], tuple[Echeance, ...]]:
    """(département, campaign) → its dates in order. One query, however many; `region` is read on the départements."""
    departements = list(departements)
    par_territoire: dict[tuple[str, str, int], list[Echeance]] = {}
    for ligne in EcheanceCampagne.objects.filter(
        Q(departement__in=[d.pk for d in departements]) | Q(region__in={d.region_id for d in departements}),
        annee__in=annees,
    ):
        genre, code = ("D", ligne.departement_id) if ligne.departement_id else ("R", ligne.region_id)
        par_territoire.setdefault((genre, code, ligne.annee), []).append(ligne.echeance)
    return {
        (d.pk, annee): superposer(
            echeances_par_defaut(annee),
            par_territoire.get(("R", d.region_id, annee), ()),
            par_territoire.get(("D", d.pk, annee), ()),
        )
        for d in departements
        for annee in annees
    }


def echeances_heritees(territoire: Territoire, annee: int) -> tuple[Echeance, ...]:
    """What applies where this territory says nothing: what ships, under what its région says."""
    defauts = echeances_par_defaut(annee)
    if territoire.region or not territoire.departement.region_id:
        return superposer(defauts)
    regionales = EcheanceCampagne.objects.filter(region=territoire.departement.region_id, annee=annee)
    return superposer(defauts, (ligne.echeance for ligne in regionales))


def echeances_de(territoire: Territoire, annee: int) -> tuple[Echeance, ...]:
    """The dates of one territory for one campaign."""
    propres = EcheanceCampagne.objects.filter(annee=annee, **territoire.filtre)
    return superposer(echeances_heritees(territoire, annee), (ligne.echeance for ligne in propres))


def dernier_jour_du_bilan(departement: str, annee: int) -> date | None:
    """Last day of the bilan of `annee` in a département (asked by `flux.services.echeances`); None, no such place."""
    lieu = Departement.objects.filter(pk=departement).first()
    if lieu is None:
        return None
    return next(e.due for e in echeances_de(Territoire(lieu), annee + 1) if e.nature == NatureEcheance.BILAN)


@transaction.atomic
def modifier_campagne(
    acteur: Acteur, territoire: Territoire, annee: int, valeurs: Mapping[NatureEcheance, Mapping[str, Any]]
) -> bool:
    """Set dates: nature → {"due", "tolerance", "raison", "suivie"}. Says if anything changed.

    A date equal to what applies anyway is not kept: it follows the région, or what ships, again. Raises
    `ValidationError` with every fault at once, one list per nature.
    """
    exiger_hors_assistance(acteur)
    if not peut_modifier(acteur, territoire):
        raise PermissionDenied("La DDETS fixe les dates de son département, la DREAL celles de sa région.")
    if not PREMIERE_ANNEE <= annee <= DERNIERE_ANNEE:
        raise ValidationError(f"Année {annee} ; attendu : de {PREMIERE_ANNEE} à {DERNIERE_ANNEE}.")
    erreurs = {str(nature): fautes for nature, v in valeurs.items() if (fautes := _fautes(nature, annee, v))}
    if erreurs:
        raise ValidationError(erreurs)
    heritees = {e.nature: e for e in echeances_heritees(territoire, annee)}
    actuelles = {e.nature: e for e in echeances_de(territoire, annee)}
    changees = False
    for nature, v in valeurs.items():
        voulue = Echeance(nature, annee, v["due"], v["tolerance"], " ".join(v["raison"].split()), v["suivie"])
        if voulue == actuelles[nature]:
            continue
        changees = True
        cle = {"annee": annee, "nature": nature, f"{territoire.genre}_id": territoire.code}
        if voulue == heritees[nature]:
            EcheanceCampagne.objects.filter(**cle).delete()
            continue
        EcheanceCampagne.objects.update_or_create(
            **cle,
            defaults={
                "due": voulue.due,
                "tolerance": voulue.tolerance,
                "raison": voulue.raison,
                "suivie": voulue.suivie,
                "modifiee_par_id": acteur.utilisateur_id,
            },
        )
    return changees


def _fautes(nature: NatureEcheance, annee: int, v: Mapping[str, Any]) -> list[str]:
    debut, fin = bornes(annee)
    titre, fautes = TITRES[nature], []
    due: date = v["due"]
    tolerance: date = v["tolerance"]
    for quoi, jour in (("le dernier jour", due), ("la tolérance", tolerance)):
        if not debut <= jour <= fin:
            fautes.append(
                f"{titre} : {quoi} est le {date_fr(jour)} ; attendu pour la campagne {annee} : "
                f"du {date_fr(debut)} au {date_fr(fin)}."
            )
    if tolerance < due:
        fautes.append(
            f"{titre} : la tolérance ({date_fr(tolerance)}) précède le dernier jour ({date_fr(due)}) ; "
            "attendu : ce jour-là ou après."
        )
    if not v["raison"].strip():
        fautes.append(f"{titre} : dites la raison de la date (texte, convention, décision).")
    return [typographier(f) for f in fautes]


@agir(Acteur.du_systeme("agenda partagé"), lecture_seule=True)
def calendrier_du_secret(secret: str) -> str | None:
    """The calendar of the campaigns that a secret opens: those open now, of all the territories of its organisation.

    A date is told by the département alone where the organisation reads both a région and its départements.
    """
    abonnement = agendas.abonnement_du_secret(secret, agendas.Sujet.CAMPAGNE)
    if abonnement is None or abonnement.cree_par is None:
        return None
    acteur = acteur_de(abonnement.cree_par, abonnement.organisation_id)
    if acteur.organisation_id != abonnement.organisation_id:
        return None
    annees = campagnes_ouvertes(jour_a_paris(timezone.now()))
    return ecrire_calendrier(
        [
            evenement
            for departement in departements_de(acteur)
            for annee in annees
            for evenement in evenements(Territoire(departement), annee)
        ],
        Methode.PUBLIER,
        nom=f"Campagnes, {abonnement.organisation.nom}",
    )


def evenements(territoire: Territoire, annee: int) -> list[Evenement]:
    """The dates that are held, each a whole day of a calendar. A date that moves keeps its entry."""
    maintenant = timezone.now()
    # Rises with time, without a counter to keep: what is read later replaces what was read before.
    sequence = int((maintenant - datetime(PREMIERE_ANNEE, 1, 1, tzinfo=UTC)).total_seconds())
    adresse = reverse("bilans:campagne", args=[territoire.genre, territoire.code, annee])
    return [
        Evenement(
            uid=f"campagne-{territoire.cle(annee)}-{e.nature.lower()}@{urlsplit(settings.SITE_URL).hostname}",
            sequence=sequence,
            ecrit_le=maintenant,
            debut=e.due,
            fin=None,
            titre=f"{e.titre} {annee}, {territoire.nom} : dernier jour",
            description=f"{e.objet}\n{e.raison}."
            + (f" Toléré jusqu’au {date_fr(e.tolerance)}." if e.tolerance != e.due else ""),
            adresse=f"{settings.SITE_URL}{adresse}",
        )
        for e in echeances_de(territoire, annee)
        if e.suivie
    ]
