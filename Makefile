# Two commands do all the set-up: `make demo` and `make test`. Everything they make lies in .venv, .cache and .types.
PYTHON ?= python3
BIN := .venv/bin
DEMO := .cache/demo-index
WHEEL := .cache/wheel

# Some machines tell Python not to keep what it compiles. Then each of the many processes that the tests start compiles
# all that it imports anew, which is half of what it does.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test types lint docs lock audit clean

demo: .venv/installed
	$(BIN)/talksearch index data --index $(DEMO)
	$(BIN)/talksearch --index $(DEMO) "time dilation metaphor" -k 3

# What is tested is the wheel, not the tree: a module that is not in it is missed here, not by who installs it. Plugins
# are named: of the others pytest would rewrite every module, which takes longer than collecting the tests. Files of
# tests begin in the order of `tests/conftest.py`.
test: .venv/installed-dev types lint $(WHEEL)/built
	PYTHONPATH="$(CURDIR)/$(WHEEL)/site" TALKSEARCH_TESTED=wheel $(BIN)/python -m pytest \
	  -n auto --dist loadfile --no-loadscope-reorder --disable-plugin-autoload -p xdist -p _hypothesis_pytestplugin

# A build folder from before would put modules that are gone into the wheel.
$(WHEEL)/built: .venv/installed-dev pyproject.toml README.md $(shell find indexer search cli -type f -not -name '*.pyc')
	rm -rf build $(WHEEL)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir $(WHEEL) .
	$(BIN)/python -m pip install --quiet --no-compile --no-deps --target $(WHEEL)/site $(WHEEL)/*.whl
	rm -rf build
	touch $@

types: .venv/installed-dev
	mkdir -p .types/talksearch
	for folder in indexer search cli; do ln -sfn "$(CURDIR)/$$folder" ".types/talksearch/$$folder"; done
	$(BIN)/python -m mypy -p talksearch

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The command reference, written from --help; a test fails when it is out of date.
docs: .venv/installed
	$(BIN)/python docs/make_commands.py > docs/commands.md

# What a release installs, each file with its hash: pip install --require-hashes -r constraints-release.txt. For all
# systems at once, so it is long. Everything but what the tests need, which no user installs.
lock: .venv/bin/python
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --constraint constraints.txt --extra cjk --extra fetch --extra languages --extra openvino \
	  --extra transcribe --output-file constraints-release.txt

# What is known to be wrong with what is installed. It tells, and fails nothing: an advisory that appears tomorrow says
# nothing about the change that is tested today.
audit: .venv/installed
	-$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/python .ci/audit.py

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "talksearch needs Python 3.11 or newer; say which one: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	@# Torch first, by itself: the constraint then holds for everything that asks for it. Not compiled, because most of
	@# what is installed is never imported: Python compiles what is, when it first is.
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf .venv .cache .types
