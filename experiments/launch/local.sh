#!/usr/bin/env bash
# Certifies the shipped images with several processes on this machine: ./local.sh [PROCESSES] [FOLDER]. Resumable.
set -euo pipefail
n=${1:-2}
out=${2:-runs/local}

export JAX_PLATFORMS=cpu
mkdir -p "$out"
started=()
for ((i = 0; i < n; i++)); do
    gsmooth certify --transform brightness_contrast --processes "$n" --process "$i" --out "$out" > "$out/process$i.log" 2>&1 &
    started+=($!)
done
trap 'kill "${started[@]}" 2> /dev/null; wait; exit 3' INT TERM  # jobs in the background do not hear Ctrl-C
code=0
for pid in "${started[@]}"; do
    wait "$pid" || code=$?
done
tail -qn 1 "$out"/process*.log
if ((code)); then exit "$code"; fi

gsmooth verify "$out"
gsmooth report "$out"
