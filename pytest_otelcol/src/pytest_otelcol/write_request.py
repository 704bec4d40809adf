"""Prometheus' remote-write messages, declared here so that no generated code is needed.

Source: prompb/types.proto and prompb/remote.proto (remote write 1.0) and
prompb/io/prometheus/write/v2/types.proto (2.0) of Prometheus. Fields that are not needed here are
left out: protobuf skips unknown fields.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor_pb2 import (  # type: ignore[import-untyped]
    FieldDescriptorProto as Field,
)
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool  # type: ignore[import-untyped]
from google.protobuf.message_factory import GetMessageClass  # type: ignore[import-untyped]

V1, V2 = "prometheus.WriteRequest", "io.prometheus.write.v2.Request"
# A field's number and type: a scalar or a message's name, in a list where it is repeated.
Messages = Mapping[str, Mapping[str, tuple[int, Any]]]
HISTOGRAM = {"count_int": (1, Field.TYPE_UINT64), "timestamp": (15, Field.TYPE_INT64)}
SAMPLE = {"value": (1, Field.TYPE_DOUBLE), "timestamp": (2, Field.TYPE_INT64)}
FIRST: Messages = {
    "Label": {"name": (1, Field.TYPE_STRING), "value": (2, Field.TYPE_STRING)},
    "Sample": SAMPLE,
    "Exemplar": {"labels": (1, ["Label"])},
    "Histogram": HISTOGRAM,
    "TimeSeries": {
        "labels": (1, ["Label"]),
        "samples": (2, ["Sample"]),
        "exemplars": (3, ["Exemplar"]),
        "histograms": (4, ["Histogram"]),
    },
    "WriteRequest": {"timeseries": (1, ["TimeSeries"])},
}
SECOND: Messages = {
    "Sample": SAMPLE,
    "Exemplar": {"labels_refs": (1, [Field.TYPE_UINT32])},
    "Histogram": HISTOGRAM,
    "Metadata": {
        "type": (1, Field.TYPE_INT32),  # on the wire an enum is an int32
        "help_ref": (3, Field.TYPE_UINT32),
        "unit_ref": (4, Field.TYPE_UINT32),
    },
    "TimeSeries": {
        "labels_refs": (1, [Field.TYPE_UINT32]),
        "samples": (2, ["Sample"]),
        "histograms": (3, ["Histogram"]),
        "exemplars": (4, ["Exemplar"]),
        "metadata": (5, "Metadata"),
    },
    "Request": {"symbols": (4, [Field.TYPE_STRING]), "timeseries": (5, ["TimeSeries"])},
}
TYPES = (
    "",
    "counter",
    "gauge",
    "histogram",
    "gaugehistogram",
    "summary",
    "info",
    "stateset",
)


@dataclass(frozen=True)
class Sample:
    """A value and its time in milliseconds since the epoch."""

    value: float
    timestamp: int


@dataclass(frozen=True)
class Metadata:
    """What remote write 2.0 says about a series: type ("counter"; "" if unknown), unit and help."""

    type: str = ""
    unit: str = ""
    help: str = ""


@dataclass(frozen=True)
class TimeSeries:
    """The part of a series in one request; an exemplar is a dict of its labels."""

    labels: list[tuple[str, str]]
    samples: list[Sample]
    exemplars: list[dict[str, str]]
    histograms: int
    metadata: Metadata | None = None


def decode(body: bytes) -> list[TimeSeries]:
    """Return the series of a decompressed request of 1.0; raises protobuf's `DecodeError`."""
    return [
        TimeSeries(
            labels=_pairs(item.labels),
            samples=_samples(item.samples),
            exemplars=[dict(_pairs(exemplar.labels)) for exemplar in item.exemplars],
            histograms=len(item.histograms),
        )
        for item in WriteRequest.FromString(body).timeseries
    ]


def decode_v2(body: bytes) -> list[TimeSeries]:
    """Return the series of a decompressed request of 2.0.

    Raises:
        DecodeError: it is not that message.
        IndexError: it refers to a symbol that it does not have.
        ValueError: a label has no value, the first symbol is not empty, or the type is unknown.
    """
    request = RequestV2.FromString(body)
    symbols: Sequence[str] = request.symbols
    if symbols[0]:
        raise ValueError("the first symbol must be the empty string")

    return [
        TimeSeries(
            labels=_resolved(item.labels_refs, symbols),
            samples=_samples(item.samples),
            exemplars=[dict(_resolved(one.labels_refs, symbols)) for one in item.exemplars],
            histograms=len(item.histograms),
            metadata=Metadata(
                TYPES[item.metadata.type],
                symbols[item.metadata.unit_ref],
                symbols[item.metadata.help_ref],
            ),
        )
        for item in request.timeseries
    ]


def _pairs(labels: Iterable[Any]) -> list[tuple[str, str]]:
    return [(label.name, label.value) for label in labels]


def _resolved(refs: Sequence[int], symbols: Sequence[str]) -> list[tuple[str, str]]:
    pairs = zip(refs[::2], refs[1::2], strict=True)
    return [(symbols[name], symbols[value]) for name, value in pairs]


def _samples(samples: Iterable[Any]) -> list[Sample]:
    return [Sample(sample.value, sample.timestamp) for sample in samples]


def _message_class(package: str, name: str, messages: Messages) -> Any:
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for message, fields in messages.items():
        described = file.message_type.add(name=message)
        for field, (number, declared) in fields.items():
            repeated = isinstance(declared, list)
            kind = declared[0] if repeated else declared
            nested = isinstance(kind, str)
            described.field.add(
                name=field,
                number=number,
                type=Field.TYPE_MESSAGE if nested else kind,
                type_name=f".{package}.{kind}" if nested else None,
                label=Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL,
            )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))


WriteRequest = _message_class("prometheus", "WriteRequest", FIRST)
RequestV2 = _message_class("io.prometheus.write.v2", "Request", SECOND)
