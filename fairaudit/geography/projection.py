"""Equal-area projections, so that on a map an area stands for as much land wherever it lies.

On the sphere of the Earth's own surface; latitude comes before longitude, both in degrees, and the plane is
in kilometres, x to the east and y to the north.

References
----------
Snyder, J. P. (1987). Map projections: a working manual. US Geological Survey Professional Paper 1395.
Savric, B., Patterson, T. and Jenny, B. (2019). The Equal Earth map projection. International Journal of
Geographical Information Science 33, 454-465.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from fairaudit.counts import Floats

#: Radius in kilometres of the sphere that has the Earth's surface.
RADIUS = 6371.007


class Projection(Protocol):
    """From degrees to the plane."""

    def forward(self, latitude: ArrayLike, longitude: ArrayLike) -> tuple[Floats, Floats]:
        """Return x and y in kilometres."""


@dataclass(frozen=True)
class Albers:
    """Albers' conic, true to scale along two parallels.

    Parameters
    ----------
    south, north : float
        The two parallels.
    latitude, longitude : float
        Where x and y are 0.

    Examples
    --------
    >>> x, y = UNITED_STATES.forward([34.05, 40.71], [-118.24, -74.01])
    >>> x.round().tolist(), y.round().tolist()
    ([-2015.0, 1821.0], [-150.0, 572.0])
    """

    south: float
    north: float
    latitude: float
    longitude: float

    def forward(self, latitude: ArrayLike, longitude: ArrayLike) -> tuple[Floats, Floats]:
        """Return x and y in kilometres; a longitude may be any number of turns away."""
        turn = (np.asarray(longitude, dtype=float) - self.longitude + 180) % 360 - 180
        angle, radius = self._cone * np.radians(turn), self._radius(latitude)
        return radius * np.sin(angle), self._radius(self.latitude) - radius * np.cos(angle)

    def inverse(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Return latitude and longitude of points on the plane."""
        x, down = np.asarray(x, dtype=float), self._radius(self.latitude) - np.asarray(y, dtype=float)
        angle, radius = np.arctan2(x, down), np.hypot(x, down) / RADIUS
        sine = (self._constant - (radius * self._cone) ** 2) / (2 * self._cone)
        return np.degrees(np.arcsin(sine)), self.longitude + np.degrees(angle / self._cone)

    @property
    def _cone(self) -> float:
        return float(np.sin(np.radians([self.south, self.north])).mean())

    @property
    def _constant(self) -> float:
        south = np.radians(self.south)
        return float(np.cos(south) ** 2 + 2 * self._cone * np.sin(south))

    def _radius(self, latitude: ArrayLike) -> Floats:
        sine = np.sin(np.radians(np.asarray(latitude, dtype=float)))
        radius: Floats = RADIUS * np.sqrt(self._constant - 2 * self._cone * sine) / self._cone
        return radius


@dataclass(frozen=True)
class EqualEarth:
    """Equal Earth, for all of it or a part.

    Parameters
    ----------
    longitude : float
        Of the middle, where x is 0.

    Examples
    --------
    >>> x, y = EqualEarth().forward([0, 90], [180, 0])
    >>> x.round().tolist(), y.round().tolist()
    ([17244.0, 0.0], [0.0, 8393.0])
    """

    longitude: float = 0.0

    def forward(self, latitude: ArrayLike, longitude: ArrayLike) -> tuple[Floats, Floats]:
        """Return x and y in kilometres; half a turn from the middle is not taken to the other side."""
        a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
        t = np.arcsin(np.sqrt(3) / 2 * np.sin(np.radians(np.asarray(latitude, dtype=float))))
        turn = np.radians(np.asarray(longitude, dtype=float) - self.longitude)
        slope = 9 * a4 * t**8 + 7 * a3 * t**6 + 3 * a2 * t**2 + a1
        x = RADIUS * 2 * np.sqrt(3) * turn * np.cos(t) / (3 * slope)
        return x, RADIUS * (a4 * t**9 + a3 * t**7 + a2 * t**3 + a1 * t)


#: As the Census Bureau and the Geological Survey draw the contiguous states, and their neighbours apart.
UNITED_STATES = Albers(29.5, 45.5, 37.5, -96.0)
ALASKA = Albers(55.0, 65.0, 60.0, -154.0)
HAWAII = Albers(8.0, 18.0, 20.5, -157.5)
PUERTO_RICO = Albers(8.0, 18.0, 18.2, -66.0)
