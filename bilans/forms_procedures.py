"""Forms of the procedures; the services decide what is possible."""

from django import forms
from django.utils import timezone

from bilans.regles.procedures import Acte, Sorte
from bilans.services.procedures import FONCTION, LONGUEUR, Saisie
from bilans.services.procedures_situation import JOURS_D_OBSERVATIONS, Dossier
from reservation.forms.champs import ChampDate
from reservation.regles.typographie import accorder

CALENDRIER = {"widget": forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")}
TEXTES = {
    Acte.TENIR_REUNION: ("Ce qui s’est dit", True),
    Acte.JUGER_JUSTIFIE: ("Motif de la décision", True),
    Acte.JUGER_INJUSTIFIE: ("Motif de la décision", True),
    Acte.ABANDONNER: ("Motif de l’abandon", True),
}
AVEC_EFFET = (Acte.RESILIER, Acte.PRENDRE_ARRETE)


class FormulaireProcedure(forms.Form):
    """Open a procedure: what, about whom, for which year."""

    sorte = forms.ChoiceField(
        label="Procédure", choices=[(s.value, s.libelle) for s in Sorte], widget=forms.RadioSelect
    )
    annee = forms.TypedChoiceField(label="Année", coerce=int)
    departement = forms.ChoiceField(label="Département")
    partie = forms.ChoiceField(
        label="Qui est visé",
        help_text="Un réservataire n’est visé que pour le quart de ses attributions, dans tout le département.",
    )
    texte = forms.CharField(
        label="Note au dossier",
        required=False,
        max_length=LONGUEUR,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Le destinataire la lira.",
    )

    def __init__(self, *args, departements, parties, **kwargs):
        super().__init__(*args, **kwargs)
        cette_annee = timezone.localdate().year
        self.fields["annee"].choices = [(a, str(a)) for a in range(cette_annee, cette_annee - 4, -1)]
        self.fields["departement"].choices = [(d.pk, f"{d.nom} ({d.pk})") for d in departements]
        self.fields["partie"].choices = [("", "Choisir"), *parties]


class FormulaireActe(forms.Form):
    """One act of the table, with what this act says."""

    def __init__(self, *args, acte: Acte, dossier: Dossier, **kwargs):
        super().__init__(*args, auto_id=f"id_{acte.lower()}_%s", **kwargs)
        self.acte = acte
        sorte = dossier.objet.sorte
        if acte == Acte.CONVOQUER:
            self.fields["reunion"] = forms.DateTimeField(
                label="Jour et heure de la réunion (heure de Paris)",
                input_formats=["%Y-%m-%dT%H:%M"],
                error_messages={"required": "Fixez le jour et l’heure de la réunion."},
                **CALENDRIER,
            )
            self.fields["lieu"] = forms.CharField(label="Lieu", max_length=200)
        if acte == Acte.NOTIFIER:
            self.fields["delai_jours"] = forms.IntegerField(
                label="Délai pour présenter des observations, en jours",
                min_value=8,
                max_value=90,
                initial=JOURS_D_OBSERVATIONS,
            )
        if acte in AVEC_EFFET:
            self.fields["jour"] = ChampDate(label="Date d’effet", initial=dossier.situation.jour)
        if acte == Acte.JUGER_INJUSTIFIE:
            for objectif in dossier.situation.manques:
                self._nombre(
                    objectif.code,
                    f"{objectif.nom} : attributions justifiées",
                    objectif.manque,
                    f"Sur {accorder(objectif.manque, 'attribution manquante', 'attributions manquantes')} ; le reste est jugé "
                    "injustifié.",
                )
        if sorte == Sorte.OBJECTIFS and acte in (Acte.REPORTER, Acte.ATTRIBUER):
            for code, juge in dossier.juges.items():
                if juge["retenus"]:
                    self._nombre(
                        code,
                        f"{juge['nom']} : logements à {'reporter' if acte == Acte.REPORTER else 'attribuer directement'}",
                        juge["retenus"],
                        f"{accorder(juge['retenus'], 'attribution jugée injustifiée', 'attributions jugées injustifiées')}.",
                    )
        libelle, requis = TEXTES.get(acte, ("Note au dossier", False))
        self.fields["texte"] = forms.CharField(
            label=libelle,
            required=requis,
            max_length=LONGUEUR,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text="Le destinataire la lira." if not requis else "Le destinataire le lira.",
            error_messages={"required": "Écrivez-le : le destinataire le lira."},
        )

    def _nombre(self, code: str, libelle: str, maximum: int, aide: str) -> None:
        self.fields[f"nombre_{code}"] = forms.IntegerField(
            label=libelle,
            min_value=0,
            max_value=maximum,
            initial=0,
            help_text=aide,
            error_messages={"required": "Écrivez un nombre, 0 s’il n’y en a pas."},
        )

    def saisie(self) -> Saisie:
        lu = self.cleaned_data
        return Saisie(
            texte=lu["texte"],
            jour=lu.get("jour"),
            reunion=lu.get("reunion"),
            lieu=lu.get("lieu", ""),
            delai_jours=lu.get("delai_jours"),
            nombres={
                nom.removeprefix("nombre_"): valeur
                for nom, valeur in lu.items()
                if nom.startswith("nombre_") and valeur is not None
            },
        )


class FormulaireParagraphe(forms.Form):
    paragraphe = forms.IntegerField(required=False, widget=forms.HiddenInput)
    repond_a = forms.IntegerField(required=False, widget=forms.HiddenInput)
    texte = forms.CharField(
        label="Votre paragraphe",
        max_length=LONGUEUR,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Une cause, ou une réponse, par paragraphe. Sans nom de personne.",
        error_messages={"required": "Écrivez votre paragraphe."},
    )


class FormulairePiece(forms.Form):
    fichier = forms.FileField(
        label="Document",
        help_text="PDF, PNG ou JPEG, 10 Mo au plus.",
        error_messages={"required": "Choisissez un fichier.", "empty": "Ce fichier est vide."},
    )


class FormulaireParticipant(forms.Form):
    fonction = forms.CharField(
        label="Fonction",
        max_length=FONCTION,
        help_text="« Directrice de la gestion locative » : la fonction, sans le nom.",
        error_messages={"required": "Écrivez une fonction."},
    )


class FormulaireNumero(forms.Form):
    """What is removed: its number."""

    numero = forms.IntegerField(widget=forms.HiddenInput)


class FormulaireSignatureEcrit(forms.Form):
    empreinte = forms.CharField(widget=forms.HiddenInput, max_length=64)
    lu = forms.BooleanField(
        label="J’ai relu ces écrits et je les signe pour mon organisation.",
        error_messages={"required": "Cochez la case : signer engage votre organisation."},
    )


class FormulaireAttributionDuPrefet(forms.Form):
    reference = forms.CharField(
        label="Référence de la libération",
        max_length=60,
        help_text="Celle du logement que le préfet a attribué.",
        error_messages={"required": "Écrivez la référence."},
    )
