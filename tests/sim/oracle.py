"""Judges a schedule by what the two vendors have written down, entry by entry, and by nothing else.

The engine's own words (claims: losers, holds, failures) are believed only where the vendors' record allows for them.
What is judged at the instant of a write stands in `tests.sim.ledgers`, what stands at the end here. Imports nothing of
the engine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from tests.sim.ledgers import Ledgers
from tests.sim.vocabulary import (
    ARROWS,
    LAG,
    MA,
    OTHER_ID,
    SCORE,
    SFA,
    SOURCE,
    TOPICS,
    TWO_WAY,
    Claim,
    Key,
    Loss,
    Offence,
    Row,
    Said,
    Sent,
    across,
    plain,
    token_in,
)  # fmt: skip

__all__ = ["MA", "OTHER_ID", "SCORE", "SFA", "TOPICS", "TWO_WAY", "Claim", "Offence", "Oracle", "Row", "Sent"]


class Oracle(Ledgers):
    """Follows both ledgers as they grow, and says at the end what is wrong."""

    # --- the end ---------------------------------------------------------------------------------------

    def judge(self, claims: Iterable[Claim]) -> list[Offence]:
        """What is wrong once everything is quiet; `claims` are the engine's words."""
        said = self._hear(claims)
        pairs = self._pairs(said)
        paired = {key for pair in pairs for key in (pair[0].key, pair[1].key)}
        for ma, sfa in pairs:
            twins = [row for row in (ma, sfa) if self._is_twin(row, said)]
            if twins:
                for row in twins:
                    self._judge_twin(row, said)
            else:
                self._judge_pair(ma, sfa, said)
        for row in self.live():
            if row.key not in paired:
                self._judge_single(row, said)
        for loss in self.losses:
            self._judge_loss(loss, said)
        self._judge_opt_outs(pairs, said)
        return self.offences

    def _hear(self, claims: Iterable[Claim]) -> Said:
        """The claims by record and field; what is said of a record holds for what it has become."""
        said: dict[tuple[str, str, str], list[Claim]] = defaultdict(list)
        for claim in claims:
            said[claim.side, claim.id, claim.field].append(claim)
            key = (claim.side, claim.id)
            if key in self.rows and (now := self.final(key)).id != claim.id:
                said[claim.side, now.id, claim.field].append(claim)  # what was said of what it was
            if claim.kind == "ignored" and (token := token_in(claim.value)):
                self._ignored.add(token)
                field = self.tokens[token[0]].field
                paths = self.places_of(field, claim.side)  # it may have stood elsewhere when it was written
                excused = any((*key, path) in self._swallowed for path in paths)
                excused = excused or (*key, field) in self._put_back or self.tokens[token[0]].again
                excused = excused or self._was_typed_back(key, TWO_WAY[field][claim.side])
                if not excused and (claim.side, claim.id, token[0]) in self._stored:
                    self.offend(
                        "false claim",
                        (claim.side, claim.id),
                        f"T{token[0]} is said to be ignored, but was stored",
                    )
        return said

    def _was_typed_back(self, key: Key, path: str) -> bool:
        """Whether what stands in a record was typed a second time: put back where it stood before, it looks as if
        nothing had ever been written over it."""
        token = token_in(self.final(key).values.get(path))
        return token is not None and self.tokens[token[0]].again

    def _pairs(self, said: Said) -> list[tuple[Row, Row]]:
        """Live records that name each other; where one does not, the engine must have said that it could not."""
        found: dict[tuple[Key, Key], tuple[Row, Row]] = {}
        for row in self.live():
            key = self.named_by(row)
            if key is None or not self.rows[key].live:
                continue
            other = self.rows[key]
            back = self.named_by(other) == row.key
            told = said.get((other.side, other.id, "salesforce_id" if other.side == MA else "marketo_id"), ())
            back = back or self._names_it_alone(row, other, said)
            if back or any(claim.kind in {"failed", "ignored", "open", "hold"} for claim in told):
                ma, sfa = (row, other) if row.side == MA else (other, row)
                found[ma.key, sfa.key] = ma, sfa
        return list(found.values())

    def _names_it_alone(self, row: Row, other: Row, said: Said) -> bool:
        """Whether, where marketing is told no ids, all others who name a record are twins: one that comes back out of
        the bin bears the id that it bore before."""
        if self.ruling().named or other.side != MA or self._is_twin(row, said):
            return False
        rivals = [each for each in self.live(SFA) if each is not row and self.named_by(each) == other.key]
        return all(self._is_twin(each, said) for each in rivals)

    def _judge_pair(self, ma: Row, sfa: Row, said: Said) -> None:
        if not self.is_of(ma, sfa.person):
            self.offend("crossed", ma.key, f"linked with {sfa.key}: persons {ma.person} and {sfa.person}")
        if self.is_outside(ma):
            self.counts["outside the scope at the end"] += 1
            return
        ruling = self.ruling()
        for field, usual in TWO_WAY.items():
            if (field == "company" and sfa.object == "Contact") or field in ruling.unmapped:
                continue
            if not ma.get(usual) and self.was_one_way(field, sfa.typed.get(usual[SFA], 0.0)):
                self.counts["left blank by a one-way field"] += 1
                continue  # a blank goes nowhere, and is agreed on as a blank
            paths = self.place_of(field)
            left, right = ma.get(paths), sfa.get(paths)
            blind = self._written_blindly(ma, paths) or self._written_blindly(sfa, paths)
            if plain(left) != plain(right) and not blind and not self._excused(ma, sfa, field, said):
                text = f"{field}: {left!r} here, {right!r} in {sfa.id}, and nothing said of it"
                self.offend("divergence", ma.key, text)
        if not self.say_the_same(ma, sfa) and not self._excused(ma, sfa, "source", said):
            text = f"source: {ma.get(SOURCE)!r} here, {sfa.get(SOURCE)!r} in {sfa.id}, and nothing said of it"
            self.offend("divergence", ma.key, text)
        self._judge_arrows(ma, sfa, said)
        left, right = ma.get(SCORE), sfa.get(SCORE)
        # a zero is a blank to a ledger's first entry
        wrong = left is not None and abs(float(str(left)) - float(str(right or 0))) > 5
        if wrong and not self._excused(ma, sfa, "score", said):
            self.offend("divergence", ma.key, f"score: {left} here, {right} in {sfa.id}")

    def _judge_arrows(self, ma: Row, sfa: Row, said: Said) -> None:
        for field in ARROWS:
            text = self.differs(field, ma, sfa)
            if text and not self._excused(ma, sfa, field, said):
                self.offend("divergence", ma.key, text)

    def _written_blindly(self, row: Row, paths: Mapping[str, str]) -> bool:
        """Whether a person typed what stands there just before a write that the vendor took and did not store: it
        bears our name, so that nobody can know it for a person's."""
        token = token_in(row.get(paths))
        swallowed = self._swallowed.get((*row.key, paths[row.side]), -1)
        return token is not None and self.tokens[token[0]].homes.get(row.key, swallowed + 1) <= swallowed

    def _excused(self, ma: Row, sfa: Row, field: str, said: Said) -> bool:
        found = [claim for row in (ma, sfa) for claim in said.get((row.side, row.id, field), ())]
        kinds = {claim.kind for claim in found} & {"hold", "failed", "ignored", "open"}
        self.counts.update(f"excused by {kind}" for kind in kinds)
        return bool(kinds)

    def _judge_single(self, row: Row, said: Said) -> None:
        """A live record without a counterpart: the engine must have said why."""
        if not row.get(TWO_WAY["email"]) or not row.get(TWO_WAY["last_name"]):
            return
        if row.side == MA and not row.get(TWO_WAY["company"]):
            return
        if any(self.is_outside(r) for r in (row, *self._across(row), *self._heirs(row))):
            self.counts["single: outside the scope"] += 1
            return
        kinds = {claim.kind for claim in said.get((row.side, row.id, ""), ())}
        key = "salesforce_id" if row.side == MA else "marketo_id"
        kinds |= {claim.kind for claim in said.get((row.side, row.id, key), ())}
        if not self.ruling().named:  # only the record across names anybody, and it may not have taken the id
            mine = [other for other in self._across(row) if other.live and self.is_of(other, row.person)]
            kinds |= {each.kind for other in mine for each in said.get((*other.key, "marketo_id"), ())}
        if "twin" in kinds:
            self._judge_twin(row, said)
        elif "gone across" in kinds:
            if all(other.live for each in (row, *self._led_before(row)) for other in self._across(each)):
                self.offend("false claim", row.key, "its counterpart is said to be gone, but none ever went")
            self.counts["gone across"] += 1
        elif kinds & {"hold", "failed", "open", "ignored"}:
            self.counts.update(f"single: {kind}" for kind in kinds)
        else:
            self.offend("missing", row.key, f"person {row.person} has no counterpart; said: {sorted(kinds)}")

    def _across(self, row: Row) -> list[Row]:
        """Records of the other side, dead ones too, that count as this person's or share an address with it."""
        rows = [r for r in self.rows.values() if r.side != row.side]
        return [r for r in rows if self.is_of(r, row.person) or r.mails & row.mails]

    def _led_before(self, row: Row) -> list[Row]:
        """Records of the same side that are gone and bore an address of its own: as their twin it leads in their place,
        and what was their counterpart is its own."""
        rows = [r for r in self.rows.values() if r.side == row.side and not r.live]
        return [r for r in rows if r.mails & row.mails]

    def _heirs(self, row: Row) -> list[Row]:
        """Records of the other side that may stand in for a linked one that was deleted: they bore an address of its
        own, which its counterpart here may never have got."""
        rows = [r for r in self.rows.values() if r.side != row.side]
        names = self.named_by(row)
        gone = [r for r in rows if not r.live and (r.key == names or self.named_by(r) == row.key)]
        return [r for r in rows if any(r.mails & each.mails for each in gone)]

    def _beat(self, named: tuple[int, int] | None, winner: tuple[int, int] | None) -> bool:
        """The winner that was named, or what a person made of it before it arrived."""
        return named == winner or (named is not None and self.tokens[named[0]].replaced > 0)

    @staticmethod
    def _is_twin(row: Row, said: Said) -> bool:
        return any(claim.kind == "twin" for claim in said.get((row.side, row.id, ""), ()))

    def _judge_twin(self, row: Row, said: Said) -> None:
        """A twin is never written; another live record of the same person must lead."""
        same = [each for each in self.kin(row) if each.live]
        if all(self._is_twin(each, said) for each in same):
            self.offend("false claim", row.key, "called a twin, but no record of this person leads")
        elif all(self._is_twin(each, said) for each in self._companions(row) if each.live):
            text = "called a twin of somebody who had given its address up before"
            self.offend("false claim", row.key, text)
        self.counts["twins"] += 1

    def _companions(self, row: Row) -> list[Row]:
        """Like `kin`, but an address makes only those one who bore it at the same time, as far as the engine was bound
        to know."""
        rows, found = list(self.rows.values()), [row]
        for each in found:
            near = [r for r in rows if self.is_of(r, each.person) or self._met(r, each)]
            found += near
            rows = [r for r in rows if r not in near]
        return [r for r in {each.key: each for each in found}.values() if r.side == row.side]

    def _met(self, one: Row, other: Row) -> bool:
        for mail in one.bore.keys() & other.bore.keys():
            (since, until), (from_, till) = one.bore[mail], other.bore[mail]
            if max(since, from_) <= self._known_by(min(until, till)):
                return True
        return False

    def _known_by(self, time: float) -> float:
        """When the engine was bound to know of something: two later cycles came to their end, and were let read."""
        barred = {cycle for _side, cycle in self._unread}
        later = [cycle for cycle in self.cycles if cycle > time + LAG and cycle not in barred]
        return later[1] if len(later) > 1 else float("inf")

    def _judge_loss(self, loss: Loss, said: Said) -> None:
        token, winner = loss.token, token_in(loss.new)
        if not self._is_told(loss, said):
            excuse = self._unsaid(loss, winner)
            self.counts.update([excuse] if excuse else [])
            if not excuse:
                text = f"T{token.number} ({token.field}) was written over with {loss.new!r}, and nothing said of it"
                self.offend("lost edit", loss.home, text)
            return
        self.counts["losers"] += 1
        # typed over here, and typed or merged in nowhere else, by a person without twins: what stands across is
        # nobody's newer word
        came_back = winner is not None and winner[0] in token.after and not self.has_twins(token.person)
        older = self.tokens[winner[0]].time if winner else 0.0
        if loss.home[0] == MA and self.was_read_anew(token.field, older, loss.cycle):
            self.counts["decided anew after a field was retyped"] += 1
        elif winner and came_back and set(self.tokens[winner[0]].homes) == {loss.home}:
            self.offend(
                "stale overwrite", loss.home, f"T{token.number} was typed over T{winner[0]}, which came back"
            )
        if winner is None and not self.was_emptied(token.person, token.field):
            self.offend(
                "false claim", loss.home, f"T{token.number} lost against {loss.new!r}, which nobody typed"
            )

    def _is_told(self, loss: Loss, said: Said) -> bool:
        token = loss.token
        return any(
            claim.kind == "loser"
            and token_in(claim.value) == (token.number, token.person)
            and self._beat(token_in(claim.winner), token_in(loss.new))
            for claim in said.get((*loss.home, token.field), ())
        )

    def _unsaid(self, loss: Loss, winner: tuple[int, int] | None) -> str:
        """Why nobody could say of a typed value that it was lost ("" = somebody could)."""
        token = loss.token
        if (token.number, token.person) in self._ignored:
            return "lost after the vendor ignored it"
        path = TWO_WAY[token.field][loss.home[0]]
        if token.homes.get(loss.home, self.place + 1) <= self._swallowed.get((*loss.home, path), -1):
            return "typed just before the vendor ignored us"
        if token.again and (*loss.home, token.field) in self._put_back:
            return "put back unread, as if the vendor had ignored us"
        newer = self.tokens[winner[0]] if winner is not None else None
        seen = token.arrived.get(across(loss.home[0]), self.place)
        if newer is not None and self.has_twins(token.person) and newer.typed_at_last > seen:
            return "gave way to what was typed later into a twin"
        return ""

    def _judge_opt_outs(self, pairs: list[tuple[Row, Row]], said: Said) -> None:
        for family in self._families(pairs):
            for topic, paths in TOPICS.items():
                if not any(row.get(paths) is True for row in family):
                    continue
                for row in family:
                    kinds = {claim.kind for claim in said.get((row.side, row.id, f"consent.{topic}"), ())}
                    if row.get(paths) is not True and not kinds & {"hold", "failed", "open"}:
                        others = ", ".join(f"{r.side} {r.id}" for r in family if r.get(paths) is True)
                        self.offend("opt-out not carried", row.key, f"{topic}: true on {others}")

    def _families(self, pairs: list[tuple[Row, Row]]) -> Iterable[list[Row]]:
        """Live records that are linked or share a personal address."""
        group: dict[Key, list[Row]] = {row.key: [row] for row in self.live()}
        by_mail: dict[str, Row] = {}
        together = list(pairs)
        for row in self.live():
            mail = plain(row.get(TWO_WAY["email"]))
            if mail:
                together.append((by_mail.setdefault(mail, row), row))
        for one, other in together:
            mine, theirs = group[one.key], group[other.key]
            if mine is not theirs:
                mine.extend(theirs)
                for row in theirs:
                    group[row.key] = mine
        return {id(rows): rows for rows in group.values()}.values()
