"""The meetings of the regional COPIL: the DREAL prepares, convenes, notes and closes; whoever owes an action says it done.

What the page saves while people speak is one small act each: an item, its notes, a decision, an action. Nothing of it waits for
another, and nothing typed is overwritten: notes that somebody else changed meanwhile are refused, not replaced.
"""

from collections.abc import Sequence
from datetime import date, time

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from bilans.models import (
    ActionReunion,
    DecisionReunion,
    EvenementReunion,
    InviteReunion,
    PointReunion,
    Reunion,
)
from bilans.models.reunions import TYPES_MEMBRES
from bilans.regles.reunions import (
    ActeReunion,
    EtatReunion,
    Rubrique,
    TransitionImpossible,
    passer,
    points_a_proposer,
)
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Convention, Organisation, Presence
from reservation.regles.periodes import jour_a_paris
from reservation.regles.typographie import date_fr, typographier

from . import reunions_courriels as courriels

TOUTES = {
    "TOUTES:DDETS": ("Toutes les DDETS de la région", TypeOrganisation.DDETS),
    "TOUS:BAILLEUR": ("Tous les bailleurs de la région", TypeOrganisation.BAILLEUR),
}
CONFLIT = (
    "Ces notes ont été modifiées ailleurs depuis que vous les avez ouvertes. Copiez les vôtres, rechargez la page, puis "
    "complétez."
)


# --- Who --------------------------------------------------------------------------------------------------------------


def peut_tenir(acteur: Acteur) -> bool:
    """Whether `acteur` prepares and holds the meetings of its région."""
    return acteur.est_dreal and acteur.peut_gerer


def membres(region: str, comite: Organisation) -> QuerySet:
    """The COPIL of a région: its DREAL, union HLM and DDETS, and ALS; those that are closed left out."""
    return Organisation.objects.filter(
        Q(pk=comite.pk)
        | Q(type=TypeOrganisation.UNION_HLM, region=region)
        | Q(type=TypeOrganisation.DDETS, departement__region=region)
        | Q(type=TypeOrganisation.ACTION_LOGEMENT),
        type__in=TYPES_MEMBRES,
        fermee_le=None,
    ).order_by("nom_tri", "pk")


def organisations_responsables(region: str) -> QuerySet:
    """Who may be given an action: whoever has an office, dwellings or rights in the région."""
    presents = Presence.objects.filter(departement__region=region).values("bailleur")
    titulaires = Convention.objects.filter(departement__region=region).values("reservataire")
    return Organisation.objects.filter(
        Q(region=region)
        | Q(departement__region=region)
        | Q(pk__in=presents)
        | Q(pk__in=titulaires)
        | Q(type=TypeOrganisation.ACTION_LOGEMENT),
        fermee_le=None,
    ).order_by("nom_tri", "pk")


def _verrouiller(acteur: Acteur, reunion: Reunion) -> Reunion:
    """The row as it is now, locked until the end of the transaction, if `acteur` may change it."""
    miennes = Reunion.objects.modifiables_par(acteur).filter(pk=reunion.pk)
    verrouillee = (
        Reunion.objects.filter(pk__in=miennes)
        .select_related("organisation", "region")
        .select_for_update(of=("self",))
        .first()
    )
    if verrouillee is None:
        raise PermissionDenied("Seule la DREAL qui tient cette réunion y écrit.")
    return verrouillee


def _verrouiller_l_ordre_du_jour(acteur: Acteur, reunion: Reunion) -> Reunion:
    reunion = _verrouiller(acteur, reunion)
    if not reunion.s_ordonne:
        raise ValidationError(
            f"Cette réunion est {reunion.get_etat_display()} : son ordre du jour ne change plus."
        )
    return reunion


def _verrouiller_la_seance(acteur: Acteur, reunion: Reunion) -> Reunion:
    reunion = _verrouiller(acteur, reunion)
    if reunion.etat != EtatReunion.OUVERTE:
        raise ValidationError(
            f"Cette réunion est {reunion.get_etat_display()} : ouvrez la séance pour noter ce qui s’y dit."
        )
    return reunion


def noter(acteur: Acteur, reunion: Reunion, acte: ActeReunion, motif: str = "") -> EvenementReunion:
    """Write down one act on the meeting, and who did it."""
    return EvenementReunion.objects.create(
        reunion=reunion, acte=acte.value, motif=motif.strip(), par_id=acteur.utilisateur_id
    )


def _passer(acteur: Acteur, reunion: Reunion, acte: ActeReunion, motif: str = "") -> None:
    """Move the locked row and write the act down; the caller saves what else changes first."""
    try:
        reunion.etat = passer(EtatReunion(reunion.etat), acte, motif).value
    except TransitionImpossible as refus:
        raise ValidationError(typographier(str(refus))) from refus
    reunion.full_clean(exclude=["region", "organisation"])
    reunion.save()
    noter(acteur, reunion, acte, motif)


# --- When, where, who -------------------------------------------------------------------------------------------------


@transaction.atomic
def preparer(
    acteur: Acteur, *, objet: str, date: date, heure: time, lieu: str, heure_fin: time | None = None
) -> Reunion:
    """A meeting of the région of `acteur`, with the members of the COPIL; its agenda is empty."""
    if not peut_tenir(acteur):
        raise PermissionDenied(
            "La DREAL prépare les réunions du comité de pilotage, avec le rôle de gestion."
        )
    comite = Organisation.objects.get(pk=acteur.organisation_id)
    reunion = Reunion(
        region_id=comite.region_id,
        organisation=comite,
        objet=objet,
        date=date,
        heure=heure,
        heure_fin=heure_fin,
        lieu=lieu,
    )
    reunion.full_clean(exclude=["region", "organisation"])
    reunion.save()
    InviteReunion.objects.bulk_create(
        InviteReunion(reunion=reunion, organisation=o) for o in membres(comite.region_id, comite)
    )
    noter(acteur, reunion, ActeReunion.PREPARER)
    return reunion


@transaction.atomic
def modifier(
    acteur: Acteur,
    reunion: Reunion,
    *,
    objet: str,
    date: date,
    heure: time,
    lieu: str,
    heure_fin: time | None = None,
) -> Reunion:
    """Another day, hour, place or object; members who were convened are told at once."""
    reunion = _verrouiller(acteur, reunion)
    if not reunion.se_prepare:
        raise ValidationError(
            f"Cette réunion est {reunion.get_etat_display()} : sa date et son lieu ne changent plus."
        )
    reunion.objet, reunion.lieu = objet, lieu
    reunion.date, reunion.heure, reunion.heure_fin = date, heure, heure_fin
    ActionReunion.objects.filter(reunion=reunion).update(seance=date)
    if reunion.etat == EtatReunion.CONVOQUEE:
        reunion.sequence += 1
        _passer(acteur, reunion, ActeReunion.INFORMER)
        courriels.convoquer(reunion, ActeReunion.INFORMER)
    else:
        reunion.full_clean(exclude=["region", "organisation"])
        reunion.save()
    return reunion


@transaction.atomic
def convoquer(acteur: Acteur, reunion: Reunion) -> int:
    """Convene the members, or send again the agenda as it is now; how many e-mails were written."""
    reunion = _verrouiller(acteur, reunion)
    if not reunion.points.exists():
        raise ValidationError("Composez d’abord l’ordre du jour : il est vide.")
    if not courriels.personnes_des_membres(reunion):
        raise ValidationError("Personne n’a d’accès chez les membres : la convocation ne peut pas partir.")
    premiere = reunion.publiee_le is None
    if premiere:
        reunion.publiee_le = timezone.now()
    else:
        reunion.sequence += 1
    acte = ActeReunion.CONVOQUER if premiere else ActeReunion.INFORMER
    _passer(acteur, reunion, acte)
    return courriels.convoquer(reunion, acte)


@transaction.atomic
def annuler(acteur: Acteur, reunion: Reunion, motif: str) -> Reunion:
    """A meeting that will not take place; its entry leaves the calendars of those who were convened."""
    reunion = _verrouiller(acteur, reunion)
    convoquee = reunion.etat == EtatReunion.CONVOQUEE
    if convoquee:
        reunion.sequence += 1
    _passer(acteur, reunion, ActeReunion.ANNULER, motif)
    if convoquee:
        courriels.convoquer(reunion, ActeReunion.ANNULER, motif)
    return reunion


@transaction.atomic
def noter_presence(
    acteur: Acteur, invite: InviteReunion, presence: str, fonctions: str = ""
) -> InviteReunion:
    """Whether a member came, and the functions of those who did."""
    _verrouiller_l_ordre_du_jour(acteur, invite.reunion)
    invite.presence, invite.fonctions = presence, fonctions.strip()
    invite.full_clean(exclude=["reunion", "organisation"])
    invite.save(update_fields=["presence", "fonctions"])
    return invite


# --- Agenda -----------------------------------------------------------------------------------------------------------


def actions_a_suivre(reunion: Reunion) -> QuerySet:
    """Open actions of the meetings before, which the agenda takes up."""
    return (
        ActionReunion.objects.ouvertes()
        .filter(comite=reunion.organisation_id)
        .exclude(reunion=reunion)
        .select_related("organisation")
        .order_by("echeance", "pk")
    )


def _suivant(reunion: Reunion) -> int:
    return (reunion.points.aggregate(m=Max("rang"))["m"] or 0) + 1


@transaction.atomic
def proposer_points(acteur: Acteur, reunion: Reunion) -> int:
    """Add the standing items that the agenda does not have; how many. Those that are there stay as they are."""
    reunion = _verrouiller_l_ordre_du_jour(acteur, reunion)
    presentes = frozenset(Rubrique(r) for r in reunion.points.order_by().values_list("rubrique", flat=True))
    proposes = points_a_proposer(presentes, actions_a_suivre(reunion).count())
    rang = _suivant(reunion)
    PointReunion.objects.bulk_create(
        PointReunion(
            reunion=reunion,
            rang=rang + k,
            rubrique=point.rubrique.value,
            titre=point.titre,
            texte=point.texte,
            duree=point.duree,
        )
        for k, point in enumerate(proposes)
    )
    return len(proposes)


@transaction.atomic
def ajouter_point(
    acteur: Acteur, reunion: Reunion, *, titre: str, texte: str = "", duree: int | None = None
) -> PointReunion:
    """One more item, at the end."""
    reunion = _verrouiller_l_ordre_du_jour(acteur, reunion)
    point = PointReunion(
        reunion=reunion, rang=_suivant(reunion), titre=titre.strip(), texte=texte.strip(), duree=duree
    )
    point.full_clean(exclude=["reunion"])
    point.save()
    return point


@transaction.atomic
def modifier_point(
    acteur: Acteur, point: PointReunion, *, titre: str, texte: str = "", duree: int | None = None
) -> PointReunion:
    """Its title, what is said of it beforehand, how long it lasts."""
    _verrouiller_l_ordre_du_jour(acteur, point.reunion)
    point.titre, point.texte, point.duree = titre.strip(), texte.strip(), duree
    point.full_clean(exclude=["reunion"])
    point.save(update_fields=["titre", "texte", "duree"])
    return point


@transaction.atomic
def deplacer_point(acteur: Acteur, point: PointReunion, pas: int) -> None:
    """One place up (`pas` -1) or down (1); at the end of the list, nothing happens. Ranks are made 1, 2, 3… again."""
    reunion = _verrouiller_l_ordre_du_jour(acteur, point.reunion)
    points = list(reunion.points.order_by("rang", "pk"))
    ici = next(k for k, p in enumerate(points) if p.pk == point.pk)
    la = ici + pas
    if 0 <= la < len(points):
        points[ici], points[la] = points[la], points[ici]
    _ranger(points)


@transaction.atomic
def retirer_point(acteur: Acteur, point: PointReunion) -> None:
    """An item that nothing was noted under; what was noted is taken out first, by somebody who reads it."""
    reunion = _verrouiller_l_ordre_du_jour(acteur, point.reunion)
    point = reunion.points.get(pk=point.pk)
    if point.notes or point.decisions.exists() or point.actions.exists():
        raise ValidationError("Ce point porte des notes, des décisions ou des actions : retirez-les d’abord.")
    point.delete()
    _ranger(list(reunion.points.order_by("rang", "pk")))


def _ranger(points: Sequence[PointReunion]) -> None:
    changes = []
    for rang, point in enumerate(points, 1):
        if point.rang != rang:
            point.rang = rang
            changes.append(point)
    PointReunion.objects.bulk_update(changes, ["rang"])


# --- During the meeting -----------------------------------------------------------------------------------------------


@transaction.atomic
def ouvrir(acteur: Acteur, reunion: Reunion) -> Reunion:
    """Begin to note; its members see the agenda, if they were not convened."""
    reunion = _verrouiller(acteur, reunion)
    maintenant = timezone.now()
    reunion.ouverte_le = reunion.ouverte_le or maintenant
    reunion.publiee_le = reunion.publiee_le or maintenant
    _passer(acteur, reunion, ActeReunion.OUVRIR)
    return reunion


@transaction.atomic
def noter_debats(acteur: Acteur, point: PointReunion, texte: str, revision: int) -> PointReunion:
    """What is said under an item. `revision`: that of the notes that the page showed; another person's since is a conflict."""
    _verrouiller_la_seance(acteur, point.reunion)
    point = PointReunion.objects.select_for_update().get(pk=point.pk)
    texte = texte.replace("\r\n", "\n").rstrip()
    if texte == point.notes:
        return point
    # One's own last words are not a conflict: what is typed while the answer travels bears the version before.
    if revision != point.revision and point.notees_par_id != acteur.utilisateur_id:
        raise ValidationError(CONFLIT)
    point.notes, point.revision = texte, point.revision + 1
    point.notees_par_id = acteur.utilisateur_id
    point.save(update_fields=["notes", "revision", "notees_par"])
    return point


@transaction.atomic
def noter_decision(acteur: Acteur, point: PointReunion, texte: str) -> DecisionReunion:
    """One decision under an item; an empty text is refused."""
    reunion = _verrouiller_la_seance(acteur, point.reunion)
    return _ecrire_decision(DecisionReunion(reunion=reunion, point=point), texte)


@transaction.atomic
def modifier_decision(acteur: Acteur, decision: DecisionReunion, texte: str) -> DecisionReunion:
    """The same decision, in other words."""
    _verrouiller_la_seance(acteur, decision.reunion)
    return _ecrire_decision(decision, texte)


def _ecrire_decision(decision: DecisionReunion, texte: str) -> DecisionReunion:
    decision.texte = texte.replace("\r\n", "\n").strip()
    if not decision.texte:
        raise ValidationError("Écrivez la décision, ou retirez-la.")
    decision.save()
    return decision


@transaction.atomic
def retirer_decision(acteur: Acteur, decision: DecisionReunion) -> None:
    """Taken out while the minutes are written; its Historique keeps it."""
    _verrouiller_la_seance(acteur, decision.reunion)
    decision.delete()


@transaction.atomic
def noter_action(
    acteur: Acteur, point: PointReunion, *, libelle: str, responsable: str, echeance: date
) -> list[ActionReunion]:
    """One action, or one for each of a kind. `responsable`: the key of an organisation, or of `TOUTES`."""
    reunion = _verrouiller_la_seance(acteur, point.reunion)
    actions = []
    for organisation in _responsables(reunion, responsable):
        action = ActionReunion(
            reunion=reunion,
            point=point,
            comite=reunion.organisation,
            region=reunion.region,
            seance=reunion.date,
            organisation=organisation,
        )
        actions.append(_ecrire_action(reunion, action, libelle, echeance))
    return actions


def _responsables(reunion: Reunion, cle: str) -> list[Organisation]:
    toutes = organisations_responsables(reunion.region_id)
    if cle in TOUTES:
        choisies = list(toutes.filter(type=TOUTES[cle][1]))
    else:
        choisies = list(toutes.filter(pk=cle)) if cle.isascii() and cle.isdecimal() and len(cle) < 19 else []
    if not choisies:
        raise ValidationError("Choisissez qui doit faire cette action.")
    return choisies


def _ecrire_action(
    reunion: Reunion, action: ActionReunion, libelle: str, echeance: date | None
) -> ActionReunion:
    action.libelle = " ".join(libelle.split())
    if not action.libelle:
        raise ValidationError("Écrivez ce qui est à faire.")
    if len(action.libelle) > 300:
        raise ValidationError("Une action tient en 300 caractères ; le reste va dans les notes.")
    if echeance is None:
        raise ValidationError("Donnez une échéance : sans elle, personne n’est rappelé.")
    if echeance < reunion.date:
        raise ValidationError(typographier(f"L’échéance précède la réunion du {date_fr(reunion.date)}."))
    if action.echeance != echeance:
        action.rappel = ""
    action.echeance = echeance
    action.save()
    return action


@transaction.atomic
def modifier_action(
    acteur: Acteur, action: ActionReunion, *, libelle: str, responsable: str, echeance: date
) -> ActionReunion:
    """While the minutes are written. One that is done or given up stays as it is."""
    reunion = _verrouiller_la_seance(acteur, action.reunion)
    action = reunion.actions.select_for_update().get(pk=action.pk)
    if action.realisee_le or action.abandonnee_le:
        raise ValidationError("Cette action est terminée : elle ne change plus.")
    if responsable in TOUTES:
        raise ValidationError("Une action notée a un seul responsable : notez-en une autre pour les autres.")
    [action.organisation] = _responsables(reunion, responsable)
    return _ecrire_action(reunion, action, libelle, echeance)


@transaction.atomic
def retirer_action(acteur: Acteur, action: ActionReunion) -> None:
    """One that nobody was given yet; afterwards it is given up, with a reason."""
    reunion = _verrouiller_la_seance(acteur, action.reunion)
    action = reunion.actions.select_for_update().get(pk=action.pk)
    if action.publiee_le is not None:
        raise ValidationError(
            "Cette action a été confiée : abandonnez-la, avec un motif, à la page des actions."
        )
    action.delete()


# --- Closing ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def clore(acteur: Acteur, reunion: Reunion) -> Reunion:
    """End of the meeting: actions are published, what was noted does not change any more. The minutes are made after it."""
    reunion = _verrouiller(acteur, reunion)
    if reunion.date > timezone.localdate():
        raise ValidationError(
            typographier(f"La réunion est du {date_fr(reunion.date)} : elle se clôt à partir de ce jour.")
        )
    maintenant = timezone.now()
    ActionReunion.objects.filter(reunion=reunion, publiee_le=None).update(publiee_le=maintenant)
    reunion.close_le = maintenant
    _passer(acteur, reunion, ActeReunion.CLORE)
    return reunion


@transaction.atomic
def rouvrir(acteur: Acteur, reunion: Reunion, motif: str) -> Reunion:
    """To mend the minutes: the reason stays, and so does the version that was sent. Actions stay given."""
    reunion = _verrouiller(acteur, reunion)
    reunion.close_le = None
    _passer(acteur, reunion, ActeReunion.ROUVRIR, motif)
    return reunion


@transaction.atomic
def envoyer(acteur: Acteur, reunion: Reunion) -> int:
    """The last minutes to the members, and to each organisation the actions that it owes; how many e-mails."""
    reunion = _verrouiller(acteur, reunion)
    compte_rendu = reunion.comptes_rendus.order_by("-version").first()
    if (
        reunion.etat != EtatReunion.CLOSE
        or compte_rendu is None
        or compte_rendu.produit_le < reunion.close_le
    ):
        raise ValidationError("Le compte rendu se produit puis s’envoie une fois la réunion close.")
    _passer(acteur, reunion, ActeReunion.ENVOYER)
    return courriels.envoyer_compte_rendu(reunion, compte_rendu) + courriels.confier(reunion)


# --- Afterwards -------------------------------------------------------------------------------------------------------


def _verrouiller_action(
    acteur: Acteur, action: ActionReunion, *, par_le_comite: bool = False
) -> ActionReunion:
    miennes = ActionReunion.objects.modifiables_par(acteur).filter(pk=action.pk)
    if par_le_comite and not acteur.systeme:
        miennes = miennes.filter(comite=acteur.organisation_id)
    verrouillee = (
        ActionReunion.objects.filter(pk__in=miennes, publiee_le__isnull=False)
        .select_for_update(of=("self",))
        .first()
    )
    if verrouillee is None:
        raise PermissionDenied("Cette action se dit faite chez l’organisation qui la doit, ou à la DREAL.")
    return verrouillee


@transaction.atomic
def faire(
    acteur: Acteur, action: ActionReunion, *, realisee_le: date, commentaire: str = ""
) -> ActionReunion:
    """Say that an action is done, and when: its alert goes away."""
    action = _verrouiller_action(acteur, action)
    if action.realisee_le or action.abandonnee_le:
        raise ValidationError("Cette action est déjà terminée.")
    if realisee_le > jour_a_paris(timezone.now()):
        raise ValidationError("Une action faite l’est au plus tard aujourd’hui.")
    if realisee_le < action.seance:
        raise ValidationError(
            typographier(f"L’action a été décidée le {date_fr(action.seance)} : indiquez une date qui suit.")
        )
    action.realisee_le, action.commentaire = realisee_le, commentaire.strip()
    action.dite_le, action.dite_par_id = timezone.now(), acteur.utilisateur_id
    action.full_clean(exclude=["reunion", "point", "comite", "region", "organisation", "dite_par"])
    action.save()
    return action


@transaction.atomic
def defaire(acteur: Acteur, action: ActionReunion) -> ActionReunion:
    """It was said done by mistake, or is not: it is due again, at the same date."""
    action = _verrouiller_action(acteur, action)
    if action.realisee_le is None:
        raise ValidationError("Cette action n’est pas dite faite.")
    action.realisee_le = action.dite_le = action.dite_par = None
    action.save()
    return action


@transaction.atomic
def abandonner(acteur: Acteur, action: ActionReunion, motif: str) -> ActionReunion:
    """The COPIL does not ask for it any more."""
    action = _verrouiller_action(acteur, action, par_le_comite=True)
    if action.realisee_le or action.abandonnee_le:
        raise ValidationError("Cette action est déjà terminée.")
    if not motif.strip():
        raise ValidationError("Indiquez pourquoi : l’organisation qui la devait le lira.")
    action.abandonnee_le, action.motif = timezone.now(), motif.strip()
    action.save()
    return action


@transaction.atomic
def reporter(acteur: Acteur, action: ActionReunion, echeance: date) -> ActionReunion:
    """Another date for an open action; its reminders start again."""
    action = _verrouiller_action(acteur, action, par_le_comite=True)
    if action.realisee_le or action.abandonnee_le:
        raise ValidationError("Cette action est déjà terminée.")
    if echeance < timezone.localdate():
        raise ValidationError("La nouvelle échéance est au plus tôt aujourd’hui.")
    action.echeance, action.rappel = echeance, ""
    action.save()
    return action


def sur_bailleurs_fusionnes(sender, absorbe: Organisation, absorbant: Organisation, effet, **_signal) -> None:
    """Receiver of `reservation.signaux.bailleurs_fusionnes`: what is still to do is owed by who answers now."""
    ActionReunion.objects.filter(organisation=absorbe, realisee_le=None, abandonnee_le=None).update(
        organisation=absorbant
    )
