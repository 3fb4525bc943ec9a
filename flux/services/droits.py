"""What this room holds of a household, for the person who asks (RGPD, art. 15): one row for each thing that is kept."""

from collections import defaultdict
from datetime import date

from django.db.models import Q
from django.urls import reverse

from flux.models import (
    Attribution,
    Candidat,
    DecisionAgent,
    EcartRapprochement,
    EvenementExterne,
    ExceptionLabel,
    LigneRapprochement,
    Passage,
)
from publics.services.droits import Donnee, Personne
from reservation.acteur import Acteur
from reservation.regles.typographie import date_fr, enumerer


def evenements_gardes(acteur: Acteur, personne: Personne) -> list[Donnee]:
    """Proposals, candidatures, attributions; then what the extracts of other tools told, whoever recorded nothing of it."""
    return [
        *_designations(acteur, personne.menage),
        *_candidatures(acteur, personne.menage),
        *_attributions(acteur, personne.menage),
        *_evenements(acteur, personne),
        *_rapprochements(acteur, personne),
    ]


def _jour(jour: date | None) -> str:
    return date_fr(jour) if jour else "–"


def _designations(acteur: Acteur, menage: int | None) -> list[Donnee]:
    candidats = (
        Candidat.objects.visibles_par(acteur)
        .filter(menage=menage)
        .select_related("bailleur", "reservataire", "liberation")
        .order_by("propose_le", "pk")
        if menage
        else ()
    )
    return [
        Donnee(
            "Proposition pour un logement",
            f"Proposé le {date_fr(c.propose_le)}",
            (
                ("Logement", c.liberation.reference),
                ("Bailleur", str(c.bailleur)),
                ("Réservataire", str(c.reservataire)),
            ),
            reverse("flux:liberation", args=[c.liberation_id]),
        )
        for c in candidats
    ]


def _candidatures(acteur: Acteur, menage: int | None) -> list[Donnee]:
    passages = (
        Passage.objects.visibles_par(acteur)
        .filter(menage=menage)
        .select_related("commission", "bailleur", "motif", "condition_piece")
        .order_by("commission__date", "pk")
        if menage
        else ()
    )
    return [
        Donnee(
            "Candidature en CALEOL",
            f"CALEOL du {date_fr(p.commission.date)}",
            (
                ("Bailleur", str(p.bailleur)),
                ("Décision", p.get_decision_display() or "à décider"),
                ("Rang", str(p.rang or "–")),
                ("Motif", str(p.motif or "–")),
                ("Pièce attendue", str(p.condition_piece or "–")),
                ("Situation d’emploi", p.get_statut_emploi_display()),
                ("Agent de l’État", "oui" if p.agent else "non"),
            ),
            reverse("flux:liberation", args=[p.liberation_id]),
        )
        for p in passages
    ]


def _attributions(acteur: Acteur, menage: int | None) -> list[Donnee]:
    if menage is None:
        return []
    attributions = list(
        Attribution.objects.visibles_par(acteur)
        .filter(menage=menage)
        .select_related("bailleur", "liberation", "motif_refus")
        .order_by("date_caleol", "pk")
    )
    cles = [a.pk for a in attributions]
    decisions = {
        d.attribution_id: d for d in DecisionAgent.objects.visibles_par(acteur).filter(attribution__in=cles)
    }
    exceptions: dict[int, list[str]] = defaultdict(list)
    for e in ExceptionLabel.objects.visibles_par(acteur).filter(attribution__in=cles).select_related("motif"):
        exceptions[e.attribution_id].append(f"label du {date_fr(e.label_depuis)} {e} ({e.motif})")
    reponse = {True: "accordée", False: "refusée"}
    return [
        Donnee(
            "Attribution",
            f"Attribution du {date_fr(a.date_caleol)}",
            (
                ("Bailleur", str(a.bailleur)),
                ("Logement", a.liberation.reference),
                ("Proposé le", _jour(a.date_proposition)),
                ("Bail", _jour(a.date_bail)),
                ("Refus du ménage", str(a.motif_refus or "–")),
                ("Situation d’emploi", a.get_statut_emploi_display()),
                ("Agent de l’État", "oui" if a.agent else "non"),
                (
                    "Priorité d’agent de l’État",
                    reponse[decisions[a.pk].accordee] if a.pk in decisions else "–",
                ),
                ("Exceptions", enumerer(exceptions[a.pk]) if exceptions[a.pk] else "–"),
            ),
            reverse("flux:liberation", args=[a.liberation_id]),
        )
        for a in attributions
    ]


def _evenements(acteur: Acteur, personne: Personne) -> list[Donnee]:
    """Lines of extracts, found by the number itself: the household of most of them was never recorded here."""
    evenements = (
        EvenementExterne.objects.motif_lisible_par(acteur)
        .filter(numero_hache__in=personne.formes)
        .select_related("organisation", "label_categorie", "motif_categorie")
        .order_by("jour", "pk")
    )
    return [
        Donnee(
            "Extrait d’un autre outil",
            f"{e.get_source_display()}, {e.get_nature_display()} du {date_fr(e.jour)}",
            (
                ("Déposé par", str(e.organisation)),
                ("CALEOL", _jour(e.date_caleol)),
                ("Attribution", _jour(e.date_attribution)),
                ("Bail", _jour(e.date_bail)),
                ("Radiation", " ".join(filter(None, (_jour(e.date_radiation), e.radiation_brute)))),
                ("Logement", e.logement_brut or "–"),
                ("Contingent", e.reservataire_brut or "–"),
                ("Décision", e.decision_brute or "–"),
                ("Motif de la demande", e.motif_brut or "–"),
                ("Label", str(e.label_categorie or e.label_brut or "–")),
                ("Label depuis le", _jour(e.label_debut)),
                ("Label jusqu’au", _jour(e.label_fin)),
                ("Remplacé par un extrait plus récent", "oui" if e.perime_par_id else "non"),
            ),
        )
        for e in evenements
    ]


def _rapprochements(acteur: Acteur, personne: Personne) -> list[Donnee]:
    siennes = Q(evenement__numero_hache__in=personne.formes)
    if personne.menage:
        siennes |= Q(attribution__menage=personne.menage)
    lignes = list(
        LigneRapprochement.objects.visibles_par(acteur)
        .filter(siennes)
        .select_related("rapprochement", "bailleur")
        .order_by("pk")
    )
    ecarts: dict[int, list[str]] = defaultdict(list)
    for ecart in EcartRapprochement.objects.visibles_par(acteur).filter(ligne__in=lignes).order_by("pk"):
        ecarts[ecart.ligne_id].append(f"{ecart.get_nature_display()} ({ecart.get_etat_display()})")
    return [
        Donnee(
            "Rapprochement",
            f"Ligne du {_jour(ligne.jour)}, {ligne.rapprochement}",
            (
                ("Bailleur", str(ligne.bailleur)),
                ("Écarts", enumerer(ecarts[ligne.pk]) if ecarts[ligne.pk] else "aucun"),
            ),
            reverse("flux:rapprochement_ligne", args=[ligne.pk]),
        )
        for ligne in lignes
    ]
