# One command for each habit. `make install` first; it makes .venv.
BIN := .venv/bin

.PHONY: install check test docs notebooks format ci

install:            ## an environment with everything that a developer needs
	python3 -m venv .venv
	$(BIN)/pip install --quiet -e '.[dev]'
	$(BIN)/pre-commit install

check:              ## lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format:             ## put the code in its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test:               ## all tests, doctests among them
	$(BIN)/pytest

docs:               ## the documentation, into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

notebooks:          ## write each notebook's ipynb again from its text
	$(BIN)/jupytext --to ipynb --update notebooks/*.md

ci:                 ## what must pass before a change lands
	.ci/run
