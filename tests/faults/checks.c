// SPDX-License-Identifier: MIT
#include "tests/faults/checks.h"

#include <string.h>

#include "tests/faults/esp_otadata.h"

#define RECORD 32U

static const uint8_t *chip_bytes(const struct run *run)
{
  return run->engine->chip.bytes;
}

/* Only the first bytes have to be looked at to tell most images apart. */
static bool holds(const struct run *run, const struct lb_partition *slot, const struct built_image *image)
{
  return image->length <= slot->size && memcmp(chip_bytes(run) + slot->offset, image->bytes, image->length) == 0 &&
         sim_flash_unstable_bits(&run->engine->chip, slot->offset, image->length) == 0;
}

enum image_name check_image_in(struct run *run, uint32_t slot)
{
  const struct engine *engine = run->engine;
  for (int name = IMAGE_NONE + 1; engine->slots[slot].size != 0 && name < IMAGES; name++) {
    if (holds(run, &engine->slots[slot], &engine->images.built[name])) {
      return (enum image_name)name;
    }
  }
  return IMAGE_NONE;
}

static uint32_t ota_slots(const struct engine *engine)
{
  uint32_t count = 0;
  while (count + 1 < SLOTS && engine->slots[SLOT_OTA(count)].size != 0) {
    count++;
  }
  return count;
}

/* Would ESP-IDF's bootloader find anything else? */
static bool anything_else(struct run *run, uint32_t but)
{
  for (uint32_t slot = 0; slot < SLOTS; slot++) {
    if (slot != but && check_image_in(run, slot) != IMAGE_NONE) {
      return true;
    }
  }
  return false;
}

/* Read through the driver, since an unstable bit of a record may read either way: twice each time. */
void check_otadata(struct run *run, bool settled)
{
  struct engine *engine = run->engine;
  uint8_t records[2][RECORD];
  for (uint32_t turn = 0; turn < 2; turn++) {
    for (uint32_t i = 0; i < 2; i++) {
      const uint32_t address = engine->otadata.offset + i * (engine->otadata.size / 2);
      if (engine->chip.driver.read(&engine->chip, address, records[i], RECORD) != 0) {
        run_fail(run, 0, "otadata cannot be read");
      }
    }
    const struct esp_otadata judged = esp_otadata_judge(records[0], records[1], ota_slots(engine), settled);
    CHECK(run, 9, judged.legal, "otadata is illegal: %s", judged.fault);
    if (judged.slot == ESP_OTADATA_FACTORY) {
      continue;
    }
    const uint8_t slot = (uint8_t)SLOT_OTA((uint32_t)judged.slot);
    const bool whole = check_image_in(run, slot) != IMAGE_NONE;
    CHECK(run, 4, whole || slot == run->ledger.broken, "otadata selects ota_%d, which holds no whole image",
          judged.slot);
    CHECK(run, 9, whole || anything_else(run, slot), "ESP-IDF finds nothing to boot");
  }
}

void check_untouched(struct run *run)
{
  struct engine *engine = run->engine;
  const struct lb_partition *factory = &engine->slots[SLOT_FACTORY];
  const struct choice running = run->ledger.running;
  const uint64_t violations = sim_flash_counters(&engine->chip)->violations;
  if (factory->size != 0) {
    CHECK(run, 2, memcmp(chip_bytes(run) + factory->offset, engine->reference + factory->offset, factory->size) == 0,
          "factory has changed");
  }
  CHECK(run, 3, violations == 0, "the slot that runs, or factory, was to be changed");
  CHECK(run, 3, check_image_in(run, running.slot) == (enum image_name)running.image, "the slot that runs has changed");
}

static uint8_t slot_of(const struct engine *engine, const struct lb_partition *partition)
{
  for (uint8_t slot = 0; slot < SLOTS; slot++) {
    if (engine->slots[slot].size != 0 && engine->slots[slot].offset == partition->offset) {
      return slot;
    }
  }
  return NO_SLOT;
}

static const char *slot_label(uint32_t slot)
{
  static const char *const labels[SLOTS] = {"factory", "ota_0", "ota_1", "ota_2"};
  return slot < SLOTS ? labels[slot] : "no slot";
}

void check_booted(struct run *run)
{
  const struct lb_boot_decision *decision = &run->decision;
  struct ledger *ledger = &run->ledger;
  const struct belief before = *ledger_now(ledger);
  const uint8_t slot = slot_of(run->engine, &decision->partition);
  CHECK(run, 1, slot != NO_SLOT, "what booted is no app slot");
  const struct choice booted = {.slot = slot, .image = (uint8_t)check_image_in(run, slot)};
  CHECK(run, 1, booted.image != IMAGE_NONE, "%s booted and holds no whole image", slot_label(slot));
  const bool expected = ledger_booted(ledger, booted, decision);
  CHECK(run, before.trial ? 6 : 5, expected,
        "%s booted with %s%s (attempt %u of %u), where %s%s with %s was to be expected (failures %u to %u)",
        slot_label(slot), image_label((enum image_name)booted.image), decision->on_trial ? " on trial" : "",
        (unsigned)decision->attempt, (unsigned)decision->attempts, slot_label(before.boots.slot),
        before.trial ? " on trial" : "", image_label((enum image_name)before.boots.image),
        (unsigned)before.failures_low, (unsigned)before.failures_high);
}

void check_history(struct run *run)
{
  const struct ledger *ledger = &run->ledger;
  struct lb_history *history = &run->work.history.history;
  struct lb_nvs *nvs = &run->work.history.nvs;
  struct lb_history_entry entry;
  if (ledger->notes == 0 && !ledger->noting) {
    return;
  }
  int result = lb_nvs_open(nvs, &run->flash, &run->engine->nvs, true);
  if (result == LB_OK) {
    result = lb_history_open(history, nvs);
  }
  CHECK(run, 5, result == LB_OK, "the history cannot be read: %s", lb_error_info(result)->name);
  const uint32_t more = history->count - ledger->notes; /* huge if one is lost */
  CHECK(run, 5, more <= ledger->noting, "%u entries of the history are there, where %u were stored",
        (unsigned)history->count, (unsigned)ledger->notes);
  for (uint32_t i = 0; i < history->count; i++) {
    result = lb_history_get(history, i, &entry);
    if (i < more && result == LB_ERR_NVS_NOT_FOUND) {
      continue; /* what was being stored, and a weak mark of it, may come and go */
    }
    CHECK(run, 5, result == LB_OK && entry.number == history->count - i && entry.size == NOTE_SIZE(entry.number),
          "entry %u of the history is not what was stored: %s, number %u, %u bytes", (unsigned)i,
          lb_error_info(result)->name, (unsigned)entry.number, (unsigned)entry.size);
  }
}

void check_setting(struct run *run)
{
  struct ledger *ledger = &run->ledger;
  struct lb_nvs *nvs = &run->work.nvs;
  char value[64] = "";
  uint32_t length = 0;
  if (!ledger->setting && !ledger->setting_next) {
    return;
  }
  int result = lb_nvs_open(nvs, &run->flash, &run->engine->nvs, true);
  if (result == LB_OK) {
    result = lb_nvs_get_string(nvs, "ota", "server", value, sizeof value, &length);
  }
  const bool is_old =
      ledger->setting ? result == LB_OK && strcmp(value, ledger->setting) == 0 : result == LB_ERR_NVS_NOT_FOUND;
  const bool is_next = ledger->setting_next && result == LB_OK && strcmp(value, ledger->setting_next) == 0;
  CHECK(run, 5, is_old || is_next, "a setting is lost: %s, \"%s\"", lb_error_info(result)->name, value);
  if (ledger->setting) { /* one of the two has been erased now; without an old one a weak mark may come and go */
    ledger->setting = is_next ? ledger->setting_next : ledger->setting;
    ledger->setting_next = NULL;
  }
}
