"""A bailleur absorbs another: what is of the year of the merger and after follows, what is before stays as it was.

The flux is yearly: a merger takes effect on a 1 January, of the current year or of the one before, that the person who
records it chooses. Conventions are cut that day and go on with the absorbing bailleur; so do the parc from that millésime on, the flags, and in the room above what `bailleurs_fusionnes`
makes follow. The absorbed organisation is closed, its past stays readable by the people of both.

Obstacles are shown, and resolved by people, before anything is written: the merger itself is one transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from reservation import signaux
from reservation.acteur import Acteur, Role, TypeOrganisation
from reservation.models import (
    AgregatParc,
    Convention,
    DemandeAcces,
    Derogation,
    Drapeau,
    EtatParc,
    EvenementAcces,
    EvenementConvention,
    ImportRpls,
    Logement,
    Organisation,
    Presence,
    Rattachement,
    VersionConvention,
)
from reservation.perimetre import agir
from reservation.regles.typographie import accorder, date_fr, typographier

from . import habilitations
from .courriels import ecrire
from .parc.calcul import rafraichir_l_agregat
from .parc.verrous import verrouiller_bailleurs

UN_JOUR = timedelta(days=1)
IMPORTS_OUVERTS = ("RECU", "EN_ANALYSE", "A_CONFIRMER", "EN_APPLICATION")


@dataclass(frozen=True, slots=True)
class Fusion:
    """What a merger would make follow, and what must be resolved before it. Obstacles are French sentences."""

    absorbe: Organisation
    absorbant: Organisation
    effet: date
    comptes: dict[str, int]
    obstacles: tuple[str, ...]


def effet_propose() -> date:
    """The day proposed to who records a merger today; 1 January of the year before may be chosen as well."""
    return date(timezone.localdate().year, 1, 1)


def _exiger_effet(effet: date) -> None:
    """A 1 January that has come, and not older than the year whose bilan is due now."""
    propose = effet_propose()
    if effet > timezone.localdate():
        refus = "La fusion s’enregistre une fois qu’elle a pris effet : cette date est à venir."
    elif (effet.month, effet.day) != (1, 1):
        refus = (
            "Le flux, le parc et le bilan sont annuels : la fusion y prend effet un 1er janvier. Choisissez celui de "
            "l’année du traité, ou attendez le suivant."
        )
    elif effet.year < propose.year - 1:
        refus = f"La fusion prend effet au plus tôt le {date_fr(propose.replace(year=propose.year - 1))}."
    else:
        return
    raise ValidationError({"effet": typographier(refus)})


@agir(Acteur.du_systeme("fusion de bailleurs"))
def preparer_fusion(acteur: Acteur, absorbe: Organisation, absorbant: Organisation, effet: date) -> Fusion:
    """Count what would follow and list the obstacles; writes nothing."""
    _exiger(acteur, absorbe, absorbant, effet)
    comptes = {
        "conventions": _conventions(absorbe, effet).count(),
        "logements": sum(
            EtatParc.objects.filter(bailleur=absorbe, millesime__gte=effet.year)
            .order_by()
            .values_list("logements", flat=True)
        ),
        "drapeaux": _drapeaux(absorbe).count(),
        "personnes": len(habilitations.personnes_de(absorbe)),
    }
    obstacles = [
        *_conventions_en_double(absorbe, absorbant, effet),
        *_avenants_en_preparation(absorbe, effet),
        *_parc_en_attente(absorbe, effet),
        *_logements_en_double(absorbe, absorbant, effet),
        *_drapeaux_ambigus(absorbe, absorbant, effet),
    ]
    for _, (siens, empechent) in signaux.fusion_a_preparer.send(
        sender=Organisation, absorbe=absorbe, absorbant=absorbant, effet=effet
    ):
        comptes |= siens
        obstacles += empechent
    return Fusion(absorbe, absorbant, effet, comptes, tuple(typographier(o) for o in obstacles))


@agir(Acteur.du_systeme("fusion de bailleurs"))
@transaction.atomic
def fusionner_bailleurs(
    acteur: Acteur, absorbe: Organisation, absorbant: Organisation, effet: date
) -> Fusion:
    """Record the merger. Raises `ValidationError` with every obstacle that is left."""
    verrouillees = Organisation.objects.select_for_update().filter(pk__in=[absorbe.pk, absorbant.pk])
    par_cle = {o.pk: o for o in verrouillees.order_by("pk")}
    absorbe, absorbant = par_cle[absorbe.pk], par_cle[absorbant.pk]
    verrouiller_bailleurs([absorbe.pk, absorbant.pk])
    fusion = preparer_fusion(acteur, absorbe, absorbant, effet)
    if fusion.obstacles:
        raise ValidationError(list(fusion.obstacles))
    departements = _etendre_la_presence(absorbe, absorbant)
    raison = f"fusion : {absorbe.nom} absorbé par {absorbant.nom} au {date_fr(effet)}"
    for convention in _conventions(absorbe, effet).select_related("reservataire"):
        _faire_suivre_la_convention(acteur, convention, absorbant, effet, raison)
    _faire_suivre_le_parc(absorbe, absorbant, effet, departements)
    _copier_les_drapeaux(absorbe, absorbant)
    signaux.bailleurs_fusionnes.send(sender=Organisation, absorbe=absorbe, absorbant=absorbant, effet=effet)
    _faire_suivre_les_personnes(acteur, absorbe, absorbant, effet)
    absorbe.fermee_le, absorbe.absorbee_par = effet, absorbant
    absorbe.save()
    for organisation in (absorbe, absorbant):
        habilitations.noter(acteur, EvenementAcces.Nature.FUSION, organisation, detail=raison)
    # The libérations that were still open take the year before with them.
    signaux.entrees_modifiees.send(
        sender=Convention,
        paires={(o.pk, code) for o in (absorbe, absorbant) for code in departements},
        annee=effet.year - 1,
        raison=raison,
    )
    return fusion


def _exiger(acteur: Acteur, absorbe: Organisation, absorbant: Organisation, effet: date) -> None:
    """Parties, day and right. The right bears on every département of the absorbed bailleur."""
    if absorbe.pk == absorbant.pk:
        raise ValidationError("Un bailleur ne s’absorbe pas lui-même.")
    for organisation in (absorbe, absorbant):
        if organisation.type != TypeOrganisation.BAILLEUR:
            raise ValidationError(f"{organisation.nom} n’est pas un bailleur.")
        if organisation.fermee_le:
            raise ValidationError(f"{organisation.nom} est déjà fermée.")
    _exiger_effet(effet)
    if acteur.systeme:
        return
    responsable = acteur.peut_administrer and (acteur.est_ddets or acteur.est_dreal)
    ailleurs = absorbe.presences.exclude(departement__in=acteur.departements)
    chez_soi = Organisation.objects.modifiables_par(acteur).filter(pk__in=[absorbe.pk, absorbant.pk]).count()
    if not responsable or chez_soi != 2 or ailleurs.exists():
        raise PermissionDenied("Une fusion s’enregistre par le service de l’État de tous ses départements.")


# --- Obstacles ----------------------------------------------------------------------------------------------------


def _conventions(absorbe: Organisation, effet: date) -> QuerySet[Convention]:
    return Convention.objects.filter(bailleur=absorbe, fin__gte=effet).order_by("pk")


def _conventions_en_double(absorbe: Organisation, absorbant: Organisation, effet: date) -> Iterable[str]:
    siens = (
        Convention.objects.exclude(etat=Convention.Etat.BROUILLON)
        .filter(bailleur=absorbant, fin__gte=effet)
        .order_by("pk")
    )
    signees = _conventions(absorbe, effet).exclude(etat=Convention.Etat.BROUILLON)
    autres = list(siens)
    for acte in signees.select_related("reservataire", "departement"):
        for autre in autres:
            meme = (acte.reservataire_id, acte.departement_id) == (
                autre.reservataire_id,
                autre.departement_id,
            )
            if meme and max(acte.debut, autre.debut, effet) <= min(acte.fin, autre.fin):
                yield (
                    f"{acte.reservataire}, {acte.departement} : les actes {acte.numero} et {autre.numero} couvrent "
                    "les mêmes jours. Résiliez l’un des deux."
                )


def _avenants_en_preparation(absorbe: Organisation, effet: date) -> Iterable[str]:
    projets = VersionConvention.objects.filter(
        convention__in=_conventions(absorbe, effet), rang__gt=0, signee_le__isnull=True
    ).select_related("convention")
    for projet in projets.order_by("pk"):
        yield f"Un avenant est en préparation sur {projet.convention.numero} : signez-le ou abandonnez-le."


def _parc_en_attente(absorbe: Organisation, effet: date) -> Iterable[str]:
    charges = EtatParc.objects.filter(bailleur=absorbe)
    a_jour = charges.filter(millesime__gte=effet.year).values("departement")
    for code in sorted(set(charges.exclude(departement__in=a_jour).values_list("departement_id", flat=True))):
        yield f"Le parc au {date_fr(effet)} de {absorbe.nom} n’est pas importé dans le département {code}."
    ouverts = ImportRpls.objects.filter(bailleur=absorbe, etat__in=IMPORTS_OUVERTS).order_by("pk")
    for en_cours in ouverts:
        yield f"L’import {en_cours.nom_fichier} n’est pas terminé : enregistrez-le ou abandonnez-le."


def _logements_en_double(absorbe: Organisation, absorbant: Organisation, effet: date) -> Iterable[str]:
    for millesime in _millesimes(absorbe, effet):
        siens = Logement.objects.filter(bailleur=absorbe, millesime=millesime)
        autres = Logement.objects.filter(bailleur=absorbant, millesime=millesime)
        if n := siens.filter(cle__in=autres.values("cle")).count():
            yield (
                f"Clé commune aux deux bailleurs pour {accorder(n, 'logement')} de {millesime} : corrigez l’un des "
                "fichiers RPLS et importez-le de nouveau."
            )


def _millesimes(bailleur: Organisation, effet: date) -> list[int]:
    etats = EtatParc.objects.filter(bailleur=bailleur, millesime__gte=effet.year)
    return sorted(set(etats.values_list("millesime", flat=True)))


def _drapeaux(bailleur: Organisation) -> QuerySet[Drapeau]:
    return Drapeau.objects.filter(bailleur=bailleur, retire_le__isnull=True).order_by("pk")


def _drapeaux_ambigus(absorbe: Organisation, absorbant: Organisation, effet: date) -> Iterable[str]:
    """A flag on a programme bears on its name: the same name at both would take it to the other's dwellings."""
    for bailleur, autre in ((absorbe, absorbant), (absorbant, absorbe)):
        programmes = _drapeaux(bailleur).filter(portee=Drapeau.Portee.PROGRAMME)
        chez_l_autre = Logement.objects.filter(bailleur=autre, millesime__gte=effet.year).exclude(
            programme=""
        )
        for nom in sorted(
            set(programmes.filter(cible__in=chez_l_autre.values("programme")).values_list("cible", flat=True))
        ):
            yield (
                f"Le programme {nom} existe chez les deux bailleurs et porte un drapeau : retirez-le, puis posez-le "
                "logement par logement."
            )


# --- What follows -------------------------------------------------------------------------------------------------


def _etendre_la_presence(absorbe: Organisation, absorbant: Organisation) -> list[str]:
    codes = sorted(absorbe.presences.values_list("departement_id", flat=True))
    Presence.objects.bulk_create(
        (Presence(bailleur=absorbant, departement_id=code) for code in codes), ignore_conflicts=True
    )
    presences = Presence.objects.filter(bailleur__in=[absorbe, absorbant], departement__in=codes)
    list(presences.select_for_update().order_by("pk"))  # no act of these pairs is signed meanwhile
    return codes


def _copie(objet, /, **changements):
    valeurs = {f.attname: getattr(objet, f.attname) for f in objet._meta.concrete_fields if not f.primary_key}
    return type(objet)(**valeurs | changements)


def _faire_suivre_la_convention(
    acteur: Acteur, convention: Convention, absorbant: Organisation, effet: date, raison: str
) -> None:
    """An act that begins later changes hands; one in force is cut, and goes on under the same number."""
    if convention.debut >= effet or convention.etat == Convention.Etat.BROUILLON:
        suite = convention
        Convention.objects.filter(pk=convention.pk).update(bailleur=absorbant)
        for modele in (VersionConvention, Derogation, EvenementConvention):
            modele.objects.filter(convention=convention).update(bailleur=absorbant)
    else:
        suite = _couper(convention, absorbant, effet)
    for acte in {convention.pk: convention, suite.pk: suite}.values():
        EvenementConvention.objects.create(
            convention=acte,
            bailleur=absorbant if acte is suite else acte.bailleur,
            departement_id=acte.departement_id,
            nature=EvenementConvention.Nature.FUSION,
            detail=typographier(raison)[:400],
            par_id=acteur.utilisateur_id,
            organisation_id=acteur.organisation_id,
        )


def _couper(convention: Convention, absorbant: Organisation, effet: date) -> Convention:
    """End the act the day before, and make the one that goes on: version in force, later ones, dérogations."""
    versions = list(convention.versions.prefetch_related("communes").order_by("rang"))
    derogations = list(convention.derogations.filter(fin__gte=effet).order_by("debut"))
    suite = _copie(convention, bailleur_id=absorbant.pk, debut=effet)
    suite.save(force_insert=True)
    Convention.objects.filter(pk=convention.pk).update(fin=effet - UN_JOUR)
    en_vigueur = [v for v in versions if v.effet <= effet][-1]
    premiere = _copie(
        en_vigueur, convention_id=suite.pk, bailleur_id=absorbant.pk, rang=0, effet=effet, objet=""
    )
    premiere.save(force_insert=True)
    premiere.communes.add(*en_vigueur.communes.all())
    for rang, version in enumerate((v for v in versions if v.effet > effet), 1):
        VersionConvention.objects.filter(pk=version.pk).update(
            convention=suite, bailleur=absorbant, rang=rang
        )
    for derogation in derogations:
        if derogation.debut >= effet:
            Derogation.objects.filter(pk=derogation.pk).update(convention=suite, bailleur=absorbant)
        else:
            Derogation.objects.filter(pk=derogation.pk).update(fin=effet - UN_JOUR)
            _copie(derogation, convention_id=suite.pk, bailleur_id=absorbant.pk, debut=effet).save(
                force_insert=True
            )
    return suite


def _faire_suivre_le_parc(
    absorbe: Organisation, absorbant: Organisation, effet: date, departements: list[str]
) -> None:
    depuis = Q(bailleur=absorbe, millesime__gte=effet.year)
    millesimes = _millesimes(absorbe, effet)
    Logement.objects.filter(depuis).update(bailleur=absorbant)
    AgregatParc.objects.filter(depuis).delete()
    ImportRpls.objects.filter(depuis).update(bailleur=absorbant)
    for etat in EtatParc.objects.filter(depuis).order_by("pk"):
        siens = EtatParc.objects.filter(
            bailleur=absorbant, departement=etat.departement_id, millesime=etat.millesime
        )
        if siens.update(logements=F("logements") + etat.logements):
            etat.delete()
        else:
            EtatParc.objects.filter(pk=etat.pk).update(bailleur=absorbant)
    if millesimes:
        rafraichir_l_agregat({(absorbant.pk, code) for code in departements}, millesimes)


def _copier_les_drapeaux(absorbe: Organisation, absorbant: Organisation) -> None:
    """The past millésimes keep theirs; who set a flag, and when, goes with the copy."""
    anciens = list(_drapeaux(absorbe))
    copies = Drapeau.objects.bulk_create([_copie(d, bailleur_id=absorbant.pk) for d in anciens])
    for copie, ancien in zip(copies, anciens, strict=True):
        copie.pose_le = ancien.pose_le  # bulk_create has written the moment of the copy
    Drapeau.objects.bulk_update(copies, ["pose_le"])


def _faire_suivre_les_personnes(
    acteur: Acteur, absorbe: Organisation, absorbant: Organisation, effet: date
) -> None:
    """People go on with their roles in the absorbing bailleur, whose administrators stay the only ones.

    Everybody reads the past of the absorbed one: the people of both have the role of reading there.
    """
    siens = habilitations.personnes_de(absorbe)
    for acces in siens:
        roles = set(acces.roles) - {Role.ADMINISTRATION} or {Role.LECTURE}
        habilitations.donner(acces.utilisateur, absorbant, sorted(roles))
    habilitations.terminer(
        Rattachement.objects.actifs().filter(organisation=absorbe).exclude(role=Role.LECTURE)
    )
    for acces in habilitations.personnes_de(absorbant):
        habilitations.donner(acces.utilisateur, absorbe, [Role.LECTURE])
    for acces in siens:
        ecrire(
            "fusion",
            acces.utilisateur.courriel,
            {"absorbe": absorbe.nom, "absorbant": absorbant.nom, "effet": date_fr(effet)},
            organisation=absorbant,
        )
    maintenant = timezone.now()
    absorbe.invitations.en_attente().update(revoquee_le=maintenant, revoquee_par_id=acteur.utilisateur_id)
    absorbe.demandes_acces.filter(etat=DemandeAcces.Etat.EN_ATTENTE).update(
        etat=DemandeAcces.Etat.REFUSEE,
        decidee_le=maintenant,
        decidee_par_id=acteur.utilisateur_id,
        motif=f"{absorbe.nom} est absorbée par {absorbant.nom} : demandez-y un accès."[:300],
    )
