"""Prepares the documentation site in _proc, where `quarto render` finds it: what nbdev_proc_nbs does, without installing Quarto.

nbdev makes a link of each known name in backticks, inside of signatures too, where Markdown shows the raw link: those are undone.
Quarto reads the directive fig-alt itself; nbconvert's templates look for its text in the cell's metadata."""
import json, re
from pathlib import Path

from check import fig_alt, has_picture
from nbdev.quarto import refresh_quarto_yml
from nbdev.serve import proc_nbs

FENCE = re.compile(r"^```.*?^```", re.M | re.S)
LINK = re.compile(r"\[(`[^`]+`)\]\(https?://[^)\s]+\)")


def unlink(text): return FENCE.sub(lambda block: LINK.sub(r"\1", block[0]), text)


def prepare():
    "The folder with the prepared notebooks."
    refresh_quarto_yml() # nbs/nbdev.yml, from settings.ini
    site = Path(proc_nbs(n_workers=1, force=True, skip_file_re=r"^[_.]|\.py$"))
    for path in site.rglob("*.ipynb"):
        nb = json.loads(path.read_text(encoding="utf-8"))
        for output in (o for c in nb["cells"] for o in c.get("outputs", [])):
            if "text/markdown" in output.get("data", {}): output["data"]["text/markdown"] = unlink("".join(output["data"]["text/markdown"]))
        for cell in nb["cells"]:
            if not has_picture(cell): continue
            cell["metadata"]["alt"] = fig_alt(cell)
            if not cell["metadata"]["alt"]: raise SystemExit(f"{path}: a picture has lost its fig-alt: {''.join(cell['source'])[:80]}")
        path.write_text(json.dumps(nb, ensure_ascii=False), encoding="utf-8")
    return site


if __name__ == "__main__":
    assert unlink("[`a`](https://x/a)\n```python\nf(x) # as [`a`](https://x/a#a) has it\n```\n") == "[`a`](https://x/a)\n```python\nf(x) # as `a` has it\n```\n"
    print(f"{len(list(prepare().rglob('*.ipynb')))} pages in _proc")
