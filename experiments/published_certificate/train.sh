#!/usr/bin/env bash
# Fits a surrogate of defocus blur, and trains a classifier behind it; resumable. The two of rotational blur are shipped.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
gsmooth fit-surrogate --transform defocus_blur --region 0 5 --width 8 --encoder 0 --sigma-parameter 0.5 --sigma 0.15 \
    --epochs 5 --out checkpoints/surrogate
gsmooth train --transform defocus_blur defocus_blur --law "uniform(low=0.0,high=5.3)" "uniform(low=3.5,high=5.3)" \
    --surrogate checkpoints/surrogate --sigma-parameter 0.5 --noise 0.15 --arch convnet_bn --epochs 5 \
    --out checkpoints/classifier
