"""Reports: what the runs of studies say, as one HTML file, as figures and as tables."""
