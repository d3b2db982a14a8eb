"""SIGSTOP for ten seconds, three times, while people ask:  python .ci/sim/freeze.py PATH/sim [--customers 12]
[--seconds 10]

A frozen process is the worst of both: it neither works nor dies, its connections end under it, and when it
wakes every clock has moved on.
Each question must be answered once (telltale words count), in order, without anything the platforms refuse.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from world import ARTICLES, Sim, World, until

QUESTIONS = {
    slug: (aliases[0], body.split("слово: ")[1].rstrip(".")) for slug, (_, aliases, body) in ARTICLES.items()
}
ROUNDS = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sims", type=Path)
    parser.add_argument("--customers", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=10)
    chosen = parser.parse_args()
    dice = random.Random(1)
    with World(chosen.sims) as world:
        world.telegram("telegram", "100000001:SIM")
        world.community("vk", 200001, "vk1.a.SIM")
        people = [(world.tg if n % 2 else world.vk, world.new_person()) for n in range(chosen.customers)]
        for sim, user in people:
            sim.users(id=user, first_name=f"Клиент{user}")
        world.start()
        for sim, user in people:
            if sim is world.tg:
                sim.start(user_id=user)
        asked: dict[int, list[str]] = {user: [] for _, user in people}
        assert world.bot
        for turn in range(ROUNDS):
            for sim, user in people:
                slug = list(QUESTIONS)[(turn + user) % len(QUESTIONS)]
                asked[user].append(QUESTIONS[slug][1])
                sim.send(user_id=user, text=QUESTIONS[slug][0])
            time.sleep(dice.uniform(0.2, 1.2))  # some are being decided on, some are on their way
            os.killpg(world.bot.pid, signal.SIGSTOP)
            time.sleep(chosen.seconds)
            os.killpg(world.bot.pid, signal.SIGCONT)
            until(
                lambda turn=turn: all(len(_heard(world, sim, user)) > turn for sim, user in people),
                "everybody is answered",
                60,
            )
        time.sleep(3)
        wrong = [
            f"{user} heard {_heard(world, sim, user)}, not {asked[user]}"
            for sim, user in people
            if _heard(world, sim, user) != asked[user]
        ]
        wrong += world.violations()
        twice = sum(n - 1 for sim, user in people for n in Counter(_heard(world, sim, user)).values())
        print(
            f"asked {ROUNDS * len(people)}, frozen {ROUNDS} times for {chosen.seconds:.0f} s, answered twice"
            f" {twice}"
        )
        for line in wrong:
            print("  WRONG", line)
        return int(bool(wrong))


def _heard(world: World, sim: Sim, user: int) -> list[str]:
    """The telltale words that a customer's chat shows, in order."""
    place = {"peer_id": user, "group": 200001} if sim is world.vk else {"chat_id": user}
    texts = [
        str(m.get("text") or m.get("caption") or "") for m in sim.messages(**place, from_bot=True)["messages"]
    ]
    return [word for text in texts for _, word in QUESTIONS.values() if word in text]


if __name__ == "__main__":
    sys.exit(main())
