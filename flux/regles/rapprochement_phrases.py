"""What the reconciliation says in French: the sentence to carry over, how two lines were matched, who must act."""

from datetime import date

from publics.regles.groupes import nommer
from reservation.regles.typographie import accorder, date_fr, enumerer, typographier

from .rapprochement import NATURES_LABEL, Appariement, Contingent, EtatLabel, Lien, Lieu, NatureEcart

RADIATIONS = {
    "RADATT": "attribution d’un logement",
    "RADABA": "abandon de la demande",
    "RADIRR": "irrecevabilité",
    "RADCON": "impossibilité de contacter le demandeur",
    "RADREN": "non-renouvellement",
}
_ETATS = {
    EtatLabel.VALIDE: "valable",
    EtatLabel.TARDIF: "postérieur à la CALEOL",
    EtatLabel.EXPIRE: "échu avant la CALEOL",
    EtatLabel.ABSENT: "absent",
}


def ou_corriger(lieu: str, outil: str = "SYPLO", attributions: str = "le SNE") -> str:
    """ "À corriger dans le SNE", "… dans SYPLO", "… ici": the tool of the attributions, or that of the labels."""
    return {
        Lieu.SNE: f"À corriger dans {attributions}",
        Lieu.LABELS: f"À corriger dans {outil}",
        Lieu.ICI: "À corriger ici",
    }[Lieu(lieu)]


def phrase_a_corriger(
    nature: str,
    lieu: str,
    *,
    numero: str,
    logement: str,
    caleol: date,
    sne: str = "",
    ici: str = "",
    bail: date | None = None,
    outil: str = "SYPLO",
    attributions: str = "le SNE",
    motif_lisible: bool = False,
    label_oui_ou_non: bool = False,
) -> str:
    """The exact sentence to copy. `numero`: last four characters of the numéro unique; `logement`: its reference.

    `sne`, `ici`: the values that differ, as `Ecart` has them; `outil`, `attributions`: names of the two tools. `motif_lisible`: whether the reader may be told the
    ground of a label; the sentence does without otherwise. `label_oui_ou_non`: only whether the household is a priority one on
    that day, on each side, and not when its labels begin and end.
    """
    outils = (outil, attributions)
    if label_oui_ou_non and nature in NATURES_LABEL:
        action = _action_oui_ou_non(sne, ici, caleol, outil)
    else:
        action = _action(NatureEcart(nature), Lieu(lieu), sne, ici, caleol, bail, outils, motif_lisible)
    logement = f", logement {logement}" if logement else ""
    return typographier(
        f"{ou_corriger(lieu, *outils)} : demande …{numero}{logement}, attribution du {date_fr(caleol)} : {action}."
    )


def _action(
    nature: NatureEcart,
    lieu: Lieu,
    sne: str,
    ici: str,
    caleol: date,
    bail: date | None,
    outils: tuple[str, str],
    motif_lisible: bool,
) -> str:
    outil, attributions = outils
    match nature:
        case NatureEcart.SNE_SEUL:
            contingent = f", contingent {_contingent(sne)}" if sne else ""
            return f"enregistrer l’attribution que dit {attributions}{contingent}, ou l’y faire retirer"
        case NatureEcart.ICI_SEUL:
            contingent = f", contingent {_contingent(ici)}" if ici else ""
            return f"enregistrer l’attribution, CALEOL du {date_fr(caleol)}{contingent}"
        case NatureEcart.CONTINGENT:
            return f"remplacer le contingent {_contingent(sne)} par {_contingent(ici)}"
        case NatureEcart.RADIATION:
            return f"remplacer la radiation {_radiation(sne)} par {_radiation(ici)}"
        case NatureEcart.BAIL_ABSENT if lieu == Lieu.SNE:
            signe = f" du {date_fr(bail)}" if bail else ""
            return f"enregistrer le bail signé{signe} et radier la demande pour attribution (RADATT)"
        case NatureEcart.BAIL_ABSENT:
            signe = f" le {date_fr(bail)}" if bail else ""
            return f"enregistrer le bail que {attributions} dit signé{signe}"
        case NatureEcart.MOTIF if motif_lisible and sne and ici:
            return f"remplacer le motif de priorité {_categories(sne)} par {_categories(ici)}"
        case NatureEcart.MOTIF:
            return "accorder le motif de priorité avec le label reconnu ici"
    return _action_label(nature, lieu, sne, ici, caleol, outil)


def _action_label(nature: NatureEcart, lieu: Lieu, sne: str, ici: str, caleol: date, outil: str) -> str:
    jour = date_fr(caleol)
    if lieu == Lieu.LABELS:
        if ici == EtatLabel.VALIDE:
            return (
                f"le label, valable ici au {jour}, y est {_ETATS[EtatLabel(sne)]} : le rétablir à cette date"
            )
        return (
            f"aucun label valable au {jour}, ni ici ni dans {outil} : le reconnaître, ou motiver l’exception"
        )
    if sne == EtatLabel.VALIDE:
        return f"reprendre le label valable dans {outil} au {jour}, {_ETATS[EtatLabel(ici)]} ici"
    return f"aucun label valable au {jour} : le reconnaître, ou motiver l’exception"


def _action_oui_ou_non(sne: str, ici: str, caleol: date, outil: str) -> str:
    jour = date_fr(caleol)
    if ici == EtatLabel.VALIDE:
        return f"ménage prioritaire ici au {jour}, non dans {outil} : l’y faire reconnaître à cette date"
    if sne == EtatLabel.VALIDE:
        return f"ménage prioritaire dans {outil} au {jour}, non ici : le faire reconnaître ici"
    return f"ménage non prioritaire au {jour} : le faire reconnaître, ou demander une exception à la DDETS"


def _contingent(code: str) -> str:
    contingent = Contingent(code)
    return f"« {contingent.libelle} » ({contingent.code_sne})"


def _radiation(code: str) -> str:
    return f"« {RADIATIONS[code]} » ({code})" if code in RADIATIONS else f"« {code} »"


def _categories(codes: str) -> str:
    return enumerer(f"« {nommer(code)} »" for code in codes.split(","))


def expliquer_appariement(appariement: Appariement) -> str:
    """ "Même ménage, dates à 3 jours près ; logement différent d’un outil à l’autre"."""
    jours = appariement.jours
    proche = "le même jour" if not jours else f"à {accorder(jours, 'jour')} d’écart"
    texte = {
        Lien.DATE: f"même ménage, CALEOL {proche}",
        Lien.INVERSION: "même ménage, jour et mois de la CALEOL inversés",
        Lien.LOGEMENT: f"même ménage et même logement, CALEOL {proche}",
        Lien.BAIL: f"même ménage, dates de bail ou de CALEOL {proche}",
        Lien.RADIATION: f"même ménage, radié pour attribution {accorder(jours, 'jour')} après",
        Lien.MANUEL: "rapprochées à la main",
    }[appariement.lien]
    if appariement.autre_logement:
        texte += " ; le logement n’est pas le même d’un outil à l’autre"
    return typographier(texte)
