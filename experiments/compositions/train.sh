#!/usr/bin/env bash
# Trains one network for all three compositions: every image goes through one of them, then pixel noise. Standardising the
# image inside the network cancels brightness and contrast. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
gsmooth train --out checkpoint --arch convnet_bn --epochs 5 --noise 0.25 --normalize image \
    --transform "rotation|brightness" "scaling|brightness" "rotational_blur|contrast" \
    --law "gaussian(sigma=(7.0,0.2))" "gaussian(sigma=(0.08,0.2))" "gaussian(sigma=(7.0,0.2))"
