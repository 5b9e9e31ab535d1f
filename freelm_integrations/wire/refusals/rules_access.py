"""What refusals say of who asks and from where: places, keys, money, plans."""

from __future__ import annotations

from freelm_integrations.wire.refusals.rule import near, rule

_DENIED = (400, 401, 403)
_HERE = (
    r"\b(?:your|this|user|the|from|in|or) (?:\w+ )?"
    r"(?:country|region|location|area|territory|jurisdiction)"
)
_NOT_SERVED = (
    r"\b(?:not|unavailable|unsupported|restricted|blocked|denied|prohibited|forbidden|cannot)\b"
)
_PLACE = near(_HERE, _NOT_SERVED) + r"|\bgeo-?(?:block|restrict|fenc)"
_ADDRESS = r"\bip(?: address)? (?:is |was )?(?:not allowed|blocked|banned|denied)|\bvpn\b"
_CHALLENGE = (
    r"just a moment|checking your browser|attention required|verify (?:that )?you are human"
)
_CREDENTIAL = (
    r"\b(?:api[ -]?key|x-api-key|credentials?|authentication"
    r"|auth(?:orization|entication)? (?:token|key|header)"
    r"|(?:access|bearer|auth|provided|given|supplied|your) token)\b"
)
_BAD = (
    r"\b(?:in(?:valid|correct)|not (?:valid|found|authorized)|missing|wrong|bad|expired|unknown|no"
    r"|revoked|disabled|required|deactivated|suspended|malformed|does not exist|fail(?:s|ed)"
    r"|provide an?)\b"
)
_NO_CREDENTIAL = (
    near(_CREDENTIAL, _BAD, within=r"[^.;\n]{0,30}?")
    + r"|\bkey (?:has been|is|was) (?:revoked|disabled|deactivated|suspended|banned|deleted)"
    r"|(?:无效|错误|过期).{0,6}(?:api|密钥|令牌)|(?:密钥|令牌).{0,6}(?:无效|错误|过期|不正确)"
)
_NO_ACCOUNT = (
    r"\b(?:account|organi[sz]ation|workspace|project|user)\b[^.\n]{0,30}"
    r"\b(?:suspended|deactivated|banned|disabled|terminated|locked|been restricted)\b"
)
# Google's keys that begin with AQ. are refused so here, and taken by its own API (2026-04 to 09).
_OTHER_KIND = (
    "the key may be good, and of a kind that this endpoint does not take: try another kind"
)
_MONEY = r"\b(?:credits?|(?:credit )?balance|funds|billing|payment)\b"
_SPENT = (
    r"\b(?:insufficient|not enough|out of|depleted|exhausted|too low|negative|overdue|in arrears"
    r"|not active|inactive)\b"
)
_NO_MONEY = near(_MONEY, _SPENT) + r"|余额不足|欠费"
_ABOUT_MONEY = rf"{_MONEY}|\bfree trial\b"
_NOT_FOR_YOU = (
    near(
        r"\b(?:your|this|the) (?:\w+ )?(?:plan|tier|subscription|account)\b",
        r"\bnot (?:available|included|include|supported|allowed|enabled|part)\b|\bunavailable\b",
    )
    + r"|requires? an? (?:paid|pro|premium|enterprise|higher|active)\b"
    r"|only available (?:to|for|on|with) (?:\w+ ){0,2}(?:subscribers?|paid|pro|paying|premium)"
    r"|not have (?:the )?access to (?:the |this )?(?:requested )?model"
    r"|not (?:allowed|authorized|permitted|entitled) to (?:use|access|call) (?:the |this )?model"
)
_ABOUT_PLANS = (
    r"\b(?:subscri(?:ption|bers?)|upgrade|plan|tier|premium|enterprise|gated|free users?)\b"
)

WHOLE_PROVIDER = (
    rule("blocked", "model", words="region_restricted"),  # OpenRouter: one model, not the others
    rule("blocked", "model", words="excluded_by_geo excluded_by_data_region"),
    rule("overloaded", "model", text=r"degraded function"),  # NIM: a sick server's 400
    # Cloudflare stands before Groq and others; of its own codes 1015 alone is about frequency.
    rule("blocked", "provider", on=(403,), text=r"error code: 1\d{3}"),
    rule("throttled", "provider", on=(429,), text=r"error code: 1015"),
    rule("blocked", "provider", on=(403, 429, 503), words="html", text=_CHALLENGE),
    rule("blocked", "provider", on=(403, 451), words="html"),
    rule("blocked", "model", text=rf"\bmodel (?:is )?(?:\w+ )?{_NOT_SERVED} .{{0,20}}{_HERE}"),
    rule("blocked", "provider", on=(400, 401, 403, 404, 451), text=_PLACE),
    rule("blocked", "provider", on=(403,), text=_ADDRESS),
    rule("blocked", "provider", words="unsupported_country_region_territory"),
    rule("blocked", "provider", words="github_models_retirement_brownout"),
    rule("blocked", "provider", on=(451,)),
)
KEY = (
    rule("unauthorized", "key", words="api_key_invalid invalid_api_key wrong_api_key"),
    rule("unauthorized", "key", words="incorrect_api_key api_key_expired account_deactivated"),
    rule(
        "unauthorized",
        "key",
        words="access_token_type_unsupported credentials_missing",
        note=_OTHER_KIND,
    ),
    rule("unauthorized", "key", on=_DENIED, text=_NO_CREDENTIAL),
    rule("unauthorized", "key", on=_DENIED, text=r"multiple authentication", note=_OTHER_KIND),
    rule("unauthorized", "key", on=_DENIED, text=_NO_ACCOUNT),
    rule("unauthorized", "key", on=(403,), text=r"reported as leaked|unregistered callers"),
    rule("unauthorized", "key", on=(403,), text=r"denied access|requests to this api .*blocked"),
    rule("unauthorized", "key", on=(403,), text=r"insufficient permissions"),  # Hugging Face
    rule("unauthorized", "key", on=(401,)),
    rule("unauthorized", "key", words="authentication authentication_error unauthenticated"),
)
MONEY = (
    rule("unpaid", "key", on=(400, 402, 429), words="1113 1308"),  # Z.ai says so with a 429
    rule("unpaid", "route", on=(402,), text=r"can only afford|fewer max_tokens"),  # OpenRouter
    rule("unpaid", "account", words="payment_required_error payment_method_required"),
    rule("unpaid", "key", words="payment_required insufficient_quota insufficient_balance"),
    rule("unpaid", "key", words="insufficient_credits insufficient_user_quota arrearage"),
    rule("unpaid", "key", words="billing_not_active account_overdue"),
    rule("unpaid", "key", on=(402,)),
    rule("unpaid", "key", on=(400, 403, 429), text=_NO_MONEY),
    rule("unpaid", "key", on=(403,), text=_ABOUT_MONEY, is_vague=True),
)
ALLOWANCE = (  # of zero: not busy, but never to be had
    rule(
        "not_on_plan",
        "route",
        on=(429,),
        text=r"(?<!remaining )\blimit(?: of|:|=)? ?0\b(?![.,]\d)",  # Google, Groq
    ),
    rule("not_on_plan", "route", words="tier_not_allowed 1910"),  # Mistral
    rule("not_on_plan", "route", words="model_permission_blocked_org"),  # Groq
    rule("not_on_plan", "route", words="model_permission_blocked_project"),
    rule("not_on_plan", "route", words="privacy_restricted"),  # OpenRouter: the account's settings
    rule("not_on_plan", "route", words="excluded_by_data_policy_zdr"),
    rule("not_on_plan", "route", words="excluded_by_data_policy_training"),
    rule("not_on_plan", "route", on=(404,), text=r"data policy"),  # the same, before 2026-08
    rule("not_on_plan", "route", text=r"no longer available to new users"),  # Google
    rule("not_on_plan", "route", on=(404,), text=r"not found for account"),  # NIM
    rule("not_on_plan", "route", on=(400, 403, 404), text=_NOT_FOR_YOU),
    rule("not_on_plan", "route", on=(403,), text=_ABOUT_PLANS, is_vague=True),  # Ollama and others
)
