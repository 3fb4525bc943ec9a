"""Forms of the letters: what an agent types, what becomes of a letter, and its template."""

from django import forms

from bilans.regles.courriers import LONGUEUR, LONGUEUR_OBJET, Modele
from bilans.regles.lettres import ENTETES, LONGUES, est_obligatoire, libelle_de, saisies_de
from bilans.regles.procedures_delais import Mode, Suite, Suivi
from bilans.services.lettres import Preuve

TEXTE = 5_000
LIGNE = 300


class FormulaireLettre(forms.Form):
    """The fields that this letter asks for. What is missing is said by the preview: a draft may be kept unfinished."""

    def __init__(self, *args, modele: Modele, **kwargs):
        super().__init__(*args, **kwargs)
        for nom in saisies_de(modele):
            longue = nom in LONGUES
            self.fields[nom] = forms.CharField(
                label=libelle_de(nom),
                required=False,
                max_length=TEXTE if longue else LIGNE,
                widget=forms.Textarea(attrs={"rows": 4}) if longue else forms.TextInput(),
            )
            self.fields[nom].indispensable = est_obligatoire(modele.lettre, nom)
        for entete in ENTETES:
            self.fields[entete.champ] = forms.CharField(
                label=entete.libelle,
                help_text=entete.aide,
                required=False,
                max_length=TEXTE if entete.longue else LIGNE,
                widget=forms.Textarea(attrs={"rows": 3}) if entete.longue else forms.TextInput(),
            )
        self.fields["mode"] = forms.ChoiceField(
            label="Mode d’envoi", choices=[(m.value, m.libelle.capitalize()) for m in Mode]
        )

    def saisies(self) -> dict[str, str]:
        """What `bilans.services.lettres.enregistrer` takes."""
        return {nom: str(v) for nom, v in self.cleaned_data.items() if nom != "mode" and v not in (None, "")}


class FormulaireSignatureLettre(forms.Form):
    marque = forms.CharField(widget=forms.HiddenInput, max_length=64)
    lu = forms.BooleanField(
        label="J’ai lu cette lettre et ses chiffres, et je la signe par délégation du préfet.",
        error_messages={"required": "Cochez la case : signer engage l’État."},
    )


class FormulaireSuite(forms.Form):
    """What happened to a signed letter; only what may follow is offered."""

    suite = forms.ChoiceField(label="Ce qui s’est passé")
    jour = forms.DateField(
        label="Date",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={
            "required": "Écrivez la date : elle peut ouvrir un délai.",
            "invalid": "Cette date n’existe pas : écrivez-la comme 09/04/2026.",
        },
    )
    numero = forms.CharField(
        label="Numéro d’envoi", required=False, max_length=60, help_text="Celui de la lettre recommandée."
    )
    observation = forms.CharField(label="Observation", required=False, max_length=LIGNE)
    preuve = forms.FileField(
        label="Preuve",
        required=False,
        help_text="Avis de réception, décharge, preuve électronique : PDF, PNG ou JPEG, 5 Mo au plus.",
    )

    def __init__(self, *args, suivi: Suivi, **kwargs):
        super().__init__(*args, **kwargs)
        ordre = (
            sorted(suivi.possibles, key=list(type(next(iter(suivi.possibles)))).index)
            if suivi.possibles
            else []
        )
        self.fields["suite"].choices = [(s.value, s.libelle.capitalize()) for s in ordre]
        preuve = self.fields["preuve"]
        # Asked for by one of the choices only: neither required nor "facultatif".
        preuve.selon_la_suite = suivi.mode == Mode.REMISE and Suite.RECEPTION in suivi.possibles
        if preuve.selon_la_suite:
            preuve.label = "Décharge signée"
            preuve.help_text = "Exigée si la lettre est reçue. PDF, PNG ou JPEG, 5 Mo au plus."
        if suivi.pas or suivi.mode == Mode.REMISE:
            del self.fields["numero"]
        else:
            numero = self.fields["numero"]
            numero.required = numero.widget.is_required = True
            numero.error_messages["required"] = f"Écrivez le numéro de la {suivi.mode.libelle}."

    def preuve_lue(self) -> Preuve | None:
        """The file as the service takes it."""
        fichier = self.cleaned_data.get("preuve")
        return Preuve(fichier.name, fichier.read()) if fichier else None


class FormulaireCorrection(forms.Form):
    """A step that was written wrong: what it should say, or that it never happened; and why."""

    RETIRER = "RETIRER"

    suite = forms.ChoiceField(label="Ce qui s’est passé")
    jour = forms.DateField(
        label="Date",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": "Cette date n’existe pas : écrivez-la comme 09/04/2026."},
    )
    numero = forms.CharField(label="Numéro d’envoi", required=False, max_length=60)
    raison = forms.CharField(
        label="Ce qui était faux, et ce qui le montre",
        max_length=200,
        help_text="Lu par le destinataire, et gardé au dossier.",
        error_messages={"required": "Écrivez ce qui était faux, et ce qui le montre."},
    )
    preuve = forms.FileField(
        label="Preuve",
        required=False,
        help_text="PDF, PNG ou JPEG, 5 Mo au plus. Sans fichier, celle de l’étape reste.",
    )

    def __init__(self, *args, etape, **kwargs):
        kwargs.setdefault("initial", {"suite": etape.suite, "jour": etape.jour, "numero": etape.numero})
        kwargs.setdefault("auto_id", f"id_corriger{etape.pk}_%s")
        super().__init__(*args, **kwargs)
        envoi = etape.suite == Suite.ENVOI
        suites = [Suite.ENVOI] if envoi else [s for s in Suite if s != Suite.ENVOI]
        self.fields["suite"].choices = [
            *((s.value, s.libelle.capitalize()) for s in suites),
            (self.RETIRER, "Rien : cette étape est inscrite par erreur"),
        ]
        if not envoi:
            del self.fields["numero"]

    def suite_lue(self) -> Suite | None:
        """None: the step never happened."""
        lue = self.cleaned_data["suite"]
        return None if lue == self.RETIRER else Suite(lue)

    def preuve_lue(self) -> Preuve | None:
        fichier = self.cleaned_data.get("preuve")
        return Preuve(fichier.name, fichier.read()) if fichier else None


class FormulaireGabarit(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    objet = forms.CharField(
        label="Objet", max_length=LONGUEUR_OBJET, error_messages={"required": "Écrivez l’objet de la lettre."}
    )
    corps = forms.CharField(
        label="Texte",
        max_length=LONGUEUR,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "true"}),
        error_messages={"required": "Écrivez le texte de la lettre."},
    )
    mentions = forms.CharField(
        label="Mentions",
        max_length=LONGUEUR,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="Voies de recours. Ce que la loi demande reste ; vous pouvez ajouter des paragraphes.",
        error_messages={"required": "Les mentions légales ne s’enlèvent pas."},
    )
    raison = forms.CharField(
        label="Ce que cette version change",
        max_length=LIGNE,
        error_messages={"required": "Écrivez ce que cette version change, et pourquoi."},
    )

    def texte(self, champ: str) -> str:
        """With the line ends of a template."""
        return self.cleaned_data[champ].replace("\r\n", "\n").strip()
