"""The pictures of a report: each module draws what its name says."""
