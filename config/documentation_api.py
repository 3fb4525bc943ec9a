"""The schema of the API, read for a page: resources, operations, fields, in the order of a reader's day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reservation.regles.typographie import typographier

VERBES = {"get": "GET", "post": "POST"}
FORMATS = {"date": "date", "date-time": "date et heure", "uri": "adresse", "decimal": "nombre, en texte"}
TYPES = {
    "string": "texte",
    "integer": "entier",
    "boolean": "true ou false",
    "number": "nombre",
    "object": "objet",
}
# Said once for all operations.
PARTOUT = frozenset({"If-None-Match", "If-Match"})


@dataclass
class Champ:
    """One field or parameter. `codes`: the only values possible, when they are few."""

    nom: str
    nature: str
    obligatoire: bool
    aide: str
    codes: list[str] = field(default_factory=list)


@dataclass
class Operation:
    """One verb on one address."""

    cle: str
    verbe: str
    chemin: str
    resume: str
    parametres: list[Champ]
    corps: list[Champ]
    succes: str
    reponse: list[Champ]
    liste: bool

    @property
    def essayable(self) -> bool:
        """Whether a signed-in browser can read it from a link."""
        return self.verbe == "GET" and "{" not in self.chemin


@dataclass
class Rubrique:
    """One resource."""

    cle: str
    titre: str
    aide: str
    operations: list[Operation] = field(default_factory=list)


def lire_schema(schema: dict[str, Any], titres: Mapping[str, str]) -> list[Rubrique]:
    """Resources in the order of `titres` (first word of their addresses → title)."""
    rubriques: dict[str, Rubrique] = {}
    for chemin, verbes in schema["paths"].items():
        for verbe, operation in verbes.items():
            [cle] = operation["tags"]
            aide = typographier(operation.get("description", ""))
            rubrique = rubriques.setdefault(cle, Rubrique(cle, titres[cle], aide))
            rubrique.operations.append(_operation(schema, chemin, verbe, operation))
    return [rubriques[cle] for cle in titres]


def _operation(schema: dict, chemin: str, verbe: str, operation: dict) -> Operation:
    code, succes = next((c, r) for c, r in operation["responses"].items() if c.startswith("2"))
    corps = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    contenu = succes.get("content", {}).get("application/json", {}).get("schema")
    rendu = _resoudre(schema, contenu or {})
    resultats = rendu.get("properties", {}).get("resultats")
    if resultats:
        rendu = _resoudre(schema, resultats["items"])
    return Operation(
        operation["operationId"],
        VERBES[verbe],
        chemin,
        typographier(operation["summary"]),
        [
            _parametre(schema, p)
            for p in operation.get("parameters", [])
            if p["name"] not in PARTOUT and p["in"] != "path"
        ],
        _champs(schema, _resoudre(schema, corps)),
        f"{code}, PDF" if contenu is None else code,
        _champs(schema, rendu),
        bool(resultats),
    )


def _resoudre(schema: dict, morceau: dict) -> dict:
    """What a reference names; a single `allOf` is what it holds."""
    if "$ref" in morceau:
        return schema["components"]["schemas"][morceau["$ref"].rpartition("/")[2]]
    for cle in ("allOf", "oneOf"):
        if cle in morceau:
            return _resoudre(schema, morceau[cle][0]) | {k: v for k, v in morceau.items() if k != cle}
    return morceau


def _parametre(schema: dict, parametre: dict) -> Champ:
    champ = _champ(schema, parametre["name"], parametre["schema"], parametre.get("required", False))
    champ.aide = typographier(parametre.get("description", "")) or champ.aide
    return champ


def _champs(schema: dict, objet: dict) -> list[Champ]:
    exiges = set(objet.get("required", ()))
    return [
        _champ(schema, nom, morceau, nom in exiges) for nom, morceau in objet.get("properties", {}).items()
    ]


def _champ(schema: dict, nom: str, morceau: dict, obligatoire: bool) -> Champ:
    lu = _resoudre(schema, morceau)
    aide = morceau.get("description", "") or (lu.get("description", "") if "enum" not in lu else "")
    aide = aide or _phrase(morceau.get("title", ""))
    codes = [str(code) for code in lu.get("enum", ()) if code not in (None, "")]
    return Champ(nom, _nature(schema, morceau), obligatoire, typographier(aide.partition("\n\n")[0]), codes)


def _phrase(titre: str) -> str:
    return f"{titre[:1].upper()}{titre[1:]}." if titre else ""


def _nature(schema: dict, morceau: dict) -> str:
    lu = _resoudre(schema, morceau)
    types = lu.get("type", "object")
    nul = (
        "null" in types
        if isinstance(types, list)
        else any(autre.get("type") == "null" for cle in ("oneOf", "anyOf") for autre in morceau.get(cle, ()))
    )
    premier = next((t for t in types if t != "null"), "object") if isinstance(types, list) else types
    if "enum" in lu:
        nature = "code"
    elif premier == "array":
        nature = f"liste de {_nature(schema, lu['items'])}"
    else:
        nature = FORMATS.get(lu.get("format", ""), TYPES[premier])
    return f"{nature}, ou null" if nul else nature
