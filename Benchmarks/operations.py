"""The program that performs one operation many times."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def build():
    """A release build of the operations; OPERATIONS names one that is there already."""
    if "OPERATIONS" in os.environ:
        return os.environ["OPERATIONS"]
    command = ["swift", "build", "-c", "release", "--package-path", str(HERE), "--product", "Operations"]
    subprocess.run(command, check=True, stdout=sys.stderr)
    path = subprocess.run([*command, "--show-bin-path"], check=True, capture_output=True, text=True).stdout.strip()
    return str(pathlib.Path(path) / "Operations")
