# Every target makes what it needs in .venv and is quick when nothing changed. The plain commands stand in README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EFFORT ?= quick

.PHONY: setup score test proof lint docs bench clean

setup: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

score: setup
	$(BIN)/python -m pytest --ml-score --ml-score-effort $(EFFORT) -n 2 --dist worksteal reference_system

test: setup
	$(BIN)/python -m pytest -n 2

proof: setup
	$(BIN)/python -m mltest.faults.counting tests/proof/counted.toml tests/proof/counted.json

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m mltest.item_pages --check
	$(BIN)/python -m mltest.reporters.schema --check

docs: setup
	$(BIN)/python -m mltest.item_pages
	$(BIN)/python -m mltest.reporters.schema

bench: setup
	$(BIN)/python -m pytest benchmarks -p no:xdist

clean:
	rm -rf $(VENV) .ml-score .reference_system
