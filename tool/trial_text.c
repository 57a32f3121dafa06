// SPDX-License-Identifier: MIT
#include "tool/trial_text.h"

#include <stdio.h>

#include "module/trial_report.h"

const char *trial_cause_name(uint32_t cause)
{
  static const char *const names[] = {"unknown", "crashed", "hung", "power", "operator", "no_depot"};
  return names[cause < sizeof(names) / sizeof(names[0]) ? cause : 0];
}

static const char *state_of(const struct lb_otadata *otadata, int index)
{
  const struct lb_trial *trial = &otadata->records[index].trial;
  if (!trial->tagged) {
    return NULL;
  }
  if (trial->rejected) {
    return "rejected";
  }
  if (lb_otadata_on_trial(otadata, index)) {
    return "on_trial";
  }
  return trial->confirmed && otadata->records[index].usable ? "confirmed" : NULL;
}

void trial_text(const struct lb_otadata *otadata, int index, char text[TRIAL_TEXT_SIZE])
{
  const struct lb_trial *trial = &otadata->records[index].trial;
  text[0] = '\0';
  if (!trial->tagged) {
    return;
  }
  if (trial->rejected) {
    (void)snprintf(text, TRIAL_TEXT_SIZE, "failed its trial: %s", trial_cause_text(trial->cause));
  } else if (lb_otadata_on_trial(otadata, index)) {
    (void)snprintf(text, TRIAL_TEXT_SIZE, "on trial, %u of %u attempts used", trial->failures, trial->attempts);
  } else if (state_of(otadata, index) != NULL) {
    (void)snprintf(text, TRIAL_TEXT_SIZE, "confirmed");
  }
}

cJSON *trial_json(const struct lb_otadata *otadata, int index)
{
  const struct lb_trial *trial = &otadata->records[index].trial;
  const char *state = state_of(otadata, index);
  if (state == NULL) {
    return cJSON_CreateNull();
  }
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "state", state);
  cJSON_AddNumberToObject(json, "attempts", trial->attempts);
  cJSON_AddNumberToObject(json, "failures", trial->failures);
  cJSON_AddItemToObject(json, "cause",
                        trial->rejected ? cJSON_CreateString(trial_cause_name((uint32_t)trial->cause))
                                        : cJSON_CreateNull());
  return json;
}
