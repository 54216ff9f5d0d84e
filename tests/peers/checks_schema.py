"""E1: one schema, `spec/events.schema.json`; what the server and `join --json` write conforms to it."""

import json

from frames import new_id
from harness import HERE, Failure, Skipped, check, expect, expect_equal
from schema import Schema, examples_in

FILE = HERE.parent.parent / "spec" / "events.schema.json"
FROM_SERVER = {"welcome", "message", "direct", "joined", "left", "renamed", "members", "notice", "error", "pong", "gap",
               "bye", "history", "whois", "rooms", "away", "act"}
FROM_CLIENT = {"hello", "send", "direct", "join", "leave", "rename", "members", "history", "search", "ping", "bye",
               "whois", "rooms", "away", "operate"}


def published():
    if not FILE.is_file():
        raise Skipped("spec/events.schema.json is not there")
    return Schema(json.loads(FILE.read_text(encoding="utf-8")))


def all_conform(schema, events):
    for event in events:
        faults = schema.faults(event)
        if faults:
            raise Failure(f"an event that the schema allows: {json.dumps(event, ensure_ascii=False)[:300]}",
                          "; ".join(faults[:4]))


@check("E1", "the published schema is sound: an example of each event, and each example conforms")
def schema_examples(_bench):
    schema = published()
    examples = list(examples_in(schema.root))
    all_conform(schema, examples)
    missing = (FROM_SERVER | FROM_CLIENT) - {example["type"] for example in examples}
    expect(not missing, "an example of each event", f"none of {sorted(missing)}")
    refused = [bad for bad in ({"type": "message", "room": 5}, {"type": "gap"}, {}, {"type": "nonsense"}, [])
               if not schema.faults(bad)]
    expect(not refused, "a schema that refuses what is no event", refused)


@check("E1", "every event of a lively conversation conforms to the published schema")
def conversation_conforms(bench):
    schema = published()
    with bench.server() as server:
        eve, bob, tom = server.event("eve"), server.event("bob", rooms=["lobby", "den"]), server.tutorial("tom")
        eve.say("lobby", "hello", ref="r")
        eve.send("join", room="den", ref="j")
        eve.say("den", "in the den")
        eve.send("direct", to="bob", text="psst", id=new_id(), ref="d")
        eve.send("rename", name="eva", ref="n")
        eve.send("members", room="lobby", ref="m")
        bob.ask("away", "away", text="lunch\nand tea")
        eve.send("direct", to="bob", text="psst", id=new_id(), ref="b")
        eve.send("whois", name="bob", ref="w")
        eve.send("rooms", ref="o")
        bob.ask("away", "away")
        eve.send("nonsense", ref="x")
        eve.say("nowhere", "x", ref="u")
        eve.say("lobby", "x" * 20000, ref="t")
        eve.send("history", room="lobby", ref="h")
        eve.send("search", room="den", query="den", limit=1, ref="s")
        tom.say("from the tutorial")
        tom.say("/nick thomas")
        tom.settle()
        eve.send("leave", room="den", ref="l")
        tom.close()
        bob.wait_named("left", "thomas")
        bob.wait_named("left", "eva")
        eve.barrier()
        late = server.event("late", rooms=["lobby", "den"], since={"den": 0})
        late.barrier()
        server.terminate()
        for peer in (eve, bob, late):
            peer.wait("bye")
    with bench.server("--history", "none") as server:
        eve.seen += server.event("eve").said("lobby", "hi"), server.event("ear", since={"lobby": 0}).wait("gap")
        all_conform(schema, eve.seen + bob.seen + late.seen)
        kinds = {event["type"] for event in eve.seen + bob.seen + late.seen}
        missing = FROM_SERVER - kinds - {"notice", "act"}
        expect(not missing, "events of each type that this conversation causes", f"no {sorted(missing)}")


@check("E1 E8", "the schema and the server agree on which requests for the past are well formed")
def requests_for_the_past(bench):
    schema = published()
    values = [0, 1, 5, 199, 200, 201, 2**53, -1, 1.5, "5", True, [], {}, None]
    requests = [{"type": "history", "room": "lobby", field: value}
                for field in ("before", "after", "around", "limit") for value in values]
    requests += [{"type": "search", "room": "lobby", "query": "hi", field: value}
                 for field in ("before", "limit") for value in values]
    requests += [{"type": "search", "room": "lobby", "query": query} for query in ("x", "x" * 256, "x" * 257, "", 5, ["x"])]
    requests += [{"type": "history"}, {"type": "search", "room": "lobby"}, {"type": "search", "query": "x"},
                 {"type": "history", "room": "lobby", "colour": "red"}, {"type": "history", "room": 5}]
    with bench.server() as server:
        eve = server.event("eve")
        eve.said("lobby", "hi")
        for request in requests:
            # An absent field may be written as null.
            written = {key: value for key, value in request.items() if value is not None}
            faults = schema.faults(written, schema.root["$defs"]["request"])
            eve.send_object({**request, "ref": "r"})
            answer = eve.recv()
            expect((answer["type"] == "history") == (not faults),
                   f"what the schema says of {json.dumps(request)[:200]}: {faults or 'well formed'}", answer)


@check("E1", "the lines of join --json conform to the published schema, after those of the client")
def join_conforms(bench):
    schema = published()
    with bench.server() as server:
        ear = server.tutorial("ear")
        bot = bench.join(server.join_at, "--name", "bot", "--json")
        ear.until_named("bot")
        ear.say("hello")
        bot.wait_text(r'"hello"')
        ear.close()
        bot.wait_text(r'"left"')
        bot.end_of_input()
        bot.wait_exit()
        lines = [json.loads(line) for line in bot.out.splitlines()]
        expect_equal([line["type"] for line in lines[:2]], ["schema", "link"])
        all_conform(schema, lines[2:])
