#!/usr/bin/env bash
# Gamma correction under four laws whose logarithms have one standard deviation, 0.6413, that of a Rayleigh factor's: kept
# networks, the same fixed votes for each, so that every image has a reach to both sides. Resumable; LIMIT=500 goes on to all
# of the field's images.
set -euo pipefail
cd "$(dirname "$0")"

certify() { # folder, law
    gsmooth certify "${data[@]}" --alpha 0.001 --test fixed --max-votes 500 --transform gamma \
        --region -0.6931 0.4055 --law "$2" --out "$1" # factors 0.5 to 1.5
}
four() { # folder
    certify "$1/rayleigh" "rayleigh(scale=0.7978845608028654)" # of mean 1, as published
    certify "$1/gaussian" "gaussian(sigma=0.6413)"
    certify "$1/laplace" "laplace(scale=0.4535)"
    certify "$1/uniform" "uniform(low=-1.1108,high=1.1108)"
    gsmooth verify "$1"/{rayleigh,gaussian,laplace,uniform}
}
gsmooth data prepare mnist
data=(--data mnist --every 20 --checkpoint shipped:mnist_brightness_contrast --limit "${LIMIT:-100}")
four mnist
gsmooth data prepare cifar10
data=(--data cifar10 --every 20 --checkpoint ../resolvable_cifar10/checkpoints/resnet20 --limit "${LIMIT:-30}")
four cifar10
