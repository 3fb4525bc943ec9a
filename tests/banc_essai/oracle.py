"""A second reading of the format of the bench, written for the tests only: slow, literal, day by day.

It follows the nine steps of the format one after the other on the JSON as it is, counts dwelling by dwelling and
day by day, and shares no line with the application. Where the two disagree, one has misread the format.
"""

from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor

SOUSTRACTIONS = ["MUTATION", "RU", "ORCOD", "INSALUBRITE", "VENTE", "URGENCE_PREFECTORALE"]
DANS = ["CONVENTIONNE", "AVANT_1977", "DECONVENTIONNE_L411_6"]
TITRES = ["AGENT", "PRIORITE_1", "PRIORITE_2", "PRIORITE_3", "AUTRE"]
LOI = {
    "soustractions": SOUSTRACTIONS[:5],
    "exclusions": {"pli": True, "residences_services": True, "vente_demolition": False, "locales": []},
    "premieres_mises_en_location": False,
    "fait_generateur": "ATTRIBUTION",
    "plancher_hors_qpv": "30",
}


def jour(texte):
    return None if texte is None else date.fromisoformat(texte)


def entre(debut, le, fin):
    return jour(debut) <= le and (fin is None or le <= jour(fin))


def quatre_decimales(valeur):
    dix_millemes = valeur * 10000
    bas = floor(dix_millemes)
    reste = dix_millemes - bas
    if reste > Fraction(1, 2) or (reste == Fraction(1, 2) and bas % 2 == 1):
        bas += 1
    return f"{bas // 10000}.{bas % 10000:04d}"


class Oracle:
    def __init__(self, fichier):
        self.f = fichier
        self.annee = fichier["annee"]
        self.conventions = fichier["conventions"]
        codes = {"COLLECTIVITE": set(), "AUTRE": set()}
        for c in self.conventions:
            if "code" in c:
                codes[c["reservataire"]].add(c["code"])
        self.collectivites, self.autres = sorted(codes["COLLECTIVITE"]), sorted(codes["AUTRE"])
        self.ordre = ["ETAT", "ALS", *self.collectivites, *self.autres, "BAILLEUR"]
        self.jours = []
        le = date(self.annee, 1, 1)
        while le.year == self.annee:
            self.jours.append(le)
            le += timedelta(days=1)
        self.regime = self.regissant() or LOI

    # Step 1
    def regissant(self):
        etats = [c for c in self.conventions if c["reservataire"] == "ETAT"]
        au_premier = [c for c in etats if entre(c["debut"], self.jours[0], c["fin"])]
        if au_premier:
            return au_premier[0]
        dans_l_annee = [c for c in etats if any(entre(c["debut"], le, c["fin"]) for le in self.jours)]
        return min(dans_l_annee, key=lambda c: c["debut"], default=None)

    def statut(self, lot):
        exclusions, drapeaux = self.regime["exclusions"], set(lot["drapeaux"])
        if lot["sortie"] in ["1", "2", "3", "4", "5"] or lot["mode"] == "9":
            return "HORS_PARC"
        if {"LOGEMENT_FOYER", "RESIDENCE_UNIVERSITAIRE"} & drapeaux:
            return "FOYER_RESIDENCE"
        if "RESIDENCE_SERVICES" in drapeaux and exclusions["residences_services"]:
            return "FOYER_RESIDENCE"
        if {"DEFENSE", "SECURITE", "SANTE"} & drapeaux:
            return "DEFENSE_SECURITE_SANTE"
        if self.f["bailleur"]["famille"] == "SEM" and lot["conv"] == "2":
            return "SEM_NON_CONVENTIONNE"
        if lot["finan"] == "16" and exclusions["pli"]:
            return "PLI"
        if drapeaux & set(exclusions["locales"]):
            return "LOCALE"
        if {"PLAN_DE_VENTE", "DEMOLITION"} & drapeaux and exclusions["vente_demolition"]:
            return "VENTE_DEMOLITION"
        if lot["conv"] == "1":
            return "CONVENTIONNE"
        if "DECONVENTIONNE_L411_6" in drapeaux:
            return "DECONVENTIONNE_L411_6"
        if lot["finan"] in ["50", "51", "52", "53", "54", "55", "99"]:
            return "AVANT_1977"
        return "HORS_CHAMP"

    def assiette(self):
        dans, hors, parc, loues = {}, {}, 0, 0
        self.soumis_par_commune = {}
        for lot in self.f["parc"]:
            statut, n = self.statut(lot), lot["nombre"]
            parc += n
            cible = dans if statut in DANS else hors
            cible[statut] = cible.get(statut, 0) + n
            if statut in DANS:
                commune = lot["commune"]
                self.soumis_par_commune[commune] = self.soumis_par_commune.get(commune, 0) + n
                if lot["mode"] in ("1", "2"):
                    loues += n
        self.soumis, self.loues = sum(dans.values()), loues
        return {
            "parc": parc,
            "soumis": self.soumis,
            "loues_ou_proposes": loues,
            "dans": {s: n for s, n in dans.items() if n},
            "hors": {s: n for s, n in hors.items() if n},
        }

    # Step 2
    def ou(self, lib):
        if lib["annulee"] or jour(lib["date"]).year > self.annee:
            return "NULLE_PART"
        if lib["premiere"] and not self.regime["premieres_mises_en_location"]:
            return "HORS_FLUX"
        if lib["usage"] in self.regime["soustractions"]:
            return "SOUSTRACTION"
        return "FLUX"

    def de_l_annee(self, ou):
        return [
            lib
            for lib in self.f["liberations"]
            if jour(lib["date"]).year == self.annee and self.ou(lib) == ou
        ]

    def flux(self):
        soustractions = {}
        for lib in self.de_l_annee("SOUSTRACTION"):
            soustractions[lib["usage"]] = soustractions.get(lib["usage"], 0) + 1
        self.du_flux = self.de_l_annee("FLUX")
        self.n = len(self.du_flux)
        return {
            "liberations": self.n + sum(soustractions.values()),
            "premieres_hors_flux": len(self.de_l_annee("HORS_FLUX")),
            "soustractions": soustractions,
            "flux": self.n,
            "flux_hors_qpv": len([lib for lib in self.du_flux if not lib["qpv"]]),
        }

    def flux_projete(self):
        brut = self.loues * Fraction(self.f["taux_rotation"]) / 100
        liberations = floor(brut + Fraction(1, 2))
        prevues = self.f["soustractions_previsionnelles"]
        deduites = {s: n for s, n in prevues.items() if s in self.regime["soustractions"] and n}
        self.n = liberations - sum(deduites.values())
        return {
            "liberations": liberations,
            "premieres_hors_flux": 0,
            "soustractions": deduites,
            "flux": self.n,
            "flux_hors_qpv": None,
        }

    # Step 3
    def taux_etat(self, c, le):
        taux = Fraction(c["taux"])
        for d in c["derogations"]:
            if entre(d["debut"], le, d["fin"]):
                taux = Fraction(d["taux"])
        return taux

    def retro(self, c, le):
        r = c["retrocession"]
        return Fraction(r["taux"]) if r and entre(r["debut"], le, r["fin"]) else Fraction(0)

    def actifs(self, le):
        return [c for c in self.conventions if entre(c["debut"], le, c["fin"])]

    def taux_du_jour(self, code, le, commune):
        """Rate on a day; for a collectivité, on a commune."""
        total = Fraction(0)
        for c in self.actifs(le):
            nature = c["reservataire"]
            if code == "ETAT" and nature == "ETAT":
                total += self.taux_etat(c, le) - self.retro(c, le)
            elif code == "ALS" and nature == "ALS":
                total += Fraction(c["taux"])
            elif code == "ALS" and nature == "ETAT":
                total += self.retro(c, le)
            elif (
                nature == "COLLECTIVITE"
                and c["code"] == code
                and commune in c["communes"]
                or nature == "AUTRE"
                and c["code"] == code
            ):
                total += Fraction(c["taux"])
        return total

    def part(self, code):
        if self.f["nature"] == "DEFINITIF":
            return (
                sum(
                    (self.taux_du_jour(code, jour(lib["date"]), lib["commune"]) for lib in self.du_flux),
                    Fraction(0),
                )
                / 100
            )
        if code not in self.collectivites:
            return (
                self.n
                * sum((self.taux_du_jour(code, le, None) for le in self.jours), Fraction(0))
                / (100 * len(self.jours))
            )
        total = Fraction(0)
        for commune, n in self.soumis_par_commune.items():
            if n:
                jours = sum((self.taux_du_jour(code, le, commune) for le in self.jours), Fraction(0))
                total += self.n * jours / (100 * len(self.jours)) * Fraction(n, self.soumis)
        return total

    def agents(self):
        def le_jour(le):
            return sum(Fraction(c["taux_agents"]) for c in self.actifs(le) if c["reservataire"] == "ETAT")

        if self.f["nature"] == "DEFINITIF":
            return floor(sum((le_jour(jour(lib["date"])) for lib in self.du_flux), Fraction(0)) / 100)
        return floor(self.n * sum((le_jour(le) for le in self.jours), Fraction(0)) / (100 * len(self.jours)))

    # Step 4
    def repartition(self):
        exactes = {code: self.part(code) for code in self.ordre if code != "BAILLEUR"}
        exactes["BAILLEUR"] = self.n - sum(exactes.values())
        objectifs = {code: floor(exactes[code]) for code in self.ordre}
        servis = set()
        while sum(objectifs.values()) < self.n:
            restants = [c for c in self.ordre if c != "ETAT" and c not in servis]
            meilleur = max(exactes[c] - floor(exactes[c]) for c in restants)
            gagnant = next(c for c in restants if exactes[c] - floor(exactes[c]) == meilleur)
            objectifs[gagnant] += 1
            servis.add(gagnant)
        self.agents_max = self.agents()
        self.objectifs = {c: objectifs[c] + self.f["reports"].get(c, 0) for c in self.ordre}
        return [
            {
                "reservataire": c,
                "part_exacte": quatre_decimales(exactes[c]),
                "objectif": objectifs[c],
                "report": self.f["reports"].get(c, 0),
                "objectif_total": self.objectifs[c],
            }
            for c in self.ordre
        ]

    # Steps 5 and 6
    def groupe(self, attribution):
        rangs = []
        for label in attribution["labels"]:
            if label["exception"] or entre(label["debut"], jour(attribution["date_caleol"]), label["fin"]):
                defaut = 3
                if label["type"] in ("DALO", "BPI"):
                    defaut = 1
                elif label["type"] in (
                    "HEBERGEMENT", "SANS_ABRI", "VIOLENCES", "EXPULSION", "LOGEMENT_TEMPORAIRE",
                    "L441_1_D", "L441_1_G", "L441_1_L",
                ):  # fmt: skip
                    defaut = 2
                rangs.append(self.f.get("groupes", {}).get(label["type"], defaut))
        return min(rangs) if rangs else None

    def agent(self, attribution):
        agent = attribution["agent"]
        if not agent or not agent["adapte"] or not attribution["date_bail"]:
            return False
        if agent["accord_posterieur"]:
            return True
        if not agent["validation"]:
            return False
        limite = attribution["date_proposition"] or attribution["date_caleol"]
        return jour(agent["validation"]) <= jour(limite)

    def imputations(self):
        self.imputees = []
        for lib in self.f["liberations"]:
            siennes = [
                a
                for a in self.f["attributions"]
                if a["liberation"] == lib["id"] and jour(a["date_caleol"]).year <= self.annee
            ]
            ou = self.ou(lib)
            if not siennes or ou == "NULLE_PART":
                continue
            a = sorted(siennes, key=lambda a: a["date_caleol"])[-1]
            if ou == "HORS_FLUX":
                titre = ["HORS_FLUX", "PREMIERE_MISE_EN_LOCATION"]
            elif ou == "SOUSTRACTION":
                titre = ["SOUSTRACTION", lib["usage"]]
            else:
                code = lib["reservataire"]
                if lib["designation_echouee"] or code is None:
                    code = "BAILLEUR"
                groupe = self.groupe(a)
                if code == "ETAT":
                    nom = "AGENT" if self.agent(a) else "AUTRE" if groupe is None else f"PRIORITE_{groupe}"
                elif code == "ALS":
                    nom = (
                        "PRIORITAIRE"
                        if groupe and a["statut"] in ("SALARIE", "DEMANDEUR_EMPLOI")
                        else "AUTRE"
                    )
                else:
                    nom = "PRIORITAIRE" if groupe else "AUTRE"
                titre = [code, nom]
            self.imputees.append((lib, a, titre))
        return {lib["id"]: titre for lib, _, titre in self.imputees}

    # Step 7
    def dans_l_annee(self, texte):
        return texte is not None and jour(texte).year == self.annee

    def vivier(self, code):
        retenues = []
        for lib, a, titre in self.imputees:
            if titre[0] != code:
                continue
            au_bail = titre[1] == "AGENT" or self.regime["fait_generateur"] == "BAIL"
            if self.dans_l_annee(a["date_bail"] if au_bail else a["date_caleol"]):
                retenues.append((lib, a, titre))
        return retenues

    @staticmethod
    def remplit(a, titre):
        return titre[1].startswith("PRIORITE_") or (
            titre[1] == "AUTRE" and a["motif_hors_prioritaire"] is not None
        )

    def echecs(self, code):
        compte = 0
        for lib in self.du_flux:
            if lib["designation_echouee"] and lib["reservataire"] == code:
                compte += any(
                    c["echec_consomme"] for c in self.actifs(jour(lib["date"])) if code in (c["reservataire"], c.get("code"))
                )  # fmt: skip
        return compte

    def realise(self):
        lignes = []
        for code in self.ordre:
            miennes = [(a, t) for _, a, t in self.imputees if t[0] == code]
            echecs = 0 if code == "BAILLEUR" else self.echecs(code)
            if code == "ETAT":
                agents = len([1 for _, _, t in self.vivier(code) if t[1] == "AGENT"])
                total = len([1 for _, a, t in self.vivier(code) if self.remplit(a, t)]) + min(
                    agents, self.agents_max
                )
            else:
                total = len(self.vivier(code))
            total += echecs
            ecart = None if code == "BAILLEUR" else total - self.objectifs[code]
            lignes.append(
                {
                    "reservataire": code,
                    "attributions": len([1 for a, _ in miennes if self.dans_l_annee(a["date_caleol"])]),
                    "baux": len([1 for a, _ in miennes if self.dans_l_annee(a["date_bail"])]),
                    "echecs": echecs,
                    "realise": total,
                    "ecart": ecart,
                    "atteint": None if ecart is None else ecart >= 0,
                }
            )
        return lignes

    def etat(self):
        compte = dict.fromkeys(TITRES, 0)
        for _, a, titre in self.imputees:
            if titre[0] == "ETAT" and self.dans_l_annee(a["date_caleol"]):
                compte[titre[1]] += 1
        return compte

    def etat_100(self):
        siennes = [
            (a, t)
            for _, a, t in self.imputees
            if t[0] == "ETAT" and t[1] != "AGENT" and self.dans_l_annee(a["date_caleol"])
        ]
        prioritaires = len([1 for _, t in siennes if t[1].startswith("PRIORITE_")])
        exceptions = len([1 for a, t in siennes if t[1] == "AUTRE" and a["motif_hors_prioritaire"]])
        return {
            "attributions": len(siennes),
            "prioritaires": prioritaires,
            "exceptions": exceptions,
            "manque": len(siennes) - prioritaires - exceptions,
        }

    # Step 8
    def quarts(self):
        lignes = []
        for code in ["ALS", *self.collectivites, "BAILLEUR"]:
            siennes = [t for _, a, t in self.imputees if t[0] == code and self.dans_l_annee(a["date_caleol"])]
            prioritaires = len([1 for t in siennes if t[1] == "PRIORITAIRE"])
            lignes.append(
                {
                    "reservataire": code,
                    "prioritaires": prioritaires,
                    "attributions": len(siennes),
                    "manque": max(0, ceil(Fraction(len(siennes), 4)) - prioritaires),
                }
            )
        return lignes

    # Step 9
    def hors_qpv(self):
        etat = len(
            [
                1
                for lib, a, t in self.vivier("ETAT")
                if not lib["qpv"] and (t[1] == "AGENT" or self.remplit(a, t))
            ]
        )
        plancher = self.regime["plancher_hors_qpv"]
        hors = [lib for lib in self.du_flux if not lib["qpv"]]
        objectif = None
        if plancher is not None:
            taux = [
                min(Fraction(plancher), self.taux_du_jour("ETAT", jour(lib["date"]), None)) for lib in hors
            ]
            objectif = floor(sum(taux, Fraction(0)) / 100)
        return {"flux": len(hors), "etat": etat, "objectif": objectif}

    def resultat(self):
        definitif = self.f["nature"] == "DEFINITIF"
        self.du_flux, self.imputees = [], []
        return {
            "titre": self.f["titre"],
            "assiette": self.assiette(),
            "flux": self.flux() if definitif else self.flux_projete(),
            "repartition": self.repartition(),
            "agents_max": self.agents_max,
            "imputations": self.imputations() if definitif else {},
            "realise": self.realise(),
            "etat": self.etat(),
            "etat_100": self.etat_100(),
            "quarts": self.quarts(),
            "hors_qpv": self.hors_qpv() if definitif else None,
        }


def lire(fichier: dict) -> dict:
    """The result that the format asks of a valid file."""
    return Oracle(fichier).resultat()
