"""Data protection: what everybody may know, and the register of processing for those who answer for it."""

import re
from dataclasses import dataclass, fields, replace

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from publics.models import RapportPurge
from publics.regles.registre import TRAITEMENTS, Traitement
from publics.services.droits import peut_repondre
from reservation.acteur import Role
from reservation.exports import FORMATS, Colonne, exporter, nom_de_fichier
from reservation.regles.conservation import RegleConservation
from reservation.regles.typographie import INSECABLE, typographier
from reservation.services.conservation import purgeurs

RAPPORTS = 12
ARTICLE = re.compile(r"\b(art|[LR])\. (?=[LR\d])")


@dataclass(frozen=True)
class Fiche:
    """A processing with the retention rules that the purge knows."""

    traitement: Traitement
    regles: list[RegleConservation]

    @property
    def conservation(self) -> str:
        if not self.regles:
            return "Aussi longtemps que les actes dont elles sont la preuve."
        return typographier(
            " ; ".join(
                f"{r.donnees} : {f'{r.duree} après' if r.mois else 'jusqu’à'} {r.depuis}" for r in self.regles
            )
        )


def _fiches() -> list[Fiche]:
    regles = _regles()
    return [Fiche(_composer(t), [regles[code] for code in t.conservation]) for t in TRAITEMENTS]


def _regles() -> dict[str, RegleConservation]:
    return {purgeur.regle.code: _composer(purgeur.regle) for purgeur in purgeurs()}


def _composer(donnee):
    """The same, its texts with the no-break spaces of French."""
    textes = {c.name: v for c in fields(donnee) if isinstance(v := getattr(donnee, c.name), str)}
    return replace(
        donnee, **{nom: ARTICLE.sub(rf"\1.{INSECABLE}", typographier(texte)) for nom, texte in textes.items()}
    )


def _contexte() -> dict:
    return {
        "fiches": _fiches(),
        "regles": list(_regles().values()),
        "responsable": settings.RESPONSABLE_TRAITEMENT,
        "contact": settings.CONTACT_DPO,
    }


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Who processes what, why, how long, and with which rights: for everybody who is signed in."""
    return render(
        request,
        "publics/donnees_personnelles/page.html",
        _contexte()
        | {
            "peut_lire_le_registre": _peut_lire_le_registre(request),
            "peut_repondre": peut_repondre(request.acteur),
            "lit_les_lectures": Role.ADMINISTRATION in request.acteur.roles,
        },
    )


def _peut_lire_le_registre(request: HttpRequest) -> bool:
    return request.user.is_staff or Role.ADMINISTRATION in request.acteur.roles


def _exiger_le_registre(request: HttpRequest) -> None:
    if not _peut_lire_le_registre(request):
        raise PermissionDenied("Le registre des traitements est lu par les administrateurs.")


@require_safe
def registre(request: HttpRequest) -> HttpResponse:
    """The register (art. 30), and for the support what the purge did."""
    _exiger_le_registre(request)
    rapports = RapportPurge.objects.order_by("-commencee_le", "-pk")[:RAPPORTS]
    return render(
        request,
        "publics/donnees_personnelles/registre.html",
        _contexte()
        | {
            "fil": [("Données personnelles", reverse("publics:donnees_personnelles"))],
            "rapports": list(rapports) if request.user.is_staff else None,
        },
    )


def _colonnes() -> list[Colonne]:
    responsable = settings.RESPONSABLE_TRAITEMENT or "non renseigné"
    contact = settings.CONTACT_DPO or "non renseigné"
    return [
        Colonne("Traitement", lambda f: f.traitement.nom, largeur=32),
        Colonne("Responsable", lambda f: responsable, largeur=28),
        Colonne("Délégué à la protection des données", lambda f: contact, largeur=28),
        Colonne("Finalité", lambda f: f.traitement.finalite, largeur=48),
        Colonne("Base légale", lambda f: f.traitement.base_legale, largeur=48),
        Colonne("Personnes concernées", lambda f: f.traitement.personnes, largeur=36),
        Colonne("Données", lambda f: f.traitement.donnees, largeur=60),
        Colonne("Destinataires", lambda f: f.traitement.destinataires, largeur=60),
        Colonne("Conservation", lambda f: f.conservation, largeur=60),
        Colonne("Mesures de sécurité", lambda f: f.traitement.mesures, largeur=48),
    ]


@require_safe
def registre_export(request: HttpRequest, format_: str) -> FileResponse:
    """The register as a file."""
    _exiger_le_registre(request)
    if format_ not in FORMATS:
        raise Http404
    nom = nom_de_fichier("registre des traitements", timezone.localdate())
    return exporter(format_, nom, _colonnes(), _fiches(), "Registre")


urlpatterns = [
    path("donnees-personnelles/", page, name="donnees_personnelles"),
    path("donnees-personnelles/registre/", registre, name="registre"),
    path("donnees-personnelles/registre.<str:format_>", registre_export, name="registre_export"),
]
