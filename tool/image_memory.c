// SPDX-License-Identifier: MIT
/*
 * Addresses from each chip's technical reference manual. Some memories are reachable at several addresses, and some
 * addresses have several names; a test compares all of them with esptool's.
 */
#include "tool/image_memory.h"

#include <stdio.h>
#include <string.h>

struct memory {
  uint32_t start;
  uint32_t end; /* behind the last byte */
  const char *name;
};

static const struct memory esp32[] = {{0x00000000, 0x00010000, "PADDING"},
                                      {0x3f400000, 0x3f800000, "DROM"},
                                      {0x3f800000, 0x3fc00000, "EXTRAM_DATA"},
                                      {0x3ff80000, 0x3ff82000, "RTC_DRAM"},
                                      {0x3ff90000, 0x40000000, "BYTE_ACCESSIBLE"},
                                      {0x3ffae000, 0x40000000, "DRAM"},
                                      {0x3ffe0000, 0x3ffffffc, "DIRAM_DRAM"},
                                      {0x40000000, 0x40070000, "IROM"},
                                      {0x40070000, 0x40078000, "CACHE_PRO"},
                                      {0x40078000, 0x40080000, "CACHE_APP"},
                                      {0x40080000, 0x400a0000, "IRAM"},
                                      {0x400a0000, 0x400bfffc, "DIRAM_IRAM"},
                                      {0x400c0000, 0x400c2000, "RTC_IRAM"},
                                      {0x400d0000, 0x40400000, "IROM"},
                                      {0x50000000, 0x50002000, "RTC_DATA"}};

static const struct memory esp32s2[] = {{0x00000000, 0x00010000, "PADDING"},
                                        {0x3f000000, 0x3ff80000, "DROM"},
                                        {0x3f500000, 0x3ff80000, "EXTRAM_DATA"},
                                        {0x3ff9e000, 0x3ffa0000, "RTC_DRAM"},
                                        {0x3ff9e000, 0x40000000, "BYTE_ACCESSIBLE"},
                                        {0x3ff9e000, 0x40072000, "MEM_INTERNAL"},
                                        {0x3ffb0000, 0x40000000, "DRAM"},
                                        {0x40000000, 0x4001a100, "IROM_MASK"},
                                        {0x40020000, 0x40070000, "IRAM"},
                                        {0x40070000, 0x40072000, "RTC_IRAM"},
                                        {0x40080000, 0x40800000, "IROM"},
                                        {0x50000000, 0x50002000, "RTC_DATA"}};

static const struct memory esp32c3[] = {
    {0x00000000, 0x00010000, "PADDING"},      {0x3c000000, 0x3c800000, "DROM"},
    {0x3fc80000, 0x3fce0000, "DRAM"},         {0x3fc88000, 0x3fd00000, "BYTE_ACCESSIBLE"},
    {0x3ff00000, 0x3ff20000, "DROM_MASK"},    {0x40000000, 0x40060000, "IROM_MASK"},
    {0x42000000, 0x42800000, "IROM"},         {0x4037c000, 0x403e0000, "IRAM"},
    {0x50000000, 0x50002000, "RTC_IRAM"},     {0x50000000, 0x50002000, "RTC_DRAM"},
    {0x600fe000, 0x60100000, "MEM_INTERNAL2"}};

static const struct memory esp32s3[] = {{0x00000000, 0x00010000, "PADDING"},
                                        {0x3c000000, 0x3d000000, "DROM"},
                                        {0x3d000000, 0x3e000000, "EXTRAM_DATA"},
                                        {0x600fe000, 0x60100000, "RTC_DRAM"},
                                        {0x3fc88000, 0x3fd00000, "BYTE_ACCESSIBLE"},
                                        {0x3fc88000, 0x403e2000, "MEM_INTERNAL"},
                                        {0x3fc88000, 0x3fd00000, "DRAM"},
                                        {0x40000000, 0x4001a100, "IROM_MASK"},
                                        {0x40370000, 0x403e0000, "IRAM"},
                                        {0x600fe000, 0x60100000, "RTC_IRAM"},
                                        {0x42000000, 0x42800000, "IROM"},
                                        {0x50000000, 0x50002000, "RTC_DATA"}};

static const struct memory esp32c2[] = {
    {0x00000000, 0x00010000, "PADDING"},   {0x3c000000, 0x3c400000, "DROM"},
    {0x3fca0000, 0x3fce0000, "DRAM"},      {0x3fc88000, 0x3fd00000, "BYTE_ACCESSIBLE"},
    {0x3ff00000, 0x3ff50000, "DROM_MASK"}, {0x40000000, 0x40090000, "IROM_MASK"},
    {0x42000000, 0x42400000, "IROM"},      {0x4037c000, 0x403c0000, "IRAM"}};

static const struct memory esp32c6_esp32h2[] = {
    {0x00000000, 0x00010000, "PADDING"},      {0x42000000, 0x43000000, "DROM"},
    {0x40800000, 0x40880000, "DRAM"},         {0x40800000, 0x40880000, "BYTE_ACCESSIBLE"},
    {0x4004ac00, 0x40050000, "DROM_MASK"},    {0x40000000, 0x4004ac00, "IROM_MASK"},
    {0x42000000, 0x43000000, "IROM"},         {0x40800000, 0x40880000, "IRAM"},
    {0x50000000, 0x50004000, "RTC_IRAM"},     {0x50000000, 0x50004000, "RTC_DRAM"},
    {0x600fe000, 0x60100000, "MEM_INTERNAL2"}};

/* The board's, as Lifeboat divides it (docs/SPEC.md). */
static const struct memory sifive_u[] = {{0x80020000, 0x80080000, "BOOTLOADER_RAM"}, {0x80080000, 0x88000000, "RAM"}};

static const struct chip_memories {
  uint16_t chip_id;
  const struct memory *memories;
  size_t count;
} chips[] = {
    {0, esp32, sizeof(esp32) / sizeof(esp32[0])},
    {2, esp32s2, sizeof(esp32s2) / sizeof(esp32s2[0])},
    {5, esp32c3, sizeof(esp32c3) / sizeof(esp32c3[0])},
    {9, esp32s3, sizeof(esp32s3) / sizeof(esp32s3[0])},
    {12, esp32c2, sizeof(esp32c2) / sizeof(esp32c2[0])},
    {13, esp32c6_esp32h2, sizeof(esp32c6_esp32h2) / sizeof(esp32c6_esp32h2[0])},
    {16, esp32c6_esp32h2, sizeof(esp32c6_esp32h2) / sizeof(esp32c6_esp32h2[0])},
    {0xFFF0, sifive_u, sizeof(sifive_u) / sizeof(sifive_u[0])},
};

void image_memory_names(uint16_t chip_id, uint32_t address, char *text)
{
  size_t used = 0;
  text[0] = '\0';
  for (size_t i = 0; i < sizeof(chips) / sizeof(chips[0]); i++) {
    for (size_t j = 0; chips[i].chip_id == chip_id && j < chips[i].count; j++) {
      const struct memory *memory = &chips[i].memories[j];
      if (address >= memory->start && address < memory->end && used < IMAGE_MEMORY_SIZE) {
        used += (size_t)snprintf(text + used, IMAGE_MEMORY_SIZE - used, "%s%s", used > 0 ? ", " : "", memory->name);
      }
    }
  }
}
