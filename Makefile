# Everything a contributor types. Needs python3 (3.11 or later) with its venv module, and make.

PYTHON ?= python3
BIN := .venv/bin
TESTS ?= tests
WORKERS ?= 4

.DEFAULT_GOAL := help
.PHONY: help demo test lint check soak bench pictures clean

help:
	@echo 'make demo    everything at once, on embedded ssh hosts; nothing is set up or left behind'
	@echo 'make test    the test suite (TESTS=tests/store for a part of it)'
	@echo 'make lint    formatting, types, shell texts, import directions'
	@echo 'make check   lint and test: what must pass before a change lands'
	@echo 'make soak    the slow campaigns: minutes to hours'
	@echo 'make bench   each figure beside its rival, as one table'
	@echo 'make pictures  the pictures of the screen in the documents, and what its tests compare'
	@echo 'make clean   removes what make has made'

# A failed install leaves no stamp. pip 25.1 is the first with --group, and Python brings an older one.
.venv/.package: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'sshsched needs Python 3.11 or later; name one with: make PYTHON=python3.12' >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo 'python3 has no venv module; on Debian: apt-get install python3-venv' >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/.dev: .venv/.package
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

demo: .venv/.package
	$(BIN)/sshsched demo

test: .venv/.dev
	tests/needs.sh
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m 'not soak' $(TESTS)

lint: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/shellcheck .ci/run $$(find . -name '*.sh' -not -path './.venv/*')
	$(BIN)/python -m pytest -q tests/test_house.py

check: lint test

soak: .venv/.dev
	tests/needs.sh chromium
	$(BIN)/python -m pytest -m soak --timeout 7200 $(TESTS)

bench: .venv/.dev
	tests/needs.sh parallel pdsh
	$(BIN)/python -m bench

pictures: .venv/.dev
	$(BIN)/python -m tests.tui.pictured

clean:
	rm -rf .venv dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find sshsched tests -name __pycache__ -type d -prune -exec rm -rf {} +
