"""What the README and the pages say: their examples run, their links lead somewhere, and scripts write their tables."""

import re
from pathlib import Path

import numpy as np
import pytest

import fastgumbel
from fastgumbel import anneal, dask, jit
from tests.requirements import missing_device, skip_if

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGES = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in (
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        ROOT / "fastgumbel" / "_law" / "CONTRACT.md",
        *sorted((ROOT / "bench" / "pages").glob("*.md")),
    )
}
EXAMPLES = {
    f"{page}, {number}": code
    for page, text in PAGES.items()
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
}
OPENING = EXAMPLES["README.md, 0"]
SECTIONS = [(page, script) for page, text in PAGES.items() for script in re.findall(r"<!-- (bench/\S+) -->", text)]
LINKS = [(page, link) for page, text in PAGES.items() for link in re.findall(r"\]\(([^)\s]+)\)", text)]


def run(name):
    """Run an example and return its names; those of the README begin with the imports of the first one."""
    code = EXAMPLES[name]
    if name.startswith("README.md") and code != OPENING:
        code = "".join(line for line in OPENING.splitlines(keepends=True) if line.startswith("import ")) + code
    names = {}
    exec(code, names)
    return names


def example_with(words):
    """Run the first example of the README that has these words."""
    return run(next(name for name, code in EXAMPLES.items() if name.startswith("README.md") and words in code))


LIBRARIES = {"cupy": "CuPy", "jax": "JAX", "joblib": "joblib", "pandas": "pandas", "torch": "PyTorch"}  # none is needed


def skip_where_it_cannot_run(code):
    """Skip an example where a library that it imports is not installed, or where it needs a GPU."""
    for library in re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE):
        if library in LIBRARIES:
            pytest.importorskip(library, reason=f"{LIBRARIES[library]} is not installed")
    if "import cupy" in code:
        skip_if(missing_device())


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs(name):
    skip_where_it_cannot_run(EXAMPLES[name])
    run(name)


def test_the_opening_example():
    names = run("README.md, 0")
    np.testing.assert_array_equal(fastgumbel.gumbel_max(names["utilities"], rng=42), [1, 2])
    changed = names["before"] != names["after"]
    assert (names["after"][changed] == 2).all()


def test_the_reservoir_is_the_top_k():
    names = example_with("Reservoir")
    np.testing.assert_array_equal(names["one"].indices, names["indices"])
    np.testing.assert_array_equal(names["one"].values, names["values"])
    assert names["one"].threshold == names["threshold"]
    estimate = (np.exp(names["x"][names["indices"]]) / names["inclusion"]).sum()
    assert f"{estimate:.1e}" == "5.1e+11"


def test_the_relatives():
    names = example_with("log_partition")
    x, field = names["x"], names["field"]
    assert fastgumbel.perturb(x, "exponential", noise=field).argmax() == fastgumbel.gumbel_max(x, noise=field)
    figures = np.log(np.exp(x).sum()), names["estimate"], names["error"]
    assert [f"{figure:.2f}" for figure in figures] == ["13.12", "13.11", "0.03"]


def test_the_table_has_all_public_names():
    table = README.split("## All public names")[1].split("\n\n")[1]
    names = re.findall(r"`([^`]+)`", "".join(line.split("|")[1] for line in table.splitlines()))
    assert sorted(names) == sorted([*fastgumbel.__all__, "fastgumbel.dask", "fastgumbel.jit"])
    for name, module in (("anneal", anneal), ("fastgumbel.dask", dask), ("fastgumbel.jit", jit)):
        row = next(line for line in table.splitlines() if line.startswith(f"| `{name}`"))
        assert set(module.__all__) == set(re.findall(r"`([^`]+)`", row)) - {name}


def test_ci_finds_the_commands():
    """`.ci/run` takes the first line of a page that begins a virtual environment and ends with some words."""
    script = (ROOT / ".ci" / "run").read_text()
    calls = re.findall(r"^run_command \w+ (\S+) '(.*?)'", script, re.MULTILINE)
    assert [words for _, words in calls] == ["fastgumbel choose", "pytest", "pytest -n auto tests/cuda"]
    for page, words in calls:
        commands = [line for line in PAGES[page].splitlines() if re.fullmatch(f"python3 -m venv .*{words}", line)]
        assert len(commands) == 1


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 260


@pytest.mark.parametrize(("page", "script"), SECTIONS)
def test_a_script_writes_its_section(page, script):
    assert PAGES[page].count(f"<!-- {script} -->\n") == PAGES[page].count(f"\n<!-- end of {script} -->") == 1
    source = (ROOT / script).read_text()
    assert f'"{page}"' in source
    assert f'"{script}"' in source


def test_the_readme_shows_rows_of_the_whole_table():
    shown, whole = (
        re.search("<!-- bench/compare.py -->\n(.*?)\n<!-- end", PAGES[page], re.DOTALL)[1].splitlines()
        for page in ("README.md", "bench/pages/performance.md")
    )
    assert set(shown) <= set(whole)
    assert sum(line.startswith("| `") for line in shown) == 5


def anchors(text):
    """Return what links to headings are called on GitHub."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_a_link_leads_somewhere(page, link):
    if link.startswith("https://"):
        return
    path, _, anchor = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    assert target.exists()
    assert not anchor or anchor in anchors(target.read_text())


@pytest.mark.parametrize("picture", sorted((ROOT / "bench" / "pictures").iterdir()), ids=lambda path: path.name)
def test_a_picture_is_shown_and_has_a_script(picture):
    assert any(link.endswith(f"pictures/{picture.name}") for _, link in LINKS)
    sources = [*(ROOT / "bench").glob("*.py"), *(ROOT / "bench" / "examples").glob("*.py")]
    assert any(f'PICTURES / "{picture.name}"' in source.read_text() for source in sources)
