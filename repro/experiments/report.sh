#!/usr/bin/env bash
# Make the report of what has been tested so far: report.sh [OPTION…]
set -euo pipefail
source "$(dirname "$0")/paths.sh"
exec "$python" repro/make_report.py --experiments="$results/experiments" --classifiers="$results/reference_classifiers" \
    --data="$views/cloud_removal" --data="$views/sar_to_optical" --params="repro/profiles/$profile.yaml" \
    --o=data/report "$@"
