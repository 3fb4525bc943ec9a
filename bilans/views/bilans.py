"""The bilans of an actor: the list, one bilan in full, its files, and the asking for its PDF."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Exists, F, IntegerField, OuterRef, Subquery
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from bilans.documents.modele import Cellule, Document, verdict
from bilans.exports import TYPE_XLSX
from bilans.filters import FiltreBilans
from bilans.forms import FormulaireAppreciation
from bilans.models import (
    Bilan,
    DocumentBilan,
    LotBilans,
    ProductionBilan,
)
from bilans.regles.coherence import ChiffresIncoherents
from bilans.regles.cycle import EtatBilan, Rubrique
from bilans.regles.donnees import ETAT, empreinte
from bilans.regles.verdicts import SANS_OBJET, juger_objectif
from bilans.services import exportations, productions
from bilans.services.cycle import etats_des_bilans, lire_cycle
from bilans.services.documents import composer_page, dernier_document, recomposer
from bilans.services.donnees_bilan import CalculAbsent, CalculPerime, lire_donnees
from bilans.services.recus import derniers_recus
from bilans.services.suivi_campagne import prochain_bilan
from flux.models import Nature, PartFlux
from reservation.regles.periodes import jour_a_paris
from reservation.regles.typographie import accorder
from reservation.views.edition import Edition, ModifieEntreTemps
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

from .cycle_suites import contexte_assiette, copils_de

PAR_PAGE = 50


@require_safe
def liste(request):
    filtre = FiltreBilans(request.GET, queryset=_bilans(request.acteur), acteur=request.acteur)
    page = Paginator(filtre.qs, PAR_PAGE).get_page(request.GET.get("page"))
    parametres = request.GET.copy()
    parametres.pop("page", None)
    for bilan in page:
        bilan.verdict = _verdict_etat(bilan)
        bilan.etat = EtatBilan(bilan.etat_cycle or EtatBilan.PREPARATION)
    peut_produire = Bilan.objects.modifiables_par(request.acteur).exists()
    return render(
        request,
        "bilans/liste.html",
        {
            "filtre": filtre,
            "page": page,
            "base_page": f"{parametres.urlencode()}&" if parametres else "",
            "echeance": prochain_bilan(request.acteur, jour_a_paris(timezone.now())),
            "recus": derniers_recus(request.acteur) if request.acteur.est_reservataire else [],
            "copils": copils_de(request.acteur) if request.acteur.est_copil else [],
            "a_ouvrir": productions.a_ouvrir(request.acteur).count() if _peut_ouvrir(request.acteur) else 0,
            "annee_produite": filtre.form.cleaned_data.get("annee")
            if peut_produire and filtre.is_valid()
            else "",
        },
    )


def _bilans(acteur):
    """Bilans of the perimeter with their last document, in the order of the list."""
    documents = DocumentBilan.objects.filter(bilan=OuterRef("pk")).order_by("-version")
    etat = PartFlux.objects.filter(
        calcul__bailleur=OuterRef("bailleur"),
        calcul__departement=OuterRef("departement"),
        calcul__annee=OuterRef("annee"),
        calcul__nature=Nature.DEFINITIF,
        calcul__en_vigueur=True,
        code=ETAT,
    )
    return (
        Bilan.objects.visibles_par(acteur)
        .select_related("bailleur", "departement")
        .annotate(
            realise=Subquery(etat.values("realise")),
            objectif=Subquery(etat.values("objectif_total")),
            derniere_version=Subquery(documents.values("version")[:1], output_field=IntegerField()),
            dernier_document=Subquery(documents.values("pk")[:1]),
            produit_le=Subquery(documents.values("produit_le")[:1]),
            donnees_au=Subquery(documents.values("donnees_au")[:1]),
            nombre_de_pages=Subquery(documents.values("pages")[:1]),
            etat_cycle=etats_des_bilans(),
            en_production=Exists(
                ProductionBilan.objects.filter(bilan=OuterRef("pk"), etat__in=ProductionBilan.OUVERTS)
            ),
        )
        .order_by("-annee", F("departement__nom_tri"), "bailleur__nom_tri", "pk")
    )


def _verdict_etat(bilan: Bilan) -> Cellule:
    """What the bilan will say of the État's objective; a dash while the flux is not computed."""
    if bilan.realise is None:
        return verdict(SANS_OBJET)
    return verdict(juger_objectif(bilan.realise - bilan.objectif, bilan.objectif, bilan.realise))


def _peut_ouvrir(acteur) -> bool:
    return acteur.peut_gerer and (acteur.est_bailleur or acteur.est_ddets)


@require_POST
def ouvrir_annees(request):
    """Make the missing bilans of the actor's perimeter."""
    nombre = productions.ouvrir_bilans(request.acteur)
    messages.success(request, f"{accorder(nombre, 'bilan ouvert', 'bilans ouverts')}.")
    return redirect("bilans:liste")


@require_safe
def detail(request, pk: int):
    bilan = ouvrir(Bilan.objects.select_related("bailleur", "departement"), request.acteur, pk=pk)
    return _page(request, bilan, Edition(request, "bilan", pk))


def _page(
    request,
    bilan: Bilan,
    edition: Edition,
    formulaire: FormulaireAppreciation | None = None,
    status: int = 200,
):
    dernier = dernier_document(bilan)
    suivi = lire_cycle(bilan)
    if suivi.document_soumis is not None:
        dernier = DocumentBilan.objects.get(pk=suivi.document_soumis.pk)
        document, marque, probleme, anomalies = recomposer(dernier), dernier.empreinte_donnees, "", ()
    else:
        document, marque, probleme, anomalies = _composer(bilan, dernier)
    modifiable = Bilan.objects.modifiables_par(request.acteur).filter(pk=bilan.pk).exists()
    redige = (
        modifiable
        and request.acteur.est_bailleur
        and not request.acteur.en_assistance
        and Rubrique.APPRECIATION in suivi.ouvertes
    )
    if redige and formulaire is None:
        formulaire = FormulaireAppreciation(initial={"appreciation": bilan.appreciation})
    return render(
        request,
        "bilans/bilan.html",
        {
            "fil": _fil(),
            "ici": f"{bilan.bailleur}, {bilan.departement}, {bilan.annee}",
            "bilan": bilan,
            "suivi": suivi,
            "document": document,
            "probleme": probleme,
            "anomalies": anomalies,
            "dernier": dernier,
            "a_jour": dernier is not None and dernier.empreinte_donnees == marque,
            "versions": bilan.documents.defer("donnees").order_by("-version"),
            "modifiable": modifiable,
            "production": _production(bilan),
            "form": formulaire if redige else None,
            "edition": edition,
            **(contexte_assiette(request.acteur, bilan) if suivi.soumissions else {}),
        },
        status=status,
    )


def _fil() -> list[tuple[str, str]]:
    return [("Bilans", reverse("bilans:liste"))]


def _composer(
    bilan: Bilan, dernier: DocumentBilan | None
) -> tuple[Document | None, str, str, tuple[str, ...]]:
    """(document of the live figures, their fingerprint, what prevents it, totals that disagree)."""
    try:
        donnees = lire_donnees(bilan)
    except (CalculAbsent, CalculPerime) as erreur:
        return None, "", str(erreur), ()
    except ChiffresIncoherents as erreur:
        return (
            None,
            "",
            "Des totaux ne concordent pas : ces chiffres ne peuvent pas être présentés.",
            erreur.anomalies,
        )
    marque = empreinte(donnees)
    return composer_page(donnees, marque, dernier), marque, "", ()


def _production(bilan: Bilan) -> ProductionBilan | None:
    return bilan.productions.select_related("document").order_by("-demande_le", "-pk").first()


@require_POST
def produire(request, pk: int):
    bilan = ouvrir_pour_ecrire(Bilan.objects.all(), request.acteur, pk=pk)
    try:
        productions.demander_production(request.acteur, bilan)
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
        return redirect("bilans:bilan", bilan.pk)
    messages.info(
        request, "Le PDF est demandé. Vous pouvez quitter cette page : il sera ici dès qu’il est prêt."
    )
    return redirect("bilans:bilan", bilan.pk)


@require_safe
def production(request, pk: int):
    """How far the PDF of a bilan is (fragment, asked again until it is done)."""
    bilan = ouvrir(Bilan.objects.all(), request.acteur, pk=pk)
    return render(
        request,
        "bilans/production.html",
        {
            "bilan": bilan,
            "production": _production(bilan),
            "dernier": dernier_document(bilan),
            "suivie": True,
        },
    )


@require_POST
def rediger(request, pk: int):
    bilan = ouvrir_pour_ecrire(Bilan.objects.select_related("bailleur", "departement"), request.acteur, pk=pk)
    if not request.acteur.est_bailleur:
        raise PermissionDenied("L’appréciation est écrite par le bailleur.")
    edition = Edition(request, "bilan", pk)
    formulaire = FormulaireAppreciation(request.POST)
    if not formulaire.is_valid():
        return _page(request, bilan, edition, formulaire, status=422)
    try:
        with edition.seul():
            productions.rediger_appreciation(request.acteur, bilan, formulaire.cleaned_data["appreciation"])
    except ModifieEntreTemps as erreur:
        formulaire.add_error(None, erreur)
        bilan.refresh_from_db()
        return _page(request, bilan, edition, formulaire, status=422)
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
        return redirect("bilans:bilan", bilan.pk)
    messages.success(request, "Appréciation enregistrée. Produisez le PDF pour qu’elle y figure.")
    return redirect("bilans:bilan", bilan.pk)


@require_POST
def produire_lot(request):
    """Ask for all the bilans of a year that the actor may produce."""
    try:
        annee = int(request.POST.get("annee", ""))
    except ValueError:
        raise Http404("Année inconnue.") from None
    if not _peut_ouvrir(request.acteur):
        raise PermissionDenied("Votre rôle ne permet pas de produire des bilans.")
    departement = request.POST.get("departement", "")
    if departement and not departement.isalnum():
        raise Http404("Département inconnu.")
    try:
        lot = productions.demander_lot(
            request.acteur, annee, departements=[departement] if departement else []
        )
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
        return redirect("bilans:liste")
    return redirect("bilans:lot", lot.pk)


@require_safe
def lot(request, pk: int):
    """The progress of documents asked together; the fragment alone when htmx asks."""
    ouvert = ouvrir(LotBilans.objects.all(), request.acteur, pk=pk)
    visibles = ProductionBilan.objects.visibles_par(request.acteur).filter(lot=ouvert)
    contexte = {
        "fil": _fil(),
        "ici": f"Production de {ouvert.annee}",
        "lot": ouvert,
        "avancement": productions.avancement(ouvert),
        "lignes": visibles.select_related("bailleur", "departement", "document").order_by(
            "departement__nom_tri", "bailleur__nom_tri", "pk"
        ),
    }
    gabarit = "bilans/lot_avancement.html" if request.htmx else "bilans/lot.html"
    return render(request, gabarit, contexte)


@require_safe
def pdf(request, pk: int):
    document = ouvrir(DocumentBilan.objects.defer("donnees"), request.acteur, pk=pk)
    return FileResponse(
        document.fichier.open("rb"),
        filename=f"{document.numero}.pdf",
        content_type="application/pdf",
    )


@require_safe
def xlsx(request, pk: int):
    document = ouvrir(
        DocumentBilan.objects.select_related("bilan", "bailleur", "departement"), request.acteur, pk=pk
    )
    return HttpResponse(
        exportations.lire_classeur(document),
        content_type=TYPE_XLSX,
        headers={"Content-Disposition": f'attachment; filename="{document.numero}.xlsx"'},
    )


urlpatterns = [
    path("bilans/", liste, name="liste"),
    path("bilans/ouvrir/", ouvrir_annees, name="ouvrir"),
    path("bilans/lots/", produire_lot, name="produire_lot"),
    path("bilans/lots/<identifiant:pk>/", lot, name="lot"),
    path("bilans/documents/<identifiant:pk>.pdf", pdf, name="pdf"),
    path("bilans/documents/<identifiant:pk>.xlsx", xlsx, name="xlsx"),
    path("bilans/<identifiant:pk>/", detail, name="bilan"),
    path("bilans/<identifiant:pk>/appreciation/", rediger, name="appreciation"),
    path("bilans/<identifiant:pk>/production/", production, name="production"),
    path("bilans/<identifiant:pk>/produire/", produire, name="produire"),
]
