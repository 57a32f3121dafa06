// SPDX-License-Identifier: MIT
/* Marks of the simulated flash, and going back to them: compared with whole copies of the chip. */
#include "ports/sim/flash.h"
#include "tests/unit/support/unit.h"

#define SIZE   16384U
#define SECTOR 512U
#define PAGE   64U
#define DEPTH  4U

/* The whole chip at a moment, in the plain way. */
struct picture {
  uint8_t bytes[SIZE];
  uint32_t wear[SIZE / SECTOR];
  uint32_t unstable[SIZE / PAGE];
  uint64_t next_random;
};

static void open_chip(struct sim_flash *flash)
{
  const struct sim_geometry geometry = sim_geometry_miniature(SIZE);

  assert_result(sim_flash_open_memory(flash, &geometry), LB_OK);
}

static void take(struct sim_flash *flash, struct picture *picture)
{
  memcpy(picture->bytes, sim_flash_bytes(flash), SIZE);
  for (uint32_t i = 0; i < SIZE / SECTOR; i++) {
    picture->wear[i] = sim_flash_wear(flash, i * SECTOR);
  }
  for (uint32_t i = 0; i < SIZE / PAGE; i++) {
    picture->unstable[i] = sim_flash_unstable_bits(flash, i * PAGE, PAGE);
  }
  picture->next_random = flash->random;
}

static void assert_same(struct sim_flash *flash, const struct picture *picture)
{
  struct picture now;

  take(flash, &now);
  assert_memory_equal(now.bytes, picture->bytes, SIZE);
  assert_memory_equal(now.wear, picture->wear, sizeof now.wear);
  assert_memory_equal(now.unstable, picture->unstable, sizeof now.unstable);
  assert_true(now.next_random == picture->next_random);
}

/* Programs, erases, cuts. */
static void change(struct sim_flash *flash, struct unit_random *random)
{
  uint8_t data[PAGE];

  for (uint32_t turn = 1 + unit_random_below(random, 12); turn > 0; turn--) {
    const uint32_t length = unit_random_below(random, 4) ? SECTOR : 4 * SECTOR;

    if (unit_random_below(random, 4) == 0) {
      sim_flash_cut_at(flash, 1, (enum sim_cut)unit_random_below(random, SIM_CUT_WAYS + 1));
    }
    if (unit_random_below(random, 3) == 0) {
      (void)flash->driver.erase(flash, unit_random_below(random, SIZE / length) * length, length);
    } else {
      unit_random_fill(random, data, sizeof data);
      (void)flash->driver.program(flash, unit_random_below(random, SIZE / PAGE) * PAGE, data, PAGE);
    }
    sim_flash_power_on(flash);
  }
}

static void test_goes_back(void **state)
{
  struct sim_flash flash;
  struct picture before;
  struct unit_random random;

  (void)state;
  unit_random_seed(&random, "snapshots", 31);
  open_chip(&flash);
  for (uint32_t turn = 0; turn < 100; turn++) {
    change(&flash, &random);
    take(&flash, &before);
    assert_true(sim_flash_mark(&flash));
    for (uint32_t again = 0; again < 3; again++) {
      assert_int_equal(sim_flash_changed_count(&flash), 0);
      change(&flash, &random);
      sim_flash_rewind(&flash);
      assert_same(&flash, &before);
    }
    sim_flash_unmark(&flash);
    assert_same(&flash, &before);
  }
  sim_flash_close(&flash);
}

/* Marks within marks, some forgotten with their changes kept, against a stack of pictures. */
static void test_nested(void **state)
{
  struct sim_flash flash;
  struct picture *pictures = unit_allocate(DEPTH * sizeof *pictures);
  struct unit_random random;
  uint32_t depth = 0;
  uint32_t kept = 0;

  (void)state;
  unit_random_seed(&random, "nested snapshots", 32);
  open_chip(&flash);
  for (uint32_t turn = 0; turn < 3000; turn++) {
    const uint32_t what = unit_random_below(&random, 4);

    change(&flash, &random);
    if (what == 0 && depth < DEPTH) {
      take(&flash, &pictures[depth++]);
      assert_true(sim_flash_mark(&flash));
    } else if (what == 1 && depth > 0) {
      sim_flash_unmark(&flash);
      depth--;
      kept++;
    } else if (what == 2 && depth > 0) {
      sim_flash_rewind(&flash);
      assert_same(&flash, &pictures[depth - 1]);
    } else if (what == 3 && depth > 0) {
      sim_flash_rewind(&flash);
      sim_flash_unmark(&flash);
      assert_same(&flash, &pictures[--depth]);
    }
  }
  assert_true(kept > 100);
  free(pictures);
  sim_flash_close(&flash);
}

static void test_power_and_order_come_back(void **state)
{
  struct sim_flash flash;
  const uint8_t zero = 0;

  (void)state;
  open_chip(&flash);
  sim_flash_cut_at(&flash, 2, SIM_CUT_BEFORE);
  assert_true(sim_flash_mark(&flash));
  for (uint32_t turn = 0; turn < 3; turn++) {
    assert_int_equal(flash.driver.program(&flash, 0, &zero, 1), 0);
    assert_int_not_equal(flash.driver.program(&flash, 1, &zero, 1), 0);
    assert_true(sim_flash_cut_fired(&flash));
    sim_flash_rewind(&flash);
    assert_false(sim_flash_cut_fired(&flash));
    assert_int_equal(sim_flash_bytes(&flash)[0], 0xFF);
  }
  assert_int_equal(sim_flash_counters(&flash)->programs, 3); /* what was done was done */
  sim_flash_close(&flash);
}

/* Unstable bits that are there at the mark are there again, and read the same random way. */
static void test_unstable_bits_come_back(void **state)
{
  struct sim_flash flash;
  const uint8_t zeros[PAGE] = {0};
  uint8_t once[PAGE];
  uint8_t again[PAGE];

  (void)state;
  open_chip(&flash);
  sim_flash_seed(&flash, 3);
  sim_flash_cut_at(&flash, 1, SIM_CUT_UNSTABLE);
  assert_int_not_equal(flash.driver.program(&flash, 0, zeros, PAGE), 0);
  sim_flash_power_on(&flash);
  const uint32_t bits = sim_flash_unstable_bits(&flash, 0, PAGE);
  assert_true(bits > 0);
  assert_true(sim_flash_mark(&flash));
  assert_int_equal(flash.driver.read(&flash, 0, once, PAGE), 0);
  assert_int_equal(flash.driver.erase(&flash, 0, SECTOR), 0);
  assert_int_equal(sim_flash_unstable_bits(&flash, 0, SIZE), 0);
  sim_flash_rewind(&flash);
  assert_int_equal(sim_flash_unstable_bits(&flash, 0, PAGE), bits);
  assert_int_equal(flash.driver.read(&flash, 0, again, PAGE), 0);
  assert_memory_equal(once, again, PAGE);
  sim_flash_close(&flash);
}

static void test_touched_bytes_and_changes(void **state)
{
  struct sim_flash flash;

  (void)state;
  open_chip(&flash);
  assert_true(sim_flash_touch(&flash, 0, SIZE)); /* without a mark nothing has to be remembered */
  assert_int_equal(sim_flash_changed_count(&flash), 0);
  assert_true(sim_flash_mark(&flash));
  assert_true(sim_flash_touch(&flash, SECTOR - 1, 2));
  sim_flash_bytes(&flash)[SECTOR - 1] = 1;
  sim_flash_bytes(&flash)[SECTOR] = 2;
  assert_int_equal(sim_flash_changed_count(&flash), 2);
  assert_int_equal(sim_flash_changed_at(&flash, 0) + sim_flash_changed_at(&flash, 1), 1);
  sim_flash_rewind(&flash);
  assert_int_equal(sim_flash_bytes(&flash)[SECTOR - 1], 0xFF);
  assert_int_equal(sim_flash_bytes(&flash)[SECTOR], 0xFF);
  sim_flash_close(&flash);
}

static void test_limits(void **state)
{
  struct sim_flash flash;

  (void)state;
  open_chip(&flash);
  sim_flash_rewind(&flash);
  sim_flash_unmark(&flash);
  for (uint32_t i = 0; i < SIM_FLASH_MARKS; i++) {
    assert_true(sim_flash_mark(&flash));
  }
  assert_false(sim_flash_mark(&flash));
  sim_flash_unmark(&flash);
  assert_true(sim_flash_mark(&flash));
  sim_flash_close(&flash);
}

/* On the module's own chip what changed is copied, not 16 MB. */
static void test_real_chip(void **state)
{
  struct sim_flash flash;
  const struct sim_geometry geometry = sim_geometry_real(16U << 20);
  const uint8_t zero = 0;

  (void)state;
  assert_result(sim_flash_open_memory(&flash, &geometry), LB_OK);
  for (uint32_t turn = 0; turn < 20000; turn++) {
    assert_true(sim_flash_mark(&flash));
    assert_int_equal(flash.driver.program(&flash, turn * 800, &zero, 1), 0);
    assert_int_equal(flash.driver.erase(&flash, 0x810000, 4096), 0);
    assert_int_equal(sim_flash_changed_count(&flash), turn * 800 / 4096 == 0x810 ? 1 : 2);
    sim_flash_rewind(&flash);
    sim_flash_unmark(&flash);
    assert_int_equal(sim_flash_bytes(&flash)[turn * 800], 0xFF);
  }
  assert_int_equal(sim_flash_wear_total(&flash), 0);
  sim_flash_close(&flash);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_goes_back),
      cmocka_unit_test(test_nested),
      cmocka_unit_test(test_power_and_order_come_back),
      cmocka_unit_test(test_unstable_bits_come_back),
      cmocka_unit_test(test_touched_bytes_and_changes),
      cmocka_unit_test(test_limits),
      cmocka_unit_test(test_real_chip),
  };

  return cmocka_run_group_tests_name("sim_flash snapshots", tests, NULL, NULL);
}
