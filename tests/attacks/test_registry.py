from pathlib import Path

from gsmooth_jax.attacks import ATTACKS


def test_every_attack_has_its_tests():
    assert list(ATTACKS) == ["grid", "random", "eot-pgd"]
    for name, attack in ATTACKS.items():
        assert attack.name == name
        assert attack() == attack()
        assert (Path(__file__).parent / f"test_{name.replace('-', '_')}.py").exists()
