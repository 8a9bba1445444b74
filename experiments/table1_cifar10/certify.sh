#!/usr/bin/env bash
# Certifies CIFAR-10 test images 0, 20, 40, ... at the published regions, with the kept network or that of train.sh; rotation
# also as the 8-bit files that an attacker would save. LIMIT=500 ./certify.sh takes all of the field's images. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare cifar10
runs=()
certify() { # row, transform, region
    runs+=("$1-${LIMIT:-50}")
    gsmooth certify --data cifar10 --every 20 --limit "${LIMIT:-50}" --alpha 0.001 --max-votes 20000 \
        --checkpoint checkpoint --transform "$2" --region "$3" "$4" --out "${runs[-1]}"
}
certify rotation rotation -10 10
certify rotation_8bit "rotation|clip|quantize" -10 10
certify scaling scaling -0.3 0.3
certify rotational_blur rotational_blur -10 10
certify defocus_blur defocus_blur 0 5
certify zoom_blur zoom_blur 0 0.5
certify pixelate pixelate 0 0.5
gsmooth verify "${runs[@]}"
gsmooth report "${runs[@]}" --out .
