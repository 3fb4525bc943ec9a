"""The cast of every test: who is who, in which organisation, with which role. Each yes has its noes.

`distribuer()` makes them all in a handful of queries; a test then says `cast.gestionnaire_a`. Every name is a
function; nobody here is real.
"""

from dataclasses import dataclass, field
from datetime import date

from django.contrib.auth.hashers import make_password

from reservation.acteur import Acteur, Role, TypeOrganisation
from reservation.models import (
    Commune,
    FamilleBailleur,
    Organisation,
    Presence,
    Rattachement,
    Utilisateur,
    cle_de_tri,
)
from reservation.services.acces import acteur_de

MOT_DE_PASSE = "mot-de-passe-de-test"

CANNES, NICE, ANTIBES, SAINT_BRIEUC = "06029", "06088", "06004", "22278"


@dataclass
class Distribution:
    """The organisations and the people of a test; `acteur(nom)` gives the immutable actor of somebody."""

    bailleur_a: Organisation
    bailleur_b: Organisation
    ddets_06: Organisation
    ddets_22: Organisation
    prefecture_06: Organisation
    als: Organisation
    commune_cannes: Organisation
    autre_caf: Organisation
    dreal_paca: Organisation
    union_hlm_paca: Organisation
    operateur_06: Organisation
    gens: dict[str, Utilisateur] = field(default_factory=dict)

    def __getattr__(self, nom: str) -> Utilisateur:
        try:
            return self.__dict__["gens"][nom]
        except KeyError:
            raise AttributeError(nom) from None

    def acteur(self, nom: str) -> Acteur:
        return acteur_de(self.gens[nom])


def organisation(type_: TypeOrganisation, nom: str, communes=(), **champs) -> Organisation:
    """An organisation that the constraints accept; `communes`: INSEE codes of its territory."""
    if type_ == TypeOrganisation.BAILLEUR:
        champs.setdefault("famille", FamilleBailleur.OPH)
    creee = Organisation.objects.create(type=type_, nom=nom, **champs)
    if communes:
        creee.communes.set(Commune.objects.filter(pk__in=communes))
    return creee


def personne(courriel: str, nom: str, organisation_: Organisation, *roles: Role, **champs) -> Utilisateur:
    utilisateur = Utilisateur.objects.create_user(courriel, MOT_DE_PASSE, nom=nom, **champs)
    Rattachement.objects.bulk_create(
        Rattachement(utilisateur=utilisateur, organisation=organisation_, role=role, debut=date(2024, 1, 1))
        for role in roles
    )
    return utilisateur


def distribuer() -> Distribution:
    """The whole cast. Two bailleurs own dwellings in the Alpes-Maritimes, one also in the Côtes-d'Armor."""
    t, r = TypeOrganisation, Role
    oph, esh = {"famille": FamilleBailleur.OPH}, {"famille": FamilleBailleur.ESH}
    dans_le_06, dans_le_22, en_paca = {"departement_id": "06"}, {"departement_id": "22"}, {"region_id": "93"}
    lieux = {
        "bailleur_a": Organisation(type=t.BAILLEUR, nom="Habitat Essai A", siren="000000017", **oph),
        "bailleur_b": Organisation(type=t.BAILLEUR, nom="Logis Essai B", siren="000000025", **esh),
        "ddets_06": Organisation(type=t.DDETS, nom="DDETS des Alpes-Maritimes", **dans_le_06),
        "ddets_22": Organisation(type=t.DDETS, nom="DDETS des Côtes-d’Armor", **dans_le_22),
        "prefecture_06": Organisation(
            type=t.PREFECTURE, nom="Préfecture des Alpes-Maritimes, SGC", **dans_le_06
        ),
        "als": Organisation(type=t.ACTION_LOGEMENT, nom="Action Logement Services"),
        "commune_cannes": Organisation(type=t.COLLECTIVITE, nom="Commune de Cannes", code=CANNES),
        "autre_caf": Organisation(type=t.AUTRE_RESERVATAIRE, nom="CAF (essai)", code="CAF06"),
        "dreal_paca": Organisation(type=t.DREAL, nom="DREAL Provence-Alpes-Côte d’Azur", **en_paca),
        "union_hlm_paca": Organisation(type=t.UNION_HLM, nom="Union HLM (essai)", **en_paca),
        "operateur_06": Organisation(type=t.OPERATEUR, nom="SIAO (essai)", **dans_le_06),
    }
    for lieu in lieux.values():
        lieu.nom_tri = cle_de_tri(lieu.nom)
    Organisation.objects.bulk_create(lieux.values())
    lieux["commune_cannes"].communes.set([CANNES])
    cast = Distribution(**lieux)
    Presence.objects.bulk_create(
        Presence(bailleur=bailleur, departement_id=departement)
        for bailleur, departement in (
            (cast.bailleur_a, "06"),
            (cast.bailleur_a, "22"),
            (cast.bailleur_b, "06"),
        )
    )
    places = {
        "gestionnaire_a": ("gestion@a.example", "Gestionnaire A", cast.bailleur_a, r.GESTION),
        "signataire_a": ("signature@a.example", "Signataire A", cast.bailleur_a, r.SIGNATURE),
        "lecteur_a": ("lecture@a.example", "Lecteur A", cast.bailleur_a, r.LECTURE),
        "administrateur_a": (
            "administration@a.example",
            "Administrateur A",
            cast.bailleur_a,
            r.ADMINISTRATION,
        ),
        "ancien_a": ("ancien@a.example", "Ancien A", cast.bailleur_a, r.GESTION),
        "gestionnaire_b": ("gestion@b.example", "Gestionnaire B", cast.bailleur_b, r.GESTION),
        "agent_ddets_06": ("ddets06@etat.example", "Agent DDETS 06", cast.ddets_06, r.GESTION),
        "lecteur_ddets_06": ("lecture06@etat.example", "Lecteur DDETS 06", cast.ddets_06, r.LECTURE),
        "administrateur_ddets_06": (
            "administration06@etat.example",
            "Administrateur DDETS 06",
            cast.ddets_06,
            r.ADMINISTRATION,
        ),
        "agent_ddets_22": ("ddets22@etat.example", "Agent DDETS 22", cast.ddets_22, r.GESTION),
        "agent_sgc_06": ("sgc06@etat.example", "Agent SGC 06", cast.prefecture_06, r.GESTION),
        "charge_als": ("als@als.example", "Chargé ALS", cast.als, r.GESTION),
        "agent_cannes": ("logement@cannes.example", "Agent commune", cast.commune_cannes, r.GESTION),
        "agent_caf": ("caf@caf.example", "Agent CAF", cast.autre_caf, r.GESTION),
        "charge_dreal": ("dreal@etat.example", "Chargé DREAL", cast.dreal_paca, r.LECTURE),
        "charge_union": ("union@hlm.example", "Chargé union HLM", cast.union_hlm_paca, r.LECTURE),
        "operateur": ("siao@siao.example", "Opérateur SIAO", cast.operateur_06, r.GESTION),
        "sans_organisation": ("seul@seul.example", "Sans organisation", None, None),
    }
    secret = make_password(MOT_DE_PASSE)
    cast.gens = {
        qui: Utilisateur(courriel=courriel, nom=nom, password=secret, is_active=qui != "ancien_a")
        for qui, (courriel, nom, _organisation, _role) in places.items()
    }
    Utilisateur.objects.bulk_create(cast.gens.values())
    Rattachement.objects.bulk_create(
        Rattachement(utilisateur=cast.gens[qui], organisation=ou, role=role, debut=date(2024, 1, 1))
        for qui, (_courriel, _nom, ou, role) in places.items()
        if ou is not None
    )
    return cast
