"""Stands for the suite's check of XML answers, which needs a package (psutil) that is not always there."""

import os
import shutil
import subprocess
import sys

from pacemaker._cts.errors import XmlValidationError

# Beside the suite, made by who runs it.
_SCHEMA = os.path.join(sys.path[0], "..", "xml", "api", "api-result.rng")


def validate(xml, check_rng=True, verbose=False):
    """Fails for what is no XML, or not as the schema says."""
    words = [shutil.which("xmllint"), "--noout"] + (["--relaxng", _SCHEMA] if check_rng else []) + ["-"]
    done = subprocess.run(words, input=xml, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise XmlValidationError(done.stderr, done.returncode)
    return done.stdout
