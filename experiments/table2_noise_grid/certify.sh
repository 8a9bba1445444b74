#!/usr/bin/env bash
# Rotational blur within 10 degrees on 100 MNIST test images (0, 20, 40, ...) by cover, under nine pairs of noise: of the
# surrogate's parameter, in degrees, and of its latent. Shipped surrogate and classifier, trained under (2, 0.4). Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
runs=()
for parameter in 1.0 2.0 4.0; do
    for latent in 0.2 0.4 0.6; do
        noise="surrogate_noise(path='shipped:mnist_rotational_blur_surrogate', sigma_parameter=$parameter, sigma=$latent)"
        run="parameter_${parameter}_latent_$latent"
        gsmooth certify --data mnist --every 20 --limit 100 --alpha 0.001 --transform "rotational_blur|clip|quantize" \
            --law "$noise" --out "$run"
        runs+=("$run")
    done
done
gsmooth verify "${runs[@]}"
gsmooth report "${runs[@]}" --out .
