"""What mcdose says when it is given something it cannot work with."""

from contextlib import contextmanager


class InputError(ValueError):
    """Bad input: one sentence that names the file or field, the value found, and the remedy."""


class InputWarning(UserWarning):
    """Input that can be used, but of which the user should know something."""


@contextmanager
def as_input_error():
    """Turn the ValueError of what is called inside (physics data know no other) into an InputError."""
    try:
        yield
    except InputError:
        raise
    except ValueError as error:
        raise InputError(str(error)) from error
