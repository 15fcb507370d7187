"""Articles on the findings that are only worth knowing. Pure."""

from __future__ import annotations

from safepip.values.explanation import Article

NOTES = (
    Article(
        "pixi",
        "pixi owns the environment",
        "note",
        (
            (
                "pixi makes the environment from its manifest again whenever it thinks it should, "
                "and then takes back what others installed."
            ),
        ),
        ("note[pixi]: pixi owns this environment and takes back what it did not install itself",),
        (("let pixi install it, so that it stays", "pixi add --pypi NAME"),),
    ),
    Article(
        "builds",
        "code of a project ran while its wheel was built",
        "note",
        (
            (
                "For a source distribution, a repository or a folder, pip runs the project's own "
                "build to learn what it is and needs. That comes before any verdict, also for "
                "`plan`."
            ),
        ),
        ("note[builds]: built on this machine, by code that ran before this verdict: docopt",),
        (("take wheels only", "safepip install --only-binary :all: NAME"),),
    ),
    Article(
        "runtime-twice",
        "a wheel brings a native runtime that conda has, too",
        "note",
        (
            (
                "Wheels bring copies of OpenMP, MKL, OpenBLAS, the C++ library or CUDA. Two of "
                "them in one process mostly work, and sometimes hang or crash it."
            ),
        ),
        ("note[runtime-twice]: torch 2.4 brings its own libgomp, and conda has one, too",),
        (("take it from conda, where it shares conda's", "conda install -p PREFIX pytorch"),),
    ),
    Article(
        "base",
        "the environment is conda's own",
        "note",
        (
            (
                "conda itself runs in `base`. What breaks there breaks conda for all "
                "environments. base is guarded like any other; a fresh environment is safer."
            ),
        ),
        ("note[base]: this is conda's own environment; a new one is safer",),
        (("use a new environment", "conda create -n work python pip"),),
    ),
    Article(
        "already-damaged",
        "something here was damaged before",
        "note",
        (
            (
                "Files of conda are missing or changed, or pip was cut off and left folders such "
                "as `~umpy`. The plan is judged all the same; what is broken already is not "
                "blamed on it."
            ),
        ),
        ("note[already-damaged]: damaged before this command: numpy 1.26.4: 412 files are gone",),
        (("put conda's files back", "conda install -p PREFIX --force-reinstall NAME"),),
    ),
)
