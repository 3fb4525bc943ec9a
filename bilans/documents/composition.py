"""A bilan composed as a document: its first page, its chapters, in their order (domain, chapter 12).

Verdicts come from `bilans.regles`, numbers from the frozen tree; in the chapters they are only put in their place.
"""

from collections.abc import Sequence

from bilans.regles.donnees import ETAT, DonneesBilan
from reservation.documents.typographie import jour_court

from .chapitres.annexe import section_annexe
from .chapitres.appreciation import section_appreciation, section_signatures
from .chapitres.attributions import section_attributions
from .chapitres.caleol import section_caleol
from .chapitres.commun import actes_de, nommer_actes
from .chapitres.etat import section_etat
from .chapitres.hors_flux import section_hors_flux
from .chapitres.parc import section_parc
from .chapitres.une import premiere_page
from .cycle_atterrissage import section_atterrissage
from .methode import definitions
from .modele import Document, Numeroteur, Reference, Section

PAGES_SANS_SOMMAIRE = 9


def composer_bilan(donnees: DonneesBilan, reference: Reference) -> Document:
    """The whole document. Same figures and same reference, same document: no clock, no chance."""
    numeroteur = Numeroteur()
    une = premiere_page(donnees, reference, numeroteur)
    sections = (
        *([section_atterrissage(donnees.atterrissage, numeroteur)] if donnees.atterrissage else []),
        section_parc(donnees, numeroteur),
        section_attributions(donnees, numeroteur),
        section_hors_flux(donnees, numeroteur),
        section_etat(donnees, numeroteur),
        section_caleol(donnees, numeroteur),
        section_appreciation(donnees),
        Section("methode", "7. Méthode et définitions", (definitions(donnees),)),
        section_signatures(),
        section_annexe(donnees),
    )
    titre = f"{donnees.bailleur.nom}, {donnees.departement.nom} ({donnees.departement.code})"
    genre = "Bilan provisoire" if donnees.situation.provisoire else "Bilan annuel"
    fictif = " · Données de démonstration : bailleur fictif" if donnees.bailleur.fictif else ""
    return Document(
        titre=f"{genre} {donnees.annee} de la gestion en flux : {titre}",
        auteur=donnees.bailleur.nom,
        sujet="Bilan annuel des réservations de logements sociaux, article R. 441-5-1 du CCH",
        mots_cles="gestion en flux, réservation, logement social",
        cree_le=f"{donnees.situation.calcule_le:%Y-%m-%dT%H:%M:%S}{fuseau(donnees)}",
        courant=(
            f"{genre} {donnees.annee} · {donnees.bailleur.nom} · {donnees.departement.nom} "
            f"({donnees.departement.code})",
            f"État, {nommer_actes(actes_de(donnees, ETAT)) or 'sans acte en vigueur'}",
        ),
        reference=(
            f"{reference.numero} · données au {jour_court(donnees.situation.donnees_au)} · empreinte "
            f"{reference.empreinte[:8]}…{reference.empreinte[-8:]}{fictif}"
        ),
        empreinte=reference.empreinte,
        une=une,
        sections=sections,
        sommaire=_pages_estimees(sections) > PAGES_SANS_SOMMAIRE,
    )


def fuseau(donnees: DonneesBilan) -> str:
    """The offset of the moment of the calculation as HTML metadata writes it: "+01:00"."""
    decalage = f"{donnees.situation.calcule_le:%z}"
    return f"{decalage[:3]}:{decalage[3:5]}"


def _pages_estimees(sections: Sequence[Section]) -> int:
    """Rough length of the PDF after its first page, in whole pages: a long one has a table of contents."""
    millimetres, annexe = 0, 0
    for section in sections:
        for tableau in section.tableaux:
            if section.paysage:
                annexe += len(tableau.lignes)
            else:
                millimetres += 20 + 5 * len(tableau.lignes)
    return 3 + millimetres // 235 + -(-annexe // 33)
