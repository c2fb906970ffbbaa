"""Other people's formats: products as NetCDF, Zarr and GeoTIFF, and series of real images as products."""
