"""A reader of Prometheus's text format 0.0.4, written from its description, that takes nothing the description does not allow."""

import re

from harness import Failure, expect

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)?\}})? (\S+)")
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN")
# What a histogram's samples may be called.
PARTS = ("_bucket", "_sum", "_count")


def number(text):
    expect(NUMBER.fullmatch(text), "a number", text)
    return float(text.replace("Inf", "inf"))


class Exposition:
    """Families by name, each {type, help, samples}; a sample is ((name, labels), value)."""

    def __init__(self, text):
        expect(text.endswith("\n"), "a newline at the end", text[-80:])
        expect("\r" not in text, "lines that end with a newline alone", text[:80])
        self.families, self.values, self._open = {}, {}, None
        for line in text.split("\n")[:-1]:
            try:
                self._take(line)
            except Failure as failure:
                raise Failure(failure.expected, f"{failure.came} in {line!r}") from None
        for name, family in self.families.items():
            expect(family["samples"], f"samples of {name}", "none")
            if family["type"] == "histogram":
                self._check_histogram(name, family["samples"])

    def _take(self, line):
        if line.startswith("# HELP "):
            name, _, words = line[7:].partition(" ")
            expect(re.fullmatch(NAME, name) and words, "a name and a help", line)
            expect(name not in self.families, "one help for a family, and its samples in one place", name)
            expect("\\" not in re.sub(r"\\[\\n]", "", words), "no escape but of a backslash and a newline", words)
            self.families[name] = {"type": None, "help": words, "samples": []}
            self._open = name
        elif line.startswith("# TYPE "):
            name, _, kind = line[7:].partition(" ")
            family = self.families.get(name)
            expect(name == self._open and family["type"] is None and not family["samples"],
                   "one type, behind its help and before its samples", name)
            expect(kind in ("counter", "gauge", "histogram"), "a type that is used here", kind)
            family["type"] = kind
        else:
            self._take_sample(line)

    def _take_sample(self, line):
        found = SAMPLE.fullmatch(line)
        expect(found, "a sample, a help or a type", line)
        name, labels, value = found[1], found[2] or "", number(found[found.re.groups])
        family = self.families.get(self._open, {})
        names = [self._open + part for part in PARTS] if family.get("type") == "histogram" else [self._open]
        expect(name in names and family["type"], f"a sample of {self._open}, whose type is told", name)
        pairs = re.findall(LABEL, labels)
        expect(len({key for key, _ in pairs}) == len(pairs), "each label once", labels)
        key = (name, tuple(sorted(pairs)))
        expect(key not in self.values, "each sample once", key)
        self.values[key] = value
        family["samples"].append((key, value))
        if family["type"] != "gauge":
            expect(value >= 0, "a count that is not negative", value)

    def _check_histogram(self, name, samples):
        buckets = [(number(dict(labels)["le"]), value) for (of, labels), value in samples if of == name + "_bucket"]
        expect(buckets and buckets[-1][0] == float("inf"), f"a last bucket of {name} for everything", buckets)
        expect(all(left[0] < right[0] and left[1] <= right[1] for left, right in zip(buckets, buckets[1:])),
               f"buckets of {name} that grow", buckets)
        expect(self.value(name + "_count") == buckets[-1][1], f"{name}_count as the last bucket", samples)
        expect((name + "_sum", ()) in self.values, f"{name}_sum", samples)

    def value(self, name, **labels):
        key = (name, tuple(sorted(labels.items())))
        expect(key in self.values, f"a sample {key}", sorted(self.values))
        return self.values[key]

    def check_customs(self, prefix):
        """Names as they are usually given: a prefix, whole units, `_total` for counters and for nothing else."""
        for name, family in self.families.items():
            expect(name.startswith(prefix), f"a name that begins with {prefix}", name)
            expect(name.endswith("_total") == (family["type"] == "counter"), "`_total` for counters only", name)
            expect(not re.search(r"_(ms|us|ns|milliseconds|kb|kib|mb|mib|kilobytes|gauge|counter|histogram)(_|$)", name),
                   "seconds and bytes, and no type in the name", name)
            expect(family["help"][0].isupper() and family["help"].endswith("."), "a sentence", family["help"])
