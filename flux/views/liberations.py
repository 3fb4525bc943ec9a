"""Freed dwellings: the list with its counters, its saved filters and its export, and one page for the story of each."""

from collections.abc import Iterable
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from flux.exports import COLONNES_LIBERATIONS
from flux.filters import RETARD, FiltreLiberations
from flux.forms_saisie import FormulaireFiltre
from flux.models import Attribution, EtapeLiberation, FiltreEnregistre, Imputation, Liberation, Usage
from flux.regles.imputation import Imputation as TitreImpute
from flux.regles.imputation import decrire_imputation
from flux.regles.offre import EtatOffre, situation_offre
from flux.services.filtres import enregistrer_filtre, supprimer_filtre
from flux.services.imputations import expliquer
from flux.views import declaration, lots
from flux.views.actes import executer, jetons_recus, reporter
from flux.views.actes import formulaire as remplir
from flux.views.etapes import ACTES, Situation, frise
from flux.views.exceptions import exceptions_de, labels_a_decider
from publics.models import Labellisation
from reservation.acteur import Acteur
from reservation.exports import FORMATS, TropDeLignes, exporter, nom_de_fichier
from reservation.models import Organisation
from reservation.regles.typographie import accorder, typographier
from reservation.views.edition import Edition
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

PAR_PAGE = 50


# --- The list ---------------------------------------------------------------------------------------------------


def _filtrer(request) -> FiltreLiberations:
    return FiltreLiberations(
        request.GET,
        queryset=Liberation.objects.visibles_par(request.acteur)
        .select_related("commune", "reservataire", "bailleur")
        .prefetch_related(
            Prefetch(
                "attributions",
                Attribution.objects.visibles_par(request.acteur).order_by("date_caleol", "pk"),
            ),
            Prefetch(
                "imputations",
                Imputation.objects.visibles_par(request.acteur)
                .select_related("reservataire")
                .order_by("annee"),
            ),
        ),
        acteur=request.acteur,
    )


def preparer(liberations: Iterable[Liberation]) -> Iterable[Liberation]:
    """What the list and its export say of each: its last attribution, under which title it counts."""
    for liberation in liberations:
        attributions = list(liberation.attributions.all())
        liberation.derniere_attribution = attributions[-1] if attributions else None
        imputations = list(liberation.imputations.all())
        liberation.titre = _titre(imputations[-1]) if imputations else ""
        yield liberation


@require_safe
def liste(request):
    filtre = _filtrer(request)
    return _page_liste(request, filtre, FormulaireFiltre())


def _page_liste(request, filtre: FiltreLiberations, nouveau: forms.Form, status: int = 200):
    page = Paginator(filtre.qs, PAR_PAGE).get_page(request.GET.get("page"))
    parametres = request.GET.copy()
    parametres.pop("page", None)
    criteres = parametres.urlencode()
    return render(
        request,
        "flux/liberations/liste.html",
        {
            "filtre": filtre,
            "page": page,
            "lignes": list(preparer(page)),
            "base_page": f"{criteres}&" if criteres else "",
            "criteres": criteres,
            "compteurs": _compteurs(request.acteur, request.GET.get("etape", "")),
            "enregistres": FiltreEnregistre.objects.visibles_par(request.acteur),
            "nouveau": nouveau,
            "saisit": request.acteur.est_bailleur and request.acteur.peut_gerer,
            "formats": FORMATS,
        },
        status=status,
    )


LIBELLES_COMPTEURS = {
    EtapeLiberation.A_ORIENTER: "à orienter",
    EtapeLiberation.CANDIDATS: "en attente de candidats",
    EtapeLiberation.CALEOL: "à présenter en CALEOL",
    EtapeLiberation.CONDITION: "sous condition suspensive",
    EtapeLiberation.A_OFFRIR: "offres à notifier",
    EtapeLiberation.OFFRE: "offres en cours",
    EtapeLiberation.BAIL: "baux à signer",
}


def _compteurs(acteur, choisi: str) -> list[dict]:
    """How many libérations wait for each step: one query; each number leads to its lines."""
    nombres = (
        Liberation.objects.visibles_par(acteur).attendues_de(acteur).compter_par_etape(timezone.localdate())
    )
    adresse = reverse("flux:liberations")
    retard = nombres[RETARD]
    return [
        {
            "nombre": nombres[etape],
            "libelle": libelle,
            "url": f"{adresse}?{urlencode({'etape': etape})}",
            "actif": choisi == etape,
            "retard": accorder(retard, "hors délai", "hors délai")
            if etape == EtapeLiberation.OFFRE and retard
            else "",
            "url_retard": f"{adresse}?{urlencode({'etape': RETARD})}",
        }
        for etape, libelle in LIBELLES_COMPTEURS.items()
    ]


@require_safe
def exporter_liste(request, format_: str):
    """What the list shows, all pages, as a file: same filters, same visibility."""
    if format_ not in FORMATS:
        raise Http404
    lignes = preparer(_filtrer(request).qs.iterator(chunk_size=2000))
    try:
        return exporter(
            format_,
            nom_de_fichier("libérations", timezone.localdate()),
            COLONNES_LIBERATIONS,
            lignes,
            feuille="Libérations",
        )
    except TropDeLignes as erreur:
        messages.error(request, str(erreur))
        return redirect(f"{reverse('flux:liberations')}?{request.GET.urlencode()}")


@require_POST
def garder_filtre(request):
    """Keep the criteria of the query string under a name, for oneself."""
    formulaire = FormulaireFiltre(request.POST)
    if formulaire.is_valid():
        try:
            filtre = enregistrer_filtre(
                request.acteur, nom=formulaire.cleaned_data["nom"], requete=request.GET.urlencode()
            )
        except ValidationError as erreur:
            reporter(formulaire, erreur)
        else:
            messages.success(request, typographier(f"Filtre « {filtre.nom} » enregistré."))
            return redirect(f"{reverse('flux:liberations')}?{filtre.requete}")
    return _page_liste(request, _filtrer(request), formulaire, status=422)


@require_POST
def retirer_filtre(request, pk: int):
    filtre = ouvrir_pour_ecrire(FiltreEnregistre.objects.all(), request.acteur, pk=pk)
    supprimer_filtre(request.acteur, filtre)
    messages.success(request, typographier(f"Filtre « {filtre.nom} » supprimé."))
    return redirect("flux:liberations")


# --- One libération -----------------------------------------------------------------------------------------------


AVEC_SES_NOMS = ("commune", "reservataire", "bailleur", "cree_par")


@require_safe
def detail(request, pk: int):
    liberation = ouvrir(Liberation.objects.select_related(*AVEC_SES_NOMS), request.acteur, pk=pk)
    return _page(request, liberation, edition=Edition(request, "liberation", pk))


def _page(
    request,
    liberation: Liberation,
    *,
    edition: Edition,
    fautif: "tuple[str, forms.Form] | None" = None,
    status: int = 200,
):
    """The page of a libération; `fautif`: the action whose form came back with errors, possible still or not."""
    situation = Situation(request.acteur, liberation, fautif)
    lignes = list(
        Imputation.objects.visibles_par(request.acteur)
        .filter(liberation=liberation)
        .select_related("reservataire", "liberation__reservataire")
        .order_by("annee")
    )
    cites = {label["id"] for ligne in lignes for label in ligne.explication["labels"]}
    vivante = situation.vivante
    return render(
        request,
        "flux/liberations/detail.html",
        {
            "liberation": liberation,
            "frise": frise(situation),
            "edition": edition,
            "attente": _attente(request.acteur, liberation, vivante),
            "jours_libre": _jours_libre(request.acteur, liberation, vivante),
            "maintenant": timezone.now(),
            "imputations": [_explication(ligne, request.acteur) for ligne in lignes],
            "exceptions": exceptions_de(request.acteur, liberation),
            "a_decider": labels_a_decider(request.acteur, liberation, situation.attributions),
            "labels": Labellisation.objects.motif_lisible_par(request.acteur)
            .filter(pk__in=cites)
            .order_by("debut", "pk"),
        },
        status=status,
    )


def _attente(acteur: Acteur, liberation: Liberation, vivante: Attribution | None) -> tuple[str, str]:
    """Where the libération stands, in two or three words, and the look of its badge."""
    if liberation.annulee_le:
        return "annulée", ""
    if vivante is None and acteur.est_reservataire and liberation.designation_echouee_le:
        return "revenue au bailleur", ""  # what it did of it is not this reader's
    if vivante is None:
        if not liberation.dans_assiette:
            return "hors assiette", ""
        if liberation.reservataire_id is None and liberation.usage == Usage.FLUX:
            return "à orienter", "new"
        return "à attribuer", "new"
    passage = vivante.passage
    if passage and passage.condition_piece_id and not passage.condition_levee_le and not vivante.date_bail:
        return "attribuée sous condition", "warning"
    situation = situation_offre(
        offre_le=vivante.offre_le,
        acceptee_le=vivante.acceptee_le,
        refusee_le=vivante.refusee_le,
        date_bail=vivante.date_bail,
        jour=timezone.localdate(),
    )
    return {
        EtatOffre.A_NOTIFIER: ("attribuée, offre à notifier", "info"),
        EtatOffre.EN_COURS: ("offre en cours", "info"),
        EtatOffre.SILENCE: ("offre sans réponse", "warning"),
        EtatOffre.ACCEPTEE: ("attribuée, bail attendu", "info"),
        EtatOffre.BAIL: ("bail signé", "success"),
    }[situation.etat]


def _jours_libre(
    acteur: Acteur, liberation: Liberation, vivante: Attribution | None
) -> tuple[str, str] | None:
    """For how long the dwelling has been, or was, free; None when it is not yet."""
    bail = vivante.date_bail if vivante else None
    jours = ((bail or timezone.localdate()) - liberation.date).days
    if acteur.est_reservataire and liberation.designation_echouee_le and bail is None:
        return None
    if jours < 0 or liberation.annulee_le is not None:
        return None
    return ("Libre pendant" if bail else "Libre depuis"), accorder(jours, "jour")


def _explication(ligne: Imputation, acteur) -> dict:
    """Why a libération counts where it does: the title kept, the facts, the texts, the titles not kept."""
    explication = expliquer(ligne, acteur)
    noms = _noms(ligne, ligne.liberation.reservataire)
    *etapes, titre = explication.etapes
    memes = (
        Imputation.objects.visibles_par(acteur)
        .attribuees_en(ligne.annee)
        .filter(
            bailleur=ligne.bailleur_id,
            departement=ligne.departement_id,
            titre=ligne.titre,
            detail=ligne.detail,
        )
        .count()
    )
    return {
        "annee": ligne.annee,
        "libelle": _titre(ligne),
        "memes": memes,
        "calculee_le": ligne.calculee_le,
        "etapes": [(etape.libelle, _nommer(etape.affichage, noms), etape.detail) for etape in etapes],
        "articles": list(dict.fromkeys(e.article for e in (*etapes, titre) if e.article)),
        "convention": ligne.explication["convention"],
        "ecartes": [
            (_nommer(decrire_imputation(ecarte.imputation), noms), ecarte.raison)
            for ecarte in explication.titres_ecartes
        ],
    }


def _titre(imputation: Imputation) -> str:
    """ "Ville de Cannes, prioritaire": what the rules say with codes, with the names that people know."""
    return _nommer(decrire_imputation(TitreImpute(imputation.titre, imputation.detail)), _noms(imputation))


def _noms(imputation: Imputation, oriente: Organisation | None = None) -> dict[str, str]:
    """Code of a contingent → its name, for those that this imputation may speak of. `oriente`: the réservataire of the
    dwelling, whose title was put aside when its designation failed."""
    noms = {"ETAT": "État", "ALS": "Action Logement Services", "BAILLEUR": "Bailleur (non réservé)"}
    for reservataire in filter(None, (imputation.reservataire, oriente)):
        noms.setdefault(reservataire.code_reservataire, reservataire.nom)
    return noms


def _nommer(texte: str, noms: dict[str, str]) -> str:
    code, virgule, suite = texte.partition(",")
    return f"{noms.get(code, code)}{virgule}{suite}"


@require_POST
def accomplir(request, pk: int, nom: str):
    """Do one act on a libération; a form with errors, or with something to confirm, comes back where it stands."""
    if nom not in ACTES:
        raise Http404
    liberation = ouvrir_pour_ecrire(Liberation.objects.select_related(*AVEC_SES_NOMS), request.acteur, pk=pk)
    edition = Edition(request, "liberation", pk)
    acte = ACTES[nom]
    formulaire = remplir(nom, acte, liberation, request.POST)
    if formulaire.is_valid():
        try:
            with edition.seul():
                fait = executer(request.acteur, acte, liberation, formulaire, jetons_recus(request.POST))
        except ValidationError as erreur:
            reporter(formulaire, erreur)
        else:
            if fait:
                messages.success(request, fait)
                return redirect("flux:liberation", liberation.pk)
    if edition.changements:
        liberation.refresh_from_db()
    return _page(request, liberation, edition=edition, fautif=(nom, formulaire), status=422)


urlpatterns = [
    path("liberations/", liste, name="liberations"),
    path("liberations/export.<str:format_>", exporter_liste, name="liberations_export"),
    path("liberations/filtres/", garder_filtre, name="filtre_garder"),
    path("liberations/filtres/<int:pk>/supprimer/", retirer_filtre, name="filtre_retirer"),
    *declaration.urlpatterns,
    *lots.urlpatterns,
    path("liberations/<int:pk>/", detail, name="liberation"),
    path("liberations/<int:pk>/<slug:nom>/", accomplir, name="liberation_acte"),
]
