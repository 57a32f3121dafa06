// SPDX-License-Identifier: MIT
/* What settings there have to be: kept beside the flash, and compared with it. */
#ifndef TESTS_UNIT_SUPPORT_NVS_MODEL_H
#define TESTS_UNIT_SUPPORT_NVS_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/nvs.h"
#include "tests/unit/support/unit.h"

#define MODEL_KEYS     48U
#define MODEL_DATA_MAX 12000U

struct model_value {
  bool present;
  enum lb_nvs_type type;
  uint64_t bits;   /* of an integer */
  uint32_t length; /* of data: a string's with its NUL */
  uint8_t data[MODEL_DATA_MAX];
};

struct model_setting {
  char space[LB_NVS_NAME_SIZE];
  char key[LB_NVS_NAME_SIZE];
  struct model_value value;
};

struct nvs_model {
  uint32_t count;
  struct model_setting settings[MODEL_KEYS];
};

/* Adds a setting that is not there yet; returns its number. */
uint32_t nvs_model_add(struct nvs_model *model, const char *space, const char *key);

/* Values: an integer; text of letters; bytes. */
void nvs_model_integer(struct model_value *value, enum lb_nvs_type type, uint64_t bits);
void nvs_model_string(struct model_value *value, uint32_t letters, uint32_t seed);
void nvs_model_blob(struct model_value *value, uint32_t length, uint32_t seed);

/* Sets (or, if it is not present, erases) that value with one call of the library. */
int nvs_model_call(struct lb_nvs *nvs, const struct model_setting *setting, const struct model_value *value);

/* The same until it is done, in at most `calls` calls. */
int nvs_model_set(struct lb_nvs *nvs, const struct model_setting *setting, const struct model_value *value);

/* Is that what the flash holds for this setting? */
bool nvs_model_holds(const struct lb_nvs *nvs, const struct model_setting *setting, const struct model_value *value);

/* All settings are right, but for the one of that number (MODEL_KEYS: none), and no others are listed. */
void nvs_model_check(const struct nvs_model *model, const struct lb_nvs *nvs, uint32_t but);

#endif
