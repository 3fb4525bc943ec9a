"""The life of a deposit, step by step; each may be run twice, and leaves a row that people see."""

import logging
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from flux.imports.colonnes import COLONNES, TABLEAUX, deviner_sujet, est_personnel
from flux.imports.colonnes import associer as associer_les_entetes
from flux.imports.lecture import (
    LIGNES_MAX,
    LIGNES_MAX_EXTRAIT,
    FichierRefuse,
    Tableau,
    lire_feuilles,
    reconnaitre_contenu,
    trouver_tableau,
)
from flux.models import SUJETS_EXTERNES, CorrespondanceColonnes, Depot, LigneDepot, sujets_de
from reservation.acteur import Acteur, TypeOrganisation
from reservation.memoire import sans_ramasse_miettes
from reservation.models import Organisation, cle_de_tri
from reservation.regles.typographie import accorder, enumerer, typographier
from reservation.services.acces import gere_encore
from reservation.services.parc.verrous import Progression, est_tenu, tenir_import, verrouiller_bailleurs

from . import coffre
from .ecriture import Ecrit, ecrire
from .ecriture_extraits import ExtraitEcrit, ecrire_extrait
from .lignes import (
    etude_de,
    garder_etudiees,
    garder_nouvelles,
    lignes_du_tableau,
    lignes_en_attente,
    recompter,
)
from .plans import LigneEtudiee

journal = logging.getLogger(__name__)

CLASSE_DEPOT = 20_223  # advisory lock
LIGNES_DANS_LA_PAGE = (
    3_000  # more lines are read again by a worker: a person does not wait ten seconds for an answer
)
_DELAI_DE_REPRISE = timedelta(minutes=3)

Etat = Depot.Etat
Verdict = LigneDepot.Verdict
REFUS = "Un dépôt est à l’organisation qui l’a fait : seul un membre qui y a le rôle de gestion le dépose et en décide."
_INTERROMPU = "L’application n’a pas pu terminer. Rien n’a été enregistré ; vous pouvez reprendre, ou abandonner ce dépôt."

_SANS_DROIT = (
    "La personne qui a confirmé ce dépôt n’a plus le rôle de gestion : son accès a pris fin, ou son rôle a changé. Rien "
    "n’a été enregistré ; un membre qui a ce rôle peut le reprendre, ou l’abandonner."
)


# --- Receiving ----------------------------------------------------------------------------------------------


def recevoir(
    acteur: Acteur, *, octets: bytes, nom: str, sujet: str = "", source: str = "", differer: bool = True
) -> Depot:
    """Put the file away and say at once whether it is a table; a worker reads it after the commit.

    `sujet`: empty when the headers are to say it. A file that is no table gives a deposit REFUSE, without its file.
    """
    if not (acteur.peut_gerer and (sujet in sujets_de(acteur) if sujet else acteur.est_bailleur)):
        raise PermissionDenied(REFUS)
    organisation = Organisation.objects.get(pk=acteur.organisation_id)
    depot = Depot(
        organisation=organisation,
        bailleur=organisation if acteur.est_bailleur else None,
        departement_id=organisation.departement_id,
        sujet=sujet,
        source=" ".join(source.split())[:60],
        nom_fichier=Path(nom).name[:255],
        taille=len(octets),
        sha256=sha256(octets).hexdigest(),
        cree_par_id=acteur.utilisateur_id,
    )
    try:
        nature = reconnaitre_contenu(octets)
    except FichierRefuse as refus:
        depot.fichier_efface_le = timezone.now()
        _passer(depot, Etat.REFUSE, message=refus.message)
        return depot
    coffre.enfermer(depot, f"{uuid4().hex}.{nature}", octets)
    depot.save()
    if differer:
        _differer("analyser_depot", depot.pk)
    return depot


# --- Reading ------------------------------------------------------------------------------------------------


def analyser(depot_id: int) -> Depot:
    """Read the file, or read again the lines that were mended; then wait for somebody (A_CONFIRMER, A_ASSOCIER)."""
    with tenir_import(depot_id, Depot, CLASSE_DEPOT) as progression, sans_ramasse_miettes():
        depot = Depot.objects.select_related("organisation", "bailleur").get(pk=depot_id)
        if progression is None or depot.etat not in (Etat.RECU, Etat.EN_ANALYSE):
            return depot
        _passer(depot, Etat.EN_ANALYSE, etape="Ouverture du fichier", avancement=0, message="")
        try:
            if depot.lignes.exists():
                relire(depot, progression)
            else:
                _lire(depot, progression)
        except FichierRefuse as refus:
            _effacer_le_fichier(depot)
            _passer(depot, Etat.REFUSE, message=refus.message, etape="", avancement=100)
        except Exception:
            _echouer(depot)
            raise
        return depot


def tableau_de(depot: Depot) -> Tableau:
    """The table of the kept file. Raises `FichierRefuse`."""
    appris = {
        str(pk): [cle_de_tri(entete) for entete in colonnes.values()]
        for pk, colonnes in CorrespondanceColonnes.objects.filter(organisation=depot.organisation_id)
        .order_by("pk")
        .values_list("pk", "colonnes")
    }
    lignes_max = LIGNES_MAX_EXTRAIT if depot.sujet in SUJETS_EXTERNES else LIGNES_MAX
    return trouver_tableau(lire_feuilles(coffre.ouvrir(depot)), appris, lignes_max)


def _lire(depot: Depot, progression: Progression) -> None:
    tableau = tableau_de(depot)
    depot.feuille = tableau.feuille[:120]
    depot.ligne_entete = tableau.ligne_entete
    depot.entetes = tableau.entetes
    depot.sujet = depot.sujet or deviner_sujet(tableau.entetes)
    if not depot.correspondance:
        depot.correspondance = _correspondance(depot, tableau.entetes)
    depot.ignorees = tableau.ignorees
    depot.lignes_lues = len(tableau.lignes) + sum(tableau.ignorees.values())
    if absentes := colonnes_absentes(depot):
        _passer(
            depot,
            Etat.A_ASSOCIER,
            etape="",
            avancement=100,
            message=typographier(
                f"Il manque {accorder(len(absentes), 'colonne')} : {enumerer(absentes)}. Dites sous quel titre votre "
                "tableau les donne."
            ),
        )
        return
    lignes, non_remplies = lignes_du_tableau(depot, tableau)
    if non_remplies:
        depot.ignorees = depot.ignorees | {"NON_REMPLIE": non_remplies}
    if not lignes:
        raise FichierRefuse("SANS_LIGNE", "Ce tableau n’a aucune ligne remplie sous son en-tête.")
    etude_de(depot, suivre=progression.phase(10, 90).dire).etudier(lignes)
    progression.phase(90, 100).dire("Rapport", 0)
    garder_nouvelles(depot, lignes)
    _rendre(depot)


def _correspondance(depot: Depot, entetes: list[str]) -> dict[str, int]:
    """By what was learnt from this source, or from whichever source has all its headers here; then by the titles."""
    champs = TABLEAUX[depot.sujet].champs
    presents = {cle_de_tri(entete) for entete in entetes}
    apprises = CorrespondanceColonnes.objects.filter(organisation=depot.organisation_id, sujet=depot.sujet)
    connues: dict[str, str] = {}
    for apprise in apprises.order_by("-modifie_le", "-pk"):
        if apprise.source == depot.source or {cle_de_tri(e) for e in apprise.colonnes.values()} <= presents:
            connues = apprise.colonnes
            depot.source = depot.source or apprise.source
            break
    return _sans_personnes(depot.sujet, entetes, associer_les_entetes(entetes, champs, connues))


def _sans_personnes(sujet: str, entetes: list[str], correspondance: dict[str, int]) -> dict[str, int]:
    """Of an extract, no column whose title announces what names a person, even if somebody chose it."""
    if sujet not in SUJETS_EXTERNES:
        return correspondance
    return {champ: rang for champ, rang in correspondance.items() if not est_personnel(entetes[rang])}


def colonnes_absentes(depot: Depot) -> list[str]:
    """Titles of the columns without which no line of this kind says anything."""
    tableau = TABLEAUX[depot.sujet]
    absentes = [
        f"« {COLONNES[champ].titre} »" for champ in tableau.obligatoires if champ not in depot.correspondance
    ]
    if tableau.une_de and not depot.correspondance.keys() & set(tableau.une_de):
        titres = enumerer((f"« {COLONNES[champ].titre} »" for champ in tableau.une_de), "ou")
        absentes.append(f"une date, {titres}")
    return absentes


def relire(depot: Depot, progression: Progression | None = None) -> None:
    """Study again the lines that wait, with what is recorded now; the deposit is ready to be looked at."""
    options = {"suivre": progression.phase(0, 90).dire} if progression else {}
    with transaction.atomic():
        lignes = lignes_en_attente(depot)
        etude_de(depot, **options).etudier(lignes)
        garder_etudiees(lignes)
        _rendre(depot)


def _rendre(depot: Depot) -> None:
    recompter(depot)
    attendues = {Verdict.A_CREER, Verdict.A_METTRE_A_JOUR, Verdict.EN_ERREUR, Verdict.A_CONFIRMER}
    if attendues & depot.comptes.keys():
        _passer(depot, Etat.A_CONFIRMER, etape="", avancement=100)
        return
    _solder(depot, "Ce fichier ne change rien : toutes ses lignes sont déjà enregistrées.")


def _solder(depot: Depot, message: str) -> None:
    """Nothing waits any more: the file goes."""
    maintenant = timezone.now()
    LigneDepot.objects.filter(depot=depot, appliquee_le=None).update(appliquee_le=maintenant)
    recompter(depot)
    depot.applique_le = depot.applique_le or maintenant
    _effacer_le_fichier(depot)
    _passer(depot, Etat.APPLIQUE, etape="", avancement=100, message=typographier(message))


# --- Deciding -----------------------------------------------------------------------------------------------


def associer(
    acteur: Acteur,
    depot: Depot,
    *,
    sujet: str,
    colonnes: dict[str, int],
    source: str = "",
    differer: bool = True,
) -> Depot:
    """Which column is which (champ → rank); the file is read again, and a named source will be known next time."""
    with transaction.atomic():
        depot = verrouiller(acteur, depot, Etat.A_ASSOCIER, Etat.A_CONFIRMER)
        if depot.lignes.exclude(appliquee_le=None).exists():
            raise ValidationError(
                "Des lignes de ce dépôt sont déjà enregistrées : déposez le fichier de nouveau."
            )
        if not depot.fichier:
            raise ValidationError("Le fichier de ce dépôt est effacé : déposez-le de nouveau.")
        if sujet not in sujets_de(acteur):
            raise ValidationError("Votre organisation ne dépose pas ce genre de fichier.")
        champs = TABLEAUX[sujet].champs
        depot.sujet = sujet
        choisies = {
            champ: rang
            for champ, rang in colonnes.items()
            if champ in champs and 0 <= rang < len(depot.entetes)
        }
        depot.correspondance = _sans_personnes(sujet, depot.entetes, choisies)
        if absentes := colonnes_absentes(depot):
            raise ValidationError(
                typographier(f"Il manque {accorder(len(absentes), 'colonne')} : {enumerer(absentes)}.")
            )
        depot.source = " ".join(source.split())[:60]
        if depot.source:
            CorrespondanceColonnes.objects.update_or_create(
                organisation_id=depot.organisation_id,
                sujet=sujet,
                source=depot.source,
                defaults={
                    "colonnes": {champ: depot.entetes[rang] for champ, rang in depot.correspondance.items()},
                    "modifie_par_id": acteur.utilisateur_id,
                },
            )
        depot.lignes.all().delete()
        _passer(depot, Etat.EN_ANALYSE, etape="En attente d’un travailleur", avancement=0, message="")
        if differer:
            _differer("analyser_depot", depot.pk)
    return depot


def confirmer(acteur: Acteur, depot: Depot, *, differer: bool = True) -> Depot:
    """Agree to what the accepted lines write: the writing starts after the commit."""
    with transaction.atomic():
        depot = verrouiller(acteur, depot, Etat.A_CONFIRMER)
        if not depot.lignes.filter(
            appliquee_le=None, verdict__in=(Verdict.A_CREER, Verdict.A_METTRE_A_JOUR)
        ).exists():
            raise ValidationError("Aucune ligne n’est prête à être enregistrée.")
        depot.confirme_par_id = acteur.utilisateur_id
        depot.confirme_le = timezone.now()
        _passer(depot, Etat.EN_APPLICATION, etape="En attente d’un travailleur", avancement=0, message="")
        if differer:
            _differer("appliquer_depot", depot.pk)
    return depot


def abandonner(acteur: Acteur, depot: Depot) -> Depot:
    """Give up what is not written; the lines stay to be read, the file goes."""
    with transaction.atomic():
        depot = verrouiller(acteur, depot, Etat.RECU, Etat.A_ASSOCIER, Etat.A_CONFIRMER, Etat.ECHEC)
        _effacer_le_fichier(depot)
        _passer(depot, Etat.ABANDONNE, etape="")
    return depot


def reprendre(acteur: Acteur, depot: Depot) -> Depot:
    """Start again a deposit that was interrupted, at the step where it was."""
    with transaction.atomic():
        depot = verrouiller(acteur, depot, Etat.ECHEC, Etat.EN_ANALYSE, Etat.EN_APPLICATION)
        if depot.etat != Etat.ECHEC and est_tenu(depot.pk, Depot, CLASSE_DEPOT):
            raise ValidationError("Ce dépôt est en cours : il n’y a rien à reprendre.")
        # An agreement given before the failure is asked again: the preview is made anew.
        _passer(depot, Etat.EN_ANALYSE, etape="En attente d’un travailleur", avancement=0, message="")
        _differer("analyser_depot", depot.pk)
    return depot


def reprendre_les_interrompus() -> int:
    """Call a worker again for deposits that should be running and that no process holds; return how many."""
    avant = timezone.now() - _DELAI_DE_REPRISE
    en_cours = Depot.objects.filter(
        etat__in=(Etat.RECU, Etat.EN_ANALYSE, Etat.EN_APPLICATION), cree_le__lt=avant
    ).order_by("pk")
    nombre = 0
    for pk, etat in en_cours.values_list("pk", "etat"):
        if not est_tenu(pk, Depot, CLASSE_DEPOT):
            _differer("appliquer_depot" if etat == Etat.EN_APPLICATION else "analyser_depot", pk)
            nombre += 1
    return nombre


def verrouiller(acteur: Acteur, depot: Depot, *etats: str) -> Depot:
    """The row as it is now, locked, if `acteur` may change it and it is in one of these states."""
    modifiables = Depot.objects.modifiables_par(acteur).filter(pk=depot.pk)
    verrouille = (
        Depot.objects.select_for_update(of=("self",))
        .select_related("organisation", "bailleur")
        .filter(pk__in=modifiables.values("pk"))
        .first()
    )
    if verrouille is None:
        raise PermissionDenied(REFUS)
    if verrouille.etat not in etats:
        raise ValidationError(f"Ce dépôt est {verrouille.get_etat_display()} : ce n’est plus possible.")
    return verrouille


# --- Writing ------------------------------------------------------------------------------------------------


def appliquer(depot_id: int) -> Depot:
    """Write the accepted lines of a confirmed deposit, in one transaction.

    They are studied once more inside it. What is recorded may have changed since the preview: then nothing is
    written, the preview is made again and waits for a new agreement. So does a deposit whose person has lost the right
    to agree since: it is ECHEC, for a colleague to take up again.
    """
    with tenir_import(depot_id, Depot, CLASSE_DEPOT) as progression, sans_ramasse_miettes():
        depot = Depot.objects.select_related("organisation", "bailleur").get(pk=depot_id)
        if progression is None or depot.etat != Etat.EN_APPLICATION:
            return depot
        if not gere_encore(depot.confirme_par_id, depot.organisation_id):
            depot.confirme_par_id = depot.confirme_le = None
            _passer(depot, Etat.ECHEC, etape="", message=typographier(_SANS_DROIT))
            return depot
        try:
            ecrit = _ecrire(depot, progression)
        except IntegrityError:
            journal.exception("Dépôt %s : une contrainte de la base a refusé une ligne", depot.pk)
            ecrit = None
        except (
            ValidationError
        ) as refus:  # a year that its bilan has closed (flux.models.gels), in its own words
            depot.refresh_from_db()
            depot.confirme_par_id = depot.confirme_le = None
            _passer(depot, Etat.ECHEC, etape="", message=refus.messages[0])
            return depot
        except Exception:
            _echouer(depot)
            raise
        if ecrit is None:
            depot.confirme_par_id = depot.confirme_le = None
            relire(depot, progression)
            if depot.etat == Etat.A_CONFIRMER:
                depot.message = typographier(
                    "Ce qui est enregistré a changé depuis l’aperçu. Relisez ce que ce fichier change maintenant, puis "
                    "confirmez."
                )
            depot.save()
        return depot


def _ecrire(depot: Depot, progression: Progression) -> Ecrit | ExtraitEcrit | None:
    """None when the lines no longer say what the person agreed to."""
    acteur = replace(Acteur.du_systeme("dépôt d’un tableau"), utilisateur_id=depot.confirme_par_id)
    apercu = {
        pk: (verdict, differences)
        for pk, verdict, differences in LigneDepot.objects.filter(depot=depot, appliquee_le=None)
        .order_by("pk")
        .values_list("pk", "verdict", "differences")
    }
    # The row of the deposit is written by the progress connection until the end: no lock on it before that.
    with transaction.atomic():
        if depot.bailleur_id:
            verrouiller_bailleurs([depot.bailleur_id])
        lignes = lignes_en_attente(depot)
        etude_de(depot, suivre=progression.phase(0, 40).dire, verrouiller=True).etudier(lignes)
        reglees = [ligne for ligne in lignes if ligne.a_ecrire or ligne.verdict == Verdict.IDENTIQUE]
        vues = {
            pk for pk, (verdict, _) in apercu.items() if verdict in (Verdict.A_CREER, Verdict.A_METTRE_A_JOUR)
        }
        if {ligne.pk for ligne in reglees if ligne.a_ecrire} != vues or any(
            apercu[ligne.pk] != (ligne.verdict, ligne.differences) for ligne in reglees if ligne.a_ecrire
        ):
            return None
        if depot.sujet in SUJETS_EXTERNES:
            extrait = ecrire_extrait(depot, reglees, lignes, progression.phase(40, 100).dire)
            depot.applique_le = timezone.now()
            _cloturer(depot, reglees, _suites(depot, extrait))
            return extrait
        ecrit = ecrire(
            acteur,
            depot.bailleur,
            reglees,
            progression.phase(40, 100).dire,
            f"Dépôt du tableau « {depot.nom_fichier} »"[:150],
        )
        depot.applique_le = timezone.now()
        _cloturer(depot, reglees)
    return ecrit


def _suites(depot: Depot, extrait: ExtraitEcrit) -> str:
    """What an extract made besides its lines, said after their count."""
    suites = []
    if extrait.labels:
        accordes = depot.organisation.type == TypeOrganisation.DDETS
        nature = (
            ("label enregistré", "labels enregistrés") if accordes else ("label proposé", "labels proposés")
        )
        suites.append(accorder(extrait.labels, *nature))
    if extrait.perimes:
        suites.append(
            accorder(
                extrait.perimes,
                "ligne d’un extrait précédent périmée",
                "lignes d’extraits précédents périmées",
            )
        )
    return f" ; {enumerer(suites)}" if suites else ""


def _cloturer(depot: Depot, reglees: list[LigneEtudiee], suites: str = "") -> None:
    ecrites = [ligne for ligne in reglees if ligne.a_ecrire]
    creees = sum(ligne.creation for ligne in ecrites)
    resume = (
        f"{accorder(len(ecrites), 'ligne enregistrée', 'lignes enregistrées')} : "
        f"{accorder(creees, 'création')} et {accorder(len(ecrites) - creees, 'mise à jour', 'mises à jour')}{suites}"
    )
    recompter(depot)
    restent = depot.comptes.get(Verdict.EN_ERREUR, 0) + depot.comptes.get(Verdict.A_CONFIRMER, 0)
    if not restent:
        _solder(depot, f"{resume}.")
        return
    _passer(
        depot,
        Etat.A_CONFIRMER,
        etape="",
        avancement=100,
        message=typographier(f"{resume}. {accorder(restent, 'ligne attend', 'lignes attendent')} encore."),
    )


# --- Rows and files -----------------------------------------------------------------------------------------


def _passer(depot: Depot, etat: str, **champs) -> None:
    depot.etat = etat
    for nom, valeur in champs.items():
        setattr(depot, nom, valeur)
    depot.save()


def _echouer(depot: Depot) -> None:
    """The application's fault: said to the person, written in the journal by the caller."""
    journal.exception("Dépôt %s interrompu", depot.pk)
    depot.refresh_from_db()
    _passer(depot, Etat.ECHEC, etape="", message=typographier(_INTERROMPU))


def _effacer_le_fichier(depot: Depot) -> None:
    """The row forgets the file, then the disk does; the caller saves the row."""
    if not depot.fichier:
        return
    nom, lieu = depot.fichier.name, depot.fichier.storage
    transaction.on_commit(lambda: lieu.delete(nom))
    depot.fichier = ""
    depot.fichier_efface_le = timezone.now()


def _differer(tache: str, depot_id: int) -> None:
    """Call a worker once the transaction is committed; a broker that is down is no error, the row stays and
    `reprendre_les_interrompus` calls again."""
    from flux import tasks

    transaction.on_commit(lambda: getattr(tasks, tache).delay(depot_id), robust=True)
