#!/usr/bin/env bash
# How often a random parameter changes the answers of the kept ResNet-20s on CIFAR-10 test images 0, 20, 40, ...: CC-Cert's
# estimate from 10 batches of 100 draws. The table also has what the same draws prove when they are counted. Resumable; with
# LIMIT=500 it goes on to all of the field's images.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare cifar10
certify() { # row, images, checkpoint, transform, region
    gsmooth certify --data cifar10 --every 20 --limit "${LIMIT:-$2}" --alpha 0.001 --test fixed --block 100 \
        --max-votes 1000 --method "cc_cert(bound='chernoff', at_most=1e-10, factors=True)" \
        --checkpoint "$3" --transform "$4" --region "${@:5}" --out "$1"
}
certify contrast 100 ../resolvable_cifar10/checkpoints/resnet20 "contrast|clip" -0.5108256 0.3364722 # factors 0.6 to 1.4
certify rotation 40 ../table1_cifar10/checkpoint "rotation|clip" -10 10
gsmooth verify contrast rotation
gsmooth report contrast rotation
# Chosen parameters, of which no claim speaks.
gsmooth attack rotation --checkpoint ../table1_cifar10/checkpoint --attack grid --tries 41 --votes 1 --limit 20
