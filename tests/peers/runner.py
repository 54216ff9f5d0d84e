"""Running registered checks, several at a time, and reporting each."""

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

from harness import CHECKS, Failure, Skipped

LONGEST = 120  # seconds: a net under the bounded waits, so that a bug here cannot hang a build
JOBS = 2 * (os.cpu_count() or 1)


def add_arguments(parser, jobs=JOBS):
    parser.add_argument("binary", type=Path, help="the program under test")
    parser.add_argument("--only", default="", metavar="SUBSTRING",
                        help="only checks whose clauses, title, function or file hold this")
    parser.add_argument("--jobs", type=int, default=jobs, metavar="N",
                        help=f"checks that run at the same time ({jobs}): most of them wait most of the time")
    parser.add_argument("--list", action="store_true", help="print the checks and stop")


def run(parser, options, new_bench, checks=CHECKS, plain_only=lambda function: None):
    """Runs those of `checks` that `options` choose, each with a bench of its own; returns the exit code.

    `plain_only` returns the reason for which a check says nothing in this run.
    """
    chosen = [entry for entry in checks
              if options.only.lower() in f"{entry[0]} {entry[1]} {entry[2].__name__} {entry[2].__module__}".lower()]
    if options.list:
        for clauses, title, function in chosen:
            print(f"{clauses:<9} {title} [{function.__name__}]")
        return 0
    if not options.binary.is_file():
        parser.error(f"{options.binary} is not a file")
    if not chosen:
        parser.error(f"no check matches {options.only!r}")
    signal.signal(signal.SIGALRM, out_of_time)
    sys.stdout.reconfigure(errors="backslashreplace", line_buffering=True)
    results = run_all(options.jobs, chosen, new_bench, plain_only)
    if "skipped" in results:
        print(f"{results.count('skipped')} NOT RUN: this machine does not permit them")
    if "plain only" in results:
        print(f"{results.count('plain only')} not applicable: they say nothing through a relay")
    print(f"{results.count('passed')} passed, {results.count('failed')} failed")
    return 1 if "failed" in results else 0


def run_all(jobs, checks, new_bench, plain_only):
    """Runs checks in so many processes, and prints what each says in the order of the list."""
    def work(index):
        """The result of the check with this index, and what is to be printed of it."""
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            result = run_one(new_bench, plain_only, *checks[index])
        return result, printed.getvalue()
    global WORK
    WORK = work  # what a process inherits need not be sent to it
    # Each process runs its checks on its main thread, where the alarm goes off.
    with ProcessPoolExecutor(jobs, get_context("fork")) as pool:
        results = []
        for result, text in pool.map(inherited, range(len(checks))):
            print(text, end="", flush=True)
            results.append(result)
    return results


def inherited(index):
    return WORK(index)


def run_one(new_bench, plain_only, clauses, title, function):
    """'passed', 'failed', 'skipped' or 'plain only'."""
    if reason := plain_only(function):
        print(f"N/A      {clauses:<9} {title}: {reason}")
        return "plain only"
    bench = new_bench()
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


def out_of_time(*_):
    raise Failure(f"a check that ends within {LONGEST} s", "the stack below")


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


def short(text, limit=1500):
    text = str(text)
    return text if len(text) <= limit else text[:limit] + f"... ({len(text)} characters)"
