#!/usr/bin/env bash
# Every method that ships, on headroom-synth: scripts/benchmark.sh PANORAMAS OUT
#
# Goes on where it was interrupted. docs/benchmark.md is what it writes to OUT/benchmark.md.
set -euo pipefail
panoramas=$1 out=$2
headroom=${HEADROOM:-$(dirname "$0")/../.venv/bin/headroom}

compare() { # DATASET FOLDER METHOD...
    local dataset=$1 folder=$2
    shift 2
    for method in "$@"; do
        "$headroom" bench infer "$method" "$dataset" -o "$folder/$method"
    done
    "$headroom" bench score "${@/#/$folder/}" "$dataset" --all
}

[ -d "$out/brackets" ] || "$headroom" data brackets "$panoramas" -o "$out/brackets"
compare "synth:$panoramas" "$out/photos" linear hybrid_ae lediff
compare "brackets:$out/brackets" "$out/merged" debevec lf_diff gmodiff
compare "exposure-errors:$panoramas" "$out/enhanced" input sagiri
for format in md csv html; do
    "$headroom" bench table "$out"/{photos,merged,enhanced}/* -o "$out/benchmark.$format"
done
