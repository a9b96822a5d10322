"""Which clause of which law, standard or guidance an audit holds evidence for.

The frameworks are data, one YAML file each beside this module, with a version and the day on which
they were last looked at. A state follows from what the audit really holds; none of them says that
anything conforms to anything.
"""
