"""The page of `eat_export --web` in a real browser: headless Chromium whose microphone plays a file.

    .venv/bin/python .ci/page.py [--run FOLDER] [--sound FILE] [--ort FOLDER] [--shots FOLDER]

Without --run: a network that was never trained, which suffices to compare numbers. Checked are the microphone, a file against
`Classifier.predict`, messages, keyboard, and that no request leaves the machine. Needs playwright and a Chromium (as .ci/browser.py)
and onnxruntime-web (npm, or --ort). Exit status 1 and a line that says what is wrong."""
import argparse, dataclasses, functools, http.server, json, sys, tempfile, threading
from contextlib import contextmanager
from pathlib import Path

from browser import FLAGS, Wrong, chromium

READY, LIMIT = 120, 60  # s to wait for the network, and for anything else
OUTSIDE = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"] # what would leave finds no way


def untrained():
    "A network for built-in sounds that was never trained."
    import torch
    from eat.checkpoint import make_model, network_input
    from eat.infer import Classifier
    from eat.settings import preset
    from eat.synth import CLASSES
    torch.manual_seed(0)
    config = preset("synth", n_samples=22016)
    net = make_model(config, len(CLASSES))
    torch.nn.init.normal_(net.classify.weight, std=2.) # so that it prefers something
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm1d): m.momentum = 1.
    with torch.no_grad(): net.train()(torch.stack([network_input(w, config) for w in sounds().split(22016, 1)[:-1]])) # and by what it hears
    return Classifier(net.eval(), config, list(CLASSES))


def sounds(sr=22050):
    "Ten seconds of built-in sounds, two of four much softer: how windows are weighed matters."
    import torch
    from eat.synth import synth_clip
    g = torch.Generator().manual_seed(0)
    levels = dict(church_bells=1., rain=.05, siren=.7, cow=.2)
    return torch.cat([a*synth_clip(k, sr, 2.5, g) for k, a in levels.items()], 1)


def scene(file):
    "They as a WAV file."
    import soundfile
    soundfile.write(file, sounds()[0].numpy(), 22050)
    return file


def try_level(t):
    "The page finds the mean and the peak of a window as Python does, clicks left out."
    import torch
    from eat.data import SILENCE, mean_and_peak
    g = torch.Generator().manual_seed(0)
    for clicks, size in ((0, .3), (1, .01), (3, .01), (4, .01), (2, 1e-5)):
        x = size*torch.randn(1, 500, generator=g) + .02
        x[0, 100:100 + 50*clicks:50] = .9
        ask = "async ([x, silence]) => (await import('./dsp.js')).level(Float32Array.from(x), silence)"
        found = t.page.evaluate(ask, [x[0].tolist(), SILENCE])
        mean, peak = (v.item() for v in mean_and_peak(x))
        t.check(abs(found["mean"] - mean) < 1e-6 and abs(found["peak"] - peak) < 1e-6, f"{clicks} clicks: {found}, Python {mean}, {peak}")


@contextmanager
def served(folder):
    "A simple server for a folder; yields its address."
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args): pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try: yield f"http://127.0.0.1:{server.server_port}"
    finally: server.shutdown()


class Test:
    "A page in the browser, what it asked for, and what it complained of."
    def __init__(self, browser, address, shots, **context):
        self.page, self.address, self.shots = browser.new_context(**context).new_page(), address, shots
        self.asked, self.said = [], []
        self.page.on("request", lambda r: self.asked.append(r.url))
        self.page.on("console", lambda m: self.said.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda e: self.said.append(str(e)))

    def check(self, ok, message):
        if not ok: raise Wrong(message)

    def text(self, id): return self.page.locator(f"#{id}").inner_text()

    def until(self, what, condition, seconds=LIMIT):
        for _ in range(seconds*10):
            if condition(): return
            self.page.wait_for_timeout(100)
        raise Wrong(f"waited {seconds} s in vain for {what}; status {self.text('status')!r}, error {self.text('error')!r}, {self.said}")

    def open(self):
        self.page.goto(self.address)
        self.until("the network", lambda: self.text("status") == "Ready.", READY)

    def shot(self, name): self.page.screenshot(path=str(self.shots/f"page_{name}.png"), full_page=True)

    def kept_to_itself(self):
        outside = [u for u in self.asked if not u.startswith((self.address, "blob:" + self.address, "data:"))]
        self.check(not outside, f"requests left the machine: {outside}")
        self.check(not self.said, f"the console says {self.said}")


def try_microphone(t, classes, seconds=9):
    "Started by keyboard, it names sounds; stopped, it is silent."
    t.page.locator("#listen").focus()
    t.page.keyboard.press("Enter")
    names = [c.replace("_", " ") for c in classes]
    t.until("a label", lambda: t.text("label") in [*names, "not sure"])
    t.page.wait_for_timeout(seconds*1000)
    t.until("an answer in the status line", lambda: "ms an answer" in t.text("status"))
    t.check(t.page.locator("#bars li").first.inner_text().split("\n")[0] in names, "the bars name no class")
    level = float(t.page.locator("#meter").get_attribute("aria-valuenow"))
    t.check(level > -60, f"the microphone plays, the meter says {level} dB")
    t.shot("live")
    t.page.keyboard.press("Enter")
    t.until("the end", lambda: t.text("status") == "Stopped.")


def try_file(t, file, expected):
    "A file gives what `Classifier.predict` gives."
    t.page.locator("#file").set_input_files(str(file))
    t.until("the answer to a file", lambda: "the answer is the mean" in t.text("status"))
    name, p = expected
    rows = dict(r.split("\n")[0::2] if r.count("\n") == 2 else r.split("\n")[:2] for r in t.page.locator("#bars li").all_inner_texts())
    found = next(iter(rows.items()))
    print(f"a file: the page says {found[0]}, {found[1]}; Python says {name.replace('_', ' ')}, {100*p:.1f} %")
    t.check(found[0] == name.replace("_", " "), f"the page says {rows}, Python {expected}")
    t.check(abs(float(found[1].split()[0]) - 100*p) <= 2, f"the page says {found[1]}, Python {100*p:.1f} %")
    t.shot("file")
    t.page.evaluate("document.getElementById('player').currentTime = 1")
    t.until("the answer at the place that is played", lambda: t.text("sure").startswith("0:01.0: ") or t.text("label") == "quiet")


def try_messages(t):
    "What a user did wrong is said."
    t.page.locator("#file").set_input_files(dict(name="no.wav", mimeType="audio/wav", buffer=b"no sound"))
    t.until("a message about a file", lambda: "no.wav is no sound that this browser can read" in t.text("error"))
    for name, said in dict(NotFoundError="No microphone was found", NotAllowedError="The microphone was not allowed").items():
        t.page.evaluate("n => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', n) } }", name)
        t.page.locator("#listen").click()
        t.until(f"a message about {name}", lambda: said in t.text("error"))
    t.shot("error")


def try_policy(t):
    "The browser refuses what the page never asks for."
    refused = t.page.evaluate("fetch('https://example.org/').then(() => false, () => true)")
    t.check(refused, "the page's policy lets a request out")
    t.check(any("Content Security Policy" in s for s in t.said), f"the request failed, but not by the policy: {t.said}")


def main(args):
    from playwright.sync_api import sync_playwright
    from eat.export import write_page
    from eat.infer import Classifier
    args.shots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as d:
        classifier = Classifier.load(args.run) if args.run else untrained()
        result = Path(args.run or d)/"result.json"
        if not args.page: write_page(classifier, Path(d)/"page", args.ort, json.loads(result.read_text()) if result.is_file() else None)
        sound = args.sound or scene(Path(d)/"scene.wav")
        expected = classifier.predict(str(sound), top_k=1)[0]
        other = Classifier(classifier.model, dataclasses.replace(classifier.config, vote="equal"), classifier.classes)
        if not args.run and not args.sound: # else the test could not fail
            alike = dict(other.predict(str(sound), top_k=99))[expected[0]]
            if abs(alike - expected[1]) < .05: raise Wrong(f"windows by level and alike give the same: {alike:.3f}, {expected[1]:.3f}")
        flags = [*FLAGS, *OUTSIDE, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={sound}"]
        with served(args.page or Path(d)/"page") as address, sync_playwright() as p:
            browser = p.chromium.launch(executable_path=chromium(), args=flags)
            t = Test(browser, address, args.shots, viewport=dict(width=1000, height=900), permissions=["microphone"])
            t.open()
            try_level(t)
            try_microphone(t, classifier.classes)
            try_file(t, sound, expected)
            t.kept_to_itself()
            try_messages(t)
            try_policy(t)
            for name, more in dict(dark=dict(color_scheme="dark", viewport=dict(width=1000, height=900)),
                                   phone=dict(viewport=dict(width=390, height=844), device_scale_factor=2, is_mobile=True)).items():
                t = Test(browser, address, args.shots, permissions=["microphone"], **more)
                t.open()
                try_file(t, sound, expected)
                t.check(t.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name}: wider than the screen")
                t.shot(name)
                t.kept_to_itself()
            browser.close()
    print("the page hears a microphone and files, as Python does; no request left the machine")


if __name__ == "__main__":
    a = argparse.ArgumentParser()
    for name in ("run", "sound", "ort", "page"): a.add_argument(f"--{name}")
    a.add_argument("--shots", type=Path, default=Path(__file__).parent/"shots")
    try: main(a.parse_args())
    except (Wrong, ValueError) as e: sys.exit(f"{Path(__file__).name}: {e}")
