"""Study of an extract of another tool: what each line tells of which household, compared with the extracts before it.

Nothing of it is counted: the lines become `EvenementExterne`, which the reconciliation compares with what is recorded
here. Everything is read at once: a hundred thousand lines ask as many queries as a hundred.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from django.utils import timezone

from flux.models import Depot, EvenementExterne, Liberation, ListeExterne, SourceExterne
from publics.services.menages import connaitre_menages
from reservation.acteur import Acteur
from reservation.models import Organisation, Presence
from reservation.perimetre import agir
from reservation.regles.typographie import typographier

from .correspondances import Lexique
from .plans import LigneEtudiee
from .references import charger_parc, departements_des_communes
from .socle import Socle

Nature = EvenementExterne.Nature

NIR_MASQUE = "(numéro de sécurité sociale, non gardé)"
AVENIR = 90  # days from today
ANNEES = 3  # of an event: more, and the period that the extract covers would be wrong
_LOT = 5_000
_DATES = ("date_caleol", "date_attribution", "date_bail", "date_radiation")
# Column of the file → field of the event: what is compared with the extract before.
COMPARES = {
    "date_attribution": "date_attribution",
    "date_caleol": "date_caleol",
    "date_bail": "date_bail",
    "date_radiation": "date_radiation",
    "bailleur": "bailleur_brut",
    "contingent": "reservataire_brut",
    "decision_externe": "decision_brute",
    "motif_externe": "motif_brut",
    "radiation": "radiation_brute",
    "label": "label_brut",
    "label_debut": "label_debut",
    "label_fin": "label_fin",
    "label_manuel": "label_manuel",
}
_CLE = ("numero_hache", "nature", "jour", "logement_brut")


class EtudeExterne(Socle):
    """Studies the lines of one extract."""

    def __init__(
        self,
        depot: Depot,
        suivre: Callable[[str, int], None] = lambda etape, avancement: None,
        verrouiller: bool = False,
    ) -> None:
        super().__init__(
            depot.bailleur,
            depot.sujet,
            depot.correspondance,
            timezone.localdate(depot.cree_le),
            suivre,
            verrouiller,
        )
        self.depot = depot

    @agir(Acteur.du_systeme("étude d’un extrait"))
    def etudier(self, lignes: Sequence[LigneEtudiee]) -> None:
        """Fill in each line: values, messages, event, verdict."""
        self._lire(lignes)
        self.suivre("Codes et organismes", 30)
        self.lexique = Lexique(self.depot.organisation_id, self.depot.sujet)
        self.departements = departements_des_communes()
        for ligne in lignes:
            if not ligne.en_erreur:
                self._traduire(ligne)
        self.suivre("Ménages", 50)
        self._reconnaitre_les_menages(lignes)
        self.suivre("Logements et libérations", 60)
        self._situer(lignes)
        self._exiger_le_departement(lignes)
        self._nommer_les_reservataires(lignes)
        self.suivre("Comparaison avec l’extrait précédent", 75)
        self._comparer(lignes)
        for ligne in lignes:
            self._conclure(ligne)

    # --- What a line tells ------------------------------------------------------------------------------------

    def _traduire(self, ligne: LigneEtudiee) -> None:
        v = ligne.valeurs
        if NIR_MASQUE in ligne.cellules.values():
            champ = next(c for c, texte in ligne.cellules.items() if texte == NIR_MASQUE)
            self._dire(
                ligne,
                "NIR",
                champ,
                "Cette cellule contient un numéro de sécurité sociale : il n’est pas gardé. Videz-la.",
            )
            return
        nature = self._nature(ligne)
        if nature is None:
            return
        departement = self._departement(ligne)
        evenement = {
            "nature": nature.value,
            "numero_hache": v["numero_unique"],
            "numero_fin": ligne.numero["fin"],
            "cle_numero": ligne.numero["formes"][v["numero_unique"]],
            "departement_id": departement,
            "commune_id": v["commune"] if v.get("commune") in self.departements else None,
            "logement_brut": v.get("reference", ""),
            "label_debut": v.get("label_debut"),
            "label_fin": v.get("label_fin"),
            "label_manuel": v.get("label_manuel", False),
            "valeurs_inconnues": {},
            **{champ: v.get(champ) for champ in _DATES},
        }
        jours = (v.get("label_debut"),) if nature == Nature.LABEL else (evenement[champ] for champ in _DATES)
        evenement["jour"] = next(jour for jour in jours if jour)
        self._resoudre(ligne, evenement)
        self._verifier(ligne, evenement)
        ligne.designation = f"…{ligne.numero['fin']}"
        if not ligne.en_erreur:
            ligne.evenement = evenement

    def _nature(self, ligne: LigneEtudiee) -> EvenementExterne.Nature | None:
        """The furthest step that the line tells."""
        v = ligne.valeurs
        if v.get("date_radiation"):
            return Nature.RADIATION
        if v.get("date_bail"):
            return Nature.BAIL
        if v.get("date_attribution") or v.get("date_caleol"):
            return Nature.ATTRIBUTION
        if v.get("label_debut"):
            return Nature.LABEL
        self._dire(
            ligne,
            "SANS_DATE",
            "label_debut"
            if self.depot.sujet == SourceExterne.SYPLO or v.get("label") or v.get("dalo")
            else "date_attribution",
            "Cette ligne ne dit aucune date : commission, attribution, bail, radiation, ou début du label.",
        )
        return None

    def _departement(self, ligne: LigneEtudiee) -> str:
        v = ligne.valeurs
        commune = v.get("commune", "")
        code = v.get("departement") or self.departements.get(commune, "") or self.depot.departement_id or ""
        if not code and commune:
            code = commune[:3] if commune.startswith("97") else commune[:2]
        if not code:
            return ""  # the dwelling may say it
        if code not in self._codes:
            self._dire(ligne, "DEPARTEMENT", "departement", f"« {code} » n’est pas un département.")
        elif (
            self.depot.departement_id and self.depot.bailleur_id is None and code != self.depot.departement_id
        ):
            self._dire(
                ligne,
                "HORS_DEPARTEMENT",
                "departement",
                f"Cette ligne est du département {code} : déposez les seules lignes du vôtre.",
            )
        return code

    @property
    def _codes(self) -> set[str]:
        if not hasattr(self, "_codes_lus"):
            self._codes_lus = set(self.departements.values())
        return self._codes_lus

    def _resoudre(self, ligne: LigneEtudiee, evenement: dict) -> None:
        """Codes of the tool → what they mean here; those that nobody mapped are kept as they are said."""
        v = ligne.valeurs

        def lire(liste: str, texte: str) -> str:
            trouve = self.lexique.trouver(liste, texte)
            if trouve is None:
                evenement["valeurs_inconnues"][str(liste)] = texte
            return trouve or ""

        contingent, motif = v.get("contingent", ""), v.get("motif_externe", "")
        radiation, label = v.get("radiation", ""), v.get("label", "")
        decision, dalo, bailleur = v.get("decision_externe", ""), v.get("dalo", ""), v.get("bailleur", "")
        categorie = lire(ListeExterne.LABEL, label) if label else ""
        if dalo and lire(ListeExterne.DALO, dalo):
            categorie, label = categorie or "DALO", label or dalo
        sien = lire(ListeExterne.BAILLEUR, bailleur) if bailleur else ""
        if motif and self.lexique.motif(motif) is None:
            lire(ListeExterne.MOTIF, motif)
        evenement |= {
            "reservataire_brut": contingent,
            "contingent": lire(ListeExterne.RESERVATAIRE, contingent) if contingent else "",
            "motif_brut": motif,
            "motif_code": (self.lexique.motif(motif) or "") if motif else "",
            "motif_categorie_id": self.lexique.categorie_du_motif(motif) if motif else None,
            "radiation_brute": radiation,
            "radiation": lire(ListeExterne.RADIATION, radiation) if radiation else "",
            "label_brut": label,
            "label_categorie_id": categorie or None,
            "decision_brute": decision,
            "decision": lire(ListeExterne.DECISION, decision) if decision else "",
            "bailleur_brut": bailleur,
            "bailleur_id": int(sien) if sien else self.depot.bailleur_id if not bailleur else None,
        }

    def _verifier(self, ligne: LigneEtudiee, evenement: dict) -> None:
        debut, fin = evenement["label_debut"], evenement["label_fin"]
        if debut and fin and fin < debut:
            self._dire(ligne, "LABEL", "label_fin", "Le label finit avant de commencer.")
        sien = self.depot.bailleur_id
        if sien and evenement["bailleur_id"] not in (None, sien):
            self._dire(
                ligne,
                "AUTRE_BAILLEUR",
                "bailleur",
                "Cette ligne est d’un autre bailleur : déposez les seules lignes du vôtre.",
            )
        jour, champ = evenement["jour"], "label_debut"
        if evenement["nature"] != Nature.LABEL:
            champ = next(c for c in _DATES if evenement[c])
            if jour.year < self.aujourd_hui.year - ANNEES:
                self._demander(
                    ligne, "ANCIEN", champ, f"Cet événement est de {jour.year} : est-ce la bonne année ?"
                )
        if jour > self.aujourd_hui + timedelta(days=AVENIR):
            self._demander(ligne, "LOINTAIN", champ, "Cet événement est à plus de trois mois d’ici.")

    # --- Households and dwellings -----------------------------------------------------------------------------

    @staticmethod
    def _reconnaitre_les_menages(lignes: Sequence[LigneEtudiee]) -> None:
        """A household recorded under an older key keeps that hash: the event bears the very same one."""
        anciennes = {
            forme
            for ligne in lignes
            if ligne.evenement and len(ligne.numero["formes"]) > 1
            for forme in ligne.numero["formes"]
        }
        connus: set[str] = set()
        triees = sorted(anciennes)
        for debut in range(0, len(triees), _LOT):
            connus |= connaitre_menages(triees[debut : debut + _LOT]).keys()
        if not connus:
            return
        for ligne in lignes:
            if ligne.evenement:
                formes = ligne.numero["formes"]
                forme = next((f for f in formes if f in connus), next(iter(formes)))
                ligne.evenement |= {"numero_hache": forme, "cle_numero": formes[forme]}

    def _situer(self, lignes: Sequence[LigneEtudiee]) -> None:
        """The dwelling in the parc of its bailleur, and its libération of that day or the last one before."""
        references: dict[int, set[str]] = defaultdict(set)
        for ligne in lignes:
            evenement = ligne.evenement
            if evenement and evenement["bailleur_id"] and evenement["logement_brut"]:
                references[evenement["bailleur_id"]].add(evenement["logement_brut"])
        bailleurs = Organisation.objects.in_bulk(references)
        trouves: dict[tuple[int, str], tuple[str, str, str, str | None]] = {}
        liberations: dict[tuple[int, str], list[tuple[date, int]]] = defaultdict(list)
        for pk, citees in references.items():
            parc = charger_parc(bailleurs[pk], citees)
            for reference in citees:
                logements = parc.get(reference, ())
                if len(logements) == 1:
                    (logement,) = logements
                    faits = logement.faits
                    trouves[pk, reference] = (
                        logement.cle,
                        logement.ident_rep,
                        faits["departement_id"],
                        faits["commune_id"],
                    )
            cles = sorted({trouves.get((pk, reference), (reference,))[0] for reference in citees})
            for debut in range(0, len(cles), _LOT):
                connues = Liberation.objects.filter(
                    bailleur=pk, cle_logement__in=cles[debut : debut + _LOT], annulee_le=None
                )
                for cle, jour, liberation in connues.order_by("date", "pk").values_list(
                    "cle_logement", "date", "pk"
                ):
                    liberations[pk, cle].append((jour, liberation))
        for ligne in lignes:
            evenement = ligne.evenement
            if not evenement or not evenement["logement_brut"] or not evenement["bailleur_id"]:
                continue
            pk, reference = evenement["bailleur_id"], evenement["logement_brut"]
            cle, ident_rep, departement, commune = trouves.get((pk, reference), ("", "", "", None))
            siennes = liberations.get((pk, cle or reference), ())
            avant = [liberation for jour, liberation in siennes if jour <= evenement["jour"]]
            evenement |= {
                "cle_logement": cle,
                "ident_rep": ident_rep,
                "departement_id": evenement["departement_id"] or departement,
                "commune_id": evenement["commune_id"] or commune,
                "liberation_id": avant[-1] if avant else None,
            }

    def _exiger_le_departement(self, lignes: Sequence[LigneEtudiee]) -> None:
        """Said by the line, by its dwelling, or by the only département where the bailleur is; one of its own."""
        siens: set[str] = set()
        if self.depot.bailleur_id:
            presences = Presence.objects.filter(bailleur=self.depot.bailleur_id)
            siens = set(presences.values_list("departement", flat=True))
        seul = next(iter(siens)) if len(siens) == 1 else ""
        for ligne in lignes:
            if ligne.evenement is None:
                continue
            code = ligne.evenement["departement_id"]
            if code and siens and code not in siens:
                self._dire(
                    ligne,
                    "HORS_DEPARTEMENT",
                    "departement",
                    f"Cette ligne est du département {code}, où vous n’êtes pas déclaré présent.",
                )
                ligne.evenement = None
            if code:
                continue
            ligne.evenement["departement_id"] = seul
            if not seul:
                self._dire(
                    ligne,
                    "DEPARTEMENT",
                    "departement",
                    "Rien ne dit le département : donnez la colonne « Département » ou le code de la commune.",
                )
                ligne.evenement = None

    def _nommer_les_reservataires(self, lignes: Sequence[LigneEtudiee]) -> None:
        """Once the département is known: the État's and Action Logement's by their kind, the others by their name."""
        for ligne in lignes:
            if evenement := ligne.evenement:
                evenement["reservataire_id"] = self.lexique.reservataire(
                    evenement["reservataire_brut"],
                    evenement["contingent"],
                    evenement["departement_id"],
                    evenement["bailleur_id"],
                )

    # --- The extract before -----------------------------------------------------------------------------------

    def _comparer(self, lignes: Sequence[LigneEtudiee]) -> None:
        """The same thing said again is identical; said otherwise, the line replaces the one before."""
        jours = [ligne.evenement["jour"] for ligne in lignes if ligne.evenement]
        connus: dict[tuple, dict] = {}
        if jours:
            enregistres = EvenementExterne.objects.en_vigueur().filter(
                organisation=self.depot.organisation_id,
                source=self.depot.sujet,
                jour__range=(min(jours), max(jours)),
            )
            for connu in enregistres.order_by("pk").values("pk", *_CLE, *COMPARES.values()).iterator(5_000):
                connus[_cle(connu)] = connu
        vus: dict[tuple, LigneEtudiee] = {}
        for ligne in lignes:
            evenement = ligne.evenement
            if not evenement:
                continue
            cle = _cle(evenement)
            ligne.cle = "|".join(map(str, ("EXT", *cle)))
            autre = vus.setdefault(cle, ligne)
            if autre is not ligne:
                if autre.valeurs == ligne.valeurs:
                    ligne.evenement = None  # the same line twice in the file is one event
                    continue
                ligne.creation = True
                continue
            connu = connus.get(cle)
            if connu is None:
                ligne.creation = True
                continue
            ligne.connu = connu["pk"]
            for champ, nom in COMPARES.items():
                if connu[nom] != evenement[nom]:
                    self._differer(ligne, champ, connu[nom], evenement[nom])


def _cle(evenement: dict) -> tuple:
    """What two extracts say of the same thing: the household, the day, the dwelling; a label apart."""
    return (
        evenement["numero_hache"],
        evenement["nature"] == Nature.LABEL,
        evenement["jour"],
        evenement["logement_brut"],
    )


def periode(depot: Depot) -> str:
    """« du 02/01/2026 au 30/06/2026 » once it is known."""
    if depot.periode_debut is None:
        return ""
    return typographier(f"du {depot.periode_debut:%d/%m/%Y} au {depot.periode_fin:%d/%m/%Y}")
