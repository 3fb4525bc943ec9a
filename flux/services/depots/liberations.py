"""Study of a deposit, the libération: the dwelling that a line means, what it declares of it, whom it is oriented to."""

from datetime import date, timedelta

from flux.imports.colonnes import COLONNES
from flux.models import Sujet, Usage
from flux.services.liberations import _faits_saisis as faits_saisis
from flux.services.statuts import MODE_LOUE, SORTIE_AUCUNE
from reservation.regles.typographie import entier_fr

from .plans import LigneEtudiee, PlanLiberation
from .socle import Socle

RAPPROCHEES = 60  # days between two libérations of one dwelling that look like the same one
AVENIR = 366  # days from today: a notice is at most three months

_NEUF = ("commune", "qpv", "finan", "conv", "nbpiece", "construct")


class EtudeLiberations(Socle):
    """The libération of each line."""

    def _situer(self, ligne: LigneEtudiee, plans: dict[tuple[str, date], PlanLiberation]) -> None:
        reference = ligne.valeurs.get("reference")
        if reference is None:
            return
        logements = self.parc.get(reference, [])
        if len(logements) > 1:
            self._dire(
                ligne,
                "REFERENCE_AMBIGUE",
                "reference",
                f"Plusieurs logements portent la référence « {reference} » : donnez l’identifiant RPLS.",
            )
            return
        logement = logements[0] if logements else None
        cle = logement.cle if logement else reference
        if self.sujet in (Sujet.LIBERATIONS, Sujet.COMBINE):
            self._declarer(ligne, cle, logement, plans)
        else:
            self._retrouver(ligne, cle, logement is not None, plans)

    def _declarer(self, ligne: LigneEtudiee, cle: str, logement, plans) -> None:
        jour = ligne.valeurs.get("date_liberation")
        connues = self.enregistre.liberations.get(cle, [])
        if logement is None and not connues:
            if not ligne.valeurs.get("premiere"):
                self._dire(
                    ligne,
                    "REFERENCE_INCONNUE",
                    "reference",
                    f"La référence « {ligne.valeurs['reference']} » n’est pas dans votre parc. Pour un logement neuf, "
                    "dites oui en « Première mise en location » et décrivez-le.",
                )
                return
            for champ in _NEUF:
                if champ not in ligne.valeurs and not ligne.cellules.get(champ):
                    self._dire(
                        ligne,
                        "DESCRIPTION",
                        champ,
                        f"« {COLONNES[champ].titre} » est demandé pour un logement que le RPLS ne connaît pas encore.",
                    )
            commune = ligne.valeurs.get("commune")
            if commune and commune not in self.departements:
                self._dire(
                    ligne,
                    "COMMUNE",
                    "commune",
                    f"« {commune} » n’est pas le code d’une commune, par exemple 06029.",
                )
        if ligne.en_erreur or jour is None:
            return
        plan = plans.get((cle, jour))
        if plan is None:
            plan = plans[cle, jour] = self._planifier(ligne, cle, jour, logement, connues)
            if plan is None:
                del plans[cle, jour]
                return
        elif not self._completer(ligne, plan):
            return
        ligne.liberation = plan
        ligne.cle = f"LIB|{cle}|{jour.isoformat()}"
        if plan.enregistree:
            self._comparer(ligne, plan)
        elif plan.ligne == ligne.ligne:
            ligne.creation = True
        self._orienter(ligne, plan)
        self._verifier_la_liberation(ligne, plan, logement, connues)

    def _planifier(self, ligne: LigneEtudiee, cle, jour, logement, connues) -> PlanLiberation | None:
        enregistree = next((x for x in connues if x["date"] == jour), None)
        reference = logement.reference if logement else ligne.valeurs["reference"]
        if enregistree:
            return PlanLiberation(
                cle,
                jour,
                enregistree["departement_id"],
                enregistree["commune_id"],
                reference,
                enregistree=enregistree,
                attributions=self.enregistre.attributions.get(enregistree["pk"], []),
                passages=self.enregistre.passages.get(enregistree["pk"], []),
                valeurs=self._faits_de(ligne),
                ligne=ligne.ligne,
                pk=enregistree["pk"],
            )
        if logement is not None:
            faits = dict(logement.faits)
            mode, sortie, drapeaux = logement.mode, logement.sortie, logement.drapeaux
        elif not all(champ in ligne.valeurs for champ in _NEUF):
            # It was declared once as a new dwelling, on another day, and is not in the parc yet.
            for champ in _NEUF:
                if champ not in ligne.valeurs:
                    self._dire(
                        ligne,
                        "DESCRIPTION",
                        champ,
                        f"« {COLONNES[champ].titre} » est demandé pour un logement que le RPLS ne connaît pas encore.",
                    )
            return None
        else:
            faits = self._decrire(ligne)
            mode, sortie, drapeaux = MODE_LOUE, SORTIE_AUCUNE, ()
        statut = self.statuts.de(
            faits["departement_id"], jour.year, faits["finan"], faits["conv"], mode, sortie, drapeaux
        )
        v = ligne.valeurs
        return PlanLiberation(
            cle,
            jour,
            faits["departement_id"],
            faits["commune_id"],
            reference,
            champs=faits
            | {
                "cle_logement": cle,
                "reference": reference,
                "date": jour,
                "date_preavis": v.get("date_preavis"),
                "date_disponibilite": v.get("date_disponibilite"),
                "usage": v.get("usage", Usage.FLUX.value),
                "preuve": v.get("preuve", ""),
                "premiere": v.get("premiere", False),
                "statut_logement": statut.value,
                "dans_assiette": statut.dans_assiette,
            },
            valeurs=self._faits_de(ligne),
            ligne=ligne.ligne,
        )

    def _decrire(self, ligne: LigneEtudiee) -> dict:
        v = ligne.valeurs
        cle = tuple(v[champ] for champ in _NEUF) + (v.get("adresse", ""),)
        if cle not in self.neufs:
            faits = faits_saisis(
                v["reference"],
                v["commune"],
                v.get("adresse", ""),
                v["qpv"],
                v["finan"],
                "1" if v["conv"] else "2",
                v["nbpiece"],
                v["construct"],
            )
            self.neufs[cle] = {nom: faits[nom] for nom in faits if nom not in ("reference", "cle_logement")}
        return self.neufs[cle]

    @staticmethod
    def _faits_de(ligne: LigneEtudiee) -> dict:
        champs = (
            "date_preavis", "date_disponibilite", "usage", "preuve", "premiere", "reservataire", "orientee_le",
        )  # fmt: skip
        return {champ: ligne.valeurs[champ] for champ in champs if champ in ligne.valeurs}

    def _completer(self, ligne: LigneEtudiee, plan: PlanLiberation) -> bool:
        """A second line about the same libération: welcome when it says the same (a candidate per line), else refused."""
        faits = self._faits_de(ligne)
        for champ, valeur in faits.items():
            if plan.valeurs.get(champ, valeur) != valeur:
                self._dire(
                    ligne,
                    "CONTRADICTION",
                    champ,
                    f"La ligne {entier_fr(plan.ligne)} parle de la même libération et dit autre chose.",
                )
        if not ligne.en_erreur:
            plan.champs |= {champ: faits[champ] for champ in faits.keys() & plan.champs.keys()}
            plan.valeurs |= faits
        return not ligne.en_erreur

    def _comparer(self, ligne: LigneEtudiee, plan: PlanLiberation) -> None:
        for champ in ("date_preavis", "date_disponibilite", "usage", "preuve", "premiere"):
            if champ in ligne.valeurs:
                self._changer(ligne, plan.changements, plan.enregistree, champ, champ, ligne.valeurs[champ])

    def _orienter(self, ligne: LigneEtudiee, plan: PlanLiberation) -> None:
        texte = ligne.valeurs.get("reservataire")
        if texte is None:
            if "orientee_le" in ligne.valeurs:
                self._dire(
                    ligne, "ORIENTATION", "reservataire", "Une date d’orientation demande son réservataire."
                )
            return
        trouves = self.reservataires.trouver(texte, plan.departement, plan.commune)
        if len(trouves) != 1:
            phrase = (
                f"Le réservataire « {texte} » désigne plusieurs réservataires : choisissez-en un."
                if trouves
                else f"« {texte} » n’est le nom d’aucun réservataire qui ait une convention avec vous."
            )
            self._dire(ligne, "RESERVATAIRE", "reservataire", phrase, choix=self._choix(plan))
            return
        pk = trouves[0]
        if not self.reservataires.a_des_droits(pk, plan.departement, plan.commune):
            self._dire(
                ligne,
                "RESERVATAIRE_SANS_DROIT",
                "reservataire",
                f"{self.reservataires.noms[pk]} n’a pas de convention qui porte sur cette commune.",
                choix=self._choix(plan),
            )
            return
        avant = plan.enregistree
        if avant is None:
            plan.champs |= {
                "reservataire_id": pk,
                "orientee_le": ligne.valeurs.get("orientee_le", plan.jour),
            }
            return
        jour = ligne.valeurs.get("orientee_le") or (
            avant["orientee_le"] if avant["reservataire_id"] == pk else plan.jour
        )
        if (avant["reservataire_id"], avant["orientee_le"]) == (pk, jour):
            return
        if plan.vivante:
            self._dire(
                ligne,
                "ORIENTATION_FIGEE",
                "reservataire",
                "Ce logement a une attribution en cours : son orientation ne change plus.",
            )
            return
        if avant["reservataire_id"] != pk:
            noms = self.reservataires.noms
            self._differer(ligne, "reservataire", noms.get(avant["reservataire_id"], ""), noms[pk])
            plan.changements["designation_echouee_le"] = None
        if avant["orientee_le"] != jour:
            self._differer(ligne, "orientee_le", avant["orientee_le"], jour)
        plan.changements |= {"reservataire_id": pk, "orientee_le": jour}

    def _choix(self, plan: PlanLiberation) -> list[str]:
        return [nom for _, nom in self.reservataires.possibles(plan.departement, plan.commune)]

    def _verifier_la_liberation(self, ligne: LigneEtudiee, plan: PlanLiberation, logement, connues) -> None:
        v = (plan.enregistree or {}) | plan.champs | plan.changements
        if v["date_preavis"] and v["date_preavis"] > plan.jour:
            self._dire(
                ligne,
                "PREAVIS",
                "date_preavis",
                "Le préavis est postérieur à la libération ; attendu : avant elle.",
            )
        nouvel_usage = not plan.enregistree or {"usage", "preuve"} & plan.changements.keys()
        if nouvel_usage and v["usage"] != Usage.FLUX and not v["preuve"]:
            self._dire(
                ligne, "PREUVE", "preuve", "Une soustraction demande la référence de son justificatif."
            )
        if plan.enregistree:
            return
        if annulee := self.enregistre.annulees.get((plan.cle, plan.jour)):
            self._demander(
                ligne,
                "ANNULEE",
                "date_liberation",
                f"Cette libération a été annulée le {annulee:%d/%m/%Y} : l’enregistrer la déclare de nouveau.",
            )
        if plan.jour.year < self.aujourd_hui.year - 1:
            self._demander(
                ligne,
                "ANCIENNE",
                "date_liberation",
                f"La libération est de {plan.jour.year} : le bilan de cette année est passé.",
            )
        if plan.jour > self.aujourd_hui + timedelta(days=AVENIR):
            self._demander(ligne, "LOINTAINE", "date_liberation", "La libération est à plus d’un an d’ici.")
        proches = [x["date"] for x in connues if 0 < abs((x["date"] - plan.jour).days) <= RAPPROCHEES]
        if proches:
            autre = min(proches, key=lambda jour: abs((jour - plan.jour).days))
            self._demander(
                ligne,
                "RAPPROCHEE",
                "date_liberation",
                f"Ce logement a déjà une libération le {autre:%d/%m/%Y} : en est-ce une autre, ou la même mal datée ?",
            )
        if logement and "qpv" in ligne.valeurs and ligne.valeurs["qpv"] != logement.faits["qpv"]:
            dit, parc = ("en QPV", "hors QPV") if ligne.valeurs["qpv"] else ("hors QPV", "en QPV")
            self._demander(
                ligne,
                "QPV",
                "qpv",
                f"Le fichier dit « {dit} », votre parc « {parc} » : c’est le parc qui compte.",
            )

    def _retrouver(self, ligne: LigneEtudiee, cle: str, au_parc: bool, plans) -> None:
        """The recorded libération of which a passage or a lease speaks."""
        connues = self.enregistre.liberations.get(cle, [])
        if not connues:
            phrase = (
                "Ce logement n’a pas de libération enregistrée : déclarez-la d’abord."
                if au_parc
                else f"La référence « {ligne.valeurs['reference']} » n’est ni dans votre parc, ni dans vos libérations."
            )
            self._dire(ligne, "SANS_LIBERATION" if au_parc else "REFERENCE_INCONNUE", "reference", phrase)
            return
        if "date_liberation" in ligne.cellules and ligne.cellules["date_liberation"]:
            jour = ligne.valeurs.get("date_liberation")
            if jour is None:
                return
            trouvee = next((x for x in connues if x["date"] == jour), None)
            if trouvee is None:
                autres = ", ".join(f"{x['date']:%d/%m/%Y}" for x in connues)
                self._dire(
                    ligne,
                    "SANS_LIBERATION",
                    "date_liberation",
                    f"Ce logement n’a pas de libération du {jour:%d/%m/%Y} ; enregistrées : {autres}.",
                )
                return
        else:
            trouvee = self._la_plus_probable(ligne, connues)
        plan = plans.get((cle, trouvee["date"]))
        if plan is None:
            plan = plans[cle, trouvee["date"]] = PlanLiberation(
                cle,
                trouvee["date"],
                trouvee["departement_id"],
                trouvee["commune_id"],
                trouvee["reference"],
                enregistree=trouvee,
                attributions=self.enregistre.attributions.get(trouvee["pk"], []),
                passages=self.enregistre.passages.get(trouvee["pk"], []),
                ligne=ligne.ligne,
                pk=trouvee["pk"],
            )
        ligne.liberation = plan

    def _la_plus_probable(self, ligne: LigneEtudiee, connues: list[dict]) -> dict:
        """Without its date: the one of that commission, else the last one before the event, else the last one."""
        caleol = ligne.valeurs.get("date_caleol")
        if caleol and self.sujet == Sujet.BAUX:
            for liberation in connues:
                attributions = self.enregistre.attributions.get(liberation["pk"], ())
                if any(a["date_caleol"] == caleol for a in attributions):
                    return liberation
        evenement = caleol or ligne.valeurs.get("date_bail") or ligne.valeurs.get("refusee_le")
        triees = sorted(connues, key=lambda x: x["date"])
        avant = [x for x in triees if evenement and x["date"] <= evenement]
        return (avant or triees)[-1] if not evenement or avant else triees[0]
