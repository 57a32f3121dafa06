# SPDX-License-Identifier: MIT
"""The parts of bench/patch_bench.py."""
