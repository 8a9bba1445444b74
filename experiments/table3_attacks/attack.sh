#!/usr/bin/env bash
# Attacks every kept row of Table 1, and the compositions, through the real transformations: 240 random parameters on each
# of a row's 500 images (compositions: 160, the first 100), and four climbs by EoT-PGD (GSmooth, Appendix C) on each of the
# first 25 where the transformation has a gradient. Fails if a try lands inside a claim.
set -euo pipefail
cd "$(dirname "$0")/.."

gsmooth data prepare mnist
random() { # run, checkpoints
    gsmooth attack "$1" --attack random --tries 240 --votes 8 --checkpoint "${@:2}"
}
climb() {
    gsmooth attack "$1" --attack eot-pgd --tries 4 --limit 25 --checkpoint "${@:2}"
}
closed=resolvable_mnist
random $closed/brightness_contrast shipped:mnist_brightness_contrast
random $closed/gaussian_blur $closed/checkpoints/gaussian_blur
random $closed/translation $closed/checkpoints/translation_{a,b,c}
runs=("$closed"/{brightness_contrast,gaussian_blur,translation})
for header in table1_mnist/*/header.json; do
    row=$(basename "$(dirname "$header")")
    random "table1_mnist/$row" "table1_mnist/checkpoints/$row"
    if [ "$row" != pixelate ]; then climb "table1_mnist/$row" "table1_mnist/checkpoints/$row"; fi
    runs+=("table1_mnist/$row")
done
for header in compositions/*/header.json; do
    run=$(dirname "$header")
    gsmooth attack "$run" --attack random --tries 160 --votes 16 --limit 100 --checkpoint compositions/checkpoint
    climb "$run" compositions/checkpoint
    runs+=("$run")
done
gsmooth report "${runs[@]}" --out table3_attacks
