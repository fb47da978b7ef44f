"""A target and its options become a task: all schema and prompt work, done once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from assay.coerce import Coercer
from assay.coerce.conventions import known
from assay.connect.connection import Connection
from assay.engine import Modes, Task, WireSchema, prompt
from assay.engine.prompt import Prompt
from assay.errors import ConfigurationError
from assay.ground import as_printed, marked
from assay.options import Options
from assay.schema.as_written import as_written
from assay.schema.example import example, example_text
from assay.schema.not_stated import abstaining, may_abstain
from assay.schema.passes import form, undo
from assay.schema.render import render
from assay.target.build import Target
from assay.types import JSON, JSONObject, Mode, Params, Profile, PromptStyle

T = TypeVar("T")


def compile_task(target: Target[T], options: Options, connection: Connection) -> Task[T]:
    """Everything that the engine needs and that does not depend on the source."""
    profile = connection.profile
    sent = wire(asked(target, options, profile), profile)
    able = _able(profile, sent) if options.mode == "auto" else (options.mode, *_weaker(options.mode, profile))
    if options.budget is not None and options.budget.cost is not None and connection.price is None:
        raise ConfigurationError(f"the price of {connection.model} is not known: give the budget in tokens, Budget(tokens=...)")
    return Task(
        target=target,
        prompt=compose(target, options, profile),
        profile=profile,
        modes=Modes(able, connection.learnt),
        model=connection.model,
        wire=sent,
        coercer=Coercer(target.json_schema, target.marks, strict=options.strict, name=target.name, wrapper=target.wrapper),
        strict=options.strict,
        context=options.context,
        params=Params(
            temperature=options.temperature if profile.temperature else None,
            max_tokens=options.max_tokens or profile.max_tokens,
            prompt_cache=options.prompt_cache,
            logprobs=options.logprobs,
        ),
        retries=options.retries,
        budget=options.budget,
        price=connection.price,
        as_written=copies(options, profile),
        locale=None if options.locale is None else known(options.locale),
        ground=options.ground,
        marked=marked(target.json_schema),
    )


def compose(target: Target[Any], options: Options, profile: Profile) -> Prompt:
    """The static prompt: rules, schema, instructions, checked examples."""
    style = options.prompt_style or profile.prompt_style
    schema, instructions = asked(target, options, profile), options.instructions or ""
    examples: list[tuple[str, JSON]] = [(text, target.dump(value)) for text, value in options.examples]
    if copies(options, profile):
        examples = [(text, as_printed(value, text, target.json_schema)) for text, value in examples]
        instructions = f"{prompt.COPY}\n{instructions}".rstrip()
    if not examples and profile.worked_example:
        answer = example(schema)
        examples = [(example_text(answer), answer)]
    rendered = render(schema, PromptStyle(style))
    return prompt.compose(rendered, style, instructions=instructions, examples=examples)


def copies(options: Options, profile: Profile) -> bool:
    """Whether numbers, dates and times are to be copied as they are printed."""
    return (options.values or profile.values) == "as_written"


def asked(target: Target[Any], options: Options, profile: Profile) -> JSONObject:
    """The schema that the model is asked for."""
    schema = as_written(target.json_schema) if copies(options, profile) else target.json_schema
    return abstaining(schema) if may_abstain(schema) else schema


def _able(profile: Profile, sent: Mapping[Mode, WireSchema]) -> tuple[Mode, ...]:
    """The modes that are of use for this target."""
    return tuple(m for m in profile.modes if not (profile.exact and m is Mode.JSON_SCHEMA and not sent[m].strict))


def _weaker(mode: Mode, profile: Profile) -> tuple[Mode, ...]:
    """The modes to which a mode that the user chose may be stepped down."""
    order = tuple(Mode)
    return tuple(m for m in order[order.index(mode) + 1 :] if m in profile.modes or m is Mode.TEXT)


def wire(schema: JSONObject, profile: Profile) -> Mapping[Mode, WireSchema]:
    """A schema as each mode sends it."""
    formed, strict = form(schema, profile.dialect)
    full = WireSchema(formed, strict and profile.strict, undo(schema, profile.dialect))
    return {Mode.JSON_SCHEMA: full, Mode.TOOLS: full, Mode.JSON: WireSchema(), Mode.TEXT: WireSchema()}


def fingerprint(task: Task[Any], connection: Connection) -> str:
    """A hash over everything that changes an answer, besides the source."""
    parts: dict[str, Any] = {
        "schema": task.target.json_schema,
        "prompt": [[message.role, message.content] for message in task.prompt.prefix],
        "model": task.model,
        "server": connection.endpoint.base_url,
        "modes": task.profile.modes,
        "strict": task.strict,
        "params": [task.params.temperature, task.params.max_tokens, task.params.seed, task.params.reasoning_effort],
    }
    if task.locale is not None:
        parts["locale"] = task.locale
    if task.ground != "off":
        parts["ground"] = task.ground
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
