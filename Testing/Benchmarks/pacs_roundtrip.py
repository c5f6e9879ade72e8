#!/usr/bin/env python3
"""Measures `kidneyseg watch`: from the first image sent to an Orthanc until the results of the study are stored there.

    python Testing/Benchmarks/pacs_roundtrip.py               # 512x512x300
    python Testing/Benchmarks/pacs_roundtrip.py --slices 600

Orthanc (Debian: orthanc, orthanc-dicomweb) runs on this machine with a StableAge of 1 s, which is part of what is
measured. The engine's seconds are those of its process, from start to end; all the rest is the watch's own.
Nothing else should run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Python"))

from orthanc_server import PASSWORD, OrthancServer

from KidneySegLib.sample.write import write_sample

RESULTS = ("SEG", "SR", "DOC")
LONGEST_SCAN, THICKEST_SLICE = 300.0, 2.0


def main() -> None:
    """Runs the watch on one study and prints where the time went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--device", default="auto", help="as in kidneyseg segment")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kidneyseg-benchmark-") as name:
        scratch = Path(name)
        write_sample(
            scratch / "sample", slices=options.slices, spacing=min(THICKEST_SLICE, LONGEST_SCAN / options.slices)
        )
        server = OrthancServer(scratch / "orthanc")
        server.start()
        try:
            measure(server, scratch, options)
        finally:
            server.kill()


def measure(server: OrthancServer, scratch: Path, options: argparse.Namespace) -> None:
    """Sends the sample while a watch runs, waits for the results and prints the table."""
    environment = {**os.environ, "KIDNEYSEG_ORTHANC_PASSWORD": PASSWORD}
    server.servers_file(scratch / "servers.toml")
    kidneyseg = [sys.executable, "-m", "KidneySegLib"]
    common = ["--server", "orthanc", "--servers", str(scratch / "servers.toml")]
    watch = [*kidneyseg, "watch", *common, "--work", str(scratch / "work"), "--device", options.device]
    watcher = subprocess.Popen(watch, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        start = time.perf_counter()
        push = [*kidneyseg, "push", str(scratch / "sample" / "series"), "--via", "dimse", *common]
        subprocess.run(push, env=environment, check=True, stdout=subprocess.DEVNULL)
        stored = time.perf_counter()
        while not all(server.instances(modality) for modality in RESULTS):
            if watcher.poll() is not None:
                raise SystemExit("kidneyseg watch ended; there is nothing to measure.")
            time.sleep(0.1)
        end = time.perf_counter()
        line = next(line for line in watcher.stderr if ": done" in line or "failed" in line)
    finally:
        watcher.terminate()
        watcher.wait()
    stages = {stage: float(seconds) for stage, seconds in re.findall(r"(\w+) ([\d.]+) s[,)]", line)}
    rest = end - stored - sum(stages.values())
    print(f"512x512x{options.slices}, {os.cpu_count()} cores; seconds")
    print(f"storing the images with commitment (C-STORE)  {stored - start:6.1f}")
    print(f"until the study is stable and seen            {rest:6.1f}")
    for stage, seconds in stages.items():
        print(f"{stage:<45} {seconds:6.1f}")
    print(f"from stored images to stored results          {end - stored:6.1f}")
    print(f"of these not the engine's                     {end - stored - stages['segmenting']:6.1f}")


if __name__ == "__main__":
    main()
