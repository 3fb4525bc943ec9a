"""SIREN and SIRET: who an organisation is for the administration (Code de commerce, R. 123-221).

The last digit of a number is a key (Luhn). The offices of La Poste, one SIREN for thousands of SIRET, follow a rule of
their own that no bailleur or service needs.
"""

import re


def chiffres(texte: str) -> str:
    """The number as people type it, with spaces or dots: "123 456 789" → "123456789"."""
    return re.sub(r"[\s.\u00a0\u202f]", "", texte)


def cle_juste(numero: str) -> bool:
    """Whether the digits end with the right key."""
    if not re.fullmatch(r"[0-9]+", numero):
        return False
    total = 0
    for rang, chiffre in enumerate(reversed(numero)):
        valeur = int(chiffre) * (2 if rang % 2 else 1)
        total += valeur - 9 if valeur > 9 else valeur
    return total % 10 == 0


def siren_valide(siren: str) -> bool:
    """Whether `siren` is nine digits with their key; nine zeros are nobody's."""
    return len(siren) == 9 and siren != "0" * 9 and cle_juste(siren)


def siren_de(siret: str) -> str | None:
    """SIREN of a SIRET, None when it is not fourteen digits.

    The key is not asked for: the number comes from the identity provider, which has checked it, and a wrong one
    finds no organisation.
    """
    numero = chiffres(siret)
    return numero[:9] if re.fullmatch(r"[0-9]{14}", numero) else None
