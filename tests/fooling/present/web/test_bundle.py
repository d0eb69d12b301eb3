"""Modules as one script. A failure here costs every gallery that is opened from a disk: a name that two modules share is a
syntax error there, while the service's pages go on working."""

from __future__ import annotations

import re

import pytest

from fooling.present.web.bundle import HERE, IMPORT, bundle, modules

ENTRIES = ("gallery.js", "transfer.js", "elite-graph.js")  # of pages on a disk, and of a test of CPPNs
_NAME = re.compile(
    r"^(?:export )?(?:async )?(?:function\*? |const |let |class )([\w$]+|\{[^}]*\}|\[[^\]]*\])", re.M
)
_IMPORTED = re.compile(r'^import \{([^}]*)\} from "\./([\w-]+\.js)";$', re.M)


def _names(text: str) -> list[str]:
    """The names that a module has at its top."""
    return [name for found in _NAME.findall(text) for name in re.findall(r"[\w$]+", found)]


@pytest.mark.parametrize("entry", ENTRIES)
def test_no_two_modules_share_a_name(entry: str) -> None:
    names = [name for text in modules(entry).values() for name in _names(text)]
    assert names
    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_script_for_a_disk_has_no_word_of_modules(entry: str) -> None:
    assert re.findall(r"^(?:import|export)\b.*", bundle(entry), re.M) == []


def test_every_import_is_of_something_that_is_exported() -> None:
    """What is wrong here stops a page of the service before its first line."""
    for path in sorted(HERE.glob("*.js")):
        text = path.read_text(encoding="utf-8")
        assert text.count("\nimport ") + text.startswith("import ") == len(IMPORT.findall(text)), path.name
        for names, module in _IMPORTED.findall(text):
            given = _exported((HERE / module).read_text(encoding="utf-8"))
            wanted = {name.strip() for name in names.split(",") if name.strip()}
            assert wanted <= given, f"{path.name}: {wanted - given} of {module}"


def _exported(text: str) -> set[str]:
    return {name for line in re.findall(r"^export .*", text, re.M) for name in _names(line)}


def test_modules_come_after_what_they_import() -> None:
    texts = {
        "a.js": 'import { b } from "./b.js";\nimport {\n  c,\n} from "./c.js";\n',
        "b.js": 'import { c } from "./c.js";\n',
        "c.js": "export const c = 1;\n",
    }
    assert list(modules("a.js", texts)) == ["c.js", "b.js", "a.js"]


def test_a_circle_of_modules_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a\.js -> b\.js -> a\.js"):
        modules("a.js", {"a.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./a.js";\n'})
