"""The ledger of debts: the only writer of what a year's objective inherits (`flux.ReportObjectif`).

    ouvrir → reporter | attribuer_directement → (clore_annee pays the reports) | imputer (one attribution, one dwelling)

An account is one bailleur × réservataire × département. Each act locks it, replays it, adds what the rules accept
(`bilans.regles.registre_dettes`), and writes the reports again, all in one transaction.
"""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from bilans.models import EcritureRegistre
from bilans.regles.registre_dettes import (
    Compte,
    Ecriture,
    EcritureRefusee,
    Nature,
    Poste,
    clore,
    corriger_la_cloture,
    lire,
    repartir,
    transferer,
)
from flux.models import Attribution, ReportObjectif
from reservation import signaux
from reservation.acteur import Acteur
from reservation.models import Organisation, Presence, VersionConvention
from reservation.perimetre import agir
from reservation.regles.actes import FaitGenerateur
from reservation.regles.typographie import accorder, date_fr, typographier
from reservation.services.assistances import exiger_hors_assistance

MOTIF = 300


class Cle(NamedTuple):
    """Whose account: ids of the bailleur and of the réservataire, code of the département."""

    bailleur: int
    departement: str
    reservataire: int

    @property
    def filtre(self) -> dict[str, int | str]:
        return {
            "bailleur_id": self.bailleur,
            "departement_id": self.departement,
            "reservataire_id": self.reservataire,
        }


def lire_compte(cle: Cle) -> Compte:
    """The account as it is, in one query; the actor must be allowed to read it (the database sees to it)."""
    return lire(e.en_regle() for e in EcritureRegistre.objects.filter(**cle.filtre).order_by("pk"))


def lire_tous_les_comptes(acteur: Acteur) -> dict[Cle, Compte]:
    """Every account that `acteur` reads; one query."""
    ecritures: dict[Cle, list[Ecriture]] = {}
    for ligne in EcritureRegistre.objects.visibles_par(acteur).order_by("pk"):
        cle = Cle(ligne.bailleur_id, ligne.departement_id, ligne.reservataire_id)
        ecritures.setdefault(cle, []).append(ligne.en_regle())
    return {cle: lire(siennes) for cle, siennes in ecritures.items()}


# --- Acts ------------------------------------------------------------------------------------------------------


def ouvrir(acteur: Acteur, cle: Cle, annee: int, nombre: int, *, jour: date, fondement: str) -> Compte:
    """A shortfall found unjustified becomes a debt: `nombre` dwellings of `annee`, to be decided."""
    return _ajouter(acteur, cle, jour, Ecriture(Nature.OUVERTURE, annee, annee, nombre, jour, fondement))


def reporter(
    acteur: Acteur, cle: Cle, dette: int, nombre: int, *, annee: int, jour: date, fondement: str
) -> Compte:
    """`nombre` dwellings of the debt of `dette` are added to the objective of `annee`."""
    return _ajouter(acteur, cle, jour, Ecriture(Nature.REPORT, dette, annee, nombre, jour, fondement))


def reprendre(
    acteur: Acteur, cle: Cle, dette: int, nombre: int, *, annee: int, jour: date, fondement: str
) -> Compte:
    """A report that is not paid is taken back from the objective of `annee`: it is to be decided again."""
    return _ajouter(acteur, cle, jour, Ecriture(Nature.REPRISE, dette, annee, nombre, jour, fondement))


def attribuer_directement(
    acteur: Acteur, cle: Cle, dette: int, nombre: int, *, jour: date, fondement: str
) -> Compte:
    """The préfet will attribute `nombre` dwellings himself; they are reported on no objective."""
    return _ajouter(
        acteur, cle, jour, Ecriture(Nature.ATTRIBUTION, dette, jour.year, nombre, jour, fondement)
    )


def annuler(
    acteur: Acteur,
    cle: Cle,
    dette: int,
    nombre: int,
    poste: Poste,
    *,
    annee: int,
    jour: date,
    fondement: str,
) -> Compte:
    """`nombre` dwellings are no longer due: a corrected bilan, a decision withdrawn or annulled."""
    return _ajouter(
        acteur, cle, jour, Ecriture(Nature.ANNULATION, dette, annee, nombre, jour, fondement, poste)
    )


def imputer(acteur: Acteur, attribution: Attribution, *, jour: date, fondement: str) -> Compte:
    """An attribution of the préfet discharges one dwelling of the oldest debt of the contingent that owed it.

    Once only: the same attribution never discharges two, and what it discharges is not counted again for the year in which
    it counts (`Compte.augmentations`). Raises `ValidationError` when it is refused, or of a contingent that owes nothing.
    """
    _exiger(acteur, attribution.departement_id, jour)
    attribution.refresh_from_db(
        fields=["refusee_le", "reservataire", "date_caleol", "date_bail"]
    )  # the database says whose contingent it is
    if attribution.refusee_le is not None:
        raise ValidationError("Cette attribution a été refusée : elle ne décharge de rien.")
    cle = Cle(attribution.bailleur_id, attribution.departement_id, attribution.reservataire_id)

    annee = _annee_qui_compte(cle, attribution)

    def suite(compte: Compte) -> Compte:
        if annee <= compte.close:
            raise EcritureRefusee(
                f"L’année {annee} est close : cette attribution y a déjà compté pour l’objectif de l’année."
            )
        ((dette, _),) = repartir(compte, Poste.ATTRIBUES, 1)
        return compte.ecrire(Ecriture(Nature.IMPUTATION, dette, annee, 1, jour, fondement))

    if EcritureRegistre.objects.filter(attribution=attribution).exists():
        raise ValidationError("Cette attribution décharge déjà une dette.")
    return _passer(acteur, cle, suite, attribution)


def clore_annee(
    acteur: Acteur,
    cle: Cle,
    annee: int,
    *,
    part: int,
    realise: int,
    jour: date,
    fondement: str,
    cumul: bool = True,
) -> Compte:
    """The bilan of `annee` is validated: what was done pays the reports, oldest first; the rest goes to the year after.

    `part`: the year's own objective, without the report; `realise`: what counts for it, the attributions of the préfet that
    discharge a debt included (they are taken off here). A surplus gives no credit.
    """
    _exiger(acteur, cle.departement, jour)
    return _passer(
        acteur,
        cle,
        lambda compte: clore(
            compte,
            annee,
            part,
            _sans_decharges(compte, annee, realise),
            jour,
            fondement,
            cumul=cumul,
        ),
    )


def corriger_cloture(acteur: Acteur, cle: Cle, annee: int, *, part: int, realise: int, jour: date) -> Compte:
    """The corrected bilan of a closed year is validated: what more it would have paid is cancelled; nothing is claimed again."""
    _exiger(acteur, cle.departement, jour)
    return _passer(
        acteur,
        cle,
        lambda compte: corriger_la_cloture(
            compte, annee, part, _sans_decharges(compte, annee, realise), jour
        )[0],
    )


def payes_en_trop(cle: Cle, annee: int, *, part: int, realise: int) -> int:
    """Dwellings paid when `annee` was closed that its corrected figures would not pay; they stay paid."""
    compte = lire_compte(cle)
    if annee > compte.close:
        return 0
    return corriger_la_cloture(
        compte, annee, part, _sans_decharges(compte, annee, realise), timezone.localdate()
    )[1]


def _sans_decharges(compte: Compte, annee: int, realise: int) -> int:
    return max(0, realise - compte.decharges_de(annee))


def sur_bailleurs_fusionnes(sender, absorbe, absorbant, effet: date, **_signal) -> None:
    """Receiver of `reservation.signaux.bailleurs_fusionnes`: what is still due follows, inside its transaction."""
    systeme = Acteur.du_systeme("fusion de bailleurs")
    comptes = (
        EcritureRegistre.objects.filter(bailleur=absorbe)
        .order_by("departement_id", "reservataire_id")
        .values_list("departement_id", "reservataire_id")
        .distinct()
    )
    for departement, reservataire in list(comptes):
        de = Cle(absorbe.pk, departement, reservataire)
        # Non réservés of the absorbed one never are: the bailleur's own rest is no objective.
        vers = de._replace(bailleur=absorbant.pk)
        avant = lire_compte(de), lire_compte(vers)
        jour = max([timezone.localdate(), *(c.ecritures[-1].jour for c in avant if c.ecritures)])
        apres = transferer(*avant, effet.year, jour, f"Fusion : {absorbe} absorbé, effet au {date_fr(effet)}")
        for cle, ancien, nouveau in zip((de, vers), avant, apres, strict=True):
            _enregistrer(systeme, cle, ancien, nouveau)
            _poser_reports(cle, nouveau)


# --- Inside --------------------------------------------------------------------------------------------------------


def _exiger(acteur: Acteur, departement: str, jour: date) -> None:
    """A debt is a decision of the State: the DDETS of the département, by somebody who signs for it."""
    exiger_hors_assistance(acteur)
    if acteur.systeme:
        return
    if not (acteur.est_ddets and departement in acteur.departements and acteur.peut_signer):
        raise PermissionDenied(
            "Le registre des dettes est tenu par la DDETS du département, par une personne qui a le rôle de signature."
        )
    if jour > timezone.localdate():
        raise ValidationError({"jour": "La date de la décision ne peut pas être dans l’avenir."})


def _annee_qui_compte(cle: Cle, attribution: Attribution) -> int:
    """The year whose "realised" holds this attribution: that of the CALEOL, or of the lease where the act says so."""
    with agir(Acteur.du_systeme("registre des dettes")):
        version = (
            VersionConvention.objects.filter(
                **cle.filtre, signee_le__isnull=False, effet__lte=attribution.date_caleol
            )
            .order_by("-effet", "-pk")
            .first()
        )
    if version is None or version.fait_generateur != FaitGenerateur.BAIL:
        return attribution.date_caleol.year
    if attribution.date_bail is None:
        raise ValidationError(
            "Cet acte compte les baux : cette attribution ne décharge qu’une fois le bail signé."
        )
    return attribution.date_bail.year


def _ajouter(acteur: Acteur, cle: Cle, jour: date, ecriture: Ecriture) -> Compte:
    _exiger(acteur, cle.departement, jour)
    return _passer(acteur, cle, lambda compte: compte.ecrire(ecriture))


@transaction.atomic
def _passer(
    acteur: Acteur, cle: Cle, suite: Callable[[Compte], Compte], attribution: Attribution | None = None
) -> Compte:
    """Lock the account, replay it, let `suite` add to it, keep what was added and the reports that follow from it."""
    with agir(Acteur.du_systeme("registre des dettes")):
        if not Organisation.objects.filter(pk=cle.reservataire).exclude(pk=cle.bailleur).exists():
            raise ValidationError("La part du bailleur n’est pas un objectif : il ne se doit rien.")
        try:
            Presence.objects.select_for_update().get(bailleur=cle.bailleur, departement=cle.departement)
        except Presence.DoesNotExist:
            raise ValidationError("Ce bailleur n’a pas de logement dans ce département.") from None
        avant = lire_compte(cle)
        try:
            apres = suite(avant)
        except EcritureRefusee as erreur:
            raise ValidationError(typographier(str(erreur))) from erreur
        _enregistrer(acteur, cle, avant, apres, attribution)
        _poser_reports(cle, apres)
    return apres


def _enregistrer(
    acteur: Acteur, cle: Cle, avant: Compte, apres: Compte, attribution: Attribution | None = None
) -> None:
    EcritureRegistre.objects.bulk_create(
        EcritureRegistre(
            **cle.filtre,
            nature=e.nature,
            dette=e.dette,
            annee=e.annee,
            nombre=e.nombre,
            poste=e.poste or "",
            jour=e.jour,
            fondement=typographier(e.fondement)[:MOTIF],
            attribution=attribution if e.nature == Nature.IMPUTATION else None,
            ecrite_par_id=acteur.utilisateur_id,
            organisation_id=acteur.organisation_id,
        )
        for e in apres.ecritures[len(avant.ecritures) :]
    )


def _poser_reports(cle: Cle, compte: Compte) -> None:
    """What the objectives inherit, as the ledger says, and nothing else; the flux of the years that change is computed again."""
    depuis = min(
        (e.annee for e in compte.ecritures if e.nature in (Nature.REPORT, Nature.IMPUTATION)), default=None
    )
    if depuis is None:
        return
    voulus = compte.augmentations
    lignes = ReportObjectif.objects.filter(**cle.filtre, annee__gte=depuis).order_by("annee")
    presents = {ligne.annee: ligne for ligne in lignes}
    changees = {
        annee
        for annee in voulus.keys() | presents.keys()
        if annee not in presents or voulus.get(annee) != presents[annee].nombre
    }
    for annee in sorted(changees):
        if annee not in voulus:
            presents[annee].delete()
            continue
        dus = ", ".join(f"{r.nombre} de {r.annee}" for r in compte.reports_de(annee))
        if decharges := compte.decharges_de(annee):
            dus = ", ".join(
                filter(
                    None, [dus, f"{accorder(decharges, 'attribution')} du préfet qui déchargent une dette"]
                )
            )
        ReportObjectif.objects.update_or_create(
            **cle.filtre,
            annee=annee,
            defaults={"nombre": voulus[annee], "motif": typographier(f"Registre des dettes : {dus}")[:MOTIF]},
        )
    if changees:
        signaux.entrees_modifiees.send(
            sender=EcritureRegistre,
            paires={(cle.bailleur, cle.departement)},
            annee=min(changees),
            raison="registre des dettes",
        )
