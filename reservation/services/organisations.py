"""Organisations: created by the State's services, renamed without losing their former names."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import (
    Commune,
    Departement,
    EvenementAcces,
    NomOrganisation,
    Organisation,
    Presence,
    cle_de_tri,
)
from reservation.regles.siren import chiffres, siren_valide
from reservation.regles.typographie import date_fr, enumerer

from .habilitations import exiger_administration, noter

T = TypeOrganisation
# ALS is one for the country, a DREAL makes no other: they come with the site.
TYPES_DE_LA_DDETS = (T.BAILLEUR, T.COLLECTIVITE, T.AUTRE_RESERVATAIRE, T.OPERATEUR, T.PREFECTURE)
TYPES_DE_LA_DREAL = (*TYPES_DE_LA_DDETS, T.DDETS, T.UNION_HLM)


class DoublonsPossibles(ValidationError):
    """Organisations that look like the one to create: somebody must say that it is another."""

    def __init__(self, organisations: Iterable[Organisation]) -> None:
        self.organisations = list(organisations)
        noms = enumerer([f"{o.nom} ({o.get_type_display()})" for o in self.organisations])
        super().__init__(f"Existe déjà : {noms}. Confirmez qu’il s’agit d’une autre organisation.")


def types_possibles(acteur: Acteur) -> tuple[TypeOrganisation, ...]:
    """Kinds of organisations that `acteur` may create."""
    if acteur.systeme:
        return tuple(T)
    if not acteur.peut_administrer:
        return ()
    if acteur.est_dreal:
        return TYPES_DE_LA_DREAL
    return TYPES_DE_LA_DDETS if acteur.est_ddets else ()


def semblables(nom: str, siren: str = "") -> QuerySet[Organisation]:
    """Organisations with this SIREN, or with this name today or before, whatever its accents and capitals."""
    cle = cle_de_tri(nom)
    homonymes = [
        ancien.organisation_id
        for ancien in NomOrganisation.objects.only("nom", "organisation_id")
        if cle_de_tri(ancien.nom) == cle
    ]
    filtre = Q(nom_tri=cle) | Q(pk__in=homonymes)
    if siren:
        filtre |= Q(siren=siren)
    return Organisation.objects.filter(filtre).order_by("nom_tri", "pk")


@transaction.atomic
def creer_organisation(
    acteur: Acteur,
    *,
    type_organisation: str,
    nom: str,
    departement: Departement,
    siren: str = "",
    famille: str = "",
    code: str = "",
    confirmer: bool = False,
) -> Organisation:
    """Create an organisation of the perimeter of `acteur`.

    `departement`: where it works; a bailleur is then present there, whatever its seat. A collectivité gets the
    communes of its code (commune, EPCI or département). Its first administrator is invited next.
    """
    if type_organisation not in types_possibles(acteur):
        raise PermissionDenied("Vous ne pouvez pas créer une organisation de ce type.")
    if not acteur.systeme and departement.pk not in acteur.departements:
        raise PermissionDenied("Ce département n’est pas dans votre périmètre.")
    siren = chiffres(siren)
    _verifier_siren(type_organisation, siren)
    communes = _communes_du_code(code, departement) if type_organisation == T.COLLECTIVITE else []
    if not confirmer and (trouvees := list(semblables(nom, siren))):
        raise DoublonsPossibles(trouvees)
    organisation = Organisation(
        type=type_organisation,
        nom=" ".join(nom.split()),
        siren=siren,
        famille=famille if type_organisation == T.BAILLEUR else "",
        code=code if type_organisation in (T.COLLECTIVITE, T.AUTRE_RESERVATAIRE) else "",
        departement=None if type_organisation in (T.BAILLEUR, T.UNION_HLM) else departement,
        region=departement.region if type_organisation == T.UNION_HLM else None,
    )
    organisation.nom_tri = cle_de_tri(organisation.nom)
    organisation.full_clean()
    organisation.save()
    organisation.communes.set(communes)
    if type_organisation == T.BAILLEUR:
        Presence.objects.create(bailleur=organisation, departement=departement)
    noter(acteur, EvenementAcces.Nature.CREATION, organisation, detail=organisation.get_type_display())
    return organisation


def _verifier_siren(type_organisation: str, siren: str) -> None:
    if type_organisation == T.BAILLEUR and not siren:
        raise ValidationError({"siren": "Un bailleur a un SIREN."})
    if siren and not siren_valide(siren):
        raise ValidationError(
            {
                "siren": "Ce SIREN n’existe pas : neuf chiffres, dont le dernier est une clé. Vérifiez la saisie."
            }
        )
    existante = Organisation.objects.filter(siren=siren, type=T.BAILLEUR).first() if siren else None
    if existante and type_organisation == T.BAILLEUR:
        raise ValidationError({"siren": f"{existante.nom} porte déjà ce SIREN."})


def _communes_du_code(code: str, departement: Departement) -> list[Commune]:
    """Communes of a collectivité, by the code of the commune, of the EPCI or of the département."""
    territoire = Q(pk=code) | Q(epci=code)
    if code == departement.pk:
        territoire |= Q(departement=code)
    communes = list(Commune.objects.filter(territoire).order_by("pk"))
    if not any(commune.departement_id == departement.pk for commune in communes):
        raise ValidationError(
            {"code": f"Aucune commune du département {departement} n’a ce code INSEE ou ce SIREN d’EPCI."}
        )
    return communes


@transaction.atomic
def renommer(acteur: Acteur, organisation: Organisation, *, nom: str, effet: date) -> Organisation:
    """Give another name from `effet` on; documents of before may still show the former one."""
    exiger_administration(acteur, organisation)
    organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
    nom = " ".join(nom.split())
    if nom == organisation.nom:
        raise ValidationError({"nom": "C’est déjà son nom."})
    if effet > timezone.localdate():
        raise ValidationError({"effet": "Le changement s’enregistre quand il a pris effet."})
    precedent = organisation.anciens_noms.order_by("-jusqu_au").first()
    depuis = precedent.jusqu_au + timedelta(days=1) if precedent else None
    if depuis and effet <= depuis:
        raise ValidationError({"effet": f"Le nom actuel date du {date_fr(depuis)} : le nouveau vient après."})
    ancien = organisation.nom
    organisation.nom = nom
    organisation.full_clean()
    organisation.save()
    NomOrganisation.objects.create(
        organisation=organisation, nom=ancien, depuis=depuis, jusqu_au=effet - timedelta(days=1)
    )
    noter(acteur, EvenementAcces.Nature.NOM, organisation, detail=f"{ancien} → {nom}, le {date_fr(effet)}")
    return organisation
