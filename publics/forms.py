"""Entry of labels, proposals, files of agents, settings of a département: codes, dates, no free text on a household."""

import re
from collections.abc import Sequence
from datetime import date

from django import forms
from django.utils import timezone
from django.utils.text import capfirst

from publics.models import (
    Accompagnement,
    CategorieLabel,
    DemandeMenage,
    DossierAgent,
    Labellisation,
    MotifLabel,
    NaturePreuve,
)
from publics.regles.groupes import Critere
from publics.services.labels import Demande, Instruction
from publics.services.reglages import Reglage
from reservation.forms.champs import ChampDate, ChampObjet
from reservation.models import ClasseTypologie, Commune, Departement, Epci, cle_de_tri

SEPARATEURS = re.compile(r"[,;\n]+")
ETENDUE = re.compile(r"^(T\d)\s*(?:-|à|a|/)\s*(T\d\S*)$", re.I)


class ChampNumeroUnique(forms.CharField):
    """The eighteen characters, as they are printed; only their hash is kept."""

    def __init__(self, **kwargs):
        kwargs.setdefault("label", "Numéro unique")
        kwargs.setdefault(
            "help_text",
            "Dix-huit caractères. Seule son empreinte est gardée, avec ses quatre derniers caractères.",
        )
        kwargs.setdefault(
            "widget", forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autofocus": True})
        )
        super().__init__(max_length=40, **kwargs)

    def clean(self, value) -> str:
        numero = "".join(super().clean(value).split()).upper()
        if numero and (len(numero) != 18 or not numero.isascii() or not numero.isalnum()):
            raise forms.ValidationError(
                f"Un numéro unique a dix-huit lettres ou chiffres ; celui-ci en a {len(numero)}."
            )
        return numero


class ChampSecteur(forms.CharField):
    """Communes and EPCI of one département, by name or by code, separated by commas; gives their codes."""

    def __init__(self, **kwargs):
        kwargs.setdefault("required", False)
        kwargs.setdefault(
            "help_text",
            "Communes ou EPCI, par leur nom ou leur code, séparés par des virgules. Vide : tout le département.",
        )
        super().__init__(max_length=1000, **kwargs)
        self.departement = ""

    def clean(self, value) -> list[str]:
        mots = [mot.strip() for mot in SEPARATEURS.split(super().clean(value)) if mot.strip()]
        if not mots:
            return []
        communes = list(Commune.objects.filter(departement=self.departement).order_by("code"))
        epci = list(Epci.objects.filter(communes__departement=self.departement).distinct().order_by("code"))
        connus = {}
        for lieu in [*epci, *communes]:  # a commune before an EPCI of the same name
            connus[lieu.nom_tri] = connus[lieu.code.casefold()] = lieu.code
        codes, inconnus = [], []
        for mot in mots:
            code = connus.get(mot.casefold()) or connus.get(cle_de_tri(mot))
            (codes if code else inconnus).append(code or mot)
        if inconnus:
            raise forms.ValidationError(
                f"Inconnu dans le département {self.departement} : {', '.join(inconnus)}. "
                "Attendu : noms ou codes de communes ou d’EPCI, séparés par des virgules."
            )
        return list(dict.fromkeys(codes))


class ChampTailles(forms.CharField):
    """Sizes, one by one or as a range: "T2, T3" or "T2 à T4"; gives the codes of `ClasseTypologie`."""

    def __init__(self, **kwargs):
        kwargs.setdefault("required", False)
        kwargs.setdefault("help_text", "Par exemple : T2, T3 ou T2 à T4. Vide : toutes.")
        super().__init__(max_length=60, **kwargs)

    def clean(self, value) -> list[str]:
        mots = [mot.strip() for mot in SEPARATEURS.split(super().clean(value)) if mot.strip()]
        if not mots:
            return []
        classes = [c.code for c in ClasseTypologie.objects.order_by("rang")]
        connues = {code.casefold(): i for i, code in enumerate(classes)}
        choisies: set[int] = set()
        for mot in mots:
            etendue = ETENDUE.match(mot)
            bornes = [connues.get(m.casefold()) for m in (etendue.groups() if etendue else (mot, mot))]
            if None in bornes or bornes[0] > bornes[1]:
                raise forms.ValidationError(
                    f"« {mot} » n’est pas une taille. Attendu : {', '.join(classes)}, ou une étendue comme T2 à T4."
                )
            choisies |= set(range(bornes[0], bornes[1] + 1))
        return [classes[i] for i in sorted(choisies)]


def _en_vigueur(lignes, jour: date):
    return [
        ligne
        for ligne in lignes
        if (not ligne.debut or ligne.debut <= jour) and (not ligne.fin or jour <= ligne.fin)
    ]


class _AvecDepartement(forms.Form):
    """`departements`: those where the actor enters something; only one is not asked."""

    departement = ChampObjet(label="Département")

    def __init__(self, *args, departements: Sequence[Departement], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["departement"].proposer(departements)
        self.seul = departements[0] if len(departements) == 1 else None
        choisi = self.data.get("departement", "") if self.is_bound else ""
        if self.seul:
            del self.fields["departement"]
            choisi = self.seul.pk
        for champ in self.fields.values():
            if isinstance(champ, ChampSecteur):
                champ.departement = choisi

    @property
    def le_departement(self) -> Departement:
        return self.seul or self.cleaned_data["departement"]


class FormulaireInstruction(_AvecDepartement):
    """A label, or the proposal of one."""

    numero_unique = ChampNumeroUnique()
    categorie = ChampObjet(label="Motif de priorité")
    case_cerfa = forms.CharField(
        label="Case du Cerfa",
        max_length=6,
        required=False,
        help_text="Par exemple F6, si la demande la porte.",
    )
    preuve = ChampObjet(
        label="Preuve vue",
        required=False,
        help_text="Sa nature et sa date seulement : aucun document n’est gardé.",
    )
    preuve_le = ChampDate(label="Date de la preuve", required=False)
    evaluation_sociale = forms.BooleanField(label="Une évaluation sociale a été faite", required=False)
    accompagnement = forms.ChoiceField(label="Accompagnement", choices=Accompagnement.choices, required=False)
    demande_tailles = ChampTailles(label="Tailles demandées par le ménage")
    demande_secteur = ChampSecteur(
        label="Secteur demandé par le ménage",
        help_text="Communes ou EPCI, séparés par des virgules. Vide : non renseigné.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        jour = timezone.localdate()
        self.fields["categorie"].proposer(_en_vigueur(CategorieLabel.objects.order_by("rang"), jour))
        self.fields["preuve"].proposer(_en_vigueur(NaturePreuve.objects.order_by("rang"), jour))

    def clean_case_cerfa(self) -> str:
        return self.cleaned_data["case_cerfa"].strip().upper()

    def instruction(self) -> Instruction:
        d = self.cleaned_data
        return Instruction(
            (), (), d["evaluation_sociale"], d["accompagnement"], d["preuve"], d["preuve_le"], d["case_cerfa"]
        )

    def demande(self) -> Demande:
        return Demande(self.cleaned_data["demande_tailles"], self.cleaned_data["demande_secteur"])


class FormulaireCase(_AvecDepartement):
    """A request that bears a box of the Cerfa: its automatic label."""

    numero_unique = ChampNumeroUnique()
    case_cerfa = forms.CharField(label="Case du Cerfa", max_length=6, help_text="Par exemple F6.")
    demande_tailles = ChampTailles(label="Tailles demandées par le ménage")
    demande_secteur = ChampSecteur(
        label="Secteur demandé par le ménage",
        help_text="Communes ou EPCI, séparés par des virgules. Vide : non renseigné.",
    )

    def demande(self) -> Demande:
        return Demande(self.cleaned_data["demande_tailles"], self.cleaned_data["demande_secteur"])


class FormulaireDemande(forms.Form):
    """What a household asks; both empty: any dwelling of the département."""

    tailles = ChampTailles(label="Tailles demandées")
    secteur = ChampSecteur(
        label="Secteur demandé",
        help_text="Communes ou EPCI, séparés par des virgules. Vide : tout le département.",
    )

    def __init__(self, *args, demande: DemandeMenage | None, departement: Departement, **kwargs):
        initial = (
            {"tailles": ", ".join(demande.tailles), "secteur": ", ".join(demande.secteur)} if demande else {}
        )
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["secteur"].departement = departement.pk

    def demande(self) -> Demande:
        return Demande(self.cleaned_data["tailles"], self.cleaned_data["secteur"])


class FormulaireLabel(FormulaireInstruction):
    """A label that the DDETS recognises itself."""

    debut = ChampDate(label="Valable à partir du", help_text="Aujourd’hui au plus tôt.")
    fin = ChampDate(label="Valable jusqu’au", required=False, help_text="Inclus. Vide : sans fin.")

    def clean(self):
        donnees = super().clean()
        if donnees.get("fin") and donnees.get("debut") and donnees["fin"] < donnees["debut"]:
            self.add_error("fin", "La fin du label ne peut pas précéder son début.")
        return donnees


class FormulaireComed(_AvecDepartement):
    """One favourable decision of the COMED; the day and the sector stay from one entry to the next."""

    decision_le = ChampDate(label="Décision du")
    numero_unique = ChampNumeroUnique()
    secteur = ChampSecteur(label="Secteur préconisé")
    tailles = ChampTailles(label="Tailles préconisées")
    evaluation_sociale = forms.BooleanField(label="Une évaluation sociale a été faite", required=False)
    accompagnement = forms.ChoiceField(label="Accompagnement", choices=Accompagnement.choices, required=False)


class FormulaireDecision(forms.Form):
    """The decision on the proposals that are ticked, all or none."""

    decision = forms.ChoiceField(
        label="Décision",
        choices=[("accorder", "accorder"), ("refuser", "refuser")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez d’accorder ou de refuser."},
    )
    debut = ChampDate(
        label="Valable à partir du",
        required=False,
        help_text="Si vous accordez. Au plus tôt, le jour de la proposition.",
    )
    fin = ChampDate(
        label="Valable jusqu’au",
        required=False,
        help_text="Si vous accordez. Inclus. Vide : la durée fixée par le département.",
    )
    motif = ChampObjet(label="Motif du refus", required=False, help_text="Si vous refusez.")

    def __init__(self, *args, acte: str = MotifLabel.Acte.REFUS, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["motif"].proposer(motifs(acte))
        if acte == MotifLabel.Acte.AGENT:
            del self.fields["debut"]

    def clean(self):
        donnees = super().clean()
        if donnees.get("decision") == "refuser" and not donnees.get("motif") and "motif" not in self.errors:
            self.add_error("motif", "Un refus porte un motif.")
        if donnees.get("decision") == "accorder" and donnees.get("motif"):
            self.add_error("motif", "Ce motif est celui d’un refus : laissez-le vide pour accorder.")
        # Of a file of an agent, the validation is dated today.
        if donnees.get("fin") and donnees["fin"] < (donnees.get("debut") or timezone.localdate()):
            self.add_error("fin", "La fin ne peut pas précéder le début.")
        return donnees


def motifs(acte: str) -> list[MotifLabel]:
    """Reasons offered today for this act."""
    return _en_vigueur(MotifLabel.objects.filter(acte=acte).order_by("rang"), timezone.localdate())


class FormulaireRetrait(forms.Form):
    motif = ChampObjet(label="Motif du retrait")
    a_compter_du = ChampDate(label="À compter du", help_text="Le label compte jusqu’à la veille.")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["motif"].proposer(motifs(MotifLabel.Acte.RETRAIT))


class FormulaireCorrection(forms.Form):
    """What was typed wrong. What is left empty of the ground and of the proof stays as it is: it is not shown here."""

    motif = ChampObjet(label="Motif de la correction")
    categorie = ChampObjet(
        label="Motif de priorité",
        required=False,
        help_text="Vide : inchangé. Le motif enregistré n’est pas montré ici.",
    )
    preuve = ChampObjet(label="Preuve vue", required=False, help_text="Vide : inchangée.")
    preuve_le = ChampDate(label="Date de la preuve", required=False)
    fin = ChampDate(label="Valable jusqu’au", required=False, help_text="Inclus. Vide : sans fin.")
    secteur = ChampSecteur(label="Secteur préconisé")
    tailles = ChampTailles(label="Tailles préconisées")
    evaluation_sociale = forms.BooleanField(label="Une évaluation sociale a été faite", required=False)
    accompagnement = forms.ChoiceField(label="Accompagnement", choices=Accompagnement.choices, required=False)

    def __init__(self, *args, label: Labellisation, **kwargs):
        initial = {
            "fin": label.fin,
            "secteur": ", ".join(label.secteur),
            "tailles": ", ".join(label.tailles),
            "evaluation_sociale": label.evaluation_sociale,
            "accompagnement": label.accompagnement,
        }
        super().__init__(*args, initial=initial, **kwargs)
        jour = timezone.localdate()
        self.label = label
        self.fields["motif"].proposer(motifs(MotifLabel.Acte.CORRECTION))
        self.fields["categorie"].proposer(_en_vigueur(CategorieLabel.objects.order_by("rang"), jour))
        self.fields["preuve"].proposer(_en_vigueur(NaturePreuve.objects.order_by("rang"), jour))
        self.fields["secteur"].departement = label.departement_id

    def faits(self) -> dict:
        """What the service takes."""
        d = self.cleaned_data
        changee = d["preuve"] is not None or d["preuve_le"] is not None
        return {
            "motif": d["motif"],
            "categorie": d["categorie"] or self.label.categorie,
            "fin": d["fin"],
            "instruction": Instruction(
                d["secteur"],
                d["tailles"],
                d["evaluation_sociale"],
                d["accompagnement"],
                d["preuve"] if changee else self.label.preuve,
                d["preuve_le"] if changee else self.label.preuve_le,
                self.label.case_cerfa,
            ),
        }


class FormulaireAnnulation(forms.Form):
    motif = ChampObjet(label="Motif de l’annulation")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["motif"].proposer(motifs(MotifLabel.Acte.CORRECTION))


class FormulaireRenouvellement(forms.Form):
    fin = ChampDate(
        label="Nouvelle fin", required=False, help_text="Incluse. Vide : la durée fixée par le département."
    )


class FormulaireAgent(_AvecDepartement):
    """The file of an agent: the check-list is answered at once."""

    numero_unique = ChampNumeroUnique()
    versant = forms.ChoiceField(
        label="Employeur", choices=DossierAgent.Versant.choices, widget=forms.RadioSelect
    )
    statut = forms.ChoiceField(label="Statut", choices=DossierAgent.Statut.choices, widget=forms.RadioSelect)
    contrats = forms.CharField(
        label="Contrats",
        required=False,
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Pour un contractuel, un contrat par ligne : 01/01/2025 au 31/12/2025, ou 01/01/2025 s’il est sans terme.",
    )
    preuve = ChampObjet(label="Preuve vue", required=False)
    preuve_le = ChampDate(label="Date de la preuve", required=False)
    demande_tailles = ChampTailles(label="Tailles demandées par le ménage")
    demande_secteur = ChampSecteur(
        label="Secteur demandé par le ménage",
        help_text="Communes ou EPCI, séparés par des virgules. Vide : non renseigné.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["preuve"].proposer(
            _en_vigueur(NaturePreuve.objects.order_by("rang"), timezone.localdate())
        )

    def clean_contrats(self) -> list[tuple[date, date | None]]:
        lus = []
        for ligne in self.cleaned_data["contrats"].splitlines():
            if not ligne.strip():
                continue
            dates = re.findall(r"\d{1,2}/\d{1,2}/\d{4}", ligne)
            reste = re.sub(r"\d{1,2}/\d{1,2}/\d{4}|\bau\b|\bdu\b|[-–\s]", "", ligne)
            try:
                jours = [date(*(int(x) for x in reversed(d.split("/")))) for d in dates]
            except ValueError:
                jours = []
            if reste or not 1 <= len(jours) <= 2:
                raise forms.ValidationError(
                    f"« {ligne.strip()} » n’est pas un contrat ; attendu : 01/01/2025 au 31/12/2025."
                )
            lus.append((jours[0], jours[1] if len(jours) > 1 else None))
        return lus

    def demande(self) -> Demande:
        return Demande(self.cleaned_data["demande_tailles"], self.cleaned_data["demande_secteur"])


class FormulaireReglage(forms.Form):
    """The setting of a département: the order, the group of each category, the boxes of the Cerfa, the delays."""

    debut = ChampDate(
        label="À partir du", help_text="Demain au plus tôt : un réglage ne récrit pas le passé."
    )
    duree_mois = forms.IntegerField(label="Durée d’un label manuel (mois)", min_value=1, max_value=120)
    delai_jours = forms.IntegerField(
        label="Délai pour décider une proposition (jours)", min_value=1, max_value=365
    )

    def __init__(self, *args, reglage: Reglage, **kwargs):
        self.categories = list(CategorieLabel.objects.order_by("rang"))
        initial = {
            "duree_mois": reglage.duree_mois,
            "delai_jours": reglage.delai_jours,
            **{f"rang_{c.value}": _rang(reglage.criteres, c) for c in Critere},
            **{f"groupe_{c.pk}": str(reglage.groupes[c.pk]) for c in self.categories},
            **{
                f"cases_{c.pk}": ", ".join(case for case, code in reglage.cases.items() if code == c.pk)
                for c in self.categories
            },
        }
        super().__init__(*args, initial=initial | kwargs.pop("initial", {}), **kwargs)
        for critere in Critere:
            self.fields[f"rang_{critere.value}"] = forms.ChoiceField(
                label=capfirst(critere.libelle),
                choices=[("", "non retenu"), *((str(i), str(i)) for i in range(1, len(Critere) + 1))],
                required=False,
            )
        for c in self.categories:
            self.fields[f"groupe_{c.pk}"] = forms.ChoiceField(
                label=f"Groupe, {c}", choices=[(str(g), str(g)) for g in (1, 2, 3)]
            )
            self.fields[f"cases_{c.pk}"] = forms.CharField(
                label=f"Cases du Cerfa, {c}", required=False, max_length=60
            )
        self.modele = reglage.modele

    @property
    def lignes(self):
        """(category, its group, its boxes)."""
        return [(c, self[f"groupe_{c.pk}"], self[f"cases_{c.pk}"]) for c in self.categories]

    @property
    def rangs(self):
        return [self[f"rang_{c.value}"] for c in Critere]

    def clean(self):
        donnees = super().clean()
        rangs = sorted(
            (int(donnees[f"rang_{c.value}"]), c.value) for c in Critere if donnees.get(f"rang_{c.value}")
        )
        if not rangs:
            self.add_error(None, "L’ordre comporte au moins un critère.")
        if len({rang for rang, _ in rangs}) < len(rangs):
            self.add_error(None, "Deux critères ont le même rang dans l’ordre.")
        donnees["criteres"] = tuple(code for _, code in rangs)
        cases: dict[str, str] = {}
        for c in self.categories:
            for case in SEPARATEURS.split(donnees.get(f"cases_{c.pk}", "")):
                case = case.strip().upper()
                if not case:
                    continue
                if not re.fullmatch(r"[A-Z]\d{1,2}", case):
                    self.add_error(
                        f"cases_{c.pk}",
                        f"« {case} » n’est pas une case ; attendu : une lettre et un nombre, F6.",
                    )
                elif case in cases:
                    self.add_error(f"cases_{c.pk}", f"La case {case} est déjà donnée à une autre catégorie.")
                cases[case] = c.pk
        donnees["cases"] = cases
        return donnees

    def reglage(self) -> Reglage:
        d = self.cleaned_data
        groupes = {c.pk: int(d[f"groupe_{c.pk}"]) for c in self.categories}
        return Reglage(groupes, d["criteres"], d["cases"], d["duree_mois"], d["delai_jours"], self.modele)


def _rang(criteres: Sequence[str], critere: str) -> str:
    return str(criteres.index(critere) + 1) if critere in criteres else ""


class FormulaireMenage(forms.Form):
    """Finding one household by its number: to answer the person that it is."""

    numero_unique = ChampNumeroUnique()
