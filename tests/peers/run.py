"""The interop and conformance suite: `run.py BINARY [--relay PROGRAM] [--only SUBSTRING]`.

Each check names the clause of the protocol that it proves. Exit code 1 when one failed.
"""

import argparse
import contextlib
import io
import os
import signal
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

sys.dont_write_bytecode = True  # leaves nothing behind in the source tree
sys.path.append(str(Path(__file__).resolve().parents[2] / "target/python"))  # packages of requirements.txt

import checks_acts  # noqa: E402, F401  (importing a module registers its checks)
import checks_admission  # noqa: E402, F401
import checks_badinput  # noqa: E402, F401
import checks_bans  # noqa: E402, F401
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
import checks_whois  # noqa: E402, F401
from harness import CHECKS, Bench, Failure, Skipped  # noqa: E402

LONGEST = 120  # seconds: a net under the bounded waits, so that a bug here cannot hang a build
JOBS = 2 * (os.cpu_count() or 1)


def out_of_time(*_):
    raise Failure(f"a check that ends within {LONGEST} s", "the stack below")


def short(text, limit=1500):
    text = str(text)
    return text if len(text) <= limit else text[:limit] + f"... ({len(text)} characters)"


def report(clauses, title, error):
    print(f"FAIL     {clauses:<9} {title}")
    if isinstance(error, Failure):
        print(f"         clause:   {clauses}\n         expected: {short(error.expected)}")
        print(f"         came:     {short(error.came)}")
    else:
        print(f"         clause:   {clauses}\n         expected: the step below to work")
        print(f"         came:     {type(error).__name__}: {short(error)}")
    for entry in traceback.extract_tb(error.__traceback__):
        if Path(entry.filename).name.startswith("checks_"):
            print(f"         at:       {Path(entry.filename).name}:{entry.lineno}  {entry.line}")


def run_one(binary, relay, clauses, title, function):
    """'passed', 'failed', 'skipped' or 'plain only'."""
    if relay and function.plain_only:
        print(f"N/A      {clauses:<9} {title}: {function.plain_only}")
        return "plain only"
    bench = Bench(binary, relay)
    start = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        function(bench)
    except Skipped as reason:
        print(f"NOT RUN  {clauses:<9} {title}: {reason}")
        return "skipped"
    except Exception as error:
        report(clauses, title, error)
        for program in bench.programs:
            if program.output("err"):
                print(f"         stderr of {program.pid}: {short(ascii(program.err[-400:]))}")
        return "failed"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        bench.clean_up()
    print(f"ok       {clauses:<9} {title} ({time.monotonic() - start:.2f} s)")
    return "passed"


def told(binary, relay, index):
    """The result of the check with this index, and what is to be printed of it."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        result = run_one(binary, relay, *CHECKS[index])
    return result, printed.getvalue()


def run_all(binary, relay, indices, jobs):
    """Runs checks in so many processes, and prints what each says in the order of the list."""
    # Each process runs its checks on its main thread, where the alarm goes off.
    with ProcessPoolExecutor(jobs, get_context("fork")) as pool:
        results = []
        for result, text in pool.map(told, [binary] * len(indices), [relay] * len(indices), indices):
            print(text, end="", flush=True)
            results.append(result)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path, help="the program under test")
    parser.add_argument("--relay", type=Path, metavar="PROGRAM",
                        help="the program under test speaks the test layer, and its peers reach it through this relay")
    parser.add_argument("--only", default="", metavar="SUBSTRING",
                        help="only checks whose clauses, title or function name hold this")
    parser.add_argument("--jobs", type=int, default=JOBS, metavar="N",
                        help=f"checks that run at the same time ({JOBS}): most of them wait most of the time")
    parser.add_argument("--list", action="store_true", help="print the checks and stop")
    options = parser.parse_args()
    chosen = [index for index, entry in enumerate(CHECKS)
              if options.only.lower() in f"{entry[0]} {entry[1]} {entry[2].__name__}".lower()]
    if options.list:
        for clauses, title, function in (CHECKS[index] for index in chosen):
            print(f"{clauses:<9} {title} [{function.__name__}]")
        return 0
    for program in filter(None, (options.binary, options.relay)):
        if not program.is_file():
            parser.error(f"{program} is not a file")
    if not chosen:
        parser.error(f"no check matches {options.only!r}")
    signal.signal(signal.SIGALRM, out_of_time)
    sys.stdout.reconfigure(errors="backslashreplace", line_buffering=True)
    relay = options.relay and options.relay.resolve()
    results = run_all(options.binary.resolve(), relay, chosen, options.jobs)
    if "skipped" in results:
        print(f"{results.count('skipped')} NOT RUN: this machine does not permit them")
    if "plain only" in results:
        print(f"{results.count('plain only')} not applicable: they say nothing through a relay")
    print(f"{results.count('passed')} passed, {results.count('failed')} failed")
    return 1 if "failed" in results else 0


if __name__ == "__main__":
    sys.exit(main())
