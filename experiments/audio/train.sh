#!/usr/bin/env bash
# Trains the network anew, a few minutes on two cores; resumable. certify.sh uses the kept one as it is.
set -euo pipefail
cd "$(dirname "$0")"

words=${1:-../../runs/words}
gsmooth train --out checkpoint --data "folder:$words" --arch audio_net --batch-size 64 --epochs 12 \
    --transform volume --law "uniform(low=-3, high=3)" --noise 0.1
