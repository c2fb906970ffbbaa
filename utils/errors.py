"""The project's own exceptions: each carries one line for the user and an exit status for the shell."""


class ProjectError(Exception):
    """Something went wrong that the user can understand: found, expected, where, remedy, in one line.

    Attributes:
        exit_status: what the process returns to its caller.
    """

    exit_status = 1


class UsageError(ProjectError):
    """The command line or a configuration is wrong."""

    exit_status = 2


class ConfigError(UsageError):
    """A configuration file is malformed, or asks for something impossible."""


class DataError(UsageError):
    """An input file or product is missing, truncated or not what it claims to be."""


class RunError(ProjectError):
    """The run itself failed although its input was right: a full disk, a lost worker, no network."""
