"""Tuning studies: what gains an option brings on instances that were not tuned on."""
