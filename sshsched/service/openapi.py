"""The API document.

Rule: it is made from the very table that the routes are made from, so that neither can lack what the other has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sshsched import __version__
from sshsched.service.answers import Answer, ErrorAnswer, JobsAnswer, OutputAnswer, RunAnswer, SnapshotAnswer
from sshsched.service.bodies import Body

Document = dict[str, Any]
EVENTS: tuple[type[Answer], ...] = (SnapshotAnswer, RunAnswer, OutputAnswer, JobsAnswer)


@dataclass(frozen=True)
class Endpoint:
    """One thing that can be asked. `answer` is a type for JSON, a media type for a stream, None for any JSON object."""

    method: str
    path: str
    handler: str
    summary: str
    answer: type[Answer] | str | None = None
    body: type[Body] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    path_words: Mapping[str, str] = field(default_factory=dict)


def document(endpoints: Sequence[Endpoint]) -> Document:
    """OpenAPI 3.1."""
    types = {kind for each in endpoints for kind in (each.answer, each.body) if isinstance(kind, type)}
    ordered = sorted({*types, *EVENTS, ErrorAnswer}, key=lambda kind: kind.__name__)
    schemas, components = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    refs = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, Document] = {}
    for each in endpoints:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "sshsched",
            "version": __version__,
            "description": "HTTP/1.1 on the Unix socket `socket` in the state folder, for its owner only.",
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(each: Endpoint, refs: Mapping[type, Document]) -> Document:
    found: Document = {
        "operationId": each.handler,
        "summary": each.summary,
        "parameters": [
            *({"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}
              for name, text in each.path_words.items()),
            *({"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
              for name, text in each.query.items()),
        ],
        "responses": {
            str(each.status): {"description": "Done.", "content": _content(each, refs)},
            "default": {
                "description": "Not done: 400 for a mistake, 404 for what is not there, 409 for what cannot be now.",
                "content": {"application/json": {"schema": refs[ErrorAnswer]}},
            },
        },
    }  # fmt: skip
    if each.body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": refs[each.body]}}}
    return found


def _content(each: Endpoint, refs: Mapping[type, Document]) -> Document:
    if isinstance(each.answer, str):
        return {each.answer: {"schema": {"type": "string"}}}
    return {"application/json": {"schema": {"type": "object"} if each.answer is None else refs[each.answer]}}
