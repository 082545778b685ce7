"""Prepares the documentation site in _proc, where `quarto render` finds it, and looks for what would be wrong on it, without Quarto.

Prepared is what nbdev_proc_nbs prepares, and then what it leaves undone: links inside of signatures, which Markdown shows raw; cells that
are folded in Jupyter, which Quarto folds by a directive; widgets, which are dead without a kernel; headings, which Quarto names otherwise
than Jupyter; files that are no page, which are on GitHub. Then nbconvert renders each page to HTML. Found are links that lead nowhere,
headings and files included, pictures without an alternative text, and lines of a fixed width that a page cuts. Exit status 1 and a line each."""
import configparser, json, re, sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat, yaml
from check import TOP, fig_alt, has_picture
from nbconvert import HTMLExporter
from nbdev.quarto import refresh_quarto_yml
from nbdev.serve import proc_nbs

COLUMNS = 110 # of a block of fixed width in the text, such as a drawing: code and printed lines wrap, a drawing does not
FENCE = re.compile(r"^```.*?^```", re.M | re.S)
PRIVATE_LINK = re.compile(r"\[(`_\w+`)\]\(https?://[^)\s]+\)") # nbdev links to names that the site does not explain
SIGNATURE_LINK = re.compile(r"\[(`[^`]+`)\]\(https?://[^)\s]+\)")
HEADING = re.compile(r"^#{1,6} +(.+?)(?: *\{#([^}]+)\})? *$", re.M)
LINK = re.compile(r"\]\((?![a-z]+:)([^)\s#]*)(#[^)\s]*)?\)")
NUMBERED = re.compile(r"(\d\d)_\w+_student\.ipynb") # pages that the sidebar finds by a pattern, and lists by their titles
NO_ALT = "No description has been provided for this image" # what nbconvert writes where there is none


def unlink(text): return FENCE.sub(lambda block: SIGNATURE_LINK.sub(r"\1", block[0]), text)


def outside_fences(change, text):
    "`text` with `change` applied to what is no block of code."
    blocks = FENCE.findall(text)
    return "".join(change(part) + block for part, block in zip(FENCE.split(text), [*blocks, ""]))


def plain(heading):
    "A heading as it is read: without links, emphasis and code marks."
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")


def quarto_id(heading):
    "The name that Pandoc, and so Quarto, gives to a heading."
    text = re.sub(r"[^\w\s.-]", "", plain(heading).lower())
    return re.sub(r"^[^a-z]+", "", re.sub(r"\s+", "-", text.strip())) or "section"


def texts(nb):
    "All Markdown of a page: its cells, and what nbdev writes about functions."
    for cell in nb["cells"]:
        if cell["cell_type"] == "markdown": yield "".join(cell["source"])
        for output in cell.get("outputs", []): yield "".join(output.get("data", {}).get("text/markdown", ""))


def headings(nb):
    "{name in Jupyter: name on the site} of a page's headings."
    names, times = {}, {}
    for text in texts(nb):
        for heading, given in HEADING.findall(FENCE.sub("", text)):
            name = quarto_id(heading)
            n = times[name] = times.get(name, -1) + 1
            names.setdefault(plain(heading).replace(" ", "-"), given or (f"{name}-{n}" if n else name))
    return names


def for_the_site(nb, page, names, github):
    "Change one page: `page` is its path below nbs/, `names` the headings of all pages, `github` the address of the repository's files."
    def link(found):
        path, heading = found[1], unquote((found[2] or "#")[1:])
        file = (TOP/"nbs"/page).parent/path if path else TOP/"nbs"/page
        target = file.resolve()
        if target.is_relative_to(TOP) and not (path.endswith(".ipynb") or not path or target.is_relative_to(TOP/"nbs") and target.is_file()):
            return f"]({github}/{'tree' if target.is_dir() else 'blob'}/main/{target.relative_to(TOP)})" if target.exists() else found[0]
        known = names.get(target.relative_to(TOP/"nbs"), {}) if target.is_relative_to(TOP/"nbs") else {}
        return f"]({path}{'#' + known.get(heading, heading) if heading else ''})"
    if number := NUMBERED.match(page.name):                                         # the sidebar shows titles, in their order
        front = yaml.safe_load("".join(nb["cells"][0]["source"]).strip("-\n"))
        nb["cells"][0]["source"] = "---\n" + yaml.safe_dump(front | dict(title=f"{number[1]} {front['title']}")) + "---\n"
    for cell in nb["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown": cell["source"] = outside_fences(lambda part: LINK.sub(link, PRIVATE_LINK.sub(r"\1", part)), source)
        if cell["metadata"].get("jupyter", {}).get("source_hidden"): cell["source"] = "#| code-fold: true\n" + source
        if "outputs" in cell: cell["outputs"] = [o for o in cell["outputs"] if "application/vnd.jupyter.widget-view+json" not in o.get("data", {})]
        for output in cell.get("outputs", []):
            if "text/markdown" in output.get("data", {}): output["data"]["text/markdown"] = unlink("".join(output["data"]["text/markdown"]))
        if has_picture(cell): cell["metadata"]["alt"] = fig_alt(cell)


def prepare():
    "The folder with the prepared notebooks, and the notebooks by their path in it."
    refresh_quarto_yml() # nbs/nbdev.yml, from settings.ini
    site = Path(proc_nbs(n_workers=1, force=True, skip_file_re=r"^[_.]|\.py$"))
    books = {p.relative_to(site): json.loads(p.read_text(encoding="utf-8")) for p in sorted(site.rglob("*.ipynb"))}
    names = {page: headings(nb) for page, nb in books.items()}
    settings = configparser.ConfigParser()
    settings.read(TOP/"settings.ini")
    user, repo = (settings["DEFAULT"].get(k, raw=True) for k in ("user", "repo"))
    for page, nb in books.items():
        for_the_site(nb, page, names, f"https://github.com/{user}/{repo}")
        (site/page).write_text(json.dumps(nb, ensure_ascii=False), encoding="utf-8")
    return site, books


class Page(HTMLParser):
    "What is asked about a rendered page: its links, the alternative texts of its pictures, its anchors."
    def __init__(self, html):
        super().__init__()
        self.links, self.alts, self.anchors = [], [], set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if attrs.get("id"): self.anchors.add(attrs["id"])
        if tag == "a" and attrs.get("href"): self.links.append(attrs["href"])
        if tag == "img" and not (attrs.get("src") or "data:").startswith("data:"): self.links.append(attrs["src"])
        if tag == "img": self.alts.append((attrs.get("alt") or "").replace(NO_ALT, "").strip())


def with_pictures_named(nb):
    "Pictures as HTML with their alternative text: nbconvert takes it for some kinds of pictures only. Their content is left out."
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            if any(kind.startswith("image/") for kind in output.get("data", {})):
                output["data"] = {"text/html": f'<img alt="{cell.metadata.get("alt") or ""}">'}
    return nb


def render(nb, exporter):
    "One page as HTML."
    return Page(exporter.from_notebook_node(with_pictures_named(nbformat.reads(json.dumps(nb), 4)))[0])


def faults(site, books):
    "A line for each thing that is wrong on the site."
    quick = dict(clean_html=lambda html, **_: html, highlight_code=lambda source, **_: "<pre></pre>")  # they take most of the time and find nothing
    exporter = HTMLExporter(template_name="basic", exclude_anchor_links=True, filters=quick)
    shown = {page: render(nb, exporter) for page, nb in books.items()}
    anchors = {page: {*headings(nb).values(), *shown[page].anchors} for page, nb in books.items()}
    home = yaml.safe_load((site/"nbdev.yml").read_text())["website"]["site-url"] + "/"
    address = {}
    for page, nb in books.items():
        name = yaml.safe_load("".join(nb["cells"][0]["source"]).strip("-\n"))["output-file"]
        if (url := str(page.parent/name)) in address: yield f"{page}: the site has it as {url}, and {address[url]} too: one would overwrite the other"
        address[url] = page
    for page, html in shown.items():
        yield from (f"{page}: a picture without an alternative text" for alt in html.alts if not alt)
        for href in html.links:
            path, _, anchor = href.partition("#")
            if path.startswith(home): target = address.get(path.removeprefix(home))
            elif re.match(r"\w+:|//", path): continue
            else: target = Path(*(site/page).parent.joinpath(path).resolve().relative_to(site.resolve()).parts) if path else page
            if target is None or target not in books and not (site/target).is_file(): yield f"{page}: a link leads nowhere: {href}"
            elif anchor and target in books and unquote(anchor) not in anchors[target]: yield f"{page}: a link leads to no heading of {target}: {href}"
        for text in texts(books[page]):
            for block in FENCE.findall(text):
                if block.startswith("```\n") and (wide := max(map(len, block.splitlines()))) > COLUMNS:
                    yield f"{page}: a block of {wide} columns, at most {COLUMNS} fit: {block.splitlines()[1].strip()[:40]}..."


if __name__ == "__main__":
    assert unlink("[`a`](https://x/a)\n```python\nf(x) # as [`a`](https://x/a#a) has it\n```\n") == "[`a`](https://x/a)\n```python\nf(x) # as `a` has it\n```\n"
    assert [quarto_id(h) for h in ("1. A bin is a *complex* number", "query, key, value", "`fit`: one call", "2.")] == ["a-bin-is-a-complex-number", "query-key-value", "fit-one-call", "section"]
    found = list(faults(*prepare()))
    print("\n".join(found) or f"no faults in the {len(list(Path('_proc').rglob('*.ipynb')))} pages in _proc")
    sys.exit(bool(found))
