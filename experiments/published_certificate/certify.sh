#!/usr/bin/env bash
# Rotational blur within 10 degrees on MNIST test images 0, 20, 40, ..., defocus blur up to 5 px on the first 100 of them,
# each with one surrogate and one classifier: by GSmooth's certificate (its partition and its M*, but a sequential test; for
# defocus blur also with four times the centres), and by cover on the 8-bit files. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
certify() { # run, transform, method, more
    gsmooth certify --data mnist --every 20 --alpha 0.001 --transform "$2" --method "$3" --out "$1" "${@:4}"
}
certify gsmooth rotational_blur gsmooth
certify cover "rotational_blur|clip|quantize" cover
defocus=(--limit 100 --checkpoint checkpoints/classifier --region 0 5)
certify defocus_gsmooth defocus_blur gsmooth "${defocus[@]}"
certify defocus_gsmooth_40 defocus_blur "gsmooth(centres=40)" "${defocus[@]}"
certify defocus_cover "defocus_blur|clip|quantize" cover "${defocus[@]}"
gsmooth verify gsmooth cover defocus_gsmooth defocus_gsmooth_40 defocus_cover
gsmooth report gsmooth cover --out .
