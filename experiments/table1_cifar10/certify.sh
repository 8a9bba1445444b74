#!/usr/bin/env bash
# Certifies CIFAR-10 test images 0, 20, 40, ... at the published regions, as the 8-bit files that an attacker would save: the
# rows whose networks are there. LIMIT=50 ./certify.sh takes the first 50 images, without LIMIT the field's 500. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare cifar10
runs=()
certify() {
    if [ ! -d "checkpoints/$1" ]; then return; fi
    runs+=("$1-${LIMIT:-500}")
    gsmooth certify --data cifar10 --every 20 --limit "${LIMIT:-500}" --alpha 0.001 --max-votes 100000 \
        --checkpoint "checkpoints/$1" --transform "$1|clip|quantize" --region "$2" "$3" --out "${runs[-1]}"
}
certify rotation -10 10
certify scaling -0.3 0.3
certify rotational_blur -10 10
certify defocus_blur 0 5
certify zoom_blur 0 0.5
certify pixelate 0 0.5
gsmooth verify "${runs[@]}"
gsmooth report "${runs[@]}" --out .
