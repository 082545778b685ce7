"""The record button of nbs/experiments/use_it.ipynb in a real browser: JupyterLab runs the notebook, headless Chromium has a microphone
that beeps, and the answer has to appear; then a microphone that is refused, one that is missing, and a recording that is stopped at once.

    .venv/bin/python .ci/microphone.py [folder for the screenshots, by default .ci/shots]

By hand, not in .ci/run: the notebook trains a network first (a smaller one than a reader's, by IN_TEST). Needs what .ci/browser.py needs."""
import sys, tempfile
from pathlib import Path

from browser import FLAGS, ROOT, Test, Wrong, chromium, jupyterlab

NOTEBOOK = "experiments/use_it.ipynb"
FAKE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
REFUSED = "n => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', n) } }"


def try_recording(t, box):
    "A recording is answered with labels and a picture."
    box.scroll_into_view_if_needed()
    box.locator("button:text-is('record')").click()
    t.follows("a button that stops", box.locator("button:text-is('stop')").count)
    t.page.wait_for_timeout(3000)
    box.locator("button:text-is('stop')").click()
    t.wait("labels and events", lambda: " events" in box.inner_text(), 120)
    t.follows("a picture", lambda: box.locator("img.widget-image").evaluate("e => e.naturalWidth > 300"))
    print("the page says:", " | ".join(line for line in box.inner_text().split("\n") if line.strip()))
    length = float(box.locator("[role=status]").inner_text().split()[0])
    t.check(2 < length < 6, f"3 s were recorded, the page says {length} s")


def try_messages(t, box):
    "What goes wrong is said, and the button can be pressed again."
    status = box.locator("[role=status]").inner_text
    box.locator("button:text-is('record')").click()
    box.locator("button:text-is('stop')").click()
    t.wait("a sentence about a recording that is too short", lambda: "this cannot be heard" in box.inner_text() or "a longer one" in status(), 60)
    print("stopped at once:", box.inner_text().split("\n"))
    for name, says in dict(NotAllowedError="was not allowed", NotFoundError="No microphone was found").items():
        t.page.evaluate(REFUSED, name)
        box.locator("button:text-is('record')").click()
        t.follows(f"a message about {name}", lambda: says in status())
    t.page.evaluate("Object.defineProperty(navigator, 'mediaDevices', {value: undefined})")
    box.locator("button:text-is('record')").click()
    t.follows("a message about a page without https", lambda: "https" in status())


def main(shots):
    from playwright.sync_api import sync_playwright
    shots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as tmp, jupyterlab(Path(tmp), NOTEBOOK, IN_TEST="1") as address, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium(), args=[*FLAGS, *FAKE])
        page = browser.new_context(permissions=["microphone"], viewport=dict(width=1200, height=1000)).new_page()
        page.set_default_timeout(60_000)
        t = Test(page, shots)
        try:
            t.open(address)
            t.run_all(600)
            box = page.locator(".jp-OutputArea-output .widget-vbox").filter(has=page.locator("[role=status]")).first
            t.wait("the record button", box.count)
            for step in (try_recording, try_messages):
                step(t, box)
                box.screenshot(path=str(shots/f"microphone_{step.__name__[4:]}.png"))
        except Exception:
            page.screenshot(path=str(shots/"microphone_failed.png"))
            raise
        finally: browser.close()
    print(f"microphone: {t.passed} checks passed")


if __name__ == "__main__":
    try: main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT/".ci"/"shots")
    except Wrong as e: sys.exit(f"microphone: {e}")
