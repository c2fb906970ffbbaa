# `make test` and `make demo` make their own virtual environment; on a fresh machine either is the only command.
PYTHON ?= python3.11
VENV ?= .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
CONFIG := src/toygeneration/config/demo
DEMO := data/demo

.PHONY: test demo lint clean

test: lint
	$(RUN) -m pytest

lint: $(READY)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

demo: $(READY)
	$(RUN) repro/toy-data/build_dataset.py --task=cloud_removal --cfg=$(CONFIG)/cloud_removal --seeds=1 \
		--o=$(DEMO)/cloud_removal --overwrite
	$(RUN) repro/toy-data/build_dataset.py --task=sar_to_optical --cfg=$(CONFIG)/sar_to_optical --seeds=1 \
		--o=$(DEMO)/sar_to_optical --overwrite
	$(RUN) utils/preview.py $(addprefix $(DEMO)/cloud_removal/1/,clean_optical clouded_optical sar) \
		--o=$(DEMO)/cloud_removal.png --gif
	$(RUN) utils/preview.py $(addprefix $(DEMO)/sar_to_optical/1/,optical sar) --o=$(DEMO)/sar_to_optical.png
	@echo "Look at $(DEMO)/cloud_removal.png and $(DEMO)/sar_to_optical.png"

$(READY): requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --requirement requirements.txt
	touch $@

clean:
	rm -rf $(VENV) $(DEMO)
