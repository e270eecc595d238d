from l1l2fast._losses import *  # noqa: F403
from l1l2fast._losses import Loss

__all__: list[str]

# A leaf need not be listed in `_losses.pyi`, it is found through the base class.
def __getattr__(name: str) -> type[Loss]: ...
