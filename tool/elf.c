// SPDX-License-Identifier: MIT
#include "tool/elf.h"

#include <elf.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "tool/report.h"

#define HEADER_SIZE  52U
#define SECTION_SIZE 40U

struct elf {
  const char *path;
  const uint8_t *data;
  uint32_t length;
  uint32_t entry;
  uint32_t sections_offset;
  uint32_t sections_count;
  uint32_t section_size;
};

static bool check_identity(const struct elf *elf)
{
  const uint8_t *data = elf->data;
  if (elf->length < HEADER_SIZE || memcmp(data, ELFMAG, SELFMAG) != 0) {
    report_error("%s is no ELF file", elf->path);
    return false;
  }
  if (data[EI_CLASS] != ELFCLASS32 || data[EI_DATA] != ELFDATA2LSB) {
    report_error("%s is an ELF file for another kind of processor: a 32-bit, little-endian one is needed", elf->path);
    return false;
  }
  if (lb_load_le16(data + 16) != ET_EXEC) {
    report_error("%s is not linked: an executable ELF file is needed, no object or library", elf->path);
    return false;
  }
  return true;
}

/* ESP32, S2 and S3 have Xtensa cores, the others RISC-V. */
static bool check_machine(const struct elf *elf, const struct lb_chip *chip)
{
  uint16_t machine = lb_load_le16(elf->data + 18);
  bool is_xtensa = chip->id == 0 || chip->id == 2 || chip->id == 9;
  if (machine != (is_xtensa ? EM_XTENSA : EM_RISCV)) {
    report_error("%s is for %s, but chip %s is %s", elf->path,
                 machine == EM_XTENSA  ? "Xtensa"
                 : machine == EM_RISCV ? "RISC-V"
                                       : "another processor",
                 chip->name, is_xtensa ? "Xtensa" : "RISC-V");
    return false;
  }
  return true;
}

static bool read_header(struct elf *elf)
{
  const uint8_t *data = elf->data;
  elf->entry = lb_load_le32(data + 24);
  elf->sections_offset = lb_load_le32(data + 32);
  elf->section_size = lb_load_le16(data + 46);
  elf->sections_count = lb_load_le16(data + 48);
  if (elf->sections_offset == 0 || elf->sections_count == 0) {
    report_error("%s has no section table; use the ELF file as the linker wrote it", elf->path);
    return false;
  }
  /* Both factors are 16-bit numbers, so the product fits. */
  uint32_t bytes = elf->sections_count * elf->section_size;
  if (elf->section_size < SECTION_SIZE || elf->sections_offset > elf->length ||
      bytes > elf->length - elf->sections_offset) {
    report_error("%s is damaged: its section table (%u entries of %u bytes at %u) leaves the file of %u bytes",
                 elf->path, elf->sections_count, elf->section_size, elf->sections_offset, elf->length);
    return false;
  }
  return true;
}

static bool has_content(uint32_t type, uint32_t flags, uint32_t size)
{
  bool is_content =
      type == SHT_PROGBITS || type == SHT_INIT_ARRAY || type == SHT_FINI_ARRAY || type == SHT_PREINIT_ARRAY;
  return is_content && (flags & SHF_ALLOC) != 0 && size > 0;
}

static bool add_section(const struct elf *elf, uint32_t number, struct image_parts *parts)
{
  const uint8_t *section = elf->data + elf->sections_offset + number * elf->section_size;
  uint32_t address = lb_load_le32(section + 12);
  uint32_t offset = lb_load_le32(section + 16);
  uint32_t size = lb_load_le32(section + 20);
  if (!has_content(lb_load_le32(section + 4), lb_load_le32(section + 8), size)) {
    return true;
  }
  if (offset > elf->length || size > elf->length - offset) {
    report_error("%s is damaged: section %u (%u bytes at %u) leaves the file of %u bytes", elf->path, number, size,
                 offset, elf->length);
    return false;
  }
  return image_parts_add(parts, elf->path, address, elf->data + offset, size);
}

bool elf_read(const char *path, const uint8_t *data, uint32_t length, const struct lb_chip *chip,
              struct image_parts *parts, uint32_t *entry)
{
  struct elf elf = {.path = path, .data = data, .length = length};
  if (!check_identity(&elf) || !check_machine(&elf, chip) || !read_header(&elf)) {
    return false;
  }
  for (uint32_t i = 0; i < elf.sections_count; i++) {
    if (!add_section(&elf, i, parts)) {
      return false;
    }
  }
  if (parts->count == 0) {
    report_error("%s has no section with content to load", path);
    return false;
  }
  *entry = elf.entry;
  return true;
}
