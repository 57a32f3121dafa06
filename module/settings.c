// SPDX-License-Identifier: MIT
#include "module/settings.h"

#include <stddef.h>

#include "lifeboat/history.h"
#include "lifeboat/otadata.h"
#include "module/port.h"
#include "module/print.h"
#include "module/words.h"

/* What the module knows: its default, and which values it takes. */
struct known {
  const char *param;
  const char *instance;
  const char *value;
  bool (*takes)(const char *value);
  const char *form; /* what it takes, in words */
};

static bool is_plain(char character)
{
  return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
         (character >= 'A' && character <= 'Z') || character == '.' || character == '_' || character == '-';
}

/* A folder of a depot. */
static bool takes_tag(const char *value)
{
  size_t length = 0;
  while (is_plain(value[length])) {
    length++;
  }
  return length > 0 && value[length] == '\0' && value[0] != '.';
}

/* HOST/PATH, perhaps with http:// or https:// before it. */
static bool takes_server(const char *value)
{
  size_t length = 0;
  if (words_begin(value, "http://")) {
    value += sizeof "http://" - 1;
  } else if (words_begin(value, "https://")) {
    value += sizeof "https://" - 1;
  }
  for (const char *at = value; *at != '\0'; at++) {
    if (at[0] == ':' && at[1] == '/' && at[2] == '/') { /* another scheme */
      return false;
    }
  }
  while (value[length] > ' ' && value[length] < 0x7F) {
    length++;
  }
  return length > 0 && value[length] == '\0' && value[length - 1] != '/';
}

static bool takes_number(const char *value, uint32_t least, uint32_t most)
{
  uint32_t number = 0;
  const char *at = value;
  for (; *at >= '0' && *at <= '9' && number <= most; at++) {
    number = number * 10U + (uint32_t)(*at - '0');
  }
  return at != value && *at == '\0' && number >= least && number <= most;
}

static bool takes_retries(const char *value)
{
  return takes_number(value, 0, 99);
}

static bool takes_yes_no(const char *value)
{
  return words_equal(value, "yes") || words_equal(value, "no");
}

static bool takes_trial_time(const char *value)
{
  return takes_number(value, 1, 86400);
}

static bool takes_trial_attempts(const char *value)
{
  return takes_number(value, 1, LB_TRIAL_ATTEMPTS_MAX);
}

static const struct known known_settings[] = {
    {"ota", "http.patches", "yes", takes_yes_no, "say yes or no"},
    {"ota", "http.retries", "8", takes_retries, "give a number from 0 to 99"},
    {"ota", "server", "api.openvehicles.com/firmware/ota", takes_server,
     "a server is HOST/PATH, perhaps with http:// or https:// before it"},
    {"ota", "tag", "main", takes_tag, "a tag is a name like main"},
    {"ota", "trial.attempts", "3", takes_trial_attempts, "give a number from 1 to 16"},
    {"ota", "trial.time", "120", takes_trial_time, "give seconds, from 1 to 86400"},
};

#define KNOWN (sizeof known_settings / sizeof known_settings[0])

static const struct known *find_known(const char *param, const char *instance)
{
  for (size_t i = 0; i < KNOWN; i++) {
    if (words_equal(known_settings[i].param, param) && words_equal(known_settings[i].instance, instance)) {
      return &known_settings[i];
    }
  }
  return NULL;
}

/* What the library keeps beside the settings is not for users to change. */
static bool is_setting(const char *param)
{
  return !words_equal(param, LB_HISTORY_NAMESPACE);
}

const char *settings_form(const char *param, const char *instance)
{
  const struct known *known = find_known(param, instance);
  if (!is_setting(param)) {
    return "the history of updates is kept there, name another parameter";
  }
  return known ? known->form : "give one that it takes";
}

bool settings_is_used(const char *param, const char *instance)
{
  static const char *const kept[] = {"http.mru", "vfs.mru"}; /* by the module itself */
  if (!words_equal(param, "ota") || find_known(param, instance)) {
    return true;
  }
  for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
    if (words_equal(kept[i], instance)) {
      return true;
    }
  }
  return false;
}

void settings_start(struct settings *settings, const struct lb_device *device)
{
  settings->device = device;
  settings->opened = false;
  settings->error = LB_OK;
}

/* A partition that could not be opened is not tried again until the next start, but after a failed write it is. */
static int open_settings(struct settings *settings)
{
  struct lb_partition partition;
  if (settings->opened && !settings->nvs.failed) {
    return settings->error;
  }
  settings->opened = true;
  settings->nvs.failed = false;
  settings->error = lb_table_find(settings->device->table, LB_TYPE_DATA, LB_SUBTYPE_NVS, &partition);
  if (settings->error == LB_OK) {
    settings->error = lb_nvs_open(&settings->nvs, settings->device->flash, &partition, true);
  }
  return settings->error;
}

int settings_nvs(struct settings *settings, struct lb_nvs **nvs)
{
  int err = open_settings(settings);
  *nvs = err == LB_OK ? &settings->nvs : NULL;
  return err;
}

static bool is_signed(enum lb_nvs_type type)
{
  return type == LB_NVS_I8 || type == LB_NVS_I16 || type == LB_NVS_I32 || type == LB_NVS_I64;
}

static void print_integer(char value[SETTINGS_VALUE_SIZE], uint64_t bits, bool negative)
{
  const uint64_t part = 1000000000U;
  uint64_t magnitude = negative ? 0U - bits : bits;
  const char *sign = negative ? "-" : "";
  if (magnitude >= part * part) {
    print_text(value, SETTINGS_VALUE_SIZE, "%s%u%09u%09u", sign, (unsigned)(magnitude / part / part),
               (unsigned)(magnitude / part % part), (unsigned)(magnitude % part));
  } else if (magnitude >= part) {
    print_text(value, SETTINGS_VALUE_SIZE, "%s%u%09u", sign, (unsigned)(magnitude / part),
               (unsigned)(magnitude % part));
  } else {
    print_text(value, SETTINGS_VALUE_SIZE, "%s%u", sign, (unsigned)magnitude);
  }
}

/* The stored value as text. LB_ERR_NVS_NOT_FOUND if there is none. */
static int read_value(struct settings *settings, const char *param, const char *instance,
                      char value[SETTINGS_VALUE_SIZE])
{
  static const enum lb_nvs_type integers[] = {LB_NVS_U8,  LB_NVS_I8,  LB_NVS_U16, LB_NVS_I16,
                                              LB_NVS_U32, LB_NVS_I32, LB_NVS_U64, LB_NVS_I64};
  uint32_t length = 0;
  uint64_t bits = 0;
  int err = lb_nvs_get_string(&settings->nvs, param, instance, value, SETTINGS_VALUE_SIZE, &length);
  if (err == LB_ERR_NVS_INVALID_LENGTH) {
    print_text(value, SETTINGS_VALUE_SIZE, "(%u bytes)", (unsigned)length);
    return LB_OK;
  }
  for (size_t i = 0; err == LB_ERR_NVS_TYPE_MISMATCH && i < sizeof integers / sizeof integers[0]; i++) {
    err = lb_nvs_get_integer(&settings->nvs, param, instance, integers[i], &bits);
    if (err == LB_OK) {
      print_integer(value, bits, is_signed(integers[i]) && (bits >> 63) != 0);
    }
  }
  if (err == LB_ERR_NVS_TYPE_MISMATCH) {
    (void)lb_nvs_get_blob(&settings->nvs, param, instance, NULL, 0, &length); /* only to know its length */
    print_text(value, SETTINGS_VALUE_SIZE, "(%u bytes)", (unsigned)length);
    err = LB_OK;
  }
  return err;
}

int settings_get(struct settings *settings, const char *param, const char *instance, char value[SETTINGS_VALUE_SIZE],
                 bool *is_default)
{
  const struct known *known = find_known(param, instance);
  int err = open_settings(settings);
  if (err == LB_OK) {
    err = read_value(settings, param, instance, value);
  }
  if (err == LB_OK && known && !known->takes(value)) { /* written by somebody else: not to be used */
    err = LB_ERR_NVS_NOT_FOUND;
  }
  if (is_default) {
    *is_default = err != LB_OK;
  }
  if (err != LB_OK) {
    print_text(value, SETTINGS_VALUE_SIZE, "%s", known ? known->value : "");
  }
  return err == LB_ERR_NVS_NOT_FOUND ? LB_OK : err;
}

/* A user's settings come before the history: its oldest entry goes. LB_MORE: try again. */
static int gain_room(struct settings *settings)
{
  struct lb_history history;
  int err = lb_history_open(&history, &settings->nvs);
  err = err ? err : lb_history_forget_oldest(&history);
  if (err == LB_ERR_NOT_FOUND) {
    return LB_ERR_NVS_NOT_ENOUGH_SPACE;
  }
  return err ? err : LB_MORE;
}

int settings_set(struct settings *settings, const char *param, const char *instance, const char *value)
{
  const struct known *known = find_known(param, instance);
  if (!is_setting(param) || (known && !known->takes(value))) {
    return MODULE_ERR_SETTING;
  }
  size_t length = 0;
  while (value[length] != '\0') {
    length++;
  }
  if (length >= SETTINGS_VALUE_SIZE) {
    return LB_ERR_NVS_VALUE_TOO_LONG;
  }
  int err = open_settings(settings);
  err = err ? err : lb_nvs_set_string(&settings->nvs, param, instance, value);
  return err == LB_ERR_NVS_NOT_ENOUGH_SPACE ? gain_room(settings) : err;
}

int settings_remove(struct settings *settings, const char *param, const char *instance)
{
  int err = is_setting(param) ? open_settings(settings) : LB_ERR_NVS_NOT_FOUND;
  return err ? err : lb_nvs_erase_key(&settings->nvs, param, instance);
}

static bool is_of(const char *param, const char *wanted)
{
  return !wanted || words_equal(param, wanted);
}

int settings_list(struct settings *settings, const char *param,
                  void (*each)(void *context, const char *param, const char *instance, const char *value,
                               bool is_default),
                  void *context)
{
  struct lb_nvs_entry entry;
  char value[SETTINGS_VALUE_SIZE];
  bool is_default = false;
  int err = open_settings(settings);
  int found = err ? err : lb_nvs_first(&settings->nvs, &entry);
  while (found == LB_OK) {
    if (is_setting(entry.namespace_name) && is_of(entry.namespace_name, param) &&
        read_value(settings, entry.namespace_name, entry.key, value) == LB_OK) {
      each(context, entry.namespace_name, entry.key, value, false);
    }
    found = lb_nvs_next(&settings->nvs, &entry);
  }
  for (size_t i = 0; i < KNOWN; i++) {
    const struct known *known = &known_settings[i];
    (void)settings_get(settings, known->param, known->instance, value, &is_default); /* err has it */
    if (is_default && is_of(known->param, param)) {
      each(context, known->param, known->instance, known->value, true);
    }
  }
  return found == LB_ERR_NVS_NOT_FOUND ? err : found;
}
