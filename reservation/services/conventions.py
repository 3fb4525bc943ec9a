"""The life of an act: drafted from a model, signed, amended, derogated from, terminated (chapters 3 to 6 and 13).

The rules (`reservation.regles`) say what is valid; this module reads the acts for them, in a constant number of
queries, and is the only one to write conventions. Acts of one (bailleur, département) are written one at a time:
the lock is on its `Presence`, so that two signatures cannot both pass the test of the 100 points.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from reservation import contexte, signaux
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import (
    Commune,
    Convention,
    Departement,
    Derogation,
    EvenementConvention,
    Organisation,
    Presence,
    VersionConvention,
)
from reservation.models.base import cle_de_tri
from reservation.regles import actes as regles
from reservation.regles.periodes import Periode, annee_civile
from reservation.regles.statut import DRAPEAUX_LOCAUX, Exclusions
from reservation.regles.typographie import date_fr, enumerer, typographier
from reservation.regles.validite import (
    Anomalie,
    avertir_garanties,
    verifier_acte,
    verifier_actes,
    verifier_taux_net,
)

from .assistances import exiger_hors_assistance
from .modeles_convention import champs_de, modeles

Paire = tuple[int, str]
Evenement = EvenementConvention.Nature

UN_JOUR = timedelta(days=1)
DUREE_D_USAGE = 3  # years (domain, chapter 10)
RESERVATAIRES = (
    TypeOrganisation.DDETS,
    TypeOrganisation.ACTION_LOGEMENT,
    TypeOrganisation.COLLECTIVITE,
    TypeOrganisation.AUTRE_RESERVATAIRE,
)


class AvertissementsNonConfirmes(ValidationError):
    """The act is valid but odd: somebody must say that it is meant. `avertissements`: what to confirm."""

    def __init__(self, avertissements: Collection[Anomalie]) -> None:
        self.avertissements = tuple(avertissements)
        super().__init__(en_phrases(self.avertissements))


@dataclass(frozen=True, slots=True)
class Verification:
    """What the rules say of an act beside the others: `erreurs` forbid its signature, `avertissements` ask."""

    erreurs: tuple[Anomalie, ...] = ()
    avertissements: tuple[Anomalie, ...] = ()


class ActeLu(NamedTuple):
    """An act of the rules and the rows that it comes from."""

    convention_id: int
    version_id: int
    acte: regles.Acte


# --- From rows to the acts of the rules ----------------------------------------------------------------------------


def reservataire_de(type_organisation: str, code: str) -> regles.Reservataire:
    """Holder of rights, in the rules' words, that an organisation is."""
    match type_organisation:
        case TypeOrganisation.DDETS:
            return regles.ETAT
        case TypeOrganisation.ACTION_LOGEMENT:
            return regles.ALS
        case TypeOrganisation.COLLECTIVITE:
            return regles.reservataire(regles.Nature.COLLECTIVITE, code)
        case _:
            return regles.reservataire(regles.Nature.AUTRE, code)


def actes_par_paire(
    annee: int, paires: Iterable[Paire] | None = None, departements: Iterable[str] | None = None
) -> dict[Paire, list[regles.Acte]]:
    """Signed or terminated acts that overlap a civil year, for the rules: {(bailleur id, département): acts}.

    One act per version in force, cut at the date of the next version, with its dérogations. Everything when
    neither `paires` nor `departements` is given; three queries whatever is asked.
    """
    lus = lire_actes(annee_civile(annee), paires, departements)
    return {paire: [lu.acte for lu in liste] for paire, liste in lus.items()}


def lire_actes(
    periode: Periode,
    paires: Iterable[Paire] | None = None,
    departements: Iterable[str] | None = None,
    projet: int | None = None,
) -> dict[Paire, list[ActeLu]]:
    """Acts that overlap `periode`, with their rows, ordered by réservataire then date.

    `projet`: version that is read as if it were signed, to know what it would be worth beside the others.
    """
    versions = VersionConvention.objects.filter(
        Q(signee_le__isnull=False) & ~Q(convention__etat=Convention.Etat.BROUILLON) | Q(pk=projet),
        convention__debut__lte=periode.fin,
        convention__fin__gte=periode.debut,
    )
    voulues = None if paires is None else set(paires)
    if voulues is not None:
        versions = versions.filter(
            bailleur__in={bailleur for bailleur, _ in voulues},
            departement__in={departement for _, departement in voulues},
        )
    if departements is not None:
        versions = versions.filter(departement__in=list(departements))

    communes = defaultdict(set)
    liens = VersionConvention.communes.through.objects.filter(versionconvention__in=versions.values("pk"))
    for version, commune in liens.values_list("versionconvention_id", "commune_id"):
        communes[version].add(commune)
    derogations = defaultdict(list)
    for derogation in Derogation.objects.filter(convention__in=versions.values("convention")).order_by(
        "debut"
    ):
        derogations[derogation.convention_id].append(
            regles.Derogation(Fraction(derogation.taux), derogation.debut, derogation.fin)
        )

    lues = versions.order_by("convention", "effet").values_list(*_COLONNES, named=True)
    par_convention = defaultdict(list)
    for ligne in lues:
        if voulues is None or (ligne.bailleur_id, ligne.departement_id) in voulues:
            par_convention[ligne.convention_id].append(ligne)

    resultat = defaultdict(list)
    for convention, lignes in par_convention.items():
        for rang, ligne in enumerate(lignes):
            debut = max(ligne.effet, ligne.convention__debut)
            fin = ligne.convention__fin
            if rang + 1 < len(lignes):
                fin = min(fin, lignes[rang + 1].effet - UN_JOUR)
            if debut > fin or Periode(debut, fin).commune_avec(periode) is None:
                continue
            acte = _acte(
                ligne, debut, fin, frozenset(communes[ligne.id]) or None, tuple(derogations[convention])
            )
            resultat[ligne.bailleur_id, ligne.departement_id].append(ActeLu(convention, ligne.id, acte))
    for liste in resultat.values():
        liste.sort(key=lambda lu: (lu.acte.reservataire.rang, lu.acte.debut))
    return dict(resultat)


_COLONNES = (
    "id",
    "convention_id",
    "bailleur_id",
    "departement_id",
    "convention__numero",
    "convention__nature",
    "convention__debut",
    "convention__fin",
    "rang",
    "effet",
    "reservataire__type",
    "reservataire__code",
    "taux",
    "taux_agents",
    "retrocession_taux",
    "retrocession_debut",
    "retrocession_fin",
    "retrocession_prise_sur",
    "soustractions",
    "exclut_pli",
    "exclut_residences_services",
    "exclut_vente_demolition",
    "exclusions_locales",
    "premieres_mises_en_location",
    "fait_generateur",
    "plancher_hors_qpv",
    "echec_consomme",
)


def _acte(
    ligne, debut: date, fin: date, communes: frozenset[str] | None, derogations: tuple[regles.Derogation, ...]
) -> regles.Acte:
    reservataire = reservataire_de(ligne.reservataire__type, ligne.reservataire__code)
    commun = {
        "reservataire": reservataire,
        "debut": debut,
        "fin": fin,
        "taux": Fraction(ligne.taux),
        "echec_consomme": ligne.echec_consomme,
        "communes": communes,
        "libelle": nom_de_version(ligne.convention__nature, ligne.convention__numero, ligne.rang),
    }
    if reservataire != regles.ETAT:
        return regles.Acte(**commun)
    retrocession = None
    if ligne.retrocession_taux is not None:
        retrocession = regles.Retrocession(
            Fraction(ligne.retrocession_taux),
            ligne.retrocession_debut,
            ligne.retrocession_fin,
            regles.PriseSur(ligne.retrocession_prise_sur),
        )
    return regles.Acte(
        **commun,
        taux_agents=Fraction(ligne.taux_agents),
        retrocession=retrocession,
        derogations=derogations,
        regime=_regime(
            frozenset(ligne.soustractions),
            ligne.exclut_pli,
            ligne.exclut_residences_services,
            ligne.exclut_vente_demolition,
            frozenset(ligne.exclusions_locales),
            ligne.premieres_mises_en_location,
            ligne.fait_generateur,
            ligne.plancher_hors_qpv,
        ),
    )


@lru_cache(maxsize=1024)
def _regime(
    soustractions: frozenset[str],
    pli: bool,
    residences_services: bool,
    vente_demolition: bool,
    locales: frozenset[str],
    premieres: bool,
    fait_generateur: str,
    plancher: Decimal | None,
) -> regles.Regime:
    """One object per régime that exists: a country of conventions has a handful of them."""
    return regles.Regime(
        soustractions=soustractions,
        exclusions=Exclusions(pli, residences_services, vente_demolition, locales),
        premieres_mises_en_location=premieres,
        fait_generateur=regles.FaitGenerateur(fait_generateur),
        plancher_hors_qpv=None if plancher is None else Fraction(plancher),
    )


def nom_de_version(nature: str, numero: str, rang: int) -> str:
    """Name of an act in messages: "convention 2025-06-A", "arrêté 12, avenant 2"."""
    nom = f"{'arrêté' if nature == Convention.Nature.ARRETE else 'convention'} {numero}"
    return f"{nom}, avenant {rang}" if rang else nom


# --- What the rules say of an act ------------------------------------------------------------------------------------


def en_phrase(anomalie: Anomalie) -> str:
    """An anomaly as a sentence for a person: what is wrong, then what was expected."""
    message = anomalie.message[:1].upper() + anomalie.message[1:]
    return typographier(f"{message}. Attendu : {anomalie.attendu}.")


def en_phrases(anomalies: Collection[Anomalie]) -> list[str]:
    """Anomalies as sentences, with the names of the communes that the rules know by their codes."""
    codes = {code for a in anomalies for code in a.donnees.get("communes", ())}
    phrases = [en_phrase(a) for a in anomalies]
    if not codes:
        return phrases
    noms = dict(Commune.objects.filter(pk__in=codes).values_list("pk", "nom"))
    # A code inside the number of an act ("2025-06029-A") is not a commune.
    motif = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, sorted(noms)))})(?![\w-])")
    return [motif.sub(lambda trouve: f"{noms[trouve[0]]} ({trouve[0]})", phrase) for phrase in phrases]


def verifier(version: VersionConvention, periode: Periode | None = None) -> Verification:
    """Check `version` as if it were signed, beside the acts that live with it.

    Over `periode`; by default from its effect to the end of its convention.
    """
    convention = version.convention
    periode = periode or Periode(max(version.effet, convention.debut), convention.fin)
    paire = (convention.bailleur_id, convention.departement_id)
    lus = lire_actes(periode, [paire], projet=version.pk).get(paire, [])
    tous = [lu.acte for lu in lus]
    siens = {rang for rang, lu in enumerate(lus) if lu.convention_id == convention.pk}

    def concernent(anomalies: Iterable[Anomalie]) -> tuple[Anomalie, ...]:
        return tuple(a for a in anomalies if siens & set(a.rangs))

    erreurs = concernent(verifier_actes(tous, periode))
    if erreurs:
        return Verification(erreurs)
    return Verification((), concernent(avertir_garanties(tous, periode)) + tuple(_usages(version)))


def _usages(version: VersionConvention) -> Iterable[Anomalie]:
    """What is allowed and yet unusual in the act by itself."""
    convention = version.convention
    if version.rang == 0 and convention.fin >= _trois_ans_apres(convention.debut):
        yield Anomalie(
            "DUREE_INHABITUELLE",
            f"l’acte court du {date_fr(convention.debut)} au {date_fr(convention.fin)}",
            "trois ans, d’usage",
            (0,),
            "fin",
        )
    if not version.clause_quart and version.reservataire.type in (
        TypeOrganisation.ACTION_LOGEMENT,
        TypeOrganisation.COLLECTIVITE,
    ):
        yield Anomalie(
            "CLAUSE_DES_25_ABSENTE",
            "l’acte ne dit pas où est écrite la clause des 25 %",
            "l’article ou l’annexe qui la porte (L. 441-1 ; Côtes-d’Armor, art. 7.2)",
            (0,),
            "clause_quart",
        )
    if not version.soustractions and version.reservataire.type == TypeOrganisation.DDETS:
        yield Anomalie(
            "AUCUNE_SOUSTRACTION",
            "l’acte ne soustrait rien du flux",
            "les soustractions de l’article R. 441-5, I",
            (0,),
            "soustractions",
        )


def _trois_ans_apres(debut: date) -> date:
    """First day that three years from `debut` do not cover; 29 February counts as 1 March."""
    annee = debut.year + DUREE_D_USAGE
    return date(annee, 3, 1) if (debut.month, debut.day) == (2, 29) else debut.replace(year=annee)


# --- Writing -----------------------------------------------------------------------------------------------------------


def exiger_droit(
    acteur: Acteur, bailleur: Organisation, reservataire: Organisation, departement: Departement
) -> None:
    """Who may make an act between these parties (chapter 2); the same right as `modifiables_par`, on no row yet."""
    if acteur.systeme:
        return
    if acteur.est_ddets and acteur.peut_gerer and departement.pk in acteur.departements:
        return
    sien = acteur.est_bailleur and acteur.peut_gerer and bailleur.pk == acteur.organisation_id
    if sien and reservataire.type != TypeOrganisation.DDETS:
        return
    raise PermissionDenied("Vous ne pouvez pas écrire cet acte.")


def reservataires_possibles(acteur: Acteur, departement: Departement):
    """Organisations that may reserve in the département, those of the acts that `acteur` may write."""
    filtre = (
        Q(type=TypeOrganisation.ACTION_LOGEMENT)
        | Q(type=TypeOrganisation.COLLECTIVITE, communes__departement=departement)
        | Q(type=TypeOrganisation.COLLECTIVITE, departement=departement)
        | Q(type=TypeOrganisation.AUTRE_RESERVATAIRE) & (Q(departement=departement) | Q(departement=None))
    )
    if not acteur.est_bailleur:
        filtre |= Q(type=TypeOrganisation.DDETS, departement=departement)
    return Organisation.objects.filter(filtre).distinct().order_by("nom_tri", "pk")


@transaction.atomic
def creer_convention(
    acteur: Acteur,
    *,
    bailleur: Organisation,
    reservataire: Organisation,
    departement: Departement,
    numero: str,
    debut: date,
    fin: date,
    modele: str = Convention.Modele.LIBRE,
    nature: str = Convention.Nature.CONVENTION,
) -> Convention:
    """Draft an act from a model: its first version has the values of the model, its territory the communes of the
    réservataire in the département. Gives no right until it is signed."""
    exiger_droit(acteur, bailleur, reservataire, departement)
    _verifier_parties(bailleur, reservataire, departement, nature)
    convention = Convention(
        bailleur=bailleur,
        reservataire=reservataire,
        departement=departement,
        nature=nature,
        modele=modele,
        numero=numero,
        debut=debut,
        fin=fin,
        cree_par_id=acteur.utilisateur_id,
    )
    _enregistrer(convention)
    valeurs = {
        champ: parametre.valeur
        for champ, parametre in modeles()[modele].parametres(reservataire.type).items()
        if parametre.valeur is not None
    }
    version = VersionConvention(
        convention=convention,
        bailleur=bailleur,
        reservataire=reservataire,
        departement=departement,
        effet=debut,
        cree_par_id=acteur.utilisateur_id,
        **{"taux": Decimal(0), **valeurs},
    )
    _enregistrer(version)
    _fixer_le_territoire(version, communes_possibles(convention))
    _noter(acteur, convention, Evenement.CREATION, convention.get_modele_display())
    return convention


def communes_possibles(convention: Convention):
    """Communes of the réservataire in the département: those that its rights may bear on; none = all of it."""
    if convention.reservataire.type != TypeOrganisation.COLLECTIVITE:
        return Commune.objects.none()
    return convention.reservataire.communes.filter(departement=convention.departement_id)


@transaction.atomic
def modifier_convention(acteur: Acteur, convention: Convention, **champs: Any) -> Convention:
    """Change the number, the period or the signatories of a draft; its first version follows its beginning."""
    convention = _verrouiller(acteur, convention)
    _exiger_brouillon(convention)
    _affecter(convention, champs, {"numero", "debut", "fin", "signataires"})
    _enregistrer(convention)
    convention.versions.filter(rang=0).update(effet=convention.debut)
    return convention


@transaction.atomic
def modifier_version(
    acteur: Acteur, version: VersionConvention, *, communes: Iterable[Commune] | None = None, **champs: Any
) -> VersionConvention:
    """Change parameters of a version that is not signed yet (draft, or avenant being prepared)."""
    convention = _verrouiller(acteur, version.convention)
    version = convention.versions.select_related("reservataire").get(pk=version.pk)
    if version.signee_le:
        raise ValidationError("Cette version est signée : seul un avenant peut la modifier.")
    permis = {*champs_de(version.reservataire.type)}
    if version.rang:
        permis |= {"effet", "objet"}
    _affecter(version, champs, permis)
    _verifier_version(convention, version)
    _enregistrer(version)
    if communes is not None:
        _affecter_communes(convention, version, communes)
    return version


@transaction.atomic
def supprimer_brouillon(acteur: Acteur, convention: Convention) -> None:
    """Throw away a draft: it never gave any right, nothing refers to it."""
    convention = _verrouiller(acteur, convention)
    _exiger_brouillon(convention)
    convention.delete()


@transaction.atomic
def signer_convention(
    acteur: Acteur, convention: Convention, *, signee_le: date, signataires: str = "", confirmer: bool = False
) -> Convention:
    """Record the signature: from now on the act gives rights over its period.

    Refused when the rules refuse it beside the other acts (overlap, ceilings, sum over 100 points, with the names
    of the acts); odd cases must be confirmed, and who did is kept.
    """
    exiger_hors_assistance(acteur)
    convention = _verrouiller(acteur, convention)
    _exiger_brouillon(convention)
    _verifier_date_de_signature(signee_le)
    if (
        convention.nature == Convention.Nature.CONVENTION
        and not (signataires or convention.signataires).strip()
    ):
        raise ValidationError(
            {"signataires": "Indiquez qui a signé, une fonction et un organisme par ligne."}
        )
    version = convention.versions.select_related("reservataire").get(rang=0)
    version.convention = convention
    _verifier_version(convention, version)
    if version.taux == 0:
        raise ValidationError({"taux": "Le taux est à fixer avant la signature."})
    confirmes = _passer_les_regles(version, confirmer)
    convention.etat = Convention.Etat.SIGNEE
    convention.signee_le = version.signee_le = signee_le
    convention.signataires = signataires or convention.signataires
    _enregistrer(convention)
    _enregistrer(version)
    _noter(acteur, convention, Evenement.SIGNATURE, f"Signature du {date_fr(signee_le)}", confirmes)
    _annoncer(convention, convention.debut, f"signature de l’acte {convention.numero}")
    return convention


@transaction.atomic
def ajouter_avenant(
    acteur: Acteur,
    convention: Convention,
    *,
    effet: date,
    objet: str,
    communes: Iterable[Commune] | None = None,
    **champs: Any,
) -> VersionConvention:
    """Prepare an avenant: a copy of the last version with `champs` changed, in force from `effet` once signed."""
    convention = _verrouiller(acteur, convention)
    if convention.etat != Convention.Etat.SIGNEE:
        raise ValidationError("Seul un acte signé peut recevoir un avenant.")
    if convention.nature == Convention.Nature.ARRETE:
        raise ValidationError("Un arrêté se remplace par un autre arrêté, non par un avenant.")
    derniere = convention.versions.select_related("reservataire").order_by("-rang").first()
    if not derniere.signee_le:
        raise ValidationError("Un avenant est déjà en préparation : signez-le ou abandonnez-le d’abord.")
    anciennes = list(derniere.communes.all())
    avenant = VersionConvention(
        **{
            f.attname: getattr(derniere, f.attname)
            for f in VersionConvention._meta.concrete_fields
            if f.name not in {"id", "rang", "effet", "objet", "signee_le", "cree_par", "cree_le"}
        },
        rang=derniere.rang + 1,
        cree_par_id=acteur.utilisateur_id,
    )
    _affecter(
        avenant,
        {"effet": effet, "objet": objet, **champs},
        {*champs_de(convention.reservataire.type), "effet", "objet"},
    )
    _verifier_version(convention, avenant)
    _enregistrer(avenant)
    _affecter_communes(convention, avenant, anciennes if communes is None else communes)
    _noter(acteur, convention, Evenement.AVENANT, f"Avenant {avenant.rang} : {objet}")
    return avenant


@transaction.atomic
def signer_avenant(
    acteur: Acteur, avenant: VersionConvention, *, signee_le: date, confirmer: bool = False
) -> VersionConvention:
    """Record the signature of the avenant being prepared; same tests as for a convention."""
    exiger_hors_assistance(acteur)
    convention = _verrouiller(acteur, avenant.convention)
    avenant = convention.versions.select_related("reservataire").get(pk=avenant.pk)
    avenant.convention = convention
    if avenant.signee_le or not avenant.rang:
        raise ValidationError("Aucun avenant à signer.")
    if convention.etat != Convention.Etat.SIGNEE:
        raise ValidationError("L’acte n’est plus en vigueur : son avenant ne peut pas être signé.")
    _verifier_date_de_signature(signee_le)
    _verifier_version(convention, avenant)
    confirmes = _passer_les_regles(avenant, confirmer)
    avenant.signee_le = signee_le
    _enregistrer(avenant)
    detail = f"Avenant {avenant.rang}, signature du {date_fr(signee_le)}"
    _noter(acteur, convention, Evenement.SIGNATURE_AVENANT, detail, confirmes)
    _annoncer(convention, avenant.effet, f"avenant {avenant.rang} à l’acte {convention.numero}")
    return avenant


@transaction.atomic
def abandonner_avenant(acteur: Acteur, avenant: VersionConvention) -> None:
    """Drop the avenant being prepared."""
    convention = _verrouiller(acteur, avenant.convention)
    avenant = convention.versions.get(pk=avenant.pk)
    if avenant.signee_le or not avenant.rang:
        raise ValidationError("Aucun avenant à abandonner.")
    avenant.delete()
    _noter(acteur, convention, Evenement.ABANDON_AVENANT, f"Avenant {avenant.rang} : {avenant.objet}")


@transaction.atomic
def deroger(
    acteur: Acteur, convention: Convention, *, numero: str, taux: Decimal, debut: date, fin: date, motif: str
) -> Derogation:
    """Record an arrêté de dérogation: another rate for the État, one year at most (R. 441-5-2)."""
    exiger_hors_assistance(acteur)
    convention = _verrouiller(acteur, convention)
    if not acteur.systeme and not acteur.est_ddets:
        raise PermissionDenied("Une dérogation est un acte de l’État.")
    if convention.reservataire.type != TypeOrganisation.DDETS:
        raise ValidationError("Une dérogation porte sur l’acte de l’État, et sur lui seul.")
    if convention.etat == Convention.Etat.BROUILLON:
        raise ValidationError("Signez l’acte avant d’y déroger.")
    version = (
        convention.versions.filter(signee_le__isnull=False).select_related("reservataire").latest("rang")
    )
    version.convention = convention
    arrete = regles.Derogation(Fraction(taux), debut, fin)
    seul = regles.Acte(regles.ETAT, convention.debut, convention.fin, Fraction(0), derogations=(arrete,))
    if erreurs := verifier_acte(seul):
        raise _invalide(erreurs, {"debut": "debut", "fin": "fin"})
    if debut < convention.debut or fin > convention.fin:
        raise ValidationError(
            {
                "debut" if debut < convention.debut else "fin": typographier(
                    f"La dérogation tient dans la période de l’acte : du {date_fr(convention.debut)} au "
                    f"{date_fr(convention.fin)}."
                )
            }
        )
    contexte.motiver(motif)
    derogation = Derogation(
        convention=convention,
        bailleur_id=convention.bailleur_id,
        departement_id=convention.departement_id,
        numero=numero,
        taux=taux,
        debut=debut,
        fin=fin,
        motif=motif,
    )
    _enregistrer(derogation, "bailleur", "departement")
    if erreurs := verifier(version, arrete.periode).erreurs:
        raise _invalide(erreurs, {"taux": "taux"})
    detail = f"Arrêté {numero}, du {date_fr(debut)} au {date_fr(fin)}"
    _noter(acteur, convention, Evenement.DEROGATION, detail)
    _annoncer(convention, debut, f"dérogation {numero}")
    return derogation


@transaction.atomic
def retirer_derogation(acteur: Acteur, derogation: Derogation, *, motif: str) -> None:
    """Take back a dérogation recorded by mistake or withdrawn by the préfet; the history keeps it."""
    exiger_hors_assistance(acteur)
    convention = _verrouiller(acteur, derogation.convention)
    if not Derogation.objects.modifiables_par(acteur).filter(pk=derogation.pk).exists():
        raise PermissionDenied("Une dérogation est un acte de l’État.")
    if not motif.strip():
        raise ValidationError({"motif": "Le retrait d’une dérogation demande un motif."})
    detail = f"Arrêté {derogation.numero} : {motif}"
    contexte.motiver(motif)
    debut = derogation.debut
    derogation.delete()
    _noter(acteur, convention, Evenement.RETRAIT_DEROGATION, detail)
    _annoncer(convention, debut, f"retrait de la dérogation {derogation.numero}")


@transaction.atomic
def resilier_convention(
    acteur: Acteur, convention: Convention, *, resiliee_le: date, effet: date, motif: str
) -> Convention:
    """End a signed act before its term: `effet` is the first day without it (R. 441-5-2 IV; CA 8.1).

    The act keeps at least one day, and does not end before the decision: what it gave stays given.
    """
    exiger_hors_assistance(acteur)
    convention = _verrouiller(acteur, convention)
    if convention.etat != Convention.Etat.SIGNEE:
        raise ValidationError("Seul un acte signé peut être résilié.")
    if resiliee_le > timezone.localdate():
        raise ValidationError({"resiliee_le": "La date de la décision ne peut pas être dans l’avenir."})
    if effet < resiliee_le:
        raise ValidationError({"effet": "La résiliation ne peut pas prendre effet avant d’être décidée."})
    if not convention.debut < effet <= convention.fin:
        raise ValidationError(
            {
                "effet": (
                    f"La date d’effet est comprise entre le {date_fr(convention.debut + UN_JOUR)} et le "
                    f"{date_fr(convention.fin)}, dernier jour de l’acte."
                )
            }
        )
    if not motif.strip():
        raise ValidationError({"motif": "Le motif de la résiliation est obligatoire."})
    contexte.motiver(motif)
    convention.versions.filter(signee_le__isnull=True).delete()
    convention.etat = Convention.Etat.RESILIEE
    convention.resiliee_le = resiliee_le
    convention.motif_resiliation = motif
    convention.fin_convenue, convention.fin = convention.fin, effet - UN_JOUR
    _enregistrer(convention)
    _noter(acteur, convention, Evenement.RESILIATION, f"Effet au {date_fr(effet)} : {motif}"[:400])
    _annoncer(convention, effet, f"résiliation de l’acte {convention.numero}")
    return convention


# --- Inside the verbs ----------------------------------------------------------------------------------------------------


def _verrouiller(acteur: Acteur, convention: Convention) -> Convention:
    """The row as it is now, under the lock of its bailleur × département, if `acteur` may change it."""
    Presence.objects.get_or_create(
        bailleur_id=convention.bailleur_id, departement_id=convention.departement_id
    )
    Presence.objects.select_for_update().get(
        bailleur_id=convention.bailleur_id, departement_id=convention.departement_id
    )
    fraiche = (
        Convention.objects.modifiables_par(acteur)
        .select_related("bailleur", "reservataire", "departement")
        .filter(pk=convention.pk)
        .first()
    )
    if fraiche is None:
        raise PermissionDenied("Vous ne pouvez pas écrire cet acte.")
    return fraiche


def _exiger_brouillon(convention: Convention) -> None:
    if convention.etat != Convention.Etat.BROUILLON:
        raise ValidationError("Cet acte est signé : il se modifie par avenant.")


def _verifier_parties(
    bailleur: Organisation, reservataire: Organisation, departement: Departement, nature: str
) -> None:
    if bailleur.type != TypeOrganisation.BAILLEUR:
        raise ValidationError({"bailleur": "Cette organisation n’est pas un bailleur."})
    for champ, partie in (("bailleur", bailleur), ("reservataire", reservataire)):
        if partie.fermee_le:
            raise ValidationError({champ: f"{partie.nom} est fermée depuis le {date_fr(partie.fermee_le)}."})
    if reservataire.type not in RESERVATAIRES:
        raise ValidationError({"reservataire": "Cette organisation ne peut pas être réservataire."})
    if reservataire.type == TypeOrganisation.DDETS and reservataire.departement_id != departement.pk:
        raise ValidationError({"reservataire": "L’État réserve par la DDETS du département."})
    if reservataire.type == TypeOrganisation.COLLECTIVITE:
        toutes = reservataire.communes.exists()
        if toutes and not reservataire.communes.filter(departement=departement).exists():
            raise ValidationError(
                {"reservataire": "Cette collectivité n’a aucune commune dans le département."}
            )
    if nature == Convention.Nature.ARRETE and reservataire.type != TypeOrganisation.DDETS:
        raise ValidationError({"nature": "Un arrêté fixe les droits de l’État, et eux seuls."})


def _verifier_version(convention: Convention, version: VersionConvention) -> None:
    """What a version must be by itself, draft or not; beside the others, see `verifier`."""
    erreurs: dict[str, str] = {}
    if convention.reservataire.type == TypeOrganisation.DDETS:
        erreurs |= _erreurs_de_l_etat(convention, version)
    if version.rang:
        precedente = convention.versions.filter(rang__lt=version.rang).order_by("-rang").first()
        if not precedente.effet < version.effet <= convention.fin:
            erreurs["effet"] = (
                f"L’avenant prend effet après le {date_fr(precedente.effet)} (version précédente) et au plus tard "
                f"le {date_fr(convention.fin)} (fin de l’acte)."
            )
        if not version.objet.strip():
            erreurs["objet"] = "Dites en une phrase ce que l’avenant change."
    if erreurs:
        raise ValidationError({champ: typographier(message) for champ, message in erreurs.items()})


# Fields of a version, by the names that the rules give to them.
_CHAMPS_DES_REGLES = {
    "taux": "taux",
    "taux_agents": "taux_agents",
    "retrocession.fin": "retrocession_fin",
}


def _erreurs_de_l_etat(convention: Convention, version: VersionConvention) -> dict[str, str]:
    """Ceilings and net rate of the État's act (the rules'), and lists that hold only known codes."""
    erreurs = {}
    retrocession = None
    champs = ("retrocession_taux", "retrocession_debut", "retrocession_fin")
    manquants = [champ for champ in champs if getattr(version, champ) is None]
    if not manquants:
        retrocession = regles.Retrocession(
            Fraction(version.retrocession_taux), version.retrocession_debut, version.retrocession_fin
        )
    elif len(manquants) < len(champs):
        erreurs = dict.fromkeys(manquants, "Une rétrocession a un taux, un début et une fin.")
    acte = regles.Acte(
        regles.ETAT,
        convention.debut,
        convention.fin,
        Fraction(version.taux),
        taux_agents=Fraction(version.taux_agents),
        retrocession=retrocession,
    )
    for anomalie in (*verifier_acte(acte), *verifier_taux_net([acte], acte.periode)):
        erreurs.setdefault(_CHAMPS_DES_REGLES.get(anomalie.champ, NON_FIELD_ERRORS), en_phrase(anomalie))
    if version.taux_agents > version.taux:
        erreurs.setdefault("taux_agents", "La part des agents est comprise dans celle de l’État.")
    if inconnues := set(version.exclusions_locales) - {str(code) for code in DRAPEAUX_LOCAUX}:
        erreurs["exclusions_locales"] = f"Exclusion inconnue : {enumerer(sorted(inconnues))}."
    return erreurs


def _affecter(
    objet: Convention | VersionConvention, champs: Mapping[str, Any], permis: Collection[str]
) -> None:
    """Set fields, none but those permitted: an act of a commune has no agents de l'État."""
    if interdits := sorted(set(champs) - set(permis)):
        raise ValidationError(f"Cet acte ne fixe pas : {enumerer(interdits)}.")
    for champ, valeur in champs.items():
        setattr(objet, champ, valeur)


def _affecter_communes(
    convention: Convention, version: VersionConvention, communes: Iterable[Commune]
) -> None:
    """Set the territory: communes of the réservataire in the département, at least one when it has some."""
    choisies = list(communes)
    possibles = {c.pk for c in communes_possibles(convention)}
    if hors := [c.nom for c in choisies if c.pk not in possibles]:
        raise ValidationError({"communes": f"Hors du territoire du réservataire : {enumerer(hors)}."})
    if possibles and not choisies:
        raise ValidationError({"communes": "Choisissez au moins une commune."})
    _fixer_le_territoire(version, choisies)


def _fixer_le_territoire(version: VersionConvention, communes: Iterable[Commune]) -> None:
    """The communes, and their names in the row itself, which the Historique reads."""
    communes = list(communes)
    version.communes.set(communes)
    noms = ", ".join(sorted((c.nom for c in communes), key=cle_de_tri))
    if noms != version.territoire:
        version.territoire = noms
        version.save(update_fields=["territoire"])


def _verifier_date_de_signature(signee_le: date) -> None:
    if signee_le > timezone.localdate():
        raise ValidationError({"signee_le": "La date de signature ne peut pas être dans l’avenir."})


def _passer_les_regles(version: VersionConvention, confirmer: bool) -> list[str]:
    """Refuse, or ask for a confirmation, or return the warnings that were confirmed."""
    verification = verifier(version)
    if verification.erreurs:
        raise _invalide(verification.erreurs, {})
    if verification.avertissements and not confirmer:
        raise AvertissementsNonConfirmes(verification.avertissements)
    return en_phrases(verification.avertissements)


def _invalide(erreurs: Collection[Anomalie], champs: Mapping[str, str]) -> ValidationError:
    """Anomalies as the error of a form: beside the field that `champs` gives for the rule's, else for the whole."""
    par_champ = defaultdict(list)
    for anomalie, phrase in zip(erreurs, en_phrases(erreurs), strict=True):
        champ = anomalie.champ.rpartition(".")[2]
        par_champ[champs.get(champ, NON_FIELD_ERRORS)].append(phrase)
    return ValidationError(dict(par_champ))


def _enregistrer(objet: Convention | VersionConvention | Derogation, *exclus: str) -> None:
    """Validate (fields, constraints in French) then save: the database is the last line, not the first."""
    objet.full_clean(exclude=exclus or ["bailleur", "reservataire", "departement", "convention", "cree_par"])
    objet.save()


def _noter(
    acteur: Acteur, convention: Convention, nature: str, detail: str = "", avertissements: Iterable[str] = ()
) -> None:
    EvenementConvention.objects.create(
        convention=convention,
        bailleur_id=convention.bailleur_id,
        departement_id=convention.departement_id,
        nature=nature,
        detail=typographier(detail),
        avertissements=list(avertissements),
        par_id=acteur.utilisateur_id,
        organisation_id=acteur.organisation_id,
    )


def _annoncer(convention: Convention, depuis: date, raison: str) -> None:
    """Tell the rooms above that the yearly figures of this bailleur × département change from that year on."""
    signaux.entrees_modifiees.send(
        sender=Convention,
        paires={(convention.bailleur_id, convention.departement_id)},
        annee=depuis.year,
        raison=raison,
    )
