#!/usr/bin/env bash
# Trains the five networks anew; resumable. certify.sh uses the kept ones as they are.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
# Standardising every image cancels brightness and contrast. This network ships with the package.
gsmooth train --out checkpoints/brightness_contrast --transform brightness_contrast \
    --law "gaussian(sigma=(0.6,0.6))" --normalize image --epochs 6
gsmooth train --out checkpoints/gaussian_blur --transform gaussian_blur --law "uniform(low=0.0,high=48.0)" \
    --normalize sharpen --epochs 6
# Three networks that undo translation, trained differently so that they err on different images; they vote together.
gsmooth train --out checkpoints/translation_a --arch convnet_bn --transform "rotation|scaling|shift" \
    --law "gaussian(sigma=(8.0,0.08,0.8,0.8))" --normalize centre --epochs 20 --seed 3
gsmooth train --out checkpoints/translation_b --arch convnet_bn --normalize centre --epochs 6 --seed 4
gsmooth train --out checkpoints/translation_c --transform "rotation|scaling|shift" \
    --law "gaussian(sigma=(5.0,0.05,0.4,0.4))" --normalize centre --epochs 7 --seed 2
