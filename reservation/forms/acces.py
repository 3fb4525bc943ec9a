"""Forms of accesses and organisations. They read and explain; the services decide."""

from collections.abc import Iterable, Sequence

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts

from reservation.acteur import Acteur, Role, TypeOrganisation
from reservation.models import Departement, FamilleBailleur, Organisation
from reservation.models.organisations import LIBELLES_TYPE
from reservation.regles.typographie import enumerer, minuscule
from reservation.services.organisations import types_possibles

from .champs import ChampDate, ChampObjet
from .conventions import Formulaire

AIDE_ROLES = {
    Role.LECTURE: "Lecture : voir les pages de l’organisation",
    Role.GESTION: "Gestion : saisir, importer, préparer",
    Role.SIGNATURE: "Signature : gérer, soumettre un bilan, signer un courrier",
    Role.ADMINISTRATION: "Administration : inviter, changer les rôles, confirmer les accès",
}


def _champ_roles(proposes: Iterable[Role] = Role) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label="Rôles",
        choices=[(str(role), AIDE_ROLES[role]) for role in proposes],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins un rôle."},
    )


def _motif(libelle: str, requis: bool, aide: str = "", **messages: str) -> forms.CharField:
    return forms.CharField(
        label=libelle,
        required=requis,
        max_length=300,
        help_text=aide,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages=messages,
    )


class FormulaireInvitation(Formulaire):
    courriel = forms.EmailField(
        label="Adresse électronique professionnelle",
        help_text="L’invitation n’est acceptée que par cette adresse. Format attendu : prenom.nom@organisme.fr",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Indiquez une adresse électronique."},
    )
    roles = _champ_roles()

    def __init__(self, *args, proposes: Sequence[Role], **kwargs):
        """`proposes`: roles that the inviter may give there; the only one is ticked."""
        super().__init__(*args, **kwargs)
        self.fields["roles"] = _champ_roles(proposes)
        if len(proposes) == 1:
            self.initial["roles"] = list(proposes)


class FormulaireRoles(Formulaire):
    roles = _champ_roles()


class FormulaireFin(Formulaire):
    motif = _motif("Motif", requis=False, aide="Gardé dans le journal ; la personne ne le lit pas.")


class FormulaireDecision(Formulaire):
    """Accept with roles, or refuse with a reason: the button pressed says which."""

    roles = _champ_roles()
    motif = _motif("Motif du refus", requis=False, aide="Pour un refus : la personne le lira.")

    def __init__(self, *args, refus: bool, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["roles"].required = not refus
        self.initial.setdefault("roles", [Role.LECTURE])


class FormulaireDemande(Formulaire):
    message = _motif(
        "Votre fonction, et pourquoi vous demandez cet accès",
        requis=True,
        aide="Lu par l’administrateur qui décide. N’écrivez rien sur un ménage.",
        required="Dites votre fonction : l’administrateur en a besoin pour décider.",
    )


class FormulaireCompte(Formulaire):
    """The account opened by an invitation."""

    nom = forms.CharField(
        label="Votre nom",
        max_length=120,
        help_text="Affiché à vos collègues et à vos partenaires. Par exemple : Prénom Nom",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": "Indiquez votre nom."},
    )
    mot_de_passe = forms.CharField(
        label="Mot de passe",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Choisissez un mot de passe."},
    )
    confirmation = forms.CharField(
        label="Le même mot de passe, une seconde fois",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Écrivez le mot de passe une seconde fois."},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["mot_de_passe"].help_text = " ".join(password_validators_help_texts())

    def clean(self) -> dict:
        donnees = super().clean()
        saisis = {donnees.get("mot_de_passe"), donnees.get("confirmation")} - {None}
        if len(saisis) == 2:
            self.add_error("confirmation", "Les deux mots de passe diffèrent.")
        return donnees


class FormulaireOrganisation(Formulaire):
    type_organisation = forms.ChoiceField(
        label="Type", error_messages={"required": "Choisissez le type de l’organisation."}
    )
    nom = forms.CharField(
        label="Nom", max_length=150, error_messages={"required": "Indiquez le nom de l’organisation."}
    )
    departement = ChampObjet(
        label="Département",
        help_text="Pour un bailleur : un département où il a des logements.",
        error_messages={"required": "Choisissez le département."},
    )
    siren = forms.CharField(
        label="SIREN",
        required=False,
        max_length=20,
        help_text="Neuf chiffres. Obligatoire pour un bailleur ; sert à reconnaître ses agents à la connexion.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    famille = forms.ChoiceField(
        label="Famille de bailleur",
        required=False,
        choices=[("", "Sans objet"), *FamilleBailleur.choices],
    )
    code = forms.CharField(
        label="Code du réservataire",
        required=False,
        max_length=20,
        help_text="Collectivité : code INSEE de la commune ou du département, SIREN de l’EPCI. Autre : un sigle.",
    )
    confirmer = forms.BooleanField(
        label="C’est une autre organisation que celles qui existent déjà", required=False
    )

    def __init__(self, *args, acteur: Acteur, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["type_organisation"].choices = [
            ("", "Choisir"),
            *((str(t), LIBELLES_TYPE[t][:1].upper() + LIBELLES_TYPE[t][1:]) for t in types_possibles(acteur)),
        ]
        self.fields["departement"].proposer(
            Departement.objects.filter(pk__in=acteur.departements).order_by("pk")
        )

    def clean(self) -> dict:
        donnees = super().clean()
        type_ = donnees.get("type_organisation")
        if type_ == TypeOrganisation.BAILLEUR:
            self._exiger(donnees, "siren", "Un bailleur a un SIREN.")
            self._exiger(donnees, "famille", "Choisissez la famille du bailleur.")
        if type_ in (TypeOrganisation.COLLECTIVITE, TypeOrganisation.AUTRE_RESERVATAIRE):
            self._exiger(donnees, "code", "Un réservataire a un code.")
        return donnees

    def _exiger(self, donnees: dict, champ: str, message: str) -> None:
        if not donnees.get(champ) and champ not in self.errors:
            self.add_error(champ, message)


class FormulaireFusion(Formulaire):
    absorbant = ChampObjet(
        label="Bailleur absorbant", error_messages={"required": "Choisissez le bailleur absorbant."}
    )
    effet = ChampDate(
        label="Date d’effet",
        help_text="Un 1er janvier, de cette année ou de la précédente : le flux, le parc et le bilan sont annuels.",
    )

    def __init__(self, *args, absorbants: Iterable[Organisation], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["absorbant"].proposer(absorbants)


class FormulaireNom(Formulaire):
    nom = forms.CharField(
        label="Nouveau nom", max_length=150, error_messages={"required": "Indiquez le nouveau nom."}
    )
    effet = ChampDate(label="Porte ce nom depuis le")


class FormulaireRenouvellement(Formulaire):
    """One answer per person whose access ends soon."""

    def __init__(self, *args, acces: Iterable, **kwargs):
        super().__init__(*args, **kwargs)
        self.acces = {str(a.utilisateur.pk): a for a in acces}
        for cle, a in self.acces.items():
            self.fields[f"personne-{cle}"] = forms.ChoiceField(
                label=f"{a.utilisateur.nom}, {enumerer(map(minuscule, a.libelles))}",
                choices=[
                    ("", "Je réponds plus tard"),
                    ("CONFIRMER", "Confirmer pour un an"),
                    ("TERMINER", "Terminer l’accès aujourd’hui"),
                ],
                widget=forms.RadioSelect,
                required=False,
                initial="",
            )

    def clean(self) -> dict:
        donnees = super().clean()
        if not self.errors and not self.reponses:
            raise forms.ValidationError("Répondez pour une personne au moins.")
        return donnees

    @property
    def reponses(self) -> list[tuple]:
        """(access, CONFIRMER or TERMINER) of those that were answered."""
        return [
            (a, reponse)
            for cle, a in self.acces.items()
            if (reponse := self.cleaned_data.get(f"personne-{cle}"))
        ]
