#!/usr/bin/env bash
exec "${PYTHON:-python}" "$(dirname "$0")/../build_dataset.py" --task=cloud_removal --seeds=1-250 --o=data/toy/cloud_removal "$@"
