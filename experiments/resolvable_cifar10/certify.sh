#!/usr/bin/env bash
# Certifies CIFAR-10 test images 0, 20, 40, ... at the published regions, with the kept networks. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare cifar10
field="--data cifar10 --every 20 --alpha 0.001 --max-votes 10000"
gsmooth certify $field --checkpoint checkpoints/sharpen --transform brightness_contrast --region -0.4 0.4 -0.4 0.4 \
    --law "gaussian(sigma=(0.4,0.4))" --out brightness_contrast
gsmooth certify $field --checkpoint checkpoints/centre --transform translation --ball 20 \
    --law "gaussian(sigma=50.0)" --out translation
gsmooth certify $field --checkpoint checkpoints/refocus --transform gaussian_blur --region 0 16 \
    --law "exponential(scale=6.0)" --out gaussian_blur
gsmooth verify brightness_contrast translation gaussian_blur
gsmooth report brightness_contrast translation gaussian_blur
