#!/usr/bin/env bash
# Certifies CIFAR-10 test images 0, 20, 40, ... at the published regions, with the kept network or that of train.sh. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare cifar10
runs=()
certify() { # transform, region
    runs+=("$1")
    gsmooth certify --data cifar10 --every 20 --alpha 0.001 --max-votes 20000 --checkpoint checkpoint \
        --transform "$1" --region "$2" "$3" --out "$1"
}
certify rotation -10 10
certify scaling -0.3 0.3
certify rotational_blur -10 10
certify defocus_blur 0 5
certify zoom_blur 0 0.5
certify pixelate 0 0.5
gsmooth verify "${runs[@]}"
gsmooth report "${runs[@]}"
