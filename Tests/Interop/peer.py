"""X's own SDK, chatxdk: one JSON request per line of stdin, one JSON answer per line of stdout.

    {"chat": "alice", "call": "encrypt_message", "with": {"conversation_id": "1111:2222", "text": "hi", ...}}
    {"result": ...}  or  {"error": "what the SDK said"}

"chat" names an instance, made on first use; "call" is a method of chat_xdk.Chat and "with" its arguments. With "each", a list of
further arguments, the method is called once for each, and the result is the list of their answers. Bytes travel as
{"base64": "..."} in both directions; a list inside a list becomes one of the SDK's tuples. No request ends the program; the
end of stdin does.
"""

import base64
import inspect
import json
import sys

import chat_xdk


def from_json(value):
    if isinstance(value, dict):
        if set(value) == {"base64"}:
            return base64.b64decode(value["base64"], validate=True)
        return {name: from_json(member) for name, member in value.items()}
    if isinstance(value, list):
        elements = [from_json(element) for element in value]
        return [tuple(element) if isinstance(element, list) else element for element in elements]
    return value


def to_json(value):
    if isinstance(value, (bytes, bytearray)):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {str(name): to_json(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(element) for element in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    # The data of the SDK's result objects, without their methods.
    return {
        name: to_json(member)
        for name, member in inspect.getmembers(value)
        if not name.startswith("_") and not callable(member)
    }


def answer(call):
    try:
        return {"result": to_json(call())}
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the SDK arrives as one
        return {"error": f"{type(error).__name__}: {error}"}


def perform(chats, line, make):
    request = json.loads(line)
    if request["call"].startswith("_"):
        raise ValueError("not a call: " + request["call"])
    name = request["chat"]
    if name not in chats:
        chats[name] = make()
    method = getattr(chats[name], request["call"])
    arguments = from_json(request.get("with", {}))
    if request.get("each") is None:
        return method(**arguments)
    return [answer(lambda: method(**arguments, **from_json(further))) for further in request["each"]]


def main(make=chat_xdk.Chat):
    chats = {}
    for line in sys.stdin:
        reply = answer(lambda: perform(chats, line, make))
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
