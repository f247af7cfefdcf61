import signal

import pytest


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_works():
    """A run in the background of a shell ignores Ctrl-C, and so would everything that it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
