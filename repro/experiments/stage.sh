#!/usr/bin/env bash
# Run the command of one stage of the pipeline by hand, in place, without asking whether it is up to date:
#
#     repro/experiments/stage.sh train@cloud_removal/cgan_toy-17 --device=0
#
# Further options go to the stage's script, and win over those of params.yaml. `dvc stage list` names the stages.
(   # in a shell of its own: whoever sources this script keeps theirs as it is
    set -eu
    cd "$(dirname "${BASH_SOURCE[0]:-$0}")/../.."
    stage="${1:?expected a stage, such as train@cloud_removal/cgan_toy-17}"
    shift
    commands="$(dvc repro --dry --force --single-item "$stage" | sed -n 's/^> //p' | sed '1s/$/ "$@"/')"
    bash -euc "${commands:?found no such stage}" stage "$@"
)
