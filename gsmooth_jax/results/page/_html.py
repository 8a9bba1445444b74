"""HTML as strings: everything that is not made by this package goes through ``text`` or an attribute. Host."""

import html
from collections.abc import Iterable


def text(value: object) -> str:
    """What a value says, with nothing in it that is markup."""
    return html.escape(str(value))


def tag(name: str, /, *inside: str, **attributes: object) -> str:
    """Returns an element.

    Args:
      name: of the element; of one that has no content, such as ``img``, nothing may be inside.
      inside: markup: the caller has escaped what is text.
      attributes: their values are escaped here; ``class_`` is ``class``, and ``_`` stands for ``-``. None and False
        leave one out, True leaves out its value.
    """
    words = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        called = key.rstrip("_").replace("_", "-")
        words.append(called if value is True else f'{called}="{html.escape(str(value))}"')
    opened = " ".join(words)
    if name in _SHAPES:  # foreign elements of HTML, which end by a slash
        return f"<{opened}/>"
    return f"<{opened}>" if name in _EMPTY else f"<{opened}>{''.join(inside)}</{name}>"


_EMPTY = ("img", "meta")
_SHAPES = ("path", "rect", "circle", "line")


def table(headings: Iterable[str], rows: Iterable[Iterable[str]], *, caption: str = "", class_: str = "") -> str:
    """Returns a table of texts, whose first column names its rows; the others hold figures."""
    head = "".join(tag("th", text(h), scope="col") for h in headings)
    body = []
    for first, *others in rows:
        cells = [tag("th", text(first), scope="row"), *(tag("td", text(cell)) for cell in others)]
        body.append(tag("tr", *cells))
    named = [tag("caption", text(caption))] if caption else []
    inside = tag("thead", tag("tr", head)) + tag("tbody", *body)
    return tag(
        "div",
        tag("table", *named, inside, class_=class_ or None),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label=caption or None,
    )
