"""What refusals say of the request: its length and size, what it needs, what it says."""

from __future__ import annotations

from freelm_integrations.wire.refusals.rule import near, rule

_REQUEST = (400, 403, 404, 409, 412, 413, 422)
_BODY = (400, 413, 422, 500)
# Of one sentence, and not about an image or a name in the input.
_ALONG = r"(?:(?!image|file|audio|name|array|schema|minute|per day)(?:[^.;\n]|\.(?=\S))){0,60}?"
_LONG = near(
    r"\b(?:context|prompt|inputs?|messages?(?![.\[\w])|conversation|text|history|tokens|seq_len"
    r"|max_seq_len|model length|sequence length)\b",
    r"\b(?:exceed(?:s|ed|ing)?|too (?:long|large|big)|longer than|shorten|must be <=)|<= \d"
    r"|must have less than \d",
    within=_ALONG,
)
_ABOUT_LENGTH = r"token limit|range of input length|最大上下文|上下文长度"
_LACKS = (
    r"(?:does not|doesn't|do not|cannot) (?:currently )?support (?:the )?"
    r"(?:tool|image|vision|func|response|json|structured|multi|stream|parallel)"
)
_NOT_TOGETHER = r"incompatible with|cannot (?:be )?(?:used?|combined?)\b[^.\n]{0,60} with\b"
_IS_LACKED = (
    r"\b(?:tools?(?: use| calling| calls?)?|function calling|images?(?: inputs?)?|vision|streaming"
    r"|response_format(?: \w+)?|json (?:mode|schema)|structured outputs?|tool_choice) +"
    r"(?:is|are) not (?:currently )?supported|not a (?:multimodal|vision)"
)
_LAST_WORD = (  # the assistant may not have it here; elsewhere that is continued
    r"model turn|\bprefill|expected last role|must end with (?:a|the) user|last message must be"
    r" (?:from )?(?:a|the) user"
)
_IMPROPER = (
    r"flagged|moderation|content[ -](?:policy|management|filter|exists risk)|usage polic|\bsafety\b"
    r"|inappropriate|(?<!case-)(?<!case )\bsensitive|\bharmful|\bunsafe\b"
    r"|violat\w* (?:\w+ ){0,4}(?:polic|guideline|terms)|敏感|违规"
)
_MISWRITTEN = (  # Groq says it without its code, too
    r"tool call validation failed|failed to (?:call a function|(?:validate|generate) json)"
    r"|tool choice is \w+, but (?:the )?model|attempted to call tool"
)

LENGTH = (
    rule("too_long", words="context_length_exceeded exceed_context_size_error"),
    rule("too_long", words="context_window_exceeded context_window_exceeded_error"),
    rule("too_long", words="token_limit_exceeded max_tokens_exceeded string_too_long"),
    rule("too_long", words="excluded_by_context_length"),  # OpenRouter: no host has room for it
    rule("too_long", on=_BODY, words="3051 1261"),  # Mistral, Z.ai
    rule("too_long", on=_BODY, text=r"maximum context length|context length is only"),
    rule("too_long", on=_BODY, text=r"input token count .*exceeds|reduce the length"),
    rule("too_long", on=_BODY, text=_LONG),
    rule("too_long", on=_BODY, text=_ABOUT_LENGTH),
    rule("too_long", on=_BODY, text=r"tokens to keep|too many tokens|provide a shorter"),
)
TOO_MUCH = (
    rule("too_large", "route", text=r"make sure your payload is below|request too large"),
    rule("too_large", "route", on=(400,), text=r"payload size exceeds"),
    rule("too_large", "route", on=(500,), text=r"too large to process"),  # llama.cpp
)
TOO_BIG = (rule("too_large", "route", on=(413,)),)  # a minute's tokens (Groq), or the body

ABILITY = (  # the model, or the upstream behind it, cannot do what this request needs
    rule("unsupported", "route", on=_REQUEST, words="constraint_filtered not_supported_error"),
    rule("unsupported", "route", on=(404,), text=r"no endpoints found that"),
    rule("unsupported", "route", on=(404,), text=r"requested parameters|guardrail restrictions"),
    rule("unsupported", "route", on=_REQUEST, text=r"enable-auto-tool-choice|tool-call-parser"),
    rule("unsupported", "route", on=_REQUEST, text=r"only supports single tool-calls"),
    rule("unsupported", "route", on=_REQUEST, text=_LACKS),
    rule("unsupported", "route", on=_REQUEST, text=_IS_LACKED),
    rule("unsupported", "route", on=_REQUEST, text=r"calling with a response mime type"),
    rule("unsupported", "route", on=_REQUEST, text=r"missing a thought_signature"),
    rule("unsupported", "route", on=_REQUEST, text=_NOT_TOGETHER),  # elsewhere they may
    rule("unsupported", "route", on=_REQUEST, text=_LAST_WORD),
    rule("unsupported", "route", on=(501,)),
)
WRITING = (  # what the model wrote was of no use
    rule("tool_failed", words="tool_use_failed json_validate_failed"),  # Groq
    rule("tool_failed", on=(400, 422), fields="failed_generation"),
    rule("tool_failed", on=(400, 422), text=_MISWRITTEN),
    rule("tool_failed", on=(422,), text=r"model (?:generated|wrote)|hallucinat"),
)
REQUEST_ITSELF = (
    rule("moderated", "call", words="content_policy_violation refusal content_filter moderation"),
    rule("moderated", "call", words="data_inspection_failed responsible_ai_policy_violation"),
    rule("moderated", "call", on=(400, 403), fields="flagged_input patterns"),  # OpenRouter
    rule("moderated", "call", on=(400, 403), text=_IMPROPER),
    rule("malformed", "call", words="invalid_request_message_order invalid_function_call"),
    rule("malformed", "call", words="invalid_request_assistant_message 3230 3240 3280"),  # Mistral
    rule("malformed", "call", words="invalid_image image_too_large image_too_small"),
    rule("malformed", "call", words="unsupported_image_format image_download_failed"),
    rule("malformed", "call", words="image_not_found invalid_prompt precondition_failed"),
)
