"""Gates of the Historique of the objects of the ground floor: the same that open their pages."""

from django.urls import reverse

from reservation.acteur import Acteur
from reservation.models import Convention, EtatParc, Organisation
from reservation.services.historique import Objet, declarer


def numero(cle: str) -> int | None:
    """A primary key that PostgreSQL can hold, or None."""
    return int(cle) if cle.isascii() and cle.isdecimal() and len(cle) < 19 else None


def paire(cle: str) -> tuple[int, str] | None:
    """ "12-06" → (12, "06"): a bailleur in a département."""
    bailleur, tiret, departement = cle.partition("-")
    connu = numero(bailleur)
    return (connu, departement) if tiret and connu is not None and departement.isalnum() else None


@declarer("convention")
def convention(acteur: Acteur, cle: str) -> Objet | None:
    trouvee = Convention.objects.visibles_par(acteur).filter(pk=numero(cle)).first()
    if trouvee is None:
        return None
    return Objet(
        "convention",
        str(trouvee.pk),
        f"{'Arrêté' if trouvee.nature == Convention.Nature.ARRETE else 'Convention'} {trouvee.numero}",
        reverse("reservation:convention", args=[trouvee.pk]),
    )


@declarer("parc")
def parc(acteur: Acteur, cle: str) -> Objet | None:
    lue = paire(cle)
    etat = lue and (
        EtatParc.objects.visibles_par(acteur)
        .filter(bailleur=lue[0], departement=lue[1])
        .select_related("bailleur", "departement")
        .first()
    )
    if not etat:
        return None
    return Objet(
        "parc",
        f"{etat.bailleur_id}-{etat.departement_id}",
        f"Parc de {etat.bailleur}, {etat.departement}",
        reverse("reservation:parc_detail", args=[etat.bailleur_id, etat.departement_id]),
    )


@declarer("organisation")
def organisation(acteur: Acteur, cle: str) -> Objet | None:
    """One's own: the names of the others are known, not their life."""
    if acteur.organisation_id is None or numero(cle) != acteur.organisation_id:
        return None
    sienne = Organisation.objects.get(pk=acteur.organisation_id)
    return Objet("organisation", str(sienne.pk), str(sienne), reverse("reservation:mes_acces"))
