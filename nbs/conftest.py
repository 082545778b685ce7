"""pytest items drawn from the notebooks: every cell that asserts, or calls one of fastcore's `test_*`, is a test; the last one runs the notebook to its end.

`pytest` shows them one by one, named after notebook and heading; `nbdev_test` runs the same cells a notebook at a time.
The cells of a notebook share one namespace and run in order. Whatever stands above a selected cell runs first.
A cell of a lesson or an experiment fails if it draws a legend whose entries only their colour tells apart.
A notebook whose front matter says `skip_exec: true` is left out, as nbdev_test does: the student notebooks, whose stubs fail.
Cells with a flag from `tst_flags` in settings.ini (`#| slow`, `#| cuda`, `#| notest`) are skipped; `--nb-flags "slow cuda"` runs them.
`--without numba` runs everything as if numba were not installed, and skips the cells that say `#| numba`.
"""
import os, re, sys, tempfile
from contextlib import chdir, nullcontext
from pathlib import Path

import matplotlib, matplotlib.pyplot as plt, pytest, torch

os.environ["IN_TEST"] = "1" # before anything imports `eat`

from execnb.shell import CaptureShell
from fastcore.basics import str2bool
from nbdev.config import get_config
from nbdev.frontmatter import FrontmatterProc
from nbdev.process import NBProcessor

LEGENDS = re.compile(r"nbs/(\d\d_[a-z]+|experiments/\w+)\.ipynb$") # where they are checked
IS_TEST = re.compile(r"^\s*assert\b|;\s*assert\b|:\s*assert\b|\btest_\w+\(", re.M)


def pytest_addoption(parser):
    parser.addoption("--nb-flags", default="", help="flags of notebook cells to run that are skipped otherwise, such as 'slow cuda'")
    parser.addoption("--without", default="", help="packages that cannot be imported, here and in processes started from here, such as 'numba'; cells with such a flag are skipped")


def pytest_configure(config):
    "For each package of `--without`, put one of that name first that cannot be imported."
    names = config.getoption("--without").split()
    if not names: return
    folder = tempfile.TemporaryDirectory()
    config.add_cleanup(folder.cleanup)
    for name in names:
        if name in sys.modules: raise pytest.UsageError(f"--without {name}: it has been imported already")
        (Path(folder.name)/f"{name}.py").write_text(f"raise ModuleNotFoundError(\"No module named '{name}' (--without)\", name={name!r})\n")
    sys.path.insert(0, folder.name)
    os.environ["PYTHONPATH"] = os.pathsep.join([folder.name, *filter(None, [os.environ.get("PYTHONPATH")])])


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".ipynb" and not file_path.name.startswith("_"): return Notebook.from_parent(parent, path=file_path)


class Notebook(pytest.File):
    "One notebook: its cells, the shell they run in, and how far it has come."
    def collect(self):
        self.shell, self.done, self.failed, self.before = None, 0, {}, None
        skip = set(get_config(path=Path(__file__).parent)["tst_flags"].split()) - set(self.config.getoption("--nb-flags").split())
        left_out = set(self.config.getoption("--without").split())
        heading, count, last, self.cells = self.path.stem, {}, 0, []
        book = NBProcessor(self.path, procs=FrontmatterProc, process=True).nb
        if str2bool(book.frontmatter_.get("skip_exec", False)): return
        for cell in book.cells:
            if cell.cell_type == "markdown":
                titles = re.findall(r"^#{1,4} (.+)", cell.source, re.M)
                if titles: heading = titles[-1].strip()
            if cell.cell_type != "code": continue
            flags = cell.directives_ or {}
            if skip & flags.keys() or flags.get("eval:") == ["false"]: continue
            self.cells.append(cell)
            if IS_TEST.search(cell.source) and not {"export", "exports", "exporti"} & flags.keys():
                count[heading] = count.get(heading, 0) + 1
                item = Cell.from_parent(self, name=f"{heading} [{count[heading]}]", index=len(self.cells) - 1)
                for name in left_out & flags.keys(): item.add_marker(pytest.mark.skip(reason=f"needs {name}"))
                last = len(self.cells)
                yield item
        if last < len(self.cells): yield Cell.from_parent(self, name="to its end", index=len(self.cells) - 1)

    def run_to(self, index):
        "Run the cells up to and including `index` that have not run yet; raise if this one failed, or one above it that is no test."
        from eat.figures import checked_legends
        with chdir(self.path.parent), checked_legends() if LEGENDS.search(self.path.as_posix()) else nullcontext():
            if self.shell is None:
                self.before = dict(os.environ), matplotlib.rcParams.copy(), torch.get_num_threads()
                self.shell = CaptureShell(self.path)
            for i in range(self.done, index + 1):
                self.done = i + 1
                source = self.cells[i].source
                if set(self.config.getoption("--without").split()) & (self.cells[i].directives_ or {}).keys(): continue
                self.shell.run(source)
                if self.shell.exc:
                    self.failed[i] = CellError(self, source, self.shell.exc)
                    if not IS_TEST.search(source): break # what follows would only fail for want of it
        wrong = self.failed.get(index) or next((e for i, e in self.failed.items() if i < index and not IS_TEST.search(e.args[1])), None)
        if wrong: raise wrong

    def teardown(self):
        "Leave nothing behind for the next notebook: environment, matplotlib's settings, threads, figures."
        if self.shell is None: return
        env, rc, threads = self.before
        os.environ.clear(); os.environ.update(env)
        matplotlib.rcParams.update(rc); torch.set_num_threads(threads); plt.close("all")
        self.shell = None


class CellError(Exception):
    "A cell of a notebook failed."


class Cell(pytest.Item):
    "One test cell."
    def __init__(self, index, **kwargs):
        super().__init__(**kwargs)
        self.index = index

    def runtest(self): self.parent.run_to(self.index)

    def repr_failure(self, excinfo, style=None):
        if not isinstance(excinfo.value, CellError): return super().repr_failure(excinfo, style)
        notebook, source, exc = excinfo.value.args
        import traceback
        frames = [f"  {'cell' if 'ipython-input' in f.filename or '<' in f.filename else f.filename}:{f.lineno}: {f.line or ''}" for f in traceback.extract_tb(exc.__traceback__) if "IPython" not in f.filename]
        return "\n".join([f"{notebook.path.name}, {self.name}: {type(exc).__name__}: {exc}", "", source, "", *frames])

    def reportinfo(self): return self.path, self.index, f"{self.path.name}: {self.name}"
