// SPDX-License-Identifier: MIT
/* Each test_*.c has one group; main.c runs them over one network, since lwIP has no end. */
#ifndef TESTS_LWIP_SUITES_H
#define TESTS_LWIP_SUITES_H

int run_link_tests(void);
int run_name_tests(void);
int run_transfer_tests(void);
int run_server_tests(void);
int run_limit_tests(void);
int run_garbage_tests(void);

#endif
