"""The procès-verbal of a commission: made once it is closed, its bytes and their hash kept."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from flux.models import Commission, EvenementCommission, ProcesVerbal, numero_de_proces_verbal
from reservation.acteur import Acteur
from reservation.documents.pdf import Pdf, rendre_texte
from reservation.regles.typographie import jour_semaine_fr

from .convocations import decrire_seance
from .seances import lire_seance


def produire_proces_verbal(acteur: Acteur, commission: Commission) -> ProcesVerbal:
    """The procès-verbal of the last closing; the one that exists already if it was made since.

    No lock is held while the PDF is made; two at once make one version.
    """
    if not Commission.objects.modifiables_par(acteur).filter(pk=commission.pk).exists():
        raise PermissionDenied("Votre rôle ne permet pas de produire ce procès-verbal.")
    commission = Commission.objects.select_related("bailleur", "departement").get(pk=commission.pk)
    if commission.etat != Commission.Etat.CLOSE:
        raise ValidationError("Le procès-verbal se produit une fois la commission close.")
    while True:
        dernier = commission.proces_verbaux.order_by("-version").first()
        if dernier is not None and (commission.close_le is None or dernier.produit_le >= commission.close_le):
            return dernier
        version = dernier.version + 1 if dernier else 1
        pdf = rendre_texte(_balisage(commission, version))
        if produit := _garder(commission, version, pdf):
            return produit


def _balisage(commission: Commission, version: int) -> str:
    seance = lire_seance(commission)
    cloture = commission.evenements.filter(nature=EvenementCommission.Nature.CLOTURE).order_by("-le").first()
    convocation = (
        commission.evenements.filter(nature=EvenementCommission.Nature.CONVOCATION).order_by("le").first()
    )
    return render_to_string(
        "pdf/commission/proces_verbal.html",
        {
            "commission": commission,
            "jour": jour_semaine_fr(commission.date),
            "seance": decrire_seance(commission),
            "reference": numero_de_proces_verbal(commission, version),
            "version": version,
            "logements": seance.logements,
            "decidees": seance.decidees,
            "attribues": sum(x.servie is not None for x in seance.logements),
            "points": cloture.points if cloture else [],
            "close_le": timezone.localtime(commission.close_le) if commission.close_le else None,
            "convoquee_le": timezone.localtime(convocation.le) if convocation else None,
        },
    )


def _garder(commission: Commission, version: int, pdf: Pdf) -> ProcesVerbal | None:
    """Keep this version, unless somebody kept it meanwhile, or reopened the commission."""
    with transaction.atomic():
        actuelle = Commission.objects.select_for_update().get(pk=commission.pk)
        if commission.proces_verbaux.filter(version__gte=version).exists():
            return None
        if actuelle.close_le != commission.close_le:
            raise ValidationError("La commission a été rouverte pendant que le procès-verbal se faisait.")
        return ProcesVerbal.objects.create(
            bailleur_id=commission.bailleur_id,
            departement_id=commission.departement_id,
            commission=commission,
            version=version,
            octets=pdf.octets,
            empreinte=pdf.empreinte,
            pages=pdf.pages,
        )
