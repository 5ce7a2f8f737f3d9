"""A miniature model of travel demand: households in a city, where each person goes, and by which mode.

Every random number is named by the seed, the step of the model, the household or person, and the alternative. So it
stays what it is, whoever else is simulated, in whatever chunks, and whatever a policy changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

import fastgumbel as fg

Floats = NDArray[np.floating]
Ints = NDArray[np.intp]

RADIUS = 15.0  # of the city, in km
INCOMES = np.array([20.0, 40.0, 80.0])  # thousand euros a year

MODES = ["car", "bus", "rail", "bike", "walk"]
CAR, BUS, RAIL, BIKE, WALK = range(5)
NESTS = [(0.5, [BUS, RAIL]), (0.7, [BIKE, WALK])]  # scales, and the modes that are alike
CONSTANTS = np.array([0.0, -0.4, -0.2, -1.0, 0.6])
MINUTE, EURO, LOGSUM = -0.06, -8.0, 0.7  # utilities of a minute, of a euro by income, and of a destination's logsum

SAMPLED, DECAY = 30, -0.15  # destinations drawn for a person, with replacement; how their chance falls with a km


class Step(IntEnum):
    """Steps of the model. Each has a field of its own: on the same field a decision would repeat another one."""

    JOBS = auto()
    HOME = auto()
    ADULTS = auto()
    INCOME = auto()
    CAR = auto()
    SAMPLE = auto()
    DESTINATION = auto()
    MODE = auto()


def field(seed: int, step: Step, ids: ArrayLike | None = None) -> fg.NoiseField:
    """Noise of a step, by ids of households or persons."""
    return fg.NoiseField((seed, step)).at(rows=ids)


@dataclass(frozen=True)
class Service:
    """Minutes and euros from zone to zone, by mode along the last axis."""

    minutes: Floats
    euros: Floats


@dataclass(frozen=True)
class Sample:
    """Sampled destinations: the place of the person in the frame, the zone, and -log(probability to be sampled)."""

    person: Ints
    zone: Ints
    correction: Floats


def draw_zones(n: int, seed: int) -> pd.DataFrame:
    """Zones 0, 1, ... on a spiral that fills a disc evenly. Jobs gather in the centre, homes do so less."""
    zone = np.arange(n)
    radius, angle = RADIUS * np.sqrt((zone + 0.5) / n), zone * np.pi * (3 - 5**0.5)
    columns = {
        "x": radius * np.cos(angle),
        "y": radius * np.sin(angle),
        "homes": np.exp(-radius / 8),
        "jobs": np.exp(-radius / 5 + fg.gumbel(n, noise=field(seed, Step.JOBS)) / 2),
        "parking": 6 * np.exp(-((radius / 3) ** 2)),
    }
    return pd.DataFrame(columns, pd.Index(zone, name="zone"))


def distances(zones: pd.DataFrame) -> Floats:
    x, y = zones.x.to_numpy(), zones.y.to_numpy()
    return np.maximum(np.hypot(x[:, np.newaxis] - x, y[:, np.newaxis] - y), 0.3)


def serve(zones: pd.DataFrame, lines: list[float]) -> Service:
    """Level of service with rail lines through the centre, given by their angles."""
    x, y, km = zones.x.to_numpy(), zones.y.to_numpy(), distances(zones)
    rail = np.full_like(km, np.inf)
    for angle in lines:
        along, off = x * np.cos(angle) + y * np.sin(angle), abs(y * np.cos(angle) - x * np.sin(angle))
        ride = abs(along[:, np.newaxis] - along) / 50 + (off[:, np.newaxis] + off) / 12
        rail = np.minimum(rail, 8 + 60 * ride)
    minutes = [5 + 60 * km / 30, 10 + 60 * km / 18, rail, 3 + 60 * km / 15, 60 * km / 5]
    fare, free = np.full_like(km, 2.5), np.zeros_like(km)
    euros = [0.2 * km + zones.parking.to_numpy(), fare, fare, free, free]
    return Service(np.stack(minutes, -1).astype(np.float32), np.stack(euros, -1).astype(np.float32))


def draw_households(ids: ArrayLike, zones: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Households of these ids: each is the same whichever others are drawn."""
    ids = np.asarray(ids)

    def draw(step: Step, weights: ArrayLike) -> Ints:
        x = np.broadcast_to(np.log(weights), (len(ids), len(weights)))
        return fg.gumbel_max(x, noise=field(seed, step, ids))

    home, income = draw(Step.HOME, zones.homes), INCOMES[draw(Step.INCOME, [0.3, 0.4, 0.3])]
    to_the_centre = np.hypot(zones.x, zones.y).to_numpy()[home]
    owns = np.column_stack([np.zeros(len(ids)), -2.0 + 0.04 * income + 0.15 * to_the_centre])
    columns = {
        "home": home,
        "adults": 1 + draw(Step.ADULTS, [0.35, 0.5, 0.1, 0.05]),
        "income": income,
        "car": fg.gumbel_max(owns, noise=field(seed, Step.CAR, ids)) == 1,
    }
    return pd.DataFrame(columns, pd.Index(ids, name="household"))


def persons_of(households: pd.DataFrame) -> pd.DataFrame:
    """One row for each adult; the id of a person is that of the household and a digit."""
    people = households.loc[households.index.repeat(households.adults)].reset_index()
    number = people.groupby("household").cumcount()
    return people.set_index(pd.Index(10 * people.household + number, name="person"))


def mode_utilities(people: pd.DataFrame, zone: ArrayLike, service: Service) -> Floats:
    """Utilities of the modes for persons who go from their homes to these zones."""
    trip, income = (people.home.to_numpy(), zone), people.income.to_numpy()[:, np.newaxis]
    x = CONSTANTS + MINUTE * service.minutes[trip] + EURO / income * service.euros[trip]
    x[~people.car.to_numpy(), CAR] = -np.inf
    return x


def logsum(x: Floats) -> Floats:
    """Expected largest utility of the modes, by the closed form of the nested logit."""
    nests = [scale * np.logaddexp.reduce(x[:, modes] / scale, axis=1) for scale, modes in NESTS]
    return np.logaddexp.reduce([x[:, CAR], *nests])


def sampling_rates(zones: pd.DataFrame) -> Floats:
    """Log-potentials of `gumbel_above` that sample destinations by jobs and distance, which no policy changes.

    A zone that one draw picks with probability p is in the sample as often as `SAMPLED` draws would pick it.
    """
    weights = zones.jobs.to_numpy() * np.exp(DECAY * distances(zones))
    return np.log(-SAMPLED * np.log1p(-weights / weights.sum(1, keepdims=True)))


def sample_destinations(people: pd.DataFrame, rates: Floats, seed: int) -> Sample:
    """Sample a zone with log-potential x with probability 1 - exp(-exp(x)), independently of the others."""
    x = rates[people.home.to_numpy()]
    (person, zone), _ = fg.gumbel_above(x, noise=field(seed, Step.SAMPLE, people.index))
    return Sample(person, zone, -np.log(-np.expm1(-np.exp(x[person, zone]))))


def choose_destinations(people: pd.DataFrame, sample: Sample, zones: pd.DataFrame, service: Service, seed: int) -> Ints:
    """Zones chosen from the sampled ones, with the noise of their ids."""
    access = logsum(mode_utilities(people.iloc[sample.person], sample.zone, service))
    utility = np.log(zones.jobs.to_numpy())[sample.zone] + LOGSUM * access + sample.correction
    count = np.bincount(sample.person, minlength=len(people))
    place = np.arange(len(sample.zone)) - np.repeat(count.cumsum() - count, count)
    x, ids = np.zeros((len(people), count.max())), np.full((len(people), count.max()), -1)  # -1: an empty place
    x[sample.person, place], ids[sample.person, place] = utility, sample.zone
    chosen = fg.gumbel_max(x, noise=field(seed, Step.DESTINATION, people.index).at(categories=ids))
    return ids[np.arange(len(people)), chosen]


def choose_modes(people: pd.DataFrame, zone: Ints, service: Service, seed: int) -> pd.Categorical:
    x = mode_utilities(people, zone, service)
    noise = fg.gumbel_nested(x.shape, NESTS, noise=field(seed, Step.MODE, people.index))
    return pd.Categorical.from_codes(fg.gumbel_max(x, noise=noise), MODES)


def simulate(
    people: pd.DataFrame, zones: pd.DataFrame, rates: Floats, services: dict[str, Service], seed: int
) -> pd.DataFrame:
    """A frame of persons by id (home, income, car), with a zone and a mode for each level of service beside it.

    All are chosen from one sample, on the same noise.
    """
    sample = sample_destinations(people, rates, seed)
    for name, service in services.items():
        zone = choose_destinations(people, sample, zones, service, seed)
        people = people.assign(**{f"zone_{name}": zone, f"mode_{name}": choose_modes(people, zone, service, seed)})
    return people
