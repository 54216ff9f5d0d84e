"""L, W: a class behind one address that opens the page at once."""

import json

from harness import check, expect, expect_equal

SECONDS_MAX = 10  # within which a newcomer talks; a debug build on a busy machine needs two or three


def visit(bench, *options):
    program = bench.in_own_network("class_of_browsers.py", *options)
    program.wait_exit()
    expect(program.out.strip(), "what came of it", program.err[-600:])
    came = json.loads(program.out)
    expect_equal(came["statuses"], {"200": 30 * came["files"]}, "the files of the page")
    expect(came["files"] > 20, "all files of the page", came["files"])
    expect_equal(came["failed"], [], "those that did not join")
    expect(came["joined_s"] < SECONDS_MAX, f"everybody in the room in {SECONDS_MAX} s", came["joined_s"])
    counts = dict(count.split("=") for count in came["counts"].split())
    expect_equal(counts.get("joined"), "30", "joined")
    unwanted = {"crowded_out", "too_many_from_address", "connection_pauses", "no_name_in_time"} & set(counts)
    expect(not unwanted, "no connection closed for another one, or delayed", came["counts"])
    expect(came["foreign"].startswith("HTTP/1.1 421 "), "421 for a foreign host", came["foreign"])
    expect("Strict-Transport-Security" not in came["page"], "no promise for later", came["page"])
    return came


@check("L W1 W2", "thirty browsers from one address over TLS at once: all get the page, all join, nothing is closed or delayed",
       plain_only="it has TLS")
def class_over_tls(bench):
    came = visit(bench)
    expect(came["plain"].startswith("HTTP/1.1 404 "), "the page in plaintext too", came["plain"])


@check("L W1 D", "the same under --require tls, where plain HTTP is redirected", plain_only="it has TLS")
def class_that_requires_tls(bench):
    came = visit(bench, "--require", "tls")
    expect(came["plain"].startswith("HTTP/1.1 308 "), "a redirect", came["plain"])
    expect(f"\r\nLocation: https://{came['host']}/x?y\r\n" in came["plain"] + "\r\n", "the same under https", came["plain"])
