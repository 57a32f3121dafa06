// SPDX-License-Identifier: MIT
#include "ports/spi/spi_nor.h"

#include <string.h>

#include "ports/spi/spi_nor_sfdp.h"

/* Instructions, as the chips' manuals name them. */
#define READ             0x03U
#define PAGE_PROGRAM     0x02U
#define READ_STATUS      0x05U
#define WRITE_ENABLE     0x06U
#define READ_ID          0x9FU
#define RELEASE          0xABU /* from deep power-down */
#define WRITE_DISABLE    0x04U
#define EXIT_4_BYTE      0xE9U /* back to 3-byte addresses */
#define WRITE_EXTENDED   0xC5U /* the extended address register, or bank register: the fourth address byte */

/* Bits of the status register. */
#define STATUS_WIP       0x01U /* write in progress */
#define STATUS_WEL       0x02U /* write enable latch */

/* All bits of the status set: no chip has that, but an open wire. */
#define STATUS_OF_NOBODY 0xFFU

/*
 * Times in microseconds: well above the maximum that the manuals give, since worn chips and cold ones are slow, and all
 * within CALL_TIME, which leaves some of SPI_NOR_LONGEST_MS to what is not waited for.
 */
#define RELEASE_TIME     100U
#define PROGRAM_TIME     50000U
#define ERASE_TIME       1000000U /* of the smallest block */
#define ERASE_TIME_MOST  (SPI_NOR_ERASE_MS * 1000U)
#define ERASE_BYTES_MOST 65536U /* from here on ERASE_TIME_MOST */
#define POWER_ON_TIME    (SPI_NOR_POWER_ON_MS * 1000U)
#define CALL_TIME        (SPI_NOR_LONGEST_MS * 1000U - 200000U)

_Static_assert(ERASE_TIME_MOST + PROGRAM_TIME < CALL_TIME, "what is late and a program fit into one call");

static void command(const struct spi_nor *nor, const uint8_t *out, uint32_t length)
{
  const struct spi *spi = nor->spi;

  spi->select(spi->context);
  spi->transfer(spi->context, out, NULL, length);
  spi->release(spi->context);
}

static uint8_t read_status(const struct spi_nor *nor)
{
  const struct spi *spi = nor->spi;
  const uint8_t out[2] = {READ_STATUS, 0xFF};
  uint8_t in[2] = {0, STATUS_OF_NOBODY};

  spi->select(spi->context);
  spi->transfer(spi->context, out, in, sizeof out);
  spi->release(spi->context);
  return in[1];
}

static void put_address(uint8_t *out, uint8_t instruction, uint32_t address)
{
  out[0] = instruction;
  out[1] = (uint8_t)(address >> 16);
  out[2] = (uint8_t)(address >> 8);
  out[3] = (uint8_t)address;
}

static void feed(const struct spi_nor *nor)
{
  if (nor->feed) {
    nor->feed(nor->feed_context);
  }
}

static uint64_t now(const struct spi_nor *nor)
{
  return nor->spi->now_us(nor->spi->context);
}

/*
 * One look at a busy chip: LB_MORE while it may still be. The time is taken before the status: whoever was held up in
 * between is not told of a time-out that there was not.
 */
static int look(struct spi_nor *nor, uint64_t deadline)
{
  feed(nor);
  const bool late = now(nor) > deadline;
  if ((read_status(nor) & STATUS_WIP) == 0) {
    nor->is_late = false;
    return LB_OK;
  }
  nor->is_late = nor->is_late || late;
  return late ? SPI_NOR_ERR_BUSY : LB_MORE;
}

static int wait_until_ready(struct spi_nor *nor, uint64_t deadline)
{
  int err;

  do {
    err = look(nor, deadline);
  } while (err == LB_MORE);
  return err;
}

/*
 * A chip that is still busy with what it did not finish in time ignores everything, and a read would give nonsense: it
 * gets the time of the longest erase. `idle.poll` is not called: nobody expects that of a read.
 */
static int expect_ready(struct spi_nor *nor, uint64_t start)
{
  return nor->is_late ? wait_until_ready(nor, start + ERASE_TIME_MOST) : LB_OK;
}

/* Waits for what was begun just now, for `time`, but within the call that began at `start`. */
static int finish(struct spi_nor *nor, uint64_t start, uint64_t time)
{
  const uint64_t end = now(nor) + time;
  const uint64_t deadline = end < start + CALL_TIME ? end : start + CALL_TIME;
  int err;

  do {
    if (nor->idle.poll) {
      nor->idle.poll(nor->idle.context);
    }
    err = look(nor, deadline);
  } while (err == LB_MORE);
  return err;
}

static int enable_write(struct spi_nor *nor, uint64_t start)
{
  const uint8_t out[1] = {WRITE_ENABLE};

  int err = expect_ready(nor, start);
  if (err) {
    return err;
  }
  command(nor, out, sizeof out);
  uint8_t status = read_status(nor);
  if (status == STATUS_OF_NOBODY) {
    return SPI_NOR_ERR_NO_CHIP;
  }
  return (status & (STATUS_WEL | STATUS_WIP)) == STATUS_WEL ? LB_OK : SPI_NOR_ERR_WRITE_ENABLE;
}

static bool is_inside(const struct spi_nor *nor, uint32_t address, uint32_t length)
{
  return address <= nor->driver.size && length <= nor->driver.size - address;
}

/* `length` is at least 1, and inside the chip. */
static bool is_protected(const struct spi_nor *nor, uint32_t address, uint32_t length)
{
  for (uint32_t i = 0; i < nor->protected_count && !nor->production; i++) {
    const struct spi_nor_range *range = &nor->protected_ranges[i];
    if (address < range->end && range->start < address + length) {
      return true;
    }
  }
  return false;
}

static int nor_read(void *context, uint32_t address, void *buffer, uint32_t length)
{
  struct spi_nor *nor = context;
  const struct spi *spi = nor->spi;
  uint8_t out[4];

  nor->last_error = is_inside(nor, address, length) ? expect_ready(nor, now(nor)) : SPI_NOR_ERR_ACCESS;
  if (nor->last_error || length == 0) {
    return nor->last_error;
  }
  feed(nor);
  put_address(out, READ, address);
  spi->select(spi->context);
  spi->transfer(spi->context, out, NULL, sizeof out);
  spi->transfer(spi->context, NULL, buffer, length);
  spi->release(spi->context);
  return LB_OK;
}

static int program_page(struct spi_nor *nor, uint32_t address, const void *data, uint32_t length)
{
  const struct spi *spi = nor->spi;
  uint32_t page_size = nor->driver.page_size;
  uint8_t out[4];

  if (length == 0 || !is_inside(nor, address, length) || length > page_size - (address & (page_size - 1U))) {
    return SPI_NOR_ERR_ACCESS;
  }
  if (is_protected(nor, address, length)) {
    return SPI_NOR_ERR_PROTECTED;
  }
  uint64_t start = now(nor);
  int err = enable_write(nor, start);
  if (err) {
    return err;
  }
  put_address(out, PAGE_PROGRAM, address);
  spi->select(spi->context);
  spi->transfer(spi->context, out, NULL, sizeof out);
  spi->transfer(spi->context, data, NULL, length);
  spi->release(spi->context);
  return finish(nor, start, PROGRAM_TIME);
}

static const struct spi_nor_erase *find_erase(const struct spi_nor *nor, uint32_t length)
{
  for (unsigned i = 0; i < LB_FLASH_ERASE_SIZES; i++) {
    if (nor->geometry.erases[i].size == length && length != 0) {
      return &nor->geometry.erases[i];
    }
  }
  return NULL;
}

static uint64_t erase_time_of(uint32_t length)
{
  uint64_t more = (uint64_t)(ERASE_TIME_MOST - ERASE_TIME) * length / ERASE_BYTES_MOST;

  return length < ERASE_BYTES_MOST ? ERASE_TIME + more : ERASE_TIME_MOST;
}

static int erase_block(struct spi_nor *nor, uint32_t address, uint32_t length)
{
  const struct spi_nor_erase *erase = find_erase(nor, length);
  uint8_t out[4];

  if (!erase || !is_inside(nor, address, length) || (address & (length - 1U)) != 0) {
    return SPI_NOR_ERR_ACCESS;
  }
  if (is_protected(nor, address, length)) {
    return SPI_NOR_ERR_PROTECTED;
  }
  uint64_t start = now(nor);
  int err = enable_write(nor, start);
  if (err) {
    return err;
  }
  put_address(out, erase->opcode, address);
  command(nor, out, sizeof out);
  return finish(nor, start, erase_time_of(length));
}

static int nor_program(void *context, uint32_t address, const void *data, uint32_t length)
{
  struct spi_nor *nor = context;

  nor->last_error = program_page(nor, address, data, length);
  return nor->last_error;
}

static int nor_erase(void *context, uint32_t address, uint32_t length)
{
  struct spi_nor *nor = context;

  nor->last_error = erase_block(nor, address, length);
  return nor->last_error;
}

/* A chip may sleep; that it was woken is not answered, and takes up to RELEASE_TIME. */
static void wake(const struct spi_nor *nor)
{
  const uint8_t out[1] = {RELEASE};

  command(nor, out, sizeof out);
  uint64_t start = now(nor);
  while (now(nor) - start <= RELEASE_TIME) {
  }
}

static int ask_who_it_is(struct spi_nor *nor, uint64_t start)
{
  const struct spi *spi = nor->spi;
  const uint8_t out[4] = {READ_ID, 0xFF, 0xFF, 0xFF};
  uint8_t in[4] = {0};

  wake(nor);
  if (read_status(nor) == STATUS_OF_NOBODY) {
    return SPI_NOR_ERR_NO_CHIP;
  }
  int err = wait_until_ready(nor, start + CALL_TIME);
  if (err) {
    return err;
  }
  spi->select(spi->context);
  spi->transfer(spi->context, out, in, sizeof out);
  spi->release(spi->context);
  nor->jedec_id = (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
  return nor->jedec_id == 0 || nor->jedec_id == 0xFFFFFFU ? SPI_NOR_ERR_NO_CHIP : LB_OK;
}

/* A chip whose power has just come up does not answer yet; an open wire looks the same. */
static int identify(struct spi_nor *nor)
{
  uint64_t start = now(nor);
  bool late = false;
  int err = LB_OK;

  do {
    late = now(nor) - start > POWER_ON_TIME;
    err = ask_who_it_is(nor, start);
  } while (err == SPI_NOR_ERR_NO_CHIP && !late);
  return err;
}

/*
 * A reset of the processor alone leaves the chip in the address mode of what ran before, where a read reads elsewhere.
 * Some chips want write enable before E9, too, and do not need it afterwards; one that knows neither keeps it.
 */
static void leave_4_byte_addresses(const struct spi_nor *nor)
{
  const uint8_t enable[1] = {WRITE_ENABLE};
  const uint8_t leave[1] = {EXIT_4_BYTE};
  const uint8_t lowest[2] = {WRITE_EXTENDED, 0};
  const uint8_t disable[1] = {WRITE_DISABLE};

  command(nor, enable, sizeof enable);
  command(nor, leave, sizeof leave);
  command(nor, enable, sizeof enable);
  command(nor, lowest, sizeof lowest);
  command(nor, disable, sizeof disable);
}

static void fill_driver(struct spi_nor *nor)
{
  const struct spi_nor_geometry *geometry = &nor->geometry;
  struct lb_flash *driver = &nor->driver;

  *driver = (struct lb_flash){.context = nor, .read = nor_read, .program = nor_program, .erase = nor_erase};
  driver->size = geometry->size < SPI_NOR_REACH ? (uint32_t)geometry->size : SPI_NOR_REACH;
  driver->page_size = geometry->page_size;
  for (unsigned i = 0; i < LB_FLASH_ERASE_SIZES; i++) {
    driver->erase_sizes[i] = geometry->erases[i].size;
  }
}

int spi_nor_open(struct spi_nor *nor, const struct spi *spi, bool production)
{
  memset(nor, 0, sizeof *nor);
  nor->spi = spi;
  nor->production = production;
  spi->set_clock(spi->context, SPI_NOR_CLOCK);

  int err = identify(nor);
  if (err) {
    return err;
  }
  nor->has_sfdp = spi_nor_sfdp_read(spi, &nor->geometry);
  if (!nor->has_sfdp && !spi_nor_geometry_of_id(nor->jedec_id, &nor->geometry)) {
    return SPI_NOR_ERR_UNKNOWN_CHIP;
  }
  if (nor->geometry.size > SPI_NOR_REACH) {
    leave_4_byte_addresses(nor);
  }
  fill_driver(nor);
  return LB_OK;
}

int spi_nor_protect(struct spi_nor *nor, uint32_t start, uint32_t end)
{
  if (start >= end) {
    return LB_ERR_ARGUMENT;
  }
  if (nor->protected_count == SPI_NOR_PROTECTED) {
    return SPI_NOR_ERR_RANGES;
  }
  nor->protected_ranges[nor->protected_count] = (struct spi_nor_range){start, end};
  nor->protected_count++;
  return LB_OK;
}
