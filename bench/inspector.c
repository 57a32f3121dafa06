// SPDX-License-Identifier: MIT
#include "bench/inspector.h"

#include <stdio.h>
#include <time.h>

#include "lifeboat/device.h"
#include "lifeboat/image.h"
#include "ports/mbedtls/hash.h"
#include "tool/report.h"

#define PIECE  4096U
#define ROUNDS 50 /* the best of them counts: what disturbs a computer only makes it slower */

static double seconds_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint32_t piece_at(const struct bench_image *image, uint32_t at)
{
  return image->length - at < PIECE ? image->length - at : PIECE;
}

static bool inspect(const struct bench_image *image, const struct lb_hash *sha256)
{
  const struct lb_image_rules rules = {
      .chip = lb_chip_by_name("esp32"), .revision = LB_REVISION_ANY, .capacity = image->length};
  struct lb_image inspector;
  int result = lb_image_start(&inspector, &rules, sha256) == LB_OK ? LB_MORE : LB_ERR_HASH;
  for (uint32_t at = 0; result == LB_MORE && at < image->length; at += PIECE) {
    result = lb_image_write(&inspector, image->bytes + at, piece_at(image, at), NULL);
  }
  return result == LB_OK;
}

static bool hash(const struct bench_image *image, const struct lb_hash *sha256)
{
  uint8_t digest[LB_SHA256_SIZE];
  bool good = sha256->start(sha256->context) == 0;
  for (uint32_t at = 0; good && at < image->length; at += PIECE) {
    good = sha256->update(sha256->context, image->bytes + at, piece_at(image, at)) == 0;
  }
  return good && sha256->finish(sha256->context, digest) == 0;
}

static bool time_one(bool (*work)(const struct bench_image *, const struct lb_hash *), const struct bench_image *image,
                     const struct lb_hash *sha256, double *best)
{
  const double begin = seconds_now();
  const bool good = work(image, sha256);
  const double took = seconds_now() - begin;
  if (*best == 0 || took < *best) {
    *best = took;
  }
  return good;
}

bool inspector_measure(const struct bench_image *image)
{
  struct mbedtls_hash context;
  struct lb_hash sha256;
  double inspecting = 0;
  double hashing = 0;
  mbedtls_hash_sha256(&sha256, &context);
  for (int round = 0; round < ROUNDS; round++) {
    if (!time_one(inspect, image, &sha256, &inspecting) || !time_one(hash, image, &sha256, &hashing)) {
      report_error("the image inspector does not find the benchmark's image good");
      return false;
    }
  }
  const double megabytes = image->length / 1e6;
  printf("On this computer, %u bytes in pieces of %u, best of %d\n", image->length, PIECE, ROUNDS);
  printf("  %-34s %8.1f MB/s\n", "Mbed TLS SHA-256 alone", megabytes / hashing);
  printf("  %-34s %8.1f MB/s   %.3f of it\n", "image inspector, with that SHA-256", megabytes / inspecting,
         hashing / inspecting);
  return true;
}
