#!/usr/bin/env bash
# Certifies the first of MNIST test images 0, 20, 40, ... against boxes of two parameters. Resumable.
# Brightness is also drawn as noise (0.3), which leaves few cells along it; it is exact as long as nothing clips the image,
# so these claims are about real-valued images. Contrast has no such short cut, and its claim holds for 8-bit files.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
certify() { # out, transform, law, region
    gsmooth certify --data mnist --every 20 --limit 100 --alpha 0.001 --max-votes 100000 --checkpoint checkpoint \
        --out "$1" --transform "$2" --law "$3" --region "${@:4}"
}
certify rotation_brightness "rotation|brightness" "pixel_noise(sigma=0.25, brightness=0.3, exact=True)" -10 10 -0.2 0.2
certify scaling_brightness "scaling|brightness" "pixel_noise(sigma=0.25, brightness=0.3, exact=True)" -0.1 0.1 -0.2 0.2
certify rotational_blur_contrast "rotational_blur|contrast|clip|quantize" "pixel_noise(sigma=0.25)" -10 10 -0.1 0.1
gsmooth verify rotation_brightness scaling_brightness rotational_blur_contrast
gsmooth report rotation_brightness scaling_brightness rotational_blur_contrast
