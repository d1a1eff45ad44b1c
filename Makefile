# Everything a newcomer types. `make demo` and `make test` need python3 (3.11 or later), make and a package index.

VENV    := .venv
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
PYTHON  ?= python3

.DEFAULT_GOAL := help
.PHONY: help install demo up test browser check bench bench-web campaign-sending campaign-faults campaign-payments campaign-matrix campaign-api campaign-fuzz campaign-erasure campaign-messages lock clean

help:            ## this list
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

install: $(READY)  ## the virtual environment, from constraints.txt

$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)     ## ten lives over six virtual months, on a real server; ends with the audit of all
	$(BIN)/journeys demo $(if $(PROGRAMME),--programme $(PROGRAMME))

up: $(READY)       ## the stack stays up for real use
	$(BIN)/journeys up

test: $(READY)     ## the whole test suite
	$(BIN)/python -m tests

browser:           ## Chromium from the distribution's packages, for the tests in a browser
	@tests/browser/install.sh

check: $(READY)    ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/architecture

bench: $(READY)    ## speed and memory as ratios, side by side
	$(BIN)/python -m benchmarks

bench-web: $(READY)  ## the pages of a full house (20,000 journeys) beside an empty page: ten minutes, 5 GB of disk
	$(BIN)/python -m benchmarks.pages

campaign-sending: $(READY)  ## 10,000 cases of each rule of when a message may leave, against a plain reckoning
	SENDING_CASES=10000 $(BIN)/python -m pytest -q --timeout 3600 tests/domain/test_sending.py

campaign-faults: $(READY)  ## kills and resets, the whole campaign
	$(BIN)/python -m tests.faults.campaign

campaign-payments: $(READY)  ## 1,000 payments, a bank that misbehaves, kills at every step; every cent compared
	$(BIN)/python -m tests.faults.payments

campaign-messages: $(READY)  ## messages: channels that misbehave, kills at every step, an outage of two minutes; all accounted for
	$(BIN)/python -m tests.faults.messages

campaign-matrix: $(READY)  ## every route and command for every role and scope, and reads across scopes by the thousand
	MATRIX=whole $(BIN)/python -m pytest -q -s --timeout 1800 tests/web/test_matrix.py tests/web/test_reach.py

campaign-erasure: $(READY)  ## an erasure whose worker is killed after each step, and one among 10,000 journeys
	ERASURE=whole $(BIN)/python -m pytest -q -s tests/workflow/test_erasure.py

campaign-api: $(READY)  ## the API against its own description, every operation
	$(BIN)/python -m tests.api.campaign schema

campaign-fuzz: $(READY)  ## 20,000 broken requests over pages and API: no 5xx
	$(BIN)/python -m tests.api.campaign fuzz

lock:              ## constraints.txt anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    --extra dev pyproject.toml -o constraints.txt

clean:             ## all that is not in git
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
