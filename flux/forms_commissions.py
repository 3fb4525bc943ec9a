"""Entry of commissions: when and where, the agenda, the candidatures, the grid of decisions."""

from datetime import datetime, time

from django import forms

from flux.models import CodeMotif, Commission, LigneOrdreDuJour, MotifRefus, Passage, StatutEmploi
from flux.regles.commission import Decision
from flux.services.commissions import Saisie
from reservation.acteur import Acteur
from reservation.forms.champs import ChampDate, ChampObjet
from reservation.models import Departement
from reservation.regles.typographie import typographier


class ChampHeure(forms.TimeField):
    """An hour from the browser's picker, or typed: 14:00, 14h, 9h05."""

    def __init__(self, **kwargs):
        kwargs.setdefault("widget", forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
        kwargs.setdefault("input_formats", ["%H:%M", "%Hh%M", "%Hh", "%H h %M", "%H h", "%H:%M:%S"])
        kwargs["error_messages"] = {
            "required": "Indiquez une heure.",
            "invalid": "Cette heure n’existe pas ; attendu : par exemple 14:00.",
        }
        super().__init__(**kwargs)


REUNION, FENETRE = "reunion", "fenetre"


class FormulaireCommission(forms.Form):
    """A meeting, or a dematerialised window."""

    departement = ChampObjet(label="Département")
    forme = forms.ChoiceField(
        label="Forme",
        choices=[(REUNION, "réunion"), (FENETRE, "dématérialisée, sur une fenêtre d’environ 24 heures")],
        widget=forms.RadioSelect,
        initial=REUNION,
    )
    date = ChampDate(label="Date")
    heure = ChampHeure(label="Heure")
    lieu = forms.CharField(
        label="Lieu", max_length=200, required=False, help_text="Pour une réunion : salle et adresse."
    )
    date_fin = ChampDate(
        label="Fin de la fenêtre, date", required=False, help_text="Pour une commission dématérialisée."
    )
    heure_fin = ChampHeure(
        label="Heure de fin", required=False, help_text="Demandée pour une commission dématérialisée."
    )

    def __init__(self, *args, acteur: Acteur, commission: Commission | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        if commission is not None:
            del self.fields["departement"]
            self.initial = {
                "forme": FENETRE if commission.dematerialisee else REUNION,
                **{
                    nom: getattr(commission, nom)
                    for nom in ("date", "heure", "lieu", "date_fin", "heure_fin")
                },
            }
            return
        departements = list(
            Departement.objects.filter(presences__bailleur=acteur.organisation_id).order_by("code")
        )
        self.fields["departement"].proposer(departements)
        if len(departements) == 1:
            self.fields["departement"].initial = departements[0].pk

    def clean(self) -> dict:
        donnees = super().clean()
        if donnees.get("forme") == FENETRE:
            for champ in ("date_fin", "heure_fin"):
                if not donnees.get(champ) and champ not in self.errors:
                    self.add_error(champ, "Demandé pour une commission dématérialisée.")
        elif not donnees.get("lieu"):
            self.add_error("lieu", "Indiquez où se tient la réunion.")
        fin = self._moment("date_fin", "heure_fin")
        if fin and fin <= self._moment("date", "heure"):
            self.add_error("heure_fin", "La fin suit le début de la commission.")
        return donnees

    def _moment(self, champ_date: str, champ_heure: str) -> datetime | None:
        donnees = self.cleaned_data
        jour = donnees.get(champ_date) or donnees.get("date")
        heure: time | None = donnees.get(champ_heure)
        if donnees.get("forme") == REUNION:
            jour = donnees.get("date")
        return datetime.combine(jour, heure) if jour and heure else None

    def faits(self) -> dict:
        """What the service takes."""
        noms = ("date", "heure", "lieu", "date_fin", "heure_fin")
        return {nom: self.cleaned_data[nom] for nom in noms} | {
            "dematerialisee": self.cleaned_data["forme"] == FENETRE
        }


class FormulaireCandidature(forms.Form):
    """One household presented for one dwelling: its number, and what it declares."""

    numero_unique = forms.CharField(
        label="Numéro unique",
        max_length=30,
        help_text="Dix-huit caractères. Seule son empreinte est gardée, avec ses quatre derniers caractères.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    date_proposition = ChampDate(label="Proposé le", required=False)
    statut_emploi = forms.ChoiceField(
        label="Situation d’emploi", choices=StatutEmploi.choices, initial=StatutEmploi.AUTRE, required=False
    )
    agent = forms.BooleanField(label="Agent de l’État", required=False)
    agent_valide_le = ChampDate(label="Agent validé le", required=False)
    agent_adapte = forms.BooleanField(label="Secteur et typologie conformes à sa demande", required=False)

    def clean_numero_unique(self) -> str:
        numero = "".join(self.cleaned_data["numero_unique"].split()).upper()
        if len(numero) != 18 or not numero.isascii() or not numero.isalnum():
            raise forms.ValidationError(
                f"Un numéro unique a dix-huit lettres ou chiffres ; celui-ci en a {len(numero)}."
            )
        return numero

    def clean_statut_emploi(self) -> str:
        return self.cleaned_data["statut_emploi"] or StatutEmploi.AUTRE

    def clean(self) -> dict:
        donnees = super().clean()
        if not donnees.get("agent"):
            for champ in ("agent_valide_le", "agent_adapte"):
                if donnees.get(champ):
                    self.add_error(champ, "Ne se remplit que pour un agent de l’État.")
        return donnees


class FormulaireInscription(forms.Form):
    """Which open commission will examine a dwelling."""

    commission = ChampObjet(
        label="Commission",
        error_messages={
            "required": typographier(
                "Choisissez une commission ; s’il n’y en a aucune, planifiez-la d’abord."
            )
        },
    )

    def __init__(self, *args, commissions, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["commission"].proposer(commissions)


class FormulaireMotif(forms.Form):
    """A sentence that the law, or the trace, asks for."""

    motif = forms.CharField(label="Motif", max_length=300)


class Nomenclatures:
    """What the grid proposes: read once for all its lines."""

    def __init__(self) -> None:
        self.motifs = list(
            MotifRefus.objects.filter(porteur=MotifRefus.Porteur.CALEOL, actif=True).order_by("rang", "pk")
        )
        codes = CodeMotif.objects.filter(
            acte__in=(CodeMotif.Acte.PIECE, CodeMotif.Acte.CANDIDATURES), actif=True
        ).order_by("rang", "pk")
        self.pieces = [code for code in codes if code.acte == CodeMotif.Acte.PIECE]
        self.candidatures = [code for code in codes if code.acte == CodeMotif.Acte.CANDIDATURES]


CHAMPS_DE_LIGNE = ("decision", "rang", "motif", "piece", "echeance")


class FormulaireLigne(forms.Form):
    """The decision on one candidature, complete or not; what is missing prevents closing, not saving."""

    decision = forms.ChoiceField(
        label="Décision",
        choices=[("", "à décider"), *Passage.Decision.choices],
        required=False,
        error_messages={"invalid_choice": "Cette décision n’existe pas."},
    )
    rang = forms.IntegerField(
        label="Rang",
        required=False,
        min_value=1,
        max_value=99,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": 2}),
        error_messages={
            "invalid": "Un rang est un nombre entier, à partir de 1.",
            "min_value": "Un rang est un nombre entier, à partir de 1.",
            "max_value": "Un rang est au plus 99.",
        },
    )
    motif = ChampObjet(label="Motif", required=False)
    piece = ChampObjet(label="Pièce attendue", required=False)
    echeance = ChampDate(label="Date limite de la pièce", required=False)
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)

    def __init__(
        self, donnees=None, *, passage: Passage, nom: str, ligne: int | None, nomenclatures: Nomenclatures
    ):
        super().__init__(
            donnees,
            prefix=f"p{passage.pk}",
            auto_id="%s",
            initial={
                "decision": passage.decision,
                "rang": passage.rang,
                "motif": passage.motif_id and str(passage.motif_id),
                "piece": passage.condition_piece_id and str(passage.condition_piece_id),
                "echeance": passage.condition_echeance,
                "revision": passage.revision,
            },
        )
        self.passage = passage
        motifs, pieces = nomenclatures.motifs, nomenclatures.pieces
        # A motive taken out of the list since stays on the line that bears it.
        if passage.motif is not None and passage.motif not in motifs:
            motifs = [*motifs, passage.motif]
        if passage.condition_piece is not None and passage.condition_piece not in pieces:
            pieces = [*pieces, passage.condition_piece]
        self.fields["motif"].proposer(motifs)
        self.fields["piece"].proposer(pieces)
        for champ in CHAMPS_DE_LIGNE:
            classe = "fr-select" if champ in ("decision", "motif", "piece") else "fr-input"
            self.fields[champ].widget.attrs |= {
                "class": f"{classe} compact {champ}",
                "aria-label": f"{self.fields[champ].label}, demande {nom}",
                "aria-describedby": f"controle-{passage.pk}",
                "data-champ": champ,
                "form": f"f-{ligne}",
            }

    @classmethod
    def presente(cls, donnees, passage: Passage) -> bool:
        """Whether what was sent speaks of this line."""
        return f"p{passage.pk}-decision" in donnees

    def saisie(self) -> Saisie:
        donnees = self.cleaned_data
        return Saisie(
            self.passage.pk,
            donnees["decision"] and Decision(donnees["decision"]),
            donnees["rang"],
            donnees["motif"],
            donnees["piece"],
            donnees["echeance"],
            donnees["revision"],
        )


class FormulaireMotifCandidatures(forms.Form):
    """Why a dwelling has fewer than three candidatures."""

    motif = ChampObjet(label="Moins de trois candidatures, motif", required=False)

    def __init__(self, donnees=None, *, ligne: LigneOrdreDuJour, nomenclatures: Nomenclatures):
        super().__init__(
            donnees,
            prefix=f"l{ligne.pk}",
            auto_id="%s",
            initial={"motif": ligne.motif_candidatures_id and str(ligne.motif_candidatures_id)},
        )
        codes = nomenclatures.candidatures
        if ligne.motif_candidatures is not None and ligne.motif_candidatures not in codes:
            codes = [*codes, ligne.motif_candidatures]
        self.fields["motif"].proposer(codes)
        self.fields["motif"].widget.attrs |= {"class": "fr-select compact", "form": f"f-{ligne.pk}"}
