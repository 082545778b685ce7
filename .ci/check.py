"""What the notebooks, as files, have to keep: one module has one notebook, saved outputs are fit to be read elsewhere, and the site shows all pages.

    python .ci/check.py [notebooks, by default all below nbs/]

Exit status 1 and a line for each fault."""
import ast, json, re, sys
from pathlib import Path

import nbformat, yaml

TOP = Path(__file__).resolve().parent.parent
KB = 320 # of a notebook with its outputs
WIDTH = {"engine": 120, "experiments": 120} # of a line of code, by folder; 100 in lessons and exercises
EXPORTED = 40 # lines of code in an exported cell, blank ones and directives left out
PROSE = {"engine": .3} # share of the cells a reader sees that are text, by folder; 0.35 elsewhere
MODULE = re.compile(r"^#\|\s*default_exp\s+(\S+)", re.M)
APPENDS = re.compile(r"^#\|\s*exporti?\s+(\S+)", re.M) # to a module that another notebook makes
EXPORTS = re.compile(r"^[^#\n]*\bnbdev_export\(", re.M) # a student's copy would rewrite the package
LINK = re.compile(r"\]\(([^)\s]+)\)")
LESSON = re.compile(r"\[(\d\d)\]\((?:\.\./)?(\d\d_\w+\.ipynb)") # a link that says the number of a lesson
BASE64 = re.compile(r"base64,[\w+/=]+")
QUESTION = re.compile(r"^(?:<br>)?\*\*\d+\.\*\* ", re.M)
TERM = re.compile(r"(?<!\[)\*\*(\w[\w -]*)\*\*|glossary\.ipynb#([\w-]+)") # a bold word without a link, or a link to an entry
ANSWER = re.compile(r"^<details><summary>.+</summary>\n\n\*\*(Right|Not right)\.\*\* (.{30,})\n\n</details>$", re.M)
STUDENT = "_student.ipynb" # made from the solutions, never run: no outputs
FIG_ALT = re.compile(r'^#\|\s*fig-alt:\s*"(.+)"\s*$', re.M)
SMALLEST = 6.75 # of the letters of a saved SVG, in points: 9 pixels. Smaller are only the raised and lowered ones of formulas, which are tspans
LETTERS = re.compile(r"<text\b[^>]*?font(?:-size)?:[^;\"]*?([\d.]+)px")
MACHINE_PATH = re.compile(r"(?<![\w.>/:~-])(?:/(?:home|root|Users|tmp|work|mnt|opt|private|content)/|[A-Z]:\\+Users\\)[^\s\"'<>)]*")


def texts(output):
    "The parts of an output that a person reads; pictures and players are left out."
    yield "".join(output.get("text", ""))
    for kind, value in output.get("data", {}).items():
        if kind.startswith("text/") or kind.endswith("json"):
            yield "".join(value) if isinstance(value, (str, list)) else json.dumps(value)


def has_picture(cell):
    "A figure among the saved outputs."
    return any(kind.startswith("image/") for o in cell.get("outputs", []) for kind in o.get("data", {}))


def fig_alt(cell):
    "The text of a cell's directive fig-alt, which stands for its pictures where they are not seen; None without one."
    found = FIG_ALT.search("".join(cell["source"]))
    return found and found[1]


def mixes_imports(source):
    "An import beside other code, outside of exported and hidden cells: nbdev runs such a cell alone when it prepares the site."
    if "import" not in source or re.search(r"^#\|\s*(export|hide)", source, re.M): return False
    try: nodes = list(ast.walk(ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.M))))
    except SyntaxError: return False
    return any(isinstance(n, (ast.Import, ast.ImportFrom)) for n in nodes) and any(isinstance(n, (ast.Expr, ast.Assign)) for n in nodes)


def wide_lines(path, cells):
    "Lines of code too wide to be read beside the text; a fault for each."
    most = WIDTH.get(path.parent.name, 100)
    for number, cell in enumerate(cells):
        if cell["cell_type"] != "code": continue
        for line in "".join(cell["source"]).splitlines():
            if len(line) > most:
                yield (f"cell {number} has a line of {len(line)} characters, at most {most} are wanted: "
                       f"{line.strip()[:40]}...")


def long_exports(cells):
    "Exported cells that are too long to be read at once."
    for number, cell in enumerate(cells):
        lines = [line for line in "".join(cell["source"]).splitlines() if line.strip()]
        if cell["cell_type"] != "code" or not any(re.match(r"#\|\s*export", line) for line in lines): continue
        if (n := sum(not line.startswith("#|") for line in lines)) > EXPORTED:
            yield f"cell {number} exports {n} lines, at most {EXPORTED} are wanted: split it"


def unseen(cell):
    "Hidden or folded."
    return cell["metadata"].get("jupyter", {}).get("source_hidden") or re.search(r"^#\|\s*hide\s*$", "".join(cell["source"]), re.M)


def prose_share(cells):
    "How many of the cells that a reader sees are text: hidden and folded code is left out."
    seen = [c["cell_type"] for c in cells if c["cell_type"] != "code" or not unseen(c)]
    return seen.count("markdown")/max(len(seen), 1)


def dead_links(path, cells):
    "Relative links of the text that lead nowhere."
    for cell in cells:
        if cell["cell_type"] != "markdown": continue
        for target in LINK.findall("".join(cell["source"])):
            if not re.match(r"\w+:|#", target) and not (path.parent/target.partition("#")[0]).exists(): yield target


def wrong_numbers(cells):
    "Links that say the number of one lesson and lead to another."
    for cell in cells:
        if cell["cell_type"] != "markdown": continue
        for number, target in LESSON.findall("".join(cell["source"])):
            if not target.startswith(number): yield f"[{number}]({target})"


def glossary():
    "The entries of the glossary, as the ends of links to them."
    cells = json.loads((TOP/"nbs/guide/glossary.ipynb").read_text(encoding="utf-8"))["cells"]
    return {"".join(c["source"]).splitlines()[0].removeprefix("### ").lower().replace(" ", "-") for c in cells}


def unlinked_terms(cells):
    "Bold terms of a lesson that have an entry in the glossary, before the first link to it."
    entries, linked = glossary(), set()
    for cell in cells:
        if cell["cell_type"] != "markdown": continue
        for bold, link in TERM.findall("".join(cell["source"])):
            if (end := bold.lower().replace(" ", "-")) in entries - linked: yield bold
            linked |= {link, end}


def quiz_faults(cells):
    "What is wrong with a lesson's quiz: 5 to 8 questions, each with one right answer, and a reason beside every answer."
    text = next(("".join(c["source"]) for c in cells if "".join(c["source"]).startswith("## Quiz\n")), "")
    questions, places = QUESTION.split(text)[1:], set()
    if not 5 <= len(questions) <= 8: yield f"its quiz has {len(questions)} questions, 5 to 8 are wanted"
    for number, question in enumerate(questions, 1):
        answers = ANSWER.findall(question)
        right = [i for i, (verdict, _) in enumerate(answers) if verdict == "Right"]
        places |= {*right}
        if len(right) != 1: yield f"quiz, question {number}: {len(right)} answers are right, expected one"
        if not 3 <= len(answers) == question.count("<details>"):
            yield (f"quiz, question {number}: {len(answers)} of {question.count('<details>')} answers are `<details>` with "
                   "**Right.** or **Not right.** and a reason in one paragraph; at least 3 are wanted")
    if questions and len(places) < 3: yield "quiz: the right answer is nearly always at the same place"


def faults(path):
    "What is wrong with one notebook; a line each."
    if path.stat().st_size > KB*1000: yield f"{path.stat().st_size//1000} KB, at most {KB} are wanted: save fewer or smaller pictures and players"
    try: nbformat.validate(nbformat.read(path, nbformat.NO_CONVERT))
    except nbformat.ValidationError as e: yield f"not a notebook: {str(e).splitlines()[0][:200]}"
    book = json.loads(path.read_text(encoding="utf-8"))
    cells = book["cells"]
    if "widgets" in book["metadata"]: yield "the state of widgets was saved, which are dead without a kernel: take `widgets` out of the notebook's metadata"
    if len({c.get("id") for c in cells}) < len(cells): yield "two cells have the same id"
    if not path.name.endswith(STUDENT) and any("subplots(" in "".join(c["source"]) for c in cells) and not any(has_picture(c) for c in cells):
        yield "it draws figures and was saved without one: run it again with the environment variable MPLBACKEND unset"
    yield from wide_lines(path, cells)
    yield from long_exports(cells)
    if prose_share(cells) < (least := PROSE.get(path.parent.name, .35)):
        yield f"{prose_share(cells):.0%} of its cells are text, at least {least:.0%} are wanted: explain more, or fold what only tests"
    yield from (f"a link leads nowhere: {target}" for target in dead_links(path, cells))
    yield from (f"a link says the number of another lesson: {link}" for link in wrong_numbers(cells))
    if re.match(r"\d\d_", path.name) and path.parent.name == "nbs":
        yield from quiz_faults(cells)
        yield from (f"the term {term} is bold and not linked to the glossary at its first use" for term in unlinked_terms(cells))
    documents = bool(modules(path) or modules(path, APPENDS))
    for number, cell in enumerate(cells):
        if cell["cell_type"] != "code": continue
        small = [s for o in cell["outputs"] for s in LETTERS.findall("".join(o.get("data", {}).get("image/svg+xml", ""))) if float(s) < SMALLEST]
        if small: yield f"cell {number} shows a picture with letters of {min(small, key=float)} points, at least {SMALLEST} are wanted"
        if has_picture(cell) and not fig_alt(cell): yield f'cell {number} has a picture without an alternative text: begin it with `#| fig-alt: "one sentence that says what is to be seen"`'
        if documents and mixes_imports("".join(cell["source"])): yield f"cell {number} imports and does other things: give the import a cell of its own, or the site cannot be prepared"
        if EXPORTS.search("".join(cell["source"])): yield f"cell {number} calls nbdev_export: run it in a shell instead"
        for output in cell["outputs"]:
            if output["output_type"] == "error": yield f"cell {number} was saved with an error: {output['ename']}: {output['evalue']}"
            for text in texts(output):
                if found := MACHINE_PATH.search(BASE64.sub("", text)): yield f"cell {number} shows a path of one machine: {found[0]}"


def modules(path, pattern=MODULE):
    "The modules that a notebook makes, or (APPENDS) those that it adds to."
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [name for c in cells if c["cell_type"] == "code" for name in pattern.findall("".join(c["source"]))]


def check(paths):
    "All faults of all notebooks."
    owner = {}
    for path in paths:
        name = path.relative_to(TOP) if path.is_relative_to(TOP) else path
        yield from (f"{name}: {fault}" for fault in faults(path))
        for module in modules(path):
            if module in owner: yield f"{name}: default_exp {module} is taken by {owner[module]}, and the later of the two would overwrite the other in silence"
            owner[module] = name
    for path in paths:
        for module in sorted({*modules(path, APPENDS)} & {*owner}):
            if owner[module].name > path.name: yield f"{path.name}: it adds to {module}, which {owner[module]} makes afterwards: nbdev exports in the order of the file names"


def pages(contents):
    "Patterns of the pages below an entry of the sidebar, relative to nbs/."
    for entry in contents:
        if "contents" in entry: yield from pages(entry["contents"])
        else: yield entry.get("auto") or entry["href"]


def site(paths):
    "What is wrong with _quarto.yml: pages that are missing, shown twice, or not there; settings without which the site does not render or not be read."
    config = yaml.safe_load((TOP/"_quarto.yml").read_text(encoding="utf-8"))
    shown = [p for pattern in pages(config["website"]["sidebar"]["contents"]) for p in (sorted((TOP/"nbs").glob(pattern)) or [TOP/"nbs"/pattern])]
    for path in sorted({*shown, *paths}):
        if (times := shown.count(path)) != 1 or path not in paths:
            yield f"_quarto.yml: {path.relative_to(TOP)} is {'no notebook' if path not in paths else f'{times} times in the sidebar, expected once'}"
    html, needs = config["format"]["html"], {"keep-md": True, "html-math-method": "mathml", "code-overflow": "wrap"}
    for key, value in needs.items():
        if html.get(key) != value: yield f"_quarto.yml: format.html.{key} is {html.get(key)!r}, expected {value!r}"


if __name__ == "__main__":
    given = [Path(p).resolve() for p in sys.argv[1:]]
    every = sorted(p for p in (TOP/"nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
    found = list(check(given)) if given else [*check(every), *site(every)]
    print("\n".join(found) or "no faults in the notebooks")
    sys.exit(bool(found))
