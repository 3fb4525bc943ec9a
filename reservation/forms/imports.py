"""Form of an RPLS deposit: a file and the year of the directory. What the file is, its content says."""

from django import forms
from django.utils import timezone

from reservation.regles.typographie import typographier
from reservation.services.parc.imports import PREMIER_MILLESIME

TAILLE_MAX = 500 * 1024 * 1024  # the largest bailleur's file weighs 150 MB; a region's 250 MB, once unzipped
TAILLE_MAX_ARCHIVE = 100 * 1024 * 1024  # the same, zipped, weigh fifteen times less
_DEBUTS_D_ARCHIVE = (b"PK", b"\x1f\x8b")


class FormulaireImport(forms.Form):
    fichier = forms.FileField(
        label="Fichier RPLS",
        help_text=typographier(
            "Format attendu : CSV, ou CSV compressé en ZIP ou GZ. 500 Mo au plus, 100 Mo s’il est compressé."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.zip,.gz"}),
        error_messages={
            "required": "Choisissez le fichier à déposer.",
            "empty": "Ce fichier est vide : vérifiez l’export, puis choisissez-le de nouveau.",
            "max_length": "Le nom de ce fichier est trop long : raccourcissez-le.",
        },
        max_length=255,
    )
    millesime = forms.TypedChoiceField(
        label="Situation au 1er janvier de",
        help_text="L’année du répertoire, et non celle du dépôt : un fichier d’une autre année est refusé.",
        coerce=int,
        error_messages={"required": "Choisissez l’année."},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        annee = timezone.localdate().year
        self.fields["millesime"].choices = [
            (millesime, str(millesime)) for millesime in range(annee, PREMIER_MILLESIME - 1, -1)
        ]
        self.fields["millesime"].initial = annee

    def clean_fichier(self):
        fichier = self.cleaned_data["fichier"]
        if fichier.size > TAILLE_MAX:
            raise forms.ValidationError(
                typographier(
                    "Ce fichier dépasse 500 Mo : compressez-le (ZIP ou GZ), ou ne gardez que vos logements."
                )
            )
        # What it is, its first bytes say: not its name, nor the type that the browser declares.
        debut = fichier.read(2)
        fichier.seek(0)
        if debut in _DEBUTS_D_ARCHIVE and fichier.size > TAILLE_MAX_ARCHIVE:
            raise forms.ValidationError(
                typographier("Cette archive dépasse 100 Mo : n’y mettez que le fichier de vos logements.")
            )
        return fichier
