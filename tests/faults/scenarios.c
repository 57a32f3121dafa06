// SPDX-License-Identifier: MIT
#include "tests/faults/scenarios.h"

#include <stddef.h>

static const struct scenario *const tables[] = {scenarios_update, scenarios_resume,   scenarios_select, scenarios_slots,
                                                scenarios_trial,  scenarios_fallback, scenarios_patch,  scenarios_real};

const struct scenario *scenario_at(uint32_t index)
{
  for (size_t table = 0; table < sizeof tables / sizeof tables[0]; table++) {
    for (const struct scenario *scenario = tables[table]; scenario->name; scenario++) {
      if (index-- == 0) {
        return scenario;
      }
    }
  }
  return NULL;
}
