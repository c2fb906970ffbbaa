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

.PHONY: test demo lint clean

test: lint
	$(RUN) -m pytest

lint: $(READY)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

# Views of each task, and each experiment on them, at a scale for a laptop.
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
	@echo "Look at $(DEMO)/*.png and at $(DEMO)/experiments/*/run/samples"

$(READY): requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --requirement requirements.txt
	touch $@

clean:
	rm -rf $(VENV) $(DEMO)
