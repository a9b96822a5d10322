# What a newcomer types. Every target sets up what it needs; a second call skips the set-up.

PYTHON ?= python3
BIN := .venv/bin
OURS := concept_sets probes audit reports
# Two test processes fit the smallest machine that the project is built on.
WORKERS ?= 2
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo check format test bench planted wheel constraints catalogues golden clean distclean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## Install everything into .venv (about 6 GB the first time, seconds afterwards)
	@PYTHON='$(PYTHON)' bash .ci/setup.sh

demo: setup ## Audit the embedded model, print the verdict and where the report lies
	@$(BIN)/clip-audit demo

check: setup ## Style, types, import contracts, words we do not use
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -P .ci/words.py

format: setup ## Put the code into the house style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# One thread per process: two processes on two cores would only get in each other's way.
test: check ## The checks, then every test
	@bash .ci/browser.sh
	@bash .ci/pdf_tools.sh
	@bash .ci/services.sh
	@OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) --durations=15 $(TESTS) || { code=$$?; \
	    if [ $$code -eq 5 ]; then echo "pytest must run tests; it found none in '$(TESTS)'."; fi; \
	    exit $$code; }

bench: setup ## Measure the hot paths against what others offer, redraw docs/performance.md
	@$(BIN)/python -m benchmarks.speed --out build/speed.json --page docs/performance.md

planted: setup ## Rerun the small benchmark of planted truth, redraw docs/planted.md (under 30 minutes)
	@$(BIN)/python -m benchmarks.planted --work build/planted

wheel: setup ## Build the wheel into dist/
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist .

constraints: ## Resolve constraints.txt anew (a full download)
	@PYTHON='$(PYTHON)' bash .ci/constraints.sh

catalogues: setup ## Bring the messages of every language up to date with the source
	@$(BIN)/python .ci/catalogues.py

golden: setup ## Store the pages of the PDF tests as they look now; look at them before you commit
	@bash .ci/pdf_tools.sh
	@CLIP_AUDIT_GOLDEN=write $(BIN)/pytest -q -k looks_as_stored tests/reports/test_pdf_golden.py

clean: ## Remove what tools left behind; keep .venv and every audit
	@rm -rf dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find $(OURS) tests benchmarks .ci -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## clean, and remove .venv and what browser tests installed
	@rm -rf .venv tests/browser/node_modules
