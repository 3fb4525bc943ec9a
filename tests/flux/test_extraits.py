"""Extracts of the SNE, SYPLO and Imhoweb: what is read, kept, mapped, replaced; nothing of a person but a hash."""

import itertools
from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from flux.imports.codes import listes_du_sne, valeurs_connues
from flux.imports.colonnes import NIR, est_personnel
from flux.imports.lecture import FichierRefuse, lire_feuilles, reconnaitre_contenu
from flux.models import CorrespondanceValeur, Depot, EvenementExterne, LigneDepot
from flux.services import depots
from flux.services.depots import correspondances
from publics.models import Labellisation, Menage, PropositionLabel
from publics.services.menages import empreinte_numero, renouveler_les_empreintes
from reservation.acteur import Acteur, Role
from reservation.models import Rattachement
from reservation.perimetre import agir
from tests.flux.fabriques import ANNEE, liberation
from tests.flux.tableaux import csv, enregistrer, logements, numero, xlsx
from tests.personnages import CANNES

pytestmark = pytest.mark.django_db

Etat, Verdict = Depot.Etat, LigneDepot.Verdict
Nature = EvenementExterne.Nature
SNE = [
    "NUR",
    "SIREN bailleur",
    "IDENT_REP",
    "DEPCOM",
    "Type réservataire",
    "Date commission",
    "Date d'attribution",
    "Date de signature du bail",
    "Date de radiation",
    "Code radiation",
    "Code motif",
]
SYPLO = [
    "Numéro unique",
    "Nom demandeur",
    "Catégorie de public",
    "Labellisé le",
    "Date fin label",
    "Manuel",
    "Dept",
]


def deposer(cast, qui, sujet, octets, nom="extrait.csv") -> Depot:
    with agir(cast.acteur(qui)):
        depot = depots.recevoir(cast.acteur(qui), octets=octets, nom=nom, sujet=sujet, differer=False)
    with agir(Acteur.du_systeme("essai")):
        return depots.analyser(depot.pk)


def ecrire(cast, qui, depot) -> Depot:
    return enregistrer(cast, depot, qui=qui)


def ligne_sne(cast, rang=1, **plus) -> list:
    champs = {
        "nur": numero(rang),
        "siren": cast.bailleur_a.siren,
        "rep": "",
        "depcom": CANNES,
        "reservataire": "PPRIOR",
        "caleol": f"12/05/{ANNEE}",
        "attribution": f"12/05/{ANNEE}",
        "bail": "",
        "radiation": "",
        "code_radiation": "",
        "motif": "06",
    } | plus
    return list(champs.values())


def dits(depot) -> dict[int, list[str]]:
    return {
        ligne: [m["code"] for m in messages]
        for ligne, messages in depot.lignes.exclude(messages=[]).values_list("ligne", "messages")
    }


# --- What the lists say ---------------------------------------------------------------------------------------


def test_the_lists_of_the_sne_are_shipped_with_their_origin():
    listes = listes_du_sne()
    assert len(listes["ListeMotifDemande"]) == 23 and len(listes["ListeTypeReservataire"]) == 6
    connues = valeurs_connues()
    assert connues["RESERVATAIRE"]["pfonct"] == "ETAT_AGENT" and connues["RADIATION"]["radatt"] == "RADATT"
    assert connues["MOTIF"]["6"] == connues["MOTIF"]["06"] == "06"  # the zero that a spreadsheet takes off
    assert connues["DALO"] | {"actif": "DALO", "actrel": "", "caduc": "", "non": ""} == connues["DALO"]


@pytest.mark.parametrize(
    "titre",
    ["Nom demandeur", "Prenom_demandeur", "NIR", "N° sécurité sociale", "dateNaissance", "Tél. portable", "Email",
     "telPortable", "Date_naissance_demandeur", "Libelle_titre_demandeur"],
)  # fmt: skip
def test_titles_that_name_people_are_known(titre):
    assert est_personnel(titre)


@pytest.mark.parametrize(
    "titre", ["Nom du bailleur", "Nom de la commune", "NUR", "Motif", "Libelle_decision", "Rang"]
)
def test_titles_of_things_are_not_people(titre):
    assert not est_personnel(titre)


def test_a_nir_is_recognised_and_a_numero_unique_is_not():
    assert (
        NIR.fullmatch("185057800608436") and NIR.fullmatch("2990199123456") and NIR.fullmatch("1850522006084")
    )
    assert not NIR.fullmatch("022032600001GDPUB1") and not NIR.fullmatch("272200012")


# --- The SNE --------------------------------------------------------------------------------------------------


def test_an_extract_of_the_sne_becomes_events_and_nothing_else(cast):
    references = logements(cast.bailleur_a)
    sienne = liberation(
        cast.bailleur_a, date(ANNEE, 4, 1), cle_logement="RHDA0000003", reference=references[3]
    )
    octets = csv(
        SNE,
        [
            ligne_sne(cast, 1, rep="RHDA0000003", bail=f"01/06/{ANNEE}"),
            ligne_sne(cast, 2, siren=f"{cast.bailleur_a.siren}00012", reservataire="Contingent employeurs et organismes "
                      "collecteurs d'Action Logement", depcom=CANNES.lstrip("0")),
            ligne_sne(cast, 3, siren="ADOMA SUD", reservataire="XYZ9", motif="6"),
            ligne_sne(cast, 4, caleol="", attribution="", radiation=f"02/06/{ANNEE}", code_radiation="RADATT"),
        ],
    )  # fmt: skip
    depot = deposer(cast, "agent_ddets_06", "SNE", octets)
    assert depot.etat == Etat.A_CONFIRMER and depot.comptes == {"A_CREER": 4}
    depot = ecrire(cast, "agent_ddets_06", depot)
    assert depot.etat == Etat.APPLIQUE and not depot.fichier
    un, deux, trois, quatre = EvenementExterne.objects.order_by("ligne")
    assert (un.nature, un.jour, un.date_bail) == (Nature.BAIL, date(ANNEE, 5, 12), date(ANNEE, 6, 1))
    assert un.numero_hache == empreinte_numero(numero(1)) and un.numero_fin == numero(1)[-4:]
    assert (un.bailleur, un.contingent, un.motif_code) == (cast.bailleur_a, "ETAT_PRIORITAIRE", "06")
    assert (un.reservataire, deux.reservataire) == (cast.ddets_06, cast.als)
    assert (un.ident_rep, un.cle_logement, un.liberation, un.commune_id) == (
        "RHDA0000003", "RHDA0000003", sienne, CANNES,
    )  # fmt: skip
    assert (deux.bailleur, deux.contingent, deux.commune_id) == (cast.bailleur_a, "ALS", CANNES)
    assert (trois.bailleur, trois.bailleur_brut, trois.contingent, trois.motif_code) == (
        None,
        "ADOMA SUD",
        "",
        "06",
    )
    assert trois.valeurs_inconnues == {"RESERVATAIRE": "XYZ9", "BAILLEUR": "ADOMA SUD"}
    assert (quatre.nature, quatre.radiation, quatre.jour) == (Nature.RADIATION, "RADATT", date(ANNEE, 6, 2))
    assert not Menage.objects.exists()  # an event is no household here
    assert (depot.periode_debut, depot.periode_fin) == (date(ANNEE, 5, 12), date(ANNEE, 6, 2))
    gardees = str(list(LigneDepot.objects.values())) + str(list(EvenementExterne.objects.values()))
    assert numero(1) not in gardees


def test_every_trap_is_said_at_once(cast):
    depot = deposer(
        cast,
        "agent_ddets_06",
        "SNE",
        csv(
            SNE,
            [
                ligne_sne(cast, 1, nur="0060126"),
                ligne_sne(cast, 2, caleol="", attribution=""),
                ligne_sne(cast, 3, depcom="22278"),
                ligne_sne(cast, 4, motif="185057800608436"),
                ligne_sne(cast, 5, caleol="31/02/2026"),
                ligne_sne(cast, 6, motif="x" * 200),
                ligne_sne(cast, 7, caleol="12/05/2009", attribution=""),
                ligne_sne(cast, 8, nur="1 85 05 78 006 084 36"),
            ],
        ),
    )
    assert dits(depot) == {
        2: ["NUMERO_UNIQUE"],
        3: ["SANS_DATE"],
        4: ["HORS_DEPARTEMENT"],
        5: ["NIR"],
        6: ["DATE_IMPOSSIBLE"],
        7: ["TROP_LONG"],
        8: ["ANCIEN"],
        9: ["NUMERO_UNIQUE"],
    }
    assert "celui-ci en a 15" in " ".join(depot.lignes.get(ligne=9).messages[0]["texte"].split())
    gardees = str(list(LigneDepot.objects.values()))
    assert (
        "185057800608436" not in gardees
        and "1 85 05 78 006 084 36" not in gardees
        and "x" * 122 not in gardees
    )
    with agir(cast.acteur("agent_ddets_06")):
        depots.corriger(cast.acteur("agent_ddets_06"), depot, 3, {"date_attribution": f"12/05/{ANNEE}"})
    assert depot.lignes.get(ligne=3).verdict == Verdict.A_CREER


def test_a_bailleur_hands_in_its_own_lines_and_no_others(cast):
    octets = csv(SNE, [ligne_sne(cast, 1, siren=""), ligne_sne(cast, 2, siren=cast.bailleur_b.siren)])
    depot = deposer(cast, "gestionnaire_a", "SNE", octets)
    assert dits(depot) == {3: ["AUTRE_BAILLEUR"]}
    ecrire(cast, "gestionnaire_a", depot)
    assert EvenementExterne.objects.get().bailleur == cast.bailleur_a


@pytest.mark.parametrize(
    "qui, sujet",
    [
        ("gestionnaire_a", "SYPLO"),
        ("agent_ddets_06", "LIBERATIONS"),
        ("agent_ddets_06", ""),
        ("lecteur_a", "SNE"),
        ("agent_cannes", "SNE"),
    ],
)
def test_who_hands_in_what(cast, qui, sujet):
    with pytest.raises(PermissionDenied), agir(cast.acteur(qui)):
        depots.recevoir(
            cast.acteur(qui), octets=csv(SNE, [ligne_sne(cast)]), nom="x.csv", sujet=sujet, differer=False
        )


# --- The extract after ----------------------------------------------------------------------------------------


def test_the_same_extract_twice_changes_nothing_and_a_newer_one_replaces_it(cast):
    qui = "agent_ddets_06"
    lignes = [ligne_sne(cast, rang, caleol=f"{rang:02d}/05/{ANNEE}") for rang in (1, 2, 3)]
    premier = ecrire(cast, qui, deposer(cast, qui, "SNE", csv(SNE, lignes)))
    second = deposer(cast, qui, "SNE", csv(SNE, lignes))
    assert second.etat == Etat.APPLIQUE and second.comptes == {"ENREGISTREES": 3}
    # 1 has a lease since, 2 is gone, 3 is the same, 4 is new.
    suite = [
        ligne_sne(cast, 1, caleol=f"01/05/{ANNEE}", bail=f"03/06/{ANNEE}"),
        lignes[2],
        ligne_sne(cast, 4, caleol=f"04/05/{ANNEE}"),
    ]
    troisieme = deposer(cast, qui, "SNE", csv(SNE, suite))
    assert troisieme.comptes == {"A_METTRE_A_JOUR": 1, "IDENTIQUE": 1, "A_CREER": 1}
    (difference,) = troisieme.lignes.get(ligne=2).differences
    assert (difference["champ"], difference["apres"]) == ("date_bail", f"03/06/{ANNEE}")
    troisieme = ecrire(cast, qui, troisieme)
    vivants = EvenementExterne.objects.en_vigueur().order_by("jour")
    assert [(e.numero_fin, e.depot_id) for e in vivants] == [
        (numero(1)[-4:], troisieme.pk),
        (numero(3)[-4:], premier.pk),
        (numero(4)[-4:], troisieme.pk),
    ]
    assert EvenementExterne.objects.filter(perime_par=troisieme).count() == 2


def test_a_line_that_waits_keeps_what_was_said_of_its_household(cast):
    qui = "agent_ddets_06"
    lignes = [ligne_sne(cast, rang, caleol=f"{rang:02d}/05/{ANNEE}") for rang in (1, 2, 3)]
    ecrire(cast, qui, deposer(cast, qui, "SNE", csv(SNE, lignes)))
    lignes[0][SNE.index("Date de signature du bail")] = f"01/06/{ANNEE}"
    lignes[1][SNE.index("Date de signature du bail")] = "31/02/2026"
    depot = ecrire(cast, qui, deposer(cast, qui, "SNE", csv(SNE, lignes)))
    assert depot.etat == Etat.A_CONFIRMER and depot.comptes == {"EN_ERREUR": 1, "ENREGISTREES": 2}
    assert EvenementExterne.objects.en_vigueur().count() == 3


def test_another_organisation_and_another_source_are_left_alone(cast):
    ecrire(cast, "agent_ddets_06", deposer(cast, "agent_ddets_06", "SNE", csv(SNE, [ligne_sne(cast, 1)])))
    ecrire(cast, "gestionnaire_a", deposer(cast, "gestionnaire_a", "SNE", csv(SNE, [ligne_sne(cast, 2)])))
    ecrire(cast, "agent_ddets_06", deposer(cast, "agent_ddets_06", "IMHOWEB", csv(SNE, [ligne_sne(cast, 3)])))
    assert EvenementExterne.objects.en_vigueur().count() == 3


# --- Values ---------------------------------------------------------------------------------------------------


def test_unknown_values_are_mapped_once_for_what_waits_and_what_is_recorded(cast):
    qui = "agent_ddets_06"
    octets = csv(
        SNE, [ligne_sne(cast, 1, reservataire="XYZ9", motif="ZZ"), ligne_sne(cast, 2, reservataire="xyz9")]
    )
    depot = ecrire(cast, qui, deposer(cast, qui, "SNE", octets))
    valeurs = correspondances.valeurs_du_depot(depot)
    assert {(v.liste, v.texte, v.lignes) for v in valeurs} == {
        ("RESERVATAIRE", "XYZ9", 1), ("RESERVATAIRE", "xyz9", 1), ("MOTIF", "ZZ", 1),
    }  # fmt: skip
    acteur = cast.acteur(qui)
    with agir(acteur):
        correspondances.associer_valeurs(
            acteur,
            depot,
            [
                ("RESERVATAIRE", "XYZ9", "COLLECTIVITE"),
                ("RESERVATAIRE", "xyz9", "COLLECTIVITE"),
                ("MOTIF", "ZZ", "DALO"),
            ],
        )
    un, deux = EvenementExterne.objects.order_by("ligne")
    assert (un.contingent, un.motif_categorie_id, un.valeurs_inconnues) == ("COLLECTIVITE", "DALO", {})
    assert deux.contingent == "COLLECTIVITE" and CorrespondanceValeur.objects.count() == 2
    suivant = deposer(cast, qui, "SNE", csv(SNE, [ligne_sne(cast, 3, reservataire="XYZ9")]))
    assert correspondances.valeurs_du_depot(suivant)[0].cible is not None
    ecrire(cast, qui, suivant)
    assert EvenementExterne.objects.get(numero_fin=numero(3)[-4:]).contingent == "COLLECTIVITE"


def test_who_says_what_the_words_of_an_extract_mean(cast):
    """An administrator of the organisation that hands it in, and whoever manages in a DDETS; for its own files alone."""
    depot = deposer(cast, "gestionnaire_a", "SNE", csv(SNE, [ligne_sne(cast, 1, reservataire="XYZ9")]))
    choix = [("RESERVATAIRE", "XYZ9", "ALS")]
    for qui in (
        "lecteur_a",
        "gestionnaire_a",
        "signataire_a",
        "gestionnaire_b",
        "agent_ddets_06",
        "administrateur_ddets_06",
    ):
        with pytest.raises(PermissionDenied), agir(cast.acteur(qui)):
            correspondances.associer_valeurs(cast.acteur(qui), depot, choix)
    acteur = cast.acteur("administrateur_a")
    with agir(acteur):
        for mauvais in (("RESERVATAIRE", "autre", "ALS"), ("RESERVATAIRE", "XYZ9", "MARS")):
            with pytest.raises(ValidationError):
                correspondances.associer_valeurs(acteur, depot, [mauvais])
        assert correspondances.associer_valeurs(acteur, depot, choix) == 1
    assert CorrespondanceValeur.objects.get().modifie_par == cast.administrateur_a
    etat = deposer(cast, "agent_ddets_06", "SNE", csv(SNE, [ligne_sne(cast, 2, reservataire="XYZ8")]))
    for qui in ("agent_ddets_06", "administrateur_ddets_06"):
        with agir(cast.acteur(qui)):
            assert correspondances.associer_valeurs(
                cast.acteur(qui), etat, [("RESERVATAIRE", "XYZ8", "AUTRE")]
            )
    with pytest.raises(PermissionDenied), agir(cast.acteur("lecteur_ddets_06")):
        correspondances.associer_valeurs(
            cast.acteur("lecteur_ddets_06"), etat, [("RESERVATAIRE", "XYZ8", "ALS")]
        )


# --- Labels ---------------------------------------------------------------------------------------------------


def test_syplo_makes_labels_for_the_ddets_and_keeps_nobody_s_name(cast):
    lignes = [
        [numero(1), "Untel", "DALO", f"02/03/{ANNEE}", "", "oui", "06"],
        [numero(2), "Autretel", "Violences conjugales", f"04/03/{ANNEE}", f"03/03/{ANNEE + 1}", "oui", "06"],
        [numero(3), "Tiers", "PLACE RESERVEE 17", f"05/03/{ANNEE}", "", "non", "06"],
        [numero(4), "Quart", "DALO", f"05/03/{ANNEE}", f"01/03/{ANNEE}", "oui", "06"],
        [numero(5), "Quint", "DALO", "", "", "oui", "06"],
    ]
    depot = deposer(cast, "agent_ddets_06", "SYPLO", csv(SYPLO, lignes))
    assert dits(depot) == {5: ["LABEL"], 6: ["SANS_DATE"]}
    depot = ecrire(cast, "agent_ddets_06", depot)
    assert "2 labels enregistrés" in depot.message.replace("\u00a0", " ")
    labels = Labellisation.objects.order_by("debut")
    assert [(x.categorie_id, x.source, x.debut.day, x.manuelle) for x in labels] == [
        ("DALO", "SYPLO", 2, True), ("VIOLENCES", "SYPLO", 4, True),
    ]  # fmt: skip
    assert EvenementExterne.objects.filter(nature=Nature.LABEL).count() == 3
    assert EvenementExterne.objects.get(label_categorie=None).valeurs_inconnues == {
        "LABEL": "PLACE RESERVEE 17"
    }
    tout = str(list(LigneDepot.objects.values())) + str(list(EvenementExterne.objects.values()))
    assert "Untel" not in tout and "Nom demandeur" in depot.entetes
    # Handed in again: the labels are there already.
    ecrire(cast, "agent_ddets_06", deposer(cast, "agent_ddets_06", "SYPLO", csv(SYPLO, lignes[:3] + [
        [numero(6), "", "DALO", f"06/03/{ANNEE}", "", "oui", "06"]])))  # fmt: skip
    assert Labellisation.objects.count() == 3


def test_a_ground_that_is_mapped_later_makes_its_labels_at_once(cast):
    """Granted for the DDETS, proposed for a partner, once each, with the days that the extract gave."""
    lignes = [
        [numero(1), "", "Accord local", f"02/03/{ANNEE}", f"01/03/{ANNEE + 1}", "oui", "06"],
        [numero(2), "", "ACCORD  LOCAL", f"03/03/{ANNEE}", "", "non", "06"],
        [numero(3), "", "DALO", f"04/03/{ANNEE}", "", "oui", "06"],
        [numero(4), "", "Autre mot", f"04/03/{ANNEE}", "", "oui", "06"],
    ]
    depot = ecrire(cast, "agent_ddets_06", deposer(cast, "agent_ddets_06", "SYPLO", csv(SYPLO, lignes)))
    assert [label.categorie_id for label in Labellisation.objects.all()] == ["DALO"]
    acteur = cast.acteur("agent_ddets_06")
    for cible in ("", "BPI", "BPI"):  # nothing here, then somebody says otherwise, twice
        with agir(acteur):
            correspondances.associer_valeurs(acteur, depot, [("LABEL", "Accord local", cible)])
    assert {
        (x.categorie_id, x.debut.day, x.fin, x.manuelle, x.source) for x in Labellisation.objects.all()
    } == {
        ("BPI", 2, date(ANNEE + 1, 3, 1), True, "SYPLO"),
        ("BPI", 3, None, False, "SYPLO"),
        ("DALO", 4, None, True, "SYPLO"),
    }
    assert EvenementExterne.objects.get(numero_fin=numero(3)[-4:]).label_categorie_id == "DALO"
    # The SIAO's are proposed; an automatic one is nobody's to decide.
    siao = ecrire(cast, "operateur", deposer(cast, "operateur", "SYPLO", csv(SYPLO, [
        [numero(11), "", "Accord local", f"02/03/{ANNEE}", "", "oui", "06"],
        [numero(12), "", "Accord local", f"02/03/{ANNEE}", "", "non", "06"],
    ])))  # fmt: skip
    rattacher = Rattachement.objects.create
    rattacher(
        utilisateur=cast.operateur,
        organisation=cast.operateur_06,
        role=Role.ADMINISTRATION,
        debut=date(2024, 1, 1),
    )
    acteur = cast.acteur("operateur")
    with agir(acteur):
        correspondances.associer_valeurs(acteur, siao, [("LABEL", "Accord local", "BPI")])
    proposition = PropositionLabel.objects.get()
    assert (proposition.categorie_id, proposition.saisie_par, proposition.auteur) == (
        "BPI",
        cast.operateur_06,
        cast.operateur,
    )


def test_partners_propose_their_manual_labels(cast):
    entetes = ["ID_demande_unique", "Libelle_motif_priorite", "Labellisé le", "Manuel", "Code_INSEE_commune"]
    lignes = [
        [numero(1), "DALO", f"02/03/{ANNEE}", "oui", CANNES],
        [numero(2), "SIAO", f"02/03/{ANNEE}", "non", CANNES],
    ]
    depot = ecrire(cast, "gestionnaire_a", deposer(cast, "gestionnaire_a", "IMHOWEB", csv(entetes, lignes)))
    assert not Labellisation.objects.exists() and "proposé" in depot.message
    proposition = PropositionLabel.objects.get()
    assert (proposition.categorie_id, proposition.saisie_par) == ("DALO", cast.bailleur_a)
    ecrire(cast, "gestionnaire_a", deposer(cast, "gestionnaire_a", "IMHOWEB", csv(entetes, [*lignes, [
        numero(3), "BPI", f"02/03/{ANNEE}", "oui", CANNES]])))  # fmt: skip
    assert PropositionLabel.objects.count() == 2


# --- Columns and files ----------------------------------------------------------------------------------------


def test_the_warehouse_of_a_breton_landlord_is_recognised(cast):
    entetes = [
        "ID_demande_unique", "ID_bailleur", "Code_lot", "Date_seance_commission", "Code_rang", "Libelle_decision",
        "Libelle_reservataire_proposition", "Code_motif_demande_1", "Date_naissance_demandeur", "Nom_demandeur",
    ]  # fmt: skip
    octets = xlsx(
        entetes,
        [
            [
                numero(1),
                "",
                "HDA-1003",
                date(ANNEE, 5, 12),
                1,
                "Attribution",
                "Préfet prioritaires",
                6,
                "x",
                "Untel",
            ]
        ],
    )
    logements(cast.bailleur_a)
    depot = deposer(cast, "gestionnaire_a", "IMHOWEB", octets, "export.xlsx")
    assert depot.etat == Etat.A_CONFIRMER, depot.message
    assert not {8, 9} & set(depot.correspondance.values())
    ecrire(cast, "gestionnaire_a", depot)
    evenement = EvenementExterne.objects.get()
    assert (evenement.decision, evenement.contingent, evenement.motif_code, evenement.departement_id) == (
        "ATTR", "ETAT_PRIORITAIRE", "06", "06",
    )  # fmt: skip
    assert evenement.ident_rep == "RHDA0000003"


def test_columns_without_any_day_are_asked_for(cast):
    """No line could say anything: the person is shown the columns, not a report where every line is an error."""
    entetes = ["N° unique", "Public", "Début", "Fin", "Département"]
    lignes = [[numero(1), "L. 441-1 c", f"02/03/{ANNEE}", "", "06"]]
    depot = deposer(cast, "agent_ddets_06", "SYPLO", csv(entetes, lignes))
    assert depot.etat == Etat.A_ASSOCIER and depot.message.endswith(
        "Dites sous quel titre votre tableau les donne."
    )
    assert depot.correspondance["label"] == 1
    assert "une date, « Label depuis le »" in " ".join(depot.message.split())
    acteur = cast.acteur("agent_ddets_06")
    colonnes = {"numero_unique": 0, "label": 1, "label_fin": 3, "departement": 4}
    with agir(acteur):
        with pytest.raises(ValidationError, match="Label depuis le"):
            depots.associer(acteur, depot, sujet="SYPLO", colonnes=colonnes, differer=False)
        depots.associer(acteur, depot, sujet="SYPLO", colonnes=colonnes | {"label_debut": 2}, differer=False)
    with agir(Acteur.du_systeme("essai")):
        depot = depots.analyser(depot.pk)
    ecrire(cast, "agent_ddets_06", depot)
    # The letter as the application itself writes it needs no mapping.
    assert EvenementExterne.objects.get().label_categorie_id == "L441_1_C"
    demande = f"<numUnique>{numero(1)}</numUnique><dateCreationDemande>2026-03-15</dateCreationDemande>"
    xml = XML.format(f"<demandeLogement>{demande}</demandeLogement>").encode()
    assert deposer(cast, "agent_ddets_06", "SNE", xml, "demandes.xml").etat == Etat.A_ASSOCIER


def test_a_column_of_names_is_refused_even_when_somebody_chooses_it(cast):
    octets = csv(["Zorg", "Nom demandeur", "Quand"], [[numero(1), "Untel", f"12/05/{ANNEE}"]])
    depot = deposer(cast, "agent_ddets_06", "SNE", octets)
    assert depot.etat == Etat.A_ASSOCIER
    acteur = cast.acteur("agent_ddets_06")
    with agir(acteur):
        depots.associer(
            acteur, depot, sujet="SNE", colonnes={"numero_unique": 0, "motif_externe": 1, "date_attribution": 2},
            source="outil local", differer=False,
        )  # fmt: skip
        with pytest.raises(ValidationError):
            depots.associer(acteur, depot, sujet="LIBERATIONS", colonnes={}, differer=False)
    with agir(Acteur.du_systeme("essai")):
        depot = depots.analyser(depot.pk)
    assert depot.correspondance == {"numero_unique": 0, "date_attribution": 2}
    assert "Untel" not in str(list(LigneDepot.objects.values()))
    # Learnt for the files of this organisation alone.
    assert deposer(cast, "agent_ddets_06", "SNE", octets).etat == Etat.A_CONFIRMER
    assert deposer(cast, "agent_ddets_22", "SNE", octets).etat == Etat.A_ASSOCIER


XML = """<?xml version="1.0" encoding="UTF-8"?>
<nuu:interfaceNuu xmlns:nuu="http://nuu.application.i2/" versionInterface="02.00"><entete><dateFichier>2026-06-01</dateFichier></entete>
{}
</nuu:interfaceNuu>"""
DEMANDE = """<demande><demandeLogement><numUnique>{numero}</numUnique><dateCreationDemande>2026-03-15</dateCreationDemande>
<personnePhysique><demandeur><civilite code="1"/><nom>Untel</nom><prenom>Jean</prenom><telPortable>0600000000</telPortable>
<adressePostale><commune code="06029"/></adressePostale></demandeur></personnePhysique>
<dateRadiation>{jour}</dateRadiation><motifRadiation code="RADATT"/><typeReservataire code="PPRIOR"/></demandeLogement></demande>"""


def test_the_old_xml_of_the_sne_is_read_without_its_people(cast):
    octets = XML.format(
        "".join(DEMANDE.format(numero=numero(rang), jour=f"{ANNEE}-05-{rang:02d}") for rang in (1, 2))
    ).encode()
    assert reconnaitre_contenu(octets) == "xml"
    (feuille,) = lire_feuilles(octets)
    assert "Untel" not in str(feuille) and "0600000000" not in str(feuille) and "06029" not in str(feuille)
    depot = ecrire(cast, "agent_ddets_06", deposer(cast, "agent_ddets_06", "SNE", octets, "nuu.xml"))
    un, deux = EvenementExterne.objects.order_by("ligne")
    assert (un.nature, un.radiation, un.contingent, un.jour) == (
        Nature.RADIATION, "RADATT", "ETAT_PRIORITAIRE", date(ANNEE, 5, 1),
    )  # fmt: skip
    assert deux.ligne == 3 and depot.etat == Etat.APPLIQUE


BOMBE = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
EXTERNE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "octets, code",
    [
        (XML.replace("?>", f"?>{BOMBE}", 1).format("<a>&b;</a>"), "XML_ENTITES"),
        (XML.replace("?>", f"?>{EXTERNE}", 1).format("<a>&e;</a>"), "XML_ENTITES"),
        (XML.replace("?>", '?><!DOCTYPE x SYSTEM "http://x.example/x.dtd">', 1).format(""), "XML_ENTITES"),
        (XML.format("<a>" * 60 + "</a>" * 60), "XML_PROFOND"),
        (XML.format("<demandeLogement>" + "".join(f"<c{n}>1</c{n}>" for n in range(400)) + "</demandeLogement>"), "XML_LARGE"),
        (XML.format("<demandeLogement>"), "XML_ABIME"),
        (XML.format(""), "XML_SANS_DEMANDE"),
    ],
    ids=["bombe", "fichier", "dtd", "profond", "large", "coupe", "vide"],
)  # fmt: skip
def test_a_dangerous_xml_is_refused(octets, code):
    with pytest.raises(FichierRefuse) as refus:
        lire_feuilles(octets.encode())
    assert refus.value.code == code


# --- Who reads ------------------------------------------------------------------------------------------------


def test_who_reads_what_an_extract_told(cast):
    lignes = [ligne_sne(cast, 1), ligne_sne(cast, 2, siren=cast.bailleur_b.siren)]
    ecrire(cast, "agent_ddets_06", deposer(cast, "agent_ddets_06", "SNE", csv(SNE, lignes)))
    ecrire(cast, "agent_ddets_06", deposer(cast, "agent_ddets_06", "SYPLO", csv(SYPLO, [
        [numero(1), "", "DALO", f"02/03/{ANNEE}", "", "oui", "06"]])))  # fmt: skip
    vus = {
        qui: EvenementExterne.objects.visibles_par(cast.acteur(qui)).count()
        for qui in (
            "agent_ddets_06",
            "agent_ddets_22",
            "gestionnaire_a",
            "gestionnaire_b",
            "charge_als",
            "charge_dreal",
        )
        if qui in cast.gens
    }
    assert vus["agent_ddets_06"] == 3 and vus["agent_ddets_22"] == 0
    assert vus["gestionnaire_a"] == vus["gestionnaire_b"] == 1
    assert not any(vus[qui] for qui in vus.keys() & {"charge_als", "charge_dreal"})
    commune = [ligne_sne(cast, 9, reservataire="Commune de Cannes", caleol=f"20/05/{ANNEE}")]
    ecrire(cast, "agent_ddets_06", deposer(cast, "agent_ddets_06", "SNE", csv(SNE, commune)))
    (sienne,) = EvenementExterne.objects.visibles_par(cast.acteur("agent_cannes"))
    assert (sienne.contingent, sienne.reservataire) == ("COLLECTIVITE", cast.commune_cannes)
    motifs = EvenementExterne.objects.motif_lisible_par(cast.acteur("gestionnaire_a"))
    assert not motifs.exists()  # the motive and the label are the DDETS's, who handed the file in


def test_a_new_key_keeps_events_and_households_together(cast, settings):
    lignes = [[numero(1), "", "DALO", f"02/03/{ANNEE}", "", "oui", "06"]]
    ecrire(cast, "agent_ddets_06", deposer(cast, "agent_ddets_06", "SYPLO", csv(SYPLO, lignes)))
    avant = EvenementExterne.objects.get().numero_hache
    settings.CLES_NUMERO_UNIQUE_ANCIENNES = [settings.CLE_NUMERO_UNIQUE]
    settings.CLE_NUMERO_UNIQUE = "une autre clé, assez longue pour en être une"
    with agir(Acteur.du_systeme("essai")):
        assert renouveler_les_empreintes(Acteur.du_systeme("essai")) == 1
    evenement = EvenementExterne.objects.get()
    assert evenement.numero_hache == Menage.objects.get().numero_hache != avant
    # The same line is still the same one, under the new key and the old one.
    assert deposer(cast, "agent_ddets_06", "SYPLO", csv(SYPLO, lignes)).etat == Etat.APPLIQUE


def test_queries_do_not_grow_with_the_lines(cast, django_assert_max_num_queries):
    petit = csv(SNE, [ligne_sne(cast, 1)])
    grand = csv(
        SNE, [ligne_sne(cast, rang, caleol=f"{1 + rang % 27:02d}/05/{ANNEE}") for rang in range(1, 401)]
    )
    nombres = []
    for octets in (petit, grand):
        with django_assert_max_num_queries(120) as requetes:
            ecrire(cast, "agent_ddets_06", deposer(cast, "agent_ddets_06", "SNE", octets))
        nombres.append(len(requetes))
    assert nombres[1] - nombres[0] <= 6, nombres
    assert (
        list(itertools.islice(EvenementExterne.objects.en_vigueur().values_list("pk"), 500)).__len__() >= 400
    )
