"""One consolidation, several writings: every shared figure is equal everywhere, and nothing hidden is given back."""

import csv
import io
import json
from dataclasses import replace
from datetime import date
from fractions import Fraction

import polars
import pytest
from python_calamine import CalamineWorkbook

from bilans import exports_regionaux as exports
from bilans.documents.cycle_copil import composer_copil
from bilans.documents.regional import composer_regional, nom_du_fichier
from bilans.regles.consolidation import (
    ALS,
    BAILLEUR,
    COLLECTIVITES,
    ETAT,
    QUARTS,
    BilanAttendu,
    Niveau,
    consolider,
)
from bilans.regles.cycle_copil import resumer
from bilans.regles.cycle_extrait import extraire
from bilans.regles.tables_publiees import TABLES, schema
from bilans.services import donnees_ouvertes
from publics.regles.secret_statistique import SEUIL
from tests.bilans.exemple import REGION, attendu
from tests.publics.attaque import intervalles, resoudre

TABLE = {table.nom: table for table in TABLES}
JOUR = date(2026, 4, 1)


@pytest.fixture(scope="module")
def bilans() -> list[BilanAttendu]:
    """Large ones, where much is shown; small ones, where nearly all is hidden; one that is not validated."""
    return [
        attendu(1, "06", 900, 0.4),
        attendu(2, "06", 60, 0.2),
        attendu(3, "06", 50, 0.3, valide=False),
        attendu(4, "84", 700, 0.35),
        attendu(5, "84", 300, 0.2),
    ]


@pytest.fixture(scope="module")
def masquee(bilans):
    return consolider(2025, REGION, bilans, masque=True)


@pytest.fixture(scope="module")
def entiere(bilans):
    return consolider(2025, REGION, bilans, masque=False)


def lire_csv(nom: str, lue) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(exports.csv(TABLE[nom], [lue]).decode())))


# --- Equal everywhere -----------------------------------------------------------------------------------------------


def test_each_figure_is_that_of_the_bilan_of_the_state(bilans, entiere):
    """Field by field, bailleur by bailleur; then every sum."""
    for bilan in bilans:
        ligne, donnees = entiere.ligne(Niveau.BAILLEUR, str(bilan.bailleur)), bilan.donnees
        if donnees is None:
            assert not ligne.valide and ligne.flux == 0 and ligne.etat_libelle == "Soumis"
            continue
        etat = donnees.part(ETAT)
        lu = ligne.contingent(ETAT)
        assert (lu.objectif, lu.report, lu.du, lu.attributions, lu.baux, lu.realise, lu.ecart) == (
            etat.objectif, etat.report, etat.objectif_total, etat.attributions, etat.baux, etat.realise, etat.ecart,
        )  # fmt: skip
        assert (ligne.parc, ligne.soumis, ligne.flux, ligne.liberations, ligne.soustraits) == (
            donnees.parc.total, donnees.parc.soumis, donnees.flux.flux, donnees.flux.liberations,
            donnees.flux.soustraits,
        )  # fmt: skip
        assert [t.nombre for t in ligne.titres] == [t.total for t in donnees.etat]
        quarts = {q.code: q for q in donnees.quarts}
        for code in (ALS, BAILLEUR):
            lu, vrai = ligne.quart(code), quarts[code]
            assert (lu.prioritaires, lu.attributions, lu.manque) == (
                vrai.prioritaires, vrai.attributions, vrai.manque,
            )  # fmt: skip
        assert ligne.refus == donnees.caleol.total_refus and ligne.attributions == donnees.pont.attributions
        collectivites = [p for p in donnees.parts if donnees.reservataire(p.code).nature == "COLLECTIVITE"]
        assert collectivites and ligne.contingent(COLLECTIVITES).realise == sum(
            p.realise for p in collectivites
        )
    assert (entiere.racine.bilans, entiere.racine.attendus) == (4, 5)
    for somme in (entiere.racine, *entiere.departements):
        assert somme.flux == sum(x.flux for x in somme.enfants)
        for code in QUARTS:
            assert somme.quart(code).prioritaires == sum(x.quart(code).prioritaires for x in somme.enfants)
        for contingent in somme.contingents:
            siens = [x.contingent(contingent.code) for x in somme.enfants]
            assert contingent.realise == sum(c.realise for c in siens)
            assert (contingent.manque or 0) == sum(c.manque or 0 for c in siens)
    assert entiere.racine.contingent(ETAT).manque >= -entiere.racine.contingent(ETAT).ecart


def test_each_reservataire_s_version_says_the_same(bilans, entiere):
    """What ALS and each collectivité received, against the consolidation."""
    for bilan in (b for b in bilans if b.donnees):
        ligne = entiere.ligne(Niveau.BAILLEUR, str(bilan.bailleur))
        args = (bilan.numero, "0" * 64, JOUR)
        als = extraire(bilan.donnees, "ALS", *args, flux_entier=True)
        lu = ligne.contingent(ALS)
        assert (als.part.realise, als.part.objectif_total, als.flux) == (lu.realise, lu.du, ligne.flux)
        assert (als.quart.prioritaires, als.quart.attributions) == (
            ligne.quart(ALS).prioritaires, ligne.quart(ALS).attributions,
        )  # fmt: skip
        assert als.suite.baux == lu.baux or als.part.baux == lu.baux
        codes = [f.code for f in bilan.donnees.reservataires if f.nature == "COLLECTIVITE"]
        recus = [extraire(bilan.donnees, code, *args, flux_entier=False) for code in codes]
        assert sum(r.part.realise for r in recus) == ligne.contingent(COLLECTIVITES).realise
        assert sum(r.quart.prioritaires for r in recus) == ligne.quart(COLLECTIVITES).prioritaires
        etat = extraire(bilan.donnees, "ETAT", *args, flux_entier=True)
        assert etat.part.realise == ligne.contingent(ETAT).realise


def test_what_the_copil_reads_of_one_bilan_hides_the_same_cells(bilans, masquee):
    for bilan in (b for b in bilans if b.donnees):
        ligne = masquee.ligne(Niveau.BAILLEUR, str(bilan.bailleur))
        copil = resumer(bilan.donnees, bilan.numero, "0" * 64, JOUR)
        assert [t.nombre for t in copil.etat] == [t.nombre for t in ligne.titres]
        assert copil.refus == ligne.refus and copil.flux == ligne.flux
        noms = {f.code: f.nom for f in bilan.donnees.reservataires}
        lus = {q.nom: q for q in copil.quarts}
        for code in (ALS, BAILLEUR):
            q = ligne.quart(code)
            assert (lus[noms[code]].prioritaires, lus[noms[code]].manque) == (q.prioritaires, q.manque)
        assert composer_copil(copil, "n", "0" * 64).tableaux


def test_csv_parquet_workbook_and_open_data_are_the_same_rows(masquee):
    livre = CalamineWorkbook.from_filelike(io.BytesIO(exports.classeur([masquee], "Bilan régional")))
    assert livre.sheet_names[0] == "Lire ce classeur" and livre.sheet_names[-1] == "Définitions"
    ouverts = donnees_ouvertes.fichiers([masquee], JOUR)
    for table in TABLES:
        attendues = list(table.lignes(masquee))
        assert len(
            {tuple(x[i] for i, c in enumerate(table.champs) if c.nom in table.cle) for x in attendues}
        ) == len(attendues)
        parquet = polars.read_parquet(io.BytesIO(ouverts[f"{table.nom}.parquet"]))
        assert parquet.rows() == attendues
        lues = lire_csv(table.nom, masquee)
        texte = lambda v: "" if v is None else str(v).lower() if isinstance(v, bool) else str(v)  # noqa: E731
        assert [tuple(ligne.values()) for ligne in lues] == [tuple(map(texte, ligne)) for ligne in attendues]
        assert exports.csv(table, [masquee]) == ouverts[f"{table.nom}.csv"]
        feuille = livre.get_sheet_by_name(table.titre[:31]).to_python()
        assert feuille[0] == [c.titre for c in table.champs]
        for cellules, ligne in zip(feuille[1:], attendues, strict=True):
            for champ, cellule, valeur in zip(table.champs, cellules, ligne, strict=True):
                if valeur is None:
                    secret = dict(zip((c.nom for c in table.champs), ligne, strict=True)).get("secret")
                    tu = secret and champ.nom in {"prioritaires", "menages", "refus", "attributions", "baux"}
                    assert cellule == ("n.c." if tu else "")
                else:
                    assert cellule == valeur and (champ.type != "integer" or isinstance(cellule, float | int))


def test_the_document_prints_the_same_figures(masquee):
    document = composer_regional(masquee, nom_du_fichier(masquee))
    etat = next(t for t in document.tableaux if t.titre.startswith("Contingent de l’État"))
    lieux = [*masquee.departements, masquee.racine]
    for rangee, lieu in zip(etat.lignes, lieux, strict=True):
        c = lieu.contingent(ETAT)
        assert [rangee.cellules[i].valeur for i in (1, 2, 3, 4, 5, 6)] == [
            lieu.flux, c.objectif, c.report, c.du, c.realise, c.ecart,
        ]  # fmt: skip
    quarts = next(t for t in document.tableaux if t.titre.startswith("Le quart"))
    for rangee, lieu in zip(quarts.lignes, lieux, strict=True):
        vus = [lieu.quart(code).prioritaires for code in (ALS, COLLECTIVITES, BAILLEUR)]
        assert [rangee.cellules[i].valeur for i in (0, 4, 7)] == ["n.c." if v is None else v for v in vus]
    titres = [t for t in document.tableaux if t.titre.startswith("Attributions de l’État par titre")]
    assert len(titres) == 1 + len(masquee.departements)
    for tableau, d in zip(titres[1:], masquee.departements, strict=True):
        lus = {r.titre.replace("\N{NO-BREAK SPACE}", " "): r for r in tableau.lignes}
        for x in (*(b for b in d.enfants if b.valide), d):
            valeurs = [c.valeur for c in lus[x.nom].cellules[:5]]
            assert valeurs == ["n.c." if t.nombre is None else t.nombre for t in x.titres]


def test_the_state_reads_it_whole_and_an_open_file_never_is(masquee, entiere):
    assert any(t.nombre is None for x in masquee.racine.lignes for t in x.titres)
    assert all(t.nombre is not None for x in entiere.racine.lignes for t in x.titres)
    assert masquee.empreinte != entiere.empreinte
    with pytest.raises(ValueError, match="masquée"):
        donnees_ouvertes.fichiers([entiere], JOUR)


# --- The attacker -----------------------------------------------------------------------------------------------------


def _noeud(ligne: dict[str, str]) -> tuple[str, ...]:
    return tuple(x for x in (ligne["region"], ligne["departement"], ligne["siren"]) if x)


def _attaquer(feuilles, lus) -> int:
    bornes = intervalles(feuilles, lus, True)
    for (chemin, colonne), (bas, haut) in bornes.items():
        sous = [f for f in feuilles if f[: len(chemin)] == chemin and lus[f][colonne] is None]
        besoin = min(SEUIL - 1, sum(sum(feuilles[f].values()) for f in sous))
        assert haut - bas >= besoin, (chemin, colonne, bas, haut)
    return len(bornes)


def test_all_published_files_together_give_no_hidden_cell_back(bilans, masquee):
    """From the files alone: the open data, then the COPIL's version of each bilan; totals of rows known exactly."""
    valides = [b for b in bilans if b.donnees]
    feuilles = {
        ("93", b.departement.code, b.siren): {t.titre: t.total for t in b.donnees.etat} for b in valides
    }
    lus: dict = {}
    for ligne in lire_csv("titres", masquee):
        lus.setdefault(_noeud(ligne), {})[ligne["titre"]] = (
            int(ligne["menages"]) if ligne["menages"] else None
        )
    attaques = _attaquer(feuilles, lus)
    for code in (ALS, BAILLEUR):
        feuilles, lus = {}, {}
        for b in valides:
            q = next(q for q in b.donnees.quarts if q.code == code)
            chemin = ("93", b.departement.code, b.siren)
            feuilles[chemin] = {"p": q.prioritaires, "n": q.attributions - q.prioritaires}
        for ligne in lire_csv("quarts", masquee):
            if ligne["contingent"] == code:
                p = int(ligne["prioritaires"]) if ligne["prioritaires"] else None
                n = None if p is None else int(ligne["attributions"]) - p
                lus[_noeud(ligne)] = {"p": p, "n": n}
        attaques += _attaquer(feuilles, lus)
    # Collectivités: one by one in the COPIL's version of a bilan, together everywhere else.
    feuilles, lus = {}, {}
    for b in valides:
        noms = {f.nom: f for f in b.donnees.reservataires}
        for q in resumer(b.donnees, "n", "0" * 64, JOUR).quarts:
            if noms[q.nom].nature == "COLLECTIVITE":
                vrai = next(v for v in b.donnees.quarts if v.code == noms[q.nom].code)
                chemin = ("93", b.departement.code, b.siren, vrai.code)
                feuilles[chemin] = {"p": vrai.prioritaires, "n": vrai.attributions - vrai.prioritaires}
                p = q.prioritaires
                lus[chemin] = {"p": p, "n": None if p is None else q.attributions - p}
    for ligne in lire_csv("quarts", masquee):
        if ligne["contingent"] == COLLECTIVITES:
            p = int(ligne["prioritaires"]) if ligne["prioritaires"] else None
            lus[_noeud(ligne)] = {"p": p, "n": None if p is None else int(ligne["attributions"]) - p}
    attaques += _attaquer(feuilles, lus)
    assert attaques > 20


def _attaquer_l_etat(valides, masquee, lus=None) -> dict:
    """From the published files: what whoever knows the realised of the État everywhere finds of its households.

    Unknowns of each place: households by title, the other ones with a logged reason and without; each the sum of those
    under it. `lus`: (place, column) → figure, instead of what the files say.
    """
    comptes = ("AGENT", "PRIORITE_1", "PRIORITE_2", "PRIORITE_3", "motives")
    titres: dict = {}
    for ligne in lire_csv("titres", masquee):
        if ligne["menages"]:
            titres.setdefault(_noeud(ligne), {})[ligne["titre"]] = int(ligne["menages"])
    publies: dict = {}
    for ligne in lire_csv("contingents", masquee):
        if ligne["attributions"]:
            publies.setdefault(_noeud(ligne), {})[ligne["contingent"]] = int(ligne["attributions"])
    for ligne in lire_csv("bilans", masquee):
        if ligne["attributions"]:
            publies[_noeud(ligne)]["total"] = int(ligne["attributions"])
    publies = {lieu: publies[lieu] | (lus or {}).get(lieu, {}) for lieu in publies}
    inconnues = [(lieu, c) for lieu in publies for c in (*comptes, "sans_motif")]
    rang = {cle: i for i, cle in enumerate(inconnues)}
    equations = []

    def equation(cles, second: int, moins=()) -> None:
        gauche = [Fraction(0)] * len(inconnues)
        for signe, siennes in ((1, cles), (-1, moins)):
            for cle in siennes:
                gauche[rang[cle]] += signe
        equations.append((gauche, Fraction(second)))

    for lieu, siens in publies.items():
        sous = [b for b in valides if ("93", b.departement.code, b.siren)[: len(lieu)] == lieu]
        compte = sum(b.donnees.part(ETAT).attributions - b.donnees.etat_100.manque for b in sous)
        equation([(lieu, c) for c in comptes], compte)  # the realised, at best
        for titre, nombre in titres.get(lieu, {}).items():
            cles = ("motives", "sans_motif") if titre == "AUTRE" else (titre,)
            equation([(lieu, c) for c in cles], nombre)
        autres = sum(siens.get(c, 0) for c in (ALS, COLLECTIVITES, "AUTRES", BAILLEUR))
        if ETAT in siens:
            equation([(lieu, c) for c in (*comptes, "sans_motif")], siens[ETAT])
        if "total" in siens:
            equation([(lieu, c) for c in (*comptes, "sans_motif")], siens["total"] - autres)
        enfants = [x for x in publies if len(x) == len(lieu) + 1 and x[:-1] == lieu]
        for colonne in (*comptes, "sans_motif") if enfants else ():
            equation([(x, colonne) for x in enfants], 0, moins=[(lieu, colonne)])
    bornes = resoudre(equations, inconnues)
    return {cle: bornes[cle] for cle in inconnues if cle[1] in ("motives", "sans_motif")}


def _trop_etroits(bornes) -> list:
    """What is under eleven and known, or known to a few households."""
    return [
        cle
        for cle, (bas, haut) in bornes.items()
        if haut is not None and haut - bas < SEUIL - 1 and bas < SEUIL
    ]


def _sans_motif(bilan: BilanAttendu, nombre: int, *, au_bail: bool = False) -> BilanAttendu:
    """The same with `nombre` more households of the État that have neither a priority nor a logged reason."""
    d = bilan.donnees

    def augmenter(lignes, voulue, *champs):
        return tuple(
            replace(x, **{c: getattr(x, c) + nombre for c in champs}) if voulue(x) else x for x in lignes
        )

    return replace(
        bilan,
        donnees=replace(
            d,
            regime=replace(d.regime, au_bail=au_bail),
            etat=augmenter(d.etat, lambda x: x.titre == "AUTRE", "total", "baux"),
            parts=augmenter(d.parts, lambda x: x.code == ETAT, "attributions", "baux"),
            etat_100=augmenter([d.etat_100], bool, "attributions", "manque")[0],
            pont=augmenter([d.pont], bool, "attributions")[0],
        ),
    )


def test_the_realised_beside_the_attributions_gives_no_household_back(bilans):
    """What one says less the other is a count of households: neither priority, nor with a logged reason."""
    combien = {1: 3, 2: 9, 4: 40, 5: 2}
    valides = [_sans_motif(b, combien[b.bailleur]) for b in bilans if b.donnees]
    masquee = consolider(2025, REGION, valides, masque=True)
    tus = {x.intitule: x.contingent(ETAT).attributions is None for x in masquee.racine.lignes}
    assert tus == {
        REGION.nom: True,
        "06 Alpes-Maritimes": False,
        "Bailleur 1": True,
        "Bailleur 2": True,
        "84 Vaucluse": True,
        "Bailleur 4": False,
        "Bailleur 5": True,
    }
    bornes = _attaquer_l_etat(valides, masquee)
    assert len(bornes) == 2 * (1 + 2 + len(valides)) and not _trop_etroits(bornes)
    # The test can fail: the attributions shown, or their total over all contingents, give them back.
    petit = valides[0]
    lieu = ("93", petit.departement.code, petit.siren)
    for colonne, nombre in (
        (ETAT, petit.donnees.part(ETAT).attributions),
        ("total", petit.donnees.pont.attributions),
    ):
        trouves = _attaquer_l_etat(valides, masquee, {lieu: {colonne: nombre}})
        assert trouves[lieu, "sans_motif"] == (3, 3) and _trop_etroits(trouves)


def test_where_the_lease_counts_the_leases_are_hidden_with_the_households(bilans):
    """The same subtraction, with the leases."""
    for au_bail in (False, True):
        bilan = _sans_motif(bilans[0], 3, au_bail=au_bail)
        d = bilan.donnees
        parts = tuple(replace(p, realise=p.baux + p.echecs - 3) if p.code == ETAT else p for p in d.parts)
        bilan = replace(bilan, donnees=replace(d, parts=parts))
        [ligne] = consolider(2025, REGION, [bilan], masque=True).departements[0].enfants
        assert ligne.contingent(ETAT).attributions is None and ligne.attributions is None
        assert (ligne.contingent(ETAT).baux is None, ligne.baux is None) == (au_bail, au_bail)
        assert ligne.contingent(ALS).baux is not None and ligne.contingent(ETAT).realise is not None


def test_no_published_count_of_households_is_small(masquee):
    for nom, colonne in (("titres", "menages"), ("quarts", "prioritaires"), ("refus", "refus")):
        lignes = lire_csv(nom, masquee)
        assert lignes
        for ligne in lignes:
            assert ligne[colonne] == "" or int(ligne[colonne]) >= SEUIL or ligne.get("attributions") == "0"
            assert (ligne["secret"] == "true") is (ligne[colonne] == "")
            if nom == "quarts" and ligne[colonne]:
                autres = int(ligne["attributions"]) - int(ligne[colonne])
                assert autres >= SEUIL or ligne["attributions"] == "0"
            if nom == "quarts" and not ligne[colonne]:
                assert ligne["manque"] == ""


# --- The schema -------------------------------------------------------------------------------------------------------


def test_the_files_follow_their_published_schema(masquee):
    faits = donnees_ouvertes.fichiers([masquee], JOUR)
    paquet = json.loads(faits["datapackage.json"])
    assert paquet["licenses"][0]["title"] == "Licence Ouverte 2.0"
    for ressource in paquet["resources"]:
        assert ressource["bytes"] == len(faits[ressource["path"]])
    conversions = {"integer": int, "boolean": {"true": True, "false": False}.__getitem__, "string": str}
    for table in TABLES:
        decrit = json.loads(faits[f"{table.nom}.schema.json"])
        assert decrit == schema(table)
        lignes = lire_csv(table.nom, masquee)
        assert list(lignes[0]) == [c["name"] for c in decrit["fields"]]
        for ligne in lignes:
            for champ in decrit["fields"]:
                if ligne[champ["name"]]:
                    conversions[champ["type"]](ligne[champ["name"]])
                else:
                    assert not champ["constraints"]["required"], champ["name"]


def test_a_name_never_runs_in_a_spreadsheet(bilans):
    lue = consolider(2025, REGION, [replace(bilans[1], nom="=cmd|'/c calc'!A1")], masque=True)
    assert ",'=cmd" in exports.csv(TABLE["bilans"], [lue]).decode()
    # The full-width forms too, which some spreadsheets read as the others.
    lue = consolider(2025, REGION, [replace(bilans[1], nom="＝cmd|'/c calc'!A1")], masque=True)
    assert ",'＝cmd" in exports.csv(TABLE["bilans"], [lue]).decode()


def test_a_year_without_any_validated_bilan_says_so():
    lue = consolider(2025, REGION, [attendu(3, "06", 50, 0.3, valide=False)], masque=True)
    document = composer_regional(lue, nom_du_fichier(lue))
    assert "Aucun bilan de 2025 n’est validé" in document.une.verdict.paragraphes[0][0][0].replace(
        "\xa0", " "
    )
    assert lue.racine.bilans == 0 and lue.arrete_le is None
    assert exports.classeur([lue], "Bilan régional")
