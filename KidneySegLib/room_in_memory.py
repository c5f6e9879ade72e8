"""Whether there is memory for an image, asked before it is unpacked: headers can claim any size."""

from KidneySegLib.errors import ResourceError


def available_memory() -> int:
    """Returns the bytes of main memory that can be taken without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def check_room(size: int) -> None:
    """Checks that an image will fit.

    Args:
        size: of its voxels in bytes.

    Raises:
        ResourceError: it will not.
    """
    available = available_memory()
    if size > available:
        raise ResourceError(
            "The image claims a size of {size_gb:.1f} GB, and {free_gb:.1f} GB of memory are free. Close "
            "other programs, or check that the file is what it should be.",
            size_gb=size / 1e9,
            free_gb=available / 1e9,
        )
