// SPDX-License-Identifier: MIT
/* What `lifeboat depot publish` tells about patches. */
#ifndef TOOL_DEPOT_PATCH_REPORT_H
#define TOOL_DEPOT_PATCH_REPORT_H

#include <cjson/cJSON.h>

#include "tool/depot_patches.h"

/* A line for each that was made now, kept or not. */
void depot_patch_report_text(const struct depot_patches *patches);

/* An array of all: those that were there before, those that were made now, kept or not. */
cJSON *depot_patch_report_json(const struct depot_patches *patches);

#endif
