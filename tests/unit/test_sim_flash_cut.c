// SPDX-License-Identifier: MIT
/* The ways in which the simulated flash can be cut, and the bits that are unstable afterwards. */
#include "ports/sim/flash.h"
#include "tests/unit/support/unit.h"

#define SIZE   16384U
#define SECTOR 512U
#define BLOCK  2048U
#define PAGE   64U
#define SEEDS  400U

static void open_chip(struct sim_flash *flash)
{
  const struct sim_geometry geometry = sim_geometry_miniature(SIZE);

  assert_result(sim_flash_open_memory(flash, &geometry), LB_OK);
}

static int read_at(struct sim_flash *flash, uint32_t address, void *buffer, uint32_t length)
{
  return flash->driver.read(flash, address, buffer, length);
}

static int program_at(struct sim_flash *flash, uint32_t address, const void *data, uint32_t length)
{
  return flash->driver.program(flash, address, data, length);
}

static int erase_at(struct sim_flash *flash, uint32_t address, uint32_t length)
{
  return flash->driver.erase(flash, address, length);
}

/* Cuts the program of `data` at 0, on a page of `old`. */
static void cut_program(struct sim_flash *flash, enum sim_cut cut, uint64_t seed, uint8_t old, const uint8_t *data)
{
  memset(sim_flash_bytes(flash), old, PAGE);
  sim_flash_seed(flash, seed);
  sim_flash_cut_at(flash, 1, cut);
  assert_int_not_equal(program_at(flash, 0, data, PAGE), 0);
  assert_true(sim_flash_cut_fired(flash));
  sim_flash_power_on(flash);
}

static void cut_erase(struct sim_flash *flash, enum sim_cut cut, uint64_t seed, uint8_t old)
{
  memset(sim_flash_bytes(flash), old, SIZE);
  sim_flash_seed(flash, seed);
  sim_flash_cut_at(flash, 1, cut);
  assert_int_not_equal(erase_at(flash, BLOCK, BLOCK), 0);
  assert_true(sim_flash_cut_fired(flash));
  sim_flash_power_on(flash);
}

static uint32_t count_bits(uint8_t byte)
{
  return (uint32_t)__builtin_popcount(byte);
}

static void test_ways_and_names(void **state)
{
  static const bool applies[SIM_CUT_WAYS + 1][2] = {{true, true},  {true, false}, {true, false},
                                                    {false, true}, {true, true},  {true, true}};
  static const char *const names[] = {"before", "prefix", "subset", "mixed", "unstable", "torn"};

  (void)state;
  for (uint32_t cut = 0; cut <= SIM_CUT_WAYS; cut++) {
    assert_int_equal(sim_cut_applies((enum sim_cut)cut, SIM_OPERATION_PROGRAM), applies[cut][0]);
    assert_int_equal(sim_cut_applies((enum sim_cut)cut, SIM_OPERATION_ERASE), applies[cut][1]);
    assert_string_equal(sim_cut_name((enum sim_cut)cut), names[cut]);
  }
}

static void test_report(void **state)
{
  struct sim_flash flash;
  const uint8_t data[4] = {0};

  (void)state;
  open_chip(&flash);
  assert_int_equal(sim_flash_cut_report(&flash)->length, 0);
  sim_flash_cut_at(&flash, 2, SIM_CUT_ERASE_MIXED); /* no way to cut a program */
  assert_int_equal(program_at(&flash, 0, data, 4), 0);
  assert_int_not_equal(program_at(&flash, 100, data, 3), 0);
  assert_int_equal(sim_flash_cut_report(&flash)->operation, SIM_OPERATION_PROGRAM);
  assert_int_equal(sim_flash_cut_report(&flash)->address, 100);
  assert_int_equal(sim_flash_cut_report(&flash)->length, 3);
  assert_int_equal(sim_flash_cut_report(&flash)->cut, SIM_CUT_TORN);
  sim_flash_power_on(&flash);
  sim_flash_cut_at(&flash, 1, SIM_CUT_ERASE_MIXED);
  assert_int_not_equal(erase_at(&flash, SECTOR, SECTOR), 0);
  assert_int_equal(sim_flash_cut_report(&flash)->operation, SIM_OPERATION_ERASE);
  assert_int_equal(sim_flash_cut_report(&flash)->address, SECTOR);
  assert_int_equal(sim_flash_cut_report(&flash)->length, SECTOR);
  assert_int_equal(sim_flash_cut_report(&flash)->cut, SIM_CUT_ERASE_MIXED);
  sim_flash_close(&flash);
}

static void test_prefix(void **state)
{
  struct sim_flash flash;
  uint8_t data[PAGE];
  uint32_t within = 0;
  uint32_t lengths = 0;

  (void)state;
  open_chip(&flash);
  memset(data, 0x0F, sizeof data);
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    const uint8_t *bytes = sim_flash_bytes(&flash);
    uint32_t at = 0;

    cut_program(&flash, SIM_CUT_PROGRAM_PREFIX, seed, 0xFE, data);
    while (bytes[at] == 0x0E) {
      at++;
    }
    assert_true(at < PAGE);
    lengths |= 1U << at / 4;
    within += bytes[at] != 0xFE;
    assert_int_equal(bytes[at] & 0x0F, 0x0E);
    for (at++; at < PAGE; at++) {
      assert_int_equal(bytes[at], 0xFE);
    }
    assert_int_equal(bytes[PAGE], 0xFF);
  }
  assert_int_equal(lengths, 0xFFFF);
  assert_in_range(within, SEEDS / 2, SEEDS);
  assert_int_equal(sim_flash_unstable_bits(&flash, 0, SIZE), 0);
  sim_flash_close(&flash);
}

static void test_subset(void **state)
{
  struct sim_flash flash;
  uint8_t data[PAGE];
  uint32_t few = 0;
  uint32_t most = 0;

  (void)state;
  open_chip(&flash);
  memset(data, 0x0F, sizeof data);
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    uint32_t cleared = 0;

    cut_program(&flash, SIM_CUT_PROGRAM_SUBSET, seed, 0xFE, data);
    for (uint32_t i = 0; i < PAGE; i++) {
      assert_int_equal(sim_flash_bytes(&flash)[i] & 0x0F, 0x0E);
      cleared += count_bits(0xFEU & (uint8_t)~sim_flash_bytes(&flash)[i]);
    }
    few += cleared < PAGE * 4 / 4;
    most += cleared > PAGE * 4 / 4 * 3;
  }
  assert_in_range(few, SEEDS / 5, SEEDS / 2);
  assert_in_range(most, SEEDS / 5, SEEDS / 2);
  sim_flash_close(&flash);
}

static void test_mixed_erase(void **state)
{
  struct sim_flash flash;
  uint32_t old_first = 0;
  uint32_t erased_first = 0;
  uint32_t with_noise = 0;

  (void)state;
  open_chip(&flash);
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    const uint8_t *bytes = sim_flash_bytes(&flash);
    uint32_t noise = 0;

    cut_erase(&flash, SIM_CUT_ERASE_MIXED, seed, 0x10);
    for (uint32_t i = 0; i < SIZE; i++) {
      if (i < BLOCK || i >= 2 * BLOCK) {
        assert_int_equal(bytes[i], 0x10);
      } else {
        noise += bytes[i] != 0x10 && bytes[i] != 0xFF;
      }
    }
    old_first += bytes[BLOCK] == 0x10;
    erased_first += bytes[BLOCK] == 0xFF;
    with_noise += noise > BLOCK / 10;
  }
  assert_in_range(old_first, SEEDS / 5, SEEDS / 2);
  assert_in_range(erased_first, SEEDS / 5, SEEDS / 2);
  assert_in_range(with_noise, SEEDS / 4, SEEDS - SEEDS / 10);
  assert_int_equal(sim_flash_unstable_bits(&flash, 0, SIZE), 0);
  sim_flash_close(&flash);
}

/* A bit of a page is old, new or unstable; the rest of the chip is as it was, and stable. */
static void test_unstable_program(void **state)
{
  struct sim_flash flash;
  uint8_t data[PAGE];
  uint32_t few = 0;
  uint32_t many = 0;

  (void)state;
  open_chip(&flash);
  memset(data, 0x0F, sizeof data);
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    uint8_t seen_0[PAGE] = {0};
    uint8_t seen_1[PAGE] = {0};
    uint32_t changing = 0;

    assert_int_equal(erase_at(&flash, 0, BLOCK), 0);
    assert_int_equal(sim_flash_unstable_bits(&flash, 0, SIZE), 0);
    cut_program(&flash, SIM_CUT_UNSTABLE, seed, 0xFE, data);
    for (uint32_t turn = 0; turn < 40; turn++) {
      uint8_t page[2 * PAGE];

      assert_int_equal(read_at(&flash, 0, page, sizeof page), 0);
      for (uint32_t i = 0; i < PAGE; i++) {
        assert_int_equal(page[i] & 0x0F, 0x0E);
        seen_0[i] |= (uint8_t)~page[i];
        seen_1[i] |= page[i];
        assert_int_equal(page[PAGE + i], 0xFF);
      }
    }
    for (uint32_t i = 0; i < PAGE; i++) {
      changing += count_bits(seen_0[i] & seen_1[i]);
    }
    assert_int_equal(changing, sim_flash_unstable_bits(&flash, 0, SIZE));
    assert_int_equal(changing, sim_flash_unstable_bits(&flash, 0, PAGE));
    few += changing > 0 && changing < 12;
    many += changing == PAGE * 4;
  }
  assert_in_range(few, SEEDS / 3, SEEDS * 2 / 3);
  assert_in_range(many, SEEDS / 8, SEEDS / 2);
  sim_flash_close(&flash);
}

static void test_unstable_erase(void **state)
{
  struct sim_flash flash;
  uint32_t both = 0;

  (void)state;
  open_chip(&flash);
  for (uint64_t seed = 0; seed < 60; seed++) {
    uint8_t once[BLOCK];
    uint8_t again[BLOCK];

    cut_erase(&flash, SIM_CUT_UNSTABLE, seed, 0x10);
    assert_true(sim_flash_unstable_bits(&flash, BLOCK, BLOCK) > 0);
    assert_int_equal(sim_flash_unstable_bits(&flash, 0, BLOCK), 0);
    assert_int_equal(sim_flash_unstable_bits(&flash, 2 * BLOCK, SIZE - 2 * BLOCK), 0);
    assert_int_equal(read_at(&flash, BLOCK, once, BLOCK), 0);
    assert_int_equal(read_at(&flash, BLOCK, again, BLOCK), 0);
    both += memcmp(once, again, BLOCK) != 0;
    assert_int_equal(erase_at(&flash, BLOCK, SECTOR), 0);
    assert_int_equal(sim_flash_unstable_bits(&flash, BLOCK, SECTOR), 0);
    assert_int_equal(read_at(&flash, BLOCK, once, SECTOR), 0);
    for (uint32_t i = 0; i < SECTOR; i++) {
      assert_int_equal(once[i], 0xFF);
    }
    assert_int_equal(erase_at(&flash, BLOCK, BLOCK), 0);
    assert_int_equal(sim_flash_unstable_bits(&flash, 0, SIZE), 0);
  }
  assert_int_equal(both, 60);
  sim_flash_close(&flash);
}

static bool is_steady(struct sim_flash *flash, uint32_t length)
{
  uint8_t first[PAGE];
  uint8_t other[PAGE];

  assert_int_equal(read_at(flash, 0, first, length), 0);
  for (uint32_t turn = 0; turn < 40; turn++) {
    assert_int_equal(read_at(flash, 0, other, length), 0);
    if (memcmp(first, other, length) != 0) {
      return false;
    }
  }
  return true;
}

static void test_programming_settles(void **state)
{
  struct sim_flash flash;
  const uint8_t zeros[PAGE] = {0};
  uint8_t page[PAGE];
  uint32_t unsteady = 0;

  (void)state;
  open_chip(&flash);
  for (uint64_t seed = 0; seed < 40; seed++) {
    assert_int_equal(erase_at(&flash, 0, BLOCK), 0);
    cut_program(&flash, SIM_CUT_UNSTABLE, seed, 0xFF, zeros);
    const uint32_t bits = sim_flash_unstable_bits(&flash, 0, PAGE);

    memset(page, 0xFF, sizeof page);
    assert_int_equal(program_at(&flash, 0, page, PAGE), 0); /* nothing to clear: nothing settles */
    assert_int_equal(sim_flash_unstable_bits(&flash, 0, PAGE), bits);
    unsteady += !is_steady(&flash, PAGE);
    memset(page, 0xF0, sizeof page);
    assert_int_equal(program_at(&flash, 0, page, PAGE), 0);
    assert_int_equal(read_at(&flash, 0, page, PAGE), 0);
    for (uint32_t i = 0; i < PAGE; i++) {
      assert_int_equal(page[i] & 0x0F, 0);
    }
    assert_int_equal(program_at(&flash, 0, zeros, PAGE), 0);
    assert_int_equal(sim_flash_unstable_bits(&flash, 0, PAGE), 0);
    assert_true(is_steady(&flash, PAGE));
    assert_int_equal(read_at(&flash, 0, page, PAGE), 0);
    assert_memory_equal(page, zeros, PAGE);
  }
  assert_int_equal(unsteady, 40);
  sim_flash_close(&flash);
}

/* Many cuts in a row, more than there are hints: the mask stays exact. */
static void test_many_unstable_places(void **state)
{
  struct sim_flash flash;
  const uint8_t zeros[PAGE] = {0};
  uint32_t total = 0;

  (void)state;
  open_chip(&flash);
  for (uint32_t i = 0; i < 3 * SIM_FLASH_HINTS; i++) {
    const uint32_t address = (i * 7 % (SIZE / SECTOR)) * SECTOR;

    sim_flash_cut_at(&flash, 1, SIM_CUT_UNSTABLE);
    assert_int_not_equal(program_at(&flash, address, zeros, PAGE), 0);
    sim_flash_power_on(&flash);
    assert_int_equal(sim_flash_unstable_bits(&flash, address + PAGE, SECTOR - PAGE), 0);
    total += sim_flash_unstable_bits(&flash, address, PAGE);
  }
  assert_true(total > 0);
  assert_int_equal(sim_flash_unstable_bits(&flash, 0, SIZE), total);
  for (uint32_t address = 0; address < SIZE; address += BLOCK) {
    assert_int_equal(erase_at(&flash, address, BLOCK), 0);
  }
  assert_int_equal(sim_flash_unstable_bits(&flash, 0, SIZE), 0);
  sim_flash_close(&flash);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ways_and_names),
      cmocka_unit_test(test_report),
      cmocka_unit_test(test_prefix),
      cmocka_unit_test(test_subset),
      cmocka_unit_test(test_mixed_erase),
      cmocka_unit_test(test_unstable_program),
      cmocka_unit_test(test_unstable_erase),
      cmocka_unit_test(test_programming_settles),
      cmocka_unit_test(test_many_unstable_places),
  };

  return cmocka_run_group_tests_name("sim_flash cuts", tests, NULL, NULL);
}
