"""The analysis of the refusals: motives by kind of dwelling, where it blocks, change over time; the page and its files."""

from typing import Any

from django.http import Http404
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from bilans.exports_refus import (
    COLONNES_BLOCAGES,
    COLONNES_MOMENTS,
    COLONNES_MOTIFS,
    LIBELLES_PORTEUR,
    lignes_des_blocages,
    lignes_des_moments,
    lignes_des_motifs,
    pourcent,
)
from bilans.forms_indicateurs import choisir
from bilans.forms_refus import FormulaireRefus
from bilans.regles.refus import LIBELLES_AXE, PLANCHER_DE_CLASSEMENT, Porteur, Taux
from bilans.services.indicateurs import Chiffre, Lecture, Lignes
from bilans.services.refus import NATURES, AnalyseRefus, Tableau, analyser_refus
from publics.regles.secret_statistique import SEUIL
from reservation.exports import FORMATS, exporter, nom_de_fichier

BLOCAGES_MONTRES = 25
TABLEAUX = {
    "motifs": ("Motifs", COLONNES_MOTIFS, lignes_des_motifs),
    "lieux": ("Lieux", COLONNES_BLOCAGES, lignes_des_blocages),
    "evolution": ("Évolution", COLONNES_MOMENTS, lignes_des_moments),
}
TITRES = {
    Porteur.CALEOL: ("La commission refuse", "candidatures examinées"),
    Porteur.MENAGE: ("Le ménage refuse", "attributions prononcées"),
    Porteur.RESERVATAIRE: ("Le réservataire ne désigne pas", "logements remis au réservataire"),
}


def _lire(request) -> tuple[FormulaireRefus, AnalyseRefus]:
    if Lecture.de(request.acteur) is None:
        raise Http404
    formulaire = choisir(request.acteur, request.GET, FormulaireRefus)
    return formulaire, analyser_refus(request.acteur, formulaire.demande_refus())


@require_safe
def refus(request):
    formulaire, lue = _lire(request)
    montres = lue.blocages[:BLOCAGES_MONTRES]
    return render(
        request,
        "bilans/refus/page.html",
        {
            "form": formulaire,
            "lue": lue,
            "contingent": dict(formulaire.fields["reservataire"].choices).get(lue.contingent, "")
            if "reservataire" in formulaire.fields
            else "",
            "axe": LIBELLES_AXE[lue.demande.axe],
            "tableaux": [_tableau(lue, t) for t in lue.tableaux],
            "blocages": [
                {
                    "lieu": lue.lieux.get(b.lieu, b.lieu),
                    "typologie": lue.typologies.get(b.typologie, b.typologie) if b.typologie else "toutes",
                    "refus": Chiffre(b.taux.refus, lue.lignes_du_blocage(b, "refus_menages")),
                    "base": Chiffre(b.taux.base, lue.lignes_du_blocage(b, "prononcees")),
                    "taux": pourcent(b.taux.part),
                    "largeur": int(b.taux.part * 200),
                }
                for b in montres
            ],
            "autres_blocages": len(lue.blocages) - len(montres),
            "plancher": PLANCHER_DE_CLASSEMENT,
            "porteurs": LIBELLES_PORTEUR.values(),
            "moments": [
                {
                    "annee": m.annee,
                    "trimestre": m.trimestre,
                    "taux": [
                        _taux(
                            t,
                            lue.lignes_du_moment(m, NATURES[p][0]),
                            lue.lignes_du_moment(m, NATURES[p][1]),
                        )
                        | {"qui": LIBELLES_PORTEUR[p]}
                        for p, t in m.taux.items()
                    ],
                }
                for m in lue.moments
            ],
            "requete": lue.demande.requete,
            "formats": FORMATS,
            "seuil": SEUIL,
        },
    )


def _tableau(lue: AnalyseRefus, tableau: Tableau) -> dict[str, Any]:
    """What the template prints: a line a motive, a column a class, each with its links."""
    croise = tableau.croisement
    titre, base = TITRES[tableau.porteur]
    classes = [(code, libelle) for code, libelle in lue.classes.items() if code in croise.classes]
    return {
        "cle": tableau.porteur.lower(),
        "titre": titre,
        "base": base,
        "qui": LIBELLES_PORTEUR[tableau.porteur],
        "croise": bool(croise.cellules),
        "classes": [
            {"libelle": libelle}
            | _taux(
                croise.classes[code],
                tableau.chiffre(0, classe=code).lignes,
                tableau.base(0, code).lignes,
            )
            for code, libelle in classes
        ],
        "motifs": [
            {
                "libelle": libelle,
                "total": tableau.chiffre(croise.motifs[code], code),
                "cellules": [
                    (nom, tableau.chiffre(croise.cellules.get((code, classe), 0), code, classe))
                    for classe, nom in classes
                ]
                if croise.cellules
                else [],
            }
            for code, libelle in lue.motifs.items()
            if code in croise.motifs
        ],
        "ensemble": _taux(croise.taux, tableau.chiffre(0).lignes, tableau.base(0).lignes),
    }


def _taux(taux: Taux, lignes: Lignes | None, lignes_base: Lignes | None) -> dict[str, Any]:
    return {
        "refus": Chiffre(taux.refus, None if taux.refus is None else lignes),
        "sur": Chiffre(taux.base, lignes_base),
        "taux": pourcent(taux.part),
    }


@require_safe
def exporter_refus(request, tableau: str, format_: str):
    """One of the tables of the page as a file: same demand, same numbers hidden."""
    if tableau not in TABLEAUX or format_ not in FORMATS:
        raise Http404
    _, lue = _lire(request)
    feuille, colonnes, lignes = TABLEAUX[tableau]
    nom = nom_de_fichier("refus", tableau, lue.demande.base.libelle, lue.demande.base.departement)
    return exporter(format_, nom, colonnes, lignes(lue), feuille)


urlpatterns = [
    path("refus/", refus, name="refus"),
    path("refus/<slug:tableau>.<str:format_>", exporter_refus, name="refus_export"),
]
