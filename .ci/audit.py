"""Say what is known to be wrong with what is installed, by pip-audit; where nobody can be asked, say that.

It always ends with 0. An advisory that appears tomorrow says nothing about the change that is tested today, and a
machine without a network has done nothing wrong. Whoever releases reads it.
"""

from __future__ import annotations

import json
import subprocess
import sys

ASKED_FOR_S = 180


def main() -> None:
    """Ask, and print."""
    line = [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--progress-spinner", "off", "-f", "json"]
    try:
        ran = subprocess.run(line, capture_output=True, text=True, timeout=ASKED_FOR_S)  # noqa: S603 - our own words
        packages = json.loads(ran.stdout)["dependencies"]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError):
        print("Known vulnerabilities were not looked up: the advisory service does not answer here.")
        return
    known = [package for package in packages if "vulns" in package]
    for package in known:
        for found in package["vulns"]:
            mended = ", ".join(found["fix_versions"]) or "no version yet"
            print(f"{package['name']} {package['version']}: {found['id']}, mended in {mended}")
    count = sum(len(package["vulns"]) for package in known)
    print(f"{count} vulnerabilities are known of {len(known)} of the {len(packages)} packages that are installed;")
    print(f"of {len(packages) - len(known)} nothing could be looked up.")


if __name__ == "__main__":
    main()
