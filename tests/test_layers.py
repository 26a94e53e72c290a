"""The picture of the layers in docs/layers.svg is that of the code."""

import draw_layers


def test_picture_shows_the_imports() -> None:
    drawn = draw_layers.PICTURE.read_text(encoding="utf-8")
    assert drawn == draw_layers.picture(), "run: python tests/draw_layers.py"
