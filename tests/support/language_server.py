"""A client of the YAML language server that editors use: open a text, see its problems, ask for completion."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SETTINGS = {"yaml": {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}}


class LanguageServer:
    """One server process over standard input and output; use as a context manager."""

    def __init__(self, program: Path, folder: Path) -> None:
        command = ["node", str(program), "--stdio"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder)
        self._folder = folder
        self._number = 0

    def __enter__(self) -> Self:
        here = self._folder.as_uri()
        capabilities = {"workspace": {"configuration": True}, "textDocument": {"completion": {}}}
        self._ask("initialize", {"processId": None, "rootUri": here, "capabilities": capabilities})
        self._tell("initialized", {})
        self._tell("workspace/didChangeConfiguration", {"settings": SETTINGS})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate(timeout=10)

    def problems(self, name: str, text: str) -> list[str]:
        """Open a text under this file name and give the messages an editor would underline."""
        uri = (self._folder / name).as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        while True:
            message = self._next()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                return [problem["message"] for problem in message["params"]["diagnostics"]]

    def completions(self, name: str, line: int, column: int) -> list[str]:
        """Give what an editor would offer at a place (counted from 0) of a text opened before."""
        document = {"uri": (self._folder / name).as_uri()}
        place = {"line": line, "character": column}
        answer = self._ask("textDocument/completion", {"textDocument": document, "position": place})
        items = answer["items"] if isinstance(answer, dict) else answer
        return [item["label"] for item in items]

    def _ask(self, method: str, params: Mapping[str, Any]) -> Any:
        self._number += 1
        number = self._number
        self._write({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        while True:
            message = self._next()
            if message.get("id") == number and "method" not in message:
                return message["result"]

    def _tell(self, method: str, params: Mapping[str, Any]) -> None:
        self._write({"jsonrpc": "2.0", "method": method, "params": params})

    def _next(self) -> dict[str, Any]:
        """The next message that is not a question to us; the server's own questions are answered on the way."""
        while True:
            message = self._read()
            if "method" not in message or "id" not in message:
                return message
            result: Any = None
            if message["method"] == "workspace/configuration":
                sections = [item.get("section", "") for item in message["params"]["items"]]
                result = [SETTINGS.get(section) for section in sections]
            self._write({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def _write(self, message: Mapping[str, Any]) -> None:
        body = json.dumps(message).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while (line := self._process.stdout.readline()) != b"\r\n":
            if not line:
                raise RuntimeError("The language server ended; run it by hand to see why.")
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return message
