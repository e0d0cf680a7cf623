# Every target makes what it needs: on a bare machine, python3 (3.11 to 3.13) and make are enough.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench sdk-test soak cover wheel clean

ARGS ?=
# Three workers even on two cores: some tests wait for sockets, and the others use that time.
WORKERS := -n 3 --dist worksteal
BIN := .venv/bin
READY := .venv/.ready

help:
	@echo "make demo [ARGS=...]   set up, then run crosswire demo (ARGS=\"--seconds 20 --json\")"
	@echo "make test [ARGS=...]   run every test"
	@echo "make check             ruff, ruff format, mypy --strict, tidy"
	@echo "make bench [ARGS=...]  run the benchmarks (ARGS=--quick for two minutes)"
	@echo "make sdk-test          the venues' own SDKs against our simulators"
	@echo "make soak              a day at 1,000 orders a minute in virtual time: does memory grow?"
	@echo "make cover             tests with line and branch coverage; fails below 95 %"
	@echo "make wheel             build it into dist/"
	@echo "make clean             remove what the other targets made"

# The stamp is newer than pyproject.toml as long as nothing has to be installed again.
$(READY): pyproject.toml
	@python=""; for name in "$${PYTHON:-}" python3 python3.13 python3.12 python3.11; do \
	  if [ -n "$$name" ] && "$$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
	  then python="$$name"; break; fi; done; \
	if [ -z "$$python" ]; then \
	  echo "crosswire needs Python 3.11, 3.12 or 3.13 with its venv module; set PYTHON=/path/to/one" >&2; exit 2; fi; \
	[ -x $(BIN)/python ] || "$$python" -m venv .venv
	@echo "installing into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@

setup: $(READY)

demo: $(READY)
	@$(BIN)/crosswire demo $(ARGS)

test: $(READY)
	@$(BIN)/python -m pytest $(WORKERS) $(ARGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_tidy.py

bench: $(READY)
	@$(BIN)/python -m bench $(ARGS)

sdk-test: $(READY)
	@$(BIN)/python -m tests.sdk $(ARGS)

soak: $(READY)
	@$(BIN)/crosswire campaign --soak 1440 $(ARGS)

cover: $(READY)
	@$(BIN)/python -m pytest $(WORKERS) -q --cov --cov-report= $(ARGS)
	@echo "all modules:"
	@$(BIN)/coverage report --omit= --fail-under=0 --skip-covered | tail -n 3
	@echo "the pure modules:"
	@$(BIN)/coverage report

wheel: $(READY)
	@rm -rf dist
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	@ls dist

clean:
	rm -rf .venv .venv-* dist build bench/out .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
