"""Whose contingent a passage and an attribution are: decided on the day of the CALEOL, never by a later orientation.

A column of the row, filled by the database whatever the way it is written: who may read a household must not change
because the bailleur orients the dwelling to somebody else afterwards. The bailleur, when the designation of the
réservataire's candidates had failed by the day of the CALEOL (L. 441-1); else whom the dwelling was oriented to.
"""

import pgtrigger

# `l`: the libération; the day of the CALEOL is put in the place of {jour}.
CONTINGENT = """
CASE WHEN l.designation_echouee_le <= {jour} THEN l.bailleur_id ELSE l.reservataire_id END
"""
DU_PASSAGE = f"""
(SELECT {CONTINGENT.format(jour="c.date")} FROM flux_liberation AS l, flux_commission AS c
 WHERE l.id = NEW.liberation_id AND c.id = NEW.commission_id)
"""
# An attribution serves a candidature: it is of the contingent of the candidature.
DE_L_ATTRIBUTION = f"""
coalesce(
    (SELECT p.reservataire_id FROM flux_passage AS p WHERE p.id = NEW.passage_id),
    (SELECT {CONTINGENT.format(jour="NEW.date_caleol")} FROM flux_liberation AS l WHERE l.id = NEW.liberation_id)
)
"""


def _contingent(valeur: str) -> pgtrigger.Trigger:
    """Fills the column of a new row when nobody did; afterwards only another value replaces it, never an empty one.

    An object in memory does not know what the database wrote: saved again, its empty value erases nothing.
    """
    corps = f"""
    IF NEW.reservataire_id IS NULL THEN
        IF TG_OP = 'INSERT' THEN NEW.reservataire_id := {valeur};
        ELSE NEW.reservataire_id := OLD.reservataire_id;
        END IF;
    END IF;
    RETURN NEW;
    """
    return pgtrigger.Trigger(
        name="contingent",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=" ".join(corps.split()),
    )


def contingent_du_passage() -> pgtrigger.Trigger:
    return _contingent(DU_PASSAGE)


def contingent_de_l_attribution() -> pgtrigger.Trigger:
    return _contingent(DE_L_ATTRIBUTION)
