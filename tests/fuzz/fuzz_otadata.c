// SPDX-License-Identifier: MIT
/*
 * otadata and what lies behind its records. The first byte: bits 0-1 put the CRCs of the records right, bits 2-3 make
 * the tags ones of those records, bits 4-6 leave out the images of factory, ota_0 and ota_1, bit 7 puts the same image
 * into both OTA slots. Then what happens: how many boots, and for each a byte: bits 0-1 why the processor starts, bits
 * 2-5 what the firmware does. Then the first sector of each half of the partition.
 *
 * Whatever is there: settling is done once and for all; boots write to nothing but otadata; what boots verifies; what
 * has booted boots again after a commanded reset; a preview writes nothing; what is selected boots; what is rejected
 * makes room for what was confirmed last.
 */
#include <string.h>

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"

#define HALF       0x1000U
#define SECTOR     512U
#define BOOTS_MAX  8U
#define STEPS_MAX  100U
#define IMAGE_SIZE 1024U
#define APPS       3U

static struct fixture fixture;
static uint8_t *pristine;
static struct lb_partition otadata_at;
static struct lb_partition apps[APPS];

static void open_once(void)
{
  static const char *const labels[APPS] = {"factory", "ota_0", "ota_1"};

  fixture_open_miniature(&fixture, true, 2);
  for (uint32_t i = 0; i < APPS; i++) {
    fixture_put_made(&fixture, labels[i], 10 + i, IMAGE_SIZE);
    apps[i] = fixture_partition(&fixture, labels[i]);
  }
  otadata_at = fixture_partition(&fixture, "otadata");
  pristine = fixture_snapshot(&fixture);
}

/* ---- the input ---- */

static void fix_half(uint8_t *half, bool record, bool tag)
{
  if (record) {
    lb_store_le32(half + 28, lb_crc32(0xFFFFFFFFU, half, 4));
  }
  if (tag) {
    lb_store_le32(half + 64, 0x5254424CU);
    memcpy(half + 68, half, 4);
    lb_store_le32(half + 124, lb_crc32(0, half + 64, 60));
  }
}

/* Behind 64 boots that were never marked there are none: nobody looks there, until a mark is made before them. */
static void end_boots(uint8_t *half)
{
  for (uint32_t at = 192; at < SECTOR; at += 64) {
    uint32_t blank = 0;
    while (blank < 64 && half[at + blank] == 0xFF) {
      blank++;
    }
    if (blank == 64) {
      memset(half + at, 0xFF, SECTOR - at);
      return;
    }
  }
}

static void put_input(struct fuzz_input *input, uint32_t mode)
{
  uint8_t *bytes = fixture_bytes(&fixture);

  fixture_restore(&fixture, pristine);
  for (uint32_t i = 0; i < 2; i++) {
    uint8_t *half = bytes + otadata_at.offset + i * HALF;
    fuzz_take_bytes(input, half, SECTOR, 0xFF);
    end_boots(half);
    fix_half(half, (mode >> i & 1U) != 0, (mode >> (2 + i) & 1U) != 0);
  }
  if ((mode & 0x80U) != 0) {
    memcpy(bytes + apps[2].offset, bytes + apps[1].offset, IMAGE_SIZE);
  }
  for (uint32_t i = 0; i < APPS; i++) {
    if ((mode >> (4 + i) & 1U) != 0) {
      memset(bytes + apps[i].offset, 0xFF, IMAGE_SIZE);
    }
  }
}

/* ---- what is always true ---- */

static void require_rest_same(const uint8_t *before)
{
  uint32_t end = otadata_at.offset + otadata_at.size;

  FUZZ_REQUIRE(fixture_same(&fixture, before, 0, otadata_at.offset));
  FUZZ_REQUIRE(fixture_same(&fixture, before, end, fixture.flash.driver.size - end));
}

static void check_records(const struct lb_otadata *otadata)
{
  struct lb_partition slot;

  FUZZ_REQUIRE(otadata->active == LB_OTADATA_NONE || otadata->records[otadata->active].usable);
  FUZZ_REQUIRE(lb_otadata_selected(otadata, &fixture.table, &slot) == LB_OK);
  FUZZ_REQUIRE(lb_otadata_fallback(otadata, &fixture.table, &slot) == LB_OK);
  for (int i = 0; i < 2; i++) {
    const struct lb_trial *trial = &otadata->records[i].trial;
    FUZZ_REQUIRE(trial->quarters <= LB_TRIAL_QUARTERS && trial->boots <= SECTOR && trial->failures <= trial->boots);
    FUZZ_REQUIRE(!(trial->confirmed && trial->rejected) && trial->cause <= LB_TRIAL_NO_DEPOT);
    FUZZ_REQUIRE(trial->tagged || !(trial->confirmed || trial->rejected));
  }
}

static void settle(void)
{
  struct lb_otadata otadata;
  struct lb_otadata again;

  FUZZ_REQUIRE(lb_trial_settle(&otadata, &fixture.device) == LB_OK);
  check_records(&otadata);
  flash_tap_clear(&fixture.tap);
  FUZZ_REQUIRE(lb_trial_settle(&again, &fixture.device) == LB_OK);
  FUZZ_REQUIRE(fixture.tap.count == 0);
  FUZZ_REQUIRE(again.active == otadata.active);
  FUZZ_REQUIRE(lb_otadata_confirmed(&again) == lb_otadata_confirmed(&otadata));
}

/* ---- booting ---- */

static int boot(enum lb_reset reset, struct lb_boot_decision *decision)
{
  static struct lb_table table;
  static struct lb_verify verify;
  struct lb_device device = fixture.device;
  struct lb_boot_decision preview;
  uint8_t otadata[2 * HALF];

  flash_tap_clear(&fixture.tap);
  memcpy(otadata, fixture_bytes(&fixture) + otadata_at.offset, sizeof(otadata));
  int expected = lb_boot_preview(&device, &table, &verify, NULL, &preview);
  FUZZ_REQUIRE(fixture.tap.count == 0);
  int result = lb_boot(&device, &table, &verify, NULL, reset, decision);
  FUZZ_REQUIRE(result == expected && (result == LB_OK || result == LB_ERR_NOTHING_BOOTS));
  FUZZ_REQUIRE(fixture.tap.erases == 0 && fixture.tap.programs < 32);
  if (result == LB_OK) {
    FUZZ_REQUIRE(lb_verify_partition(&verify, &device, &decision->partition) == LB_OK);
  }
  return result;
}

static void boot_again(const struct lb_boot_decision *before)
{
  struct lb_boot_decision decision;

  FUZZ_REQUIRE(boot(LB_RESET_COMMANDED, &decision) == LB_OK);
  FUZZ_REQUIRE(lb_partition_same(&decision.partition, &before->partition));
  FUZZ_REQUIRE(!decision.went_back && decision.on_trial == before->on_trial);
}

/* ---- what a firmware does ---- */

static void select_slot(const struct lb_partition *target, uint8_t attempts)
{
  static struct lb_select select;
  static struct lb_verify verify;
  const struct lb_trial_terms terms = {.attempts = attempts};
  struct lb_boot_decision decision;
  uint32_t steps = 0;
  bool verifies = lb_verify_partition(&verify, &fixture.device, target) == LB_OK;
  int result = lb_select_start(&select, &fixture.device, target, &terms);

  while (result == LB_OK || result == LB_MORE) {
    result = lb_select_step(&select);
    if (result != LB_MORE) {
      break;
    }
    FUZZ_REQUIRE(steps++ < STEPS_MAX);
  }
  FUZZ_REQUIRE((result == LB_OK) == verifies);
  if (result == LB_OK) {
    FUZZ_REQUIRE(boot(LB_RESET_COMMANDED, &decision) == LB_OK);
    FUZZ_REQUIRE(lb_partition_same(&decision.selected, target));
    FUZZ_REQUIRE(lb_partition_same(&decision.partition, target) ||
                 (decision.selected_error == LB_ERR_FAILED_BEFORE && target->subtype == LB_SUBTYPE_FACTORY));
    FUZZ_REQUIRE(decision.on_trial == select.on_trial || decision.selected_error != LB_OK);
  }
}

/* Back to what was confirmed last, if that verifies; even if it is the same image in another slot. */
static void reject(const struct lb_partition *running, int expected)
{
  static struct lb_verify verify;
  struct lb_otadata otadata;
  struct lb_partition fallback;
  struct lb_boot_decision decision;

  FUZZ_REQUIRE(lb_trial_reject(&fixture.device, running, LB_TRIAL_OPERATOR) == expected);
  if (expected != LB_OK) {
    return;
  }
  FUZZ_REQUIRE(lb_otadata_read(&otadata, &fixture.device) == LB_OK);
  FUZZ_REQUIRE(lb_otadata_fallback(&otadata, &fixture.table, &fallback) == LB_OK);
  FUZZ_REQUIRE(boot(LB_RESET_COMMANDED, &decision) == LB_OK && !decision.on_trial);
  FUZZ_REQUIRE(lb_otadata_confirmed(&otadata) == LB_OTADATA_NONE ||
               lb_verify_partition(&verify, &fixture.device, &fallback) != LB_OK ||
               lb_partition_same(&decision.partition, &fallback));
}

static void act(uint32_t what, const struct lb_partition *running)
{
  const struct lb_device *device = &fixture.device;
  struct lb_otadata otadata;
  bool on_trial = lb_trial_find(&otadata, device, running) == LB_OK;
  int expected = on_trial ? LB_OK : LB_ERR_NOT_ON_TRIAL;

  switch (what) {
  case 1:
    FUZZ_REQUIRE(lb_trial_survive(device, running) == expected);
    break;
  case 2:
    FUZZ_REQUIRE(lb_trial_close(device, running) == expected);
    break;
  case 3:
    FUZZ_REQUIRE(lb_trial_count_quarter(device, running) == expected);
    break;
  case 4:
    FUZZ_REQUIRE(lb_trial_confirm(device, running) == expected);
    FUZZ_REQUIRE(lb_trial_find(&otadata, device, running) == LB_ERR_NOT_ON_TRIAL);
    FUZZ_REQUIRE(!on_trial || lb_otadata_confirmed(&otadata) == otadata.active);
    break;
  case 5:
    reject(running, expected);
    break;
  case 6:
    (void)lb_trial_reach_depot(device, running);
    break;
  case 7:
  case 8:
  case 9:
    select_slot(&apps[what - 7], 3);
    break;
  case 10:
  case 11:
    select_slot(&apps[what - 9], 0);
    break;
  default:
    break;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  uint32_t mode = fuzz_take_byte(&input);
  uint8_t happens[BOOTS_MAX];
  uint32_t boots = fuzz_take_below(&input, BOOTS_MAX) + 1U;
  struct lb_boot_decision decision;
  static uint8_t before[0x40000];

  if (!pristine) {
    open_once();
  }
  fuzz_take_bytes(&input, happens, boots, 0);
  put_input(&input, mode);
  memcpy(before, fixture_bytes(&fixture), sizeof(before));
  for (uint32_t i = 0; i < boots; i++) {
    if (boot((enum lb_reset)(happens[i] & 3U), &decision) != LB_OK) {
      FUZZ_REQUIRE((mode & 0x70U) == 0x70U); /* nothing boots only where nothing is */
      break;
    }
    settle();
    boot_again(&decision);
    act(happens[i] >> 2 & 15U, &decision.partition);
  }
  require_rest_same(before);
  return 0;
}
