"""The mapping that the simulation runs under, compiled once per process."""

from __future__ import annotations

from functools import cache

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
  marketo_id:    { marketo: id, flow: ->, salesforce: Marketo_Id__c, type: key, drift: restore }
  salesforce_id: { marketo: sfaId, flow: <-, salesforce: Id, type: key, drift: restore }
consent:
  authority: marketo
  all:     { marketo: unsubscribed, flow: <->, salesforce: HasOptedOutOfEmail, true_means: opted_out }
  seminar: { marketo: optOutSeminar, flow: <->, salesforce: Opt_Out_Seminar__c, true_means: opted_out }
"""


@cache
def lens() -> Lens:
    """The compiled rules; frozen, so that all schedules share them."""
    return Lens(compile_text(TEXT))
