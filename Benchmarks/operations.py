"""The programs that are measured."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def build(product="Operations"):
    """A release build of a program of this package; OPERATIONS or RATIOS names one that is there already."""
    if product.upper() in os.environ:
        return os.environ[product.upper()]
    command = ["swift", "build", "-c", "release", "--package-path", str(HERE), "--product", product]
    subprocess.run(command, check=True, stdout=sys.stderr)
    path = subprocess.run([*command, "--show-bin-path"], check=True, capture_output=True, text=True).stdout.strip()
    return str(pathlib.Path(path) / product)
