from l1l2fast._losses import Loss as Loss

__all__: list[str]

# A leaf is found through the base class, so the stub need not list it.
def __getattr__(name: str) -> type[Loss]: ...
