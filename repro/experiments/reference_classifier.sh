#!/usr/bin/env bash
# Make the reference classifier of a task: reference_classifier.sh cloud_removal [OPTION…]
set -euo pipefail
source "$(dirname "$0")/paths.sh"
task="${1:?expected a task: cloud_removal or sar_to_optical}"
exec "$python" make_reference_classifier.py --cfg="$configurations/base/$task.yaml" \
    --o="$results/reference_classifiers/$task" "${@:2}"
