// SPDX-License-Identifier: MIT
#include "tool/settings_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/report.h"

static const struct {
  const char *name;
  enum lb_nvs_type type;
  int64_t least;
  uint64_t most;
} types[] = {
    {"u8", LB_NVS_U8, 0, UINT8_MAX},    {"i8", LB_NVS_I8, INT8_MIN, INT8_MAX},
    {"u16", LB_NVS_U16, 0, UINT16_MAX}, {"i16", LB_NVS_I16, INT16_MIN, INT16_MAX},
    {"u32", LB_NVS_U32, 0, UINT32_MAX}, {"i32", LB_NVS_I32, INT32_MIN, INT32_MAX},
    {"u64", LB_NVS_U64, 0, UINT64_MAX}, {"i64", LB_NVS_I64, INT64_MIN, INT64_MAX},
    {"string", LB_NVS_STRING, 0, 0},    {"blob", LB_NVS_BLOB, 0, 0},
};

#define TYPES (sizeof(types) / sizeof(types[0]))

const char *settings_type_name(enum lb_nvs_type type)
{
  for (size_t i = 0; i < TYPES; i++) {
    if (types[i].type == type) {
      return types[i].name;
    }
  }
  return "unknown";
}

static bool is_signed(enum lb_nvs_type type)
{
  return type == LB_NVS_I8 || type == LB_NVS_I16 || type == LB_NVS_I32 || type == LB_NVS_I64;
}

const char *settings_number(const struct settings_value *value, char text[SETTINGS_NUMBER])
{
  if (is_signed(value->type)) {
    (void)snprintf(text, SETTINGS_NUMBER, "%" PRId64, (int64_t)value->bits);
  } else {
    (void)snprintf(text, SETTINGS_NUMBER, "%" PRIu64, value->bits);
  }
  return text;
}

/* ---- from the flash ---- */

static int get_data(struct settings_value *value, const struct lb_nvs *nvs, const struct lb_nvs_entry *entry,
                    uint32_t capacity)
{
  const char *space = entry->namespace_name;
  return value->type == LB_NVS_STRING
             ? lb_nvs_get_string(nvs, space, entry->key, (char *)value->data, capacity, &value->length)
             : lb_nvs_get_blob(nvs, space, entry->key, value->data, capacity, &value->length);
}

void settings_value_get(struct settings_value *value, const struct lb_nvs *nvs, const struct lb_nvs_entry *entry)
{
  memset(value, 0, sizeof(*value));
  value->type = entry->type;
  if (entry->type != LB_NVS_STRING && entry->type != LB_NVS_BLOB) {
    value->result = lb_nvs_get_integer(nvs, entry->namespace_name, entry->key, entry->type, &value->bits);
    return;
  }
  value->result = get_data(value, nvs, entry, 0);
  if (value->result != LB_ERR_NVS_INVALID_LENGTH) {
    return;
  }
  value->data = malloc(value->length); /* at most the size of the partition, or the library would not have said it */
  value->result = value->data != NULL ? get_data(value, nvs, entry, value->length) : LB_ERR_NVS_INVALID_LENGTH;
}

void settings_value_free(struct settings_value *value)
{
  free(value->data);
  value->data = NULL;
}

/* ---- from words ---- */

static bool parse_integer(struct settings_value *value, size_t type, const char *text)
{
  const char *digits = text + (text[0] == '-' ? 1 : 0);
  bool is_hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
  char *end = NULL;
  errno = 0;
  uint64_t number = strtoull(digits, &end, is_hex ? 16 : 10);
  bool good = digits[0] >= '0' && digits[0] <= '9' && errno == 0 && *end == '\0' && !(is_hex && end == digits + 1);
  bool fits = digits == text ? number <= types[type].most : number <= 0 - (uint64_t)types[type].least;
  if (!good || !fits) {
    report_error("'%s' is no number from %" PRId64 " to %" PRIu64 ", as a %s has to be", text, types[type].least,
                 types[type].most, types[type].name);
    return false;
  }
  value->bits = digits == text ? number : 0 - number;
  return true;
}

static int digit_of(char character)
{
  static const char digits[] = "0123456789abcdef";
  const char *found = character != '\0' ? strchr(digits, character | 0x20) : NULL;
  return found != NULL ? (int)(found - digits) : -1;
}

static bool parse_blob(struct settings_value *value, const char *text)
{
  size_t length = strlen(text);
  bool good = length % 2 == 0 && length / 2 <= UINT32_MAX;
  for (size_t i = 0; good && i < length; i++) {
    good = digit_of(text[i]) >= 0;
  }
  if (!good) {
    report_error("'%.40s%s' are no hexadecimal digits in pairs, as a blob has to have", text, length > 40 ? "..." : "");
    return false;
  }
  value->length = (uint32_t)(length / 2);
  value->data = malloc(value->length + 1U);
  if (value->data == NULL) {
    report_error("not enough memory");
    return false;
  }
  for (uint32_t i = 0; i < value->length; i++) {
    value->data[i] = (uint8_t)(digit_of(text[2 * i]) * 16 + digit_of(text[2 * i + 1]));
  }
  return true;
}

static bool parse_string(struct settings_value *value, const char *text)
{
  value->data = (uint8_t *)strdup(text);
  if (value->data == NULL) {
    report_error("not enough memory");
    return false;
  }
  value->length = (uint32_t)strlen(text) + 1U;
  return true;
}

bool settings_value_parse(struct settings_value *value, const char *type, const char *text)
{
  memset(value, 0, sizeof(*value));
  for (size_t i = 0; i < TYPES; i++) {
    if (strcmp(types[i].name, type) == 0) {
      value->type = types[i].type;
      return value->type == LB_NVS_STRING ? parse_string(value, text)
             : value->type == LB_NVS_BLOB ? parse_blob(value, text)
                                          : parse_integer(value, i, text);
    }
  }
  report_error("there is no type '%s', only " SETTINGS_TYPE_NAMES, type);
  return false;
}
