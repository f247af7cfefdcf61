import subprocess
import sys


def test_a_closed_pipe_ends_quietly():
    command = [sys.executable, "-m", "mapopt", "inspect", "resnet18"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""


def test_help_is_quick_to_import():
    code = (
        "import sys; import mapopt, mapopt.cli.app; "
        "sys.exit(any(name in sys.modules for name in ('numba', 'onnx', 'numpy', 'networkx', 'altair', 'rich')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
