"""Results of functions as JSON, or why they are none, and where in them."""

import json
import re

#: Whole numbers beyond this change their value on their way through JavaScript.
SAFE = 2**53 - 1
LONG_NUMBER = re.compile(rb"\d{16}")

#: Letters as they are: escaped, a text takes up to six times its bytes.
plain = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode
escaped = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def encode(value):
    """The JSON of a value as bytes. Surrogates without their partner are no UTF-8, and are kept as escapes."""
    try:
        return plain(value).encode()
    except UnicodeEncodeError:
        return escaped(value).encode()


def to_json(value, root="result"):
    """The JSON as bytes and None, or None and the reason. `root` names the value in it."""
    try:
        data = encode(value)
        if LONG_NUMBER.search(data) or merges_keys(value):
            check(value, root)
        return data, None
    except Exception as error:
        return None, unfit(value, root, error)


def unfit(value, root, error):
    """Why a value can't be JSON, and where in it the reason is."""
    try:
        check(value, root)
        message = f"the {root} can't be made JSON: {error}"
    except RecursionError:
        message = f"the {root} is nested too deeply, or holds itself"
    except Unfit as found:
        message = str(found)
    return message


def merges_keys(value):
    """Whether a dict in it may have two keys that are one in JSON, such as 1 and "1". For most values it only looks at types."""
    if isinstance(value, dict):
        kinds = set(map(type, value))
        if len(kinds) > 1 or (kinds and kinds != {str} and kinds != {int}):
            return True
        return any(merges_keys(item) for item in value.values() if isinstance(item, (dict, list, tuple)))
    if isinstance(value, (list, tuple)):
        return any(merges_keys(item) for item in value if isinstance(item, (dict, list, tuple)))
    return False


class Unfit(Exception):
    """A value that JSON would change without a word; says where it is."""


HINTS = {
    "bytes": "encode it, such as base64.b64encode(value).decode()",
    "datetime": "use value.isoformat()",
    "date": "use value.isoformat()",
    "Decimal": "use str(value) or float(value)",
    "set": "use sorted(value) or list(value)",
    "generator": "use list(value)",
    "coroutine": "await it",
}


def check(value, where):
    if value is None or isinstance(value, (str, bool)):
        return
    if isinstance(value, int):
        if abs(value) > SAFE:
            raise Unfit(f"{where} is a whole number beyond 2**53 - 1, which JSON readers round: use str(value)")
    elif isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise Unfit(f"{where} is {value}, which JSON does not have: use None or a string")
    elif isinstance(value, dict):
        names = {}
        for key, item in value.items():
            if not isinstance(key, (str, int, float, bool, type(None))):
                raise Unfit(f"{where} has a key of type {type(key).__name__}: keys are strings in JSON")
            name = key if isinstance(key, str) else escaped(key)
            if name in names:
                raise Unfit(f"{where} has the keys {names[name]!r} and {key!r}, which are one in JSON")
            names[name] = key
            check(item, f"{where}.{name}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            check(item, f"{where}[{index}]")
    else:
        kind = type(value).__name__
        hint = HINTS.get(kind, "return strings, numbers, lists and dicts")
        raise Unfit(f"{where} is of type {kind}, which JSON does not have: {hint}")
