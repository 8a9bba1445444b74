#!/usr/bin/env bash
# Certifies test images 0, 20, 40, ... against the transformations that no published table has, with networks that were trained
# for others. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

certify() { # data, checkpoint, sigma, votes, row, transform, region
    gsmooth certify --data "$1" --every 20 --alpha 0.001 --checkpoint "$2" --law "pixel_noise(sigma=$3)" --max-votes "$4" \
        --out "$5" --transform "$6" --region "${@:7}"
}
gsmooth data prepare mnist
digits=../table1_mnist/checkpoints
certify mnist $digits/scaling "0.25,exact=True" 100000 jpeg jpeg 0 76
certify mnist $digits/defocus_blur "0.25,exact=True" 100000 glass_blur glass_blur 0 1
certify mnist $digits/scaling "0.25,exact=True" 100000 shear "shear|clip|quantize" -0.3 0.3
certify mnist $digits/scaling "0.25,exact=True" 100000 perspective "perspective|clip|quantize" -0.3 0.3
# (-a, -b) is the same blur as (a, b): half of the box is all of it.
certify mnist $digits/defocus_blur "0.25,exact=True" 100000 motion_blur "motion_blur|clip|quantize" 0 2 -2 2 --limit 100
gsmooth data prepare cifar10
pictures=../table1_cifar10/checkpoint_speed_net
certify cifar10 $pictures "0.06,exact=True" 40000 hue hue -20 20
certify cifar10 $pictures "0.06,exact=True" 40000 saturation saturation -0.5 0.5
certify cifar10 $pictures "0.06,exact=True" 40000 jpeg_cifar10 jpeg 0 21
runs=(jpeg glass_blur shear perspective motion_blur hue saturation jpeg_cifar10)
gsmooth verify "${runs[@]}"
gsmooth report "${runs[@]}"
