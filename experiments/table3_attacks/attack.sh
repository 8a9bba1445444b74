#!/usr/bin/env bash
# Attacks every kept row of Table 1 through the real transformations: 160 random parameters on each of its first 100 images.
# Fails if a try lands inside a claim.
set -euo pipefail
cd "$(dirname "$0")/.."

gsmooth data prepare mnist
random() { # run, checkpoints
    gsmooth attack "$1" --attack random --tries 160 --votes 16 --limit 100 --checkpoint "${@:2}"
}
closed=resolvable_mnist
random $closed/brightness_contrast shipped:mnist_brightness_contrast
random $closed/gaussian_blur $closed/checkpoints/gaussian_blur
random $closed/translation $closed/checkpoints/translation_{a,b,c}
runs=("$closed"/{brightness_contrast,gaussian_blur,translation})
for header in table1_mnist/*/header.json; do
    row=$(basename "$(dirname "$header")")
    random "table1_mnist/$row" "table1_mnist/checkpoints/$row"
    runs+=("table1_mnist/$row")
done
gsmooth report "${runs[@]}" --out table3_attacks
