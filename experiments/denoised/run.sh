#!/bin/bash
# Fits the denoiser and certifies: some 20 minutes of CPU time. Networks and pictures come with their packages.
# Before: pip install h5py torch onnx onnxruntime; gsmooth data prepare cifar10
set -e
cd "$(dirname "$0")/../.."
at=experiments/denoised
tiny=$at/mlperf_tiny.py:network

fit="gsmooth fit-denoiser --data cifar10 --noise 0.12 --width 16 --batch-size 32 --classifier $tiny"
$fit --epochs 2 --out runs/denoised/mse_12
$fit --epochs 1 --objective stability --learning-rate 0.001 --start runs/denoised/mse_12 --out runs/denoised/stability_12

cifar="gsmooth certify --data cifar10 --every 20 --model $tiny"
$cifar --limit 100 --transform brightness_contrast --region -0.4 0.4 -0.4 0.4 --law "gaussian(sigma=(0.4,0.4))" \
    --out $at/cifar10/brightness_contrast

onnx=$(python $at/efficientnet_lite0.py | tail -1)
pictures=$(python $at/pictures.py)
imagenet="gsmooth certify --data folder:$pictures --resize 224 --crop 224 --model $onnx --layout NCHW --scale 255 --mean 127 --std 128"
$imagenet --max-votes 400 --transform brightness_contrast --region -0.2 0.2 -0.2 0.2 \
    --law "gaussian(sigma=(0.25,0.25))" --out $at/imagenet/brightness_contrast
$imagenet --max-votes 400 --transform translation --region -8 8 -8 8 --law "gaussian(sigma=15)" \
    --out $at/imagenet/translation
$imagenet --max-votes 400 --transform gaussian_blur --region 0 4 --law "exponential(scale=6)" \
    --out $at/imagenet/gaussian_blur
