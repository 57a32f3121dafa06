// SPDX-License-Identifier: MIT
/* What the commands for patches share. */
#ifndef TOOL_PATCH_COMMAND_H
#define TOOL_PATCH_COMMAND_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "tool/file.h"
#include "tool/patch/make.h"

#define PATCH_FILE_MAX    (2U * PATCH_LENGTH_MAX) /* of a patch: more is no use, whatever it holds */
#define PATCH_DIGEST_TEXT (2U * LB_SHA256_SIZE + 1U)

/* A patch file and what its header says. */
struct patch_file {
  const char *path;
  struct file_bytes bytes;
  struct lb_patch_info info;
  bool crc_is_good;
};

/* Reads an old or new file of at most 16 MB; "-" for the old one stands for nothing. False and an error line if not. */
bool patch_read_base(const char *path, struct file_bytes *bytes);
bool patch_read_image(const char *path, struct file_bytes *bytes);

/* Reads a patch and its header. False and an error line if it is none; a wrong CRC is told by `crc_is_good` alone. */
bool patch_file_read(struct patch_file *patch, const char *path);

/* Is the file that is written none of those that are read, and not there yet unless `force`? Else an error line. */
bool patch_spares_its_input(const char *out, const char *const *inputs, unsigned count, bool force);

/* Profile, walker and lengths, as two lines; the digests, as two more. */
void patch_print_lengths(const struct lb_patch_info *info, uint32_t size);
void patch_print_digests(const struct lb_patch_info *info);

/* {"file", "size", "format", "profile", "memory", "walker", "base", "image"} */
cJSON *patch_json(const char *path, uint32_t size, const struct lb_patch_info *info);

/* The beginning of a digest, as many bytes as a patch knows of its base. */
const char *patch_base_digest_text(const uint8_t *digest, char text[PATCH_DIGEST_TEXT]);

#endif
