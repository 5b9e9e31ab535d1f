"""Further free providers, used where they are asked for: by name, or by a variable that is ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from typing_extensions import Never

from freelm_integrations.environment import variable
from freelm_integrations.errors import ConfigError
from freelm_integrations.providers import PROVIDERS
from freelm_integrations.providers.cloudflare import ACCOUNT_VARIABLE
from freelm_integrations.providers.configured import Provider
from freelm_integrations.providers.keys import fingerprint
from freelm_integrations.providers.options import refuse_unexpected, variable_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freelm_integrations.providers.keys import KeysArgument
    from freelm_integrations.providers.options import ModelsArgument
    from freelm_integrations.providers.spec import Limit

_ACCOUNT_ID = re.compile(r"[A-Za-z0-9_-]+")


class ZAI(Provider):
    """Z.ai's free flash models: `ZAI("...")`."""

    spec = PROVIDERS["zai"]


class Cohere(Provider):
    """Cohere on a trial key, for non-commercial use: `Cohere("...")`."""

    spec = PROVIDERS["cohere"]


class HuggingFace(Provider):
    """Hugging Face's router to many hosts: `HuggingFace("hf_...")`. Spends a monthly credit."""

    spec = PROVIDERS["huggingface"]


class OVHcloud(Provider):
    """OVHcloud AI Endpoints, without a key: `OVHcloud()`. With one, it is paid by the token."""

    spec = PROVIDERS["ovhcloud"]


class Kilo(Provider):
    """Kilo's free models, without a key: `Kilo()`. What they are asked may be trained on."""

    spec = PROVIDERS["kilo"]


class Cloudflare(Provider):
    """Workers AI: `Cloudflare("token", account_id="...")`.

    The id is part of the address. It is no secret, but it is shown as a fingerprint only.
    """

    spec = PROVIDERS["cloudflare"]

    def __init__(
        self,
        keys: KeysArgument = None,
        *,
        account_id: str | None = None,
        tier: str | None = None,
        base_url: str | None = None,
        models: ModelsArgument | None = None,
        prefer: str | Iterable[str] = (),
        priority: int | None = None,
        limits: Iterable[Limit] | None = None,
        account: str | None = None,
        discover: bool = True,
        **unexpected: Never,
    ) -> None:
        """Build the address of the account; see `Provider` for what is not said here.

        Args:
            keys: Tokens of that one account, which share its allowance. None: those of the
                variables, if the account is known.
            account_id: None: `CLOUDFLARE_ACCOUNT_ID`.
            tier: See `Provider`.
            base_url: In place of the address built from the id.
            models: See `Provider`.
            prefer: See `Provider`.
            priority: See `Provider`.
            limits: See `Provider`.
            account: See `Provider`.
            discover: See `Provider`; its list is never asked for.
            **unexpected: See `Provider`.

        Raises:
            ConfigError: Keys are given and no account id is known, or see `Provider`.
        """
        refuse_unexpected(type(self), unexpected)
        named = variable(ACCOUNT_VARIABLE) if account_id is None else account_id.strip()
        if named and not _ACCOUNT_ID.fullmatch(named):
            raise ConfigError("the account id of cloudflare is made of letters and digits alone")
        elsewhere = variable_of(self.spec, "BASE_URL") if base_url is None else base_url
        if not named and elsewhere is None:
            if keys or (keys is None and any(map(variable, self.spec.key_variables))):
                raise ConfigError(
                    "cloudflare needs the id of the account beside its token: pass account_id=..., "
                    f"or set {ACCOUNT_VARIABLE}"
                )
            keys = ()  # half a pair is none
        if named and elsewhere is None:
            elsewhere = self.spec.base_url.format(account_id=named)
        mark = fingerprint(named) if named else None
        super().__init__(
            keys,
            tier=tier,
            base_url=elsewhere,
            models=models,
            prefer=prefer,
            priority=priority,
            limits=limits,
            account=mark if account is None else account,
            discover=discover,
        )
        if named and self.base_url == self.spec.base_url.format(account_id=named):
            vars(self)["id"] = f"{self.name}@{mark}"
