# Everything runs in .venv, which is made from the lock; only Python 3.11 or later with venv is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
TESTS ?=
PLUGINS := plugins/workbench-gpu plugins/workbench-slices plugins/workbench-optuna

.PHONY: setup demo test test-fast test-duckdb15 check format bench torture fuzz fuzz-atheris fixtures lock clean

setup: $(VENV)/installed

$(VENV)/installed: requirements.lock pyproject.toml $(addsuffix /pyproject.toml,$(PLUGINS))
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . \
		$(addprefix -e ,$(PLUGINS))
	touch $@

demo: setup            ## train the sample project and open it; ARGS=--headless prints the report instead
	$(BIN)/workbench demo $(ARGS)

test: setup test-duckdb15  ## every test, and a smaller run with the oldest DuckDB
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" $(TESTS)

test-fast: setup       ## all but kills, crowds and fuzzing
	$(BIN)/python -m pytest -n 2 -m "not slow" --ignore=tests/torture --ignore=tests/fuzz $(TESTS)

test-duckdb15: setup $(VENV)/duckdb15/installed  ## the smaller run, with DuckDB 1.5.5
	PYTHONPATH=$(CURDIR)/$(VENV)/duckdb15 $(BIN)/python -m pytest -m duckdb15

$(VENV)/duckdb15/installed: requirements-duckdb15.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --upgrade \
		--target $(VENV)/duckdb15 -r requirements-duckdb15.lock
	touch $@

check: setup           ## formatter, linter, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	for plugin in $(PLUGINS); do $(BIN)/mypy "$$plugin"/workbench_* || exit 1; done
	$(BIN)/lint-imports

format: setup          ## mend what the formatter and linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup $(VENV)/bench-installed  ## every budget beside its peer, in one run
	$(BIN)/python -m tests.bench $(ARGS)

$(VENV)/bench-installed: requirements-bench.lock
	$(PYTHON) -m venv $(VENV)/peers
	$(VENV)/peers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-bench.lock
	touch $@

torture: setup         ## kill -9 and crowds at full length
	$(BIN)/python -m pytest -m slow tests/torture $(ARGS)

fuzz: setup            ## hostile files at full length
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -m slow tests/fuzz tests/ingest/test_growing.py $(ARGS)

fuzz-atheris: setup    ## the binary readers under atheris, led by coverage; says so where it is not installed
	$(BIN)/python -m tests.fuzz.with_atheris $(ARGS)

fixtures: $(VENV)/writers-installed  ## remake the small committed logs with the libraries that write them
	for writer in tests/fixtures/make_*.py; do \
		echo "$$writer"; \
		PATH="$(CURDIR)/$(VENV)/writers/bin:$$PATH" MLFLOW_ALLOW_FILE_STORE=true \
			$(VENV)/writers/bin/python -m "tests.fixtures.$$(basename $$writer .py)" || exit 1; \
	done

$(VENV)/writers-installed: requirements-writers.lock $(VENV)/installed
	$(PYTHON) -m venv $(VENV)/writers
	$(VENV)/writers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		-r requirements-writers.lock
	touch $@

LOCK = uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11
lock:                  ## resolve the dependencies anew (needs uv)
	$(LOCK) --all-extras --group dev pyproject.toml -o requirements.lock
	$(LOCK) --group bench -o requirements-bench.lock
	$(LOCK) --group writers -o requirements-writers.lock

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
