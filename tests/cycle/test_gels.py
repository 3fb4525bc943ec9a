"""A closed year: what the database refuses, in a sentence, and what belongs to the next year and stays free."""

from contextlib import nullcontext
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from bilans.services.donnees_bilan import lire_donnees
from flux.models import Attribution, CodeMotif, Depot, GelExercice, Imputation, Liberation
from flux.services.attributions import defaire_dernier_acte
from flux.services.file_de_calcul import marquer_a_calculer, traiter
from flux.services.imputations import imputer
from flux.services.statuts import reevaluer_statuts
from reservation.models import Convention, VersionConvention
from tests.flux.fabriques import actes_paca, attribution, liberation, menage
from tests.flux.tableaux import ENTETES, deposer, enregistrer, logements, xlsx

PHRASE = "Le bilan 2025 est validé : ses lignes sont figées."


@pytest.fixture
def gel(bilan):
    return GelExercice.objects.create(
        bailleur=bilan.bailleur, departement_id="06", annee=2025, fige=True, phrase=PHRASE
    )


def refuse(phrase=PHRASE):
    return pytest.raises(ValidationError, match=phrase)


def essayer(acte, attente=None):
    with attente or nullcontext(), transaction.atomic():
        acte()


def une(bilan, **champs) -> Attribution:
    return Attribution.objects.filter(bailleur=bilan.bailleur, **champs).order_by("pk").first()


def test_attributions_of_a_frozen_year(cast, bilan, gel):
    bailleur = bilan.bailleur
    faite = une(bilan, date_caleol=date(2025, 7, 1), refusee_le=None)
    libre = liberation(bailleur, date(2026, 1, 5))
    essayer(lambda: attribution(libre, date(2025, 12, 30), menage=menage("06")), refuse())
    essayer(lambda: attribution(libre, date(2026, 1, 10), menage=menage("06")))
    imputer(liberations=[libre.pk])
    siennes = Attribution.objects.filter(pk=faite.pk)
    essayer(lambda: Imputation.objects.filter(annee=2025).delete(), refuse())
    essayer(lambda: siennes.update(date_caleol=date(2025, 7, 2)), refuse())
    essayer(lambda: siennes.update(date_caleol=date(2026, 7, 2), date_bail=None), refuse())
    essayer(lambda: siennes.update(statut_emploi="SALARIE"), refuse())
    essayer(lambda: siennes.update(menage=menage("06")), refuse())
    essayer(lambda: siennes.update(date_bail=date(2025, 9, 9)), refuse())
    essayer(
        lambda: Attribution.objects.filter(refusee_le__year=2025).update(refusee_le=date(2026, 1, 2)),
        refuse(),
    )
    # What happens in 2026 is of 2026; what leads to a person may always be forgotten.
    sans_bail = une(bilan, date_bail=None, refusee_le=None, date_caleol=date(2025, 4, 1))
    essayer(lambda: Attribution.objects.filter(pk=sans_bail.pk).update(date_bail=date(2026, 1, 20)))
    essayer(
        lambda: Attribution.objects.filter(pk=sans_bail.pk).update(date_bail=date(2026, 1, 21), menage=None)
    )


def test_liberations_of_a_frozen_year(cast, bilan, gel):
    bailleur = bilan.bailleur
    essayer(lambda: liberation(bailleur, date(2025, 12, 31)), refuse())
    essayer(lambda: liberation(cast.bailleur_b, date(2025, 12, 31)))
    ouverte = Liberation.objects.filter(bailleur=bailleur, date=date(2025, 12, 1))
    essayer(lambda: ouverte.update(date=date(2026, 1, 1)), refuse())
    essayer(lambda: ouverte.update(usage="MUTATION"), refuse())
    essayer(lambda: ouverte.update(annulee_le=date(2026, 1, 2), motif_annulation="maintien"), refuse())
    essayer(lambda: ouverte.update(designation_echouee_le=date(2025, 12, 30)), refuse())
    essayer(lambda: ouverte.update(reservataire=None, orientee_le=None), refuse())
    essayer(lambda: ouverte.update(reservataire=cast.als, orientee_le=date(2026, 1, 8)))
    essayer(lambda: ouverte.update(designation_echouee_le=date(2026, 2, 1), adresse="2 rue Neuve"))
    essayer(lambda: ouverte.delete(), refuse())


def test_undoing_an_act_of_a_frozen_year_is_refused_with_its_sentence(cast, bilan, gel):
    """Taken back before the bilan, never after; nothing is half-undone."""
    acteur, motif = cast.acteur("gestionnaire_a"), CodeMotif.objects.filter(acte="CORRECTION").first()
    louee = une(bilan, date_bail=date(2025, 8, 1))
    annees = Imputation.objects.filter(annee=2025).count()
    essayer(lambda: defaire_dernier_acte(acteur, louee.liberation, motif=motif), refuse())
    louee.refresh_from_db()
    assert louee.date_bail == date(2025, 8, 1) and Imputation.objects.filter(annee=2025).count() == annees
    gel.delete()
    essayer(lambda: defaire_dernier_acte(acteur, louee.liberation, motif=motif))
    louee.refresh_from_db()
    assert louee.date_bail is None


def test_what_a_demand_opens_may_be_mended(cast, bilan, gel):
    gel.fige, gel.ouvertes = False, ["LIBERATIONS"]
    gel.save()
    essayer(lambda: liberation(bilan.bailleur, date(2025, 12, 31)))
    essayer(lambda: Attribution.objects.filter(date_caleol=date(2025, 7, 1)).update(agent=True), refuse())
    gel.ouvertes = ["ATTRIBUTIONS"]
    gel.save()
    essayer(lambda: liberation(bilan.bailleur, date(2025, 12, 30)), refuse())
    essayer(lambda: Attribution.objects.filter(date_caleol=date(2025, 7, 1)).update(agent=True))
    gel.delete()
    essayer(lambda: liberation(bilan.bailleur, date(2025, 12, 30)))


def test_frozen_imputations_are_not_computed_again(cast, bilan, gel):
    """Rules, acts and labels change; the title of each attribution of the frozen year does not."""

    def lire():
        return list(Imputation.objects.filter(bailleur=bilan.bailleur, annee=2025).order_by("pk").values())

    avant = lire()
    Convention.objects.filter(bailleur=bilan.bailleur).update(fin=date(2025, 1, 2))
    VersionConvention.objects.filter(bailleur=bilan.bailleur).update(soustractions=[])
    assert imputer(paires=[(bilan.bailleur_id, "06")]) == 0
    assert lire() == avant
    gel.fige = False
    gel.save()
    assert imputer(paires=[(bilan.bailleur_id, "06")]) > 0


def test_a_closed_year_is_still_computed_until_it_is_frozen(cast, bilan, gel):
    gel.fige = False
    gel.save()
    assert lire_donnees(bilan)
    Imputation.objects.filter(annee=2025).delete()
    assert imputer(paires=[(bilan.bailleur_id, "06")]) > 0


def test_the_statuses_of_a_closed_year_wait_for_its_lines_to_open(cast, bilan, gel):
    """An act or the parc changes: the job goes on for everybody, the closed year keeps what was submitted."""
    lignes = Liberation.objects.filter(bailleur=bilan.bailleur, date__year=2025)
    gel.delete()
    lignes.update(statut_logement="PLI")
    avant = list(lignes.order_by("pk").values())
    gel.save(force_insert=True)
    marquer_a_calculer([(bilan.bailleur_id, "06")], [2025], "essai", imputer=True, appeler=False)
    assert traiter("06", 2025).erreurs == 0
    assert list(lignes.order_by("pk").values()) == avant
    gel.fige, gel.ouvertes = False, ["LIBERATIONS"]
    gel.save()
    assert reevaluer_statuts([(bilan.bailleur_id, "06")], 2025) == len(avant)


def test_a_spreadsheet_that_meets_a_closed_year_writes_nothing_and_says_why(cast):
    actes_paca(cast)
    [reference] = logements(cast.bailleur_a, 1)
    depot = deposer(cast, xlsx(ENTETES, [[reference, "14/04/2026", "Flux", "", "ALS"]]))
    GelExercice.objects.create(bailleur=cast.bailleur_a, departement_id="06", annee=2026, phrase=PHRASE)
    depot = enregistrer(cast, depot)
    assert (depot.etat, depot.message) == (Depot.Etat.ECHEC, PHRASE)
    assert not Liberation.objects.exists()


def test_a_merger_takes_along_what_is_oriented_to_the_absorbed_bailleur(cast):
    """« Non réservé » is the bailleur itself: its row follows, whatever the year in which it was oriented."""
    a, b = cast.bailleur_a, cast.bailleur_b
    ouverte = liberation(b, date(2025, 11, 1), reservataire=b)
    GelExercice.objects.create(bailleur=a, departement_id="06", annee=2025, fige=True, phrase=PHRASE)
    siennes = Liberation.objects.filter(pk=ouverte.pk)
    essayer(lambda: siennes.update(bailleur=a))
    essayer(lambda: siennes.update(reservataire=a))
    essayer(lambda: siennes.update(reservataire=cast.als), refuse())
    essayer(lambda: siennes.update(reservataire=None, orientee_le=None), refuse())
