"""The fault kinds F1 to F48 and what proves that renkei bears each: a switch of this simulation by name, a test that
needs a real socket, process or disk, or nothing, because it cannot befall us.

Data only. A kind's switches are names of faults (tests.sim.faults) or of counters of a run; each of them has to have
fired in a run that is large enough (tests.sim.report).
"""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """One kind: its number, what happens, the counters that tell of it in a run (`switches`), the test files that
    prove it over a real socket, process or disk (`elsewhere`), and what has to be said (`why`)."""

    number: int
    what: str
    switches: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    why: str = ""


HTTP = "tests/connectors/test_http.py"
HOSTS = "tests/renkei/daemon/test_hosts.py"
SUITE = "tests/contract/connector_suite.py"
DISK = "tests/state/test_durability.py"

TABLE: tuple[Fault, ...] = (
    Fault(1, "connection refused", ("not_reached",), (SUITE,)),
    Fault(2, "no address for the name", ("not_reached",), (SUITE,)),
    Fault(3, "certificate not trusted", (), (HTTP,), "fatal before anything is sent; needs a real TLS socket"),
    Fault(4, "connect time-out", ("not_reached",), (HTTP,)),
    Fault(5, "read time-out, not executed or executed late", ("timed_out_before", "acts_late")),
    Fault(6, "read time-out, executed", ("timed_out_after",)),
    Fault(7, "reset before the request acts", ("dropped_before",)),
    Fault(8, "reset after the commit", ("lost_after_commit",)),
    Fault(9, "half an answer", ("half_answer",), (HTTP,)),
    Fault(10, "wrong length, damaged gzip", (), (HTTP,), "to the engine the same as half an answer"),
    Fault(11, "slow answer", ("slow",), (HTTP,), "one that never ends is cut off as a time-out"),
    Fault(12, "request delivered twice", ("delivered_twice",), (),
          "not for creates without a unique key: nobody could tell those apart"),
    Fault(13, "429, with and without a wait", ("rate_limited", "rate_window")),
    Fault(14, "Marketo 606 and 615", ("rate_window",), ("tests/connectors/test_marketo_writing.py",)),
    Fault(15, "Salesforce REQUEST_LIMIT_EXCEEDED", ("quota_spent",), ("tests/connectors/test_salesforce_writing.py",)),
    Fault(16, "500 to 504, HTML", ("server_error",), (SUITE,)),
    Fault(17, "session lost in mid-page", ("session_lost", "login_refused"), (SUITE,)),
    Fault(18, "daily quota gone", ("quota_spent",), (HTTP,)),
    Fault(19, "maintenance for hours", ("maintenance",), ("tests/scenarios/test_outages.py",)),
    Fault(20, "200, empty or of another schema", ("wrong_schema",), ("tests/connectors/test_marketo_writing.py",)),
    Fault(21, "redirect to another host", (), (HTTP,), "never followed; needs a real socket"),
    Fault(22, "some rows refused", ("row_refused", "field_refused"), ("tests/scenarios/test_refusals.py",)),
    Fault(23, "one record makes every call fail", ("poison_record",), ("tests/sync/test_mended_refusals.py",)),
    Fault(24, "fewer results than rows", ("fewer_results",)),
    Fault(25, "one key twice in a call", ("calls of several rows",), ("tests/sync/test_mended_batches.py",),
          "we would have to do it ourselves: every call is looked through, a repetition is an offence"),
    Fault(26, "all rows rolled back for one", ("rolled_back",)),
    Fault(27, "empty page with more behind it", ("empty_page",), ("tests/connectors/test_marketo_reading.py",)),
    Fault(28, "a row on two pages", ("row_twice",)),
    Fault(29, "a row moves while somebody reads", ("row_moves",)),
    Fault(30, "equal stamps over a page border", ("equal_stamps",), ("tests/scenarios/test_pages.py",)),
    Fault(31, "late row with an older stamp", ("long transactions", "late_visibility")),
    Fault(32, "cursor expired", ("cursor_expired",), (SUITE,)),
    Fault(33, "read lags behind a write", ("late_visibility",), (SUITE,)),
    Fault(34, "index lags", ("late_visibility",), (),
          "no connected vendor has a window of 10,000 rows: feeds go by stamp and id"),
    Fault(35, "cut, missing, hidden and sealed fields", ("ignored_field", "fields hidden", "fields sealed"),
          ("tests/connectors/test_salesforce_reading.py", "tests/connectors/test_marketo_reading.py")),
    Fault(36, "edits on both sides, between read and write", ("collisions", "acts in mid-cycle")),
    Fault(37, "delete, undelete, merge, convert in mid-cycle", ("deletes", "restores", "merges", "conversions")),
    Fault(38, "addresses change hands and are shared",
          ("addresses borrowed", "addresses shared", "addresses used again")),
    Fault(39, "the vendor alters what was just written", ("altered_value", "trigger")),
    Fault(40, "another program writes the same records", ("other_program", "rate_window")),
    Fault(41, "killed at any instruction", ("crashes",), ("tests/renkei/test_kill.py",)),
    Fault(42, "stopped for minutes, two daemons", (), (HOSTS, "tests/state/test_owner.py"), "needs two processes"),
    Fault(43, "disk full", (), (DISK, HOSTS), "needs a real disk"),
    Fault(44, "commits lost that were not synced", ("unsynced rows lost",), (DISK,)),
    Fault(45, "out of memory or file handles", ("crashes",), (), "the process ends: the same as being killed"),
    Fault(46, "clock steps", ("clock_step",), (HOSTS,)),
    Fault(47, "an older backup restored", (), ("tests/renkei/test_backup.py",),
          "who changed first is not known again (docs/operations.md); hunted by the profile «restored»"),
    Fault(48, "mapping changed between cycles", ("mapping changed",), ("tests/state/test_schema.py",),
          "upgrade and downgrade need stored journals"),
)  # fmt: skip


def told() -> str:
    """The table for a reader."""
    lines = []
    for fault in TABLE:
        proof = ", ".join((*fault.switches, *fault.elsewhere))
        lines.append(f"F{fault.number:<3}{fault.what:<47} {proof}{f' ({fault.why})' if fault.why else ''}")
    return "\n".join(lines)
