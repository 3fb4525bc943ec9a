"""One page per bailleur, département and year: what it foresees and who received it; the share agreed with ALS."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_POST, require_safe

from bilans.models import EnvoiProjection, PartConvenue, RemiseProjection
from bilans.services import projections
from flux.services.lecture import presences_visibles
from flux.services.soustractions import peut_declarer
from reservation import convertisseurs  # noqa: F401 (registers the converters of the paths below)
from reservation.models import NatureSoustraction, Presence
from reservation.views.porte import ouvrir


class FormulairePart(forms.Form):
    logements = forms.IntegerField(
        label="Logements réservés à Action Logement dans l’année", min_value=0, max_value=1_000_000
    )
    observation = forms.CharField(
        label="Observation", required=False, max_length=500, help_text="Lue par l’autre partie et par l’État."
    )


def _presence(request: HttpRequest, bailleur: int, departement: str) -> Presence:
    """The pair that the address names, among those whose flux the actor may read; the COPIL reads counts only."""
    if request.acteur.est_copil:
        raise Http404
    trouvee = presences_visibles(request.acteur).filter(bailleur=bailleur, departement=departement).first()
    if trouvee is None:
        raise Http404("Aucune projection à cette adresse.")
    return trouvee


@require_safe
def projection(request, bailleur: int, departement: str, annee: int):
    return _page(request, _presence(request, bailleur, departement), annee)


def _page(
    request, presence: Presence, annee: int, formulaire: FormulairePart | None = None, status: int = 200
):
    acteur = request.acteur
    lieu = {"bailleur": presence.bailleur_id, "departement": presence.departement_id}
    envois = list(
        EnvoiProjection.objects.visibles_par(acteur)
        .filter(annee=annee, **lieu)
        .select_related("envoye_par")
        .order_by("-version")
    )
    dernier = envois[0] if envois else None
    remises = list(
        RemiseProjection.objects.visibles_par(acteur)
        .filter(envoi__in=envois)
        .select_related("reservataire", "lue_par")
        .order_by("-envoi__version", "reservataire__nom_tri", "pk")
    )
    als = projections.als_de(presence.bailleur, presence.departement_id, annee)
    convient = projections.partie_de(acteur, presence.bailleur_id, als)
    parts = list(
        PartConvenue.objects.visibles_par(acteur)
        .filter(annee=annee, **lieu)
        .select_related("proposee_pour", "proposee_par", "acceptee_par")
        .order_by("-version")
    )
    ecrit = peut_declarer(acteur, presence.bailleur_id)
    saisis = (
        projections.nombres_saisis(presence.bailleur_id, presence.departement_id, annee) if ecrit else None
    )
    return render(
        request,
        "bilans/campagnes/projection.html",
        {
            "fil": [("Campagnes", reverse("bilans:campagnes"))],
            "ici": f"{presence.bailleur}, {presence.departement}, {annee}",
            "bailleur": presence.bailleur,
            "departement": presence.departement,
            "annee": annee,
            "ecrit": ecrit,
            "a_transmettre": ecrit and (dernier is None or dernier.nombres != saisis),
            "saisis": _lignes(saisis) if saisis is not None else [],
            "total": sum(saisis.values()) if saisis is not None else 0,
            "envois": [
                {
                    "envoi": envoi,
                    "lignes": _lignes(envoi.nombres),
                    "remises": [r for r in remises if r.envoi_id == envoi.pk],
                }
                for envoi in envois
            ],
            "a_accuser": next(
                (
                    r
                    for r in remises
                    if r.envoi_id == dernier.pk
                    and r.reservataire_id == acteur.organisation_id
                    and r.lue_le is None
                    and acteur.peut_gerer
                ),
                None,
            ),
            "lit_la_part": acteur.est_bailleur or acteur.est_service_etat or convient or bool(parts),
            "als": als,
            "parts": parts,
            "convient": convient,
            "a_accepter": next(
                (
                    part
                    for part in parts
                    if convient
                    and part.etat == PartConvenue.Etat.PROPOSEE
                    and part.proposee_pour_id != acteur.organisation_id
                ),
                None,
            ),
            "repere": projections.repere(presence.bailleur_id, presence.departement_id, annee)
            if als and acteur.lit_les_flux_entiers
            else None,
            "form": (formulaire or FormulairePart()) if convient else None,
            "cle_historique": f"{presence.bailleur_id}-{presence.departement_id}-{annee}",
        },
        status=status,
    )


def _lignes(nombres: dict[str, int]) -> list[tuple[str, int]]:
    """(label, dwellings) in the order of the law."""
    return [(c.label, nombres[c.value]) for c in NatureSoustraction if c.value in nombres]


def _revenir(presence: Presence, annee: int):
    return redirect("bilans:projection", presence.bailleur_id, presence.departement_id, annee)


@require_POST
def envoyer(request, bailleur: int, departement: str, annee: int):
    presence = _presence(request, bailleur, departement)
    try:
        envoi = projections.envoyer_projection(request.acteur, presence.bailleur, departement, annee)
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
    else:
        messages.success(request, f"Version {envoi.version} transmise à vos réservataires.")
    return _revenir(presence, annee)


@require_POST
def accuser(request, pk: int):
    envoi = ouvrir(EnvoiProjection.objects.all(), request.acteur, pk=pk)
    projections.accuser_reception(request.acteur, envoi)
    messages.success(request, "Réception accusée.")
    return redirect("bilans:projection", envoi.bailleur_id, envoi.departement_id, envoi.annee)


@require_POST
def proposer(request, bailleur: int, departement: str, annee: int):
    presence = _presence(request, bailleur, departement)
    als = projections.als_de(presence.bailleur, departement, annee)
    if not projections.partie_de(request.acteur, bailleur, als):
        raise PermissionDenied("Le bailleur et Action Logement Services conviennent de cette part.")
    formulaire = FormulairePart(request.POST)
    if formulaire.is_valid():
        try:
            projections.proposer_part(
                request.acteur, presence.bailleur, departement, annee, **formulaire.cleaned_data
            )
        except ValidationError as erreur:
            formulaire.add_error(None, erreur)
        else:
            messages.success(request, "Proposition transmise à l’autre partie.")
            return _revenir(presence, annee)
    return _page(request, presence, annee, formulaire, status=422)


@require_POST
def accepter(request, pk: int):
    part = ouvrir(PartConvenue.objects.select_related("bailleur"), request.acteur, pk=pk)
    try:
        part = projections.accepter_part(request.acteur, part)
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
    else:
        messages.success(
            request,
            "Part convenue ; le préfet en est informé."
            if part.prefet_informe_le
            else "Part convenue. Personne n’a de compte à la DDETS : dites-la au préfet par un autre moyen.",
        )
    return redirect("bilans:projection", part.bailleur_id, part.departement_id, part.annee)


PAIRE = "projections/<identifiant:bailleur>/<departement:departement>/<annee:annee>"
urlpatterns = [
    path(f"{PAIRE}/", projection, name="projection"),
    path(f"{PAIRE}/transmettre/", envoyer, name="projection_envoyer"),
    path(f"{PAIRE}/part/", proposer, name="part_proposer"),
    path("projections/<identifiant:pk>/accuser/", accuser, name="projection_accuser"),
    path("projections/parts/<identifiant:pk>/accepter/", accepter, name="part_accepter"),
]
