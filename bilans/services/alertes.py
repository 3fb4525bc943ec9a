"""What an organisation is told on its first screen: actions that wait for it, news to read. Gone once it is done.

Nothing of this is stored: an alert is read from the very facts that make it, so that none outlives its cause.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from django.db.models import OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone

from bilans.models import ActionReunion, Bilan, EtapeBilan, PartConvenue, RemiseProjection
from bilans.regles.campagne import NatureEcheance, campagnes_ouvertes
from bilans.regles.cycle import EtatBilan
from bilans.regles.procedures import CONTRADICTOIRE, Etat
from reservation.acteur import Acteur, TypeOrganisation
from reservation.regles.periodes import jour_a_paris
from reservation.regles.typographie import accorder, date_fr, minuscule

from .faits_campagne import CHEZ_LE_BAILLEUR
from .procedures_liste import EN_COURS, lignes
from .suivi_campagne import Obligation, obligations

# From how many days before its date something is said; how long the préfet is told of an agreement.
VUE = 60
NOUVELLE = timedelta(days=30)
# More news, or more things to do, of one kind than that are told in one line.
DETAILLEES = 3
ACTIONS_DETAILLEES = 10


class Genre(StrEnum):
    """What an alert asks: to act, or to know."""

    ACTION = "ACTION"
    INFORMATION = "INFORMATION"


@dataclass(frozen=True, slots=True)
class Alerte:
    """One line; `url`: where it is done, or read."""

    genre: Genre
    libelle: str
    detail: str
    url: str
    statut: str


def alertes(
    acteur: Acteur, maintenant: datetime | None = None, dues: list[Obligation] | None = None
) -> list[Alerte]:
    """Actions first, by date; then the news. A fixed number of queries. `dues`: its obligations, where already read."""
    maintenant = maintenant or timezone.now()
    if not acteur.organisation_id:
        return []
    dues = obligations(acteur, maintenant) if dues is None else dues
    proposees = _proposees(acteur, maintenant)
    return [
        *_propositions(acteur, proposees, dues),
        *_echeances(acteur, dues, {_cle(part) for part in proposees}),
        *_bilans_a_reprendre(acteur, maintenant, dues),
        *_projections(acteur, maintenant),
        *_accords(acteur, maintenant),
        *_procedures(acteur, maintenant),
        *_actions_du_comite(acteur, maintenant),
    ]


def _cle(part: PartConvenue) -> tuple[int, str, int]:
    return part.bailleur_id, part.departement_id, part.annee


def _cle_de_part(o: Obligation) -> tuple[int, str, int] | None:
    """The share of ALS that an obligation is about, as `_cle` says it; None for any other."""
    if o.echeance.nature != NatureEcheance.PART_ALS:
        return None
    return o.bailleur.pk, o.departement.pk, o.echeance.annee


def _echeances(acteur: Acteur, dues: list[Obligation], repondre: Collection[tuple]) -> list[Alerte]:
    """What the dates of the campaigns await; `repondre`: shares whose proposal is told, with their date, already."""
    if acteur.est_service_etat:
        return _retards(dues)
    groupes: dict[tuple[NatureEcheance, int, str], list[Obligation]] = {}
    for o in dues:
        if (
            o.attendue_de(acteur.organisation_id)
            and o.situation.jours <= VUE
            and _cle_de_part(o) not in repondre
        ):
            groupes.setdefault((o.echeance.nature, o.echeance.annee, o.echeance.objet), []).append(o)
    seules = {id(o) for groupe in groupes.values() if len(groupe) <= ACTIONS_DETAILLEES for o in groupe}
    premieres = {id(groupe[0]): groupe for groupe in groupes.values()}
    return [
        _echeance(o) if id(o) in seules else _echeances_en_une(acteur, premieres[id(o)])
        for o in dues
        if id(o) in seules or id(o) in premieres
    ]


def _echeance(o: Obligation) -> Alerte:
    return Alerte(
        Genre.ACTION,
        o.echeance.objet,
        f"{o.bailleur.nom}, {o.departement.nom}. {_jour(o)}",
        ou_le_faire(o),
        o.situation.libelle,
    )


def _jour(o: Obligation) -> str:
    return f"Dernier jour : {date_fr(o.echeance.due)}, {o.situation.compte_a_rebours}."


def _echeances_en_une(acteur: Acteur, groupe: list[Obligation]) -> Alerte:
    """Many of one kind, the first to come first: how many, and the page that lists them."""
    premiere = groupe[0]
    departements = accorder(len({o.departement.pk for o in groupe}), "département")
    bailleurs = (
        "" if acteur.est_bailleur else f"{accorder(len({o.bailleur.pk for o in groupe}), 'bailleur')}, "
    )
    return Alerte(
        Genre.ACTION,
        premiere.echeance.objet,
        f"{bailleurs}{departements}. Le premier : {premiere.departement.nom}. {_jour(premiere)}",
        _liste_de(acteur, premiere),
        premiere.situation.libelle,
    )


def _liste_de(acteur: Acteur, o: Obligation) -> str:
    """The page that lists what is due of one kind."""
    annee = _annee_du_bilan(o)
    return _parts(acteur) if annee is None else _bilans(annee=annee)


def _parts(acteur: Acteur) -> str:
    return reverse("bilans:campagnes") if acteur.est_bailleur else f"{reverse('accueil')}#t-parts"


def _bilans_a_reprendre(acteur: Acteur, maintenant: datetime, dues: Iterable[Obligation]) -> list[Alerte]:
    """Bilans that wait for their bailleur though no date of the campaign says so: given back after that of the corrections."""
    if not acteur.est_bailleur:
        return []
    dits = {
        (o.departement.pk, o.echeance.annee - 1)
        for o in dues
        if o.echeance.nature == NatureEcheance.CORRECTION and o.attendue_de(acteur.organisation_id)
    }
    derniere = EtapeBilan.objects.filter(bilan=OuterRef("pk"), le__lte=maintenant).order_by("-rang")
    bilans = (
        Bilan.objects.visibles_par(acteur)
        .filter(bailleur=acteur.organisation_id)
        .annotate(stade=Subquery(derniere.values("vers")[:1]), depuis=Subquery(derniere.values("le")[:1]))
        .filter(stade__in=CHEZ_LE_BAILLEUR)
        .select_related("departement")
        .order_by("depuis", "pk")
    )
    return [
        Alerte(
            Genre.ACTION,
            f"Reprendre le bilan {bilan.annee} : {EtatBilan(bilan.stade).libelle}",
            f"{bilan.departement.nom}, depuis le {date_fr(jour_a_paris(bilan.depuis))}.",
            reverse("bilans:suivi", args=[bilan.pk]),
            "à faire",
        )
        for bilan in bilans
        if (bilan.departement_id, bilan.annee) not in dits
    ]


def ou_le_faire(o: Obligation) -> str:
    """The page on which it is done."""
    if o.echeance.nature in (NatureEcheance.PROJECTION, NatureEcheance.PART_ALS):
        return reverse("bilans:projection", args=[o.bailleur.pk, o.departement.pk, o.echeance.annee])
    annee = _annee_du_bilan(o)
    if annee is None:
        return _campagne(o.departement.pk, o.echeance.annee)
    return _bilans(annee=annee, departement=o.departement.pk)


def _annee_du_bilan(o: Obligation) -> int | None:
    """Year of the bilan, or of the point d’étape, that an obligation is about; None for any other."""
    match o.echeance.nature:
        case NatureEcheance.BILAN | NatureEcheance.CORRECTION:
            return o.echeance.annee - 1
        case NatureEcheance.POINT_ETAPE_1 | NatureEcheance.POINT_ETAPE_2:
            return o.echeance.annee
        case _:
            return None


def _bilans(**choix: str | int) -> str:
    return f"{reverse('bilans:liste')}?{urlencode(choix)}"


def _campagne(departement: str, annee: int) -> str:
    return reverse("bilans:campagne", args=["departement", departement, annee])


def _retards(dues: Iterable[Obligation]) -> list[Alerte]:
    """For the State: how many are late, and who: a bailleur that did its part is not among them."""
    nombres: Counter = Counter()
    for o in dues:
        if o.situation.en_retard:
            nombres[o.departement.pk, o.echeance, o.attendue_de(o.bailleur.pk)] += 1
    return [
        Alerte(
            Genre.INFORMATION,
            f"{accorder(nombre, 'bailleur')} {'en retard' if du_bailleur else 'sans réponse d’Action Logement'} : "
            f"{minuscule(echeance.titre)}",
            f"Campagne {echeance.annee}, toléré jusqu’au {date_fr(echeance.tolerance)}.",
            _campagne(departement, echeance.annee),
            "en retard",
        )
        for (departement, echeance, du_bailleur), nombre in nombres.items()
    ]


def _proposees(acteur: Acteur, maintenant: datetime) -> list[PartConvenue]:
    """Shares that the other party proposed, and that wait for an answer."""
    if not (acteur.est_bailleur or acteur.type_organisation == TypeOrganisation.ACTION_LOGEMENT):
        return []
    return list(
        PartConvenue.objects.visibles_par(acteur)
        .filter(
            etat=PartConvenue.Etat.PROPOSEE,
            proposee_le__lte=maintenant,
            annee__in=campagnes_ouvertes(jour_a_paris(maintenant)),
        )
        .exclude(proposee_pour=acteur.organisation_id)
        .select_related("bailleur", "departement", "proposee_pour")
        .order_by("proposee_le", "pk")
    )


def _propositions(acteur: Acteur, parts: list[PartConvenue], dues: Iterable[Obligation]) -> list[Alerte]:
    """An answer to give, with the date of the campaign where one awaits it: one thing to do is told once."""
    attendues = {
        _cle_de_part(o): o for o in dues if o.attendue_de(acteur.organisation_id) and o.situation.jours <= VUE
    }
    if len(parts) > ACTIONS_DETAILLEES:
        departements = accorder(len({part.departement_id for part in parts}), "département")
        return [
            Alerte(
                Genre.ACTION,
                f"Répondre à {accorder(len(parts), 'proposition')} de part prévisionnelle d’Action Logement",
                f"{departements}. Accepter, ou proposer un autre nombre.",
                _parts(acteur),
                "à confirmer",
            )
        ]
    alertes = []
    for part in parts:
        due = attendues.get(_cle(part))
        alertes.append(
            Alerte(
                Genre.ACTION,
                f"Répondre à {part.proposee_pour.nom} : {accorder(part.logements, 'logement')} pour Action Logement "
                f"en {part.annee}",
                f"{part.bailleur.nom}, {part.departement.nom}. Accepter, ou proposer un autre nombre."
                + (f" {_jour(due)}" if due else ""),
                reverse("bilans:projection", args=[part.bailleur_id, part.departement_id, part.annee]),
                due.situation.libelle if due and due.situation.en_retard else "à confirmer",
            )
        )
    return alertes


def _projections(acteur: Acteur, maintenant: datetime) -> list[Alerte]:
    """Projections received that nobody of this organisation has acknowledged."""
    if not (acteur.est_reservataire or acteur.est_ddets):
        return []
    remises = list(
        RemiseProjection.objects.visibles_par(acteur)
        .filter(
            reservataire=acteur.organisation_id,
            lue_le=None,
            remise_le__lte=maintenant,
            envoi__annee__in=campagnes_ouvertes(jour_a_paris(maintenant)),
        )
        .select_related("bailleur", "departement", "envoi")
        .order_by("-envoi__version", "remise_le", "pk")
    )
    # The last version of each: to acknowledge it acknowledges those before.
    dernieres = list(
        {(r.bailleur_id, r.departement_id, r.envoi.annee): r for r in reversed(remises)}.values()
    )
    if len(dernieres) <= DETAILLEES:
        return [
            Alerte(
                Genre.INFORMATION,
                f"Lire les soustractions prévisionnelles {r.envoi.annee} de {r.bailleur.nom}",
                f"{r.departement.nom}, transmises le {date_fr(jour_a_paris(r.remise_le))}. Accusez-en réception.",
                reverse("bilans:projection", args=[r.bailleur_id, r.departement_id, r.envoi.annee]),
                "à lire",
            )
            for r in dernieres
        ]
    par_lieu = Counter((r.departement_id, r.departement.nom, r.envoi.annee) for r in dernieres)
    return [
        Alerte(
            Genre.INFORMATION,
            f"{accorder(nombre, 'projection')} {annee} à lire",
            f"{nom} : soustractions prévisionnelles transmises par les bailleurs.",
            _campagne(departement, annee),
            "à lire",
        )
        for (departement, nom, annee), nombre in sorted(par_lieu.items())
    ]


def _accords(acteur: Acteur, maintenant: datetime) -> list[Alerte]:
    """The préfet is told of the shares agreed in the last days."""
    if not acteur.est_service_etat:
        return []
    parts = (
        PartConvenue.objects.visibles_par(acteur)
        .filter(
            etat=PartConvenue.Etat.ACCEPTEE,
            acceptee_le__gt=maintenant - NOUVELLE,
            acceptee_le__lte=maintenant,
        )
        .order_by()
        .values_list("departement", "annee")
    )
    return [
        Alerte(
            Genre.INFORMATION,
            f"{accorder(nombre, 'part convenue', 'parts convenues')} avec Action Logement pour {annee}",
            "Accords conclus depuis trente jours entre les bailleurs et Action Logement.",
            _campagne(departement, annee),
            "information",
        )
        for (departement, annee), nombre in sorted(Counter(parts).items())
    ]


def _procedures(acteur: Acteur, maintenant: datetime) -> list[Alerte]:
    """Procedures that are not over: for the State, a clock that has run out; for whom they are about, what may be answered."""
    if acteur.est_copil or acteur.type_organisation == TypeOrganisation.OPERATEUR:
        return []
    jour = jour_a_paris(maintenant)
    dites = []
    for ligne in lignes(acteur, jour, Q(etat__in=EN_COURS)):
        p = ligne.procedure
        if acteur.est_service_etat and not ligne.delai:
            continue
        quand = ""
        if ligne.delai:
            quand = f" Délai {'expiré depuis le' if ligne.expire else 'jusqu’au'} {date_fr(ligne.delai.fin)}."
        attend = Etat(p.etat) in CONTRADICTOIRE and not acteur.est_service_etat
        dites.append(
            Alerte(
                Genre.ACTION if attend or (ligne.expire and acteur.est_ddets) else Genre.INFORMATION,
                f"{p.regle.libelle} {p.annee} : {p.destinataire.nom}",
                f"{p.departement.nom}, {ligne.stade}.{quand} Rien n’est automatique.",
                reverse("bilans:procedure", args=[p.pk]),
                "délai expiré" if ligne.expire else "en cours",
            )
        )
    return dites


def _actions_du_comite(acteur: Acteur, maintenant: datetime) -> list[Alerte]:
    """What the COPIL asked of this organisation, until it says that it is done."""
    jour = jour_a_paris(maintenant)
    dues = (
        ActionReunion.objects.visibles_par(acteur)
        .ouvertes()
        .filter(organisation=acteur.organisation_id)
        .order_by("echeance", "pk")
    )
    return [
        Alerte(
            Genre.ACTION,
            action.libelle,
            f"Comité de pilotage du {date_fr(action.seance)}. Pour le {date_fr(action.echeance)}, "
            f"{action.situer(jour).compte_a_rebours}.",
            reverse("bilans:action_copil", args=[action.pk]),
            action.situer(jour).libelle,
        )
        for action in dues
    ]
