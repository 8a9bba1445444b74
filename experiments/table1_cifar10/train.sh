#!/usr/bin/env bash
# Trains one network for the six rows: each image goes through one of their transformations, then pixel noise. Resumable.
# With an accelerator: ARCH=resnet110 EPOCHS=90 ./train.sh
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare cifar10
gsmooth train --data cifar10 --out checkpoint --arch "${ARCH:-resnet20}" --epochs "${EPOCHS:-12}" --noise 0.12 \
    --crop-flip --normalize dataset --batch-size 128 \
    --transform rotation scaling rotational_blur defocus_blur zoom_blur pixelate \
    --law "uniform(low=-11.0,high=11.0)" "uniform(low=-0.32,high=0.32)" "uniform(low=-11.0,high=11.0)" \
    "uniform(low=0.0,high=5.2)" "uniform(low=0.0,high=0.53)" "uniform(low=0.0,high=0.53)"
