"""Run the environment's pip and stop it where its plan is complete and nothing is changed yet.

This file is a script: the environment's own Python runs it (3.7 or newer), so it uses the standard
library alone and nothing of safepip. The only module that touches pip's private interfaces; each
is probed by name first, and where one has moved nothing is run.

The conversation, one JSON object a line over two inherited pipes (argument 1 says which):

1. ``hello``: what this Python and this pip are, and what pip's general options say.
2. ``options``: what pip's parser made of the arguments of `install` or `uninstall`.
3. ``plan``: every wheel is fetched or built; what pip would write and remove. Where pip knows its
   plan by metadata alone there is an outline first, before any of them is fetched.

To each the parent answers ``go``, ``stop``, (to a plan) ``again`` with further constraints or (to
any, once there was an outline) ``look``: then which files are in the wheels of the last outline, or
of the first, is found by fetching parts of them; ``no-lists`` says that this does not go. A parent
that is gone answers ``stop``.

Source: the seams are pip's own functions `InstallCommand.run`, `UninstallCommand.run`,
`install_given_reqs` and `UninstallPathSet.from_dist`, unchanged from pip 22.3 to 26.3. A pip
without `make_requirement_preparer`, `prepare_linked_requirements_more` or `remove_auth_from_url`
only fetches more.
"""

from __future__ import annotations

import atexit
import contextlib
import copy
import functools
import gc
import hashlib
import inspect
import json
import logging
import os
import platform
import shutil
import signal
import site
import stat
import sys
import sysconfig
import tempfile
import threading


class Stop(BaseException):
    """The parent said stop. Not an Exception, so that nothing in pip catches it on its way."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer


class Again(BaseException):
    """The parent wants another plan, under further constraints."""

    def __init__(self, constraints):
        super().__init__()
        self.constraints = constraints


class Channel:
    """The two pipes to the parent."""

    def __init__(self, read, write):
        self._read = os.fdopen(read, "r", encoding="utf-8")
        self._write = os.fdopen(write, "w", encoding="utf-8")

    def tell(self, message):
        """Send a message that needs no answer."""
        with contextlib.suppress(BrokenPipeError):
            self._write.write(json.dumps(message) + "\n")
            self._write.flush()

    def ask(self, message):
        """Send a message and give the parent's answer."""
        self.tell(message)
        line = self._read.readline()
        return json.loads(line) if line.endswith("\n") else {"do": "stop", "code": 1}


# ------------------------------------------------------------------------------- this Python


def markers():
    """Give the values of PEP 508 markers, without pip or packaging."""
    info = sys.implementation.version
    release = f"{info.major}.{info.minor}.{info.micro}"
    if info.releaselevel != "final":
        release += info.releaselevel[0] + str(info.serial)
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": release,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def interpreter():
    """Give what the parent needs to know of this Python."""
    return {
        "executable": sys.executable,
        "version": platform.python_version(),
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "sys_path": [os.path.abspath(p) for p in sys.path if p],
        "purelib": sysconfig.get_path("purelib"),
        "platlib": sysconfig.get_path("platlib"),
        "scripts": sysconfig.get_path("scripts"),
        "data": sysconfig.get_path("data"),
        "include": sysconfig.get_path("include"),
        "stdlib": sysconfig.get_path("stdlib"),
        "user_site": site.getusersitepackages(),
        "user_base": site.getuserbase(),
        "user_site_enabled": bool(site.ENABLE_USER_SITE),
        "markers": markers(),
        "stdlib_names": sorted(getattr(sys, "stdlib_module_names", ())),
    }


# ------------------------------------------------------------------------------- this pip


class PipFrom:
    """Import pip from one folder and everything else as usual: for a Python without a pip."""

    def __init__(self, folder):
        self._folder = folder

    def find_spec(self, fullname, path=None, target=None):
        """Give where pip is; nothing for other modules."""
        if fullname != "pip":
            return None
        from importlib.machinery import PathFinder

        return PathFinder.find_spec(fullname, [self._folder], target)


def _takes(function, *names):
    parameters = inspect.signature(function).parameters
    return all(name in parameters for name in names)


def moved_seams():
    """Name the private interfaces that are not where this script expects them."""
    probes = {
        "parser": lambda: _import("pip._internal.cli.main_parser").create_main_parser,
        "InstallCommand.run": lambda: _takes(_install().InstallCommand.run, "options", "args"),
        "UninstallCommand.run": lambda: _takes(
            _import("pip._internal.commands.uninstall").UninstallCommand.run, "options", "args"
        ),
        "install_given_reqs": lambda: _takes(
            _install().install_given_reqs,
            *("requirements", "root", "home", "prefix", "use_user_site", "pycompile"),
        ),
        "InstallationReport": lambda: _report().InstallationReport.to_dict,
        "UninstallPathSet": lambda: _takes(
            _import("pip._internal.req.req_uninstall").UninstallPathSet.from_dist, "dist"
        ),
        "InstallRequirement.uninstall": lambda: _takes(
            _import("pip._internal.req.req_install").InstallRequirement.uninstall, "auto_confirm"
        ),
        "InstallRequirement.is_wheel": lambda: (
            _import("pip._internal.req.req_install").InstallRequirement.is_wheel
        ),
        "get_scheme": lambda: _takes(
            _import("pip._internal.locations").get_scheme, "user", "home", "root", "prefix"
        ),
        "get_file_content": lambda: _takes(
            _import("pip._internal.req.req_file").get_file_content, "url", "session"
        ),
        "get_default_environment": lambda: (
            _import("pip._internal.metadata").get_default_environment
        ),
    }
    return [name for name, probe in probes.items() if not _holds(probe)]


def _holds(probe):
    try:
        return bool(probe())
    except Exception:
        return False


def _import(name):
    from importlib import import_module

    return import_module(name)


def _install():
    return _import("pip._internal.commands.install")


def _report():
    return _import("pip._internal.models.installation_report")


def general_options(arguments):
    """Give pip's own reading of the options that stand before the verb, and where that stands."""
    parser = _import("pip._internal.cli.main_parser").create_main_parser()
    options, rest = parser.parse_args(list(arguments))
    python, at = getattr(options, "python", None), len(arguments) - len(rest)
    return {"python": python, "verb": rest[0] if rest else None, "verb_at": at}


# ------------------------------------------------------------------------------- the plan


def described_options(options):
    """Give the options that decide where an install goes and how it is judged."""

    def value(name):
        found = getattr(options, name, None)
        return found if isinstance(found, (str, bool, int)) else None

    names = ("target_dir", "prefix_path", "root_path", "use_user_site", "dry_run", "yes")
    more = ("ignore_dependencies", "ignore_installed", "force_reinstall", "upgrade", "pre")
    described = {name: value(name) for name in names + more}
    described["break_system_packages"] = value("override_externally_managed")
    described["log"] = value("log")
    described["report"] = value("json_report_file")
    described["no_color"] = value("no_color")
    described["no_index"] = bool(value("no_index"))
    described["no_binary"] = bool(
        getattr(getattr(options, "format_control", None), "no_binary", None)
    )
    described["require_hashes"] = bool(value("require_hashes"))
    described["eager"] = value("upgrade_strategy") == "eager"
    described["constraints"] = [str(path) for path in getattr(options, "constraints", None) or []]
    described["constrained"] = bool(described["constraints"])
    described["caches"] = bool(getattr(options, "cache_dir", True))
    described["verbosity"] = (value("verbose") or 0) - (value("quiet") or 0)
    return described


def read_inputs_once():
    """Have pip read each file of requirements or constraints once, however often it asks.

    Two readings in one process would be of different things: `-r <(…)`, `/dev/stdin`, a file that
    somebody edits meanwhile.
    """
    files = _import("pip._internal.req.req_file")
    plain, known = files.get_file_content, {}

    def get_file_content(url, *args, **kwargs):
        if url not in known:
            known[url] = plain(url, *args, **kwargs)
        return known[url]

    files.get_file_content = get_file_content


def keep_single_use_inputs(options, folder):
    """Copy what others read than `get_file_content`, where it can be read only once.

    Those are constraints for builds, which go to other processes, and lock files.
    """
    for name, is_meant in (("build_constraints", lambda path: True), ("requirements", _is_lock)):
        paths = getattr(options, name, None)
        if isinstance(paths, list):
            kept = [_copied(path, folder) if is_meant(path) else path for path in paths]
            setattr(options, name, kept)


def _is_lock(path):
    name = os.path.basename(path)
    return name.startswith("pylock.") and name.endswith(".toml")


def _copied(path, folder):
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError, TypeError):
        return path
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return path
    copied = os.path.join(tempfile.mkdtemp(dir=folder), os.path.basename(path))
    with open(path, "rb") as source, open(copied, "wb") as target:
        shutil.copyfileobj(source, target)
    return copied


def planned(requirements, places):
    """Describe what pip would install and take away, one entry for each requirement."""
    entries = _report().InstallationReport(requirements).to_dict()["install"]
    return [_entry(*pair, places) for pair in zip(requirements, entries)]


def _entry(requirement, entry, places):
    get_scheme = _import("pip._internal.locations").get_scheme
    entry["metadata"].pop("description", None)
    scheme = get_scheme(requirement.name, isolated=requirement.isolated, **places)
    keys = ("purelib", "platlib", "headers", "scripts", "data")
    wheel = requirement.local_file_path if requirement.is_wheel else None
    return {
        "report": entry,
        "wheel": os.path.abspath(wheel) if wheel else "",
        "editable": bool(requirement.editable),
        "egg_info": _egg_info(requirement),
        "scheme": {key: os.path.abspath(getattr(scheme, key)) for key in keys},
        "reinstall": bool(requirement.should_reinstall),
        "before": removal(requirement.name, bool(requirement.should_reinstall)),
    }


def _egg_info(requirement):
    """Give where the metadata is of what pip installs by `setup.py develop`."""
    folder = getattr(requirement, "metadata_directory", None)
    is_developed = requirement.editable and not requirement.is_wheel
    return os.path.abspath(folder) if folder and is_developed else ""


def _named(entry):
    metadata = entry["report"]["metadata"]
    return metadata["name"], metadata["version"]


def removal(name, would_remove=True):
    """Describe the distribution that pip finds by this name, and what uninstalling it deletes."""
    found = _import("pip._internal.metadata").get_default_environment().get_distribution(name)
    if found is None:
        return None
    paths, reason = _paths_of(found) if would_remove else ([], "")
    return {
        "name": str(found.canonical_name),
        "version": str(getattr(found, "raw_version", found.version)),
        "metadata_path": os.path.abspath(found.info_location) if found.info_location else "",
        "removes": paths,
        "cannot_remove": reason,
    }


def _paths_of(distribution):
    uninstall = _import("pip._internal.req.req_uninstall")
    try:
        paths = uninstall.UninstallPathSet.from_dist(distribution)
    except Exception as error:  # pip's refusals have several types; the text is what counts
        return [], str(getattr(error, "message", error) or type(error).__name__)
    return sorted(map(os.path.normpath, paths._paths | set(paths._pth))), ""


# ------------------------------------------------------------------------------- parsing only

NOT_FOR_FETCHING = frozenset(
    [
        *("requirements", "constraints", "editables", "dependency_groups"),
        *("requirements_from_scripts", "only_dependencies", "ignore_dependencies"),
        *("require_hashes", "no_require_hashes", "wheel_dir", "no_verify", "no_clean"),
        *("help", "version", "python", "verbose", "quiet", "log", "progress_bar"),
    ]
)
"""Options that `pip install` and `pip wheel` share, and that say nothing about the artifacts."""


def parse_only(channel, hello, arguments):
    """Say what pip's own parsers make of the arguments. A usage error ends this in pip's way.

    A process parses one command: pip's options keep values from one parse to the next.
    """
    sys.argv = ["pip", *arguments]
    try:
        hello["pip_version"] = _import("pip").__version__
        create = _import("pip._internal.commands").create_command
        _import("pip._internal.cli.main_parser").create_main_parser  # noqa: B018 - a probe
    except (ImportError, AttributeError) as error:
        hello["moved"] = [str(error)]
        channel.tell(hello)
        return 0
    channel.tell(hello)
    general = general_options(arguments)
    channel.tell({"type": "general", **general})
    isolated = "--isolated" in arguments
    # Before the other parse, which may add to lists that both commands hold.
    plain = copy.deepcopy(create("wheel", isolated=isolated).parser.get_default_values())
    rest = list(arguments)
    rest.remove(general["verb"])
    command = create(general["verb"], isolated=isolated)
    options, names = command.parse_args(rest)
    message = {"type": "parsed", "verb": general["verb"], "arguments": list(names)}
    message.update(parsed_options(options))
    message["options"] = described_options(options)
    message["network"] = network_arguments(options, command.parser, plain)
    message["breaks"] = command.parser.has_option("--break-system-packages")
    channel.tell(message)
    return 0


def parsed_options(options):
    """Give the options that say what is read, and where files go."""

    def value(name):
        return getattr(options, name, None)

    def listed(name):
        return [str(each) for each in value(name) or []]

    root, prefix = value("root_path"), value("prefix_path")
    user = lands_in_user_site(options)
    folders = scheme(user, prefix, root)
    control = value("format_control")
    unseen = ("only_dependencies", "dependency_groups", "requirements_from_scripts")
    return {
        "requirements": listed("requirements"),
        "constraints": listed("constraints"),
        "build_constraints": listed("build_constraints"),
        "editables": listed("editables"),
        "find_links": listed("find_links"),
        "no_binary": bool(getattr(control, "no_binary", None)),
        "require_hashes": bool(value("require_hashes")),
        "unseen": any(value(name) for name in unseen),
        "isolated": bool(value("isolated_mode")),
        "caches": bool(value("cache_dir")),
        "compiles": bool(value("compile")),
        "report": value("json_report_file"),
        "places": {"user": user, "prefix": prefix, "root": root},
        "scheme": {key: os.path.abspath(path) for key, path in folders.items()},
    }


def scheme(user=False, prefix=None, root=None):
    """Give the folders of an installation; ``headers`` without the name of the distribution.

    Source: https://docs.python.org/3/library/sysconfig.html#installation-paths
    """
    bases = ("installed_base", "base", "installed_platbase", "platbase", "prefix", "exec_prefix")
    moved = dict.fromkeys((*bases, "userbase"), prefix) if prefix is not None else {}
    paths = sysconfig.get_paths(_scheme_name("user" if user else "prefix"), vars=moved)
    headers = paths["include"]
    if sys.prefix != sys.base_prefix:
        base = prefix if prefix is not None else sys.prefix
        headers = os.path.join(base, "include", "site", "python{}.{}".format(*sys.version_info))
    found = {key: paths[key] for key in ("purelib", "platlib", "scripts", "data")}
    found["headers"] = headers
    if root is not None:
        found = {key: os.path.join(root, path.lstrip(os.sep)) for key, path in found.items()}
    return found


def _scheme_name(kind):
    if hasattr(sysconfig, "get_preferred_scheme"):
        return sysconfig.get_preferred_scheme(kind)
    name = sys.implementation.name
    likely = (name + "_" + os.name, name, os.name + "_" + kind, os.name)
    return next((each for each in likely if each in sysconfig.get_scheme_names()), "posix_prefix")


def lands_in_user_site(options):
    """Say whether pip would install for the user: asked to, or unable to write site-packages."""
    chosen = getattr(options, "use_user_site", None)
    if chosen is not None:
        return bool(chosen)
    elsewhere = (getattr(options, name, None) for name in ("prefix_path", "target_dir"))
    if any(elsewhere) or not site.ENABLE_USER_SITE:
        return False
    paths = scheme(root=getattr(options, "root_path", None))
    return not all(_is_writable(paths[key]) for key in ("purelib", "platlib"))


def _is_writable(folder):
    # As in pip, a relative `--root` that is not there counts as one that cannot be written.
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return os.access(folder, os.W_OK)


def network_arguments(options, parser, plain):
    """Spell out for `pip wheel` how `pip install` was told to find and build its artifacts.

    ``plain`` is what `pip wheel` knows by itself, from the environment and pip's configuration.
    """
    groups = [parser, *parser.option_groups]
    ordinary, controls = [], []
    for option in [option for group in groups for option in group.option_list]:
        dest = option.dest
        if dest is None or dest in NOT_FOR_FETCHING or not hasattr(plain, dest):
            continue
        value, known = getattr(options, dest), getattr(plain, dest)
        attribute = option._long_opts[0][2:].replace("-", "_") if option._long_opts else ""
        if isinstance(getattr(value, attribute, None), set):
            names = getattr(value, attribute)
            if names != getattr(known, attribute, None):
                spelled = ",".join(sorted(names, key=lambda name: (name != ":all:", name)))
                controls.append((":all:" not in names, option._long_opts[0], spelled or ":none:"))
        elif value != known:
            ordinary += _spelled(option, value, known)
    return ordinary + [part for _, name, text in sorted(controls) for part in (name, text)]


def _spelled(option, value, known):
    """Give the arguments that turn one value of an option into another."""
    name = (option._long_opts or option._short_opts)[0]
    if not option.takes_value():
        says = {"store_true": True, "store_false": False}.get(option.action, False)
        return [name] if value is says else []
    if isinstance(value, dict):
        pairs = [(key, each) for key, text in value.items() for each in _each(text)]
        return [part for key, each in pairs for part in (name, f"{key}={each}")]
    if isinstance(value, list):
        before = len(known) if isinstance(known, list) and value[: len(known)] == known else 0
        return [part for each in value[before:] for part in (name, str(each))]
    if isinstance(value, set):
        return [name, ",".join(sorted(value))] if value else []
    if value is None or isinstance(value, (bool, tuple)):
        return []
    return [name, value.isoformat() if hasattr(value, "isoformat") else str(value)]


def _each(value):
    return value if isinstance(value, list) else [value]


# ------------------------------------------------------------------------------- the guard


UNSOLVED = ("DistributionNotFound", "UnsupportedPythonVersion")
"""pip's errors for versions that do not go together, or are not there."""


class Guard:
    """pip's verbs with a stop at the seam."""

    def __init__(self, channel, folder):
        self.channel = channel
        self.folder = folder
        self.quiet = None
        self.names = []
        self.fetched = {}
        self.options = None
        self.session = None
        self.known = {}
        self.outlines = []
        self.wants_outline = False

    def put_up(self):
        """Put the stops into pip. Everything this needs later is imported now.

        pip 26.3 forbids imports once an install has begun.
        """
        install, uninstall = _install(), _import("pip._internal.commands.uninstall")
        for name in ("pip._internal.locations", "pip._internal.metadata"):
            _import(name)
        for name in FOR_FETCHING:
            with contextlib.suppress(ImportError):  # then nothing is kept of what was fetched
                _import(name)
        self.plain_install = install.InstallCommand.run
        self.plain_uninstall = uninstall.UninstallCommand.run
        self.plain_given = install.install_given_reqs
        guard = self  # a bound method would not be given the command, which a function is
        install.InstallCommand.run = lambda *a, **k: guard.install(*a, **k)  # noqa: PLW0108
        uninstall.UninstallCommand.run = lambda *a, **k: guard.uninstall(*a, **k)  # noqa: PLW0108
        install.install_given_reqs = self.given
        read_inputs_once()

    def asked(self, verb, options):
        """Say how pip understood the arguments, and do what the parent says to that."""
        keep_single_use_inputs(options, self.folder)
        message = {"type": "options", "verb": verb, "options": described_options(options)}
        answer = self.channel.ask(message)
        if answer["do"] == "stop":
            raise Stop(answer)
        self.wants_outline = bool(answer.get("outline"))
        if answer.get("break_system_packages") and hasattr(options, "override_externally_managed"):
            options.override_externally_managed = True
        return answer

    def install(self, command, options, args):
        """Stand in for `InstallCommand.run`."""
        try:
            answer = self.asked("install", options)
            if answer["do"] == "unguarded":
                options.dry_run = options.dry_run or answer.get("dry_run", False)
                _install().install_given_reqs = self.plain_given
                return self.plain_install(command, options, args)
            options.dry_run = False  # the parent answers stop to the plan of a dry run
            return self.attempts(command, options, args)
        except Stop as stop:
            return self.stopped(stop.answer)

    def tell_missing_folders(self, command):
        """Have the parent know of requirements that name a folder or file which is not there.

        `pip freeze` prints such lines for what conda built, with the build machine's folder.
        """
        plain = getattr(command, "get_requirements", None)
        if plain is None:
            return

        def get_requirements(*args, **kwargs):
            found = plain(*args, **kwargs)
            for requirement in found:
                link = getattr(requirement, "link", None)
                if link is not None and link.is_file and not os.path.exists(link.file_path):
                    missing = {"name": requirement.name or "", "path": link.file_path}
                    self.channel.tell({"type": "missing", **missing})
            return found

        command.get_requirements = get_requirements

    def stop_before_fetching(self, command):
        """Stop where pip knows what it will fetch; a pip without that place goes on.

        Only the command's own preparer is meant: those for builds fetch what builds need.
        """
        plain_make = getattr(command, "make_requirement_preparer", None)
        if plain_make is None:
            return

        def make(*args, **kwargs):
            preparer = plain_make(*args, **kwargs)
            self.session = kwargs.get("session")
            if not hasattr(preparer, "prepare_linked_requirements_more"):
                return preparer
            plain = preparer.prepare_linked_requirements_more
            plain_one = preparer.prepare_linked_requirement

            def prepare_one(requirement, *args, **kwargs):
                found = plain_one(requirement, *args, **kwargs)
                if requirement.download_info is None:
                    self.known[requirement] = found
                return found

            def prepare_more(requirements, *args, **kwargs):
                requirements = list(requirements)
                self.show_outline(requirements)
                return plain(requirements, *args, **kwargs)

            preparer.prepare_linked_requirement = prepare_one
            preparer.prepare_linked_requirements_more = prepare_more
            return preparer

        command.make_requirement_preparer = make

    def attempts(self, command, options, args):
        """Plan until the parent is content or there is no plan."""
        self.tell_missing_folders(command)
        self.stop_before_fetching(command)
        keep_built()
        given = list(options.constraints)
        while True:
            self.options = attempt = copy.deepcopy(options)
            try:
                return self.plain_install(command, attempt, list(args))
            except Again as again:
                constraints = again.constraints
            except Exception as error:
                if self.quiet is None:
                    if type(error).__name__ in UNSOLVED:
                        self.channel.tell({"type": "unsolved"})
                    raise
                # The second plan is safepip's idea, so its failure is not the user's to read.
                said = self.unhush()
                message = {"type": "failed", "reason": str(error), "said": said[-20000:]}
                answer = self.ask_of_plan(message)
                if answer["do"] != "again":
                    raise Stop(answer) from error
                constraints = answer["constraints"]
            options.constraints = [*given, *constraints]
            self.unblock_imports(command)
            self.hush()
            answer_by(self.fetched, getattr(command, "_session", None))

    @staticmethod
    def unblock_imports(command):
        """Let pip 26.3 import again; it forbade it just before the seam."""
        guard = getattr(command, "_import_guard", None)
        if guard is not None:
            guard.close()

    def show_outline(self, requirements):
        """Show the parent what would be fetched, before it is: that may be refused already."""
        options = self.options
        waiting = [getattr(one, "needs_more_preparation", False) for one in requirements]
        if not (self.wants_outline and any(waiting)) or options is None or options.target_dir:
            return
        if not all(one.is_wheel for one in requirements):
            return  # what is to be built is built once, for this plan and the next
        names = {"root": "root_path", "prefix": "prefix_path"}
        places = {place: getattr(options, name, None) for place, name in names.items()}
        places.update(home=None, user=bool(options.use_user_site))
        try:
            with self.noted(requirements):
                entries = planned(requirements, places)
        except (AttributeError, ImportError, TypeError, KeyError, AssertionError):
            return  # a pip that cannot say it yet
        message = {"type": "plan", "depth": "outline", "entries": entries, "places": places}
        message["compiles"] = bool(getattr(options, "compile", True))
        self.outlines[1:] = [(requirements, message)]
        answer = self.ask_of_plan(message)
        if answer["do"] == "again":
            raise Again(answer["constraints"])
        if answer["do"] != "go":
            self.unhush()
            raise Stop(answer)

    @contextlib.contextmanager
    def noted(self, requirements):
        """Have requirements know what pip itself, before 25.3, only notes when it fetches them."""
        url_of = _import("pip._internal.utils.direct_url_helpers").direct_url_from_link
        lent = []
        try:
            for one in requirements:
                if one.download_info is None:
                    lent.append(one)
                    one.get_dist = functools.partial(self.known.get, one)
                    one.download_info = url_of(one.link, one.source_dir)
            yield
        finally:
            for one in lent:
                one.download_info = None
                del one.get_dist
            self.known.clear()

    def ask_of_plan(self, message):
        """Give what the parent says to a plan, or to that there is none.

        It may want to know more of the first plan before, which need not be made again for that.
        """
        answer = self.channel.ask(message)
        while answer["do"] == "look":
            requirements, outline = self.outlines[0 if answer["first"] else -1]
            is_known = self.add_lists(requirements, outline["entries"], answer["folder"])
            lists = {**outline, "depth": "lists"} if is_known else {"type": "no-lists"}
            answer = self.channel.ask(lists)
        return answer

    def add_lists(self, requirements, entries, folder):
        """Fetch which files are in the wheels, and give whether that is known of all of them."""
        parts = load("parts")
        for requirement, entry in zip(requirements, entries):
            if not getattr(requirement, "needs_more_preparation", False):
                continue
            link, url = requirement.link, without_auth(requirement.link)
            path = self.fetched.get(url)
            if path is None:
                name = os.path.basename(link.filename)  # a slash may have been hidden in its URL
                try:
                    path = os.path.join(tempfile.mkdtemp(dir=folder), name)
                    is_whole = parts.fetch(self.session, link.url_without_fragment, path)
                    if is_whole and not has_hash(link, path):
                        return False  # pip says what is wrong with it
                except Exception:  # pip and servers fail in many ways
                    return False
                if is_whole and url:
                    self.fetched[url] = path
                    answer_by({url: path}, self.session)
            entry["wheel"] = path
        return True

    def given(self, requirements, *args, **kwargs):
        """Stand in for `install_given_reqs`: the seam."""
        requirements = list(requirements)
        names = ("root", "home", "prefix")
        places = {name: kwargs.get(name) for name in names}
        places["user"] = bool(kwargs.get("use_user_site"))
        try:
            entries = planned(requirements, places)
        except (AttributeError, TypeError, KeyError, AssertionError) as error:
            self.unhush()
            raise Stop(self.channel.ask({"type": "moved", "seams": [repr(error)]})) from error
        places["home"] = None
        self.names = sorted("-".join(_named(entry)) for entry in entries)
        message = {"type": "plan", "entries": entries, "places": places}
        message["compiles"] = bool(kwargs.get("pycompile"))
        answer = self.ask_of_plan(message)
        if answer["do"] == "again":
            self.keep_fetched(requirements)
            raise Again(answer["constraints"])
        self.unhush()
        if answer["do"] != "go":
            raise Stop(answer)
        for requirement in requirements:
            path = requirement.local_file_path
            requirement.local_file_path = answer["instead"].get(path, path)
        self.protect(answer["protect"])
        leave_interruptions_to_parent()
        return self.plain_given(requirements, *args, **kwargs)

    def keep_fetched(self, requirements):
        """Keep the wheels that were fetched: the next plan has most of them, too."""
        for requirement in requirements:
            link, path = requirement.link, requirement.local_file_path
            is_fetched = link is not None and link.scheme in ("http", "https") and path
            url = without_auth(link) if is_fetched else None
            if url and os.path.basename(path) == link.filename and os.path.isfile(path):
                try:
                    kept = os.path.join(tempfile.mkdtemp(dir=self.folder), link.filename)
                    try:
                        os.link(path, kept)
                    except OSError:
                        shutil.copyfile(path, kept)
                except OSError:  # no room, say: then it is fetched again
                    continue
                self.fetched[url] = kept

    def uninstall(self, command, options, args):
        """Stand in for `UninstallCommand.run`: once to see what would go, once to do it."""
        try:
            self.asked("uninstall", options)
            entries = self.collected(command, options, args)
            answer = self.channel.ask({"type": "plan", "entries": entries})
            if answer["do"] != "go":
                return self.stopped(answer)
            self.protect(answer["protect"])
            return self.plain_uninstall(command, options, args)
        except Stop as stop:
            return self.stopped(stop.answer)
        except (EOFError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "lost sys.stdin" not in str(error):
                raise
            self.channel.tell({"type": "no-answer"})
            return 1

    def collected(self, command, options, args):
        """Give what each named distribution would lose, without pip saying or removing a thing."""
        requirement = _import("pip._internal.req.req_install").InstallRequirement
        plain, entries = requirement.uninstall, []

        def note(self, auto_confirm=False, verbose=False):
            entries.append({"name": self.name, "before": removal(self.name)})

        requirement.uninstall = note
        logging.disable(logging.CRITICAL)
        try:
            self.plain_uninstall(command, copy.deepcopy(options), list(args))
        finally:
            logging.disable(logging.NOTSET)
            requirement.uninstall = plain
        return entries

    @staticmethod
    def protect(paths):
        """Keep these absolute paths out of everything that pip is about to remove."""
        if not paths:
            return
        kept = set(paths)
        path_set = _import("pip._internal.req.req_uninstall").UninstallPathSet
        plain = path_set.from_dist.__func__

        def from_dist(cls, dist):
            found = plain(cls, dist)
            found._paths = set(_without(found._paths, kept))
            return found

        path_set.from_dist = classmethod(from_dist)

    def stopped(self, answer):
        """End pip's command where it stands."""
        if answer.get("dry_run") and self.names:
            write_output = _import("pip._internal.utils.misc").write_output
            write_output("Would install %s", " ".join(self.names))
        return answer.get("code", 1)

    def hush(self):
        """Send what pip says to a file, until it does something."""
        if self.quiet is None:
            _flush()
            self.quiet = (os.dup(1), os.dup(2), tempfile.TemporaryFile())  # noqa: SIM115 - unhush closes it
            os.dup2(self.quiet[2].fileno(), 1)
            os.dup2(self.quiet[2].fileno(), 2)

    def unhush(self):
        """Let pip speak again, and give what it said meanwhile."""
        if self.quiet is None:
            return ""
        _flush()
        out, err, said = self.quiet
        self.quiet = None
        os.dup2(out, 1)
        os.dup2(err, 2)
        with said:
            said.seek(0)
            return said.read().decode("utf-8", "replace")


def _flush():
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def _without(paths, kept):
    """Give the paths less the kept ones; of a folder that holds a kept one, what else it holds."""
    for path in paths:
        clean = os.path.normpath(path)  # RECORD may have it with a slash at the end
        if clean in kept:
            continue
        inside = clean + os.sep
        if not any(name.startswith(inside) for name in kept) or os.path.islink(clean):
            yield path
            continue
        for folder, _, files in os.walk(path):
            for name in files:
                file = os.path.join(folder, name)
                if file not in kept:
                    yield file


def without_auth(link):
    """Give the URL by which pip's session asks its adapters; None in a pip that does not say it."""
    misc = sys.modules.get("pip._internal.utils.misc")
    plain = getattr(misc, "remove_auth_from_url", None)
    return plain and plain(link.url_without_fragment)


def has_hash(link, path):
    """Say whether a wheel has the hash that its index gives; also where it gives none."""
    if not link.hash or not link.hash_name:
        return True
    digest = hashlib.new(link.hash_name)
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest() == link.hash.lower()


def keep_built():
    """Have pip find what it built for one plan when it makes the next, though it caches nothing."""
    install, caches = _install(), {}
    plain = getattr(install, "WheelCache", None)
    if plain is None:
        return  # then it builds again

    def wheel_cache(folder, *more):
        if folder not in caches:
            caches[folder] = plain(folder, *more)
        return caches[folder]

    install.WheelCache = wheel_cache


FOR_FETCHING = ("pip._internal.utils.misc", "pip._vendor.requests")


def answer_by(files, session):
    """Have a session of pip's answer these URLs by files that were fetched from there before.

    pip's cache does that as well, but for what an index forbids to keep, and `--no-cache-dir`.
    """
    is_known = hasattr(session, "mount") and "pip._vendor.requests" in sys.modules
    for url, path in files.items() if is_known else ():
        session.mount(url, _from_file(url, path, session.get_adapter(url)))


def _from_file(url, path, otherwise):
    response_of = _import("pip._vendor.requests").models.Response

    class FromFile:
        def send(self, request, **kwargs):
            # That of `URL.metadata` begins in the same way.
            whole = request.method == "GET" and "Range" not in request.headers
            if request.url != url or not whole:
                return otherwise.send(request, **kwargs)
            response = response_of()
            response.status_code, response.url, response.request = 200, url, request
            response.from_cache = True  # as that of pip's own cache
            response.headers["Content-Length"] = str(os.path.getsize(path))
            response.headers["Content-Type"] = "application/octet-stream"
            response.raw = open(path, "rb")  # noqa: SIM115 - whoever reads it closes it
            response.close = response.raw.close
            return response

        def close(self):
            pass  # that of the session is closed by itself

    return FromFile()


HEARD = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def leave_interruptions_to_parent():
    """Hear no interruption: the parent ends this process, and takes back what it did."""
    for number in HEARD:
        signal.signal(number, signal.SIG_IGN)


def end_at_once_by_interruptions():
    """Have an interruption end this without a word, as long as nothing but imports is done.

    The parent starts this deaf to it, and says itself that it was interrupted.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)


def leave_interruptions_to_pip():
    """Hear them as any Python does, again."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def load(name):
    """Give another of these scripts, as a module."""
    util = _import("importlib.util")
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec = util.spec_from_file_location("safepip_" + name, path)
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stand_in(channel, setup, folder):
    """Put the guard into pip, or what only answers questions, which is a script of its own."""
    if not setup.get("lists"):
        Guard(channel, folder).put_up()
        return
    lister, parts = load("lister"), load("parts")

    def run(command, options, args):
        found = lister.Lister(parts, setup["lists"], command, options, args)
        return lister.serve(channel, found)

    _install().InstallCommand.run = run


def main():
    """Hold the conversation and run pip."""
    end_at_once_by_interruptions()
    setup = json.loads(sys.argv[1])
    here = os.path.dirname(os.path.abspath(__file__))
    if sys.path and os.path.abspath(sys.path[0]) == here:
        del sys.path[0]
    channel = Channel(setup["read"], setup["write"])
    hello = {"type": "hello", "interpreter": interpreter()}
    if setup.get("facts_only"):
        channel.tell(hello)
        return 0
    if setup.get("pip"):
        sys.meta_path.insert(0, PipFrom(setup["pip"]))
    if setup.get("parse_only"):
        return parse_only(channel, hello, setup["arguments"])
    arguments = setup["arguments"]
    sys.argv = ["pip", *arguments]
    try:
        hello["pip_version"] = _import("pip").__version__
        hello["moved"] = moved_seams()
    except ImportError as error:
        hello["moved"] = [str(error)]
    usage_error = None
    if not hello["moved"]:
        try:
            hello.update(general_options(arguments))
        except SystemExit as error:  # pip has said what is wrong
            hello["usage_error"] = True
            usage_error = error
    usual_garbage_again()
    if channel.ask(hello)["do"] != "go":
        return 0
    if usage_error is not None:
        raise usage_error
    with tempfile.TemporaryDirectory(prefix="safepip-inputs-") as folder:
        stand_in(channel, setup, folder)
        leave_interruptions_to_pip()
        return _import("pip._internal.cli.main").main(arguments)


USUAL = gc.get_threshold()


def usual_garbage_again():
    """Have garbage looked for as usual, but not among what was loaded: pip may work for long."""
    gc.freeze()
    gc.set_threshold(*USUAL)


def end(code):
    """End with what was registered for it, and without taking Python itself down first.

    To look through all that pip loaded, and give it back piece by piece, takes a tenth of a
    second, after which the process is gone either way.
    """
    if not isinstance(code, int):
        sys.exit(code)
    try:
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except Exception:  # nobody reads any more, say: Python has its own exit code for that
        sys.exit(code)
    os._exit(code)


if __name__ == "__main__":
    # Little becomes garbage while pip is imported, and that is looked for again and again.
    gc.set_threshold(100_000)
    end(main())
