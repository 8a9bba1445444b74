"""What every certificate promises: ``check_certificate``."""

import copy
from typing import Any

import numpy as np

from gsmooth_jax.certificates import search
from gsmooth_jax.testing.refusal import refused


def check_certificate(certificate: Any, transform: Any, law: Any, region: Any, wrong_transform: Any) -> None:
    """Checks what every certificate promises: hypotheses, p = 1/2, monotonicity, and the two searches' agreement."""
    assert certificate == copy.deepcopy(certificate)
    certificate.check(transform, law, region)
    with refused(certificate.name):
        certificate.check(wrong_transform, law, region)

    for p_lower, p_upper in ((0.5, 0.5), (0.3, 0.3), (0.2, 0.7), (0.0, 1.0)):
        assert not certificate.certifies(law, region.scaled(1e-6), p_lower, p_upper)
        assert search.radius(certificate, law, region, p_lower, p_upper) == 0.0

    p = search.threshold(certificate, law, region)
    assert 0.5 < p < 1.0
    assert certificate.certifies(law, region, p, 1 - p)
    below = p - 1e-6 * (1 - p)
    assert not certificate.certifies(law, region, below, 1 - below)
    np.testing.assert_allclose(search.radius(certificate, law, region, p, 1 - p), region.size, rtol=1e-4)

    pairs = ((0.6, 0.4), (0.8, 0.2), (0.8, 0.1), (0.9, 0.1), (0.9, 0.01), (0.999, 0.0005))
    radii = [search.radius(certificate, law, region, *pair) for pair in pairs]
    assert radii == sorted(radii)
    assert radii[0] > 0
    for radius, pair in zip(radii, pairs, strict=True):
        assert certificate.certifies(law, region.scaled(radius), *pair)
        assert certificate.certifies(law, region.scaled(0.5 * radius), *pair)
        assert not certificate.certifies(law, region.scaled(1.01 * radius), *pair)
