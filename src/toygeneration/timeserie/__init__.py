"""Real time series: `.ts` data sets, and windows of one case that animate a parcel."""
