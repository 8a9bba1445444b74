#!/usr/bin/env bash
# Certifies 100 utterances against any volume within 3 dB, as 16-bit files and as real-valued waveforms. Resumable.
set -euo pipefail
cd "$(dirname "$0")"

certify() { # out and checkpoint, transform, the rest; under the noise or the law of training
    gsmooth certify --data folder:../../runs/words/test --checkpoint "checkpoints/$1" --out "$1" --region -3 3 --alpha 0.001 \
        --transform "$2" "${@:3}"
}
range="low=-1.0, high=0.999969482421875" # of 16-bit samples: -32768 / 32768 to 32767 / 32768
saved="volume|clip($range)|quantize(bits=16, $range)"
certify file "$saved" --max-votes 10000
certify real_valued volume --max-votes 400
certify spt "$saved" --method "spt(inner=0.02)" --law "gaussian(sigma=4)" --max-votes 20000 --selection-votes 8

gsmooth verify file real_valued spt
gsmooth report file real_valued spt --out .
for run in file real_valued; do # 2 x 34 x 64 volumes; of spt, each vote of which is a majority of 200, it would take hours
    gsmooth attack $run --checkpoint "checkpoints/$run" --attack grid --votes 16 --tries 64 --limit 34 \
        --data folder:../../runs/words/test
done
