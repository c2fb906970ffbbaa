"""Whole data sets: the recipe of a task, its views in parallel, on one machine or a Dask cluster."""
