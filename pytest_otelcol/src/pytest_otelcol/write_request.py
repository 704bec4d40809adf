"""Prometheus' remote-write message, declared here so that no generated code is needed.

Source: prompb/types.proto and prompb/remote.proto of Prometheus (remote write 1.0). Fields that are
not needed here are left out: protobuf skips unknown fields.
"""

from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor_pb2 import (  # type: ignore[import-untyped]
    FieldDescriptorProto as Field,
)
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool  # type: ignore[import-untyped]
from google.protobuf.message_factory import GetMessageClass  # type: ignore[import-untyped]

MESSAGES: dict[str, dict[str, tuple[int, Any]]] = {
    "Label": {"name": (1, Field.TYPE_STRING), "value": (2, Field.TYPE_STRING)},
    "Sample": {"value": (1, Field.TYPE_DOUBLE), "timestamp": (2, Field.TYPE_INT64)},
    "Exemplar": {
        "labels": (1, "Label"),
        "value": (2, Field.TYPE_DOUBLE),
        "timestamp": (3, Field.TYPE_INT64),
    },
    "Histogram": {"count_int": (1, Field.TYPE_UINT64), "timestamp": (15, Field.TYPE_INT64)},
    "TimeSeries": {
        "labels": (1, "Label"),
        "samples": (2, "Sample"),
        "exemplars": (3, "Exemplar"),
        "histograms": (4, "Histogram"),
    },
    "WriteRequest": {"timeseries": (1, "TimeSeries")},
}


@dataclass(frozen=True)
class Sample:
    """A value and its time in milliseconds since the epoch."""

    value: float
    timestamp: int


@dataclass(frozen=True)
class TimeSeries:
    """The part of a series in one request; an exemplar is a dict of its labels."""

    labels: list[tuple[str, str]]
    samples: list[Sample]
    exemplars: list[dict[str, str]]
    histograms: int


def decode(body: bytes) -> list[TimeSeries]:
    """Return the series of a decompressed write request; raises protobuf's `DecodeError`."""
    return [_time_series(item) for item in WriteRequest.FromString(body).timeseries]


def _time_series(item: Any) -> TimeSeries:
    return TimeSeries(
        labels=[(label.name, label.value) for label in item.labels],
        samples=[Sample(sample.value, sample.timestamp) for sample in item.samples],
        exemplars=[
            {label.name: label.value for label in exemplar.labels} for exemplar in item.exemplars
        ],
        histograms=len(item.histograms),
    )


def _message_class(name: str) -> Any:
    file = FileDescriptorProto(name="write_request.proto", package="prom", syntax="proto3")
    for message, fields in MESSAGES.items():
        described = file.message_type.add(name=message)
        for field, (number, kind) in fields.items():
            nested = isinstance(kind, str)
            described.field.add(
                name=field,
                number=number,
                type=Field.TYPE_MESSAGE if nested else kind,
                type_name=f".prom.{kind}" if nested else None,
                label=Field.LABEL_REPEATED if nested else Field.LABEL_OPTIONAL,
            )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"prom.{name}"))


WriteRequest = _message_class("WriteRequest")
