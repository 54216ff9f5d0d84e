"""The interop and conformance suite: `run.py BINARY [--relay PROGRAM] [--only SUBSTRING]`.

Each check names the clause of the protocol that it proves. Exit code 1 when one failed.
"""

import argparse
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # leaves nothing behind in the source tree
sys.path.append(str(Path(__file__).resolve().parents[2] / "target/python"))  # packages of requirements.txt

import checks_acts  # noqa: E402, F401  (importing a module registers its checks)
import checks_admission  # noqa: E402, F401
import checks_badinput  # noqa: E402, F401
import checks_bans  # noqa: E402, F401
import checks_class  # noqa: E402, F401
import checks_client  # noqa: E402, F401
import checks_event  # noqa: E402, F401
import checks_history  # noqa: E402, F401
import checks_metrics  # noqa: E402, F401
import checks_mutes  # noqa: E402, F401
import checks_names  # noqa: E402, F401
import checks_noise  # noqa: E402, F401
import checks_noise_client  # noqa: E402, F401
import checks_notices  # noqa: E402, F401
import checks_operators  # noqa: E402, F401
import checks_order  # noqa: E402, F401
import checks_resume  # noqa: E402, F401
import checks_schema  # noqa: E402, F401
import checks_sealed  # noqa: E402, F401
import checks_search  # noqa: E402, F401
import checks_storage  # noqa: E402, F401
import checks_tls  # noqa: E402, F401
import checks_tutorial  # noqa: E402, F401
import checks_upkeep  # noqa: E402, F401
import checks_vectors  # noqa: E402, F401
import checks_web  # noqa: E402, F401
import checks_whois  # noqa: E402, F401
import runner  # noqa: E402
from harness import Bench  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser)
    parser.add_argument("--relay", type=Path, metavar="PROGRAM",
                        help="the program under test speaks the test layer, and its peers reach it through this relay")
    options = parser.parse_args()
    if options.relay and not options.relay.is_file():
        parser.error(f"{options.relay} is not a file")
    binary, relay = options.binary.resolve(), options.relay and options.relay.resolve()
    return runner.run(parser, options, lambda: Bench(binary, relay),
                      plain_only=lambda function: relay and function.plain_only)


if __name__ == "__main__":
    sys.exit(main())
