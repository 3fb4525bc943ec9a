"""Deposit of a spreadsheet of libérations ÷ the same acts by the services, one at a time, measured on a sample.

The workbook is made here from the parc of the largest bailleur of the demonstration: one libération per dwelling,
oriented. The deposit is the whole of it, as a worker does it: file decrypted, read, every line compared and judged,
kept, studied again inside the transaction, written, imputed, the calculation asked for. Everything is
taken out afterwards.
"""

import io
from datetime import date, timedelta

from .mesure import Contexte, Mesure, chrono, gestionnaire_de, nombre_fr

BASES = ("demo",)
LIGNES, LIGNES_RAPIDES = 20_000, 400
ECHANTILLON, ECHANTILLON_RAPIDE = 100, 20
OBJECTIF_SERVICES, OBJECTIF_SECONDES = 0.10, 60.0


def mesurer(contexte: Contexte) -> list[Mesure]:
    """Deposit ÷ services one by one; deposit ÷ the bare reading of its cells; seconds of the deposit."""
    from django.db import transaction

    from flux.models import Liberation
    from reservation.acteur import Acteur
    from reservation.perimetre import agir

    lignes = LIGNES_RAPIDES if contexte.rapide else LIGNES
    echantillon = ECHANTILLON_RAPIDE if contexte.rapide else ECHANTILLON
    with agir(Acteur.du_systeme("mesure d’un dépôt")):
        bailleur, references = _parc(lignes)
        octets = _classeur(references, contexte.annee, lignes)
        with chrono() as nue:
            _lecture_nue(octets)
        with transaction.atomic():
            with chrono() as un_par_un:
                _un_par_un(bailleur, references, contexte.annee, echantillon)
            transaction.set_rollback(True)
        derniere = Liberation.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        with chrono() as duree:
            depot = _deposer(bailleur, octets)
        ecrites = _defaire(depot, derniere)
        if ecrites < 0.95 * lignes:  # the demonstration already holds a few of these dates
            raise RuntimeError(f"{ecrites} lignes écrites sur {lignes}")
    services = un_par_un.secondes / echantillon * lignes
    taille = f"{nombre_fr(lignes, 0)} lignes, {nombre_fr(len(octets) / 1e6, 1)} Mo"
    return [
        Mesure(
            "depot_services",
            "Dépôt d’un tableau ÷ les services un par un",
            duree.secondes / services,
            OBJECTIF_SERVICES,
            f"{nombre_fr(duree.secondes, 1)} s pour {nombre_fr(services, 0)} s (mesuré sur {echantillon}) ; {taille}",
        ),
        Mesure(
            "depot_lecture",
            "Dépôt d’un tableau ÷ lecture nue des cellules (calamine)",
            duree.secondes / nue.secondes,
            None,
            f"{nombre_fr(duree.secondes, 1)} s pour {nombre_fr(nue.secondes, 2)} s ; {taille}",
        ),
        Mesure("depot_secondes", "Dépôt d’un tableau", duree.secondes, OBJECTIF_SECONDES, taille, " s"),
    ]


def _parc(lignes: int):
    """The bailleur with the largest parc, and references of its last millésime that name one dwelling each."""
    from django.db.models import Count

    from reservation.models import EtatParc, Logement, Organisation

    etat = EtatParc.objects.order_by("-millesime", "-logements").first()
    logements = Logement.objects.filter(bailleur=etat.bailleur_id, millesime=etat.millesime).order_by()
    seules = logements.values("ident_int").annotate(n=Count("pk")).filter(n=1).exclude(ident_int="")
    references = list(seules.values_list("ident_int", flat=True).order_by("ident_int")[:lignes])
    return Organisation.objects.get(pk=etat.bailleur_id), references


def _jour(annee: int, rang: int, references: int) -> date:
    """A parc smaller than the file is freed several times, on days that follow each other: no line says another's."""
    return date(annee, 1, 1) + timedelta(days=rang // references)


def _classeur(references: list[str], annee: int, lignes: int) -> bytes:
    import xlsxwriter

    tampon = io.BytesIO()
    classeur = xlsxwriter.Workbook(tampon, {"constant_memory": True})
    page = classeur.add_worksheet("Libérations")
    jour = classeur.add_format({"num_format": "dd/mm/yyyy"})
    for rang, titre in enumerate(
        ("Référence du logement", "Libéré le", "Usage", "Justificatif", "Réservataire")
    ):
        page.write_string(0, rang, titre)
    for rang in range(lignes):
        page.write_string(rang + 1, 0, references[rang % len(references)])
        page.write_datetime(rang + 1, 1, _jour(annee, rang, len(references)), jour)
        page.write_string(rang + 1, 2, "Flux")
        page.write_string(rang + 1, 4, "État" if rang % 2 else "non réservé")
    classeur.close()
    return tampon.getvalue()


def _lecture_nue(octets: bytes) -> int:
    import python_calamine

    with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(octets)) as classeur:
        return len(classeur.get_sheet_by_index(0).to_python())


def _un_par_un(bailleur, references: list[str], annee: int, nombre: int) -> None:
    """What the page does for one libération, as many times."""
    from flux.services.liberations import enregistrer_liberation
    from flux.services.orientations import orienter_liberation
    from reservation.acteur import Acteur
    from reservation.models import Logement

    acteur = Acteur.du_systeme("mesure d’un dépôt")
    for rang in range(nombre):
        jour = date(annee, 12, 29)
        logement = Logement.objects.filter(
            bailleur=bailleur, ident_int=references[rang % len(references)]
        ).latest("millesime")
        liberation = enregistrer_liberation(
            acteur, bailleur, date=jour, reference=logement.ident_int, logement=logement
        )
        orienter_liberation(acteur, liberation, reservataire=bailleur, date=jour)


def _deposer(bailleur, octets: bytes):
    """The deposit from end to end, as a worker does it; somebody's agreement is written by hand."""
    from django.utils import timezone

    from flux.models import Depot, LigneDepot
    from flux.services import depots
    from flux.services.depots import coffre

    depot = Depot(
        organisation=bailleur,
        bailleur=bailleur,
        sujet="LIBERATIONS",
        nom_fichier="mesure.xlsx",
        taille=len(octets),
        sha256="0" * 64,
    )
    coffre.enfermer(depot, "mesure.xlsx", octets)
    depot.save()
    depot = depots.analyser(depot.pk)
    LigneDepot.objects.filter(depot=depot, verdict=LigneDepot.Verdict.A_CONFIRMER).update(
        verdict=LigneDepot.Verdict.A_CREER,
        confirmations={code: {} for code in ("RAPPROCHEE", "ANCIENNE", "ANNULEE")},
    )
    depot.etat, depot.confirme_le = Depot.Etat.EN_APPLICATION, timezone.now()
    depot.confirme_par = gestionnaire_de(bailleur)
    depot.save()
    return depots.appliquer(depot.pk)


def _defaire(depot, derniere: int) -> int:
    """Take out what was written, after the measure: a deposit has transactions of its own. How many lines it was."""
    from flux.models import Liberation

    nombre = depot.lignes.exclude(appliquee_le=None).count()
    depot.delete()
    Liberation.objects.filter(pk__gt=derniere).delete()
    return nombre
