"""The printable sheet of who must act: the sentences to carry over, one per gap still open, as a tagged PDF."""

from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils import timezone

from flux.models import EcartRapprochement, Rapprochement, ResponsableEcart
from flux.services.echeances import echeance_du_bilan
from reservation.acteur import Acteur
from reservation.documents.pdf import Pdf, rendre_texte
from reservation.regles.typographie import accorder

from .phrases import lieu_de, nature_de, phrase_de

LIGNES_MAX = 2_000  # some eighty pages: a person prints by bailleur and owner, not the whole département


def composer_fiche(acteur: Acteur, rapprochement: Rapprochement, responsable: str) -> Pdf:
    """The open gaps of one owner. Raises `ValidationError` when they are too many to be printed."""
    # The order of the natures would tell a réservataire which labels are late, which expired.
    ordre = ["lieu", "nature", "ligne__caleol_ici", "ligne__caleol_sne", "pk"]
    if acteur.est_reservataire:
        ordre.remove("nature")
    ecarts = list(
        EcartRapprochement.objects.visibles_par(acteur)
        .filter(
            rapprochement=rapprochement,
            responsable=responsable,
            disparu_le=None,
            etat__in=EcartRapprochement.OUVERTS,
        )
        .select_related("ligne")
        .order_by(*ordre)[: LIGNES_MAX + 1]
    )
    if len(ecarts) > LIGNES_MAX:
        raise ValidationError(
            f"Plus de {accorder(LIGNES_MAX, 'écart')} : prenez l’export XLSX, ou une période plus courte."
        )
    lieux: dict[str, list[tuple[EcartRapprochement, str, str]]] = {}
    for ecart in ecarts:
        lieux.setdefault(lieu_de(ecart, rapprochement), []).append(
            (ecart, nature_de(ecart, acteur)[1], phrase_de(ecart, rapprochement, acteur))
        )
    return rendre_texte(
        render_to_string(
            "pdf/rapprochement/fiche.html",
            {
                "rapprochement": rapprochement,
                "responsable": ResponsableEcart(responsable).label,
                "lieux": lieux.items(),
                "nombre": len(ecarts),
                "fait_le": timezone.localtime(rapprochement.termine_le) if rapprochement.termine_le else None,
                "echeance": echeance_du_bilan(rapprochement.departement_id, rapprochement.annee)
                if rapprochement.annee
                else None,
                "reference": reference_de(rapprochement, responsable),
            },
        )
    )


def reference_de(rapprochement: Rapprochement, responsable: str) -> str:
    """ "RAP-20260101-06-000000042-BAILLEUR-2": period, département, bailleur, who must act, run."""
    return (
        f"RAP-{rapprochement.debut:%Y%m%d}-{rapprochement.departement_id}-{rapprochement.bailleur.siren}-"
        f"{responsable}-{rapprochement.rang}"
    )
