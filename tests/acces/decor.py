"""Two bailleurs side by side with one object of every kind each: what the access matrix walks through.

The parc, the flux and the bilan come from the real services: their reports and results are those that pages read.
`Decor.a` belongs to bailleur A (Alpes-Maritimes), `Decor.b` to bailleur B: for a member of A the second is foreign, and the
other way round. `CANARI` is written in every free text of B: no page of A may ever show it.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from unittest import mock

from django.utils import timezone
from pypdf import PdfWriter

from bilans.models import (
    AccuseBilan,
    ActionReunion,
    Bilan,
    CompteRendu,
    CourrielDeRappel,
    DecisionReunion,
    DocumentBilan,
    DossierControle,
    EcritureRegistre,
    EnvoiProjection,
    EtapeBilan,
    EtapeLettre,
    EtapeProcedure,
    GabaritLettre,
    InviteReunion,
    Lettre,
    LotBilans,
    ParagrapheProcedure,
    PartConvenue,
    ParticipantProcedure,
    PieceProcedure,
    PointEtape,
    PointReunion,
    Procedure,
    Rappel,
    RemiseProjection,
    Reunion,
    SignatureProcedure,
    VersionCopil,
    VersionReservataire,
)
from bilans.regles.cycle_copil import resumer
from bilans.regles.cycle_extrait import extraire
from bilans.regles.donnees import (
    depuis_json,
    en_json,
)
from bilans.services import (
    documents,
    registre,
)
from flux.models import (
    AbonnementAgenda,
    AssietteConvenue,
    Attribution,
    CalculFlux,
    Candidat,
    CodeMotif,
    Commission,
    Confirmation,
    Consultation,
    Convocation,
    CorrectionRapprochement,
    Depot,
    Designation,
    EcartRapprochement,
    ExceptionLabel,
    FiltreEnregistre,
    GelExercice,
    Liberation,
    LigneOrdreDuJour,
    LigneRapprochement,
    Nature,
    Orientation,
    Passage,
    ProcesVerbal,
    Programme,
    Rapprochement,
    Recalcul,
    ReprisePourUnTour,
    Simulation,
)
from flux.regles.simulation import Changements
from flux.services import (
    agendas,
    commissions,
    convocations,
    depots,
    rapprochements,
    simulations,
)
from flux.services.calculs import calculer
from flux.services.depots.correspondances import associer_valeurs
from publics.models import (
    CategorieLabel,
    DossierAgent,
    Labellisation,
    Menage,
    PropositionLabel,
)
from publics.services import (
    agents,
    labels,
)
from reservation.acteur import Acteur
from reservation.documents.pdf import Pdf
from reservation.models import (
    AbonnementWebhook,
    Convention,
    Courriel,
    DemandeAcces,
    Derogation,
    Drapeau,
    ImportRpls,
    Invitation,
    JetonApi,
    LivraisonWebhook,
    Logement,
    Organisation,
    PieceJointe,
    Presence,
    Utilisateur,
    VersionConvention,
)
from reservation.perimetre import agir
from reservation.services import habilitations, jetons, parc
from tests.acces.decor_regional import deposer_les_fichiers, valider_une_annee
from tests.acces.decor_reunions import reunir
from tests.parc.fabrique import SIRET_A, SIRET_B, logement, loi
from tests.personnages import ANTIBES, CANNES, Distribution
from tests.rapprochement.fabrique import extrait

CANARI = "CANARI-7391"
ANNEE = 2025
SYSTEME = Acteur.du_systeme("décor des essais d’accès")


@dataclass
class Objets:
    """One of each, all of one bailleur in the Alpes-Maritimes."""

    bailleur: Organisation
    import_rpls: ImportRpls
    import_a_confirmer: ImportRpls
    logement: Logement
    drapeau: Drapeau
    convention_etat: Convention
    convention_als: Convention
    convention_cannes: Convention
    brouillon: Convention
    derogation: Derogation
    depot: Depot
    extrait: Depot
    liberation_als: Liberation
    liberation_libre: Liberation
    passage: Passage
    attribution: Attribution
    filtre: FiltreEnregistre
    designation: Designation
    candidat: Candidat
    programme: Programme
    commission: Commission
    commission_close: Commission
    ligne: LigneOrdreDuJour
    candidature: Passage
    convocation: Convocation
    proces_verbal: ProcesVerbal
    agenda: AbonnementAgenda
    label: Labellisation
    label_propose: Labellisation
    proposition: PropositionLabel
    dossier_agent: DossierAgent
    calcul: CalculFlux
    simulation: Simulation
    recalcul: Recalcul
    bilan: Bilan
    lot: LotBilans
    envoi: EnvoiProjection
    part: PartConvenue
    rappel: Rappel
    courriel_de_rappel: Courriel
    document: DocumentBilan
    bilan_soumis: Bilan
    accuse: AccuseBilan
    bilan_recu: VersionReservataire
    assiette: AssietteConvenue
    copil: VersionCopil
    ecriture: EcritureRegistre
    procedure: Procedure
    piece: PieceProcedure
    lettre: Lettre
    projet_lettre: Lettre
    preuve: EtapeLettre
    dossier_controle: DossierControle
    membre: Utilisateur
    invitation: Invitation
    demande: DemandeAcces
    jeton: JetonApi
    webhook: AbonnementWebhook
    livraison: LivraisonWebhook
    rapprochement: Rapprochement
    ligne_rapprochee: LigneRapprochement
    ligne_seule: LigneRapprochement
    ecart: EcartRapprochement
    correction: CorrectionRapprochement
    reunion: Reunion
    reunion_convoquee: Reunion
    point_copil: PointReunion
    decision_copil: DecisionReunion
    action_copil: ActionReunion
    invite_copil: InviteReunion
    compte_rendu: CompteRendu


@dataclass
class Decor:
    cast: Distribution
    a: Objets
    b: Objets


def monter(cast: Distribution) -> Decor:
    decor = Decor(
        cast,
        _objets(cast, cast.bailleur_a, "gestionnaire_a", SIRET_A, "A"),
        _objets(cast, cast.bailleur_b, "gestionnaire_b", SIRET_B, CANARI),
    )
    deposer_les_fichiers()
    return decor


def _importer(cast: Distribution, qui: str, siret: str, marque: str, *rangs: int) -> ImportRpls:
    """A file read by the importer, that waits for its sender's agreement; its last line is rejected."""
    lignes = [
        logement(
            rang, SIRET=siret, IDENT_INT=f"{marque}-{rang}", NOMVOIE=marque, COMPLGEO=f"RESIDENCE {marque}"
        )
        for rang in rangs
    ]
    fichier = BytesIO(loi([*lignes, lignes[0] | {"IDENT_REP": "0699999999", "DEPCOM": "99999"}]).encode())
    recu = parc.recevoir_fichier(
        cast.acteur(qui), contenu=fichier, nom=f"RPLS {marque}.csv", millesime=ANNEE, differer=False
    )
    return parc.analyser(recu.pk)


def _deposer(cast: Distribution, qui: str, marque: str) -> Depot:
    """A spreadsheet that was read: one line to make, one to confirm, one at fault; a column that is not taken."""
    lignes = [
        "Référence du logement;Libéré le;Réservataire;Observations",
        f"{marque}-2;01/06/{ANNEE};;{marque}",
        f"{marque}-2;01/06/2019;;{marque}",
        f"inconnue {marque};32/06/{ANNEE};{marque};{marque}",
    ]
    depot = depots.recevoir(
        cast.acteur(qui),
        octets="\n".join(lignes).encode(),
        nom=f"suivi {marque}.csv",
        source=f"source {marque}",
        differer=False,
    )
    return depots.analyser(depot.pk)


def _extraire(cast: Distribution, qui: str, marque: str) -> Depot:
    """An extract that was recorded: one attribution whose contingent nobody mapped, one label that is; a line still at fault."""
    lignes = [
        "Numéro unique;Commission du;Contingent;Label;Labellisé le;Département;Nom",
        f"022032600{ord(marque[-1]):03d}GDPUB1;12/05/{ANNEE};contingent {marque};;;06;{marque}",
        f"022032600{ord(marque[-1]):03d}GDPUB2;;;label {marque};02/03/{ANNEE};06;{marque}",
        f"022032600{ord(marque[-1]):03d}GDPUB3;32/05/{ANNEE};contingent {marque};;;06;{marque}",
    ]
    depot = depots.recevoir(
        cast.acteur(qui),
        octets="\n".join(lignes).encode(),
        nom=f"extrait {marque}.csv",
        sujet="SNE",
        source=f"source {marque}",
        differer=False,
    )
    depot = depots.confirmer(cast.acteur(qui), depots.analyser(depot.pk), differer=False)
    depot = depots.appliquer(depot.pk)
    associer_valeurs(SYSTEME, depot, [("LABEL", f"label {marque}", "DALO")])
    return depot


def _page_blanche() -> bytes:
    pdf, octets = PdfWriter(), BytesIO()
    pdf.add_blank_page(72, 72)
    pdf.write(octets)
    return octets.getvalue()


_rendus: dict[str, Pdf] = {}


def _document(bilan: Bilan, marque: str) -> DocumentBilan:
    """Its document; the PDF is made once for all the decors of this process, which have the same figures."""
    premiere = documents.rendre
    with mock.patch.object(
        documents,
        "rendre",
        lambda compose: _rendus.get(marque) or _rendus.setdefault(marque, premiere(compose)),
    ):
        return documents.produire_document(SYSTEME, bilan).document


def _soumettre(cast: Distribution, lieu: dict, qui: str, marque: str, document: DocumentBilan):
    """An earlier bilan, submitted: its receipt, what ALS received of it, and its year, which is closed."""
    annee, maintenant, octets = ANNEE - 2, timezone.now(), _page_blanche()
    bilan = Bilan.objects.create(**lieu, annee=annee, appreciation=f"appréciation {marque}")
    copie = DocumentBilan.objects.create(
        **lieu,
        bilan=bilan,
        version=1,
        fichier=document.fichier.name,
        **{
            champ: getattr(document, champ)
            for champ in ("donnees_au", "donnees", "empreinte_donnees", "empreinte_pdf", "pages")
        },
    )
    etape = EtapeBilan.objects.create(
        **lieu,
        bilan=bilan,
        rang=1,
        acte="SOUMETTRE",
        de="PREPARATION",
        vers="SOUMIS",
        le=maintenant,
        par=cast.gens[qui],
        organisation=lieu["bailleur"],
        document=copie,
        texte=f"texte {marque}",
    )
    pdf = {"octets": octets, "pages": 1}
    accuse = AccuseBilan.objects.create(
        **lieu, **pdf, bilan=bilan, etape=etape, numero=f"AR {marque}", empreinte="0" * 64
    )
    extrait = extraire(
        depuis_json(document.donnees), "ALS", "numéro", "0" * 64, maintenant.date(), flux_entier=True
    )
    recu = VersionReservataire.objects.create(
        **lieu,
        **pdf,
        bilan=bilan,
        etape=etape,
        reservataire=cast.als,
        annee=annee,
        version=1,
        donnees=en_json(extrait),
        empreinte_donnees="0" * 64,
        empreinte_pdf="0" * 64,
        envoyee_le=maintenant,
    )
    GelExercice.objects.create(**lieu, annee=annee, phrase=f"fermé {marque}")
    point = PointEtape.objects.create(
        **lieu,
        bilan=bilan,
        semestre=1,
        version=1,
        document=copie,
        observation=f"observation {marque}",
        le=maintenant,
        par=cast.gens[qui],
        organisation=lieu["bailleur"],
    )
    VersionReservataire.objects.create(
        **lieu,
        **pdf,
        bilan=bilan,
        point=point,
        reservataire=cast.als,
        annee=annee,
        version=0,  # before the bilan
        donnees=en_json(extrait),
        empreinte_donnees="0" * 64,
        empreinte_pdf="0" * 64,
        envoyee_le=maintenant,
    )
    assiette = AssietteConvenue.objects.create(
        **lieu,
        annee=annee + 1,
        version=1,
        millesime=annee,
        parc=10,
        logements=9,
        observation=f"observation {marque}",
        proposee_pour=lieu["bailleur"],
        proposee_le=maintenant,
    )
    copil = VersionCopil.objects.create(
        **lieu,
        **pdf,
        bilan=bilan,
        etape=etape,
        annee=annee,
        version=1,
        donnees=en_json(resumer(depuis_json(document.donnees), "numéro", "0" * 64, maintenant.date())),
        empreinte_donnees="0" * 64,
        empreinte_pdf="0" * 64,
        validee_le=maintenant,
    )
    return bilan, accuse, recu, assiette, copil


def _objets(cast: Distribution, bailleur: Organisation, qui: str, siret: str, marque: str) -> Objets:
    lieu = {"bailleur": bailleur, "departement_id": "06"}
    applique = _importer(cast, qui, siret, marque, 1, 2)
    parc.confirmer(cast.acteur(qui), applique, differer=False)
    applique = parc.appliquer(applique.pk)
    connu = Logement.objects.filter(**lieu).earliest("cle")
    drapeau = parc.poser_drapeau(
        cast.acteur(qui),
        bailleur=bailleur,
        departement=connu.departement,
        portee=Drapeau.Portee.LOGEMENT,
        cible=connu.cle,
        code="PLAI_ADAPTE",
        motif=f"motif {marque}",
    )
    conventions = {
        nom: _convention(bailleur, titulaire, f"{nom}-{marque}", taux, etat)
        for nom, titulaire, taux, etat in (
            ("etat", cast.ddets_06, 30, Convention.Etat.SIGNEE),
            ("als", cast.als, 20, Convention.Etat.SIGNEE),
            ("cannes", cast.commune_cannes, 10, Convention.Etat.SIGNEE),
            ("brouillon", cast.autre_caf, 2, Convention.Etat.BROUILLON),
        )
    }
    derogation = Derogation.objects.create(
        convention=conventions["etat"],
        **lieu,
        numero=f"derogation-{marque}",
        taux=Decimal(33),
        debut=conventions["etat"].debut,
        fin=conventions["etat"].debut,
        motif=f"motif {marque}",
    )
    cannes = conventions["cannes"]
    VersionConvention.objects.create(
        **lieu,
        reservataire=cannes.reservataire,
        convention=cannes,
        rang=1,
        effet=cannes.fin,
        objet=f"objet {marque}",
        taux=Decimal(12),
    )
    faits = {
        "typologie": connu.typologie,
        "financement": connu.financement,
        "periode": connu.periode,
        "finan": "13",
        "conv": "1",
        "nbpiece": 3,
        "statut_logement": "CONVENTIONNE",
        "dans_assiette": True,
    }
    liberation_als = Liberation.objects.create(
        **lieu,
        **faits,
        commune_id=CANNES,
        cle_logement=connu.cle,
        reference=connu.ident_int,
        adresse=connu.adresse,
        qpv=False,
        date=date(ANNEE, 3, 1),
        reservataire=cast.als,
        orientee_le=date(ANNEE, 3, 2),
    )
    liberation_libre = Liberation.objects.create(
        **lieu,
        **faits,
        commune_id=ANTIBES,
        cle_logement=f"{marque}-002",
        reference=f"{marque}-002",
        adresse=f"2 rue {marque}",
        qpv=True,
        date=date(ANNEE, 4, 1),
    )
    menage = Menage.objects.create(
        departement_id="06",
        numero_hache=hashlib.sha256(marque.encode()).hexdigest(),
        numero_fin=marque[-4:].rjust(4, "0"),
    )
    commission_close = Commission.objects.create(
        **lieu, date=date(ANNEE, 3, 20), lieu=marque, etat=Commission.Etat.CLOSE
    )
    passage = Passage.objects.create(
        **lieu,
        commission=commission_close,
        liberation=liberation_als,
        menage=menage,
        decision=Passage.Decision.ATTRIBUTION,
    )
    proces_verbal = ProcesVerbal.objects.create(
        **lieu, commission=commission_close, version=1, octets=_page_blanche(), empreinte="0" * 64, pages=1
    )
    commission = commissions.planifier_commission(
        cast.acteur(qui),
        bailleur,
        connu.departement,
        date=date(ANNEE, 5, 20),
        heure=time(14),
        lieu=f"salle {marque}",
    )
    (ligne,) = commissions.inscrire_logements(cast.acteur(qui), commission, [liberation_libre])
    candidature = commissions.ajouter_candidature(
        cast.acteur(qui), ligne, numero_unique=hashlib.sha256(b"candidat").hexdigest()[:18]
    )
    (convocation, *_) = convocations.convoquer_ddets(cast.acteur(qui), commission)
    PieceJointe.objects.create(
        courriel=convocation.courriel,
        nom="ordre-du-jour.pdf",
        type_mime="application/pdf",
        octets=_page_blanche(),
        empreinte="0" * 64,
    )
    attribution = Attribution.objects.create(
        **lieu, liberation=liberation_als, menage=menage, date_caleol=date(ANNEE, 3, 20)
    )
    Confirmation.objects.create(
        **lieu, liberation=liberation_als, controle="DEUX_FOIS", phrase=f"confirmé {marque}"
    )
    filtre = FiltreEnregistre.objects.create(
        utilisateur=cast.gens[qui], organisation=bailleur, nom=f"filtre {marque}", requete="orientation=sans"
    )
    Orientation.objects.create(
        **lieu,
        liberation=liberation_als,
        reservataire=cast.als,
        suggere=cast.als,
        phrase=f"phrase {marque}",
        date=liberation_als.orientee_le,
    )
    designation = Designation.objects.create(
        **lieu,
        reservataire=cast.als,
        liberation=liberation_als,
        gestion="DIRECTE",
        sans_proposition="BAILLEUR",
        ouverte_le=liberation_als.orientee_le,
        etat="PROPOSEE",
    )
    propose = Candidat.objects.create(
        **lieu,
        reservataire=cast.als,
        liberation=liberation_als,
        designation=designation,
        menage=menage,
        propose_le=date(ANNEE, 3, 10),
    )
    programme = Programme.objects.create(
        **lieu,
        commune_id=CANNES,
        nom=f"programme {marque}",
        reference=f"P-{marque}",
        livraison=date(ANNEE, 12, 1),
        logements=10,
        cree_par=cast.gens[qui],
    )
    Consultation.objects.create(
        **lieu, programme=programme, reservataire=cast.als, consulte_le=date(ANNEE, 3, 1), logements=2
    )
    # Valid after the CALEOL: they change no figure. One was entered by the DDETS, the other by the bailleur.
    label, label_propose = (
        Labellisation.objects.create(
            menage=menage,
            departement_id="06",
            categorie=CategorieLabel.objects.get(pk=categorie),
            debut=date(ANNEE, 12, 1),
            saisie_par=auteur,
        )
        for categorie, auteur in (("DALO", cast.ddets_06), ("VIOLENCES", bailleur))
    )
    # Households that nobody presented to a CALEOL: proposed by the bailleur, that no other one knows.
    demandeur = {"numero_unique": hashlib.sha256(f"demandeur {marque}".encode()).hexdigest()[:18]}
    demande = labels.Demande(["T3"], [CANNES])
    with agir(cast.acteur(qui)):
        proposition = labels.proposer(
            cast.acteur(qui),
            connu.departement,
            **demandeur,
            categorie=CategorieLabel.objects.get(pk="EXPULSION"),
            instruction=labels.Instruction(),
            demande=demande,
        )
        dossier_agent = agents.deposer(
            cast.acteur(qui), connu.departement, **demandeur, versant="ETAT", statut="TITULAIRE"
        )
    ExceptionLabel.objects.create(
        **lieu,
        liberation=liberation_als,
        attribution=attribution,
        label_id=label.pk,
        nature="RETRAIT",
        motif=CodeMotif.objects.get(code="E_AUTRE"),
        date_caleol=attribution.date_caleol,
        label_depuis=label.debut,
    )
    ReprisePourUnTour.objects.create(
        **lieu,
        liberation=liberation_als,
        reservataire=cast.als,
        version=conventions["als"].versions.get(),
        reference=f"repris {marque}",
        nature="RETOUR",
        motif=CodeMotif.objects.get(code="T_AUTRE"),
        date=liberation_als.orientee_le,
    )
    for annee in (ANNEE - 1, ANNEE):
        for nature in Nature:
            calcul = calculer(bailleur.pk, "06", annee, nature, f"raison {marque}")
    recalcul = Recalcul.objects.create(
        annee=ANNEE,
        libelle=f"recalcul {marque}",
        bailleur=bailleur,
        departements=["06"],
        raison=f"raison {marque}",
        demande_le=timezone.now(),
    )
    bilan = Bilan.objects.create(**lieu, annee=ANNEE - 1, appreciation=f"appréciation {marque}")
    lot = LotBilans.objects.create(
        annee=ANNEE - 1, libelle=f"lot {marque}", departements=["06"], demande_par=cast.gens[qui]
    )
    procedure, piece = _engager(cast, lieu, qui, marque)
    rapproche = _rapprocher(cast, qui, bailleur, attribution, marque)
    lignes = LigneRapprochement.objects.filter(rapprochement=rapproche)
    document = _document(bilan, marque)
    soumis, accuse, recu, assiette, copil = _soumettre(cast, lieu, qui, marque, document)
    valider_une_annee(cast.gens[qui], lieu, cast.gens["agent_ddets_06"], document)
    decembre = datetime(ANNEE - 1, 12, 20, 9, tzinfo=UTC)
    envoi = EnvoiProjection.objects.create(
        **lieu, annee=ANNEE, version=1, nombres={"MUTATION": 0}, total=0, envoye_le=decembre
    )
    RemiseProjection.objects.create(**lieu, envoi=envoi, reservataire=cast.als, comptes=1, remise_le=decembre)
    part = PartConvenue.objects.create(
        **lieu,
        reservataire=cast.als,
        annee=ANNEE,
        version=1,
        logements=0,
        observation=f"observation {marque}",
        proposee_pour=bailleur,
        proposee_le=decembre,
    )
    rappel = Rappel.objects.create(
        **lieu,
        annee=ANNEE,
        nature="PART_ALS",
        due=date(ANNEE, 1, 30),
        seuil="J-30",
        organisation=bailleur,
        ecrit_le=decembre,
    )
    courriel_de_rappel = Courriel.objects.create(
        gabarit="rappels_campagne",
        destinataire=cast.gens[qui].courriel,
        objet=f"rappel {marque}",
        corps_texte=marque,
        corps_html=marque,
        organisation=bailleur,
        etat=Courriel.Etat.ECHEC,
        erreur=f"erreur {marque}",
        prochain_essai_le=decembre,
    )
    CourrielDeRappel.objects.create(rappel=rappel, courriel=courriel_de_rappel)
    candidat = Utilisateur.objects.create_user(f"candidat@{marque.lower()}.example", nom=f"candidat {marque}")
    return Objets(
        bailleur=bailleur,
        import_rpls=applique,
        import_a_confirmer=_importer(cast, qui, siret, marque, 1, 2, 3),
        logement=connu,
        drapeau=drapeau,
        convention_etat=conventions["etat"],
        convention_als=conventions["als"],
        convention_cannes=conventions["cannes"],
        brouillon=conventions["brouillon"],
        derogation=derogation,
        depot=_deposer(cast, qui, marque),
        extrait=_extraire(cast, qui, marque),
        liberation_als=liberation_als,
        liberation_libre=liberation_libre,
        passage=passage,
        attribution=attribution,
        filtre=filtre,
        designation=designation,
        candidat=propose,
        programme=programme,
        commission=commission,
        commission_close=commission_close,
        ligne=ligne,
        candidature=candidature,
        convocation=convocation,
        proces_verbal=proces_verbal,
        agenda=agendas.renouveler_adresse(cast.acteur(qui)),
        label=label,
        label_propose=label_propose,
        proposition=proposition,
        dossier_agent=dossier_agent,
        calcul=calcul,
        simulation=_simuler(cast, bailleur, qui, marque),
        recalcul=recalcul,
        bilan=bilan,
        lot=lot,
        document=document,
        bilan_soumis=soumis,
        accuse=accuse,
        bilan_recu=recu,
        assiette=assiette,
        copil=copil,
        envoi=envoi,
        part=part,
        rappel=rappel,
        courriel_de_rappel=courriel_de_rappel,
        ecriture=_endetter(bailleur, cast.als, marque),
        procedure=procedure,
        piece=piece,
        **_ecrire_aux_bailleurs(bailleur, cast.gens["agent_ddets_06"], cast.ddets_06, marque),
        membre=cast.gens[qui],
        invitation=habilitations.inviter(SYSTEME, bailleur, f"invite@{marque.lower()}.example", ["LECTURE"]),
        demande=habilitations.demander_acces(candidat, bailleur, f"message {marque}"),
        jeton=jetons.ouvrir_jeton(
            SYSTEME,
            bailleur,
            cast.gens[qui],
            nom=f"logiciel {marque}",
            role="GESTION",
            fin=jetons.fin_maximale(),
        ),
        **_abonner(bailleur, marque),
        rapprochement=rapproche,
        ligne_rapprochee=lignes.get(attribution=attribution),
        ligne_seule=lignes.get(attribution=None),
        ecart=EcartRapprochement.objects.get(
            ligne__in=lignes.filter(attribution=attribution), nature="BAIL_ABSENT"
        ),
        correction=CorrectionRapprochement.objects.create(
            **lieu, genre="SEPARER", cle_fait=f"m0|{marque}", attribution=attribution, motif="DOUBLON"
        ),
        **reunir(cast, bailleur, _page_blanche(), marque),
    )


def _abonner(bailleur: Organisation, marque: str) -> dict:
    """An address told what changes, and a message that waits for it."""
    webhook = AbonnementWebhook.objects.create(
        organisation=bailleur,
        nom=f"webhook {marque}",
        url=f"https://logiciel.example/{marque}",
        sujets=["liberation", "bail"],
        tirage=marque,
    )
    livraison = LivraisonWebhook.objects.create(
        abonnement=webhook, organisation=bailleur, type="liberation.creation", ressource="liberations",
        etat=LivraisonWebhook.Etat.ECHEC, erreur=f"refus {marque}",
    )  # fmt: skip
    return {"webhook": webhook, "livraison": livraison}


def _rapprocher(cast: Distribution, qui: str, bailleur: Organisation, attribution: Attribution, marque: str):
    """An extract of the SNE that knows the attribution, and one that is nowhere else; reconciled."""
    extrait(
        bailleur,
        "SNE",
        [
            {
                "menage": menage,
                "date_caleol": attribution.date_caleol,
                "date_bail": date(ANNEE, 4, 1),
                "bailleur": bailleur,
                "logement_brut": f"logement {marque}",
                "contingent": "ALS",
                "reservataire": cast.als,
            }
            for menage in (attribution.menage, hashlib.sha256(f"seul {marque}".encode()).hexdigest())
        ],
        annee=ANNEE,
    )
    (rapprochement,) = rapprochements.demander(
        cast.acteur(qui),
        attribution.departement,
        debut=date(ANNEE, 1, 1),
        fin=date(ANNEE, 12, 31),
        bailleur=bailleur,
        appeler=False,
    )
    rapprochements.executer([rapprochement.pk])
    rapprochement.refresh_from_db()
    return rapprochement


def _engager(cast: Distribution, lieu: dict, qui: str, marque: str) -> tuple[Procedure, PieceProcedure]:
    """A mise en demeure that is signed: what its bailleur wrote, attached and signed, who comes, every text marked."""
    maintenant, octets = timezone.now(), _page_blanche()
    procedure = Procedure.objects.create(
        **lieu, sorte="MANQUEMENT", annee=ANNEE - 1, etat="OUVERTE", ouverte_le=maintenant
    )
    suites = (("OUVRIR", "", "OUVERTE"), ("METTRE_EN_DEMEURE", "OUVERTE", "MISE_EN_DEMEURE"))
    for rang, (acte, de, vers) in enumerate(suites, 1):
        EtapeProcedure.objects.create(
            **lieu,
            procedure=procedure,
            rang=rang,
            sorte="MANQUEMENT",
            acte=acte,
            de=de,
            vers=vers,
            le=maintenant,
            texte=f"acte {marque}",
            reference=f"lettre {marque}",
            lieu=f"lieu {marque}",
        )
    sien = {**lieu, "procedure": procedure, "organisation": lieu["bailleur"]}
    signature = SignatureProcedure.objects.create(
        **sien, par=cast.gens[qui], le=maintenant, empreinte="0" * 64
    )
    paragraphe = ParagrapheProcedure.objects.create(
        **sien, texte=f"cause {marque}", ecrit_par=cast.gens[qui], signature=signature
    )
    ParticipantProcedure.objects.create(**sien, fonction=f"fonction {marque}", ajoute_par=cast.gens[qui])
    piece = PieceProcedure.objects.create(
        **sien,
        paragraphe=paragraphe,
        nom=f"document {marque}.pdf",
        type_mime="application/pdf",
        octets=octets,
        taille=len(octets),
        empreinte="0" * 64,
        jointe_par=cast.gens[qui],
        signature=signature,
    )
    procedure.refresh_from_db()
    return procedure, piece


def _ecrire_aux_bailleurs(bailleur, auteur: Utilisateur, ddets: Organisation, marque: str) -> dict:
    """A letter that was sent, with its proof, and one that is being written, of an old procedure; a control file."""
    lieu = {"bailleur": bailleur, "departement_id": "06"}
    le = timezone.now()
    procedure = Procedure.objects.create(
        **lieu, sorte="MANQUEMENT", annee=ANNEE - 4, etat="OUVERTE", ouverte_le=le
    )
    for rang, (acte, de, vers) in enumerate(
        (("OUVRIR", "", "OUVERTE"), ("METTRE_EN_DEMEURE", "OUVERTE", "MISE_EN_DEMEURE")), 1
    ):
        etape = EtapeProcedure.objects.create(
            **lieu,
            procedure=procedure,
            sorte="MANQUEMENT",
            rang=rang,
            acte=acte,
            de=de,
            vers=vers,
            le=le,
            texte=marque,
        )
    octets = _page_blanche()
    empreinte = hashlib.sha256(octets).hexdigest()
    entete = dict.fromkeys(
        (
            "autorite",
            "direction",
            "lieu",
            "adresse",
            "fonction",
            "service",
            "contact",
            "delegation",
            "tribunal",
        ),
        marque,
    )
    commun = {**lieu, "nature": "MISE_EN_DEMEURE", "procedure": procedure, "acte": etape, "annee": ANNEE - 4}
    lettre = Lettre.objects.create(
        **commun,
        numero=f"MED-{marque}-1",
        objet=f"objet {marque}",
        saisies=entete,
        signee_le=le,
        jour=le.date(),
        signataire=auteur,
        signataire_nom=f"signataire {marque}",
        organisation=ddets,
        delegation=f"délégation {marque}",
        octets=octets,
        empreinte=empreinte,
        envoyee_le=le.date(),
        suite="ENVOI",
    )
    preuve = EtapeLettre.objects.create(
        lettre=lettre,
        rang=1,
        suite="ENVOI",
        jour=le.date(),
        numero=marque,
        observation=marque,
        preuve=octets,
        preuve_nom=f"{marque}.pdf",
        preuve_type="application/pdf",
        preuve_empreinte=empreinte,
    )
    GabaritLettre.objects.get_or_create(
        departement_id="06",
        nature="COMPTE_RENDU",
        version=1,
        defaults={
            "objet": "compte rendu",
            "corps": "{reunion} {presents}",
            "mentions": "m",
            "raison": "essai",
        },
    )
    return {
        "lettre": lettre,
        "projet_lettre": Lettre.objects.create(**commun, numero=f"MED-{marque}-2", saisies=entete),
        "preuve": preuve,
        "dossier_controle": DossierControle.objects.create(
            **lieu,
            procedure=procedure,
            demande_par=auteur,
            etat="PRODUIT",
            produit_le=le,
            octets=b"PK dossier " + marque.encode(),
            empreinte="0" * 64,
        ),
    }


def _simuler(cast: Distribution, bailleur: Organisation, qui: str, marque: str) -> Simulation:
    """Two points more for Action Logement, shared with it and with nobody else."""
    acteur = cast.acteur(qui)
    with agir(acteur):
        version = simulations.enregistrer(
            acteur,
            simulations.preparer(Presence.objects.get(bailleur=bailleur, departement="06")),
            Changements(taux={"ALS": Fraction(22)}),
            titre=f"simulation {marque}",
            note=f"note {marque}",
        )
        simulations.partager(acteur, version.simulation, cast.als.pk)
    return version.simulation


def _endetter(bailleur, reservataire, marque: str) -> EcritureRegistre:
    """A debt of last year, on the contingent of `reservataire`, that nobody decided of yet: no objective changes."""
    cle = registre.Cle(bailleur.pk, "06", reservataire.pk)
    registre.ouvrir(SYSTEME, cle, ANNEE - 1, 2, jour=date(ANNEE, 4, 1), fondement=f"article 8.2 {marque}")
    return EcritureRegistre.objects.get(**cle.filtre)


def _convention(bailleur, titulaire, numero: str, taux: int, etat: str) -> Convention:
    parties = {"bailleur": bailleur, "reservataire": titulaire, "departement_id": "06"}
    convention = Convention.objects.create(
        **parties,
        numero=numero,
        debut=date(ANNEE - 1, 1, 1),
        fin=date(ANNEE + 1, 12, 31),
        etat=etat,
        signee_le=None if etat == Convention.Etat.BROUILLON else date(ANNEE - 1, 1, 1),
    )
    version = VersionConvention.objects.create(
        **parties,
        convention=convention,
        effet=convention.debut,
        signee_le=convention.signee_le,
        taux=Decimal(taux),
        taux_rotation=Decimal("8.5"),
    )
    if titulaire.communes.exists():
        version.communes.set(titulaire.communes.all())
    return convention
