"""The indicators of the priority households: the page, its files, and the lines behind each figure."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from bilans.exports_indicateurs import (
    COLONNES_ARTICLE_5,
    COLONNES_LIGNES,
    COLONNES_TESTS,
    lignes_de_l_article_5,
    lignes_des_tests,
)
from bilans.forms_indicateurs import FormulaireIndicateurs, FormulaireLignes, choisir
from bilans.regles.indicateurs import LIBELLES_PERIODE, SORTANTS
from bilans.services.compte_etat import LIBELLES, Compte
from bilans.services.indicateurs import Indicateurs, Lecture, Lignes, lire_indicateurs
from bilans.services.indicateurs_lignes import lecture_des_lignes, trouver
from publics.regles.secret_statistique import SEUIL
from reservation.exports import FORMATS, TropDeLignes, exporter, nom_de_fichier

PAR_PAGE = 50
TABLEAUX = {
    "tests": ("Tests", COLONNES_TESTS, lignes_des_tests),
    "article-5": ("Article 5", COLONNES_ARTICLE_5, lignes_de_l_article_5),
}
TITRES_LIGNES = {
    "attributions": "Attributions",
    "baux": "Baux signés",
    "etat": "Attributions de l’État",
    "dossiers": "Dossiers présentés en CALEOL",
    "refus_caleol": "Refus CALEOL",
    "refus_menages": "Refus des attributaires",
    "prononcees": "Attributions prononcées",
    "orientes": "Logements orientés",
    "demandees": "Logements remis à un réservataire",
    "refus_reservataires": "Refus des réservataires",
}


def _formulaire(request) -> FormulaireIndicateurs:
    if Lecture.de(request.acteur) is None:
        raise Http404
    return choisir(request.acteur, request.GET)


def _lire(request) -> tuple[FormulaireIndicateurs, Indicateurs]:
    formulaire = _formulaire(request)
    return formulaire, lire_indicateurs(request.acteur, formulaire.demande())


@require_safe
def indicateurs(request):
    formulaire, lus = _lire(request)
    return render(
        request,
        "bilans/indicateurs/page.html",
        {
            "form": formulaire,
            "lus": lus,
            "requete": lus.demande.requete,
            "formats": FORMATS,
            "seuil": SEUIL,
            "sortants": [label.libelle for label in sorted(SORTANTS)],
        },
    )


@require_safe
def exporter_indicateurs(request, tableau: str, format_: str):
    """One of the tables of the page as a file: same demand, same numbers hidden."""
    if tableau not in TABLEAUX or format_ not in FORMATS:
        raise Http404
    _, lus = _lire(request)
    feuille, colonnes, lignes = TABLEAUX[tableau]
    nom = nom_de_fichier("indicateurs", tableau, lus.demande.libelle, lus.demande.departement)
    return exporter(format_, nom, colonnes, lignes(lus), feuille)


def _demandees(request) -> tuple[Lignes, "object"]:
    formulaire = FormulaireLignes(request.GET)
    if not formulaire.is_valid():
        raise Http404
    demandees = Lignes(
        **{nom: valeur for nom, valeur in formulaire.cleaned_data.items() if valeur not in ("", None)}
    )
    trouvees = trouver(request.acteur, demandees)
    if trouvees is None:
        raise Http404
    return demandees, trouvees.lignes


@require_safe
def lignes(request):
    """The lines of one figure: as many as it says."""
    demandees, trouvees = _demandees(request)
    with lecture_des_lignes():
        page = Paginator(trouvees, PAR_PAGE).get_page(request.GET.get("page"))
        colonnes = COLONNES_LIGNES[demandees.nature]
        tableau = [
            (getattr(ligne, "liberation", ligne), [(c, c.valeur(ligne)) for c in colonnes]) for ligne in page
        ]
    return render(
        request,
        "bilans/indicateurs/lignes.html",
        {
            "fil": [("Indicateurs", reverse("bilans:indicateurs"))],
            "titre": TITRES_LIGNES[demandees.nature],
            "demandees": demandees,
            "periode": LIBELLES_PERIODE[demandees.periode],
            "compte": LIBELLES[Compte(demandees.compte)] if demandees.compte else "",
            "page": page,
            "colonnes": colonnes,
            "tableau": tableau,
            "base_page": f"{demandees.requete}&",
            "requete": demandees.requete,
            "formats": FORMATS,
        },
    )


@require_safe
def exporter_lignes(request, format_: str):
    if format_ not in FORMATS:
        raise Http404
    demandees, trouvees = _demandees(request)
    nom = nom_de_fichier(TITRES_LIGNES[demandees.nature], demandees.annee, demandees.departement)
    try:
        with lecture_des_lignes():
            return exporter(
                format_, nom, COLONNES_LIGNES[demandees.nature], trouvees.iterator(chunk_size=2000), "Lignes"
            )
    except TropDeLignes as erreur:
        messages.error(request, str(erreur))
        return redirect(f"{reverse('bilans:indicateurs_lignes')}?{demandees.requete}")


urlpatterns = [
    path("indicateurs/", indicateurs, name="indicateurs"),
    path("indicateurs/<slug:tableau>.<str:format_>", exporter_indicateurs, name="indicateurs_export"),
    path("indicateurs/lignes/", lignes, name="indicateurs_lignes"),
    path("indicateurs/lignes/export.<str:format_>", exporter_lignes, name="indicateurs_lignes_export"),
]
