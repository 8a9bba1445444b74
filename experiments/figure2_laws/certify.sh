#!/usr/bin/env bash
# Gaussian blur on MNIST under three smoothing laws of the same mean variance, 12 px^2: one network, 1,000 fixed votes an
# image, so that every image has a radius. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
certify() { # folder, law
    gsmooth certify --data mnist --every 20 --alpha 0.001 --test fixed --max-votes 1000 --transform gaussian_blur \
        --region 0 9 --checkpoint ../resolvable_mnist/checkpoints/gaussian_blur --law "$2" --out "$1"
}
certify exponential "exponential(scale=12.0)"
certify uniform "uniform(low=0.0,high=24.0)"
certify folded_gaussian "folded_gaussian(sigma=15.04)"
gsmooth verify exponential uniform folded_gaussian
gsmooth report exponential uniform folded_gaussian --radii 4 9 11 16 25 36
