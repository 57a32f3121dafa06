// SPDX-License-Identifier: MIT
/* Of <assert.h> only what is decided by the compiler. */
#ifndef SIFIVE_U_LIBC_ASSERT_H
#define SIFIVE_U_LIBC_ASSERT_H

#define static_assert _Static_assert

#endif
