# One verb set for everything. `make` alone lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA_DIR ?= swf-data
PACKAGES := xrootd-server postgresql activemq libxstream-java libjettison-java

.DEFAULT_GOAL := help
.PHONY: help install install-services install-dev packages demo up down test test-browser check format bench chaos docs clean

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

$(VENV)/.installed: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "installing what the tests need into $(VENV)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,services]'
	@touch $@

$(VENV)/.installed-services: $(VENV)/.installed
	@echo "installing what services need into $(VENV)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[services]'
	@touch $@

install: $(VENV)/.installed ## make the environment: .venv/bin/testbed

install-services: $(VENV)/.installed-services

install-dev: $(VENV)/.installed-dev

demo: install ## take, sample, slice and process a SIMULATED run, here and now (SERVE=1: and look at it in a browser)
	$(BIN)/testbed run fast_processing --no-realtime --data-dir $(DATA_DIR) $(if $(SERVE),--serve)

up: install-services ## start PostgreSQL, ActiveMQ and one process per agent, on free ports of 127.0.0.1
	$(BIN)/testbed up --data-dir "$(DATA_DIR)"

down: ## stop what `make up` has started; data stays
	@test ! -x $(BIN)/testbed || $(BIN)/testbed down --data-dir "$(DATA_DIR)"

packages: # Debian packages with the servers that some tests start; without them those tests are skipped, visibly
	@missing=$$(dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(PACKAGES) 2>/dev/null \
	  | awk '$$2 == "installed" {print $$1}' | sort > .installed.tmp; \
	  printf '%s\n' $(PACKAGES) | sort | comm -23 - .installed.tmp; rm -f .installed.tmp); \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ -n "$(APT)" ]; then \
	  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing >/dev/null; \
	else \
	  echo "not installed, so some tests are skipped: $$missing (APT=1 installs them, or: apt-get install $$missing)" >&2; \
	fi

test: install-dev packages ## unit, contract and integration tests (APT=1: install Debian packages that they need)
	$(BIN)/python -m pytest

test-browser: PACKAGES := chromium
test-browser: install-dev packages ## what a shifter does, in a browser (APT=1: install Debian's chromium; SHOTS=DIR: pictures)
	$(BIN)/python -m pytest tests/browser

check: install-dev ## ruff, mypy, import-linter
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: install-dev ## lay the code out
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install-dev ## speed and memory, as ratios to baselines of the same run
	$(BIN)/python -m benchmarks

chaos: install-dev packages ## what dies and breaks, embedded and with real servers: nothing is lost (N=20 SEED=1 SCALE=1)
	N=$(N) SEED=$(SEED) SCALE=$(SCALE) $(BIN)/python -m pytest tests/chaos -s --timeout 3600

docs: install-dev ## write the generated pages of docs/reference
	$(BIN)/python -m swf.cli.reference docs/reference

clean: down ## stop what runs, remove the environment and the demo's data
	rm -rf $(VENV) $(DATA_DIR)
