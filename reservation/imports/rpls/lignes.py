"""From bytes to lines of cells, with the number that a text editor would show for each line.

Three ways, from the fastest to the most careful; each block of some 8 MB takes the first that is certain:

1. no quote, but on a few lines read apart: cells are what separators say; numpy counts them line by line;
2. quotes everywhere and regular (RFC 4180, the open files since 2022): quotes hide separators and line ends;
3. anything else (`LIEU-DIT ""CAMPICCIOLI`, a quote never closed): lines with a quote are read one by one, the
   others as in 1.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from .causes import FichierRefuse
from .ouverture import Fichier
from .valeurs import reparer_mojibake

_SUITES_MAX = 20  # lines that one quoted value may span before its quote is taken for a stray one
_LIGNE_MAX = 64 << 20
_RARES = 20  # quotes on fewer than one line out of this many: those lines are read apart
_GUILLEMET, _FIN = ord('"'), ord("\n")
_PERDU = "\ufffd".encode()
# UTF-8 that was read as Windows-1252 and written as UTF-8 again: Â, Ã, Å or â, then the second half of a character.
_MOJIBAKE = re.compile(
    rb"\xc3[\x82\x83\x85\xa2](?:\xc2[\x80-\xbf]|\xc5[\x92\x93\xa0\xa1\xb8\xbd\xbe]|\xc6\x92|\xcb[\x86\x9c]"
    rb"|\xe2\x80[\x93-\xba]|\xe2\x82\xac|\xe2\x84\xa2)"
)
_SECONDS_SUSPECTS = (0x82, 0x83, 0x85, 0xA2)


@dataclass
class Bloc:
    """Some lines of the file. `cadre`: text columns named as SDES does, + `ligne`; absent cells are null.

    `lignes`: physical lines that the block covers, each of which is in `cadre`, in `ignorees` (line, cause) or in
    `anormales` (line, what was found). `corrections`: mends made on the text, by cause, with the lines.
    """

    cadre: pl.DataFrame
    lignes: int
    ignorees: list[tuple[int, str]] = field(default_factory=list)
    anormales: list[tuple[int, str]] = field(default_factory=list)
    corrections: dict[str, list[int]] = field(default_factory=dict)
    encodage: str = "ASCII"
    a_nettoyer: bool = False
    antislash: bool = False
    perdus: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class Tranche:
    """Whole lines of the file, as bytes that end with a line end: how many, and the number of the first of them."""

    octets: bytes
    premiere: int
    lignes: int
    debut_de_fichier: bool = False


def decouper(fichier: Fichier, taille: int) -> Iterator[Tranche]:
    """Cut the file into pieces that never split a line, nor a quoted value that holds a line end."""
    reste, premiere, debut = b"", 1, True
    for octets in fichier.blocs(taille):
        octets = reste + octets
        coupe = _derniere_coupe(octets)
        if not coupe:
            if len(octets) > _LIGNE_MAX:
                raise FichierRefuse("PAS_DE_LIGNES", "Ce fichier n’est pas découpé en lignes.")
            reste = octets
            continue
        reste = octets[coupe:]
        lignes = octets.count(b"\n", 0, coupe)
        yield Tranche(octets[:coupe], premiere, lignes, debut)
        premiere, debut = premiere + lignes, False
    if reste:
        reste = reste if reste.endswith(b"\n") else reste + b"\n"
        yield Tranche(reste, premiere, reste.count(b"\n"), debut)


def _derniere_coupe(octets: bytes) -> int:
    """Position after the last line end that no quoted value holds (an even number of quotes before it).

    Where quotes follow no rule the count proves nothing: past a few lines, the last line end is taken.
    """
    fin = coupe = octets.rfind(b"\n") + 1
    if b'"' not in octets or octets.count(b'"', 0, fin) % 2 == 0:
        return fin
    for _ in range(_SUITES_MAX):
        debut = octets.rfind(b"\n", 0, coupe - 1) + 1
        if octets.count(b'"', debut, coupe) % 2:
            return debut or fin
        coupe = debut
        if not coupe:
            break
    return fin


def lire_tranche(fichier: Fichier, tranche: Tranche) -> Bloc:
    """Cells of a piece of the file. May run in a thread: reads nothing but its arguments."""
    bloc = Bloc(cadre=pl.DataFrame(), lignes=tranche.lignes)
    octets = _texte_propre(tranche, bloc, fichier.separateur.encode())
    bloc.a_nettoyer = bloc.a_nettoyer or _a_nettoyer(octets, fichier.separateur.encode())
    bloc.antislash = b"\\" in octets
    premiere = tranche.premiere
    if premiere < fichier.premiere_ligne:  # header, descriptions: known since the file was opened
        entete = min(fichier.premiere_ligne - premiere, bloc.lignes)
        octets = octets[_position_de_ligne(octets, entete) :]
        bloc.ignorees += [i for i in fichier.ignorees if premiere <= i[0] < premiere + entete]
        premiere += entete
    cadres = list(_lire_octets(fichier, octets, premiere, bloc)) if octets else []
    vide = pl.DataFrame(schema={"ligne": pl.UInt32} | dict.fromkeys(fichier.lues, pl.String))
    bloc.cadre = (cadres[0] if len(cadres) == 1 else pl.concat(cadres)) if cadres else vide
    return bloc


def _a_nettoyer(octets: bytes, bords_de_valeur: bytes) -> bool:
    """Whether some value may hold spaces at an end or in a row (looked for a block at a time: cheap)."""
    if b"\t" in octets and bords_de_valeur != b"\t":
        return True
    tampon = np.frombuffer(octets, dtype=np.uint8)
    espaces = np.flatnonzero(tampon == ord(" "))
    if not len(espaces):
        return False
    bords = np.zeros(256, dtype=bool)
    bords[[ord(" "), _FIN, *bords_de_valeur]] = True
    avant, apres = tampon[np.maximum(espaces - 1, 0)], tampon[espaces + 1]  # the last byte is a line end
    return bool(espaces[0] == 0 or bords[avant].any() or bords[apres].any())


def _position_de_ligne(octets: bytes, rang: int) -> int:
    position = 0
    for _ in range(rang):
        position = octets.index(b"\n", position) + 1
    return position


def _texte_propre(tranche: Tranche, bloc: Bloc, separateur: bytes) -> bytes:
    """UTF-8 text with \\n line ends, whatever the encoding; every mend is told in `bloc`."""
    octets = tranche.octets
    if tranche.debut_de_fichier:
        octets = octets.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in octets:
        octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b" ")
    if b"\x00" in octets:
        bloc.corrections["CARACTERE_NUL"] = _lignes_avec(octets, b"\x00", tranche.premiere)
        octets = octets.replace(b"\x00", b"")
    if octets.isascii():
        return octets
    bloc.encodage = "UTF-8"
    try:
        octets.decode()
    except UnicodeDecodeError:
        # Line by line: files put together from several sources mix encodings.
        bloc.encodage = "Windows-1252"
        octets = b"\n".join(_ligne_en_utf8(ligne) for ligne in octets.split(b"\n"))
    perdu, insecable, mojibake = _non_ascii(octets)
    bloc.a_nettoyer = insecable
    if perdu:
        for rang, ligne in enumerate(octets.split(b"\n")):
            if _PERDU in ligne:
                bloc.perdus.append((tranche.premiere + rang, _cellule_de(ligne, separateur)))
    if mojibake:
        lignes, reparees = octets.split(b"\n"), []
        for rang, ligne in enumerate(lignes):
            if _MOJIBAKE.search(ligne):
                texte, nombre = reparer_mojibake(ligne.decode())
                if nombre:
                    lignes[rang] = texte.encode()
                    reparees.append(tranche.premiere + rang)
        if reparees:
            bloc.corrections["ENCODAGE_REPARE"] = reparees
            bloc.a_nettoyer = True
            octets = b"\n".join(lignes)
    return octets


def _non_ascii(octets: bytes) -> tuple[bool, bool, bool]:
    """Whether UTF-8 text holds U+FFFD, no-break spaces, and what may be mojibake, in one pass over rare bytes."""
    tampon = np.frombuffer(octets, dtype=np.uint8)
    # First bytes of characters; the next byte is there, since the text is valid and ends with a line end.
    rares = np.flatnonzero(tampon >= 0xC2)
    premiers, suivants = tampon[rares], tampon[rares + 1]
    perdu = bool(((premiers == 0xEF) & (suivants == 0xBF)).any()) and _PERDU in octets
    insecable = bool(((premiers == 0xC2) & (suivants == 0xA0)).any())
    suspects = rares[(premiers == 0xC3) & np.isin(suivants, _SECONDS_SUSPECTS)]
    return perdu, insecable, any(_MOJIBAKE.match(octets, rang) for rang in suspects.tolist())


def _ligne_en_utf8(ligne: bytes) -> bytes:
    if ligne.isascii():
        return ligne
    try:
        ligne.decode()
    except UnicodeDecodeError:
        return ligne.decode("cp1252", errors="octet_latin1").encode()
    return ligne


def _cellule_de(ligne: bytes, separateur: bytes) -> str:
    """The cell that holds the lost character."""
    position = ligne.index(_PERDU)
    debut, fin = ligne.rfind(separateur, 0, position) + 1, ligne.find(separateur, position)
    return ligne[debut : fin if fin != -1 else len(ligne)].decode().strip()


def _lignes_avec(octets: bytes, motif: bytes, premiere: int) -> list[int]:
    return [premiere + rang for rang, ligne in enumerate(octets.split(b"\n")) if motif in ligne]


# --- Three ways to read ---------------------------------------------------------------------------------------------


def _lire_octets(fichier: Fichier, octets: bytes, premiere: int, bloc: Bloc) -> Iterator[pl.DataFrame]:
    tampon = np.frombuffer(octets, dtype=np.uint8)
    fins = np.flatnonzero(tampon == _FIN)
    numeros = np.arange(premiere, premiere + len(fins), dtype=np.uint32)
    if b'"' not in octets:
        yield from _lire_droit(fichier, octets, tampon, fins, numeros, bloc)
        return
    guillemets = tampon == _GUILLEMET
    a_part = np.unique(np.searchsorted(fins, np.flatnonzero(guillemets)))
    if len(a_part) * _RARES < len(fins) and _se_lisent_seules(fichier, octets, fins, a_part):
        yield from _lire_droit(fichier, octets, tampon, fins, numeros, bloc, a_part)
        return
    dedans = np.bitwise_xor.accumulate(guillemets)
    bloc.a_nettoyer = bloc.a_nettoyer or _a_nettoyer(octets, fichier.separateur.encode() + b'"')
    if _reguliers(tampon, guillemets, dedans, ord(fichier.separateur)):
        yield from _lire_entre_guillemets(fichier, octets, tampon, dedans, premiere, bloc)
    else:
        yield from _lire_avec_soin(fichier, octets, premiere, bloc)


def _se_lisent_seules(fichier: Fichier, octets: bytes, fins: np.ndarray, rangs: np.ndarray) -> bool:
    """Whether each of these lines closes the quotes that it opens, or has its width all the same."""
    for rang in rangs:
        debut = fins[rang - 1] + 1 if rang else 0
        cellules, ouverte = _cellules(octets[debut : fins[rang]].decode(), fichier.separateur)
        if ouverte and len(cellules) != fichier.largeur:
            return False
    return True


def _largeurs(tampon: np.ndarray, fins: np.ndarray, separateur: int, hors=None) -> np.ndarray:
    """Cells of each line that ends at `fins`; `hors`: where separators count."""
    separateurs = tampon == separateur
    if hors is not None:
        separateurs &= hors
    return np.diff(np.searchsorted(np.flatnonzero(separateurs), fins), prepend=0) + 1


def _lire_droit(fichier, octets, tampon, fins, numeros, bloc, a_part=()) -> Iterator[pl.DataFrame]:
    """Lines without any quote; those of another width, and those of `a_part`, are taken out and read one by one."""
    anormales = _largeurs(tampon, fins, ord(fichier.separateur)) != fichier.largeur
    anormales[np.asarray(a_part, dtype=np.int64)] = True
    ecarts = np.flatnonzero(anormales)
    if not len(ecarts):
        yield _tabuler(fichier, octets, numeros)
        return
    debuts = np.concatenate(([0], fins[:-1] + 1))
    bons, depart = [], 0
    for rang in ecarts:
        bons.append(octets[depart : debuts[rang]])
        depart = fins[rang] + 1
    bons.append(octets[depart:])
    droit = b"".join(bons)
    if droit:
        yield _tabuler(fichier, droit, np.delete(numeros, ecarts))
    speciales = [
        (int(numeros[rang]), _cellules(octets[debuts[rang] : fins[rang]].decode(), fichier.separateur)[0])
        for rang in ecarts
    ]
    yield from _cadrer(fichier, speciales, bloc)


def _lire_entre_guillemets(fichier, octets, tampon, dedans, premiere, bloc) -> Iterator[pl.DataFrame]:
    """RFC 4180: a line end between quotes belongs to the value, and the record covers several physical lines."""
    dehors = dedans == 0
    fins_physiques = np.flatnonzero(tampon == _FIN)
    hors = dehors[fins_physiques]
    fins = fins_physiques[hors]
    numeros = np.flatnonzero(np.concatenate(([True], hors[:-1]))).astype(np.uint32) + premiere
    suites = np.setdiff1d(np.arange(premiere, premiere + len(fins_physiques)), numeros)
    bloc.ignorees += [(int(numero), "SUITE") for numero in suites]
    bloc.a_nettoyer |= len(suites) > 0
    largeurs = _largeurs(tampon, fins, ord(fichier.separateur), dehors)
    if (largeurs == fichier.largeur).all():
        yield _tabuler(fichier, octets, numeros, guillemet='"')
        return
    debuts = np.concatenate(([0], fins[:-1] + 1))
    bons, speciales = [], []
    for rang, largeur in enumerate(largeurs):
        ligne = octets[debuts[rang] : fins[rang] + 1]
        if largeur == fichier.largeur:
            bons.append(ligne)
        else:
            cellules, _ = _cellules(ligne[:-1].decode(), fichier.separateur)
            speciales.append((int(numeros[rang]), cellules))
    if bons:
        garder = numeros[largeurs == fichier.largeur]
        yield _tabuler(fichier, b"".join(bons), garder, guillemet='"')
    yield from _cadrer(fichier, speciales, bloc)


def _lire_avec_soin(fichier, octets, premiere, bloc) -> Iterator[pl.DataFrame]:
    """Quotes that follow no rule: only the lines that hold one are read cell by cell."""
    lignes = octets.split(b"\n")[:-1]
    droites, numeros, speciales, rang = [], [], [], 0
    while rang < len(lignes):
        if b'"' not in lignes[rang]:
            droites.append(lignes[rang])
            numeros.append(premiere + rang)
            rang += 1
            continue
        cellules, suites = _lire_enregistrement(lignes, rang, fichier)
        speciales.append((premiere + rang, cellules))
        bloc.ignorees += [(premiere + rang + n, "SUITE") for n in range(1, suites + 1)]
        rang += 1 + suites
    if droites:
        texte = b"\n".join(droites) + b"\n"
        tampon = np.frombuffer(texte, dtype=np.uint8)
        fins = np.flatnonzero(tampon == _FIN)
        yield from _lire_droit(fichier, texte, tampon, fins, np.array(numeros, dtype=np.uint32), bloc)
    yield from _cadrer(fichier, speciales, bloc)


def _reguliers(tampon, guillemets, dedans, separateur: int) -> bool:
    """Whether each quote opens a value, closes one, or is doubled inside one."""
    positions = np.flatnonzero(guillemets)
    if len(positions) % 2:
        return False
    bords = np.zeros(256, dtype=bool)
    bords[[separateur, _FIN, _GUILLEMET]] = True
    ouvrants, fermants = positions[::2], positions[1::2]
    avant = tampon[np.maximum(ouvrants - 1, 0)]
    apres = tampon[np.minimum(fermants + 1, len(tampon) - 1)]
    # A quote that follows another one is the second half of a doubled quote: it must touch the one that closed.
    doubles = np.isin(ouvrants - 1, fermants)
    return bool(
        ((bords[avant] & ((avant != _GUILLEMET) | doubles)) | (ouvrants == 0)).all() and bords[apres].all()
    )


# --- Cells ----------------------------------------------------------------------------------------------------------


def _tabuler(
    fichier: Fichier, octets: bytes, numeros: np.ndarray, guillemet: str | None = None
) -> pl.DataFrame:
    """Cells of lines that are all as wide as the file."""
    lues = sorted(fichier.lues, key=fichier.colonnes.get)
    cadre = pl.read_csv(
        io.BytesIO(octets),
        separator=fichier.separateur,
        quote_char=guillemet,
        has_header=False,
        infer_schema=False,
        columns=[fichier.colonnes[nom] for nom in lues],
    )
    if cadre.height != len(numeros):
        raise AssertionError(f"{cadre.height} lignes lues pour {len(numeros)} comptées")
    cadre.columns = lues
    if guillemet:
        cadre = cadre.with_columns(pl.when(pl.all() != "").then(pl.all()))
    cadre = cadre.select(fichier.lues)
    return cadre.insert_column(0, pl.Series("ligne", numeros, dtype=pl.UInt32))


def _cadrer(fichier: Fichier, speciales, bloc: Bloc) -> Iterator[pl.DataFrame]:
    """Lines read one by one: blank, padded, of the wrong width, or good after all."""
    bonnes: list[list] = []
    for numero, cellules in speciales:
        if not any(c.strip() for c in cellules):
            bloc.ignorees.append((numero, "VIDE" if len(cellules) == 1 else "SANS_VALEUR"))
            continue
        en_trop = any(c.strip() for c in cellules[fichier.largeur_max :])
        if en_trop or len(cellules) < fichier.largeur_min:
            bloc.anormales.append((numero, f"{len(cellules)} au lieu de {fichier.largeur}"))
            continue
        lues = (" ".join(cellules[fichier.colonnes[nom]].split()) or None for nom in fichier.lues)
        bonnes.append([numero, *lues])
    if bonnes:
        schema = {"ligne": pl.UInt32} | dict.fromkeys(fichier.lues, pl.String)
        yield pl.DataFrame(bonnes, schema=schema, orient="row")


def _cellules(texte: str, separateur: str) -> tuple[list[str], bool]:
    """Cells of a record, and whether its last one opens a quote that nothing closes.

    A quote opens a value only as its first character, and closes it only before a separator or the end; any
    other one is a character like the others.
    """
    cellules, ouverte, position = [], False, 0
    while True:
        fin = _fin_de_valeur(texte, position, separateur) if texte.startswith('"', position) else None
        if fin is not None:
            cellules.append(texte[position + 1 : fin].replace('""', '"'))
            position = fin + 1
        else:
            ouverte = ouverte or texte.startswith('"', position)
            fin = texte.find(separateur, position)
            fin = len(texte) if fin == -1 else fin
            # Quotes doubled by a writer that then did not enclose the value: `LIEU-DIT ""CAMPICCIOLI`.
            cellules.append(texte[position:fin].replace('""', '"'))
            position = fin
        if position >= len(texte):
            return cellules, ouverte
        position += 1  # the separator


def _fin_de_valeur(texte: str, ouvrant: int, separateur: str) -> int | None:
    position = ouvrant + 1
    while (position := texte.find('"', position)) != -1:
        suivant = texte[position + 1 : position + 2]
        if suivant in ("", separateur):
            return position
        position += 2 if suivant == '"' else 1
    return None


def _lire_enregistrement(lignes: list[bytes], rang: int, fichier: Fichier) -> tuple[list[str], int]:
    """Cells of the record that starts at `rang`, and how many more lines it covers.

    A value is followed onto the next lines only when that gives the width of the file and the line alone does not.
    """
    texte = lignes[rang].decode()
    seules, ouverte = _cellules(texte, fichier.separateur)
    if len(seules) == fichier.largeur or not ouverte:
        return seules, 0
    for suites in range(1, min(_SUITES_MAX, len(lignes) - rang - 1) + 1):
        texte += "\n" + lignes[rang + suites].decode()
        cellules, ouverte = _cellules(texte, fichier.separateur)
        if len(cellules) == fichier.largeur and not ouverte:
            return cellules, suites
    return seules, 0
