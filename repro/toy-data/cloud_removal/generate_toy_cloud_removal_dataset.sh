#!/usr/bin/env bash
"${PYTHON:-python}" "$(dirname "${BASH_SOURCE[0]:-$0}")/../build_dataset.py" --task=cloud_removal --seeds=1-250 --o=data/toy/cloud_removal "$@"
