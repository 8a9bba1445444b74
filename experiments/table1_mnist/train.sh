#!/usr/bin/env bash
# Trains one network a row, under the row's transformation and the pixel noise of its claim; resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
train() {
    gsmooth train --out "checkpoints/$1" --arch convnet_bn --epochs 6 --transform "$1" --noise "$2" --law "uniform(low=$3,high=$4)"
}
train rotation 0.25 -53.0 53.0
train scaling 0.25 -0.32 0.32
train rotational_blur 0.25 -11.0 11.0
train defocus_blur 0.1 0.0 5.2
train zoom_blur 0.15 0.0 0.53
train pixelate 0.1 0.0 0.53
