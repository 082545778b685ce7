"""Slides out of the lessons themselves, in _slides: reveal.js, by nbconvert.

    .venv/bin/python .ci/slides.py [--look FOLDER]

A cell is shown if its metadata says so (`slideshow.slide_type`: slide, subslide, fragment, or - to stay on the same slide; in JupyterLab
the property inspector sets it); `notes` are for the speaker (key S). Other cells are left out. The code of folded cells is left out, their
pictures are not. reveal.js, MathJax, jQuery and RequireJS come from npm, once, so that the slides work offline; without npm they come from
a CDN when the slides are shown. --look opens every slide in Chromium, saves it, and ends with status 1 if something is cut off."""
import argparse, base64, re, shutil, subprocess, sys
from html import escape
from pathlib import Path

import nbformat
from check import TOP, fig_alt
from nbconvert import SlidesExporter

OUT = TOP/"_slides"
WIDTH, HEIGHT = 1280, 720
PACKAGES = {"reveal.js": "4.0.2", "mathjax": "2.7.7", "jquery": "3.7.1", "requirejs": "2.3.7"}
LOCAL = dict(reveal_url_prefix="node_modules/reveal.js", jquery_url="node_modules/jquery/dist/jquery.min.js",
             mathjax_url="node_modules/mathjax/MathJax.js?config=TeX-AMS_CHTML-full,Safe",
             require_js_url="node_modules/requirejs/require.js")
STYLE = """<style>
.reveal .slides {text-align: left}
.reveal .slides section {padding: 0}
.reveal .slides .jp-RenderedHTMLCommon, .reveal .slides .jp-RenderedHTMLCommon table {font-size: 22px; line-height: 1.3}
.reveal .slides .jp-RenderedHTMLCommon p, .reveal .slides .jp-RenderedHTMLCommon li {margin: .3em 0}
.reveal .slides .jp-RenderedHTMLCommon td, .reveal .slides .jp-RenderedHTMLCommon th {padding: 2px 12px}
.reveal .slides td code, .reveal .slides td .mjx-chtml, .reveal .slides th .mjx-chtml {white-space: nowrap}
.reveal .slides h1 {font-size: 1.9em} .reveal .slides h2 {font-size: 1.5em} .reveal .slides h3 {font-size: 1.25em}
.reveal .slides h1, .reveal .slides h2, .reveal .slides h3 {margin: 0 0 .4em; text-transform: none}
.reveal .slides pre {font-size: 18px; width: auto; margin: 2px 0; box-shadow: none}
.reveal .slides .jp-InputPrompt, .reveal .slides .jp-OutputPrompt, .reveal .slides .jp-Collapser {display: none}
.reveal .slides .picture {width: 1000px; max-width: 100%; max-height: 400px; object-fit: contain; margin: 4px 0}
.reveal .slides audio {height: 30px}
</style>"""


def kind(cell): return cell.metadata.get("slideshow", {}).get("slide_type")


def picture(output, alt):
    "A picture as HTML with its alternative text, which nbconvert drops for some kinds."
    mime = next(k for k in ("image/svg+xml", "image/jpeg", "image/png") if k in output.data)
    data = base64.b64encode(output.data[mime].encode()).decode() if mime == "image/svg+xml" else output.data[mime].strip()
    return {"text/html": f'<img class="picture" alt="{escape(alt or "")}" src="data:{mime};base64,{data}">'}


def deck(nb):
    "The notebook as it is shown: what is no slide left out, directives and folded code too."
    for cell in nb.cells:
        if kind(cell) is None: cell.metadata["slideshow"] = {"slide_type": "skip"}
        if cell.cell_type != "code": continue
        alt = fig_alt(cell)
        cell.source = re.sub(r"^(#\||%).*\n?", "", cell.source, flags=re.M)
        cell.metadata["transient"] = {"remove_source": bool(cell.metadata.get("jupyter", {}).get("source_hidden")) or not cell.source.strip()}
        for output in cell.outputs:
            if any(k.startswith("image/") for k in output.get("data", {})): output.data = picture(output, alt)
    return nb


def make():
    "The decks that were written, by the name of their lesson."
    OUT.mkdir(exist_ok=True)
    npm = shutil.which("npm")
    if npm and not (OUT/"node_modules"/"reveal.js").is_dir():
        subprocess.run([npm, "install", "--silent", "--no-save", "--no-audit", "--no-fund", "--prefix", str(OUT),
                        *(f"{name}@{version}" for name, version in PACKAGES.items())], check=True)
    offline = LOCAL | dict(mermaid_js_url="data:text/javascript,export default {initialize() {}}") if npm else {}
    exporter = SlidesExporter(reveal_width=str(WIDTH), reveal_height=str(HEIGHT), reveal_number="c/t", reveal_transition="none", **offline)
    decks = {}
    for path in sorted((TOP/"nbs").glob("[0-9]*.ipynb")):
        nb = nbformat.read(path, 4)
        if not any(map(kind, nb.cells)): continue
        html, _ = exporter.from_notebook_node(deck(nb), {"metadata": {"name": path.stem}})
        decks[path.stem] = OUT/f"{path.stem}.slides.html"
        html = html.replace("</head>", STYLE + "</head>").replace("Reveal.initialize(", "window.Reveal = Reveal; Reveal.initialize(").replace("controls: true,", "controls: true, center: false,")
        html = re.sub(r"(linebreaks: \{\s*automatic: )true", r"\1false", html) # in the narrow column of a table MathJax broke at each sign
        decks[path.stem].write_text(html, encoding="utf-8")
    return decks


CUT = """() => {const s = Reveal.getCurrentSlide(), box = s.getBoundingClientRect(), k = Reveal.getScale(), found = [];
const right = box.left + WIDTH*k + 2, below = box.top + HEIGHT*k + 2;
for (const e of s.querySelectorAll('p, li, tr, img, audio, h1, h2, h3, pre span, .MJXc-display')) {
  const r = e.getBoundingClientRect(), what = e.tagName + ' ' + e.textContent.slice(0, 30);
  if (e.closest('aside') || !r.width) continue;
  if (r.right > right) found.push('cut at the right: ' + what);
  if (r.bottom > below) {found.push('cut below: ' + what); break}}
return found}""".replace("WIDTH", str(WIDTH)).replace("HEIGHT", str(HEIGHT))


def look(decks, folder):
    "What is cut off; a picture of every slide below `folder`."
    from browser import FLAGS, chromium
    from playwright.sync_api import sync_playwright
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as p:
        page = p.chromium.launch(executable_path=chromium(), args=FLAGS).new_page(viewport=dict(width=WIDTH, height=HEIGHT))
        for name, path in decks.items():
            page.goto(path.as_uri())
            page.wait_for_function("window.Reveal && Reveal.isReady() && window.MathJax && MathJax.isReady")
            for number in range(page.evaluate("Reveal.getTotalSlides()")):
                page.evaluate("document.querySelectorAll('.fragment').forEach(e => e.classList.add('visible'))")
                page.wait_for_timeout(300) # formulas are set anew on the slide that is shown
                page.evaluate("() => new Promise(done => MathJax.Hub.Queue(done))")
                page.screenshot(path=folder/f"{name}-{number:02d}.png")
                yield from (f"{name}, slide {number}: {fault}" for fault in page.evaluate(CUT))
                page.evaluate("for (let n = 0; n < 20 && Reveal.getSlidePastCount() == PAST; n++) Reveal.next()".replace("PAST", str(number)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="slides out of the lessons")
    parser.add_argument("--look", type=Path, metavar="FOLDER", help="open every slide in Chromium, and save it here")
    look_at, decks = parser.parse_args().look, make()
    for path in decks.values(): print(f"{path.relative_to(TOP)}: open it in a browser; S shows the speaker's notes, ?print-pdf prints")
    found = list(look(decks, look_at)) if look_at else []
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
