// SPDX-License-Identifier: MIT
#include "tests/damage/module_on_flash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lifeboat/error.h"

#define CALLS_MAX  400000U /* of the driver in one operation: many times what any needs */
#define STEPS_MAX  200000U /* of a stepped function */
#define PIECE      1024U   /* bytes that come at once */
#define SLOT_PITCH 0x10000U

/* ---- the driver that counts ---- */

enum outcome { HAPPENS, FAILS, IS_IGNORED };

static enum outcome count(struct life *life, enum life_operation kind, uint32_t address, uint32_t length)
{
  life->endless = life->endless || ++life->calls > CALLS_MAX;
  if (life->endless) {
    return FAILS;
  }
  if (life->watch) {
    life->watch(life->watch_context, kind, address, length);
  }
  if (++life->operations[kind] == life->fail_at && kind == life->fail_kind) {
    life->failed = true;
    return life->fail_silently ? IS_IGNORED : FAILS;
  }
  return HAPPENS;
}

static int counted_read(void *context, uint32_t address, void *buffer, uint32_t length)
{
  struct life *life = context;
  const enum outcome outcome = count(life, LIFE_READ, address, length);
  return outcome == HAPPENS ? life->flash.driver.read(&life->flash, address, buffer, length) : -1;
}

static int counted_program(void *context, uint32_t address, const void *data, uint32_t length)
{
  struct life *life = context;
  const enum outcome outcome = count(life, LIFE_PROGRAM, address, length);
  if (outcome == HAPPENS) {
    return life->flash.driver.program(&life->flash, address, data, length);
  }
  return outcome == FAILS ? -1 : 0;
}

static int counted_erase(void *context, uint32_t address, uint32_t length)
{
  struct life *life = context;
  const enum outcome outcome = count(life, LIFE_ERASE, address, length);
  if (outcome == HAPPENS) {
    return life->flash.driver.erase(&life->flash, address, length);
  }
  return outcome == FAILS ? -1 : 0;
}

void life_fail_at(struct life *life, enum life_operation kind, uint64_t number, bool silently)
{
  memset(life->operations, 0, sizeof life->operations);
  life->fail_at = number;
  life->fail_kind = kind;
  life->fail_silently = silently;
  life->failed = false;
}

static void begin_operation(struct life *life)
{
  life->calls = 0;
}

/* ---- making one ---- */

static _Noreturn void give_up(const char *what, int result)
{
  fprintf(stderr, "the module cannot be made: %s: %s\n", what, life_result_name(result));
  exit(1);
}

static void need(int result, int expected, const char *what)
{
  if (result != expected) {
    give_up(what, result);
  }
}

const char *life_state_name(enum life_state state)
{
  static const char *const names[LIFE_STATES] = {"fresh",    "confirmed", "both confirmed",
                                                 "on trial", "rejected",  "interrupted"};
  return names[state];
}

/* Slots of 16 KB are enough for a miniature; the journal's sector of a real chip lies in a block of its own size. */
static void make_table(struct life *life, enum life_chip chip, enum life_layout layout)
{
  const uint32_t size = chip == LIFE_MINIATURE ? 0x4000U : SLOT_PITCH;
  struct lb_partition rows[5] = {{0x9000, 0x4000, 0, 1, 0x02, "nvs"}, {0xd000, 0x2000, 0, 1, 0x00, "otadata"}};
  uint32_t count = 2;
  if (layout == LIFE_WITH_FACTORY) {
    rows[count++] = (struct lb_partition){SLOT_PITCH, size, 0, 0, 0x00, "factory"};
  }
  rows[count++] = (struct lb_partition){2 * SLOT_PITCH, size, 0, 0, 0x10, "ota_0"};
  rows[count++] = (struct lb_partition){3 * SLOT_PITCH, size, 0, 0, 0x11, "ota_1"};
  lb_table_start(&life->made);
  for (uint32_t i = 0; i < count; i++) {
    need(lb_table_add(&life->made, &rows[i]), LB_OK, "a row of the table");
  }
  need(lb_table_finish(&life->made, life->flash.driver.size, life->device.md5), LB_OK, "the table");
  memcpy(life->flash.bytes + LB_TABLE_ADDRESS, life->made.bytes, LB_TABLE_SIZE);
  memcpy(life->flash.bytes + LB_TABLE_COPY_ADDRESS, life->made.bytes, LB_TABLE_SIZE);
}

void life_resize_images(struct life *life, uint32_t length)
{
  static const char *const versions[LIFE_IMAGES] = {"3.3.001", "3.3.002", "3.3.003", "3.3.004"};
  for (uint32_t i = 0; i < LIFE_IMAGES; i++) {
    image_free(&life->images[i]);
    image_make(&life->images[i], i + 1, length + 256 * i, versions[i]);
  }
}

static void make_hardware(struct life *life, enum life_chip chip)
{
  const uint32_t size = 4 * SLOT_PITCH;
  const struct sim_geometry geometry = chip == LIFE_MINIATURE ? sim_geometry_miniature(size) : sim_geometry_real(size);
  need(sim_flash_open_memory(&life->flash, &geometry), LB_OK, "the flash");
  life->driver = life->flash.driver;
  life->driver.context = life;
  life->driver.read = counted_read;
  life->driver.program = counted_program;
  life->driver.erase = counted_erase;
  mbedtls_hash_sha256(&life->hashes[0], &life->hash_states[0]);
  mbedtls_hash_md5(&life->hashes[1], &life->hash_states[1]);
  life->device = (struct lb_device){
      .flash = &life->driver,
      .sha256 = &life->hashes[0],
      .md5 = &life->hashes[1],
      .table = &life->table,
      .chip = lb_chip_by_name("esp32"),
      .revision = 300,
  };
  life->has_settings = chip == LIFE_REAL;
  life_resize_images(life, chip == LIFE_MINIATURE ? 4096 : 5120);
}

static void live_through_update(struct life *life, uint32_t image)
{
  struct life_update update = {.image = image};
  need(life_update(life, &update), LB_OK, "an update");
  need(life_boot(life, LB_RESET_COMMANDED), LB_OK, "a boot");
}

static void crash(struct life *life, uint32_t times)
{
  while (times-- > 0) {
    need(life_boot(life, LB_RESET_CRASH), LB_OK, "a boot after a crash");
  }
}

static void reach(struct life *life, enum life_state state)
{
  struct life_update update = {.image = 2, .stop_after = life->images[2].length - 700};
  need(life_boot(life, LB_RESET_POWER_ON), LB_OK, "the first boot");
  if (state == LIFE_FRESH) {
    return;
  }
  live_through_update(life, 1);
  need(life_confirm(life), LB_OK, "the first confirmation");
  switch (state) {
  case LIFE_CONFIRMED_BOTH:
    live_through_update(life, 2);
    need(life_confirm(life), LB_OK, "the second confirmation");
    break;
  case LIFE_ON_TRIAL:
    live_through_update(life, 2);
    crash(life, 1);
    break;
  case LIFE_REJECTED:
    live_through_update(life, 2);
    crash(life, LIFE_ATTEMPTS);
    break;
  case LIFE_INTERRUPTED:
    need(life_update(life, &update), LB_MORE, "the update that is interrupted");
    break;
  case LIFE_FRESH:
  case LIFE_CONFIRMED:
  case LIFE_STATES:
    break;
  }
}

struct life_update life_next_update(enum life_state state)
{
  const bool same = state == LIFE_REJECTED || state == LIFE_INTERRUPTED;
  return (struct life_update){.image = same ? 2 : 3, .force = state == LIFE_REJECTED};
}

void life_open(struct life *life, enum life_chip chip, enum life_layout layout, enum life_state state)
{
  memset(life, 0, sizeof *life);
  make_hardware(life, chip);
  make_table(life, chip, layout);
  const struct lb_partition first = life_partition(life, layout == LIFE_WITH_FACTORY ? "factory" : "ota_0");
  memcpy(life->flash.bytes + first.offset, life->images[0].bytes, life->images[0].length);
  reach(life, state);
}

void life_close(struct life *life)
{
  for (uint32_t i = 0; i < LIFE_IMAGES; i++) {
    image_free(&life->images[i]);
  }
  sim_flash_close(&life->flash);
}

/* ---- history ---- */

static void open_history(struct life *life)
{
  struct lb_partition settings;
  life->history_open = false;
  if (!life->has_settings || lb_table_find_label(&life->table, "nvs", &settings) != LB_OK) {
    return;
  }
  life->history_error = lb_nvs_open(&life->nvs, &life->driver, &settings, true);
  if (life->history_error == LB_OK) {
    life->history_error = lb_history_open(&life->history, &life->nvs);
  }
  life->history_open = life->history_error == LB_OK;
}

static void note(struct life *life, enum lb_history_result result, int cause)
{
  int err = LB_MORE;
  if (!life->history_open) {
    return;
  }
  life->entry.result = result;
  life->entry.cause = cause;
  for (uint32_t steps = 0; err == LB_MORE && steps < STEPS_MAX; steps++) {
    err = lb_history_put(&life->history, &life->entry);
  }
  life->history_error = err;
}

/* The newest entry of that image, as the history has it; all zero without one. */
static void find_entry(struct life *life, const uint8_t digest[LB_SHA256_SIZE])
{
  if (!life->history_open || lb_history_find(&life->history, digest, &life->entry) != LB_OK) {
    memset(&life->entry, 0, sizeof life->entry);
  }
}

static void begin_entry(struct life *life, const struct lb_update_config *config, const struct built_image *image)
{
  find_entry(life, image->info.digest);
  if (life->entry.result != LB_HISTORY_BEGUN && life->entry.result != LB_HISTORY_INTERRUPTED) {
    memset(&life->entry, 0, sizeof life->entry);
  }
  life->entry.size = image->length;
  lb_history_set_source(&life->entry, config->source);
  memcpy(life->entry.slot, config->target.label, sizeof life->entry.slot);
  memcpy(life->entry.from_slot, config->running.label, sizeof life->entry.from_slot);
  snprintf(life->entry.version, sizeof life->entry.version, "%s", image->info.description.version);
  memcpy(life->entry.digest, image->info.digest, LB_SHA256_SIZE);
  memcpy(life->entry.elf_sha256, image->info.description.elf_sha256, LB_SHA256_SIZE);
  note(life, LB_HISTORY_BEGUN, 0);
}

static bool failed_before(void *context, const struct lb_image_info *info, bool complete)
{
  struct life *life = context;
  struct lb_history_entry entry;
  return life->history_open && lb_history_find_failed(&life->history, info, complete, &entry) == LB_OK;
}

/* ---- what happens ---- */

int life_boot(struct life *life, enum lb_reset reset)
{
  begin_operation(life);
  life->boot_result = lb_boot(&life->device, &life->table, &life->verify, NULL, reset, &life->decision);
  if (life->boot_result == LB_OK) {
    begin_operation(life);
    open_history(life);
    find_entry(life, life->verify.image.info.digest);
  }
  return life->boot_result;
}

static int choose_target(struct life *life, const char *label, struct lb_partition *slot)
{
  struct lb_target target;
  int result = label ? lb_table_find_label(&life->table, label, slot)
                     : lb_target_start(&target, &life->device, &life->decision.partition);
  result = result == LB_OK && !label ? LB_MORE : result;
  for (uint32_t steps = 0; result == LB_MORE && steps < STEPS_MAX; steps++) {
    result = lb_target_step(&target);
    *slot = target.slot;
  }
  return result;
}

/* Goes on with an interrupted update, or begins anew. */
static int begin_update(struct life *life, const struct lb_update_config *config, struct life_update *what)
{
  struct lb_update_config resumed = *config;
  what->resumed_at = 0;
  if (what->no_resume || what->only_compared) {
    return lb_update_start(&life->update, config);
  }
  int result = lb_update_resume(&life->update, &resumed);
  for (uint32_t steps = 0; result == LB_MORE && steps < STEPS_MAX; steps++) {
    result = lb_update_resume_step(&life->update);
  }
  if (result == LB_ERR_NO_JOURNAL) {
    return lb_update_start(&life->update, config);
  }
  what->resumed_at = result == LB_OK ? lb_update_position(&life->update) : 0;
  return result;
}

static int push(struct life *life, const struct life_update *what, const struct built_image *image)
{
  const uint32_t end = what->stop_after ? what->stop_after : image->length;
  uint32_t at = what->resumed_at;
  for (uint32_t steps = 0; at < end && steps < STEPS_MAX; steps++) {
    const uint32_t here = end - at < PIECE ? end - at : PIECE;
    uint32_t used = 0;
    const int err = lb_update_write(&life->update, image->bytes + at, here, &used);
    if (err) {
      return err;
    }
    at += used;
  }
  return what->stop_after || at < end ? LB_MORE : LB_OK;
}

static int finish(struct life *life)
{
  int result = LB_MORE;
  for (uint32_t steps = 0; result == LB_MORE && steps < STEPS_MAX; steps++) {
    result = lb_update_finish(&life->update);
  }
  return result;
}

static const char *validator_of(const struct life_update *what)
{
  /* one bit from each other, so that rot can make one out of another */
  static const char *const validators[LIFE_IMAGES] = {"\"v0\"", "\"v1\"", "\"v3\"", "\"v2\""};
  return what->only_compared ? "" : validators[what->image];
}

int life_update(struct life *life, struct life_update *what)
{
  const struct built_image *image = &life->images[what->image];
  begin_operation(life);
  int result = choose_target(life, what->slot, &what->target);
  if (result) {
    return result;
  }
  const struct lb_update_config config = {
      .device = &life->device,
      .running = life->decision.partition,
      .target = what->target,
      .size = image->length,
      .project = "ovms3",
      .sector_buffer = life->sector,
      .trial = {.attempts = LIFE_ATTEMPTS, .depot_expected = true},
      .failed_before = what->force ? NULL : failed_before,
      .failed_context = life,
      .source = "http://127.0.0.1/ovms3.bin",
      .validator = validator_of(what),
  };
  begin_entry(life, &config, image);
  result = begin_update(life, &config, what);
  if (result == LB_OK) {
    result = push(life, what, image);
  }
  if (result == LB_OK) {
    result = finish(life);
  }
  const bool cut = result == LB_MORE;
  note(life, cut ? LB_HISTORY_INTERRUPTED : result ? LB_HISTORY_FAILED : LB_HISTORY_FLASHED, cut ? 0 : result);
  return result;
}

int life_confirm(struct life *life)
{
  begin_operation(life);
  int err = lb_trial_survive(&life->device, &life->decision.partition);
  if (err == LB_OK) {
    err = lb_trial_reach_depot(&life->device, &life->decision.partition);
  }
  if (err == LB_OK) {
    err = lb_trial_confirm(&life->device, &life->decision.partition);
  }
  if (err == LB_OK && life->entry.number != 0) {
    note(life, LB_HISTORY_CONFIRMED, 0);
  }
  return err;
}

/* ---- what is known without the library ---- */

struct lb_partition life_partition(const struct life *life, const char *label)
{
  struct lb_partition partition;
  need(lb_table_find_label(&life->made, label, &partition), LB_OK, label);
  return partition;
}

uint32_t life_slots(const struct life *life, struct lb_partition slots[LIFE_SLOTS])
{
  uint32_t count = 0;
  while (count < LIFE_SLOTS && lb_table_app_slot(&life->made, count, &slots[count]) == LB_OK) {
    count++;
  }
  return count;
}

int life_image_in(struct life *life, const struct lb_partition *slot)
{
  for (int i = 0; i < (int)LIFE_IMAGES; i++) {
    const struct built_image *image = &life->images[i];
    if (memcmp(life->flash.bytes + slot->offset, image->bytes, image->length) == 0) {
      return i;
    }
  }
  return LIFE_NO_IMAGE;
}

bool life_any_image(struct life *life)
{
  struct lb_partition slots[LIFE_SLOTS];
  bool any = false;
  for (uint32_t count = life_slots(life, slots); count > 0; count--) {
    any = any || life_image_in(life, &slots[count - 1]) != LIFE_NO_IMAGE;
  }
  return any;
}

void life_protect(struct life *life)
{
  struct lb_partition factory;
  const struct lb_partition *running = &life->decision.partition;
  sim_flash_unprotect_all(&life->flash);
  (void)sim_flash_protect(&life->flash, running->offset, running->size);
  (void)sim_flash_protect(&life->flash, LB_TABLE_COPY_ADDRESS, 2 * LB_TABLE_SECTOR);
  if (lb_table_find(&life->made, LB_TYPE_APP, LB_SUBTYPE_FACTORY, &factory) == LB_OK) {
    (void)sim_flash_protect(&life->flash, factory.offset, factory.size);
  }
}

uint64_t life_violations(const struct life *life)
{
  return sim_flash_counters(&life->flash)->violations;
}

const char *life_result_name(int result)
{
  if (result == LB_OK || result == LB_MORE) {
    return result == LB_OK ? "LB_OK" : "LB_MORE";
  }
  return lb_error_info(result)->name;
}

bool life_is_named(int result)
{
  return result == LB_OK || lb_error_info(result)->code == result;
}
