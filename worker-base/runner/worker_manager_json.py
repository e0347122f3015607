"""Results of functions as JSON, or why they are none, and where in them."""

import json
import re

#: Whole numbers beyond this change their value on their way through JavaScript.
SAFE = 2**53 - 1
LONG_NUMBER = re.compile(r"\d{16}")

encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def to_json(result):
    """The text and None, or None and the reason."""
    try:
        text = encode(result)
        if LONG_NUMBER.search(text):
            check(result, "result")
        return text, None
    except Exception as error:
        return None, unfit(result, error)


def unfit(result, error):
    """Why a result can't be JSON, and where in it the reason is."""
    try:
        check(result, "result")
        message = f"the result can't be made JSON: {error}"
    except RecursionError:
        message = "the result is nested too deeply, or holds itself"
    except Unfit as found:
        message = str(found)
    return message


class Unfit(Exception):
    pass


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
        for key, item in value.items():
            if not isinstance(key, (str, int, float, bool, type(None))):
                raise Unfit(f"{where} has a key of type {type(key).__name__}: keys are strings in JSON")
            check(item, f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            check(item, f"{where}[{index}]")
    else:
        kind = type(value).__name__
        hint = HINTS.get(kind, "return strings, numbers, lists and dicts")
        raise Unfit(f"{where} is of type {kind}, which JSON does not have: {hint}")
