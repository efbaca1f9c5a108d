"""How good the best hit is, as a plain word that means the same in every index and with every model.

A score says which passage is best, not whether it is any good: something is always nearest. What tells the two apart is
how the best hit compares with what the same index gives to queries that have nothing to do with it (`NULL_QUERIES`),
and how much of the query's telling words are said there. Only such standardised quantities count; no raw cosine does,
since each model has its own scale. The coefficients are fitted by benchmarks/grade.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from talksearch.indexer.vectors import Floats, Ints

from .postings import Layout, surprise

Word = Literal["strong", "fair", "weak"]

WEAK, STRONG = 0.5, 0.9
"""Probabilities below which a hit is weak, and from which on it is strong."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What an index gives to queries that have nothing to do with it: four numbers, kept with the index."""

    cosine: float
    """The usual cosine of the nearest passage."""
    cosine_spread: float
    deviation: float
    """The usual deviation of the cosines of one query."""
    passages: int
    """Passages that it was measured on."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for the first hit of a query. NaN: not known, because no vector or no word was compared."""

    meaning: float
    """Cosine of the hit above that of the nearest passage to null queries, in deviations of the latter."""
    nearest: float
    """The same of the passage that is nearest in meaning, which need not be the hit."""
    around: float
    """Share of the query's surprise that is said in the hit or right beside it, 0 to 1."""
    inside: float
    """Share that is said in the hit itself."""
    talk: float
    """Share that is said anywhere in its talk."""
    about: float
    """Surprise, among talks, of what is said in the hit's talk, as a share of ln(talks), less 1: `chance` for talks."""
    chance: float
    """Surprise said in or beside the hit as a share of ln(passages), less 1: above 0, no passage would hold by chance
    all that this one does, if words fell independently."""


@dataclass(frozen=True, slots=True)
class Grade:
    """How good a hit is."""

    word: Word
    probability: float
    """That the hit answers, where as many queries have a right first hit as have no answer in the archive."""


def calibrate(rows: Floats, null_vectors: Floats) -> Calibration | None:
    """Measure an index (vectors of its passages, (n, dimension)) with the vectors of null queries (m, dimension).

    Returns None for fewer than two passages. An archive may well answer some of the null queries. So the middle is the
    median, and the spread is that of the lower half alone, where no answered query lies.
    """
    if len(rows) < 2 or not len(null_vectors):
        return None
    tops, deviations = [], []
    for vector in null_vectors:  # one by one: all at once would take passages x queries of memory
        cosines = rows @ vector
        tops.append(float(cosines.max()))
        deviations.append(float(cosines.std()))
    # Of a normal distribution, 15.865 of a hundred lie more than one deviation below the median.
    middle, low = np.percentile(tops, (50, 15.865))
    return Calibration(float(middle), float(middle - low) or 1e-6, float(np.median(deviations)), len(rows))


def evidence(
    layout: Layout,
    first: int,
    said: Sequence[Ints],
    cosines: Floats | None,
    calibration: Calibration | None,
    within: npt.NDArray[np.bool_] | None = None,
) -> Evidence:
    """Return what speaks for the first hit, which lies at the place `first` of the layout.

    `said`, `cosines` (n,) and `within` (n,) are what `fuse` and `score_words` get. Without words `said` is empty;
    without meaning `cosines` or `calibration` is None.
    """
    count = len(layout.numbers)
    near = [
        at
        for at in (first - 1, first, first + 1)
        if 0 <= at < count and layout.talks[at] == layout.talks[first] and (at == first or not layout.notes[at])
    ]
    around = inside = chance = talk = about = math.nan
    if said:
        worth = np.array([surprise(count, len(places)) for places in said])
        beside = np.array([bool(np.isin(near, places).any()) for places in said])
        here = np.array([bool((places == first).any()) for places in said])
        held = np.array([bool((layout.talks[places] == layout.talks[first]).any()) for places in said])
        told = float(worth[beside].sum())
        around, inside, talk = (float(worth[which].sum() / worth.sum()) for which in (beside, here, held))
        chance = told / math.log(count + 1) - 1
        talks = int(layout.talks.max()) + 1
        rare = np.array([surprise(talks, len(np.unique(layout.talks[places]))) for places in said])
        about = float(rare[held].sum()) / math.log(talks + 1) - 1
    meaning = nearest = math.nan
    if cosines is not None and calibration is not None:
        some = cosines if within is None else cosines[within]
        some = some[~np.isnan(some)]
        if len(some) > 1:
            # Of fewer passages the nearest lies less far out, by as much as the expected maximum of normal draws.
            fewer = _expected_maximum(calibration.passages) - _expected_maximum(len(some))
            usual = calibration.cosine - calibration.deviation * fewer
            top, own = float(some.max()), float(cosines[first])
            nearest = (top - usual) / calibration.cosine_spread
            meaning = (own - usual) / calibration.cosine_spread if not math.isnan(own) else nearest
    return Evidence(meaning, nearest, around, inside, talk, about, chance)


def grade(found: Evidence) -> Grade:
    """Return how good a hit is."""
    kind = kind_of(found)
    if kind is None:
        return Grade("weak", 0.0)
    odds = float(np.dot(COEFFICIENTS[kind], features(found, kind)))
    probability = 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
    return Grade("strong" if probability >= STRONG else "fair" if probability >= WEAK else "weak", probability)


Kind = Literal["both", "meaning", "words"]


def kind_of(found: Evidence) -> Kind | None:
    """Return what there is to go by; None where there is nothing."""
    meant, told = not math.isnan(found.nearest), not math.isnan(found.around)
    return "both" if meant and told else "meaning" if meant else "words" if told else None


def features(found: Evidence, kind: Kind) -> list[float]:
    """Return what the logistic model weighs, 1 for its intercept first. Bounded, so that no single one decides all."""
    meant = [_bounded(found.meaning), _bounded(found.nearest)]
    told = [found.around, found.inside, found.talk, max(-1.0, min(1.0, found.about)), max(-1.0, min(1.0, found.chance))]
    if kind == "meaning":  # the hit is the nearest
        return [1.0, meant[1]]
    return [1.0, *meant, *told] if kind == "both" else [1.0, *told]


COEFFICIENTS: dict[Kind, tuple[float, ...]] = {
    "both": (-6.929, 0.557, 0.583, 0.896, 2.843, 2.305, 1.698, 1.428),
    "meaning": (-4.416, 1.438),
    "words": (-5.620, 4.388, 3.033, 1.722, 1.596, 1.741),
}
"""Printed by benchmarks/grade.py --fit."""


def _bounded(value: float) -> float:
    return max(-4.0, min(6.0, value))


def _expected_maximum(count: int) -> float:
    """Return about how many deviations out the largest of `count` normal draws lies.

    Blom, Statistical Estimates and Transformed Beta-Variables, 1958.
    """
    return NormalDist().inv_cdf((count - 0.375) / (count + 0.25)) if count > 1 else 0.0


NULL_QUERIES: tuple[str, ...] = tuple(
    part.strip()
    for part in """
how to roast a chicken; best pizza dough; vegetable soup for winter; chocolate cake without eggs; pickling cucumbers;
how long to boil rice; making jam from plums; what wine goes with fish; cheap restaurants near the station; green tea;
how to prune roses; when to plant tomatoes; getting rid of slugs; lawn full of moss; house plants for dark rooms; how
to train a puppy; my cat does not eat; keeping bees in the city; feeding garden birds; horse riding lessons; fixing a
leaking tap; painting a wooden door; how to tile a bathroom; removing wallpaper; sharpening kitchen knives; washing
wool jumpers; how to iron a shirt; sewing on a button; knitting pattern for socks; cleaning leather shoes; changing
the oil of a car; used car prices; winter tyres or all season; parallel parking; motorcycle helmet sizes; train to the
airport; cheap flights in summer; visa for a long stay; packing list for camping; what to see in Rome; hotels by the
sea; hiking in the Alps; how to pitch a tent; sailing knots; scuba diving certificate; ski resorts; football scores;
who won the cup final; rules of cricket; tennis rackets for beginners; Olympic swimming records; how to do a
handstand; training for a marathon; yoga for back pain; how to lose weight; stretching after running; cold or flu; how
to stop a nosebleed; headache every morning; tooth extraction cost; side effects of aspirin; vaccination for children;
high blood pressure diet; sleeping badly at night; knee operation recovery; hay fever; pregnancy week by week; names
for baby girls; how to change a nappy; bedtime stories; toys for toddlers; school holidays; divorce and custody;
writing a will; renting a flat; rights of tenants; parking fine appeal; small claims court; income tax return; pension
at sixty; opening a savings account; mortgage rates; car insurance; lottery numbers; how to write a cover letter;
asking for a pay rise; job as a nurse; becoming a pilot; working as a plumber; wedding speeches; funeral flowers;
birthday presents for men; Christmas decorations; Easter traditions; carnival costumes; how to play the guitar; piano
for beginners; opera tickets; best jazz albums; song lyrics about love; choir rehearsal; film with a happy ending;
actors of the nineties; who directed it; comic book heroes; soap opera episode; stand-up comedy; novels about the sea;
poems for autumn; Shakespeare's sonnets; detective stories; children's book about a bear; oil painting for beginners;
how to draw a face; pottery kiln; museum opening hours; Gothic cathedrals; Roman emperors; kings of France; the fall
of Constantinople; Viking ships; the First World War; ancient Egypt; history of the telephone; capital of Mongolia;
longest river; volcanoes in Iceland; desert animals; how whales sleep; dinosaurs; spiders at home; weather tomorrow;
thunderstorm warning; earthquake damage; phases of the moon; planets in the evening sky; high tide; boiling point of
water; how soap is made; rust on iron; growing crystals; why the sky is blue; bones of the hand; German verbs;
learning Spanish; origin of surnames; crossword clue; chess openings; card games for two; magic tricks; fashion in the
twenties; hair colour at home; nail varnish; perfume for summer; beard trimming; sunglasses; wedding rings; church
services; life of a saint; meditation for beginners; dream meaning; horoscope for Leo; ghost stories; fasting; local
elections; mayor of the town; road works; library opening hours; recycling plastic; bus timetable; fire brigade; dairy
farming; wheat harvest; fishing licence; hunting season; timber prices; sheep shearing; tractor repair; vineyards;
police report; burglar alarm; lost passport; missing persons; prison visits; army service; border control; smuggling
""".replace("\n", " ").split(";")
    if part.strip()
)
"""What people ask all over the world, of all walks of life but talks on technical matters; no talk answers most."""
