"""An act as people read it: its parameters in words, its articles in order, what an avenant changes.

Each parameter is named and written once, here: the page of a convention, the check before signing, the
differences of an avenant and the documents all say the same thing in the same words.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from reservation.acteur import TypeOrganisation
from reservation.models import Convention, Derogation, NatureSoustraction, Organisation, VersionConvention
from reservation.regles import articles as textes
from reservation.regles.statut import LIBELLES_DRAPEAU
from reservation.regles.typographie import date_fr, decimal_fr, enumerer, typographier

from .modeles_convention import champs_de, modeles

SILENCE = "non prévu"


def nombre_fr(valeur: Decimal | int) -> str:
    """A rate without idle zeros: 30.0000 → "30", 28.6300 → "28,63"."""
    exact = Decimal(valeur).normalize()
    return decimal_fr(exact, max(0, -exact.as_tuple().exponent))


def points_fr(valeur: Decimal | int) -> str:
    """ "30 points", "1,37 point": French says the singular under 2."""
    return f"{nombre_fr(valeur)}\u00a0point{'s' if abs(valeur) >= 2 else ''}"


def nom_reservataire(organisation: Organisation) -> str:
    """The name of a réservataire in an act: the État is the État, whichever of its services keeps the act."""
    return "État" if organisation.type == TypeOrganisation.DDETS else organisation.nom


def citer(elements: Sequence[str], montres: int = 6) -> str:
    """("a", "b") → "« a » et « b »"; a long list is cut, its length is said."""
    cites = [f"« {element} »" for element in elements[:montres]]
    if reste := len(elements) - len(cites):
        cites.append(f"{reste} autre{'s' if reste > 1 else ''}")
    return typographier(enumerer(cites))


@dataclass(frozen=True, slots=True)
class Difference:
    """What changes from one version to the next, in words."""

    champ: str
    libelle: str
    avant: str
    apres: str
    ajouts: tuple[str, ...] = ()
    retraits: tuple[str, ...] = ()

    @property
    def gestes(self) -> str:
        """For a list, what is added and what is taken away: "ajout de « a », retrait de « b »"."""
        couples = (("ajout", self.ajouts), ("retrait", self.retraits))
        return ", ".join(f"{geste} de {citer(elements)}" for geste, elements in couples if elements)

    def __str__(self) -> str:
        return f"{self.libelle}\u00a0: {self.gestes or f'{self.avant} → {self.apres}'}"


@dataclass(frozen=True, slots=True)
class ParametreLu:
    """One parameter of an act: the fields that hold it, its name, how to write it, its elements if it is a list.

    `unite`: said once, after the second value of a difference ("30 → 28 points").
    """

    champs: tuple[str, ...]
    libelle: str
    lire: Callable[[VersionConvention], str]
    elements: Callable[[VersionConvention], Iterable[str]] | None = None
    unite: Callable[[VersionConvention], str] | None = None

    @property
    def champ(self) -> str:
        return self.champs[0]


def _oui_non(champ: str, oui: str = "oui", non: str = "non") -> Callable[[VersionConvention], str]:
    return lambda version: oui if getattr(version, champ) else non


def _choix(champ: str) -> Callable[[VersionConvention], str]:
    return lambda version: getattr(version, f"get_{champ}_display")()


def _texte(champ: str) -> Callable[[VersionConvention], str]:
    return lambda version: getattr(version, champ) or SILENCE


def _facultatif(champ: str, ecrire: Callable[[Any], str]) -> Callable[[VersionConvention], str]:
    def lire(version: VersionConvention) -> str:
        valeur = getattr(version, champ)
        return SILENCE if valeur is None else ecrire(valeur)

    return lire


def _retrocession(version: VersionConvention) -> str:
    if version.retrocession_taux is None:
        return "aucune"
    return (
        f"{points_fr(version.retrocession_taux)}, du {date_fr(version.retrocession_debut)} au "
        f"{date_fr(version.retrocession_fin)}, prise sur {version.get_retrocession_prise_sur_display()}"
    )


def libelles_soustractions(version: VersionConvention) -> list[str]:
    """Names of the soustractions of an act, in the order of the law."""
    return [nature.label for nature in NatureSoustraction if nature.value in version.soustractions]


def libelles_exclusions_locales(version: VersionConvention) -> list[str]:
    """Names of the exclusions agreed with the préfet (CA, art. 1)."""
    return [libelle for code, libelle in LIBELLES_DRAPEAU.items() if code in version.exclusions_locales]


def _communes(version: VersionConvention) -> list[str]:
    return [commune.nom for commune in version.communes.all()]


def territoire(version: VersionConvention, montrees: int = 6) -> str:
    """Names of the communes, the first ones when they are many; "tout le département" when there is none."""
    noms = _communes(version)
    if not noms:
        return "tout le département"
    if len(noms) > montrees + 1:
        noms = [*noms[:montrees], f"{len(noms) - montrees}\u00a0autres communes"]
    return enumerer(noms)


PARAMETRES = (
    ParametreLu(
        ("taux",),
        "Taux",
        lambda v: nombre_fr(v.taux),
        unite=lambda v: "points" if v.taux >= 2 else "point",
    ),
    ParametreLu(
        ("taux_agents",),
        "Dont agents de l’État, au plus",
        lambda v: nombre_fr(v.taux_agents),
        unite=lambda v: "points" if v.taux_agents >= 2 else "point",
    ),
    ParametreLu(("communes",), "Territoire", territoire, elements=_communes),
    ParametreLu(
        ("retrocession_taux", "retrocession_debut", "retrocession_fin", "retrocession_prise_sur"),
        "Rétrocession PNRU",
        _retrocession,
    ),
    ParametreLu(("plancher_hors_qpv",), "Plancher hors QPV", _facultatif("plancher_hors_qpv", points_fr)),
    ParametreLu(("echelle",), "Échelle de la part de l’État", _choix("echelle")),
    ParametreLu(("exclut_pli",), "Logements financés en PLI", _oui_non("exclut_pli", "exclus", "compris")),
    ParametreLu(
        ("exclut_residences_services",),
        "Résidences-services",
        _oui_non("exclut_residences_services", "exclues", "comprises"),
    ),
    ParametreLu(
        ("exclut_vente_demolition",),
        "Plan de vente et démolitions",
        _oui_non("exclut_vente_demolition", "exclus", "compris"),
    ),
    ParametreLu(
        ("exclusions_locales",),
        "Exclusions locales",
        lambda v: enumerer(libelles_exclusions_locales(v)) or "aucune",
        elements=libelles_exclusions_locales,
    ),
    ParametreLu(
        ("soustractions",),
        "Soustractions du flux",
        lambda v: enumerer(_minuscule(s) for s in libelles_soustractions(v)) or "aucune",
        elements=libelles_soustractions,
    ),
    ParametreLu(
        ("premieres_mises_en_location",),
        "Premières mises en location",
        _oui_non("premieres_mises_en_location", "dans le flux", "hors du flux"),
    ),
    ParametreLu(
        ("taux_rotation",),
        "Taux de rotation convenu",
        _facultatif("taux_rotation", lambda taux: f"{nombre_fr(taux)}\u202f%"),
    ),
    ParametreLu(("fait_generateur",), "Ce qui remplit l’objectif", _choix("fait_generateur")),
    ParametreLu(("gestion",), "Gestion", _choix("gestion")),
    ParametreLu(
        ("delai_proposition",),
        "Délai pour proposer des candidats",
        _facultatif("delai_proposition", lambda jours: f"{jours}\u00a0jour{'s' if jours > 1 else ''}"),
    ),
    ParametreLu(("sans_proposition",), "Sans proposition dans le délai", _choix("sans_proposition")),
    ParametreLu(
        ("reprise_pour_un_tour",),
        "Reprise d’un logement pour un tour",
        _oui_non("reprise_pour_un_tour", "possible", SILENCE),
    ),
    ParametreLu(
        ("echec_consomme",),
        "Une désignation échouée",
        _oui_non("echec_consomme", "épuise le droit", "n’épuise pas le droit"),
    ),
    ParametreLu(("clause_quart",), "Clause des 25\u202f%", _texte("clause_quart")),
    ParametreLu(("clause_objectifs",), "Clause sur les objectifs non atteints", _texte("clause_objectifs")),
)


def parametres_de(version: VersionConvention) -> tuple[ParametreLu, ...]:
    """The parameters that this act fixes; a collectivité has a territory, the État and ALS the département."""
    fixes = {*champs_de(version.reservataire.type)}
    if version.reservataire.type == TypeOrganisation.COLLECTIVITE:
        fixes.add("communes")
    return tuple(parametre for parametre in PARAMETRES if parametre.champ in fixes)


def differences(avant: VersionConvention, apres: VersionConvention) -> list[Difference]:
    """What `apres` changes, in the order of the articles; nothing when they say the same."""
    ecarts = []
    for parametre in parametres_de(apres):
        ancien, nouveau = parametre.lire(avant), parametre.lire(apres)
        if ancien == nouveau:
            continue
        ajouts = retraits = ()
        if parametre.elements:
            anciens, nouveaux = list(parametre.elements(avant)), list(parametre.elements(apres))
            ajouts = tuple(e for e in nouveaux if e not in anciens)
            retraits = tuple(e for e in anciens if e not in nouveaux)
        if parametre.unite:
            nouveau = f"{nouveau}\u00a0{parametre.unite(apres)}"
        ecarts.append(Difference(parametre.champ, parametre.libelle, ancien, nouveau, ajouts, retraits))
    return ecarts


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: the avenant that set it, else the model's article while it is the model's."""

    article: str = ""
    note: str = ""


def source_de(
    convention: Convention,
    version: VersionConvention,
    champs: Collection[str],
    anterieures: Sequence[VersionConvention] = (),
) -> Source:
    """Source of the value of `champs` in `version`; `anterieures`: the versions before it, in order."""
    suite = [*anterieures, version]
    for avant, apres in reversed(list(pairwise(suite))):
        if any(_valeur(avant, champ) != _valeur(apres, champ) for champ in champs):
            return Source(f"Avenant {apres.rang}")
    modele = modeles()[convention.modele].parametres(convention.reservataire.type)
    fournis = [(champ, modele[champ]) for champ in champs if champ in modele]
    if any(p.valeur is None and getattr(version, champ) not in (None, 0) for champ, p in fournis):
        return Source("", "Convenu entre les parties.")
    if any(getattr(version, champ) != parametre.valeur for champ, parametre in fournis):
        return Source("", "Valeur propre à cet acte.")
    articles = dict.fromkeys(p.article for _, p in fournis if p.article)
    notes = dict.fromkeys(p.note for _, p in fournis if p.note)
    return Source("\u202f; ".join(articles), " ".join(notes))


def _valeur(version: VersionConvention, champ: str) -> Any:
    return _communes(version) if champ == "communes" else getattr(version, champ)


@dataclass(frozen=True, slots=True)
class Alinea:
    """A sentence of the act, the text it rests on, and what it owes to the model."""

    texte: str
    article: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Article:
    """A numbered article, in sentences."""

    numero: int
    titre: str
    alineas: tuple[Alinea, ...]


def rediger(
    convention: Convention,
    version: VersionConvention,
    anterieures: Sequence[VersionConvention] = (),
    derogations: Sequence[Derogation] = (),
) -> list[Article]:
    """The act as `version` leaves it, article by article, in the order of the Côtes-d'Armor convention.

    `anterieures`: the versions before it, so that each sentence names the avenant that wrote it.
    """
    redaction = _Redaction(convention, version, anterieures, derogations)
    titres = (
        ("Le parc locatif social concerné", redaction.parc),
        ("Durée et renouvellement", redaction.duree),
        ("Taux et territoire", redaction.taux),
        ("Publics", redaction.publics),
        ("Gestion de la réservation", redaction.gestion),
        ("Calcul du flux et de l’objectif", redaction.flux),
        ("Bilan et part des ménages prioritaires", redaction.bilan),
        ("Objectifs non atteints et résiliation", redaction.sanctions),
    )
    return [Article(i, titre, tuple(ecrire())) for i, (titre, ecrire) in enumerate(titres, 1)]


class _Redaction:
    """The sentences of one version of one act."""

    def __init__(
        self,
        convention: Convention,
        version: VersionConvention,
        anterieures: Sequence[VersionConvention],
        derogations: Sequence[Derogation],
    ) -> None:
        self.convention = convention
        self.version = version
        self.anterieures = anterieures
        self.derogations = derogations
        self.type = convention.reservataire.type
        self.etat = self.type == TypeOrganisation.DDETS

    def alinea(self, texte: str, *champs: str, article: str = "") -> Alinea:
        source = source_de(self.convention, self.version, champs, self.anterieures)
        return Alinea(typographier(texte), source.article or article, source.note)

    def parc(self) -> Iterable[Alinea]:
        yield self.alinea(
            "La gestion en flux porte sur les logements conventionnés ouvrant droit à l’APL, sur les logements "
            "non conventionnés financés par l’État avant 1977 et sur les logements déconventionnés relevant de "
            "l’article L. 411-6 ; pour une SEM, sur ses seuls logements conventionnés.",
            article=textes.ASSIETTE,
        )
        if not self.etat:
            yield self.alinea("Les exclusions sont celles de l’acte passé avec l’État.")
            return
        v = self.version
        exclus = ["les logements-foyers et résidences sociales", "les résidences universitaires"]
        if v.exclut_residences_services:
            exclus.append("les résidences-services")
        exclus.append("les logements réservés à la défense, à la sécurité intérieure ou à la santé")
        yield self.alinea(f"N’en relèvent pas : {enumerer(exclus)}.", "exclut_residences_services")
        if not v.exclut_residences_services:
            yield self.alinea("Les résidences-services restent dans le flux.")
        yield self.alinea(
            "Les logements financés en PLI en sont exclus."
            if v.exclut_pli
            else "Les logements financés en PLI restent dans le flux.",
            "exclut_pli",
        )
        yield self.alinea(
            "Les logements d’un plan de vente et ceux qui doivent être démolis en sont exclus."
            if v.exclut_vente_demolition
            else "Les logements d’un plan de vente et ceux qui doivent être démolis restent dans le flux.",
            "exclut_vente_demolition",
        )
        if locales := libelles_exclusions_locales(v):
            yield self.alinea(
                f"Exclusions convenues avec le préfet : {enumerer(locales)}.", "exclusions_locales"
            )

    def duree(self) -> Iterable[Alinea]:
        c = self.convention
        nature = "L’arrêté" if c.nature == Convention.Nature.ARRETE else "La convention"
        fin = c.fin_convenue or c.fin
        yield Alinea(f"{nature} s’applique du {date_fr(c.debut)} au {date_fr(fin)}.")
        if c.etat == Convention.Etat.RESILIEE:
            accord = "é" if c.nature == Convention.Nature.ARRETE else "ée"
            yield Alinea(
                typographier(
                    f"Résili{accord} le {date_fr(c.resiliee_le)} : dernier jour d’effet le {date_fr(c.fin)}. "
                    f"Motif : {c.motif_resiliation}"
                )
            )
        elif c.nature == Convention.Nature.CONVENTION:
            yield Alinea("Elle peut être modifiée chaque année par avenant.")

    def taux(self) -> Iterable[Alinea]:
        v = self.version
        if not self.etat:
            lieu = "du département"
            if v.communes.all():
                lieu = f"de son territoire : {territoire(v)}"
            yield self.alinea(
                f"Le réservataire dispose de {points_fr(v.taux)} du flux annuel {lieu}.",
                "taux",
                "communes",
                article=textes.COLLECTIVITES if self.type == TypeOrganisation.COLLECTIVITE else "",
            )
            return
        yield self.alinea(
            f"L’État dispose de {points_fr(v.taux)} du flux annuel, dont {points_fr(v.taux_agents)} au plus pour "
            "ses agents civils et militaires.",
            "taux",
            "taux_agents",
        )
        for derogation in self.derogations:
            yield Alinea(
                typographier(
                    f"Par l’arrêté {derogation.numero}, ce taux est porté à {points_fr(derogation.taux)} du "
                    f"{date_fr(derogation.debut)} au {date_fr(derogation.fin)}."
                ),
                textes.PART_ETAT,
                derogation.motif,
            )
        if v.retrocession_taux is not None:
            yield self.alinea(
                f"Il rétrocède {points_fr(v.retrocession_taux)} à Action Logement Services, du "
                f"{date_fr(v.retrocession_debut)} au {date_fr(v.retrocession_fin)} : il lui reste alors "
                f"{points_fr(v.taux - v.retrocession_taux)}. La rétrocession est prise sur "
                f"{v.get_retrocession_prise_sur_display()}.",
                "retrocession_taux",
                "retrocession_debut",
                "retrocession_fin",
                "retrocession_prise_sur",
            )
        if v.plancher_hors_qpv is None:
            yield self.alinea("La convention ne prévoit aucun plancher hors QPV.", "plancher_hors_qpv")
        else:
            yield self.alinea(
                f"Hors quartier prioritaire, sa part ne peut être inférieure à {points_fr(v.plancher_hors_qpv)} "
                "du flux.",
                "plancher_hors_qpv",
            )
            net = v.taux - (v.retrocession_taux or 0)
            if net < v.plancher_hors_qpv:
                yield Alinea(
                    typographier(
                        f"Pendant la rétrocession, le taux net ({points_fr(net)}) est inférieur à ce plancher : "
                        "l’objectif hors QPV est calculé sur le taux net."
                    )
                )
        yield self.alinea(f"La part de l’État s’apprécie pour {v.get_echelle_display()}.", "echelle")

    def publics(self) -> Iterable[Alinea]:
        if self.etat:
            yield Alinea(
                "Ménages prioritaires, dans l’ordre des groupes du département, et agents de l’État.",
                textes.PRIORITAIRES,
            )
        elif self.type == TypeOrganisation.ACTION_LOGEMENT:
            yield Alinea(
                typographier(
                    "Un quart au moins des attributions de l’année va à des salariés ou demandeurs d’emploi "
                    "reconnus DALO ou, à défaut, prioritaires."
                ),
                textes.QUART_ALS,
            )
        else:
            yield Alinea(
                "Un quart au moins des attributions de l’année va à des ménages reconnus DALO ou, à défaut, "
                "prioritaires.",
                textes.PRIORITAIRES,
            )

    def gestion(self) -> Iterable[Alinea]:
        v = self.version
        if v.gestion == VersionConvention.Gestion.DELEGUEE:
            texte = "Gestion déléguée : le réservataire confie au bailleur le soin de désigner les candidats."
        else:
            texte = "Gestion directe : le réservataire désigne les candidats."
        yield self.alinea(texte, "gestion")
        if v.delai_proposition is not None:
            yield self.alinea(
                f"Il dispose de {v.delai_proposition} jour{'s' if v.delai_proposition > 1 else ''} pour les "
                f"proposer. Sans proposition, {v.get_sans_proposition_display()}.",
                "delai_proposition",
                "sans_proposition",
            )
        if v.reprise_pour_un_tour:
            yield self.alinea("Le bailleur peut reprendre un logement pour un tour.", "reprise_pour_un_tour")
        yield self.alinea(
            "Une désignation échouée épuise le droit du réservataire."
            if v.echec_consomme
            else "Une désignation échouée n’épuise pas le droit du réservataire.",
            "echec_consomme",
        )

    def flux(self) -> Iterable[Alinea]:
        v = self.version
        if not self.etat:
            yield Alinea(
                "Le flux, ses soustractions et ce qui remplit l’objectif sont ceux de l’acte passé avec l’État."
            )
            return
        if soustraits := libelles_soustractions(v):
            yield self.alinea(
                "Sont déduits des libérations : " + enumerer(_minuscule(s) for s in soustraits) + ".",
                "soustractions",
            )
        else:
            yield self.alinea("Rien n’est déduit des libérations.", "soustractions")
        yield self.alinea(
            "Les premières mises en location comptent dans le flux."
            if v.premieres_mises_en_location
            else "Les premières mises en location ne comptent pas dans le flux.",
            "premieres_mises_en_location",
        )
        if v.taux_rotation is not None:
            yield self.alinea(
                f"Le flux prévisionnel est calculé avec un taux de rotation de {nombre_fr(v.taux_rotation)} %.",
                "taux_rotation",
            )
        yield self.alinea(f"L’objectif est rempli par {v.get_fait_generateur_display()}.", "fait_generateur")

    def bilan(self) -> Iterable[Alinea]:
        yield Alinea(
            "Le bailleur remet son bilan avant le 28 février, et un point d’étape tous les six mois.",
            textes.BILAN,
        )
        if self.version.clause_quart:
            yield self.alinea(
                f"Clause des 25 % dans les conventions des autres réservataires : {self.version.clause_quart}."
                if self.etat
                else f"Clause des 25 % : {self.version.clause_quart}.",
                "clause_quart",
            )
        else:
            yield Alinea(typographier("La clause des 25 % n’est pas indiquée."))

    def sanctions(self) -> Iterable[Alinea]:
        if self.etat:
            if self.version.clause_objectifs:
                yield self.alinea(
                    f"Report sur l’année suivante et attribution directe par le préfet : "
                    f"{self.version.clause_objectifs}.",
                    "clause_objectifs",
                )
            else:
                yield self.alinea(
                    "Aucune clause sur les objectifs non atteints : ni report, ni attribution directe.",
                    "clause_objectifs",
                )
            yield Alinea(
                "Si le bailleur ne respecte pas ses engagements, le préfet peut résilier la convention après une "
                "mise en demeure restée deux mois sans effet, puis régler par arrêté l’usage de ses droits.",
                textes.ARRETE_SANS_CONVENTION,
            )
        else:
            yield Alinea("L’acte prend fin à son terme ou par résiliation.")


def _minuscule(texte: str) -> str:
    """First letter in small, unless the word is an acronym."""
    return texte if texte[:2].isupper() else texte[:1].lower() + texte[1:]


def restant_retrocession(version: VersionConvention, jour: date) -> tuple[int, int] | None:
    """Whole years and months left on the clock of the rétrocession after `jour`; None when it does not run."""
    if version.retrocession_fin is None or not version.retrocession_debut <= jour <= version.retrocession_fin:
        return None
    fin = version.retrocession_fin
    mois = (fin.year - jour.year) * 12 + fin.month - jour.month - (fin.day < jour.day)
    return divmod(mois, 12)
