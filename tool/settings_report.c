// SPDX-License-Identifier: MIT
#include "tool/settings_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/commands.h"
#include "tool/report.h"
#include "tool/settings_value.h"

#define ELSEWHERE                                                                                                      \
  "No settings of Lifeboat's here. OVMS keeps its own as files in the FAT file system of the store partition: "        \
  "/store/ovms_config"
#define BLOB_SHOWN 32U /* bytes of a blob that a line for people shows */

/* Namespaces that the settings of a module are in: the parameters of its console's `config`. */
static bool is_ours(const char *space)
{
  static const char *const spaces[] = {"ota", "auto", "vfs", "http"};
  for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
    if (strcmp(spaces[i], space) == 0) {
      return true;
    }
  }
  return false;
}

static bool has_ours(const struct lb_nvs *nvs)
{
  struct lb_nvs_entry entry;
  bool found = false;
  int result = lb_nvs_first(nvs, &entry);
  while (result == LB_OK && !found) {
    found = is_ours(entry.namespace_name);
    result = lb_nvs_next(nvs, &entry);
  }
  return found;
}

/* "ota.tag", as it may be printed. */
static const char *name_of(const struct lb_nvs_entry *entry, char name[2 * LB_NVS_NAME_SIZE])
{
  char space[LB_NVS_NAME_SIZE];
  char key[LB_NVS_NAME_SIZE];
  report_printable(entry->namespace_name, space, sizeof(space));
  report_printable(entry->key, key, sizeof(key));
  (void)snprintf(name, 2 * LB_NVS_NAME_SIZE, "%s.%s", space, key);
  return name;
}

static void report_setting_error(const struct lb_nvs_entry *entry, int error)
{
  char name[2 * LB_NVS_NAME_SIZE];
  report_library_error(name_of(entry, name), error);
}

/* Goes through all settings. `print` returns whether all of it could be said. */
static int for_each(const struct settings_source *source, void *context,
                    bool (*print)(void *context, const struct lb_nvs_entry *entry, const struct settings_value *value))
{
  struct lb_nvs_entry entry;
  bool good = true;
  int result = lb_nvs_first(&source->nvs, &entry);
  for (; result == LB_OK; result = lb_nvs_next(&source->nvs, &entry)) {
    struct settings_value value;
    settings_value_get(&value, &source->nvs, &entry);
    good = print(context, &entry, &value) && good;
    settings_value_free(&value);
  }
  if (result != LB_ERR_NVS_NOT_FOUND) {
    report_library_error(source->path, result);
    good = false;
  }
  return good ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
}

/* ---- for people ---- */

static void print_blob(const struct settings_value *value)
{
  for (uint32_t i = 0; i < value->length && i < BLOB_SHOWN; i++) {
    printf("%02x", value->data[i]);
  }
  printf("%s\n", value->length > BLOB_SHOWN ? "..." : "");
}

static void print_string(const struct settings_value *value)
{
  char *text = malloc(value->length);
  if (text != NULL) {
    report_printable((const char *)value->data, text, value->length);
    puts(text);
  }
  free(text);
}

static bool print_line(void *context, const struct lb_nvs_entry *entry, const struct settings_value *value)
{
  char name[2 * LB_NVS_NAME_SIZE];
  char number[SETTINGS_NUMBER];
  (void)context;
  printf("  %-31s %-6s %6u  ", name_of(entry, name), settings_type_name(value->type), entry->size);
  if (value->result != LB_OK) {
    printf("%s\n", lb_error_info(value->result)->cause);
    report_setting_error(entry, value->result);
    return false;
  }
  if (value->type == LB_NVS_BLOB) {
    print_blob(value);
  } else if (value->type == LB_NVS_STRING) {
    print_string(value);
  } else {
    puts(settings_number(value, number));
  }
  return true;
}

int settings_print(const struct settings_source *source)
{
  struct lb_nvs_statistics statistics;
  char label[LB_LABEL_SIZE];
  int err = lb_nvs_statistics(&source->nvs, &statistics);
  if (err) {
    report_library_error(source->path, err);
    return TOOL_EXIT_FAILED;
  }
  report_printable(source->partition.label, label, sizeof(label));
  printf("%s at 0x%08x: %u pages of 4 KB, %u of them free; %u of %u entries used, %u erased\n", label,
         source->partition.offset, statistics.pages, statistics.pages_free, statistics.entries_used, statistics.entries,
         statistics.entries_erased);
  if (statistics.entries_used > statistics.namespaces) {
    printf("  %-31s %-6s %6s  %s\n", "namespace.key", "type", "bytes", "value");
  }
  int code = for_each(source, NULL, print_line);
  if (!has_ours(&source->nvs)) {
    puts(ELSEWHERE);
  }
  return code;
}

/* ---- for programs ---- */

/* Well-formed UTF-8 stays as it is; every byte of anything else becomes '?'. */
static void make_utf8(char *text)
{
  for (unsigned char *at = (unsigned char *)text; *at != '\0';) {
    unsigned length = *at < 0x80 ? 1 : *at >= 0xC2 && *at < 0xE0 ? 2 : (*at & 0xF0U) == 0xE0 ? 3 : 4;
    bool good = *at < 0x80 || (*at >= 0xC2 && *at <= 0xF4);
    for (unsigned i = 1; good && i < length; i++) {
      good = (at[i] & 0xC0U) == 0x80; /* the NUL at the end is none */
    }
    good = good && !(at[0] == 0xE0 && at[1] < 0xA0) && !(at[0] == 0xED && at[1] > 0x9F) &&
           !(at[0] == 0xF0 && at[1] < 0x90) && !(at[0] == 0xF4 && at[1] > 0x8F);
    if (!good) {
      *at = '?';
      length = 1;
    }
    at += length;
  }
}

static cJSON *text_json(const char *text)
{
  char *copy = strdup(text);
  cJSON *json = NULL;
  if (copy != NULL) {
    make_utf8(copy);
    json = cJSON_CreateString(copy);
  }
  free(copy);
  return json;
}

static cJSON *hex_json(const struct settings_value *value)
{
  char *text = malloc(2 * (size_t)value->length + 1);
  cJSON *json = NULL;
  if (text != NULL) {
    text[0] = '\0';
    report_hex(value->data, value->length, text);
    json = cJSON_CreateString(text);
  }
  free(text);
  return json;
}

static cJSON *value_json(const struct settings_value *value)
{
  char number[SETTINGS_NUMBER];
  if (value->result != LB_OK) {
    return cJSON_CreateNull();
  }
  if (value->type == LB_NVS_BLOB) {
    return hex_json(value);
  }
  if (value->type == LB_NVS_STRING) {
    return text_json((const char *)value->data);
  }
  return cJSON_CreateRaw(settings_number(value, number)); /* all 64 bits, which a double does not have */
}

static bool add_json(void *context, const struct lb_nvs_entry *entry, const struct settings_value *value)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddItemToObject(json, "namespace", text_json(entry->namespace_name));
  cJSON_AddItemToObject(json, "key", text_json(entry->key));
  cJSON_AddStringToObject(json, "type", settings_type_name(value->type));
  cJSON_AddNumberToObject(json, "size", entry->size);
  cJSON_AddItemToObject(json, "value", value_json(value));
  cJSON_AddItemToObject(json, "error",
                        report_json_problem(value->result != LB_OK ? lb_error_info(value->result) : NULL));
  cJSON_AddItemToArray(context, json);
  return value->result == LB_OK;
}

int settings_print_json(const struct settings_source *source)
{
  struct lb_nvs_statistics statistics;
  int err = lb_nvs_statistics(&source->nvs, &statistics);
  if (err) {
    report_library_error(source->path, err);
    return TOOL_EXIT_FAILED;
  }
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "file", source->path);
  cJSON_AddItemToObject(json, "partition", text_json(source->partition.label));
  cJSON_AddNumberToObject(json, "offset", source->partition.offset);
  cJSON_AddNumberToObject(json, "pages", statistics.pages);
  cJSON_AddNumberToObject(json, "pages_free", statistics.pages_free);
  cJSON_AddNumberToObject(json, "entries", statistics.entries);
  cJSON_AddNumberToObject(json, "entries_used", statistics.entries_used);
  cJSON_AddNumberToObject(json, "entries_erased", statistics.entries_erased);
  cJSON *list = cJSON_AddArrayToObject(json, "settings");
  int code = for_each(source, list, add_json);
  cJSON_AddItemToObject(json, "note", has_ours(&source->nvs) ? cJSON_CreateNull() : cJSON_CreateString(ELSEWHERE));
  return report_json(json) ? code : TOOL_EXIT_FAILED;
}

/* ---- as nvs_partition_gen reads it ---- */

static void print_field(const char *text)
{
  if (text[0] != '\0' && text[strcspn(text, ",\"\n# ")] == '\0') {
    fputs(text, stdout);
    return;
  }
  putchar('"');
  for (; *text != '\0'; text++) {
    if (*text == '"') {
      putchar('"');
    }
    putchar(*text);
  }
  putchar('"');
}

/*
 * nvs_partition_gen drops each line that begins with #, even within quotes, takes a carriage return for the end of a
 * line, and reads UTF-8 only.
 */
static bool can_be_csv(const char *text)
{
  char *copy = strdup(text);
  if (copy == NULL) {
    return false;
  }
  make_utf8(copy);
  bool same = strcmp(copy, text) == 0;
  free(copy);
  return same && strchr(text, '\r') == NULL && strstr(text, "\n#") == NULL;
}

struct csv {
  const char *space; /* the namespace whose settings are printed */
};

static bool print_csv_row(void *context, const struct lb_nvs_entry *entry, const struct settings_value *value)
{
  const struct csv *csv = context;
  bool text = value->type == LB_NVS_STRING;
  char number[SETTINGS_NUMBER];
  if (strcmp(entry->namespace_name, csv->space) != 0) {
    return true;
  }
  if (value->result != LB_OK) {
    report_setting_error(entry, value->result);
    return false;
  }
  if (!can_be_csv(entry->key) || (text && !can_be_csv((const char *)value->data))) {
    char name[2 * LB_NVS_NAME_SIZE];
    report_error("%s cannot be written as CSV and is left out - it has bytes that nvs_partition_gen does not read",
                 name_of(entry, name));
    return false;
  }
  print_field(entry->key);
  printf(",data,%s,", value->type == LB_NVS_BLOB ? "hex2bin" : settings_type_name(value->type));
  if (text) {
    print_field((const char *)value->data);
  } else if (value->type != LB_NVS_BLOB) {
    fputs(settings_number(value, number), stdout);
  }
  for (uint32_t i = 0; value->type == LB_NVS_BLOB && i < value->length; i++) {
    printf("%02x", value->data[i]);
  }
  putchar('\n');
  return true;
}

/* Is this the first entry of its namespace? */
static bool is_first(const struct lb_nvs *nvs, const struct lb_nvs_entry *entry)
{
  struct lb_nvs_entry other;
  int result = lb_nvs_first(nvs, &other);
  while (result == LB_OK && strcmp(other.namespace_name, entry->namespace_name) != 0) {
    result = lb_nvs_next(nvs, &other);
  }
  return result == LB_OK && strcmp(other.key, entry->key) == 0;
}

int settings_print_csv(const struct settings_source *source)
{
  struct lb_nvs_entry entry;
  int code = TOOL_EXIT_DONE;
  puts("key,type,encoding,value");
  int result = lb_nvs_first(&source->nvs, &entry);
  for (; result == LB_OK; result = lb_nvs_next(&source->nvs, &entry)) {
    struct csv csv = {.space = entry.namespace_name};
    if (!is_first(&source->nvs, &entry)) {
      continue; /* printed already: nvs_partition_gen wants the settings of a namespace behind its name */
    }
    if (!can_be_csv(entry.namespace_name)) {
      char name[2 * LB_NVS_NAME_SIZE];
      report_error("%s: the namespace cannot be written as CSV and is left out", name_of(&entry, name));
      code = TOOL_EXIT_FAILED;
      continue;
    }
    print_field(entry.namespace_name);
    puts(",namespace,,");
    code = for_each(source, &csv, print_csv_row) == TOOL_EXIT_DONE ? code : TOOL_EXIT_FAILED;
  }
  if (result != LB_ERR_NVS_NOT_FOUND) {
    report_library_error(source->path, result);
    code = TOOL_EXIT_FAILED;
  }
  return code;
}
