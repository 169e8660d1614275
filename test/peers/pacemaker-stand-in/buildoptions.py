"""Stands for what Pacemaker's configure writes: where the programs are that its suite of tools needs."""

import shutil


class BuildOptions:
    """Only what the suite asks for."""

    DAEMON_DIR = "/usr/lib/pacemaker"
    SCHEMA_DIR = "/usr/share/pacemaker"
    XMLLINT_PATH = shutil.which("xmllint") or "/usr/bin/xmllint"
    _BUILD_DIR = "/nonexistent"
