from pathlib import Path

from otelcol_runner.configs import list_owners, merged, null_values, shared_lists

CONFIGS = Path(__file__).parent / "configs"
BASE, METRICS, BREAKS = (CONFIGS / f"{name}.yaml" for name in ("base", "metrics", "breaks-a-list"))


def test_a_list_that_two_files_write_is_found_with_its_files() -> None:
    assert shared_lists([BASE, METRICS]) == {}
    assert shared_lists([BASE, BREAKS]) == {"service.pipelines.traces.exporters": [BASE, BREAKS]}
    assert list_owners([METRICS])["service.pipelines.metrics.receivers"] == [METRICS]


def test_a_key_without_a_value_is_found() -> None:
    assert null_values(BASE) == []
    assert null_values(BREAKS) == ["exporters.debug"]


def test_files_merge_as_the_collector_merges_them(tmp_path: Path) -> None:
    empty = tmp_path / "comments.yaml"
    empty.write_text("# nothing\n")
    pipelines = merged([BASE, METRICS, BREAKS, empty])["service"]["pipelines"]
    assert pipelines["traces"] == {"receivers": ["otlp"], "exporters": ["debug"]}
    assert pipelines.keys() == {"traces", "logs", "metrics"}
