#!/usr/bin/env bash
# Trains the networks anew, three minutes on two cores; resumable. certify.sh uses the kept ones as they are.
set -euo pipefail
cd "$(dirname "$0")"

train() { # out, law, the rest
    gsmooth train --out "checkpoints/$1" --data folder:../../runs/words --arch "audio_net(rate=8000)" --batch-size 32 \
        --epochs 15 --optimizer sgd --averaging 0.99 --transform volume --law "$2" "${@:3}"
}
train file "uniform(low=-3, high=3)" --noise 0.03
train real_valued "gaussian(sigma=4)"
train spt "gaussian(sigma=4)" --noise 0.02
