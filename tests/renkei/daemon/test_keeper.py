"""The service lets go what is older than its keeping: at its start, when it is asked, and never in anybody's way."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from renkei.keep import DAY
from renkei.settings import open_project
from tests.support.command import Place
from tests.support.serving import Serving

_STAMPS = {"operation": ("made_at", "done_at"), "observed": ("at",), "run": ("started", "ended")}
_OLD = "state IN ('applied', 'superseded') AND effect = ''"


def _age(place: Place, days: float) -> int:
    """Let everything have happened so many days earlier; how many finished writes there are."""
    with closing(sqlite3.connect(open_project(place.folder).state)) as connection:
        for table, names in _STAMPS.items():
            for name in names:
                connection.execute(f"UPDATE {table} SET {name} = {name} - {days * DAY} WHERE {name} > 0")
        connection.commit()
        ((number,),) = connection.execute(f"SELECT count(*) FROM operation WHERE {_OLD}")
    return int(number)


def _writes(place: Place) -> int:
    with closing(sqlite3.connect(open_project(place.folder).state)) as connection:
        ((number,),) = connection.execute(f"SELECT count(*) FROM operation WHERE {_OLD}")
    return int(number)


def _edit(place: Place, service: Serving) -> None:
    place.fakes.ask("edits/start", {"rate": 20, "seconds": 1, "collide_share": 0.0, "optout_share": 0.0})
    service.until(lambda: place.fakes.ask("status")["edits"] > 5)
    place.fakes.ask("edits/stop", {})
    service.until_equal()


def test_a_service_keeps_the_journal_and_goes_on_meanwhile(place: Place) -> None:
    """What is old goes soon after the start, and people's edits flow as ever; within a day it is not done again, but
    when somebody asks; a trace says from when on it knows, and guesses nothing before."""
    old = _age(place, 500)
    with Serving(place) as service:
        service.until_ready()
        service.until(lambda: any(line["event"] == "journal kept" for line in service.log), 60)
        kept = next(line for line in service.log if line["event"] == "journal kept")
        assert kept["gone"]["writes"] == old > 50
        _edit(place, service)
        service.end()
    young = _age(place, 500)
    assert young > 0
    with Serving(place) as service:
        service.until_ready()
        assert _writes(place) == young
        counted = place.renkei("compact", "--dry-run", "--json")
        assert counted.data["gone"]["writes"] == young, counted.err
        said = place.renkei("compact", "--json")
        assert said.code == 0, said.err
        assert said.data["gone"]["writes"] == young
        assert said.data["after"]["size"] <= said.data["before"]["size"]
        assert _writes(place) == 0
        _edit(place, service)
        service.end()
    person = next(iter(place.live()["marketo"]))
    told = place.renkei("trace", f"marketo:{person}", "--at", "2020-01-01", "--json")
    assert told.data["found"][0]["older_than_kept"]
    assert told.data["found"][0]["fields"] == []
    assert "is not kept any more" in place.renkei("trace", f"marketo:{person}", "--lang", "en").out
