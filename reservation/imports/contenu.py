"""What bytes are, whatever they are called: encodings, and the kinds of files that are no table. Every importer asks here."""

import codecs

_SIGNATURES = (
    (b"\x89PNG", "une image"),
    (b"\xff\xd8\xff", "une image"),
    (b"GIF8", "une image"),
    (b"II*\x00", "une image"),
    (b"MM\x00*", "une image"),
    (b"%PDF", "un document PDF"),
    (b"\xd0\xcf\x11\xe0", "un document d’une ancienne version d’Office (.xls ou .doc)"),
    (b"Rar!", "une archive RAR"),
    (b"7z\xbc\xaf\x27\x1c", "une archive 7-Zip"),
    (b"BZh", "une archive bzip2"),
    (b"\xfd7zXZ", "une archive xz"),
    (b"\x28\xb5\x2f\xfd", "une archive zstd"),
    (b"PAR1", "un fichier Parquet"),
    (b"SQLite format 3", "une base de données SQLite"),
)
PAGE_WEB = "une page web"


def nature(debut: bytes) -> str:
    """What these first bytes are, in French, when they are certainly no table in text; else nothing."""
    for signature, nom in _SIGNATURES:
        if debut.startswith(signature):
            return nom
    texte = debut[:1024].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if texte.startswith((b"<!doctype html", b"<html")):
        return PAGE_WEB
    if texte.startswith((b"<?xml", b"<")):
        return "un document XML"
    if texte.startswith((b"{", b"[")):
        return "un document JSON"
    return ""


def decoder(octets: bytes) -> str:
    """UTF-8 when it is, else Windows-1252, whose five unassigned bytes are read as ISO-8859-1."""
    try:
        return octets.decode()
    except UnicodeDecodeError as erreur:
        if erreur.start > len(octets) - 4 and erreur.reason == "unexpected end of data":
            return octets[: erreur.start].decode()  # a sample cut in the middle of a character
        return octets.decode("cp1252", errors="octet_latin1")


codecs.register_error("octet_latin1", lambda e: (e.object[e.start : e.end].decode("latin-1"), e.end))


def utf16(debut: bytes) -> str:
    """Codec of a text in UTF-16, by its mark or by its zeros; nothing when it is not one."""
    if debut.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    pairs, impairs = debut[:4096:2].count(0), debut[1:4096:2].count(0)
    moitie = min(len(debut), 4096) // 2
    if moitie and impairs > 0.8 * moitie and not pairs:
        return "utf-16-le"
    return "utf-16-be" if moitie and pairs > 0.8 * moitie and not impairs else ""


def est_binaire(debut: bytes) -> bool:
    """Text holds a stray control character now and then, never one in fifty."""
    return 50 * len(debut.translate(None, _PAS_DE_CONTROLE)) > len(debut)


_PAS_DE_CONTROLE = bytes(c for c in range(256) if c >= 32 or c in b"\t\n\r\f")
