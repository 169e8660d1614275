"""Stands for the suite's setting of PATH: who runs it has said where the programs are."""


def set_cts_path(extra=None):
    """Leaves PATH as it is."""
