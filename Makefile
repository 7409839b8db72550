# Two commands: `make demo` shows the nightly job, `make test` proves it.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
PATIENTS ?= 300
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.PHONY: demo test lint docs clean

# torch is installed first and alone: with the exact version already there, no other
# package's looser requirement for it can bring in another build and gigabytes of CUDA libraries.
$(VENV)/.base: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 is needed: make PYTHON=/path/to/python3.11" if sys.version_info[:2] != (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing pinned dependencies into $(VENV) (some minutes the first time) ..."
	$(PIP) install --constraint constraints.txt torch==2.13.0
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(VENV)/.base
	@rm -rf demo
	@mkdir -p demo
	cd demo && ../$(BIN)/clinical-nlp simulate --patients $(PATIENTS) --seed 7 export
	cd demo && ../$(BIN)/clinical-nlp batch export --out out --show 15

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MKDOCS)

# Strict: a broken link or a docstring that does not fit its function fails.
docs: $(VENV)/.dev
	$(MKDOCS)

test: lint
	$(BIN)/pytest

clean:
	rm -rf demo build dist site
