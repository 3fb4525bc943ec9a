"""A fictitious bilan made by hand: lines drawn with a fixed seed, then counted; the shares come from the rules.

Lets documents be composed, rendered and compared without a database. Nobody and nothing in it is real.
"""

import random
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

from bilans.regles.consolidation import BilanAttendu
from bilans.regles.donnees import (
    BAILLEUR,
    ETAT,
    PREMIERE_HORS_FLUX,
    RELOCATION,
    Caleol,
    CelluleCroisee,
    Classe,
    Compte,
    CompteReservataire,
    ControleCent,
    ControleHorsQpv,
    ControleQuart,
    ConventionLue,
    Croise,
    DonneesBilan,
    FicheBailleur,
    FicheReservataire,
    Flux,
    FluxCommune,
    GroupePriorite,
    LigneAttribution,
    LigneEtat,
    LigneSoustraction,
    Operation,
    Parc,
    Part,
    PlafondAgents,
    Pont,
    PremieresParFinancement,
    Refus,
    RegimeLu,
    Situation,
    Suite,
    TauxPeriode,
    Territoire,
)
from flux.regles.annee import calculer_definitif
from flux.regles.annuel import LotFlux, LotLiberations
from flux.regles.assiette import LotParc, calculer_assiette
from flux.regles.realise import LotEchecs, LotImpute
from reservation.regles.actes import ALS as REGLE_ALS
from reservation.regles.actes import ETAT as REGLE_ETAT
from reservation.regles.actes import Acte, Nature, Retrocession, Soustraction, reservataire
from reservation.regles.statut import STATUTS_DANS, STATUTS_HORS, StatutLogement
from reservation.regles.typographie import decimales, taux_fr

COMMUNES = (
    ("84007", "Avignon", 42),
    ("84031", "Carpentras", 16),
    ("84035", "Cavaillon", 12),
    ("84087", "Orange", 10),
    ("84129", "Sorgues", 7),
    ("84092", "Le Pontet", 6),
    ("84003", "Apt", 4),
    ("84054", "L’Isle-sur-la-Sorgue", 3),
)
TYPOLOGIES = (("T1", 8), ("T2", 25), ("T3", 38), ("T4", 22), ("T5", 6), ("T6+", 1))
FINANCEMENTS = (("PLAI", 5), ("PLUS", 82), ("PLS", 7), ("PLI", 0), ("AUTRE", 6))
PERIODES = (("-1946", 4), ("1946-70", 29), ("1971-90", 36), ("1991-05", 14), ("2006+", 17))
LIBELLES = {
    "-1946": "Avant 1946",
    "1946-70": "1946-1970",
    "1971-90": "1971-1990",
    "1991-05": "1991-2005",
    "2006+": "2006 et après",
    "T6+": "T6 et plus",
    "AUTRE": "Autre",
    "PLUS": "PLUS et assimilés",
}
TITRES = {
    "AGENT": "Agent de l’État",
    "PRIORITE_1": "Prioritaire, groupe 1",
    "PRIORITE_2": "Prioritaire, groupe 2",
    "PRIORITE_3": "Prioritaire, groupe 3",
    "PRIORITAIRE": "Prioritaire",
    "AUTRE": "Autre",
}
MOTIFS_MENAGE = (
    ("LOCALISATION", "Localisation, quartier"),
    ("LOYER", "Loyer et charges"),
    ("SILENCE", "Sans réponse sous dix jours"),
    ("INADAPTE", "Logement inadapté ou trop petit"),
)
MOTIFS_CALEOL = (
    ("EFFORT", "Taux d’effort excessif"),
    ("INCOMPLET", "Dossier incomplet"),
    ("TYPOLOGIE", "Typologie inadaptée"),
)
APPRECIATION = (
    "# Écarts et raisons\n"
    "Les propositions en cours au 31 décembre 2025 ont été examinées en commission en janvier 2026 ; elles compteront "
    "dans le bilan de 2026.\n\n"
    "# Mesures proposées pour 2026\n"
    "- Orienter vers l'État dès le premier semestre la moitié des logements de sa part.\n"
    "- Recueillir le quartier souhaité avant la proposition."
)


def exemple(
    *,
    annee: int = 2025,
    flux: int = 280,
    collectivites: int = 3,
    reussite: float = 0.9,
    quart: float = 0.32,
    appreciation: str = APPRECIATION,
    provisoire: bool = False,
    fictif: bool = True,
    graine: int = 7,
) -> DonneesBilan:
    """`flux`: libérations of the flux, about; `reussite`: share of them that is attributed in the year."""
    hasard = random.Random(graine)
    actes = _actes(annee, collectivites)
    codes = [acte.reservataire.code for acte in actes]
    liberes, lignes, refus = [], [], Counter()
    proposes: Counter[tuple[str, str, str]] = Counter()
    etat = _Etat(hasard, annee, actes)
    for rang in range(round(flux * 1.25)):
        etat.tirer(rang, reussite, quart)
    liberes, lignes, refus, proposes = etat.liberes, etat.lignes, etat.refus, etat.proposes
    lignes.sort(key=lambda x: (x["caleol"], x["date"], x["reference"]))
    resultat = calculer_definitif(
        annee,
        actes,
        calculer_assiette(_parc(hasard, flux * 15)),
        [
            LotLiberations(x["date"], x["commune"], x["qpv"], x["usage"], x["premiere"], False, 1)
            for x in liberes
        ],
        [
            LotImpute(x["contingent"], x["titre"], bool(x["motif"]), True, x["bail"] is not None, x["qpv"], 1)
            for x in lignes
            if x["contingent"] in (*codes, BAILLEUR)
        ],
        [
            LotEchecs(
                next(a.reservataire for a in actes if a.reservataire.code == x["oriente"]),
                LotFlux(x["date"], x["commune"], x["qpv"], 1),
            )
            for x in liberes
            if x["echec"] and x["date"].year == annee
        ],
        {"ETAT": 2},
    )
    return _arbre(resultat, actes, liberes, lignes, refus, proposes, appreciation, provisoire, fictif)


def _actes(annee: int, collectivites: int) -> list[Acte]:
    debut, fin = date(annee, 1, 1), date(annee + 2, 12, 31)
    retro = Retrocession(Fraction("1.37"), date(2025, 1, 1), date(2039, 12, 31))
    actes = [
        Acte(REGLE_ETAT, debut, fin, Fraction(30), taux_agents=Fraction(5), retrocession=retro),
        Acte(REGLE_ALS, debut, fin, Fraction(20), echec_consomme=True),
    ]
    for rang in range(collectivites):
        if rang % 3 == 2:
            actes.append(Acte(reservataire(Nature.AUTRE, f"CAF{rang}"), debut, fin, Fraction(2)))
        else:
            commune = COMMUNES[rang % len(COMMUNES)][0]
            code = commune if rang < len(COMMUNES) else f"2000{rang:05d}"
            actes.append(
                Acte(
                    reservataire(Nature.COLLECTIVITE, code),
                    debut,
                    fin,
                    Fraction(10 if rang < 4 else 3),
                    communes=frozenset({commune}),
                )
            )
    return sorted(actes, key=lambda a: a.reservataire.rang)


def _parc(hasard: random.Random, total: int) -> list[LotParc]:
    lots = []
    for code, _, poids in COMMUNES:
        for qpv in (True, False):
            nombre = total * poids // 200
            lots.append(LotParc(code, qpv, StatutLogement.CONVENTIONNE, nombre, nombre * 95 // 100))
        for statut in STATUTS_HORS[1:]:
            if statut != StatutLogement.LOCALE:
                lots.append(LotParc(code, False, statut, hasard.randint(0, total // 400), 0))
    lots.append(LotParc(COMMUNES[0][0], False, StatutLogement.AVANT_1977, total // 50, total // 60))
    return lots


def _poids(hasard: random.Random, choix) -> str:
    return hasard.choices([c[0] for c in choix], [c[-1] for c in choix])[0]


class _Etat:
    """Libérations and attributions being drawn."""

    def __init__(self, hasard: random.Random, annee: int, actes: list[Acte]) -> None:
        self.hasard, self.annee, self.actes = hasard, annee, actes
        self.liberes, self.lignes, self.refus = [], [], Counter()
        self.proposes: Counter[tuple[str, str, str]] = Counter()

    def tirer(self, rang: int, reussite: float, quart: float) -> None:
        h, annee = self.hasard, self.annee
        jour = date(annee - 1, 10, 1) + timedelta(days=h.randrange(457))
        fait = {
            "reference": f"84-{h.randrange(10000):04d}-{rang}",
            "date": jour,
            "commune": _poids(h, COMMUNES),
            "qpv": h.random() < 0.38,
            "typologie": _poids(h, TYPOLOGIES),
            "financement": _poids(h, FINANCEMENTS),
            "periode": _poids(h, PERIODES),
            "usage": "FLUX",
            "premiere": h.random() < 0.06,
            "echec": False,
            "oriente": None,
        }
        if not fait["premiere"] and h.random() < 0.12:
            fait["usage"] = h.choice(["MUTATION", "MUTATION", "RU", "INSALUBRITE", "VENTE"])
        possibles = [a for a in self.actes if a.couvre(fait["commune"])]
        reste = 100 - sum(a.taux for a in possibles)
        fait["oriente"] = h.choices(
            [*(a.reservataire.code for a in possibles), BAILLEUR],
            [*(int(a.taux) for a in possibles), int(reste)],
        )[0]
        fait["echec"] = (
            fait["usage"] == "FLUX"
            and not fait["premiere"]
            and fait["oriente"] not in (ETAT, BAILLEUR)
            and h.random() < 0.06
        )
        self.liberes.append(fait)
        caleol = jour + timedelta(days=h.randint(20, 75))
        if caleol.year == annee and h.random() < reussite:
            self._attribuer(fait, caleol, quart)

    def _attribuer(self, fait: dict, caleol: date, quart: float) -> None:
        h = self.hasard
        contingent = BAILLEUR if fait["echec"] else fait["oriente"]
        titre, motif = "AUTRE", ""
        bail = caleol + timedelta(days=h.randint(12, 45)) if h.random() < 0.92 else None
        if fait["usage"] != "FLUX":
            contingent, titre = "SOUSTRACTION", fait["usage"]
        elif fait["premiere"]:
            contingent, titre = "HORS_FLUX", "PREMIERE_MISE_EN_LOCATION"
        elif contingent == ETAT:
            titre = h.choices(
                ["AGENT", "PRIORITE_1", "PRIORITE_2", "PRIORITE_3", "AUTRE"], [12, 28, 35, 22, 3]
            )[0]
            if titre == "AUTRE":
                motif = h.choice(["PLS_SANS_CANDIDAT", "REFUS_CANDIDATS_ETAT"])
            if titre == "AGENT":
                bail = bail or caleol + timedelta(days=20)
        elif h.random() < quart:
            titre = "PRIORITAIRE"
        if bail and bail.year > self.annee:
            bail = None if titre != "AGENT" else date(self.annee, 12, 30)
        dalo = titre in ("PRIORITE_1", "PRIORITAIRE") and h.random() < 0.4
        self.lignes.append(
            fait
            | {
                "caleol": caleol,
                "contingent": contingent,
                "titre": titre,
                "motif": motif,
                "bail": bail,
                "dalo": dalo,
            }
            | {"menage": f"{h.randrange(10000):04d}"}
        )
        qui = contingent if contingent not in ("SOUSTRACTION", "HORS_FLUX") else "HORS_FLUX"
        if h.random() < 0.18:
            self.refus[h.choice(MOTIFS_MENAGE)[0], qui] += 1


def _liste_comptes(compteur: Counter, codes) -> tuple[CompteReservataire, ...]:
    return tuple(CompteReservataire(code, compteur[code]) for code in codes if compteur[code])


def _arbre(
    resultat, actes, liberes, lignes, refus, proposes, appreciation, provisoire, fictif
) -> DonneesBilan:
    annee = resultat.annee
    noms = {code: nom for code, nom, _ in COMMUNES}
    fiches = _fiches(resultat, noms)
    codes = [f.code for f in fiches]
    annuels = [x for x in liberes if x["date"].year == annee]
    du_flux = [x for x in annuels if x["usage"] == "FLUX" and not x["premiere"]]
    imputes = [x for x in lignes if x["contingent"] in codes]
    attribues = {x["reference"] for x in imputes}
    anterieurs = sum(x["date"].year < annee for x in imputes)
    restants = [x for x in du_flux if x["reference"] not in attribues]
    orientes = sum(x["oriente"] != BAILLEUR for x in restants)
    par_code = Counter(x["contingent"] for x in imputes)
    return DonneesBilan(
        annee=annee,
        departement=Territoire("84", "Vaucluse"),
        bailleur=FicheBailleur("Exemple Ventoux Habitat", "000000042", "office public de l’habitat", fictif),
        situation=Situation(
            donnees_au=date(annee, 11, 20) if provisoire else date(annee, 12, 31),
            provisoire=provisoire,
            calcule_le=datetime(annee + 1, 2, 24, 14, 32, 7, tzinfo=timezone(timedelta(hours=1))),
            version_calcul=3,
            millesime=annee,
        ),
        reservataires=fiches,
        conventions=_conventions(actes, annee),
        regime=RegimeLu(
            True, ("MUTATION", "RU", "ORCOD", "INSALUBRITE", "VENTE"), False, False, Decimal(30), False
        ),
        parc=_parc_lu(resultat),
        flux=_flux(resultat, annuels, noms),
        parts=_parts(resultat, actes),
        partages_communes=(),
        agents=PlafondAgents(sum(x["titre"] == "AGENT" for x in imputes), resultat.partage.agents_max),
        etat=_etat(resultat, imputes),
        etat_100=ControleCent(
            resultat.cent_pour_cent.attributions,
            resultat.cent_pour_cent.prioritaires,
            resultat.cent_pour_cent.exceptions,
            resultat.cent_pour_cent.manque,
            _motifs(imputes),
        ),
        quarts=tuple(
            ControleQuart(
                q.reservataire.code,
                q.prioritaires,
                q.attributions,
                q.manque,
                sum(x["echec"] for x in imputes) if q.reservataire.code == BAILLEUR else 0,
            )
            for q in resultat.quarts
        ),
        hors_qpv=ControleHorsQpv(resultat.hors_qpv.flux, resultat.hors_qpv.etat, resultat.hors_qpv.objectif),
        pont=Pont(
            resultat.flux.flux,
            orientes,
            len(restants) - orientes,
            resultat.flux.flux - len(restants),
            anterieurs,
            len(imputes),
        ),
        croises=_croises(liberes, imputes, codes, noms, annee),
        communes=tuple(
            FluxCommune(
                code,
                nom,
                sum(x["commune"] == code for x in du_flux),
                sum(x["commune"] == code and not x["qpv"] for x in du_flux),
            )
            for code, nom, _ in COMMUNES
        ),
        operations=_operations(lignes, codes),
        premieres=_premieres(lignes, codes),
        suites=tuple(
            Suite(
                code,
                par_code[code],
                sum(x["contingent"] == code and x["titre"].startswith("PRIORIT") for x in imputes),
                sum(x["contingent"] == code and x["dalo"] for x in imputes),
                sum(x["contingent"] == code and x["bail"] is not None for x in imputes),
            )
            for code in codes
        ),
        caleol=_caleol(lignes, refus, codes),
        groupes=(
            GroupePriorite(1, ("DALO", "protection internationale (BPI)")),
            GroupePriorite(
                2, ("hébergement", "sans abri", "violences", "menace d’expulsion", "logement temporaire")
            ),
            GroupePriorite(3, ("autres publics de l’article L. 441-1",)),
        ),
        avertissements=(),
        appreciation=appreciation,
        attributions=tuple(_ligne(x, noms) for x in lignes),
    )


def _fiches(resultat, noms) -> tuple[FicheReservataire, ...]:
    fiches = []
    for part in resultat.partage.parts:
        r = part.reservataire
        nom = {
            "ETAT": ("État", "État"),
            "ALS": ("Action Logement Services", "ALS"),
            "BAILLEUR": ("Bailleur", "Bailleur"),
            "COLLECTIVITE": (
                f"{noms.get(r.code, r.code)} (commune)",
                noms.get(r.code, f"EPCI {r.code[-3:]}"),
            ),
            "AUTRE": (f"{r.code} (essai)", r.code),
        }[r.nature]
        fiches.append(FicheReservataire(r.code, str(r.nature), *nom))
    return tuple(fiches)


def _conventions(actes, annee) -> tuple[ConventionLue, ...]:
    return tuple(
        ConventionLue(
            reservataire=acte.reservataire.code,
            nature="convention",
            numero=f"84-{annee}-{rang:02d}",
            rang=0,
            modele="PACA",
            signee_le=date(annee - 1, 12, 1) + timedelta(days=rang),
            effet=acte.debut,
            debut=acte.debut,
            fin=acte.fin,
            gestion_deleguee=acte.reservataire.code == ETAT,
            echec_consomme=acte.echec_consomme,
            clause_quart="article 4, d",
            clause_objectifs="article 8.2" if acte.reservataire.code == ETAT else "",
            derogations=(),
        )
        for rang, acte in enumerate(actes, 7)
    )


def _parc_lu(resultat) -> Parc:
    a = resultat.assiette
    return Parc(
        a.parc,
        a.soumis,
        tuple(Compte(s, s.libelle, a.dans[s], s.article) for s in STATUTS_DANS if a.dans.get(s)),
        tuple(Compte(s, s.libelle, a.hors.get(s, 0), s.article) for s in STATUTS_HORS),
    )


def _flux(resultat, annuels, noms) -> Flux:
    lignes = []
    for s in Soustraction:
        siens = [x for x in annuels if x["usage"] == s and not x["premiere"]]
        lieux = Counter(noms[x["commune"]] for x in siens)
        lignes.append(
            LigneSoustraction(
                code=str(s),
                libelle=s.libelle,
                fondement="R. 441-5, I" if s != Soustraction.URGENCE_PREFECTORALE else "convention",
                prevu=None if s == Soustraction.URGENCE_PREFECTORALE else len(siens) + 2,
                realise=len(siens),
                qpv=sum(x["qpv"] for x in siens),
                deduite=s != Soustraction.URGENCE_PREFECTORALE,
                affectation=tuple(
                    Compte(nom, nom, n) for nom, n in sorted(lieux.items(), key=lambda x: (-x[1], x[0]))
                ),
            )
        )
    f = resultat.flux
    return Flux(
        f.liberations,
        sum(f.soustractions.values()),
        f.flux,
        f.flux_hors_qpv,
        f.premieres_hors_flux,
        f.flux + 16,
        tuple(lignes),
    )


def _parts(resultat, actes) -> tuple[Part, ...]:
    parts = []
    for part, realise in zip(resultat.partage.parts, resultat.realise, strict=True):
        code = part.reservataire.code
        acte = next((a for a in actes if a.reservataire.code == code), None)
        taux = ()
        if acte:
            retro = {"ETAT": Decimal("-1.37"), "ALS": Decimal("1.37")}.get(code, Decimal(0))
            brut = Decimal(int(acte.taux))
            taux = (TauxPeriode(acte.debut, date(resultat.annee, 12, 31), brut + retro, brut, retro),)
        parts.append(
            Part(
                code=code,
                taux=taux,
                calcul=tuple(f"{taux_fr(x.points)} × {x.base}" for x in part.lignes),
                exacte=Decimal(decimales(part.exacte, 4)),
                objectif=part.objectif,
                report=part.report,
                objectif_total=part.objectif_total,
                attributions=realise.attributions,
                baux=realise.baux,
                echecs=realise.echecs,
                realise=realise.realise,
                ecart=realise.ecart,
                atteint=realise.atteint,
            )
        )
    return tuple(parts)


def _etat(resultat, imputes) -> tuple[LigneEtat, ...]:
    lignes = []
    for titre, total in resultat.etat.items():
        siens = [x for x in imputes if x["contingent"] == ETAT and x["titre"] == titre]
        qpv = sum(x["qpv"] for x in siens)
        lignes.append(
            LigneEtat(
                str(titre),
                {"AGENT": "Agents", "AUTRE": "Autres"}.get(titre, f"Groupe {titre[-1]}"),
                qpv,
                len(siens) - qpv,
                sum(x["dalo"] for x in siens),
                sum(x["bail"] is not None for x in siens),
                total,
            )
        )
    return tuple(lignes)


def _motifs(imputes) -> tuple[Compte, ...]:
    motifs = Counter(x["motif"] for x in imputes if x["motif"])
    libelles = {
        "PLS_SANS_CANDIDAT": "PLS sans candidat",
        "REFUS_CANDIDATS_ETAT": "Refus de tous les candidats",
    }
    return tuple(Compte(code, libelles[code], n) for code, n in sorted(motifs.items()))


def _croises(liberes, imputes, codes, noms, annee) -> tuple[Croise, ...]:
    def du_flux(x):
        return x["usage"] == "FLUX" and not x["premiere"]

    croises = []
    for dimension, titre, champ, classes in (
        ("typologie", "Par typologie", "typologie", [c for c, _ in TYPOLOGIES]),
        ("financement", "Par type de financement", "financement", [c for c, _ in FINANCEMENTS]),
        ("localisation", "Par localisation au regard des quartiers prioritaires", "qpv", [True, False]),
        ("construction", "Par période de construction", "periode", [c for c, _ in PERIODES]),
        ("commune", "Par commune", "commune", [c for c, _, _ in COMMUNES]),
    ):
        proposes, attribues = Counter(), Counter()
        for x in liberes:
            if du_flux(x) and x["date"].year == annee:
                proposes[x[champ], x["oriente"]] += 1
                if x["echec"]:
                    proposes[x[champ], BAILLEUR] += 1
        for x in imputes:
            attribues[x[champ], x["contingent"]] += 1

        def libelle(classe):
            if isinstance(classe, bool):
                return "En QPV" if classe else "Hors QPV"
            return noms.get(classe, LIBELLES.get(classe, classe))

        croises.append(
            Croise(
                dimension,
                titre,
                tuple(Classe(str(c), libelle(c)) for c in classes),
                tuple(
                    CelluleCroisee(str(c), code, proposes[c, code], attribues[c, code])
                    for c in classes
                    for code in codes
                    if proposes[c, code] or attribues[c, code]
                ),
            )
        )
    return tuple(croises)


def _operations(lignes, codes) -> tuple[Operation, ...]:
    flux = Counter(x["contingent"] for x in lignes if x["contingent"] in codes)
    operations = [
        Operation(
            RELOCATION,
            "Relocations, dans le flux",
            _liste_comptes(flux, codes),
            0,
            sum(flux.values()),
        )
    ]
    for s in Soustraction:
        nombre = sum(x["contingent"] == "SOUSTRACTION" and x["titre"] == s for x in lignes)
        if nombre:
            operations.append(Operation(str(s), s.libelle, (), nombre, nombre))
    premieres = Counter(x["oriente"] for x in lignes if x["contingent"] == "HORS_FLUX")
    operations.append(
        Operation(
            PREMIERE_HORS_FLUX,
            "Premières mises en location, hors flux",
            _liste_comptes(premieres, codes),
            0,
            sum(premieres.values()),
        )
    )
    return tuple(operations)


def _premieres(lignes, codes) -> tuple[PremieresParFinancement, ...]:
    lues = []
    for code, _ in FINANCEMENTS:
        compte = Counter(
            x["oriente"] for x in lignes if x["contingent"] == "HORS_FLUX" and x["financement"] == code
        )
        if compte:
            lues.append(
                PremieresParFinancement(
                    code, LIBELLES.get(code, code), _liste_comptes(compte, codes), sum(compte.values())
                )
            )
    return tuple(lues)


def _caleol(lignes, refus, codes) -> Caleol:
    total = len(lignes)
    decisions = (
        Compte("ATTR", "a. Attribution", total // 3),
        Compte("ATTR_RANG", "b. Attribution, candidats classés", total * 2),
        Compte("ATTR_COND", "c. Attribution sous condition suspensive", total // 9),
        Compte("NON_ATTR", "d. Non-attribution", 90),
        Compte("IRRECEV", "e. Irrecevabilité", 12),
    )
    refus_commission = (
        *(Compte(code, libelle, 30) for code, libelle in MOTIFS_CALEOL),
        Compte("IRRECEV", "Irrecevabilité", 12),
    )
    contingents = [*codes, "HORS_FLUX"]
    refuses = [
        Refus(
            code,
            libelle,
            tuple(CompteReservataire(c, refus[code, c]) for c in contingents if refus[code, c]),
            sum(refus[code, c] for c in contingents),
        )
        for code, libelle in MOTIFS_MENAGE
    ]
    prononcees = Counter(
        x["contingent"] if x["contingent"] in codes else "HORS_FLUX" for x in lignes
    ) + Counter({c: sum(n for (_, qui), n in refus.items() if qui == c) for c in contingents})
    return Caleol(
        seances=24,
        dossiers=sum(d.nombre for d in decisions),
        decisions=decisions,
        refus_commission=refus_commission,
        prononcees=_liste_comptes(prononcees, contingents),
        total_prononcees=sum(prononcees.values()),
        refus_menages=tuple(refuses),
        total_refus=sum(refus.values()),
    )


def _ligne(x, noms) -> LigneAttribution:
    if x["contingent"] == "SOUSTRACTION":
        imputation = f"Soustraction : {Soustraction(x['titre']).libelle}"
    elif x["contingent"] == "HORS_FLUX":
        imputation = "Première mise en location"
    else:
        imputation = TITRES[x["titre"]]
    observation = "" if x["bail"] else "Bail en attente"
    if x["motif"]:
        observation = "Motif consigné : " + (
            "PLS sans candidat" if x["motif"] == "PLS_SANS_CANDIDAT" else "refus de tous les candidats"
        )
    return LigneAttribution(
        date_caleol=x["caleol"],
        date_liberation=x["date"],
        logement=x["reference"],
        commune=noms[x["commune"]],
        qpv=x["qpv"],
        typologie=x["typologie"],
        financement=x["financement"],
        periode=LIBELLES.get(x["periode"], x["periode"]),
        contingent=x["contingent"],
        titre=x["titre"],
        imputation=imputation,
        prioritaire=x["titre"].startswith("PRIORIT"),
        dalo=x["dalo"],
        menage=x["menage"],
        date_bail=x["bail"],
        refusee_le=None,
        observation=observation,
    )


REGION = Territoire("93", "Provence-Alpes-Côte d’Azur")
LIEUX = {"84": "Vaucluse", "06": "Alpes-Maritimes"}


def attendu(rang: int, code: str, flux: int, quart: float = 0.3, *, valide: bool = True) -> BilanAttendu:
    """One bilan of the consolidation, validated with the figures of `exemple` or only submitted."""
    return BilanAttendu(
        bailleur=rang,
        nom=f"Bailleur {rang}",
        siren=f"{rang:09d}",
        departement=Territoire(code, LIEUX[code]),
        etat="VALIDE" if valide else "SOUMIS",
        etat_libelle="Validé" if valide else "Soumis",
        donnees=exemple(flux=flux, collectivites=2, quart=quart, graine=rang) if valide else None,
        numero=f"BIL-2025-{code}-{rang:09d}-v1" if valide else "",
        valide_le=date(2026, 3, 20) if valide else None,
    )
