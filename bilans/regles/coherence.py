"""Totals that must agree before a bilan is shown or printed (R. 441-5-1; CA, art. 7.1; domain, chapter 12).

A bilan says the same number in many places, from independent aggregates: each function compares two of them. A
difference is a fault of the application or a change between two readings; nobody is asked to sign it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

from flux.regles.realise import manque_au_quart
from reservation.regles.typographie import entier_fr, typographier

from .donnees import ETAT, OPERATIONS_DU_FLUX, PREMIERE_HORS_FLUX, DonneesBilan

# A share is kept with four decimals: each may be off by half of the last one.
DEMI_UNITE = Decimal("0.00005")
HORS_CONTINGENT = frozenset({"SOUSTRACTION", "HORS_FLUX"})


class ChiffresIncoherents(ValueError):
    """Totals that disagree; `anomalies`: French sentences, one per pair of numbers."""

    def __init__(self, anomalies: Iterable[str]) -> None:
        self.anomalies = tuple(anomalies)
        super().__init__(" ".join(self.anomalies))


def exiger(donnees: DonneesBilan) -> DonneesBilan:
    """The same tree, once proved that its totals agree. Raises `ChiffresIncoherents`."""
    anomalies = verifier(donnees)
    if anomalies:
        raise ChiffresIncoherents(anomalies)
    return donnees


def verifier(donnees: DonneesBilan) -> tuple[str, ...]:
    """Every disagreement of the tree, in words; empty when all totals agree."""
    controles = (
        _parc,
        _flux,
        _partage,
        _attributions,
        _croises,
        _operations,
        _etat,
        _quarts,
        _caleol,
        _tableau_des_attributions,
    )
    return tuple(
        typographier(f"{objet} : {entier_fr(lu)} lus, {entier_fr(attendu)} attendus.")
        for controle in controles
        for objet, lu, attendu in controle(donnees)
        if lu != attendu
    )


Controle = Iterator[tuple[str, int, int]]


def _parc(d: DonneesBilan) -> Controle:
    hors = sum(c.nombre for c in d.parc.hors)
    yield "Assiette et exclus, dans le parc", d.parc.soumis + hors, d.parc.total
    yield "Motifs d’entrée dans l’assiette", sum(c.nombre for c in d.parc.dans), d.parc.soumis


def _flux(d: DonneesBilan) -> Controle:
    deduites = [ligne for ligne in d.flux.soustractions if ligne.deduite]
    yield "Soustractions par catégorie", sum(ligne.realise for ligne in deduites), d.flux.soustraits
    yield "Libérations moins soustractions", d.flux.liberations - d.flux.soustraits, d.flux.flux
    for ligne in d.flux.soustractions:
        yield (
            f"Affectation, {ligne.libelle}",
            sum(c.nombre for c in ligne.affectation),
            ligne.realise,
        )
    yield "Flux par commune", sum(c.flux for c in d.communes), d.flux.flux
    yield "Flux hors QPV par commune", sum(c.hors_qpv for c in d.communes), d.flux.hors_qpv


def _partage(d: DonneesBilan) -> Controle:
    yield "Parts entières", sum(p.objectif for p in d.parts), d.flux.flux
    ecart = abs(sum((p.exacte for p in d.parts), Decimal(0)) - d.flux.flux)
    yield "Parts exactes (écart, en dix-millièmes)", int(ecart > DEMI_UNITE * len(d.parts)), 0
    for part in d.parts:
        yield f"Objectif de {part.code}", part.objectif + part.report, part.objectif_total
        if part.ecart is not None:
            yield f"Écart de {part.code}", part.realise - part.objectif_total, part.ecart
        else:
            comptes = part.baux if d.regime.au_bail else part.attributions
            yield f"Réalisé de {part.code}", part.realise, comptes


def _attributions(d: DonneesBilan) -> Controle:
    total = sum(p.attributions for p in d.parts)
    pont = d.pont
    yield "Pont : flux de l’année", pont.flux, d.flux.flux
    yield (
        "Pont : libérés et attribués dans l’année",
        pont.flux - pont.orientes - pont.a_orienter,
        pont.liberes_attribues,
    )
    yield "Pont : attributions de l’année", pont.liberes_attribues + pont.anterieurs, pont.attributions
    yield "Attributions par réservataire", total, pont.attributions
    for suite in d.suites:
        yield f"Suites des attributions, {suite.code}", suite.attributions, d.part(suite.code).attributions


def _croises(d: DonneesBilan) -> Controle:
    attribues = {part.code: part.attributions for part in d.parts}
    reference = None
    for croise in d.croises:
        par_code: Counter[str] = Counter()
        proposes: Counter[str] = Counter()
        for cellule in croise.cellules:
            par_code[cellule.reservataire] += cellule.attribues
            proposes[cellule.reservataire] += cellule.proposes
        for code in sorted({*attribues, *par_code}):
            yield f"{croise.titre}, attribués, {code}", par_code[code], attribues.get(code, 0)
        reference = proposes if reference is None else reference
        for code in sorted({*proposes, *reference}):
            yield f"{croise.titre}, proposés, {code}", proposes[code], reference[code]


def _operations(d: DonneesBilan) -> Controle:
    dans_le_flux: Counter[str] = Counter()
    for operation in d.operations:
        somme = sum(c.nombre for c in operation.par_reservataire)
        yield f"Opération {operation.libelle}", somme + operation.hors_contingent, operation.total
        if operation.code in OPERATIONS_DU_FLUX:
            dans_le_flux.update({c.reservataire: c.nombre for c in operation.par_reservataire})
    for part in d.parts:
        yield f"Opérations du flux, {part.code}", dans_le_flux[part.code], part.attributions
    hors_flux = sum(o.total for o in d.operations if o.code == PREMIERE_HORS_FLUX)
    yield "Premières mises en location par financement", sum(p.total for p in d.premieres), hors_flux
    for premiere in d.premieres:
        somme = sum(c.nombre for c in premiere.par_reservataire)
        yield f"Premières mises en location, {premiere.libelle}", somme, premiere.total


def _etat(d: DonneesBilan) -> Controle:
    etat = d.part(ETAT)
    yield "Contingent de l’État par titre", sum(ligne.total for ligne in d.etat), etat.attributions
    for ligne in d.etat:
        yield f"{ligne.libelle}, en et hors QPV", ligne.qpv + ligne.hors_qpv, ligne.total
    agents = sum(ligne.total for ligne in d.etat if ligne.titre == "AGENT")
    prioritaires = sum(ligne.total for ligne in d.etat if ligne.titre.startswith("PRIORITE"))
    yield "État, prioritaires", d.etat_100.prioritaires, prioritaires
    suite = next(s for s in d.suites if s.code == ETAT)
    yield "État, baux signés", sum(ligne.baux for ligne in d.etat), suite.baux
    cent = d.etat_100
    yield "État hors agents", cent.attributions, etat.attributions - agents
    yield "Motifs consignés", sum(c.nombre for c in cent.motifs), cent.exceptions
    yield "État, 100 %", max(0, cent.attributions - cent.prioritaires - cent.exceptions), cent.manque
    yield "Flux hors QPV", d.hors_qpv.flux, d.flux.hors_qpv


def _quarts(d: DonneesBilan) -> Controle:
    for quart in d.quarts:
        yield f"Dénominateur du quart, {quart.code}", quart.attributions, d.part(quart.code).attributions
        suite = next(s for s in d.suites if s.code == quart.code)
        yield f"Prioritaires, {quart.code}", suite.prioritaires, quart.prioritaires
        yield f"Quart, {quart.code}", manque_au_quart(quart.prioritaires, quart.attributions), quart.manque


def _caleol(d: DonneesBilan) -> Controle:
    c = d.caleol
    yield "Décisions de la CALEOL", sum(x.nombre for x in c.decisions), c.dossiers
    refuses = sum(x.nombre for x in c.decisions if x.code in ("NON_ATTR", "IRRECEV"))
    yield "Refus de la commission par motif", sum(x.nombre for x in c.refus_commission), refuses
    yield "Attributions prononcées", sum(x.nombre for x in c.prononcees), c.total_prononcees
    yield "Refus des ménages", sum(r.total for r in c.refus_menages), c.total_refus
    for refus in c.refus_menages:
        yield f"Refus, {refus.libelle}", sum(x.nombre for x in refus.par_contingent), refus.total


def _tableau_des_attributions(d: DonneesBilan) -> Controle:
    par_contingent = Counter(ligne.contingent for ligne in d.attributions)
    for part in d.parts:
        yield f"Tableau des attributions, {part.code}", par_contingent[part.code], part.attributions
    hors = sum(nombre for code, nombre in par_contingent.items() if code in HORS_CONTINGENT)
    yield (
        "Tableau des attributions, hors flux",
        hors,
        sum(o.total for o in d.operations) - d.pont.attributions,
    )
    yield "Tableau des attributions", len(d.attributions), sum(o.total for o in d.operations)
    etat = [ligne for ligne in d.attributions if ligne.contingent == ETAT]
    yield "Tableau de l’État, hors QPV", sum(not x.qpv for x in etat), sum(x.hors_qpv for x in d.etat)
    yield "Tableau de l’État, DALO", sum(x.dalo for x in etat), sum(x.dalo for x in d.etat)
    for suite in d.suites:
        siennes = [x for x in d.attributions if x.contingent == suite.code]
        yield f"Prioritaires, {suite.code}", sum(x.prioritaire for x in siennes), suite.prioritaires
        yield f"DALO, {suite.code}", sum(x.dalo for x in siennes), suite.dalo
        yield f"Baux, {suite.code}", sum(x.date_bail is not None for x in siennes), suite.baux
