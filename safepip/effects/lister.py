"""Answer what is on the user's indexes, inside the environment's pip and with its own means.

This file is a script: `runner.py` loads it in place of its guard, and the environment's own Python
runs it (3.7 or newer), so it uses the standard library alone and nothing of safepip. Indexes,
links, logins, proxies, certificates, caches and configuration are pip's, since pip itself asks.

After `options` (as the runner tells them) the parent asks, one JSON object a line:

``{"do": "releases", "name"}``  versions, the newest first
``{"do": "metadata", "name", "version"}``  `Requires-Dist`, and an unmet `Requires-Python`
``{"do": "stop"}``  end

Nothing is built, installed, or written but to pip's own cache.

Source: the seams are pip's own `RequirementCommand._build_package_finder`, `get_requirements` and
`dist_from_wheel_url`, unchanged from pip 22.3 to 26.3.
"""

from __future__ import annotations

import contextlib
import email
import io
import os
import sys
import tempfile
import zipfile
from importlib import import_module
from typing import Any

_MOST_BYTES = 30 * 1024 * 1024
"""Of a wheel that has to be fetched whole, because the server gives no part of it; of METADATA."""
_CHUNK = 64 * 1024


class Lister:
    """What one command of pip would find.

    ``parts``: the module of that name. ``folder``: the parent's, which it removes, also where it
    ends this without waiting.
    """

    def __init__(self, parts, folder, command, options, args):
        self._parts = parts
        self._folder = folder
        self.pre = bool(getattr(options, "pre", False))
        self._session = command.get_default_session(options)
        target = import_module("pip._internal.cli.cmdoptions").make_target_python(options)
        # What is for another Python is found, too: it is told, not hidden.
        self._finder = command._build_package_finder(
            options=options,
            session=self._session,
            target_python=target,
            ignore_requires_python=True,
        )
        ignores = bool(getattr(options, "ignore_requires_python", False))
        self._python = None if ignores else (target.py_version_info or sys.version_info)[:3]
        found = command.get_requirements(list(args), options, self._finder, self._session)
        self.wanted = [_described(requirement) for requirement in found]
        self._links = {}

    def releases(self, name):
        """Give the versions that are offered as wheels for this platform, the newest first.

        A source distribution counts only where it says that it is for another Python: of the others
        nothing is known without running their code.
        """
        found: dict[str, Any] = {}
        for candidate in self._finder.find_all_candidates(name):
            link, version = candidate.link, str(candidate.version)
            for_python = self._unmet_python(link.requires_python)
            if not link.is_wheel and not for_python:
                continue
            kept = found.get(version)
            if kept is None or (kept["requires_python"] and not for_python):
                found[version] = {
                    "version": version,
                    "requires_python": for_python,
                    "yanked": bool(link.is_yanked),
                    "order": candidate.version,
                }
                if link.is_wheel:
                    self._links[name, version] = link
        newest = sorted(found.values(), key=lambda each: each["order"], reverse=True)
        return [{k: v for k, v in each.items() if k != "order"} for each in newest]

    def _unmet_python(self, specifier):
        """Give the specifier where this Python does not meet it, and else nothing."""
        if not specifier or self._python is None:
            return ""
        check = import_module("pip._internal.utils.packaging").check_requires_python
        try:
            return "" if check(specifier, self._python) else str(specifier)
        except Exception:  # one that is none; pip ignores it likewise
            return ""

    def metadata(self, name, version):
        """Give what a release requires; None where its metadata cannot be had."""
        link = self._links.get((name, version))
        if link is None:
            return None
        ways = (
            lambda: _of_wheel(link.file_path) if link.is_file else None,
            lambda: self._from_beside(link),
            lambda: self._from_a_part(link),
            lambda: _of_wheel(io.BytesIO(self._get(link.url_without_fragment))),
        )
        for way in ways:
            with contextlib.suppress(Exception):  # pip and servers fail in many ways
                found = way()
                if found is not None:
                    lines = [str(line) for line in found.get_all("Requires-Dist") or ()]
                    python = found.get("Requires-Python")
                    return {"lines": lines, "python": self._unmet_python(python)}
        return None

    def _from_beside(self, link):
        """Give the metadata that the index serves beside the wheel (PEP 658)."""
        beside = link.metadata_link()
        if beside is None:
            return None
        return email.message_from_bytes(self._get(beside.url_without_fragment))

    def _from_a_part(self, link):
        """Give the metadata by requests for parts of the wheel."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            path = os.path.join(folder, "part.whl")
            self._parts.fetch(self._session, link.url_without_fragment, path)
            return _of_wheel(path)

    def _get(self, url):
        headers = {"Accept-Encoding": "identity"}
        answer = self._session.get(url, headers=headers, stream=True)
        answer.raise_for_status()
        data = b""
        for chunk in answer.iter_content(_CHUNK):
            data += chunk
            if len(data) > _MOST_BYTES:
                raise OSError("too large")
        return data


def _described(requirement):
    """Give a requirement as pip understood it."""
    link = getattr(requirement, "link", None)
    req = requirement.req
    is_direct = link is not None or req is None or bool(getattr(req, "url", None))
    return {
        "requirement": "" if is_direct else str(req),
        "name": str(requirement.name or ""),
        "constraint": bool(requirement.constraint),
        "active": bool(requirement.match_markers()),
    }


def _of_wheel(file):
    with zipfile.ZipFile(file) as wheel:
        names = (n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
        name = next(n for n in names if n.count("/") == 1)
        if wheel.getinfo(name).file_size > _MOST_BYTES:
            raise OSError("too large")
        return email.message_from_bytes(wheel.read(name))


def serve(channel, lister):
    """Stand in for `InstallCommand.run`: answer questions until there are no more."""
    question = channel.ask({"type": "wanted", "wanted": lister.wanted, "pre": lister.pre})
    while question["do"] != "stop":
        if question["do"] == "releases":
            answer = lister.releases(question["name"])
        else:
            answer = lister.metadata(question["name"], question["version"])
        question = channel.ask({"type": question["do"], "found": answer})
    return 0
