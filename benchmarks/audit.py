"""What the program stands on: known vulnerabilities (pip-audit, where its service can be reached) and the
licence of every package.   make audit
"""

from __future__ import annotations

import importlib.metadata as metadata
import importlib.util
import subprocess
import sys
from collections import defaultdict

from packaging.requirements import Requirement

OURS = "otklik"
COPYLEFT = ("GPL", "AGPL", "SSPL")


def needed(root: str) -> dict[str, metadata.Distribution]:
    """The packages that *root* needs to run, by name."""
    found: dict[str, metadata.Distribution] = {}
    todo = [root]
    while todo:
        name = todo.pop()
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if (key := package.metadata["Name"].lower().replace("_", "-")) in found:
            continue
        found[key] = package
        for line in package.requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                todo.append(requirement.name)
    found.pop(OURS, None)
    return found


def licence(package: metadata.Distribution) -> str:
    """As the package says it: the expression, the classifier, or the first line of the field."""
    told = package.metadata
    classified = [
        c.rsplit("::", 1)[-1].strip() for c in told.get_all("Classifier") or () if c.startswith("License ::")
    ]
    return (
        "".join(told.get_all("License-Expression") or ())
        or ", ".join(classified)
        or ("".join(told.get_all("License") or ()) or "unknown").strip().splitlines()[0][:60]
    )


def main() -> int:
    by_licence: dict[str, list[str]] = defaultdict(list)
    for name, package in needed(OURS).items():
        by_licence[licence(package)].append(f"{name} {package.version}")
    for told, names in sorted(by_licence.items(), key=lambda item: -len(item[1])):
        mark = "  <- look at it" if any(c in told for c in COPYLEFT) and "LGPL" not in told else ""
        print(f"{told}{mark}\n    {', '.join(sorted(names))}")
    if importlib.util.find_spec("pip_audit") is None:
        print("\npip-audit is not installed: pip install pip-audit")
        return 1
    print("\npip-audit:", flush=True)
    return subprocess.run(
        [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--skip-editable"],
        check=False,
        timeout=120,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
