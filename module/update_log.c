// SPDX-License-Identifier: MIT
#include "module/update_log.h"

#include <string.h>

#include "module/module.h"
#include "module/print.h"
#include "module/words.h"

#define STEPS_AT_END 64U /* an entry takes a handful */
#define NVS_ENTRIES  16U /* of nvs, that the longest entry takes, and a little for what pages lose at their ends */

void update_log_start(struct update_log *log, struct module *module)
{
  memset(log, 0, sizeof *log);
  log->module = module;
  log->due = true;
}

static int64_t utc(const struct update_log *log)
{
  const struct port_clock *clock = log->module->port->clock;
  return clock->utc(clock->context);
}

/* ---- the history ---- */

static struct lb_history *open_history(struct update_log *log)
{
  struct lb_nvs *nvs = NULL;
  int err = settings_nvs(&log->module->settings, &nvs);
  if (err == LB_OK && !log->opened) {
    err = lb_history_open(&log->history, nvs);
    log->opened = err == LB_OK;
  }
  if (err) {
    log->error = err;
    return NULL;
  }
  return &log->history;
}

const struct lb_history *update_log_history(struct update_log *log)
{
  return open_history(log);
}

int update_log_error(const struct update_log *log)
{
  return log->error;
}

bool update_log_fits(const struct lb_history *history)
{
  struct lb_nvs_statistics nvs;
  if (history->count > 0 || lb_nvs_statistics(history->nvs, &nvs) != LB_OK || nvs.pages == 0) {
    return true; /* an older entry makes room */
  }
  uint32_t usable = nvs.entries / nvs.pages * (nvs.pages - 1U); /* one page stays free */
  return usable >= nvs.entries_used && usable - nvs.entries_used >= NVS_ENTRIES;
}

bool update_log_has_room(struct update_log *log)
{
  const struct lb_history *history = open_history(log);
  return !history || update_log_fits(history);
}

/* LB_MORE or LB_OK: where it fails, the history is read anew before it is used again. */
static int write_entry(struct update_log *log, struct lb_history_entry *entry)
{
  struct lb_history *history = open_history(log);
  if (!history) {
    return LB_OK;
  }
  int result = lb_history_put(history, entry);
  if (result < 0) {
    log->opened = false;
  }
  if (result != LB_MORE) {
    log->error = result;
  }
  return result == LB_MORE ? LB_MORE : LB_OK;
}

/* ---- the update under way ---- */

int update_log_begin(struct update_log *log, const struct update_facts *facts)
{
  struct lb_history_entry *entry = &log->entry;
  const struct module *module = log->module;
  const bool goes_on = log->stage != UPDATE_LOG_IDLE;
  const uint32_t transferred = goes_on ? entry->transferred : 0;
  log->has_earlier = log->stage == UPDATE_LOG_LOGGED || (goes_on && log->has_earlier);
  log->found = goes_on ? log->found : 0;
  memset(entry, 0, sizeof *entry);
  entry->transferred = transferred;
  entry->result = LB_HISTORY_BEGUN;
  entry->begun = utc(log);
  entry->size = facts->size;
  lb_history_set_source(entry, facts->source);
  print_text(entry->slot, sizeof entry->slot, "%s", facts->slot);
  print_text(entry->from_slot, sizeof entry->from_slot, "%s", module->boot.partition.label);
  print_text(entry->from_version, sizeof entry->from_version, "%s", module->firmware.description.version);
  log->stage = UPDATE_LOG_BEGUN;
  return LB_OK;
}

static void count(struct lb_history_entry *entry, uint32_t bytes)
{
  entry->transferred = bytes < UINT32_MAX - entry->transferred ? entry->transferred + bytes : UINT32_MAX;
}

void update_log_transfer(struct update_log *log, uint32_t bytes, const char *patch_base)
{
  struct lb_history_entry *entry = &log->entry;
  if (log->stage != UPDATE_LOG_BEGUN && log->stage != UPDATE_LOG_LOGGED) {
    return;
  }
  count(entry, bytes);
  if (patch_base) {
    memset(entry->patch_base, 0, sizeof entry->patch_base);
    print_text(entry->patch_base, sizeof entry->patch_base, "%s", patch_base);
  }
}

void update_log_found(struct update_log *log, uint32_t bytes)
{
  if (log->stage == UPDATE_LOG_BEGUN && bytes > log->found) {
    log->found = bytes;
  }
}

/* Is that the entry of an update that was interrupted, or that starts over, and this one the same again? */
static bool is_same_again(const struct update_log *log, const struct lb_history_entry *last)
{
  const bool open = last->result == LB_HISTORY_BEGUN || last->result == LB_HISTORY_INTERRUPTED;
  return open && words_equal(last->slot, log->entry.slot) && words_equal(last->source, log->entry.source);
}

/*
 * Takes number, beginning and bytes of the update that was interrupted, if this one is the same again, and if no other
 * came between: the entries stay in the order in which updates came to an end, and the newest verdict on an image
 * counts.
 */
static void continue_entry(struct update_log *log)
{
  struct lb_history *history = open_history(log);
  struct lb_history_entry *last = &log->judged; /* free while an update is under way */
  uint32_t earlier = log->found;
  if (history && lb_history_get(history, 0, last) == LB_OK && is_same_again(log, last)) {
    log->entry.number = last->number;
    log->entry.begun = last->begun;
    earlier = last->transferred > earlier ? last->transferred : earlier;
  }
  if (!log->has_earlier) {
    count(&log->entry, earlier);
    log->has_earlier = true;
  }
}

int update_log_image(struct update_log *log, const struct lb_image_info *info)
{
  struct lb_history_entry *entry = &log->entry;
  if (log->stage == UPDATE_LOG_BEGUN) {
    print_text(entry->version, sizeof entry->version, "%s", info->description.version);
    memcpy(entry->elf_sha256, info->description.elf_sha256, LB_SHA256_SIZE);
    log->writing = false;
    continue_entry(log);
    log->stage = UPDATE_LOG_LOGGED;
    log->written = false;
    return LB_MORE;
  }
  if (log->stage != UPDATE_LOG_LOGGED) {
    return LB_OK;
  }
  if (memcmp(entry->digest, info->digest, LB_SHA256_SIZE) != 0) {
    memcpy(entry->digest, info->digest, LB_SHA256_SIZE);
    log->written = false;
  }
  if (log->written) {
    return LB_OK;
  }
  int result = write_entry(log, entry);
  log->written = result == LB_OK;
  return result;
}

int update_log_end(struct update_log *log, enum lb_history_result result, int cause,
                   const uint8_t digest[LB_SHA256_SIZE])
{
  struct lb_history_entry *entry = &log->entry;
  if (log->stage == UPDATE_LOG_LOGGED) {
    entry->result = result;
    entry->cause = cause;
    entry->ended = utc(log);
    if (digest) {
      memcpy(entry->digest, digest, LB_SHA256_SIZE);
    }
    log->stage = UPDATE_LOG_ENDED;
  }
  int more = log->stage == UPDATE_LOG_ENDED ? write_entry(log, entry) : LB_OK;
  if (more == LB_OK) {
    update_log_abandon(log);
  }
  return more;
}

void update_log_cancel(struct update_log *log)
{
  if (log->stage == UPDATE_LOG_LOGGED) {
    log->cancelled = log->entry.number;
  }
}

void update_log_abandon(struct update_log *log)
{
  if (log->stage == UPDATE_LOG_LOGGED || log->stage == UPDATE_LOG_ENDED) {
    update_log_review(log);
  }
  log->stage = UPDATE_LOG_IDLE;
}

bool update_log_is_under_way(const struct update_log *log, const struct lb_history_entry *entry)
{
  return (log->stage == UPDATE_LOG_LOGGED || log->stage == UPDATE_LOG_ENDED) && log->entry.number == entry->number;
}

/* ---- in the background ---- */

void update_log_review(struct update_log *log)
{
  log->due = true;
  log->index = 0;
  log->writing = false; /* it is judged again */
}

/* The youngest record that was written for the entry's slot and image; LB_OTADATA_NONE without. */
static int record_of(const struct update_log *log, const struct lb_otadata *otadata,
                     const struct lb_history_entry *entry)
{
  struct lb_partition slot;
  int found = LB_OTADATA_NONE;
  const uint32_t slots = lb_table_ota_count(log->module->table);
  for (int i = 0; i < (int)LB_OTADATA_RECORDS; i++) {
    const struct lb_otadata_record *record = &otadata->records[i];
    if (!record->trial.tagged || memcmp(record->trial.digest, entry->digest, LB_SHA256_SIZE) != 0 || slots == 0 ||
        lb_table_ota_slot(log->module->table, (record->sequence - 1U) % slots, &slot) != LB_OK ||
        !words_equal(slot.label, entry->slot)) {
      continue;
    }
    if (found == LB_OTADATA_NONE || record->sequence > otadata->records[found].sequence) {
      found = i;
    }
  }
  return found;
}

/* Has a newer entry than that at the index written the same slot to its end? Then this one's trial is over. */
static bool is_replaced(const struct update_log *log, uint32_t index, const struct lb_history_entry *entry)
{
  struct lb_history_entry newer;
  for (uint32_t i = 0; i < index; i++) {
    if (lb_history_get(&log->history, i, &newer) == LB_OK && words_equal(newer.slot, entry->slot) &&
        newer.result >= LB_HISTORY_FLASHED) {
      return true;
    }
  }
  return false;
}

/*
 * What otadata says became of an image that was flashed, if that is something else than the entry says. A trial that is
 * not over says nothing. What was superseded may have been selected again, and what was rejected, too.
 */
static bool judge_trial(const struct update_log *log, struct lb_history_entry *entry)
{
  struct lb_otadata otadata;
  const enum lb_history_result before = entry->result;
  if (lb_otadata_read(&otadata, &log->module->device) != LB_OK) {
    return false;
  }
  const int index = is_replaced(log, log->index, entry) ? LB_OTADATA_NONE : record_of(log, &otadata, entry);
  const struct lb_otadata_record *record = index == LB_OTADATA_NONE ? NULL : &otadata.records[index];
  if (record && record->trial.rejected) {
    entry->result = LB_HISTORY_REJECTED;
    entry->cause = (int32_t)record->trial.cause;
  } else if (record && lb_otadata_on_trial(&otadata, index)) {
    return false;
  } else if (record && record->usable) {
    entry->result = LB_HISTORY_CONFIRMED;
    entry->cause = LB_OK;
  } else if (before == LB_HISTORY_FLASHED) {
    entry->result = LB_HISTORY_SUPERSEDED;
  }
  return entry->result != before;
}

/*
 * Was it flashed and selected, and only its entry not written to its end? Its digest was noted before it was selected,
 * or it is what runs now.
 */
static bool was_selected(const struct update_log *log, struct lb_history_entry *entry)
{
  static const uint8_t unknown[LB_SHA256_SIZE];
  const struct module *module = log->module;
  const struct lb_image_description *running = &module->firmware.description;
  struct lb_otadata otadata;
  if (memcmp(entry->digest, unknown, LB_SHA256_SIZE) == 0) {
    if (!words_equal(module->boot.partition.label, entry->slot) || !words_equal(running->version, entry->version) ||
        memcmp(running->elf_sha256, entry->elf_sha256, LB_SHA256_SIZE) != 0) {
      return false;
    }
    memcpy(entry->digest, module->firmware.digest, LB_SHA256_SIZE);
  }
  return lb_otadata_read(&otadata, &module->device) == LB_OK && record_of(log, &otadata, entry) != LB_OTADATA_NONE;
}

/* May its result still change? */
static bool is_open(const struct lb_history_entry *entry)
{
  return entry->result == LB_HISTORY_BEGUN || entry->result == LB_HISTORY_FLASHED ||
         entry->result == LB_HISTORY_REJECTED || entry->result == LB_HISTORY_SUPERSEDED;
}

/* What the update that was abandoned just now had cost by then. */
static void take_cost(const struct update_log *log, struct lb_history_entry *entry)
{
  if (log->entry.number == entry->number && log->entry.transferred > entry->transferred) {
    entry->transferred = log->entry.transferred;
    memcpy(entry->patch_base, log->entry.patch_base, sizeof entry->patch_base);
  }
}

/* Does the entry have to be changed? Then it has been, in memory. */
static bool judge(const struct update_log *log, struct lb_history_entry *entry)
{
  bool changed = false;
  if (entry->result == LB_HISTORY_BEGUN) {
    take_cost(log, entry);
    entry->result = was_selected(log, entry) ? LB_HISTORY_FLASHED : LB_HISTORY_INTERRUPTED;
    bool cancelled = entry->result == LB_HISTORY_INTERRUPTED && entry->number == log->cancelled;
    entry->cause = cancelled ? MODULE_ERR_CANCELLED : LB_OK;
    changed = true;
  }
  if (is_open(entry)) {
    changed = judge_trial(log, entry) || changed;
  }
  if (changed) {
    entry->ended = utc(log);
  }
  return changed;
}

int update_log_at_boot(struct update_log *log)
{
  if (!log->due || log->stage != UPDATE_LOG_IDLE) {
    return LB_OK;
  }
  if (log->writing) {
    log->writing = write_entry(log, &log->judged) == LB_MORE;
    log->index += log->writing ? 0U : 1U;
    return LB_MORE;
  }
  const struct lb_history *history = open_history(log);
  while (history && log->index < history->count) {
    if (lb_history_get(history, log->index, &log->judged) == LB_OK && is_open(&log->judged)) {
      log->writing = judge(log, &log->judged);
      log->index += log->writing ? 0U : 1U;
      return LB_MORE;
    }
    log->index++;
  }
  log->due = false;
  log->cancelled = 0;
  return LB_OK;
}

void update_log_at_end(struct update_log *log)
{
  unsigned steps = STEPS_AT_END;
  while (log->cancelled != 0 && steps > 0 && update_log_at_boot(log) == LB_MORE) {
    steps--;
  }
}

/* ---- questions ---- */

/* Has a record of that image counted since its trial ended badly, since it was confirmed in another slot, say? */
static bool is_trusted_again(const struct lb_otadata *otadata, const uint8_t digest[LB_SHA256_SIZE])
{
  bool trusted = false;
  uint32_t sequence = 0;
  for (int i = 0; i < (int)LB_OTADATA_RECORDS; i++) {
    const struct lb_otadata_record *record = &otadata->records[i];
    bool counts = record->usable && !lb_otadata_on_trial(otadata, i);
    if (record->trial.tagged && memcmp(record->trial.digest, digest, LB_SHA256_SIZE) == 0 &&
        (counts || record->trial.rejected) && record->sequence > sequence) {
      sequence = record->sequence;
      trusted = counts;
    }
  }
  return trusted;
}

bool update_log_failed_before(struct update_log *log, const struct lb_image_info *info, bool complete,
                              struct lb_history_entry *entry)
{
  struct lb_history_entry own = {.number = 0};
  struct lb_otadata otadata;
  struct lb_history_entry *found = entry ? entry : &own;
  const struct lb_history *history = open_history(log);
  const bool has_otadata = lb_otadata_read(&otadata, &log->module->device) == LB_OK;
  if (history && lb_history_find_failed(history, info, complete, found) == LB_OK) {
    return !has_otadata || !is_trusted_again(&otadata, found->digest);
  }
  memset(found, 0, sizeof *found);
  if (!complete || !has_otadata || is_trusted_again(&otadata, info->digest) ||
      !lb_otadata_has_failed(&otadata, info->digest) || update_log_was_confirmed(log, info->digest)) {
    return false;
  }
  found->result = LB_HISTORY_REJECTED;
  memcpy(found->digest, info->digest, LB_SHA256_SIZE);
  for (uint32_t i = 0; i < LB_OTADATA_RECORDS; i++) {
    const struct lb_trial *trial = &otadata.records[i].trial;
    if (trial->rejected && memcmp(trial->digest, info->digest, LB_SHA256_SIZE) == 0) {
      found->cause = (int32_t)trial->cause;
    }
  }
  return true;
}

bool update_log_was_confirmed(struct update_log *log, const uint8_t digest[LB_SHA256_SIZE])
{
  struct lb_history_entry entry;
  const struct lb_history *history = open_history(log);
  for (uint32_t i = 0; history && i < history->count; i++) {
    bool verdict = lb_history_get(history, i, &entry) == LB_OK &&
                   (entry.result == LB_HISTORY_CONFIRMED || entry.result == LB_HISTORY_REJECTED);
    if (verdict && memcmp(entry.digest, digest, LB_SHA256_SIZE) == 0) {
      return entry.result == LB_HISTORY_CONFIRMED;
    }
  }
  return false;
}

/* The newest entry with a result from `least` to `most`. */
static bool find_result(struct update_log *log, enum lb_history_result least, enum lb_history_result most,
                        struct lb_history_entry *entry)
{
  const struct lb_history *history = open_history(log);
  for (uint32_t i = 0; history && i < history->count; i++) {
    if (lb_history_get(history, i, entry) == LB_OK && entry->result >= least && entry->result <= most) {
      return true;
    }
  }
  return false;
}

bool update_log_last_rejected(struct update_log *log, struct lb_history_entry *entry)
{
  return find_result(log, LB_HISTORY_REJECTED, LB_HISTORY_REJECTED, entry);
}

bool update_log_last_finished(struct update_log *log, struct lb_history_entry *entry)
{
  return find_result(log, LB_HISTORY_FLASHED, LB_HISTORY_SUPERSEDED, entry);
}
