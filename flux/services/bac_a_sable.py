"""Open the sandbox, and make it new each night: a fictitious bailleur, its parc, the acts it gave, some libérations."""

from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from flux.models import CodeMotif
from flux.services.liberations import enregistrer_liberation
from flux.services.orientations import choisir_reservataire
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import (
    Commune,
    Convention,
    Departement,
    EtatParc,
    FamilleBailleur,
    ImportRpls,
    LigneJournal,
    Logement,
    Organisation,
    Presence,
)
from reservation.regles.statut import Exclusions, statut_logement
from reservation.services import bac_a_sable as identite
from reservation.services.conventions import creer_convention, modifier_version, signer_convention
from reservation.services.parc.calcul import recalculer_parc

LOGEMENTS = 40
LIBERATIONS = 3
TAUX = Decimal(30)


@transaction.atomic
def ouvrir() -> Organisation:
    """The bailleur of the sandbox, made with its territory and its réservataire if they are not there."""
    if (ouvert := identite.bailleur_du_jour()) is not None:
        return ouvert
    departement, _ = Departement.objects.get_or_create(
        code=identite.DEPARTEMENT, defaults={"nom": "Bac à sable (fictif)"}
    )
    Commune.objects.get_or_create(
        code=identite.COMMUNE,
        defaults={"nom": "Bac-à-Sable (fictive)", "departement": departement, "codes_postaux": ["00000"]},
    )
    reservataire = identite.reservataire() or Organisation.objects.create(
        type=TypeOrganisation.AUTRE_RESERVATAIRE,
        nom="Réservataire du bac à sable (fictif)",
        code=identite.CODE_RESERVATAIRE,
        fictive=True,
    )
    return _peupler(_nouveau_bailleur(departement), reservataire, departement)


@transaction.atomic
def renouveler() -> bool:
    """Make it new, if it is open and something was written in it; whether it was.

    The bailleur of yesterday is closed and its tokens act for the new one: what was written stays where nobody reads it.
    """
    ancien = identite.bailleur_du_jour()
    if ancien is None:
        return False
    ancien = Organisation.objects.select_for_update().get(pk=ancien.pk)
    # What the application makes itself is nobody's.
    if not LigneJournal.objects.filter(bailleur=ancien).exclude(organisation=None).exists():
        return False
    ancien.fermee_le = timezone.localdate()
    ancien.save(update_fields=["fermee_le"])
    ouvrir()
    return True


def _nouveau_bailleur(departement: Departement) -> Organisation:
    rang = identite.bailleurs().count() + 1
    bailleur = Organisation.objects.create(
        type=TypeOrganisation.BAILLEUR,
        nom=f"Bailleur du bac à sable (fictif, {rang})",
        siren=f"{identite.SERIE}{rang:04d}",
        famille=FamilleBailleur.OPH,
        fictive=True,
    )
    Presence.objects.create(bailleur=bailleur, departement=departement)
    return bailleur


def _peupler(bailleur: Organisation, reservataire: Organisation, departement: Departement) -> Organisation:
    acteur, annee = Acteur.du_systeme("bac à sable"), timezone.localdate().year
    recu = ImportRpls.objects.create(
        bailleur=bailleur,
        millesime=annee,
        nom_fichier="parc du bac à sable",
        taille=0,
        sha256="0" * 64,
        etat=ImportRpls.Etat.APPLIQUE,
        applique_le=timezone.now(),
    )
    Logement.objects.bulk_create(
        _logement(bailleur, departement, annee, recu, rang) for rang in range(1, LOGEMENTS + 1)
    )
    EtatParc.objects.create(
        bailleur=bailleur,
        departement=departement,
        millesime=annee,
        logements=LOGEMENTS,
        import_rpls=recu,
        calcule_le=timezone.now(),
    )
    recalculer_parc([(bailleur.pk, departement.pk)], annee, raison="bac à sable")
    convention = creer_convention(
        acteur,
        bailleur=bailleur,
        reservataire=reservataire,
        departement=departement,
        numero=f"ZZ-{bailleur.siren}",
        debut=date(annee, 1, 1),
        fin=date(annee + 2, 12, 31),
        modele=Convention.Modele.LIBRE,
    )
    modifier_version(acteur, convention.versions.get(), taux=TAUX)
    signer_convention(
        acteur,
        convention,
        signee_le=min(date(annee, 1, 2), timezone.localdate()),
        signataires="Signataires fictifs",
        confirmer=True,
    )
    jour = max(timezone.localdate() - timedelta(days=10), date(annee, 1, 1))
    logements = Logement.objects.filter(bailleur=bailleur).order_by("cle")[:LIBERATIONS]
    for rang, logement in enumerate(logements):
        liberation = enregistrer_liberation(
            acteur, bailleur, date=jour, reference=logement.ident_int, logement=logement
        )
        if rang == 0:
            motif = (
                CodeMotif.objects.filter(acte=CodeMotif.Acte.ORIENTATION, actif=True).order_by("pk").first()
            )
            choisir_reservataire(acteur, liberation, reservataire=reservataire, date=jour, motif=motif)
    return bailleur


def _logement(
    bailleur: Organisation, departement: Departement, annee: int, recu: ImportRpls, rang: int
) -> Logement:
    pieces, finan = 1 + rang % 5, ("13", "10", "16")[rang % 3]
    return Logement(
        bailleur=bailleur,
        departement=departement,
        commune_id=identite.COMMUNE,
        millesime=annee,
        cle=f"ZZ{rang:08d}",
        ident_int=f"BAS-{rang:03d}",
        adresse=f"{rang} rue du Bac à Sable",
        code_postal="00000",
        qpv=rang % 4 == 0,
        typeconst="C",
        nbpiece=pieces,
        surfhab=20 + 15 * pieces,
        construct=1975,
        locat=1975,
        origine="1",
        droit="1",
        finan=finan,
        conv="1",
        mode="1",
        typologie="",
        financement="",
        periode="",
        statut=statut_logement(finan, "1", "1", "9", frozenset(), bailleur.famille, Exclusions()),
        import_rpls=recu,
        ligne=rang + 1,
    )
