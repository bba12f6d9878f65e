"""Places on the earth: the coordinate grid, outlines, projections and hexagons."""
