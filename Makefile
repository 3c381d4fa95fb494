# Plimsoll: every command sets up what it needs by itself. `make` alone prints this list.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
WORLD ?= embedded
STORES ?=
SEED ?= 1
DURATION ?= 60
MULTIPLE ?= 2
PROFILE ?=
COMMIT ?= HEAD~1
OPTIONS ?=
WORKERS ?= auto
IN_WORKERS = --numprocesses $(WORKERS) --dist worksteal
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help provision setup trial test features load load-compare bench track-record generate check \
  format lock clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

provision: ## Install the servers that tests use, where this user may; say what is missing
	@ci/provision

setup: $(READY) ## Build .venv from the hash-pinned lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) ci/python_version.py
	@echo "setting up .venv (once; about two minutes) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m services.indicators.precompilation
	@touch $@

trial: $(READY) ## Trade real market history through the whole chain and judge the run
	@$(BIN)/plimsoll trial --world $(WORLD) --stores "$(STORES)" --seed $(SEED)

test: provision check ## Run every check and every test, in every world this machine offers
	@$(BIN)/python -m pytest $(IN_WORKERS)

features: $(READY) ## Run the acceptance features only
	@$(BIN)/python -m pytest $(IN_WORKERS) features

load: $(READY) ## Load two devices on real stores, judge it all: DURATION=60 MULTIPLE=2 PROFILE=submit
	@$(BIN)/plimsoll load --duration $(DURATION) --multiple $(MULTIPLE) $(PROFILE:%=--profile %) \
	  $(OPTIONS)

load-compare: $(READY) ## Load COMMIT and what is here in turn; report regressions as ratios
	@$(BIN)/plimsoll load-compare $(COMMIT) $(PROFILE:%=--profile %) $(OPTIONS)

bench: $(READY) ## Measure what the specification bounds, as ratios in one run
	@$(BIN)/python -m plimsoll.bench

track-record: $(READY) ## Find every planted bug again, and write chaos/TRACK_RECORD.md
	@$(BIN)/python -m chaos.planted.record "$$(date -u +%F), $$(git rev-parse --short HEAD)"

generate: $(READY) ## Generate messages, ports and reference docs from the contracts
	@$(BIN)/plimsoll contracts generate
	@$(BIN)/plimsoll contracts docs

check: $(READY) ## Lint, format, types, tidy rules, contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/python ci/tidy.py
	@$(BIN)/plimsoll contracts check

format: $(READY) ## Format Python and contracts
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/plimsoll contracts format

lock: ## Pin every dependency again, with hashes and without addresses (needs uv)
	@uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --quiet --output-file requirements.lock

clean: ## Remove everything that was built or recorded
	@rm -rf .venv build runs *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
