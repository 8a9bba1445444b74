#!/usr/bin/env bash
# Trains one network a row, under the row's transformation and Gaussian pixel noise; resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
train() { # name, epochs, noise, options
    gsmooth train --out "checkpoints/$1" --arch convnet_bn --epochs "$2" --noise "$3" "${@:4}"
}
train rotational_blur 6 0.25 --transform rotational_blur --law "uniform(low=-11.0,high=11.0)"
train zoom_blur 3 0.15 --transform zoom_blur --law "uniform(low=0.0,high=0.53)"
train pixelate 3 0.1 --transform pixelate --law "uniform(low=0.0,high=0.53)"
# The hard rows: small random shifts, scalings and rotations besides, so that fewer test images look new; more heavy blur.
train scaling 12 0.15 --transform scaling "shift|scaling|rotation" \
    --law "uniform(low=-0.36,high=0.36)" "gaussian(sigma=(0.6,0.6,0.2,8.0))"
train rotation 12 0.15 --transform rotation "shift|scaling|rotation" \
    --law "uniform(low=-56.0,high=56.0)" "gaussian(sigma=(0.6,0.6,0.06,32.0))"
train defocus_blur 10 0.1 --transform defocus_blur defocus_blur "shift|scaling|rotation|defocus_blur" \
    --law "uniform(low=0.0,high=5.3)" "uniform(low=3.5,high=5.3)" "gaussian(sigma=(0.5,0.5,0.05,8.0,5.0))"
