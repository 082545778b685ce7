"""Renders README.md from nbs/index.ipynb: nbconvert, without hidden cells, its figures under nbs/images and named by their fig-alt, with links that hold at the top level."""
import re
from pathlib import Path

import nbformat
from check import fig_alt, has_picture
from nbconvert import MarkdownExporter
from traitlets.config import Config

top = Path(__file__).resolve().parents[1]
nb = nbformat.read(top / "nbs" / "index.ipynb", 4)
flag = lambda cell, pattern: cell.cell_type == "code" and re.search(rf"^#\|\s*{pattern}\s*$", cell.source, re.M)
nb.cells = [c for c in nb.cells if not flag(c, "hide")]
for c in nb.cells:
    if flag(c, "echo: false"): c.metadata["tags"] = ["no-input"]
exporter = MarkdownExporter(config=Config({"TagRemovePreprocessor": {"enabled": True, "remove_input_tags": {"no-input"}}}))
text, resources = exporter.from_notebook_node(nb, {"output_files_dir": "images", "unique_key": "index"})
for name, data in resources["outputs"].items(): (top / "nbs" / name).write_bytes(data)
text = re.sub(r"\]\((?!https?://|#|\.\./)([^)]+)\)", r"](nbs/\1)", text).replace("](../", "](")
alts = iter([fig_alt(c) for c in nb.cells if c.cell_type == "code" and has_picture(c)])
text = re.sub(r"!\[png\]", lambda _: f"![{next(alts)}]", text)
text = re.sub(r"[ \t]+$", "", text, flags=re.M)
text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
(top / "README.md").write_text("<!-- rendered from nbs/index.ipynb by .ci/readme.py: edit the notebook -->\n\n" + text, encoding="utf-8")
