#!/usr/bin/env bash
# Trains the networks anew; resumable. certify.sh uses the kept ones as they are, and one that ships with the package.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
# Centring undoes translation, also of an image that is brighter, blurred, or of another contrast.
gsmooth train --out checkpoints/moved --arch convnet_bn --normalize centre --epochs 2 \
    --transform "translation|gaussian_blur(border='cyclic')|contrast|brightness" \
    --law "gaussian(sigma=10)|exponential(scale=3)|gaussian(sigma=0.4)|gaussian(sigma=0.4)"
# The same for another epoch, under the laws of the last row.
gsmooth train --out checkpoints/all_four --arch convnet_bn --normalize centre --start checkpoints/moved \
    --epochs 1 --learning-rate 0.001 --seed 1 \
    --transform "translation|gaussian_blur(border='cyclic')|contrast|brightness" \
    --law "gaussian(sigma=10)|exponential(scale=3)|gaussian(sigma=0.3)|gaussian(sigma=0.3)"
