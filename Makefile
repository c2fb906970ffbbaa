# `make test` and `make demo` make their own virtual environment; on a fresh machine either is the only command.
PYTHON ?= python3.11
VENV ?= .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
CONFIG := src/toygeneration/config/demo
DEMO := data/demo
SEEDS := 1-40
EXPERIMENTS := cloud_removal/cgan_toy cloud_removal/cgan_toy_upper_bound cloud_removal/cgan_frame_recurrent_toy \
	sar_to_optical/cycle_gan_toy
BASELINES := $(addprefix cloud_removal/baselines/,cloudy_copy least_cloudy_frame closest_clear_value \
	linear_interpolation clear_pixel_mean) sar_to_optical/baselines/linear_regression

.PHONY: test demo lint clean

test: lint
	$(RUN) -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal

lint: $(READY)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

# Views of each task, a reference classifier, each experiment and baseline, and their scores, at a scale for a laptop.
demo: $(READY)
	$(RUN) repro/toy-data/build_dataset.py --task=cloud_removal --cfg=$(CONFIG)/cloud_removal --seeds=$(SEEDS) \
		--o=$(DEMO)/cloud_removal
	$(RUN) repro/toy-data/build_dataset.py --task=sar_to_optical --cfg=$(CONFIG)/sar_to_optical --seeds=$(SEEDS) \
		--o=$(DEMO)/sar_to_optical
	$(RUN) utils/preview.py $(addprefix $(DEMO)/cloud_removal/1/,clean_optical clouded_optical sar) \
		--o=$(DEMO)/cloud_removal.png --gif
	$(RUN) utils/preview.py $(addprefix $(DEMO)/sar_to_optical/1/,optical sar) --o=$(DEMO)/sar_to_optical.png
	for cfg in $(EXPERIMENTS); do \
		$(RUN) run_training.py --cfg=src/rsgan/config/demo/$$cfg.yaml --o=$(DEMO)/experiments || exit; \
	done
	for task in cloud_removal/cgan_toy sar_to_optical/cycle_gan_toy; do \
		$(RUN) make_reference_classifier.py --cfg=src/rsgan/config/demo/$$task.yaml \
			--o=$(DEMO)/reference_classifiers/$${task%/*} || exit; \
	done
	for cfg in $(EXPERIMENTS) $(BASELINES); do \
		$(RUN) run_testing.py --cfg=src/rsgan/config/demo/$$cfg.yaml --o=$(DEMO)/experiments || exit; \
	done
	$(RUN) utils/score_table.py $(DEMO)/experiments --o=$(DEMO)
	@cat $(DEMO)/scores.md
	@echo "Look at $(DEMO)/*.png and at $(DEMO)/experiments/*/eval/*.png"

$(READY): requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --requirement requirements.txt
	touch $@

clean:
	rm -rf $(VENV) $(DEMO)
