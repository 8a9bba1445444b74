#!/usr/bin/env bash
# Speaks the words; a minute or two. Needs espeak-ng (Debian: apt-get install espeak-ng).
set -euo pipefail
cd "$(dirname "$0")"

command -v espeak-ng > /dev/null || { echo "espeak-ng is needed: apt-get install espeak-ng" >&2; exit 1; }
python make_data.py ../../runs/words
