"""campaign: thousands of seeded worlds, over all cores."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from crosswire.app.cli import screen
from crosswire.app.cli.asking import Json
from crosswire.app.errors import UserError
from crosswire.sim import campaign as campaigns
from crosswire.sim import showing
from crosswire.sim.campaign import Story, Tally, Wish
from crosswire.sim.world import Result
from crosswire.sim.world import soak as soaking
from crosswire.sim.world.soak import Sample
from crosswire.sim.world.verdict import OUTCOMES
from crosswire.venues import NAMES

SAMPLES = 24  # of a soak
CHUNK = 8  # seeds a worker takes at once
NO_SEED = -1


def campaign(
    seeds: Annotated[int, typer.Option(min=1, help="How many worlds.")] = 100,
    first_seed: Annotated[int, typer.Option(min=0, help="The first of them.")] = 1,
    venue: Annotated[str, typer.Option(help=f"Of {', '.join(NAMES)}.")] = NAMES[0],
    strategy: Annotated[str, typer.Option(help="MODULE:CLASS; its own one if left out.")] = "",
    seed: Annotated[int, typer.Option(help="Run only this one, and tell its story.")] = NO_SEED,
    plant: Annotated[str, typer.Option(help="A bug to plant, in worlds that show it.")] = "",
    soak: Annotated[
        int, typer.Option(help="Instead: one run of so many virtual minutes; does it grow?")
    ] = 0,
    json: Json = False,
) -> None:
    """Prove the program on seeded worlds full of faults, judged by the venue's own ledger."""
    wish = _wish(venue, strategy, plant)
    if soak:
        _soak(soak, venue, is_json=json)
        return
    try:
        tally = campaigns.tally_for(wish)
    except ValueError as error:
        raise UserError(str(error)) from None
    wanted = range(first_seed, first_seed + seeds) if seed == NO_SEED else range(seed, seed + 1)
    with _progress(is_hidden=json) as progress:
        task = progress.add_task("worlds", total=len(wanted))
        for result in _results(wanted, wish):
            tally.add(result)
            progress.advance(task)
    story = None
    if tally.failing:
        story = campaigns.shrink(min(each.seed for each in tally.failing), wish)
    _show(tally, story, wish, is_json=json)
    if not tally.has_passed:
        raise typer.Exit(1)


def _soak(minutes: int, venue: str, *, is_json: bool) -> None:
    """Count what our process holds while it trades: a day is 1,440 minutes."""
    samples: list[Sample] = []
    with _progress(is_hidden=is_json) as progress:
        task = progress.add_task("virtual minutes", total=minutes)
        for sample in soaking.soak(minutes, venue=venue, every=max(1, minutes // SAMPLES)):
            samples.append(sample)
            progress.update(task, completed=sample.minute)
    grown = dict(sorted(soaking.growth(samples).items(), key=lambda each: -each[1])[:20])
    orders = sum(sample.orders for sample in samples)
    is_growing = soaking.is_growing(samples)
    if is_json:
        held = {str(sample.minute): sample.total for sample in samples}
        report = {"minutes": minutes, "orders": orders, "held": held}
        screen.show_json({**report, "growth": grown, "is_growing": is_growing})
    else:
        for sample in samples:
            screen.say(f"minute {sample.minute}: {sample.total} items held")
        for name, rate in grown.items():
            screen.say(f"{name}: {rate:+.4f} an order")
        verdict = "it grows" if is_growing else "nothing grows with them"
        screen.say(f"{orders} orders in {minutes} virtual minutes: {verdict}")
    if is_growing:
        raise typer.Exit(1)


def _wish(venue: str, strategy: str, plant: str) -> Wish:
    if venue not in NAMES:
        raise UserError(f'--venue "{venue}": expected one of {", ".join(NAMES)}')
    if plant and plant not in showing.worlds(venue):
        raise UserError(f'--plant "{plant}": expected one of {", ".join(showing.worlds(venue))}')
    if strategy and ":" not in strategy:
        raise UserError(f'--strategy "{strategy}": expected MODULE:CLASS')
    if plant:
        return showing.wish(plant, venue=venue, strategy=strategy)
    return Wish(venue=venue, strategy=strategy) if strategy else Wish(venue=venue)


def _results(seeds: Sequence[int], wish: Wish) -> Iterator[Result]:
    """Run all seeds, over the cores if there are many; in order either way."""
    if len(seeds) <= CHUNK:
        yield from (_one(seed, wish) for seed in seeds)
        return
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_one, seeds, [wish] * len(seeds), chunksize=CHUNK)


def _one(seed: int, wish: Wish) -> Result:
    return campaigns.run_seed(seed, wish)[1]


def _progress(*, is_hidden: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(
        *columns, TimeRemainingColumn(), console=screen.err, disable=is_hidden, transient=True
    )


def _show(tally: Tally, story: Story | None, wish: Wish, *, is_json: bool) -> None:
    report = tally.report()
    if is_json:
        if story is not None:
            report["story"] = {
                "seed": story.seed,
                "failures": dict(story.failures),
                "kinds": list(story.kinds),
                "lines": list(story.lines),
            }
        screen.show_json(report)
        return
    screen.out.print(_table(report))
    for name, value in report.items():
        if isinstance(value, int):
            screen.say(f"{name}: {value}")
    if tally.silent:
        screen.say(f"never seen: {', '.join(tally.silent)}")
    for failing in tally.failing[:20]:
        found = ", ".join(f"{name} {count}" for name, count in failing.failures.items())
        screen.say(f"seed {failing.seed}: {found}")
    if story is not None:
        until = f", until {story.until_ns / 1e9:.3f} s" if story.until_ns else ""
        screen.say(f"seed {story.seed} with {', '.join(story.kinds) or 'no faults'}{until}:")
        for line in story.lines:
            screen.say(f"  {line}")
        screen.say(f"again: crosswire campaign --seed {story.seed}{_flags(wish)}")


def _flags(wish: Wish) -> str:
    """What a person has to say to get the same worlds."""
    usual = showing.wish(wish.plant, venue=wish.venue) if wish.plant else Wish()
    said = {"venue": wish.venue, "strategy": wish.strategy, "plant": wish.plant}
    usually = {"venue": NAMES[0], "strategy": usual.strategy, "plant": ""}
    return "".join(f" --{name} {said[name]}" for name in said if said[name] != usually[name])


def _table(report: dict[str, object]) -> Table:
    table = Table("fault", "struck", *(name.replace("_", " ") for name in OUTCOMES))
    faults = report["faults"]
    assert isinstance(faults, dict)
    for kind, row in faults.items():
        if not row["struck"]:
            continue  # those are named below
        table.add_row(kind, *(str(row[name]) for name in ("struck", *OUTCOMES)))
    return table


COMMANDS = (campaign,)
