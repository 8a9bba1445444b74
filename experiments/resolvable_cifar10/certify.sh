#!/usr/bin/env bash
# Certifies CIFAR-10 test images 0, 20, 40, ... against brightness and contrast, with the kept network. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare cifar10
gsmooth certify --data cifar10 --every 20 --alpha 0.001 --max-votes 100000 --checkpoint checkpoints/resnet20 \
    --transform brightness_contrast --region -0.4 0.4 -0.4 0.4 --law "gaussian(sigma=(0.4,0.4))" \
    --out brightness_contrast
gsmooth verify brightness_contrast
gsmooth report brightness_contrast --out .
