// SPDX-License-Identifier: MIT
#include "tests/unit/support/trial_bytes.h"

#include "tests/unit/support/unit.h"

#define STEPS 64 /* more than any selection takes, on the smallest sectors */

/* CRC-32 as zlib and ISO 3309 have it, bit by bit. */
static uint32_t crc_of(const uint8_t *bytes, uint32_t length)
{
  uint32_t crc = 0xFFFFFFFFU;

  for (uint32_t bit = 0; bit < 8 * length; bit++) {
    uint32_t in = (uint32_t)bytes[bit / 8] >> (bit % 8) & 1;

    crc = (crc >> 1) ^ (((crc ^ in) & 1) ? 0xEDB88320U : 0);
  }
  return ~crc;
}

static void put32(uint8_t *to, uint32_t value)
{
  for (int i = 0; i < 4; i++) {
    to[i] = (uint8_t)(value >> 8 * i);
  }
}

static uint32_t get32(const uint8_t *from)
{
  return from[0] + 0x100U * from[1] + 0x10000U * from[2] + 0x1000000U * from[3];
}

uint8_t *trial_half(struct fixture *fixture, uint32_t index)
{
  return fixture_bytes(fixture) + OTADATA_AT + index * OTADATA_HALF;
}

void trial_tag_encode(uint8_t *half, const struct trial_tag *tag)
{
  uint8_t *to = half + AT_TAG;

  memset(to, 0xFF, 64);
  memcpy(to, "LBTR", 4);
  put32(to + 4, tag->sequence);
  to[8] = tag->kind;
  to[9] = tag->attempts;
  to[10] = tag->depot_expected;
  memcpy(to + 28, tag->digest, 32);
  put32(to + 60, crc_of(to, 60));
}

bool trial_tag_decode(const uint8_t *half, struct trial_tag *tag)
{
  uint8_t again[AT_TAG + 64];
  const uint8_t *from = half + AT_TAG;

  tag->sequence = get32(from + 4);
  tag->kind = from[8];
  tag->attempts = from[9];
  tag->depot_expected = from[10];
  memcpy(tag->digest, from + 28, 32);
  trial_tag_encode(again, tag);
  return memcmp(again + AT_TAG, from, 64) == 0;
}

void trial_put(struct fixture *fixture, uint32_t index, uint32_t sequence, uint8_t kind, uint8_t attempts,
               const uint8_t *digest)
{
  struct trial_tag tag = {.sequence = sequence, .kind = kind, .attempts = attempts};

  if (digest) {
    memcpy(tag.digest, digest, 32);
  }
  fixture_put_record(fixture, index, sequence, UNDEFINED);
  trial_tag_encode(trial_half(fixture, index), &tag);
}

void trial_put_mark(struct fixture *fixture, uint32_t index, uint32_t at)
{
  memset(trial_half(fixture, index) + at, 0, 8);
}

void trial_put_image(struct fixture *fixture, const char *label, uint32_t seed, uint8_t digest[32])
{
  struct built_image image;

  image_make(&image, seed, 1024 + 64 * (seed % 8), "3.3.001");
  fixture_put_image(fixture, label, &image);
  memcpy(digest, image.bytes + image.length - 32, 32);
  image_free(&image);
}

void trial_put_images(struct fixture *fixture, uint8_t digest[3][32], bool factory)
{
  static const char *const labels[] = {"factory", "ota_0", "ota_1"};

  for (uint32_t i = factory ? 0 : 1; i < 3; i++) {
    trial_put_image(fixture, labels[i], i + 1, digest[i]);
  }
}

void trial_open(struct trial_module *module, bool factory)
{
  memset(module, 0, sizeof(*module));
  fixture_open_miniature(&module->fixture, factory, 2);
  trial_put_images(&module->fixture, module->digest, factory);
}

void trial_close(struct trial_module *module)
{
  fixture_close(&module->fixture);
}

int trial_boot(struct fixture *fixture, enum lb_reset reset, struct lb_boot_decision *decision)
{
  static struct lb_table table;
  static struct lb_verify verify;
  struct lb_device device = fixture->device;
  uint32_t logged = fixture->tap.count;
  int result = lb_boot(&device, &table, &verify, NULL, reset, decision);

  for (uint32_t i = logged; i < fixture->tap.count; i++) {
    const struct tap_operation *operation = &fixture->tap.log[i];

    assert_int_equal(operation->kind, TAP_PROGRAM);
    assert_in_range(operation->address, OTADATA_AT, OTADATA_AT + 2 * OTADATA_HALF - operation->length);
  }
  assert_int_equal(decision->reset, reset);
  return result;
}

void trial_boots(struct fixture *fixture, enum lb_reset reset, const char *label, bool on_trial)
{
  struct lb_boot_decision decision;

  assert_result(trial_boot(fixture, reset, &decision), LB_OK);
  assert_string_equal(decision.partition.label, label);
  assert_int_equal(decision.on_trial, on_trial);
}

/* All steps of a selection; NULL: of factory. At most one erase and one page each. */
static int run_steps(struct fixture *fixture, const struct lb_selection *selection)
{
  struct lb_otadata otadata;
  int result = lb_otadata_read(&otadata, &fixture->device);

  if (result) {
    return result;
  }
  for (int step = 0; step < STEPS; step++) {
    uint32_t operations = fixture->tap.count;

    result = selection ? lb_otadata_select_slot(&otadata, &fixture->device, selection)
                       : lb_otadata_select_factory(&otadata, &fixture->device);
    assert_true(fixture->tap.count - operations <= 1);
    if (result != LB_MORE) {
      return result;
    }
  }
  fail_here("the selection does not end");
  return LB_MORE;
}

int trial_select(struct fixture *fixture, const struct lb_selection *selection)
{
  return run_steps(fixture, selection);
}

int trial_select_factory(struct fixture *fixture)
{
  return run_steps(fixture, NULL);
}
