#!/usr/bin/env bash
# Trains the inner classifiers, on what the method shows them: outer draws, filtered, under pixel noise. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
train() { # name, transform, law
    gsmooth train --out "checkpoints/$1" --arch convnet_bn --epochs 6 --noise 0.3 --transform "$2" --law "$3"
}
train turned "rotation|vignette|low_pass(radius=4)" "uniform(low=-180, high=180)" # draws of 90 and 180 degrees go round
train turned_30 "rotation|vignette|low_pass(radius=4)" "gaussian(sigma=30)"
train shifted "shift|low_pass(radius=4)" "gaussian(sigma=4)"
