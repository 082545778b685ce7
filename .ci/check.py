"""What the notebooks, as files, have to keep: one module has one notebook, and saved outputs are fit to be read elsewhere.

    python .ci/check.py [notebooks, by default all below nbs/]

Exit status 1 and a line for each fault."""
import json, re, sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
KB = 400 # of a notebook with its outputs
MODULE = re.compile(r"^#\|\s*default_exp\s+(\S+)", re.M)
EXPORTS = re.compile(r"^[^#\n]*\bnbdev_export\(", re.M) # a student's copy would rewrite the package
BASE64 = re.compile(r"base64,[\w+/=]+")
MACHINE_PATH = re.compile(r"(?<![\w.>/:~-])(?:/(?:home|root|Users|tmp|work|mnt|opt|private|content)/|[A-Z]:\\+Users\\)[^\s\"'<>)]*")


def texts(output):
    "The parts of an output that a person reads; pictures and players are left out."
    yield "".join(output.get("text", ""))
    for kind, value in output.get("data", {}).items():
        if kind.startswith("text/") or kind.endswith("json"):
            yield "".join(value) if isinstance(value, (str, list)) else json.dumps(value)


def faults(path):
    "What is wrong with one notebook; a line each."
    if path.stat().st_size > KB*1000: yield f"{path.stat().st_size//1000} KB, at most {KB} are wanted: save fewer or smaller pictures and players"
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        if cell["cell_type"] != "code": continue
        if EXPORTS.search("".join(cell["source"])): yield f"cell {number} calls nbdev_export: run it in a shell instead"
        for output in cell["outputs"]:
            if output["output_type"] == "error": yield f"cell {number} was saved with an error: {output['ename']}: {output['evalue']}"
            for text in texts(output):
                if found := MACHINE_PATH.search(BASE64.sub("", text)): yield f"cell {number} shows a path of one machine: {found[0]}"


def modules(path):
    "The modules that a notebook makes."
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [name for c in cells if c["cell_type"] == "code" for name in MODULE.findall("".join(c["source"]))]


def check(paths):
    "All faults of all notebooks."
    owner = {}
    for path in paths:
        name = path.relative_to(TOP) if path.is_relative_to(TOP) else path
        yield from (f"{name}: {fault}" for fault in faults(path))
        for module in modules(path):
            if module in owner: yield f"{name}: default_exp {module} is taken by {owner[module]}, and the later of the two would overwrite the other in silence"
            owner[module] = name


if __name__ == "__main__":
    given = [Path(p).resolve() for p in sys.argv[1:]]
    found = list(check(given or sorted(p for p in (TOP/"nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)))
    print("\n".join(found) or "no faults in the notebooks")
    sys.exit(bool(found))
