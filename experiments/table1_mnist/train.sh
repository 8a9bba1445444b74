#!/usr/bin/env bash
# Trains one network a row, under the row's transformation and the pixel noise of its claim; resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
train() { # transform, epochs, noise, range of the parameter
    gsmooth train --out "checkpoints/$1" --arch convnet_bn --epochs "$2" --noise "$3" --transform "$1" \
        --law "uniform(low=$4,high=$5)"
}
train rotation 14 0.25 -56.0 56.0
train scaling 12 0.25 -0.35 0.35
train rotational_blur 6 0.25 -11.0 11.0
train defocus_blur 5 0.15 0.0 5.2
train zoom_blur 3 0.15 0.0 0.53
train pixelate 3 0.1 0.0 0.53
