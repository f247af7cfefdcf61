"""The one emulator that judges every mapping."""
