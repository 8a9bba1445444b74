"""The catalogue once more, in float64 by NumPy and SciPy: no line shared with the library."""

import numpy as np
from scipy import fft, ndimage


def hat(source, n):
    return np.clip(1.0 - np.abs(np.asarray(source)[:, None] - np.arange(n)[None, :]), 0.0, 1.0)


def separable(image, rows, columns):
    return np.einsum("ih,hwc,jw->ijc", rows, image, columns, optimize=True)


def grid(n):
    return np.arange(n) - 0.5 * (n - 1)


def read(image, y, x):
    """Bilinear, with zeros outside, at coordinates from the centre [H, W]."""
    h, w, channels = image.shape
    source = [y + 0.5 * (h - 1), x + 0.5 * (w - 1)]
    return np.stack(
        [ndimage.map_coordinates(image[:, :, c], source, order=1, mode="grid-constant") for c in range(channels)],
        axis=2,
    )


def centred(image):
    return np.meshgrid(*(grid(n) for n in image.shape[:2]), indexing="ij")


def rotated(image, degrees, off_centre=0.0):
    y, x = (offset - off_centre for offset in centred(image))
    sin, cos = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    return read(image, x * sin + y * cos + off_centre, x * cos - y * sin + off_centre)


def sheared(image, shear):
    y, x = centred(image)
    return read(image, y, x - shear * y)


def tilted(image, tilt):
    y, x = centred(image)
    nearer = 1.0 + tilt * y / (0.5 * image.shape[0])
    return read(image, y / nearer, x / nearer)


def scaled(image, ratio):
    h, w, _ = image.shape
    return separable(image, *(hat(grid(n) / ratio + 0.5 * (n - 1), n) for n in (h, w)))


def shifted(image, dy, dx):
    h, w, _ = image.shape
    return separable(image, hat(np.arange(h) - dy, h), hat(np.arange(w) - dx, w))


def pixelated(image, loss):
    def there_and_back(n):
        small = max(int(np.floor(n * (1.0 - loss + 1e-6))), 1)
        down = hat(np.clip((np.arange(n) + 0.5) * (n / small) - 0.5, 0, n - 1), n)
        up = hat(np.clip((np.arange(n) + 0.5) * (small / n) - 0.5, 0, small - 1), n)
        return up @ down

    return separable(image, there_and_back(image.shape[0]), there_and_back(image.shape[1]))


def by_spectrum(image, multiplier):
    spectrum = fft.dctn(image, type=2, axes=(0, 1), norm="ortho")
    return fft.idctn(spectrum * multiplier[:, :, None], type=2, axes=(0, 1), norm="ortho")


def frequencies(image):
    return [np.pi * np.arange(n) / n for n in image.shape[:2]]


def gaussian_blurred(image, variance):
    y, x = frequencies(image)
    return by_spectrum(image, np.exp(-0.5 * variance * (y[:, None] ** 2 + x[None, :] ** 2)))


def glass(image, strength, seed=0, blurred=gaussian_blurred):
    h, w, _ = image.shape
    k = int(np.floor(strength + 0.5))
    shares = np.ldexp((np.random.Philox(key=seed).random_raw(2 * h * w) >> np.uint64(11)).astype(float), -53)
    out = blurred(image, k * k / 4)
    for y in range(h):
        for x in range(w):
            dy, dx = (int(np.floor(s * (2 * k + 1))) - k for s in shares[2 * (y * w + x) :][:2])
            other = min(max(y + dy, 0), h - 1), min(max(x + dx, 0), w - 1)
            out[y, x], out[other] = out[other].copy(), out[y, x].copy()
    return blurred(out, k * k / 4)


def defocused(image, radius):
    reach = np.arange(-9, 10)
    weights = np.clip(radius + 0.5 - np.hypot(reach[:, None], reach[None, :]), 0.0, 1.0)
    y, x = frequencies(image)
    multiplier = np.cos(np.outer(y, reach)) @ (weights / weights.sum()) @ np.cos(np.outer(reach, x))
    return by_spectrum(image, multiplier)


def hued(image, degrees):
    angle, axis = np.deg2rad(degrees), np.full(3, 3**-0.5)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return image @ (np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross).T


def saturated(image, k):
    grey = image @ np.array([0.299, 0.587, 0.114])[:, None]
    return grey + np.exp(k) * (image - grey)


def low_passed(image, radius=4.0):
    h, w, _ = image.shape
    waves = np.add.outer(np.fft.fftfreq(h, 1 / h) ** 2, np.fft.fftfreq(w, 1 / w) ** 2)
    return np.fft.ifft2(np.fft.fft2(image, axes=(0, 1)) * (waves <= radius**2)[:, :, None], axes=(0, 1)).real


def vignetted(image):
    y, x = centred(image)
    return image * (y**2 + x**2 <= (0.5 * (min(image.shape[:2]) - 1)) ** 2)[:, :, None]


def gamma(image, g):
    lit = image > 0.0
    return np.where(lit, np.where(lit, image, 1.0) ** np.exp(g), 0.0)


EXACT = {
    "additive": lambda x, *d: x + np.reshape(d, x.shape),
    "brightness": lambda x, b: x + b,
    "brightness_contrast": lambda x, k, b: np.exp(k) * (x + b),
    "contrast": lambda x, k: np.exp(k) * x,
    "defocus_blur": defocused,
    "gamma": gamma,
    "gaussian_blur": gaussian_blurred,
    "glass_blur": glass,
    "hue": hued,
    "low_pass": low_passed,
    "motion_blur": lambda x, a, b: np.mean([shifted(x, a * r, b * r) for r in np.linspace(-0.5, 0.5, 17)], axis=0),
    "perspective": tilted,
    "pixelate": pixelated,
    "rotation": rotated,
    "rotational_blur": lambda x, a: np.mean([rotated(x, a * i / 10) for i in range(11)], axis=0),
    "saturation": saturated,
    "scaling": lambda x, s: scaled(x, 1.0 + s),
    "shear": sheared,
    "shift": shifted,
    "translation": lambda x, a, b: np.roll(x, (int(np.floor(a + 0.5)), int(np.floor(b + 0.5))), (0, 1)),
    "vignette": vignetted,
    "volume": lambda x, b: x * 10 ** (b / 20),
    "zoom_blur": lambda x, z: np.mean([scaled(x, 1.0 + z * i / 10) for i in range(11)], axis=0),
}
"""name -> image [H, W, C] float64 and the parameters, to the transformed image."""
