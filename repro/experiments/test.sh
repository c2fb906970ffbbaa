#!/usr/bin/env bash
# Test a trained experiment: test.sh cloud_removal/cgan_toy 17 [--device=0 and other OPTIONs]
set -euo pipefail
source "$(dirname "$0")/paths.sh"
experiment="${1:?expected an experiment, such as cloud_removal/cgan_toy}" seed="${2:?expected a seed}"
exec "$python" run_testing.py --cfg="$configurations/$experiment.yaml" --o="$results/experiments/$experiment" \
    --experiment_name="$seed" "${@:3}"
