# Ctrl-C inside a kernel: ask now and then, leave with a status, and let the Python wrapper raise.
#
#     while ...:                      # nogil
#         if interrupted(): return INTERRUPTED
#     if status == INTERRUPTED: raise_pending()      # the wrapper: KeyboardInterrupt comes out

cdef extern from "Python.h":
    int PyErr_CheckSignals() noexcept
    void *PyErr_Occurred() noexcept


cdef inline bint interrupted() noexcept with gil:
    # Python's own handler runs here, in the main thread only; its exception stays pending.
    # Once it has said yes it goes on saying so.
    return PyErr_Occurred() != NULL or PyErr_CheckSignals() != 0


cdef inline int raise_pending() except -1:
    return -1
