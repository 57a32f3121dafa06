// SPDX-License-Identifier: MIT
#include "tool/image_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lifeboat/device.h"
#include "ports/mbedtls/hash.h"

#define PIECE 65536U

/* What files are that are no image. */
enum { OTHER_EMPTY, OTHER_DIRECTORY, OTHER_NO_FILE, OTHER_WEB_PAGE, OTHER_ELF, OTHER_BLANK, OTHER_MERGED };
enum { OTHER_APPLICATION = OTHER_MERGED + 1 };

static const struct lb_error_info others[] = {
    {-400, "TOOL_ERR_EMPTY", "file is empty", "fetch or build the image again", "ESP_ERR_IMAGE_INVALID", 0x2002},
    {-401, "TOOL_ERR_DIRECTORY", "is a directory", "name the image file in it", "", 0},
    {-402, "TOOL_ERR_NO_FILE", "is no regular file", "name an image file", "", 0},
    {-403, "TOOL_ERR_WEB_PAGE", "is a web page, no firmware image",
     "the download was answered by a login or error page: fetch the image again", "ESP_ERR_IMAGE_INVALID", 0x2002},
    {-404, "TOOL_ERR_ELF", "is an ELF file, no firmware image", "make one of it with 'lifeboat image make'",
     "ESP_ERR_IMAGE_INVALID", 0x2002},
    {-405, "TOOL_ERR_BLANK", "begins with erased flash, no firmware image", "use the application image alone",
     "ESP_ERR_IMAGE_INVALID", 0x2002},
    {-406, "TOOL_ERR_MERGED", "is a merged flash image with a partition table of its own",
     "use the application image alone, not one for the whole flash", "ESP_ERR_IMAGE_INVALID", 0x2002},
    {-407, "TOOL_ERR_APPLICATION", "is an application, no bootloader", "name the bootloader's image", "", 0},
};

static bool begins_with(const uint8_t *data, uint32_t length, const char *word)
{
  size_t word_length = strlen(word);
  return length >= word_length && strncasecmp((const char *)data, word, word_length) == 0;
}

static bool is_web_page(const uint8_t *data, uint32_t length)
{
  static const char *const beginnings[] = {"<!doctype", "<html", "<head", "<body", "<?xml", "<!--"};
  if (begins_with(data, length, "\xEF\xBB\xBF")) {
    data += 3;
    length -= 3;
  }
  while (length > 0 && isspace(data[0])) {
    data++;
    length--;
  }
  for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
    if (begins_with(data, length, beginnings[i])) {
      return true;
    }
  }
  return false;
}

/* A merged image has a table where the flash has it; it begins with 0xFF on an ESP32, with a bootloader elsewhere. */
static bool has_table(const uint8_t *data, uint32_t length)
{
  return length >= LB_TABLE_ADDRESS + LB_TABLE_ROW && data[LB_TABLE_ADDRESS] == 0xAA &&
         data[LB_TABLE_ADDRESS + 1] == 0x50;
}

/* Judges by the first PIECE bytes of the file; NULL: looks like an application image, or like nothing known. */
static const struct lb_error_info *find_other(const struct image_file *file, const uint8_t *data, uint32_t length)
{
  int result = file->image.result;
  if (length == 0) {
    return &others[OTHER_EMPTY];
  }
  if (result == LB_ERR_IMAGE_MAGIC && is_web_page(data, length)) {
    return &others[OTHER_WEB_PAGE];
  }
  if (result == LB_ERR_IMAGE_MAGIC && begins_with(data, length,
                                                  "\x7F"
                                                  "ELF")) {
    return &others[OTHER_ELF];
  }
  bool is_head = result == LB_ERR_IMAGE_MAGIC && data[0] == 0xFF;
  bool is_bootloader = lb_image_judge_application(&file->image) == LB_ERR_IMAGE_BOOTLOADER;
  if ((is_head || is_bootloader) && has_table(data, length)) {
    return &others[OTHER_MERGED];
  }
  return is_head ? &others[OTHER_BLANK] : NULL;
}

static bool all_erased(const uint8_t *data, uint32_t length)
{
  for (uint32_t i = 0; i < length; i++) {
    if (data[i] != 0xFF) {
      return false;
    }
  }
  return true;
}

/* ---- inspecting, piece by piece ---- */

struct inspection {
  struct image_file *file;
  struct mbedtls_hash sha256;
  struct lb_hash hash;
  bool is_bootloader; /* is what it should be */
  bool is_first;
  const struct lb_error_info *other;
  bool has_trailing;
};

static int begin(struct inspection *inspection, struct image_file *file, const struct lb_chip *chip, bool is_bootloader)
{
  struct lb_image_rules rules = {.chip = chip,
                                 .revision = LB_REVISION_ANY,
                                 .loads_anywhere = is_bootloader,
                                 .capacity = IMAGE_FILE_MAX,
                                 .address = 0};
  *inspection = (struct inspection){.file = file, .is_bootloader = is_bootloader, .is_first = true};
  mbedtls_hash_sha256(&inspection->hash, &inspection->sha256);
  return lb_image_start(&file->image, &rules, &inspection->hash);
}

static void take(struct inspection *inspection, const uint8_t *data, uint32_t length)
{
  struct image_file *file = inspection->file;
  uint32_t used = 0;
  int result = lb_image_write(&file->image, data, length, &used);
  if (inspection->is_first) {
    inspection->other = find_other(file, data, length);
    inspection->is_first = false;
  }
  if (result == LB_OK && !all_erased(data + used, length - used)) {
    inspection->has_trailing = true;
  }
}

static const struct lb_error_info *conclude(const struct inspection *inspection)
{
  struct lb_image *image = &inspection->file->image;
  int result = lb_image_finish(image);
  if (inspection->other != NULL) {
    return inspection->other;
  }
  if (result == LB_OK && inspection->is_bootloader && image->info.description.present) {
    return &others[OTHER_APPLICATION];
  }
  if (result == LB_OK && !inspection->is_bootloader) {
    result = lb_image_judge_application(image);
  }
  if (result == LB_OK && lb_chip_by_id(image->info.chip_id) == NULL) {
    result = LB_ERR_IMAGE_CHIP;
  }
  if (result == LB_OK && inspection->has_trailing) {
    result = LB_ERR_IMAGE_TRAILING;
  }
  return result == LB_OK ? NULL : lb_error_info(result);
}

static const struct lb_error_info *system_problem(struct image_file *file, int error_number)
{
  file->system = (struct lb_error_info){-410, "TOOL_ERR_SYSTEM", strerror(error_number), "", "", 0};
  return &file->system;
}

/* Reads until the end of the file, or until more would not change the judgement. */
static const struct lb_error_info *inspect_descriptor(struct image_file *file, int descriptor,
                                                      const struct lb_chip *chip)
{
  static uint8_t piece[PIECE];
  struct inspection inspection;
  int err = begin(&inspection, file, chip, false);
  if (err != LB_OK) {
    return lb_error_info(err);
  }
  ssize_t got = 1;
  while (got != 0 && file->image.result >= LB_OK && !inspection.has_trailing) {
    got = read(descriptor, piece, PIECE);
    if (got < 0 && errno != EINTR) {
      return system_problem(file, errno);
    }
    if (got >= 0) {
      take(&inspection, piece, (uint32_t)got);
    }
  }
  return conclude(&inspection);
}

static const struct lb_error_info *inspect_open_file(struct image_file *file, int descriptor,
                                                     const struct lb_chip *chip)
{
  struct stat status;
  if (fstat(descriptor, &status) != 0) {
    return system_problem(file, errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return &others[S_ISDIR(status.st_mode) ? OTHER_DIRECTORY : OTHER_NO_FILE];
  }
  file->size = (uint64_t)status.st_size;
  return inspect_descriptor(file, descriptor, chip);
}

bool image_file_inspect(struct image_file *file, const char *path, const struct lb_chip *chip)
{
  *file = (struct image_file){.path = path};
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    file->problem = system_problem(file, errno);
    return false;
  }
  file->problem = inspect_open_file(file, descriptor, chip);
  close(descriptor);
  return file->problem == NULL;
}

static bool inspect_bytes(struct image_file *file, const void *data, uint32_t length, const struct lb_chip *chip,
                          bool is_bootloader)
{
  struct inspection inspection;
  *file = (struct image_file){.path = "", .size = length};
  int err = begin(&inspection, file, chip, is_bootloader);
  if (err == LB_OK) {
    take(&inspection, data, length);
    file->problem = conclude(&inspection);
  } else {
    file->problem = lb_error_info(err);
  }
  return file->problem == NULL;
}

bool image_file_inspect_bytes(struct image_file *file, const void *data, uint32_t length, const struct lb_chip *chip)
{
  return inspect_bytes(file, data, length, chip, false);
}

bool image_file_inspect_bootloader(struct image_file *file, const void *data, uint32_t length,
                                   const struct lb_chip *chip)
{
  return inspect_bytes(file, data, length, chip, true);
}

bool image_file_has_info(const struct image_file *file)
{
  return file->image.info.segment_count > 0;
}
