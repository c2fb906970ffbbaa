"""Pure functions and small objects: parcels' geometry, texture, degradations."""
