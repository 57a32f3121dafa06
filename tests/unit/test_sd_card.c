// SPDX-License-Identifier: MIT
/* The SD card driver on cards of each kind, on empty sockets, and on cards that fail. */
#include "ports/spi/sd_card.h"

#include "ports/spi/sd_crc.h"
#include "ports/spi/sd_csd.h"
#include "tests/unit/support/fake_sd.h"
#include "tests/unit/support/unit.h"

#define SECOND 1000000U

struct bench {
  struct fake_sd fake;
  struct sd_card card;
  uint8_t buffer[8 * BLOCK_SIZE];
};

static int make(void **state, enum fake_sd_kind kind, uint32_t sectors)
{
  struct bench *bench = unit_allocate(sizeof *bench);

  memset(bench, 0, sizeof *bench);
  fake_sd_make(&bench->fake, kind, sectors);
  *state = bench;
  return 0;
}

static int set_up_version_1(void **state)
{
  return make(state, FAKE_SD_VERSION_1, 64);
}

static int set_up_version_2(void **state)
{
  return make(state, FAKE_SD_VERSION_2, 16384);
}

static int set_up_high_capacity(void **state)
{
  return make(state, FAKE_SDHC, 2048);
}

static int set_up_mmc(void **state)
{
  return make(state, FAKE_MMC, 64);
}

static int tear_down(void **state)
{
  struct bench *bench = *state;

  fake_sd_free(&bench->fake);
  free(bench);
  return 0;
}

static int open_card(struct bench *bench)
{
  return sd_card_open(&bench->card, &bench->fake.spi);
}

static int read_sectors(struct bench *bench, uint64_t sector, uint32_t count)
{
  memset(bench->buffer, 0xA5, sizeof bench->buffer);
  return bench->card.device.read(bench->card.device.context, sector, bench->buffer, count);
}

static int write_sector(struct bench *bench, uint64_t sector)
{
  return bench->card.device.write(bench->card.device.context, sector, bench->buffer);
}

static void assert_read(struct bench *bench, uint32_t sector, uint32_t count)
{
  assert_result(read_sectors(bench, sector, count), LB_OK);
  assert_memory_equal(bench->buffer, bench->fake.bytes + (size_t)sector * BLOCK_SIZE, (size_t)count * BLOCK_SIZE);
}

/* ---- the checks of the protocol, by published values ---- */

static void test_crcs(void **state)
{
  uint8_t ones[512];

  (void)state;
  assert_int_equal(sd_crc7((const uint8_t[]){0x40, 0, 0, 0, 0}, 5), 0x95 >> 1);
  assert_int_equal(sd_crc7((const uint8_t[]){0x48, 0, 0, 1, 0xAA}, 5), 0x87 >> 1);
  assert_int_equal(sd_crc7((const uint8_t[]){0x51, 0, 0, 0, 0}, 5), 0x55 >> 1);
  memset(ones, 0xFF, sizeof ones);
  assert_int_equal(sd_crc16(ones, sizeof ones), 0x7FA1);
  assert_int_equal(sd_crc16((const uint8_t *)"123456789", 9), 0x31C3);
}

static void test_sizes_of_registers(void **state)
{
  /* Of a 2 GB card: blocks of 1024 bytes, C_SIZE 3795, multiplier 2^9. And of a 16 GB one. */
  static const uint8_t two_gigabytes[16] = {0x00, 0x26, 0x00, 0x32, 0x5F, 0x5A, 0x83, 0xB4,
                                            0xD6, 0xDB, 0xCF, 0xFF, 0x96, 0x80, 0x00, 0x01};
  static const uint8_t sixteen[16] = {0x40, 0x0E, 0x00, 0x32, 0x5B, 0x59, 0x00, 0x00,
                                      0x76, 0xB2, 0x7F, 0x80, 0x0A, 0x40, 0x00, 0x01};
  uint8_t csd[16];

  (void)state;
  assert_int_equal(sd_csd_sectors(two_gigabytes), 3796U * 512U * 2U);
  assert_int_equal(sd_csd_sectors(sixteen), (0x76B2U + 1U) * 1024U);
  memcpy(csd, sixteen, sizeof csd);
  assert_false(sd_csd_is_read_only(csd));
  csd[14] = 0x10;
  assert_true(sd_csd_is_read_only(csd));
  csd[14] = 0x20;
  assert_true(sd_csd_is_read_only(csd));
  csd[0] = 0x80; /* SDUC, and one that there is not yet */
  assert_int_equal(sd_csd_sectors(csd), 0);
  csd[0] = 0xC0;
  assert_int_equal(sd_csd_sectors(csd), 0);
  memcpy(csd, two_gigabytes, sizeof csd);
  csd[5] = 0x5C; /* blocks of 4096 bytes */
  assert_int_equal(sd_csd_sectors(csd), 0);
  memset(csd, 0, sizeof csd); /* blocks of one byte */
  assert_int_equal(sd_csd_sectors(csd), 0);
}

/* ---- cards that work ---- */

static void test_reads_and_writes(void **state)
{
  struct bench *bench = *state;
  uint32_t last = bench->fake.sectors - 1;

  assert_result(open_card(bench), LB_OK);
  assert_int_equal(bench->card.device.sectors, bench->fake.sectors);
  assert_int_equal(bench->card.high_capacity, bench->fake.kind == FAKE_SDHC);
  assert_false(bench->card.read_only);
  assert_int_equal(bench->fake.hertz, SD_CARD_CLOCK);
  assert_true(bench->fake.has_crc);

  assert_read(bench, 0, 1);
  assert_read(bench, 7, 8);
  assert_read(bench, last, 1);
  assert_read(bench, last - 1, 2);
  assert_int_equal(bench->fake.commands[17], 2);
  assert_int_equal(bench->fake.commands[18], 2);
  assert_int_equal(bench->fake.commands[12], 2);

  for (uint32_t i = 0; i < BLOCK_SIZE; i++) {
    bench->buffer[i] = (uint8_t)(i * 3U);
  }
  assert_result(write_sector(bench, last), LB_OK);
  assert_memory_equal(bench->fake.bytes + (size_t)last * BLOCK_SIZE, bench->buffer, BLOCK_SIZE);
  assert_read(bench, last - 1, 2);
  assert_result(sd_card_check(&bench->card), LB_OK);
}

static void test_keeps_within_the_card(void **state)
{
  struct bench *bench = *state;

  assert_result(open_card(bench), LB_OK);
  assert_result(read_sectors(bench, 0, 0), LB_OK);
  assert_result(read_sectors(bench, bench->fake.sectors, 1), PORT_ERR_FILE_IO);
  assert_result(read_sectors(bench, bench->fake.sectors - 1, 2), PORT_ERR_FILE_IO);
  assert_result(read_sectors(bench, UINT64_MAX, 2), PORT_ERR_FILE_IO);
  assert_result(write_sector(bench, bench->fake.sectors), PORT_ERR_FILE_IO);
  assert_int_equal(bench->fake.commands[17] + bench->fake.commands[18] + bench->fake.commands[24], 0);
}

static void test_a_read_only_card(void **state)
{
  struct bench *bench = *state;

  bench->fake.csd[14] = 0x10;
  assert_result(open_card(bench), LB_OK);
  assert_true(bench->card.read_only);
  assert_result(write_sector(bench, 0), PORT_ERR_FILE_READ_ONLY);
  assert_int_equal(bench->fake.commands[24], 0);
  assert_read(bench, 0, 1);
}

/* As QEMU's. */
static void test_an_idle_bit_where_there_is_none(void **state)
{
  struct bench *bench = *state;

  bench->fake.faults.has_idle_bit_in_r3 = true;
  assert_result(open_card(bench), LB_OK);
  assert_read(bench, 0, 2);
}

/* The processor was reset, the card was not; its bus was in the middle of something. */
static void test_a_card_that_hears_only_the_third_reset(void **state)
{
  struct bench *bench = *state;

  bench->fake.faults.deaf_resets = 2;
  assert_result(open_card(bench), LB_OK);
  assert_read(bench, 0, 1);
}

/* ---- no card, and cards that do not start ---- */

static void test_an_empty_socket(void **state)
{
  struct bench *bench = *state;

  bench->fake.faults.is_absent = true;
  assert_result(open_card(bench), PORT_ERR_FILE_NO_MOUNT);
  assert_true(bench->fake.now_us < 50000);
  assert_int_equal(bench->card.device.sectors, 0);
  assert_result(read_sectors(bench, 0, 1), PORT_ERR_FILE_NO_MOUNT);
  assert_result(write_sector(bench, 0), PORT_ERR_FILE_NO_MOUNT);
  assert_result(sd_card_check(&bench->card), PORT_ERR_FILE_NO_MOUNT);

  bench->fake.faults.idle_line = 0;
  uint64_t start = bench->fake.now_us;
  assert_result(sd_card_start(&bench->card), PORT_ERR_FILE_NO_MOUNT);
  assert_true(bench->fake.now_us - start < 50000);

  bench->fake.faults.is_absent = false; /* a card is put in */
  assert_result(sd_card_start(&bench->card), LB_OK);
  assert_read(bench, 3, 4);
}

static void test_an_empty_socket_of_qemu(void **state)
{
  struct bench *bench = *state;

  bench->fake.faults.answers_illegal = true;
  assert_result(open_card(bench), PORT_ERR_FILE_NO_MOUNT);
  assert_int_equal(bench->card.device.sectors, 0);
}

static void test_a_card_that_never_starts(void **state)
{
  struct bench *bench = *state;

  bench->fake.faults.start_polls = FAKE_SD_FOR_EVER;
  assert_result(open_card(bench), PORT_ERR_FILE_IO);
  assert_in_range(bench->fake.now_us, SECOND, 2U * SECOND);
  assert_int_equal(bench->card.device.sectors, 0);
}

static void test_cards_that_do_not_suit(void **state)
{
  struct bench *bench = *state;

  bench->fake.faults.refuses_voltage = true;
  assert_result(open_card(bench), PORT_ERR_FILE_IO);
  bench->fake.faults.refuses_voltage = false;
  bench->fake.faults.refuses_crc = true;
  assert_result(sd_card_start(&bench->card), PORT_ERR_FILE_IO);
  bench->fake.faults.refuses_crc = false;
  bench->fake.csd[0] = 0xC0;
  assert_result(sd_card_start(&bench->card), PORT_ERR_FILE_IO);
  bench->fake.csd[0] = 0x40;
  bench->fake.faults.damaged_blocks = FAKE_SD_FOR_EVER; /* of the CSD */
  assert_result(sd_card_start(&bench->card), PORT_ERR_FILE_IO);
  assert_int_equal(bench->card.device.sectors, 0);
  bench->fake.faults.damaged_blocks = 0;
  assert_result(sd_card_start(&bench->card), LB_OK);
}

static void test_a_multimedia_card(void **state)
{
  struct bench *bench = *state;

  assert_result(open_card(bench), PORT_ERR_FILE_IO);
  assert_int_equal(bench->card.device.sectors, 0);
}

/* Whatever moment it is taken out at, the result is an error, soon, and none that is not in the header. */
static void test_taken_out_while_it_starts(void **state)
{
  struct bench *bench = *state;

  assert_result(open_card(bench), LB_OK);
  uint32_t all = bench->fake.bytes_on_bus;
  for (uint32_t after = 1; after < all; after++) {
    fake_sd_power_cycle(&bench->fake);
    bench->fake.faults.start_polls = 3;
    bench->fake.bytes_on_bus = 0;
    bench->fake.faults.gone_after = after;
    uint64_t start = bench->fake.now_us;
    int err = sd_card_start(&bench->card);
    /* The last byte but one is no part of anything any more. */
    if (err != PORT_ERR_FILE_NO_MOUNT && err != PORT_ERR_FILE_IO && after < all - 1) {
      fail_here("gone after %u bytes: result %d", (unsigned)after, err);
    }
    assert_true(bench->fake.now_us - start < 2U * SECOND);
  }
}

/* ---- cards that fail later ---- */

static void test_asks_again_for_damaged_data(void **state)
{
  struct bench *bench = *state;

  assert_result(open_card(bench), LB_OK);
  bench->fake.faults.damaged_blocks = 2;
  assert_read(bench, 5, 1);
  assert_int_equal(bench->fake.commands[17], 3);
  bench->fake.faults.damaged_blocks = 1;
  assert_read(bench, 5, 3);
  bench->fake.faults.damaged_commands = 1;
  assert_read(bench, 5, 3);

  bench->fake.faults.damaged_blocks = FAKE_SD_FOR_EVER;
  assert_result(read_sectors(bench, 5, 1), PORT_ERR_FILE_IO);
  assert_result(read_sectors(bench, 5, 3), PORT_ERR_FILE_IO);
  bench->fake.faults.damaged_blocks = 0;
  assert_read(bench, 5, 3); /* it is still a card */
}

static void test_data_that_do_not_come(void **state)
{
  struct bench *bench = *state;

  assert_result(open_card(bench), LB_OK);
  bench->fake.faults.gives_no_data = true;
  uint64_t start = bench->fake.now_us;
  assert_result(read_sectors(bench, 0, 1), PORT_ERR_FILE_IO);
  assert_result(read_sectors(bench, 0, 2), PORT_ERR_FILE_IO);
  assert_true(bench->fake.now_us - start < SECOND);
  bench->fake.faults.gives_no_data = false;
  assert_read(bench, 0, 2);
  bench->fake.faults.gives_error_token = true;
  assert_result(read_sectors(bench, 0, 1), PORT_ERR_FILE_IO);
  assert_result(read_sectors(bench, 0, 2), PORT_ERR_FILE_IO);
  bench->fake.faults.gives_error_token = false;
  assert_read(bench, 0, 2);
}

static void test_writes_that_fail(void **state)
{
  struct bench *bench = *state;

  assert_result(open_card(bench), LB_OK);
  memset(bench->buffer, 0x77, BLOCK_SIZE);
  bench->fake.faults.data_response = 0x0B; /* the CRC was wrong */
  assert_result(write_sector(bench, 1), PORT_ERR_FILE_IO);
  bench->fake.faults.data_response = 0x0D; /* it could not be written */
  assert_result(write_sector(bench, 1), PORT_ERR_FILE_IO);
  bench->fake.faults.data_response = 0x05;
  bench->fake.faults.status = 0x04; /* accepted, but then it could not be written */
  assert_result(write_sector(bench, 1), PORT_ERR_FILE_IO);
  bench->fake.faults.status = 0;
  assert_result(write_sector(bench, 1), LB_OK);

  bench->fake.faults.stays_busy = true;
  uint64_t start = bench->fake.now_us;
  assert_result(write_sector(bench, 2), PORT_ERR_FILE_IO);
  assert_true(bench->fake.now_us - start < SECOND);

  /* A card that answers nothing any more is as good as none, until it is started again. */
  assert_result(read_sectors(bench, 0, 1), PORT_ERR_FILE_NO_MOUNT);
  bench->fake.faults.stays_busy = false;
  fake_sd_power_cycle(&bench->fake);
  assert_result(sd_card_start(&bench->card), LB_OK);
  assert_read(bench, 0, 1);
}

static void test_a_read_that_cannot_be_stopped(void **state)
{
  struct bench *bench = *state;

  assert_result(open_card(bench), LB_OK);
  bench->fake.faults.refuses_stop = true;
  assert_result(read_sectors(bench, 0, 2), PORT_ERR_FILE_IO);
}

static void test_taken_out(void **state)
{
  struct bench *bench = *state;

  assert_result(open_card(bench), LB_OK);
  bench->fake.faults.is_absent = true;
  assert_result(read_sectors(bench, 0, 1), PORT_ERR_FILE_NO_MOUNT);
  assert_int_equal(bench->card.device.sectors, 0);
  fake_sd_power_cycle(&bench->fake); /* the same one again: it must be started first */
  assert_result(read_sectors(bench, 0, 1), PORT_ERR_FILE_NO_MOUNT);
  assert_result(sd_card_start(&bench->card), LB_OK);
  assert_read(bench, 0, 1);

  bench->fake.faults.is_absent = true;
  assert_result(sd_card_check(&bench->card), PORT_ERR_FILE_NO_MOUNT);
  fake_sd_power_cycle(&bench->fake);
  assert_result(sd_card_start(&bench->card), LB_OK);
  bench->fake.faults.gone_after = bench->fake.bytes_on_bus + 1000; /* in the middle of the data */
  assert_result(read_sectors(bench, 0, 8), PORT_ERR_FILE_NO_MOUNT);
  fake_sd_power_cycle(&bench->fake);
  assert_result(sd_card_start(&bench->card), LB_OK);
  bench->fake.faults.gone_after = bench->fake.bytes_on_bus + 300;
  assert_result(write_sector(bench, 0), PORT_ERR_FILE_NO_MOUNT);
}

static void test_swapped(void **state)
{
  struct bench *bench = *state;

  assert_result(open_card(bench), LB_OK);
  fake_sd_power_cycle(&bench->fake);
  assert_result(read_sectors(bench, 0, 1), PORT_ERR_FILE_NO_MOUNT);
  assert_result(sd_card_start(&bench->card), LB_OK);
  bench->fake.state = FAKE_SD_IDLE; /* QEMU's new card listens already, but was not started */
  assert_result(write_sector(bench, 0), PORT_ERR_FILE_NO_MOUNT);
  assert_int_equal(bench->card.device.sectors, 0);
}

#define WITH(test, kind)                                                                                               \
  {                                                                                                                    \
#test " (" #kind ")", test, set_up_##kind, tear_down, NULL                                                         \
  }

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_crcs),
      cmocka_unit_test(test_sizes_of_registers),
      WITH(test_reads_and_writes, version_1),
      WITH(test_reads_and_writes, version_2),
      WITH(test_reads_and_writes, high_capacity),
      WITH(test_keeps_within_the_card, version_1),
      WITH(test_keeps_within_the_card, high_capacity),
      WITH(test_a_read_only_card, high_capacity),
      WITH(test_an_idle_bit_where_there_is_none, version_2),
      WITH(test_a_card_that_hears_only_the_third_reset, high_capacity),
      WITH(test_an_empty_socket, version_2),
      WITH(test_an_empty_socket_of_qemu, version_2),
      WITH(test_a_card_that_never_starts, high_capacity),
      WITH(test_cards_that_do_not_suit, high_capacity),
      WITH(test_a_multimedia_card, mmc),
      WITH(test_taken_out_while_it_starts, version_1),
      WITH(test_taken_out_while_it_starts, high_capacity),
      WITH(test_asks_again_for_damaged_data, version_2),
      WITH(test_data_that_do_not_come, high_capacity),
      WITH(test_writes_that_fail, high_capacity),
      WITH(test_a_read_that_cannot_be_stopped, high_capacity),
      WITH(test_taken_out, version_2),
      WITH(test_swapped, high_capacity),
  };

  return cmocka_run_group_tests_name("sd_card", tests, NULL, NULL);
}
