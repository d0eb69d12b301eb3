# make run    set up, evolve images that fool the shipped LeNet, show them
# make test   set up, run the tests; ARGS="tests/fooling/archive/test_archive.py -k merge" runs some of them
# make browser   install Chromium, which the browser tests drive, where Debian's apt can; without it they skip
# PIP_ARGS    extra arguments for pip, e.g. PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP_ARGS ?=
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q -c constraints.txt $(PIP_ARGS)

.PHONY: run test test-all browser lint format bench clean

run: $(VENV)/.run-ready
	$(BIN)/fooling run

test: $(VENV)/.dev-ready
	$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

test-all: $(VENV)/.dev-ready
	$(BIN)/python -m pytest -n auto --dist loadgroup -m '' $(ARGS)

browser:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		&& apt-get -qq -o Acquire::http::Timeout=30 update \
		&& DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y chromium >/dev/null; } \
		|| echo "no Chromium here, and apt can't install it: the browser tests skip"

lint: $(VENV)/.dev-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev-ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev-ready
	$(PIP) -e '.[bench]'  # the peers, which nothing else needs
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "error: expected Python 3.11 or newer on the PATH, found none"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-ready: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "setting up $(VENV) (once; torch is the large one) ..."
	$(PIP) -e .
	@touch $@

$(VENV)/.dev-ready: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "setting up $(VENV) for development (once) ..."
	$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.run-ready
