"""Folders of pictures: labels from folders or a CSV, and ids that stay."""

import numpy as np
import pytest
from PIL import Image

from gsmooth_jax.data import folder
from gsmooth_jax.data.folder import open_pictures
from gsmooth_jax.data.specs import DataError, MissingDataError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def labels(found):
    return {picture.name: picture.label for picture in found.pictures}


def test_one_folder_a_class(tmp_path):
    touch(tmp_path, "cat/1.png", "dog/2.JPG", "ant/deep/3.webp", "dog/notes.txt", ".hidden/4.png", "dog/.5.png")
    found = open_pictures(str(tmp_path))
    assert labels(found) == {"cat/1.png": 1, "dog/2.JPG": 2, "ant/deep/3.webp": 0}
    assert (found.class_names, found.classes) == (("ant", "cat", "dog"), 3)
    assert [p.id for p in found.pictures] == sorted(p.id for p in found.pictures)


def test_folders_named_by_whole_numbers_are_these_classes(tmp_path):
    touch(tmp_path, "2/a.png", "10/b.png")
    found = open_pictures(str(tmp_path))
    assert labels(found) == {"2/a.png": 2, "10/b.png": 10}
    assert (found.class_names, found.classes) == ((), 11)


def test_pictures_alone_have_no_labels(tmp_path):
    touch(tmp_path, "a.png", "b.jpeg")
    assert labels(open_pictures(str(tmp_path))) == {"a.png": None, "b.jpeg": None}


@pytest.mark.parametrize("head", ["", "file,label\n", "﻿filename,class\n"])
def test_a_csv_of_file_and_label(head, tmp_path):
    touch(tmp_path, "a.png", "x/b.png", "c.png", "left_out.png")
    (tmp_path / "labels.csv").write_text(head + "a.png,3\nx/b.png, 1\n\nc.png,\n", encoding="utf-8")
    for place in (tmp_path, tmp_path / "labels.csv"):
        found = open_pictures(str(place))
        assert labels(found) == {"a.png": 3, "x/b.png": 1, "c.png": None}
        assert found.classes == 4
    assert found.place == tmp_path / "labels.csv"


def test_ids_are_of_the_names_and_stay_when_files_are_added(tmp_path, monkeypatch):
    touch(tmp_path, "a.png", "b.png")
    before = {p.name: p.id for p in open_pictures(str(tmp_path)).pictures}
    touch(tmp_path, "0.png", "aa.png", "z.png")
    after = {p.name: p.id for p in open_pictures(str(tmp_path)).pictures}
    assert before.items() <= after.items()
    assert all(0 <= number < 2**32 for number in after.values())
    hashed = folder._hash
    monkeypatch.setattr(folder, "_hash", lambda text: 7 if text in ("a.png", "z.png") else hashed(text))
    collided = {p.name: p.id for p in open_pictures(str(tmp_path)).pictures}
    assert collided["a.png"] == 7
    assert len(set(collided.values())) == 5


@pytest.mark.parametrize(
    ("files", "text", "message"),
    [
        ((), None, r"Expected pictures or WAV files \(.png, .jpg, .jpeg, .webp, .wav\) in .*, found none"),
        (("a.png", "x/b.png"), None, "pictures, or folders of them for its classes, got both: a.png beside x"),
        (("a.png",), "a.png,1\nb.png,2\nc.png,3\n", "names 2 files that are not there: b.png, c.png"),
        (("a.png",), "a.png,cat\n", "label of a.png in .* to be a whole number >= 0, got 'cat'"),
        (("a.png",), "a.png,-1\n", "whole number >= 0, got '-1'"),
        (("a.png",), "a.png,1\n./a.png,2\n", "names 1 files more than once: a.png"),
        (("a.png",), "", "to name pictures, one a row, got none"),
    ],
)
def test_bad_folders(files, text, message, tmp_path):
    touch(tmp_path, *files)
    if text is not None:
        (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        open_pictures(str(tmp_path))


def test_nothing_there(tmp_path):
    with pytest.raises(MissingDataError, match="a folder of pictures or a CSV file"):
        open_pictures(str(tmp_path / "none"))
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="to be a CSV file of file and label"):
        open_pictures(str(tmp_path))


def test_grey_pictures_beside_colours(tmp_path):
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(tmp_path / "grey.png")
    found = open_pictures(str(tmp_path))
    (picture,) = found.pictures
    fitting = folder.Fitting()
    assert found.read(picture, fitting).shape == (3, 4, 1)
    np.testing.assert_array_equal(found.read(picture, fitting, colour=True)[..., 2], np.arange(12).reshape(3, 4))
    with pytest.raises(DataError, match=r"grey.png: Expected pictures of at least 9 x 9 pixels"):
        found.read(picture, folder.Fitting(crop=(9,)))
