"""Who may open the flux of a bailleur in a département, before any calculation exists; what a share rests on."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db.models import Exists, F, Func, JSONField, OuterRef, QuerySet, Value

from flux.models import CalculAFaire, PartFlux
from reservation.acteur import Acteur
from reservation.models import Convention, Presence

from .cadres import Paire


def presences_visibles(acteur: Acteur):
    """The pairs whose flux `acteur` may read (table of chapter 2): its own, its département's, its région's, or
    those that signed an act with it."""
    presences = Presence.objects.select_related("bailleur", "departement")
    if acteur.systeme:
        return presences
    if acteur.est_bailleur:
        return presences.filter(bailleur=acteur.organisation_id)
    if acteur.est_service_etat or acteur.est_copil:
        return presences.filter(departement__in=acteur.departements)
    if acteur.est_reservataire:
        actes = Convention.objects.visibles_par(acteur).exclude(etat=Convention.Etat.BROUILLON)
        return presences.filter(
            Exists(
                actes.order_by().filter(bailleur=OuterRef("bailleur"), departement=OuterRef("departement"))
            )
        )
    return presences.none()


def travail_en_attente(acteur: Acteur, paire: Paire, annee: int) -> CalculAFaire | None:
    """The row of the queue for this pair and year, for those who may know of it."""
    return (
        CalculAFaire.objects.visibles_par(acteur)
        .filter(bailleur=paire[0], departement=paire[1], annee=annee)
        .first()
    )


def avec_leur_base(parts: QuerySet[PartFlux]) -> QuerySet[PartFlux]:
    """Each share with `termes`, the terms that made it, read in the stored result without bringing the whole of it."""
    return parts.annotate(
        termes=Func(
            F("calcul__resultat"),
            Value("lignes"),
            F("code"),
            function="jsonb_extract_path",
            output_field=JSONField(),
        )
    )


def base_des_termes(termes: Sequence[Mapping[str, str]] | None) -> Decimal | None:
    """Dwellings of the flux on which all the terms of a share bear; None when they bear on several bases."""
    if not termes or len({(terme["debut"], terme["fin"], terme["base"]) for terme in termes}) != 1:
        return None
    return Decimal(termes[0]["base"])
