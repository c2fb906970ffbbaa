# `make test` and `make demo` make their own virtual environment; on a fresh machine either is the only command.
PYTHON ?= python3.11
VENV ?= .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready

.PHONY: test demo lint clean

test: lint
	$(RUN) -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal

lint: $(READY)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

# The whole study at a scale for a laptop: data sets, classifiers, experiments, baselines, report.
demo: $(READY)
	$(RUN) repro/dvc.py --profile=demo
	PATH="$(abspath $(VENV)/bin):$$PATH" dvc repro
	@cat data/report/scores.md
	@echo "Look at data/report/index.html"

$(READY): requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --requirement requirements.txt
	touch $@

clean:
	rm -rf $(VENV) data/demo data/report
