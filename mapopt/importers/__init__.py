"""Instances and mappings in other people's formats."""
