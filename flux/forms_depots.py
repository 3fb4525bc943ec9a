"""Forms of a deposit: the file, and which of its columns is which. What the file is, its content says."""

from collections.abc import Sequence

from django import forms

from flux.imports.colonnes import TABLEAUX, est_personnel, lettre
from flux.models import SUJETS_EXTERNES, Sujet
from reservation.regles.typographie import typographier

TAILLE_MAX = 20 * 1024 * 1024  # 20 000 lines of libérations weigh 2 MB in XLSX, 4 MB in CSV
TAILLE_MAX_EXTRAIT = 60 * 1024 * 1024  # a year of a département
NON_REPRISE = ""


class FormulaireDepot(forms.Form):
    fichier = forms.FileField(
        label="Tableau",
        help_text=typographier("Format attendu : classeur XLSX, ou CSV. 20 Mo et 50 000 lignes au plus."),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv,.txt"}),
        error_messages={
            "required": "Choisissez le fichier à déposer.",
            "empty": "Ce fichier est vide : vérifiez l’export, puis choisissez-le de nouveau.",
            "max_length": "Le nom de ce fichier est trop long : raccourcissez-le.",
        },
        max_length=255,
    )
    sujet = forms.ChoiceField(
        label="Ce que contient le tableau",
        help_text="Dans le doute, laissez : les titres des colonnes le disent.",
        required=False,
        choices=[("", "D’après les titres des colonnes"), *Sujet.choices],
    )
    source = forms.CharField(
        label="Logiciel ou tableau d’origine",
        help_text="La correspondance des colonnes sera retenue sous ce nom. Par exemple : export Imhoweb.",
        max_length=60,
        required=False,
    )

    def __init__(self, *args, sujets: Sequence[Sujet], **kwargs):
        """`sujets`: what the organisation may hand in."""
        super().__init__(*args, **kwargs)
        choix = [(str(sujet), sujet.label) for sujet in sujets]
        champ = self.fields["sujet"]
        if Sujet.LIBERATIONS in sujets:
            champ.choices = [("", "D’après les titres des colonnes"), *choix]
            champ.help_text = typographier(
                "Dans le doute, laissez : les titres des colonnes le disent. Une extraction d’un autre outil se choisit ici."
            )
        else:
            champ.choices = [("", "Choisir l’outil"), *choix]
            champ.label, champ.help_text, champ.required = "D’où vient l’extraction", "", True
            champ.error_messages["required"] = "Dites de quel outil vient ce fichier."
        if set(SUJETS_EXTERNES) & set(sujets):
            self.fields["fichier"].help_text = typographier(
                "Format attendu : classeur XLSX, CSV, ou XML interfaceNuu du SNE. 20 Mo et 50 000 lignes au plus ; "
                "60 Mo et 150 000 lignes pour une extraction."
            )
            self.fields["fichier"].widget.attrs["accept"] = ".xlsx,.csv,.txt,.xml"

    def clean(self) -> dict:
        donnees = super().clean()
        fichier, extrait = donnees.get("fichier"), donnees.get("sujet") in SUJETS_EXTERNES
        if fichier and fichier.size > (TAILLE_MAX_EXTRAIT if extrait else TAILLE_MAX):
            taille = "60" if extrait else "20"
            self.add_error(
                "fichier",
                typographier(f"Ce fichier dépasse {taille} Mo : coupez-le, par trimestre ou par agence."),
            )
        return donnees


class FormulaireColonnes(forms.Form):
    """One list per column of the kind of file; each proposes the headers of the file."""

    source = forms.CharField(
        label="Retenir cette correspondance sous le nom",
        help_text="Les prochains fichiers qui ont les mêmes titres seront lus de la même façon.",
        max_length=60,
        required=False,
    )

    def __init__(self, *args, sujet: str, entetes: Sequence[str], **kwargs):
        super().__init__(*args, **kwargs)
        self.sujet = sujet
        tableau = TABLEAUX[sujet]
        choix = [
            (NON_REPRISE, "absente de mon tableau"),
            *(
                (str(rang), f"{lettre(rang)} – {entete}")
                for rang, entete in enumerate(entetes)
                if not (sujet in SUJETS_EXTERNES and est_personnel(entete))
            ),
        ]
        for colonne in tableau.colonnes:
            self.fields[colonne.champ] = forms.ChoiceField(
                label=colonne.titre,
                help_text=typographier(colonne.aide),
                choices=choix,
                required=colonne.champ in tableau.obligatoires,
                error_messages={"required": "Cette colonne est indispensable : dites laquelle c’est."},
            )

    @property
    def colonnes(self) -> dict[str, int]:
        """Champ → rank of its column, of a valid form."""
        return {
            champ: int(valeur)
            for champ, valeur in self.cleaned_data.items()
            if champ != "source" and valeur != NON_REPRISE
        }

    def clean(self) -> dict:
        donnees = super().clean()
        prises: dict[str, str] = {}
        for champ, valeur in list(donnees.items()):
            if champ == "source" or valeur == NON_REPRISE:
                continue
            if valeur in prises:
                self.add_error(
                    champ, f"Cette colonne est déjà prise par « {self.fields[prises[valeur]].label} »."
                )
            prises[valeur] = champ
        return donnees


def sujet_connu(texte: str) -> str | None:
    """The kind of file that an address or a form names; None when there is no such kind."""
    return texte if texte in TABLEAUX else None


class FormulaireValeurs(forms.Form):
    """One list per unknown word of a deposit: what it means here. Nothing chosen says nothing."""

    RIEN = "-"

    def __init__(self, *args, valeurs: Sequence, cibles: dict[str, dict[str, str]], **kwargs):
        super().__init__(*args, **kwargs)
        self.valeurs = valeurs
        for rang, valeur in enumerate(valeurs):
            choix = [("", "à associer"), (self.RIEN, "rien ici"), *cibles[valeur.liste].items()]
            connue = valeur.cible if valeur.cible else self.RIEN if valeur.cible == "" else ""
            self.fields[f"v{rang}"] = forms.ChoiceField(
                label=f"{valeur.nom_liste} : {valeur.texte}",
                choices=choix,
                required=False,
                initial=connue,
            )

    @property
    def choix(self) -> list[tuple[str, str, str]]:
        """(list, text, code) of what somebody chose, of a valid form."""
        return [
            (valeur.liste, valeur.texte, "" if cible == self.RIEN else cible)
            for rang, valeur in enumerate(self.valeurs)
            if (cible := self.cleaned_data[f"v{rang}"])
        ]

    @property
    def lignes(self) -> list[tuple]:
        """(word, its field), to show."""
        return [(valeur, self[f"v{rang}"]) for rang, valeur in enumerate(self.valeurs)]
