"""A study's report: what its results say, as one web page and as Markdown."""
