"""The cast is at hand, and a bailleur-year with what the other tools say of it."""

from datetime import timedelta

import pytest

from flux.services.imputations import imputer
from tests.flux.fabriques import actes_paca, parc
from tests.personnages import Distribution, distribuer
from tests.rapprochement.fabrique import BAIL, DALO, MARS, attribuer, extrait


@pytest.fixture
def cast(db) -> Distribution:
    return distribuer()


@pytest.fixture
def monde(cast):
    """Bailleur A with attributions on three contingents, and what the SNE and SYPLO say of them."""
    actes_paca(cast)
    parc(cast.bailleur_a)
    a = cast.bailleur_a
    cas = {
        "juste": attribuer(a, cast.ddets_06, MARS, DALO, date_bail=BAIL),
        "sans_label_ici": attribuer(a, cast.ddets_06, MARS, date_bail=BAIL),
        "sans_label_syplo": attribuer(a, cast.ddets_06, MARS, DALO, date_bail=BAIL),
        "contingent": attribuer(a, a, MARS, date_bail=BAIL),
        "ici_seul": attribuer(a, cast.als, MARS),
        "quart_als": attribuer(a, cast.als, MARS, statut_emploi="SALARIE", date_bail=BAIL),
        "bail_sne": attribuer(a, cast.als, MARS),
    }
    dits = {
        nom: {
            "date_caleol": MARS + timedelta(days=2),
            "date_bail": BAIL,
            "contingent": contingent,
            "bailleur": a,
        }
        for nom, contingent in {
            "juste": "ETAT_PRIORITAIRE",
            "sans_label_ici": "ETAT_PRIORITAIRE",
            "sans_label_syplo": "ETAT_PRIORITAIRE",
            "contingent": "COLLECTIVITE",
            "quart_als": "ALS",
            "bail_sne": "ALS",
        }.items()
    }
    extrait(
        cast.ddets_06,
        "SNE",
        [dit | {"menage": cas[nom].menage} for nom, dit in dits.items()]
        + [{"menage": "f" * 60 + "9999", "date_caleol": MARS, "contingent": "ALS", "bailleur": a}],
    )
    labels = {"label_categorie_id": "DALO", "label_debut": DALO[1]}
    extrait(
        cast.ddets_06,
        "SYPLO",
        [labels | {"menage": cas[nom].menage} for nom in ("juste", "sans_label_ici", "quart_als")],
    )
    imputer(paires=[(a.pk, "06")])
    return cast, cas
