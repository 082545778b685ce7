# Thin: every line also works typed by hand. PYTHON=python3.12 make demo picks another interpreter.
PYTHON ?= python3
BIN = .venv/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help demo test lab docs slides readme clean
help:
	@echo "make demo    install, train EAT on built-in sounds, classify a file (about 5 minutes after the install)"
	@echo "make test    install, run every notebook and every test drawn from it"
	@echo "make lab     open the lessons in JupyterLab"
	@echo "make docs    prepare the documentation site (Quarto renders it)"
	@echo "make slides  lessons as slides, in _slides (a browser shows them)"
	@echo "make readme  render README.md from nbs/index.ipynb"
	@echo "make clean   remove build products (runs/ and .venv/ are left alone)"

.venv/installed: settings.ini setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "eat needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + ": try PYTHON=python3.12 make ...")'
	$(PYTHON) -m venv .venv
	@echo "installing (PyTorch is large: a few minutes at first)"
	$(PIP) -e ".[lab]"
	@touch $@
.venv/installed-dev: .venv/installed
	$(PIP) -e ".[dev]"
	@touch $@

demo: .venv/installed
	$(BIN)/eat_demo
# One thread each: two workers on two cores would only get in each other's way with more.
test: export OMP_NUM_THREADS=1
test: .venv/installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile -q nbs/engine/fast.ipynb nbs/engine/frozen.ipynb nbs/10_train.ipynb nbs/engine/devices.ipynb --without numba
	$(BIN)/python -m pytest -n 2 --dist loadfile nbs
# Trusted, or JupyterLab leaves out the saved SVG pictures.
lab: .venv/installed-dev
	@$(BIN)/jupyter trust nbs/*.ipynb nbs/*/*.ipynb > /dev/null
	$(BIN)/jupyter lab nbs/index.ipynb
docs: .venv/installed-dev
	@command -v quarto > /dev/null || { echo "make docs needs Quarto: https://quarto.org/docs/get-started"; exit 1; }
	$(BIN)/python .ci/docs.py
	cd _proc && quarto render
slides: .venv/installed-dev
	$(BIN)/python .ci/slides.py
readme: .venv/installed-dev
	$(BIN)/python .ci/readme.py
clean:
	rm -rf _docs _proc _slides build *.egg-info .pytest_cache
