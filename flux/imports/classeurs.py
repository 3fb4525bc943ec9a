"""The two workbooks that leave: the template with the bailleur's dwellings, and its own file with what is wrong on it.

Texts are written as texts, never as formulas or links, whatever they begin with.
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import BinaryIO

import xlsxwriter

from reservation.exports import OCTETS_EN_MEMOIRE, sans_formule

from .colonnes import TABLEAUX, Colonne, lettre
from .lecture import Feuille

_CHOIX_DANS_LA_CELLULE = 255  # characters that a list of choices may have in XLSX
_LIGNES_DU_MODELE = 1_000_000
_LONGUEUR_COMMENTAIRE = 1_000


def _classeur() -> tuple[BinaryIO, xlsxwriter.Workbook]:
    sortie = tempfile.SpooledTemporaryFile(OCTETS_EN_MEMOIRE)  # noqa: SIM115 (closed by the response)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    return sortie, xlsxwriter.Workbook(sortie, options)


def modele(sujet: str, lignes: Iterable[Mapping[str, str]], motifs: Mapping[str, Sequence[str]]) -> BinaryIO:
    """The workbook to fill in. `lignes`: champ → text, one per dwelling; `motifs`: champ → the words of its list.

    Lines left as they come are ignored when the file is read: one fills in those that something happened to.
    """
    tableau = TABLEAUX[sujet]
    sortie, classeur = _classeur()
    page = classeur.add_worksheet(tableau.feuille)
    aide = classeur.add_worksheet("Aide")
    gras = classeur.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 2})
    exige = classeur.add_format(
        {"bold": True, "text_wrap": True, "valign": "top", "bottom": 2, "bg_color": "#E3E3FD"}
    )
    texte, jour = classeur.add_format({"num_format": "@"}), classeur.add_format({"num_format": "dd/mm/yyyy"})
    listes = classeur.add_worksheet("Listes")
    for rang, colonne in enumerate(tableau.colonnes):
        page.write_string(0, rang, colonne.titre, exige if colonne.champ in tableau.obligatoires else gras)
        est_date = colonne.forme.get("format") == "date"
        page.set_column(rang, rang, 40 if colonne.champ == "adresse" else 18, jour if est_date else texte)
        mots = _mots(colonne, motifs)
        if mots:
            _proposer(page, listes, rang, colonne, mots)
    page.freeze_panes(1, 1)
    page.autofilter(0, 0, 0, len(tableau.champs) - 1)
    rangs = {champ: rang for rang, champ in enumerate(tableau.champs)}
    for numero, ligne in enumerate(lignes, 1):
        for champ, valeur in ligne.items():
            if valeur and champ in rangs:
                page.write_string(numero, rangs[champ], valeur, texte)
    _expliquer(aide, gras, tableau.colonnes, tableau.obligatoires, motifs)
    classeur.close()
    sortie.seek(0)
    return sortie


def _mots(colonne: Colonne, motifs: Mapping[str, Sequence[str]]) -> list[str]:
    if colonne.forme.get("type") == "boolean":
        return ["oui", "non"]
    return list(
        motifs.get(colonne.champ) or (colonne.choix.values() if colonne.champ != "finan" else colonne.choix)
    )


def _proposer(page, listes, rang: int, colonne: Colonne, mots: list[str]) -> None:
    """A drop-down list; other words are accepted all the same, the reader knows many."""
    for ligne, mot in enumerate(mots):
        listes.write_string(ligne, rang, mot)
    nom = lettre(rang)
    page.data_validation(
        1,
        rang,
        _LIGNES_DU_MODELE,
        rang,
        {
            "validate": "list",
            "source": f"=Listes!${nom}$1:${nom}${len(mots)}",
            "error_type": "information",
            "error_title": "Autre mot",
            "error_message": "Ce mot n’est pas de la liste : il sera lu quand même s’il est connu."[
                :_CHOIX_DANS_LA_CELLULE
            ],
        },
    )


def _expliquer(aide, gras, colonnes: Sequence[Colonne], obligatoires: Sequence[str], motifs) -> None:
    for rang, (titre, largeur) in enumerate(
        (
            ("Colonne", 28),
            ("Obligatoire", 12),
            ("Ce qu’on y met", 70),
            ("Exemple", 22),
            ("Autres titres reconnus", 60),
        )
    ):
        aide.write_string(0, rang, titre, gras)
        aide.set_column(rang, rang, largeur)
    for ligne, colonne in enumerate(colonnes, 1):
        choix = ", ".join(_mots(colonne, motifs))
        for rang, texte in enumerate(
            (
                colonne.titre,
                "oui" if colonne.champ in obligatoires else "",
                f"{colonne.aide} {f'Liste : {choix}.' if choix else ''}".strip(),
                colonne.exemple,
                ", ".join(colonne.alias),
            )
        ):
            aide.write_string(ligne, rang, texte)


def annoter(
    feuilles: Sequence[Feuille],
    nom: str,
    ligne_entete: int,
    messages: Mapping[int, Sequence[Mapping]],
    correspondance: Mapping[str, int],
) -> BinaryIO:
    """The file as it was sent, values only: the cells at fault coloured with a comment, and a last column « Message ».

    `messages`: line of the sheet → what is said of it. Lines and columns keep their places, so that the addresses of
    the report hold, and the file may be handed in again as it is once it is mended.
    """
    sortie, classeur = _classeur()
    faute = classeur.add_format({"bg_color": "#FFE9E9", "font_color": "#CE0500", "bold": True})
    doute = classeur.add_format({"bg_color": "#FFE9E6", "font_color": "#B34000"})
    ordinaire, gras = classeur.add_format({"num_format": "@"}), classeur.add_format({"bold": True})
    noms: set[str] = set()
    for rang_feuille, feuille in enumerate(feuilles, 1):
        titre = _nom_de_feuille(feuille.nom or "Tableau", rang_feuille, noms)
        page = classeur.add_worksheet(titre)
        annotee = feuille.nom == nom
        largeur = max((len(ligne) for ligne in feuille.lignes), default=0)
        for numero, cellules in zip(feuille.numeros, feuille.lignes, strict=True):
            dits = messages.get(numero, ()) if annotee else ()
            par_colonne: dict[int, list[Mapping]] = {}
            for message in dits:
                if (rang := correspondance.get(message["champ"])) is not None:
                    par_colonne.setdefault(rang, []).append(message)
            for rang in range(max(len(cellules), *(par_colonne or {0: 0}), 0) + 1):
                texte = cellules[rang] if rang < len(cellules) else ""
                siens = par_colonne.get(rang)
                forme = ordinaire
                if siens:
                    forme = faute if any(m["bloquant"] for m in siens) else doute
                    page.write_comment(
                        numero - 1,
                        rang,
                        "\n".join(m["texte"] for m in siens)[:_LONGUEUR_COMMENTAIRE],
                        {"author": "Gestion en flux", "x_scale": 2},
                    )
                if texte or siens:
                    page.write_string(numero - 1, rang, sans_formule(texte), forme)
            if dits:
                page.write_string(
                    numero - 1,
                    largeur,
                    " ".join(m["texte"] for m in dits),
                    forme_du_message(dits, faute, doute),
                )
            elif annotee and numero == ligne_entete:
                page.write_string(numero - 1, largeur, "Message", gras)
        page.set_column(0, max(largeur - 1, 0), 16)
        page.set_column(largeur, largeur, 90 if annotee else 16)
        if annotee:
            page.freeze_panes(ligne_entete, 0)
            page.activate()
    classeur.close()
    sortie.seek(0)
    return sortie


def forme_du_message(dits: Sequence[Mapping], faute, doute):
    """The colour of the « Message » cell: that of the worst thing said."""
    return faute if any(message["bloquant"] for message in dits) else doute


def _nom_de_feuille(nom: str, rang: int, pris: set[str]) -> str:
    """A name that XLSX accepts: thirty-one characters, none of []:*?/\\, each once."""
    propre = "".join(" " if c in "[]:*?/\\" else c for c in nom).strip("' ")[:31] or f"Feuille {rang}"
    if propre.casefold() in pris:
        propre = f"{propre[:27]} {rang}"
    pris.add(propre.casefold())
    return propre
