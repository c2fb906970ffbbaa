#!/usr/bin/env bash
# Test a baseline: baseline.sh cloud_removal/linear_interpolation [OPTION…]
set -euo pipefail
source "$(dirname "$0")/paths.sh"
baseline="${1:?expected a baseline, such as cloud_removal/linear_interpolation}"
exec "$python" run_testing.py --cfg="$configurations/${baseline%/*}/baselines/${baseline##*/}.yaml" \
    --o="$results/experiments/${baseline%/*}" --experiment_name="${baseline##*/}" "${@:2}"
