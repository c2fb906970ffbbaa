#!/usr/bin/env bash
"${PYTHON:-python}" "$(dirname "${BASH_SOURCE[0]:-$0}")/../build_dataset.py" --task=sar_to_optical --seeds=1-250 --o=data/toy/sar_to_optical "$@"
