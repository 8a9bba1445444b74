#!/usr/bin/env bash
# Trains the two networks anew; resumable. certify.sh uses the kept ones as they are, and one that ships with the package.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
# Standardising every image cancels contrast; gamma is left to learn.
gsmooth train --out checkpoints/gamma --transform "gamma|contrast" --law "rayleigh|log_normal(sigma=0.6)" \
    --normalize image --epochs 3
# Centring undoes translation, also of an image that is brighter, blurred, or of another contrast.
gsmooth train --out checkpoints/moved --arch convnet_bn --normalize centre --epochs 4 \
    --transform "translation|gaussian_blur(border='cyclic')|contrast|brightness" \
    --law "gaussian(sigma=10)|exponential(scale=3)|gaussian(sigma=0.4)|gaussian(sigma=0.4)"
