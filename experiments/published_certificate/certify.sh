#!/usr/bin/env bash
# Rotational blur within 10 degrees on MNIST test images 0, 20, 40, ..., one surrogate and one classifier, both shipped:
# GSmooth's certificate as published (its partition, its M*, but a sequential test), and cover on the 8-bit files. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
gsmooth certify --data mnist --every 20 --alpha 0.001 --transform rotational_blur --method gsmooth --out gsmooth
gsmooth certify --data mnist --every 20 --alpha 0.001 --transform "rotational_blur|clip|quantize" --out cover
# The reference protocol itself: 100,000 fixed votes at each of 10 centres, five minutes an image on two cores.
gsmooth certify --data mnist --every 20 --limit 2 --alpha 0.001 --transform rotational_blur --method gsmooth \
    --test fixed --max-votes 100000 --out reference
gsmooth verify gsmooth cover reference
gsmooth report gsmooth cover reference --out .
