"""Faults of the disk and the clock, made by a small library between a program and the system (`faults/faults.c`)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from frames import PATIENCE
from harness import HERE, Skipped


class Faults:
    """What fails from now on in the programs that were started with `environment`."""

    def __init__(self, bench):
        compiler = shutil.which("cc")
        if not sys.platform.startswith("linux") or not compiler:
            raise Skipped("faults of the disk need Linux and a C compiler, `cc`")
        folder = bench.folder()
        library = folder / "faults.so"
        built = subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, HERE / "faults" / "faults.c", "-ldl"],
                               capture_output=True, text=True, timeout=PATIENCE)
        if built.returncode != 0:
            raise Skipped(f"faults.c does not compile: {built.stderr[-300:]}")
        self._trigger = folder / "trigger"
        self.environment = {"LD_PRELOAD": str(library), "PEER_FAULTS": str(self._trigger)}
        self.none()

    def set(self, *lines):
        """All at once: a program that looks meanwhile sees the old lines or the new."""
        new = Path(f"{self._trigger}.new")
        new.write_text("".join(line + "\n" for line in lines))
        os.replace(new, self._trigger)

    def none(self):
        self.set()
