#!/usr/bin/env bash
# Certifies CIFAR-10 test images 0, 20, 40, ... at the published regions with the network of the speed runs. Resumable.
# One row alone, or another region:  ./certify.sh scaling 30000 -0.2 0.2
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare cifar10
runs=()
certify() { # transform, votes, region
    local row="speed_net/${1%%|*}"
    runs+=("$row")
    gsmooth certify --data cifar10 --every 20 --alpha 0.001 --max-votes "$2" --transform "$1" --region "$3" "$4" \
        --out "$row" --checkpoint checkpoint_speed_net --law "pixel_noise(sigma=0.06)"
}
if (( $# )); then
    certify "$@"
else
    certify rotation 30000 -10 10
    certify scaling 30000 -0.3 0.3
    certify rotational_blur 30000 -10 10
    certify zoom_blur 30000 0 0.5
    certify defocus_blur 30000 0 5
    certify "pixelate|clip|quantize" 40000 0 0.5
fi
gsmooth verify "${runs[@]}"
gsmooth report "${runs[@]}"
