#!/usr/bin/env bash
# Certifies on all workers of a TPU slice: NAME=my-slice ZONE=us-central2-b BUCKET=gs://my-bucket ./tpu_pod.sh. Not run yet.
# On every worker, beforehand: the package with jax[tpu], the data set (gsmooth data prepare mnist), runs/mnist-rot.
set -euo pipefail

on_all_workers() {
    gcloud compute tpus tpu-vm ssh "$NAME" --zone "$ZONE" --worker=all --command "$1"
}

# Each worker writes its shard on its own disk. All of them must start: TPU workers meet. Run again to go on.
on_all_workers 'gsmooth certify --distributed --data mnist --every 20 --max-votes 100000 --checkpoint runs/mnist-rot \
    --transform "rotation|clip|quantize" --region -50 50 --law "pixel_noise(sigma=0.25)" --out runs/mnist-rot-cert'

# The shards have distinct names and the header is the same, so a plain copy of all into one folder is the run.
on_all_workers "gcloud storage cp runs/mnist-rot-cert/header.json runs/mnist-rot-cert/results-*.jsonl $BUCKET/mnist-rot-cert/"
mkdir -p runs/mnist-rot-cert
gcloud storage cp "$BUCKET/mnist-rot-cert/*" runs/mnist-rot-cert/
gsmooth verify runs/mnist-rot-cert
gsmooth report runs/mnist-rot-cert
