"""Fields of what a program sends, stricter than a form: a type is a type, an unknown field is a mistake to be told.

In a query string everything is text: the same fields then read "true", "2026" or "2026-04-14".
"""

import re
from collections.abc import Callable
from datetime import date

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from reservation.regles.typographie import typographier

from .problemes import Erreur, Probleme, montrer

PREMIER_JOUR, DERNIER_JOUR = date(1990, 1, 1), date(2100, 12, 31)
IDENTIFIANT_MAX = 2**63 - 1


def en_requete(champ: serializers.Field) -> bool:
    return bool(champ.context.get("requete"))


class ChampTexte(serializers.CharField):
    """A text, and nothing that could pass for one."""

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)

    @property
    def attendu(self) -> str:
        debut = "un texte" if self.allow_blank else "un texte non vide"
        return f"{debut} de {self.max_length} caractères au plus"


class ChampEntier(serializers.IntegerField):
    def to_internal_value(self, data):
        if en_requete(self) and isinstance(data, str) and re.fullmatch(r"[0-9]{1,18}", data):
            data = int(data)
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data

    @property
    def attendu(self) -> str:
        return f"un nombre entier de {self.min_value} à {self.max_value}"


class ChampIdentifiant(ChampEntier):
    """Key of an object of the API."""

    def __init__(self, **kwargs):
        super().__init__(min_value=1, max_value=IDENTIFIANT_MAX, **kwargs)

    @property
    def attendu(self) -> str:
        return "l’identifiant d’un objet, nombre entier positif"


class ChampBooleen(serializers.BooleanField):
    attendu = "true ou false"

    def to_internal_value(self, data):
        if en_requete(self) and data in ("true", "false"):
            return data == "true"
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class ChampJour(serializers.DateField):
    attendu = f"une date AAAA-MM-JJ, du {PREMIER_JOUR} au {DERNIER_JOUR}"

    def to_internal_value(self, value):
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
            self.fail("invalid", format="AAAA-MM-JJ")
        jour = super().to_internal_value(value)
        if not PREMIER_JOUR <= jour <= DERNIER_JOUR:
            self.fail("invalid", format="AAAA-MM-JJ")
        return jour


class ChampHeure(serializers.TimeField):
    attendu = "une heure HH:MM"

    def to_internal_value(self, value):
        if not isinstance(value, str) or not re.fullmatch(r"\d{2}:\d{2}", value, re.ASCII):
            self.fail("invalid", format="HH:MM")
        return super().to_internal_value(value)


class ChampListe(serializers.ListField):
    """Several values of one kind. `attendu`: what is expected, in words."""

    def __init__(self, *, attendu: str, **kwargs):
        self.attendu = attendu
        super().__init__(**kwargs)

    def to_internal_value(self, data):
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError:
            # One sentence for the list: which of its values is wrong is seen in what was received.
            raise serializers.ValidationError(
                typographier(f"« {self.field_name} » : attendu : {self.attendu}."), code="regle"
            ) from None


class ChampCode(serializers.ChoiceField):
    """One of the codes of a nomenclature."""

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)

    @property
    def attendu(self) -> str:
        return "un code parmi : " + ", ".join(str(code) for code in self.choices)


class Entree(serializers.Serializer):
    """What a POST sends. `secrets`: fields whose value is never shown back."""

    secrets: frozenset[str] = frozenset()


class Requete(Entree):
    """What a query string asks for."""


def refuser(champ: str, message: str, *autres: tuple[str, str]) -> None:
    """Raise, from `validate`, a sentence beside each field."""
    raise serializers.ValidationError(
        {
            nom: [ErrorDetail(typographier(phrase), code="regle")]
            for nom, phrase in ((champ, message), *autres)
        }
    )


def lire(classe: Callable[..., Entree], donnees: object, **contexte) -> dict:
    """The values of a body or of a query string, or a problem that names every field at fault."""
    if not isinstance(donnees, dict):
        raise Probleme("json-illisible", "Le corps doit être un objet JSON : { … }.")
    entree = classe(data=donnees, context=contexte)
    valide = entree.is_valid()
    erreurs = [_inconnu(entree, nom) for nom in donnees if nom not in entree.fields]
    if not valide:
        for champ, details in entree.errors.items():
            erreurs += [_erreur(entree, champ, detail) for detail in details]
    if erreurs:
        raise Probleme("champs-refuses", " ".join(e.message for e in erreurs[:3]), erreurs)
    return dict(entree.validated_data)


def _inconnu(entree: Entree, nom: str) -> Erreur:
    """The value of an unknown field is not shown: nobody knows what it is."""
    connus = ", ".join(entree.fields)
    propre = nom.encode("utf-8", "backslashreplace").decode()[:60]
    return Erreur(
        propre,
        "champ inconnu",
        f"l’un de : {connus}" if connus else "aucun champ",
        typographier(f"Le champ « {propre} » n’existe pas."),
    )


def _erreur(entree: Entree, nom: str, detail: ErrorDetail) -> Erreur:
    champ = entree.fields[nom]
    recu = _recu(entree, nom)
    if recu is None:
        return Erreur(
            nom, None, champ.attendu, typographier(f"« {nom} » manque ; attendu : {champ.attendu}.")
        )
    message = (
        str(detail)
        if detail.code == "regle"
        else typographier(f"« {nom} » : reçu {recu} ; attendu : {champ.attendu}.")
    )
    return Erreur(nom, recu, champ.attendu, message)


def _recu(entree: Entree, nom: str) -> str | None:
    if nom not in entree.initial_data:
        return None
    valeur = entree.initial_data[nom]
    if nom in entree.secrets:
        return f"{len(valeur)} caractères, non répétés" if isinstance(valeur, str) else "non répété"
    return montrer(valeur)
