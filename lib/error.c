// SPDX-License-Identifier: MIT
#include "lifeboat/error.h"

#include "lib/error_rows.h"

#define ROW(...) LB_ERROR_ROW(__VA_ARGS__),

/* clang-format off */
static const struct lb_error_info errors[] = {
    LB_ERRORS_OTHER(ROW)
    LB_ERRORS_HALTING(ROW)
    LB_ERRORS_BOOTING(ROW)
};
/* clang-format on */

#define COUNT    (sizeof errors / sizeof errors[0])

static const struct lb_error_info unknown = {LB_ERR_STATE, "unknown", UNKNOWN_ERROR, REPORT, LB_ESP_FAIL};

bool lb_error_is_of_image(int code)
{
  return (code <= LB_ERR_IMAGE_MAGIC && code >= LB_ERR_IMAGE_PROJECT) || code == LB_ERR_IMAGE_LOAD;
}

bool lb_error_is_of_patch(int code)
{
  return code <= LB_ERR_PATCH_MAGIC && code >= LB_ERR_PATCH_TOO_LONG;
}

unsigned lb_error_count(void)
{
  return (unsigned)COUNT;
}

const struct lb_error_info *lb_error_at(unsigned index)
{
  return index < COUNT ? &errors[index] : &unknown;
}

const struct lb_error_info *lb_error_info(int code)
{
  for (unsigned i = 0; i < COUNT; i++) {
    if (errors[i].code == code) {
      return &errors[i];
    }
  }
  return &unknown;
}
