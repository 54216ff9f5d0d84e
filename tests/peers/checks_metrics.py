"""`--metrics`: the output has the documented format, by an independent reader of it."""

import http.client

from exposition import Exposition
from frames import PATIENCE, parse_address
from harness import Failure, check, expect, expect_equal


def fetch(address, page):
    connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
    try:
        connection.request("GET", page)
        answer = connection.getresponse()
        return answer, answer.read().decode("utf-8")
    finally:
        connection.close()


def scrape(address):
    answer, text = fetch(address, "/metrics")
    expect_equal((answer.status, answer.getheader("Content-Type")),
                 (200, "text/plain; version=0.0.4; charset=utf-8"))
    exposition = Exposition(text)
    exposition.check_customs("glassline_")
    return exposition


@check("metrics", "the numbers are in Prometheus's text format, named as is the custom, and counters never fall")
def metrics(bench):
    with bench.server("--metrics", "127.0.0.1:0") as server:
        address = parse_address(server.wait_text(r"^metrics on (127\.0\.0\.1:\d+)\r?$")[1])
        first = scrape(address)
        expect_equal(first.value("glassline_members"), 0)
        eve, tom = server.event("eve"), server.tutorial("tom")
        for number in range(5):
            tom.say(f"text {number}")
        eve.wait("message", text="text 4")
        eve.ask("rename", "error", name="tom")
        tom.say("/msg nobody hi")
        tom.settle()
        eve.barrier()
        unregistered = server.unregistered()
        unregistered.say("*")
        unregistered.read_to_end()
        second = scrape(address)
        expect_equal(second.value("glassline_members"), 2)
        expect_equal(second.value("glassline_messages_total"), 5)
        expect_equal(second.value("glassline_deliveries_total"), 5)
        expect_equal(second.value("glassline_refusals_total", reason="name_refused"), 1)
        expect_equal(second.value("glassline_refused_requests_total", code="name_taken"), 1)
        expect_equal(second.value("glassline_refused_requests_total", code="unknown_name"), 1)
        expect_equal(first.families.keys(), second.families.keys(), "the same families at any time")
        expect_equal(first.values.keys(), second.values.keys(), "the same samples at any time, so that rates are right")
        for (name, labels), value in second.values.items():
            if name.endswith("_total"):
                expect(value >= first.values[name, labels], f"{name} that never falls", (first.values[name, labels], value))


@check("metrics", "health is reported in a word")
def health(bench):
    with bench.server("--metrics", "127.0.0.1:0") as server:
        address = parse_address(server.wait_text(r"^metrics on (127\.0\.0\.1:\d+)\r?$")[1])
        answer, body = fetch(address, "/healthz")
        expect_equal((answer.status, body), (200, "ok\n"))
        answer, _ = fetch(address, "/")
        expect_equal(answer.status, 404)


@check("metrics", "the reader of the format takes nothing that the format does not allow")
def reader(_):
    good = "# HELP a_total A.\n# TYPE a_total counter\na_total{r=\"x\"} 1\na_total{r=\"y\"} 2\n"
    histogram = ("# HELP h H.\n# TYPE h histogram\n" 'h_bucket{le="0.1"} 1\nh_bucket{le="+Inf"} 3\nh_sum 0.5\nh_count 3\n')
    expect_equal(Exposition(good + histogram).value("a_total", r="y"), 2)
    for bad in (good[:-1], good + "\n", good + "a_total{r=\"x\"} 1\n", good + "b 1\n", good.replace("counter", "count"),
                good.replace(" 2", " 2_0"), good.replace(" 2", " -2"), good.replace('"y"', "y"),
                good.replace("# HELP a_total A.\n", ""), good.replace("# TYPE a_total counter\n", ""),
                good + histogram + good, histogram.replace("h_count 3", "h_count 2"),
                histogram.replace("+Inf", "0.2"), histogram.replace(" 1\n", " 4\n"), histogram.replace("h_sum 0.5\n", "")):
        try:
            Exposition(bad)
        except Failure:
            continue
        raise Failure("a fault to be found", bad)
