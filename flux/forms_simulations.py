"""What an act under negotiation would change. An empty answer changes nothing: nothing is changed by default."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from django import forms
from django.utils.functional import cached_property

from flux.regles.simulation import Changements
from flux.services.simulations import ECHELLES, Depart, Titulaire
from reservation.forms.champs import ChampTaux
from reservation.regles.actes import ETAT, ZERO, Acte, Regime
from reservation.regles.statut import DRAPEAUX_LOCAUX, LIBELLES_DRAPEAU
from reservation.regles.typographie import enumerer, taux_fr, typographier

SANS, AVEC = "SANS", "AVEC"
EXCLUSIONS = {
    "pli": "Logements financés en PLI",
    "residences_services": "Résidences-services",
    "vente_demolition": "Plan de vente et démolitions",
}


class FormulaireSimulation(forms.Form):
    """One field a rate of the acts of the pair, then what the État's act fixes for everybody."""

    def __init__(self, *args, depart: Depart, **kwargs):
        super().__init__(*args, **kwargs)
        self.depart = depart
        regime = depart.regissant.regime if depart.regissant else Regime()
        for titulaire in depart.titulaires:
            self.fields[f"taux-{titulaire.code}"] = ChampTaux(
                label=f"Taux, {titulaire.nom}", required=False, help_text=_en_vigueur(titulaire)
            )
        self._champs_de_l_etat(depart.regissant, regime)
        for titulaire in depart.titulaires:
            acte = titulaire.acte
            self.fields[f"echec-{titulaire.code}"] = _oui_non(
                f"Une désignation échouée consomme le droit, {titulaire.nom}",
                acte.echec_consomme if acte else None,
            )
        for nom, libelle in EXCLUSIONS.items():
            self.fields[nom] = _oui_non(
                libelle, getattr(regime.exclusions, nom), oui="exclus", non="dans l’assiette"
            )
        self._champs_locaux(regime)
        self.fields["premieres_mises_en_location"] = _oui_non(
            "Premières mises en location",
            regime.premieres_mises_en_location,
            oui="dans le flux",
            non="hors du flux",
        )
        self.fields["echelle"] = forms.ChoiceField(
            label="Échelle de la part de l’État",
            required=False,
            choices=[
                ("", typographier(f"inchangée : {ECHELLES[depart.echelle]}")),
                *ECHELLES.items(),
            ],
        )

    def _champs_de_l_etat(self, acte: Acte | None, regime: Regime) -> None:
        self.fields["taux_agents"] = ChampTaux(
            label="Dont agents de l’État, au plus",
            required=False,
            max_value=100,
            help_text=f"En vigueur : {taux_fr(acte.taux_agents)} points du flux." if acte else "",
        )
        derogation = acte.derogations[-1].taux if acte and acte.derogations else None
        retrocession = acte.retrocession.taux if acte and acte.retrocession else None
        for nom, libelle, sans, avec, valeur, aide in (
            (
                "derogation",
                "Dérogation au taux de l’État",
                "sans dérogation",
                "avec, toute l’année, de",
                derogation,
                "Points de la dérogation",
            ),
            (
                "retrocession",
                "Rétrocession PNRU à Action Logement",
                "sans rétrocession",
                "avec, toute l’année, de",
                retrocession,
                "Points rétrocédés",
            ),
            (
                "plancher",
                "Plancher de l’État hors QPV",
                "sans la clause",
                "avec la clause, à",
                regime.plancher_hors_qpv,
                "Points du plancher",
            ),
        ):
            present = f"{taux_fr(valeur)} points" if valeur else "aucun"
            self.fields[nom] = forms.ChoiceField(
                label=libelle,
                required=False,
                choices=[
                    ("", typographier(f"inchangé : {present}")),
                    (SANS, sans),
                    (AVEC, typographier(f"{avec} …")),
                ],
            )
            self.fields[f"{nom}_points"] = ChampTaux(label=aide, required=False)

    def _champs_locaux(self, regime: Regime) -> None:
        presentes = [LIBELLES_DRAPEAU[c] for c in LIBELLES_DRAPEAU if c in regime.exclusions.locales]
        self.fields["locales_choix"] = forms.ChoiceField(
            label="Exclusions locales",
            required=False,
            choices=[
                ("", typographier(f"inchangées : {enumerer(presentes) or 'aucune'}")),
                (AVEC, "celles-ci, et elles seules :"),
            ],
        )
        self.fields["locales"] = forms.MultipleChoiceField(
            label="Exclues par accord avec le préfet",
            required=False,
            widget=forms.CheckboxSelectMultiple,
            choices=[(str(c), LIBELLES_DRAPEAU[c]) for c in LIBELLES_DRAPEAU if c in DRAPEAUX_LOCAUX],
        )

    # --- To and from the rules ----------------------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        lus = super().clean()
        for nom, quoi in (
            ("derogation", "la dérogation"),
            ("retrocession", "la rétrocession"),
            ("plancher", "le plancher"),
        ):
            if lus.get(nom) == AVEC and not lus.get(f"{nom}_points") and not self.has_error(f"{nom}_points"):
                self.add_error(f"{nom}_points", f"Indiquez les points de {quoi}, par exemple 1,37.")
        return lus

    @cached_property
    def changements(self) -> Changements:
        """Of a valid form."""
        lus = self.cleaned_data
        codes = [t.code for t in self.depart.titulaires]
        return Changements(
            taux={c: Fraction(lus[f"taux-{c}"]) for c in codes if lus[f"taux-{c}"] is not None},
            taux_agents=None if lus["taux_agents"] is None else Fraction(lus["taux_agents"]),
            derogation=self._choix("derogation"),
            retrocession=self._choix("retrocession"),
            plancher_hors_qpv=self._choix("plancher"),
            pli=_lu(lus["pli"]),
            residences_services=_lu(lus["residences_services"]),
            vente_demolition=_lu(lus["vente_demolition"]),
            locales=frozenset(lus["locales"]) if lus["locales_choix"] == AVEC else None,
            premieres_mises_en_location=_lu(lus["premieres_mises_en_location"]),
            echec_consomme={c: lus[f"echec-{c}"] == "oui" for c in codes if lus[f"echec-{c}"]},
            echelle=lus["echelle"] or None,
        )

    def _choix(self, nom: str) -> Fraction | None:
        choix = self.cleaned_data[nom]
        if not choix:
            return None
        return ZERO if choix == SANS else Fraction(self.cleaned_data[f"{nom}_points"])

    # --- For the page -------------------------------------------------------------------------------------

    def _liees(self, noms: Iterable[str]) -> list[forms.BoundField]:
        return [self[nom] for nom in noms]

    @property
    def groupes(self) -> list[tuple[str, str, list[forms.BoundField], bool]]:
        """(key, title, fields, whether one of them is filled): the first stands open, the others fold."""
        codes = [t.code for t in self.depart.titulaires]
        groupes = [
            ("taux", "Taux, en points du flux", [f"taux-{c}" for c in codes]),
            (
                "etat",
                "Part de l’État",
                [
                    "taux_agents",
                    *(f"{n}{s}" for n in ("derogation", "retrocession", "plancher") for s in ("", "_points")),
                    "echelle",
                ],
            ),
            (
                "assiette",
                "Assiette et premières mises en location",
                [*EXCLUSIONS, "locales_choix", "locales", "premieres_mises_en_location"],
            ),
            ("echec", "Désignations échouées", [f"echec-{c}" for c in codes]),
        ]
        return [
            (cle, titre, champs := self._liees(noms), any(champ.value() for champ in champs))
            for cle, titre, noms in groupes
        ]


class FormulaireEnregistrer(forms.Form):
    titre = forms.CharField(
        label="Titre", max_length=120, help_text="Par exemple : avenant 2027, deux points à la commune."
    )
    note = forms.CharField(
        label="Note",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Titre et note sont lus par ceux avec qui vous partagez. N’y nommez aucun ménage.",
    )


def saisie_de(changements: Changements) -> dict[str, Any]:
    """What the form shows of changes that are known already: its initial values."""
    c = changements
    saisie: dict[str, Any] = {f"taux-{code}": taux_fr(taux) for code, taux in c.taux.items()}
    saisie |= {f"echec-{code}": "oui" if oui else "non" for code, oui in c.echec_consomme.items()}
    if c.taux_agents is not None:
        saisie["taux_agents"] = taux_fr(c.taux_agents)
    for nom, valeur in (
        ("derogation", c.derogation),
        ("retrocession", c.retrocession),
        ("plancher", c.plancher_hors_qpv),
    ):
        if valeur is not None:
            saisie[nom] = AVEC if valeur else SANS
            if valeur:
                saisie[f"{nom}_points"] = taux_fr(valeur)
    for nom in (*EXCLUSIONS, "premieres_mises_en_location"):
        if getattr(c, nom) is not None:
            saisie[nom] = "oui" if getattr(c, nom) else "non"
    if c.locales is not None:
        saisie |= {"locales_choix": AVEC, "locales": sorted(c.locales)}
    if c.echelle:
        saisie["echelle"] = c.echelle
    return saisie


def _en_vigueur(titulaire: Titulaire) -> str:
    acte = titulaire.acte
    if acte is None:
        return "Aucun acte en vigueur : un taux lui en donne un, toute l’année."
    lieu = ", sur son territoire" if acte.communes is not None else ""
    mention = " Une dérogation le relève." if acte.reservataire == ETAT and acte.derogations else ""
    return typographier(f"En vigueur : {taux_fr(acte.taux)} points{lieu}.{mention}")


def _oui_non(libelle: str, present: bool | None, oui: str = "oui", non: str = "non") -> forms.ChoiceField:
    suite = "" if present is None else f" : {oui if present else non}"
    return forms.ChoiceField(
        label=libelle,
        required=False,
        choices=[("", typographier(f"inchangé{suite}")), ("oui", oui), ("non", non)],
    )


def _lu(choix: str) -> bool | None:
    return {"oui": True, "non": False}.get(choix)
