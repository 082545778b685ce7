"""How the lessons are built, before the book was written anew and now: nbs/results/lessons.csv, measured the same way for both.

    python .ci/measure.py [commit, by default HEAD]

Readers' minutes are not in it: nobody has read the lessons with a clock."""
import csv, json, re, subprocess, sys
from statistics import median

from check import TOP, prose_share, unseen

BEFORE = "22681d4" # the last commit of the old lessons
# The first code cell of each lesson whose output shows its subject, and the same in the notebook that had the subject before.
LESSONS = [ # lesson, cell now, notebook before, cell before
    ("01_sound", "4f0dacf8", "01_audio", "4f0dacf8"),       # a sound is heard, and its numbers are printed
    ("02_spectrum", "9846a4f2", "01_audio", "c190124d"),    # a bin of eight samples
    ("03_synth", "a76628d0", "02_synth", "a76628d0"),       # a sound from a formula
    ("04_data", "1eak06b2", "03_data", "03076eed"),         # folds
    ("05_augment", "f175df73", "04_augment", "f175df73"),   # one draw for each clip
    ("06_mix", "705b1642", "05_mix", "47faa0b3"),           # a label for two sounds
    ("07_phasemix", "3f05a91b", "05_mix", "3f05a91b"),      # a phase between two phases
    ("08_model", "4f73cd81", "06_model", "546045c3"),       # now a convolution, before a decimation
    ("09_attention", "ff47a557", "06_model", "24d1db04"),   # attention
    ("09_attention", "ff47a557", "07_loss", "bb82f281"),    # part B, the losses, was a lesson
    ("10_train", "10op0006", "08_train", "61cba0d7"),       # a loss that falls
    ("11_evaluate", "e0189ac5", "09_evaluate", "3693eae4"), # an accuracy
    ("12_phase", "610ae7b8", "10_phase", "610ae7b8"),       # phase and magnitude of eight samples
]
END = re.compile(r"## (\d+\. )?(Summary|Quiz|Exercises)") # what follows belongs to the teaching, not to the text of a lesson


def read(commit, name):
    "The cells of nbs/`name`.ipynb at `commit`."
    text = subprocess.run(["git", "show", f"{commit}:nbs/{name}.ipynb"], cwd=TOP, check=True, capture_output=True, text=True).stdout
    return json.loads(text)["cells"]


def measure(cells, idea):
    """Of one notebook. *Seen* are text and code that is neither hidden nor folded; all but `cells` is of the part before summary, quiz and exercises.
    A line of code is neither empty nor a directive."""
    source = lambda c: "".join(c["source"])
    body = cells[:next((i for i, c in enumerate(cells) if END.match(source(c))), len(cells))]
    seen = [c for c in body if c["cell_type"] != "code" or not unseen(c)]
    code = [[line for line in source(c).splitlines() if line.strip() and not line.startswith("#|")] for c in seen if c["cell_type"] == "code"]
    lengths = [len(lines) for lines in code if lines]
    words = sum(len(source(c).split()) for c in seen if c["cell_type"] == "markdown")
    return dict(cells=len(cells), idea_at=[c["id"] for c in seen].index(idea) + 1, text_percent=round(100*prose_share(body)),
                words_per_line=round(words/sum(lengths), 1), median_lines=median(lengths), most_lines=max(lengths),
                widest=max(len(line) for lines in code for line in lines))


def main(commit="HEAD"):
    commit = subprocess.run(["git", "rev-parse", "--short", commit], cwd=TOP, check=True, capture_output=True, text=True).stdout.strip()
    rows = {}
    for lesson, now, old, before in LESSONS:
        for when, at, notebook, idea in (("before", BEFORE, old, before), ("now", commit, lesson, now)):
            rows[when, lesson, notebook] = dict(lesson=lesson, when=when, notebook=notebook, commit=at) | measure(read(at, notebook), idea)
    rows = sorted(rows.values(), key=lambda r: (r["lesson"], r["when"]))
    with open(TOP/"nbs/results/lessons.csv", "w", newline="", encoding="utf-8") as f:
        table = csv.DictWriter(f, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__": main(*sys.argv[1:])
