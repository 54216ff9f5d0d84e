"""Just enough of JSON Schema to hold events to `spec/events.schema.json` (E1)."""

import re

KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
SAYS_NOTHING = {"$schema", "$id", "$defs", "definitions", "title", "description", "examples", "default", "format",
                "$comment", "deprecated", "readOnly", "writeOnly", "$anchor", "discriminator"}


def is_kind(value, kind):
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, KINDS[kind])


class Schema:
    def __init__(self, root):
        self.root = root

    def faults(self, value, schema=None, at="event"):
        """What is wrong with the value, as a list of sentences; empty when it conforms."""
        schema = self.root if schema is None else schema
        if isinstance(schema, bool):
            return [] if schema else [f"{at} must not be there"]
        found = []
        for keyword, rule in schema.items():
            method = getattr(self, "_" + keyword.lstrip("$").lower(), None)
            if method:
                found += method(rule, value, at, schema)
            elif keyword not in SAYS_NOTHING and not keyword.startswith("x-"):
                found.append(f"the schema uses `{keyword}`, which this checker does not know")
        return found

    def _ref(self, rule, value, at, _):
        target = self.root
        for part in rule.removeprefix("#").strip("/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")] if part else target
        return self.faults(value, target, at)

    def _type(self, rule, value, at, _):
        kinds = [rule] if isinstance(rule, str) else rule
        return [] if any(is_kind(value, kind) for kind in kinds) else [f"{at} is {value!r}, not {rule}"]

    def _const(self, rule, value, at, _):
        return [] if value == rule else [f"{at} is {value!r}, not {rule!r}"]

    def _enum(self, rule, value, at, _):
        return [] if value in rule else [f"{at} is {value!r}, none of {rule}"]

    def _required(self, rule, value, at, _):
        return [f"{at} lacks {key}" for key in rule if isinstance(value, dict) and key not in value]

    def _properties(self, rule, value, at, _):
        if not isinstance(value, dict):
            return []
        return [fault for key, schema in rule.items() if key in value
                for fault in self.faults(value[key], schema, f"{at}.{key}")]

    def _additionalproperties(self, rule, value, at, schema):
        if not isinstance(value, dict):
            return []
        return [fault for key in value if key not in schema.get("properties", {})
                for fault in self.faults(value[key], rule, f"{at}.{key}")]

    def _items(self, rule, value, at, _):
        if not isinstance(value, list):
            return []
        return [fault for index, item in enumerate(value) for fault in self.faults(item, rule, f"{at}[{index}]")]

    def _allof(self, rule, value, at, _):
        return [fault for schema in rule for fault in self.faults(value, schema, at)]

    def _anyof(self, rule, value, at, _):
        tried = [self.faults(value, schema, at) for schema in rule]
        # The branch with the fewest faults is most likely the one that was meant.
        return [] if not all(tried) else min(tried, key=len)

    def _oneof(self, rule, value, at, _):
        tried = [self.faults(value, schema, at) for schema in rule]
        fitting = tried.count([])
        if fitting > 1:
            return [f"{at} fits {fitting} branches of oneOf"]
        return [] if fitting else min(tried, key=len)

    def _pattern(self, rule, value, at, _):
        return [] if not isinstance(value, str) or re.search(rule, value) else [f"{at} {value!r} does not match {rule}"]

    def _minimum(self, rule, value, at, _):
        return [f"{at} is {value}, below {rule}"] if is_kind(value, "number") and value < rule else []

    def _maximum(self, rule, value, at, _):
        return [f"{at} is {value}, above {rule}"] if is_kind(value, "number") and value > rule else []

    def _minlength(self, rule, value, at, _):
        return [f"{at} is shorter than {rule}"] if isinstance(value, str) and len(value) < rule else []

    def _maxlength(self, rule, value, at, _):
        return [f"{at} is longer than {rule}"] if isinstance(value, str) and len(value) > rule else []

    def _maxitems(self, rule, value, at, _):
        return [f"{at} has more than {rule} items"] if isinstance(value, list) and len(value) > rule else []

    def _minitems(self, rule, value, at, _):
        return [f"{at} has fewer than {rule} items"] if isinstance(value, list) and len(value) < rule else []


def examples_in(schema):
    """Every example of the schema, wherever it stands."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "examples" and isinstance(value, list):
                yield from (example for example in value if isinstance(example, dict) and "type" in example)
            else:
                yield from examples_in(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from examples_in(value)
