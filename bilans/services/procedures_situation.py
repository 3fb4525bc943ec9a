"""What is true of a procedure on one day, read again from the base: never what a page showed.

The figures are those of the flux in force (`CalculFlux`), which a validated bilan freezes. What an older debt still takes is
served first: only what the year itself lacks can be judged for that year.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from django.db.models import Count, Q
from django.utils import timezone

from bilans.models import Bilan, EcritureRegistre, EtapeBilan, EtapeProcedure, Procedure
from bilans.regles import procedures as regles
from bilans.regles.campagne import NatureEcheance
from bilans.regles.cycle import ActeBilan, EtatBilan
from bilans.regles.procedures import RECEPTIONS, Acte, Engagement, Etat, Objectif, Quart, Situation, Sorte
from bilans.regles.procedures_delais import Delai, delai_en_jours, delai_en_mois
from bilans.regles.registre_dettes import Poste, lire, manque_de_l_annee
from flux.models import CalculFlux, Nature
from flux.regles.report import Report
from flux.services.cadres import reservataire_de
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Convention, Departement, Organisation, VersionConvention
from reservation.perimetre import agir
from reservation.regles.actes import BAILLEUR
from reservation.regles.periodes import jour_a_paris

from .campagnes import echeances_en_vigueur

JOURS_D_OBSERVATIONS = 30


@dataclass(frozen=True, slots=True)
class Objet:
    """What a procedure is about, before it exists and after. Ids of organisations, code of the département."""

    sorte: Sorte
    departement: str
    annee: int
    bailleur: int | None = None
    reservataire: int | None = None

    @classmethod
    def de(cls, procedure: Procedure) -> "Objet":
        return cls(
            procedure.regle,
            procedure.departement_id,
            procedure.annee,
            procedure.bailleur_id,
            procedure.reservataire_id,
        )


@dataclass(frozen=True, slots=True)
class Part:
    """One réservataire of an objective: `organisation` is whose account it is in the ledger, None without any act."""

    code: str
    nom: str
    organisation: int | None
    objectif: int
    report: int
    realise: int
    manque: int
    clause: str

    @property
    def en_regle(self) -> Objectif:
        """As the rules read it: what older debts took is not missing twice."""
        return Objectif(self.code, self.nom, self.objectif, self.objectif - self.manque, self.clause)


@dataclass(frozen=True, slots=True)
class Dossier:
    """A procedure, its acts, and what is true of it on `situation.jour`."""

    objet: Objet
    etapes: tuple[EtapeProcedure, ...]
    situation: Situation
    parts: tuple[Part, ...] = ()
    acte: Convention | None = None
    calcul: int | None = None
    juges: Mapping[str, dict] = field(default_factory=dict)

    @property
    def etat(self) -> Etat | None:
        return Etat(self.etapes[-1].vers) if self.etapes else None

    @property
    def possibilites(self) -> tuple[regles.Possibilite, ...]:
        return regles.possibilites(self.objet.sorte, self.etat, self.situation)

    @property
    def suites(self) -> regles.Suites:
        return regles.suites(self.objet.sorte, self.etat, self.situation)

    @property
    def convocation(self) -> EtapeProcedure | None:
        """The last invitation: it alone holds the hour and the place of the meeting."""
        return next((e for e in reversed(self.etapes) if e.acte == Acte.CONVOQUER), None)

    @property
    def annee_en_cours(self) -> bool:
        """Whether the year that it is about is not over: what is missing may still be attributed."""
        return self.situation.jour.year <= self.objet.annee

    @property
    def dernier(self) -> EtapeProcedure:
        return self.etapes[-1]

    def chiffres(self) -> dict:
        """The figures as known on that day, kept with each act."""
        s = self.situation
        return {
            "jour": s.jour.isoformat(),
            "acte": self.acte.numero if self.acte else "",
            "calcul": self.calcul,
            "bilan_valide": s.bilan_valide,
            "engagements": [
                {
                    "libelle": e.libelle,
                    "echeance": e.echeance.isoformat(),
                    "tolerance": e.tolerance.isoformat(),
                    "rempli_le": e.rempli_le.isoformat() if e.rempli_le else "",
                }
                for e in s.engagements
            ],
            "parts": [
                {
                    "code": p.code,
                    "nom": p.nom,
                    "objectif": p.objectif,
                    "report": p.report,
                    "realise": p.realise,
                    "manque": p.manque,
                    "clause": p.clause,
                }
                for p in self.parts
            ],
            "quart": (
                {
                    "prioritaires": s.quart.prioritaires,
                    "attributions": s.quart.attributions,
                    "manque": s.quart.manque,
                }
                if s.quart
                else None
            ),
        }


@agir(Acteur.du_systeme("situation d’une procédure"))
def lire_dossier(objet: Objet, procedure: Procedure | None = None, jour: date | None = None) -> Dossier:
    """What is true today. The right of the reader was checked on the procedure; a fixed number of queries."""
    jour = jour or timezone.localdate()
    etapes = (
        tuple(
            EtapeProcedure.objects.filter(procedure=procedure)
            .select_related("par", "organisation")
            .order_by("rang")
        )
        if procedure
        else ()
    )
    dossier = Dossier(objet, etapes, Situation(jour=jour))
    if objet.sorte == Sorte.MANQUEMENT:
        dossier = _manquement(dossier)
    elif objet.sorte == Sorte.OBJECTIFS:
        dossier = _objectifs(dossier)
    else:
        dossier = _quart(dossier)
    return _avancement(dossier, procedure)


def _situer(dossier: Dossier, **champs) -> Dossier:
    return replace(dossier, situation=replace(dossier.situation, **champs))


# --- 1. Breach -------------------------------------------------------------------------------------------------


def acte_de_l_etat(bailleur: int | None, departement: str, jour: date) -> Convention | None:
    """The act that gives the State its rights on `jour`: a convention, or the arrêté that replaces it."""
    return (
        Convention.objects.filter(
            bailleur=bailleur,
            departement=departement,
            reservataire__type=TypeOrganisation.DDETS,
            debut__lte=jour,
            fin__gte=jour,
        )
        .exclude(etat=Convention.Etat.BROUILLON)
        .order_by("-debut", "-pk")
        .first()
    )


def _manquement(dossier: Dossier) -> Dossier:
    o, jour = dossier.objet, dossier.situation.jour
    acte = acte_de_l_etat(o.bailleur, o.departement, jour)
    # Nobody is in arrears for a year that their act did not govern.
    gouverne = acte_de_l_etat(o.bailleur, o.departement, date(o.annee, 12, 31))
    engagements = (_bilan_a_remettre(o),) if gouverne else ()
    return _situer(
        replace(dossier, acte=acte),
        acte_en_vigueur=acte is not None,
        dernier_jour=acte.fin if acte and acte.etat == Convention.Etat.RESILIEE else None,
        engagements=engagements,
    )


def _bilan_a_remettre(o: Objet) -> Engagement:
    lieux = Departement.objects.filter(pk=o.departement)
    dates = echeances_en_vigueur(lieux, [o.annee + 1])[o.departement, o.annee + 1]
    echeance = next(e for e in dates if e.nature == NatureEcheance.BILAN)
    etapes = EtapeBilan.objects.filter(
        bilan__bailleur=o.bailleur, bilan__departement=o.departement, bilan__annee=o.annee
    ).order_by("rang")
    remis = next((e for e in etapes if e.acte == ActeBilan.SOUMETTRE), None)
    if etapes and list(etapes)[-1].vers == EtatBilan.RENVOYE:
        remis = None
    return Engagement(
        f"le bilan annuel {o.annee}",
        "CCH, art. R. 441-5-1",
        echeance.due,
        echeance.tolerance,
        jour_a_paris(remis.le) if remis else None,
    )


# --- 2. Objectives -----------------------------------------------------------------------------------------------


def _calculs(departement: str, annee: int, bailleur: int | None = None):
    calculs = CalculFlux.objects.filter(
        departement=departement, annee=annee, nature=Nature.DEFINITIF, en_vigueur=True
    )
    return calculs.filter(bailleur=bailleur) if bailleur else calculs


def _bilans_valides(departement: str, annee: int, bailleurs: Iterable[int]) -> bool:
    """Whether the bilan of each of them is validated, and is the one relied on."""
    bailleurs = set(bailleurs)
    valides = (
        Bilan.objects.filter(
            departement=departement, annee=annee, bailleur__in=bailleurs, etapes__acte=ActeBilan.VALIDER
        )
        .order_by()
        .values("bailleur")
        .distinct()
    )
    return bool(bailleurs) and len(valides) == len(bailleurs)


def organisations_par_code(bailleur: int, departement: str, annee: int) -> dict[str, VersionConvention]:
    """Code of a réservataire → the last version of its act that was in force in the year."""
    versions = (
        VersionConvention.objects.filter(
            bailleur=bailleur,
            departement=departement,
            effet__lte=date(annee, 12, 31),
            convention__fin__gte=date(annee, 1, 1),
            signee_le__isnull=False,
        )
        .exclude(convention__etat=Convention.Etat.BROUILLON)
        .select_related("reservataire")
        .order_by("effet", "pk")
    )
    return {reservataire_de(v.reservataire.type, v.reservataire.code).code: v for v in versions}


def _objectifs(dossier: Dossier) -> Dossier:
    o = dossier.objet
    dossier = replace(dossier, acte=acte_de_l_etat(o.bailleur, o.departement, dossier.situation.jour))
    calcul = _calculs(o.departement, o.annee, o.bailleur).first()
    if calcul is None:
        return dossier
    versions = organisations_par_code(o.bailleur, o.departement, o.annee)
    realises = {ligne["reservataire"]: ligne["realise"] for ligne in calcul.resultat["realise"]}
    parts = []
    for ligne in calcul.resultat["repartition"]:
        code = ligne["reservataire"]
        if code == BAILLEUR.code:
            continue
        version = versions.get(code)
        reports = (Report(o.annee - 1, ligne["report"]),) if ligne["report"] else ()
        parts.append(
            Part(
                code=code,
                nom=nom_du_reservataire(version.reservataire) if version else code,
                organisation=version.reservataire_id if version else None,
                objectif=ligne["objectif"],
                report=ligne["report"],
                realise=realises.get(code, 0),
                manque=manque_de_l_annee(o.annee, ligne["objectif"], realises.get(code, 0), reports),
                clause=version.clause_objectifs if version else "",
            )
        )
    return _situer(
        replace(dossier, parts=tuple(parts), calcul=calcul.version),
        objectifs=tuple(p.en_regle for p in parts),
        bilan_valide=_bilans_valides(o.departement, o.annee, [o.bailleur]),
    )


def _organisation(pk: int) -> Organisation:
    """Read again with each reading of the file: a request that is refused reads it before and after."""
    return next(iter(Organisation.objects.filter(pk=pk)))


def nom_du_reservataire(organisation: Organisation) -> str:
    """The State is the réservataire; its DDETS acts for it."""
    return "l’État" if organisation.type == TypeOrganisation.DDETS else organisation.nom


# --- 3. A quarter ------------------------------------------------------------------------------------------------


def _quart(dossier: Dossier) -> Dossier:
    o = dossier.objet
    if o.bailleur:
        code, nom = BAILLEUR.code, _organisation(o.bailleur).nom
    else:
        organisation = _organisation(o.reservataire)
        code, nom = reservataire_de(organisation.type, organisation.code).code, organisation.nom
    lignes = [
        (calcul.bailleur_id, ligne)
        for calcul in _calculs(o.departement, o.annee, o.bailleur).only("bailleur", "resultat")
        for ligne in calcul.resultat["quarts"]
        if ligne["reservataire"] == code and ligne["attributions"]
    ]
    if not lignes:
        return dossier
    quart = Quart(
        code,
        nom,
        sum(ligne["prioritaires"] for _, ligne in lignes),
        sum(ligne["attributions"] for _, ligne in lignes),
    )
    return _situer(
        dossier,
        quart=quart,
        bilan_valide=_bilans_valides(o.departement, o.annee, (bailleur for bailleur, _ in lignes)),
    )


# --- Where it stands -----------------------------------------------------------------------------------------------


def _avancement(dossier: Dossier, procedure: Procedure | None) -> Dossier:
    """What its own acts say: clock, meeting, what was judged, what was decided, what the préfet still has to make."""
    if procedure is None:
        return dossier
    derniers = {etape.acte: etape for etape in dossier.etapes}
    juge = derniers.get(Acte.JUGER_INJUSTIFIE) or derniers.get(Acte.JUGER_JUSTIFIE)
    juges = {part["code"]: part for part in juge.parts} if juge else {}
    mesures = [e for e in dossier.etapes if e.acte in (Acte.REPORTER, Acte.ATTRIBUER)]
    convoque = derniers.get(Acte.CONVOQUER)
    return _situer(
        replace(dossier, juges=juges),
        delai=delai_ouvert(dossier) if dossier.etat in (Etat.DELAI, Etat.OBSERVATIONS) else None,
        reunion=jour_a_paris(convoque.reunion) if convoque else None,
        justifies=sum(p["justifies"] for p in juges.values()),
        manques_retenus=sum(p["retenus"] for p in juges.values()),
        decides=sum(p["nombre"] for e in mesures for p in e.parts),
        a_imputer=_a_imputer(dossier, procedure, juges, mesures),
    )


def delai_ouvert(dossier: Dossier) -> Delai | None:
    """The clock that the last certain date started, run out or not, whatever was done since: what a later letter quotes."""
    recues = [e for e in dossier.etapes if e.acte in (*RECEPTIONS, Acte.RETIRER_RECEPTION)]
    if dossier.objet.sorte == Sorte.OBJECTIFS or not recues or recues[-1].acte == Acte.RETIRER_RECEPTION:
        return None
    if dossier.objet.sorte == Sorte.MANQUEMENT:
        return delai_en_mois(recues[-1].jour)
    notifiee = next((e for e in reversed(dossier.etapes) if e.acte == Acte.NOTIFIER), None)
    return delai_en_jours(recues[-1].jour, (notifiee and notifiee.delai_jours) or JOURS_D_OBSERVATIONS)


def _a_imputer(
    dossier: Dossier, procedure: Procedure, juges: Mapping[str, dict], mesures: list[EtapeProcedure]
) -> int:
    o = dossier.objet
    if o.sorte == Sorte.QUART:
        decides = sum(p["nombre"] for e in mesures for p in e.parts)
        faites = Procedure.objects.filter(pk=procedure.pk).aggregate(n=Count("attributions"))["n"]
        return max(0, decides - faites)
    if not mesures:
        return 0
    ecritures: dict[int, list] = {}
    for ligne in EcritureRegistre.objects.filter(
        Q(bailleur=o.bailleur, departement=o.departement),
        reservataire__in=[p["organisation"] for p in juges.values() if p["organisation"]],
    ).order_by("pk"):
        ecritures.setdefault(ligne.reservataire_id, []).append(ligne.en_regle())
    return sum(lire(siennes).dette(o.annee).de(Poste.ATTRIBUES) for siennes in ecritures.values())
