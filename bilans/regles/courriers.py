"""Letters: a text that the DDETS may edit, with a closed list of variables, and the values that take their place.

A template is plain text, never a program: `{variable}` is replaced by a value, nothing is computed, and what is written is
printed as it is written. Its lines:

    Vu …            a text or an act on which the letter rests
    == Les faits    a heading
    - …  /  1. …    an item of a list, with a dot or a number
    ! …             what the letter decides (any of the lines above may follow the mark)
    @constat        the table of the facts, as known on the day of the letter
    (blank line)    between two paragraphs

`verifier_modele` gives every fault with its line; `composer` refuses a template that has one, or a value that is missing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from unicodedata import category

from reservation.regles.typographie import enumerer, typographier

from .procedures import Lettre


class Variable(NamedTuple):
    """`exemple`: what the preview of a template shows, fictitious."""

    libelle: str
    exemple: str


VARIABLES: Mapping[str, Variable] = {
    "bailleur": Variable("nom du bailleur", "Armor Exemple Habitat"),
    "destinataire": Variable("nom du destinataire", "Armor Exemple Habitat"),
    "departement": Variable("nom du département", "Côtes-d’Armor"),
    "annee": Variable("année sur laquelle porte la procédure", "2025"),
    "annee_suivante": Variable("année dont l’objectif est augmenté", "2026"),
    "convention": Variable("numéro et date de la convention", "convention n° 22-2024-03 du 22 mai 2024"),
    "clause": Variable("clause de la convention sur laquelle se fonde la procédure", "article 8.2"),
    "date_constat": Variable("jour où les chiffres sont arrêtés", "7 avril 2026"),
    "delai": Variable("délai ouvert par la lettre", "deux mois"),
    "date_reception": Variable("date certaine de réception de la mise en demeure", "9 avril 2026"),
    "fin_delai": Variable("dernier jour du délai", "9 juin 2026"),
    "manquements": Variable("ce qui n’est pas remis", "le bilan annuel 2025"),
    "manque": Variable("attributions manquantes", "9 attributions"),
    "justifies": Variable("attributions jugées justifiées", "3 attributions"),
    "injustifies": Variable("attributions jugées injustifiées", "6 attributions"),
    "nombre": Variable("logements sur lesquels porte la décision", "6 logements"),
    "contingents": Variable(
        "contingents sur lesquels les attributions s’imputent", "le contingent de l’État"
    ),
    "quart": Variable("attributions prioritaires et base du quart", "52 sur 217"),
    "reunion": Variable("jour, heure et lieu de la réunion", "jeudi 11 juin 2026, à 10 h, à la DDETS"),
    "presents": Variable(
        "personnes présentes, par leur fonction", "le directeur général ; la cheffe du service"
    ),
    "motif": Variable("motif de la décision", "les causes invoquées ne sont pas établies"),
    "service": Variable("service qui suit le dossier", "pôle « gestion en flux »"),
    "contact": Variable("téléphone et adresse électronique du service", "02 00 00 00 00, ddets@exemple.fr"),
    "delegation": Variable("arrêté de délégation de signature", "arrêté n° 22-2026-000 du 5 janvier 2026"),
    "tribunal": Variable("tribunal administratif compétent", "tribunal administratif de Rennes"),
    "reference": Variable("numéro de la lettre", "MED-22-2026-004"),
    "effet": Variable("date d’effet de la décision", "15 juin 2026"),
}

_COMMUNES = frozenset(
    {
        *(
            "bailleur",
            "destinataire",
            "departement",
            "annee",
            "convention",
            "date_constat",
            "service",
            "contact",
        ),
        *("delegation", "tribunal", "reference", "motif", "clause"),
    }
)
# What each letter may say besides; then what it must say, or it would not do what it is for.
_PROPRES: Mapping[Lettre, frozenset[str]] = {
    Lettre.MISE_EN_DEMEURE: frozenset({"delai", "manquements"}),
    Lettre.RESILIATION: frozenset({"delai", "date_reception", "fin_delai", "manquements", "effet"}),
    Lettre.ARRETE: frozenset({"effet"}),
    Lettre.INVITATION: frozenset({"manque", "reunion"}),
    Lettre.COMPTE_RENDU: frozenset({"manque", "reunion", "presents"}),
    Lettre.REPORT: frozenset({"manque", "justifies", "injustifies", "nombre", "annee_suivante"}),
    Lettre.ATTRIBUTION_DIRECTE: frozenset({"manque", "justifies", "injustifies", "nombre", "contingents"}),
    Lettre.NOTIFICATION_QUART: frozenset({"manque", "quart", "delai"}),
    Lettre.ATTRIBUTION_QUART: frozenset({"manque", "quart", "nombre", "contingents"}),
}
OBLIGATOIRES: Mapping[Lettre, frozenset[str]] = {
    Lettre.MISE_EN_DEMEURE: frozenset({"delai", "convention", "manquements"}),
    Lettre.RESILIATION: frozenset({"convention", "date_reception", "fin_delai", "effet"}),
    Lettre.ARRETE: frozenset({"bailleur", "departement", "effet"}),
    Lettre.INVITATION: frozenset({"manque", "reunion", "clause"}),
    Lettre.COMPTE_RENDU: frozenset({"reunion", "presents"}),
    Lettre.REPORT: frozenset({"nombre", "annee_suivante", "clause", "motif"}),
    Lettre.ATTRIBUTION_DIRECTE: frozenset({"nombre", "contingents", "clause", "motif"}),
    Lettre.NOTIFICATION_QUART: frozenset({"manque", "quart", "delai"}),
    Lettre.ATTRIBUTION_QUART: frozenset({"nombre", "quart", "contingents"}),
}


def variables_de(lettre: Lettre) -> frozenset[str]:
    """The closed list of what a template of this letter may name."""
    return _COMMUNES | _PROPRES[lettre]


class Genre(StrEnum):
    """Kinds of blocks that a page and a PDF know how to lay out."""

    VU = "VU"
    TITRE = "TITRE"
    PARAGRAPHE = "PARAGRAPHE"
    PUCES = "PUCES"
    NUMEROS = "NUMEROS"
    CONSTAT = "CONSTAT"


class Bloc(NamedTuple):
    """`textes`: one per paragraph or item. `decide`: part of what the letter decides."""

    genre: Genre
    textes: tuple[str, ...] = ()
    decide: bool = False


@dataclass(frozen=True, slots=True)
class Modele:
    """What the DDETS edits: `objet` (one line), `corps` (the language above), `mentions` (ways of appeal, plain text)."""

    lettre: Lettre
    objet: str
    corps: str
    mentions: str


class ModeleInvalide(ValueError):
    """`fautes`: every fault, each with its part and its line."""

    def __init__(self, fautes: tuple[str, ...]) -> None:
        self.fautes = fautes
        super().__init__(" ".join(fautes))


_VARIABLE = re.compile(r"\{([^{}]*)\}")
_NUMERO = re.compile(r"\d+\.\s+")
CONSTAT = "@constat"
LONGUEUR = 20_000
LONGUEUR_OBJET = 200


def verifier_modele(modele: Modele) -> tuple[str, ...]:
    """Every fault of a template, in French: what, on which line, what was expected."""
    permises = variables_de(modele.lettre)
    fautes = []
    vues: set[str] = set()
    for partie, texte in (("Objet", modele.objet), ("Texte", modele.corps), ("Mentions", modele.mentions)):
        if not texte.strip():
            fautes.append(f"{partie} : à remplir.")
        if len(texte) > LONGUEUR:
            fautes.append(f"{partie} : {LONGUEUR} caractères au plus.")
        for rang, ligne in enumerate(texte.splitlines(), 1):
            ou = f"{partie}, ligne {rang}"
            noms = _VARIABLE.findall(ligne)
            vues.update(noms)
            inconnues = sorted({nom for nom in noms if nom not in permises})
            if inconnues:
                fautes.append(
                    f"{ou} : « {{{inconnues[0]}}} » n’est pas une variable de cette lettre. Variables possibles : "
                    f"{enumerer(sorted(permises))}."
                )
            if set(_VARIABLE.sub("", ligne)) & {"{", "}"}:
                fautes.append(f"{ou} : une accolade n’entoure aucune variable.")
            if _sans_controles(ligne) != ligne:
                fautes.append(f"{ou} : un caractère ne s’imprime pas.")
            nue = ligne.strip().removeprefix("!").strip()
            if nue.startswith("@") and (nue != CONSTAT or partie != "Texte"):
                fautes.append(f"{ou} : seul « {CONSTAT} » se place, sur sa propre ligne du texte.")
    if len(modele.objet.strip().splitlines()) > 1 or len(modele.objet) > LONGUEUR_OBJET:
        fautes.append(f"Objet : une seule ligne, de {LONGUEUR_OBJET} caractères au plus.")
    oubliees = sorted(OBLIGATOIRES[modele.lettre] - vues)
    if oubliees:
        fautes.append(
            f"La lettre doit dire : {enumerer(f'{{{nom}}} ({VARIABLES[nom].libelle})' for nom in oubliees)}."
        )
    if sum(ligne.strip() == CONSTAT for ligne in modele.corps.splitlines()) > 1:
        fautes.append(f"« {CONSTAT} » se place une fois au plus.")
    return tuple(typographier(faute) for faute in fautes)


def variables_utilisees(modele: Modele) -> frozenset[str]:
    """The variables that a template names."""
    textes = (modele.objet, modele.corps, modele.mentions)
    return frozenset(nom for texte in textes for nom in _VARIABLE.findall(texte) if nom in VARIABLES)


class LettreComposee(NamedTuple):
    """What is printed, and what the page shows: the same blocks."""

    objet: str
    blocs: tuple[Bloc, ...]
    mentions: tuple[str, ...]


def composer(modele: Modele, valeurs: Mapping[str, str]) -> LettreComposee:
    """The letter of these values. Raises `ModeleInvalide`: a fault of the template, or a value that is missing or empty.

    A value is text: braces, marks and line breaks in it are printed, they never become part of the template.
    """
    fautes = verifier_modele(modele)
    manquent = sorted(nom for nom in variables_utilisees(modele) if not valeurs.get(nom, "").strip())
    if manquent:
        absentes = enumerer(VARIABLES[nom].libelle for nom in manquent)
        fautes = (*fautes, typographier(f"Il manque pour composer la lettre : {absentes}."))
    if fautes:
        raise ModeleInvalide(fautes)

    def valeur(trouvee: re.Match[str]) -> str:
        dite = _sans_controles(" ".join(valeurs[trouvee[1]].split()))
        # A sentence that somebody typed, in one that goes on or ends: one mark, that of the template.
        return (
            dite.rstrip(".") or dite if trouvee.string[trouvee.end() :].lstrip()[:1] in {".", ";"} else dite
        )

    def remplir(texte: str) -> str:
        return typographier(_VARIABLE.sub(valeur, texte.replace("\n", " ").strip()))

    blocs = tuple(bloc._replace(textes=tuple(map(remplir, bloc.textes))) for bloc in lire_corps(modele.corps))
    return LettreComposee(remplir(modele.objet), blocs, tuple(map(remplir, _paragraphes(modele.mentions))))


def _sans_controles(texte: str) -> str:
    """Without the characters that print nothing, tabs excepted: controls, marks of direction, halves of a pair."""
    return "".join(c for c in texte if c == "\t" or not category(c).startswith("C"))


def _paragraphes(texte: str) -> list[str]:
    return [p for p in re.split(r"\n\s*\n", texte.strip().replace("\r\n", "\n")) if p.strip()]


def lire_corps(corps: str) -> tuple[Bloc, ...]:
    """The blocks of a text, its variables still in it."""
    blocs: list[Bloc] = []
    suite = False  # whether the next plain line goes on with the paragraph before
    for brute in corps.splitlines():
        ligne = brute.strip()
        if not ligne:
            suite = False
            continue
        decide = ligne.startswith("!")
        if decide:
            ligne = ligne[1:].strip()
        genre, texte = _genre(ligne)
        dernier = blocs[-1] if blocs else None
        meme = dernier is not None and dernier.genre == genre and dernier.decide == decide
        if meme and genre in (Genre.VU, Genre.PUCES, Genre.NUMEROS):
            blocs[-1] = dernier._replace(textes=(*dernier.textes, texte))
        elif meme and suite and genre == Genre.PARAGRAPHE:
            blocs[-1] = dernier._replace(textes=(*dernier.textes[:-1], f"{dernier.textes[-1]} {texte}"))
        else:
            blocs.append(Bloc(genre, (texte,) if texte else (), decide))
        suite = genre == Genre.PARAGRAPHE
    return tuple(blocs)


def _genre(ligne: str) -> tuple[Genre, str]:
    if ligne == CONSTAT:
        return Genre.CONSTAT, ""
    if ligne.startswith("== "):
        return Genre.TITRE, ligne[3:].strip()
    if ligne.startswith("- "):
        return Genre.PUCES, ligne[2:].strip()
    if numero := _NUMERO.match(ligne):
        return Genre.NUMEROS, ligne[numero.end() :].strip()
    if ligne.startswith("Vu "):
        return Genre.VU, ligne
    return Genre.PARAGRAPHE, ligne


# --- Templates of the house: where a DDETS starts from ---------------------------------------------------------

_RECOURS = (
    "Voies et délais de recours. Dans les deux mois de sa réception, la présente décision peut faire l’objet d’un recours "
    "gracieux auprès du préfet, d’un recours hiérarchique auprès du ministre chargé du logement, ou d’un recours devant le "
    "{tribunal} (www.telerecours.fr). Un recours gracieux ou hiérarchique formé dans ce délai proroge le délai de recours "
    "contentieux ; il ne suspend pas la décision."
)
_SANS_RECOURS = (
    "La présente lettre ne constitue pas une décision : elle ouvre un échange contradictoire (code des relations entre le public "
    "et l’administration, art. L. 121-1 et L. 122-1). Elle est à rappeler sous la référence {reference}."
)
_OBSERVATIONS = """== Vos observations
Vous pouvez, {quand}, présenter des observations écrites et, sur votre demande, orales, et vous faire assister par un
conseil ou représenter par un mandataire de votre choix. Écrivez à : {service}, {contact}."""
_DANS_LE_DELAI = _OBSERVATIONS.replace("{quand}", "dans le même délai")
_AVANT_LA_REUNION = _OBSERVATIONS.replace("{quand}", "jusqu’à la réunion")

MODELES: Mapping[Lettre, Modele] = {
    modele.lettre: modele
    for modele in (
        Modele(
            Lettre.MISE_EN_DEMEURE,
            "mise en demeure de remettre {manquements}, gestion en flux",
            f"""Vu le code de la construction et de l’habitation, notamment ses articles R. 441-5, R. 441-5-1 et R. 441-5-2, IV ;
Vu le code des relations entre le public et l’administration, notamment ses articles L. 121-1 et L. 211-2 ;
Vu la {{convention}} ;

== Les faits
L’article R. 441-5-1 du code et la convention vous font obligation de transmettre, avant le 28 février de chaque année, le bilan
des logements proposés et attribués l’année précédente. Au {{date_constat}}, mes services n’ont pas reçu :
@constat
Faute de ces éléments, ni le flux définitif de {{annee}}, ni le respect de la part de l’État ne peuvent être vérifiés.

== La demande
! En conséquence, je vous mets en demeure de remettre à la DDETS, dans un délai de {{delai}} à compter de la réception de la présente lettre :
! - {{manquements}}.

La date de réception est celle que porte l’avis de réception. La remise complète met fin à la présente procédure.

== Les suites, à défaut
Si cette mise en demeure reste sans effet à l’expiration du délai, je pourrai, en application du IV de l’article R. 441-5-2 du code
et de la convention, résilier celle-ci, puis régler par arrêté les modalités pratiques de mise en œuvre des réservations de l’État.

La présente lettre ne préjuge pas de l’atteinte de vos objectifs, qui relève d’une procédure distincte.

{_DANS_LE_DELAI}""",
            _RECOURS,
        ),
        Modele(
            Lettre.RESILIATION,
            "résiliation de la {convention}",
            """Vu le code de la construction et de l’habitation, notamment son article R. 441-5-2, IV ;
Vu le code des relations entre le public et l’administration, notamment ses articles L. 121-1 et L. 211-2 ;
Vu la {convention} ;
Vu la mise en demeure reçue le {date_reception}, dont le délai de {delai} a expiré le {fin_delai} ;

== Les faits
Au {date_constat}, la mise en demeure est restée sans effet :
@constat

== La décision
! La {convention} est résiliée à compter du {effet}.
! Les modalités pratiques de mise en œuvre des réservations dont bénéficie l’État seront réglées par arrêté.

Motif : {motif}.""",
            _RECOURS,
        ),
        Modele(
            Lettre.ARRETE,
            "arrêté réglant la mise en œuvre des réservations de l’État sur le parc du bailleur {bailleur} ({departement})",
            """Vu le code de la construction et de l’habitation, notamment ses articles L. 441-1, R. 441-5, R. 441-5-1 et R. 441-5-2, IV ;
Vu l’absence de convention de réservation en vigueur entre l’État et le bailleur {bailleur} ({departement}) ;

Considérant que {motif} ;

== Arrête
! Article 1er. À compter du {effet}, les réservations dont bénéficie l’État sur le parc du bailleur {bailleur} s’exercent dans les
! termes du tableau ci-dessous.

! Article 2. Le bailleur remet avant le 28 février de chaque année le bilan prévu à l’article R. 441-5-1 du code.

! Article 3. Le présent arrêté cesse de produire effet le jour où une convention de réservation prend effet.
@constat""",
            _RECOURS,
        ),
        Modele(
            Lettre.INVITATION,
            "invitation au point contradictoire sur les objectifs de {annee}",
            f"""Vu la {{convention}}, et sa clause sur les objectifs non atteints : {{clause}} ;

== Les faits
D’après les chiffres arrêtés au {{date_constat}}, il manque {{manque}} aux objectifs de {{annee}} :
@constat

== L’invitation
! Je vous invite à un point contradictoire sur les causes de cet écart, le {{reunion}}.

Vous pouvez, avant cette réunion, écrire dans l’application ce que vous souhaitez faire valoir, point par point, et y joindre vos pièces.

== Les suites
Si l’écart est justifié, vos résultats sont validés. S’il ne l’est pas, les attributions manquantes peuvent être reportées sur les
objectifs de l’année suivante ou attribuées directement par le préfet, sur les contingents qui en étaient redevables : jamais les deux
pour une même attribution.

{_AVANT_LA_REUNION}""",
            _SANS_RECOURS,
        ),
        Modele(
            Lettre.COMPTE_RENDU,
            "compte rendu du point contradictoire sur les objectifs de {annee}",
            """Vu la {convention} ;

== La réunion
Le point contradictoire s’est tenu le {reunion}. Étaient présents : {presents}.

Il portait sur les chiffres arrêtés au {date_constat} :
@constat

== Ce qui a été dit
{motif}

Les écrits signés de chaque partie sont annexés au dossier. La décision est notifiée séparément.""",
            _SANS_RECOURS,
        ),
        Modele(
            Lettre.REPORT,
            "report de {nombre} sur les objectifs de {annee_suivante}",
            """Vu la {convention}, et sa clause sur les objectifs non atteints : {clause} ;
Vu le point contradictoire et les écrits des parties ;

== Les faits
Il a manqué {manque} aux objectifs de {annee} ; {justifies} : écart justifié ; {injustifies} : écart injustifié. Chiffres arrêtés au {date_constat} :
@constat

== La décision
! {nombre} s’ajoutent aux objectifs de {annee_suivante}, en surplus de ceux de l’année.
! Ce qui est reporté n’est pas attribué directement par le préfet.

Motif : {motif}.""",
            _RECOURS,
        ),
        Modele(
            Lettre.ATTRIBUTION_DIRECTE,
            "attribution directe de {nombre} par le préfet, objectifs de {annee}",
            """Vu le code de la construction et de l’habitation, notamment son article L. 441-1 ;
Vu la {convention}, et sa clause sur les objectifs non atteints : {clause} ;
Vu le point contradictoire et les écrits des parties ;

== Les faits
Il a manqué {manque} aux objectifs de {annee} ; {justifies} : écart justifié ; {injustifies} : écart injustifié. Chiffres arrêtés au {date_constat} :
@constat

== La décision
! Le préfet attribue {nombre} à des ménages prioritaires.
! Ces attributions s’imputent sur : {contingents}. Elles ne sont pas reportées sur les objectifs de l’année suivante.

Motif : {motif}.""",
            _RECOURS,
        ),
        Modele(
            Lettre.NOTIFICATION_QUART,
            "quart des attributions de {annee} aux ménages prioritaires ({departement})",
            f"""Vu le code de la construction et de l’habitation, notamment ses articles L. 441-1 et L. 313-26-2 ;

== Les faits
Un quart au moins des attributions de votre contingent est destiné aux ménages prioritaires. En {{annee}}, elles sont {{quart}} : il manque
{{manque}}. Chiffres arrêtés au {{date_constat}} :
@constat

== Les suites
! À l’expiration d’un délai de {{delai}} à compter de la réception de la présente lettre, je pourrai attribuer à des ménages prioritaires
! un nombre de logements égal à ce qui manque, imputés sur votre contingent.

{_DANS_LE_DELAI}""",
            _SANS_RECOURS,
        ),
        Modele(
            Lettre.ATTRIBUTION_QUART,
            "attribution de {nombre} par le préfet, quart de {annee} ({departement})",
            """Vu le code de la construction et de l’habitation, notamment ses articles L. 441-1 et L. 313-26-2 ;

== Les faits
En {annee}, les attributions aux ménages prioritaires sont {quart} : il manque {manque}. Chiffres arrêtés au {date_constat} :
@constat

== La décision
! Le préfet attribue {nombre} à des ménages prioritaires, imputés sur : {contingents}.""",
            _RECOURS,
        ),
    )
}
