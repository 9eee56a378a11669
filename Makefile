# One command for each thing a person does here; `make help` lists them. Everything runs in .venv, which `make setup` fills.

VENV := .venv
# What comes from npm: TypeScript, the HTML checker and Lighthouse; nothing of it is shipped.
NPM := $(VENV)/npm
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PORT ?= 5000
# How many test processes: one more than cores, because many tests wait (for a browser, a mail, a worker).
JOBS ?= $(shell echo $$(( $$(nproc 2>/dev/null || echo 2) + 1 )))
BENCH ?=
# How long `make fuzz` searches, in minutes, shared out among the readers of files.
MINUTES ?= 60
# From which seed on `make histories` plays, and how many.
FIRST ?= 0
HISTORIES ?= 200
# The first Python on this machine that is new enough; `make PYTHON=... setup` chooses another.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-oldest test-newest machine check lint types mypy pyright scripts scripts-checked arrows templates words files coverage pages lighthouse bench faults histories fuzz screenshots clean

help: ## list these commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(INSTALLED) ## make .venv and install the program into it (does nothing when setup.cfg is unchanged)

$(INSTALLED): setup.cfg
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed: install it (Debian: apt install python3 python3-venv)."; exit 1; }
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV): a minute or two, the first time."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: setup ## create the demo in instance/ and serve it on 127.0.0.1 (PORT=5000)
	$(BIN)/ralop demo --port $(PORT)

test: setup machine ## run all tests, on SQLite and PostgreSQL and in a real browser
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

# The suite again with other versions of the libraries, in environments of their own; what needs a browser aside.
OTHER_TESTS := -m pytest -p no:cacheprovider -n $(JOBS) --dist worksteal --ignore=tests/browser

test-oldest: setup ## run the tests with the oldest versions that setup.cfg allows (browser tests aside)
	@[ -x $(VENV)/oldest/bin/pip ] || $(PYTHON) -m venv $(VENV)/oldest
	@$(BIN)/python -m tests.oldest > $(VENV)/oldest/constraints.txt
	@echo "Installing the oldest versions into $(VENV)/oldest: some minutes, the first time."
	@$(VENV)/oldest/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(VENV)/oldest/constraints.txt --editable '.[dev]'
	$(VENV)/oldest/bin/python $(OTHER_TESTS)

test-newest: setup ## run the tests with the newest versions that setup.cfg allows (browser tests aside)
	@[ -x $(VENV)/newest/bin/pip ] || $(PYTHON) -m venv $(VENV)/newest
	@echo "Installing the newest versions into $(VENV)/newest: some minutes, the first time."
	@$(VENV)/newest/bin/python -m pip install --quiet --disable-pip-version-check --upgrade --upgrade-strategy eager --editable '.[dev]'
	$(VENV)/newest/bin/python $(OTHER_TESTS)

machine: setup ## look whether this machine has all that the tests need, and install what it lacks where we may
	@$(BIN)/python -m tests.machine

check: lint types scripts arrows templates words files ## lint, types, scripts, import arrows, templates, translations, shipped files

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: mypy pyright

# TypeScript checks the scripts of the pages. It comes from npm only, and a machine may have none: then that is said.
scripts:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory scripts-checked; else \
	echo "NOT CHECKED: the scripts of the pages. It needs npm (Debian: apt install npm); all else is checked."; fi

scripts-checked: $(NPM)/.typescript
	$(NPM)/node_modules/.bin/tsc --project web/scripts
	$(NPM)/node_modules/.bin/tsc --project web/scripts/worker.json

mypy: setup
	$(BIN)/mypy

pyright: setup
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright

arrows: setup
	$(BIN)/lint-imports --no-logo

templates: setup
	$(BIN)/djlint web/templates --lint --quiet

words: setup
	$(BIN)/python -m pytest --quiet tests/test_translations.py tests/test_packaging.py

files: setup
	$(BIN)/ralop check

coverage: setup machine ## run all tests and show which branches none of them takes
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --cov --cov-report=term

$(NPM)/.installed: Makefile
	@command -v npm >/dev/null || { echo "npm is needed: install it (Debian: apt install npm)."; exit 1; }
	npm install --prefix $(NPM) --no-audit --no-fund --ignore-scripts --silent lighthouse@12.8.2 vnu-jar@26.9.27
	@touch $@

$(NPM)/.typescript: Makefile | setup
	npm install --prefix $(NPM) --no-audit --no-fund --ignore-scripts --silent typescript@5.9.3
	@touch $@

pages: setup $(NPM)/.installed ## check the HTML of every page with the Nu checker (needs Java and npm)
	$(BIN)/python -m tests.vnu

lighthouse: setup machine $(NPM)/.installed ## measure the main pages with Lighthouse (needs npm; some minutes)
	$(BIN)/python -m tests.lighthouse

bench: setup ## measure, one JSON object a line (BENCH="sweep transition" chooses, BENCH=--small only tries)
	@$(BIN)/python -m bench $(BENCH)

faults: setup ## kill processes at random, in the long form: ten minutes, progress and figures on the way
	RALOP_FAULTS=full $(BIN)/python -m pytest -s -o faulthandler_timeout=0 tests/faults

histories: setup ## play HISTORIES random histories from the seed FIRST on, and look at every case after each step
	$(BIN)/python -m tests.engine.simulation.test_histories $(FIRST) $(HISTORIES)

fuzz: setup ## search for files that break their readers (MINUTES=60); what led anywhere is kept in .fuzz/
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,fuzz]'
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

screenshots: setup machine ## remake the pictures of the manual
	$(BIN)/python -m docs.screenshots

clean: ## remove what the tools left; .venv and instance/ stay
	rm -rf build dist htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzz .import_linter_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +
