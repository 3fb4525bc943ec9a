"""What waits for the DDETS: proposals of labels and files of agents, on households that commissions still open examine."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from flux.models import Commission, Passage
from publics.models import Accompagnement, DossierAgent, PropositionLabel
from reservation.models import Organisation

from .scenario import AUJOURDHUI
from .seances import PREPAREES

CATEGORIES = ("HEBERGEMENT", "EXPULSION", "VIOLENCES", "L441_1_A", "SANS_ABRI", "L441_1_C")
SUIVIS = (Accompagnement.AUCUN, Accompagnement.AVDL, Accompagnement.ASLL, Accompagnement.RENFORCE)
DELAI = timedelta(days=15)
PAR_BAILLEUR = 6
# What the SIAO proposes, of the households that this bailleur presents and of whom nobody proposed anything.
OPERATEUR, ACCOMPAGNE, PAR_OPERATEUR = "siao-06", "azur", 2


def proposer_des_labels(organisations: Mapping[str, Organisation]) -> int:
    """Six proposals and two files for each bailleur that has a week to enter, two proposals of the SIAO; a third of them
    late. How many."""
    if PropositionLabel.objects.filter(saisie_par__fictive=True).exists():
        return 0
    faites = 0
    for cle, departement in PREPAREES:
        if cle not in organisations:
            continue
        auteur = organisations[cle]
        menages = list(
            Passage.objects.filter(
                bailleur=auteur,
                departement=departement,
                commission__etat__in=Commission.OUVERTES,
                menage__efface_le=None,
            )
            .order_by("menage")
            .values_list("menage", flat=True)
            .distinct()[: PAR_BAILLEUR + 2 + PAR_OPERATEUR]
        )
        if cle == ACCOMPAGNE and departement == "06" and OPERATEUR in organisations:
            faites += _proposer_par_le_siao(organisations[OPERATEUR], menages[PAR_BAILLEUR + 2 :])
        for rang, menage in enumerate(menages[: PAR_BAILLEUR + 2]):
            saisie = AUJOURDHUI - timedelta(days=20 if rang % 3 == 0 else 3 * rang)
            commun = {
                "menage_id": menage,
                "departement_id": departement,
                "saisie_par": auteur,
                "saisie_le": saisie,
                "echeance": saisie + DELAI,
            }
            if rang < PAR_BAILLEUR:
                PropositionLabel.objects.create(
                    **commun,
                    categorie_id=CATEGORIES[rang % len(CATEGORIES)],
                    accompagnement=SUIVIS[rang % len(SUIVIS)],
                    evaluation_sociale=rang % 2 == 0,
                    preuve_id="RAPPORT_SOCIAL",
                    preuve_le=saisie,
                )
            else:
                DossierAgent.objects.create(**commun, versant="ETAT", statut="TITULAIRE")
            faites += 1
    return faites


def _proposer_par_le_siao(siao: Organisation, menages: Sequence[int]) -> int:
    for rang, menage in enumerate(menages):
        saisie = AUJOURDHUI - timedelta(days=8 - 5 * rang)
        PropositionLabel.objects.create(
            menage_id=menage,
            departement_id="06",
            saisie_par=siao,
            saisie_le=saisie,
            echeance=saisie + DELAI,
            categorie_id="HEBERGEMENT",
            accompagnement=Accompagnement.AVDL,
            evaluation_sociale=True,
            preuve_id="ATTESTATION_SIAO",
            preuve_le=saisie,
        )
    return len(menages)
