// SPDX-License-Identifier: MIT
#include "tests/unit/support/nvs_model.h"

#define CALLS_MAX 200

static uint8_t buffer[MODEL_DATA_MAX];

uint32_t nvs_model_add(struct nvs_model *model, const char *space, const char *key)
{
  struct model_setting *setting = &model->settings[model->count];

  assert_true(model->count < MODEL_KEYS);
  memset(setting, 0, sizeof(*setting));
  (void)snprintf(setting->space, sizeof(setting->space), "%s", space);
  (void)snprintf(setting->key, sizeof(setting->key), "%s", key);
  return model->count++;
}

void nvs_model_integer(struct model_value *value, enum lb_nvs_type type, uint64_t bits)
{
  memset(value, 0, sizeof(*value));
  value->present = true;
  value->type = type;
  value->bits = bits;
}

void nvs_model_string(struct model_value *value, uint32_t letters, uint32_t seed)
{
  struct unit_random random = {seed};

  memset(value, 0, sizeof(*value));
  assert_true(letters < MODEL_DATA_MAX);
  value->present = true;
  value->type = LB_NVS_STRING;
  value->length = letters + 1;
  for (uint32_t i = 0; i < letters; i++) {
    value->data[i] = (uint8_t)('a' + unit_random_below(&random, 26));
  }
}

void nvs_model_blob(struct model_value *value, uint32_t length, uint32_t seed)
{
  struct unit_random random = {seed};

  memset(value, 0, sizeof(*value));
  assert_true(length <= MODEL_DATA_MAX);
  value->present = true;
  value->type = LB_NVS_BLOB;
  value->length = length;
  unit_random_fill(&random, value->data, length);
}

int nvs_model_call(struct lb_nvs *nvs, const struct model_setting *setting, const struct model_value *value)
{
  if (!value->present) {
    return lb_nvs_erase_key(nvs, setting->space, setting->key);
  }
  switch (value->type) {
  case LB_NVS_STRING:
    return lb_nvs_set_string(nvs, setting->space, setting->key, (const char *)value->data);
  case LB_NVS_BLOB:
    return lb_nvs_set_blob(nvs, setting->space, setting->key, value->data, value->length);
  default:
    return lb_nvs_set_integer(nvs, setting->space, setting->key, value->type, value->bits);
  }
}

int nvs_model_set(struct lb_nvs *nvs, const struct model_setting *setting, const struct model_value *value)
{
  for (int i = 0; i < CALLS_MAX; i++) {
    int result = nvs_model_call(nvs, setting, value);

    if (result != LB_MORE) {
      return result;
    }
  }
  fail_here("%s.%s: LB_MORE without end", setting->space, setting->key);
  return LB_MORE;
}

/* The result of getting what `value` is, and whether it is equal. */
static int get(const struct lb_nvs *nvs, const struct model_setting *setting, const struct model_value *value,
               bool *equal)
{
  uint32_t length = 0;
  uint64_t bits = 0;
  int result;

  switch (value->type) {
  case LB_NVS_STRING:
    result = lb_nvs_get_string(nvs, setting->space, setting->key, (char *)buffer, sizeof(buffer), &length);
    break;
  case LB_NVS_BLOB:
    result = lb_nvs_get_blob(nvs, setting->space, setting->key, buffer, sizeof(buffer), &length);
    break;
  default:
    result = lb_nvs_get_integer(nvs, setting->space, setting->key, value->type, &bits);
    *equal = bits == value->bits;
    return result;
  }
  *equal = length == value->length && memcmp(buffer, value->data, length) == 0;
  return result;
}

bool nvs_model_holds(const struct lb_nvs *nvs, const struct model_setting *setting, const struct model_value *value)
{
  bool equal = false;
  uint64_t bits = 0;

  if (!value->present) {
    return lb_nvs_get_integer(nvs, setting->space, setting->key, LB_NVS_U8, &bits) == LB_ERR_NVS_NOT_FOUND;
  }
  return get(nvs, setting, value, &equal) == LB_OK && equal;
}

static uint32_t find(const struct nvs_model *model, const struct lb_nvs_entry *entry)
{
  for (uint32_t i = 0; i < model->count; i++) {
    if (strcmp(model->settings[i].space, entry->namespace_name) == 0 &&
        strcmp(model->settings[i].key, entry->key) == 0) {
      return i;
    }
  }
  fail_here("%s.%s is listed, but was never set", entry->namespace_name, entry->key);
  return 0;
}

static void check_list(const struct nvs_model *model, const struct lb_nvs *nvs, uint32_t but)
{
  bool listed[MODEL_KEYS] = {false};
  struct lb_nvs_entry entry;
  int result;

  for (result = lb_nvs_first(nvs, &entry); result == LB_OK; result = lb_nvs_next(nvs, &entry)) {
    uint32_t number = find(model, &entry);
    const struct model_value *value = &model->settings[number].value;

    if (listed[number]) {
      fail_here("%s.%s is listed twice", entry.namespace_name, entry.key);
    }
    listed[number] = true;
    if (number != but) {
      assert_int_equal(entry.type, value->type);
      assert_int_equal(entry.size,
                       value->length > 0 || value->type == LB_NVS_BLOB ? value->length : (uint32_t)value->type & 15U);
    }
  }
  assert_result(result, LB_ERR_NVS_NOT_FOUND);
  for (uint32_t i = 0; i < model->count; i++) {
    if (i != but && listed[i] != model->settings[i].value.present) {
      fail_here("%s.%s is %slisted", model->settings[i].space, model->settings[i].key, listed[i] ? "" : "not ");
    }
  }
}

void nvs_model_check(const struct nvs_model *model, const struct lb_nvs *nvs, uint32_t but)
{
  for (uint32_t i = 0; i < model->count; i++) {
    const struct model_setting *setting = &model->settings[i];

    if (i != but && !nvs_model_holds(nvs, setting, &setting->value)) {
      fail_here("%s.%s does not have its value (type 0x%x, %u bytes)", setting->space, setting->key,
                (unsigned)setting->value.type, setting->value.length);
    }
  }
  check_list(model, nvs, but);
}
