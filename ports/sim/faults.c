// SPDX-License-Identifier: MIT
#include "ports/sim/faults.h"

#include <stddef.h>
#include <string.h>

static const char *const kinds[] = {
    [FAULT_CRASH_AT_START] = "crash-at-start",
    [FAULT_CRASH_AFTER] = "crash-after:",
    [FAULT_HANG] = "hang",
    [FAULT_NO_NETWORK] = "no-network",
};

#define KINDS (sizeof kinds / sizeof kinds[0])

static bool take_seconds(struct fault *fault, const char *text)
{
  const char *at = text;
  for (; *at >= '0' && *at <= '9' && fault->seconds <= FAULT_SECONDS_MAX; at++) {
    fault->seconds = fault->seconds * 10U + (uint32_t)(*at - '0');
  }
  return at != text && *at == '\0' && fault->seconds >= 1 && fault->seconds <= FAULT_SECONDS_MAX;
}

static bool take_kind(struct fault *fault, const char *text)
{
  for (size_t i = 0; i < KINDS; i++) {
    const size_t length = strlen(kinds[i]);
    fault->kind = (enum fault_kind)i;
    if (fault->kind == FAULT_CRASH_AFTER && strncmp(text, kinds[i], length) == 0) {
      return take_seconds(fault, text + length);
    }
    if (fault->kind != FAULT_CRASH_AFTER && strcmp(text, kinds[i]) == 0) {
      return true;
    }
  }
  return false;
}

const char *faults_add(struct faults *faults, const char *text)
{
  struct fault fault = {.seconds = 0};
  const size_t length = strcspn(text, "=");
  if (length == 0 || length >= sizeof fault.slot || text[length] != '=') {
    return "it is not SLOT=FAULT, like ota_1=crash-at-start";
  }
  memcpy(fault.slot, text, length);
  if (!take_kind(&fault, text + length + 1)) {
    return "the fault is one of crash-at-start, crash-after:SECONDS (1 to 604800), hang, no-network";
  }
  if (faults->count == FAULTS_MOST) {
    return "there are too many of them";
  }
  faults->list[faults->count++] = fault;
  return NULL;
}

const struct fault *faults_find(const struct faults *faults, const char *slot, enum fault_kind kind)
{
  for (unsigned i = 0; i < faults->count; i++) {
    if (faults->list[i].kind == kind && strcmp(faults->list[i].slot, slot) == 0) {
      return &faults->list[i];
    }
  }
  return NULL;
}

const char *faults_wrong_slot(const struct faults *faults, const struct lb_table *table)
{
  struct lb_partition slot;
  for (unsigned i = 0; i < faults->count; i++) {
    if (lb_table_find_label(table, faults->list[i].slot, &slot) != LB_OK || slot.type != LB_TYPE_APP) {
      return faults->list[i].slot;
    }
  }
  return NULL;
}

/* ---- no network ---- */

static bool is_never_up(void *context)
{
  (void)context;
  return false;
}

static int set_no_link(void *context, bool up, const char *ssid)
{
  (void)context;
  (void)up;
  (void)ssid;
  return LB_OK;
}

static int open_nothing(void *context, const struct port_request *request, struct port_transfer **transfer)
{
  (void)context;
  (void)request;
  (void)transfer;
  return PORT_ERR_LINK_DOWN;
}

const struct port_network *faults_no_network(struct port_network *room, const struct port_network *real)
{
  *room = *real;
  room->is_up = is_never_up;
  room->set_link = set_no_link;
  room->open = open_nothing;
  return room;
}
