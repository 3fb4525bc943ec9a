"""Forms of the life of an act. They read and explain; the services decide, and their errors come back here."""

from collections.abc import Iterable, Sequence

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from reservation.acteur import Acteur
from reservation.models import (
    Commune,
    Convention,
    Departement,
    NatureSoustraction,
    Organisation,
    VersionConvention,
)
from reservation.regles.statut import DRAPEAUX_LOCAUX, LIBELLES_DRAPEAU
from reservation.regles.typographie import typographier
from reservation.services.conventions import communes_possibles, reservataires_possibles
from reservation.services.lecture_conventions import nom_reservataire
from reservation.services.modeles_convention import champs_de, modeles

from .champs import ChampChoixBool, ChampDate, ChampObjet, ChampTaux

VersionC = VersionConvention


class Formulaire(forms.Form):
    """A form in French typography, that takes back the errors of a service: beside the field when it has it, else
    on top."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for champ in self.fields.values():
            champ.label = typographier(champ.label)
            champ.help_text = typographier(champ.help_text)
            champ.error_messages = {
                code: typographier(str(message)) for code, message in champ.error_messages.items()
            }

    def reporter(self, erreur: ValidationError) -> None:
        par_champ = (
            erreur.message_dict if hasattr(erreur, "error_dict") else {NON_FIELD_ERRORS: erreur.messages}
        )
        for champ, messages in par_champ.items():
            for message in messages:
                self.add_error(champ if champ in self.fields else None, message)


class FormulaireParties(Formulaire):
    """First step: who, where, from which model, when."""

    bailleur = ChampObjet(label="Bailleur", error_messages={"required": "Choisissez le bailleur."})
    reservataire = ChampObjet(
        label="Réservataire", error_messages={"required": "Choisissez le réservataire."}
    )
    nature = forms.ChoiceField(label="Nature de l’acte", choices=Convention.Nature, widget=forms.RadioSelect)
    modele = forms.ChoiceField(
        label="Modèle de départ",
        choices=lambda: [(code, typographier(f"{m.libelle} : {m.source}")) for code, m in modeles().items()],
        widget=forms.RadioSelect,
        help_text="Le modèle remplit chaque paramètre avec l’article dont il vient ; tout reste modifiable.",
    )
    numero = forms.CharField(
        label="Numéro ou référence de l’acte",
        max_length=60,
        error_messages={"required": "Indiquez un numéro : c’est par lui que l’acte est cité."},
    )
    debut = ChampDate(label="Première date d’effet")
    fin = ChampDate(label="Dernier jour d’effet", help_text="Trois ans, d’usage.")

    def __init__(self, *args, acteur: Acteur, departement: Departement, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reservataire"].proposer(reservataires_possibles(acteur, departement), nom_reservataire)
        self.bailleur: Organisation | None = None
        if acteur.est_bailleur:
            self.bailleur = Organisation.objects.get(pk=acteur.organisation_id)
            del self.fields["bailleur"], self.fields["nature"]
        else:
            bailleurs = Organisation.objects.bailleurs().filter(presences__departement=departement)
            self.fields["bailleur"].proposer(bailleurs.order_by("nom_tri", "pk"))

    def clean(self) -> dict:
        donnees = super().clean()
        _verifier_periode(self, donnees)
        if self.bailleur:
            donnees["bailleur"] = self.bailleur
        return donnees


class FormulairePeriode(Formulaire):
    """The identity of a draft: its parties are fixed, its number and its period are not."""

    numero = FormulaireParties.base_fields["numero"]
    debut = FormulaireParties.base_fields["debut"]
    fin = FormulaireParties.base_fields["fin"]

    def clean(self) -> dict:
        donnees = super().clean()
        _verifier_periode(self, donnees)
        return donnees


def _verifier_periode(formulaire: forms.Form, donnees: dict) -> None:
    debut, fin = donnees.get("debut"), donnees.get("fin")
    if debut and fin and fin < debut:
        formulaire.add_error("fin", "La fin précède le début ; attendu : une date égale ou postérieure.")


class FormulaireVersion(Formulaire):
    """Parameters of a version that a step asks for; those that the act does not fix are taken away.

    Each field says from which article of the model its first value comes, and why it is so where it is silent.
    `GROUPES`: titles and fields, in the order of the page.
    """

    GROUPES: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __init__(self, *args, convention: Convention, version: VersionConvention, **kwargs):
        self.convention = convention
        initial = {champ: getattr(version, champ) for champ in self.base_fields if hasattr(version, champ)}
        if "communes" in self.base_fields:
            initial["communes"] = list(version.communes.all())
        super().__init__(*args, initial=initial | kwargs.pop("initial", {}), **kwargs)
        fixes = {*champs_de(convention.reservataire.type), "effet", "objet"}
        possibles = communes_possibles(convention)
        if "communes" in self.fields and possibles.exists():
            fixes.add("communes")
            self.fields["communes"].queryset = possibles
        for champ in set(self.fields) - fixes:
            del self.fields[champ]
        parametres = modeles()[convention.modele].parametres(convention.reservataire.type)
        for nom, champ in self.fields.items():
            if parametre := parametres.get(nom):
                origine = f"{parametre.article}." if parametre.article else ""
                aides = [champ.help_text, origine, parametre.note, parametre.aide]
                champ.help_text = typographier(" ".join(str(aide) for aide in aides if aide))

    def groupes(self) -> Iterable[tuple[str, Sequence[forms.BoundField]]]:
        """(title, fields) of the groups that this act has."""
        for titre, champs in self.GROUPES:
            if presents := [self[champ] for champ in champs if champ in self.fields]:
                yield titre, presents

    @property
    def champs_version(self) -> dict:
        """What to hand to the service."""
        return dict(self.cleaned_data)


class ChampsTaux(FormulaireVersion):
    """Rates and territory (articles 3 and 4 of the models)."""

    GROUPES = (
        ("Taux", ("taux", "taux_agents")),
        ("Territoire", ("communes",)),
        (
            "Rétrocession à Action Logement Services (PNRU)",
            ("retrocession_taux", "retrocession_debut", "retrocession_fin", "retrocession_prise_sur"),
        ),
        ("Répartition sur le territoire", ("plancher_hors_qpv", "echelle")),
    )

    taux = ChampTaux(label="Taux, en points du flux annuel")
    taux_agents = ChampTaux(
        label="Dont agents civils et militaires de l’État, au plus",
        max_digits=8,
        help_text="En points du flux, non des points de l’État.",
    )
    communes = forms.ModelMultipleChoiceField(
        Commune.objects.none(),
        label="Communes du territoire",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Les droits de la collectivité ne portent que sur ces communes.",
    )
    retrocession_taux = ChampTaux(
        label="Points rétrocédés",
        required=False,
        max_digits=8,
        help_text="Laissez vide s’il n’y a pas de rétrocession.",
    )
    retrocession_debut = ChampDate(label="À partir du", required=False)
    retrocession_fin = ChampDate(label="Jusqu’au (inclus)", required=False)
    retrocession_prise_sur = forms.ChoiceField(
        label="Prise sur", choices=VersionC.PriseSur, widget=forms.RadioSelect
    )
    plancher_hors_qpv = ChampTaux(
        label="Plancher de la part de l’État hors QPV, en points",
        required=False,
        max_digits=8,
        help_text="Laissez vide si la convention l’écarte.",
    )
    echelle = forms.ChoiceField(
        label="La part de l’État s’apprécie pour", choices=VersionC.Echelle, widget=forms.RadioSelect
    )


class ChampsParc(FormulaireVersion):
    """What is out of the assiette, what is deducted from the flux (articles 1 and 6)."""

    GROUPES = (
        (
            "Parc soumis à la gestion en flux",
            ("exclut_pli", "exclut_residences_services", "exclut_vente_demolition", "exclusions_locales"),
        ),
        ("Flux annuel", ("soustractions", "premieres_mises_en_location", "taux_rotation")),
    )

    exclut_pli = ChampChoixBool(
        label="Logements financés en PLI", oui="exclus de la gestion en flux", non="compris"
    )
    exclut_residences_services = ChampChoixBool(
        label="Résidences-services", oui="exclues de la gestion en flux", non="comprises"
    )
    exclut_vente_demolition = ChampChoixBool(
        label="Logements d’un plan de vente ou à démolir", oui="exclus de la gestion en flux", non="compris"
    )
    exclusions_locales = forms.MultipleChoiceField(
        label="Exclusions convenues avec le préfet",
        choices=[(str(c), LIBELLES_DRAPEAU[c]) for c in LIBELLES_DRAPEAU if c in DRAPEAUX_LOCAUX],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    soustractions = forms.MultipleChoiceField(
        label="Libérations déduites du flux",
        choices=NatureSoustraction,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    premieres_mises_en_location = ChampChoixBool(
        label="Premières mises en location", oui="comptées dans le flux", non="hors du flux"
    )
    taux_rotation = ChampTaux(
        label="Taux de rotation convenu pour le flux prévisionnel, en %",
        required=False,
        help_text="Laissez vide pour le taux observé, ou à défaut celui du RPLS.",
    )


class ChampsGestion(FormulaireVersion):
    """How a dwelling is let under the act, and what its objectives rest on (articles 5, 7 and 8)."""

    GROUPES = (
        (
            "Gestion de la réservation",
            ("gestion", "delai_proposition", "sans_proposition", "reprise_pour_un_tour", "echec_consomme"),
        ),
        ("Objectifs et bilan", ("fait_generateur", "clause_quart", "clause_objectifs")),
    )

    gestion = forms.ChoiceField(label="Gestion", choices=VersionC.Gestion, widget=forms.RadioSelect)
    delai_proposition = forms.IntegerField(
        label="Délai pour proposer des candidats, en jours",
        required=False,
        min_value=1,
        max_value=365,
        help_text="Laissez vide si l’acte n’en fixe pas.",
        error_messages={
            "invalid": "Attendu : un nombre entier de jours.",
            "min_value": "Attendu : entre 1 et 365 jours.",
            "max_value": "Attendu : entre 1 et 365 jours.",
        },
        widget=forms.NumberInput(attrs={"size": 4}),
    )
    sans_proposition = forms.ChoiceField(
        label="Sans proposition dans le délai", choices=VersionC.SansProposition, widget=forms.RadioSelect
    )
    reprise_pour_un_tour = ChampChoixBool(
        label="Reprise d’un logement par le bailleur, pour un tour", oui="possible", non="non prévue"
    )
    echec_consomme = ChampChoixBool(
        label="Quand la désignation échoue", oui="le droit est épuisé", non="le droit n’est pas épuisé"
    )
    fait_generateur = forms.ChoiceField(
        label="Ce qui remplit l’objectif", choices=VersionC.FaitGenerateur, widget=forms.RadioSelect
    )
    clause_quart = forms.CharField(
        label="Clause des 25 % : article ou annexe qui la porte", max_length=200, required=False
    )
    clause_objectifs = forms.CharField(
        label="Clause sur les objectifs non atteints : article qui la porte",
        max_length=200,
        required=False,
        help_text="Sans clause, ni report ni attribution directe ne sont possibles.",
    )


class FormulaireAvenant(ChampsTaux, ChampsParc, ChampsGestion):
    """Everything an avenant may change, from the version in force."""

    effet = ChampDate(label="En vigueur à partir du")
    objet = forms.CharField(
        label="Objet de l’avenant",
        max_length=300,
        error_messages={"required": "Dites en une phrase ce que l’avenant change."},
    )
    GROUPES = (
        ("L’avenant", ("effet", "objet")),
        *ChampsTaux.GROUPES,
        *ChampsParc.GROUPES,
        *ChampsGestion.GROUPES,
    )


class FormulaireSignature(Formulaire):
    """The signature of a convention or of an avenant; the date is that of the last signature."""

    signee_le = ChampDate(label="Signé le", help_text="Date de la dernière signature.")
    signataires = forms.CharField(
        label="Signataires",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Fonction et organisme, un par ligne, sans nom de personne. "
        "Exemple : Le préfet des Alpes-Maritimes.",
        error_messages={"required": "Indiquez qui a signé, une fonction et un organisme par ligne."},
    )
    confirmer = forms.BooleanField(
        label="Je confirme que ces points sont voulus",
        required=False,
        help_text="Votre nom et la date sont gardés avec cette confirmation.",
    )

    def __init__(self, *args, convention: Convention, avenant: bool, avertissements: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if avenant:
            del self.fields["signataires"]
        elif convention.nature == Convention.Nature.ARRETE:
            self.fields["signataires"].required = False
        if not avertissements:
            del self.fields["confirmer"]


class FormulaireDerogation(Formulaire):
    """An arrêté that raises the État's rate for a year at most (R. 441-5-2)."""

    numero = forms.CharField(
        label="Numéro de l’arrêté",
        max_length=60,
        error_messages={"required": "Indiquez le numéro de l’arrêté."},
    )
    taux = ChampTaux(label="Taux de l’État pendant la dérogation, en points du flux")
    debut = ChampDate(label="À partir du")
    fin = ChampDate(label="Jusqu’au (inclus)", help_text="Un an au plus.")
    motif = forms.CharField(
        label="Motif",
        max_length=300,
        help_text="Logement de personnels de sécurité publique, ou besoins d’ordre économique.",
        error_messages={"required": "Écrivez le motif de l’arrêté."},
    )


class FormulaireMotif(Formulaire):
    motif = forms.CharField(
        label="Motif",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Écrivez pourquoi : le motif reste dans l’histoire de l’acte."},
    )


class FormulaireResiliation(Formulaire):
    """The end of an act before its term (R. 441-5-2 IV)."""

    resiliee_le = ChampDate(label="Résiliation décidée le")
    effet = ChampDate(
        label="Premier jour sans l’acte", help_text="L’acte s’applique encore la veille, en entier."
    )
    motif = forms.CharField(
        label="Motif",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Écrivez le motif de la résiliation."},
    )
