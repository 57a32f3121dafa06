// SPDX-License-Identifier: MIT
#include "tool/flash_table.h"

#include "lifeboat/bytes.h"
#include "tool/report.h"

#define BOOTLOADER_TAIL (16U + LB_SHA256_SIZE) /* padding with the checksum, and the digest */
#define SIGNATURE_MAGIC 0xE7U

/* ---- one of the two ---- */

static int erase_sector(const struct lb_flash *flash, uint32_t address)
{
  static const uint8_t zeros[LB_TABLE_ROW] = {0};
  bool blank = false;
  int err = lb_flash_is_blank(flash, address, LB_TABLE_SECTOR, &blank);
  if (err || blank) {
    return err;
  }
  /* An erase that is cut may leave the first rows alone; without their MD5 they would pass for a table of a few rows.
   * So the first row is made unreadable before. */
  uint32_t erased = 0;
  err = lb_flash_program(flash, address, zeros, sizeof(zeros));
  return err ? err : lb_flash_erase_one(flash, address, address + LB_TABLE_SECTOR, &erased);
}

/* Does the place hold just this table? */
static int is_written(const struct lb_flash *flash, uint32_t address, const struct lb_table *table, bool *written)
{
  bool blank = false;
  int err = lb_flash_equals(flash, address, table->bytes, LB_TABLE_SIZE, written);
  if (err == LB_OK) {
    err = lb_flash_is_blank(flash, address + LB_TABLE_SIZE, LB_TABLE_SECTOR - LB_TABLE_SIZE, &blank);
  }
  *written = *written && blank;
  return err;
}

/* The first row comes last: until then the place is no table, for the same reason. */
static int write_at(const struct lb_flash *flash, uint32_t address, const struct lb_table *table)
{
  bool written = false;
  int err = is_written(flash, address, table, &written);
  if (err || written) {
    return err;
  }
  err = erase_sector(flash, address);
  if (err == LB_OK) {
    err = lb_flash_program(flash, address + LB_TABLE_ROW, table->bytes + LB_TABLE_ROW, LB_TABLE_SIZE - LB_TABLE_ROW);
  }
  if (err == LB_OK) {
    err = lb_flash_program(flash, address, table->bytes, LB_TABLE_ROW);
  }
  if (err == LB_OK) {
    err = is_written(flash, address, table, &written);
  }
  return err == LB_OK && !written ? LB_ERR_READ_BACK : err;
}

/* ---- the place of the copy ---- */

/* Behind its image a bootloader may have a sector with its signature. */
static int add_signature(const struct lb_flash *flash, uint32_t *end)
{
  uint32_t sector = (*end + LB_TABLE_SECTOR - 1U) / LB_TABLE_SECTOR * LB_TABLE_SECTOR;
  uint8_t first = 0;
  int err = sector < LB_TABLE_ADDRESS ? lb_flash_read(flash, sector, &first, 1) : LB_OK;
  if (err == LB_OK && first == SIGNATURE_MAGIC) {
    *end = sector + LB_TABLE_SECTOR;
  }
  return err;
}

/* Where the bootloader at `address` ends, as far as its segment headers tell; 0 if there is none. */
static int bootloader_end(const struct lb_flash *flash, uint32_t address, uint32_t *end)
{
  uint8_t header[LB_IMAGE_HEADER_SIZE];
  uint8_t segment[LB_IMAGE_SEGMENT_HEADER_SIZE];
  uint32_t at = address + LB_IMAGE_HEADER_SIZE;
  int err = lb_flash_read(flash, address, header, sizeof(header));
  *end = 0;
  if (err || header[0] != LB_IMAGE_MAGIC) {
    return err;
  }
  for (unsigned i = 0; err == LB_OK && i < header[1] && at < LB_TABLE_ADDRESS; i++) {
    err = lb_flash_read(flash, at, segment, sizeof(segment));
    uint32_t length = err == LB_OK ? lb_load_le32(segment + 4) : 0;
    at += LB_IMAGE_SEGMENT_HEADER_SIZE + (length < LB_TABLE_ADDRESS ? length : LB_TABLE_ADDRESS);
  }
  *end = at + BOOTLOADER_TAIL;
  return err ? err : add_signature(flash, end);
}

/* A table that verifies, or nothing at all. */
static int holds_table_or_nothing(const struct flash_dump *dump, bool *holds)
{
  uint8_t bytes[LB_TABLE_SIZE];
  struct lb_table table;
  int err = lb_flash_is_blank(&dump->driver, LB_TABLE_COPY_ADDRESS, LB_TABLE_SECTOR, holds);
  if (err || *holds) {
    return err;
  }
  err = lb_flash_read(&dump->driver, LB_TABLE_COPY_ADDRESS, bytes, sizeof(bytes));
  *holds = err == LB_OK &&
           lb_table_parse(&table, bytes, sizeof(bytes), dump->driver.size, &dump->device.md5) == LB_OK && table.has_md5;
  return err;
}

/*
 * May the copy be written? Below the table there is the bootloader and nothing else: what lies behind its end, if that
 * is known, is nobody's, be it only what is left of a copy whose writing was cut.
 */
static int copy_place_is_free(const struct flash_dump *dump, bool *is_free)
{
  static const uint32_t addresses[] = {0x1000, 0x0}; /* of the ESP32 and the S2, and of the others */
  uint32_t end = 0;
  int err = LB_OK;
  for (size_t i = 0; err == LB_OK && end == 0 && i < sizeof(addresses) / sizeof(addresses[0]); i++) {
    err = bootloader_end(&dump->driver, addresses[i], &end);
  }
  if (err || end != 0) {
    *is_free = end <= LB_TABLE_COPY_ADDRESS;
    return err;
  }
  err = lb_flash_is_blank(&dump->driver, 0, LB_TABLE_COPY_ADDRESS, is_free); /* no bootloader at all */
  return err || *is_free ? err : holds_table_or_nothing(dump, is_free);
}

/* Is the place blank, or as a cut left it while this table was programmed: can clearing bits make it the table? */
static bool could_become(const uint8_t sector[LB_TABLE_SECTOR], const struct lb_table *table)
{
  for (uint32_t i = 0; i < LB_TABLE_SECTOR; i++) {
    uint8_t wanted = i < LB_TABLE_SIZE ? table->bytes[i] : 0xFF;
    if ((sector[i] & wanted) != wanted) {
      return false;
    }
  }
  return true;
}

int flash_table_complete_copy(struct flash_dump *dump)
{
  const struct lb_table *table = &dump->device.table;
  uint8_t sector[LB_TABLE_SECTOR];
  int err = lb_flash_read(&dump->driver, LB_TABLE_COPY_ADDRESS, sector, sizeof(sector));
  if (err || !table->has_md5 || !could_become(sector, table)) {
    return err;
  }
  return write_at(&dump->driver, LB_TABLE_COPY_ADDRESS, table);
}

/* ---- what would boot ---- */

/* The dump as it is, but with another table. */
struct overlay {
  const struct lb_flash *flash;
  const uint8_t *table;
};

static int overlay_read(void *context, uint32_t address, void *buffer, uint32_t length)
{
  const struct overlay *overlay = context;
  uint8_t *bytes = buffer;
  int err = overlay->flash->read(overlay->flash->context, address, buffer, length);
  for (uint32_t i = 0; err == 0 && i < length; i++) {
    uint32_t at = address + i;
    if (at >= LB_TABLE_ADDRESS && at < LB_TABLE_ADDRESS + LB_TABLE_SIZE) {
      bytes[i] = overlay->table[at - LB_TABLE_ADDRESS];
    }
  }
  return err;
}

static bool still_boots(struct flash_dump *dump, const struct lb_table *table)
{
  struct overlay overlay = {.flash = &dump->driver, .table = table->bytes};
  struct lb_flash flash = dump->driver;
  struct flash_device device;
  struct lb_boot_decision decision;
  char label[LB_LABEL_SIZE];
  if (dump->boot_result != LB_OK) {
    return true;
  }
  flash.context = &overlay;
  flash.read = overlay_read;
  flash_device_start(&device, &flash, dump->device.device.chip);
  int result = lb_boot_preview(&device.device, &device.table, &dump->verify, NULL, &decision);
  flash_dump_label(&dump->boot.partition, label);
  if (result != LB_OK) {
    report_error("%s: with this partition table %s, which boots now, would not boot, and nothing else either: %s",
                 dump->path, label, lb_error_info(result)->cause);
    return false;
  }
  if (decision.partition.offset != dump->boot.partition.offset) {
    char other[LB_LABEL_SIZE];
    report_error("%s: with this partition table %s at 0x%08x would boot instead of %s at 0x%08x, which boots now",
                 dump->path, flash_dump_label(&decision.partition, other), decision.partition.offset, label,
                 dump->boot.partition.offset);
    return false;
  }
  return true;
}

/* ---- both ---- */

static bool may_replace(struct flash_dump *dump, const struct lb_table *table)
{
  bool is_free = false;
  int err = copy_place_is_free(dump, &is_free);
  if (err) {
    report_library_error(dump->path, err);
    return false;
  }
  if (!is_free) {
    report_error("%s: at 0x%x, where the copy of the table belongs, lies the end of the bootloader, or something else, "
                 "so a cut could lose the table",
                 dump->path, LB_TABLE_COPY_ADDRESS);
    return false;
  }
  return still_boots(dump, table);
}

bool flash_table_replace(struct flash_dump *dump, const struct lb_table *table)
{
  bool copy_in_use = dump->table_result == LB_OK && dump->device.table.address == LB_TABLE_COPY_ADDRESS;
  uint32_t first = copy_in_use ? LB_TABLE_ADDRESS : LB_TABLE_COPY_ADDRESS;
  uint32_t second = copy_in_use ? LB_TABLE_COPY_ADDRESS : LB_TABLE_ADDRESS;
  if (!may_replace(dump, table)) {
    return false;
  }
  int err = write_at(&dump->driver, first, table);
  if (err == LB_OK) {
    err = write_at(&dump->driver, second, table);
  }
  if (err) {
    report_library_error(dump->path, err);
    return false;
  }
  if (!flash_dump_sync(dump)) {
    return false;
  }
  flash_dump_decide(dump);
  return true;
}
