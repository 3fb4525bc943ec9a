"""The acts of the demonstration.

Each bailleur × département has the État (model PACA, model Côtes-d'Armor, or the law alone), ALS but for one
bailleur, and the collectivités of the story; with avenants, one dérogation, one arrêté, one draft.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl
from django.db import transaction

from reservation.acteur import Acteur, TypeOrganisation
from reservation.demonstration import BAILLEURS, ORGANISATIONS
from reservation.models import (
    Convention,
    Departement,
    EvenementConvention,
    Organisation,
    Presence,
    VersionConvention,
)
from reservation.regles import actes as regles
from reservation.regles.typographie import date_fr
from reservation.services import conventions as services
from reservation.services.modeles_convention import modeles

from .scenario import COTES_D_ARMOR, DROITS, PACA, PRESENCES, SANS_ALS, TAUX_ALS

Modele = Convention.Modele
ACTEUR = Acteur.du_systeme("données de démonstration")
CLAUSE_QUART = "Article 6 de la convention (démonstration)"
DELAI_PROPOSITION = 30  # days, for those who propose their candidates themselves
NOMMES = frozenset(b.cle for b in BAILLEURS)
PAR_ARRETE = ("temoin", "2B")


@dataclass(frozen=True)
class ActeFictif:
    """A signed act to load. `parametres`: what differs from the model; `communes`: of the département, if any."""

    bailleur: Organisation
    reservataire: Organisation
    departement: str
    debut: date
    fin: date
    modele: str
    parametres: Mapping[str, object]
    nature: str = Convention.Nature.CONVENTION

    @property
    def signee_le(self) -> date:
        """In December before an act that begins with the year."""
        return date(self.debut.year - 1, 12, 12)


def signer_les_actes(
    organisations: Mapping[str, Organisation], paires: Iterable[tuple[str, str]], annees: Collection[int]
) -> int:
    """Load the acts of the pairs (`cle` of the bailleur, département) that have none; return how many.

    `organisations`: by `cle`, the DDETS and ALS among them. Acts cover `annees`. Plain signed acts are loaded in
    bulk, with the history that their signature would have left; what happens to them afterwards (avenants,
    dérogation, drafts) goes through the services, which check it beside the rest.
    """
    deja = set(Convention.objects.values_list("bailleur_id", "departement_id").distinct())
    nouvelles = [(cle, code) for cle, code in paires if (organisations[cle].pk, code) not in deja]
    actes = [acte for cle, code in nouvelles for acte in actes_de(cle, code, organisations, annees)]
    with transaction.atomic():
        Presence.objects.bulk_create(
            (Presence(bailleur=organisations[cle], departement_id=code) for cle, code in nouvelles),
            ignore_conflicts=True,
        )
        _charger(actes)
        for cle, code in nouvelles:
            for suite in SUITES.get((cle, code), ()):
                suite(organisations[cle], code)
    return len(actes)


def actes_de(
    cle: str, code: str, organisations: Mapping[str, Organisation], annees: Collection[int]
) -> Iterable[ActeFictif]:
    """The acts of one bailleur in one département.

    The État: before 2025 the law alone in PACA, then its framework; the model of the Côtes-d'Armor from 2024; an
    arrêté on the parc of one bailleur (R. 441-5-2, IV). ALS but with one bailleur. The collectivités of the story.
    """
    bailleur, etat, als = (organisations[c] for c in (cle, f"ddets-{code.lower()}", "als"))
    departementale = {"echelle": "DEPARTEMENT", "gestion": "DELEGUEE", "echec_consomme": False}
    taux_als = {
        "taux": Decimal(TAUX_ALS),
        "clause_quart": CLAUSE_QUART,
        "delai_proposition": DELAI_PROPOSITION,
    }
    if code in PACA:
        periodes = [(date(2025, 1, 1), date(2027, 12, 31), Modele.PACA)]
        if min(annees) < 2025:
            periodes.insert(0, (date(2022, 1, 1), date(2024, 12, 31), Modele.LIBRE))
    elif code == COTES_D_ARMOR:
        periodes = [(date(2024, 1, 1), date(2026, 12, 31), Modele.COTES_D_ARMOR)]
    else:
        periodes = [(date(2024, 1, 1), date(2026, 12, 31), Modele.LIBRE)]
    nature = Convention.Nature.ARRETE if (cle, code) == PAR_ARRETE else Convention.Nature.CONVENTION
    for debut, fin, modele in periodes:
        parametres = departementale if modele == Modele.LIBRE else {}
        yield ActeFictif(bailleur, etat, code, debut, fin, modele, parametres, nature)
        if cle not in SANS_ALS:
            yield ActeFictif(bailleur, als, code, debut, fin, modele, taux_als)
    for droit in DROITS.get(code, ()):
        if cle in NOMMES and (not droit.bailleurs or cle in droit.bailleurs):
            yield ActeFictif(
                bailleur,
                organisations[droit.reservataire],
                code,
                date(2024, 1, 1),
                date(2026, 12, 31),
                Modele.LIBRE,
                {
                    "taux": Decimal(droit.taux),
                    "clause_quart": CLAUSE_QUART,
                    "delai_proposition": DELAI_PROPOSITION,
                },
            )


def _charger(actes: Collection[ActeFictif]) -> None:
    """Conventions, their first versions, the communes they bear on, their history: four statements."""
    conventions = [
        Convention(
            bailleur=acte.bailleur,
            reservataire=acte.reservataire,
            departement_id=acte.departement,
            nature=acte.nature,
            modele=acte.modele,
            numero=f"DEMO-{acte.departement}-{acte.debut.year}-{rang:04d}",
            debut=acte.debut,
            fin=acte.fin,
            etat=Convention.Etat.SIGNEE,
            signee_le=acte.signee_le,
            signataires=f"Direction générale, {acte.bailleur.nom}\n{_signataire(acte.reservataire)}",
        )
        for rang, acte in enumerate(actes, 1)
    ]
    Convention.objects.bulk_create(conventions)
    versions = [
        VersionConvention(
            convention=convention,
            bailleur=acte.bailleur,
            reservataire=acte.reservataire,
            departement_id=acte.departement,
            effet=acte.debut,
            signee_le=acte.signee_le,
            **{
                champ: parametre.valeur
                for champ, parametre in modeles()[acte.modele].parametres(acte.reservataire.type).items()
                if parametre.valeur is not None
            }
            | dict(acte.parametres),
        )
        for acte, convention in zip(actes, conventions, strict=True)
    ]
    VersionConvention.objects.bulk_create(versions)
    territoires = defaultdict(list)
    for organisation, commune, departement in Organisation.communes.through.objects.filter(
        organisation__in={acte.reservataire.pk for acte in actes}
    ).values_list("organisation_id", "commune_id", "commune__departement_id"):
        territoires[organisation, departement].append(commune)
    lien = VersionConvention.communes.through
    lien.objects.bulk_create(
        lien(versionconvention_id=version.pk, commune_id=commune)
        for acte, version in zip(actes, versions, strict=True)
        for commune in territoires[acte.reservataire.pk, acte.departement]
    )
    evenements = EvenementConvention.Nature
    EvenementConvention.objects.bulk_create(
        EvenementConvention(
            convention=convention,
            bailleur=convention.bailleur,
            departement_id=convention.departement_id,
            nature=nature,
            detail=detail,
        )
        for convention in conventions
        for nature, detail in (
            (evenements.CREATION, convention.get_modele_display()),
            (evenements.SIGNATURE, f"Signature du {date_fr(convention.signee_le)}"),
        )
    )


def _signataire(reservataire: Organisation) -> str:
    match reservataire.type:
        case TypeOrganisation.DDETS:
            return f"Préfet du département, par délégation {reservataire.nom}"
        case TypeOrganisation.ACTION_LOGEMENT:
            return f"Direction régionale, {reservataire.nom}"
        case TypeOrganisation.COLLECTIVITE:
            return f"Exécutif de la collectivité, {reservataire.nom}"
        case _:
            return f"Direction, {reservataire.nom}"


# --- What happens to them afterwards -----------------------------------------------------------------------------


def _amender(
    reservataire: str, effet: date, objet: str, signer: bool = True, **champs: object
) -> Callable[[Organisation, str], None]:
    """An avenant to the act in force with `reservataire` (its name); left in preparation unless `signer`."""

    def suite(bailleur: Organisation, departement: str) -> None:
        avenant = services.ajouter_avenant(
            ACTEUR,
            _acte_en_vigueur(bailleur, departement, reservataire, effet),
            effet=effet,
            objet=objet,
            **champs,
        )
        if signer:
            signee_le = min(effet, date(effet.year - 1, 12, 18))
            services.signer_avenant(ACTEUR, avenant, signee_le=signee_le, confirmer=True)

    return suite


def _acte_en_vigueur(bailleur: Organisation, departement: str, cle: str, jour: date) -> Convention:
    nom = next(o.nom for o in ORGANISATIONS if o.cle == cle)
    return Convention.objects.get(
        bailleur=bailleur, departement=departement, reservataire__nom=nom, debut__lte=jour, fin__gte=jour
    )


def _deroger(bailleur: Organisation, departement: str) -> None:
    """The préfet takes 33 points for ten months (R. 441-5-2)."""
    services.deroger(
        ACTEUR,
        _acte_en_vigueur(bailleur, departement, f"ddets-{departement.lower()}", date(2026, 3, 1)),
        numero=f"DEMO-{departement}-2026-D1",
        taux=Decimal("33"),
        debut=date(2026, 3, 1),
        fin=date(2026, 12, 31),
        motif="Logement de personnels chargés d’une mission de sécurité publique",
    )


def _renouveler(bailleur: Organisation, departement: str) -> None:
    """The convention of 2027-2029, drafted and not signed."""
    services.creer_convention(
        ACTEUR,
        bailleur=bailleur,
        reservataire=Organisation.objects.get(type=TypeOrganisation.DDETS, departement=departement),
        departement=Departement.objects.get(pk=departement),
        numero=f"DEMO-{departement}-2027-PROJET",
        debut=date(2027, 1, 1),
        fin=date(2029, 12, 31),
        modele=Modele.COTES_D_ARMOR,
    )


SUITES: dict[tuple[str, str], tuple[Callable[[Organisation, str], None], ...]] = {
    ("azur", "06"): (
        _amender(
            "cannes",
            date(2026, 1, 1),
            "Garantie d’emprunt d’un programme neuf à Cannes",
            taux=Decimal("12"),
        ),
        _deroger,
        _amender(
            "als", date(2027, 1, 1), "Part d’Action Logement portée à 21 points", False, taux=Decimal("21")
        ),
    ),
    ("littoral", "06"): (
        _amender(
            "ddets-06",
            date(2026, 1, 1),
            "Gestion directe des prioritaires à partir de 2026",
            gestion="DIRECTE",
            echec_consomme=True,
            delai_proposition=15,
        ),
    ),
    # Each rate bears on its own days of 2025.
    ("ventoux", "84"): (
        _amender(
            "als",
            date(2025, 7, 1),
            "Part d’Action Logement portée à 22 points au second semestre 2025",
            taux=Decimal("22"),
        ),
    ),
    ("armor", COTES_D_ARMOR): (_renouveler,),
}


def paires_nommees(departements: Collection[str]) -> list[tuple[str, str]]:
    """(`cle` of the bailleur, département) of the story."""
    return [(cle, code) for code in departements for cle, _, _ in PRESENCES.get(code, ())]


def lire_droits(annees: Iterable[int], organisations: Collection[Organisation]) -> pl.DataFrame:
    """Rates in force in the middle of each year, as `attributions.Monde.droits` wants them."""
    etat = {o.departement_id: o.pk for o in organisations if o.type == TypeOrganisation.DDETS}
    als = next(o.pk for o in organisations if o.type == TypeOrganisation.ACTION_LOGEMENT)
    codes = {o.code: o.pk for o in organisations if o.code}
    lignes = []
    for annee in annees:
        jour = date(annee, 7, 1)
        for (bailleur, departement), actes in services.actes_par_paire(annee).items():
            for acte in actes:
                for droit in regles.droits(acte, jour):
                    nature = droit.reservataire.nature
                    if nature == regles.Nature.ETAT:
                        reservataire = etat[departement]
                    elif nature == regles.Nature.ALS:
                        reservataire = als
                    else:
                        reservataire = codes[droit.reservataire.code]
                    commun = (bailleur, departement, annee, reservataire, nature.value, float(droit.points))
                    lignes += [
                        (*commun, regles.RANGS[nature], commune)
                        for commune in (sorted(droit.communes) if droit.communes else (None,))
                    ]
    return pl.DataFrame(
        lignes,
        schema={
            "bailleur_id": pl.Int64,
            "departement_id": pl.String,
            "annee": pl.Int32,
            "reservataire_id": pl.Int64,
            "nature": pl.String,
            "points": pl.Float64,
            "rang": pl.Int32,
            "commune_id": pl.String,
        },
        orient="row",
    )
