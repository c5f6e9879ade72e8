"""What the engine's process gets of this one's environment: what it needs to run, and none of the secrets."""

import re
from collections.abc import Mapping

_NEEDED = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|TZ|TMPDIR|TEMP|TMP|VIRTUAL_ENV|LD_LIBRARY_PATH|LD_PRELOAD|"
    r"KIDNEYSEG_(MODELS|DEBUG)|"
    r"(LC|PYTHON|XDG|MPL|OMP|GOMP|KMP|MKL|OPENBLAS|NUMEXPR|VECLIB|ITK|MALLOC|DNNL|ONEDNN)_?\w*|"
    r"(TORCH|PYTORCH|CUDA|CUDNN|CUBLAS|NVIDIA|NCCL|HIP|HSA|ROCR|DYLD)_\w*|"
    # Windows
    r"SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA|PROGRAMDATA|PROGRAMFILES|"
    r"NUMBER_OF_PROCESSORS|PROCESSOR_ARCHITECTURE",
    re.IGNORECASE,
)
_SECRET = re.compile(r"PASSW|TOKEN|SECRET|CREDENTIAL|API_?KEY", re.IGNORECASE)


def engine_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the part of an environment that a program on torch needs."""
    return {name: value for name, value in environment.items() if _NEEDED.fullmatch(name) and not _SECRET.search(name)}
