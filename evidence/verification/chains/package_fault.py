"""Why a proof package cannot be used. Each message begins with the path of the member (`evidence[0].digest`)."""

from ..reasons import Reason


class PackageError(ValueError):
    """The package is not of the documented form."""

    reason = Reason.FORMAT_FAILURE


class PackageLimit(PackageError):
    """More of something than a package may hold."""

    reason = Reason.RESOURCE_LIMIT


class PackageUnsupported(PackageError):
    """A version or a kind of archive that this engine does not know: another may."""

    reason = Reason.UNSUPPORTED_FORMAT


class PackageContradiction(PackageError):
    """Something in the package has another digest than the package states."""

    reason = Reason.HASH_FAILURE
