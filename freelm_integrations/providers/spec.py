"""What is declared about providers, tiers, limits and models. Frozen data: nothing here acts."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Literal

from freelm_integrations.wire.requests import room

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.wire.dialect import Dialect

Unit = Literal["requests", "tokens", "input_tokens", "output_tokens"]
Reset = Literal["rolling", "utc_day", "pacific_day", "utc_month"]
Countable = Literal["tools", "stops", "images", "links", "inline", "recursions"]
"""What a request may have too many of: tools, stop sequences, images, images given by a link,
characters of images, sound and files that are written into it, and schemas that refer to
themselves."""

EFFORTS = room.EFFORTS
EACH = "*"
"""What `Limit.model` says of a limit that every model has for itself."""
DAY = 86_400.0
MONTH = 30 * DAY


@dataclass(frozen=True, slots=True)
class Limit:
    """So many units per window: `Limit(30, "requests", per=60)` is 30 requests a minute.

    `per` is the window's length in seconds. `resets` says how it empties: `rolling` refills
    steadily, the others start anew at a calendar moment. Limits count per account; keys are their
    own accounts unless told otherwise. `model` says what counts in a limit given to a provider:
    None all models of the account together, `EACH` ("*") every model apart, an id or a family that
    model alone. (A tier or a `ModelSpec` says so by the place a limit has there.)
    """

    amount: float
    unit: Unit = "requests"
    _: KW_ONLY
    per: float = 60.0
    resets: Reset = "rolling"
    model: str | None = None


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One concrete model at one provider.

    `context` is prompt plus answer, `output` the longest answer, both in tokens, None for unknown.
    `family` names the same open-weights model across providers. `tags` are what models are asked
    for by: `fast`, `large`, `small`, `tools`, `vision`, `audio`, `files`, `video` (what it takes
    beside text), `reasoning` (thinks before it speaks), `json_schema`. `limits` hold for this model
    alone, in place of all else that is said of it. `free` is False for what is known to cost money.
    `lacks` is what others can usually do and this one is known not to: `forced_tool`,
    `parallel_calls` (several in one turn), `json_mode`, `json_schema`, and `effort_none` and the
    like for the words of `EFFORTS` it does not take; it is asked in words or others. `aliases` are
    its other ids: whoever asks for one of them gets it. `retires_on` is the announced day of its
    end (ISO, `2026-12-01`).
    """

    id: str
    _: KW_ONLY
    tags: tuple[str, ...] = ()
    context: int | None = None
    output: int | None = None
    family: str | None = None
    limits: tuple[Limit, ...] | None = None
    free: bool = True
    lacks: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    retires_on: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderSpec(ModelSpec):
    """One embedding model at one provider: never a candidate of a chat.

    Models of one `family` give the same vectors wherever they are served, of `dimensions` numbers
    (None: unknown until the first answer); `sizes` are the shorter lengths it can be asked for. Of
    one request: `batch` is the most texts, `batch_tokens` the most tokens of all of them together
    (None: not known). `longest` is the most tokens of a single text. The tag `asymmetric` is of
    models that must be told whether a text is a query or a passage.
    """

    dimensions: int | None = None
    sizes: tuple[int, ...] = ()
    batch: int = 32
    batch_tokens: int | None = None
    longest: int | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """A named set of limits.

    `shared` count all models of an account together, `each_model` every model apart; `by_model` are
    those of the models, by id, that differ from `each_model`. `at_once` is how many calls of an
    account one model serves at a time, None for any number; this process' own calls are counted.
    """

    shared: tuple[Limit, ...] = ()
    each_model: tuple[Limit, ...] = ()
    by_model: Mapping[str, tuple[Limit, ...]] = field(
        default_factory=dict[str, "tuple[Limit, ...]"]
    )
    at_once: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """How much of an answer counts against the token limits before it is there.

    So a request is let in only where its prompt and that much fit; what was not used is given back.
    At most `most` tokens of the output limit count (None: all of it), `unnamed` where the request
    names none (None: not known).
    """

    most: int | None = None
    unnamed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """One API endpoint and its published rules.

    `key_variables` switch the provider on where one is set; `usual_variables`, which other programs
    read as well, are read where it is asked for. `models` is the built-in list, best first: the
    fast plain instruct model leads, models that think come last. The first of `tiers` holds unless
    another is asked for. `trains` says whether the free tier may train on prompts (None: not
    known). `chat_exclude` are name parts of listed models that do not chat, `chat_include` the
    beginnings of those that do (empty: all). `free_suffix` marks the free ones where only some are;
    where all but a few are, `costly` are name parts of those few. `list_path` is where its models
    are listed, from the base URL on (`..` goes up), None where that costs something or there is no
    list. `headers` have lower-case names. `embedders` are its embedding models, best first.
    `at_most` is how many of a thing one request may have here, `hardly_beyond` the same where that
    is not sure: such models are asked where nobody else can be. `retires` are announced days of the
    end (ISO) by the beginnings of ids, for models whose list tells none. `patience` is how many
    times as long as elsewhere an attempt may be silent here, where models are loaded on demand or
    queue: others are asked beside it as early as ever. `quota_path` is where it tells what is left
    of a key's quota, from the base URL on, None where it does not; asked beside the list of models.
    `images` are the kinds of images it takes (`png`, `jpeg`), empty where that is not known.
    `details` are paths where a local server tells of its models what its list does not; where the
    second is there, each model is asked for by it (POST) if the first is answered.
    `alike` tells by the beginnings of ids what listed models are like that are not in `models`,
    where the list does not say. `reserves` is what of an answer counts when its request is let in,
    None where it counts once it is there. `counts_cached` is whether tokens of a prompt that were
    cached count against the limits. `throttled_for` are the seconds that a model rests after a
    quota's refusal that names no time: the first time, and at most; None for what is usual.
    `throttled_models` is how many models of an account must say so before all of its rest; None
    for any number, as quotas are told model by model. `priority` is its place unless the user gives
    another: those of a lower one are asked before it.
    """

    name: str
    title: str
    base_url: str
    key_page: str
    key_variables: tuple[str, ...]
    usual_variables: tuple[str, ...] = ()
    key_prefixes: tuple[str, ...] = ()
    dialect: Dialect
    models: tuple[ModelSpec, ...]
    tiers: Mapping[str, Tier] = field(default_factory=dict[str, Tier])
    trains: bool | None = None
    needs_key: bool = True
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    chat_exclude: tuple[str, ...] = ()
    chat_include: tuple[str, ...] = ()
    free_suffix: str | None = None
    costly: tuple[str, ...] = ()
    list_path: str | None = "/models"
    embedders: tuple[EmbedderSpec, ...] = ()
    at_most: Mapping[Countable, int] = field(default_factory=dict["Countable", int])
    hardly_beyond: Mapping[Countable, int] = field(default_factory=dict["Countable", int])
    retires: Mapping[str, str] = field(default_factory=dict[str, str])
    patience: float = 1.0
    quota_path: str | None = None
    images: frozenset[str] = frozenset()
    details: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    reserves: Reserved | None = None
    counts_cached: bool = True
    throttled_for: tuple[float, float] | None = None
    throttled_models: int | None = None
    priority: int = 0
    alike: Mapping[str, ModelSpec] = field(default_factory=dict[str, ModelSpec])
