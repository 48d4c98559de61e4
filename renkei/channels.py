"""Channels: how people are told something, by a webhook or by mail. A channel is a connector that only takes effects.

It decides what a message looks like on its way and, above all, whether one that failed may be sent again: what surely
did not arrive is, what may have arrived is not. It knows no rule about who is told what.
"""

from __future__ import annotations

import hashlib
import json
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.message import EmailMessage
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import httpx
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from connectors.budget import Budget
from connectors.http import Ask, Http, Reply, Wiring
from connectors.settings import Address
from renkei.settings import CHANNEL, Project, with_secrets
from sync.effects import KIND
from sync.errors import Fatal, InDoubt, Meaning, RequestRefused, Retryable
from sync.ports import Capabilities, Clock, FieldError, Outcome, Paths, Write
from sync.record import Page, Record, Ref, Schema

if TYPE_CHECKING:
    from connectors.http import Call

TIMEOUT = 20.0
AGAIN = 30.0
HERE = ("localhost", "127.0.0.1", "[::1]")


def _address(secret: SecretStr) -> SecretStr:
    return SecretStr(TypeAdapter(Address).validate_python(secret.get_secret_value()))


class Hook(BaseModel):
    """A webhook. `text`: one JSON member that chat services show; `json`: all values by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    url: Annotated[SecretStr, AfterValidator(_address)]
    format: Literal["text", "json"] = "text"
    ca_file: str | None = None


class Mail(BaseModel):
    """A mail server and who gets the mail; `smtp` is host:port. Without TLS only on this very machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    smtp: str
    sender: str
    to: tuple[str, ...]
    tls: Literal["starttls", "from_start", "none"] = "starttls"
    user: str = ""
    password: SecretStr = SecretStr("")
    ca_file: str | None = None

    @model_validator(mode="after")
    def _safe(self) -> Self:
        host, _, port = self.smtp.rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError("write smtp as host:port")
        if self.tls == "none" and host not in HERE:
            raise ValueError("mail without TLS may only go to this machine")
        return self


def open_channels(
    project: Project, clock: Clock, log: Callable[[str, Call], None] | None = None
) -> dict[str, Channel]:
    """Every channel of renkei.yaml; nobody is called yet. Raises Fatal, naming settings and never their values."""
    found: dict[str, Channel] = {}
    for name, settings in project.channels.items():
        values = with_secrets(project, settings)
        try:
            found[name] = Channel(name, _deliverer(name, values, clock, log))
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, item['loc'])) or name}: {item['msg']}"
                for item in error.errors(include_input=False, include_url=False)
            )
            step = (
                f"give it a url, or smtp, sender and to; secrets as RENKEI_{CHANNEL.upper()}{name.upper()}__…"
            )
            raise Fatal(f"The settings of the channel {name} cannot be used ({wrong}).", step) from None
    return found


def _deliverer(
    name: str, values: Mapping[str, Any], clock: Clock, log: Callable[[str, Call], None] | None
) -> WebhookDelivery | MailDelivery:
    if "smtp" in values:
        return MailDelivery(Mail.model_validate(values))
    return WebhookDelivery(name, Hook.model_validate(values), clock, log)


class Channel:
    """A connector that takes effects only: each write is one message.

    The value `text` is what is said and `subject` what it is about; further values stand below it, or beside it where
    the format is `json`. Writes carry the effect's key, by which a receiver can tell a message that came twice.
    """

    def __init__(self, name: str, delivery: WebhookDelivery | MailDelivery) -> None:
        self._delivery = delivery
        self.capabilities = Capabilities(
            system=name, feeds={}, write_batch=1, fetch_batch=1, find_batch=1, concurrency=1,
            server_timeout=TIMEOUT, visibility_lag=0.0,
        )  # fmt: skip

    def describe(self, kind: str) -> tuple[Schema, ...]:  # noqa: ARG002 (a port)
        """Nothing can be read."""
        return ()

    def changes(
        self,
        kind: str,  # noqa: ARG002 (a port)
        since: str | None,  # noqa: ARG002
        paths: Paths,  # noqa: ARG002
        *,
        back: float = 0.0,  # noqa: ARG002
        keys_only: bool = False,  # noqa: ARG002
    ) -> Iterator[Page]:
        """Nothing ever changes."""
        return iter(())

    def fetch(self, kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:  # noqa: ARG002 (a port)
        """A message that was sent cannot be read."""
        return [None for _ in refs]

    def find(
        self,
        kind: str,  # noqa: ARG002 (a port)
        object_: str,  # noqa: ARG002
        path: str,  # noqa: ARG002
        values: Sequence[str],  # noqa: ARG002
        paths: Paths,  # noqa: ARG002
    ) -> list[Record]:
        """Nor be found again."""
        return []

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """Send each message once. Raises Fatal (credentials), Retryable (nothing was sent), RequestRefused, InDoubt."""
        if kind != KIND:
            raise RequestRefused(
                f"The channel {self.capabilities.system} takes notices only.", "unsupported_kind"
            )
        return [self._send(each) for each in writes]

    def tell(self, subject: str, text: str, key: str) -> None:
        """Send one message of our own. Raises Fatal, Retryable, RequestRefused, InDoubt."""
        self._delivery.send({"subject": subject, "text": text}, key)

    def close(self) -> None:
        """Release connections."""
        self._delivery.close()

    def _send(self, write: Write) -> Outcome:
        key = str(write.values.get(write.unique) or write.operation)
        values = {path: value for path, value in write.values.items() if value is not None}
        try:
            self._delivery.send(values, key)
        except RequestRefused as error:
            told = FieldError("", error.code or "refused", error.message, error.meaning)
            return Outcome("refused", errors=(told,))
        return Outcome("applied", id=key)


class WebhookDelivery:
    """Posts JSON to an address."""

    def __init__(
        self, name: str, hook: Hook, clock: Clock, log: Callable[[str, Call], None] | None = None
    ) -> None:
        self._hook = hook
        wiring = Wiring(system=name, server_timeout=TIMEOUT, ca_file=hook.ca_file, max_reply=1 << 20)
        told = None if log is None else lambda call: log(name, call)
        self._http = Http(wiring, httpx.Auth(), Budget(clock, concurrency=1), clock, log=told)

    def send(self, values: Mapping[str, Any], key: str) -> None:
        """Post once."""
        body = values if self._hook.format == "json" else {"text": text_of(values)}
        headers = {"content-type": "application/json", "idempotency-key": _short(key)}
        payload = json.dumps(body, ensure_ascii=False, default=str).encode()
        self._http.write(Ask("notice", "POST", self._hook.url.get_secret_value(), payload, headers), _judge)

    def close(self) -> None:
        """Close connections."""
        self._http.close()


def _judge(reply: Reply, *, writing: bool) -> None:  # noqa: ARG001 (a judge's signature)
    """2xx is done; «too many» and «unavailable» were not taken; other failures of the server may have been."""
    status = reply.status
    if 200 <= status < 300:
        return
    if status in (429, 503):
        raise Retryable(f"The channel answered {status}; it takes nothing now.", AGAIN)
    if status >= 500 or status == 408:
        raise InDoubt(f"The channel answered {status}; the notice may have been shown.")
    if status in (401, 403, 404, 410):
        raise Fatal(f"The channel answered {status}.", "check the channel's address in its settings")
    raise RequestRefused(f"The channel refused the notice ({status}).", str(status))


class MailDelivery:
    """Hands mail to a server, a connection for each."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail

    def send(self, values: Mapping[str, Any], key: str) -> None:
        """Hand over one mail; its Message-ID is made of the key."""
        mail, message = self._mail, EmailMessage()
        message["Subject"] = " ".join(str(values.get("subject") or "renkei").split())
        message["From"] = mail.sender
        message["To"] = ", ".join(mail.to)
        message["Message-ID"] = f"<{_short(key)}@renkei.invalid>"
        message.set_content(text_of(values))
        server = self._connect()
        try:
            server.send_message(message)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as error:
            raise RequestRefused(
                "The mail server refused the sender or a recipient.",
                type(error).__name__,
                meaning=Meaning.SETTING,
            ) from None
        except smtplib.SMTPDataError as error:
            if 400 <= error.smtp_code < 500:
                raise Retryable(f"The mail server takes no mail now ({error.smtp_code}).", AGAIN) from None
            raise RequestRefused(
                f"The mail server refused the mail ({error.smtp_code}).", str(error.smtp_code)
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            raise InDoubt(
                f"The mail server was lost in the middle of a mail ({type(error).__name__})."
            ) from None
        finally:
            server.close()

    def close(self) -> None:
        """Nothing is kept open."""

    def _connect(self) -> smtplib.SMTP:
        """Everything up to the first word of the mail: whatever fails here has sent nothing."""
        mail = self._mail
        host, _, port = mail.smtp.rpartition(":")
        context = ssl.create_default_context(cafile=mail.ca_file)
        server: smtplib.SMTP | None = None
        try:
            if mail.tls == "from_start":
                server = smtplib.SMTP_SSL(host, int(port), timeout=TIMEOUT, context=context)
            else:
                server = smtplib.SMTP(host, int(port), timeout=TIMEOUT)
            if mail.tls == "starttls":
                server.starttls(context=context)
            server.ehlo_or_helo_if_needed()
            if mail.user:
                server.login(mail.user, mail.password.get_secret_value())
            return server
        except (smtplib.SMTPException, OSError) as error:
            if server is not None:
                server.close()
            if isinstance(error, smtplib.SMTPAuthenticationError):
                step = "check the channel's user and password"
                raise Fatal("The mail server refuses our user.", step) from None
            raise Retryable(f"The mail server cannot be used ({type(error).__name__}).", AGAIN) from None


def text_of(values: Mapping[str, Any]) -> str:
    """A message as plain text: what is said, then every further value on a line of its own."""
    rest = [f"{name}: {value}" for name, value in values.items() if name not in ("text", "subject")]
    return "\n".join([str(values[name]) for name in ("text",) if values.get(name)] + rest)


def _short(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]
