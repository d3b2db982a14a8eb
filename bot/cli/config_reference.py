"""The reference of config.yaml, written from the models themselves, so that it cannot lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bot.config.channels import MaxChannel, TelegramChannel, VkChannel
from bot.config.email_channel import EmailChannel
from bot.config.loader import Config
from bot.config.website_channel import WebsiteChannel

CHANNELS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("type: telegram", TelegramChannel),
    ("type: vk", VkChannel),
    ("type: max", MaxChannel),
    ("type: website", WebsiteChannel),
    ("type: email", EmailChannel),
)


def config_reference() -> str:
    """docs/config.md: every key with what it does and its default."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# config.yaml: every key"
    yield ""
    yield (
        "Written by `bot config reference`; a test keeps it true. Unknown keys are errors with file, line and"
        " the nearest known key."
    )
    yield (
        'Secrets (`token`, `secret`, `password`, `confirmation`, `api_key`) are given as `"${VARIABLE}"` and'
        " live in the environment, or in the file `.env` beside `config.yaml` (a line `VARIABLE=value` each,"
        " mode 600); the environment comes first."
    )
    for name, field in Config.model_fields.items():
        if name in ("base", "file"):
            continue
        yield ""
        yield f"## `{name}`"
        yield ""
        yield f"{_sentence(field)}"
        yield ""
        if name == "channels":
            yield (
                "Each entry is a named instance; several of one kind may stand side by side. Other packages"
                " bring further types (docs/en/adapters.md)."
            )
            for title, model in CHANNELS:
                yield ""
                yield f"### `{title}`"
                yield ""
                yield from _table(model)
        else:
            yield from _table(_model(field.annotation))


def _table(model: type[BaseModel] | None, prefix: str = "") -> Iterator[str]:
    if model is None:
        return
    if not prefix:
        yield "| key | what it does | default |"
        yield "|---|---|---|"
    for name, field in model.model_fields.items():
        inner = _model(field.annotation)
        if inner is not None:
            yield from _table(
                inner, f"{prefix}{name}[]." if _is_many(field.annotation) else f"{prefix}{name}."
            )
        else:
            yield f"| `{prefix}{name}` | {_sentence(field)} | {_default(field)} |"


def _sentence(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|")


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "required"
    if value is None or value == "":
        return "–"
    if isinstance(value, Mapping):
        value = "{" + ", ".join(f"{k}: {v}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        value = "[" + ", ".join(map(str, value)) + "]"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _model(annotation: Any) -> type[BaseModel] | None:
    """The section behind an annotation, looked for inside tuples, unions and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in get_args(annotation) if (m := _model(a)) is not None), None)


def _is_many(annotation: Any) -> bool:
    return get_origin(annotation) is tuple
