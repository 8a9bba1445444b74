#!/usr/bin/env bash
#SBATCH --job-name=gsmooth
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --time=04:00:00
#SBATCH --signal=TERM@120
#SBATCH --requeue
# One process a node, all its GPUs: sbatch slurm.sh. Preempted or out of time, the job queues itself again. Not run yet.
set -uo pipefail

# Under Slurm, JAX would give each process one GPU.
export JAX_LOCAL_DEVICE_IDS=0,1,2,3

# The folder is on a file system that all nodes share. A node that fails does not stop the others.
srun --kill-on-bad-exit=0 gsmooth certify --distributed \
    --data mnist --every 20 --max-votes 100000 --checkpoint runs/mnist-rot --transform "rotation|clip|quantize" \
    --region -50 50 --law "pixel_noise(sigma=0.25)" --out runs/mnist-rot-cert
code=$?

if ((code == 3)); then # interrupted: the same command goes on
    scontrol requeue "$SLURM_JOB_ID"
    exit
fi
if ((code)); then exit "$code"; fi
gsmooth verify runs/mnist-rot-cert && gsmooth report runs/mnist-rot-cert
