"""Lets the modules of rules find each other when pytest collects this folder."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
