#!/usr/bin/env bash
# Attacks the nine rows of Table 1 through the real transformations: 115,200 tries, 128 random parameters on each of the
# first 100 images of every row, and gradient ascent (EoT-PGD) on two rows. A command fails if a try lands inside a claim.
set -euo pipefail
cd "$(dirname "$0")/.."

gsmooth data prepare mnist
random() { # run, checkpoints
    gsmooth attack "$1" --attack random --tries 128 --votes 16 --limit 100 --checkpoint "${@:2}"
}
closed=resolvable_mnist
random $closed/brightness_contrast shipped:mnist_brightness_contrast
random $closed/gaussian_blur $closed/checkpoints/gaussian_blur
random $closed/translation $closed/checkpoints/translation_{a,b,c}
for row in rotation scaling rotational_blur defocus_blur zoom_blur pixelate; do
    random table1_mnist/$row table1_mnist/checkpoints/$row
done
for row in rotational_blur defocus_blur; do
    gsmooth attack table1_mnist/$row --attack eot-pgd --limit 25 --checkpoint table1_mnist/checkpoints/$row
done
gsmooth report $closed/{brightness_contrast,gaussian_blur,translation} \
    table1_mnist/{rotation,scaling,rotational_blur,defocus_blur,zoom_blur,pixelate} --out table3_attacks
