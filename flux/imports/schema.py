"""The columns as a JSON Schema (draft 2020-12): what a bailleur's own software may check before it writes the file."""

from .colonnes import TABLEAUX, Tableau

_NOMS = {
    "LIBERATIONS": "Libérations",
    "COMMISSIONS": "Commissions et passages",
    "BAUX": "Réponses des ménages et baux",
    "SNE": "Extraction du SNE",
    "SYPLO": "Extraction de SYPLO",
    "IMHOWEB": "Extraction d’Imhoweb",
    "COMBINE": "Libérations, commissions et baux dans un seul tableau",
}


def schema_de(sujet: str, adresse: str) -> dict:
    """JSON Schema of one file: an array of lines. `adresse`: where it is published, its `$id`."""
    tableau = TABLEAUX[sujet]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": adresse,
        "title": _NOMS[sujet],
        "description": "Une ligne par événement. En CSV ou XLSX, le titre de la colonne vaut le nom du champ ; les dates "
        "s’y écrivent jj/mm/aaaa, oui ou non remplacent vrai et faux. Une cellule vide ne dit rien et n’efface rien.",
        "type": "array",
        "items": _ligne(tableau),
    }


def _ligne(tableau: Tableau) -> dict:
    return {
        "type": "object",
        "properties": {
            colonne.champ: {
                "title": colonne.titre,
                "description": colonne.aide,
                **colonne.forme,
                **({"x-libelles": dict(colonne.choix)} if colonne.choix else {}),
                "x-alias": sorted(colonne.alias),
            }
            for colonne in tableau.colonnes
        },
        "required": list(tableau.obligatoires),
        "additionalProperties": True,
    }
