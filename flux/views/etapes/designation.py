"""The candidates of the réservataire: awaited with their clock, proposed, or never."""

from django.utils import timezone

from flux.forms_orientation import FormulaireCandidat, FormulaireEchecMotive
from flux.models import Candidat, Designation, Liberation
from flux.services import designations
from flux.services.candidats_possibles import designation_lisible
from flux.views.actes import Acte
from reservation.models import VersionConvention

from .base import Etape, EtatEtape, Situation


def _proposer(acteur, liberation: Liberation, *, numero_unique: str) -> Candidat:
    designation = Designation.objects.vivantes().get(liberation=liberation)
    return designations.proposer_candidat(
        acteur, designation, numero_unique=numero_unique, date=timezone.localdate()
    )


ACTES = {
    "proposer": Acte(
        "Désigner un candidat",
        "Ajouter ce candidat",
        FormulaireCandidat,
        _proposer,
        "Candidat ajouté.",
    ),
    "echec": Acte(
        "Constater l’échec de la désignation",
        "Constater l’échec",
        FormulaireEchecMotive,
        designations.constater_echec_designation,
        "Échec constaté : l’attribution qui suivra entrera dans la base des 25 % du bailleur.",
        secondaire=True,
    ),
}


def etape(situation: Situation) -> Etape | None:
    """None for a dwelling that the bailleur keeps, or that has no réservataire yet."""
    liberation, acteur = situation.liberation, situation.acteur
    if liberation.reservataire_id in (None, liberation.bailleur_id):
        return None
    designation = (
        Designation.objects.visibles_par(acteur)
        .vivantes()
        .select_related("motif")
        .filter(liberation=liberation)
        .first()
    )
    candidats = list(
        Candidat.objects.visibles_par(acteur).filter(designation=designation).order_by("pk")
        if designation
        else []
    )
    jour = timezone.localdate()
    numeros = designations.numeros_lisibles(candidats) if candidats else {}
    priorites = designations.priorites_lisibles(acteur, candidats, jour) if candidats else {}
    actions = situation.actions(ACTES, _possibles(situation, designation))
    return Etape(
        "designation",
        _titre(designation, len(candidats), liberation),
        EtatEtape.FAITE
        if candidats or liberation.designation_echouee_le or situation.attributions
        else EtatEtape.A_VENIR,
        liberation.designation_echouee_le
        or (candidats[0].propose_le if candidats else designation and designation.ouverte_le),
        {
            "designation": designation,
            "possibles": designation_lisible(acteur, liberation) is not None,
            "candidats": [
                {"numero": numeros[c.pk], "priorite": priorites[c.pk], "jour": c.propose_le}
                for c in candidats
            ],
            "deleguee": designation is not None and designation.gestion == VersionConvention.Gestion.DELEGUEE,
            "depassee": designation is not None
            and designation.etat == Designation.Etat.EN_ATTENTE
            and designation.echeance is not None
            and designation.echeance < jour,
        },
        actions,
        entamee=designation is not None,
    )


def _titre(designation: Designation | None, candidats: int, liberation: Liberation) -> str:
    if liberation.designation_echouee_le:
        return "Désignation échouée"
    if candidats:
        return f"{candidats} candidat{'s' if candidats > 1 else ''} proposé{'s' if candidats > 1 else ''}"
    return "Candidats attendus" if designation else "Candidats du réservataire"


def _possibles(situation: Situation, designation: Designation | None) -> list[str]:
    liberation = situation.liberation
    if liberation.annulee_le or situation.vivante or liberation.designation_echouee_le:
        return []
    deleguee = designation is not None and designation.gestion == VersionConvention.Gestion.DELEGUEE
    return ["proposer", "echec"] if deleguee else ["echec"]
