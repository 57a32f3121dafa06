// SPDX-License-Identifier: MIT
/*
 * Updates by patch on a simulated flash: what is made is in the slot and boots; nothing is touched before the base has
 * proved itself; what is reserved stays; errors of the flash have their names; and what the session has taken can be
 * read back at every moment, with a sector's buffer and without, also what came behind the image's end; and what a
 * session leaves that fails at its end.
 */
#include "lifeboat/update_patch.h"
#include "ports/mbedtls/hash.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/unit.h"
#include "tool/patch/make.h"

#define OLD_LENGTH 6000U
#define NEW_LENGTH 6496U
#define CHANGED    1500U /* bytes of the old image that are others in the new one */
#define SECTOR     512U
#define UNDEFINED  0xFFFFFFFFU
#define ENDLESS    200000U

struct patching {
  struct fixture fixture;
  struct built_image old_image;
  struct built_image new_image;
  struct patch_bytes patch;
  struct lb_patch_default decoder;
  struct lb_update update;
  struct lb_update_patch by_patch;
  struct lb_update_config config;
  struct lb_partition base;
  struct lb_hash sha256;
  struct mbedtls_hash sha256_state;
  uint8_t *result;      /* what the patch makes: the new image, and maybe bytes behind it */
  uint32_t length;      /* of it */
  uint8_t *sector;      /* a buffer to lend, of exactly a sector */
  uint32_t piece;       /* bytes a call */
  uint32_t rot_at;      /* address of a bit that flips once the session has changed the flash; 0: none */
  bool watches;         /* lb_update_read is compared after each call */
  uint32_t random_seed; /* for that */
};

/*
 * The old image is in ota_0 and runs, another one in ota_1, which becomes the new one with so many bytes of 0xFF behind
 * it. In slots of 16 KB, or in those of a real chip.
 */
static void open_with(struct patching *patching, uint8_t profile, uint32_t trailing, bool real)
{
  const struct patch_make_options options = {.profile = profile};
  struct unit_random random = {.state = 5};

  memset(patching, 0, sizeof(*patching));
  if (real) {
    fixture_open_ovms(&patching->fixture);
  } else {
    fixture_open_miniature(&patching->fixture, true, 2);
  }
  fixture_put_made(&patching->fixture, "factory", 1, 1024);
  fixture_put_made(&patching->fixture, "ota_1", 2, 4096);
  image_make(&patching->old_image, 3, OLD_LENGTH, "3.3.001");
  image_make(&patching->new_image, 3, NEW_LENGTH, "3.3.002");
  unit_random_fill(&random, patching->new_image.bytes + NEW_LENGTH / 2U, CHANGED);
  image_seal(&patching->new_image);
  fixture_put_image(&patching->fixture, "ota_0", &patching->old_image);
  fixture_put_record(&patching->fixture, 0, 1, UNDEFINED);
  patching->length = NEW_LENGTH + trailing;
  patching->result = unit_allocate(patching->length);
  memset(patching->result, 0xFF, patching->length);
  memcpy(patching->result, patching->new_image.bytes, NEW_LENGTH);
  assert_int_equal(
      patch_make(patching->old_image.bytes, OLD_LENGTH, patching->result, patching->length, &options, &patching->patch),
      LB_OK);
  patching->base = fixture_partition(&patching->fixture, "ota_0");
  patching->config = fixture_config(&patching->fixture, "ota_0", "ota_1");
  patching->config.size = patching->length;
  patching->sector = unit_allocate(lb_flash_sector(&patching->fixture.tap.flash));
  patching->config.sector_buffer = patching->sector;
  patching->piece = 64;
  mbedtls_hash_sha256(&patching->sha256, &patching->sha256_state);
}

static void open(struct patching *patching, uint8_t profile)
{
  open_with(patching, profile, 0, false);
}

static void close(struct patching *patching)
{
  free(patching->patch.data);
  free(patching->result);
  free(patching->sector);
  image_free(&patching->old_image);
  image_free(&patching->new_image);
  fixture_close(&patching->fixture);
}

/* ---- running ---- */

/* What was taken can be read, in parts and whole; not one byte more. */
static void assert_readable(struct patching *patching)
{
  struct unit_random random = {.state = patching->random_seed++};
  const uint32_t position = lb_update_position(&patching->update);
  const uint32_t offset = unit_random_below(&random, position + 1U);
  const uint32_t length = unit_random_below(&random, position - offset + 1U);
  uint8_t *bytes = unit_allocate(position);

  assert_result(lb_update_read(&patching->update, 0, bytes, position), LB_OK);
  assert_memory_equal(bytes, patching->result, position);
  assert_result(lb_update_read(&patching->update, offset, bytes, length), LB_OK);
  assert_memory_equal(bytes, patching->result + offset, length);
  assert_result(lb_update_read(&patching->update, 0, bytes, position + 1U), LB_ERR_ARGUMENT);
  assert_result(lb_update_read(&patching->update, position + 1U, bytes, 0), LB_ERR_ARGUMENT);
  assert_result(lb_update_read(&patching->update, 4, bytes, 0xFFFFFFFFU), LB_ERR_ARGUMENT);
  free(bytes);
}

static void rot(struct patching *patching)
{
  if (patching->rot_at != 0 && lb_update_touched_flash(&patching->update)) {
    fixture_bytes(&patching->fixture)[patching->rot_at] ^= 2U;
    patching->rot_at = 0;
  }
}

/* A call did at most one erase and one page. */
static void assert_one_step(struct patching *patching, uint32_t programs, uint32_t erases, uint32_t *steps)
{
  assert_true(patching->fixture.tap.programs - programs <= 1 && patching->fixture.tap.erases - erases <= 1);
  assert_true(++*steps < ENDLESS);
  rot(patching);
  if (patching->watches) {
    assert_readable(patching);
  }
}

static int start(struct patching *patching, const struct lb_partition *base)
{
  uint32_t memory = lb_patch_memory(patching->patch.data[4] & 15U);
  int result = lb_update_start(&patching->update, &patching->config);

  if (result != LB_OK) {
    return result;
  }
  return lb_update_patch_start(&patching->by_patch, &patching->decoder.patch, memory, &patching->update, base,
                               &patching->sha256);
}

/* Gives the patch, then asks for the rest. */
static int apply(struct patching *patching)
{
  const struct flash_tap *tap = &patching->fixture.tap;
  uint32_t steps = 0;
  uint32_t given = 0;
  int result = LB_OK;

  while (result == LB_OK && given < patching->patch.length) {
    const uint32_t left = patching->patch.length - given;
    const uint32_t programs = tap->programs;
    const uint32_t erases = tap->erases;
    uint32_t used = 0;
    result = lb_update_patch_write(&patching->by_patch, patching->patch.data + given,
                                   left < patching->piece ? left : patching->piece, &used);
    given += used;
    assert_one_step(patching, programs, erases, &steps);
  }
  for (result = result == LB_OK ? LB_MORE : result; result == LB_MORE;) {
    const uint32_t programs = tap->programs;
    const uint32_t erases = tap->erases;
    result = lb_update_patch_finish(&patching->by_patch);
    assert_one_step(patching, programs, erases, &steps);
  }
  return result;
}

static int finish(struct patching *patching)
{
  int result = LB_MORE;

  for (uint32_t steps = 0; result == LB_MORE; steps++) {
    result = lb_update_finish(&patching->update);
    assert_true(steps < ENDLESS);
  }
  return result;
}

static int run(struct patching *patching)
{
  int result = start(patching, &patching->base);

  result = result == LB_OK ? apply(patching) : result;
  return result == LB_OK ? finish(patching) : result;
}

static void assert_updated(struct patching *patching)
{
  struct lb_boot_decision decision;
  const uint8_t *slot = fixture_bytes(&patching->fixture) + patching->config.target.offset;

  assert_memory_equal(slot, patching->new_image.bytes, NEW_LENGTH);
  assert_result(fixture_boot(&patching->fixture, &decision), LB_OK);
  assert_string_equal(decision.partition.label, "ota_1");
}

/* It failed, and what runs is selected and whole. */
static void assert_old_boots(struct patching *patching)
{
  struct lb_boot_decision decision;

  assert_result(fixture_boot(&patching->fixture, &decision), LB_OK);
  assert_string_equal(decision.partition.label, "ota_0");
}

/* ---- it works ---- */

static void test_makes_the_image(void **state)
{
  static const uint32_t pieces[] = {1, 7, 64, 0x10000};
  static struct patching patching;

  (void)state;
  for (uint32_t i = 0; i < 16; i++) {
    open(&patching, i % 2U == 0 ? LB_PATCH_PROFILE_DEFAULT : LB_PATCH_PROFILE_SMALL);
    assert_true(patching.patch.length > CHANGED && patching.patch.length < NEW_LENGTH - OLD_LENGTH / 4U);
    patching.piece = pieces[i / 4U];
    patching.config.sector_buffer = i / 2U % 2U == 0 ? patching.sector : NULL;
    uint8_t *before = fixture_snapshot(&patching.fixture);
    assert_result(run(&patching), LB_OK);
    assert_true(fixture_same(&patching.fixture, before, 0x10000, 0x20000)); /* factory and ota_0 */
    free(before);
    assert_updated(&patching);
    close(&patching);
  }
}

static void test_reads_at_every_moment(void **state)
{
  static struct patching patching;

  (void)state;
  for (uint32_t i = 0; i < 4; i++) {
    open(&patching, LB_PATCH_PROFILE_SMALL);
    patching.watches = true;
    patching.random_seed = 100 * i;
    patching.piece = 11;
    patching.config.sector_buffer = i % 2U == 0 ? patching.sector : NULL;
    if (i >= 2) { /* most of it is there already, and is compared */
      fixture_put_image(&patching.fixture, "ota_1", &patching.new_image);
    }
    assert_result(run(&patching), LB_OK);
    assert_readable(&patching);
    assert_updated(&patching);
    close(&patching);
  }
}

/* The reads of a failing flash are told, whichever of the three places they are for. */
static void test_read_fails(void **state)
{
  static struct patching patching;
  uint8_t byte;

  (void)state;
  open(&patching, LB_PATCH_PROFILE_SMALL);
  assert_result(start(&patching, &patching.base), LB_OK);
  assert_result(apply(&patching), LB_OK);
  flash_tap_clear(&patching.fixture.tap);
  patching.fixture.tap.fail_read_at = 0;
  assert_result(lb_update_read(&patching.update, 10, &byte, 1), LB_OK); /* of the head, in memory */
  assert_int_equal(byte, patching.new_image.bytes[10]);
  assert_result(lb_update_read(&patching.update, 2000, &byte, 1), LB_ERR_FLASH_READ);
  close(&patching);
}

/* Bytes of 0xFF that belong to no sector: less than one is left of the image, and its buffer has no more. */
static void test_reads_behind_the_end(void **state)
{
  static const uint32_t trailing[] = {1, 8192, 200000};
  static struct patching patching;

  (void)state;
  for (uint32_t i = 0; i < 6; i++) {
    uint32_t at = 0;
    uint32_t steps = 0;
    open_with(&patching, LB_PATCH_PROFILE_SMALL, trailing[i / 2U], i >= 2);
    patching.config.sector_buffer = i % 2U == 0 ? patching.sector : NULL;
    assert_result(lb_update_start(&patching.update, &patching.config), LB_OK);
    while (at < patching.length) {
      const uint32_t left = patching.length - at;
      uint32_t used = 0;
      assert_result(lb_update_write(&patching.update, patching.result + at, left < 700 ? left : 700, &used), LB_OK);
      at += used;
      if (at > NEW_LENGTH - 2000U) {
        assert_readable(&patching);
      }
      assert_true(++steps < ENDLESS);
    }
    assert_int_equal(lb_update_position(&patching.update), patching.length);
    assert_result(finish(&patching), LB_OK);
    assert_readable(&patching);
    assert_updated(&patching);
    close(&patching);
  }
}

/* A patch may copy such bytes from before, as it does any others. */
static void test_makes_bytes_behind_the_end(void **state)
{
  static struct patching patching;

  (void)state;
  for (uint32_t i = 0; i < 2; i++) {
    open_with(&patching, i == 0 ? LB_PATCH_PROFILE_DEFAULT : LB_PATCH_PROFILE_SMALL, 200000, true);
    assert_true(patching.patch.length < NEW_LENGTH);
    patching.config.sector_buffer = i == 0 ? patching.sector : NULL;
    assert_result(run(&patching), LB_OK);
    assert_readable(&patching);
    assert_updated(&patching);
    close(&patching);
  }
}

static void test_from_nothing(void **state)
{
  const struct patch_make_options options = {.profile = LB_PATCH_PROFILE_SMALL};
  static struct patching patching;

  (void)state;
  open(&patching, LB_PATCH_PROFILE_SMALL);
  free(patching.patch.data);
  assert_int_equal(patch_make(NULL, 0, patching.new_image.bytes, NEW_LENGTH, &options, &patching.patch), LB_OK);
  assert_result(start(&patching, NULL), LB_OK);
  assert_result(apply(&patching), LB_OK);
  assert_result(finish(&patching), LB_OK);
  assert_updated(&patching);
  close(&patching);
}

/* ---- refused ---- */

static void assert_refused(struct patching *patching, const struct lb_partition *base, int expected)
{
  uint8_t *before = fixture_snapshot(&patching->fixture);

  flash_tap_clear(&patching->fixture.tap);
  assert_result(start(patching, base), LB_OK);
  assert_result(apply(patching), expected);
  assert_int_equal(patching->fixture.tap.count, 0);
  assert_false(lb_update_touched_flash(&patching->update));
  assert_true(fixture_same(&patching->fixture, before, 0, patching->fixture.flash.driver.size));
  free(before);
}

static void test_wrong_base(void **state)
{
  static struct patching patching;

  (void)state;
  open(&patching, LB_PATCH_PROFILE_SMALL);
  struct lb_partition factory = fixture_partition(&patching.fixture, "factory");
  uint8_t *base = fixture_bytes(&patching.fixture) + patching.base.offset;
  assert_refused(&patching, &factory, LB_ERR_PATCH_BASE);
  assert_refused(&patching, NULL, LB_ERR_PATCH_BASE);
  patching.base.size = OLD_LENGTH - 1U; /* it cannot lie there */
  assert_refused(&patching, &patching.base, LB_ERR_PATCH_BASE);
  patching.base = fixture_partition(&patching.fixture, "ota_0");
  for (uint32_t at = 0; at < OLD_LENGTH; at += 97U) { /* a bit of it has rotted */
    base[at] ^= 8U;
    assert_refused(&patching, &patching.base, LB_ERR_PATCH_BASE);
    base[at] ^= 8U;
  }
  base[OLD_LENGTH - 1U] ^= 1U; /* its own digest, which the patch does not name */
  assert_refused(&patching, &patching.base, LB_ERR_PATCH_BASE);
  close(&patching);
}

static void test_arguments(void **state)
{
  static struct patching patching;
  uint32_t used;

  (void)state;
  open(&patching, LB_PATCH_PROFILE_DEFAULT);
  assert_result(lb_update_start(&patching.update, &patching.config), LB_OK);
  assert_result(lb_update_patch_start(&patching.by_patch, &patching.decoder.patch, sizeof(patching.decoder),
                                      &patching.update, &patching.config.target, &patching.sha256),
                LB_ERR_ARGUMENT);
  assert_result(lb_update_patch_start(&patching.by_patch, &patching.decoder.patch, sizeof(patching.decoder),
                                      &patching.update, &patching.base, patching.fixture.device.sha256),
                LB_ERR_ARGUMENT);
  assert_result(lb_update_patch_start(&patching.by_patch, &patching.decoder.patch, 100, &patching.update,
                                      &patching.base, &patching.sha256),
                LB_ERR_ARGUMENT);
  /* memory of the small profile, and a patch of the other */
  assert_result(lb_update_patch_start(&patching.by_patch, &patching.decoder.patch, sizeof(struct lb_patch_small),
                                      &patching.update, &patching.base, &patching.sha256),
                LB_OK);
  assert_result(apply(&patching), LB_ERR_PATCH_MEMORY);
  assert_result(lb_update_patch_write(&patching.by_patch, "x", 1, &used), LB_ERR_PATCH_MEMORY);
  assert_result(lb_update_patch_finish(&patching.by_patch), LB_ERR_PATCH_MEMORY);
  assert_int_equal(patching.fixture.tap.count, 0);
  close(&patching);
}

/* The session was told of another length. */
static void test_lengths(void **state)
{
  static struct patching patching;

  (void)state;
  open(&patching, LB_PATCH_PROFILE_SMALL);
  patching.config.size = NEW_LENGTH - 16U;
  assert_refused(&patching, &patching.base, LB_ERR_PATCH_TOO_LONG);
  patching.config.size = NEW_LENGTH + 16U;
  assert_result(run(&patching), LB_ERR_SIZE_MISMATCH);
  assert_old_boots(&patching);
  patching.config.size = LB_SIZE_UNKNOWN;
  assert_result(run(&patching), LB_OK);
  assert_updated(&patching);
  close(&patching);
}

/* ---- what is reserved ---- */

static void test_reserved_stays(void **state)
{
  static struct patching patching;

  (void)state;
  for (uint32_t sectors = 1; sectors <= 17; sectors++) {
    open(&patching, LB_PATCH_PROFILE_SMALL);
    const struct lb_partition *slot = &patching.config.target;
    uint8_t *kept = fixture_bytes(&patching.fixture) + slot->offset + slot->size - (sectors + 1U) * SECTOR;
    memset(kept, 0x5A, sectors * SECTOR);
    uint8_t *before = unit_copy(kept, sectors * SECTOR);
    patching.config.reserved = sectors * SECTOR;
    patching.config.source = "http://127.0.0.1/a.patch";
    patching.config.validator = "";
    assert_result(run(&patching), LB_OK);
    assert_memory_equal(kept, before, sectors * SECTOR);
    free(before);
    assert_updated(&patching);
    close(&patching);
  }
}

static void test_reserved_is_judged(void **state)
{
  static struct patching patching;

  (void)state;
  open(&patching, LB_PATCH_PROFILE_SMALL);
  const uint32_t most = patching.config.target.size - SECTOR - 13U * SECTOR; /* the image takes 13 sectors */
  patching.config.reserved = SECTOR / 2U;
  assert_result(start(&patching, &patching.base), LB_ERR_ARGUMENT);
  patching.config.reserved = most + SECTOR;
  assert_result(start(&patching, &patching.base), LB_ERR_IMAGE_TOO_LONG);
  patching.config.reserved = 0xFFFFFE00U;
  assert_result(start(&patching, &patching.base), LB_ERR_ARGUMENT);
  patching.config.reserved = most + SECTOR; /* the session is not told how much comes */
  patching.config.size = LB_SIZE_UNKNOWN;
  assert_result(run(&patching), LB_ERR_IMAGE_TOO_LONG);
  assert_old_boots(&patching);
  patching.config.size = NEW_LENGTH;
  patching.config.reserved = most;
  assert_result(run(&patching), LB_OK);
  assert_updated(&patching);
  close(&patching);
}

/* ---- the flash fails ---- */

/* Each read, one after the other: the error is told, stays, and what runs still boots. */
static void test_reads_fail(void **state)
{
  static struct patching patching;
  uint32_t failed = 0;
  int result = LB_ERR_FLASH_READ;

  (void)state;
  open(&patching, LB_PATCH_PROFILE_SMALL);
  uint8_t *before = fixture_snapshot(&patching.fixture);
  for (uint32_t number = 0; result != LB_OK; number += 1U + number / 16U) {
    uint32_t used;
    fixture_restore(&patching.fixture, before);
    assert_result(start(&patching, &patching.base), LB_OK);
    flash_tap_clear(&patching.fixture.tap);
    patching.fixture.tap.fail_read_at = number;
    result = apply(&patching);
    if (result != LB_OK) {
      failed++;
      assert_result(result, LB_ERR_FLASH_READ);
      assert_result(lb_update_patch_write(&patching.by_patch, "x", 1, &used), LB_ERR_FLASH_READ);
      assert_result(lb_update_patch_finish(&patching.by_patch), LB_ERR_FLASH_READ);
    }
    patching.fixture.tap.fail_read_at = TAP_NEVER;
    assert_old_boots(&patching);
  }
  assert_true(failed > 20);
  free(before);
  close(&patching);
}

static void test_writes_fail(void **state)
{
  static struct patching patching;

  (void)state;
  open(&patching, LB_PATCH_PROFILE_SMALL);
  uint8_t *before = fixture_snapshot(&patching.fixture);
  for (uint32_t number = 0; number < 40; number += 3) {
    fixture_restore(&patching.fixture, before);
    flash_tap_clear(&patching.fixture.tap);
    patching.fixture.tap.fail_program_at = number;
    assert_result(run(&patching), LB_ERR_FLASH_PROGRAM);
    patching.fixture.tap.fail_program_at = TAP_NEVER;
    assert_old_boots(&patching);
  }
  flash_tap_clear(&patching.fixture.tap);
  patching.fixture.tap.fail_erase_at = 2;
  assert_result(run(&patching), LB_ERR_FLASH_ERASE);
  free(before);
  close(&patching);
}

/* The base was right when it was hashed, and a bit of it rots while it is copied from. */
static void test_base_rots_meanwhile(void **state)
{
  static struct patching patching;

  (void)state;
  open(&patching, LB_PATCH_PROFILE_SMALL);
  patching.rot_at = patching.base.offset + 2500U; /* copied as it is */
  int result = run(&patching);
  assert_int_equal(patching.rot_at, 0);
  assert_true(result == LB_ERR_PATCH_DIGEST || lb_error_is_of_image(result));
  assert_string_equal(fixture_selected(&patching.fixture), "ota_0");
  close(&patching);
}

/* ---- what a session leaves that fails at its end ---- */

/* The number, among all programs since flash_tap_clear, of the one of the image's first bytes; TAP_NEVER. */
static uint32_t find_seal(struct patching *patching)
{
  const struct flash_tap *tap = &patching->fixture.tap;
  uint32_t programs = 0;

  for (uint32_t i = 0; i < tap->count; i++) {
    const struct tap_operation *done = &tap->log[i];
    if (done->kind == TAP_PROGRAM && done->address == patching->config.target.offset &&
        done->length == LB_IMAGE_HEADER_SIZE) {
      return programs;
    }
    programs += done->kind == TAP_PROGRAM;
  }
  return TAP_NEVER;
}

static void begin(struct patching *patching)
{
  flash_tap_clear(&patching->fixture.tap);
  assert_result(start(patching, &patching->base), LB_OK);
  assert_result(apply(patching), LB_OK);
}

/* Steps of lb_update_finish up to the one that programs the image's first bytes. */
static uint32_t finish_up_to_seal(struct patching *patching)
{
  uint32_t steps = 0;

  for (; find_seal(patching) == TAP_NEVER; steps++) {
    assert_result(lb_update_finish(&patching->update), LB_MORE);
    assert_true(steps < ENDLESS);
  }
  return steps;
}

/* An update that was cut right before it programmed the image's first bytes: the next one keeps some of it. */
static void cut_before_seal(struct patching *patching)
{
  uint8_t *before = fixture_snapshot(&patching->fixture);

  begin(patching);
  uint32_t steps = finish_up_to_seal(patching);
  fixture_restore(&patching->fixture, before);
  begin(patching);
  while (--steps > 0) {
    assert_result(lb_update_finish(&patching->update), LB_MORE);
  }
  assert_int_equal(find_seal(patching), TAP_NEVER);
  free(before);
}

/* One that was cut in its last block: the next one keeps the first one. */
static void cut_in_last_block(struct patching *patching)
{
  uint32_t given = 0;

  assert_result(start(patching, &patching->base), LB_OK);
  while (lb_update_position(&patching->update) < NEW_LENGTH - 1000U) {
    uint32_t used = 0;
    assert_true(given < patching->patch.length);
    assert_result(lb_update_patch_write(&patching->by_patch, patching->patch.data + given, 1, &used), LB_OK);
    given += used;
  }
}

/* Up to the program of the image's first bytes; that one goes wrong in a way, or a bit does behind it. */
static void fail_at_seal(struct patching *patching, unsigned way)
{
  struct flash_tap *tap = &patching->fixture.tap;
  uint8_t *before = fixture_snapshot(&patching->fixture);

  begin(patching);
  (void)finish_up_to_seal(patching);
  uint32_t seal = find_seal(patching);
  if (way == 0) {
    fixture_bytes(&patching->fixture)[patching->config.target.offset + 3000U] ^= 1U;
  } else { /* the same again */
    fixture_restore(&patching->fixture, before);
    flash_tap_clear(tap);
    tap->fail_program_at = way == 1 ? seal : TAP_NEVER;
    tap->drop_program_at = way == 2 ? seal : TAP_NEVER;
    assert_result(start(patching, &patching->base), LB_OK);
    assert_result(apply(patching), LB_OK);
  }
  assert_result(finish(patching), way == 1 ? LB_ERR_FLASH_PROGRAM : LB_ERR_READ_BACK);
  flash_tap_clear(tap);
  free(before);
}

static void test_remains(void **state)
{
  static void (*const cuts[])(struct patching *) = {NULL, cut_before_seal, cut_in_last_block};
  static struct patching patching;

  (void)state;
  for (unsigned i = 0; i < 9; i++) {
    open(&patching, LB_PATCH_PROFILE_DEFAULT);
    patching.config.source = "http://127.0.0.1/a.patch";
    patching.config.validator = "";
    if (cuts[i / 3U]) {
      cuts[i / 3U](&patching);
    }
    fail_at_seal(&patching, i % 3U);
    assert_true((patching.update.writer.sectors_kept > 0) == (cuts[i / 3U] != NULL));
    if (lb_update_remains(&patching.update) == LB_REMAINS_AS_BEFORE) {
      fail_here("cut %u, way %u", i / 3U, i % 3U);
    }
    assert_old_boots(&patching);
    close(&patching);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_makes_the_image),
      cmocka_unit_test(test_reads_at_every_moment),
      cmocka_unit_test(test_read_fails),
      cmocka_unit_test(test_reads_behind_the_end),
      cmocka_unit_test(test_makes_bytes_behind_the_end),
      cmocka_unit_test(test_from_nothing),
      cmocka_unit_test(test_wrong_base),
      cmocka_unit_test(test_arguments),
      cmocka_unit_test(test_lengths),
      cmocka_unit_test(test_reserved_stays),
      cmocka_unit_test(test_reserved_is_judged),
      cmocka_unit_test(test_reads_fail),
      cmocka_unit_test(test_writes_fail),
      cmocka_unit_test(test_base_rots_meanwhile),
      cmocka_unit_test(test_remains),
  };

  return cmocka_run_group_tests_name("update_patch", tests, NULL, NULL);
}
