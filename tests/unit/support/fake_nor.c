// SPDX-License-Identifier: MIT
#include "tests/unit/support/fake_nor.h"

#include "lifeboat/bytes.h"
#include "tests/unit/support/unit.h"

#define WAKE_US 30U

static bool is_busy(const struct fake_nor *chip)
{
  return chip->now_us < chip->busy_until;
}

static bool is_gone(const struct fake_nor *chip)
{
  return chip->is_absent || chip->now_us < chip->powered_at;
}

static uint32_t address_bytes(const struct fake_nor *chip)
{
  return chip->has_4_byte_addresses ? 4 : 3;
}

static uint32_t erase_size_of(uint8_t instruction)
{
  switch (instruction) {
  case 0x20:
  case 0xD7:
    return 4096;
  case 0x52:
    return 32768;
  case 0xD8:
    return 65536;
  default:
    return 0;
  }
}

static void start_work(struct fake_nor *chip, uint64_t us)
{
  chip->busy_until = us == FAKE_NOR_NEVER ? FAKE_NOR_NEVER : chip->now_us + us;
  chip->is_enabled = false;
}

static void program(struct fake_nor *chip)
{
  uint32_t start = chip->address & ~(chip->page_size - 1U);
  uint32_t wanted = chip->page_bytes < chip->page_size ? chip->page_bytes : chip->page_size;

  for (uint32_t i = 0; i < wanted; i++) {
    chip->bytes[(start + ((chip->address + i) & (chip->page_size - 1U))) % chip->size] &= chip->page[i];
  }
  start_work(chip, chip->program_us);
}

static void erase(struct fake_nor *chip)
{
  uint32_t length = erase_size_of(chip->instruction);

  memset(chip->bytes + (chip->address & ~(length - 1U)) % chip->size, 0xFF, length);
  start_work(chip, chip->erase_us);
}

static void on_select(void *context)
{
  struct fake_nor *chip = context;

  assert_false(chip->is_selected);
  chip->is_selected = true;
  chip->count = 0;
  chip->address = 0;
  chip->page_bytes = 0;
}

/* What changes the chip happens when it is released, as on a real one. */
static void on_release(void *context)
{
  struct fake_nor *chip = context;

  chip->is_selected = false;
  if (chip->count == 0 || is_gone(chip) || is_busy(chip)) {
    return;
  }
  if (chip->is_asleep) {
    chip->is_asleep = chip->instruction != 0xAB;
    chip->busy_until = chip->is_asleep ? chip->busy_until : chip->now_us + WAKE_US;
    return;
  }
  if (chip->instruction == 0x06 && chip->count == 1) {
    chip->is_enabled = !chip->ignores_write_enable;
  } else if (chip->instruction == 0x02 && chip->is_enabled && chip->page_bytes > 0) {
    program(chip);
  } else if (erase_size_of(chip->instruction) != 0 && chip->is_enabled && chip->count == 1 + address_bytes(chip)) {
    erase(chip);
  } else if (chip->instruction == 0x04 && chip->count == 1) {
    chip->is_enabled = false;
  } else if (chip->instruction == 0xE9 && chip->count == 1) {
    chip->has_4_byte_addresses = false;
  } else if (chip->instruction == 0xC5 && chip->count == 2 && chip->is_enabled) {
    chip->extended_address = chip->last_byte;
    chip->is_enabled = false;
  } else if ((chip->instruction == 0xC7 || chip->instruction == 0x60) && chip->is_enabled) {
    fail_here("the whole chip is erased");
  }
}

/* What the chip says to byte `at` (0 is the first behind the instruction); 0xFF where it says nothing. */
static uint8_t answer(struct fake_nor *chip, uint32_t at, uint8_t out)
{
  uint32_t behind = chip->instruction == 0x5A ? 3 : address_bytes(chip);

  chip->last_byte = out;
  if (at == 0 && behind == 3 && chip->instruction != 0x5A) {
    chip->address = chip->extended_address;
  }
  if (at < behind) {
    chip->address = chip->address << 8 | out;
  }
  switch (chip->instruction) {
  case 0x03:
    return at < behind ? 0xFF : chip->bytes[(chip->address + (at - behind)) % chip->size];
  case 0x9F:
    return (uint8_t)(at < 3 ? chip->id >> (16U - 8U * at) : 0xFFU);
  case 0x5A: /* three address bytes and one that means nothing */
    return at < 4 || !chip->has_sfdp ? 0xFF : chip->sfdp[(chip->address + (at - 4)) % FAKE_NOR_SFDP_SIZE];
  case 0x02: /* the last page_size bytes count; none of the tests sends more than that */
    if (at >= behind && chip->page_bytes < sizeof chip->page) {
      chip->page[chip->page_bytes] = out;
      chip->page_bytes++;
    }
    return 0xFF;
  default:
    return 0xFF;
  }
}

static uint8_t transfer_byte(struct fake_nor *chip, uint8_t out)
{
  chip->now_us++;
  chip->bytes_on_bus++;
  if (is_gone(chip)) {
    return chip->idle_line;
  }
  if (!chip->is_selected) {
    return 0xFF;
  }
  chip->count++;
  if (chip->count == 1) {
    chip->instruction = out;
    chip->instructions[out]++;
    return 0xFF;
  }
  if (chip->is_asleep) {
    return 0xFF;
  }
  if (chip->instruction == 0x05) {
    return (uint8_t)((is_busy(chip) ? 1 : 0) | (chip->is_enabled ? 2 : 0));
  }
  return is_busy(chip) ? 0xFF : answer(chip, chip->count - 2, out);
}

static void on_transfer(void *context, const uint8_t *out, uint8_t *in, uint32_t length)
{
  for (uint32_t i = 0; i < length; i++) {
    uint8_t byte = transfer_byte(context, out ? out[i] : 0xFF);
    if (in) {
      in[i] = byte;
    }
  }
}

static void on_set_clock(void *context, uint32_t hertz)
{
  ((struct fake_nor *)context)->hertz = hertz;
}

static uint64_t on_now_us(void *context)
{
  struct fake_nor *chip = context;

  chip->now_us++;
  return chip->now_us;
}

void fake_nor_make(struct fake_nor *chip, uint32_t id, uint32_t size)
{
  memset(chip, 0, sizeof *chip);
  chip->spi = (struct spi){chip, on_select, on_release, on_transfer, on_set_clock, on_now_us};
  chip->bytes = unit_allocate(size);
  memset(chip->bytes, 0xFF, size);
  chip->size = size;
  chip->page_size = 256;
  chip->id = id;
  chip->idle_line = 0xFF;
  chip->program_us = 700;
  chip->erase_us = 45000;
}

void fake_nor_free(struct fake_nor *chip)
{
  free(chip->bytes);
  chip->bytes = NULL;
}

void fake_nor_describe(struct fake_nor *chip, uint32_t size)
{
  /* The signature, version 1.5, one parameter header: the basic table, version 1.5, 16 DWORDs. */
  const uint8_t header[16] = {'S', 'F', 'D', 'P', 5, 1, 0, 0xFF, 0x00, 5, 1, 16, FAKE_NOR_TABLE, 0, 0, 0xFF};
  uint8_t *table = chip->sfdp + FAKE_NOR_TABLE;

  memset(chip->sfdp, 0xFF, sizeof chip->sfdp);
  memcpy(chip->sfdp, header, sizeof header);
  memset(table, 0, 64);
  lb_store_le32(table, 0xFFF120E5);                                                /* 4 KB erase, 3-byte addresses */
  lb_store_le32(table + 4, size * 8U - 1U);                                        /* bits */
  memcpy(table + 28, (const uint8_t[]){12, 0x20, 15, 0x52, 16, 0xD8, 0, 0xFF}, 8); /* erase types 1 to 4 */
  lb_store_le32(table + 40, 0x00000082);                                           /* pages of 2^8 */
  chip->has_sfdp = true;
}
