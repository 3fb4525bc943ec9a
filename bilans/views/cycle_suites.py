"""What is done beside the life of a bilan: the point d'étape sent, the assiette agreed, what the COPIL opens."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import OuterRef, Subquery
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_POST, require_safe

from bilans.documents.cycle_copil import composer_copil
from bilans.models import Bilan, VersionCopil
from bilans.regles.cycle_copil import BilanCopil
from bilans.regles.donnees import relire
from bilans.services import points
from flux.models import AssietteConvenue
from flux.services import assiettes
from reservation.views.porte import ouvrir

from .reponses import repondre_pdf


class FormulairePoint(forms.Form):
    empreinte = forms.CharField(widget=forms.HiddenInput, max_length=64)
    observation = forms.CharField(
        label="Observation",
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Lue par la DDETS.",
    )


class FormulaireAssiette(forms.Form):
    observation = forms.CharField(
        label="Observation", required=False, max_length=500, help_text="Lue par l’autre partie."
    )


def contexte_point(acteur, bilan: Bilan, dernier, a_jour: bool) -> dict:
    """What the page of the life of a bilan says of its points d'étape."""
    semestre = points.semestre_a_dire(bilan, dernier) if a_jour else None
    faits = points.points_de(bilan)
    deja = any(point.document_id == dernier.pk for point in faits) if dernier else False
    return {
        "points": faits,
        "semestre": semestre,
        "point_deja": deja,
        "point_form": FormulairePoint(initial={"empreinte": dernier.empreinte_donnees}, auto_id="id_point_%s")
        if semestre and not deja and points.peut_transmettre(acteur, bilan)
        else None,
    }


def contexte_assiette(acteur, bilan: Bilan) -> dict:
    """The assiette of the year after, as the two parties agree on it."""
    annee, lieu = bilan.annee + 1, (bilan.bailleur_id, bilan.departement_id)
    versions = assiettes.versions_de(acteur, *lieu, annee)
    calculee = assiettes.assiette_calculee(*lieu, annee)
    proposee = next((v for v in versions if v.etat == AssietteConvenue.Etat.PROPOSEE), None)
    convient = assiettes.convient(acteur, *lieu)
    derniere = versions[0] if versions else None
    nouvelle = calculee is not None and (
        derniere is None
        or (derniere.millesime, derniere.parc, derniere.logements)
        != (calculee.millesime, calculee.parc, calculee.soumis)
    )
    return {
        "annee_assiette": annee,
        "cle_assiette": f"{lieu[0]}-{lieu[1]}-{annee}",
        "assiettes": versions,
        "assiette_convenue": next((v for v in versions if v.etat == AssietteConvenue.Etat.ACCEPTEE), None),
        "assiette_calculee": calculee,
        "assiette_a_accepter": proposee
        if proposee and convient and proposee.proposee_pour_id != acteur.organisation_id
        else None,
        "assiette_form": FormulaireAssiette(auto_id="id_assiette_%s") if convient and nouvelle else None,
    }


def _bilan(request, pk: int) -> Bilan:
    return ouvrir(Bilan.objects.select_related("bailleur", "departement"), request.acteur, pk=pk)


@require_POST
def transmettre_point(request, pk: int):
    bilan = _bilan(request, pk)
    if not points.peut_transmettre(request.acteur, bilan):
        raise PermissionDenied(
            "Le point d’étape est transmis par une personne du bailleur qui a le rôle Gestion."
        )
    lu = FormulairePoint(request.POST)
    try:
        if not lu.is_valid():
            raise ValidationError("Produisez le PDF et relisez-le : c’est lui que vous transmettez.")
        point = points.transmettre_point(
            request.acteur, bilan, lu.cleaned_data["empreinte"], lu.cleaned_data["observation"]
        )
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
    else:
        messages.success(
            request, f"Point d’étape transmis à la DDETS et à vos réservataires, version {point.version}."
        )
    return redirect("bilans:suivi", bilan.pk)


@require_POST
def proposer_assiette(request, pk: int):
    bilan = _bilan(request, pk)
    if not assiettes.convient(request.acteur, bilan.bailleur_id, bilan.departement_id):
        raise PermissionDenied("L’assiette est convenue entre le bailleur et la DDETS du département.")
    lu = FormulaireAssiette(request.POST)
    try:
        if not lu.is_valid():
            raise ValidationError("L’observation compte 500 caractères au plus.")
        assiettes.proposer_assiette(
            request.acteur,
            bilan.bailleur,
            bilan.departement_id,
            bilan.annee + 1,
            lu.cleaned_data["observation"],
        )
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
    else:
        messages.success(request, "Assiette proposée : l’autre partie en est prévenue.")
    return redirect(f"{reverse('bilans:suivi', args=[bilan.pk])}#assiette")


@require_POST
def accepter_assiette(request, pk: int):
    assiette = ouvrir(AssietteConvenue.objects.all(), request.acteur, pk=pk)
    try:
        assiette = assiettes.accepter_assiette(request.acteur, assiette)
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
    else:
        messages.success(request, f"L’assiette {assiette.annee} est convenue.")
    bilan = Bilan.objects.visibles_par(request.acteur).filter(
        bailleur=assiette.bailleur_id, departement=assiette.departement_id, annee=assiette.annee - 1
    )
    suivi = bilan.values_list("pk", flat=True).first()
    return redirect(f"{reverse('bilans:suivi', args=[suivi])}#assiette" if suivi else "bilans:liste")


# --- The COPIL ----------------------------------------------------------------------------------------------------


def copils_de(acteur):
    """Of each validated bilan of the départements of `acteur`, the last version."""
    versions = VersionCopil.objects.filter(bilan=OuterRef("bilan")).order_by("-version", "-pk")
    return (
        VersionCopil.objects.visibles_par(acteur)
        .filter(pk=Subquery(versions.values("pk")[:1]))
        .select_related("bailleur", "departement")
        .defer("octets", "donnees")
        .order_by("-annee", "departement__nom_tri", "bailleur__nom_tri", "pk")
    )


@require_safe
def copil(request, pk: int):
    version = ouvrir(
        VersionCopil.objects.select_related("bailleur", "departement").defer("octets"), request.acteur, pk=pk
    )
    return render(
        request,
        "bilans/cycle/copil.html",
        {
            "fil": [("Bilans", reverse("bilans:liste"))],
            "ici": f"{version.bailleur}, {version.departement}, {version.annee}",
            "version": version,
            "document": composer_copil(
                relire(BilanCopil, version.donnees), version.numero, version.empreinte_donnees
            ),
        },
    )


@require_safe
def copil_pdf(request, pk: int):
    version = ouvrir(VersionCopil.objects.select_related("bailleur"), request.acteur, pk=pk)
    if version.octets is None:
        raise Http404("Ce PDF n’est pas encore produit.")
    return repondre_pdf(version.octets, version.numero)


urlpatterns = [
    path("bilans/<identifiant:pk>/point/", transmettre_point, name="point"),
    path("bilans/<identifiant:pk>/assiette/", proposer_assiette, name="assiette_proposer"),
    path("bilans/assiettes/<identifiant:pk>/accepter/", accepter_assiette, name="assiette_accepter"),
    path("bilans/valides/<identifiant:pk>/", copil, name="copil"),
    path("bilans/valides/<identifiant:pk>.pdf", copil_pdf, name="copil_pdf"),
]
