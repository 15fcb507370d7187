"""`scripts/bench` runs and fills its tables. How fast anything is, is not tested."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.lab import PIPS, download, lab_folder

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 900


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run what `scripts/bench` runs, by the Python of the tests, whichever that is."""
    command = [sys.executable, "-m", "scripts.benchmark", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|\n").split("|")]


def test_each_kind_of_row_is_measured_and_none_is_left_out() -> None:
    download(f"pip=={PIPS[-2]}")  # fetched here: the benchmark sees no index
    left = set((lab_folder() / "bench").glob("*"))
    done = bench("--quick")
    tables = [cells(line) for line in done.stdout.splitlines() if line.startswith("| ")]
    compared = [row for row in tables if len(row) == 12 and row[0].strip("- ")]
    assert (done.returncode, "left out" in done.stderr) == (0, False), done.stderr
    assert len(compared) == 21, done.stdout
    assert all(row[3].endswith("×") for row in compared)
    assert set((lab_folder() / "bench").glob("*")) <= left


def test_a_row_that_does_not_exist_is_not_measured() -> None:
    done = bench("--rows", "list,lsit")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2,
        "scripts/bench: error: no row is called lsit",
    )
