"""Study of a deposit, what follows an attribution: offer, answer of the household, lease."""

from datetime import timedelta

from flux.models import Sujet
from reservation.regles.typographie import entier_fr

from .passages import EtudePassages
from .plans import LigneEtudiee, PlanAttribution

BAIL_TARDIF = 366  # days after the CALEOL

DATES_DE_SUITE = ("offre_le", "acceptee_le", "refusee_le", "date_bail")
SUITE = (*DATES_DE_SUITE, "motif_refus")


class EtudeSuites(EtudePassages):
    """The offer, the answer and the lease of each line."""

    def _suivre_l_attribution(self, ligne: LigneEtudiee, vues: dict[int, LigneEtudiee]) -> None:
        v, plan = ligne.valeurs, ligne.liberation
        if not any(ligne.cellules.get(champ) for champ in SUITE) or ligne.en_erreur:
            return
        attribution = ligne.attribution
        if attribution is None and self.sujet == Sujet.BAUX:
            attribution = self._attribution_enregistree(ligne)
        if attribution is None:
            if not ligne.en_erreur:
                champ = next(champ for champ in SUITE if ligne.cellules.get(champ))
                self._dire(
                    ligne,
                    "SANS_ATTRIBUTION",
                    champ,
                    "Ce logement n’a pas d’attribution qui puisse porter cette suite.",
                )
            return
        ligne.attribution = attribution
        if self.sujet == Sujet.BAUX:
            ligne.cle = f"SUI|{plan.cle}|{plan.jour}|{attribution.champs['date_caleol']}"
            autre = vues.setdefault(attribution.pk, ligne)
            if autre is not ligne:
                if autre.valeurs == v:
                    ligne.attribution = autre.attribution
                else:
                    self._dire(
                        ligne,
                        "DOUBLON",
                        "reference",
                        f"La ligne {entier_fr(autre.ligne)} parle de la même attribution et dit autre chose.",
                    )
                return
        motif = None
        if v.get("refusee_le") or v.get("motif_refus"):
            motif = self._motif(ligne, "motif_refus", self.motifs_menage, "Un refus demande son motif.")
            if not ligne.cellules.get("refusee_le"):
                self._dire(ligne, "REFUS", "refusee_le", "Un refus demande sa date.")
        if ligne.en_erreur:
            return
        avant = attribution.enregistree or {}
        suites = {champ: v[champ] for champ in DATES_DE_SUITE if champ in v}
        if attribution.enregistree:
            for champ, valeur in suites.items():
                self._changer(ligne, attribution.changements, avant, champ, champ, valeur)
            if motif and avant["motif_refus_id"] != motif:
                self._differer(
                    ligne,
                    "motif_refus",
                    self.motifs_menage.libelles.get(avant["motif_refus_id"], ""),
                    self.motifs_menage.libelles[motif],
                )
                attribution.changements["motif_refus_id"] = motif
        else:
            attribution.champs |= suites | ({"motif_refus_id": motif} if motif else {})
        self._verifier_la_suite(ligne, attribution)

    def _attribution_enregistree(self, ligne: LigneEtudiee) -> PlanAttribution | None:
        plan, v = ligne.liberation, ligne.valeurs
        candidates = plan.attributions
        if "date_caleol" in v:
            candidates = [a for a in candidates if a["date_caleol"] == v["date_caleol"]]
            if not candidates:
                self._dire(
                    ligne,
                    "SANS_ATTRIBUTION",
                    "date_caleol",
                    f"Ce logement n’a pas d’attribution de la commission du {v['date_caleol']:%d/%m/%Y}.",
                )
                return None
        dites = {champ: v[champ] for champ in DATES_DE_SUITE if champ in v}
        # The one that already says so first (the same file again), then the one that still waits.
        connue = next(
            (a for a in candidates if dites and all(a[champ] == valeur for champ, valeur in dites.items())),
            None,
        )
        connue = connue or next((a for a in candidates if a["refusee_le"] is None), None)
        connue = connue or (candidates[-1] if candidates else None)
        if connue is None:
            return None
        return PlanAttribution(plan, None, {"date_caleol": connue["date_caleol"]}, connue, pk=connue["pk"])

    def _verifier_la_suite(self, ligne: LigneEtudiee, attribution: PlanAttribution) -> None:
        """As the constraints of the table and the services do."""
        vide = dict.fromkeys(DATES_DE_SUITE)
        a = vide | (attribution.enregistree or {}) | attribution.champs | attribution.changements
        caleol = f"la CALEOL, qui est du {a['date_caleol']:%d/%m/%Y}"
        if a["offre_le"] and a["offre_le"] < a["date_caleol"]:
            self._dire(ligne, "OFFRE", "offre_le", f"L’offre suit {caleol}.")
        if a["acceptee_le"] and not a["offre_le"]:
            self._dire(
                ligne, "ACCEPTATION", "acceptee_le", "Une acceptation répond à une offre : donnez sa date."
            )
        elif a["acceptee_le"] and a["acceptee_le"] < a["offre_le"]:
            self._dire(ligne, "ACCEPTATION", "acceptee_le", "L’acceptation suit l’offre.")
        if a["refusee_le"] and a["refusee_le"] < a["date_caleol"]:
            self._dire(ligne, "REFUS", "refusee_le", f"Le refus suit {caleol}.")
        if a["refusee_le"] and a["date_bail"]:
            self._dire(ligne, "REFUS", "date_bail", "Une attribution refusée n’a pas de bail.")
        if a["date_bail"] and a["date_bail"] < a["date_caleol"]:
            self._dire(ligne, "BAIL", "date_bail", f"Le bail ne peut pas précéder {caleol}.")
        elif (
            a["date_bail"]
            and (a["date_bail"] - a["date_caleol"]).days > BAIL_TARDIF
            and ("date_bail" in attribution.changements or not attribution.enregistree)
        ):
            self._demander(
                ligne, "BAIL_TARDIF", "date_bail", "Le bail est signé plus d’un an après la CALEOL."
            )
        if a["date_bail"] and a["date_bail"] > self.aujourd_hui + timedelta(days=90):
            self._demander(ligne, "BAIL_FUTUR", "date_bail", "Le bail est daté de plus de trois mois d’ici.")
