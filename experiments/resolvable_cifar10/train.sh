#!/usr/bin/env bash
# Trains the ResNet-20 anew; resumable. certify.sh uses the kept one as it is.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare cifar10
gsmooth train --out checkpoints/resnet20 --data cifar10 --arch resnet20 --transform brightness_contrast \
    --law "gaussian(sigma=(0.4,0.4))" --normalize image --crop-flip --batch-size 128 --epochs 6
