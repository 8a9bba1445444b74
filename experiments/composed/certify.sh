#!/usr/bin/env bash
# Certifies MNIST test images 0, 20, 40, ... against six compositions, each stage under a law of its own. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
rows=()
certify() { # out, checkpoint, transform, law, region; factors by their logarithms
    gsmooth certify --data mnist --every 20 --alpha 0.001 --max-votes 368 \
        --out "$1" --checkpoint "$2" --transform "$3" --law "$4" --region "${@:5}"
    rows+=("$1:$2")
}
# Standardising every image cancels contrast and brightness.
shipped=shipped:mnist_brightness_contrast
certify contrast_brightness $shipped "contrast|brightness" \
    "gaussian(sigma=0.4)|gaussian(sigma=0.4)" -0.5108257 0.3364723 -0.4 0.4 # factor 0.6 to 1.4
certify gamma_contrast $shipped "gamma|contrast" \
    "rayleigh|log_normal(sigma=0.6)" -0.2231436 0.3364723 -0.5108257 0.6931472 # 0.8 to 1.4; 0.6 to 2
certify brightness_translation checkpoints/moved "brightness|translation" \
    "gaussian(sigma=0.4)|gaussian(sigma=15)" -0.2 0.2 -5 5 -5 5
certify contrast_translation checkpoints/moved "contrast|translation" \
    "gaussian(sigma=0.4)|gaussian(sigma=15)" -0.2231436 0.1823216 -5 5 -5 5 # 0.8 to 1.2
certify contrast_brightness_translation checkpoints/moved "contrast|brightness|translation" \
    "gaussian(sigma=0.4)|gaussian(sigma=0.4)|gaussian(sigma=15)" -0.2231436 0.1823216 -0.2 0.2 -5 5 -5 5
certify all_four checkpoints/all_four "translation|gaussian_blur(border='cyclic')|contrast|brightness" \
    "gaussian(sigma=10)|exponential(scale=3)|gaussian(sigma=0.3)|gaussian(sigma=0.3)" \
    -3 3 -3 3 0 3 -0.0512933 0.0487902 -0.1 0.1 # 0.95 to 1.05

gsmooth verify "${rows[@]%%:*}"
gsmooth report "${rows[@]%%:*}" --out .
for row in "${rows[@]}"; do # 6 x 34 x 100 tries
    gsmooth attack "${row%%:*}" --checkpoint "${row#*:}" --attack random --tries 100 --votes 16 --limit 34
done
