"""Letters of the demonstration: those that the acts of its procedures call for, signed, sent and received at their dates."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from bilans.documents import lettre as pdf
from bilans.models import EtapeLettre, EtapeProcedure, Lettre
from bilans.regles.courriers import ModeleInvalide
from bilans.regles.lettres import numero
from bilans.regles.procedures import TABLE, Acte, Sorte
from bilans.regles.procedures import Lettre as Nature
from bilans.regles.procedures_delais import Suite
from bilans.services import lettres_procedures
from bilans.services.lettres import composer_courrier, valeurs_de
from reservation.models import Organisation, Rattachement

_LETTRES = {(t.sorte, t.acte): t.lettre for t in TABLE if t.lettre}
_ENVOI = "1A 234 567 8901 2"
# Days after the signature, for a letter that starts no clock.
_ACHEMINEMENT = timedelta(days=2)
_ENTETE = {
    "autorite": "Préfet des Alpes-Maritimes (démonstration)",
    "direction": "Direction départementale de l’emploi, du travail et des solidarités\nService fictif du logement",
    "lieu": "Nice",
    "adresse": "À l’attention de la direction générale\n1, rue de l’Exemple\n06000 Nice",
    "appel": "Madame la Directrice générale, Monsieur le Directeur général,",
    "fonction": "la directrice départementale",
    "service": "pôle « gestion en flux »",
    "contact": "04 00 00 00 00, flux@demo.example",
    "delegation": "arrêté fictif n° 06-2026-000",
    "tribunal": "tribunal administratif de Nice",
    "presents": "le directeur général du bailleur ; la cheffe du service",
    "motif": "les causes invoquées ne sont pas établies",
}


def notifier(organisations: Mapping[str, Organisation]) -> int:
    """A letter for each act of the procedures of the Alpes-Maritimes whose facts allow one; returns how many."""
    etat = organisations.get("ddets-06")
    signataire = (
        Rattachement.objects.filter(organisation=etat, role="SIGNATURE").select_related("utilisateur").first()
    )
    if etat is None or signataire is None or Lettre.objects.exists():
        return 0
    actes = (
        EtapeProcedure.objects.filter(departement="06")
        .select_related("procedure__bailleur", "procedure__departement")
        .order_by("le", "pk")
    )
    faites: Counter[Nature] = Counter()
    for acte in actes:
        nature = _LETTRES.get((Sorte(acte.sorte), Acte(acte.acte)))
        if nature is not None and _notifier(acte, nature, etat, signataire.utilisateur, faites[nature] + 1):
            faites[nature] += 1
    return faites.total()


def _notifier(acte: EtapeProcedure, nature: Nature, etat: Organisation, signataire, rang: int) -> bool:
    """Write, sign, send and receive one letter; False when its facts are not there."""
    jour = acte.le.date()
    contexte = lettres_procedures.lire(acte.procedure, jour)
    lettre = Lettre(
        bailleur=acte.procedure.bailleur,
        departement=acte.procedure.departement,
        procedure=acte.procedure,
        acte=acte,
        convention=contexte.convention,
        nature=nature,
        numero=numero(nature, acte.departement_id, jour.year, rang),
        annee=acte.procedure.annee,
        saisies=_ENTETE,
        ecrite_par=signataire,
    )
    try:
        courrier = composer_courrier(lettre, contexte, signataire=signataire.nom, jour=jour, projet=False)
    except ModeleInvalide:
        return False
    rendu = pdf.rendre(courrier)
    lettre.objet = courrier.lettre.objet
    lettre.signee_le = acte.le
    lettre.jour = jour
    lettre.signataire, lettre.signataire_nom, lettre.organisation = signataire, signataire.nom, etat
    lettre.delegation = _ENTETE["delegation"]
    lettre.faits = valeurs_de(lettre, contexte)
    lettre.constat = courrier.constat._asdict() if courrier.constat else {}
    lettre.octets, lettre.empreinte, lettre.pages = rendu.octets, rendu.empreinte, rendu.pages
    lettre.envoyee_le, lettre.suite = jour, Suite.RECEPTION
    # What started a clock was received on the day that the procedure holds.
    recue = (
        EtapeProcedure.objects.filter(
            procedure=acte.procedure, acte=Acte.CONSTATER_RECEPTION, rang=acte.rang + 1
        )
        .values_list("jour", flat=True)
        .first()
    )
    lettre.date_certaine = recue or jour + _ACHEMINEMENT
    lettre.save(force_insert=True)
    EtapeLettre.objects.bulk_create(
        EtapeLettre(
            lettre=lettre,
            rang=i,
            suite=suite,
            jour=le,
            numero=numero_,
        )
        for i, (suite, le, numero_) in enumerate(
            ((Suite.ENVOI, jour, _ENVOI), (Suite.RECEPTION, lettre.date_certaine, "")), 1
        )
    )
    return True
