from reservation.traces import suivre

from .acces import DemandeAcces, EvenementAcces, Invitation, NomOrganisation
from .base import PerimetreQuerySet, cle_de_tri
from .conventions import Convention, Derogation, EvenementConvention, NatureSoustraction, VersionConvention
from .courriels import (
    Courriel,
    PieceJointe,
)
from .jetons import (
    CleIdempotence,
    JetonApi,
)
from .journal import Assistance, LigneJournal
from .nomenclatures import ClasseFinancement, ClassePeriode, ClasseTypologie
from .organisations import FamilleBailleur, Organisation, Presence, Rattachement, Utilisateur
from .parc import (
    AgregatParc,
    CodeDrapeau,
    Drapeau,
    EtatParc,
    ImportRpls,
    Logement,
    StatutLogement,
)
from .territoires import Commune, Departement, Epci, PassageCommune, Referentiel, Region
from .webhooks import AbonnementWebhook, Annonce, LivraisonWebhook

__all__ = [
    "AbonnementWebhook",
    "AgregatParc",
    "Annonce",
    "Assistance",
    "CleIdempotence",
    "ClasseFinancement",
    "ClassePeriode",
    "ClasseTypologie",
    "CodeDrapeau",
    "Commune",
    "Convention",
    "Courriel",
    "DemandeAcces",
    "Departement",
    "Derogation",
    "Drapeau",
    "Epci",
    "EtatParc",
    "EvenementAcces",
    "EvenementConvention",
    "FamilleBailleur",
    "ImportRpls",
    "Invitation",
    "JetonApi",
    "LigneJournal",
    "LivraisonWebhook",
    "Logement",
    "NatureSoustraction",
    "NomOrganisation",
    "Organisation",
    "PassageCommune",
    "PerimetreQuerySet",
    "PieceJointe",
    "Presence",
    "Rattachement",
    "Referentiel",
    "Region",
    "StatutLogement",
    "Utilisateur",
    "VersionConvention",
    "cle_de_tri",
]

suivre("reservation")
