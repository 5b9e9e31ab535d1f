# ruff: noqa: ARG002 - a hook is given what any of the six may need
"""What every dialect offers: the parts the six have in common, overridden where one differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from freelm_integrations.lab.asked import Ids
from freelm_integrations.lab.dialects.framing import Framing
from freelm_integrations.lab.limits import DAY, LabLimit, Meter, Tripped
from freelm_integrations.lab.loose import Json, compact
from freelm_integrations.lab.refusals import USUAL_FACTS, Check, Facts, Refusal, Refused
from freelm_integrations.lab.replies import Whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freelm_integrations.lab.asked import Asked, Spent
    from freelm_integrations.lab.catalog import LabModel


class Dialect(Framing):
    """How one provider speaks. Holds no state: all of it comes with the request."""

    name: ClassVar[str]
    prefix: ClassVar[str]
    key_prefix: ClassVar[str] = ""
    key_length: ClassVar[int] = 40
    models: ClassVar[Sequence[LabModel]]
    limits: ClassVar[Sequence[LabLimit]] = ()
    refusals: ClassVar[Mapping[str, Refusal]]
    checks: ClassVar[Sequence[Check]] = ()
    size_name: ClassVar[str] = "dimensions"  # of vectors, in a request for them
    open_paths: ClassVar[frozenset[str]] = frozenset()  # answered without a key

    # -- paths and keys -------------------------------------------------------------------------

    def paths(self) -> Mapping[tuple[str, str], str]:
        """(method, path) -> what is served there."""
        return {
            ("POST", f"{self.prefix}/chat/completions"): "chat",
            ("POST", f"{self.prefix}/embeddings"): "embeddings",
            ("GET", f"{self.prefix}/models"): "models",
        }

    def make_key(self, place: int) -> str:
        """A made-up key of the right shape that nobody could take for a real one."""
        ids = Ids(f"lab-key:{self.name}:{place}")
        start = f"{self.key_prefix}lab{place}"
        return start + (ids.alnum(32) + ids.alnum(32, "more"))[: self.key_length - len(start)]

    def missing_key(self, headers: Mapping[str, str]) -> Refused | None:
        """Why the credentials of a request cannot even be looked up, or None if they can."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return None if scheme.lower() == "bearer" and key.strip() else Refused("no_key")

    def find_model(self, wanted: str) -> LabModel | None:
        """The model of this id, listed or not."""
        return next((model for model in self.models if model.id == wanted), None)

    # -- turning down ---------------------------------------------------------------------------

    def refuse(self, kind: str, facts: Facts) -> Whole:
        """The provider's own answer to a request it will not serve."""
        facts = {**USUAL_FACTS, **facts}
        row = self.refusals.get(kind) or self.refusals["malformed"]
        message = row.message.format_map(facts)
        body = self.error_body(row, message, facts)
        return Whole(
            row.status, body, {**self.common_headers(facts), **self.error_headers(row, kind, facts)}
        )

    def error_body(self, row: Refusal, message: str, facts: Facts) -> bytes:
        """The body of an error: the OpenAI envelope unless a dialect has its own."""
        parts = {
            "message": message,
            "type": row.type,
            "param": row.param,
            "code": row.code,
            **row.extra,
        }
        return compact({"error": {name: part for name, part in parts.items() if part is not None}})

    def error_headers(self, row: Refusal, kind: str, facts: Facts) -> Mapping[str, str]:
        """Headers that only errors carry."""
        return {}

    def common_headers(self, facts: Facts) -> Mapping[str, str]:
        """Headers of every answer."""
        return {}

    def tripped(self, trip: Tripped, now: float) -> Refused:
        """How a limit that is used up is told."""
        meter = trip.meter
        facts = {
            "limit": int(meter.limit.amount),
            "used": int(meter.limit.amount - meter.room(now)),
            "requested": int(trip.requested),
            "wait": trip.wait,
            "unit": meter.limit.unit,
            "per": meter.limit.per,
            "left": meter.whole_room(now),
            "tripped": True,
        }
        if meter.limit.amount == 0:
            return Refused("no_allowance", facts)
        if trip.wait == float("inf"):
            return Refused("too_large", facts)
        return Refused("daily_quota" if meter.limit.per >= DAY else "rate_limited", facts)

    def held(self, asked: Asked) -> int:
        """Tokens counted against the limits when a request is let in."""
        return asked.prompt_tokens

    def charged(self, spent: Spent) -> int:
        """Tokens counted once the answer is complete."""
        return spent.total

    def rate_headers(self, meters: Sequence[Meter], now: float) -> Mapping[str, str]:
        """What an answer tells of the limits: nothing unless a dialect does."""
        return {}

    # -- lists ----------------------------------------------------------------------------------

    def listed(self) -> Iterable[LabModel]:
        """The models the list shows, those that answer no more among them."""
        return (model for model in self.models if model.standing != "gone")

    def model_row(self, model: LabModel) -> Json:
        """One row of the list."""
        return {
            "id": model.id,
            "object": "model",
            "created": 1_764_600_000,
            "owned_by": self.name,
            **model.extra,
        }

    def model_list(self) -> bytes:
        """The whole list."""
        return compact(
            {"object": "list", "data": [self.model_row(model) for model in self.listed()]}
        )

    def embeddings(
        self, model: LabModel, vectors: Sequence[list[float]] | Sequence[str], tokens: int
    ) -> bytes:
        """The answer to a request for embeddings."""
        rows = [
            {"object": "embedding", "index": place, "embedding": vector}
            for place, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return compact({"object": "list", "data": rows, "model": model.id, "usage": usage})

    def check_embeddings(self, model: LabModel, body: Json) -> Refused | None:
        """Why a request for embeddings is turned down, or None."""
        return None if body.get("input") else Refused("malformed")

    def error_event(self, asked: Asked) -> bytes:
        """An error in mid-stream, in this provider's own shape."""
        whole = self.refuse("overloaded", {"model": asked.model.id})
        return b"data: " + whole.body.strip() + b"\n\n"

    def catalog(self) -> bytes:
        """A richer list, where the provider has one."""
        return self.model_list()

    def key_state(self, used: int, limit: int) -> bytes:
        """What the provider tells of a key: of so many requests a day, so many are used."""
        return compact({"data": {"limit": limit, "used": used}})
