"""Random requests to every operation of a gateway, all answers held against its document: once as an admin, once as
nobody. Called as a client is (see docs/clients.md), with the number of examples for each operation in
POSTROOM_EXAMPLES."""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
URL = os.environ["POSTROOM_URL"]
EXAMPLES = os.environ.get("POSTROOM_EXAMPLES", "15")
# A stream has no end, and what a reload reads lies on the disk.
LEFT_OUT = ["followChanges", "reloadConfiguration"]


def send_something() -> None:
    """Without events, monitors and versions most operations would have nothing to say."""
    bodies = json.loads((HERE / "../src/examples/requests.json").read_text())
    for body in bodies.values():
        data = json.dumps(body["value"]).encode()
        token = os.environ["POSTROOM_SOURCE_TOKEN"]
        with urllib.request.urlopen(f"{URL}/hooks/postman?token={token}", data) as answer:
            assert answer.status == 202


def run(*options: str) -> None:
    command = [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(HERE / "schemathesis.toml")]
    command += ["run", f"{URL}/openapi.json", "--checks", "all", "--seed", "1", "--max-examples", EXAMPLES]
    command += ["--generation-database", "none", "--no-color", "--request-timeout", "20", *options]
    for operation in LEFT_OUT:
        command += ["--exclude-operation-id", operation]
    # It leaves notes where it is run.
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(command, check=True, cwd=folder)


if sys.argv[1:] != ["tomorrow"]:
    send_something()
    run("--header", f"Authorization: Bearer {os.environ['POSTROOM_KEY']}")
    # Nobody gets anything but refusals, so there is nothing to follow from one answer to the next.
    run("--phases", "examples,coverage,fuzzing")
