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

# The whole study at a scale for a laptop: data sets, classifiers, experiments, baselines, report. DVC runs one stage at a
# time; what doesn't depend on each other is made side by side, on one core each: once baselines are tested, the second
# goes through the networks from the other end, and each waits for what the other is at. Ctrl-C doesn't reach what a shell
# runs in the background, hence the trap.
backwards = $$(dvc stage list --name-only | grep '^$(1)@' | tac)

demo: export PATH := $(abspath $(VENV)/bin):$(PATH)
demo: export OMP_NUM_THREADS := 1
demo: $(READY)
	$(RUN) repro/dvc.py --profile=demo
	dvc repro make_reference_classifier
	trap 'trap "" TERM; kill 0' INT; \
	dvc --wait-for-lock repro --single-item train test & \
	dvc --wait-for-lock repro --single-item test_baseline $(call backwards,train) $(call backwards,test); \
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
