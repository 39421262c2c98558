# Start with `make demo` or `make test`. Each target creates .venv if it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo serve test test-thorough lint lock client sbom bench bench-detector bench-delivery bench-late chaos load soak mutate clean
help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.serve: pyproject.toml clients/python/pyproject.toml requirements.txt | $(BIN)/python
	$(PIP) --require-hashes --requirement requirements.txt
	$(PIP) --no-deps --editable clients/python --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml clients/python/pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --constraint constraints.txt --editable clients/python --editable '.[train,dev]'
	@touch $@ $(VENV)/.serve

demo: $(VENV)/.serve ## run the whole service on a simulated scenario of two days
	$(BIN)/groundswell demo

serve: $(VENV)/.serve ## start the service on 127.0.0.1:8000
	$(BIN)/groundswell serve

test: $(VENV)/.dev ## run the linters and all tests
	$(MAKE) --no-print-directory lint
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

test-thorough: $(VENV)/.dev ## run the tests of order, replay and kills with far more examples (about half an hour)
	OMP_NUM_THREADS=1 THOROUGH_TESTS=1 $(BIN)/pytest -n 2 tests/serving/test_order.py tests/serving/test_replay.py tests/serving/test_crash.py

lint: $(VENV)/.dev ## run ruff, mypy, import-linter and hadolint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/hadolint Dockerfile

lock: $(VENV)/.dev ## write requirements.txt: what the service needs, each file with its hash
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-annotate \
		--no-emit-package groundswell-client --generate-hashes --constraint constraints.txt --extra notify --extra postgres --extra kafka \
		--custom-compile-command "make lock" pyproject.toml --output-file requirements.txt

client: $(VENV)/.dev ## write the client without asyncio from the one with it
	$(BIN)/python clients/python/write_sync.py

sbom: $(VENV)/.dev ## write what the service consists of, and under which licences, to dist/
	$(PYTHON) -m venv --clear dist/service
	dist/service/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	dist/service/bin/python -m pip install --quiet --disable-pip-version-check --no-deps ./clients/python
	$(BIN)/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml \
		--output-file dist/sbom.cdx.json dist/service/bin/python
	$(BIN)/pip-licenses --python dist/service/bin/python --format markdown --with-urls --output-file dist/licences.md
	rm -r dist/service

bench: $(VENV)/.dev ## run the crisis benchmark on 25 KOLs, with the other detectors
	$(BIN)/python -m benchmarks.crisis --kols 25

bench-detector: $(VENV)/.dev ## run all detector benchmarks: NAB, crises by counts and by texts; needs ../shared
	$(BIN)/python -m benchmarks.nab
	$(BIN)/python -m benchmarks.crisis --kols 100
	$(BIN)/python -m benchmarks.crisis.plots
	$(BIN)/python -m benchmarks.crisis --text

bench-delivery: $(VENV)/.dev ## time notifications through real Prometheus, Alertmanager and e-mail; then an outage
	$(BIN)/python -m benchmarks.delivery
	$(BIN)/python -m benchmarks.delivery --faults

bench-late: $(VENV)/.dev ## compare the alerts of late comments with those of prompt ones; time late comments
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.late --crisis --cost

chaos: $(VENV)/.dev ## kill the service 200 times on each database while it judges a stream (half an hour)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.chaos

load: $(VENV)/.dev ## time the delay of detection at rest and under nine loads, on each database
	$(BIN)/python -m benchmarks.load

soak: $(VENV)/.dev ## run the service at 70% of what it can do, for an hour, and draw its memory and delay
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.soak

mutate: $(VENV)/.dev ## break the code in 305 places and count what the tests notice (half an hour)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.mutation

clean: ## remove the virtual environment and all caches
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
