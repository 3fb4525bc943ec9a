"""Drawings of the bilan, as SVG made by the server: bars in the tables, the cascade, the contingent of the État.

WeasyPrint gives an SVG neither the font nor the style of its page, and the browser forbids inline styles: everything
is an attribute. What leaves the viewBox is cut without a word, so widths are measured with the real font. Hatches
are lines, safer than patterns. Shapes differ by outline and label, never by colour alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from html import escape

from bilans.regles.verdicts import Issue
from reservation.documents.polices import largeur
from reservation.documents.typographie import composer
from reservation.regles.typographie import accorder, entier_fr, enumerer

from .modele import Dessin

ENCRE, GRIS, FILET = "#16202e", "#5a6472", "#bcc4cf"
BLEU, BLEU_2, BLEU_3, BLEU_PALE = "#1d3f6e", "#4a6d9c", "#a9bfd9", "#e6edf5"
ARDOISE, BRIQUE, BLANC, VOILE = "#7d8a99", "#9a3412", "#ffffff", "#f1f5fa"

# A millimetre on paper is four units of a drawing.
UNITES_PAR_MM = 4
POLICE = "Inter document, Arial, sans-serif"
LARGEUR_FIGURE = 696


def _n(valeur: Fraction | int) -> str:
    """A coordinate with two decimals, without a float: the same text on every machine."""
    texte = f"{Decimal(round(Fraction(valeur) * 100)) / 100:f}"
    return texte.rstrip("0").rstrip(".") if "." in texte else texte


@dataclass(slots=True)
class Trace:
    """An SVG being drawn, `largeur` × `hauteur` units."""

    largeur: int
    hauteur: int = 0
    formes: list[str] = field(default_factory=list)

    def rect(self, x, y, large, haut, fond: str, trait: str = "", epaisseur: str = "0.7") -> None:
        bord = f' stroke="{trait}" stroke-width="{epaisseur}"' if trait else ""
        self.formes.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(large)}" height="{_n(haut)}" fill="{fond}"{bord}/>'
        )

    def ligne(self, x1, y1, x2, y2, trait: str = ENCRE, epaisseur: str = "1", tirets: str = "") -> None:
        pointille = f' stroke-dasharray="{tirets}"' if tirets else ""
        self.formes.append(
            f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" stroke="{trait}" '
            f'stroke-width="{epaisseur}"{pointille}/>'
        )

    def polygone(self, sommets: Sequence[tuple], fond: str) -> None:
        liste = " ".join(f"{_n(x)},{_n(y)}" for x, y in sommets)
        self.formes.append(f'<polygon points="{liste}" fill="{fond}"/>')

    def hachures(self, x, y, large, haut, pas: int = 6) -> None:
        """A hatched box: out of the calculation."""
        self.rect(x, y, large, haut, BLANC, GRIS)
        for rang in range(1, int((large + haut) / pas) + 1):
            d = rang * pas
            debut = (x + min(d, large), y + max(0, d - large))
            fin = (x + max(0, d - haut), y + min(d, haut))
            if debut != fin:
                self.ligne(*debut, *fin, GRIS, "0.7")

    def texte(
        self,
        x,
        y,
        contenu: str,
        corps: str = "11",
        graisse: int = 500,
        ancre: str = "start",
        couleur: str = ENCRE,
    ) -> None:
        self.formes.append(
            f'<text x="{_n(x)}" y="{_n(y)}" font-family="{POLICE}" font-size="{corps}" font-weight="{graisse}" '
            f'text-anchor="{ancre}" fill="{couleur}">{escape(contenu)}</text>'
        )

    def etiquette(self, x, y, longueur, mot: str, couleur: str) -> None:
        """The label of a bar 24 units high: in it if there is room, else after it on white."""
        place = largeur(mot, "11", True)
        if place + 16 <= longueur:
            self.texte(x + 8, y + 16, mot, "11", 600, couleur=couleur)
        else:
            self.rect(x + longueur + 4, y + 4, place + 8, 16, BLANC)
            self.texte(x + longueur + 8, y + 16, mot, "11", 600)

    def dessin(self, alternative: str, classe: str) -> Dessin:
        alternative = composer(alternative)
        svg = (
            f'<svg class="{classe}" xmlns="http://www.w3.org/2000/svg" '
            f'width="{_n(Fraction(self.largeur, UNITES_PAR_MM))}mm" '
            f'height="{_n(Fraction(self.hauteur, UNITES_PAR_MM))}mm" '
            f'viewBox="0 0 {self.largeur} {self.hauteur}" role="img">'
            f"<title>{escape(alternative)}</title>{''.join(self.formes)}</svg>"
        )
        return Dessin(svg, alternative)


# --- Bars in the tables -------------------------------------------------------------------------------------

LARGEUR_BARRE, HAUTEUR_BARRE = 60, 13
# Where the target stands on a bar: what exceeds it by a quarter or more ends in an arrow.
CIBLE = Fraction(4, 5)


def barre(nombre: int, cible: Fraction | int, issue: Issue, alternative: str) -> Dessin:
    """What was done against its target: the vertical line stands at the same place in every row.

    Each row has its own scale, so that a réservataire of four dwellings reads as well as one of four hundred.
    A target of 0 puts no line: what was done fills the bar.
    """
    trace = Trace(LARGEUR_BARRE, HAUTEUR_BARRE)
    trace.rect(0, Fraction(61, 10), LARGEUR_BARRE, Fraction(4, 5), FILET)
    repere = CIBLE * LARGEUR_BARRE
    longueur = Fraction(nombre) / cible * repere if cible else (LARGEUR_BARRE if nombre else 0)
    couleur = BRIQUE if issue == Issue.MANQUE else BLEU
    deborde = longueur > LARGEUR_BARRE
    if longueur:
        trace.rect(0, 3, min(longueur, LARGEUR_BARRE - (6 if deborde else 0)), 7, couleur)
    if deborde:
        pointe = LARGEUR_BARRE - 6
        trace.polygone([(pointe, 0), (LARGEUR_BARRE, Fraction(13, 2)), (pointe, HAUTEUR_BARRE)], couleur)
    if cible:
        trace.rect(repere - Fraction(13, 5), 0, Fraction(26, 5), HAUTEUR_BARRE, BLANC)
        trace.ligne(repere, 0, repere, HAUTEUR_BARRE, ENCRE, "1.9")
    return trace.dessin(alternative, "puce")


# --- The cascade --------------------------------------------------------------------------------------------


def teintes(codes: Sequence[str]) -> list[tuple[str, str, str]]:
    """(fill, ink, outline) of each part in the order of the bar; neighbours differ in grey too."""
    fixes = {"ETAT": (BLEU, BLANC, ""), "ALS": (BLEU_2, BLANC, ""), "BAILLEUR": (BLEU_PALE, ENCRE, BLEU_2)}
    alternees = [(BLEU_3, ENCRE, ""), (ARDOISE, ENCRE, "")]
    rang = 0
    choisies = []
    for code in codes:
        if code in fixes:
            choisies.append(fixes[code])
        else:
            choisies.append(alternees[rang % 2])
            rang += 1
    return choisies


def cascade(
    *,
    annee: int,
    millesime: int | None,
    parc: int,
    soumis: int,
    liberations: int,
    soustraits: int,
    flux: int,
    parts: Sequence[tuple[str, str, int]],
    agents: int,
) -> Dessin:
    """Parc → assiette → libérations → soustractions → flux → parts. `parts`: (code, label, dwellings).

    The libérations are a sliver of the assiette: the drawing enlarges them, and says so by its slanted lines.
    """
    trace = Trace(LARGEUR_FIGURE)
    assiette = _bande_parc(trace, parc, soumis, f" (RPLS, janvier {millesime})" if millesime else "")
    liberes = _bande_assiette(trace, annee, soumis, liberations, assiette)
    partages = _bande_flux(trace, annee, liberations, soustraits, flux, liberes)
    trace.texte(8, 182, "Parts entières", "11", 600)
    trace.hauteur = int(_parts(trace, parts, flux, partages, 190, agents)) + 4
    return trace.dessin(
        f"Cascade. Parc {accorder(parc, 'logement')}, dont {accorder(parc - soumis, 'exclu')} ; assiette "
        f"{entier_fr(soumis)} ; {accorder(liberations, 'libération')} en {annee}, moins "
        f"{accorder(soustraits, 'soustraction')} ; flux définitif {entier_fr(flux)}, partagé en "
        f"{enumerer(f'{libelle} {entier_fr(nombre)}' for _, libelle, nombre in parts)} ; "
        f"dont agents de l’État {entier_fr(agents)} au plus.",
        "fig",
    )


def _bande_parc(t: Trace, parc: int, soumis: int, millesime: str) -> Fraction:
    """The parc cut in assiette and excluded (hatched); returns the length of the assiette."""
    exclus = parc - soumis
    longueur = _longueur(soumis, parc, LARGEUR_FIGURE, bool(exclus))
    t.texte(0, 11, f"Parc{millesime} : {entier_fr(parc)}", "11.5", 600)
    if exclus:
        t.texte(LARGEUR_FIGURE, 11, f"Exclus : {entier_fr(exclus)}", "11.5", 400, "end", GRIS)
        t.hachures(longueur + 2, 18, LARGEUR_FIGURE - longueur - 2, 24)
    t.rect(0, 18, longueur, 24, BLEU_PALE, BLEU_2)
    t.etiquette(0, 18, longueur, f"Assiette (soumise à la gestion en flux) : {entier_fr(soumis)}", ENCRE)
    return longueur


def _bande_assiette(t: Trace, annee: int, soumis: int, liberations: int, assiette: Fraction) -> Fraction:
    """What was freed in the year, on the scale of the assiette; returns its length.

    No number for the rest: a dwelling freed twice counts twice, the difference would not be a count of dwellings.
    """
    t.ligne(0, 42, 0, 66, BLEU_2, "0.7")
    t.ligne(assiette, 42, assiette, 66, BLEU_2, "0.7")
    t.rect(0, 66, assiette, 20, BLANC, BLEU_2)
    if not liberations or not soumis:
        return Fraction(0)
    longueur = _longueur(min(liberations, soumis), soumis, assiette, liberations < soumis)
    t.rect(0, 66, longueur, 20, BLEU)
    reste = f"Non libérés en {annee}"
    if longueur + largeur(reste, "10.5") + 16 < assiette:
        t.texte(longueur + 8, 80, reste, "10.5", 400, couleur=GRIS)
    return longueur


def _bande_flux(
    t: Trace, annee: int, liberations: int, soustraits: int, flux: int, liberes: Fraction
) -> Fraction:
    """The libérations enlarged and cut in flux and soustractions (hatched); returns the length of the flux."""
    haut = 130
    t.polygone([(0, 86), (liberes, 86), (LARGEUR_FIGURE, haut), (0, haut)], VOILE)
    t.ligne(liberes, 86, LARGEUR_FIGURE, haut, BLEU_2, "0.7", "3 2")
    t.ligne(0, 86, 0, haut, BLEU_2, "0.7", "3 2")
    titre = f"Libérations de {annee} : {entier_fr(liberations)}"
    t.rect(4, haut - 18, largeur(titre, "11.5", True) + 8, 15, VOILE)
    t.texte(8, haut - 7, titre, "11.5", 600)
    longueur = _longueur(flux, liberations, LARGEUR_FIGURE, bool(soustraits))
    if soustraits:
        mot = f"Soustractions : {entier_fr(soustraits)}"
        place = largeur(mot, "11.5") + 8
        t.rect(LARGEUR_FIGURE - place, haut - 18, place, 15, BLANC)
        t.texte(LARGEUR_FIGURE, haut - 7, mot, "11.5", 400, "end", GRIS)
        t.hachures(longueur + 2, haut, LARGEUR_FIGURE - longueur - 2, 24)
    t.rect(0, haut, longueur, 24, BLEU_2)
    t.etiquette(0, haut, longueur, f"Flux définitif : {entier_fr(flux)}", BLANC)
    t.ligne(0, haut + 24, 0, 190, BLEU_2, "0.7")
    t.ligne(longueur, haut + 24, longueur, 190, BLEU_2, "0.7")
    return longueur


def _longueur(partie: int, tout: int, total: Fraction | int, reste: bool) -> Fraction:
    """Length of a part in proportion; when something is left, room is kept to see it, and to see the part."""
    if not tout:
        return Fraction(0)
    exacte = Fraction(partie, tout) * total
    minimum = Fraction(12)
    if reste:
        exacte = min(exacte, total - minimum - 2)
    return max(exacte, minimum) if partie else Fraction(0)


def _parts(
    t: Trace, parts: Sequence[tuple[str, str, int]], flux: int, longueur_flux: Fraction, y: int, agents: int
) -> int:
    """The bar of the whole parts and its labels; returns the ordinate under the last one."""
    haut = 26
    if not flux:
        t.rect(0, y, longueur_flux, haut, BLANC, GRIS)
        t.texte(8, y + 17, "Aucun logement à partager", "11", 400, couleur=GRIS)
        return y + haut
    presentes = [(code, libelle, nombre) for code, libelle, nombre in parts if nombre]
    couleurs = teintes([code for code, _, _ in presentes])
    x = Fraction(0)
    dehors: list[tuple[Fraction, str]] = []
    fin_etat = Fraction(0)
    for (code, libelle, nombre), (fond, encre, trait) in zip(presentes, couleurs, strict=True):
        part = Fraction(nombre, flux) * longueur_flux
        t.rect(x, y, max(part - Fraction(3, 2), Fraction(3, 2)), haut, fond, trait)
        mot = f"{libelle} : {entier_fr(nombre)}"
        if largeur(mot, "11", True) + 14 < part:
            t.texte(x + 7, y + 17, mot, "11", 600, couleur=encre)
        else:
            dehors.append((x + part / 2, mot))
        if code == "ETAT":
            fin_etat = part
        x += part
    bas = y + haut
    if agents and fin_etat:
        portee = min(Fraction(agents, flux) * longueur_flux, fin_etat)
        t.ligne(0, y + haut + 6, portee, y + haut + 6, ENCRE, "1")
        t.ligne(0, y + haut + 3, 0, y + haut + 9, ENCRE, "1")
        t.ligne(portee, y + haut + 3, portee, y + haut + 9, ENCRE, "1")
        t.texte(0, y + haut + 21, f"dont agents : {entier_fr(agents)} au plus", "10.5", 500)
        bas = y + haut + 24
    return max(bas, _renvois(t, dehors, y + haut))


def _renvois(t: Trace, dehors: Sequence[tuple[Fraction, str]], y: int) -> int:
    """Labels of the segments too narrow for theirs, one under the other, each tied to its segment.

    Written on the right of their segments where there is room, else on the left; nested, so that no two lines of
    one side cross. Lines are drawn first: a label that one passes under hides it.
    """
    droite = [(x, mot) for x, mot in dehors if x + 26 + largeur(mot, "10.5") <= LARGEUR_FIGURE]
    gauche = [(x, mot) for x, mot in dehors if (x, mot) not in droite]
    # A label starts beyond the last segment of its side, as long as it stays in the frame.
    places = [
        (x, min(droite[-1][0] + 18, LARGEUR_FIGURE - 4 - largeur(mot, "10.5")), mot, "start")
        for x, mot in reversed(droite)
    ]
    places = [(x, max(gauche[0][0] - 18, 4 + largeur(mot, "10.5")), mot, "end") for x, mot in gauche] + places
    for rang, (x, colonne, _, _) in enumerate(places):
        niveau = y + 12 + 14 * rang
        t.ligne(x, y, x, niveau, GRIS, "0.8")
        t.ligne(x, niveau, colonne, niveau, GRIS, "0.8")
    for rang, (_, colonne, mot, ancre) in enumerate(places):
        niveau = y + 12 + 14 * rang
        place = largeur(mot, "10.5")
        debut = colonne + 2 if ancre == "start" else colonne - 2 - place
        t.rect(debut, niveau - 6, place, 12, BLANC)
        t.texte(colonne + (3 if ancre == "start" else -3), niveau + Fraction(7, 2), mot, "10.5", 500, ancre)
    return y + 12 + 14 * len(places) if places else y


# --- The contingent of the État -----------------------------------------------------------------------------


def contingent_etat(
    titres: Sequence[tuple[str, str, int]], prioritaires: int, hors_agents: int
) -> Dessin | None:
    """The État's attributions by title: (code, label, number) in the order of the table; None without any."""
    total = sum(nombre for _, _, nombre in titres)
    if not total:
        return None
    t = Trace(LARGEUR_FIGURE, 70)
    fonds = {
        "AGENT": (ARDOISE, ENCRE, ""),
        "PRIORITE_1": (BLEU, BLANC, ""),
        "PRIORITE_2": (BLEU_2, BLANC, ""),
        "PRIORITE_3": (BLEU_3, ENCRE, ""),
        "AUTRE": (BLANC, ENCRE, GRIS),
    }
    x = Fraction(0)
    etendue: dict[str, tuple[Fraction, Fraction]] = {}
    petits: list[tuple[Fraction, str]] = []
    for code, libelle, nombre in titres:
        if not nombre:
            continue
        part = Fraction(nombre, total) * (LARGEUR_FIGURE - 1)
        fond, encre, trait = fonds[code]
        t.rect(x + Fraction(1, 2), 18, max(part - Fraction(3, 2), Fraction(1)), 30, fond, trait)
        mot = f"{libelle} : {entier_fr(nombre)}"
        if largeur(mot, "11", True) + 14 < part:
            t.texte(x + 7, 37, mot, "11", 600, couleur=encre)
        else:
            petits.append((x + part / 2, mot))
        etendue[code] = (x, x + part)
        x += part
    _accolade(t, etendue, f"{entier_fr(prioritaires)} prioritaires sur {entier_fr(hors_agents)} hors agents")
    t.hauteur = _renvois(t, petits, 48) + 4
    alternative = (
        f"Attributions de l’État : {enumerer(f'{libelle} {entier_fr(nombre)}' for _, libelle, nombre in titres)} ; "
        f"{entier_fr(prioritaires)} prioritaires sur {entier_fr(hors_agents)} hors agents."
    )
    return t.dessin(alternative, "fig")


def _accolade(t: Trace, etendue: dict[str, tuple[Fraction, Fraction]], mot: str) -> None:
    """A bracket over the priority titles, with what they are; nothing when there is none."""
    prioritaires = [etendue[code] for code in ("PRIORITE_1", "PRIORITE_2", "PRIORITE_3") if code in etendue]
    if not prioritaires:
        return
    debut, fin = prioritaires[0][0], prioritaires[-1][1]
    place = largeur(mot, "11", True) + 12
    milieu = min(max((debut + fin) / 2, place / 2), LARGEUR_FIGURE - place / 2)
    t.ligne(debut, 8, debut, 13)
    t.ligne(debut, 8, fin, 8)
    t.ligne(fin, 8, fin, 13)
    t.rect(milieu - place / 2, 0, place, 15, BLANC)
    t.texte(milieu, 12, mot, "11", 600, "middle")
