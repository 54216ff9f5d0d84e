"""The tests of the page in a real browser: `run.py BINARY [--only SUBSTRING]`.

Each check names the clause or the part of the page that it verifies. Exit code 1 when one failed.
"""

import argparse
import os
import sys
from multiprocessing.util import Finalize
from pathlib import Path

sys.dont_write_bytecode = True  # leaves nothing behind in the source tree

import paths  # noqa: E402, F401  (first: it makes the other modules importable)
import checks_start  # noqa: E402, F401  (importing a module registers its checks)
import checks_talk  # noqa: E402, F401
import checks_reading  # noqa: E402, F401
import checks_connection  # noqa: E402, F401
import checks_input  # noqa: E402, F401
import checks_notify  # noqa: E402, F401
import checks_panes  # noqa: E402, F401
import checks_access  # noqa: E402, F401
import checks_hostile  # noqa: E402, F401
import checks_scripted  # noqa: E402, F401
import checks_http  # noqa: E402, F401
import checks_websocket  # noqa: E402, F401
import checks_firefox  # noqa: E402, F401
import runner  # noqa: E402
from bidi import Browser  # noqa: E402
from chat import HOST_RULES, WebBench, watch  # noqa: E402
from harness import CHECKS  # noqa: E402

BROWSERS = 1 + (os.cpu_count() or 1)


class SharedBrowser:
    """The browser of this process, which all of its checks use one after the other."""

    browser = None

    @classmethod
    def get(cls):
        if cls.browser is None:
            cls.browser = watch(Browser.chromium(HOST_RULES))
            Finalize(None, cls.browser.close, exitpriority=1)
        return cls.browser


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, jobs=BROWSERS)
    options = parser.parse_args()
    # Helpers of the independent peers register checks of their own.
    own = {file.stem for file in Path(__file__).parent.glob("checks_*.py")}
    checks = [entry for entry in CHECKS if entry[2].__module__ in own]
    return runner.run(parser, options, lambda: WebBench(options.binary.resolve(), SharedBrowser.get()), checks)


if __name__ == "__main__":
    sys.exit(main())
