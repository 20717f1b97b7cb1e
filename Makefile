# The project's commands; `make help` lists them. Everything runs in .venv, made from requirements.lock.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types bench soak lock clean
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
# Tests of whole programs wait more than they work: with less than four at once processors would stand still.
TESTERS = $(shell $(PY) -c 'import os; print(max(4, os.cpu_count() or 1))')
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PIP_ROOT_USER_ACTION := ignore

help: ## show this list
	@grep -E '^[a-z]+:.*##' Makefile | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(VENV)/.ready: requirements.lock pyproject.toml
	@echo "setting up $(VENV)"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or later is needed: make PYTHON=python3.12 (and remove $(VENV) first)"; exit 1; }
	@$(PY) -m pip install --quiet --progress-bar off --require-hashes -r requirements.lock
	@$(PY) -m pip install --quiet --progress-bar off --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(VENV)/.ready ## make .venv from requirements.lock, and get a browser where none is
	@$(PY) -m jdp_scraper.browser.install

demo: setup ## run the main job against the embedded demo portal; PDFs and archive land in downloads/
	@PUBLISH_ARCHIVE=true $(PY) main_async.py run --demo --new

test: $(VENV)/.ready ## run all tests but the long forms
	@$(PY) -m jdp_scraper.browser.install --for-tests
	@$(PY) -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder -m "not soak"

lint: $(VENV)/.ready ## check style and format
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check . && echo "lint: ok"

types: $(VENV)/.ready ## check types, strictly
	@$(BIN)/mypy --no-color-output

bench: setup ## measure against other clients, as ratios within one run; BENCH="speed --long" for other sets
	@$(PY) -m tests.benchmarks $(BENCH)

soak: setup ## run the long forms of the tests
	@$(PY) -m pytest -m soak --timeout 3600 tests/acceptance/test_soak.py
	@$(PY) -m pytest -m soak --timeout 3600 -n auto --ignore tests/acceptance/test_soak.py
	@$(PY) -m pytest -m thorough --hypothesis-profile long -n auto --timeout 3600

# Without the extra `bench`: what the lock holds, `make setup` installs.
lock: $(VENV)/.ready ## write requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes \
		--no-emit-index-url --no-header --output-file requirements.lock pyproject.toml

clean: ## remove .venv and what tools leave behind, never downloads/
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
