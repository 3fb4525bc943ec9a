"""What the lines of a deposit are compared with, read once for all of them: parc, acts, motives, what is recorded."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.db.models import Max, Q

from flux.models import (
    Attribution,
    CodeMotif,
    Commission,
    Liberation,
    LigneOrdreDuJour,
    MotifRefus,
    Passage,
)
from flux.services.cadres import Cadre, charger_cadres
from reservation.acteur import TypeOrganisation
from reservation.models import (
    Commune,
    Convention,
    EtatParc,
    Logement,
    Organisation,
    VersionConvention,
    cle_de_tri,
)
from reservation.regles.statut import StatutLogement, statut_logement

FAITS = (
    "departement_id",
    "commune_id",
    "adresse",
    "qpv",
    "finan",
    "conv",
    "nbpiece",
    "typologie",
    "financement",
    "periode",
)
_LOT = 5_000  # texts of one ANY(…)


class DuParc(NamedTuple):
    """One dwelling of the last millésime, as far as a libération needs it."""

    cle: str
    ident_int: str
    ident_rep: str
    mode: str
    sortie: str
    drapeaux: tuple[str, ...]
    faits: dict

    @property
    def reference(self) -> str:
        return self.ident_int or self.ident_rep or self.cle


def charger_parc(bailleur: Organisation, references: Collection[str]) -> dict[str, list[DuParc]]:
    """Reference → the dwellings that bear it: own reference, RPLS id or key (two of them: it names nobody)."""
    dernier = EtatParc.objects.filter(bailleur=bailleur).aggregate(dernier=Max("millesime"))["dernier"]
    trouves: dict[str, dict[str, DuParc]] = defaultdict(dict)
    for lot in _lots(references):
        lignes = Logement.objects.filter(
            Q(ident_int__in=lot) | Q(ident_rep__in=lot) | Q(cle__in=lot), bailleur=bailleur, millesime=dernier
        ).order_by("cle")
        for cle, interne, repertoire, mode, sortie, drapeaux, *faits in lignes.values_list(
            "cle", "ident_int", "ident_rep", "mode", "sortie", "drapeaux", *FAITS
        ):
            logement = DuParc(
                cle, interne, repertoire, mode, sortie, tuple(drapeaux), dict(zip(FAITS, faits, strict=True))
            )
            for nom in {cle, interne, repertoire} - {""}:
                trouves[nom][cle] = logement
    return {nom: list(logements.values()) for nom, logements in trouves.items()}


def _lots(textes: Collection[str]) -> Iterable[list[str]]:
    uniques = sorted(set(textes))
    return (uniques[debut : debut + _LOT] for debut in range(0, len(uniques), _LOT))


@dataclass
class Enregistre:
    """What the database holds of the dwellings of the file: rows as dictionaries of plain values."""

    liberations: dict[str, list[dict]]
    annulees: dict[tuple[str, date], date]
    attributions: dict[int, list[dict]]
    passages: dict[int, list[dict]]
    commissions: dict[tuple[str, date], int]


_CHAMPS_LIBERATION = (
    "pk", "cle_logement", "reference", "date", "annulee_le", "date_preavis", "date_disponibilite", "usage", "preuve",
    "premiere", "reservataire_id", "orientee_le", "designation_echouee_le", "departement_id", "commune_id",
)  # fmt: skip
AGENT = ("agent", "agent_valide_le", "agent_adapte")
_CHAMPS_ATTRIBUTION = (
    "pk", "liberation_id", "passage_id", "menage_id", "date_caleol", "date_proposition", "statut_emploi", "offre_le",
    "acceptee_le", "refusee_le", "motif_refus_id", "date_bail", *AGENT,
)  # fmt: skip
_CHAMPS_PASSAGE = (
    "pk", "liberation_id", "menage_id", "commission_id", "commission__date", "date_proposition", "decision", "rang",
    "motif_id", "condition_piece_id", "condition_echeance", *AGENT,
)  # fmt: skip


def charger_enregistre(bailleur: Organisation, cles: Collection[str], verrouiller: bool) -> Enregistre:
    """The recorded events of these dwellings. `verrouiller`: they do not change until the end of the transaction."""
    liberations: dict[str, list[dict]] = defaultdict(list)
    annulees: dict[tuple[str, date], date] = {}
    identifiants: list[int] = []
    for lot in _lots(cles):
        lignes = Liberation.objects.filter(bailleur=bailleur, cle_logement__in=lot).order_by("pk")
        if verrouiller:
            lignes = lignes.select_for_update(of=("self",), no_key=True)
        for ligne in lignes.values(*_CHAMPS_LIBERATION):
            if ligne["annulee_le"]:
                annulees[ligne["cle_logement"], ligne["date"]] = ligne["annulee_le"]
            else:
                liberations[ligne["cle_logement"]].append(ligne)
                identifiants.append(ligne["pk"])
    attributions: dict[int, list[dict]] = defaultdict(list)
    passages: dict[int, list[dict]] = defaultdict(list)
    for debut in range(0, len(identifiants), _LOT):
        lot = identifiants[debut : debut + _LOT]
        for ligne in (
            Attribution.objects.filter(liberation__in=lot)
            .order_by("date_caleol", "pk")
            .values(*_CHAMPS_ATTRIBUTION)
        ):
            attributions[ligne["liberation_id"]].append(ligne)
        for ligne in Passage.objects.filter(liberation__in=lot).order_by("pk").values(*_CHAMPS_PASSAGE):
            passages[ligne["liberation_id"]].append(ligne)
    commissions: dict[tuple[str, date], int] = {}
    for pk, departement, jour in (
        Commission.objects.filter(bailleur=bailleur)
        .order_by("-pk")
        .values_list("pk", "departement_id", "date")
    ):
        commissions[departement, jour] = pk  # of two on one day, the first that was recorded
    return Enregistre(liberations, annulees, attributions, passages, commissions)


# --- Nomenclatures ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Motifs:
    """Codes and labels (normalised) → primary key, of the motives that a cell may name."""

    par_mot: dict[str, int]
    libelles: dict[int, str]

    def trouver(self, texte: str) -> int | None:
        return self.par_mot.get(cle_de_tri(texte))


def _motifs(lignes: Iterable[tuple[int, str, str]]) -> Motifs:
    lignes = list(lignes)
    mots = {cle_de_tri(libelle): pk for pk, _, libelle in lignes} | {
        cle_de_tri(code): pk for pk, code, _ in lignes
    }
    return Motifs(mots, {pk: libelle for pk, _, libelle in lignes})


def motifs_de_la_commission() -> Motifs:
    """Motives of a non-attribution."""
    return _motifs(
        MotifRefus.objects.filter(porteur=MotifRefus.Porteur.CALEOL).values_list("pk", "code", "libelle")
    )


def motifs_du_menage() -> Motifs:
    """Motives of a household's refusal, silence and missing documents included."""
    return _motifs(
        MotifRefus.objects.filter(porteur=MotifRefus.Porteur.MENAGE).values_list("pk", "code", "libelle")
    )


def pieces_attendues() -> Motifs:
    """Documents that a suspensive condition may wait for."""
    return _motifs(CodeMotif.objects.filter(acte=CodeMotif.Acte.PIECE).values_list("pk", "code", "libelle"))


def motifs_de_candidatures() -> Motifs:
    """Why a dwelling has fewer than three candidatures (R. 441-3)."""
    return _motifs(
        CodeMotif.objects.filter(acte=CodeMotif.Acte.CANDIDATURES).values_list("pk", "code", "libelle")
    )


def motifs_des_logements(
    bailleur: Organisation, jours: Collection[date]
) -> dict[tuple[int, date], int | None]:
    """(libération, day of the commission) → the reason already given on its agenda."""
    lignes = LigneOrdreDuJour.objects.filter(bailleur=bailleur, commission__date__in=jours).order_by("pk")
    return {
        (liberation, jour): motif
        for liberation, jour, motif in lignes.values_list(
            "liberation", "commission__date", "motif_candidatures"
        )
    }


# --- Réservataires ------------------------------------------------------------------------------------------

# Words of the files (SNE codes among them) → type of the réservataire that they mean.
_GENRES = {
    "etat": TypeOrganisation.DDETS,
    "prefet": TypeOrganisation.DDETS,
    "prefecture": TypeOrganisation.DDETS,
    "ddets": TypeOrganisation.DDETS,
    "contingent prefectoral": TypeOrganisation.DDETS,
    "contingent etat": TypeOrganisation.DDETS,
    "pprior": TypeOrganisation.DDETS,
    "pfonct": TypeOrganisation.DDETS,
    "als": TypeOrganisation.ACTION_LOGEMENT,
    "al": TypeOrganisation.ACTION_LOGEMENT,
    "action logement": TypeOrganisation.ACTION_LOGEMENT,
    "action logement services": TypeOrganisation.ACTION_LOGEMENT,
    "colact": TypeOrganisation.ACTION_LOGEMENT,
    "commune": TypeOrganisation.COLLECTIVITE,
    "ville": TypeOrganisation.COLLECTIVITE,
    "mairie": TypeOrganisation.COLLECTIVITE,
    "collectivite": TypeOrganisation.COLLECTIVITE,
    "collectivites": TypeOrganisation.COLLECTIVITE,
    "colter": TypeOrganisation.COLLECTIVITE,
    "autre": TypeOrganisation.AUTRE_RESERVATAIRE,
    "autres": TypeOrganisation.AUTRE_RESERVATAIRE,
    "bailleur": TypeOrganisation.BAILLEUR,
    "non reserve": TypeOrganisation.BAILLEUR,
    "aucun": TypeOrganisation.BAILLEUR,
    "hors contingent": TypeOrganisation.BAILLEUR,
}


class Reservataires:
    """Who has rights on which commune of the bailleur, and by which words files name them."""

    def __init__(self, bailleur: Organisation) -> None:
        self.bailleur = bailleur
        self.noms: dict[int, str] = {bailleur.pk: bailleur.nom}
        self._par_mot: dict[str, set[int]] = defaultdict(set)
        self._droits: dict[int, set[tuple[str, str | None]]] = defaultdict(set)
        self._trouves: dict[tuple[str, str, str], list[int]] = {}
        self._nommer(bailleur.pk, bailleur.nom, TypeOrganisation.BAILLEUR, "")
        # Signed acts whatever their dates, like `flux.services.orientations`.
        actes = VersionConvention.objects.filter(
            ~Q(convention__etat=Convention.Etat.BROUILLON), bailleur=bailleur
        ).order_by("pk")
        for pk, nom, type_, code, departement, commune in actes.values_list(
            "reservataire",
            "reservataire__nom",
            "reservataire__type",
            "reservataire__code",
            "departement",
            "communes",
        ):
            self.noms[pk] = nom
            self._nommer(pk, nom, type_, code)
            self._droits[pk].add((departement, commune))

    def _nommer(self, pk: int, nom: str, type_: str, code: str) -> None:
        if type_ == TypeOrganisation.PREFECTURE:
            type_ = TypeOrganisation.DDETS  # both hold the État's rights
        mots = {cle_de_tri(nom), cle_de_tri(code), *(mot for mot, genre in _GENRES.items() if genre == type_)}
        for prefixe in ("commune de ", "ville de ", "commune d ", "ville d "):
            mots.add(cle_de_tri(nom).removeprefix(prefixe))
        for mot in mots - {""}:
            self._par_mot[mot].add(pk)

    def trouver(self, texte: str, departement: str, commune: str) -> list[int]:
        """Those that this text may mean and that have rights on this commune; else those that it may mean at all."""
        cle = (texte, departement, commune)
        if cle not in self._trouves:
            nommes = self._par_mot.get(cle_de_tri(texte), set())
            habilites = [pk for pk in nommes if self.a_des_droits(pk, departement, commune)]
            self._trouves[cle] = sorted(habilites or nommes)
        return self._trouves[cle]

    def a_des_droits(self, pk: int, departement: str, commune: str) -> bool:
        """Whether the bailleur may orient a dwelling of this commune to them; to itself, always."""
        return pk == self.bailleur.pk or bool(
            {(departement, commune), (departement, None)} & self._droits[pk]
        )

    def possibles(self, departement: str, commune: str) -> list[tuple[int, str]]:
        """(primary key, name) of all those that have rights there."""
        return sorted(
            ((pk, nom) for pk, nom in self.noms.items() if self.a_des_droits(pk, departement, commune)),
            key=lambda couple: cle_de_tri(couple[1]),
        )


# --- Statuses -----------------------------------------------------------------------------------------------


class Statuts:
    """Verdict of the rule for a dwelling in a year, under the acts of that year: once per distinct profile."""

    def __init__(self, bailleur: Organisation) -> None:
        self.bailleur = bailleur
        self._cadres: dict[tuple[str, int], Cadre] = {}
        self._statuts: dict[tuple, StatutLogement] = {}

    def de(
        self,
        departement: str,
        annee: int,
        finan: str,
        conv: str,
        mode: str,
        sortie: str,
        drapeaux: tuple[str, ...],
    ) -> StatutLogement:
        profil = (departement, annee, finan, conv, mode, sortie, drapeaux)
        if profil not in self._statuts:
            if (departement, annee) not in self._cadres:
                paire = (self.bailleur.pk, departement)
                self._cadres[departement, annee] = charger_cadres([paire], annee)[paire]
            exclusions = self._cadres[departement, annee].regime.exclusions
            self._statuts[profil] = statut_logement(
                finan, conv, mode, sortie, frozenset(drapeaux), self.bailleur.famille, exclusions
            )
        return self._statuts[profil]


def departements_des_communes() -> dict[str, str]:
    """INSEE code of a commune → code of its département."""
    return dict(Commune.objects.order_by().values_list("code", "departement"))
