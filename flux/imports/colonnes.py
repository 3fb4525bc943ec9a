"""The columns of the files of a bailleur, declared once: the reader, the template, the JSON Schema and the help read this."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from flux.models import Attribution, Passage, Sujet, Usage
from reservation.models import cle_de_tri

from .valeurs import (
    LONGUEUR_NUMERO,
    Lecteur,
    lire_choix,
    lire_code_commune,
    lire_date,
    lire_departement,
    lire_entier,
    lire_numero_unique,
    lire_oui_non,
    lire_reference,
    lire_texte,
)

# JSON Schema of each kind of cell.
_DATE = {"type": "string", "format": "date"}
_OUI_NON = {"type": "boolean"}


def _texte(longueur: int) -> dict:
    return {"type": "string", "maxLength": longueur}


def _choix(choix: Mapping[str, str]) -> dict:
    return {"type": "string", "enum": list(choix)}


@dataclass(frozen=True)
class Colonne:
    """`champ`: stable name. `alias`: other headers under which it arrives. `description`: true for what only
    describes the dwelling (a line with nothing else is an unused line of the template). `forme`: its JSON Schema.
    `choix`: code → label when it is a list."""

    champ: str
    titre: str
    lire: Lecteur
    forme: dict
    aide: str
    exemple: str
    alias: tuple[str, ...] = ()
    description: bool = False
    choix: Mapping[str, str] = field(default_factory=dict)

    @property
    def entetes(self) -> set[str]:
        """Normalised headers that name this column."""
        return {cle_de_tri(texte) for texte in (self.titre, self.champ, *self.alias)}


_USAGES = dict(Usage.choices)
_USAGES_ALIAS = {
    "ru": "RU",
    "anru": "RU",
    "pnru": "RU",
    "npnru": "RU",
    "renouvellement urbain": "RU",
    "mutation": "MUTATION",
    "mutation interne": "MUTATION",
    "vente": "VENTE",
    "relogement vente": "VENTE",
    "insalubrite": "INSALUBRITE",
    "peril": "INSALUBRITE",
    "aucun": "FLUX",
    "aucune": "FLUX",
    "dans le flux": "FLUX",
}
_DECISIONS = dict(Passage.Decision.choices)
_DECISIONS_ALIAS = {
    "a": "ATTR",
    "attribution": "ATTR",
    "attribue": "ATTR",
    "b": "ATTR_RANG",
    "attribution avec rang": "ATTR_RANG",
    "attribution par classement": "ATTR_RANG",
    "c": "ATTR_COND",
    "attribution sous condition": "ATTR_COND",
    "attribution sous condition suspensive": "ATTR_COND",
    "sous condition": "ATTR_COND",
    "d": "NON_ATTR",
    "non attribution": "NON_ATTR",
    "refus": "NON_ATTR",
    "e": "IRRECEV",
    "irrecevabilite": "IRRECEV",
    "irrecevable": "IRRECEV",
    "rejet pour irrecevabilite": "IRRECEV",
}
_EMPLOIS = dict(Attribution.StatutEmploi.choices)
_FINANS_ALIAS = {"plai": "10", "plus": "13", "pls": "14", "pli": "16", "pcl": "17"}
_FINANS = {
    code: code
    for code in (
        "10",
        "11",
        "12",
        "13",
        "14",
        "15",
        "16",
        "17",
        "49",
        "50",
        "51",
        "52",
        "53",
        "54",
        "55",
        "99",
    )
}

COLONNES: dict[str, Colonne] = {
    colonne.champ: colonne
    for colonne in (
        Colonne(
            "reference",
            "Référence du logement",
            lire_reference,
            _texte(100),
            "Votre propre référence, ou l’identifiant RPLS.",
            "HDA-3318",
            (
                "référence",
                "ref",
                "réf logement",
                "référence logement",
                "référence interne",
                "ref interne logement",
                "code logement",
                "n° logement",
                "numéro de logement",
                "logement",
                "lot",
                "code lot",
                "UG",
                "code UG",
                "ident_int",
                "ident_rep",
                "identifiant RPLS",
                "identifiant du logement",
            ),
            description=True,
        ),
        Colonne(
            "date_liberation",
            "Libéré le",
            lire_date,
            _DATE,
            "Jour où le logement est libre. Avec la référence, il désigne la libération.",
            "14/04/2026",
            (
                "date de libération",
                "date libération",
                "libération",
                "date de départ",
                "date départ",
                "date de sortie",
                "date d'état des lieux de sortie",
                "EDL sortie",
                "date de congé effectif",
            ),
        ),
        Colonne(
            "date_preavis",
            "Préavis reçu le",
            lire_date,
            _DATE,
            "Avant la libération.",
            "14/01/2026",
            ("date de préavis", "date préavis", "préavis", "date de congé", "congé reçu le"),
        ),
        Colonne(
            "date_disponibilite",
            "Disponible à la location le",
            lire_date,
            _DATE,
            "Après les travaux, s’il y en a.",
            "02/05/2026",
            ("date de disponibilité", "disponible le", "date de remise en location", "disponibilité"),
        ),
        Colonne(
            "usage",
            "Usage",
            lire_choix(_USAGES, _USAGES_ALIAS),
            _choix(_USAGES),
            "Flux (par défaut), ou l’une des soustractions de l’article R. 441-5.",
            "Flux",
            ("soustraction", "motif hors flux", "hors flux", "catégorie de soustraction", "type d'opération"),
            choix=_USAGES,
        ),
        Colonne(
            "preuve",
            "Justificatif",
            lire_texte(120),
            _texte(120),
            "Demandé pour une soustraction : numéro de l’opération, de l’arrêté, du dossier.",
            "",
            ("référence du justificatif", "preuve", "justificatif de soustraction", "n° opération"),
        ),
        Colonne(
            "premiere",
            "Première mise en location",
            lire_oui_non,
            _OUI_NON,
            "Oui pour un logement neuf.",
            "non",
            ("premiere_mise_en_location", "1ère mise en location", "neuf", "logement neuf"),
        ),
        Colonne(
            "reservataire",
            "Réservataire",
            lire_texte(150),
            _texte(150),
            "À qui le logement est orienté : État, ALS, nom ou code INSEE d’une collectivité, « non réservé ».",
            "ALS",
            ("contingent", "orienté vers", "réservataire proposé", "désignataire", "orientation"),
        ),
        Colonne(
            "orientee_le",
            "Orienté le",
            lire_date,
            _DATE,
            "Par défaut, le jour de la libération.",
            "15/04/2026",
            ("date d'orientation", "orientée le", "date orientation"),
        ),
        Colonne(
            "adresse",
            "Adresse",
            lire_texte(400),
            _texte(400),
            "Pour un logement que le RPLS ne connaît pas ; sinon elle vient du parc.",
            "",
            ("adresse du logement", "voie"),
            description=True,
        ),
        Colonne(
            "commune",
            "Code INSEE de la commune",
            lire_code_commune,
            {"type": "string", "pattern": "^([0-9]{2}|2[AB])[0-9]{3}$"},
            "Pour un logement que le RPLS ne connaît pas ; le zéro de tête est rétabli.",
            "06029",
            ("commune", "code commune", "code insee", "insee", "depcom", "code_insee"),
            description=True,
        ),
        Colonne(
            "qpv",
            "En QPV",
            lire_oui_non,
            _OUI_NON,
            "Pour un logement que le RPLS ne connaît pas ; sinon il est comparé au parc.",
            "non",
            ("qpv", "quartier prioritaire"),
            description=True,
        ),
        Colonne(
            "finan",
            "Financement (code RPLS)",
            lire_choix(_FINANS, _FINANS_ALIAS),
            _choix(_FINANS),
            "Pour un logement que le RPLS ne connaît pas : 10 PLAI, 13 PLUS, 14 PLS, 16 PLI…",
            "13",
            ("financement", "financement initial", "finan", "type de financement"),
            description=True,
            choix=_FINANS,
        ),
        Colonne(
            "conv",
            "Conventionné APL",
            lire_oui_non,
            _OUI_NON,
            "Pour un logement que le RPLS ne connaît pas.",
            "oui",
            ("conventionné", "conv", "apl"),
            description=True,
        ),
        Colonne(
            "nbpiece",
            "Nombre de pièces",
            lire_entier(1, 9),
            {"type": "integer", "minimum": 1, "maximum": 9},
            "Pour un logement que le RPLS ne connaît pas.",
            "3",
            ("typologie", "nb pièces", "nbpiece", "pièces", "type de logement"),
            description=True,
        ),
        Colonne(
            "construct",
            "Année de construction",
            lire_entier(1700, 2100),
            {"type": "integer", "minimum": 1700, "maximum": 2100},
            "Pour un logement que le RPLS ne connaît pas.",
            "2026",
            ("construction", "année construction", "construct"),
            description=True,
        ),
        Colonne(
            "date_caleol",
            "Commission du",
            lire_date,
            _DATE,
            "Date de la CALEOL.",
            "12/05/2026",
            (
                "date caleol",
                "date de la caleol",
                "caleol",
                "date cal",
                "date commission",
                "date de commission",
                "date séance commission",
                "date_seance_commission",
                "attribué le",
                "date d'attribution",
            ),
        ),
        Colonne(
            "dematerialisee",
            "Dématérialisée",
            lire_oui_non,
            _OUI_NON,
            "Oui pour une commission par voie électronique.",
            "non",
            ("commission dématérialisée", "caleol dématérialisée"),
        ),
        Colonne(
            "numero_unique",
            "Numéro unique",
            lire_numero_unique,
            {"type": "string", "minLength": LONGUEUR_NUMERO, "maxLength": LONGUEUR_NUMERO},
            "Dix-huit caractères. Haché dès la lecture : il n’est gardé nulle part en clair.",
            "022032600001GDPUB1",
            (
                "NUD",
                "NUR",
                "n° unique",
                "numéro unique de demande",
                "numéro unique départemental",
                "numéro de demande",
                "n° demande",
                "id demande unique",
                "id_demande_unique",
            ),
        ),
        Colonne(
            "date_proposition",
            "Proposé le",
            lire_date,
            _DATE,
            "Jour où le candidat a été proposé.",
            "20/04/2026",
            ("date de proposition", "date proposition"),
        ),
        Colonne(
            "decision",
            "Décision",
            lire_choix(_DECISIONS, _DECISIONS_ALIAS),
            _choix(_DECISIONS),
            "a à e de l’article R. 441-3 ; vide : candidature à examiner.",
            "b",
            ("décision de la commission", "libelle_decision", "décision caleol", "avis"),
            choix=_DECISIONS,
        ),
        Colonne(
            "rang",
            "Rang",
            lire_entier(1, 99),
            {"type": "integer", "minimum": 1, "maximum": 99},
            "Pour une décision b seulement : 1, 2, 3… sans trou.",
            "1",
            ("code rang", "code_rang", "classement", "rang de classement"),
        ),
        Colonne(
            "motif_decision",
            "Motif de non-attribution",
            lire_texte(120),
            _texte(120),
            "Pour une décision d : code ou libellé de la liste des motifs.",
            "",
            (
                "motif de la décision",
                "motif non attribution",
                "libelle_motif_non_attribution",
                "motif de rejet",
            ),
        ),
        Colonne(
            "piece",
            "Pièce attendue",
            lire_texte(160),
            _texte(160),
            "Pour une décision c : code ou libellé de la liste des pièces.",
            "",
            ("pièce manquante", "condition", "condition suspensive"),
        ),
        Colonne(
            "echeance",
            "À produire au plus tard le",
            lire_date,
            _DATE,
            "Pour une décision c.",
            "",
            ("échéance", "date limite", "date limite condition suspensive", "délai de la condition"),
        ),
        Colonne(
            "statut_emploi",
            "Situation d’emploi",
            lire_choix(
                _EMPLOIS,
                {"salariee": "SALARIE", "chomeur": "DEMANDEUR_EMPLOI", "sans emploi": "DEMANDEUR_EMPLOI"},
            ),
            _choix(_EMPLOIS),
            "Salarié, demandeur d’emploi, ou autre.",
            "salarié",
            ("emploi", "situation professionnelle"),
            choix=_EMPLOIS,
        ),
        Colonne(
            "agent",
            "Agent de l’État",
            lire_oui_non,
            _OUI_NON,
            "Oui si un membre du ménage se déclare agent de l’État, civil ou militaire.",
            "non",
            ("agent", "agent public", "fonctionnaire", "agent_etat", "agent de l'état"),
        ),
        Colonne(
            "agent_valide_le",
            "Agent validé le",
            lire_date,
            _DATE,
            "Jour où la DDETS ou la préfecture a validé l’agent ; ne compte que si elle l’a enregistré.",
            "",
            ("date de validation agent", "validation agent", "agent validé"),
        ),
        Colonne(
            "agent_adapte",
            "Secteur et taille conformes",
            lire_oui_non,
            _OUI_NON,
            "Pour un agent : le logement est dans le secteur et de la taille demandés.",
            "",
            ("agent adapté", "conforme à la demande", "secteur et typologie conformes"),
        ),
        Colonne(
            "motif_candidatures",
            "Motif de moins de trois candidatures",
            lire_texte(160),
            _texte(160),
            "Code ou libellé de la liste des motifs, quand il y a moins de trois candidatures pour le logement.",
            "",
            ("moins de trois candidatures", "motif candidatures", "motif nombre de candidatures"),
        ),
        Colonne(
            "offre_le",
            "Offre notifiée le",
            lire_date,
            _DATE,
            "Après la CALEOL.",
            "14/05/2026",
            ("date de l'offre", "date offre"),
        ),
        Colonne(
            "acceptee_le",
            "Acceptée le",
            lire_date,
            _DATE,
            "Après l’offre.",
            "18/05/2026",
            ("date d'acceptation", "accepté le", "date acceptation"),
        ),
        Colonne(
            "refusee_le",
            "Refusée le",
            lire_date,
            _DATE,
            "Refus, silence ou pièces manquantes, avec son motif.",
            "",
            ("date de refus", "refusé le", "date refus"),
        ),
        Colonne(
            "motif_refus",
            "Motif du refus du ménage",
            lire_texte(120),
            _texte(120),
            "Code ou libellé de la liste des motifs.",
            "",
            ("motif de refus", "motif refus"),
        ),
        Colonne(
            "date_bail",
            "Bail signé le",
            lire_date,
            _DATE,
            "Jour de la signature.",
            "01/06/2026",
            (
                "date de bail",
                "date bail",
                "date du bail",
                "date de signature du bail",
                "entrée dans les lieux",
            ),
        ),
    )
}

# What the extracts of other tools say. Their lists are read as they are said: an unknown code is kept and mapped later.
_EXTERNES = (
    Colonne(
        "date_attribution",
        "Attribué le",
        lire_date,
        _DATE,
        "Jour de la décision d’attribution, quand l’outil ne donne pas celui de la commission.",
        "12/05/2026",
        ("date d'attribution", "date attribution", "dateattribution", "date de l'attribution"),
    ),
    Colonne(
        "date_radiation",
        "Radiée le",
        lire_date,
        _DATE,
        "Jour où la demande a été radiée.",
        "02/06/2026",
        ("date de radiation", "date radiation", "dateradiation", "radiation le"),
    ),
    Colonne(
        "departement",
        "Département",
        lire_departement,
        {"type": "string", "pattern": "^([0-9]{2,3}|2[AB])$"},
        "Code du département ; à défaut celui de la commune, puis celui de qui dépose.",
        "22",
        ("code département", "code_departement", "dep", "dept"),
    ),
    Colonne(
        "bailleur",
        "Bailleur (SIREN ou nom)",
        lire_texte(120),
        _texte(120),
        "Qui a attribué ; à défaut, le bailleur qui dépose.",
        "272200012",
        (
            "bailleur",
            "siren bailleur",
            "siren du bailleur",
            "siren",
            "siret bailleur",
            "siret",
            "id_bailleur",
            "libelle_bailleur",
            "nom du bailleur",
            "bailleur attributaire",
            "organisme",
            "organisme attributaire",
            "gestionnaire attributaire",
        ),
    ),
    Colonne(
        "contingent",
        "Contingent",
        lire_texte(120),
        _texte(120),
        "Code du SNE (PPRIOR, PFONCT, COLACT, COLTER, AUTRES, AUCUN), du RPLS, ou mot de l’outil.",
        "PPRIOR",
        (
            "réservataire",
            "type de réservataire",
            "type réservataire",
            "typereservataire",
            "code réservataire",
            "contingent d'imputation",
            "libelle_reservataire_proposition",
            "désignataire",
            "id_designataire_commission",
        ),
    ),
    Colonne(
        "decision_externe",
        "Décision",
        lire_texte(120),
        _texte(120),
        "Décision de la commission, dans les mots de l’outil.",
        "Attribution",
        ("décision de la commission", "libelle_decision", "décision caleol", "decision"),
    ),
    Colonne(
        "motif_externe",
        "Motif de la demande",
        lire_texte(120),
        _texte(120),
        "Code (01 à 23) ou libellé de la liste du SNE.",
        "06",
        (
            "motif demande",
            "code motif",
            "motif principal",
            "motifdemande",
            "code_motif_demande_1",
            "libelle_motif_demande_1",
        ),
    ),
    Colonne(
        "radiation",
        "Motif de radiation",
        lire_texte(120),
        _texte(120),
        "Code du SNE (RADATT, RADABA, RADIRR, RADCON, RADREN) ou libellé.",
        "RADATT",
        (
            "code radiation",
            "radiation",
            "motifradiation",
            "motif radiation",
            "motif de la radiation",
            "cause de radiation",
        ),
    ),
    Colonne(
        "label",
        "Label ou motif de priorité",
        lire_texte(120),
        _texte(120),
        "Catégorie de public prioritaire, dans les mots de l’outil.",
        "DALO",
        (
            "label",
            "labellisation",
            "type de label",
            "catégorie",
            "catégorie de public",
            "public prioritaire",
            "type de public",
            "public",
            "motif de priorité",
            "motif priorité",
            "libelle_motif_priorite",
        ),
    ),
    Colonne(
        "label_debut",
        "Label depuis le",
        lire_date,
        _DATE,
        "Premier jour de validité du label.",
        "02/03/2026",
        (
            "date de labellisation",
            "date labellisation",
            "date du label",
            "labellisé le",
            "date début label",
            "date de début de label",
            "date de priorité",
        ),
    ),
    Colonne(
        "label_fin",
        "Label jusqu’au",
        lire_date,
        _DATE,
        "Dernier jour de validité, inclus ; vide : sans fin.",
        "",
        ("date fin label", "date de fin de label", "fin de validité", "date de fin de validité"),
    ),
    Colonne(
        "label_manuel",
        "Label manuel",
        lire_oui_non,
        _OUI_NON,
        "Oui pour un label posé à la main ; non pour un label posé par l’instruction.",
        "oui",
        ("labellisation manuelle", "manuel"),
    ),
    Colonne(
        "dalo",
        "Statut DALO",
        lire_texte(120),
        _texte(120),
        "ACTIF, CADUC, ACTREL, NON, ou oui et non.",
        "ACTIF",
        ("dalo", "reconnu dalo", "statutdalo", "ménage dalo"),
    ),
)
COLONNES |= {colonne.champ: colonne for colonne in _EXTERNES}
# Other titles under which columns of both kinds of files arrive, in the extracts.
_ALIAS_EXTERNES = {
    "numero_unique": ("numUnique", "numéro unique régional", "nur", "nud", "numéro de demandeur"),
    "reference": ("numeroRpls", "numéro RPLS", "n° RPLS", "id RPLS", "identifiant logement RPLS"),
    "commune": ("code_insee_commune", "code commune insee", "commune du logement", "code insee du logement"),
    "date_bail": ("dateSignatureBail", "date signature bail", "date de signature"),
    "date_caleol": ("dateCommission", "date de passage en commission", "date de la commission"),
}
COLONNES |= {
    champ: replace(COLONNES[champ], alias=(*COLONNES[champ].alias, *alias))
    for champ, alias in _ALIAS_EXTERNES.items()
}

_LOGEMENT_NEUF = ("adresse", "commune", "qpv", "finan", "conv", "nbpiece", "construct")
_LIBERATION = (
    "reference",
    "date_liberation",
    "date_preavis",
    "date_disponibilite",
    "usage",
    "preuve",
    "premiere",
    "reservataire",
    "orientee_le",
)
_AGENT = ("agent", "agent_valide_le", "agent_adapte")
_PASSAGE = (
    "date_caleol",
    "dematerialisee",
    "numero_unique",
    "date_proposition",
    "decision",
    "rang",
    "motif_decision",
    "piece",
    "echeance",
    "statut_emploi",
    *_AGENT,
    "motif_candidatures",
)
# Days of attribution before those of the commission, whose other titles include them.
_EXTRAIT = (
    "numero_unique",
    "date_attribution",
    "date_caleol",
    "date_bail",
    "date_radiation",
    "bailleur",
    "departement",
    "reference",
    "commune",
    "contingent",
    "decision_externe",
    "motif_externe",
    "radiation",
    "label",
    "label_debut",
    "label_fin",
    "label_manuel",
    "dalo",
)
# An event is a day: without any of them no line of an extract says anything. The first is the likeliest of the tool.
_JOURS = ("date_caleol", "date_attribution", "date_bail", "date_radiation", "label_debut")
_JOURS_SYPLO = ("label_debut", *_JOURS[:-1])
_SUITE = ("offre_le", "acceptee_le", "refusee_le", "motif_refus", "date_bail")


@dataclass(frozen=True)
class Tableau:
    """One kind of file: its columns in the order of the template, those without which a line says nothing, and those of
    which it needs one at least (`une_de`; empty: none of them is asked for)."""

    sujet: str
    feuille: str
    champs: tuple[str, ...]
    obligatoires: tuple[str, ...]
    une_de: tuple[str, ...] = ()

    @property
    def colonnes(self) -> list[Colonne]:
        return [COLONNES[champ] for champ in self.champs]


TABLEAUX: dict[str, Tableau] = {
    tableau.sujet: tableau
    for tableau in (
        Tableau(
            Sujet.LIBERATIONS.value,
            "Libérations",
            (*_LIBERATION, *_LOGEMENT_NEUF),
            ("reference", "date_liberation"),
        ),
        Tableau(
            Sujet.COMMISSIONS.value,
            "Commissions",
            ("reference", "date_liberation", *_PASSAGE),
            ("reference", "date_caleol", "numero_unique"),
        ),
        Tableau(
            Sujet.BAUX.value,
            "Baux",
            ("reference", "date_liberation", "date_caleol", *_SUITE),
            ("reference",),
        ),
        Tableau(
            Sujet.COMBINE.value,
            "Suivi",
            (*_LIBERATION, *_LOGEMENT_NEUF, *_PASSAGE, *_SUITE),
            ("reference", "date_liberation"),
        ),
        Tableau(Sujet.SNE.value, "SNE", _EXTRAIT, ("numero_unique",), _JOURS),
        Tableau(Sujet.SYPLO.value, "SYPLO", _EXTRAIT, ("numero_unique",), _JOURS_SYPLO),
        Tableau(Sujet.IMHOWEB.value, "Imhoweb", _EXTRAIT, ("numero_unique",), _JOURS),
    )
}
# What only a file of libérations says: with commissions or leases beside it, the table is a combined one.
_PROPRES_AUX_LIBERATIONS = {
    "date_preavis",
    "date_disponibilite",
    "usage",
    "preuve",
    "premiere",
    "reservataire",
    "orientee_le",
}


def associer(entetes: Sequence[str], champs: Sequence[str], connues: Mapping[str, str]) -> dict[str, int]:
    """Which column is which: champ → rank from 0. `connues`: champ → header, learnt from an earlier file.

    What was learnt comes first; then each header goes to the first column that it names, once.
    """
    normalises = [cle_de_tri(entete) for entete in entetes]
    trouves: dict[str, int] = {}
    for champ, entete in connues.items():
        cle = cle_de_tri(entete)
        if champ in champs and cle in normalises:
            trouves[champ] = normalises.index(cle)
    for champ in champs:
        if champ in trouves:
            continue
        noms = COLONNES[champ].entetes
        libres = (
            rang
            for rang, cle in enumerate(normalises)
            if cle and cle in noms and rang not in trouves.values()
        )
        rang = next(libres, None)
        if rang is not None:
            trouves[champ] = rang
    return trouves


def reconnaitre(entetes: Sequence[str]) -> int:
    """How many different columns these headers name, whatever the kind of file."""
    return len(associer(entetes, tuple(COLONNES), {}))


def deviner_sujet(entetes: Sequence[str]) -> str:
    """The kind of file that these headers announce; libérations when nothing says otherwise."""
    presents = set(associer(entetes, tuple(COLONNES), {}))
    passages = {"numero_unique", "date_caleol"} <= presents
    suites = bool({"date_bail", "acceptee_le", "refusee_le", "offre_le"} & presents)
    liberations = bool(_PROPRES_AUX_LIBERATIONS & presents)
    if (passages or suites) and (liberations or (passages and suites)):
        return Sujet.COMBINE.value
    if passages:
        return Sujet.COMMISSIONS.value
    return Sujet.BAUX.value if suites else Sujet.LIBERATIONS.value


# Titles of what is never kept of a person, whoever asks for it.
_PERSONNELS = re.compile(
    r"\b(nom|noms|prenom|prenoms|patronyme|nir|securite sociale|n secu|numero de secu|naissance|ne le|nee le|tel|telephone|portable|mel|"
    r"mail|courriel|email|e mail|nationalite|civilite|titre demandeur|adresse|conjoint|cotitulaire|enfants?)\b"
)
_NOMS_DE_CHOSES = re.compile(
    r"\b(bailleur|commune|organisme|quartier|qpv|residence|programme|agence|epci|reservataire|logement)\b"
)
NIR = re.compile(r"[12]\d{2}(0[1-9]|1[0-2]|[2-9]\d)(\d{2}|2[AB])\d{6}(\d{2})?")


def est_personnel(entete: str) -> bool:
    """Whether a title announces what names or identifies a person: never associated, never kept."""
    mots = cle_de_tri(re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", entete))
    return bool(_PERSONNELS.search(mots)) and not _NOMS_DE_CHOSES.search(mots)


def lettre(rang: int) -> str:
    """Name of a column as spreadsheets say it: 0 → A, 25 → Z, 26 → AA."""
    nom = ""
    rang += 1
    while rang:
        rang, reste = divmod(rang - 1, 26)
        nom = chr(65 + reste) + nom
    return nom
