// SPDX-License-Identifier: MIT
/*
 * What a slot claims to hold, told by its headers alone: the length of the image and the SHA-256 behind it. Nothing is
 * verified, so this is for choosing and for showing; whoever needs the image verifies it (lifeboat/verify.h).
 */
#ifndef LIFEBOAT_CLAIM_H
#define LIFEBOAT_CLAIM_H

#include <stdint.h>

#include "lifeboat/flash.h"
#include "lifeboat/hash.h"
#include "lifeboat/partition.h"

struct lb_claim {
  uint32_t length; /* of the image with padding, checksum and digest */
  uint8_t digest[LB_SHA256_SIZE];
};

/* Reads it: the image's header, its segments' headers, and the digest. LB_ERR_NOT_FOUND: no image that fits into the
 * slot begins there. LB_ERR_FLASH_READ. */
int lb_claim_read(struct lb_claim *claim, const struct lb_flash *flash, const struct lb_partition *slot);

#endif
