"""How it is measured: every instrument put to a model, from responses to measurements.

A *probe* here is any such instrument; the fitted classifier alone is a ``SparseProbe``.
"""
