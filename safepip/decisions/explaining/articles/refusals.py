"""Articles on the findings that refuse a plan. Pure."""

from __future__ import annotations

from safepip.values.explanation import Article

REFUSALS = (
    Article(
        "conda-owned",
        "a distribution that conda installed would be changed",
        "refuses",
        (
            (
                "pip does not know that conda has files here. To upgrade, downgrade, reinstall or "
                "remove such a distribution it deletes conda's files and writes its own, and "
                "conda goes on to list what is no longer there: what was compiled against the old "
                "version may not load any more, and the next change by conda writes its files "
                "over pip's."
            ),
            (
                "Who owns a distribution is read from the files in conda-meta, never guessed from "
                "a name. Where pip chose the version by itself, safepip plans again with conda's "
                "versions held and installs that; what you asked for by name or bound is never "
                "replaced by something else, but blocked."
            ),
        ),
        (
            "error[conda-owned]: this install would replace conda's numpy 1.26.4 with 2.4.6",
            "safepip install opencv-python==5.0.0.93",
            "└── + opencv-python 5.0.0.93  new",
            "    └── ! numpy 1.26.4 -> 2.4.6  conda owns it",
        ),
        (
            ("let conda change it", 'conda install -p PREFIX "NAME>=2"'),
            ("see who needs it, and with which bounds", "safepip explain NAME"),
            ("let pip take it over, on purpose", "safepip install --allow NAME ..."),
        ),
    ),
    Article(
        "same-files",
        "a file or command would land on a path of a conda package with another name",
        "refuses; a note for stray top-level files, which are left out",
        (
            (
                "Two distributions may have the same files although nothing connects their names: "
                "opencv-python and conda's py-opencv both have the module cv2. pip writes over "
                "what is there without a word, and removing either one later takes the other's "
                "files along."
            ),
            (
                "Commands count, too, though no RECORD lists them. Files with equal bytes do no "
                "harm and are left alone."
            ),
        ),
        (
            "error[same-files]: opencv-python 4.11.0.86 would write over 41 files of the conda",
            "  package py-opencv 4.9.0",
        ),
        (
            ("use what conda has already", "python -c 'import cv2'"),
            (
                "or swap them, where nothing needs conda's",
                "conda remove -p PREFIX py-opencv && safepip install opencv-python",
            ),
        ),
    ),
    Article(
        "second-copy",
        "a module would be there twice",
        "refuses",
        (
            (
                "A conda package has the module already, but no metadata that pip can see, so pip "
                "takes it for absent. Of two copies one hides the other, or overwrites it."
            ),
            (
                "Or the new module would be imported in place of conda's, without writing over it: "
                "Python takes a folder core/ before core.so, and that before core.py."
            ),
        ),
        (
            "error[second-copy]: opencv-python 4.11 would be a second copy of cv2, which conda's",
            "  opencv 4.9.0 has",
        ),
        (
            ("use conda's, and install the rest", "safepip install --no-deps NAME ..."),
            ("let pip have it, on purpose", "safepip install --allow NAME ..."),
        ),
    ),
    Article(
        "breaks",
        "something installed would lose what it requires",
        "refuses",
        (
            (
                "A requirement that is met now would not be met afterwards. pip does this and "
                "reports it when it is done, with exit code 0."
            ),
            "What was broken before is not held against a plan.",
        ),
        ("error[breaks]: rich 13.6 -> 14.0 would break textual 0.40, which requires rich<14",),
        (
            ("take a version that both can work with", 'safepip install NAME "rich<14"'),
            ("or update what would break with it", "safepip install NAME textual"),
        ),
    ),
    Article(
        "unmet",
        "something new would not have what it requires",
        "refuses; a note with --no-deps",
        (
            (
                "A planned distribution requires another that would be missing, or there in a "
                "version that it does not accept."
            ),
        ),
        ("error[unmet]: app 1.0 requires dep>=2, and dep 1.0 would be there",),
        (("install what it requires, too", 'safepip install NAME "dep>=2"'),),
    ),
    Article(
        "shadows",
        "a copy would come before conda's on sys.path",
        "refuses; a note where one does already",
        (
            (
                "pip's --user, and what pip does by itself where it cannot write the environment, "
                "put files into a folder of yours that every environment with the same Python "
                "searches first. conda's package stays whole and is not imported any more."
            ),
        ),
        (
            "error[shadows]: numpy 2.4.6 would go to ~/.local/lib/python3.11/site-packages, which",
            "  Python searches before conda's numpy 1.26.4",
        ),
        (
            ("install into the environment itself", "PIP_USER=0 safepip install NAME"),
            ("or into one that is yours", "conda create -n mine python pip"),
        ),
    ),
    Article(
        "pinned",
        "the change contradicts conda-meta/pinned",
        "refuses",
        (
            (
                "Somebody wrote into conda-meta/pinned which versions are to stay. conda keeps to "
                "it; pip does not read it."
            ),
        ),
        ("error[pinned]: numpy 2.4.6 contradicts the pin `numpy 1.26.*` of this environment",),
        (
            ("see what is pinned", "cat PREFIX/conda-meta/pinned"),
            ("take what the pin allows", 'safepip install "NAME==1.26.*"'),
        ),
    ),
    Article(
        "frozen",
        "the environment is not to be changed",
        "refuses, with exit code 16",
        (
            (
                "The file conda-meta/frozen says so, or an EXTERNALLY-MANAGED that is not "
                "safepip's, or the prefix cannot be written, or has no room for what is kept to "
                "go back. `safepip plan` works there all the "
                "same."
            ),
        ),
        (
            "error[frozen]: this environment is marked read-only by its owner",
            "  This env is managed by ops.",
        ),
        (
            ("work in a copy of your own", "conda create -n mine --clone PREFIX"),
            ("or, if it is yours", "safepip install --override-frozen NAME"),
        ),
    ),
    Article(
        "no-metadata",
        "something that pip cannot uninstall stands in the way",
        "refuses where pip would fail half-way; else a note",
        (
            (
                "A distribution without RECORD, or with metadata of distutils, cannot be "
                "uninstalled by pip. pip finds out when part of the plan is done."
            ),
        ),
        ("error[no-metadata]: pip cannot uninstall PyYAML 5.3: it is a distutils project",),
        (("let whoever installed it change it", "conda install -p PREFIX NAME"),),
    ),
)
