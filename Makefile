# `make` lists the targets. `make run` and `make test` do all their own set-up.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run dev test coverage check fix bench evals docs faults migrate lock soak

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/stamps
# Folders too: a file that goes away makes the page stale as well.
WEB    := $(shell find web -maxdepth 1 -type f -not -name '*.timestamp-*') $(shell find web/src web/public)

# pip knows indexes that uv does not: those of pip.conf and PIP_INDEX_URL.
install = UV_COMPILE_BYTECODE=1 $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes $(1) \
	|| { echo "Trying again with pip"; $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes $(1); }

node_is_fit = command -v npm >/dev/null && node -e \
	'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)'
node_found  = $$(command -v node >/dev/null && echo "this is $$(node --version)" || echo "none was found")

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMPS)/core $(STAMPS)/web  ## install what `make run` needs, without starting

run: setup  ## start Artel on http://127.0.0.1:8123
	@exec $(BIN)/artel serve

dev: $(STAMPS)/dev $(STAMPS)/web-dependencies  ## start the server, and the page with hot reload on port 5173
	@trap 'kill 0' EXIT; $(BIN)/artel serve & cd web && npm run dev

test: $(STAMPS)/dev $(STAMPS)/web $(STAMPS)/clients check  ## what CI runs: checks, then every test but the soak
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -q
	@cd web && npm test --silent

coverage: $(STAMPS)/dev $(STAMPS)/web $(STAMPS)/clients  ## the tests, counting the lines they run: 90 % at least
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --cov --cov-report=term:skip-covered --cov-fail-under=90 -q

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

evals: $(STAMPS)/dev  ## run the cases of agents that need no model; others: docs/howto/evals.md
	@$(BIN)/python -m evals run
	@$(BIN)/python -m evals report

docs: $(STAMPS)/dev  ## write the reference pages that are made from code
	@$(BIN)/python docs/generate.py
	@$(BIN)/python docs/sums.py

migrate: setup  ## bring the database to the newest schema, without starting
	@exec $(BIN)/artel migrate

soak: $(STAMPS)/dev $(STAMPS)/web $(STAMPS)/clients  ## the long tests: fuzzing, fault rounds
	@$(BIN)/python -m pytest -m soak -q

faults: $(STAMPS)/dev  ## kill, cut and storm, and say what was lost, doubled, and how long it took
	@$(BIN)/python -m pytest -m "fault and not soak" -q tests/journeys tests/web

lock: $(STAMPS)/dev  ## resolve all dependencies anew
	@$(BIN)/python requirements/lock.py

# A venv of its own, with uv in it: nothing else on the machine is touched.
$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Artel needs Python 3.11 to 3.13, but $(PYTHON) is {v[0]}.{v[1]}: set PYTHON=python3.12, say")'
	@echo "Making $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/core: $(STAMPS)/venv requirements/core.txt requirements/build.txt requirements/embedder.txt pyproject.toml
	@echo "Installing Artel"
	@$(call install,-r requirements/core.txt -r requirements/build.txt)
	@$(call install,--no-deps -r requirements/embedder.txt)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(STAMPS)/dev: $(STAMPS)/core requirements/dev.txt requirements/anthropic.txt requirements/otel.txt requirements/qdrant.txt requirements/redis.txt
	@echo "Installing what the tests need"
	@$(call install,-r requirements/dev.txt -r requirements/anthropic.txt \
		-r requirements/otel.txt -r requirements/qdrant.txt -r requirements/redis.txt)
	@touch $@

$(STAMPS)/web-dependencies: $(STAMPS)/venv web/package-lock.json
	@$(node_is_fit) || { echo "The page is built and checked with Node 20.19 or newer; $(node_found)"; exit 1; }
	@echo "Installing what the page is built with"
	@cd web && npm ci --silent --no-audit --no-fund
	@touch $@

$(STAMPS)/clients: $(STAMPS)/venv $(wildcard tests/protocol/js/*.js*)
	@$(node_is_fit) || { echo "The JavaScript clients run on Node 20.19 or newer; $(node_found)"; exit 1; }
	@echo "Installing the JavaScript clients"
	@cd tests/protocol/js && npm ci --silent --no-audit --no-fund && npm run --silent build
	@touch $@

# Without a fit Node there is no stamp: the page is built as soon as there is one.
$(STAMPS)/web: $(STAMPS)/venv $(WEB)
	@if $(node_is_fit); then \
		$(MAKE) --no-print-directory $(STAMPS)/web-dependencies; \
		echo "Building the page"; (cd web && npm run --silent build); touch $@; \
	elif [ -f server/static/index.html ]; then \
		echo "Serving the page as it was built before: a new one needs Node 20.19 or newer, and $(node_found)"; \
	else \
		echo "There is no page at /, only the API: the page needs Node 20.19 or newer, and $(node_found)"; \
	fi
