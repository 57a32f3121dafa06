// SPDX-License-Identifier: MIT
/*
 * Source and validator, as a journal and a stage keep them on the flash: behind each other, without NUL. The header in
 * front of them has their lengths, and its CRC goes on over them.
 */
#ifndef LIB_TEXTS_H
#define LIB_TEXTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/flash.h"

#define LB_TEXTS_PIECE 64U /* bytes read at once */

struct lb_texts {
  const struct lb_flash *flash;
  uint32_t address; /* of the source */
  uint32_t source_length;
  uint32_t validator_length;
};

/* The length of a text, or anything above `limit` for a longer one. */
uint32_t lb_text_length(const char *text, uint32_t limit);

/*
 * Programs the next piece, as far as a page and a text go; `*written` counts bytes from 0 on. LB_MORE, LB_OK: that was
 * the last one. LB_ERR_FLASH_PROGRAM.
 */
int lb_texts_program(const struct lb_texts *texts, const char *source, const char *validator, uint32_t *written);

/* Goes on with a CRC over the texts on the flash. LB_ERR_FLASH_READ. */
int lb_texts_crc(const struct lb_texts *texts, uint32_t *crc);

/* Are they that source and, unless it is NULL, that validator? LB_ERR_FLASH_READ. */
int lb_texts_are(const struct lb_texts *texts, const char *source, const char *validator, bool *same);

/* The source or the validator with a NUL, cut to `capacity`; `*whole` (may be NULL): it was all. LB_ERR_ARGUMENT
 * without any capacity, LB_ERR_FLASH_READ. */
int lb_texts_source(const struct lb_texts *texts, char *buffer, uint32_t capacity, bool *whole);
int lb_texts_validator(const struct lb_texts *texts, char *buffer, uint32_t capacity, bool *whole);

#endif
