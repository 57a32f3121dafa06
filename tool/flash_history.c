// SPDX-License-Identifier: MIT
/* lifeboat flash history: the last updates of a module, from the nvs partition of its dump. */
#include <stdio.h>

#include "lifeboat/history.h"
#include "module/date.h"
#include "module/history_text.h"
#include "module/port_error.h"
#include "module/update_log.h"
#include "tool/commands.h"
#include "tool/flash_dump.h"
#include "tool/options.h"
#include "tool/trial_text.h"

struct request {
  const char *path;
  const struct lb_chip *chip; /* NULL: the dump tells */
  bool json;
};

static bool parse_options(struct request *request, int argc, char **argv)
{
  static const struct option table[] = {{"json", no_argument, NULL, 'j'}, {"chip", required_argument, NULL, 'c'}, {0}};
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG || (option == 'c' && !options_chip(optarg, &request->chip))) {
      return false;
    }
    request->json = request->json || option == 'j';
  }
  if (!options_words(argc, 1, 1, "one FILE")) {
    return false;
  }
  request->path = argv[optind];
  return true;
}

/* What comes from a dump may be anything: all its texts as they may be printed. */
static void make_printable(struct lb_history_entry *entry)
{
  struct lb_history_entry raw = *entry;
  report_printable(raw.source, entry->source, sizeof(entry->source));
  report_printable(raw.slot, entry->slot, sizeof(entry->slot));
  report_printable(raw.from_slot, entry->from_slot, sizeof(entry->from_slot));
  report_printable(raw.version, entry->version, sizeof(entry->version));
  report_printable(raw.from_version, entry->from_version, sizeof(entry->from_version));
  report_printable(raw.patch_base, entry->patch_base, sizeof(entry->patch_base));
}

/* ---- for people ---- */

static void print_entry(const struct lb_history_entry *entry)
{
  char date[DATE_SIZE];
  char result[HISTORY_TEXT_SIZE];
  char transfer[HISTORY_TRANSFER_SIZE];
  date_utc(entry->begun, date);
  history_result_text(entry, result);
  history_transfer_text(entry, transfer);
  printf("Update %u: %s\n", entry->number, date);
  printf("  Firmware: %s in %s -> %s in %s\n", history_version(entry->from_version), entry->from_slot,
         history_version(entry->version), entry->slot);
  printf("  Source:   %s (%s)\n", entry->source, transfer);
  date_utc(entry->ended, date);
  printf("  Result:   %s%s%s\n", result, entry->ended != 0 ? "; " : "", entry->ended != 0 ? date : "");
}

/* ---- for programs ---- */

static const char *result_name(enum lb_history_result result)
{
  static const char *const names[] = {"begun",     "interrupted", "failed",    "flashed",
                                      "confirmed", "rejected",    "superseded"};
  return names[result];
}

static cJSON *trial_cause_json(const struct lb_history_entry *entry)
{
  if (entry->result != LB_HISTORY_REJECTED) {
    return cJSON_CreateNull();
  }
  return cJSON_CreateString(trial_cause_name((uint32_t)entry->cause));
}

static cJSON *time_json(int64_t seconds)
{
  return seconds != 0 ? cJSON_CreateNumber((double)seconds) : cJSON_CreateNull();
}

static void add_digest(cJSON *json, const char *name, const uint8_t digest[LB_SHA256_SIZE])
{
  char text[2 * LB_SHA256_SIZE + 1];
  uint8_t all = 0;
  for (uint32_t i = 0; i < LB_SHA256_SIZE; i++) {
    all |= digest[i];
  }
  report_hex(digest, LB_SHA256_SIZE, text);
  cJSON_AddItemToObject(json, name, all != 0 ? cJSON_CreateString(text) : cJSON_CreateNull());
}

static void add_transfer(cJSON *json, const struct lb_history_entry *entry)
{
  const bool is_known = entry->transferred > 0;
  const bool has_patch = entry->patch_base[0] != '\0';
  cJSON_AddItemToObject(json, "transferred", is_known ? cJSON_CreateNumber(entry->transferred) : cJSON_CreateNull());
  cJSON_AddItemToObject(json, "patch_base", has_patch ? cJSON_CreateString(entry->patch_base) : cJSON_CreateNull());
}

static cJSON *entry_json(const struct lb_history_entry *entry)
{
  char text[HISTORY_TEXT_SIZE];
  bool has_error = (entry->result == LB_HISTORY_FAILED || entry->result == LB_HISTORY_INTERRUPTED) && entry->cause != 0;
  cJSON *json = cJSON_CreateObject();
  history_result_text(entry, text);
  cJSON_AddNumberToObject(json, "number", entry->number);
  cJSON_AddStringToObject(json, "result", result_name(entry->result));
  cJSON_AddStringToObject(json, "text", text);
  cJSON_AddItemToObject(json, "error", report_json_problem(has_error ? module_error_info(entry->cause) : NULL));
  cJSON_AddItemToObject(json, "trial_cause", trial_cause_json(entry));
  cJSON_AddItemToObject(json, "begun", time_json(entry->begun));
  cJSON_AddItemToObject(json, "ended", time_json(entry->ended));
  cJSON_AddStringToObject(json, "from_slot", entry->from_slot);
  cJSON_AddStringToObject(json, "from_version", entry->from_version);
  cJSON_AddStringToObject(json, "slot", entry->slot);
  cJSON_AddStringToObject(json, "version", entry->version);
  cJSON_AddStringToObject(json, "source", entry->source);
  cJSON_AddNumberToObject(json, "size", entry->size);
  add_transfer(json, entry);
  add_digest(json, "digest", entry->digest);
  add_digest(json, "elf_sha256", entry->elf_sha256);
  return json;
}

/* ---- both ---- */

static bool tell(const struct request *request, const struct lb_history *history)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "file", request->path);
  cJSON *list = cJSON_AddArrayToObject(json, "updates");
  int err = LB_OK;
  for (uint32_t i = 0; i < history->count && err == LB_OK; i++) {
    struct lb_history_entry entry;
    err = lb_history_get(history, i, &entry);
    if (err) {
      break;
    }
    make_printable(&entry);
    if (request->json) {
      cJSON_AddItemToArray(list, entry_json(&entry));
    } else {
      print_entry(&entry);
    }
  }
  const bool full = !update_log_fits(history);
  if (err || !request->json) {
    cJSON_Delete(json);
  }
  if (err) {
    report_library_error(request->path, err);
    return false;
  }
  if (!request->json && history->count == 0) {
    puts(full ? HISTORY_UNKNOWN : HISTORY_NONE);
    if (full) {
      puts(HISTORY_NO_ROOM);
    }
  }
  return !request->json || report_json(json);
}

static int work(struct flash_dump *dump, const struct request *request)
{
  struct lb_partition partition;
  struct lb_history history;
  struct lb_nvs nvs;
  if (lb_table_find(&dump->device.table, LB_TYPE_DATA, LB_SUBTYPE_NVS, &partition) != LB_OK) {
    report_error("%s: the partition table has no nvs partition", request->path);
    return TOOL_EXIT_FAILED;
  }
  int err = lb_nvs_open(&nvs, &dump->driver, &partition, false);
  err = err ? err : lb_history_open(&history, &nvs);
  if (err) {
    report_library_error(request->path, err);
    return TOOL_EXIT_FAILED;
  }
  return tell(request, &history) ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
}

int flash_history_command(int argc, char **argv)
{
  struct request request = {0};
  struct flash_dump dump;
  if (!parse_options(&request, argc, argv)) {
    return TOOL_EXIT_USAGE;
  }
  if (!flash_dump_open_slots(&dump, request.path, request.chip, SIM_FLASH_READ_ONLY)) {
    return TOOL_EXIT_FAILED;
  }
  int code = work(&dump, &request);
  flash_dump_close(&dump);
  return code;
}
