"""Logfire's dashboards: every saved query is on one, and every panel has its place."""

import json

from alerts import boards

BOARDS = boards.boards()


def test_every_saved_query_is_on_a_dashboard() -> None:
    drawn = {panel.query for board in BOARDS for panel in board.panels}
    saved = {path.stem for path in (boards.FOLDER / "queries").iterdir()}
    assert saved - drawn == {"requests"}  # the example of docs/sampling.md: the same without routes


def test_every_layout_position_holds_a_panel_and_none_overlap() -> None:
    for path in boards.files():
        spec = json.loads(path.read_text())["spec"]
        (grid,) = spec["layouts"]
        places = grid["spec"]["items"]
        named = [place["content"]["$ref"].removeprefix("#/spec/panels/") for place in places]
        assert named == list(spec["panels"])
        cells = [
            (x, place["y"])
            for place in places
            for x in range(place["x"], place["x"] + place["width"])
        ]
        assert len(cells) == len(set(cells))
        assert max(x for x, _ in cells) < boards.COLUMNS


def test_no_variable_shadows_one_of_the_service() -> None:
    assert "resolution" not in {name for board in BOARDS for name in board.variables}
