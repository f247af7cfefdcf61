"""Instances are dealt out to splits that are neither empty nor overlap."""

import pytest

from mapopt.errors import InputError
from mapopt.tuning.cases import cases_of, deal
from mapopt.tuning.tuning import Splitting, read_tuning
from tests.library.libraries import write_library, write_references
from tests.tuning.tuning_files import instance, write_tuning


def cases(path):
    return cases_of(read_tuning(path), path.parent)


def test_named_families(tmp_path):
    found = cases(write_tuning(tmp_path))
    assert [(case.label, case.family, case.split) for case in found] == [
        ("a0", "a", "train"), ("a1", "a", "train"), ("b0", "b", "validation"), ("b1", "b", "validation"),
        ("c0", "c", "test"), ("c1", "c", "test"),
    ]  # fmt: skip


def test_a_set_may_name_its_split(tmp_path):
    path = write_tuning(tmp_path, split=False)
    sets = "".join(
        f'[[instances]]\nfiles = ["{family}/*.json"]\nsplit = "{split}"\n'
        for family, split in zip("abc", ("test", "train", "validation"), strict=True)
    )
    path.write_text(path.read_text().replace('[[instances]]\nfiles = ["*/*.json"]\n', sets))
    assert {case.label: case.split for case in cases(path)} == {
        "a0": "test", "a1": "test", "b0": "train", "b1": "train", "c0": "validation", "c1": "validation",
    }  # fmt: skip


@pytest.mark.parametrize("second", ['split = "test"\n', ""])
def test_a_family_is_in_one_split(tmp_path, second):
    path = write_tuning(tmp_path, split=False)
    sets = '[[instances]]\nfiles = ["a/a0.json"]\nsplit = "train"\n'
    sets += f'[[instances]]\nfiles = ["a/a1.json"]\n{second}'
    sets += '[[instances]]\nfiles = ["b/*.json"]\nsplit = "validation"\n'
    text = path.read_text().replace('[[instances]]\nfiles = ["*/*.json"]\n', sets)
    path.write_text(text if second else text.replace("[[inst", '[split]\ntest = ["a"]\n[[inst', 1))
    with pytest.raises(InputError, match="family 'a' is in splits 'train' and 'test'"):
        cases(path)


def test_a_family_with_a_split_beside_it_is_not_named_again(tmp_path):
    path = write_tuning(tmp_path)
    path.write_text(path.read_text().replace('files = ["*/*.json"]', 'files = ["*/*.json"]\nsplit = "train"'))
    with pytest.raises(
        InputError, match="names family 'a', whose instances have `split = 'train'` beside them"
    ):
        cases(path)


def test_dealing_is_by_family_and_repeats():
    families = [f"f{at}" for at in range(10)]
    dealt = deal(families, Splitting(seed=3))
    assert dealt == deal(reversed(families), Splitting(seed=3))
    assert dealt != deal(families, Splitting(seed=4))
    assert sorted(dealt.values()) == ["test"] * 3 + ["train"] * 5 + ["validation"] * 2
    for count in (3, 4, 5):
        for shares in ((0.9, 0.05), (0.05, 0.9), (0.5, 0.25)):
            assert len(set(deal(families[:count], Splitting(shares=shares)).values())) == 3


@pytest.mark.parametrize("families", [("a",), ("a", "b")])
def test_too_few_families_leave_a_split_empty(tmp_path, families):
    with pytest.raises(InputError, match=r"split 'validation' has no instance|split 'test' has no instance"):
        cases(write_tuning(tmp_path, families=families, split=False))


def test_overlap_is_refused(tmp_path):
    path = write_tuning(tmp_path)
    instance(0).save(tmp_path / "c" / "again.json")
    with pytest.raises(InputError) as error:
        cases(path)
    assert "'again' is the same as 'a0', in splits 'train' and 'test'" in str(error.value)


def test_families_and_splits_must_fit(tmp_path):
    path = write_tuning(tmp_path)
    text = path.read_text()
    path.write_text(text.replace('train = ["a"]', 'train = ["a", "z"]'))
    with pytest.raises(InputError, match="'z', of which there is no instance; there are a, b, c"):
        cases(path)
    path.write_text(text.replace('test = ["c"]', ""))
    with pytest.raises(InputError, match="family 'c' is in no split"):
        cases(path)


def test_library(tmp_path, monkeypatch):
    path = write_tuning(tmp_path)
    path.write_text(path.read_text().replace('files = ["*/*.json"]', 'library = ["nothing/*"]'))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="is no instance library"):
        cases(path)


def test_instances_of_the_library_bring_their_references(tmp_path):
    library = write_library(tmp_path / "instances")
    write_references(library)
    path = write_tuning(tmp_path, families=("b", "c"), split=False)
    sets = '[[instances]]\nlibrary = ["small"]\nsplit = "train"\n'
    sets += '[[instances]]\nfiles = ["b/*.json"]\nsplit = "validation"\n'
    sets += '[[instances]]\nfiles = ["c/*.json"]\nlibrary = ["small/x*"]\nsplit = "test"\n'
    whole = '[[instances]]\nfiles = ["*/*.json"]\n'
    text = path.read_text()
    path.write_text(text.replace(whole, sets))
    with pytest.raises(InputError, match=r"instances\[2\]: library: no instance matches small/x\*"):
        cases(path)
    path.write_text(text.replace(whole, sets.replace('library = ["small/x*"]\n', "")))
    found = [case for case in cases(path) if case.split == "train"]
    assert [(case.label, case.family) for case in found] == [
        ("small/five", "small"),
        ("small/planted", "small"),
    ]
    assert (found[0].known.latency, found[0].known.latency_bound) == (29, 20)
    assert all(case.known is None for case in cases(path) if case.split != "train")
