#!/usr/bin/env bash
# CIFAR-10 test images 0, 20, 40, ... under the laws and regions of General Lipschitz's released settings, 1,000 fixed votes
# an image, proved; the table applies the sampled bound to the same votes. Resumable.
#   ./certify.sh               brightness and contrast, with the kept ResNet-20, on the first 20 of the field's images
#   LIMIT=500 ./certify.sh     goes on to all of them
#   NETWORK=../resolvable_cifar10/checkpoints/sharpen ROWS=blur ./certify.sh    blur, with a network that was trained for it
set -euo pipefail
cd "$(dirname "$0")"

network=${NETWORK:-../resolvable_cifar10/checkpoints/resnet20}
gsmooth data prepare cifar10
certify() { # row, transform, law, region
    gsmooth certify --data cifar10 --every 20 --limit "${LIMIT:-20}" --alpha 0.001 --test fixed --max-votes 1000 \
        --selection-votes 200 --checkpoint "$network" --transform "$2" --law "$3" --region "${@:4}" --out "$1"
}
for row in ${ROWS:-brightness contrast contrast_brightness}; do
    case $row in
        brightness) certify $row brightness "gaussian(sigma=0.3)" -0.4 0.4 ;;
        contrast) certify $row contrast "gaussian(sigma=0.3)" -0.5108256 0.3364722 ;; # factors 0.6 to 1.4
        contrast_brightness)
            certify $row "contrast|brightness" "gaussian(sigma=0.3)|gaussian(sigma=0.3)" \
                -0.5108256 0.3364722 -0.4 0.4
            ;;
        blur) certify $row gaussian_blur "exponential(scale=5.0)" 0 4 ;;
    esac
    gsmooth verify "$row"
    gsmooth report "$row"
done
