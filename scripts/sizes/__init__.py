# SPDX-License-Identifier: MIT
"""What `make cross` and `make size` share: the compilers, what is linked, and the call graph's stack."""
