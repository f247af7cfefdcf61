"""What computes: units, crossbars and interconnects."""
