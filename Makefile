# Everything that this repository can be asked to do. Needs python3 (3.11 or newer), make and a package index.
PYTHON ?= python3
BIN := .venv/bin
RUNTIME := .venv/.runtime-installed
export SOAK_MINUTES ?= 30
DEV := .venv/.dev-installed
LOCKED := pyproject.toml scripts/setup requirements/runtime.txt requirements/dev.txt requirements/uv.txt

.PHONY: help demo test check format soak bench test-editor lock clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(RUNTIME) ## try renkei on two fake vendors on this machine
	$(BIN)/python -m renkei demo

test: $(DEV) ## set up, then all checks and tests
	scripts/check

format: $(DEV) ## write the code as the checks want it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

soak: $(DEV) ## the long random runs (hours; SOAK_SCHEDULES, 100000 unasked; SOAK_MINUTES of the service, 30 unasked)
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -n 2 --dist worksteal -m "not editor" --timeout 1800 --durations 10
	$(BIN)/python -m tests.mutants --record

bench: $(DEV) ## renkei against the frozen bare copy (minutes)
	$(BIN)/python -m benchmarks

test-editor: $(DEV) ## completion and errors of mapping files in an editor's language server (needs node and npm)
	scripts/test-editor

lock: $(DEV) ## resolve the dependencies anew and write requirements/*.txt
	scripts/lock

clean: ## forget the environment and all caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(RUNTIME): $(LOCKED)
	PYTHON=$(PYTHON) scripts/setup runtime
	@touch $@

$(DEV): $(LOCKED)
	PYTHON=$(PYTHON) scripts/setup dev
	@touch $@ $(RUNTIME)
