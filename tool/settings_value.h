// SPDX-License-Identifier: MIT
/* A setting of an nvs partition as people and programs write it. */
#ifndef TOOL_SETTINGS_VALUE_H
#define TOOL_SETTINGS_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/nvs.h"

#define SETTINGS_TYPE_NAMES "u8, i8, u16, i16, u32, i32, u64, i64, string or blob"
#define SETTINGS_NUMBER     24U /* characters of any integer with its NUL */

struct settings_value {
  enum lb_nvs_type type;
  int result;      /* LB_OK, or why there is no value */
  uint64_t bits;   /* of an integer */
  uint8_t *data;   /* of a string, with its NUL, and of a blob; NULL if it has no bytes */
  uint32_t length; /* of data */
};

/* "u8", "string", "blob". */
const char *settings_type_name(enum lb_nvs_type type);

/* An integer in decimal. Returns `text`. */
const char *settings_number(const struct settings_value *value, char text[SETTINGS_NUMBER]);

/* Gets the value of an entry; settings_value_free frees it. What cannot be read is told in value->result. */
void settings_value_get(struct settings_value *value, const struct lb_nvs *nvs, const struct lb_nvs_entry *entry);

/* Takes a value from words: a number (decimal or 0x...), a text, the hexadecimal digits of a blob. False and an error
 * line if they are none. */
bool settings_value_parse(struct settings_value *value, const char *type, const char *text);

void settings_value_free(struct settings_value *value);

#endif
