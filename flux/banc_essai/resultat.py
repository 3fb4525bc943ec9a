"""The result of a bailleur-year in the form that files and stdout carry, and that form itself."""

from collections.abc import Mapping
from typing import Any

from flux.regles.annee import ResultatAnnuel
from flux.regles.imputation import TITRES_ETAT, Imputation
from reservation.regles.actes import Soustraction
from reservation.regles.statut import STATUTS_DANS, STATUTS_HORS
from reservation.regles.typographie import decimales

from .champs import INVALIDE, Erreurs, montrer, refuser, signaler_doublons, sous

DECIMALES_PART = 4


def en_json(titre: str, resultat: ResultatAnnuel, imputations: Mapping[str, Imputation]) -> dict[str, Any]:
    """Plain JSON values, keys in the order of the format. `imputations`: by identifier of libération."""
    flux = resultat.flux
    hors_qpv = resultat.hors_qpv
    return {
        "titre": titre,
        "assiette": {
            "parc": resultat.assiette.parc,
            "soumis": resultat.assiette.soumis,
            "loues_ou_proposes": resultat.assiette.loues_ou_proposes,
            "dans": {statut.value: nombre for statut, nombre in resultat.assiette.dans.items()},
            "hors": {statut.value: nombre for statut, nombre in resultat.assiette.hors.items()},
        },
        "flux": {
            "liberations": flux.liberations,
            "premieres_hors_flux": flux.premieres_hors_flux,
            "soustractions": {usage.value: nombre for usage, nombre in flux.soustractions.items()},
            "flux": flux.flux,
            "flux_hors_qpv": flux.flux_hors_qpv,
        },
        "repartition": [
            {
                "reservataire": part.reservataire.code,
                "part_exacte": decimales(part.exacte, DECIMALES_PART),
                "objectif": part.objectif,
                "report": part.report,
                "objectif_total": part.objectif_total,
            }
            for part in resultat.partage.parts
        ],
        "agents_max": resultat.partage.agents_max,
        "imputations": {identifiant: list(imputation) for identifiant, imputation in imputations.items()},
        "realise": [
            {
                "reservataire": realise.reservataire.code,
                "attributions": realise.attributions,
                "baux": realise.baux,
                "echecs": realise.echecs,
                "realise": realise.realise,
                "ecart": realise.ecart,
                "atteint": realise.atteint,
            }
            for realise in resultat.realise
        ],
        "etat": {titre.value: nombre for titre, nombre in resultat.etat.items()},
        "etat_100": {
            "attributions": resultat.cent_pour_cent.attributions,
            "prioritaires": resultat.cent_pour_cent.prioritaires,
            "exceptions": resultat.cent_pour_cent.exceptions,
            "manque": resultat.cent_pour_cent.manque,
        },
        "quarts": [
            {
                "reservataire": quart.reservataire.code,
                "prioritaires": quart.prioritaires,
                "attributions": quart.attributions,
                "manque": quart.manque,
            }
            for quart in resultat.quarts
        ],
        "hors_qpv": None
        if hors_qpv is None
        else {"flux": hors_qpv.flux, "etat": hors_qpv.etat, "objectif": hors_qpv.objectif},
    }


class _Libre:
    """Any key: the identifiers of the libérations of the file."""


FORME: Mapping[str, Any] = {
    "titre": None,
    "assiette": {
        "parc": None,
        "soumis": None,
        "loues_ou_proposes": None,
        "dans": {statut.value: None for statut in STATUTS_DANS},
        "hors": {statut.value: None for statut in STATUTS_HORS},
    },
    "flux": {
        "liberations": None,
        "premieres_hors_flux": None,
        "soustractions": {usage.value: None for usage in Soustraction},
        "flux": None,
        "flux_hors_qpv": None,
    },
    "repartition": [dict.fromkeys(("reservataire", "part_exacte", "objectif", "report", "objectif_total"))],
    "agents_max": None,
    "imputations": _Libre,
    "realise": [
        dict.fromkeys(("reservataire", "attributions", "baux", "echecs", "realise", "ecart", "atteint"))
    ],
    "etat": {titre.value: None for titre in TITRES_ETAT},
    "etat_100": dict.fromkeys(("attributions", "prioritaires", "exceptions", "manque")),
    "quarts": [dict.fromkeys(("reservataire", "prioritaires", "attributions", "manque"))],
    "hors_qpv": dict.fromkeys(("flux", "etat", "objectif")),
}


def verifier_cles_attendues(valeur: Any, chemin: str, erreurs: Erreurs) -> Any:
    """`attendu` is any subset of the result: an object, without a key that no result has.

    A misspelt key would otherwise compare nothing and pass. Values are not judged here: a wrong one is a
    difference, not an invalid file.
    """
    if not isinstance(valeur, dict):
        return refuser(erreurs, chemin, f"reçu {montrer(valeur)}", "un objet, tout ou partie d’un résultat")
    avant = len(erreurs)
    _verifier_cles(valeur, FORME, chemin, erreurs)
    return valeur if len(erreurs) == avant else INVALIDE


def _verifier_cles(valeur: Any, forme: Any, chemin: str, erreurs: Erreurs) -> None:
    if isinstance(valeur, dict):
        signaler_doublons(valeur, chemin, erreurs)
        if isinstance(forme, Mapping):
            for cle, membre in valeur.items():
                if cle not in forme:
                    refuser(erreurs, sous(chemin, cle), "clé inconnue", f"une clé parmi {', '.join(forme)}")
                else:
                    _verifier_cles(membre, forme[cle], sous(chemin, cle), erreurs)
    elif isinstance(valeur, list) and isinstance(forme, list):
        for i, element in enumerate(valeur):
            _verifier_cles(element, forme[0], sous(chemin, i), erreurs)
