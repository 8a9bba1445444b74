#!/usr/bin/env bash
# Trains three MNIST networks and certifies images 0, 20, 40, ... against the published regions. Resumable: run it again.
set -euo pipefail
cd "$(dirname "$0")"
runs=../../runs

gsmooth data prepare mnist

gsmooth train --out $runs/mnist-bc --transform brightness_contrast --law "gaussian(sigma=(0.6,0.6))" \
    --normalize image --epochs 6
gsmooth train --out $runs/mnist-blur --transform gaussian_blur --law "uniform(low=0.0,high=48.0)" \
    --normalize sharpen --epochs 6
gsmooth train --out $runs/mnist-translation --transform "rotation|scaling|shift" \
    --law "gaussian(sigma=(8.0,0.08,0.8,0.8))" --normalize centre --epochs 10

field="--data mnist --every 20 --alpha 0.001 --max-votes 100000"
gsmooth certify $field --checkpoint $runs/mnist-bc --transform brightness_contrast --region -0.5 0.5 -0.5 0.5 \
    --law "gaussian(sigma=(0.6,0.6))" --out brightness_contrast
gsmooth certify $field --checkpoint $runs/mnist-blur --transform gaussian_blur --region 0 36 \
    --law "exponential(scale=12.0)" --out gaussian_blur
gsmooth certify $field --checkpoint $runs/mnist-translation --transform translation --ball 8 \
    --law "gaussian(sigma=20.0)" --out translation

gsmooth verify brightness_contrast gaussian_blur translation
gsmooth report brightness_contrast gaussian_blur translation --out .
