"""Outlines of the US states and of the countries of the world, which are shipped in the package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

#: Who is to be credited under a map: for the outlines, which are in the public domain, and for the middles of
#: ZIP codes.
CREDITS = {"us": "US Census Bureau", "world": "Natural Earth", "zip": "GeoNames, CC BY 4.0"}


@cache
def states() -> Mapping[str, Any]:
    """Return the outlines of the US states by name, in the order of names.

    The 50 states, the District of Columbia, Puerto Rico and the island territories, simplified to
    within about 0.016 degrees (Alaska 0.06); the folder `geography` says how. Neighbours share their
    borders and do not overlap.

    Returns
    -------
    mapping of str to shapely.MultiPolygon
        Longitude and latitude in degrees, WGS 84, longitude first as in GeoJSON. West of the 180th
        meridian Alaska goes on at +180.

    References
    ----------
    US Atlas (ISC), from the US Census Bureau's cartographic boundary files, public domain.

    Examples
    --------
    >>> len(states()), states()["Wyoming"].bounds
    (56, (-111.055, 40.998, -104.052, 45.001))
    """
    return _outlines("us_states.geojson")


@cache
def countries() -> Mapping[str, Any]:
    """Return the outlines of the countries of the world by name, in the order of names.

    Without Antarctica and small islands, simplified to within about 0.23 degrees (1 beyond the Arctic
    Circle); cut at the 180th meridian. Fit to tell where on Earth a region lies, and no statement about any
    border.

    Returns
    -------
    mapping of str to shapely.MultiPolygon
        Longitude and latitude in degrees, WGS 84, longitude first as in GeoJSON.

    References
    ----------
    World Atlas (ISC), from Natural Earth 4.1 at 1:50 million, public domain.

    Examples
    --------
    >>> [round(degrees) for degrees in countries()["Iceland"].bounds]
    [-24, 63, -14, 67]
    """
    return _outlines("countries.geojson")


@cache
def land(of: str) -> Any:
    """Return all land in one piece.

    Parameters
    ----------
    of : {"us", "world"}

    Returns
    -------
    shapely.MultiPolygon
    """
    import shapely

    return shapely.union_all(list((states() if of == "us" else countries()).values()))


def _outlines(file: str) -> Mapping[str, Any]:
    from shapely.geometry import shape

    text = (files("fairaudit.geography") / file).read_text("utf-8")
    return MappingProxyType(
        {
            feature["properties"]["name"]: shape(feature["geometry"])
            for feature in json.loads(text)["features"]
        }
    )
