"""What a tagged PDF owes its reader (PDF/UA-1, Matterhorn protocol), read in its bytes: one sentence for each fault."""

import io
import re
from collections.abc import Iterator

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

TITRES = re.compile(r"/H([1-6])$")
ARCHIVE_BALISEE = re.compile(rb"pdfaid:conformance(=\"|>)A\b")
# What opens and closes a piece of content that a tag holds, or that is said to be decoration.
_MARQUES = re.compile(rb"\b(BDC|BMC|EMC)\b")


def _elements(
    noeud, parent: DictionaryObject | None = None
) -> Iterator[tuple[DictionaryObject, DictionaryObject]]:
    """Every structure element of the tree, in reading order, with its parent."""
    if isinstance(noeud, IndirectObject):
        noeud = noeud.get_object()
    if isinstance(noeud, ArrayObject):
        for enfant in noeud:
            yield from _elements(enfant, parent)
    elif isinstance(noeud, DictionaryObject):
        if "/S" in noeud:
            yield noeud, parent
        if "/K" in noeud:
            yield from _elements(noeud["/K"], noeud if "/S" in noeud else parent)


def _sous(noeud: DictionaryObject, genre: str) -> list[DictionaryObject]:
    return [e for e, _ in _elements(noeud.get("/K", ArrayObject())) if e["/S"] == genre]


def fautes_pdf(octets: bytes) -> list[str]:
    lecteur = PdfReader(io.BytesIO(octets))
    racine, fautes = lecteur.trailer["/Root"], []
    if not racine.get("/MarkInfo", {}).get("/Marked"):
        fautes.append("le document n’est pas dit balisé")
    if not str(racine.get("/Lang", "")).startswith("fr"):
        fautes.append("la langue du document n’est pas le français")
    if not (lecteur.metadata and (lecteur.metadata.title or "").strip()):
        fautes.append("le document n’a pas de titre")
    if not racine.get("/ViewerPreferences", {}).get("/DisplayDocTitle"):
        fautes.append("la fenêtre montre le nom du fichier, pas le titre")
    xmp = racine["/Metadata"].get_object().get_data() if "/Metadata" in racine else b""
    # What is archived says PDF/A of level A, which is the tagged one; everything else says PDF/UA.
    if b"pdfuaid:part" not in xmp and not ARCHIVE_BALISEE.search(xmp):
        fautes.append("le document ne se dit ni PDF/UA ni PDF/A de niveau A")
    if "/StructTreeRoot" not in racine:
        return [*fautes, "le document n’a pas d’arbre de structure"]
    elements = list(_elements(racine["/StructTreeRoot"]))
    return (
        fautes
        + _titres(elements)
        + _figures(elements)
        + _tableaux(elements)
        + _listes(elements)
        + _pages(lecteur)
    )


def _titres(elements) -> list[str]:
    niveaux = [int(trouve.group(1)) for e, _ in elements if (trouve := TITRES.match(e["/S"]))]
    if not niveaux:
        return ["aucun titre"]
    fautes = [] if niveaux[0] == 1 and niveaux.count(1) == 1 else [f"titres de niveau 1 : {niveaux.count(1)}"]
    sauts = [(a, b) for a, b in zip(niveaux, niveaux[1:], strict=False) if b > a + 1]
    return fautes + [f"un titre de niveau {b} suit un titre de niveau {a}" for a, b in sauts]


def _figures(elements) -> list[str]:
    return [
        "une figure n’a pas d’alternative"
        for e, _ in elements
        if e["/S"] in ("/Figure", "/Formula") and not str(e.get("/Alt", "")).strip()
    ]


def _tableaux(elements) -> list[str]:
    fautes = []
    for tableau in (e for e, _ in elements if e["/S"] == "/Table"):
        entetes, cellules = _sous(tableau, "/TH"), _sous(tableau, "/TD")
        if not entetes and len(cellules) > 1:
            fautes.append("un tableau n’a pas d’en-tête")
        # A header says how far it reaches, or else each cell names its headers.
        if all("/Scope" in str(th.get("/A", "")) for th in entetes):
            continue
        fautes += [
            "une cellule n’est liée à aucun en-tête"
            for td in cellules
            if "/Headers" not in str(td.get("/A", ""))
        ]
    fautes += [
        f"{e['/S']} hors d’une rangée"
        for e, parent in elements
        if e["/S"] in ("/TH", "/TD") and (parent is None or parent["/S"] != "/TR")
    ]
    return fautes


def _listes(elements) -> list[str]:
    return [
        "un élément de liste hors d’une liste"
        for e, parent in elements
        if e["/S"] == "/LI" and (parent is None or parent["/S"] != "/L")
    ]


def _pages(lecteur: PdfReader) -> list[str]:
    """Each page is tied to the tree, follows it with Tab, and says of each drawn thing whether it is content."""
    fautes = []
    for rang, page in enumerate(lecteur.pages, 1):
        if "/StructParents" not in page:
            fautes.append(f"page {rang} hors de l’arbre de structure")
        if page.get("/Tabs") != "/S" and "/Annots" in page:
            fautes.append(f"page {rang} : ses liens ne suivent pas la structure")
        contenu = page.get_contents()
        marques = _MARQUES.findall(contenu.get_data()) if contenu is not None else []
        if marques.count(b"EMC") != len(marques) - marques.count(b"EMC"):
            fautes.append(f"page {rang} : marques de contenu dépareillées")
        fautes += [
            f"page {rang} : un lien n’est pas dans la structure"
            for annotation in page.get("/Annots", [])
            if annotation.get_object().get("/Subtype") == "/Link"
            and "/StructParent" not in annotation.get_object()
        ]
    return fautes
