"""A package of plug-ins, as a user would write one: see ``tests/test_plugins.py``."""
