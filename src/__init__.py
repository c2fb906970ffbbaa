"""The project's two halves: `toygeneration` makes imagery, `rsgan` learns from it and judges the result."""
