// SPDX-License-Identifier: MIT
/*
 * The list of patches beside an image (docs/SPEC.md, "List of patches"): URL.patches, made by `lifeboat depot publish`.
 * It is read as it comes; what this module can use is kept: patches for what one of its slots holds, and those from
 * nothing. Nothing in it is believed: sizes are compared with what the server sends, digests with what comes of it.
 */
#ifndef MODULE_PATCH_LIST_H
#define MODULE_PATCH_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/device.h"
#include "lifeboat/hash.h"

#define PATCH_LIST_SIZE_MAX  8192U /* bytes of it that are read */
#define PATCH_LIST_LINE_SIZE 256U  /* a line with its NUL */
#define PATCH_LIST_OFFERS    4U    /* the smallest that apply */
#define PATCH_NAME_SIZE      65U   /* of a patch's file with its NUL */

struct patch_offer {
  uint32_t size;              /* of the patch, in bytes */
  bool from_nothing;          /* it needs no base */
  struct lb_partition base;   /* else: the slot that holds it, as its last bytes say */
  char name[PATCH_NAME_SIZE]; /* lies beside the image */
};

struct patch_list {
  const struct lb_device *device;
  struct lb_partition target; /* whose content is no base, since it is overwritten */
  bool begun;                 /* the first line was right */
  bool refused;               /* it was not, or the list is too long: nothing of it counts */
  bool has_image;
  uint32_t image_size;
  uint8_t image_digest[LB_SHA256_SIZE];
  uint32_t count;
  struct patch_offer offers[PATCH_LIST_OFFERS]; /* the smallest first */
  uint32_t taken;                               /* bytes */
  uint32_t fill;                                /* of the line */
  bool too_long;                                /* the line does not fit, and is left out */
  char line[PATCH_LIST_LINE_SIZE];
};

/* Begins a list, for a module that will write `target`. device and its table stay. */
void patch_list_start(struct patch_list *list, const struct lb_device *device, const struct lb_partition *target);

/* Takes bytes. False: no list, or more than PATCH_LIST_SIZE_MAX: the rest need not be fetched. */
bool patch_list_write(struct patch_list *list, const void *data, uint32_t length);

/* No more bytes come: false if there is nothing to use, and the image is fetched whole. */
bool patch_list_finish(struct patch_list *list);

/* The slot, other than `target`, whose image claims the digest that begins so. LB_ERR_NOT_FOUND. */
int patch_list_find_base(const struct lb_device *device, const struct lb_partition *target, const uint8_t *digest,
                         uint32_t length, struct lb_partition *base);

#endif
