"""The forms of allauth in the words of the house: labels that say what is expected, no placeholder."""

from allauth.account import forms as comptes
from allauth.mfa.base import forms as second_facteur
from allauth.mfa.totp import forms as application
from allauth.mfa.webauthn import forms as cles
from django import forms

REGLE = "Douze caractères au moins ; ni un mot de passe courant, ni votre nom ou votre adresse."


class _Francais:
    """Labels and help of each field; a field that is not named keeps its own."""

    libelles: dict[str, tuple[str, str]] = {}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for nom, champ in self.fields.items():
            champ.widget.attrs.pop("placeholder", None)
            if nom in self.libelles:
                champ.label, champ.help_text = self.libelles[nom]


class FormulaireConnexion(_Francais, comptes.LoginForm):
    libelles = {
        "login": ("Adresse électronique", "Format attendu : prenom.nom@organisme.fr"),
        "password": ("Mot de passe", ""),
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["login"].widget = forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})


class FormulaireMotDePasseOublie(_Francais, comptes.ResetPasswordForm):
    libelles = {"email": ("Adresse électronique", "Celle de votre compte.")}


class FormulaireChangerMotDePasse(_Francais, comptes.ChangePasswordForm):
    libelles = {
        "oldpassword": ("Mot de passe actuel", ""),
        "password1": ("Nouveau mot de passe", REGLE),
        "password2": ("Le même, une seconde fois", ""),
    }


class FormulaireDefinirMotDePasse(_Francais, comptes.SetPasswordForm):
    libelles = {
        "password1": ("Nouveau mot de passe", REGLE),
        "password2": ("Le même, une seconde fois", ""),
    }


class FormulaireNouveauMotDePasse(_Francais, comptes.ResetPasswordKeyForm):
    libelles = FormulaireDefinirMotDePasse.libelles


class FormulaireConfirmerMotDePasse(_Francais, comptes.ReauthenticateForm):
    libelles = {"password": ("Mot de passe", "")}


class FormulaireCode(_Francais, second_facteur.AuthenticateForm):
    libelles = {"code": ("Code", "Les six chiffres de votre application, ou l’un de vos codes de secours.")}


class FormulaireConfirmerCode(_Francais, second_facteur.ReauthenticateForm):
    libelles = FormulaireCode.libelles


class FormulaireApplication(_Francais, application.ActivateTOTPForm):
    libelles = {
        "code": ("Code affiché par l’application", "Six chiffres, qui changent toutes les trente secondes.")
    }


class FormulaireAjouterCle(_Francais, cles.AddWebAuthnForm):
    libelles = {
        "name": ("Nom de la clé", "Pour la reconnaître : « téléphone », « clé USB du bureau »…"),
        "passwordless": (
            "Me connecter avec cette clé seule, sans mot de passe",
            "L’appareil vous demandera alors son code, votre empreinte ou votre visage.",
        ),
    }


class FormulaireRenommerCle(_Francais, cles.EditWebAuthnForm):
    libelles = {"name": ("Nom de la clé", "")}
