"""Study of a deposit, the commission: candidature, decision, attribution (R. 441-3)."""

from collections import defaultdict
from collections.abc import Sequence

from flux.models import Sujet
from reservation.regles.typographie import accorder, entier_fr

from .plans import Decision, LigneEtudiee, PlanAttribution, PlanPassage
from .references import AGENT, Motifs
from .socle import Socle

CANDIDATURES_MIN = 3  # per dwelling (R. 441-3)

_ATTRIBUE = (Decision.ATTRIBUTION.value, Decision.ATTRIBUTION_CONDITION.value)


class EtudePassages(Socle):
    """The passage of each line, and the attribution that its decision makes."""

    def _examiner(self, ligne: LigneEtudiee, vus: dict[tuple, LigneEtudiee]) -> None:
        v = ligne.valeurs
        jour, numero = v.get("date_caleol"), v.get("numero_unique")
        if jour is None or numero is None:
            return
        plan = ligne.liberation
        cle = (plan.cle, plan.jour, jour, numero)
        if cle in vus:
            autre = vus[cle]
            if autre.valeurs == v:
                ligne.passage, ligne.attribution, ligne.cle = autre.passage, autre.attribution, autre.cle
            else:
                self._dire(
                    ligne,
                    "DOUBLON",
                    "numero_unique",
                    f"La ligne {entier_fr(autre.ligne)} dit déjà la décision de cette commission pour ce ménage, autrement.",
                )
            return
        vus[cle] = ligne
        ligne.cle = f"PAS|{plan.cle}|{plan.jour}|{jour}|{numero}"
        champs = self._decision(ligne)
        if v.get("date_proposition") and v["date_proposition"] > jour:
            self._dire(ligne, "PROPOSITION", "date_proposition", "La proposition précède la CALEOL.")
        if ligne.en_erreur:
            return
        menage = self.menages.get(numero)
        connu = next(
            (p for p in plan.passages if (p["commission__date"], p["menage_id"]) == (jour, menage)), None
        )
        ligne.passage = PlanPassage(
            plan, jour, v.get("dematerialisee", False), numero, champs, connu, pk=connu and connu["pk"]
        )
        if connu is None:
            ligne.creation = True
        elif champs["decision"] or not connu["decision"]:
            self._reprendre(ligne, connu, champs)
        self._motiver(ligne)
        if not ligne.en_erreur and self._attribue(champs):
            self._attribuer(ligne, menage)

    def _decision(self, ligne: LigneEtudiee) -> dict:
        """Fields of the passage, checked as the constraints of the table check them (R. 441-3)."""
        v = ligne.valeurs
        decision = v.get("decision", "")
        champs = {
            "date_proposition": v.get("date_proposition"),
            "decision": decision,
            "rang": v.get("rang"),
            "motif_id": None,
            "condition_piece_id": None,
            "condition_echeance": v.get("echeance"),
            **self._agent(ligne),
        }
        if decision == Decision.ATTRIBUTION_RANG and not v.get("rang") and not ligne.cellules.get("rang"):
            self._dire(ligne, "RANG", "rang", "Une attribution avec rang (b) demande son rang : 1, 2, 3…")
        if decision != Decision.ATTRIBUTION_RANG and v.get("rang"):
            self._dire(ligne, "RANG", "rang", "Seule une attribution avec rang (b) porte un rang.")
        if decision == Decision.NON_ATTRIBUTION:
            champs["motif_id"] = self._motif(
                ligne, "motif_decision", self.motifs, "Une non-attribution demande un motif."
            )
        elif v.get("motif_decision") and decision:
            self._dire(ligne, "MOTIF", "motif_decision", "Seule une non-attribution (d) porte un motif.")
        if decision == Decision.ATTRIBUTION_CONDITION:
            champs["condition_piece_id"] = self._motif(
                ligne, "piece", self.pieces, "Une attribution sous condition (c) nomme la pièce attendue."
            )
            if not ligne.cellules.get("echeance"):
                self._dire(
                    ligne, "CONDITION", "echeance", "Une attribution sous condition (c) porte une échéance."
                )
        elif v.get("piece") or v.get("echeance"):
            champ = "piece" if v.get("piece") else "echeance"
            self._dire(
                ligne, "CONDITION", champ, "Seule une attribution sous condition (c) attend une pièce."
            )
        return champs

    def _agent(self, ligne: LigneEtudiee) -> dict:
        """What the household declares, and whether it was validated before: nothing without the declaration."""
        v = ligne.valeurs
        if not v.get("agent"):
            for champ in ("agent_valide_le", "agent_adapte"):
                if v.get(champ):
                    self._dire(
                        ligne,
                        "AGENT",
                        champ,
                        "Seul un agent de l’État porte une validation : dites oui en « Agent de l’État ».",
                    )
            return {"agent": False, "agent_valide_le": None, "agent_adapte": False}
        valide = v.get("agent_valide_le")
        if valide and v.get("date_proposition") and valide > v["date_proposition"]:
            self._demander(
                ligne,
                "AGENT_TARDIF",
                "agent_valide_le",
                "L’agent est validé après la proposition : il ne compte que si le préfet l’accorde.",
            )
        return {"agent": True, "agent_valide_le": valide, "agent_adapte": v.get("agent_adapte", False)}

    def _motiver(self, ligne: LigneEtudiee) -> None:
        """The reason why the dwelling has fewer than three candidatures, as a code."""
        texte = ligne.valeurs.get("motif_candidatures")
        if not texte or ligne.passage is None:
            return
        motif = self._motif(ligne, "motif_candidatures", self.motifs_candidatures, "")
        connu = self.motifs_connus.get((ligne.liberation.pk, ligne.passage.jour))
        if motif and motif != connu:
            ligne.passage.motif_candidatures = motif
            libelles = self.motifs_candidatures.libelles
            if ligne.passage.enregistre:
                self._differer(ligne, "motif_candidatures", libelles.get(connu, ""), libelles[motif])

    def _motif(self, ligne: LigneEtudiee, champ: str, motifs: Motifs, absent: str) -> int | None:
        texte = ligne.valeurs.get(champ)
        if not texte:
            self._dire(ligne, "MOTIF", champ, absent)
            return None
        pk = motifs.trouver(texte)
        if pk is None:
            self._dire(
                ligne,
                "MOTIF",
                champ,
                f"« {texte} » n’est pas de la liste ; prenez un code ou un libellé de l’aide du modèle.",
                choix=sorted(motifs.libelles.values()),
            )
        return pk

    def _reprendre(self, ligne: LigneEtudiee, connu: dict, champs: dict) -> None:
        """A passage already recorded: the same, or decided since, or decided otherwise."""
        changements = {
            nom: valeur
            for nom, valeur in champs.items()
            if connu[nom] != valeur and self._dit(ligne, nom, valeur)
        }
        if not changements:
            return
        if connu["decision"] and "decision" in changements and ligne.liberation.attributions:
            self._dire(
                ligne,
                "DECISION_SUIVIE",
                "decision",
                "Une attribution suit déjà cette commission : corrigez la décision dans la page de la libération.",
            )
            return
        libelles = dict(Decision.choices)
        oui_non = {True: "oui", False: "non"}.get
        titres = {
            "decision": ("decision", libelles.get),
            "rang": ("rang", None),
            "date_proposition": ("date_proposition", None),
            "motif_id": ("motif_decision", self.motifs.libelles.get),
            "condition_piece_id": ("piece", self.pieces.libelles.get),
            "condition_echeance": ("echeance", None),
            "agent": ("agent", oui_non),
            "agent_valide_le": ("agent_valide_le", None),
            "agent_adapte": ("agent_adapte", oui_non),
        }
        for nom, valeur in changements.items():
            champ, libelle = titres[nom]
            dire = libelle or (lambda x: x)
            self._differer(ligne, champ, dire(connu[nom]) or "", dire(valeur) or "")
        ligne.passage.changements = changements

    @staticmethod
    def _dit(ligne: LigneEtudiee, nom: str, valeur: object) -> bool:
        """Whether the line speaks of this field: an empty cell erases nothing."""
        if nom in AGENT:
            return nom in ligne.valeurs or (ligne.valeurs.get("agent") is False)
        return not (nom == "date_proposition" and valeur is None)

    @staticmethod
    def _attribue(champs: dict) -> bool:
        rang_1 = champs["decision"] == Decision.ATTRIBUTION_RANG and champs["rang"] == 1
        return champs["decision"] in _ATTRIBUE or rang_1

    def _attribuer(self, ligne: LigneEtudiee, menage: int | None) -> None:
        plan, v = ligne.liberation, ligne.valeurs
        connue = next(
            (
                a
                for a in plan.attributions
                if menage and (a["menage_id"], a["date_caleol"]) == (menage, v["date_caleol"])
            ),
            None,
        )
        if connue is None and (plan.vivante or plan.attribution):
            qui = (
                f"du {plan.vivante['date_caleol']:%d/%m/%Y}"
                if plan.vivante
                else "dans une autre ligne de ce fichier"
            )
            self._dire(
                ligne,
                "ATTRIBUTION_EN_COURS",
                "decision",
                f"Ce logement a déjà une attribution en cours, {qui}.",
            )
            return
        champs = {
            "date_caleol": v["date_caleol"],
            "date_proposition": v.get("date_proposition"),
            "statut_emploi": v.get("statut_emploi", "AUTRE"),
            **{champ: ligne.passage.champs[champ] for champ in AGENT},
        }
        attribution = PlanAttribution(plan, ligne.passage, champs, connue, pk=connue and connue["pk"])
        if connue:
            for champ in ("date_proposition", "statut_emploi"):
                if champ in v:
                    self._changer(ligne, attribution.changements, connue, champ, champ, v[champ])
            for champ in AGENT:
                if self._dit(ligne, champ, None) and connue[champ] != champs[champ]:
                    attribution.changements[champ] = champs[champ]
            if connue["passage_id"] is None:
                attribution.changements["passage_id"] = None  # set once the passage is written
        else:
            plan.attribution = attribution
            ligne.creation = True
        ligne.attribution = attribution

    def _verifier_les_commissions(self, lignes: Sequence[LigneEtudiee]) -> None:
        """Ranks without gap nor tie, three candidatures; lines about one dwelling and one commission go together."""
        groupes: dict[tuple, list[LigneEtudiee]] = defaultdict(list)
        for ligne in lignes:
            jour = ligne.valeurs.get("date_caleol")
            if ligne.liberation is not None and jour and self.sujet in (Sujet.COMMISSIONS, Sujet.COMBINE):
                groupes[ligne.liberation.cle, ligne.liberation.jour, jour].append(ligne)
        for (_, _, jour), membres in groupes.items():
            plan = membres[0].liberation
            rangs: dict[str | int, int] = {
                p["menage_id"]: p["rang"]
                for p in plan.passages
                if p["commission__date"] == jour and p["rang"]
            }
            candidats = {p["menage_id"] for p in plan.passages if p["commission__date"] == jour}
            for ligne in membres:
                numero = ligne.valeurs.get("numero_unique")
                menage = self.menages.get(numero, numero)
                if ligne.valeurs.get("rang"):
                    rangs[menage] = ligne.valeurs["rang"]
                elif ligne.valeurs.get("decision"):
                    rangs.pop(menage, None)
                candidats.add(menage)
            self._verifier_les_rangs(membres, sorted(rangs.values()))
            fautive = next((ligne for ligne in membres if ligne.en_erreur), None)
            for ligne in membres:
                if fautive and not ligne.en_erreur:
                    self._dire(
                        ligne,
                        "SOLIDAIRE",
                        "reference",
                        f"La ligne {entier_fr(fautive.ligne)}, même logement et même commission, est en erreur : elles "
                        "s’enregistrent ensemble.",
                    )
            decides = any(ligne.valeurs.get("decision") for ligne in membres)
            motive = self.motifs_connus.get((plan.pk, jour)) or any(
                ligne.passage and ligne.passage.motif_candidatures for ligne in membres
            )
            if decides and len(candidats) < CANDIDATURES_MIN and not motive:
                for ligne in membres:
                    if ligne.passage and ligne.passage.enregistre is None:
                        self._demander(
                            ligne,
                            "CANDIDATURES",
                            "numero_unique",
                            f"{accorder(len(candidats), 'candidature')} pour ce logement ; la loi en demande trois, sauf "
                            "candidatures insuffisantes, ménage DALO désigné ou PLAI adapté.",
                        )

    def _verifier_les_rangs(self, membres: Sequence[LigneEtudiee], rangs: list[int]) -> None:
        if rangs == list(range(1, len(rangs) + 1)):
            return
        for ligne in membres:
            if rang := ligne.valeurs.get("rang"):
                phrase = (
                    f"Deux candidats ont le rang {rang} pour ce logement."
                    if rangs.count(rang) > 1
                    else f"Les rangs de ce logement sont {', '.join(map(str, rangs))} ; attendu : 1, 2, 3… sans trou."
                )
                self._dire(ligne, "RANGS", "rang", phrase)
