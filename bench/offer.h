// SPDX-License-Identifier: MIT
/* A patch on the benchmark's server, beside the image that it makes: made and listed as a depot publishes it. */
#ifndef BENCH_OFFER_H
#define BENCH_OFFER_H

#include "bench/images.h"
#include "bench/link.h"
#include "tool/depot_patch_list.h"
#include "tool/depot_patches.h"

#define OFFER_FILES    2U /* the list and the patch */
#define OFFER_URL_SIZE 128U

struct offer {
  struct depot_image image;
  struct depot_image base;
  struct depot_patches patches;
  uint32_t patch_length;
  char list[DEPOT_PATCH_LIST_SIZE];
  char list_url[OFFER_URL_SIZE];
  char patch_url[OFFER_URL_SIZE];
  struct link_file files[OFFER_FILES]; /* for the link: valid as long as the struct does not move */
};

/* Makes the patch from `base`, NULL: from nothing, to `image`. False, and it has said why. */
bool offer_make(struct offer *offer, const struct bench_image *base, const struct bench_image *image);

void offer_free(struct offer *offer);

#endif
