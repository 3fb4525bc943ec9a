"""One line of an explanation: what pages, PDFs and the test bench print beside a figure."""

from dataclasses import dataclass
from fractions import Fraction

from .typographie import decimal_fr, entier_fr, typographier


@dataclass(frozen=True, slots=True, init=False)
class Etape:
    """A figure, where it comes from and the text that it rests on.

    `code` is stable ("flux.soustractions.RU"): pages hang links on it. `valeur` is a count of dwellings
    (`int`), an exact number of dwellings or points (`Fraction`), a text, or nothing. `niveau` is the depth of
    the line in its table, 0 for a total.
    """

    code: str
    libelle: str
    valeur: int | Fraction | str | None = None
    detail: str = ""
    article: str = ""
    niveau: int = 0

    def __init__(
        self,
        code: str,
        libelle: str,
        valeur: int | Fraction | str | None = None,
        detail: str = "",
        article: str = "",
        niveau: int = 0,
    ) -> None:
        # Written once, as it will be read: a recompute of the country makes a hundred thousand of them.
        poser = object.__setattr__
        poser(self, "code", code)
        poser(self, "libelle", typographier(libelle))
        poser(self, "valeur", valeur)
        poser(self, "detail", typographier(detail))
        poser(self, "article", typographier(article))
        poser(self, "niveau", niveau)

    @property
    def affichage(self) -> str:
        """The value as printed: whole dwellings as integers, exact shares with two decimals."""
        if self.valeur is None:
            return ""
        if isinstance(self.valeur, str):
            return self.valeur
        return entier_fr(self.valeur) if isinstance(self.valeur, int) else decimal_fr(self.valeur)

    def en_json(self) -> dict[str, str | int]:
        """Plain values for storage with a dated result; the printed value is frozen with it."""
        return {
            "code": self.code,
            "libelle": self.libelle,
            "valeur": self.affichage,
            "detail": self.detail,
            "article": self.article,
            "niveau": self.niveau,
        }
