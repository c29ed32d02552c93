# `make` lists the targets. `make run` and `make test` do all their own set-up.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run dev test check fix bench docs migrate lock soak

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/stamps
CODE   := graphs prompts server storage tools evals tests docs
WEB    := $(shell git ls-files web 2>/dev/null | grep -v '^web/README' || find web -type f -not -path '*/node_modules/*' 2>/dev/null)

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMPS)/core $(STAMPS)/web  ## install what `make run` needs, without starting

run: setup  ## start Artel on http://127.0.0.1:8123
	@exec $(BIN)/artel serve

dev: $(STAMPS)/dev $(STAMPS)/web-dependencies  ## start the server, and the page with hot reload on port 5173
	@trap 'kill 0' EXIT; $(BIN)/artel serve & cd web && npm run dev

test: $(STAMPS)/dev $(STAMPS)/web check  ## what CI runs: checks, then every test but the soak
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --cov --cov-report=term:skip-covered --cov-fail-under=90 -q
	@cd web && npm test --silent

check: $(STAMPS)/dev $(STAMPS)/web-dependencies  ## format, lint, types, imports
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy -p artel
	@$(BIN)/mypy tests evals docs
	@$(BIN)/lint-imports --no-logo 2>/dev/null | tail -1 || { $(BIN)/lint-imports; exit 1; }
	@cd web && npm run --silent typecheck && npm run --silent lint

fix: $(STAMPS)/dev  ## format and mend what can be mended
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

bench: $(STAMPS)/dev  ## measure speed and memory, as ratios within one run
	@$(BIN)/python -m evals.bench

docs: $(STAMPS)/dev  ## write the reference pages that are made from code
	@$(BIN)/python docs/generate.py

migrate: setup  ## bring the database to the newest schema, without starting
	@exec $(BIN)/artel migrate

soak: $(STAMPS)/dev $(STAMPS)/web  ## the long tests: fuzzing, fault rounds
	@$(BIN)/python -m pytest -m soak -q

lock: $(STAMPS)/dev  ## resolve all dependencies anew
	@$(BIN)/python requirements/lock.py

# A venv of its own, with uv in it: nothing else on the machine is touched.
$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Artel needs Python 3.11 to 3.13, but $(PYTHON) is {v[0]}.{v[1]}: set PYTHON=python3.12, say")'
	@echo "Making $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/core: $(STAMPS)/venv requirements/core.txt pyproject.toml
	@echo "Installing Artel"
	@UV_COMPILE_BYTECODE=1 $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/core.txt -r requirements/build.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(STAMPS)/dev: $(STAMPS)/core requirements/dev.txt requirements/anthropic.txt
	@echo "Installing what the tests need"
	@UV_COMPILE_BYTECODE=1 $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt -r requirements/anthropic.txt
	@touch $@

$(STAMPS)/web-dependencies: $(STAMPS)/venv web/package-lock.json
	@command -v npm >/dev/null || { echo "The page is built with Node 20.19 or newer, and no npm was found: install Node"; exit 1; }
	@echo "Installing what the page is built with"
	@cd web && npm ci --silent --no-audit --no-fund
	@touch $@

$(STAMPS)/web: $(STAMPS)/venv $(WEB)
	@if command -v npm >/dev/null; then \
		$(MAKE) --no-print-directory $(STAMPS)/web-dependencies; \
		echo "Building the page"; cd web && npm run --silent build; \
	elif [ -f server/static/index.html ]; then \
		echo "No Node here: serving the page as it was built before"; \
	else \
		echo "No Node here, so there is no page at /; install Node 20.19 or newer and run make again"; exit 0; \
	fi
	@touch $@
