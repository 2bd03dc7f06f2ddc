"""What the figures were taken on, in one line, and the toolchain in another."""

import os
import pathlib
import platform
import re
import subprocess


def output(*command):
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def field(text, pattern, default="unknown"):
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1).strip() if found else default


def processor():
    linux = field(output("lscpu"), r"^Model name:\s*(.+)$", "")
    mac = field(output("sysctl", "machdep.cpu.brand_string"), r": (.+)", "")
    return linux or mac or platform.processor() or platform.machine()


def memory():
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def system():
    try:
        release = pathlib.Path("/etc/os-release").read_text()
    except OSError:
        release = ""
    return field(release, r'^PRETTY_NAME="?([^"\n]+)', platform.platform(terse=True))


def describe():
    """Processor, cores, memory, system, Swift, libsodium."""
    swift = field(output("swift", "--version"), r"Swift version (\S+)")
    sodium = field(output("pkg-config", "--modversion", "libsodium"), r"(\S+)")
    return (
        f"{processor()} ({platform.machine()}), {os.cpu_count()} cores, {memory()}, {system()},"
        f" Swift {swift}, libsodium {sodium}"
    )
