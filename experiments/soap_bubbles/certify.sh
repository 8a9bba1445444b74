#!/usr/bin/env bash
# Certifies test images 0, 20, ..., 780 against every change of the pixels with an L2 norm of 0.25, under soap bubbles of several k
# whose length has the mode of normal noise: sigma = s0 ((d - 1) / (d - 1 - k))^(1/2). Resumable.
set -euo pipefail
cd "$(dirname "$0")"

rows=()
certify() { # out, options
    gsmooth certify --out "$1" --every 20 --limit 40 --alpha 0.001 --transform additive --ball 0.25 "${@:2}"
    rows+=("$1")
}

gsmooth data prepare cifar10 # s0 = 0.12, as the network was trained
network=(--data cifar10 --checkpoint ../table1_cifar10/checkpoint --max-votes 1000)
certify cifar10/k_0 "${network[@]}" --law "soap_l2(sigma=0.12, k=0, dim=3072)"
certify cifar10/k_100 "${network[@]}" --law "soap_l2(sigma=0.122003, k=100, dim=3072)"
certify cifar10/k_200 "${network[@]}" --law "soap_l2(sigma=0.124109, k=200, dim=3072)"
certify cifar10/k_500 "${network[@]}" --law "soap_l2(sigma=0.131151, k=500, dim=3072)"
certify cifar10/k_1000 "${network[@]}" --law "soap_l2(sigma=0.146127, k=1000, dim=3072)"
certify cifar10/k_2000 "${network[@]}" --law "soap_l2(sigma=0.203201, k=2000, dim=3072)"
certify cifar10/k_2900 "${network[@]}" --law "soap_l2(sigma=0.508538, k=2900, dim=3072)"

gsmooth data prepare mnist # s0 = 0.25, as the network was trained
network=(--data mnist --checkpoint ../table1_mnist/checkpoints/rotational_blur --test fixed --max-votes 200)
certify mnist/k_0 "${network[@]}" --law "soap_l2(sigma=0.25, k=0, dim=784)"
certify mnist/k_25 "${network[@]}" --law "soap_l2(sigma=0.254089, k=25, dim=784)"
certify mnist/k_50 "${network[@]}" --law "soap_l2(sigma=0.258386, k=50, dim=784)"
certify mnist/k_125 "${network[@]}" --law "soap_l2(sigma=0.272714, k=125, dim=784)"
certify mnist/k_250 "${network[@]}" --law "soap_l2(sigma=0.303010, k=250, dim=784)"
certify mnist/k_500 "${network[@]}" --law "soap_l2(sigma=0.415841, k=500, dim=784)"
certify mnist/k_740 "${network[@]}" --law "soap_l2(sigma=1.066809, k=740, dim=784)"

gsmooth verify "${rows[@]}"
gsmooth report "${rows[@]}"
