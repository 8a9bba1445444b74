#!/usr/bin/env bash
# Trains one network a row, under the row's transformation and the pixel noise of its claim; resumable.
set -euo pipefail
cd "$(dirname "$0")"

gsmooth data prepare mnist
train() { gsmooth train --out "checkpoints/$1" --arch convnet_bn --noise 0.25 --epochs 6 --transform "$1" --law "$2"; }
train rotation "uniform(low=-53.0,high=53.0)"
train scaling "uniform(low=-0.32,high=0.32)"
train rotational_blur "uniform(low=-11.0,high=11.0)"
train defocus_blur "uniform(low=0.0,high=5.2)"
train zoom_blur "uniform(low=0.0,high=0.53)"
train pixelate "uniform(low=0.0,high=0.53)"
