"""Addresses as messages may show them."""

import re

_USER = re.compile(r"://(?!/)\S*@")
_VALUE = re.compile(r"(?<=[?&])([^=&\s]+)=[^&\s]*")


def without_secrets(text: str) -> str:
    """Hide users, passwords and values of queries in every address of a text.

    Examples
    --------
    >>> without_secrets("no answer from https://ada:secret@example.org/api?token=abc&n=1")
    'no answer from https://***@example.org/api?token=***&n=***'
    >>> without_secrets("sqlite:////home/ada@work/runs.db")
    'sqlite:////home/ada@work/runs.db'
    """
    return _VALUE.sub(r"\1=***", _USER.sub("://***@", text))
