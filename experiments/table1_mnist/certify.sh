#!/usr/bin/env bash
# Certifies MNIST test images 0, 20, 40, ... at the published regions, as the 8-bit files that an attacker would save.
# Takes the rows whose networks are kept or have been trained by train.sh. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
certify() { # transform, region, noise if not the one trained under
    if [ ! -d "checkpoints/$1" ]; then return; fi
    gsmooth certify --data mnist --every 20 --alpha 0.001 --max-votes 100000 --checkpoint "checkpoints/$1" \
        --transform "$1|clip|quantize" --region "$2" "$3" --out "$1" ${4:+--law "pixel_noise(sigma=$4)"}
    gsmooth verify "$1"
}
certify rotation -50 50
certify scaling -0.3 0.3 0.12
certify rotational_blur -10 10
certify defocus_blur 0 5
certify zoom_blur 0 0.5
certify pixelate 0 0.5
