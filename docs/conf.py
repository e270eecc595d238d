"""How the documentation is built: sphinx-build -W -b html docs docs/_build/html."""

import os
import sys
from importlib import metadata
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import pages  # noqa: E402

project = "l1l2fast"
author = "l1l2fast developers"
copyright = "l1l2fast developers"
release = metadata.version("l1l2fast")
version = release.partition(".dev")[0]

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.mathjax",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery", "_templates"]
templates_path = ["_templates"]
default_role = "code"
nitpicky = False
numpydoc_show_class_members = False
autodoc_typehints = "none"  # the docstrings say it in words
autosummary_generate = True
plot_formats = ["png"]
plot_html_show_formats = False
plot_html_show_source_link = False

html_theme = "pydata_sphinx_theme"
html_title = "l1l2fast"
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": False, "show_prev_next": True, "secondary_sidebar_items": ["page-toc"]}

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
    "within_subsection_order": "FileNameSortKey",
    "copyfile_regex": r".*\.rst",
}


def setup(app):
    """Pages made from the code, and docstrings made fit for reStructuredText."""
    pages.write(HERE)
    app.connect("autodoc-process-docstring", pages.clean, priority=100)
