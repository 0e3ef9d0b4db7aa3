"""The HTTP application: routes, and every error as one line of JSON."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sshsched import errors
from sshsched.service.api import Api
from sshsched.service.endpoints import ENDPOINTS
from sshsched.service.openapi import Endpoint
from sshsched.service.query import only

STATUS: tuple[tuple[type[errors.SshschedError], int], ...] = (
    (errors.UsageError, 400),
    (errors.ConfigError, 400),
    (errors.NotFoundError, 404),
    (errors.RefusedError, 409),
    (errors.StoreBusyError, 503),
    (errors.HostError, 502),
)
log = logging.getLogger(__name__)


def make_app(api: Api, endpoints: Sequence[Endpoint] = ENDPOINTS) -> Starlette:
    """The application; `api` answers what the table of endpoints names."""
    return Starlette(
        routes=[_route(api, each) for each in endpoints],
        exception_handlers={errors.SshschedError: _known, HTTPException: _no_such_path, Exception: _unexpected},
    )


def _route(api: Api, endpoint: Endpoint) -> Route:
    handler = getattr(api, endpoint.handler)

    async def answer(request: Request) -> Response:
        only(request.query_params, endpoint.query)
        found = await handler(request)
        return found if isinstance(found, Response) else _json(found, endpoint.status)

    return Route(endpoint.path, answer, methods=[endpoint.method])


def _json(found: Any, status: int) -> Response:
    return Response(msgspec.json.encode(found), status, media_type="application/json")


def _error(message: str, exit_code: int, status: int) -> Response:
    return _json({"error": message, "exit_code": exit_code}, status)


async def _known(_request: Request, error: Exception) -> Response:
    status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    return _error(str(error), getattr(error, "exit_code", 125), status)


async def _no_such_path(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    what = f"{request.method} {request.url.path}"
    return _error(f"{what}: this scheduler knows no such request; /v1/openapi.json lists what it knows", 125, status)


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _error(f"the scheduler failed on this request: {error!r}; its log tells more", 125, 500)
