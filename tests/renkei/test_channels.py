"""Channels: a notice is sent once, and what a failure says of whether it may have been shown."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from renkei.channels import Channel, Hook, Mail, MailDelivery, WebhookDelivery, open_channels, text_of
from renkei.scaffold import write_project
from renkei.settings import SystemSettings, open_project
from renkei.threads import SystemClock
from sync.effects import KIND
from sync.errors import Fatal, InDoubt, RequestRefused, Retryable
from sync.ports import Write
from sync.record import Ref


class Receiver:
    """A webhook that answers with the next of its codes (0 = it hangs up) and keeps what it got."""

    def __init__(self, codes: list[int]) -> None:
        self.got: list[tuple[dict[str, str], Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.got.append((dict(self.headers), body))
                code = codes.pop(0)
                if not code:
                    self.close_connection = True
                    return
                self.send_response(code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the library's name)
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def close(self) -> None:
        """Stop."""
        self.server.shutdown()
        self.server.server_close()


def _write(**values: str) -> Write:
    return Write(7, Ref("ops", "Notice", ""), {"text": "新しいリード", "key": "notice:1:1", **values}, "key")


def _channel(url: str, form: str = "text") -> Channel:
    return Channel("ops", WebhookDelivery("ops", Hook(url=url, format=form), SystemClock()))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "error"),
    [(429, Retryable), (503, Retryable), (500, InDoubt), (502, InDoubt), (0, InDoubt), (404, Fatal)],
)
def test_what_a_webhooks_answer_means(code: int, error: type[Exception]) -> None:
    """Not taken: again later. Perhaps shown: never again. A wrong address: a person acts. One request each."""
    receiver = Receiver([code])
    try:
        with pytest.raises(error):
            _channel(receiver.url).write(KIND, [_write()])
        assert len(receiver.got) == 1
    finally:
        receiver.close()


def test_a_notice_is_written_once_with_its_key() -> None:
    """The effect's key goes along, chat services get text, others all values; a refusal is the record's, not the
    channel's; nothing but effects is taken."""
    receiver = Receiver([200, 204, 400])
    try:
        text, values = _channel(receiver.url), _channel(receiver.url, "json")
        assert text.write(KIND, [_write(score="90")])[0].result == "applied"
        assert values.write(KIND, [_write(score="90")])[0].id == "notice:1:1"
        assert text.write(KIND, [_write()])[0].result == "refused"
        (first, plain), (second, whole), _ = receiver.got
        assert first["idempotency-key"] == second["idempotency-key"]
        assert plain == {"text": "新しいリード\nkey: notice:1:1\nscore: 90"}
        assert whole["score"] == "90"
        with pytest.raises(RequestRefused):
            text.write("person", [_write()])
        assert text.find(KIND, "Notice", "key", ["x"], {}) == []
        assert list(text.changes(KIND, None, {})) == []
    finally:
        receiver.close()


def test_a_channel_that_cannot_be_reached_has_shown_nothing() -> None:
    """No connection: the notice waits and is sent later."""
    with pytest.raises(Retryable):
        _channel("http://127.0.0.1:9/hook").write(KIND, [_write()])


class Post:
    """A mail server: answers each command with what is asked of it; "hang up" ends the connection there."""

    def __init__(self, **answers: str) -> None:
        self.mails: list[str] = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 here")
                while line := self.rfile.readline().decode().strip():
                    verb = line.split()[0].split(":")[0].lower()
                    answer = answers.get(verb, "354 go on" if verb == "data" else "250 ok")
                    if answer == "hang up":
                        return
                    self._say(answer)
                    if answer.startswith("354") and not self._take():
                        return

            def _take(self) -> bool:
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line.decode())
                outer.mails.append("".join(lines))
                if answers.get("taken") == "hang up":
                    return False
                self._say(answers.get("taken", "250 taken"))
                return True

            def _say(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        place = f"127.0.0.1:{self.server.server_address[1]}"
        self.mail = Mail(smtp=place, sender="renkei@firm.example", to=("ops@firm.example",), tls="none")

    def close(self) -> None:
        """Stop."""
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def posts() -> Iterator[list[Post]]:
    """Mail servers that are stopped at the end."""
    made: list[Post] = []
    yield made
    for each in made:
        each.close()


def test_a_mail_is_handed_over_once_with_its_key(posts: list[Post]) -> None:
    """Subject and text in any letters; the Message-ID is made of the key, so a second one can be told."""
    posts.append(Post())
    channel = Channel("ops", MailDelivery(posts[0].mail))
    for _ in range(2):
        channel.write(KIND, [_write(subject="引き渡し\nBcc: x@y.example")])
    ids = [line for mail in posts[0].mails for line in mail.splitlines() if line.startswith("Message-ID")]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert not any(line.startswith("Bcc") for line in posts[0].mails[0].splitlines())


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"ehlo": "hang up", "helo": "hang up"}, Retryable),
        ({"rcpt": "550 nobody"}, RequestRefused),
        ({"taken": "451 later"}, Retryable),
        ({"taken": "554 no"}, RequestRefused),
        ({"taken": "hang up"}, InDoubt),
    ],
)
def test_what_a_mail_servers_answer_means(
    posts: list[Post], answers: dict[str, str], error: type[Exception]
) -> None:
    """Before the mail: nothing was sent. After it: only a clear answer says what became of it."""
    posts.append(Post(**answers))
    began = time.monotonic()
    with pytest.raises(error):
        MailDelivery(posts[0].mail).send({"text": "x"}, "key")
    assert time.monotonic() - began < 10


def test_settings_that_would_leak_or_mean_nothing_are_refused(tmp_path: Path) -> None:
    """A webhook without TLS, mail without TLS to elsewhere, unknown words: refused by name and without the value."""
    write_project(tmp_path)
    project = open_project(tmp_path)
    for values in (
        {"url": "http://hooks.firm.example/T0/secret-path"},
        {"smtp": "mail.firm.example:25", "sender": "a", "to": ["b"], "tls": "none"},
        {"smtp": "mail", "sender": "a", "to": ["b"]},
        {"address": "x"},
    ):
        settings = SystemSettings(name="channel_ops", connector="", values=values)
        given = type(project)(
            folder=project.folder, env=project.env, envs=project.envs, systems={}, channels={"ops": settings}
        )
        with pytest.raises(Fatal, match="channel ops") as refused:
            open_channels(given, SystemClock())
        assert "secret-path" not in str(refused.value)
    with pytest.raises(ValidationError):
        Hook.model_validate({"url": "ftp://x"})
    assert text_of({"subject": "s", "text": "a", "b": 1}) == "a\nb: 1"
