"""From the raw files to the gaps: extracts dropped as they come out of the tools, columns and codes mapped by people,
then the reconciliation, its gaps and the sentence to carry over. No row of an extract is made by the test."""

from datetime import date, timedelta

import pytest

from flux.models import Depot, EcartRapprochement, EvenementExterne, LigneRapprochement
from flux.services import depots
from flux.services.depots import correspondances
from flux.services.imputations import imputer
from flux.services.rapprochements.phrases import phrase_de
from publics.models import Labellisation
from publics.services.menages import retrouver_menage
from reservation.acteur import Acteur
from reservation.perimetre import agir
from tests.flux.fabriques import ANNEE, actes_paca, attribution, liberation
from tests.flux.tableaux import logements, numero, xlsx
from tests.personnages import CANNES
from tests.rapprochement.fabrique import MARS, passer

pytestmark = pytest.mark.django_db

BAIL = MARS + timedelta(days=20)
# Titles that nobody would guess: they are mapped by hand, once.
TITRES_SNE = ["Demande", "Nom demandeur", "Attributaire", "Code lot", "Ville", "Qui", "Quand", "Signé", "Parti",
              "Pourquoi parti", "Besoin"]  # fmt: skip
COLONNES_SNE = {
    "numero_unique": 0,
    "bailleur": 2,
    "reference": 3,
    "commune": 4,
    "contingent": 5,
    "date_caleol": 6,
    "date_bail": 7,
    "date_radiation": 8,
    "radiation": 9,
    "motif_externe": 10,
}


def jour(quand: date | None) -> str:
    return f"{quand:%d/%m/%Y}" if quand else ""


def sne(cast, rang, *, reservataire="PPRIOR", caleol=MARS, bail=BAIL, radie=None, pourquoi="", motif="06"):
    """One line as the tool gives it: spaces in the number, a name that must not be read, the zero of the commune lost."""
    ecrit = numero(rang)
    ecrit = f"{ecrit[:6]} {ecrit[6:]}" if rang % 2 else ecrit
    return [
        ecrit,
        "UNTEL Jean",
        cast.bailleur_a.siren.lstrip("0") if rang % 3 else cast.bailleur_a.nom,
        "",
        CANNES.lstrip("0"),
        reservataire,
        jour(caleol),
        jour(bail),
        jour(radie),
        pourquoi,
        motif,
    ]


def fichier_sne(lignes) -> bytes:
    """Two lines of titles, Windows-1252, one line said twice, a total at the foot."""
    tout = [
        ["Édition « réservataires »"],
        ["arrêtée à la fin de l’année"],
        TITRES_SNE,
        *lignes,
        lignes[0],
        [],
        ["Total"],
    ]
    return "\r\n".join(";".join(map(str, ligne)) for ligne in tout).encode("cp1252")


def verser(cast, qui, sujet, octets, nom, colonnes=None) -> Depot:
    """What a person and the worker do, from the file to the events."""
    acteur, travailleur = cast.acteur(qui), Acteur.du_systeme("travailleur")
    with agir(acteur):
        depot = depots.recevoir(acteur, octets=octets, nom=nom, sujet=sujet, differer=False)
    with agir(travailleur):
        depot = depots.analyser(depot.pk)
    if colonnes:
        # Asked at once, or looked for by the person: no line says anything with the columns that the titles give.
        assert depot.etat in (Depot.Etat.A_ASSOCIER, Depot.Etat.A_CONFIRMER), depot.message
        assert "A_CREER" not in depot.comptes
        with agir(acteur):
            depots.associer(
                acteur, depot, sujet=sujet, colonnes=colonnes, source="Infocentre", differer=False
            )
        with agir(travailleur):
            depot = depots.analyser(depot.pk)
    assert depot.etat == Depot.Etat.A_CONFIRMER, (depot.message, list(depot.lignes.values_list("messages")))
    with agir(acteur):
        depots.confirmer(acteur, depot, differer=False)
    with agir(travailleur):
        depot = depots.appliquer(depot.pk)
    assert depot.etat == Depot.Etat.APPLIQUE, (depot.message, list(depot.lignes.values_list("messages")))
    return depot


def ici(cast, rang, reservataire, *, caleol=MARS, bail=BAIL, **champs):
    """An attribution recorded here to the household of that number."""
    libre = liberation(cast.bailleur_a, caleol - timedelta(days=30), reservataire=reservataire)
    return attribution(libre, caleol, menage=retrouver_menage(numero(rang), "06"), date_bail=bail, **champs)


def ecarts(rapprochement) -> dict[tuple[str, str], str]:
    """(last characters, nature) → sentence told to the DDETS."""
    acteur = Acteur.du_systeme("essai")
    return {
        (ecart.ligne.numero_fin, ecart.nature): " ".join(phrase_de(ecart, rapprochement, acteur).split())
        for ecart in EcartRapprochement.objects.filter(
            rapprochement=rapprochement, disparu_le=None
        ).select_related("ligne")
    }


def fin(rang: int) -> str:
    return numero(rang)[-4:]


def test_from_a_raw_file_of_the_sne_and_one_of_syplo_to_the_sentence(cast):
    actes_paca(cast)
    logements(cast.bailleur_a)
    etat, als, a = cast.ddets_06, cast.als, cast.bailleur_a
    for rang in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11):
        ici(cast, rang, etat)
    ici(cast, 7, etat, bail=None)
    ici(cast, 12, als)
    ici(cast, 13, etat)
    ici(cast, 20, a)

    lignes_sne = [
        sne(cast, 1),  # nothing to say
        sne(cast, 2, caleol=MARS + timedelta(days=4)),  # noise on the date: nothing to say
        sne(cast, 3, caleol=date(ANNEE, MARS.day, MARS.month)),  # day and month inverted: nothing to say
        sne(cast, 4, reservataire="COLTER"),
        sne(cast, 5, bail=None),
        sne(cast, 6, bail=None, radie=BAIL + timedelta(days=9), pourquoi="RADABA"),
        sne(cast, 7),  # a lease there, none here
        sne(cast, 8),  # labelled after the CALEOL
        sne(cast, 9),  # labelled until the day before
        sne(cast, 10),  # never labelled
        sne(cast, 12, reservataire="EMPL_OLD"),  # a code that nobody knows
        sne(cast, 13, motif="Z9"),  # a ground of its own, and another label
        sne(cast, 14, reservataire="AUCUN"),  # nothing here
        sne(cast, 20, reservataire="AUCUN"),
    ]  # 11 is not in the SNE
    verser(cast, "agent_ddets_06", "SNE", fichier_sne(lignes_sne), "infocentre.csv", COLONNES_SNE)
    assert EvenementExterne.objects.count() == len(lignes_sne)

    avant = MARS - timedelta(days=60)
    syplo = [["N° unique", "Prénom", "Public", "Labellisation du", "au", "Dept"]] + [
        [numero(rang), "Jean", public, debut, dernier, "06"]
        for rang, public, debut, dernier in (
            *((rang, "DALO", avant, "") for rang in (1, 2, 3, 4, 5, 6, 7, 11, 13)),
            (8, "DALO", MARS + timedelta(days=1), ""),
            (9, "DALO", avant, MARS - timedelta(days=1)),
            (10, "Accord local n° 7", avant, ""),  # a word of this SYPLO alone
        )
    ]
    depot = verser(
        cast,
        "agent_ddets_06",
        "SYPLO",
        xlsx(syplo[0], syplo[1:], au_dessus=2),
        "syplo.xlsx",
        {"numero_unique": 0, "label": 2, "label_debut": 3, "label_fin": 4, "departement": 5},
    )
    imputer(paires=[(a.pk, "06")])
    rapprochement = passer(cast)
    trouves = ecarts(rapprochement)
    assert set(trouves) == {
        (fin(4), "CONTINGENT"),
        (fin(5), "BAIL_ABSENT"),
        (fin(6), "BAIL_ABSENT"),
        (fin(6), "RADIATION"),
        (fin(7), "BAIL_ABSENT"),
        (fin(8), "LABEL_TARDIF"),
        (fin(9), "LABEL_EXPIRE"),
        (fin(10), "LABEL_ABSENT"),
        (fin(11), "ICI_SEUL"),
        (fin(14), "SNE_SEUL"),
    }
    reference = LigneRapprochement.objects.get(numero_fin=fin(4)).reference
    assert trouves[fin(4), "CONTINGENT"] == (
        f"À corriger dans le SNE : demande …{fin(4)}, logement {reference}, attribution du 10 mars {ANNEE} : remplacer le "
        "contingent « collectivités » (COLTER) par « État, prioritaires » (PPRIOR)."
    )
    assert "enregistrer le bail signé du 30 mars" in trouves[fin(5), "BAIL_ABSENT"]
    assert "remplacer la radiation « abandon de la demande » (RADABA)" in trouves[fin(6), "RADIATION"]
    assert trouves[fin(7), "BAIL_ABSENT"].startswith("À corriger ici")
    assert trouves[fin(8), "LABEL_TARDIF"].startswith("À corriger dans SYPLO")
    assert trouves[fin(11), "ICI_SEUL"].startswith("À corriger dans le SNE")
    assert (rapprochement.outil, rapprochement.outil_labels) == ("SNE", "SYPLO")

    # Somebody who administers says what the unknown words mean: labels are made, and the next run follows.
    valeurs = {(v.liste, v.texte) for v in correspondances.valeurs_du_depot(depot)}
    assert valeurs == {("LABEL", "Accord local n° 7")}
    acteur = cast.acteur("agent_ddets_06")
    with agir(acteur):
        correspondances.associer_valeurs(acteur, depot, [("LABEL", "Accord local n° 7", "BPI")])
    label = Labellisation.objects.get(menage=retrouver_menage(numero(10), "06"))
    assert (label.categorie_id, label.debut, label.source) == ("BPI", avant, "SYPLO")
    depot_sne = Depot.objects.get(sujet="SNE")
    with agir(acteur):
        correspondances.associer_valeurs(
            acteur, depot_sne, [("RESERVATAIRE", "EMPL_OLD", "COLLECTIVITE"), ("MOTIF", "Z9", "BPI")]
        )
    suite = ecarts(passer(cast))
    assert set(suite) == set(trouves) - {(fin(10), "LABEL_ABSENT")} | {
        (fin(12), "CONTINGENT"),
        (fin(13), "MOTIF"),
    }
    assert suite[fin(12), "CONTINGENT"].endswith(
        "remplacer le contingent « collectivités » (COLTER) par « Action Logement Services » (COLACT)."
    )


def test_where_imhoweb_is_the_only_tool_it_is_named(cast):
    """Attributions and labels in one raw workbook of the landlord, its own titles, no SNE at all."""
    actes_paca(cast)
    references = logements(cast.bailleur_a)
    un = ici(cast, 1, cast.ddets_06, bail=None)
    ici(cast, 2, cast.ddets_06, bail=None)
    Labellisation.objects.create(
        menage=un.menage, departement_id="06", categorie_id="DALO", debut=MARS - timedelta(days=9)
    )
    titres = ["ID_demande_unique", "Nom_demandeur", "Code_lot", "Date_seance_commission", "Libelle_decision",
              "Libelle_reservataire_proposition", "Libelle_motif_priorite", "Labellisé le"]  # fmt: skip
    lignes = [
        [numero(1), "UNTEL", references[0], MARS, "Attribution", "Préfet prioritaires", "DALO", MARS - timedelta(days=9)],
        [numero(2), "AUTRE", references[1], MARS, "Attribution", "Préfet fonctionnaires", "", ""],
        [numero(3), "TIERS", references[2], MARS, "Non attribution", "Préfet prioritaires", "", ""],
        [numero(4), "QUART", references[3], MARS, "Attribution", "Hors contingent", "", ""],
    ]  # fmt: skip
    verser(cast, "gestionnaire_a", "IMHOWEB", xlsx(titres, lignes, au_dessus=1), "export.xlsx")
    imputer(paires=[(cast.bailleur_a.pk, "06")])
    rapprochement = passer(cast)
    trouves = ecarts(rapprochement)
    assert set(trouves) == {
        (fin(2), "LABEL_ABSENT"),
        (fin(2), "CONTINGENT"),
        (fin(4), "SNE_SEUL"),
    }
    assert trouves[fin(2), "CONTINGENT"].startswith(f"À corriger dans Imhoweb : demande …{fin(2)}")
    assert trouves[fin(4), "SNE_SEUL"].startswith("À corriger ici")
    assert (rapprochement.outil, rapprochement.outil_labels) == ("IMHOWEB", "IMHOWEB")
