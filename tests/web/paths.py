"""Folders of the repository. Importing this makes `tests/peers` and the installed packages importable."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NODE_MODULES = ROOT / "target/node/node_modules"

sys.path.append(str(ROOT / "tests/peers"))  # programs, frames and peers are those of the independent peers
sys.path.append(str(ROOT / "target/python"))  # packages of requirements.txt
