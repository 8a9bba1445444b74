#!/usr/bin/env bash
# Attacks every kept row of Table 1, and the compositions, through the real transformations: 160 random parameters on each
# of a row's first 100 images, and four climbs by EoT-PGD (GSmooth, Appendix C) on each of the first 25 where the
# transformation has a gradient. Fails if a try lands inside a claim.
set -euo pipefail
cd "$(dirname "$0")/.."

gsmooth data prepare mnist
random() { # run, checkpoints
    gsmooth attack "$1" --attack random --tries 160 --votes 16 --limit 100 --checkpoint "${@:2}"
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
python - "${runs[@]}" <<'EOF' # the tries of README
import json, pathlib, sys
every = [o for run in sys.argv[1:] for o in json.loads(pathlib.Path(run, "attack-random.json").read_text())["outcomes"]]
print(f"{sum(o['tries'] for o in every):,} tries, {sum(o['tries'] for o in every if o['certified']):,} on certified images")
EOF
for header in compositions/*/header.json; do
    run=$(dirname "$header")
    random "$run" compositions/checkpoint
    climb "$run" compositions/checkpoint
    runs+=("$run")
done
gsmooth report "${runs[@]}" --out table3_attacks
