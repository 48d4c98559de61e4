"""Both fake vendors in this process with Marketo's own Salesforce sync between them, and a project folder beside.

Decides only how they are started and who is linked; the rival runs when a test says so.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from renkei.cli.app import run
from renkei.fakes import place_secrets
from renkei.scaffold import write_project
from renkei.settings import open_project
from simulators.clock import SystemClock
from simulators.faults import Faults
from simulators.marketo.api import DEMO_CREDENTIALS, MarketoApi
from simulators.marketo.state import MarketoState
from simulators.native import NativeSync, SalesforceCrm
from simulators.salesforce.api import SalesforceApi
from simulators.salesforce.state import SalesforceState
from simulators.server import serve
from tests.support.command import Said

LAG = 0.2
PRESET = "marketo-salesforce/person-native"


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeTown:
    """The vendors, the rival between them, and the project."""

    folder: Path
    marketo: MarketoApi
    salesforce: SalesforceApi
    rival: NativeSync

    def renkei(self, capsys: Any, *arguments: str) -> Said:
        """Call the program within this process."""
        capsys.readouterr()
        code = run([*arguments, "--project", str(self.folder)])
        caught = capsys.readouterr()
        return Said(code=code, out=caught.out, err=caught.err)

    def run_rival(self) -> int:
        """Marketo's own sync runs once; how many values it copied."""
        with self.marketo.lock, self.salesforce.lock:
            return self.rival.run()

    def switch_rival_off(self) -> None:
        """An administrator switches it off; the ids that it noted stay."""
        self.marketo.state.native_sync = False

    def edit_mapping(self, old: str, new: str) -> None:
        """Change the mapping file."""
        path = self.folder / "mappings" / "person-native.yaml"
        text = path.read_text("utf-8")
        assert old in text, f"{old!r} does not stand in the mapping"
        path.write_text(text.replace(old, new), "utf-8")

    def written_by_us(self) -> int:
        """Entries of both ledgers that came through the vendors' APIs."""
        ledgers = (*self.marketo.state.ledger, *self.salesforce.state.ledger)
        return sum(entry.actor == "api" for entry in ledgers)


@contextmanager
def native_town(folder: Path, people: int) -> Iterator[NativeTown]:
    """People whom Marketo's own sync linked years ago: every third is a contact, and two at a time share an address,
    so that nobody could tell them apart by it."""
    clock, quiet = SystemClock(), Faults(random.Random(1))
    marketo = MarketoApi(MarketoState(clock, random.Random(2), quiet, visibility_lag=LAG, native_sync=True))
    salesforce = SalesforceApi(SalesforceState(clock, random.Random(3), quiet, visibility_lag=LAG))
    for number in range(people):
        _enter(marketo.state, salesforce.state, number)
    with ExitStack() as stack:
        served = {
            name: stack.enter_context(serve(api, quiet, clock, server_timeout=30.0))
            for name, api in (("marketo", marketo), ("salesforce", salesforce))
        }
        salesforce.instance_url = served["salesforce"].url
        own, other = DEMO_CREDENTIALS, salesforce.sessions.credentials
        keys = {
            "marketo": (own.client_id, own.client_secret),
            "salesforce": (other.client_id, other.client_secret),
        }
        places = {
            name: {"url": served[name].url, "client_id": client, "client_secret": secret}
            for name, (client, secret) in keys.items()
        }
        write_project(folder, PRESET, places=places)
        place_secrets(open_project(folder).secrets, places, list(places))
        rival = NativeSync(marketo.state, SalesforceCrm(salesforce.state))
        yield NativeTown(folder=folder, marketo=marketo, salesforce=salesforce, rival=rival)


def _enter(marketo: MarketoState, salesforce: SalesforceState, number: int) -> None:
    kind: Literal["Lead", "Contact"] = "Contact" if number % 3 == 0 else "Lead"
    email, last = f"desk{number // 2}@firm.example", f"Sato{number}"
    lead = marketo.human_create(
        {"email": email, "lastName": last, "company": "Firm", "title": f"Head {number}"}
    )
    company = {"Company": "Firm"} if kind == "Lead" else {}
    values = {"Email": email, "LastName": last, "Title": f"Head {number}", **company}
    record = salesforce.human_create(kind, values)
    marketo.link_crm(lead, kind, record)
