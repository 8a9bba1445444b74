"""The version: of the code that runs, also where an editable installation was made of an older one."""

VERSION = "0.13.0"
