// SPDX-License-Identifier: MIT
/*
 * How others update, as plain loops on the same flash and link. While the chip erases or programs their processor
 * stands still, as the ESP32's does, and only the receive window takes in what arrives.
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include "bench/board.h"

/* The real module: asks the server, erases as much as the image is long by 64 KB, then downloads. */
bool peers_real_module(struct board *board);

/* ESP-IDF's esp_ota_begin with OTA_WITH_SEQUENTIAL_WRITES: erases each sector of 4 KB just before it is written. */
bool peers_sequential(struct board *board);

#endif
