#!/usr/bin/env bash
# Certifies CIFAR-10 test images 0, 20, 40, ... at the published regions, with the kept networks or those of train.sh. Resumable.
#   ./certify.sh            the ResNet-20, all rows
#   ./certify.sh speed_net  the network of the speed runs: the rows that are kept; others are named behind it, as in
#                           ./certify.sh speed_net zoom_blur 30000 0 0.5
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare cifar10
runs=()
certify() { # transform, votes, region
    local row="$folder${1%%|*}"
    runs+=("$row")
    gsmooth certify --data cifar10 --every 20 --alpha 0.001 --max-votes "$2" --transform "$1" --region "$3" "$4" \
        --out "$row" "${network[@]}"
}
if [[ "${1:-}" == speed_net ]]; then
    folder=speed_net/
    network=(--checkpoint checkpoint_speed_net --law "pixel_noise(sigma=0.06)")
    if (( $# > 1 )); then
        certify "${@:2}"
    else
        certify rotation 30000 -10 10
        certify "pixelate|clip|quantize" 40000 0 0.5
    fi
else
    folder=
    network=(--checkpoint checkpoint --law "pixel_noise(sigma=0.12)")
    certify rotation 20000 -10 10
    certify scaling 20000 -0.3 0.3
    certify rotational_blur 20000 -10 10
    certify defocus_blur 20000 0 5
    certify zoom_blur 20000 0 0.5
    certify pixelate 20000 0 0.5
fi
gsmooth verify "${runs[@]}"
gsmooth report "${runs[@]}"
