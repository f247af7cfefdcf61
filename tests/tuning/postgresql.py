"""A throw-away PostgreSQL server on loopback, as a user that is not root."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

PASSWORD = "s3cret"


def binaries():
    """Return the folder of the newest server, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    return None if there is None else Path(there).parent


class Server:
    """A server that can be stopped and started."""

    def __init__(self, folder, port):
        self.folder, self.port = folder, port

    @property
    def url(self):
        return f"postgresql://tuner:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self):
        settings = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        log = self.folder / "log"
        self._run("pg_ctl", "-D", self.folder / "data", "-l", log, "-w", "-o", settings, "start")

    def stop(self):
        self._run("pg_ctl", "-D", self.folder / "data", "-w", "-m", "immediate", "stop")

    def create(self):
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
            shutil.chown(password, "postgres")
        options = ["-U", "tuner", "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync"]
        self._run("initdb", "-D", self.folder / "data", *options)
        self.start()

    def _run(self, program, *arguments):
        command = [str(binaries() / program), *map(str, arguments)]
        user = {}
        if os.getuid() == 0:
            account = pwd.getpwnam("postgres")
            user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        done = subprocess.run(
            command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **user
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")


@contextmanager
def server():
    folder = Path(tempfile.mkdtemp(prefix="mapopt-pg-"))
    folder.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = Server(folder, port)
    try:
        found.create()
        yield found
    finally:
        with suppress(RuntimeError):  # a test may have stopped it
            found.stop()
        shutil.rmtree(folder, ignore_errors=True)
