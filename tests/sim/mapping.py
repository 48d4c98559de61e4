"""The mappings that the simulation runs under, compiled once per process: a plain one, and a full one in several
versions between which a schedule may change while it runs. What each demands is said again, in the oracle's own words,
in `tests.sim.rulings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, reduce

from mappings.load import compile_text
from sync.normalise import Lens

TEXT = """
version: 1
route: sim-person
kind: person
systems: [marketo, salesforce]
objects: { marketo: Lead, salesforce: { create: Lead, follow: Contact } }
match:
  - { same: [marketo_id] }
  - { same: [salesforce_id] }
  - { same: [email], unless: role_address }
create:
  salesforce: { when: { email: present }, need: [last_name, company] }
  marketo: { when: { last_name: present }, need: [email] }
defaults: { conflict: salesforce, first: salesforce, blank: keep, unknown_value: hold_field }
fields:
  email:      { marketo: email, flow: <->, salesforce: Email, type: email }
  last_name:  { marketo: lastName, flow: <->, salesforce: LastName }
  first_name: { marketo: firstName, flow: <->, salesforce: FirstName }
  company:    { marketo: company, flow: <->, salesforce: { Lead: Company } }
  phone:      { marketo: phone, flow: <->, salesforce: Phone }
  title:      { marketo: title, flow: <->, salesforce: Title }
  score:      { marketo: leadScore, flow: ->, salesforce: MA_Score__c, type: integer }
  grade:      { marketo: lossReason, flow: ->, salesforce: MA_Grade__c, drift: restore }
  full_name:  { marketo: dealStage, flow: <-, salesforce: Full_Name__c, drift: restore }
  marketo_id:    { marketo: id, flow: ->, salesforce: Marketo_Id__c, type: key, drift: restore }
  salesforce_id: { marketo: sfaId, flow: <-, salesforce: Id, type: key, drift: restore }
consent:
  authority: marketo
  all:     { marketo: unsubscribed, flow: <->, salesforce: HasOptedOutOfEmail, true_means: opted_out }
  seminar: { marketo: optOutSeminar, flow: <->, salesforce: Opt_Out_Seminar__c, true_means: opted_out }
"""


SCOPE = "scope: { marketo: { test: { not: true } } }\ndefaults:"
WORDS = "values: { Web: Web, Phone: Phone Inquiry, Partner: Partner Referral }"
OTHER_WORDS = "values: { Web: Web, Phone: Partner Referral, Partner: Phone Inquiry }"
TITLE = "  title:      { marketo: title, flow: <->, salesforce: Title }\n"
PHONE = "salesforce: Phone }"
MORE = f"""  source: {{ marketo: leadSource, flow: <->, salesforce: LeadSource, type: picklist, {WORDS} }}
  test:   {{ marketo: isTest, type: boolean }}
"""
FULL = TEXT.replace("defaults:", SCOPE).replace("  marketo_id:", MORE + "  marketo_id:")
NAMED = "  salesforce_id: { marketo: sfaId, flow: <-, salesforce: Id, type: key, drift: restore }\n"


def _emptied(text: str, name: str) -> str:
    """A mapping in which a field that is emptied on one side is emptied on the other."""
    return text.replace(f"salesforce: {name} }}", f"salesforce: {name}, blank: propagate }}")


TEXTS: Mapping[str, str] = {
    "plain": TEXT,
    "full": FULL,
    "narrow": FULL.replace(TITLE, ""),
    "one way": FULL.replace(TITLE, TITLE.replace("<->", "->").replace(" }", ", drift: restore }")),
    "retyped": FULL.replace(PHONE, PHONE.replace(" }", ", type: phone }")),
    "reworded": FULL.replace(WORDS, OTHER_WORDS),
    "turned": FULL.replace("conflict: salesforce", "conflict: marketo"),
    "emptying": reduce(_emptied, ("FirstName", "Phone", "Title"), TEXT),
    "moved": TEXT.replace("marketo: title,", "marketo: leadStatus,"),
    "unnamed": TEXT.replace(NAMED, "").replace("  - { same: [salesforce_id] }\n", ""),
}


@cache
def lens(name: str = "plain") -> Lens:
    """The compiled rules; frozen, so that all schedules share them."""
    return Lens(compile_text(TEXTS[name]))
