"""The form that opens an API token. The service decides."""

from django import forms

from reservation.acteur import Role
from reservation.models import Organisation
from reservation.regles.portees import ECRIRE, FAMILLES, LIRE, lecture_seule, toutes_les_portees
from reservation.services import bac_a_sable
from reservation.services.jetons import fin_maximale, personnes_possibles

from .champs import ChampDate, ChampObjet
from .conventions import Formulaire

ROLES = [
    (str(Role.LECTURE), "Lecture : lire ce que lit la personne"),
    (str(Role.GESTION), "Gestion : déclarer, orienter, attribuer, comme elle"),
]
PORTEES = [
    (f"{famille}:{verbe}", f"{libelle} : {'lire' if verbe == LIRE else 'écrire'}")
    for famille, (libelle, ecrite) in FAMILLES.items()
    for verbe in ((LIRE, ECRIRE) if ecrite else (LIRE,))
]


class FormulaireJeton(Formulaire):
    nom = forms.CharField(
        label="Logiciel",
        max_length=80,
        help_text="Pour le reconnaître dans le journal. Par exemple : gestion locative, serveur de production",
        error_messages={"required": "Nommez le logiciel."},
    )
    personne = ChampObjet(
        label="Agit au nom de",
        help_text="Le logiciel lit et écrit ce que cette personne peut lire et écrire. Elle seule verra le secret.",
        error_messages={"required": "Choisissez la personne."},
    )
    role = forms.ChoiceField(
        label="Rôle",
        choices=ROLES,
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez un rôle."},
    )
    portees = forms.MultipleChoiceField(
        label="Portées",
        choices=PORTEES,
        widget=forms.CheckboxSelectMultiple,
        help_text="Ce que le logiciel lit et écrit, dans la limite du rôle. Le moins possible ; écrire comprend lire.",
        error_messages={"required": "Choisissez au moins une portée."},
    )
    fin = ChampDate(label="Valable jusqu’au", help_text="Un an au plus.")
    bac_a_sable = forms.BooleanField(
        label="Bac à sable",
        required=False,
        help_text="Pour mettre un logiciel au point : il lit et écrit des données fictives, renouvelées chaque nuit, et rien d’autre.",
    )

    def __init__(self, *args, organisation: Organisation, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["personne"].proposer(personnes_possibles(organisation))
        self.initial.setdefault("role", str(Role.LECTURE))
        self.initial.setdefault("fin", fin_maximale())
        self.initial.setdefault("portees", lecture_seule(toutes_les_portees()))
        if bac_a_sable.organisation_de(organisation) is None:
            del self.fields["bac_a_sable"]
