"""From the JSON of a file to a `Scenario`: the format of the bench as tables, then the rules between parts.

All faults are reported, each with its path. Rules between parts look only at what could be read, so that one
fault is not told twice.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flux.regles.annuel import USAGE_FLUX, Nature
from flux.regles.imputation import Agent, FaitsAttribution, MotifHorsPrioritaire, StatutDemandeur
from publics.regles.groupes import GROUPES, GROUPES_PAR_DEFAUT, Label, TypeLabel
from reservation.regles.actes import (
    BAILLEUR,
    CODES_RESERVES,
    ZERO,
    Acte,
    Derogation,
    FaitGenerateur,
    Regime,
    Retrocession,
    Soustraction,
    reservataire,
    reservataire_de_code,
)
from reservation.regles.actes import Nature as NatureReservataire
from reservation.regles.periodes import annee_civile
from reservation.regles.statut import DRAPEAUX_LOCAUX, Drapeau, Exclusions, Famille
from reservation.regles.typographie import accorder
from reservation.regles.validite import Anomalie, verifier_acte, verifier_actes, verifier_codes

from .champs import (
    INVALIDE,
    Erreur,
    Erreurs,
    booleen,
    choix,
    dictionnaire,
    ensemble,
    entier,
    identifiant,
    jour,
    lire_champs,
    liste,
    montrer,
    motif,
    nullable,
    objet,
    refuser,
    sous,
    taux,
    texte,
)
from .resultat import verifier_cles_attendues
from .scenario import Attribution, Liberation, LotLogements, Scenario

FINAN = tuple(str(code) for code in (*range(10, 18), *range(49, 56), 99))
CONV = ("1", "2")
MODES = ("1", "2", "3", "4", "5", "9")
SORTIES = ("1", "2", "3", "4", "5", "9", "")
TYPESCONST = ("C", "I", "E")
SOUSTRACTIONS = tuple(Soustraction)
# ORDINAIRE is an answer kept by the application, not a fact that changes a status: files do not carry it.
DRAPEAUX = tuple(drapeau for drapeau in Drapeau if drapeau != Drapeau.ORDINAIRE)
LABELS = tuple(TypeLabel)
SANS_CODE = (NatureReservataire.ETAT, NatureReservataire.ALS)
NATURES = (*SANS_CODE, NatureReservataire.COLLECTIVITE, NatureReservataire.AUTRE)

commune = motif(r"([0-9]{2}|2[AB])[0-9]{3}", "un code INSEE de commune, cinq caractères, comme « 06029 »")
departement = motif(
    r"0[1-9]|1[0-9]|2[1-9AB]|[3-8][0-9]|9[0-5]|97[1-8]|98[4-9]",
    "un code de département, comme « 06 », « 2A » ou « 974 »",
)
siren = motif(r"[0-9]{9}", "un SIREN, neuf chiffres")

# --- Conventions --------------------------------------------------------------------------------------------

_ACTE = {
    "reservataire": choix(NATURES),
    "debut": jour,
    "fin": jour,
    "taux": taux,
    "echec_consomme": booleen,
}
_EXCLUSIONS = objet(
    {
        "pli": booleen,
        "residences_services": booleen,
        "vente_demolition": booleen,
        "locales": ensemble(choix(sorted(DRAPEAUX_LOCAUX))),
    },
    lambda lus: Exclusions(**lus),
)
_RETROCESSION = objet({"taux": taux, "debut": jour, "fin": jour}, lambda lus: Retrocession(**lus))
_DEROGATION = objet({"taux": taux, "debut": jour, "fin": jour}, lambda lus: Derogation(**lus))

_ACTES = {
    NatureReservataire.ETAT: {
        **_ACTE,
        "taux_agents": taux,
        "soustractions": ensemble(choix(SOUSTRACTIONS)),
        "exclusions": _EXCLUSIONS,
        "premieres_mises_en_location": booleen,
        "fait_generateur": choix(tuple(FaitGenerateur)),
        "plancher_hors_qpv": nullable(taux),
        "retrocession": nullable(_RETROCESSION),
        "derogations": liste(_DEROGATION),
    },
    NatureReservataire.ALS: _ACTE,
    NatureReservataire.COLLECTIVITE: {**_ACTE, "code": identifiant, "communes": ensemble(commune)},
    NatureReservataire.AUTRE: {**_ACTE, "code": identifiant},
}


def _convention(valeur: Any, chemin: str, erreurs: Erreurs) -> Any:
    """An act of any nature: `reservataire` tells which table it is read by."""
    if not isinstance(valeur, dict):
        return refuser(erreurs, chemin, f"reçu {montrer(valeur)}", "un objet")
    if "reservataire" not in valeur:
        return refuser(erreurs, sous(chemin, "reservataire"), "champ manquant", "ce champ, obligatoire")
    if choix(NATURES)(valeur["reservataire"], sous(chemin, "reservataire"), erreurs) is INVALIDE:
        return INVALIDE
    return objet(_ACTES[valeur["reservataire"]], lambda lus: _construire_acte(lus, chemin))(
        valeur, chemin, erreurs
    )


def _construire_acte(lus: dict[str, Any], chemin: str) -> Acte:
    etat = lus["reservataire"] == NatureReservataire.ETAT
    return Acte(
        reservataire=reservataire(lus["reservataire"], lus.get("code", "")),
        debut=lus["debut"],
        fin=lus["fin"],
        taux=lus["taux"],
        echec_consomme=lus["echec_consomme"],
        communes=lus.get("communes"),
        taux_agents=lus.get("taux_agents", ZERO),
        retrocession=lus.get("retrocession"),
        derogations=tuple(lus.get("derogations", ())),
        regime=_construire_regime(lus) if etat else Regime(),
        libelle=chemin,
    )


def _construire_regime(lus: dict[str, Any]) -> Regime:
    return Regime(
        soustractions=lus["soustractions"],
        exclusions=lus["exclusions"],
        premieres_mises_en_location=lus["premieres_mises_en_location"],
        fait_generateur=FaitGenerateur(lus["fait_generateur"]),
        plancher_hors_qpv=lus["plancher_hors_qpv"],
    )


# --- Parc, libérations, attributions ------------------------------------------------------------------------

_LOT = objet(
    {
        "commune": commune,
        "qpv": booleen,
        "finan": choix(FINAN),
        "conv": choix(CONV),
        "mode": choix(MODES),
        "sortie": choix(SORTIES),
        "typeconst": choix(TYPESCONST),
        "drapeaux": ensemble(choix(DRAPEAUX)),
        "nombre": entier(),
    },
    lambda lus: LotLogements(**{**lus, "sortie": lus["sortie"] or "9"}),
)
# The réservataire stays a code until the acts are known.
_LIBERATION = objet(
    {
        "id": identifiant,
        "date": jour,
        "commune": commune,
        "qpv": booleen,
        "usage": choix((USAGE_FLUX, *SOUSTRACTIONS)),
        "premiere": booleen,
        "annulee": booleen,
        "reservataire": nullable(identifiant),
        "designation_echouee": booleen,
    },
    dict,
)
_LABEL = objet(
    {"type": choix(LABELS), "debut": jour, "fin": nullable(jour), "exception": booleen},
    lambda lus: Label(**lus),
)
_AGENT = objet(
    {"validation": nullable(jour), "accord_posterieur": booleen, "adapte": booleen},
    lambda lus: Agent(**lus),
)
_ATTRIBUTION = objet(
    {
        "liberation": identifiant,
        "date_caleol": jour,
        "date_proposition": nullable(jour),
        "refusee": booleen,
        "date_bail": nullable(jour),
        "statut": choix(tuple(StatutDemandeur)),
        "motif_hors_prioritaire": nullable(choix(tuple(MotifHorsPrioritaire))),
        "labels": liste(_LABEL),
        "agent": nullable(_AGENT),
    },
    lambda lus: Attribution(
        liberation=lus["liberation"],
        faits=FaitsAttribution(
            date_caleol=lus["date_caleol"],
            date_proposition=lus["date_proposition"],
            date_bail=lus["date_bail"],
            statut=lus["statut"],
            labels=tuple(lus["labels"]),
            agent=lus["agent"],
        ),
        refusee=lus["refusee"],
        motif=lus["motif_hors_prioritaire"],
    ),
)

# --- The file -----------------------------------------------------------------------------------------------

_PREVISIONNEL = {
    "taux_rotation": taux,
    "soustractions_previsionnelles": dictionnaire(SOUSTRACTIONS, entier()),
}
_SCENARIO = {
    "titre": texte,
    "source": texte,
    "annee": entier(1, 9999),
    "departement": departement,
    "nature": choix(tuple(Nature)),
    "bailleur": objet({"siren": siren, "famille": choix(tuple(Famille))}, dict),
    "conventions": liste(_convention),
    "groupes": dictionnaire(LABELS, entier(GROUPES[0], GROUPES[-1])),
    "parc": liste(_LOT),
    **_PREVISIONNEL,
    "liberations": liste(_LIBERATION),
    "attributions": liste(_ATTRIBUTION),
    "reports": dictionnaire(None, entier()),
    "attendu": verifier_cles_attendues,
}
_FACULTATIFS = ("source", "groupes", "attendu", *_PREVISIONNEL)


def lire_scenario(brut: Any) -> tuple[Scenario | None, list[Erreur]]:
    """The scenario of a parsed file, or None with every fault found."""
    erreurs: Erreurs = []
    lus = lire_champs(brut, "", erreurs, _SCENARIO, _FACULTATIFS)
    if lus is INVALIDE:
        return None, erreurs
    _verifier_nature(brut, lus, erreurs)
    _verifier_actes(lus, erreurs)
    _verifier_liberations(lus, brut, erreurs)
    _verifier_attributions(lus, brut, erreurs)
    _verifier_reports(brut, erreurs)
    return (None if erreurs else _construire(lus)), erreurs


def _construire(lus: dict[str, Any]) -> Scenario:
    actes = tuple(lus["conventions"])
    return Scenario(
        titre=lus["titre"],
        source=lus.get("source", ""),
        annee=lus["annee"],
        departement=lus["departement"],
        nature=Nature(lus["nature"]),
        siren=lus["bailleur"]["siren"],
        famille=Famille(lus["bailleur"]["famille"]),
        actes=actes,
        groupes={**GROUPES_PAR_DEFAUT, **lus.get("groupes", {})},
        parc=tuple(lus["parc"]),
        taux_rotation=lus.get("taux_rotation"),
        soustractions_previsionnelles=lus.get("soustractions_previsionnelles", {}),
        liberations=tuple(_construire_liberation(liberation, actes) for liberation in lus["liberations"]),
        attributions=tuple(lus["attributions"]),
        reports=lus["reports"],
        attendu=lus.get("attendu"),
    )


def _construire_liberation(lus: dict[str, Any], actes: Sequence[Acte]) -> Liberation:
    code = lus["reservataire"]
    return Liberation(
        id=lus["id"],
        jour=lus["date"],
        commune=lus["commune"],
        qpv=lus["qpv"],
        usage=lus["usage"],
        premiere=lus["premiere"],
        annulee=lus["annulee"],
        reservataire=None if code is None else reservataire_de_code(actes, code),
        designation_echouee=lus["designation_echouee"],
    )


# --- Rules between parts ------------------------------------------------------------------------------------


def _lisibles(lus: Mapping[str, Any], cle: str) -> list[tuple[int, Any]]:
    """(position, element) of the elements of a list that could be read."""
    elements = lus.get(cle, INVALIDE)
    if elements is INVALIDE:
        return []
    return [(i, element) for i, element in enumerate(elements) if element is not INVALIDE]


def _codes_des_actes(brut: Mapping[str, Any]) -> set[str] | None:
    """Codes of the réservataires of the file, acts at fault included; None if one has no readable code."""
    conventions = brut.get("conventions")
    if not isinstance(conventions, list):
        return None
    codes = set()
    for convention in conventions:
        nature = convention.get("reservataire") if isinstance(convention, dict) else None
        code = nature if nature in SANS_CODE else convention.get("code") if nature in NATURES else None
        if not isinstance(code, str):
            return None
        codes.add(code)
    return codes


def _verifier_nature(brut: Mapping[str, Any], lus: Mapping[str, Any], erreurs: Erreurs) -> None:
    """The fields of a projection and those of an observation exclude each other."""
    match lus["nature"]:
        case Nature.PREVISIONNEL:
            for cle in _PREVISIONNEL:
                if cle not in brut:
                    refuser(erreurs, cle, "champ manquant", "ce champ, obligatoire en PREVISIONNEL")
            for cle in ("liberations", "attributions"):
                if lus[cle] is not INVALIDE and lus[cle]:
                    refuser(
                        erreurs,
                        cle,
                        f"la liste a {accorder(len(lus[cle]), 'élément')}",
                        "une liste vide en PREVISIONNEL",
                    )
        case Nature.DEFINITIF:
            for cle in _PREVISIONNEL:
                if cle in brut:
                    refuser(erreurs, cle, "champ interdit en DEFINITIF", "ce champ en PREVISIONNEL seulement")


def _verifier_actes(lus: Mapping[str, Any], erreurs: Erreurs) -> None:
    """Ceilings, overlaps, codes, net rate and sum: the rules are `reservation.regles.validite`.

    The sum needs no list of communes: one that no act names has the rights of the whole département.
    """
    actes = _lisibles(lus, "conventions")
    rangs = [rang for rang, _ in actes]
    seuls = [acte for _, acte in actes]
    if lus["annee"] is INVALIDE:
        anomalies = [a for rang, acte in enumerate(seuls) for a in verifier_acte(acte, rang)]
        anomalies += verifier_codes([acte.reservataire for acte in seuls])
    else:
        anomalies = verifier_actes(seuls, annee_civile(lus["annee"]))
    for anomalie in anomalies:
        erreurs.append(_situer(anomalie, rangs))


def _situer(anomalie: Anomalie, rangs: Sequence[int]) -> Erreur:
    """Path of an anomaly: the field of the last act at fault, or the list when several are at fault together."""
    chemin = "conventions"
    if anomalie.champ:
        chemin = f"{sous(chemin, rangs[anomalie.rangs[-1]])}.{anomalie.champ}"
    return Erreur(chemin, anomalie.message, anomalie.attendu)


def _verifier_liberations(lus: Mapping[str, Any], brut: Mapping[str, Any], erreurs: Erreurs) -> None:
    """Identifiers are unique; a libération goes to a réservataire of the file, on its territory."""
    _signaler_repetitions(
        [
            (sous(sous("liberations", i), "id"), liberation["id"])
            for i, liberation in _lisibles(lus, "liberations")
        ],
        "identifiant déjà donné à une autre libération",
        "un identifiant par libération",
        erreurs,
    )
    codes = _codes_des_actes(brut)
    territoires = _territoires(lus, brut)
    for i, liberation in _lisibles(lus, "liberations"):
        code, chemin = liberation["reservataire"], sous(sous("liberations", i), "reservataire")
        if code is None or code == BAILLEUR.code or codes is None:
            continue
        if code not in codes:
            refuser(
                erreurs, chemin, f"{montrer(code)} n’a aucun acte dans ce fichier", _codes_attendus(codes)
            )
        elif code in territoires and liberation["commune"] not in territoires[code]:
            refuser(
                erreurs,
                chemin,
                f"la commune {liberation['commune']} est hors du territoire de {montrer(code)}",
                "une commune de l’un de ses actes",
            )


def _codes_attendus(codes: Iterable[str]) -> str:
    return ", ".join(montrer(code) for code in (*sorted(codes), BAILLEUR.code)) + " ou null"


def _territoires(lus: Mapping[str, Any], brut: Mapping[str, Any]) -> dict[str, set[str]]:
    """Communes of all the acts of each collectivité, whatever their dates; those with a faulty act left out."""
    territoires: dict[str, set[str]] = {}
    for _, acte in _lisibles(lus, "conventions"):
        if acte.communes is not None:
            territoires.setdefault(acte.reservataire.code, set()).update(acte.communes)
    if lus["conventions"] is not INVALIDE:
        for acte, convention in zip(lus["conventions"], brut["conventions"], strict=True):
            if acte is INVALIDE and isinstance(convention, dict) and isinstance(convention.get("code"), str):
                territoires.pop(convention["code"], None)
    return territoires


def _verifier_attributions(lus: Mapping[str, Any], brut: Mapping[str, Any], erreurs: Erreurs) -> None:
    """Each points at a libération; one per libération and CALEOL date; the lease never precedes the CALEOL."""
    connus = _identifiants(brut)
    attributions = _lisibles(lus, "attributions")
    for i, attribution in attributions:
        chemin = sous("attributions", i)
        if connus is not None and attribution.liberation not in connus:
            refuser(
                erreurs,
                sous(chemin, "liberation"),
                f"aucune libération n’a l’identifiant {montrer(attribution.liberation)}",
                "l’identifiant d’une libération de ce fichier",
            )
        bail = attribution.faits.date_bail
        if bail is not None and bail < attribution.date_caleol:
            refuser(
                erreurs,
                sous(chemin, "date_bail"),
                f"le bail ({bail.isoformat()}) précède la CALEOL ({attribution.date_caleol.isoformat()})",
                "une date de bail égale ou postérieure à date_caleol",
            )
    _signaler_repetitions(
        [
            (sous(sous("attributions", i), "date_caleol"), (a.liberation, a.date_caleol))
            for i, a in attributions
        ],
        "la libération a déjà une attribution à cette date",
        "une seule attribution par libération et par date de CALEOL",
        erreurs,
    )


def _identifiants(brut: Mapping[str, Any]) -> set[str] | None:
    """Identifiers of the libérations, those at fault included; None if one has no readable identifier."""
    liberations = brut.get("liberations")
    if not isinstance(liberations, list):
        return None
    ids = [liberation.get("id") if isinstance(liberation, dict) else None for liberation in liberations]
    return set(ids) if all(isinstance(identite, str) for identite in ids) else None


def _signaler_repetitions(
    reperes: Iterable[tuple[str, Any]], probleme: str, attendu: str, erreurs: Erreurs
) -> None:
    vus: Counter[Any] = Counter()
    for chemin, valeur in reperes:
        vus[valeur] += 1
        if vus[valeur] > 1:
            refuser(erreurs, chemin, probleme, attendu)


def _verifier_reports(brut: Mapping[str, Any], erreurs: Erreurs) -> None:
    """A report belongs to a réservataire of the file; the bailleur's rest is no objective, it carries nothing."""
    codes = _codes_des_actes(brut)
    reports = brut.get("reports")
    if not isinstance(reports, dict):
        return
    admis = (codes or set()) | (CODES_RESERVES - {BAILLEUR.code})
    for code in reports:
        chemin = sous("reports", code)
        if code == BAILLEUR.code:
            refuser(erreurs, chemin, "le bailleur n’a pas de report", "un réservataire autre que le bailleur")
        elif codes is not None and code not in admis:
            attendus = ", ".join(montrer(connu) for connu in sorted(admis))
            refuser(erreurs, chemin, "ce code ne désigne aucun réservataire du fichier", attendus)
