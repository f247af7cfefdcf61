"""``python -m mapopt`` is the ``mapopt`` command."""

from mapopt.cli import main

main()
