"""Pages already rendered, read by a real Chromium: axe, structure, reflow, enlargement, keyboard.

A page is given to the browser by a small server of this process, beside the real static files, so that what a test
has written in its savepoint can be looked at. Every examiner returns sentences, one for each fault; none is a pass.
"""

import json
import mimetypes
import re
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import axe_playwright_python
from django.contrib.staticfiles import finders

from tests.pages_vues import attendre_posee

LARGE, ETROIT = {"width": 1280, "height": 900}, {"width": 320, "height": 900}
# What a person sees with a zoom of 200 % in a window of 1280 pixels.
MOITIE = {"width": 640, "height": 450}
AXE = "/axe.min.js"
# Text alone at 200 %, as Firefox does it; the spacings that a reader may ask for (WCAG 1.4.12).
TEXTES = {
    "texte à 200 %": "html { font-size: 200% !important }",
    "texte espacé": "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
    " p { margin-bottom: 2em !important }",
}


@cache
def _axe() -> bytes:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_bytes()


@cache
def _statique(chemin: str) -> tuple[bytes, str] | None:
    trouve = finders.find(chemin)
    if not trouve:
        return None
    return Path(trouve).read_bytes(), mimetypes.guess_type(trouve)[0] or "application/octet-stream"


class _Reponses(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        chemin, duree = urlsplit(self.path).path, "max-age=3600"
        if chemin.startswith("/static/") and (fichier := _statique(chemin.removeprefix("/static/"))):
            self._repondre(200, *fichier, duree)
        elif chemin == AXE:
            self._repondre(200, _axe(), "text/javascript", duree)
        elif chemin in self.server.pages:
            self._repondre(200, self.server.pages[chemin].encode(), "text/html; charset=utf-8", "no-store")
        else:
            self._repondre(404, b"", "text/plain", "no-store")

    def _repondre(self, code: int, corps: bytes, nature: str, cache_: str) -> None:
        self.send_response(code)
        for nom, valeur in (
            ("Content-Type", nature),
            ("Content-Length", str(len(corps))),
            ("Cache-Control", cache_),
        ):
            self.send_header(nom, valeur)
        self.end_headers()
        self.wfile.write(corps)

    def log_message(self, *_):
        """The standard error of the tests is for the tests."""


class Vitrine:
    """One tab, and the server that gives it pages. `montrer(html)` first, then the examiners."""

    def __init__(self, navigateur) -> None:
        self.serveur = ThreadingHTTPServer(("127.0.0.1", 0), _Reponses)
        self.serveur.daemon_threads = True
        self.serveur.pages = {}
        threading.Thread(target=self.serveur.serve_forever, daemon=True).start()
        self.contexte = navigateur.new_context(viewport=LARGE, locale="fr-FR", timezone_id="Europe/Paris")
        self.contexte.set_default_timeout(60_000)
        self.page = self.contexte.new_page()

    def fermer(self) -> None:
        self.contexte.close()
        self.serveur.shutdown()
        self.serveur.server_close()

    def montrer(self, html: str, url: str = "/", taille: dict | None = None) -> None:
        """Load the page at its own address, with its sheets and its scripts. What htmx asks for gets a 404."""
        chemin = urlsplit(url).path
        self.serveur.pages = {chemin: html}
        if taille:
            self.page.set_viewport_size(taille)
        self.page.goto(f"http://127.0.0.1:{self.serveur.server_port}{url}", wait_until="load")
        attendre_posee(self.page)
        # What a click unfolds is read too; of a long list of the same (the operations of the API), the first ones.
        self.page.evaluate(
            "[...document.querySelectorAll('details')].slice(0, 20).forEach(repli => { repli.open = true; })"
        )

    def examiner(self, contraste: bool = True) -> list[str]:
        """Structure, axe on the wide page, overflow on the narrow one: from the width of the page before, changed once."""
        large = self.page.viewport_size == LARGE
        fautes = self.structure() + (self.axe(contraste) if large else self.debordement())
        self.page.set_viewport_size(ETROIT if large else LARGE)
        attendre_posee(self.page)
        return fautes + (self.debordement() if large else self.axe(contraste))

    def axe(self, contraste: bool = True) -> list[str]:
        """Every rule of axe that is on by default, good practice included. The contrast is a third of its time."""
        self.page.add_script_tag(url=AXE)
        violations = self.page.evaluate(
            "contraste => axe.run(document, {resultTypes: ['violations'], preload: false,"
            " rules: {'color-contrast': {enabled: contraste}}}).then(r => r.violations.map("
            "v => v.id + ' : ' + v.nodes.slice(0, 4).map(n => n.html.slice(0, 160)).join(' ; ')))",
            contraste,
        )
        return [f"axe, {v}" for v in violations]

    def structure(self) -> list[str]:
        return self.page.evaluate(STRUCTURE)

    def debordement(self) -> list[str]:
        """The page must not scroll sideways; only a region made for it (`.defile`) may."""
        return self.page.evaluate(DEBORDEMENT)

    def coupures(self) -> list[str]:
        """Texts whose box hides a part of them."""
        return self.page.evaluate(COUPURES)

    def lisible(self) -> list[str]:
        """Nothing runs over nor is cut: text alone at 200 %, text spaced, then the whole page at 200 %."""
        fautes = []
        for nom, style in TEXTES.items():
            pose = self.page.add_style_tag(content=style)
            fautes += [f"{nom} : {faute}" for faute in self.debordement() + self.coupures()]
            pose.evaluate("style => style.remove()")
        self.page.set_viewport_size(MOITIE)
        attendre_posee(self.page)
        return fautes + [f"zoom à 200 % : {faute}" for faute in self.debordement() + self.coupures()]

    def parcourir_au_clavier(self) -> tuple[list[dict], list[str]]:
        """Tab from the top to the end of the page: each stop, and what is wrong with the walk."""
        attendus = self.page.evaluate(ATTEIGNABLES)
        arrets, fautes, sur_place = [], [], 0
        # From the top, whatever field the page has put the focus in.
        self.page.evaluate(
            "document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')"
        )
        for _ in range(5 * attendus):
            self.page.keyboard.press("Tab")
            arret = self.page.evaluate(ARRET)
            if arret is None:
                break
            if arrets and arret["rang"] == arrets[-1]["rang"]:
                sur_place += 1  # day, month, year and calendar of one date
                if not arret["en_parties"] or sur_place > 6:
                    fautes.append(f"le focus reste sur {arret['quoi']}")
                    break
                continue
            sur_place = 0
            if arret["rang"] in {a["rang"] for a in arrets}:
                break
            arrets.append(arret)
        rangs = [a["rang"] for a in arrets]
        if rangs != sorted(rangs):
            fautes.append("l’ordre du focus n’est pas celui de la page")
        fautes += [f"focus invisible : {a['quoi']}" for a in arrets if not a["visible"]]
        fautes += [f"focus caché ou hors de l’écran : {a['quoi']}" for a in arrets if not a["a_l_ecran"]]
        if len(arrets) < attendus:
            fautes.append(f"{len(arrets)} arrêts au clavier pour {attendus} éléments à atteindre")
        return arrets, fautes


_ATTRIBUTS = re.compile(r"""(?:class|role|type|scope)="[^"]*"|aria-[a-z]+|tabindex""")
_BALISES = re.compile(r"<([a-z0-9]+)([^>]*)>")


def forme(html: str) -> set[str]:
    """What the markup is made of, without its words, its numbers and its names: two pages with the same add nothing."""
    return {
        nom + " ".join(sorted(_ATTRIBUTS.findall(re.sub(r"\d+", "", attributs))))
        for nom, attributs in _BALISES.findall(html)
    }


# Attributes of presentation that HTML 5 has given up (RGAA 10.1), and what a table, an image, a link owes its reader.
STRUCTURE = r"""() => {
  const fautes = [], dire = (quoi, e) => fautes.push(quoi + (e ? ' : ' + e.outerHTML.slice(0, 140) : ''));
  const tous = (s) => [...document.querySelectorAll(s)];
  if (document.documentElement.lang !== 'fr') dire('langue de la page absente');
  if (document.doctype === null) dire('doctype absent');
  const titre = document.title.trim();
  if (titre.split('–').filter(x => x.trim()).length < 2) dire('titre de page sans sujet ou sans nom de site : ' + titre);
  const un = (s, quoi) => { if (tous(s).length !== 1) dire(tous(s).length + ' ' + quoi); };
  un('h1', 'titres de niveau 1'); un('main', 'zones de contenu principal'); un('body > header', 'en-têtes');
  if (tous('.fr-skiplinks').length) un('body > footer', 'pieds de page');
  const premier = document.querySelector('h1');
  if (premier && !premier.textContent.trim()) dire('titre de niveau 1 vide');
  for (const a of tous('.fr-skiplinks a')) if (!document.querySelector(a.getAttribute('href'))) dire('lien d’évitement sans cible', a);
  const vus = new Set();
  for (const e of tous('[id]')) { if (vus.has(e.id)) dire('identifiant en double ' + e.id, e); vus.add(e.id); }
  for (const e of tous('[aria-describedby], [aria-labelledby], [aria-controls]'))
    for (const nom of ['aria-describedby', 'aria-labelledby'])
      for (const id of (e.getAttribute(nom) || '').split(/\s+/).filter(Boolean))
        if (!vus.has(id)) dire(nom + ' sans cible ' + id, e);
  for (const t of tous('table')) {
    if (t.getAttribute('role') === 'presentation') continue;
    if (!(t.caption && t.caption.textContent.trim()) && !t.getAttribute('aria-label') && !t.getAttribute('aria-labelledby')) dire('tableau sans titre', t);
    for (const th of t.querySelectorAll('th')) if (!th.getAttribute('scope') && th.textContent.trim()) dire('en-tête de tableau sans portée', th);
  }
  for (const e of tous('img')) if (!e.hasAttribute('alt')) dire('image sans alternative', e);
  // A drawing whose parts are links is a named group; any other is hidden or an image.
  const groupe = (e) => e.getAttribute('role') === 'group' && e.getAttribute('aria-label') && e.querySelector('a');
  for (const e of tous('svg')) if (e.getAttribute('aria-hidden') !== 'true' && e.getAttribute('role') !== 'img' && !groupe(e) && !e.closest('[aria-hidden=true]')) dire('dessin ni caché ni nommé', e);
  for (const e of tous('svg[role=img]')) if (!e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby') && !e.querySelector('title')) dire('dessin sans nom', e);
  for (const e of tous('a[target=_blank]')) if (!/nouvel/i.test((e.title || '') + e.textContent + (e.getAttribute('aria-label') || ''))) dire('nouvelle fenêtre non annoncée', e);
  for (const e of tous('[tabindex]')) if (e.tabIndex > 0) dire('ordre de tabulation forcé', e);
  for (const e of tous('a[title], button[title]')) { const t = e.textContent.trim().toLowerCase(); if (t && !e.title.toLowerCase().includes(t)) dire('l’infobulle ne reprend pas l’intitulé', e); }
  for (const e of tous('a:not([href])')) if (!e.hasAttribute('role') && e.getAttribute('aria-current') === null) dire('lien sans adresse', e);
  for (const e of tous('center, font, big, tt, marquee, blink, [align], [bgcolor], [border], [cellpadding], [cellspacing], [valign], [bordercolor], :is(table, td, th, col)[width], :is(td, th, tr)[height]'))
    dire('présentation dans le balisage', e);
  for (const e of tous('fieldset')) if (!e.querySelector('legend') && !e.getAttribute('aria-labelledby') && !e.getAttribute('aria-label')) dire('groupe de champs sans légende', e);
  for (const e of tous('input[aria-invalid=true], select[aria-invalid=true], textarea[aria-invalid=true]'))
    if (!e.getAttribute('aria-describedby') && !e.closest('fieldset[aria-labelledby]')) dire('erreur sans lien avec son champ', e);
  return fautes;
}"""

DEBORDEMENT = r"""() => {
  const racine = document.documentElement, large = racine.clientWidth;
  if (racine.scrollWidth <= large) return [];
  const coupables = [...document.querySelectorAll('body *')].filter(
    e => e.getBoundingClientRect().right > large + 1 && !(e.closest('.defile') && !e.matches('.defile')));
  const qui = coupables.filter(e => !coupables.some(f => f !== e && e.contains(f))).slice(0, 3);
  return ['déborde à ' + large + ' px (' + racine.scrollWidth + ') : ' + qui.map(e => e.outerHTML.slice(0, 120)).join(' ; ')];
}"""

COUPURES = r"""() => [...document.querySelectorAll('body *')].filter(e => {
  if (!e.textContent.trim() || !e.getClientRects().length || e.closest('.fr-btn[title]') /* an icon alone */ || e.querySelector('.fr-btn--menu') && e.closest('.fr-header__brand') || e.closest('.vh, .fr-sr-only, [hidden], .fr-collapse:not(.fr-collapse--expanded), .fr-modal, svg, [aria-hidden=true], select, option')) return false;
  const s = getComputedStyle(e);
  if (s.clipPath !== 'none' || s.position === 'absolute' && e.clientWidth <= 1) return false;
  const x = ['hidden', 'clip'].includes(s.overflowX) && e.scrollWidth > e.clientWidth + 2;
  const y = ['hidden', 'clip'].includes(s.overflowY) && e.scrollHeight > e.clientHeight + 2;
  return x || y;
}).slice(0, 5).map(e => 'texte coupé : ' + e.outerHTML.slice(0, 160))"""

_ATTEIGNABLES = r"""
  const atteignables = () => [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]')].filter(e => {
      if (e.disabled || e.tabIndex < 0 || !e.getClientRects().length) return false;
      if (getComputedStyle(e).visibility === 'hidden') return false;
      if (e.type === 'radio' && e.name) {
        const freres = [...document.querySelectorAll('input[type=radio][name="' + CSS.escape(e.name) + '"]')].filter(f => f.form === e.form);
        return e === (freres.find(f => f.checked) || freres[0]);
      }
      return true; });"""

ATTEIGNABLES = "() => {" + _ATTEIGNABLES + " return atteignables().length; }"

# One stop: its rank in the document, whether a mark shows it, whether it is on the screen and not under something else.
ARRET = r"""() => {
  const e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return null;
  const rang = [...document.querySelectorAll('*')].indexOf(e);
  const cadre = e.getBoundingClientRect();
  const marque = (x) => { const s = getComputedStyle(x); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1; };
  const voisins = [e, e.nextElementSibling, e.labels && e.labels[0], e.parentElement].filter(Boolean);
  const pseudo = [e, e.nextElementSibling].filter(Boolean).some(x => ['::before', '::after'].some(
    p => { const s = getComputedStyle(x, p); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1; }));
  const x = Math.min(Math.max(cadre.left + Math.min(cadre.width, 40) / 2, 0), innerWidth - 1);
  const y = Math.min(Math.max(cadre.top + Math.min(cadre.height, 30) / 2, 0), innerHeight - 1);
  const dessus = document.elementFromPoint(x, y);
  return {rang, quoi: e.outerHTML.slice(0, 120), texte: (e.innerText || e.value || '').trim(),
    en_parties: e.matches('input[type=date], input[type=time], input[type=month], input[type=datetime-local]'),
    visible: voisins.some(marque) || pseudo,
    a_l_ecran: cadre.width > 0 && cadre.bottom > 0 && cadre.top < innerHeight && !!dessus &&
      (e.contains(dessus) || dessus.contains(e) || (e.labels && [...e.labels].some(l => l.contains(dessus))) || e.tabIndex === 0 && e.matches('.defile'))};
}"""


def en_clair(fautes: list[str]) -> str:
    return json.dumps(fautes, ensure_ascii=False, indent=1)
