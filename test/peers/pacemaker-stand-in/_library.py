"""Stands for Pacemaker's C library, of which its suite wants the words for exit codes: crm_error knows them."""

import functools
import subprocess


class _Words:
    @staticmethod
    @functools.lru_cache(maxsize=None)
    def crm_exit_str(code):
        told = subprocess.run(["crm_error", "--exit", "--", str(code)], capture_output=True, check=False)
        return told.stdout.strip()


_libcrmcommon = _Words
