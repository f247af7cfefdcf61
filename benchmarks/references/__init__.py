"""Optimal references: one table per family of problems, made of resumable runs."""
