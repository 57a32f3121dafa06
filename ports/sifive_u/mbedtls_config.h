// SPDX-License-Identifier: MIT
/* What the board takes of Mbed TLS: two hashes, small rather than fast. */
#ifndef PORTS_SIFIVE_U_MBEDTLS_CONFIG_H
#define PORTS_SIFIVE_U_MBEDTLS_CONFIG_H

#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_MD5_C

#endif
