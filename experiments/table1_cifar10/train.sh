#!/usr/bin/env bash
# Trains one network a row, under the row's transformation and the pixel noise of its claim; resumable. ROWS="rotation" takes
# that row alone. With an accelerator: ARCH=resnet110 EPOCHS=90 ./train.sh
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare cifar10
train() { # row, range of its parameter
    if [[ " ${ROWS:-$1} " != *" $1 "* ]]; then return; fi
    gsmooth train --data cifar10 --out "checkpoints/$1" --arch "${ARCH:-resnet20}" --epochs "${EPOCHS:-8}" --noise 0.12 \
        --crop-flip --normalize dataset --batch-size 128 --transform "$1" --law "uniform(low=$2,high=$3)"
}
train rotation -11.0 11.0
train scaling -0.32 0.32
train rotational_blur -11.0 11.0
train defocus_blur 0.0 5.2
train zoom_blur 0.0 0.53
train pixelate 0.0 0.53
