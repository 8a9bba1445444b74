"""Lists the 20 labelled ImageNet pictures inside the PyPI package foolbox, for ``--data folder:``.

python experiments/denoised/pictures.py     # says where the list is
"""

import csv

from packages import package


def main() -> None:
    """Writes the list beside the pictures: the class of one is the end of its name."""
    folder = package("foolbox==3.3.4") / "foolbox" / "data"
    pictures = sorted(folder.glob("imagenet_*.jpg"))
    with (folder / "imagenet.csv").open("w", newline="") as file:
        csv.writer(file).writerows((path.name, path.stem.rpartition("_")[2]) for path in pictures)
    print(folder / "imagenet.csv")


if __name__ == "__main__":
    main()
