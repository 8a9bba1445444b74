#!/usr/bin/env bash
# Certifies MNIST test images 0, 20, 40, ... at the published regions, as the 8-bit files that an attacker would save. With the
# kept networks, or those of train.sh. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
certify() { # row, transform, region
    gsmooth certify --data mnist --every 20 --alpha 0.001 --max-votes "${VOTES:-100000}" --checkpoint "checkpoints/$1" --out "$1" \
        --transform "$2" --region "$3" "$4"
    gsmooth verify "$1"
}
VOTES=250000 certify rotation "rotation|clip|quantize" -50 50
certify scaling "scaling|clip|quantize" -0.3 0.3
certify rotational_blur "rotational_blur|clip|quantize" -10 10
certify defocus_blur "defocus_blur|clip|quantize" 0 5
certify zoom_blur "zoom_blur|clip|quantize" 0 0.5
certify pixelate "pixelate|clip|quantize" 0 0.5
