// SPDX-License-Identifier: MIT
/* Updates with a journal: what is gone on with and what is not, what the marks are worth, and when it ends. */
#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "tests/unit/support/client.h"
#include "tests/unit/support/firmware.h"
#include "tests/unit/support/unit.h"

#define TARGET    0x30000U /* ota_1 of the miniature module */
#define SLOT      0x4000U
#define JOURNAL   (TARGET + SLOT - 512U)
#define BLOCK     2048U
#define LENGTH    9600U /* five blocks, the last one not whole */
#define ENTRIES   (JOURNAL + 128U)
#define UNDEFINED 0xFFFFFFFFU

struct module {
  struct fixture fixture;
  struct built_image image;
  struct lb_update_config config;
  struct client client;
};

/* A module that runs ota_0 and has an older image in ota_1. */
static void open_module(struct module *module)
{
  memset(module, 0, sizeof(*module));
  fixture_open_miniature(&module->fixture, true, 2);
  fixture_put_made(&module->fixture, "factory", 1, 9600);
  fixture_put_made(&module->fixture, "ota_0", 2, 8000);
  fixture_put_made(&module->fixture, "ota_1", 3, 12000);
  fixture_put_record(&module->fixture, 0, 1, UNDEFINED);
  image_make(&module->image, 4, LENGTH, "3.3.004");
  module->config = client_config(&module->fixture, "ota_0", "ota_1", LENGTH);
}

static void close_module(struct module *module)
{
  image_free(&module->image);
  fixture_close(&module->fixture);
}

/* Takes bytes up to `limit`; LB_MORE if these were not all. */
static int flash(struct module *module, uint32_t limit)
{
  return client_update(&module->fixture, &module->client, &module->config, module->image.bytes, LENGTH, limit);
}

static bool has_journal(struct module *module)
{
  struct lb_journal journal;
  int result = lb_journal_read(&journal, &module->fixture.tap.flash, &module->config.target);

  assert_true(result == LB_OK || result == LB_ERR_NO_JOURNAL);
  return result == LB_OK;
}

static uint8_t *byte_at(struct module *module, uint32_t address)
{
  return fixture_bytes(&module->fixture) + address;
}

static void assert_flashed(struct module *module)
{
  assert_memory_equal(byte_at(module, TARGET), module->image.bytes, LENGTH);
  assert_string_equal(fixture_selected(&module->fixture), "ota_1");
  assert_true(lb_update_is_verified(&module->client.update));
  assert_false(lb_update_has_journal(&module->client.update));
  assert_false(has_journal(module));
}

/* ---- it goes on ---- */

static void test_from_every_byte(void **state)
{
  struct module module;
  uint8_t *before;

  (void)state;
  open_module(&module);
  before = fixture_snapshot(&module.fixture);
  for (int with = 0; with < 2; with++) {
    module.config.sector_buffer = with ? module.fixture.sector : NULL;
    for (uint32_t limit = 1; limit < LENGTH; limit += limit % BLOCK == 0 || limit % BLOCK == BLOCK - 1 ? 1 : 97) {
      fixture_restore(&module.fixture, before);
      assert_result(flash(&module, limit), LB_MORE);
      assert_int_equal(lb_update_has_journal(&module.client.update), limit > LB_IMAGE_HEAD_SIZE);
      assert_result(flash(&module, LENGTH), LB_OK);
      assert_flashed(&module);
      assert_int_equal(module.client.resumed, module.client.begun_at > 0);
      assert_true(module.client.begun_at % BLOCK == 0 && module.client.begun_at + BLOCK >= limit);
      assert_int_equal(module.client.transferred, LENGTH - module.client.begun_at);
    }
  }
  free(before);
  close_module(&module);
}

/* Bit by bit, block by block: each session brings only a little. */
static void test_in_many_sessions(void **state)
{
  struct module module;
  uint32_t total = 0;

  (void)state;
  open_module(&module);
  for (uint32_t limit = 700; limit < LENGTH; limit += 700) {
    assert_result(flash(&module, limit), LB_MORE);
    total += module.client.transferred;
  }
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_flashed(&module);
  assert_true(total + module.client.transferred < LENGTH + 13 * BLOCK);
  close_module(&module);
}

/* The link is lost, but the session is still there: it takes the rest as if nothing had happened. */
static void test_a_session_that_stays(void **state)
{
  struct module module;
  uint32_t at;
  int result;

  (void)state;
  open_module(&module);
  assert_result(flash(&module, 5000), LB_MORE);
  at = lb_update_position(&module.client.update);
  assert_int_equal(at, 5000);
  while (at < LENGTH) {
    uint32_t used;

    assert_result(lb_update_write(&module.client.update, module.image.bytes + at, LENGTH - at, &used), LB_OK);
    assert_result(lb_update_write(&module.client.update, NULL, 0, &used), LB_OK); /* nothing is nothing */
    at = lb_update_position(&module.client.update);
  }
  do {
    result = lb_update_finish(&module.client.update);
  } while (result == LB_MORE);
  assert_result(result, LB_OK);
  assert_flashed(&module);
  close_module(&module);
}

/* The stream is longer than the image: erased flash follows. It goes on behind the image's end, too. */
static void test_trailing(void **state)
{
  struct module module;
  uint8_t *bytes = unit_allocate(14000);

  (void)state;
  open_module(&module);
  memset(bytes, 0xFF, 14000);
  memcpy(bytes, module.image.bytes, LENGTH);
  module.config.size = 14000;
  for (uint32_t limit = 5000; limit < 14000; limit += 4000) {
    struct client *client = &module.client;

    assert_result(client_update(&module.fixture, client, &module.config, bytes, 14000, limit), LB_MORE);
    assert_result(client_update(&module.fixture, client, &module.config, bytes, 14000, 14000), LB_OK);
    assert_true(client->resumed && client->begun_at <= 4 * BLOCK);
    assert_flashed(&module);
    fixture_put_record(&module.fixture, 0, 3, UNDEFINED); /* ota_0 runs again */
  }
  free(bytes);
  close_module(&module);
}

static void test_real_geometry(void **state)
{
  static const uint32_t length = 400000;
  struct fixture fixture;
  struct built_image image;
  struct client client;

  (void)state;
  fixture_open_ovms(&fixture);
  fixture_put_made(&fixture, "factory", 1, 300000);
  image_make(&image, 2, length, "2");
  struct lb_update_config config = client_config(&fixture, "factory", "ota_0", length);
  assert_result(client_update(&fixture, &client, &config, image.bytes, length, 250000), LB_MORE);
  assert_result(client_update(&fixture, &client, &config, image.bytes, length, length), LB_OK);
  assert_int_equal(client.begun_at, 3 * 0x10000);
  assert_memory_equal(fixture_bytes(&fixture) + 0x410000, image.bytes, length);
  assert_string_equal(fixture_selected(&fixture), "ota_0");
  assert_int_equal(sim_flash_wear(&fixture.flash, 0x410000), 1);
  assert_int_equal(sim_flash_wear(&fixture.flash, 0x440000), 2); /* begun twice */
  assert_int_equal(sim_flash_wear(&fixture.flash, 0x80F000), 1); /* the journal's */
  image_free(&image);
  fixture_close(&fixture);
}

/* A slot of which the journal takes the last sector of the image's last block: that is erased around it. */
static void test_erased_around_the_journal(void **state)
{
  struct module module;
  struct built_image image;
  const uint32_t length = SLOT - 512;

  (void)state;
  open_module(&module);
  image_make(&image, 5, length, "5");
  module.config.size = length;
  assert_result(client_update(&module.fixture, &module.client, &module.config, image.bytes, length, length - 1),
                LB_MORE);
  assert_true(has_journal(&module));
  assert_result(client_update(&module.fixture, &module.client, &module.config, image.bytes, length, length), LB_OK);
  assert_int_equal(module.client.begun_at, 7 * BLOCK);
  assert_int_equal(sim_flash_wear(&module.fixture.flash, JOURNAL), 1);
  assert_memory_equal(byte_at(&module, TARGET), image.bytes, length);
  image_free(&image);
  image_make(&image, 6, length + 16, "6"); /* no room: no journal, and the image has the sector */
  module.config.size = length + 16;
  fixture_put_record(&module.fixture, 0, 3, UNDEFINED);
  assert_result(client_update(&module.fixture, &module.client, &module.config, image.bytes, length + 16, length + 16),
                LB_OK);
  assert_memory_equal(byte_at(&module, TARGET), image.bytes, length + 16);
  image_free(&image);
  close_module(&module);
}

/* The blocks that were not begun are still compared with what comes, the one that was begun is erased whole. */
static void test_rest_is_compared(void **state)
{
  struct module module;

  (void)state;
  open_module(&module);
  fixture_put_image(&module.fixture, "ota_1", &module.image);
  *byte_at(&module, TARGET + 5000) ^= 1; /* in block 2 */
  assert_result(flash(&module, 3000), LB_MORE);
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_flashed(&module);
  assert_int_equal(module.client.begun_at, BLOCK);
  assert_int_equal(sim_flash_wear(&module.fixture.flash, TARGET), 1);
  assert_int_equal(sim_flash_wear(&module.fixture.flash, TARGET + BLOCK), 1);
  assert_int_equal(sim_flash_wear(&module.fixture.flash, TARGET + 2 * BLOCK), 0);
  assert_int_equal(sim_flash_wear(&module.fixture.flash, TARGET + 4608), 1);
  assert_int_equal(sim_flash_wear(&module.fixture.flash, TARGET + 3 * BLOCK), 0);
  assert_int_equal(module.client.update.writer.sectors_kept, 1 + 4 + 3);
  close_module(&module);
}

/* ---- what is not gone on with ---- */

static void test_other_subjects(void **state)
{
  struct module module;
  struct client client;

  (void)state;
  open_module(&module);
  assert_result(client_resume(&module.fixture, &client, &module.config), LB_ERR_NO_JOURNAL);
  assert_result(flash(&module, 5000), LB_MORE);
  struct lb_update_config config = module.config;
  config.source = NULL;
  assert_result(client_resume(&module.fixture, &client, &config), LB_ERR_NO_JOURNAL);
  config.source = "http://depot.example/ovms3.bi";
  assert_result(client_resume(&module.fixture, &client, &config), LB_ERR_NO_JOURNAL);
  config.source = CLIENT_SOURCE;
  config.validator = "\"5f3a-2\"";
  assert_result(client_resume(&module.fixture, &client, &config), LB_ERR_NO_JOURNAL);
  config.validator = "";
  assert_result(client_resume(&module.fixture, &client, &config), LB_ERR_NO_JOURNAL);
  config.validator = CLIENT_VALIDATOR;
  config.size = LENGTH + 1;
  assert_result(client_resume(&module.fixture, &client, &config), LB_ERR_NO_JOURNAL);
  config.size = SLOT + 1;
  assert_result(client_resume(&module.fixture, &client, &config), LB_ERR_IMAGE_TOO_LONG);
  config.size = LB_SIZE_UNKNOWN;
  assert_result(client_resume(&module.fixture, &client, &config), LB_OK);
  assert_int_equal(client.update.config.size, LENGTH);
  config.validator = NULL;
  assert_result(client_resume(&module.fixture, &client, &config), LB_OK);
  config.project = "another";
  assert_result(client_resume(&module.fixture, &client, &config), LB_ERR_NO_JOURNAL);
  config.project = NULL;
  config.target = module.config.running;
  assert_result(client_resume(&module.fixture, &client, &config), LB_ERR_TARGET_RUNNING);
  assert_result(lb_update_resume_step(&client.update), LB_ERR_TARGET_RUNNING); /* and so it stays */
  assert_true(has_journal(&module));
  close_module(&module);
}

/* Nothing is gone on with before the first block is done, nor what came from a file. */
static void test_nothing_to_go_on_with(void **state)
{
  struct module module;
  struct client client;

  (void)state;
  open_module(&module);
  assert_result(flash(&module, 2000), LB_MORE);
  assert_true(has_journal(&module));
  assert_result(client_resume(&module.fixture, &client, &module.config), LB_ERR_NO_JOURNAL);
  module.config.validator = "";
  assert_result(flash(&module, 5000), LB_MORE);
  assert_true(has_journal(&module));
  assert_result(client_resume(&module.fixture, &client, &module.config), LB_ERR_NO_JOURNAL);
  module.config.validator = NULL;
  assert_result(client_resume(&module.fixture, &client, &module.config), LB_ERR_NO_JOURNAL);
  close_module(&module);
}

/* No journal is kept without a source, a validator, a size, or room; an old one is discarded then. */
static void test_without_a_journal(void **state)
{
  struct module module;
  static char long_source[600];

  (void)state;
  memset(long_source, 'x', sizeof(long_source) - 1);
  for (int kind = 0; kind < 4; kind++) {
    open_module(&module);
    assert_result(flash(&module, 5000), LB_MORE);
    assert_true(has_journal(&module));
    module.config.source = kind == 0 ? NULL : kind == 1 ? long_source : CLIENT_SOURCE;
    module.config.validator = kind == 2 ? NULL : "\"other\"";
    module.config.size = kind == 3 ? LB_SIZE_UNKNOWN : LENGTH;
    assert_result(flash(&module, 290), LB_MORE);
    if (kind != 2) { /* NULL: whoever asks has not seen the server's yet */
      assert_false(lb_update_has_journal(&module.client.update));
      assert_false(has_journal(&module));
    }
    assert_result(flash(&module, LENGTH), LB_OK);
    assert_flashed(&module);
    close_module(&module);
  }
}

/* Something else is flashed: what was cut is discarded, and nothing of it is compared. */
static void test_something_else(void **state)
{
  struct module module;

  (void)state;
  open_module(&module);
  assert_result(flash(&module, 9000), LB_MORE);
  module.config.validator = "\"5f3a-2\"";
  assert_result(flash(&module, 290), LB_MORE);
  assert_false(module.client.resumed);
  module.config.validator = CLIENT_VALIDATOR;
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_false(module.client.resumed);
  assert_int_equal(module.client.transferred, LENGTH);
  assert_int_equal(module.client.update.writer.sectors_kept, 0);
  assert_flashed(&module);
  close_module(&module);
}

/* ---- what is damaged ---- */

/* One rotten bit anywhere in the journal: the image comes out right, whatever has to come again. */
static void test_each_bit_of_the_journal(void **state)
{
  struct module module;
  uint8_t *before;

  (void)state;
  open_module(&module);
  assert_result(flash(&module, 7000), LB_MORE); /* three blocks done, the fourth begun */
  before = fixture_snapshot(&module.fixture);
  for (int local = 0; local < 2; local++) {
    for (uint32_t bit = 0; bit < 8 * (128 + 5 * 16); bit++) {
      module.config.validator = local ? "" : CLIENT_VALIDATOR;
      fixture_restore(&module.fixture, before);
      *byte_at(&module, JOURNAL + bit / 8) ^= (uint8_t)(1U << bit % 8);
      assert_result(flash(&module, LENGTH), LB_OK);
      assert_flashed(&module);
      assert_true(module.client.begun_at <= 3 * BLOCK);
    }
  }
  free(before);
  close_module(&module);
}

/* A block that is not what it was: it comes again, and all behind it. */
static void test_each_done_block(void **state)
{
  struct module module;
  uint8_t *before;

  (void)state;
  open_module(&module);
  assert_result(flash(&module, 9000), LB_MORE); /* four blocks done */
  before = fixture_snapshot(&module.fixture);
  for (uint32_t block = 0; block < 4; block++) {
    for (uint32_t at = block == 0 ? 24 : 0; at < BLOCK; at += 173) {
      fixture_restore(&module.fixture, before);
      *byte_at(&module, TARGET + block * BLOCK + at) ^= 0x10;
      assert_result(flash(&module, LENGTH), LB_OK);
      assert_flashed(&module);
      assert_int_equal(module.client.begun_at, block * BLOCK);
    }
  }
  for (uint32_t at = 0; at < 24; at++) { /* the first bytes are kept back: they have to be blank while blocks lack */
    fixture_restore(&module.fixture, before);
    *byte_at(&module, TARGET + at) ^= 0x10;
    assert_result(flash(&module, LENGTH), LB_OK);
    assert_flashed(&module);
    assert_int_equal(module.client.begun_at, 0);
  }
  free(before);
  close_module(&module);
}

/* Blocks that were done and are written again: cut in the middle of that, they are not trusted by their old marks. */
static void test_done_block_begun_again(void **state)
{
  struct module module;

  (void)state;
  open_module(&module);
  assert_result(flash(&module, 9000), LB_MORE); /* four blocks done */
  *byte_at(&module, TARGET + BLOCK + 7) ^= 1;
  assert_result(flash(&module, BLOCK + 1000), LB_MORE); /* the second one begun again */
  assert_int_equal(module.client.begun_at, BLOCK);
  memcpy(byte_at(&module, TARGET + BLOCK), module.image.bytes + BLOCK, BLOCK); /* it reads right, today */
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_int_equal(module.client.begun_at, BLOCK);
  assert_int_equal(module.client.update.writer.sectors_kept, 0);
  assert_flashed(&module);
  close_module(&module);
}

/* Marks behind a block that has none: out of order, so nothing is compared. */
static void test_marks_out_of_order(void **state)
{
  struct module module;

  (void)state;
  open_module(&module);
  fixture_put_image(&module.fixture, "ota_1", &module.image);
  assert_result(flash(&module, 3000), LB_MORE);
  *byte_at(&module, ENTRIES + 4 * 16 + 4) = 0; /* block 4: begun */
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_int_equal(module.client.begun_at, BLOCK);
  assert_int_equal(module.client.update.writer.sectors_kept, 0);
  assert_flashed(&module);
  close_module(&module);
}

/* Blocks that are what their CRCs say, but no image: it comes again from its beginning. */
static void test_done_but_no_image(void **state)
{
  struct module module;
  uint8_t zeros[BLOCK] = {0};

  (void)state;
  open_module(&module);
  assert_result(flash(&module, 9000), LB_MORE);
  for (uint32_t block = 0; block < 2; block++) {
    uint8_t *entry = byte_at(&module, ENTRIES + block * 16);
    uint32_t start = block == 0 ? 24 : 0;

    memset(byte_at(&module, TARGET + block * BLOCK + start), 0, BLOCK - start);
    memset(zeros, 0xFF, start);
    lb_store_le32(entry, lb_crc32(0, zeros, BLOCK));
    memset(zeros, 0, sizeof(zeros));
  }
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_flashed(&module);
  assert_int_equal(module.client.begun_at, 0);
  close_module(&module);
}

/* ---- the end of a journal ---- */

static void test_bad_image(void **state)
{
  struct module module;
  uint8_t *good;

  (void)state;
  open_module(&module);
  good = unit_copy(module.image.bytes, LENGTH);
  for (int resumed = 0; resumed < 2; resumed++) {
    for (int kind = 0; kind < 2; kind++) {
      memcpy(module.image.bytes, good, LENGTH);
      if (resumed) {
        assert_result(flash(&module, 5000), LB_MORE);
      }
      module.image.bytes[kind ? LENGTH - 1 : 9000] ^= 1;
      assert_result(flash(&module, LENGTH), kind ? LB_ERR_IMAGE_DIGEST : LB_ERR_IMAGE_CHECKSUM);
      assert_int_equal(module.client.resumed, resumed);
      assert_false(lb_update_has_journal(&module.client.update));
      assert_false(has_journal(&module));
      assert_string_equal(fixture_selected(&module.fixture), "ota_0");
      assert_int_equal(lb_update_remains(&module.client.update), LB_REMAINS_UNFINISHED);
    }
  }
  memcpy(module.image.bytes, good, LENGTH);
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_false(module.client.resumed);
  assert_flashed(&module);
  free(good);
  close_module(&module);
}

/* More than announced is a bad image; less may be a lost link. */
static void test_sizes(void **state)
{
  struct module module;
  uint32_t used;

  (void)state;
  open_module(&module);
  assert_result(flash(&module, 5000), LB_MORE);
  assert_result(lb_update_write(&module.client.update, module.image.bytes, LENGTH, &used), LB_OK);
  assert_int_equal(used, 0);
  assert_result(lb_update_write(&module.client.update, module.image.bytes, LENGTH, &used), LB_ERR_SIZE_MISMATCH);
  assert_false(has_journal(&module));
  assert_result(lb_update_write(&module.client.update, module.image.bytes, LENGTH, &used), LB_ERR_SIZE_MISMATCH);

  assert_result(flash(&module, 5000), LB_MORE);
  assert_result(lb_update_finish(&module.client.update), LB_ERR_SIZE_MISMATCH);
  assert_true(has_journal(&module));
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_true(module.client.resumed);
  assert_flashed(&module);
  close_module(&module);
}

/* What was read back is not what came: the journal ends, so that it is all written again. */
static void test_read_back(void **state)
{
  struct module module;

  (void)state;
  open_module(&module);
  assert_true(sim_flash_set_fault(&module.fixture.flash, SIM_FAULT_PROGRAM_IGNORED, TARGET + 4096, 64, 1));
  assert_result(flash(&module, LENGTH), LB_ERR_READ_BACK);
  assert_false(has_journal(&module));
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_false(module.client.resumed);
  assert_flashed(&module);
  close_module(&module);
}

/* A flash that refuses: the error comes out, the journal stays, and it goes on from there once it does not any more. */
static void test_refusing_flash(void **state)
{
  struct module module;

  (void)state;
  open_module(&module);
  assert_true(sim_flash_set_fault(&module.fixture.flash, SIM_FAULT_ERASE_FAILS, TARGET + 4096, 512, 1));
  assert_result(flash(&module, LENGTH), LB_ERR_FLASH_ERASE);
  assert_true(has_journal(&module));
  assert_true(lb_update_has_journal(&module.client.update));
  assert_true(sim_flash_set_fault(&module.fixture.flash, SIM_FAULT_PROGRAM_FAILS, TARGET + 6144, 512, 1));
  assert_result(flash(&module, LENGTH), LB_ERR_FLASH_PROGRAM);
  assert_int_equal(module.client.begun_at, 2 * BLOCK);
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_int_equal(module.client.begun_at, 3 * BLOCK);
  assert_flashed(&module);
  close_module(&module);
}

/* The driver fails at each of its calls in turn, in a session that goes on: always by its own name. */
static void fail_everywhere(struct module *module, int expected, const char *validator)
{
  uint8_t *before;
  uint32_t failures = 0;

  module->config.validator = validator;
  assert_result(flash(module, 5000), LB_MORE);
  before = fixture_snapshot(&module->fixture);
  for (uint32_t at = 0;; at++) {
    int result;

    fixture_restore(&module->fixture, before);
    flash_tap_clear(&module->fixture.tap);
    module->fixture.tap.fail_read_at = expected == LB_ERR_FLASH_READ ? at : TAP_NEVER;
    module->fixture.tap.fail_program_at = expected == LB_ERR_FLASH_PROGRAM ? at : TAP_NEVER;
    module->fixture.tap.fail_erase_at = expected == LB_ERR_FLASH_ERASE ? at : TAP_NEVER;
    result = flash(module, LENGTH);
    flash_tap_clear(&module->fixture.tap);
    if (result == LB_OK) {
      break;
    }
    assert_result(result, expected);
    failures++;
  }
  assert_true(failures > 3);
  free(before);
}

static void test_driver_failures(void **state)
{
  static const int errors[] = {LB_ERR_FLASH_READ, LB_ERR_FLASH_PROGRAM, LB_ERR_FLASH_ERASE};

  (void)state;
  for (size_t i = 0; i < 6; i++) {
    struct module module;

    open_module(&module);
    fail_everywhere(&module, errors[i / 2], i % 2 ? "" : CLIENT_VALIDATOR);
    close_module(&module);
  }
}

/* Between the first bytes and the selection: everything is there, so nothing is transferred. */
static void test_cut_before_selecting(void **state)
{
  struct module module;
  uint8_t *before;
  struct client *client = &module.client;

  (void)state;
  open_module(&module);
  assert_result(flash(&module, LENGTH - 1), LB_MORE);
  assert_result(flash(&module, LENGTH - 1), LB_MORE);
  while (*byte_at(&module, TARGET) == 0xFF) {
    uint32_t used;

    if (lb_update_position(&client->update) < LENGTH) {
      assert_result(lb_update_write(&client->update, module.image.bytes + LENGTH - 1, 1, &used), LB_OK);
    } else {
      assert_result(lb_update_finish(&client->update), LB_MORE);
    }
  }
  before = fixture_snapshot(&module.fixture);
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_int_equal(client->transferred, 0);
  assert_flashed(&module);

  fixture_restore(&module.fixture, before); /* some of the first bytes' bits only */
  *byte_at(&module, TARGET) = 0xFF;
  *byte_at(&module, TARGET + 8) |= 0x0F;
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_int_equal(client->transferred, 0);
  assert_flashed(&module);

  fixture_restore(&module.fixture, before); /* it may pass for whole: with a rotten block all of it is written again */
  *byte_at(&module, TARGET + 5000) ^= 1;
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_int_equal(client->transferred, LENGTH);
  assert_flashed(&module);

  fixture_restore(&module.fixture, before); /* bits that the first bytes cannot have */
  *byte_at(&module, TARGET) = 0;
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_int_equal(client->transferred, LENGTH);
  assert_flashed(&module);
  free(before);
  close_module(&module);
}

/* The slot was selected meanwhile, or the journal could not be closed: the selection moves, and all of it comes again.
 */
static void test_selected_meanwhile(void **state)
{
  struct module module;

  (void)state;
  open_module(&module);
  assert_true(sim_flash_set_fault(&module.fixture.flash, SIM_FAULT_PROGRAM_FAILS, JOURNAL, 32, SIM_FAULT_ALWAYS));
  assert_result(flash(&module, LENGTH), LB_ERR_FLASH_PROGRAM); /* it could not even be made */
  sim_flash_clear_faults(&module.fixture.flash);
  assert_result(flash(&module, 5000), LB_MORE);
  assert_true(sim_flash_set_fault(&module.fixture.flash, SIM_FAULT_PROGRAM_FAILS, JOURNAL, 32, SIM_FAULT_ALWAYS));
  assert_result(flash(&module, LENGTH), LB_ERR_FLASH_PROGRAM);
  assert_true(lb_update_is_verified(&module.client.update));
  assert_int_equal(lb_update_remains(&module.client.update), LB_REMAINS_WHOLE);
  assert_string_equal(fixture_selected(&module.fixture), "ota_1");
  sim_flash_clear_faults(&module.fixture.flash);
  assert_true(has_journal(&module));
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_int_equal(module.client.transferred, LENGTH);
  assert_flashed(&module);
  close_module(&module);
}

/* ---- a local file ---- */

static void test_local_file(void **state)
{
  struct module module;

  (void)state;
  open_module(&module);
  module.config.validator = "";
  assert_result(flash(&module, 7000), LB_MORE); /* blocks 0 to 2 done */
  assert_result(flash(&module, 7000), LB_MORE);
  assert_false(module.client.resumed);
  assert_int_equal(module.client.update.writer.sectors_kept, 12); /* the first block, too */
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_int_equal(module.client.update.writer.sectors_kept, 12);
  assert_int_equal(sim_flash_wear(&module.fixture.flash, TARGET), 1);
  assert_int_equal(sim_flash_wear(&module.fixture.flash, TARGET + BLOCK), 1);
  assert_int_equal(sim_flash_wear(&module.fixture.flash, TARGET + 3 * BLOCK), 3);
  assert_flashed(&module);
  close_module(&module);
}

/* The file has changed: what differs is written, whatever the journal says. */
static void test_local_file_changed(void **state)
{
  struct module module;

  (void)state;
  open_module(&module);
  module.config.validator = "";
  assert_result(flash(&module, 9000), LB_MORE);
  image_free(&module.image);
  image_make(&module.image, 77, LENGTH, "3.3.077");
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_int_equal(module.client.update.writer.sectors_kept, 0);
  assert_flashed(&module);
  close_module(&module);
}

/* Another size is another file, and a file is no URL: nothing is compared. */
static void test_other_local_file(void **state)
{
  for (int kind = 0; kind < 3; kind++) {
    struct module module;
    struct built_image image;

    (void)state;
    open_module(&module);
    module.config.validator = kind == 2 ? CLIENT_VALIDATOR : "";
    assert_result(flash(&module, 9000), LB_MORE);
    image_make(&image, 4, kind == 0 ? LENGTH + 16 : LENGTH, "3.3.004");
    module.config.size = image.length;
    module.config.validator = "";
    module.config.source = kind == 1 ? "/store/other.bin" : CLIENT_SOURCE;
    assert_result(
        client_update(&module.fixture, &module.client, &module.config, image.bytes, image.length, image.length), LB_OK);
    assert_int_equal(module.client.update.writer.sectors_kept, 0);
    assert_memory_equal(byte_at(&module, TARGET), image.bytes, image.length);
    image_free(&image);
    close_module(&module);
  }
}

/* ---- what the session says of itself ---- */

static void test_order_of_calls(void **state)
{
  struct module module;
  struct lb_update *update = &module.client.update;
  uint32_t used;

  (void)state;
  open_module(&module);
  assert_result(lb_update_start(update, &module.config), LB_OK);
  assert_result(lb_update_resume_step(update), LB_ERR_STATE);
  assert_result(flash(&module, 5000), LB_MORE);
  assert_result(lb_update_resume(update, &module.config), LB_MORE);
  assert_result(lb_update_write(update, module.image.bytes, 1, &used), LB_ERR_STATE);
  assert_result(lb_update_finish(update), LB_ERR_STATE);
  assert_false(lb_update_has_journal(update));
  assert_false(lb_update_touched_flash(update));
  while (lb_update_resume_step(update) == LB_MORE) {
  }
  assert_true(lb_update_has_journal(update));
  assert_int_equal(lb_update_position(update), 2 * BLOCK);
  assert_true(lb_update_touched_flash(update));
  assert_int_equal(lb_update_remains(update), LB_REMAINS_UNFINISHED);
  assert_string_equal(update->image.info.description.version, "3.3.004");
  close_module(&module);
}

/* The old image reached into the journal's sector: it is gone as soon as the journal is there. */
static void test_old_image_in_the_last_sector(void **state)
{
  for (int reaches = 0; reaches < 2; reaches++) {
    struct module module;
    uint32_t used;
    struct lb_verify verify;

    (void)state;
    open_module(&module);
    fixture_put_made(&module.fixture, "ota_1", 3, reaches ? SLOT - 256 : SLOT - 512);
    assert_result(lb_update_start(&module.client.update, &module.config), LB_OK);
    for (uint32_t at = 0; at < LENGTH && !lb_update_has_journal(&module.client.update); at += used) {
      assert_int_equal(lb_update_remains(&module.client.update), LB_REMAINS_AS_BEFORE);
      module.fixture.tap.programs = 0;
      assert_result(lb_update_write(&module.client.update, module.image.bytes + at, 288, &used), LB_OK);
      if (module.fixture.tap.programs > 0) {
        break;
      }
    }
    assert_int_equal(lb_update_remains(&module.client.update), reaches ? LB_REMAINS_UNFINISHED : LB_REMAINS_AS_BEFORE);
    int result = lb_verify_partition(&verify, &module.fixture.device, &module.config.target);
    assert_int_equal(result == LB_OK, !reaches);
    close_module(&module);
  }
}

/* ---- images that failed before ---- */

struct past {
  bool refuse_head;
  bool refuse_whole;
  uint32_t heads;
  uint32_t wholes;
  uint8_t digest[LB_SHA256_SIZE];
};

static bool ask_past(void *context, const struct lb_image_info *info, bool complete)
{
  struct past *past = context;

  if (complete) {
    past->wholes++;
    memcpy(past->digest, info->digest, sizeof(past->digest));
    return past->refuse_whole;
  }
  past->heads++;
  assert_string_equal(info->description.version, "3.3.004");
  return past->refuse_head;
}

static void test_failed_before(void **state)
{
  struct module module;
  struct past past = {.refuse_head = true};

  (void)state;
  open_module(&module);
  module.config.failed_before = ask_past;
  module.config.failed_context = &past;
  assert_result(flash(&module, LENGTH), LB_ERR_FAILED_BEFORE);
  assert_int_equal(module.fixture.tap.count, 0);
  assert_false(lb_update_touched_flash(&module.client.update));
  past = (struct past){.refuse_whole = true};
  assert_result(flash(&module, LENGTH), LB_ERR_FAILED_BEFORE);
  assert_int_equal(past.heads, 1);
  assert_int_equal(past.wholes, 1);
  assert_memory_equal(past.digest, module.image.info.digest, LB_SHA256_SIZE);
  assert_false(has_journal(&module));
  assert_int_equal(*byte_at(&module, TARGET), 0xFF); /* not sealed */
  assert_string_equal(fixture_selected(&module.fixture), "ota_0");
  past = (struct past){.refuse_whole = false};
  assert_result(flash(&module, 5000), LB_MORE);
  assert_result(flash(&module, LENGTH), LB_OK);
  assert_int_equal(past.heads, 2);
  assert_int_equal(past.wholes, 1);
  assert_flashed(&module);
  fixture_put_record(&module.fixture, 0, 3, UNDEFINED);
  assert_result(flash(&module, 5000), LB_MORE);
  past = (struct past){.refuse_head = true};
  assert_result(client_resume(&module.fixture, &module.client, &module.config), LB_ERR_FAILED_BEFORE);
  assert_true(has_journal(&module));
  close_module(&module);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_from_every_byte),
      cmocka_unit_test(test_in_many_sessions),
      cmocka_unit_test(test_a_session_that_stays),
      cmocka_unit_test(test_trailing),
      cmocka_unit_test(test_real_geometry),
      cmocka_unit_test(test_erased_around_the_journal),
      cmocka_unit_test(test_rest_is_compared),
      cmocka_unit_test(test_other_subjects),
      cmocka_unit_test(test_nothing_to_go_on_with),
      cmocka_unit_test(test_without_a_journal),
      cmocka_unit_test(test_something_else),
      cmocka_unit_test(test_each_bit_of_the_journal),
      cmocka_unit_test(test_each_done_block),
      cmocka_unit_test(test_done_block_begun_again),
      cmocka_unit_test(test_marks_out_of_order),
      cmocka_unit_test(test_done_but_no_image),
      cmocka_unit_test(test_bad_image),
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_read_back),
      cmocka_unit_test(test_refusing_flash),
      cmocka_unit_test(test_driver_failures),
      cmocka_unit_test(test_cut_before_selecting),
      cmocka_unit_test(test_selected_meanwhile),
      cmocka_unit_test(test_local_file),
      cmocka_unit_test(test_local_file_changed),
      cmocka_unit_test(test_other_local_file),
      cmocka_unit_test(test_order_of_calls),
      cmocka_unit_test(test_old_image_in_the_last_sector),
      cmocka_unit_test(test_failed_before),
  };

  return cmocka_run_group_tests_name("resume", tests, NULL, NULL);
}
