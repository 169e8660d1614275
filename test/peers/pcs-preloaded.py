#!/usr/bin/python3
"""pcs-preloaded.py TREE ARGUMENTS…: pcs's own runner of tests with its ARGUMENTS, on a tree that is set up.

The tests call pcs some thousand times, and loading it takes most of the time of a call. Here it is loaded once, and every
call is a fork of this process; what is run, its arguments, environment and streams are those that the tests ask for.
"""
import importlib
import os
import pkgutil
import signal
import sys
import tempfile
import traceback

tree = sys.argv.pop(1)
sys.path.insert(0, tree)

import pcs.app
import pcs.cli.routing
from pcs_test import suite
from pcs_test.tools import pcs_runner

for module in pkgutil.iter_modules(pcs.cli.routing.__path__):
    importlib.import_module(f"pcs.cli.routing.{module.name}")

tests_folder = os.path.join(tree, "pcs_test")
program = os.path.join(tests_folder, "pcs_for_tests")
with open(program, encoding="utf-8") as source:
    code = compile(source.read(), program, "exec")


def be_pcs(words, environment, streams):
    """Goes on as pcs, in a process of its own; returns the exit code."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [program, *(str(word) for word in words)]
    # The program takes its own folder, where Python would have put it, out of the path.
    sys.path.insert(0, tests_folder)
    try:
        exec(code, {"__name__": "__main__", "__file__": program})
        result = 0
    except SystemExit as end:
        result = end.code
    except BaseException:
        traceback.print_exc()
        result = 1
    if isinstance(result, str):
        print(result, file=sys.stderr)
        result = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return result or 0


def run(words, env_extend=None):
    """In the place of what starts pcs for a test: what it printed, what it complained of, its exit code."""
    environment = {"LC_ALL": "C", **(env_extend or {})}
    with open(os.devnull, "rb") as nothing, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            ended = 1
            try:
                ended = be_pcs(words[1:], environment, (nothing, out, err))
            finally:
                os._exit(ended)
        status = os.waitpid(child, 0)[1]
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
    return texts[0], texts[1], os.waitstatus_to_exitcode(status)


if hasattr(pcs_runner, "_run"):
    pcs_runner._run = run
suite.main()
