// SPDX-License-Identifier: MIT
#include "tests/faults/esp_otadata.h"

#include <string.h>

#define RECORD     32U
#define BLANK      0xFFFFFFFFU
#define STATE_LAST 4U
#define INVALID    3U
#define ABORTED    4U

static uint32_t word(const uint8_t *bytes)
{
  return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

/* esp_rom_crc32_le(UINT32_MAX, ...) over the sequence: a register that starts at 0, and is inverted at the end. */
static uint32_t crc_of(const uint8_t *bytes)
{
  uint32_t crc = 0;
  for (int i = 0; i < 4; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) {
      crc = (crc & 1U) != 0 ? crc >> 1 ^ 0xEDB88320U : crc >> 1;
    }
  }
  return ~crc;
}

enum kind { RECORD_UNUSABLE, RECORD_USABLE, RECORD_ILLEGAL };

/*
 * What is not right by its CRC does not count, whatever is in it. What is right has to have a state that ESP-IDF knows,
 * and a sequence that it can make a slot of: with 0 it would subtract one from nothing.
 */
static enum kind judge_record(const uint8_t *record, bool settled, const char **fault)
{
  const uint32_t sequence = word(record);
  const uint32_t state = word(record + 24);
  if (sequence == BLANK || word(record + 28) != crc_of(record)) {
    return RECORD_UNUSABLE;
  }
  if (sequence == 0) {
    *fault = "a record with a right CRC has the sequence 0";
    return RECORD_ILLEGAL;
  }
  if (settled && state != BLANK && state > STATE_LAST) {
    *fault = "a record with a right CRC has a state that ESP-IDF does not know";
    return RECORD_ILLEGAL;
  }
  return state == INVALID || state == ABORTED ? RECORD_UNUSABLE : RECORD_USABLE;
}

struct esp_otadata esp_otadata_judge(const uint8_t *first, const uint8_t *second, uint32_t ota_slots, bool settled)
{
  struct esp_otadata judged = {.legal = true, .fault = "", .slot = ESP_OTADATA_FACTORY};
  const enum kind a = judge_record(first, settled, &judged.fault);
  const enum kind b = judge_record(second, settled, &judged.fault);
  uint32_t sequence = 0;
  if (a == RECORD_ILLEGAL || b == RECORD_ILLEGAL) {
    judged.legal = false;
    return judged;
  }
  if (a == RECORD_USABLE) {
    sequence = word(first);
  }
  if (b == RECORD_USABLE && word(second) > sequence) {
    sequence = word(second);
  }
  if (sequence != 0 && ota_slots != 0) {
    judged.slot = (int)((sequence - 1U) % ota_slots);
  }
  return judged;
}
