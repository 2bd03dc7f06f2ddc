"""Pipes zeros through `xchat media encrypt` and `decrypt`, compares what comes out, and writes what each took at most."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import machine

HERE = pathlib.Path(__file__).resolve().parent
LIMIT = 64  # MiB
KEY = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="


def feed(pipe, mebibytes):
    piece = bytes(1 << 20)
    with pipe:
        for _ in range(mebibytes):
            pipe.write(piece)


def drain(pipe):
    """How much came, and whether all of it was zeros."""
    count, zeros, piece = 0, True, bytes(1 << 20)
    while got := pipe.read(1 << 20):
        count += len(got)
        zeros = zeros and got == piece[:len(got)]
    return count, zeros


def wait(process):
    """The peak of a process that has ended well, in MiB."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{process.args[2]} ended with {process.returncode}")
    return usage.ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20)


def main():
    xchat, gibibytes = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as scratch:
        session = pathlib.Path(scratch) / "session.json"
        session.write_text(json.dumps({"user_id": "1111", "conversation_keys": {"1111:2222": {"1": KEY}}}))
        session.chmod(0o600)
        media = ["--conversation", "2222", "--session", str(session)]
        start = time.monotonic()
        pipe = subprocess.PIPE
        encrypt = subprocess.Popen([xchat, "media", "encrypt", *media], stdin=pipe, stdout=pipe)
        decrypt = subprocess.Popen([xchat, "media", "decrypt", *media], stdin=encrypt.stdout, stdout=pipe)
        encrypt.stdout.close()
        feeder = threading.Thread(target=feed, args=(encrypt.stdin, gibibytes << 10))
        feeder.start()
        count, zeros = drain(decrypt.stdout)
        feeder.join()
        peaks = {"encrypt": wait(encrypt), "decrypt": wait(decrypt)}
        seconds = time.monotonic() - start
    if count != gibibytes << 30 or not zeros:
        raise SystemExit("what came out is not what went in")
    lines = [
        f"A file of {gibibytes} GiB through `xchat media encrypt | xchat media decrypt`, {seconds:.0f} s, every byte"
        f" compared. {machine.describe()}.",
        "",
        "| process | peak resident memory |",
        "|:--|--:|",
        *(f"| `xchat media {name}` | {peak:.1f} MiB |" for name, peak in peaks.items()),
    ]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "memory.md").write_text(text)
    if max(peaks.values()) > LIMIT:
        raise SystemExit(f"more than {LIMIT} MiB")


main()
