# ruff: noqa: RUF001 - other scripts have commas of their own
"""Texts to cut: what models write, and what is hard about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

PROSE = """The harbour wakes before the town does. At five the first boats come in, their decks \
silver with herring, and the gulls quarrel over every rope. By six, when the bakery opens its \
shutters, the auction is over; a buyer from Bergen has paid too much again, and knows it.

Nobody hurries. "A fish doesn't get fresher," says old Marta, "because you run." She has sold \
coffee on the quay for thirty-one years, from the same window, in the same blue cups."""
CODE = '''Here is a function that does it:

```python
def totals(rows):
    """Add up what was paid."""
    count, total = 0, 0.0
    for row in rows:
        if row is None:
            continue
        count += 1
        total += float(row["amount"])
    return {"count": count, "total": total}


print(totals([{"amount": "1.50"}]))
```

Call it with a list of rows; `None` is skipped.'''
CHINESE = (
    "港口比小镇醒得更早。五点钟，第一批渔船归来，甲板上堆满银色的鲱鱼。"
    "六点面包店开门时，拍卖已经结束；从卑尔根来的买家又付得太多了。\n\n没有人着急，因为鱼不会因为你跑得快而更新鲜。"
)
JAPANESE = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所でニャーニャー泣いていた事だけは記憶している。"
EMOJI = "Great news! 🎉🎉 The 👩‍👩‍👧‍👦 family flew to 🇳🇴 and 🇫🇷, had 🍣🍜, and 👍🏽 all round. Café naïve e\u0301 a\u0308o\u0308 — done ✅ …"
ARABIC = "يستيقظ الميناء قبل المدينة. في الخامسة تعود القوارب الأولى، وفي السادسة ينتهي المزاد."
LIST = """Three things to pack:

1. **A lamp.** In winter the light is brief.
2. **A coat.** The wind comes from the sea.
3. **A book.** The bus is late, always.

| what | how many |
| --- | --- |
| lamps | 2 |
| coats | 1 |
"""
JSON = '{"harbour": {"boats": 14, "names": ["Solveig", "Marta", "Ragna"]}, "open": true}\n'
MATHS = "The sum is $\\sum_{i=1}^{n} i = \\frac{n(n+1)}{2}$, so for n = 100 it is 5,050; for n = 1.5e3, 1,125,750."
REPEATS = [
    "na na na na na na na na Batman! ",
    "ha" * 30,
    "Row, row, row your boat. Row, row, row your boat. Gently down the stream. ",
    "x = 1\nx = 1\nx = 1\nx = 1\n",
    "| --- | --- | --- | --- |\n" * 3,
    "01" * 40,
    "\n\n\n",
    "!!!! !!!! !!!! ",
    "a\u0301" * 20,
    "哈哈哈哈哈哈哈哈哈哈",
    "🎉" * 20,
]
WRITTEN = [PROSE, CODE, CHINESE, JAPANESE, EMOJI, ARABIC, LIST, JSON, MATHS]


def any_text(chance: random.Random) -> str:
    """One of them, a stretch of one, or several in a row; never a blank one, which is no answer."""
    kind = chance.random()
    if kind < 0.4:
        return chance.choice(WRITTEN)
    if kind < 0.6:
        text = chance.choice(WRITTEN)
        start = chance.randrange(len(text) - 10)
        return text[start : start + chance.randrange(10, 300)]
    parts = [chance.choice([*REPEATS, *WRITTEN]) for _ in range(chance.randrange(1, 4))]
    text = chance.choice(["", " ", "\n", "\n\n"]).join(parts)[:600]
    return text if text.strip() else PROSE
