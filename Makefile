# One way in: every target makes what it needs, from Python 3.11-3.13, make and the package registries.

.DEFAULT_GOAL := help

VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP   := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Set PYTHON to choose the interpreter; otherwise the first of these that runs and fits.
PYTHON ?=
PYTHONS := $(if $(PYTHON),$(PYTHON),python3 python3.13 python3.12 python3.11 python)
FITS    := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))

# pyright brings node as a wheel; it has no reason to look for a newer one.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.PHONY: help demo test soak check bench bench-growth bench-kafka up lock install
.PHONY: check-format check-lint check-mypy check-pyright check-imports check-compose check-tests

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP)  ## show the ledger at work, on a PostgreSQL of its own
	@$(BIN)/claims demo

test: $(STAMP)  ## run every test, on a PostgreSQL and a Kafka the tests start themselves
	@$(BIN)/pytest -n auto

soak: $(STAMP)  ## kill, stop and cut everything for MINUTES=n (SEED=s again, ONLY=engine or kafka), and look for what is lost
	@$(BIN)/python -m tests.faults.soak --minutes $(or $(MINUTES),1) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY)) $(if $(JSON),--json)

# The make that macOS brings cannot do this; there the output of two steps may mix.
TOGETHER := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

# Every step is a target of its own: two at a time, each one's output kept together, all of them even if one fails.
check: $(STAMP)  ## check format, lint, types, imports, the compose file, and run the tests that need no service
	@$(MAKE) --no-print-directory --jobs=2 --keep-going $(TOGETHER) \
		check-pyright check-mypy check-format check-lint check-imports check-compose check-tests

bench: $(STAMP)  ## measure throughput and latency beside their peers, in under ten minutes
	@$(BIN)/python -m bench

bench-growth: $(STAMP)  ## measure the same on a log of up to four million facts, which takes longer
	@$(BIN)/python -m bench growth

bench-kafka: $(STAMP)  ## watch the memory of what speaks Kafka over a million messages, which takes longer
	@$(BIN)/python -m bench kafka-memory

up:  ## start PostgreSQL, Kafka and the ledger in containers
	@docker compose version >/dev/null 2>&1 || { \
		echo "make up needs Docker with Compose v2; 'make demo' needs neither." >&2; exit 1; }
	docker compose up --build

lock: $(STAMP)  ## solve the dependencies again and write both lock files
	@for extra in "requirements.lock" "requirements-dev.lock --all-extras --group dev --constraint requirements.lock"; do \
		$(BIN)/uv pip compile pyproject.toml --quiet --no-config --universal --python-version 3.11 --upgrade \
			--generate-hashes --no-emit-index-url --custom-compile-command "make lock" --output-file $$extra || exit 1; \
	done

install: $(STAMP)  ## make .venv with everything the other targets need

check-format: $(STAMP)
	@$(BIN)/ruff format --check .

check-lint: $(STAMP)
	@$(BIN)/ruff check .

check-mypy: $(STAMP)
	@$(BIN)/mypy

check-pyright: $(STAMP)
	@$(BIN)/pyright

check-imports: $(STAMP)
	@$(BIN)/lint-imports --no-logo

check-compose: $(STAMP)
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

check-tests: $(STAMP)
	@$(BIN)/pytest -q -n 2 -m "not service"

# uv comes from the same lock, by hash, because it installs the rest in a quarter of the time (8 s against 33 s, measured
# cold). It does not read pip's configuration, so where only pip knows the way to a registry, pip does it all.
$(STAMP): requirements-dev.lock pyproject.toml
	@if ! $(BIN)/python -c '$(FITS)' >/dev/null 2>&1; then \
		for python in $(PYTHONS); do \
			if $$python -c '$(FITS)' >/dev/null 2>&1; then found=$$python; break; fi; \
		done; \
		if [ -z "$${found:-}" ]; then \
			echo "No Python 3.11, 3.12 or 3.13 with its venv module among: $(PYTHONS). Say which one: make PYTHON=..." >&2; \
			exit 1; \
		fi; \
		$$found -m venv --clear $(VENV); \
	fi
	@echo "Installing into $(VENV) ..."
	@sed -n '/^uv==/,/# via/p' requirements-dev.lock > $(VENV)/uv.lock
	@$(PIP) --require-hashes -r $(VENV)/uv.lock
	@$(BIN)/uv pip sync --quiet --no-config --system-certs --python $(BIN)/python --require-hashes requirements-dev.lock 2>/dev/null \
		|| $(PIP) --require-hashes -r requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $(STAMP)
