"""Made-up news in English: headlines and paragraphs about places and people that do not exist.

Everything is drawn from a random generator, so the same generator gives the same text.
"""

from random import Random
from typing import NamedTuple

_PLACES = (
    "Kelmouth Ardenholt Saltmere Varnby Ostwick Thornlea Maresbridge Dunholm Pellworth Greyhaven "
    "Brackenfell Lindmoor Castlewick Hollowby Fairmarsh Wendlestow Corriefoot Tamsin-on-Sea "
    "Sønderholt Málora Brûneville Västerkulla Piñares Königsforst"
).split()
_NAMES = (
    "Ada Brindle|Tomas Verrick|Ines Calloway|Jonah Petrossian|Mireille Fontaine|Oskar Lindqvist|"
    "Priya Ramsawan|Callum Ferris|Leonie Hartwig|Samuel Okonjo|Hanna Duvall|Marcus Teel|"
    "Sofia Brennan|Edwin Marlowe|Noor Haddadin|Greta Sorensen"
).split("|")
_BODIES = (
    "council|harbour board|school board|water company|bus operator|hospital trust|"
    "planning committee|county museum|fire service|farmers' union|rail authority|library board"
).split("|")
_THINGS = (
    "harbour bridge|night bus service|flood barrier|primary school|market hall|reservoir|"
    "tram line|swimming pool|town archive|wind farm|cycle path|ferry terminal|grain store|"
    "concert hall|footbridge|recycling plant|lighthouse|allotments|bell tower|skate park"
).split("|")
_VERBS = (
    "approves plans for|delays repair of|reopens|sells|rejects offer for|begins survey of|"
    "promises money for|loses appeal over|counts cost of|asks residents about|"
    "cuts opening hours of|finds cracks in|celebrates centenary of|halts work on"
).split("|")
_ENDINGS = (
    "after long debate|before the summer|despite protests|for a second time|in a close vote|"
    "following storm damage|as costs rise|to the surprise of residents|ahead of election|"
    "after years of waiting"
).split("|")
_SENTENCES = (
    "The {body} in {place} met for {small} hours before it came to a decision on the {thing}.",
    "“We have waited {small} years for this, and nobody here wants to wait for another one,” said "
    "{name}, who lives a street away from the {thing}.",
    "Officials put the cost at {money} million crowns, which is {percent} per cent more than the "
    "estimate that was published in the spring.",
    "{name}, who chairs the {body}, declined to say when the work would be finished.",
    "About {number} people came to the public meeting, and several of them had to stand outside.",
    "A report that was leaked last month described the {thing} as safe, but in need of care.",
    "Traders near the {thing} say that their takings have fallen by {percent} per cent since the "
    "first barriers went up.",
    "The regional government in {elsewhere} will pay for {small} tenths of the work.",
    "Similar plans in {elsewhere} were dropped two winters ago, when the money ran out.",
    "Engineers spent {small} weeks measuring the ground, and found less water than they feared.",
    "“It is not a question of whether, but of how,” {name} told a meeting on Tuesday evening.",
    "The oldest part of the {thing} dates from the time when {place} was still a fishing village.",
    "Opponents collected {number} signatures, and handed them over in {small} cardboard boxes.",
    "Nobody was hurt, and the road to {elsewhere} was open again by the afternoon.",
    "The {body} expects an answer from the ministry within {small} weeks.",
    "Pupils from two schools drew their own designs, which are on show in the foyer until June.",
    "{name} and {small} colleagues voted against; all other members were in favour.",
    "The weather has not helped: it rained on {small} of the days that had been set aside.",
    "According to figures seen by this newspaper, the {thing} is used by {number} people a day.",
    "A spokeswoman for the {body} said that letters would go out to every household by Friday.",
    "The contract went to a family business from {elsewhere} that employs {number} people.",
    "Whether the {thing} will still be there in {small} years is a matter of opinion.",
    "Insurance covers the first {money} million; the rest has to come from the reserve.",
    "“My grandfather helped to build it,” said {name}, pointing at the date above the door.",
    "A second hearing is planned for the autumn, and the minutes will be open to everybody.",
    "Volunteers have offered to paint the railings, provided that somebody else buys the paint.",
    "The last comparable decision in {place} was taken {small} years ago, and it was never undone.",
    "Work on the {thing} is to begin in {small} months, and the trees along it will stay.",
)


class Text(NamedTuple):
    """The text of an article."""

    headline: str
    author: str
    paragraphs: tuple[str, ...]


def make_text(random: Random) -> Text:
    """Return an article of four to six paragraphs, at least 600 characters in all."""
    place, elsewhere = random.sample(_PLACES, 2)
    body, thing = random.choice(_BODIES), random.choice(_THINGS)
    headline = f"{place} {body} {random.choice(_VERBS)} {thing} {random.choice(_ENDINGS)}"
    sentences = [
        template.format(
            place=place,
            elsewhere=elsewhere,
            body=body,
            thing=thing,
            name=random.choice(_NAMES),
            number=random.randrange(14, 900),
            small=random.randrange(3, 10),
            money=random.randrange(2, 70),
            percent=random.randrange(4, 60),
        )
        for template in random.sample(_SENTENCES, 14)
    ]
    day = random.choice(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"))
    opening = (
        f"The {body} of {place} has made up its mind about the {thing}, it said on {day}, "
        f"{random.randrange(2, 40)} days after it last met."
    )
    paragraphs = [opening]
    while sentences:
        length = random.choice((2, 3, 4))
        paragraphs.append(" ".join(sentences[:length]))
        sentences = sentences[length:]
    return Text(headline, random.choice(_NAMES), tuple(paragraphs))
