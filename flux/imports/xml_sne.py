"""The old XML of the SNE (`interfaceNuu`, 02.00): one line per demand, one column per element that is kept.

Read by expat as it comes: no document type, no entity, nothing fetched, and bounds on everything. What names people
(`personnePhysique`, the other people of the household, addresses, telephones) is not even read.
"""

from xml.parsers import expat

from reservation.imports.rpls.causes import FichierRefuse
from reservation.regles.typographie import entier_fr

ENREGISTREMENTS = ("demandeLogement",)
# Whole branches that are about people.
PERSONNES = frozenset(
    {
        "personnePhysique",
        "personneMorale",
        "listePersonneACharge",
        "personneANaitre",
        "listePersonneEnGarde",
        "listeCotitulaire",
        "conjoint",
        "guichet",
        "adressePostale",
    }
)
NOMS = frozenset({"nom", "prenom", "nomJeuneFille", "dateNaissance", "telPortable", "telFixe", "mel", "nir"})
PROFONDEUR_MAX, COLONNES_MAX, LONGUEUR_MAX = 40, 300, 200
NOM_FEUILLE = "Demandes"


class _Lecteur:
    """Events of expat → rows (name of the element → text, the first one of each name)."""

    def __init__(self, lignes_max: int) -> None:
        self.lignes_max = lignes_max
        self.colonnes: dict[str, int] = {}
        self.lignes: list[dict[str, str]] = []
        self.courante: dict[str, str] | None = None
        self.pile: list[str] = []
        self.personne = 0
        self.texte: list[str] = []

    def debut(self, nom: str, attributs: dict[str, str]) -> None:
        local = nom.rpartition("|")[2]
        self.pile.append(local)
        if len(self.pile) > PROFONDEUR_MAX:
            raise FichierRefuse("XML_PROFOND", "Ce document XML a trop d’éléments les uns dans les autres.")
        self.texte = []
        if local in ENREGISTREMENTS and self.courante is None:
            if len(self.lignes) >= self.lignes_max:
                raise FichierRefuse(
                    "TROP_DE_LIGNES",
                    f"Ce document a plus de {entier_fr(self.lignes_max)} demandes ; coupez-le, par exemple par mois.",
                )
            self.courante = {}
        if local in PERSONNES:
            self.personne += 1
        code = attributs.get("code")
        if code and self.courante is not None and not self.personne:
            self._garder(local, code)

    def fin(self, nom: str) -> None:
        local = self.pile.pop()
        if local in PERSONNES:
            self.personne -= 1
        texte = "".join(self.texte).strip()
        self.texte = []
        if self.courante is None:
            return
        if local in ENREGISTREMENTS:
            self.lignes.append(self.courante)
            self.courante = None
        elif texte and not self.personne:
            self._garder(local, texte)

    def caracteres(self, morceau: str) -> None:
        if self.courante is not None and not self.personne and len(self.texte) < LONGUEUR_MAX:
            self.texte.append(morceau)

    def _garder(self, nom: str, texte: str) -> None:
        if nom in NOMS:
            return
        if nom not in self.colonnes:
            if len(self.colonnes) >= COLONNES_MAX:
                raise FichierRefuse("XML_LARGE", "Ce document XML a trop d’éléments différents.")
            self.colonnes[nom] = len(self.colonnes)
        self.courante.setdefault(nom, texte[:LONGUEUR_MAX])


def est_xml(debut: bytes) -> bool:
    """Whether these first bytes are a document of the interface of the SNE."""
    texte = debut[:4096]
    return texte.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") and b"interfaceNuu" in texte


def lire_xml(octets: bytes, lignes_max: int) -> tuple[list[list[str]], range]:
    """Texts line by line, the names of the elements first, and their numbers. Raises `FichierRefuse`."""

    def interdire(*arguments) -> None:
        raise FichierRefuse(
            "XML_ENTITES",
            "Ce document XML déclare un type ou des entités : l’interface du SNE n’en a pas, il n’est pas lu.",
        )

    lecteur = _Lecteur(lignes_max)
    analyseur = expat.ParserCreate(namespace_separator="|")
    analyseur.StartElementHandler = lecteur.debut
    analyseur.EndElementHandler = lecteur.fin
    analyseur.CharacterDataHandler = lecteur.caracteres
    analyseur.StartDoctypeDeclHandler = interdire
    analyseur.EntityDeclHandler = interdire
    analyseur.ExternalEntityRefHandler = interdire
    analyseur.buffer_text = True
    try:
        analyseur.Parse(octets, True)
    except expat.ExpatError as erreur:
        raise FichierRefuse(
            "XML_ABIME", f"Ce document XML est abîmé ou incomplet (ligne {entier_fr(erreur.lineno)})."
        ) from erreur
    if not lecteur.lignes:
        raise FichierRefuse(
            "XML_SANS_DEMANDE", "Ce document XML n’a aucune demande de logement (« demandeLogement »)."
        )
    noms = list(lecteur.colonnes)
    lignes = [noms, *([ligne.get(nom, "") for nom in noms] for ligne in lecteur.lignes)]
    return lignes, range(1, len(lignes) + 1)
