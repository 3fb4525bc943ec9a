"""Loads a scenario of the test bench into the database, as if people had entered it."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.utils import timezone

from flux.banc_essai.scenario import Scenario
from flux.models import (
    Attribution,
    Liberation,
    MotifRefus,
    ReportObjectif,
    SoustractionPrevisionnelle,
)
from flux.regles.annuel import Nature
from publics.models import GroupeDepartement, Labellisation, Menage
from publics.regles.groupes import GROUPES_PAR_DEFAUT, Label
from reservation.acteur import TypeOrganisation
from reservation.models import (
    AgregatParc,
    Convention,
    Derogation,
    EtatParc,
    ImportRpls,
    Organisation,
    Presence,
    VersionConvention,
)
from reservation.regles.actes import ALS, BAILLEUR, ETAT, Acte, Reservataire, acte_regissant
from reservation.regles.actes import Nature as NatureReservataire
from tests.flux.fabriques import agent_valide

TYPES = {
    NatureReservataire.ETAT: TypeOrganisation.DDETS,
    NatureReservataire.ALS: TypeOrganisation.ACTION_LOGEMENT,
    NatureReservataire.COLLECTIVITE: TypeOrganisation.COLLECTIVITE,
    NatureReservataire.AUTRE: TypeOrganisation.AUTRE_RESERVATAIRE,
}


@dataclass
class Charge:
    """What was made: the pair, and the rows by identifier of the file."""

    bailleur: Organisation
    departement: str
    annee: int
    liberations: dict[str, Liberation]

    @property
    def paire(self) -> tuple[int, str]:
        return self.bailleur.pk, self.departement


def charger(scenario: Scenario) -> Charge:
    """Everything of the file, except what the file says and no database could hold: an attribution of a later
    year is ignored by the bench, and the lease of an attribution that another one follows changes no figure."""
    bailleur = Organisation.objects.create(
        type=TypeOrganisation.BAILLEUR,
        nom=f"Bailleur {scenario.siren}",
        siren=scenario.siren,
        famille=scenario.famille.value,
    )
    Presence.objects.create(bailleur=bailleur, departement_id=scenario.departement)
    organisations = {
        reservataire: _organisation(reservataire, scenario.departement)
        for reservataire in dict.fromkeys([ETAT, ALS, *(acte.reservataire for acte in scenario.actes)])
    }
    organisations[BAILLEUR] = bailleur
    _conventions(scenario, bailleur, organisations)
    _parc(scenario, bailleur)
    for categorie, groupe in scenario.groupes.items():
        if GROUPES_PAR_DEFAUT[categorie] != groupe:
            GroupeDepartement.objects.create(
                departement_id=scenario.departement,
                categorie_id=categorie,
                groupe=groupe,
                debut=date(2000, 1, 1),
            )
    par_code = {reservataire.code: organisation for reservataire, organisation in organisations.items()}
    ReportObjectif.objects.bulk_create(
        ReportObjectif(
            bailleur=bailleur,
            departement_id=scenario.departement,
            reservataire=par_code[code],
            annee=scenario.annee,
            nombre=nombre,
            motif="essai",
        )
        for code, nombre in scenario.reports.items()
    )
    SoustractionPrevisionnelle.objects.bulk_create(
        SoustractionPrevisionnelle(
            bailleur=bailleur,
            departement_id=scenario.departement,
            annee=scenario.annee,
            categorie=categorie,
            nombre=nombre,
        )
        for categorie, nombre in scenario.soustractions_previsionnelles.items()
    )
    liberations = _liberations(scenario, bailleur, organisations)
    _attributions(scenario, bailleur, liberations)
    return Charge(bailleur, scenario.departement, scenario.annee, liberations)


def _organisation(reservataire: Reservataire, departement: str) -> Organisation:
    type_ = TYPES[reservataire.nature]
    champs = {"departement_id": departement} if type_ == TypeOrganisation.DDETS else {}
    code = "" if reservataire in (ETAT, ALS) else reservataire.code
    return Organisation.objects.get_or_create(
        type=type_, code=code, **champs, defaults={"nom": reservataire.code}
    )[0]


def _decimal(taux: Fraction) -> Decimal:
    exact = Decimal(taux.numerator) / Decimal(taux.denominator)
    assert Fraction(exact.quantize(Decimal("0.000001"))) == taux, "taux à plus de six décimales"
    return exact


def _conventions(
    scenario: Scenario, bailleur: Organisation, organisations: dict[Reservataire, Organisation]
) -> None:
    regissant = acte_regissant(scenario.actes, scenario.annee)
    for rang, acte in enumerate(scenario.actes):
        convention = Convention.objects.create(
            bailleur=bailleur,
            reservataire=organisations[acte.reservataire],
            departement_id=scenario.departement,
            numero=f"ACTE-{rang}",
            debut=acte.debut,
            fin=acte.fin,
            etat=Convention.Etat.SIGNEE,
            signee_le=acte.debut,
        )
        Derogation.objects.bulk_create(
            Derogation(
                convention=convention,
                bailleur=bailleur,
                departement_id=scenario.departement,
                numero=f"DEROGATION-{rang}",
                taux=_decimal(derogation.taux),
                debut=derogation.debut,
                fin=derogation.fin,
                motif="essai",
            )
            for derogation in acte.derogations
        )
        version = _version(acte, convention)
        if acte == regissant and scenario.nature == Nature.PREVISIONNEL:
            version.taux_rotation = _decimal(scenario.taux_rotation)
        version.save()
        version.communes.set(acte.communes or ())


def _version(acte: Acte, convention: Convention) -> VersionConvention:
    regime = acte.regime
    # The file may write a rétrocession of 0 point; the database then has none, which is the same.
    retrocession = acte.retrocession if acte.retrocession and acte.retrocession.taux else None
    return VersionConvention(
        convention=convention,
        bailleur_id=convention.bailleur_id,
        reservataire_id=convention.reservataire_id,
        departement_id=convention.departement_id,
        effet=acte.debut,
        signee_le=acte.debut,
        taux=_decimal(acte.taux),
        taux_agents=_decimal(acte.taux_agents),
        retrocession_taux=retrocession and _decimal(retrocession.taux),
        retrocession_debut=retrocession and retrocession.debut,
        retrocession_fin=retrocession and retrocession.fin,
        soustractions=sorted(regime.soustractions),
        exclut_pli=regime.exclusions.pli,
        exclut_residences_services=regime.exclusions.residences_services,
        exclut_vente_demolition=regime.exclusions.vente_demolition,
        exclusions_locales=sorted(regime.exclusions.locales),
        premieres_mises_en_location=regime.premieres_mises_en_location,
        fait_generateur=regime.fait_generateur.value,
        plancher_hors_qpv=None if regime.plancher_hors_qpv is None else _decimal(regime.plancher_hors_qpv),
        echec_consomme=acte.echec_consomme,
    )


def _parc(scenario: Scenario, bailleur: Organisation) -> None:
    importe = ImportRpls.objects.create(
        bailleur=bailleur,
        millesime=scenario.annee,
        nom_fichier="essai.csv",
        taille=0,
        sha256="0" * 64,
        etat=ImportRpls.Etat.APPLIQUE,
        applique_le=timezone.now(),
    )
    EtatParc.objects.create(
        bailleur=bailleur,
        departement_id=scenario.departement,
        millesime=scenario.annee,
        logements=sum(lot.nombre for lot in scenario.parc),
        import_rpls=importe,
        calcule_le=timezone.now(),
    )
    AgregatParc.objects.bulk_create(
        AgregatParc(
            bailleur=bailleur,
            departement_id=scenario.departement,
            millesime=scenario.annee,
            commune_id=lot.commune,
            qpv=lot.qpv,
            typologie="T3",
            financement="PLUS",
            periode="1971-90",
            finan=lot.finan,
            conv=lot.conv,
            mode=lot.mode,
            sortie=lot.sortie,
            typeconst=lot.typeconst,
            drapeaux=sorted(lot.drapeaux),
            statut="HORS_CHAMP",  # the calculation must not read it: the acts of the year decide
            nombre=lot.nombre,
        )
        for lot in scenario.parc
    )


def _liberations(
    scenario: Scenario, bailleur: Organisation, organisations: dict[Reservataire, Organisation]
) -> dict[str, Liberation]:
    lignes = [
        Liberation(
            bailleur=bailleur,
            departement_id=scenario.departement,
            commune_id=liberation.commune,
            cle_logement=liberation.id,
            reference=liberation.id,
            qpv=liberation.qpv,
            finan="13",
            conv="1",
            typologie="T3",
            financement="PLUS",
            periode="1971-90",
            statut_logement="CONVENTIONNE",
            dans_assiette=True,
            date=liberation.jour,
            usage=liberation.usage,
            premiere=liberation.premiere,
            annulee_le=liberation.jour if liberation.annulee else None,
            motif_annulation="essai" if liberation.annulee else "",
            reservataire=liberation.reservataire and organisations[liberation.reservataire],
            orientee_le=liberation.reservataire and liberation.jour,
            designation_echouee_le=liberation.jour
            if liberation.designation_echouee and liberation.reservataire
            else None,
        )
        for liberation in scenario.liberations
    ]
    return {ligne.reference: ligne for ligne in Liberation.objects.bulk_create(lignes)}


def _attributions(scenario: Scenario, bailleur: Organisation, liberations: dict[str, Liberation]) -> None:
    par_liberation = defaultdict(list)
    for attribution in sorted(scenario.attributions, key=lambda a: a.date_caleol):
        if attribution.date_caleol.year <= scenario.annee:
            par_liberation[attribution.liberation].append(attribution)
    motif = MotifRefus.objects.filter(porteur="MENAGE").order_by("pk").first()
    rangs = Counter()
    for identifiant, siennes in par_liberation.items():
        for attribution in siennes:
            derniere = attribution is siennes[-1]
            faits = attribution.faits
            rangs["menage"] += 1
            menage = Menage.objects.create(
                departement_id=scenario.departement,
                numero_hache=f"{bailleur.pk}-{rangs['menage']}",
                numero_fin=f"{rangs['menage'] % 10_000:04d}",
            )
            ligne = Attribution.objects.create(
                bailleur=bailleur,
                departement_id=scenario.departement,
                liberation=liberations[identifiant],
                menage=menage,
                date_proposition=faits.date_proposition,
                date_caleol=faits.date_caleol,
                refusee_le=None if derniere else faits.date_caleol,
                motif_refus=None if derniere else motif,
                date_bail=faits.date_bail if derniere else None,
                statut_emploi=faits.statut,
                motif_hors_prioritaire=attribution.motif or "",
                agent=faits.agent is not None,
                agent_accord_posterieur=bool(faits.agent and faits.agent.accord_posterieur),
                agent_adapte=bool(faits.agent and faits.agent.adapte),
            )
            if faits.agent and faits.agent.validation:
                agent_valide(menage, faits.agent.validation, bailleur, scenario.departement)
            labels = Labellisation.objects.bulk_create(_label(menage, label) for label in faits.labels)
            ligne.labels_admis.set(
                [pose for pose, label in zip(labels, faits.labels, strict=True) if label.exception]
            )


def _label(menage: Menage, label: Label) -> Labellisation:
    return Labellisation(
        departement_id=menage.departement_id,
        menage=menage,
        categorie_id=label.type,
        debut=label.debut,
        fin=label.fin,
    )
