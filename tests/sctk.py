"""NIST's sclite, where it is installed."""

import os
import shutil
import subprocess

import pytest

#: Debian keeps it off the path.
SCLITE = shutil.which("sclite", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/lib/sctk/bin"]))

needs_sclite = pytest.mark.skipif(SCLITE is None, reason="sclite (sctk) is not installed")


def sclite_sgml(folder, *options, kind="sgml"):
    """Run sclite on files of a folder and return its alignments."""
    command = [SCLITE, *options, "-o", kind, "stdout"]
    return subprocess.run(command, capture_output=True, check=True, cwd=folder, timeout=20).stdout.decode()
