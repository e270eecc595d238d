"""What `import l1l2fast` costs on top of numpy and scipy.linalg."""


class Import:
    version = "1"

    def timeraw_l1l2fast(self):
        return "import l1l2fast"

    def timeraw_numpy_and_scipy_linalg(self):
        return "import numpy, scipy.linalg"

    def timeraw_l1l2fast_after_them(self):
        return "import l1l2fast", "import numpy, scipy.linalg"
