"""The yardstick must itself be right: every lead once, at the fewest calls."""

import json
import random
import subprocess
import sys

from simulators.clock import SystemClock
from simulators.faults import Faults
from simulators.marketo.api import DEMO_CREDENTIALS, MarketoApi
from simulators.marketo.state import MarketoState
from simulators.salesforce.api import SalesforceApi
from simulators.salesforce.oauth import Credentials
from simulators.salesforce.state import SalesforceState
from simulators.server import serve
from tests.support.tree import ROOT

PEOPLE = 700  # three pages of 300 and four batches of 200, each with a rest


def _with_people(count: int, clock: SystemClock, faults: Faults) -> MarketoState:
    state = MarketoState(clock, random.Random(1), faults, visibility_lag=0.0)
    for number in range(count):
        person = {
            "email": f"p{number}@example.jp",
            "firstName": "花子",
            "lastName": "山田",
            "company": "例示商事",
        }
        state.human_create(
            {**person, "leadSource": "Web", "leadScore": number % 100, "unsubscribed": number % 7 == 0}
        )
    return state


def test_the_bare_copy_copies_everything_once_at_the_fewest_calls() -> None:
    """Each lead arrives with its values, and no call is made beyond the vendors' page sizes and two tokens."""
    clock, faults = SystemClock(), Faults(random.Random(0))
    marketo = _with_people(PEOPLE, clock, faults)
    salesforce = SalesforceState(clock, random.Random(2), faults, visibility_lag=0.0)
    client = Credentials()
    with (
        serve(MarketoApi(marketo), faults, clock) as source,
        serve(SalesforceApi(salesforce, client), faults, clock) as target,
    ):
        urls = [
            source.url.replace("//", f"//{DEMO_CREDENTIALS.client_id}:{DEMO_CREDENTIALS.client_secret}@"),
            target.url.replace("//", f"//{client.client_id}:{client.client_secret}@"),
        ]
        command = [sys.executable, "-m", "benchmarks.bare_copy", *urls]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    # token + start of the feed + pages of the feed + reads; token + writes
    calls = (result["marketo_calls"], result["salesforce_calls"])
    assert (result["records"], calls) == (PEOPLE, (1 + 1 + 3 + 3, 1 + 4))
    copied = {row["Marketo_Id__c"]: row for row in salesforce.tables["Lead"].rows.values()}
    assert len(copied) == len(salesforce.tables["Lead"].rows) == PEOPLE
    for number, lead in marketo.leads.items():
        row = copied[str(number)]
        assert (row["Email"], row["MA_Score__c"]) == (lead.values["email"], lead.values["leadScore"])
        assert row["HasOptedOutOfEmail"] is lead.values["unsubscribed"]
