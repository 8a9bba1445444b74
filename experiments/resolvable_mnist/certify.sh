#!/usr/bin/env bash
# Certifies MNIST test images 0, 20, 40, ... against the published regions, with the kept networks. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
field="--data mnist --every 20 --alpha 0.001 --max-votes 100000"
gsmooth certify $field --transform brightness_contrast --region -0.5 0.5 -0.5 0.5 \
    --law "gaussian(sigma=(0.6,0.6))" --out brightness_contrast
gsmooth certify $field --checkpoint checkpoints/gaussian_blur --transform gaussian_blur --region 0 36 \
    --law "exponential(scale=12.0)" --out gaussian_blur
gsmooth certify $field --checkpoint checkpoints/translation_{a,b,c} --transform translation --ball 8 \
    --law "gaussian(sigma=20.0)" --out translation

gsmooth verify brightness_contrast gaussian_blur translation
gsmooth report brightness_contrast gaussian_blur translation --out .

# What 100,000 fixed votes an image would certify, computed from p_A.
python ../../benchmarks/votes_per_claim.py brightness_contrast ../../gsmooth_jax/assets/mnist_brightness_contrast
python ../../benchmarks/votes_per_claim.py gaussian_blur checkpoints/gaussian_blur
python ../../benchmarks/votes_per_claim.py translation checkpoints/translation_{a,b,c}
