"""Renders README.md from nbs/index.ipynb: nbconvert, without hidden cells, its figures under nbs/images, with links that hold at the top level."""
import re
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter

top = Path(__file__).resolve().parents[1]
nb = nbformat.read(top / "nbs" / "index.ipynb", 4)
cells = []
for cell in nb.cells:
    if cell.cell_type == "code":
        if re.search(r"^#\|\s*hide\s*$", cell.source, re.M): continue
        if re.search(r"^#\|\s*echo:\s*false", cell.source, re.M): cell.source = ""
        cell.source = "\n".join(l for l in cell.source.split("\n") if not l.startswith("#|")).strip()
    cells.append(cell)
nb.cells = cells
text, resources = MarkdownExporter().from_notebook_node(nb, {"output_files_dir": "images", "unique_key": "index"})
for name, data in resources["outputs"].items(): (top / "nbs" / name).write_bytes(data)
text = re.sub(r"```python\s*```\n*", "", text)
text = re.sub(r"\]\((?!https?://|#|\.\./)([^)]+)\)", r"](nbs/\1)", text).replace("](../", "](")
text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
(top / "README.md").write_text("<!-- rendered from nbs/index.ipynb by .ci/readme.py: edit the notebook -->\n\n" + text, encoding="utf-8")
