#!/usr/bin/env bash
# Trains a ResNet-20 on CIFAR-10 and certifies images 0, 20, 40, ... against brightness and contrast. Resumable.
set -euo pipefail
cd "$(dirname "$0")"
runs=../../runs

gsmooth data prepare cifar10

gsmooth train --out $runs/cifar10-bc --data cifar10 --arch resnet20 --transform brightness_contrast \
    --law "gaussian(sigma=(0.4,0.4))" --normalize image --crop-flip --batch-size 128 --epochs 6

gsmooth certify --data cifar10 --every 20 --alpha 0.001 --max-votes 100000 --checkpoint $runs/cifar10-bc \
    --transform brightness_contrast --region -0.4 0.4 -0.4 0.4 --law "gaussian(sigma=(0.4,0.4))" \
    --out brightness_contrast

gsmooth verify brightness_contrast
gsmooth report brightness_contrast --out .
