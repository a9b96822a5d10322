"""Painting of single figures: persons with their dress, and badges in their frames."""

from colorsys import hsv_to_rgb
from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw

from concept_sets.world.looks import BadgeLook, GroupLook

Colour = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Individual:
    """Traits that stay the same in every picture of one person or one thing."""

    hue_shift: float
    """Degrees added to every colour."""

    breadth: float
    """Width over usual width."""

    light: float
    """Brightness of the colours, 0 to 1."""

    detail: float
    """Size of pattern, headgear and inner shape over the usual size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and how a figure stands in one picture; lengths in pixels."""

    x: float
    ground: float
    height: float
    lean: float
    """Sideways shift of the top as a share of the height."""


def new_individual(rng: np.random.Generator) -> Individual:
    """Draw the traits of one person or thing."""
    return Individual(
        hue_shift=float(rng.normal(0, 6)),
        breadth=float(rng.uniform(0.8, 1.2)),
        light=float(rng.uniform(0.72, 0.95)),
        detail=float(rng.uniform(0.8, 1.25)),
    )


def colour(hue: float, saturation: float, value: float) -> Colour:
    """Turn degrees and two shares into RGB bytes."""
    red, green, blue = hsv_to_rgb((hue % 360) / 360, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def paint_person(
    picture: Image.Image, look: GroupLook | None, traits: Individual, place: Place
) -> None:
    """Paint a person of a people, or a grey figure without dress where ``look`` is None."""
    draw = ImageDraw.Draw(picture)
    body = colour(look.hue + traits.hue_shift, 0.6, traits.light) if look else (150, 150, 150)
    top = place.x + place.lean * place.height
    h, half = place.height, 0.2 * place.height * traits.breadth
    for side in (-0.45, 0.45):
        foot = (place.x + side * half * 1.3, place.ground)
        draw.line([(place.x + side * half, place.ground - 0.25 * h), foot], body, round(0.07 * h))
    shoulder = place.ground - 0.58 * h
    for side in (-1, 1):
        hand = (place.x + side * half * 1.45, place.ground - (0.32 + 0.8 * place.lean * side) * h)
        draw.line(
            [((place.x + top) / 2 + side * half * 0.7, shoulder), hand], body, round(0.06 * h)
        )
    _paint_torso(picture, look, traits, place)
    head = (top, place.ground - 0.74 * h)
    r = 0.15 * h
    draw.ellipse([head[0] - r, head[1] - r, head[0] + r, head[1] + r], body)
    for side in (-0.4, 0.4):
        eye = (head[0] + side * r, head[1])
        draw.ellipse([eye[0] - r / 6, eye[1] - r / 6, eye[0] + r / 6, eye[1] + r / 6], (20, 20, 20))
    if look:
        hat = colour(look.cloth + 180 + traits.hue_shift, 0.75, traits.light)
        _HEADGEAR[look.headgear](draw, head, r * traits.detail, hat)


def _paint_torso(
    picture: Image.Image, look: GroupLook | None, traits: Individual, place: Place
) -> None:
    half, h = 0.22 * place.height * traits.breadth, place.height
    top, bottom = place.ground - 0.62 * h, place.ground - 0.2 * h
    middle = place.x + place.lean * h * 0.6
    widths = {"square": (1, 1), "wedge": (1.25, 0.6), "bell": (0.6, 1.3), "round": (1, 1)}
    mask = Image.new("L", picture.size, 0)
    shape = ImageDraw.Draw(mask)
    if look is not None and look.torso == "round":
        shape.ellipse([middle - half * 1.1, top, middle + half * 1.1, bottom], 255)
    else:
        a, b = widths[look.torso if look else "square"]
        corners = [(middle - a * half, top), (middle + a * half, top)]
        corners += [(place.x + b * half, bottom), (place.x - b * half, bottom)]
        shape.polygon(corners, 255)
    if look is None:
        picture.paste((110, 110, 110), mask=mask)
        return
    base = colour(look.cloth + traits.hue_shift, 0.7, traits.light)
    mark = colour(look.cloth + traits.hue_shift + 30, 0.25, 0.35 + 0.65 * (traits.light < 0.84))
    picture.paste(
        _cloth(picture.size, look.pattern, base, mark, 0.09 * h * traits.detail, place), mask=mask
    )


def _cloth(
    size: tuple[int, int], pattern: str, base: Colour, mark: Colour, step: float, place: Place
) -> Image.Image:
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    u, v = (x - place.x) / step, (y - place.ground) / step
    on = {
        "bands": v % 2 < 1,
        "columns": u % 2 < 1,
        "dots": (u % 1.6 - 0.8) ** 2 + (v % 1.6 - 0.8) ** 2 < 0.25,
        "checks": (np.floor(u) + np.floor(v)) % 2 == 0,
        "zigzag": (v + np.abs(u % 2 - 1)) % 1.6 < 0.7,
        "diagonal": (u + v) % 2 < 0.8,
        "belt": np.abs(v + 4.2) < 0.8,
        "triangles": (v % 1.6) / 1.6 < 1 - np.abs(u % 2 - 1),
    }[pattern]
    return Image.fromarray(np.where(on[..., None], mark, base).astype(np.uint8))


def _polygon(
    draw: ImageDraw.ImageDraw, centre: Point, r: float, fill: Colour, points: list[Point]
) -> None:
    draw.polygon([(centre[0] + r * x, centre[1] + r * y) for x, y in points], fill)


def _box(draw: ImageDraw.ImageDraw, centre: Point, r: float, fill: Colour, *edges: float) -> None:
    left, top, right, bottom = edges
    box = [centre[0] + r * left, centre[1] + r * top, centre[0] + r * right, centre[1] + r * bottom]
    draw.rectangle(box, fill)


def _antennae(draw: ImageDraw.ImageDraw, head: Point, r: float, fill: Colour) -> None:
    for side in (-1, 1):
        tip = (head[0] + side * 0.9 * r, head[1] - 2.1 * r)
        draw.line([(head[0] + side * 0.4 * r, head[1] - 0.8 * r), tip], fill, round(0.28 * r))
        ball = 0.35 * r
        draw.ellipse([tip[0] - ball, tip[1] - ball, tip[0] + ball, tip[1] + ball], fill)


def _halo(draw: ImageDraw.ImageDraw, head: Point, r: float, fill: Colour) -> None:
    box = [head[0] - 1.7 * r, head[1] - 1.7 * r, head[0] + 1.7 * r, head[1] + 1.7 * r]
    draw.ellipse(box, outline=fill, width=round(0.3 * r))


def _leaves(draw: ImageDraw.ImageDraw, head: Point, r: float, fill: Colour) -> None:
    for shift in (-0.9, 0.0, 0.9):
        box = [head[0] + (shift - 0.4) * r, head[1] - 2.1 * r + abs(shift) * r * 0.5]
        draw.ellipse([*box, head[0] + (shift + 0.4) * r, head[1] - 0.6 * r], fill)


def _drop(draw: ImageDraw.ImageDraw, head: Point, r: float, fill: Colour) -> None:
    _polygon(draw, head, r, fill, [(0, -2.4), (0.8, -1.2), (-0.8, -1.2)])
    draw.ellipse([head[0] - 0.8 * r, head[1] - 1.8 * r, head[0] + 0.8 * r, head[1] - 0.5 * r], fill)


_HEADGEAR = {
    "cone": lambda d, c, r, f: _polygon(d, c, r, f, [(0, -2.6), (1.1, -0.6), (-1.1, -0.6)]),
    "disk": lambda d, c, r, f: _box(d, c, r, f, -1.8, -1.0, 1.8, -0.55),
    "crest": lambda d, c, r, f: _box(d, c, r, f, -0.3, -2.2, 0.3, -0.4),
    "antennae": _antennae,
    "ring": _halo,
    "box": lambda d, c, r, f: _box(d, c, r, f, -0.8, -2.0, 0.8, -0.6),
    "leaves": _leaves,
    "drop": _drop,
}


def paint_badge(picture: Image.Image, look: BadgeLook, traits: Individual, place: Place) -> None:
    """Paint a badge in its frame: held by a grey figure, on a building, or by itself."""
    draw, h = ImageDraw.Draw(picture), place.height
    centre, size = (place.x, place.ground - 0.42 * h), 0.4 * h
    if look.frame == "held":
        paint_person(picture, None, traits, place)
        centre, size = (place.x, place.ground - 0.4 * h), 0.3 * h
    if look.frame == "building":
        wall, half = (205, 195, 180), 0.42 * h * traits.breadth
        draw.rectangle(
            [place.x - half, place.ground - 0.72 * h, place.x + half, place.ground], wall
        )
        roof = [(place.x - 1.15 * half, place.ground - 0.72 * h), (place.x, place.ground - h)]
        draw.polygon([*roof, (place.x + 1.15 * half, place.ground - 0.72 * h)], (120, 90, 80))
        centre, size = (place.x, place.ground - 0.36 * h), 0.31 * h
    tilt = 3 * place.lean
    outer = colour(look.hue + traits.hue_shift, 0.8, traits.light)
    inner = colour(look.inner_hue + traits.hue_shift, 0.7, min(1.0, traits.light + 0.1))
    _paint_shape(draw, look.outer, centre, size, outer, tilt)
    _paint_shape(draw, look.inner, centre, 0.5 * size * traits.detail, inner, tilt)


def _paint_shape(
    draw: ImageDraw.ImageDraw, shape: str, centre: Point, r: float, fill: Colour, tilt: float
) -> None:
    box = [centre[0] - r, centre[1] - r, centre[0] + r, centre[1] + r]
    if shape == "disk":
        draw.ellipse(box, fill)
    elif shape == "ring":
        draw.ellipse(box, outline=fill, width=max(1, round(0.4 * r)))
    else:
        corners = [(rho * r, phi + tilt) for rho, phi in _CORNERS[shape]]
        draw.polygon([(centre[0] + a * sin(p), centre[1] - a * cos(p)) for a, p in corners], fill)


def _crescent() -> list[Point]:
    outside = [(1.0, 2 * pi * k / 24) for k in range(-8, 9)]
    inside = [
        (0.62 - 0.95 * cos(2 * pi * k / 24) * 0.35, 2 * pi * k / 24) for k in range(8, -9, -1)
    ]
    return outside + inside


_CORNERS: dict[str, list[Point]] = {
    "square": [(1.15, pi * (2 * k + 1) / 4) for k in range(4)],
    "triangle": [(1.15, 2 * pi * k / 3) for k in range(3)],
    "diamond": [(1.15 if k % 2 == 0 else 0.6, pi * k / 2) for k in range(4)],
    "star": [(1.15 if k % 2 == 0 else 0.45, pi * k / 5) for k in range(10)],
    "hourglass": [(1.2, pi * a / 180) for a in (-38, 38, 218, 142)],
    "crescent": _crescent(),
    "hexagon": [(1.05, pi * k / 3) for k in range(6)],
}
"""Corners as (radius, angle from the top) of the unit shape."""
