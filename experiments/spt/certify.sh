#!/usr/bin/env bash
# Fischer et al. 2020 on MNIST: how often interpolation errs by more than 0.3 (their Table 1), random attackers (their
# Tables 2 and 3), and all attackers within 30 degrees beside cover. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
turned="vignette|low_pass(radius=4)" shifted="low_pass(radius=4)"
[ -e table1.json ] || gsmooth spt-error --data mnist --split train --every 30 --transform "rotation|clip|quantize" \
    --region -180 180 --law "gaussian(sigma=30)" --prepare "$turned" --error 0.3 --attackers 1 --out table1.json

rows=()
certify() { # out, checkpoint, transform, law, method, other options
    gsmooth certify --data mnist --every 20 --limit 100 --alpha 0.001 --out "$1" --checkpoint "$2" --transform "$3" \
        --law "$4" --method "$5" "${@:6}"
    rows+=("$1")
}
fixed=(--test fixed --max-votes 40000 --selection-votes 8) # 200 outer draws of 200 inner votes each, as published
rotation="rotation|clip|quantize"
for sigma in 90 180; do
    certify "random_$sigma" checkpoints/turned "$rotation" "gaussian(sigma=$sigma)" \
        "spt(inner=0.3, prepare='$turned', error='random')" --region -180 180 "${fixed[@]}"
done
certify random_shift checkpoints/shifted "shift|clip|quantize" "gaussian(sigma=4)" \
    "spt(inner=0.3, prepare='$shifted', error='random')" --ball 4 "${fixed[@]}"
certify image_shift checkpoints/shifted "shift|clip|quantize" "gaussian(sigma=4)" \
    "spt(inner=0.3, prepare='$shifted', error='image')" --ball 4 --max-votes 40000 --selection-votes 8
certify image_30 checkpoints/turned_30 "$rotation" "gaussian(sigma=30)" \
    "spt(inner=0.3, prepare='$turned', error='image')" --region -30 30 --max-votes 40000 --selection-votes 8
certify cover_30 ../table1_mnist/checkpoints/rotation "$rotation" "pixel_noise(sigma=0.15)" cover \
    --region -30 30 --max-votes 250000

gsmooth verify "${rows[@]}"
gsmooth report "${rows[@]}"
