# Sourced by the scripts beside it: where a profile's configurations and results are. PROFILE=demo for the demo's.
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
profile="${PROFILE:-paper}"
[ "$profile" = paper ] && suffix= || suffix="/$profile"
configurations="src/rsgan/config$suffix"
results="data$suffix"
views="data/$([ "$profile" = paper ] && echo toy || echo "$profile")"
python="${PYTHON:-python}"
