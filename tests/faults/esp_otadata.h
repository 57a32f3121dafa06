// SPDX-License-Identifier: MIT
/*
 * otadata as ESP-IDF sees it, judged from its rules alone (shared with nothing in lib/): is it legal, and what does it
 * select?
 */
#ifndef TESTS_FAULTS_ESP_OTADATA_H
#define TESTS_FAULTS_ESP_OTADATA_H

#include <stdbool.h>
#include <stdint.h>

#define ESP_OTADATA_FACTORY (-1) /* no usable record */

struct esp_otadata {
  bool legal;
  const char *fault; /* if not */
  int slot;          /* number of the OTA slot, or ESP_OTADATA_FACTORY */
};

/*
 * `first` and `second`: the 32 bytes at the start of both sectors. With `settled` every state has to be one that
 * ESP-IDF knows; a cut may leave another, which ESP-IDF takes for a usable record until Lifeboat's next boot.
 */
struct esp_otadata esp_otadata_judge(const uint8_t *first, const uint8_t *second, uint32_t ota_slots, bool settled);

#endif
