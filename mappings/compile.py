"""From a draft to rules: names resolved, types applied, arrows checked, digests taken.

Rows compile one by one, so that a broken row is reported and the others go on; rules come out only when the
whole file is free of errors. It asks no vendor: what needs live schemas is `check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mappings import digest
from mappings.conditions import Asked, Compiled, Conditions
from mappings.consent import compile_topics
from mappings.deals import Bearing, deal_rules, on_objects
from mappings.draft import CreateDraft, FileDraft, LimitDraft, MatchDraft
from mappings.errors import At, Problem, Sink, did_you_mean, errors, in_order
from mappings.fieldrules import Row, RowCompiler
from mappings.flows import Flows
from mappings.grammar import Grammar, Reading
from mappings.persons import Flowing, person_rules
from mappings.rates import rates
from mappings.source import Node, Text, decode, parse
from mappings.tables import Beside
from mappings.thresholds import Thresholds, thresholds
from mappings.transforms import TYPES, Options
from mappings.words import SIGNS
from mappings.words import grammar as current_grammar
from revenue.money import Rate
from sync.record import Side
from sync.rules import (
    ActionKind,
    Condition,
    ConsentRule,
    CreateRule,
    FieldRule,
    Limit,
    MatchKey,
    ObjectRule,
    Rules,
    Sign,
    always,
    default_limits,
    default_signs,
)
from sync.standing import ACCOUNT, Tie

SIDES = (Side.MA, Side.SFA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file as far as it could be understood: `rules` is None while it has errors.

    `asked` holds, by system, the fields that its create condition and its scope ask; `used` names rows that the
    flows ask. `bearing`: what a deal route adds to the route of its people.
    """

    draft: FileDraft
    rules: Rules | None
    rows: tuple[Row, ...]
    topics: tuple[ConsentRule, ...]
    asked: Mapping[str, Mapping[str, Compiled]]
    problems: tuple[Problem, ...]
    used: frozenset[str] = frozenset()
    bearing: Bearing | None = None


def compile_source(data: bytes, file: str, beside: Beside, words: Grammar | None = None) -> Source:
    """Compile one file's bytes; every problem is in the answer, none is raised."""
    sink = Sink(file)
    draft = FileDraft(file)
    text = decode(data, sink)
    root = None if text is None else parse(text, sink)
    used = words or current_grammar()
    if root is None:
        return Source(draft=draft, rules=None, rows=(), topics=(), asked={}, problems=in_order(sink.found))
    Reading(sink, used).fill(used.file, root, draft, "the mapping")
    return _Compiler(draft, sink, beside, used).source()


class _Compiler:
    def __init__(self, draft: FileDraft, sink: Sink, beside: Beside, words: Grammar) -> None:
        self.draft = draft
        self.sink = sink
        self.beside = beside
        self.grammar = words
        self.sides = dict(zip(draft.names, SIDES, strict=False))
        self.known = Thresholds()
        self.rates: tuple[Rate, ...] = ()

    def source(self) -> Source:
        """The whole file."""
        if len(self.sides) != 2:
            return self._source((), (), {})
        folder = self.draft.file.rpartition("/")[0]
        known, beside_sink = thresholds(self.beside, folder, self.grammar)
        self.rates, rates_sink = rates(self.beside, folder)
        self.known = known
        compiler = RowCompiler(self.draft, self.sides, known.bands, self.beside, self.sink, self.grammar)
        rows = compiler.rows()
        topics = compile_topics(self.draft, self.sides, self.sink)
        asked = self._conditions(rows)
        self.sink.found.extend((*beside_sink.found, *rates_sink.found, *compiler.table_problems))
        return self._source(rows, topics, asked)

    def _source(
        self,
        rows: tuple[Row, ...],
        topics: tuple[ConsentRule, ...],
        asked: Mapping[str, Mapping[str, Compiled]],
    ) -> Source:
        flows = self._flows(rows)
        self._words_of_kind()
        whole = len(self.sides) == 2 and set(self.draft.objects) == set(self.sides)
        bearing: Bearing | None = None
        rules: Rules | None = None
        if self.draft.kind == "opportunity":
            found = deal_rules(flows, self._scope(asked)) if whole else None
            if found is not None:
                rules, bearing = replace(found[0], limits=self._limits()), found[1]
        else:
            match, create = self._match(rows), self._create(rows, asked)
            conditions = [each for found in asked.values() for each in found.values()]
            flows.reached.update(name for each in conditions for name in each.thresholds)
            flowing = person_rules(flows) if self.draft.kind == "person" and rows else Flowing()
            rules = self._rules(rows, topics, asked, match, create, flowing) if whole else None
        problems = in_order(self.sink.found)
        wrong = bool(errors(problems))
        return Source(
            draft=self.draft, rules=None if wrong or rules is None else self._stamped(rules, rows, asked),
            rows=rows, topics=topics, asked=asked, problems=problems, used=frozenset(flows.used),
            bearing=None if wrong else bearing,
        )  # fmt: skip

    def _stamped(
        self, rules: Rules, rows: tuple[Row, ...], asked: Mapping[str, Mapping[str, Compiled]]
    ) -> Rules:
        return digest.stamp(rules, rows, asked, digest.of_flows(self.draft, self.known))

    def _words_of_kind(self) -> None:
        """Blocks that belong to another kind would do nothing."""
        draft = self.draft
        places: dict[str, tuple[At | None, str]] = {
            "consent": (draft.consent_at, "person"),
            "hand_over": (draft.hand_over.at if draft.hand_over else None, "person"),
            "people": (draft.people.at if draft.people else None, "opportunity"),
            "recycle": (draft.recycle.at if draft.recycle else None, "opportunity"),
        }
        for word, (at, kind) in places.items():
            if at is not None and draft.kind and kind != draft.kind:
                self.sink.error(at, "M066", f"«{word}» belongs to kind: {kind}", "take it out here")
        given = [line.at for line in draft.match] + [rule.at for rule in draft.create.values()]
        for at in given if draft.kind == "opportunity" else ():
            self.sink.error(at, "M066", "deals have no counterpart to match or to create", "take it out here")

    def _conditions(self, rows: tuple[Row, ...]) -> Mapping[str, Mapping[str, Compiled]]:
        """Conditions by system: `create` asks the fields of the other side, `scope` those of its own."""
        found: dict[str, dict[str, Compiled]] = {name: {} for name in self.sides}
        for system, rule in self.draft.create.items():
            if rule.when is not None:
                other = next(name for name in self.sides if name != system)
                found[system]["create"] = self._condition(rule.when, self.sides[other], rows)
        for system, node in self.draft.scope.items():
            found[system]["scope"] = self._condition(node, self.sides[system], rows)
        return found

    def _condition(self, node: Node, side: Side, rows: tuple[Row, ...]) -> Compiled:
        askable = {
            row.rule.name: Asked(
                type=row.rule.type,
                codec=row.codec,
                thresholds=frozenset(self.known.named.get(row.rule.name, ()) if side is Side.MA else ()),
            )
            for row in rows
            if side in row.rule.cells
        }
        if self.draft.kind == "opportunity":  # told by the flags where no row tells it
            askable.setdefault("outcome", Asked(type="text", codec=TYPES["text"](Options(), side)))
        here = Conditions(askable, self.sink, self.grammar.conditions)
        return here.compile(node)

    def _match(self, rows: tuple[Row, ...]) -> tuple[MatchKey, ...]:
        types = {row.rule.name: row.rule.type for row in rows}
        keys = [self._match_key(line, types) for line in self.draft.match]
        return tuple(key for key in keys if key is not None)

    def _match_key(self, line: MatchDraft, types: Mapping[str, str]) -> MatchKey | None:
        if not line.same:
            return None
        if len(line.same) > 1:
            hint = "several fields in one line come later; write one line with a key field and one with the e-mail"
            self.sink.error(line.same[1].at, "M162", "a line of match takes one field in this version", hint)
            return None
        name = line.same[0]
        type_ = self._known(name, types)
        if type_ is None:
            return None
        if type_ == "key" and line.unless_role:
            self.sink.error(
                name.at, "M027", "unless: role_address belongs to the e-mail line", "take it out here"
            )
        if type_ == "key":
            return MatchKey(kind="id", field=name.text)
        if type_ == "email":
            return MatchKey(kind="email", field=name.text, unless_role=line.unless_role)
        hint = "use a row of `type: key` or of `type: email`"
        self.sink.error(name.at, "M027", f"«{name.text}» ({type_}) cannot identify a person", hint)
        return None

    def _known(self, name: Text, types: Mapping[str, str]) -> str | None:
        """The type of a named row; an unknown name is reported, a row that failed to compile is not again."""
        if name.text in types:
            return types[name.text]
        if all(row.name.text != name.text for row in self.draft.rows):
            hint = did_you_mean(name.text, (row.name.text for row in self.draft.rows))
            self.sink.error(name.at, "M017", f"no field «{name.text}»", hint)
        return None

    def _create(
        self, rows: tuple[Row, ...], asked: Mapping[str, Mapping[str, Compiled]]
    ) -> Mapping[Side, CreateRule]:
        found: dict[Side, CreateRule] = {}
        for system, rule in self.draft.create.items():
            if system in self.sides:
                condition = asked.get(system, {}).get("create")
                when = always if condition is None else condition.test
                found[self.sides[system]] = CreateRule(when=when, need=self._need(system, rule, rows))
        return found

    def _need(self, system: str, rule: CreateDraft, rows: tuple[Row, ...]) -> tuple[str, ...]:
        into = self.sides[system]
        types = {row.rule.name: row.rule.type for row in rows}
        carried = {row.rule.name for row in rows if row.rule.flow.into(into)}
        for name in rule.need:
            if self._known(name, types) is not None and name.text not in carried:
                hint = "name fields whose arrow points there"
                self.sink.error(name.at, "M028", f"«{name.text}» is never written to {system}", hint)
        return tuple(dict.fromkeys(name.text for name in rule.need))

    def _rules(
        self,
        rows: tuple[Row, ...],
        topics: tuple[ConsentRule, ...],
        asked: Mapping[str, Mapping[str, Compiled]],
        match: tuple[MatchKey, ...],
        create: Mapping[Side, CreateRule],
        flowing: Flowing,
    ) -> Rules:
        draft = self.draft
        return Rules(
            route=draft.route,
            kind=draft.kind,
            systems={side: name for name, side in self.sides.items()},
            objects={
                side: ObjectRule(create=draft.objects[name].create, follow=draft.objects[name].follow)
                for name, side in self.sides.items()
            },
            fields=(*(row.rule for row in rows), *self._on_people(flowing.fields)),
            consent=topics,
            authority=self.sides[draft.authority.text] if draft.authority else None,
            match=match,
            create=create,
            scope=self._scope(asked),
            limits=self._limits(),
            signs=self._signs(),
            shadow=draft.shadow,
            standing=flowing.standing,
            ties=_account_ties(rows),
        )

    def _scope(self, asked: Mapping[str, Mapping[str, Compiled]]) -> Mapping[Side, Condition]:
        return {self.sides[name]: found["scope"].test for name, found in asked.items() if "scope" in found}

    def _on_people(self, fields: tuple[FieldRule, ...]) -> tuple[FieldRule, ...]:
        """Fields that a flow of this file fills, in the objects of its marketing side."""
        objects = self.draft.objects[self.draft.names[0]]
        return tuple(on_objects(rule, (objects.create, *objects.follow)) for rule in fields)

    def _flows(self, rows: tuple[Row, ...]) -> Flows:
        return Flows(
            draft=self.draft,
            sides=self.sides,
            rows=rows,
            known=self.known,
            asks=lambda node, side: self._condition(node, side, rows),
            sink=self.sink,
            rates=self.rates,
        )

    def _limits(self) -> Mapping[ActionKind, Limit]:
        limits = dict(default_limits())
        for word, given in self.draft.limits.items():
            if word not in SIGNS:
                kind = ActionKind.OPT_OUT if word == "opt_out" else ActionKind(word)
                limits[kind] = _limit(limits[kind], given)
        return limits

    def _signs(self) -> Mapping[Sign, Limit]:
        signs = dict(default_signs())
        for word, given in self.draft.limits.items():
            if word in SIGNS:
                signs[Sign(word)] = _limit(signs[Sign(word)], given)
        return signs


def _limit(old: Limit, given: LimitDraft) -> Limit:
    return Limit(
        number=old.number if given.number is None else given.number,
        share=old.share if given.share is None else given.share,
    )


def _account_ties(rows: tuple[Row, ...]) -> tuple[Tie, ...]:
    """Who names an account is told when it is linked."""
    return tuple(
        Tie(name, path, ACCOUNT)
        for row in rows
        if row.rule.refers
        for side, cell in row.rule.cells.items()
        if not row.rule.flow.into(side)
        for name, path in cell.paths.items()
    )
