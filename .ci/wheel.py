"""Builds the wheel, installs it alone into a folder, and uses it from elsewhere as somebody who has no checkout: networks of the box, a recording."""
import os, shutil, subprocess, sys, tempfile
from pathlib import Path

top = Path(__file__).resolve().parents[1]
pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
with tempfile.TemporaryDirectory() as d:
    d = Path(d)
    shutil.rmtree(top / "build", ignore_errors=True) # what an earlier build left would be packed
    subprocess.run([*pip, "wheel", str(top), "--no-deps", "--wheel-dir", str(d)], check=True)
    [wheel] = d.glob("eat-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(d / "site"), str(wheel)], check=True)
    env = os.environ | dict(PYTHONPATH=str(d / "site"), IN_TEST="")
    def run(*line, **kw): return subprocess.run(line, cwd=d, env=env, capture_output=True, text=True, check=True, **kw).stdout
    code = """
import eat, torch
from eat.files import save_audio
from eat.infer import Classifier, in_the_box
from eat.synth import synth_clip
save_audio("rain.wav", synth_clip("rain", 22050, 3., torch.Generator().manual_seed(0)), 22050)
for name in in_the_box(): print(name, *Classifier.load(name).predict("rain.wav", top_k=1)[0])
print(eat.__file__)"""
    *answers, where = run(sys.executable, "-c", code).splitlines()
    assert Path(where).is_relative_to(d / "site"), where
    assert len(answers) == len(list((top / "eat" / "box").glob("*/model.safetensors"))), answers
    told = run(str(d / "site" / "bin" / "eat_predict"), "rain.wav", "--top_k", "1", "--format", "csv")
    assert told.count("rain.wav") == 1, told
    print(f"{wheel.name}, {wheel.stat().st_size/1e6:.1f} MB, outside the checkout:", *answers, told, sep="\n")
