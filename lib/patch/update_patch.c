// SPDX-License-Identifier: MIT
#include "lifeboat/update_patch.h"

#include <stddef.h>

#include "lifeboat/error.h"

static int read_base(void *context, uint32_t offset, void *buffer, uint32_t length)
{
  const struct lb_update_patch *by_patch = context;
  const struct lb_partition *base = &by_patch->base;
  if (offset > base->size || length > base->size - offset) {
    return LB_ERR_FLASH_BOUNDS;
  }
  return lb_flash_read(by_patch->update->config.device->flash, base->offset + offset, buffer, length);
}

static int read_result(void *context, uint32_t offset, void *buffer, uint32_t length)
{
  const struct lb_update_patch *by_patch = context;
  return lb_update_read(by_patch->update, offset, buffer, length);
}

static int write_result(void *context, const void *data, uint32_t length, uint32_t *used)
{
  const struct lb_update_patch *by_patch = context;
  return lb_update_write(by_patch->update, data, length, used);
}

int lb_update_patch_start(struct lb_update_patch *by_patch, struct lb_patch *patch, uint32_t memory,
                          struct lb_update *update, const struct lb_partition *base, const struct lb_hash *sha256)
{
  const struct lb_update_config *session = &update->config;
  if (sha256 == session->device->sha256 || (base && lb_partition_same(base, &session->target))) {
    return LB_ERR_ARGUMENT;
  }
  *by_patch = (struct lb_update_patch){.patch = patch, .update = update};
  by_patch->config = (struct lb_patch_config){
      .context = by_patch,
      .read_base = base ? read_base : NULL,
      .read_result = read_result,
      .write_result = write_result,
      .sha256 = sha256,
      .base_limit = base ? base->size : 0,
      .result_limit = session->size != LB_SIZE_UNKNOWN ? session->size : session->target.size,
  };
  if (base) {
    by_patch->base = *base;
  }
  return lb_patch_start(patch, memory, &by_patch->config);
}

int lb_update_patch_write(struct lb_update_patch *by_patch, const void *data, uint32_t length, uint32_t *used)
{
  return lb_patch_write(by_patch->patch, data, length, used);
}

int lb_update_patch_finish(struct lb_update_patch *by_patch)
{
  return lb_patch_finish(by_patch->patch);
}
