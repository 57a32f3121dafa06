// SPDX-License-Identifier: MIT
/* How long updates by patch take on the virtual clock, beside what cannot be beaten and what the real module takes. */
#ifndef BENCH_PATCH_TIME_H
#define BENCH_PATCH_TIME_H

#include "bench/images.h"

/* Measures and prints. False, and it has said why, if an update fails or takes too long. */
bool patch_time_measure(const struct images *images);

#endif
