"""Runs a task and records the execution as a span and a log."""

import logging
import time

import httpx
from opentelemetry import trace
from opentelemetry.trace import Span, StatusCode

from app.tasks.handlers import HANDLERS, Outcome, Result, Task, TaskFailedError

MAX_DELIVERIES = 5
logger = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)


async def execute(task: Task, api: httpx.AsyncClient, deliveries: int = 1) -> Outcome:
    """Run the task's handler; an exception becomes an outcome with status "error".

    `deliveries` is how many times the task was delivered to a worker. After `MAX_DELIVERIES` it
    fails without being run: it probably killed the workers that had it.
    """
    attributes = {"agent_id": task.agent_id, "task_type": task.task_type}
    with tracer.start_as_current_span("agent_execution", attributes=attributes) as span:
        started = time.perf_counter()
        failure: Exception | None = None
        outcome: Outcome
        try:
            result = await _handle(task, api, deliveries)
            outcome = Outcome("success", _milliseconds_since(started), result)
        except Exception as error:  # whatever the user's handler raises
            failure = error
            message = str(error) or type(error).__name__
            outcome = Outcome("error", _milliseconds_since(started), error=message)
        _record(span, task, outcome, failure)
        return outcome


async def _handle(task: Task, api: httpx.AsyncClient, deliveries: int) -> Result:
    if deliveries > MAX_DELIVERIES:
        raise TaskFailedError(f"gave up: {deliveries - 1} workers stopped while running this task")
    handler = HANDLERS.get(task.task_type)
    if handler is None:
        raise TaskFailedError(f"this worker has no handler for task type {task.task_type!r}")
    return await handler(task.text, api)


def _record(span: Span, task: Task, outcome: Outcome, failure: Exception | None) -> None:
    result: dict[str, str | float] = {"duration_ms": outcome.duration_ms, "status": outcome.status}
    if outcome.error is not None:
        result["error"] = outcome.error
    span.set_attributes(result)
    fields = {"agent_id": task.agent_id, "task_type": task.task_type, **result}
    if failure is None:
        logger.info("Agent task completed", extra=fields)
    else:
        span.record_exception(failure)
        span.set_status(StatusCode.ERROR, outcome.error)
        logger.error("Agent task failed", extra=fields, exc_info=failure)


def _milliseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
