"""The tables of results are what the kept runs say."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "experiments/tables.py"


@pytest.fixture(scope="module")
def tables():
    spec = importlib.util.spec_from_file_location("tables", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.usefixtures("untraced")
def test_documents_show_what_the_kept_runs_say(tables, monkeypatch):
    monkeypatch.setattr("sys.argv", ["tables.py", "--check"])
    with pytest.raises(SystemExit) as ended:
        tables.main()
    assert ended.value.code == 0


def test_another_figure_is_found_and_written_anew(tables, monkeypatch, tmp_path, capsys):
    text = "<!-- results: mnist, resolvable_mnist/translation -->\n| typed | 99.9 % |\n<!-- end of results -->\n"
    document = tmp_path / "README.md"
    document.write_text(text)
    published = {"resolvable_mnist/translation": {"row": "shifts", "gsmooth": "98.7"}}
    monkeypatch.setattr(tables, "DOCUMENTS", [document])
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    monkeypatch.setattr(tables.tomllib, "loads", lambda _: {"mnist": published})
    monkeypatch.setattr("sys.argv", ["tables.py", "--check"])
    with pytest.raises(SystemExit, match=r"Not what the runs say: README\.md"):
        tables.main()
    assert document.read_text() == text
    monkeypatch.setattr("sys.argv", ["tables.py"])
    tables.main()
    assert "| shifts | real-valued | 3 ConvNets, centres | 99.6 % | **99.6 %** | 32 | 98.7 |\n" in document.read_text()
    tables.main()
    assert capsys.readouterr().out.endswith("Written: nothing, all was as the runs say.\n")


def test_a_run_of_other_images_is_refused(tables):
    with pytest.raises(ValueError, match="Expected status, alpha, images and every"):
        tables.cells(SCRIPT.parent / "compositions/rotation_brightness", {"row": "both"})
