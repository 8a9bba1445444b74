#!/usr/bin/env bash
# Rotational blur within 10 degrees on 100 MNIST test images (0, 20, 40, ...), one surrogate and one classifier, both shipped:
# GSmooth's certificate (its partition and its M*, but a sequential test), and cover on the 8-bit files. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
certify() { gsmooth certify --data mnist --every 20 --limit 100 --alpha 0.001 --transform "$1" --method "$2" --out "$2"; }
certify rotational_blur gsmooth
certify "rotational_blur|clip|quantize" cover
gsmooth verify gsmooth cover
gsmooth report gsmooth cover --out .
