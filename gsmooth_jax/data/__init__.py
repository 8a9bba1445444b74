"""Data sets: prepare a TFDS folder without TensorFlow, read it back by position, stream it by process.

TFDS, grain and Pillow are imported when first needed: the shipped images need none of them.
"""

from gsmooth_jax.data.embedded import embedded_images as embedded_images
from gsmooth_jax.data.preparing import prepare as prepare
from gsmooth_jax.data.reader import ImageSource as ImageSource
from gsmooth_jax.data.reader import Record as Record
from gsmooth_jax.data.specs import DATASETS as DATASETS
from gsmooth_jax.data.specs import DataError as DataError
from gsmooth_jax.data.specs import DatasetSpec as DatasetSpec
from gsmooth_jax.data.specs import MissingDataError as MissingDataError
from gsmooth_jax.data.streaming import load_split as load_split
from gsmooth_jax.data.streaming import open_source as open_source
from gsmooth_jax.data.streaming import sample_rate as sample_rate
from gsmooth_jax.data.streaming import stream as stream
