"""An instance as those who place nodes or bound placements read it: groups, allowed units, and transfer costs."""
