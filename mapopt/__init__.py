"""mapopt."""
