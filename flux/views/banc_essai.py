"""The test bench in the browser: drop a scenario or pick a shipped one, read the steps with their articles.

Nothing is stored and nothing is read from the database: the same pure functions as the command `banc_essai`.
"""

import json

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from flux.banc_essai import Examen, examiner, lister_cas_livres
from flux.regles.imputation import decrire_imputation

TAILLE_MAX = 2 * 1024 * 1024


class FormulaireScenario(forms.Form):
    fichier = forms.FileField(
        label="Un scénario de votre main",
        help_text="Un fichier JSON de 2 Mo au plus. Il n’est ni gardé, ni transmis.",
        error_messages={"required": "Choisissez un fichier JSON."},
    )

    def clean_fichier(self):
        fichier = self.cleaned_data["fichier"]
        if fichier.size > TAILLE_MAX:
            raise forms.ValidationError(
                f"Ce fichier pèse {fichier.size // 1024} Ko ; attendu : {TAILLE_MAX // 1024} Ko au plus."
            )
        return fichier


def banc_essai(request):
    """GET: the shipped cases. POST of a file: its verdict, never stored."""
    formulaire = FormulaireScenario(request.POST or None, request.FILES or None)
    contexte = {"form": formulaire, "cas_livres": [_resume(cas) for cas in lister_cas_livres()]}
    if request.method == "POST" and formulaire.is_valid():
        fichier = formulaire.cleaned_data["fichier"]
        contexte |= _verdict(examiner(fichier.read(), fichier.name))
    return render(request, "flux/banc_essai/page.html", contexte)


@require_safe
def cas(request, cle: str):
    """The verdict of one shipped case."""
    examen = examiner(_contenu(cle), cle)
    contexte = {
        "form": FormulaireScenario(),
        "cas_livres": [_resume(c) for c in lister_cas_livres()],
        "cle": cle,
    }
    return render(request, "flux/banc_essai/page.html", contexte | _verdict(examen))


@require_safe
def telecharger(request, cle: str):
    """The file of a shipped case, to start one's own from."""
    reponse = HttpResponse(_contenu(cle), content_type="application/json")
    reponse["Content-Disposition"] = f'attachment; filename="{cle}.json"'
    return reponse


def _contenu(cle: str) -> bytes:
    for livre in lister_cas_livres():
        if livre.cle == cle:
            return livre.chemin.read_bytes()
    raise Http404


def _resume(livre) -> dict:
    donnees = json.loads(livre.chemin.read_bytes())
    return {"cle": livre.cle, "titre": donnees["titre"], "source": donnees.get("source", "")}


def _verdict(examen: Examen) -> dict:
    """What the template prints; it decides nothing."""
    if examen.erreurs:
        return {"examen": examen, "verdict": "invalide"}
    return {
        "examen": examen,
        "verdict": {None: "calcule", True: "conforme", False: "different"}[examen.conforme],
        "imputations": [
            {
                "liberation": liberation,
                "libelle": decrire_imputation(explication.imputation),
                "etapes": explication.etapes,
                "ecartes": [
                    f"{decrire_imputation(e.imputation)} – {e.raison}" for e in explication.titres_ecartes
                ],
            }
            for liberation, explication in (examen.explications or {}).items()
        ],
        "json": json.dumps(examen.resultat, ensure_ascii=False, indent=1),
    }


urlpatterns = [
    path("banc-essai/", banc_essai, name="banc_essai"),
    path("banc-essai/<slug:cle>/", cas, name="banc_essai_cas"),
    path("banc-essai/<slug:cle>/fichier/", telecharger, name="banc_essai_fichier"),
]
