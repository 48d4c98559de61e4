"""One HTTP client for one system: budget, retries of reads, and what a broken connection means.

It decides when a read is repeated and whether a failed request may have been executed; what a reply means is decided
once, by the vendor's judge that is handed in. Writes leave exactly once (apart from the one replay after a token that
the vendor refused unexecuted). It sees secrets only as headers of requests that pass through, and neither logs nor
puts into errors any URL, header or body.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import NamedTuple, Protocol, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from connectors.budget import Budget, DayOver, TooFast
from connectors.pool import Lost, NotSent, Origin, Pool, TooLarge
from sync.errors import Fatal, InDoubt, QuotaSpent, RequestRefused, Retryable
from sync.ports import Clock

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

ATTEMPTS = 6
LEAST_PAUSE = 5.0
NO_MINUTE = 60.0
_BACKOFF = wait_random_exponential(multiplier=0.5, max=30)
_ADDRESS = re.compile(r"[^\s'\"<>(),;:]+@[^\s'\"<>(),;:]+")
_NUMBER = re.compile(r"\+?\d[\d\- ()]{6,}\d")


class Reply(NamedTuple):
    """A reply as it came: status, headers (names in lower case), body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Ask(NamedTuple):
    """A request: a label for counting, an absolute URL (encoded), a body and further headers."""

    label: str
    method: str
    url: str
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Call(NamedTuple):
    """What the log is told of a call; status 0 = no whole answer came."""

    label: str
    status: int
    seconds: float
    size: int


class Judge(Protocol[T_co]):
    """A vendor's only place where replies are classified. Raises errors of `sync.errors`."""

    def __call__(self, reply: Reply, *, writing: bool) -> T_co:
        """The decoded reply, if it is a good one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """How a system is reached; `server_timeout` in seconds, `max_reply` in bytes, `proxy` an address or ""."""

    system: str
    server_timeout: float
    ca_file: str | None = None
    proxy: str = ""
    compress: bool = True
    max_reply: int = 64 * 1024 * 1024
    headers: Mapping[str, str] = field(default_factory=dict)
    margin: float = 10.0
    connect_timeout: float = 10.0


class _Unreachable(Retryable):
    """No connection came about."""


class PoolTransport(httpx.BaseTransport):
    """httpx on top of our own pool: half the processor time of its usual transport."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises httpx.ConnectError, ReadError, DecodingError."""
        url = request.url
        secure = url.scheme == "https"
        origin = Origin(secure, url.raw_host.decode("ascii"), url.port or (443 if secure else 80))
        target = url.raw_path.decode("ascii")
        try:
            answer = self._pool.send(
                origin, request.method, target, dict(request.headers.items()), request.read()
            )
        except NotSent as error:
            refusal = httpx.ConnectError(str(error), request=request)
            raise refusal from error
        except Lost as error:
            raise httpx.ReadError(str(error), request=request) from error
        except TooLarge as error:
            raise httpx.DecodingError(str(error), request=request) from error
        headers = [(name, value) for name, value in answer.headers if name.lower() not in _UNPACKED]
        return httpx.Response(answer.status, headers=headers, content=answer.body)

    def close(self) -> None:
        """Close what is idle."""
        self._pool.close()


_UNPACKED = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def _never(_: logging.LogRecord) -> bool:
    """httpx logs whole URLs, and one vendor wants its secret there."""
    return False


class Http:
    """The client of one system; safe to share between threads. `log` is told of every call. `clock_ahead`: by how much
    the vendor's clock is before ours (seconds), as its last answer told it; 0 = in time, or not told."""

    def __init__(
        self,
        wiring: Wiring,
        auth: httpx.Auth,
        budget: Budget,
        clock: Clock,
        *,
        log: Callable[[Call], None] | None = None,
    ) -> None:
        logging.getLogger("httpx").addFilter(_never)
        self.budget = budget
        self._system, self._clock, self._log = wiring.system, clock, log
        self._answered = False
        self.clock_ahead = 0.0
        pool = Pool(
            ca_file=wiring.ca_file,
            connect_timeout=wiring.connect_timeout,
            timeout=wiring.server_timeout + wiring.margin,
            limit=wiring.max_reply,
            proxy=wiring.proxy,
        )
        headers = {"user-agent": "renkei", "accept": "application/json", **wiring.headers}
        self._client = httpx.Client(
            auth=auth,
            headers={**headers, "accept-encoding": "gzip" if wiring.compress else "identity"},
            transport=PoolTransport(pool),
            follow_redirects=False,
            trust_env=False,
        )
        self._retrying = Retrying(
            retry=retry_if_exception(_passing),
            stop=stop_after_attempt(ATTEMPTS),
            wait=_wait,
            sleep=clock.sleep,
            reraise=True,
        )

    @property
    def calls(self) -> Counter[str]:
        """Calls by label, repetitions included."""
        return self.budget.calls

    def read(self, ask: Ask, judge: Judge[T]) -> T:
        """Send a request that changes nothing, again where the vendor's answer allows it.

        Raises Fatal, Retryable (after six attempts), QuotaSpent, RequestRefused.
        """
        try:
            answer: T = self._retrying(self._once, ask, judge, writing=False)
        except Retryable as error:
            if isinstance(error, _Unreachable) and not self._answered:
                raise Fatal(
                    error.message,
                    "check its address in the settings, the network and the proxy",
                ) from error
            error.after = max(error.after, LEAST_PAUSE)
            raise
        self.budget.ask_vendor()
        return answer

    def peek(self, ask: Ask, judge: Judge[T]) -> T:
        """Send a request that changes nothing, once. Raises Fatal, Retryable, QuotaSpent, RequestRefused."""
        return self._once(ask, judge, writing=False)

    def write(self, ask: Ask, judge: Judge[T]) -> T:
        """Send a request that changes something, once. Raises Fatal, Retryable, RequestRefused, InDoubt."""
        if self._answered:
            self.budget.ask_vendor()  # before it, so that what became of it is known as soon as it is told
        return self._once(ask, judge, writing=True)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _once(self, ask: Ask, judge: Judge[T], *, writing: bool) -> T:
        with self.budget.slot(ask.label):
            reply = self._exchange(ask, writing)
        self._answered = True
        try:
            return judge(reply, writing=writing)
        except TooFast:
            self.budget.slow()
            raise
        except DayOver as error:
            self.budget.shut(error.after)
            raise

    def _exchange(self, ask: Ask, writing: bool) -> Reply:
        started = self._clock.now()
        request = self._build(ask)
        try:
            response = self._client.send(request)
        except httpx.HTTPError as error:
            self._note(Call(ask.label, 0, self._clock.now() - started, 0))
            # The token's own request may have failed instead of ours: then ours never left.
            ours = getattr(error, "_request", None) in (None, request)
            raise self._broken(error, writing and ours) from error
        self._note(Call(ask.label, response.status_code, self._clock.now() - started, len(response.content)))
        self._hear_clock(response.headers.get("date", ""))
        # httpx ties a response and its stream into a circle; uncut, bodies would stay until cycles are looked for.
        response.stream = httpx.ByteStream(b"")
        return Reply(response.status_code, response.headers, response.content)

    def _hear_clock(self, date: str) -> None:
        """Remember by how much the vendor's clock is before ours (seconds); its header has whole ones, and an answer
        takes time, so what is less than a minute is none."""
        try:
            ahead = parsedate_to_datetime(date).timestamp() - self._clock.now()
        except (ValueError, TypeError):
            return
        self.clock_ahead = ahead if abs(ahead) >= NO_MINUTE else 0.0

    def _build(self, ask: Ask) -> httpx.Request:
        try:
            return self._client.build_request(
                ask.method, ask.url, content=ask.body or None, headers=ask.headers
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise RequestRefused(
                f"A request to {self._system} ({ask.label}) cannot be put into a URL.", "invalid_url"
            ) from error

    def _broken(self, error: httpx.HTTPError, in_doubt: bool) -> Exception:
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
            cause = error.__cause__
            if isinstance(cause, NotSent) and cause.untrusted:
                return Fatal(
                    f"{self._system} is not trusted: {error}.", "name the authority's certificate as ca_file"
                )
            what = f"{self._system} cannot be reached: {error}."
            return _Unreachable(what, 1.0, "check the network; the next run goes on from here")
        if in_doubt:
            return InDoubt(
                f"A write left for {self._system} and no whole answer came: {error}.",
                "it is read back before anything is sent again",
            )
        if isinstance(error, httpx.DecodingError):
            return RequestRefused(
                f"An answer of {self._system} is too large: {error}.", "too_large", "raise max_reply"
            )
        return Retryable(f"{self._system} gave no whole answer: {error}.", 0.0)

    def _note(self, call: Call) -> None:
        if self._log is not None:
            self._log(call)


def _passing(error: BaseException) -> bool:
    return isinstance(error, Retryable) and not isinstance(error, QuotaSpent)


def _wait(state: RetryCallState) -> float:
    """The vendor's own wait, and never less than a growing random one."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.after if isinstance(error, Retryable) else 0.0
    return max(asked, _BACKOFF(state))


def tidy(text: str) -> str:
    """A vendor's message without addresses and telephone numbers, at most 300 characters."""
    return _NUMBER.sub("…", _ADDRESS.sub("…", text))[:300]
