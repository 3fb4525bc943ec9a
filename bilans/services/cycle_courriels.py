"""Who is told of an act on a bilan: a row of e-mail to each party it asks something of or opens something to.

What was written in the act is not in the e-mail: it is free text, read on the page. Nothing of a household is either.
"""

from collections.abc import Iterable

from django.db.models import QuerySet
from django.urls import reverse

from bilans.models import Bilan, EtapeBilan, PointEtape, VersionReservataire
from bilans.regles.cycle import ActeBilan, figure
from bilans.regles.points import titre_du_point
from flux.services.designations import prevenir
from reservation.acteur import TypeOrganisation
from reservation.models import Organisation
from reservation.regles.typographie import minuscule

GABARIT = "bilan_acte"


def dire(etape: EtapeBilan) -> None:
    """Write to those that `etape` concerns; in its transaction."""
    bilan = etape.bilan
    de = f"{bilan.annee} de {bilan.bailleur.nom}"
    page = reverse("bilans:suivi", args=[bilan.pk])
    match ActeBilan(etape.acte):
        case ActeBilan.SOUMETTRE:
            dire_aux_ddets(
                bilan,
                f"Bilan {bilan.annee} soumis",
                f"Le bilan {de} vous est soumis.",
                "Examinez-le : demandez un complément sur un chiffre, renvoyez-le, ou validez-le.",
                page,
            )
            _ecrire(
                [bilan.bailleur],
                bilan,
                f"Bilan {bilan.annee} : accusé de réception",
                f"Votre bilan {bilan.annee} est soumis à la DDETS et transmis à chacun de vos réservataires.",
                "L’accusé de réception est sur la page de suivi. Il ne vaut pas contrôle de conformité.",
                page,
            )
            _dire_aux_reservataires(
                etape,
                f"Bilan {bilan.annee} reçu",
                f"{bilan.bailleur.nom} vous transmet votre part de son bilan {bilan.annee}.",
                "Elle ne porte que sur votre contingent, et ne change plus.",
            )
        case ActeBilan.DEMANDER:
            _ecrire(
                [bilan.bailleur],
                bilan,
                f"Bilan {bilan.annee} : complément demandé",
                f"La DDETS vous demande un complément sur votre bilan {bilan.annee} : "
                f"{minuscule(figure(etape.figure).libelle)}.",
                "Lisez sa demande, corrigez ce qu’elle ouvre, répondez, puis soumettez de nouveau.",
                page,
            )
        case ActeBilan.REPONDRE:
            dire_aux_ddets(
                bilan,
                f"Bilan {bilan.annee} : réponse du bailleur",
                f"{bilan.bailleur.nom} a répondu à une demande sur son bilan {bilan.annee}.",
                "Vous recevrez une nouvelle version quand il soumettra de nouveau.",
                page,
            )
        case ActeBilan.RENVOYER:
            _ecrire(
                [bilan.bailleur],
                bilan,
                f"Bilan {bilan.annee} renvoyé",
                f"La DDETS vous renvoie votre bilan {bilan.annee}, avec son motif.",
                "Toutes ses lignes sont ouvertes : reprenez-le, puis soumettez-le de nouveau.",
                page,
            )
        case ActeBilan.VALIDER:
            _ecrire(
                [bilan.bailleur],
                bilan,
                f"Bilan {bilan.annee} validé",
                f"La DDETS a validé votre bilan {bilan.annee}.",
                f"Chiffres, texte, PDF et imputations de {bilan.annee} sont figés.",
                page,
            )
            _dire_aux_reservataires(
                etape,
                f"Bilan {bilan.annee} validé",
                f"Le bilan {de} est validé par la DDETS.",
                "La part que vous avez reçue fait foi.",
            )
        case ActeBilan.ROUVRIR:
            _ecrire(
                [bilan.bailleur],
                bilan,
                f"Bilan {bilan.annee} : correction ouverte",
                f"La DDETS ouvre une correction de votre bilan {bilan.annee}, avec son motif.",
                "Corrigez, puis soumettez une nouvelle version. La version validée fait foi jusque-là.",
                page,
            )
            _dire_aux_reservataires(
                etape,
                f"Bilan {bilan.annee} : correction ouverte",
                f"Une correction du bilan {de} est ouverte.",
                "La part que vous avez reçue fait foi jusqu’à la prochaine version.",
            )


def dire_aux_ddets(bilan: Bilan, objet: str, fait: str, suite: str, page: str) -> None:
    """Write to the DDETS of the département of `bilan`."""
    ddets = Organisation.objects.filter(
        type=TypeOrganisation.DDETS, departement=bilan.departement_id, fermee_le=None
    ).order_by("pk")
    _ecrire(ddets, bilan, objet, fait, suite, page)


def _dire_aux_reservataires(etape: EtapeBilan, objet: str, fait: str, suite: str) -> None:
    """Each with the page of the last version that it received; the State has its own words."""
    _dire_a_chacun(VersionReservataire.objects.filter(bilan=etape.bilan_id), etape.bilan, objet, fait, suite)


def dire_point_aux_reservataires(point: PointEtape) -> None:
    """Each with the page of its own part of the point d'étape."""
    bilan = point.bilan
    _dire_a_chacun(
        VersionReservataire.objects.filter(point=point),
        bilan,
        f"Point d’étape {bilan.annee} reçu",
        f"{bilan.bailleur.nom} vous transmet votre part de son point d’étape du {titre_du_point(point.semestre)} {bilan.annee}.",
        "Elle ne porte que sur votre contingent, et ne change plus. L’année n’est pas finie : rien n’y est jugé.",
    )


def _dire_a_chacun(versions: QuerySet, bilan: Bilan, objet: str, fait: str, suite: str) -> None:
    recues = (
        versions.exclude(reservataire__type=TypeOrganisation.DDETS)
        .select_related("reservataire")
        .only("reservataire", "version")
        .order_by("version", "pk")
    )
    for version in {v.reservataire_id: v for v in recues}.values():
        page = reverse("bilans:recu", args=[version.pk])
        _ecrire([version.reservataire], bilan, objet, fait, suite, page)


def _ecrire(
    organisations: Iterable[Organisation], bilan: Bilan, objet: str, fait: str, suite: str, page: str
) -> None:
    for organisation in organisations:
        prevenir(
            organisation,
            GABARIT,
            {
                "objet": f"{objet} : {bilan.bailleur.nom}, {bilan.departement.nom}",
                "fait": fait,
                "suite": suite,
                "lieu": f"{bilan.bailleur.nom}, {bilan.departement.nom}",
                "page": page,
            },
        )
