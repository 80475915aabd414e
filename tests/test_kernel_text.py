"""Tables i, j, k, S: written, read, and what is refused."""

import numpy as np
import pytest

import mcdose

ABOUT = {"spacing_mm": 4.42, "emission": "Y-90", "medium": "soft_tissue", "density_g_cm3": 1.04}


def _kernel(spacing=(2.0, 2.0, 3.0)):
    k, j, i = np.indices((3, 4, 4))
    return mcdose.SValueKernel(1e-9 * np.exp(-(i**2 + j**2 + 2.0 * k**2)), spacing, "Y-90", "water", 1.0)


def test_written_and_read_again(tmp_path):
    kernel = _kernel()
    kernel.write_text(tmp_path / "k.txt")
    again = mcdose.SValueKernel.read_text(tmp_path / "k.txt")
    np.testing.assert_allclose(again.near_gy, kernel.near_gy, rtol=1e-6)
    assert (again.spacing_mm, again.emission, again.medium) == (kernel.spacing_mm, "Y-90", "water")


@pytest.mark.parametrize("separator", [",", " ", "\t", ";"])
def test_units_and_separators(tmp_path, separator):
    path = tmp_path / "table.csv"
    rows = ["i j k S", "0 0 0 0.5", "1 0 0 0.1", "1 1 0 0.03", "1 1 1 0.01"]
    path.write_text("\n".join(row.replace(" ", separator) for row in rows))
    kernel = mcdose.SValueKernel.read_text(path, **ABOUT)
    assert kernel.self_gy == pytest.approx(0.5e-9)  # 1 mGy/(MBq s) = 1e-9 Gy per decay
    assert kernel.near_gy[0, 1, 0] == kernel.near_gy[1, 0, 0] == pytest.approx(0.1e-9)  # cubic: axes exchanged
    assert kernel.array_gy().shape == (3, 3, 3)
    assert kernel.array_gy()[0, 1, 1] == pytest.approx(0.1e-9)


def test_offsets_of_both_signs(tmp_path):
    path = tmp_path / "table.txt"
    near = _kernel(4.0).array_gy() * 1e9
    index = np.argwhere(np.ones(near.shape))
    lines = [f"{i - 3} {j - 3} {k - 2} {near[k, j, i]:.8e}" for k, j, i in index]
    path.write_text("\n".join(lines))
    about = {**ABOUT, "spacing_mm": (4.0, 4.0, 6.0)}
    np.testing.assert_allclose(mcdose.SValueKernel.read_text(path, **about).array_gy() * 1e9, near, rtol=1e-7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0 0 0.5\n2 0 0 0.1\n", r"no S value for"),
        ("0 0 0 0.5\n1 0 x 0.1\n", r"line 2 is not i, j, k, S"),
        ("i j k S\n", r"no line with i, j, k, S"),
        ("0 0 0 0.5\n1 0 0 0.1\n0 1 0 0.3\n1 1 0 0.05\n1 1 1 0.01\n", r"by symmetry"),
    ],
)
def test_bad_tables_are_refused(tmp_path, text, message):
    path = tmp_path / "table.txt"
    path.write_text(text)
    with pytest.raises(mcdose.InputError, match=message):
        mcdose.SValueKernel.read_text(path, **ABOUT)


def test_what_the_file_does_not_say_must_be_given(tmp_path):
    path = tmp_path / "table.txt"
    path.write_text("0 0 0 0.5\n")
    with pytest.raises(mcdose.InputError, match="spacing_mm"):
        mcdose.SValueKernel.read_text(path)
