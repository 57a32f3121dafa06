// SPDX-License-Identifier: MIT
/*
 * The module's settings: PARAM INSTANCE VALUE, all text, in the nvs partition (lifeboat/nvs.h), where PARAM is the
 * namespace and INSTANCE the key. They are opened when they are first needed. A module without an nvs partition, or
 * with one that cannot be used, works with the defaults.
 */
#ifndef MODULE_SETTINGS_H
#define MODULE_SETTINGS_H

#include <stdbool.h>

#include "lifeboat/device.h"
#include "lifeboat/nvs.h"

#define SETTINGS_VALUE_SIZE 512U /* bytes of a value with its NUL */

struct settings {
  const struct lb_device *device;
  struct lb_nvs nvs;
  bool opened;
  int error; /* why they cannot be used, or LB_OK */
};

/* Names the flash and the table they lie on; nothing is read yet. */
void settings_start(struct settings *settings, const struct lb_device *device);

/*
 * The open nvs that they are in, for what else is kept there (module/update_log.h, in the namespace "lifeboat", which
 * is none of settings). LB_OK, or why it cannot be used: LB_ERR_NOT_FOUND: the table has no nvs partition.
 */
int settings_nvs(struct settings *settings, struct lb_nvs **nvs);

/*
 * The value of a setting, or its default; "" if it has neither. Tells in `*is_default` (may be NULL) which. A value
 * that is not text is written as a number. LB_OK, or why the settings cannot be read; then the value is the default.
 */
int settings_get(struct settings *settings, const char *param, const char *instance, char value[SETTINGS_VALUE_SIZE],
                 bool *is_default);

/*
 * Changes a setting, in steps of at most one erase of a sector and one copied page: LB_MORE, then LB_OK; to be called
 * again with the same arguments. MODULE_ERR_SETTING: this setting does not take that value. LB_ERR_NOT_FOUND: the table
 * has no nvs partition. LB_ERR_NVS_..., LB_ERR_FLASH_... Where there is no room, the history of updates makes it.
 */
int settings_set(struct settings *settings, const char *param, const char *instance, const char *value);

/* After MODULE_ERR_SETTING: what to do instead, in words: "give a number from 1 to 16". */
const char *settings_form(const char *param, const char *instance);

/* False for a setting of "ota" that nothing looks at: perhaps its name is misspelt. */
bool settings_is_used(const char *param, const char *instance);

/* Removes a setting, in the same way, so that its default counts again. LB_ERR_NVS_NOT_FOUND. */
int settings_remove(struct settings *settings, const char *param, const char *instance);

/* Calls `each` for every setting of `param` (NULL: of all) that is stored, and every default that is not. */
int settings_list(struct settings *settings, const char *param,
                  void (*each)(void *context, const char *param, const char *instance, const char *value,
                               bool is_default),
                  void *context);

#endif
