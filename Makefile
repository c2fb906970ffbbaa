# `make test` and `make demo` make their own virtual environment; on a fresh machine either is the only command.
PYTHON ?= python3.11
VENV ?= .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready

.PHONY: test demo study lint clean

test: lint
	$(RUN) -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal

lint: $(READY)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

# The whole study: data sets, classifiers, experiments, baselines, report; the demo's is at a scale for a laptop. DVC runs one
# stage at a time; what doesn't depend on each other is made side by side, on one core each. Neither lane waits for a stage of
# the other's: DVC would give up. Ctrl-C doesn't reach what a shell runs in the background, hence the trap.
demo: PROFILE := demo
networks = $$(dvc stage list --name-only | grep -E '^(train|test)@$(1)/')

demo study: export PATH := $(abspath $(VENV)/bin):$(PATH)
demo study: export OMP_NUM_THREADS := 1
demo study: $(READY)
	$(RUN) repro/dvc.py --profile=$(PROFILE)
	dvc repro make_reference_classifier
	trap 'trap "" TERM; kill 0' INT; \
	dvc --wait-for-lock repro --single-item $(call networks,cloud_removal) & \
	dvc --wait-for-lock repro --single-item test_baseline $(call networks,sar_to_optical); \
	status=$$?; wait $$! && exit $$status
	dvc repro
	@cat data/report/scores.md
	@echo "Look at data/report/index.html"

$(READY): requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --requirement requirements.txt
	touch $@

clean:
	rm -rf $(VENV) data/demo data/report
