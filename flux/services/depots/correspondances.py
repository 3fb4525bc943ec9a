"""What the codes of a source mean to an organisation: known lists, what it mapped itself, and what is left to map."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.fields.json import KT

from flux.imports.codes import listes_du_sne, valeurs_connues
from flux.models import (
    CorrespondanceValeur,
    Depot,
    EvenementExterne,
    GenreContingent,
    ListeExterne,
    Passage,
)
from publics.models import CategorieLabel
from publics.services.labels_en_lot import LabelDit, labelliser_en_lot, proposer_en_lot
from publics.services.menages import Empreintes, retrouver_menages
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Organisation, cle_de_tri
from reservation.perimetre import agir

# Column of an extract → the list that its words are of.
LISTES = {
    "contingent": ListeExterne.RESERVATAIRE,
    "motif_externe": ListeExterne.MOTIF,
    "radiation": ListeExterne.RADIATION,
    "label": ListeExterne.LABEL,
    "decision_externe": ListeExterne.DECISION,
    "dalo": ListeExterne.DALO,
    "bailleur": ListeExterne.BAILLEUR,
}
CHAMPS = {liste: champ for champ, liste in LISTES.items()}
LONGUEUR_SIREN = 9
# Type of a réservataire → the contingent that its name means.
_CONTINGENTS = {
    TypeOrganisation.DDETS: str(GenreContingent.ETAT_PRIORITAIRE),
    TypeOrganisation.ACTION_LOGEMENT: str(GenreContingent.ALS),
    TypeOrganisation.COLLECTIVITE: str(GenreContingent.COLLECTIVITE),
    TypeOrganisation.AUTRE_RESERVATAIRE: str(GenreContingent.AUTRE),
}
_BRUTS = {
    ListeExterne.RESERVATAIRE: "reservataire_brut",
    ListeExterne.MOTIF: "motif_brut",
    ListeExterne.RADIATION: "radiation_brute",
    ListeExterne.LABEL: "label_brut",
    ListeExterne.DECISION: "decision_brute",
    ListeExterne.BAILLEUR: "bailleur_brut",
}
_VALEURS = """
SELECT c.key, c.value, count(*), min(l.ligne)
FROM flux_lignedepot l, jsonb_each_text(l.cellules) c
WHERE l.depot_id = %s AND c.key = ANY(%s) GROUP BY 1, 2
"""


class Lexique:
    """Words of one source → what they mean here, for the files of one organisation."""

    def __init__(self, organisation_id: int, source: str) -> None:
        self.siennes: dict[tuple[str, str], str] = {
            (liste, valeur): cible
            for liste, valeur, cible in CorrespondanceValeur.objects.filter(
                organisation=organisation_id, source=source
            )
            .order_by("pk")
            .values_list("liste", "valeur", "cible")
        }
        self.categories: dict[str, str] = {}
        for code, libelle in CategorieLabel.objects.values_list("code", "libelle"):
            self.categories |= {cle_de_tri(code): code, cle_de_tri(libelle): code}
        self.bailleurs: dict[str, int] = {}
        lignes = Organisation.objects.filter(type=TypeOrganisation.BAILLEUR).order_by("-pk")
        for pk, siren, nom, absorbant in lignes.values_list("pk", "siren", "nom", "absorbee_par"):
            self.bailleurs |= {cle_de_tri(mot): absorbant or pk for mot in (nom, siren) if mot}
        self.etat: dict[str, int] = {}
        self.als: int | None = None
        self.reservataires: dict[str, tuple[int, str]] = {}
        autres = Organisation.objects.filter(type__in=_CONTINGENTS, fermee_le=None).order_by("-pk")
        for pk, type_, nom, code, departement in autres.values_list(
            "pk", "type", "nom", "code", "departement"
        ):
            if type_ == TypeOrganisation.DDETS:
                self.etat[departement] = pk
            elif type_ == TypeOrganisation.ACTION_LOGEMENT:
                self.als = pk
            for mot in {nom, code} - {""}:
                self.reservataires[cle_de_tri(mot)] = (pk, _CONTINGENTS[type_])
        self._lus: dict[tuple[str, str], str | None] = {}

    def trouver(self, liste: str, texte: str) -> str | None:
        """What `texte` means here: a code, "" for nothing, None when nobody said."""
        if (liste, texte) not in self._lus:
            self._lus[liste, texte] = self._chercher(liste, texte)
        return self._lus[liste, texte]

    def _chercher(self, liste: str, texte: str) -> str | None:
        cle = cle_de_tri(texte)
        if (liste, cle) in self.siennes:
            return self.siennes[liste, cle]
        if liste == ListeExterne.BAILLEUR:
            return self._bailleur(texte, cle)
        if liste == ListeExterne.RESERVATAIRE and cle in self.reservataires:
            return self.reservataires[cle][1]
        if liste == ListeExterne.LABEL and cle in self.categories:
            return self.categories[cle]
        return valeurs_connues()[liste].get(cle)

    def _bailleur(self, texte: str, cle: str) -> str | None:
        """By its name, its SIREN or one of its SIRET, the zeros that a spreadsheet took off put back."""
        chiffres = "".join(texte.split())
        if chiffres.isascii() and chiffres.isdecimal():
            cle = (
                chiffres.zfill(LONGUEUR_SIREN)
                if len(chiffres) <= LONGUEUR_SIREN
                else chiffres.zfill(14)[:LONGUEUR_SIREN]
            )
        trouve = self.bailleurs.get(cle)
        return None if trouve is None else str(trouve)

    def reservataire(
        self, texte: str, contingent: str, departement: str, bailleur_id: int | None
    ) -> int | None:
        """The organisation that a contingent means there; a kind of réservataire of which there are many: its name says it."""
        match contingent:
            case GenreContingent.ETAT_PRIORITAIRE | GenreContingent.ETAT_AGENT:
                return self.etat.get(departement)
            case GenreContingent.ALS:
                return self.als
            case GenreContingent.BAILLEUR:
                return bailleur_id
        nomme = self.reservataires.get(cle_de_tri(texte))
        return nomme[0] if nomme and nomme[1] == contingent else None

    def categorie_du_motif(self, texte: str) -> str | None:
        """The ground that the organisation reads in a motive of the demand; the list of the SNE says none."""
        return self.siennes.get((ListeExterne.MOTIF, cle_de_tri(texte))) or None

    def motif(self, texte: str) -> str | None:
        """Code of the list of the SNE, whatever the organisation reads in it."""
        return valeurs_connues()[ListeExterne.MOTIF].get(cle_de_tri(texte))


@dataclass(frozen=True)
class Valeur:
    """One word of a list in a deposit. `cible`: what it means here (None: nobody said); `sienne`: mapped by hand."""

    liste: str
    texte: str
    lignes: int
    premiere: int
    cible: str | None
    sienne: bool

    @property
    def nom_liste(self) -> str:
        return ListeExterne(self.liste).label


def valeurs_du_depot(depot: Depot) -> list[Valeur]:
    """Words of the lists in the lines of this deposit that are unknown or mapped by hand, the most frequent first."""
    lexique = Lexique(depot.organisation_id, depot.sujet)
    trouvees = []
    with connection.cursor() as curseur:
        curseur.execute(_VALEURS, [depot.pk, list(LISTES)])
        for champ, texte, lignes, premiere in curseur.fetchall():
            liste = LISTES[champ]
            sienne = (str(liste), cle_de_tri(texte)) in lexique.siennes
            cible = lexique.trouver(liste, texte)
            if sienne or cible is None:
                trouvees.append(Valeur(str(liste), texte, lignes, premiere, cible, sienne))
    return sorted(trouvees, key=lambda v: (v.cible is not None, v.liste, -v.lignes, v.texte))


def cibles(liste: str, depot: Depot) -> Mapping[str, str]:
    """What a word of this list may mean here: code → label."""
    match liste:
        case ListeExterne.RESERVATAIRE:
            return dict(GenreContingent.choices)
        case ListeExterne.MOTIF | ListeExterne.LABEL:
            return dict(CategorieLabel.objects.values_list("code", "libelle"))
        case ListeExterne.RADIATION:
            listes = listes_du_sne()
            return {**listes["ListeMotifsRadiation"], **listes["ListeSousMotifRadiationIrrecevabilite"]}
        case ListeExterne.DECISION:
            return dict(Passage.Decision.choices)
        case ListeExterne.DALO:
            return {"DALO": "ménage DALO"}
        case ListeExterne.BAILLEUR:
            bailleurs = Organisation.objects.filter(type=TypeOrganisation.BAILLEUR, fermee_le=None)
            if depot.departement_id:
                bailleurs = bailleurs.filter(presences__departement=depot.departement_id)
            if depot.bailleur_id:
                bailleurs = bailleurs.filter(pk=depot.bailleur_id)
            return {str(pk): nom for pk, nom in bailleurs.distinct().values_list("pk", "nom")}
    raise ValueError(liste)


def peut_associer(acteur: Acteur, depot: Depot) -> bool:
    """Whether `acteur` says what the words of this deposit mean: an administrator of the organisation that hands it in,
    for all its files to come; in a DDETS, who keeps the references of its département, whoever manages."""
    if acteur.systeme:
        return True
    sien = depot.organisation_id == acteur.organisation_id
    return sien and (acteur.peut_administrer or (acteur.est_ddets and acteur.peut_gerer))


def associer_valeurs(acteur: Acteur, depot: Depot, choix: Collection[tuple[str, str, str]]) -> int:
    """Say what words mean: (list, text, code; "" for nothing here). Lines that wait and lines recorded follow, and so do
    the labels that the recorded lines tell.

    Only words of this deposit that `valeurs_du_depot` shows, for the files of its organisation alone. Returns how many
    were said. See `peut_associer` for who may.
    """
    if not peut_associer(acteur, depot):
        raise PermissionDenied(
            "Un administrateur de l’organisation qui a fait ce dépôt, ou la DDETS pour les siens, associe ses valeurs."
        )
    montrees = {(valeur.liste, valeur.texte) for valeur in valeurs_du_depot(depot)}
    # The role of administration alone does not write tables of tenants: the application does, once the right is checked.
    with agir(Acteur.du_systeme("valeurs d’un extrait associées")), transaction.atomic():
        labels: set[str] = set()
        for liste, texte, cible in choix:
            if (liste, texte) not in montrees:
                raise ValidationError("Cette valeur n’est plus dans ce dépôt.")
            if cible and cible not in cibles(liste, depot):
                raise ValidationError(f"« {texte} » : choisissez une valeur de la liste.")
            cle = {
                "organisation_id": depot.organisation_id,
                "source": depot.sujet,
                "liste": liste,
                "valeur": cle_de_tri(texte)[:120],
            }
            avant = CorrespondanceValeur.objects.filter(**cle).values_list("cible", flat=True).first() or ""
            CorrespondanceValeur.objects.update_or_create(
                **cle,
                defaults={"texte": texte[:120], "cible": cible, "modifie_par_id": acteur.utilisateur_id},
            )
            for ecrit in _ecrits(depot, liste, texte):
                _reprendre(depot.organisation_id, depot.sujet, liste, ecrit, avant, cible)
            if cible and liste in (ListeExterne.LABEL, ListeExterne.DALO):
                labels.add(cible)
        if labels:
            _reprendre_les_labels(depot, acteur.utilisateur_id, labels)
    return len(choix)


def _reprendre_les_labels(depot: Depot, auteur_id: int | None, categories: Collection[str]) -> None:
    """The labels of these categories that the recorded lines of the source tell, as if their words had been known when
    they were handed in.

    Those that are there already stay: nothing is made twice.
    """
    accorde = depot.organisation.type == TypeOrganisation.DDETS
    dits = EvenementExterne.objects.en_vigueur().filter(
        organisation=depot.organisation_id, source=depot.sujet, label_categorie__in=categories
    )
    if not accorde:  # an automatic label is nobody's to propose
        dits = dits.filter(label_manuel=True)
    lignes = list(dits.exclude(label_debut=None).order_by("pk"))
    menages = retrouver_menages(
        (Empreintes({ligne.numero_hache: ligne.cle_numero}, ligne.numero_fin), ligne.departement_id)
        for ligne in lignes
    )
    labels = [
        LabelDit(
            menages[ligne.numero_hache],
            ligne.departement_id,
            ligne.label_categorie_id,
            ligne.label_debut,
            ligne.label_fin,
            ligne.label_manuel,
        )
        for ligne in lignes
    ]
    if accorde:
        labelliser_en_lot(depot.organisation_id, depot.sujet, labels)
    else:
        proposer_en_lot(depot.organisation_id, auteur_id, labels)


def _ecrits(depot: Depot, liste: str, texte: str) -> set[str]:
    """How the recorded lines of the source write this word: in capitals, with other spaces, in another file."""
    lignes = EvenementExterne.objects.filter(organisation=depot.organisation_id, source=depot.sujet)
    dits = set(lignes.order_by().values_list(KT(f"valeurs_inconnues__{liste}"), flat=True).distinct())
    if liste in _BRUTS:
        dits |= set(lignes.order_by().values_list(_BRUTS[liste], flat=True).distinct())
    return {dit for dit in dits if dit and cle_de_tri(dit) == cle_de_tri(texte)}


def _reprendre(organisation_id: int, source: str, liste: str, texte: str, avant: str, cible: str) -> None:
    """The recorded lines that hold this word, which meant `avant` until now."""
    lignes = EvenementExterne.objects.filter(organisation=organisation_id, source=source)
    if liste in _BRUTS:
        lignes = lignes.filter(**{_BRUTS[liste]: texte})
    else:
        lignes = lignes.filter(valeurs_inconnues__contains={liste: texte})
    match liste:
        case ListeExterne.RESERVATAIRE:
            lignes.update(contingent=cible)
            lexique = Lexique(organisation_id, source)
            for departement, bailleur in set(lignes.order_by().values_list("departement", "bailleur")):
                siennes = lignes.filter(departement=departement, bailleur=bailleur)
                siennes.update(reservataire_id=lexique.reservataire(texte, cible, departement, bailleur))
        case ListeExterne.MOTIF:
            lignes.update(motif_categorie_id=cible or None)
        case ListeExterne.RADIATION:
            lignes.update(radiation=cible)
        case ListeExterne.DECISION:
            lignes.update(decision=cible)
        case ListeExterne.LABEL | ListeExterne.DALO:
            # A line has one ground: that of its other column stays.
            siens = lignes.filter(Q(label_categorie=None) | Q(label_categorie=avant or None))
            siens.update(label_categorie_id=cible or None)
        case ListeExterne.BAILLEUR:
            lignes.update(bailleur_id=int(cible) if cible else None)
    with connection.cursor() as curseur:
        curseur.execute(
            "UPDATE flux_evenementexterne SET valeurs_inconnues = valeurs_inconnues - %s "
            "WHERE organisation_id = %s AND source = %s AND valeurs_inconnues @> jsonb_build_object(%s::text, %s::text)",
            [str(liste), organisation_id, source, str(liste), texte],
        )
