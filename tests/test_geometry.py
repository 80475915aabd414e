import numpy as np
import pytest

from kernels_cuda.electron import cross_face, first_face
from kernels_cuda.geometry import far_voxel, isotropic, rotate, sine_cosine, voxel, voxels_on
from tests.transport import box

F = np.float32


def test_sine_and_cosine_of_turns():
    turns = np.linspace(0, 1, 5001)[:-1].astype(F)
    pairs = np.array([sine_cosine(t) for t in turns])
    angle = 2 * np.pi * turns.astype(float)
    assert np.abs(pairs[:, 0] - np.sin(angle)).max() < 1e-6
    assert np.abs(pairs[:, 1] - np.cos(angle)).max() < 1e-6


@pytest.mark.parametrize("start", [(0, 0, 1), (0, 0, -1), (0.6, 0, 0.8), (-0.36, 0.48, -0.8), (1e-5, 0, 1)])
def test_rotation_keeps_length_and_turns_by_the_angle(start):
    start = np.array(start) / np.linalg.norm(start)
    cosine = F(0.3)
    sine = F(np.sqrt(1 - 0.09))
    turned = np.array([rotate(*start.astype(F), cosine, sine, F(t)) for t in np.linspace(0, 0.999, 64)], float)
    assert np.abs(np.linalg.norm(turned, axis=1) - 1).max() < 1e-5
    assert np.abs(turned @ start - 0.3).max() < 1e-5
    assert np.abs(turned[:-1].mean(axis=0) - 0.3 * start).max() < 0.02  # azimuths fill the circle


def test_rotation_is_exact_from_every_direction():
    """Also where the formula changes sign, and straight up and down."""
    rng = np.random.default_rng(2)
    starts = rng.normal(size=(400, 3))
    starts[:100, 2] = np.geomspace(1e-9, 1, 100) * rng.choice([-1, 1], 100)
    starts[100:200, :2] *= np.geomspace(1e-9, 1, 100)[:, None]
    starts = (starts / np.linalg.norm(starts, axis=1)[:, None]).astype(F)
    for start in starts:
        cosine = F(rng.uniform(-1, 1))
        sine = F(np.sqrt(1 - float(cosine) ** 2))
        quarters = np.array([rotate(*start, cosine, sine, F(t)) for t in (0.1, 0.35, 0.6, 0.85)], float)
        start = start.astype(float)
        assert np.abs(quarters @ start - cosine).max() < 1e-6
        assert np.abs(np.linalg.norm(quarters, axis=1) - 1).max() < 1e-6
        across = quarters - cosine * start
        assert np.abs(across[0] + across[2]).max() < 1e-6  # opposite azimuths
        assert abs(across[0] @ across[1]) < 1e-6  # a right angle


def test_isotropic_directions_fill_the_sphere():
    rng = np.random.default_rng(1)
    d = np.array([isotropic(F(a), F(b)) for a, b in rng.random((20000, 2))], float)
    assert np.abs(np.linalg.norm(d, axis=1) - 1).max() < 1e-5
    assert np.abs(d.mean(axis=0)).max() < 5 / np.sqrt(3 * len(d))
    assert np.abs((d**2).mean(axis=0) - 1 / 3).max() < 0.01


@pytest.mark.parametrize(("x", "steps", "rest"), [(0.2, 0, 0.2), (0.6, 1, -0.4), (-0.6, -1, 0.4), (-2.2, -2, -0.2)])
def test_voxels_are_counted_from_the_centre(x, steps, rest):
    k, left = voxels_on(F(x), F(0.5))
    assert k == steps
    assert left == pytest.approx(rest, abs=1e-6)


def test_the_first_face_on_the_way_and_the_voxel_behind_it():
    grid = box((3, 3, 3), (1.0, 2.0, 4.0))
    u, v, w = F(0.6), F(-0.8), F(0)
    distance, axis = first_face(grid, F(0), F(0), F(0), u, v, w, F(6), F(-8), F(0))
    assert (distance, axis) == (pytest.approx(0.5 / 0.6), 0)
    iz, iy, ix, x, y, z = cross_face(grid, axis, 1, 1, 1, F(0.5), F(-0.66), F(0), u, v, w)
    assert (iz, iy, ix) == (1, 1, 2)
    assert (x, y, z) == (F(-0.5), F(-0.66), F(0))
    far, _ = first_face(grid, F(0), F(0), F(0), u, v, w, F(0.4), F(-0.5), F(0))
    assert far > 1e20


def test_a_packed_voxel_keeps_medium_and_density():
    density = np.array([1e-6, 0.001205, 0.26, 1.0, 1.06, 4.51, 22.6], F).reshape(1, 1, -1)
    medium = np.array([0, 1, 7, 24, 128, 254, 255], np.uint8).reshape(1, 1, -1)
    grid = box(density.shape, (1.0, 1.0, 1.0), density, medium)
    read = [voxel(grid, 0, 0, k) for k in range(density.size)]
    assert [int(m) for m, _ in read] == medium.ravel().tolist()
    assert np.array([rho for _, rho in read]) == pytest.approx(density.ravel(), rel=2**-17)


def test_a_block_knows_its_voxels_only_where_all_are_alike():
    density = np.ones((9, 17, 8), F)
    density[3, 4, 5] = 1.5
    density[8, 16, :] = 0.3  # alone in a block that the grid cuts
    grid = box(density.shape, (1.0, 1.0, 1.0), density)
    assert grid.blocks.shape == (2, 3, 1)
    assert (grid.blocks == 0).ravel().tolist() == [True, False, False, False, False, False]
    for place in np.ndindex(density.shape):
        assert far_voxel(grid, *place) == voxel(grid, *place)
