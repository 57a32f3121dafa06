// SPDX-License-Identifier: MIT
#include "tool/patch/make.h"

const char *patch_error_text(int error)
{
  switch (error) {
  case PATCH_NO_MEMORY:
    return "there is not enough memory";
  case PATCH_INPUT_TOO_LONG:
    return "it is longer than 16 MB, the most that a patch is made from or to";
  case PATCH_CANCELLED:
    return "interrupted";
  case PATCH_NOT_REPRODUCED:
    return "the patch does not give the result when it is applied - report this as a defect";
  default:
    return lb_error_info(error)->cause;
  }
}

const char *patch_walker_name(uint8_t walker)
{
  static const char *const names[LB_PATCH_WALKERS] = {
      [LB_PATCH_WALKER_NONE] = "none", [LB_PATCH_WALKER_XTENSA] = "Xtensa", [LB_PATCH_WALKER_RISCV] = "RISC-V"};
  return walker < LB_PATCH_WALKERS ? names[walker] : "unknown";
}

const char *patch_profile_name(uint8_t profile)
{
  return profile == LB_PATCH_PROFILE_DEFAULT ? "default" : profile == LB_PATCH_PROFILE_SMALL ? "small" : "unknown";
}
