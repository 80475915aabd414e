"""What mcdose says when it is given something it cannot work with."""


class InputError(ValueError):
    """Bad input: one sentence that names the file or field, the value found, and the remedy."""


class InputWarning(UserWarning):
    """Input that can be used, but of which the user should know something."""
