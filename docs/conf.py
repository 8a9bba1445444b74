"""The site, by Sphinx: sphinx-build -W docs docs/_build. Nothing is fetched, neither to build nor to read it."""

import functools
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

import generate
from jupyter_cache.executors import utils as executors

from gsmooth_jax.version import VERSION

os.environ["TTY_COMPATIBLE"] = "0"  # commands of the tutorials draw no moving bars
# What a command prints comes in pieces of some bytes, which belong together.
executors.executenb = functools.partial(executors.executenb, coalesce_streams=True)

generate.write(Path(__file__).parent / "generated")

project = "gsmooth_jax"
author = "gsmooth_jax developers"
project_copyright = author
version = release = VERSION

extensions = ["myst_nb"]
exclude_patterns = ["_build", "conf.py", "generate.py"]
source_suffix = {".md": "myst-nb", ".py": "myst-nb"}

smartquotes = False  # they would make one dash of the two of an option

html_theme = "furo"
html_title = f"gsmooth_jax {VERSION}"
html_show_copyright = False
html_show_sphinx = False

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
