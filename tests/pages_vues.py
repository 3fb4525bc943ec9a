"""What every test in a browser does with the page it sees: wait until its scripts are done with it, ask axe."""

from axe_playwright_python.sync_playwright import Axe

# The header's menu is a dialog under 62em and not above: the DSFR says so by this attribute, one frame or more after the
# page is loaded or its width changed. Between the two, axe would read a page that nobody is given.
_POSEE = """() => {
  const menu = document.querySelector('.fr-header__menu');
  const etroit = !matchMedia('(min-width: 62em)').matches;
  return !menu || !window.dsfr || menu.hasAttribute('aria-labelledby') === etroit;
}"""
_DEUX_IMAGES = "() => new Promise(suite => requestAnimationFrame(() => requestAnimationFrame(suite)))"


def attendre_une_image(page) -> None:
    """Until what the last key asked of the page is drawn.

    After Tab, the DSFR reads its open menu at the next frame; another key before that, which no hand is quick enough
    to press, finds the menu gone and leaves an error in the console.
    """
    page.evaluate(_DEUX_IMAGES)


def attendre_posee(page) -> None:
    """Until the DSFR has made the page what it is at this width."""
    page.wait_for_function(_POSEE)
    attendre_une_image(page)


def violations(page) -> list[tuple[str, str, list[str]]]:
    """What axe finds wrong on the page as it stands: address, rule, the first elements. Empty when nothing."""
    attendre_posee(page)
    return [
        (page.url, v["id"], [noeud["html"][:160] for noeud in v["nodes"][:4]])
        for v in Axe().run(page).response["violations"]
    ]


def sans_violation(page) -> None:
    """Once nothing is loading: axe finds nothing."""
    page.wait_for_load_state("networkidle")
    trouvees = violations(page)
    assert not trouvees, trouvees
