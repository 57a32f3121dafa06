// SPDX-License-Identifier: MIT
#include "ports/spi/spi_nor_sfdp.h"

#include <string.h>

#include "lifeboat/bytes.h"

#define READ_SFDP         0x5AU

#define SIGNATURE         0x50444653U /* "SFDP" */
#define HEADER_SIZE       8U          /* of the SFDP header, and of each parameter header behind it */
#define BASIC_ID          0xFF00U     /* the JEDEC Basic Flash Parameter Table */
#define BASIC_MAJOR       1U
#define DWORDS_NEEDED     9U  /* JESD216 */
#define DWORDS_PAGE       11U /* JESD216A says the page size, in the 11th */

#define PAGE_WITHOUT_SFDP 256U /* of a chip that only says that it has a buffer */
#define PAGE_LEAST        32U  /* what the library takes */
#define PAGE_MOST         4096U
#define BLOCK_LEAST_BITS  8U /* 256 bytes */
#define BLOCK_MOST_BITS   20U
#define SIZE_LEAST        65536U
#define SIZE_MOST_BITS    40U

static void read_sfdp(const struct spi *spi, uint32_t address, uint8_t *buffer, uint32_t length)
{
  const uint8_t command[5] = {READ_SFDP, (uint8_t)(address >> 16), (uint8_t)(address >> 8), (uint8_t)address, 0xFF};

  spi->select(spi->context);
  spi->transfer(spi->context, command, NULL, sizeof command);
  spi->transfer(spi->context, NULL, buffer, length);
  spi->release(spi->context);
}

/* Where the basic table is, and its length; the first parameter header must be its. */
static bool find_basic(const struct spi *spi, uint32_t *address, uint32_t *dwords)
{
  uint8_t bytes[2U * HEADER_SIZE];

  read_sfdp(spi, 0, bytes, sizeof bytes);
  const uint8_t *parameter = bytes + HEADER_SIZE;
  uint32_t id = (uint32_t)parameter[7] << 8 | parameter[0];
  if (lb_load_le32(bytes) != SIGNATURE || id != BASIC_ID || parameter[2] != BASIC_MAJOR) {
    return false;
  }
  *dwords = parameter[3];
  *address = lb_load_le32(parameter + 4) & 0xFFFFFFU;
  return *dwords >= DWORDS_NEEDED;
}

/* DWORD 2: the number of bits minus 1, or of large chips its logarithm. 0 if that is no size. */
static uint64_t size_of(uint32_t density)
{
  uint64_t size = 0;
  if ((density & 0x80000000U) == 0) {
    size = ((uint64_t)density + 1U) / 8U;
  } else if ((density & 0x7FFFFFFFU) <= SIZE_MOST_BITS) {
    size = (uint64_t)1 << (density & 0x7FFFFFFFU) >> 3;
  }
  return size >= SIZE_LEAST ? size : 0;
}

/* 0 if the chip programs single bytes, or says something that the library cannot take. */
static uint32_t page_size_of(const uint8_t *table, uint32_t dwords)
{
  uint32_t size = PAGE_WITHOUT_SFDP;
  if (dwords >= DWORDS_PAGE) {
    size = (uint32_t)1 << (lb_load_le32(table + 40) >> 4 & 0xFU);
  } else if ((lb_load_le32(table) & 4U) == 0) {
    size = 0;
  }
  return size >= PAGE_LEAST && size <= PAGE_MOST ? size : 0;
}

static bool is_erase_opcode(uint8_t opcode)
{
  return opcode == 0x20 || opcode == 0x52 || opcode == 0xD8 || opcode == 0xD7;
}

/* Puts an erase type where it belongs among `count` that are in order; one that cannot be used is left out. */
static unsigned add_erase(struct spi_nor_erase *erases, unsigned count, uint8_t bits, uint8_t opcode)
{
  if (bits < BLOCK_LEAST_BITS || bits > BLOCK_MOST_BITS || !is_erase_opcode(opcode)) {
    return count;
  }
  uint32_t size = (uint32_t)1 << bits;
  unsigned at = 0;
  while (at < count && erases[at].size < size) {
    at++;
  }
  if (at < count && erases[at].size == size) {
    return count;
  }
  for (unsigned i = count; i > at; i--) {
    erases[i] = erases[i - 1];
  }
  erases[at] = (struct spi_nor_erase){size, opcode};
  return count + 1;
}

/* DWORDs 8 and 9: four pairs of the logarithm of a size and an opcode. */
static unsigned read_erases(const uint8_t *table, struct spi_nor_erase *erases)
{
  unsigned count = 0;
  for (unsigned i = 0; i < LB_FLASH_ERASE_SIZES; i++) {
    const uint8_t *type = table + 28 + 2U * i;
    count = add_erase(erases, count, type[0], type[1]);
  }
  return count;
}

bool spi_nor_sfdp_read(const struct spi *spi, struct spi_nor_geometry *geometry)
{
  uint32_t address = 0;
  uint32_t dwords = 0;
  uint8_t table[4U * DWORDS_PAGE];

  memset(geometry, 0, sizeof *geometry);
  if (!find_basic(spi, &address, &dwords)) {
    return false;
  }
  memset(table, 0, sizeof table);
  read_sfdp(spi, address, table, 4U * (dwords < DWORDS_PAGE ? dwords : DWORDS_PAGE));

  geometry->size = size_of(lb_load_le32(table + 4));
  geometry->page_size = page_size_of(table, dwords);
  bool wants_four_address_bytes = (lb_load_le32(table) >> 17 & 3U) >= 2U;
  if (geometry->size == 0 || geometry->page_size == 0 || wants_four_address_bytes) {
    return false;
  }
  if (read_erases(table, geometry->erases) == 0) {
    return false;
  }
  uint32_t sector = geometry->erases[0].size;
  return geometry->page_size <= sector && (geometry->size & (sector - 1U)) == 0;
}
