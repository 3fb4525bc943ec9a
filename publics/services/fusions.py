"""A bailleur absorbs another: what it entered of households is the absorbing one's to read, and to answer for."""

from publics.models import DemandeMenage, DossierAgent, Labellisation, PropositionLabel


def sur_bailleurs_fusionnes(sender, absorbe, absorbant, effet, **_signal) -> None:
    """Receiver of `reservation.signaux.bailleurs_fusionnes`: inside its transaction."""
    en_attente = PropositionLabel.objects.filter(etat=PropositionLabel.Etat.PROPOSEE)
    deja = set(en_attente.filter(saisie_par=absorbant).order_by().values_list("menage_id", "categorie_id"))
    doubles = [
        p.pk
        for p in en_attente.filter(saisie_par=absorbe).order_by("pk")
        if (p.menage_id, p.categorie_id) in deja
    ]
    PropositionLabel.objects.filter(pk__in=doubles).update(etat=PropositionLabel.Etat.RETIREE)
    for modele in (Labellisation, PropositionLabel, DossierAgent, DemandeMenage):
        modele.objects.filter(saisie_par=absorbe).update(saisie_par=absorbant)
