#!/usr/bin/env bash
# Fits the shipped surrogate of rotational blur anew; noise.png and surrogate.png come with it. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
gsmooth fit-surrogate --transform rotational_blur --region -12 12 --width 8 --encoder 0 --sigma-parameter 2 --sigma 0.4 \
    --epochs 5 --out surrogate
