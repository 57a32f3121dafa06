// SPDX-License-Identifier: MIT
#include "tests/unit/support/patch_run.h"

#include "tests/unit/support/unit.h"

/* ---- callbacks ---- */

static int count(struct patch_run *run)
{
  return ++run->calls == run->fails ? run->error : LB_OK;
}

static int read_base(void *context, uint32_t offset, void *buffer, uint32_t length)
{
  struct patch_run *run = context;
  assert_true(length > 0 && offset < run->base_length && length <= run->base_length - offset);
  run->base_reads++;
  run->bytes_read += length;
  memcpy(buffer, run->base + offset, length);
  return count(run);
}

static int read_result(void *context, uint32_t offset, void *buffer, uint32_t length)
{
  struct patch_run *run = context;
  assert_true(length > 0 && offset < run->length && length <= run->length - offset);
  run->result_reads++;
  run->bytes_read += length;
  memcpy(buffer, run->result + offset, length);
  return count(run);
}

static int write_result(void *context, const void *data, uint32_t length, uint32_t *used)
{
  struct patch_run *run = context;
  uint32_t taken = run->takes && length > run->takes ? run->takes : length;
  int result = count(run);
  run->writes++;
  assert_true(length > 0 && length <= run->result_limit - run->length);
  if (result != LB_OK) {
    return result;
  }
  if (run->refuses && run->writes % run->refuses) {
    taken = 0;
  }
  memcpy(run->result + run->length, data, taken);
  run->length += taken;
  *used = run->lies ? length + 1U : taken;
  return LB_OK;
}

static int hash_start(void *context)
{
  struct patch_run *run = context;
  return ++run->hash_calls == run->hash_fails ? -1 : run->inner.start(run->inner.context);
}

static int hash_update(void *context, const void *data, uint32_t length)
{
  struct patch_run *run = context;
  return ++run->hash_calls == run->hash_fails ? -1 : run->inner.update(run->inner.context, data, length);
}

static int hash_finish(void *context, uint8_t *digest)
{
  struct patch_run *run = context;
  return ++run->hash_calls == run->hash_fails ? -1 : run->inner.finish(run->inner.context, digest);
}

/* ---- running ---- */

void patch_run_open(struct patch_run *run, const uint8_t *base, uint32_t base_length, uint32_t result_limit)
{
  memset(run, 0, sizeof(*run));
  run->base = base;
  run->base_length = base_length;
  run->result_limit = result_limit;
  run->profile = LB_PATCH_PROFILE_DEFAULT;
  run->result = unit_allocate(result_limit + 1U);
  mbedtls_hash_sha256(&run->inner, &run->hash_memory);
  run->hash = (struct lb_hash){run, hash_start, hash_update, hash_finish};
}

void patch_run_close(struct patch_run *run)
{
  free(run->result);
  free(run->patch);
}

int patch_run_start(struct patch_run *run)
{
  uint32_t memory = lb_patch_memory(run->profile);
  run->length = 0;
  run->base_reads = 0;
  run->result_reads = 0;
  run->bytes_read = 0;
  run->writes = 0;
  run->calls = 0;
  run->hash_calls = 0;
  run->steps = 0;
  run->config = (struct lb_patch_config){
      .context = run,
      .read_base = run->base_length ? read_base : NULL,
      .read_result = read_result,
      .write_result = write_result,
      .sha256 = &run->hash,
      .base_limit = run->base_length,
      .result_limit = run->result_limit,
  };
  free(run->patch);
  run->patch = unit_allocate(memory);
  memset(run->patch, 0xA5, memory);
  return lb_patch_start(run->patch, memory, &run->config);
}

/* More calls than this in a row without anything read, written or taken would be none of progress. */
#define PATIENCE 64U

int patch_run_give(struct patch_run *run, const uint8_t *bytes, uint32_t length)
{
  uint32_t idle = 0;
  for (uint32_t offset = 0; offset < length;) {
    uint32_t piece = run->piece && length - offset > run->piece ? run->piece : length - offset;
    uint32_t used = 0;
    uint32_t calls = run->calls;
    uint8_t *copy = unit_copy(bytes + offset, piece); /* exactly so long, for the sanitizer */
    int result = lb_patch_write(run->patch, copy, piece, &used);
    free(copy);
    run->steps++;
    assert_true(used <= piece);
    if (result != LB_OK) {
      assert_true(result < LB_OK);
      return result;
    }
    offset += used;
    idle = used || run->calls != calls ? 0 : idle + 1U;
    assert_true(idle < PATIENCE);
  }
  return LB_OK;
}

int patch_run_finish(struct patch_run *run)
{
  uint32_t idle = 0;
  int result;
  do {
    uint32_t calls = run->calls;
    result = lb_patch_finish(run->patch);
    run->steps++;
    idle = run->calls != calls ? 0 : idle + 1U;
    assert_true(idle < PATIENCE);
  } while (result == LB_MORE);
  return result;
}

int patch_run(struct patch_run *run, const uint8_t *patch, uint32_t length)
{
  int result = patch_run_start(run);
  if (result == LB_OK) {
    result = patch_run_give(run, patch, length);
  }
  return result == LB_OK ? patch_run_finish(run) : result;
}
