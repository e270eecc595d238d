from l1l2fast._penalties import *  # noqa: F403
from l1l2fast._penalties import Penalty

__all__: list[str]

# A leaf need not be listed in `_penalties.pyi`, it is found through the base class.
def __getattr__(name: str) -> type[Penalty]: ...
