"""``gsmooth`` with a classifier that compiles in a moment, in this process or in one of its own."""

import os
import re
import signal

import gsmooth_jax as gs
from gsmooth_jax import cli, models, results
from tests import edited

FEW = ("--transform", "brightness_contrast", "--region", "-0.1", "0.1", "-0.1", "0.1", "--limit", "16")
"""Some of the embedded images are then certified and some are not."""


def by_stripes(images):
    """Ten stripes of the image, the first favoured where it is bright: votes are split on some images."""
    stripes = images.reshape(len(images), -1)[:, :780].reshape(len(images), 10, 78).mean(axis=-1)
    return stripes.at[:, 0].add(images.mean(axis=(1, 2, 3)) - 0.1)


def classifier(members):
    """Takes the place of ``models.ensemble``."""
    del members
    return gs.as_classifier(by_stripes, (28, 28, 1))


def lines(file):
    """The records of a results file as text, without their seconds."""
    return [re.sub(r'"(own_)?seconds":[^,}]*', "", line.decode()) for line in edited.lines(file)]


def die(name, after):
    append = results.RunWriter.append

    def last(self, claim):
        append(self, claim)
        if len(self.done) == after:
            os.kill(os.getpid(), signal.Signals[name])

    results.RunWriter.append = last


def main():
    """The command; ``DIE="SIGKILL 2"`` in the environment sends it that signal once it has written two images."""
    models.ensemble = classifier
    if os.environ.get("DIE"):
        name, after = os.environ["DIE"].split()
        die(name, int(after))
    cli.command()
