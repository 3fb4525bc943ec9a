"""Entry of libérations and of what follows them. Errors say what, where, and what was expected."""

from django import forms
from django.db.models import Max, Q

from flux.models import Attribution, Usage
from reservation.acteur import Acteur
from reservation.forms.champs import ChampDate
from reservation.models import Commune, EtatParc, Logement

OUI_NON = [("1", "oui"), ("2", "non")]
FINANCEMENTS_NEUFS = [
    ("10", "10 – PLA d’intégration (PLAI)"),
    ("13", "13 – PLUS"),
    ("14", "14 – PLS"),
    ("16", "16 – PLI"),
    ("17", "17 – PCL"),
    ("49", "49 – autre"),
]


PROPOSITIONS = 12
CARACTERES_MIN = 2  # before anything is looked for


class FormulaireLiberation(forms.Form):
    """One freed dwelling. Its facts come from the parc by the landlord's own reference.

    A dwelling that RPLS does not know yet (first letting of a new programme) is described by hand.
    """

    reference = forms.CharField(
        label="Logement",
        max_length=120,
        help_text="Votre référence, son identifiant RPLS, ou son adresse.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    date = ChampDate(label="Libéré le")
    date_preavis = ChampDate(label="Préavis reçu le", required=False)
    date_disponibilite = ChampDate(label="Disponible à la location le", required=False)
    usage = forms.ChoiceField(
        label="Usage",
        choices=Usage.choices,
        help_text="Le flux, ou l’une des soustractions de l’article R. 441-5.",
    )
    preuve = forms.CharField(
        label="Référence du justificatif",
        max_length=120,
        required=False,
        help_text="Pour une soustraction : numéro de l’opération, de l’arrêté, du dossier de mutation.",
    )
    premiere = forms.BooleanField(label="Première mise en location", required=False)
    commune = forms.CharField(label="Code INSEE de la commune", max_length=5, required=False)
    adresse = forms.CharField(label="Adresse", max_length=400, required=False)
    qpv = forms.ChoiceField(label="En QPV", choices=[("", "Choisir"), *OUI_NON], required=False)
    finan = forms.ChoiceField(
        label="Financement initial", choices=[("", "Choisir"), *FINANCEMENTS_NEUFS], required=False
    )
    conv = forms.ChoiceField(label="Conventionné APL", choices=[("", "Choisir"), *OUI_NON], required=False)
    nbpiece = forms.IntegerField(label="Nombre de pièces", min_value=1, max_value=9, required=False)
    construct = forms.IntegerField(
        label="Année de construction", min_value=1700, max_value=2100, required=False
    )

    CHAMPS_NEUF = ("commune", "adresse", "qpv", "finan", "conv", "nbpiece", "construct")

    def __init__(self, *args, acteur: Acteur, **kwargs):
        super().__init__(*args, **kwargs)
        self.acteur = acteur
        self.logement: Logement | None = None
        # Those that answer, when several do, or when what was typed is only a part of an address.
        self.propositions: list[Logement] = []

    def clean_reference(self) -> str:
        return self.cleaned_data["reference"].strip()

    def clean(self) -> dict:
        donnees = super().clean()
        reference = donnees.get("reference")
        if reference:
            trouves = list(logements_de_reference(self.acteur, reference)[:PROPOSITIONS])
            if len(trouves) == 1:
                self.logement = trouves[0]
            elif trouves:
                self.propositions = trouves
                self.add_error(
                    "reference",
                    f"Plusieurs logements portent la référence « {reference} » : choisissez le vôtre.",
                )
            elif not donnees.get("premiere") and self._chercher(reference):
                self.add_error(
                    "reference", f"« {reference} » n’est la référence d’aucun logement : choisissez le vôtre."
                )
            elif not donnees.get("premiere"):
                self.add_error(
                    "reference",
                    f"La référence « {reference} » n’est pas dans votre parc. Pour un logement neuf que le RPLS "
                    "ne connaît pas encore, cochez « Première mise en location » et décrivez-le.",
                )
            else:
                self._exiger_description(donnees)
        if donnees.get("usage") and donnees["usage"] != Usage.FLUX and not donnees.get("preuve"):
            self.add_error("preuve", "Une soustraction demande la référence de son justificatif.")
        preavis, libere = donnees.get("date_preavis"), donnees.get("date")
        if preavis and libere and preavis > libere:
            self.add_error(
                "date_preavis", "Le préavis est postérieur à la libération ; attendu : avant elle."
            )
        return donnees

    def _chercher(self, texte: str) -> bool:
        """Whether dwellings of the parc answer to a part of a reference or of an address."""
        if len(texte) >= CARACTERES_MIN:
            self.propositions = chercher_logements(self.acteur, texte)
        return bool(self.propositions)

    def _exiger_description(self, donnees: dict) -> None:
        for champ in ("commune", "qpv", "finan", "conv", "nbpiece", "construct"):
            if not donnees.get(champ) and champ not in self.errors:
                self.add_error(champ, "Demandé pour un logement que le RPLS ne connaît pas encore.")
        code = donnees.get("commune")
        if code and not Commune.objects.filter(pk=code).exists():
            self.add_error(
                "commune", f"« {code} » n’est pas un code de commune ; attendu : cinq caractères, 06029."
            )


def logements_de_reference(acteur: Acteur, texte: str):
    """Dwellings of the actor's last millésime whose own reference, RPLS id or key is exactly `texte`."""
    return logements_du_dernier_millesime(acteur).filter(
        Q(ident_int=texte) | Q(ident_rep=texte) | Q(cle=texte)
    )


def logements_du_dernier_millesime(acteur: Acteur):
    dernier = EtatParc.objects.visibles_par(acteur).aggregate(dernier=Max("millesime"))["dernier"]
    return Logement.objects.visibles_par(acteur).filter(millesime=dernier).order_by("ident_int", "cle")


def chercher_logements(acteur: Acteur, texte: str, limite: int = PROPOSITIONS) -> list[Logement]:
    """Dwellings of the actor's last millésime that answer to a part of a reference, else of an address.

    Those whose own reference or RPLS id begins with `texte` come first; addresses are read only where there is room left,
    for no index helps to find words inside them.
    """
    parc = logements_du_dernier_millesime(acteur).select_related("commune")
    debut = Q(ident_int__istartswith=texte) | Q(ident_rep__istartswith=texte) | Q(cle__istartswith=texte)
    trouves = list(parc.filter(debut)[:limite])
    if len(trouves) < limite:
        adresses = parc.exclude(pk__in=[logement.pk for logement in trouves])
        for mot in texte.split():
            adresses = adresses.filter(adresse__unaccent__icontains=mot)
        trouves += adresses[: limite - len(trouves)]
    return trouves


class FormulaireAttribution(forms.Form):
    """The CALEOL decision. The household is known by its numéro unique only, kept hashed."""

    numero_unique = forms.CharField(
        label="Numéro unique de la demande",
        max_length=24,
        help_text="Dix-huit caractères. Seuls une empreinte et les quatre derniers sont gardés.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    date_proposition = ChampDate(label="Proposé le", required=False)
    date_caleol = ChampDate(label="Attribué en CALEOL le")
    statut_emploi = forms.ChoiceField(label="Situation d’emploi", choices=Attribution.StatutEmploi.choices)
    motif_hors_prioritaire = forms.ChoiceField(
        label="Ménage non prioritaire sur le contingent de l’État : motif consigné",
        choices=[("", "sans objet"), *Attribution.MotifHorsPrioritaire.choices],
        required=False,
    )
    agent = forms.BooleanField(label="Agent de l’État", required=False)
    agent_valide_le = ChampDate(
        label="Agent validé par le préfet le",
        required=False,
        help_text="À titre d’indication : l’attribution compte quand la DDETS ou la préfecture l’a enregistré.",
    )
    agent_adapte = forms.BooleanField(label="Secteur et typologie conformes à sa demande", required=False)

    def clean_numero_unique(self) -> str:
        numero = "".join(self.cleaned_data["numero_unique"].split()).upper()
        if len(numero) != 18 or not numero.isascii() or not numero.isalnum():
            raise forms.ValidationError(
                f"Un numéro unique a dix-huit lettres ou chiffres ; celui-ci en a {len(numero)}."
            )
        return numero

    def clean(self) -> dict:
        donnees = super().clean()
        if not donnees.get("agent"):
            for champ in ("agent_valide_le", "agent_adapte"):
                if donnees.get(champ):
                    self.add_error(champ, "Ne se remplit que pour un agent de l’État.")
        return donnees


def faits_de_liberation(formulaire: FormulaireLiberation) -> dict:
    """What a valid form says, as the service takes it: dates, use, and the dwelling or its description."""
    donnees = formulaire.cleaned_data
    faits = {
        nom: donnees[nom]
        for nom in ("date", "date_preavis", "date_disponibilite", "usage", "preuve", "premiere", "reference")
    }
    if formulaire.logement is None:
        faits |= {nom: donnees[nom] for nom in FormulaireLiberation.CHAMPS_NEUF} | {
            "qpv": donnees["qpv"] == "1"
        }
    return faits
