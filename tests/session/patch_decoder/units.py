# SPDX-License-Identifier: MIT
"""Kinds of units of a copy."""

PLAIN, CALL, LITERAL, POINTER, CODE_POINTER = range(5)
