"""What a réservataire reads does not depend on what it may not read: the same bytes, whatever happened behind.

A search, a filter, a counter, a sort or a page that answered otherwise would be an oracle, without ever showing the row.
"""

import re
from datetime import date

import pytest
from django.urls import reverse

from flux.models import Attribution, EtapeLiberation, Imputation, Liberation, MotifRefus, Passage
from publics.models import Menage
from tests.acces.decor import ANNEE
from tests.acces.matrice import MATRICE, envoyer

pytestmark = pytest.mark.django_db

CACHE = "ZQ91"
CALEOL, APRES = date(ANNEE, 3, 20), date(ANNEE, 6, 1)
# What changes from one answer to the next by itself: tokens, the number of the request, the hour.
VARIABLE = re.compile(
    r'csrfmiddlewaretoken" value="[^"]+"|X-CSRFToken[^}]+|nonce="[^"]+"|\d\d?\s*h\s*\d\d|\d\d:\d\d:\d\d'
)


def adresses(liberation: Liberation) -> list[str]:
    """Pages, exports and API, with every filter that looks at what follows an orientation."""
    pk = liberation.pk
    listes = [reverse("flux:liberations"), reverse("flux:liberations_export", args=["csv"])]
    criteres = [
        "",
        *(f"?etape={etape}" for etape in (*EtapeLiberation.values, "retard")),
        *(f"?suite={suite}" for suite in ("sans", "attendue", "bail", "annulee")),
        "?compte=oui",
        "?q=7391",
        f"?bailleur={liberation.bailleur_id}",
    ]
    api = [
        *(f"?{nom}={valeur}" for nom in ("refusee", "avec_bail") for valeur in ("true", "false")),
        f"?liberation={pk}",
        f"?annee={ANNEE}",
        f"?bailleur={liberation.bailleur_id}&departement=06",
        "",
    ]
    return [
        "/",
        *(liste + critere for liste in listes for critere in criteres),
        reverse("flux:liberation", args=[pk]),
        reverse("reservation:historique", args=["liberation", pk]),
        reverse("api:liberation-list"),
        reverse("api:liberation-detail", args=[pk]),
        *(reverse("api:attribution-list") + critere for critere in api),
        *(
            reverse("api:passage-list") + c
            for c in ("", f"?liberation={pk}", "?decision=ATTR", "?decision=NON_ATTR")
        ),
        reverse("flux:liste_a_pourvoir"),
        reverse("flux:liste") + f"?annee={ANNEE}&nature=definitif",
    ]


def lire(client, liberation: Liberation) -> dict[str, tuple[int, str]]:
    lues = {}
    for adresse in adresses(liberation):
        reponse = client.get(adresse)
        corps = b"".join(reponse).decode()
        assert reponse.status_code in (200, 404) and CACHE not in corps, adresse
        lues[adresse] = (reponse.status_code, VARIABLE.sub("", corps))
    return lues


def variantes(decor, liberation: Liberation, organisation):
    """Nothing, then a household attributed, offered, that refused, that signed; each on the contingent of another."""
    lieu = {"bailleur": decor.a.bailleur, "departement_id": "06", "liberation": liberation}
    menage = Menage.objects.create(departement_id="06", numero_hache="f" * 64, numero_fin=CACHE)
    yield "rien"
    passage = Passage.objects.create(
        **lieu,
        commission=decor.a.commission_close,
        menage=menage,
        decision="ATTR",
        reservataire=organisation,
    )
    yield "examiné"
    faite = Attribution.objects.create(
        **lieu, passage=passage, menage=menage, date_caleol=CALEOL, reservataire=organisation
    )
    Imputation.objects.filter(liberation=liberation).update(reservataire=organisation, attribution=faite)
    yield "attribué"
    Attribution.objects.filter(pk=faite.pk).update(offre_le=CALEOL)
    yield "offre"
    refus = MotifRefus.objects.get(code="M_LOYER")
    Attribution.objects.filter(pk=faite.pk).update(refusee_le=APRES, motif_refus=refus)
    yield "refusé"
    Attribution.objects.filter(pk=faite.pk).update(refusee_le=None, motif_refus=None, date_bail=APRES)
    yield "bail"


@pytest.mark.parametrize(
    ("qui", "liberation", "autre"),
    [
        ("charge_als", {"designation_echouee_le": date(ANNEE, 3, 10)}, "bailleur_a"),
        ("agent_cannes", {}, "als"),
    ],
    ids=["désignation échouée", "réorientée"],
)
def test_what_happens_on_another_contingent_changes_nothing_of_what_is_read(
    decor, en_tant_que, qui, liberation, autre
):
    ici = decor.a.liberation_als
    Imputation.objects.filter(liberation=ici).delete()
    Attribution.objects.filter(liberation=ici).delete()
    Passage.objects.filter(liberation=ici).delete()
    organisation = decor.cast.acteur(qui).organisation_id
    Liberation.objects.filter(pk=ici.pk).update(reservataire_id=organisation, **liberation)
    client = en_tant_que(qui)
    premiere = None
    for nom in variantes(decor, ici, getattr(decor.cast, autre)):
        lue = lire(client, ici)
        assert ici.reference in lue[reverse("flux:liberations")][1], "il lit bien cette libération"
        premiere = premiere or lue
        for adresse, reponse in lue.items():
            assert reponse == premiere[adresse], (nom, adresse)


@pytest.mark.parametrize("qui", ["agent_cannes", "gestionnaire_b"])
def test_a_household_of_another_contingent_is_nowhere(decor, en_tant_que, qui):
    """Every page of the matrix, on the objects of A, once the dwelling of ALS has gone to Cannes."""
    Menage.objects.filter(pk=decor.a.attribution.menage_id).update(numero_fin=CACHE)
    Liberation.objects.filter(pk=decor.a.liberation_als.pk).update(reservataire=decor.cast.commune_cannes)
    client, lues = en_tant_que(qui), 0
    for ligne in MATRICE:
        if ligne.methode != "GET":
            continue
        url = reverse(ligne.nom, args=ligne.args_de(decor.a)) + ligne.requete_de(decor.a)
        reponse = envoyer(client, "GET", url, entetes=ligne.entetes)
        lues += reponse.status_code == 200
        assert CACHE.encode() not in b"".join(reponse), url
    assert lues > 10
    titulaire = en_tant_que("charge_als").get(reverse("api:attribution-list"))
    assert CACHE in titulaire.content.decode()
