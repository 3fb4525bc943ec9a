"""What the lines of a deposit say, compared with what is recorded: the verdict of each, and what writing it would do.

The rules are those of the services that do one act at a time (`liberations`, `orientations`, `attributions`) and of
the constraints of the tables, asked of thousands of lines with the same few queries. Every error of a line is said,
with its cell. An empty cell says nothing: it never erases what is recorded.

`Etude.etudier` may be run as often as one likes: before the preview, after a mend, and once more inside the
transaction that writes, which only writes what the person has seen.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from flux.models import Sujet
from publics.services.menages import connaitre_menages
from reservation.acteur import Acteur
from reservation.perimetre import agir

from .liberations import EtudeLiberations
from .plans import LigneEtudiee, PlanLiberation
from .references import (
    Reservataires,
    Statuts,
    charger_enregistre,
    charger_parc,
    departements_des_communes,
    motifs_de_candidatures,
    motifs_de_la_commission,
    motifs_des_logements,
    motifs_du_menage,
    pieces_attendues,
)
from .seances import refuser_les_commissions_non_closes
from .suites import (
    SUITE,
    EtudeSuites,
)

_PASSAGE = ("date_caleol", "numero_unique", "decision", "rang", "motif_decision", "piece", "echeance")


class Etude(EtudeLiberations, EtudeSuites):
    """Studies lines of events of one bailleur."""

    @agir(Acteur.du_systeme("étude d’un dépôt"))
    def etudier(self, lignes: Sequence[LigneEtudiee]) -> None:
        """Fill in each line: values, messages, plans, verdict.

        The application's own eyes: households met by another bailleur are recognised, none of them is shown.
        """
        self._lire(lignes)
        self.suivre("Comparaison avec votre parc", 25)
        self._charger(lignes)
        self.suivre("Comparaison avec ce qui est enregistré", 50)
        plans: dict[tuple[str, date], PlanLiberation] = {}
        passages: dict[tuple, LigneEtudiee] = {}
        suites: dict[int, LigneEtudiee] = {}
        for rang, ligne in enumerate(lignes):
            self._situer(ligne, plans)
            if ligne.liberation is not None and self.sujet in (Sujet.COMMISSIONS, Sujet.COMBINE):
                self._examiner(ligne, passages)
            if ligne.liberation is not None and self.sujet in (Sujet.BAUX, Sujet.COMBINE):
                self._suivre_l_attribution(ligne, suites)
            if rang % 500 == 0:
                self.suivre("Comparaison avec ce qui est enregistré", 50 + 40 * rang // len(lignes))
        refuser_les_commissions_non_closes(self.bailleur, lignes, self._dire)
        self._verifier_les_commissions(lignes)
        for ligne in lignes:
            self._conclure(ligne)

    def _exigees(self, ligne: LigneEtudiee) -> Sequence[str]:
        combine = self.sujet == Sujet.COMBINE and any(ligne.cellules.get(champ) for champ in _PASSAGE)
        return (*self.tableau.obligatoires, *(("date_caleol", "numero_unique") if combine else ()))

    def _exiger_les_cellules(self, ligne: LigneEtudiee) -> None:
        super()._exiger_les_cellules(ligne)
        if self.sujet == Sujet.BAUX and not any(ligne.cellules.get(champ) for champ in SUITE):
            self._dire(
                ligne,
                "SANS_SUITE",
                "date_bail",
                "Cette ligne ne dit ni offre, ni réponse du ménage, ni bail.",
            )

    def _charger(self, lignes: Sequence[LigneEtudiee]) -> None:
        references = {ligne.valeurs["reference"] for ligne in lignes if "reference" in ligne.valeurs}
        self.parc = charger_parc(self.bailleur, references)
        cles = {logement.cle for logements in self.parc.values() for logement in logements}
        self.enregistre = charger_enregistre(
            self.bailleur, cles | {r for r in references if r not in self.parc}, self.verrouiller
        )
        self.reservataires = Reservataires(self.bailleur)
        self.statuts = Statuts(self.bailleur)
        self.departements = departements_des_communes()
        self.neufs: dict[tuple, dict] = {}
        self.menages: dict[str, int] = {}
        if any(ligne.numero for ligne in lignes):
            formes = {forme for ligne in lignes for forme in ligne.numero.get("formes", ())}
            connus = connaitre_menages(formes)
            for ligne in lignes:
                siennes = ligne.numero.get("formes", ())
                trouve = next((connus[forme] for forme in siennes if forme in connus), None)
                if trouve:
                    self.menages[next(iter(siennes))] = trouve
            self.motifs, self.pieces = motifs_de_la_commission(), pieces_attendues()
            self.motifs_candidatures = motifs_de_candidatures()
            jours = {v["date_caleol"] for v in (x.valeurs for x in lignes) if "date_caleol" in v}
            self.motifs_connus = motifs_des_logements(self.bailleur, jours)
        self.motifs_menage = motifs_du_menage()


def compter(lignes: Iterable[LigneEtudiee]) -> dict[str, int]:
    """Verdict → how many lines."""
    comptes: dict[str, int] = defaultdict(int)
    for ligne in lignes:
        comptes[ligne.verdict] += 1
    return dict(comptes)
