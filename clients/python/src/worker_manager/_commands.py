"""What the commands of both clients share: their requests and results. Opens no connection."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from codecs import getincrementaldecoder
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Union

from ._sse import ServerEvent

CUT = "The connection was cut before the command ended: its body, or the manager, has probably ended."
#: Of a command in the foreground.
CUT_RUN = f"{CUT} A command ends with its connection, unless it runs in the background."

#: Called with output as it comes.
OnOutput = Callable[[str], None]


class CommandResult(NamedTuple):
    """The end of a command. A command that fails raises nothing: look at ``exit_code``."""

    stdout: str
    stderr: str
    #: As a shell reports it: 128 and the signal, 124 after the timeout, 126 if it was refused, 127 if it was not found.
    exit_code: int
    #: The signal that ended it, such as ``SIGKILL``.
    signal: Optional[str]
    #: The kernel killed it, because the memory of the body was used up.
    oom: bool
    timed_out: bool
    #: Why it was refused, not started or killed.
    error: Optional[str]
    #: Bytes of output that were no longer kept when they were read.
    lost_bytes: int


class CommandOutput:
    """Collects the output of a command."""

    def __init__(self, on_stdout: Optional[OnOutput], on_stderr: Optional[OnOutput]) -> None:
        decoder = getincrementaldecoder("utf-8")
        self._listeners = {"stdout": on_stdout, "stderr": on_stderr}
        self._decoders = {name: decoder("replace") for name in self._listeners}
        self._texts: Dict[str, List[str]] = {name: [] for name in self._listeners}
        self._lost = 0
        #: The offset from which reading continues.
        self.position = 0

    def add(self, event: ServerEvent) -> Optional[CommandResult]:
        """Return the result after the last event."""
        fields: Dict[str, Any] = json.loads(event.data) if event.data else {}
        if event.event in self._texts:
            base64 = fields.get("base64")
            content = fields["content"].encode() if base64 is None else b64decode(base64)
            self.position = fields["offset"] + len(content)
            self._emit(event.event, content)
        elif event.event == "lost":
            self.position = fields["offset"] + fields["bytes"]
            self._lost += fields["bytes"]
        elif event.event == "exit":
            for name in self._texts:
                self._emit(name, b"", final=True)
            return CommandResult(
                stdout="".join(self._texts["stdout"]),
                stderr="".join(self._texts["stderr"]),
                exit_code=fields["exit_code"],
                signal=fields.get("signal"),
                oom=fields.get("oom", False),
                timed_out=fields.get("timed_out", False),
                error=fields.get("error"),
                lost_bytes=self._lost,
            )
        return None

    def _emit(self, name: str, content: bytes, final: bool = False) -> None:
        text = self._decoders[name].decode(content, final)
        listener = self._listeners[name]
        if text:
            self._texts[name].append(text)
            if listener is not None:
                listener(text)


def command_request(
    command: Union[str, Sequence[str]],
    cwd: Optional[str],
    env: Optional[Mapping[str, str]],
    stdin: Union[str, bytes, bool, None],
    timeout: Optional[float],
) -> Dict[str, Any]:
    body: Dict[str, Any] = {"shell": command} if isinstance(command, str) else {"command": list(command)}
    if cwd is not None:
        body["cwd"] = cwd
    if env is not None:
        body["env"] = dict(env)
    if stdin is True:
        body["open_stdin"] = True
    elif isinstance(stdin, (str, bytes)):
        content = stdin.encode() if isinstance(stdin, str) else stdin
        body["stdin_base64"] = b64encode(content).decode()
    if timeout is not None:
        body["timeout_seconds"] = timeout
    return body
