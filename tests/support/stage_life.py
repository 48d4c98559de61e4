"""Steps about the life of records: back from the bin, other addresses, fields and words that vendors take away.

One method for each step word of `stage_life_words`. Nothing is expected here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from renkei.inbox import answer_for, entry_of
from simulators.salesforce.oauth import Credentials
from sync.record import Ref
from sync.rows import Patch
from sync.said import command
from tests.support.flow_town import FlowTown
from tests.support.stage_cast import Cast
from tests.support.town import MARKETO, SALESFORCE

OBJECTS = {"lead": "Lead", "contact": "Contact"}
PATHS = {MARKETO: "email", SALESFORCE: "Email"}


class LifeMoves:
    """Moves on a town that concern records as a whole, or what a vendor shows of them."""

    town: FlowTown
    cast: Cast

    # --- people ------------------------------------------------------------------------------------------

    def restore(self, given: Sequence[str]) -> None:
        """Sales takes people's records out of the recycle bin."""
        for name in given:
            for ref in self.cast.binned(name):
                with self.town.salesforce_api.lock:
                    self.town.salesforce.human_undelete(ref.object, ref.id)

    def erase_in_sales(self, given: Sequence[str]) -> None:
        """Sales erases people's records past the recycle bin: no query shows them, only the log of deletions."""
        for name in given:
            ref = self.cast.one(name, SALESFORCE)
            with self.town.salesforce_api.lock:
                self.town.salesforce.human_hard_delete(ref.object, ref.id)

    def change_mail(self, given: Mapping[str, Mapping[str, str]]) -> None:
        """Somebody's address is changed on one side; the scenario finds the person under the new one."""
        for name, said in given.items():
            self.cast.remember(name)
            system = MARKETO if said["at"] == "marketo" else SALESFORCE
            self.town.edit(self.cast.one(name, system), **{PATHS[system]: said["to"]})
            self.cast.people[name].mail = said["to"]

    def answer(self, given: Mapping[str, Any]) -> None:
        """Somebody answers what the inbox asks of a person: a command as `renkei decide` leaves it."""
        refs = [ref for system in (MARKETO, SALESFORCE) for ref in self.cast.live(given["who"], system)]
        entity = self.town.entity(refs[0])
        (hold,) = (each for each in self.town.store.holds_of([entity]) if each.kind == given["asked"])
        words = given["with"].split()
        if "record" in given:
            ref = self.town.as_kept(self.cast.one(given["record"], self._across(refs[0])))
            words.append(f"{ref.system}:{ref.id}")
        rules = next(each for each in self.town.every if each.route == hold.route)
        said = answer_for(entry_of(hold), rules, words, "on paper", "an operator")
        patch = Patch()
        patch.put(command(self.town.clock.now(), hold.route, said)._replace(id=self.town.store.numbers(1)[0]))
        self.town.store.commit(patch)

    def _across(self, ref: Ref) -> str:
        return SALESFORCE if ref.system == MARKETO else MARKETO

    # --- what a vendor shows and takes -------------------------------------------------------------------

    def hide_field(self, given: Mapping[str, str]) -> None:
        """An administrator takes a field from our user, or removes it."""
        self.town.may_stand = True
        self._of_vendor("hide_field", given)

    def show_field(self, given: Mapping[str, str]) -> None:
        """It is given back."""
        self._of_vendor("show_field", given)

    def _of_vendor(self, act: str, given: Mapping[str, str]) -> None:
        if given["at"] == "marketo":
            with self.town.marketo_api.lock:
                getattr(self.town.marketo, act)(given["field"])
            return
        with self.town.salesforce_api.lock:
            getattr(self.town.salesforce, act)(OBJECTS[given["at"]], given["field"])

    def forbid_writing(self, given: Mapping[str, str]) -> None:
        """Our user may see a field, and not change it any more."""
        self._protect(given, on=True)

    def allow_writing(self, given: Mapping[str, str]) -> None:
        """Our user may change it again."""
        self._protect(given, on=False)

    def _protect(self, given: Mapping[str, str], *, on: bool) -> None:
        if given["at"] != "marketo":
            self._alter(given, createable=not on, updateable=not on)
            return
        with self.town.marketo_api.lock:
            self.town.marketo.protect_field(given["field"], on=on)

    def shut_out(self, given: str) -> None:
        """A vendor knows our credentials no more."""
        self.town.may_stand = True
        self._shut(given, out=True)

    def let_in(self, given: str) -> None:
        """It knows them again."""
        self._shut(given, out=False)

    def _shut(self, given: str, *, out: bool) -> None:
        if given == "marketo":
            with self.town.marketo_api.lock:
                self.town.marketo_api.gate.shut(out=out)
            return
        with self.town.salesforce_api.lock:
            sessions = self.town.salesforce_api.sessions
            sessions.credentials = Credentials(client_secret="another one") if out else Credentials()
            sessions.end_all()

    def drop_word(self, given: Mapping[str, str]) -> None:
        """An administrator removes a value from a picklist of sales that takes no others."""
        words = self._words(given)
        assert given["word"] in words, f"{given['field']} has no value {given['word']!r}"
        self._alter(given, picklist=tuple(word for word in words if word != given["word"]), restricted=True)

    def add_word(self, given: Mapping[str, str]) -> None:
        """A value is added to a picklist of sales, or given back."""
        self._alter(given, picklist=(*self._words(given), given["word"]))

    def _words(self, given: Mapping[str, str]) -> tuple[str, ...]:
        return self.town.salesforce.schema[OBJECTS[given["at"]]].fields[given["field"]].picklist

    def _alter(self, given: Mapping[str, str], **changes: Any) -> None:
        with self.town.salesforce_api.lock:
            self.town.salesforce.alter_field(OBJECTS[given["at"]], given["field"], **changes)

    # --- our own house -----------------------------------------------------------------------------------

    def swap_mappings(self, given: Mapping[str, Mapping[str, str]]) -> None:
        """An administrator changes mapping files under a running service, which goes on with the new ones."""
        self.town.swap(given)

    def rename_system(self, given: Mapping[str, str]) -> None:
        """Settings and mapping files call a system by another name from now on; nobody tells the journal."""
        self.town.may_stand = True
        self.town.call(given["from"], given["to"])

    def carry_over(self, given: Mapping[str, str]) -> None:
        """The journal is told of a system's new name, as `renkei rename-system` does."""
        self.town.carry_over(given["from"], given["to"])
