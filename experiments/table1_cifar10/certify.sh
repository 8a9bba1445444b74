#!/usr/bin/env bash
# Certifies CIFAR-10 test images 0, 20, 40, ... at the published regions, as the 8-bit files that an attacker would save.
# LIMIT=50 ./certify.sh takes the first 50 images of every row, without LIMIT the field's 500. Resumable with the same LIMIT.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare cifar10
certify() {
    gsmooth certify --data cifar10 --every 20 --limit "${LIMIT:-500}" --alpha 0.001 --max-votes 100000 --checkpoint checkpoint \
        --transform "$1|clip|quantize" --law "pixel_noise(sigma=0.12)" --region "$2" "$3" --out "$1-${LIMIT:-500}"
    gsmooth verify "$1-${LIMIT:-500}"
}
certify rotation -10 10
certify scaling -0.3 0.3
certify rotational_blur -10 10
certify defocus_blur 0 5
certify zoom_blur 0 0.5
certify pixelate 0 0.5
gsmooth report *-"${LIMIT:-500}" --out .
