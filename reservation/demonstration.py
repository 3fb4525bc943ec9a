"""The fictitious organisations and the accounts of the demonstration: one list, read by all that shows them.

Nobody here exists. SIREN numbers run in 000 00x xxx, which the register does not use for a landlord; every row is
`fictive`, and every page of such an organisation says so. People are named by their function.
"""

from dataclasses import dataclass
from datetime import date

from django.contrib.auth.hashers import make_password
from django.db import transaction

from reservation.acteur import Role, TypeOrganisation
from reservation.models import (
    Commune,
    FamilleBailleur,
    Organisation,
    Rattachement,
    Utilisateur,
)

MOT_DE_PASSE = "demonstration-en-flux"
DEPUIS = date(2024, 1, 1)


def siren_fictif(rang: int) -> str:
    """Nine digits with a valid checksum, 000 00… : `rang` from 1 to 999."""
    base = f"00000{rang:03d}"
    somme = sum(sum(divmod(int(c) * (2 if i % 2 else 1), 10)) for i, c in enumerate(base))
    return f"{base}{-somme % 10}"


@dataclass(frozen=True)
class OrganisationFictive:
    """`code`: that of a réservataire; `territoire`: a commune code, an EPCI code, or empty (département)."""

    cle: str
    type: TypeOrganisation
    nom: str
    siren: str = ""
    famille: str = ""
    code: str = ""
    departement: str | None = None
    region: str | None = None
    communes: tuple[str, ...] = ()
    epci: str = ""


def _bailleur(cle: str, rang: int, famille: FamilleBailleur, nom: str) -> OrganisationFictive:
    return OrganisationFictive(cle, TypeOrganisation.BAILLEUR, nom, siren_fictif(rang), famille.value)


def _ddets(departement: str, nom: str) -> OrganisationFictive:
    return OrganisationFictive(
        f"ddets-{departement.lower()}",
        TypeOrganisation.DDETS,
        f"DDETS {nom} (démonstration)",
        departement=departement,
    )


def _collectivite(cle: str, code: str, nom: str, **territoire) -> OrganisationFictive:
    return OrganisationFictive(
        cle, TypeOrganisation.COLLECTIVITE, f"{nom} (démonstration)", code=code, **territoire
    )


BAILLEUR_PRINCIPAL = "azur"

BAILLEURS = (
    _bailleur(BAILLEUR_PRINCIPAL, 1, FamilleBailleur.OPH, "Habitat Démonstration Azur"),
    _bailleur("littoral", 2, FamilleBailleur.ESH, "Logis Fictif du Littoral"),
    _bailleur("sem", 3, FamilleBailleur.SEM, "SEM Modèle Habitat"),
    _bailleur("toit", 4, FamilleBailleur.COOP, "Coopérative Toit d’Essai"),
    _bailleur("metropole", 5, FamilleBailleur.OPH, "OPH Exemple-Métropole"),
    _bailleur("illustration", 6, FamilleBailleur.ESH, "Foyers d’Illustration"),
    _bailleur("prototype", 7, FamilleBailleur.ESH, "Résidences du Prototype"),
    _bailleur("ventoux", 8, FamilleBailleur.OPH, "Exemple Ventoux Habitat"),
    _bailleur("alpes", 9, FamilleBailleur.OPH, "Alpes Habitat Fictif"),
    _bailleur("corse", 10, FamilleBailleur.OPH, "Office Exemple de Corse"),
    _bailleur("temoin", 11, FamilleBailleur.ESH, "Maisons Témoin"),
    _bailleur("armor", 12, FamilleBailleur.OPH, "Armor Habitat Modèle"),
    _bailleur("bretagne", 13, FamilleBailleur.ESH, "Bretagne Logis Fictif"),
)

SERVICES_ETAT = (
    _ddets("04", "des Alpes-de-Haute-Provence"),
    _ddets("05", "des Hautes-Alpes"),
    _ddets("06", "des Alpes-Maritimes"),
    _ddets("13", "des Bouches-du-Rhône"),
    _ddets("22", "des Côtes-d’Armor"),
    _ddets("2A", "de la Corse-du-Sud"),
    _ddets("2B", "de la Haute-Corse"),
    _ddets("83", "du Var"),
    _ddets("84", "de Vaucluse"),
    OrganisationFictive(
        "sgc-06",
        TypeOrganisation.PREFECTURE,
        "Secrétariat général commun des Alpes-Maritimes (démonstration)",
        departement="06",
    ),
)

ACTION_LOGEMENT = OrganisationFictive(
    "als", TypeOrganisation.ACTION_LOGEMENT, "Action Logement Services (démonstration)"
)

COLLECTIVITES = (
    _collectivite("cannes", "06029", "Ville de Cannes", communes=("06029",)),
    _collectivite("cannes-epci", "200039915", "CA Cannes Pays de Lérins", epci="200039915"),
    _collectivite("nice", "06088", "Ville de Nice", communes=("06088",)),
    _collectivite("dept-06", "06", "Département des Alpes-Maritimes", departement="06"),
    _collectivite("marseille", "13055", "Ville de Marseille", communes=("13055",)),
    _collectivite("dept-13", "13", "Département des Bouches-du-Rhône", departement="13"),
    _collectivite("toulon-epci", "248300543", "Métropole Toulon-Provence-Méditerranée", epci="248300543"),
    _collectivite("avignon", "84007", "Ville d’Avignon", communes=("84007",)),
    _collectivite("dept-84", "84", "Département de Vaucluse", departement="84"),
    _collectivite("ajaccio", "2A004", "Ville d’Ajaccio", communes=("2A004",)),
    _collectivite("bastia", "2B033", "Ville de Bastia", communes=("2B033",)),
    _collectivite("saint-brieuc-epci", "200069409", "CA Saint-Brieuc Armor Agglomération", epci="200069409"),
    _collectivite("saint-brieuc", "22278", "Ville de Saint-Brieuc", communes=("22278",)),
)

AUTRES = (
    OrganisationFictive(
        "caf-13",
        TypeOrganisation.AUTRE_RESERVATAIRE,
        "CAF des Bouches-du-Rhône (démonstration)",
        code="CAF13",
        departement="13",
    ),
    OrganisationFictive(
        "msa-22",
        TypeOrganisation.AUTRE_RESERVATAIRE,
        "MSA d’Armorique (démonstration)",
        code="MSA22",
        departement="22",
    ),
)

COPIL = (
    OrganisationFictive("dreal", TypeOrganisation.DREAL, "DREAL PACA (démonstration)", region="93"),
    OrganisationFictive(
        "union", TypeOrganisation.UNION_HLM, "Union régionale HLM de PACA (démonstration)", region="93"
    ),
)

OPERATEUR = OrganisationFictive(
    "siao-06", TypeOrganisation.OPERATEUR, "SIAO des Alpes-Maritimes (démonstration)", departement="06"
)

ORGANISATIONS = (*BAILLEURS, *SERVICES_ETAT, ACTION_LOGEMENT, *COLLECTIVITES, *AUTRES, *COPIL, OPERATEUR)


@dataclass(frozen=True)
class Compte:
    """An account of the demonstration. `organisation`: the `cle` above; `a_essayer`: what to try first."""

    courriel: str
    fonction: str
    organisation: str
    roles: tuple[Role, ...]
    a_essayer: str

    @property
    def nom_organisation(self) -> str:
        return next(o.nom for o in ORGANISATIONS if o.cle == self.organisation)


COMPTES = (
    Compte(
        "gestionnaire@demo.example",
        "Gestionnaire des attributions",
        BAILLEUR_PRINCIPAL,
        (Role.GESTION,),
        "Imports : le fichier de dépôt de 2026 attend votre accord, avec ses lignes rejetées ; puis Flux 2026, de "
        "votre parc aux 28,63 points nets de l’État.",
    ),
    Compte(
        "signataire@demo.example",
        "Direction générale",
        BAILLEUR_PRINCIPAL,
        (Role.SIGNATURE,),
        "Bilans : le bilan 2025 des Alpes-Maritimes, son verdict et son PDF.",
    ),
    Compte(
        "lecteur@demo.example",
        "Contrôle de gestion",
        BAILLEUR_PRINCIPAL,
        (Role.LECTURE,),
        "Parc : pourquoi un logement est dans l’assiette ou n’y est pas. Rien ne s’y modifie.",
    ),
    Compte(
        "administration@demo.example",
        "Administration des accès",
        BAILLEUR_PRINCIPAL,
        (Role.LECTURE, Role.ADMINISTRATION),
        "Le nom de votre organisation, en haut : invitez une personne, changez des rôles ; le courriel est un fichier.",
    ),
    Compte(
        "autre-bailleur@demo.example",
        "Gestionnaire des attributions",
        "littoral",
        (Role.GESTION,),
        "Flux 2025 : des désignations échouées pèsent sur la part d’Action Logement ; le parc d’Habitat "
        "Démonstration Azur, lui, est invisible.",
    ),
    Compte(
        "ddets06@demo.example",
        "Gestion des réservations de l’État",
        "ddets-06",
        (Role.GESTION, Role.SIGNATURE, Role.ADMINISTRATION),
        "Conventions : les actes des Alpes-Maritimes, dont une dérogation ; puis Flux : recalculez 2026 ; puis "
        "Organisations : celles qui attendent leur premier administrateur.",
    ),
    Compte(
        "ddets13@demo.example",
        "Gestion des réservations de l’État",
        "ddets-13",
        (Role.GESTION,),
        "Flux 2025 : les bailleurs des Bouches-du-Rhône, dont une SEM non conventionnée en partie.",
    ),
    Compte(
        "ddets22@demo.example",
        "Gestion des réservations de l’État",
        "ddets-22",
        (Role.GESTION, Role.SIGNATURE),
        "Conventions : le modèle Côtes-d’Armor, sans rétrocession ; comparez son flux à celui de PACA.",
    ),
    Compte(
        "sgc06@demo.example",
        "Logement des agents de l’État",
        "sgc-06",
        (Role.GESTION,),
        "Flux 2026 : la part réservée aux agents, cinq points au plus.",
    ),
    Compte(
        "action-logement@demo.example",
        "Direction territoriale",
        "als",
        (Role.GESTION,),
        "Flux : votre part chez chaque bailleur, rétrocession comprise.",
    ),
    Compte(
        "siao06@demo.example",
        "Accès au logement",
        "siao-06",
        (Role.GESTION,),
        "Labels : proposez un ménage, la DDETS répond avant l’échéance ; vous ne lisez que ce que vous avez proposé.",
    ),
    Compte(
        "commune@demo.example",
        "Service du logement",
        "cannes",
        (Role.GESTION,),
        "Conventions : vos droits à Cannes, et sur quel flux ils portent.",
    ),
    Compte(
        "epci@demo.example",
        "Service de l’habitat",
        "cannes-epci",
        (Role.LECTURE,),
        "Flux : votre part se compte sur le flux de votre seul territoire.",
    ),
    Compte(
        "dreal@demo.example",
        "Pilotage régional",
        "dreal",
        (Role.GESTION,),
        "Réunions du comité : celle de décembre se prépare, celle d’octobre a son compte rendu ; Flux : les six départements "
        "de la région, en nombres seulement.",
    ),
    Compte(
        "union-hlm@demo.example",
        "Union régionale",
        "union",
        (Role.LECTURE,),
        "Flux : le même regard que la DREAL.",
    ),
)


def creer_organisations(organisations=ORGANISATIONS) -> dict[str, Organisation]:
    """Make those that are missing; return all of them by `cle`. Territories come from the COG."""
    creees = {}
    with transaction.atomic():
        for fictive in organisations:
            organisation, nouvelle = Organisation.objects.get_or_create(
                type=fictive.type,
                nom=fictive.nom,
                defaults={
                    "siren": fictive.siren,
                    "famille": fictive.famille,
                    "code": fictive.code,
                    "departement_id": fictive.departement,
                    "region_id": fictive.region,
                    "fictive": True,
                },
            )
            if nouvelle and fictive.epci:
                organisation.communes.set(Commune.objects.filter(epci=fictive.epci))
            elif nouvelle and fictive.communes:
                organisation.communes.set(fictive.communes)
            creees[fictive.cle] = organisation
    return creees


def creer_comptes(organisations: dict[str, Organisation]) -> list[Utilisateur]:
    """Make the accounts that are missing, with the one password of the demonstration."""
    gens = []
    mot_de_passe = make_password(MOT_DE_PASSE)  # slow by design: once for all of them
    with transaction.atomic():
        for compte in COMPTES:
            personne = Utilisateur.objects.filter(courriel=compte.courriel).first()
            if personne is None:
                personne = Utilisateur.objects.create(
                    courriel=compte.courriel, nom=compte.fonction, password=mot_de_passe
                )
            for role in compte.roles:
                Rattachement.objects.get_or_create(
                    utilisateur=personne,
                    organisation=organisations[compte.organisation],
                    role=role,
                    fin=None,
                    defaults={"debut": DEPUIS},
                )
            gens.append(personne)
    return gens
