"""What left for a channel of the installation and was never answered (protocol §5). No I/O but the store's.

A channel tells people something and cannot be asked what it has told: what is in doubt there is listed as uncertain
and never sent again by itself, unless doing it twice is doing it once.
"""

from __future__ import annotations

import msgspec

from sync.around import Around, Settled
from sync.doubt import commit_settled, is_ripe, load_around, uncertain
from sync.plan import jobs_of
from sync.read import World
from sync.rows import OperationRow, Patch
from sync.settle import Settlement


def settle_channel_doubts(world: World) -> Settled:
    """Settle what left for the channels, cannot act any more, and has no answer."""
    done = Settled()
    now = world.clock.now()
    for name, channel in world.channels.items():
        for batch in world.store.batches(name):
            if not is_ripe(channel.capabilities, batch, now):
                continue
            rows = world.store.get(OperationRow, [(number,) for number in msgspec.json.decode(batch.body)])
            jobs = jobs_of(row for row in rows if row.route == world.lens.rules.route)
            if not jobs:
                continue
            patch = Patch()
            around = Around(*load_around(world, jobs))
            settlement = Settlement(world.lens, around, world.numbers, now, patch)
            for job in jobs:
                if job.work.repeatable:
                    settlement.again(job)
                else:
                    patch.put(uncertain(job.row, now))
            patch.drop(batch)
            commit_settled(world, settlement, patch)
            done.add(settlement.done)
    return done
