"""Verdicts, as LlamaIndex's evaluators ask for them: by how many words two texts share."""

from __future__ import annotations

import re

from freelm_integrations.lab.mind.evidence import stems

_ENOUGH = 0.5  # the share of words from which one text counts as borne out by another
_EITHER = re.compile(r"\bYES\s*(?:or|/)\s*NO\b")
_INFORMATION = re.compile(
    r"(?:Information|Query and Response|context information):\s*(.+?)\s*\n(?:Context:|We have)",
    re.DOTALL,
)
_CONTEXT = re.compile(r"Context:\s*(.+?)\s*(?:Answer:|Feedback:|\Z)", re.DOTALL)
_FENCED = re.compile(r"-{5,}\s*\n(.+?)\n\s*-{5,}", re.DOTALL)
_EXISTING = re.compile(r"existing YES/NO answer:\s*YES", re.IGNORECASE)
_RESPONSE = re.compile(r"Response:\s*(.+?)\s*(?:Feedback:|\Z)", re.DOTALL)
_QUERY = re.compile(r"Query:\s*(.+?)\s*\n", re.DOTALL)
_POINTS = re.compile(r"is worth (\d) point")
_SCORED = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_ANSWER_OF = r"\[The Start of Assistant {}.{{1,3}}s Answer\]\n(.*?)\n\[The End"
_REFERENCE = re.compile(r"\[The Start of Reference\]\n(.*?)\n\[The End", re.DOTALL)
_ASKED = re.compile(r"\[User Question\]\n(.*?)\n", re.DOTALL)


def judged(prompt: str, system: str) -> str | None:
    """The verdict a prompt asks for in its own form, or None if it asks for none."""
    if "[RESULT]" in prompt:
        return _result(prompt)
    if _EITHER.search(prompt):
        return _yes_or_no(prompt)
    if "a line with only the score" in system + prompt:
        return _score(prompt)
    if "[[A]]" in system + prompt:
        return _better(prompt)
    return None


def _share(of: str, there: str) -> float:
    """The share of one text's words that are in another; none of none are all."""
    asked = stems(of)
    return len(asked & stems(there)) / len(asked) if asked else 1.0


def _yes_or_no(prompt: str) -> str:
    """Whether the context bears out what is told last; examples stand before."""
    told = _INFORMATION.findall(prompt)
    context = _FENCED.findall(prompt) or _CONTEXT.findall(prompt)
    information = told[-1].rpartition("Response:")[2] if told else prompt
    is_so = bool(context) and _share(information, context[-1]) >= _ENOUGH
    return "YES" if is_so or _EXISTING.search(prompt) else "NO"


def _result(prompt: str) -> str:
    """Points for what of the query is met by the response, or by the context."""
    query = _QUERY.search(prompt)
    met = _RESPONSE.search(prompt) or _CONTEXT.search(prompt)
    points = _POINTS.search(prompt)
    most = 2 * int(points[1] if points else 1)
    share = _share(query[1] if query else prompt, met[1] if met else "")
    total = round(most * min(1.0, share / _ENOUGH))
    number = total if "integer number" in prompt else float(total)
    return f"It meets {share:.0%} of what was asked.\n[RESULT] {number}"


def _score(prompt: str) -> str:
    """From 1 to 5, by the reference if there is one, else by the query."""
    parts = {name: text.strip() for name, text in _SCORED.findall(prompt)}
    answer, reference = parts.get("Generated Answer", ""), parts.get("Reference Answer", "")
    wanted = parts.get("User Query", "") if reference.startswith("(") else reference
    share = _share(wanted, answer)
    return f"{1 + round(8 * share) / 2}\nIt says {share:.0%} of what was to be said."


def _better(prompt: str) -> str:
    """Which of two answers says more of the reference, or of the question if there is none."""
    reference, asked = _REFERENCE.search(prompt), _ASKED.search(prompt)
    wanted = (reference[1] if reference else "").strip() or (asked[1] if asked else "")
    first, second = (
        _share(wanted, "".join(re.findall(_ANSWER_OF.format(one), prompt, re.DOTALL)))
        for one in "AB"
    )
    verdict = "C" if first == second else "A" if first > second else "B"
    return f"A says {first:.0%} and B {second:.0%} of what was to be said.\n[[{verdict}]]"
