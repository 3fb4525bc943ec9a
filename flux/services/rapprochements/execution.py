"""Asking for reconciliations and making them: one row per bailleur × département × period, one task for a batch.

The rows remember what is to be done; a task may be lost or run twice. Made again, lines and gaps are found by their
keys: what people decided stays, what is no longer found is said so, nothing is counted twice.
"""

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone

from flux.models import EcartRapprochement, EvenementEcart, LigneRapprochement, Rapprochement
from flux.regles.imputation import FaitsAttribution, titre_du_contingent
from flux.regles.rapprochement import (
    NATURES_LABEL,
    Contingent,
    Lieu,
    Ligne,
    NatureEcart,
    Place,
    Tolerances,
    rapprocher,
)
from flux.services.imputations import GroupesDates
from publics.regles.groupes import Label, label_valide
from reservation.acteur import Acteur
from reservation.copie import copier_objets, corriger_objets
from reservation.memoire import sans_ramasse_miettes
from reservation.models import Departement, Organisation, Presence
from reservation.perimetre import agir
from reservation.regles.actes import ALS, BAILLEUR, ETAT
from reservation.regles.typographie import typographier
from reservation.services.assistances import exiger_hors_assistance

from .lecture import Matiere, lire

journal = logging.getLogger(__name__)

VERROU = 7_371  # first key of the advisory locks of this job
DELAI_DE_REPRISE = timedelta(minutes=5)
REFUS = "Un rapprochement se demande par le bailleur ou par la DDETS du département, avec le rôle de gestion."
SANS_EXTRAIT = (
    "Aucun extrait du SNE ou d’Imhoweb ne dit les attributions de cette période : déposez-en un, puis refaites le "
    "rapprochement."
)
DUREE_MAX = 3 * 366
Etat = Rapprochement.Etat


# --- Asking --------------------------------------------------------------------------------------------------


@transaction.atomic
def demander(
    acteur: Acteur,
    departement: Departement,
    *,
    debut: date,
    fin: date,
    tolerance: int = 7,
    bailleur: Organisation | None = None,
    appeler: bool = True,
) -> list[Rapprochement]:
    """Ask for the reconciliation of a bailleur, or of every bailleur of the département (DDETS).

    Asked again, the same rows. Raises `ValidationError` for a period or a perimeter that cannot be.
    """
    exiger_hors_assistance(acteur)
    _exiger_le_droit(acteur, departement, bailleur)
    if fin < debut:
        raise ValidationError({"fin": "La période finit après son début."})
    if (fin - debut).days > DUREE_MAX:
        raise ValidationError({"fin": "Une période de trois ans au plus."})
    if not 0 <= tolerance <= 31:
        raise ValidationError({"tolerance": "La tolérance va de 0 à 31 jours."})
    presents = Presence.objects.filter(departement=departement)
    if bailleur is not None:
        presents = presents.filter(bailleur=bailleur)
    bailleurs = sorted(presents.values_list("bailleur", flat=True))
    if not bailleurs:
        raise ValidationError("Aucun bailleur n’est présent dans ce département.")
    cle = {"departement": departement, "debut": debut, "fin": fin}
    Rapprochement.objects.bulk_create(
        (
            Rapprochement(bailleur_id=pk, **cle, tolerance=tolerance, demande_par_id=acteur.utilisateur_id)
            for pk in bailleurs
        ),
        ignore_conflicts=True,
    )
    rangees = Rapprochement.objects.filter(**cle, bailleur__in=bailleurs)
    rangees.update(
        etat=Etat.EN_ATTENTE,
        tolerance=tolerance,
        message="",
        demande_par=acteur.utilisateur_id,
        demande_le=timezone.now(),
    )
    rapprochements = list(rangees.order_by("pk"))
    if appeler:
        _appeler([rapprochement.pk for rapprochement in rapprochements])
    return rapprochements


def _exiger_le_droit(acteur: Acteur, departement: Departement, bailleur: Organisation | None) -> None:
    sien = acteur.est_bailleur and bailleur is not None and bailleur.pk == acteur.organisation_id
    ddets = acteur.est_ddets and departement.pk in acteur.departements
    if not acteur.peut_gerer or not (acteur.systeme or sien or ddets):
        raise PermissionDenied(REFUS)


def _appeler(cles: Collection[int]) -> None:
    """Send one task after commit; a broker that is down is no error, `reprendre` sends it again."""
    from flux.tasks import rapprocher_extraits

    transaction.on_commit(lambda: rapprocher_extraits.delay(sorted(cles)), robust=True)


def reprendre(avant: datetime) -> int:
    """Send again what waits since before `avant`: its message was lost, or its worker died."""
    perdus = list(
        Rapprochement.objects.filter(etat__in=Rapprochement.OUVERTS, demande_le__lt=avant)
        .exclude(commence_le__gte=avant)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    if perdus:
        _appeler(perdus)
    return len(perdus)


# --- Doing ---------------------------------------------------------------------------------------------------


@agir(Acteur.du_systeme("rapprochement demandé"))
def executer(cles: Collection[int]) -> int:
    """Make the open ones of `cles`, together when they share a département and a period; returns how many were."""
    ouverts = Rapprochement.objects.filter(pk__in=cles, etat__in=Rapprochement.OUVERTS).order_by("pk")
    lots: dict[tuple, list[Rapprochement]] = defaultdict(list)
    for rapprochement in ouverts:
        lots[
            rapprochement.departement_id, rapprochement.debut, rapprochement.fin, rapprochement.tolerance
        ].append(rapprochement)
    for (departement, debut, fin, _), lot in lots.items():
        siens = [rapprochement.pk for rapprochement in lot]
        Rapprochement.objects.filter(pk__in=siens).update(etat=Etat.EN_COURS, commence_le=timezone.now())
        try:
            with transaction.atomic(), sans_ramasse_miettes():
                _verrouiller(departement, debut, fin)
                _faire(lot)
        except Exception as erreur:
            journal.exception("Rapprochement %s", siens)
            Rapprochement.objects.filter(pk__in=siens).update(
                etat=Etat.ECHEC, message=f"Erreur du programme ({type(erreur).__name__})."
            )
    return sum(len(lot) for lot in lots.values())


def _verrouiller(departement: str, debut: date, fin: date) -> None:
    """One at a time for a département and a period."""
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [VERROU, f"{departement}/{debut}/{fin}"]
        )


def _faire(lot: Sequence[Rapprochement]) -> None:
    modele = lot[0]
    par_bailleur = {rapprochement.bailleur_id: rapprochement for rapprochement in lot}
    matiere = lire(modele.departement_id, list(par_bailleur), modele.debut, modele.fin)
    maintenant = timezone.now()
    couverts = {pk: matiere.couverture(pk) for pk in par_bailleur}
    for pk, rapprochement in par_bailleur.items():
        if couverts[pk] is None:
            Rapprochement.objects.filter(pk=rapprochement.pk).update(
                etat=Etat.ECHEC, message=typographier(SANS_EXTRAIT), termine_le=maintenant
            )
    faits = {pk: r for pk, r in par_bailleur.items() if couverts[pk] is not None}
    resultat = rapprocher(
        matiere.evenements,
        [a for a in matiere.attributions if matiere.vecus[a.id].bailleur in faits],
        modele.debut,
        modele.fin,
        tolerances=Tolerances(dates=modele.tolerance),
        corrections=matiere.corrections,
        avec_labels=bool(matiere.outil_labels),
    )
    groupes = GroupesDates({modele.departement_id})
    lignes: dict[int, list[tuple[Ligne, LigneRapprochement]]] = {pk: [] for pk in faits}
    orphelines = 0
    for ligne in resultat.lignes:
        bailleur = _bailleur_de(ligne, matiere)
        if bailleur is None:
            orphelines += 1
        elif bailleur in faits:
            lignes[bailleur].append((ligne, _en_ligne(ligne, faits[bailleur], matiere, groupes)))
    places = _compter_les_places(resultat, matiere)
    for pk, rapprochement in faits.items():
        _ecrire(rapprochement, lignes[pk], maintenant)
        comptes: Counter[str] = Counter(e.nature.value for ligne, _ in lignes[pk] for e in ligne.ecarts)
        couvert = couverts[pk]
        Rapprochement.objects.filter(pk=rapprochement.pk).update(
            etat=Etat.TERMINE,
            message="",
            rang=rapprochement.rang + 1,
            termine_le=maintenant,
            outil=matiere.outil,
            outil_labels=matiere.outil_labels,
            connu_du=couvert[0],
            connu_au=couvert[1],
            sources=[
                {
                    "depot": source.depot,
                    "nom": source.nom,
                    "source": source.source,
                    "lignes": source.lignes,
                    "du": source.du.isoformat(),
                    "au": source.au.isoformat(),
                    "a": source.organisation,
                }
                for source in matiere.sources
            ],
            comptes={
                "rapprochees": sum(ligne.appariement is not None for ligne, _ in lignes[pk]),
                "concordantes": sum(bool(ligne.appariement) and not ligne.ecarts for ligne, _ in lignes[pk]),
                "externes": sum(modele_.lignes_externes for _, modele_ in lignes[pk]),
                "ici": sum(ligne.attribution is not None for ligne, _ in lignes[pk]),
                "refusees": places[pk][Place.REFUSEE],
                "non_couvertes": places[pk][Place.NON_COUVERTE],
                "sans_numero": matiere.sans_numero.get(pk, 0),
                "orphelines": orphelines,
                "ecarts": dict(comptes),
            },
        )


def _bailleur_de(ligne: Ligne, matiere: Matiere) -> int | None:
    if ligne.attribution is not None:
        return matiere.vecus[ligne.attribution.id].bailleur
    return next((b for e in ligne.fait.lignes if (b := matiere.dits[e.id].bailleur) is not None), None)


def _compter_les_places(resultat, matiere: Matiere) -> Mapping[int, Counter]:
    comptes: dict[int, Counter] = defaultdict(Counter)
    for pk, place in resultat.places_ici.items():
        comptes[matiere.vecus[pk].bailleur][place] += 1
    return comptes


def _en_ligne(
    ligne: Ligne, rapprochement: Rapprochement, matiere: Matiere, groupes: GroupesDates
) -> LigneRapprochement:
    fait, ici = ligne.fait, ligne.attribution
    vecu = matiere.vecus[ici.id] if ici else None
    dit = matiere.dits[fait.lignes[0].id] if fait else None
    reservataire = vecu.reservataire if vecu else None
    if fait and not vecu:
        reservataire = next((r for e in fait.lignes if (r := matiere.dits[e.id].reservataire)), None)
    return LigneRapprochement(
        rapprochement_id=rapprochement.pk,
        bailleur_id=rapprochement.bailleur_id,
        departement_id=rapprochement.departement_id,
        cle=f"a{ici.id}" if ici else hashlib.sha256(fait.cle.encode()).hexdigest()[:63],
        attribution_id=ici.id if ici else None,
        evenement_id=fait.lignes[0].id if fait else None,
        cle_fait=fait.cle if fait else "",
        lignes_externes=len(fait.lignes) if fait else 0,
        numero_fin=vecu.numero_fin if vecu else dit.numero_fin,
        reference=vecu.reference if vecu else "",
        logement_sne=dit.logement if dit else "",
        caleol_ici=ici.caleol if ici else None,
        caleol_sne=fait.caleol if fait else None,
        bail_ici=ici.bail if ici else None,
        bail_sne=fait.bail if fait else None,
        contingent_ici=ici.contingent if ici else "",
        contingent_sne=fait.contingent if fait else "",
        reservataire_id=reservataire,
        lien=ligne.appariement.lien if ligne.appariement else "",
        jours=ligne.appariement.jours if ligne.appariement else 0,
        autre_logement=bool(ligne.appariement and ligne.appariement.autre_logement),
        apres=_effet_possible(ligne, rapprochement, matiere, groupes),
    )


# --- What a correction made here would change ------------------------------------------------------------------


def _effet_possible(
    ligne: Ligne, rapprochement: Rapprochement, matiere: Matiere, groupes: GroupesDates
) -> dict[str, Any]:
    """The imputation as it counts, and as it would once the gaps of the line that are mended here are."""
    recuperables = [ecart for ecart in ligne.ecarts if ecart.recuperable]
    if not recuperables:
        return {}
    departement = rapprochement.departement_id
    fait, ici = ligne.fait, ligne.attribution
    if ici is None:
        return _effet_d_un_fait(fait, departement, matiere, groupes)
    vecu = matiere.vecus[ici.id]
    if vecu.nature is None:
        return {}
    avant = {
        "code": vecu.titre,
        "titre": vecu.detail,
        "motif": vecu.motif,
        "caleol": ici.caleol.isoformat(),
        "bail": ici.bail and ici.bail.isoformat(),
        "qpv": vecu.qpv,
    }
    labels = list(ici.labels)
    bail = ici.bail
    for ecart in recuperables:
        if ecart.nature in NATURES_LABEL:
            labels += _labels_valables(matiere, (ici.menage, fait.menage if fait else ""), ici.caleol)
        elif ecart.nature == NatureEcart.BAIL_ABSENT and fait is not None:
            bail = fait.bail or fait.radie
    faits = FaitsAttribution(ici.caleol, vecu.proposition, bail, vecu.emploi, labels, vecu.agent)
    titre = titre_du_contingent(vecu.nature, faits, groupes.le(departement, ici.caleol))
    apres = avant | {"titre": titre.value, "bail": bail and bail.isoformat()}
    return {"avant": avant, "apres": apres} if apres != avant else {}


def _effet_d_un_fait(fait, departement: str, matiere: Matiere, groupes: GroupesDates) -> dict[str, Any]:
    """An attribution that only the extract tells; nothing is known of the household's work, so no quarter of ALS."""
    if not fait.contingent:
        return {}
    reservataire = {
        Contingent.ETAT_PRIORITAIRE: ETAT,
        Contingent.ETAT_AGENT: ETAT,
        Contingent.ALS: ALS,
        Contingent.BAILLEUR: BAILLEUR,
    }.get(Contingent(fait.contingent))
    if reservataire is None:
        nommes = (matiere.dits[e.id].reservataire for e in fait.lignes)
        reservataire = next((matiere.reservataires[r] for r in nommes if r), None)
    if reservataire is None or fait.contingent == Contingent.ETAT_AGENT:
        return {}  # nobody to count it for, or an agent whose validation only the préfet knows
    caleol = fait.caleol or fait.jour
    labels = _labels_valables(matiere, (fait.menage,), caleol)
    faits = FaitsAttribution(caleol, date_bail=fait.bail, labels=labels)
    titre = titre_du_contingent(reservataire.nature, faits, groupes.le(departement, caleol))
    return {
        "avant": None,
        "apres": {
            "code": reservataire.code,
            "titre": titre.value,
            "motif": False,
            "caleol": caleol.isoformat(),
            "bail": fait.bail and fait.bail.isoformat(),
            "qpv": False,
        },
    }


def _labels_valables(matiere: Matiere, menages: Iterable[str], jour: date) -> list[Label]:
    return [
        label
        for menage in dict.fromkeys(menages)
        for label in matiere.labels.get(menage, ())
        if label_valide(label, jour)
    ]


# --- Writing -------------------------------------------------------------------------------------------------

COLONNES_LIGNE = (
    *("presente", "attribution", "evenement", "cle_fait", "lignes_externes", "numero_fin", "reference"),
    *("logement_sne", "caleol_ici", "caleol_sne", "bail_ici", "bail_sne", "contingent_ici", "contingent_sne"),
    *("reservataire", "lien", "jours", "autre_logement", "apres"),
)
COLONNES_ECART = ("lieu", "responsable", "valeur_sne", "valeur_ici", "recuperable", "disparu_le")


def _ecrire(
    rapprochement: Rapprochement,
    lignes: Sequence[tuple[Ligne, LigneRapprochement]],
    maintenant: datetime,
) -> None:
    """Lines by their key, then gaps by line and nature. A line that is gone stays while its gaps have a story."""
    siennes = LigneRapprochement.objects.filter(rapprochement=rapprochement)
    connues = dict(siennes.order_by().values_list("cle", "pk"))
    nouvelles, changees = [], []
    for _, ligne in lignes:
        if (pk := connues.pop(ligne.cle, None)) is not None:
            ligne.pk = pk
            changees.append(ligne)
        else:
            nouvelles.append(ligne)
    copier_objets(nouvelles)
    valeurs = attrgetter("pk", *(LigneRapprochement._meta.get_field(nom).attname for nom in COLONNES_LIGNE))
    corriger_objets(LigneRapprochement, COLONNES_LIGNE, map(valeurs, changees))
    _ecrire_ecarts(rapprochement, lignes, maintenant)
    if connues:
        perdues = siennes.filter(pk__in=connues.values())
        perdues.update(presente=False)
        perdues.filter(ecarts=None).delete()


def _ecrire_ecarts(
    rapprochement: Rapprochement,
    lignes: Sequence[tuple[Ligne, LigneRapprochement]],
    maintenant: datetime,
) -> None:
    connus = {
        (ecart.ligne_id, ecart.nature): ecart
        for ecart in EcartRapprochement.objects.filter(rapprochement=rapprochement)
    }
    commun = {"bailleur_id": rapprochement.bailleur_id, "departement_id": rapprochement.departement_id}
    acte = EvenementEcart.Acte
    nouveaux, changes, actes = [], [], []
    trouves = set()
    for ligne, modele in lignes:
        for ecart in ligne.ecarts:
            trouves.add((modele.pk, ecart.nature.value))
            ancien = connus.get((modele.pk, ecart.nature.value))
            valeurs = (ecart.lieu, ecart.responsable, ecart.sne, ecart.ici, ecart.recuperable)
            if ancien is None:
                nouveaux.append(
                    EcartRapprochement(
                        ligne_id=modele.pk,
                        rapprochement_id=rapprochement.pk,
                        nature=ecart.nature,
                        lieu=ecart.lieu,
                        responsable=ecart.responsable,
                        valeur_sne=ecart.sne,
                        valeur_ici=ecart.ici,
                        recuperable=ecart.recuperable,
                        constate_le=maintenant,
                        **commun,
                    )
                )
                continue
            if ancien.disparu_le is not None:
                actes.append(EvenementEcart(ecart_id=ancien.pk, acte=acte.REVENU, le=maintenant, **commun))
            # Who must act may have been changed by hand: then it stays, as long as the gap is the same.
            confie = ancien.responsable if ancien.lieu == ecart.lieu else ecart.responsable
            nouvelles = (ecart.lieu, confie, *valeurs[2:], None)
            if nouvelles != tuple(getattr(ancien, nom) for nom in COLONNES_ECART):
                changes.append((ancien.pk, *(str(v) if isinstance(v, Lieu) else v for v in nouvelles)))
    copier_objets(nouveaux)
    actes += [EvenementEcart(ecart_id=e.pk, acte=acte.CONSTATE, le=maintenant, **commun) for e in nouveaux]
    corriger_objets(EcartRapprochement, COLONNES_ECART, changes)
    partis = [e for cle, e in connus.items() if cle not in trouves and e.disparu_le is None]
    EcartRapprochement.objects.filter(pk__in=[e.pk for e in partis]).update(disparu_le=maintenant)
    actes += [EvenementEcart(ecart_id=e.pk, acte=acte.DISPARU, le=maintenant, **commun) for e in partis]
    copier_objets(actes)
