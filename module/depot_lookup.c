// SPDX-License-Identifier: MIT
#include "module/depot_lookup.h"

#include <stddef.h>

#include "module/depot.h"
#include "module/port_error.h"
#include "module/source.h"

static uint64_t now_ms(const struct depot_lookup *lookup)
{
  const struct port_clock *clock = lookup->port->clock;
  return clock->now_ms(clock->context);
}

void depot_lookup_start(struct depot_lookup *lookup, struct module *module)
{
  const struct port_network *network = module->port->network;
  char url[SOURCE_NAME_SIZE];
  const struct port_request request = {.url = url};
  *lookup = (struct depot_lookup){.port = module->port};
  lookup->give_up_ms = now_ms(lookup) + DEPOT_LOOKUP_MS;
  lookup->error = network->is_up(network->context) ? LB_OK : PORT_ERR_LINK_DOWN;
  if (lookup->error == LB_OK && depot_url(module, url, sizeof url, "ovms3.ver") >= sizeof url) {
    lookup->error = PORT_ERR_URL;
  }
  if (lookup->error == LB_OK) {
    lookup->error = network->open(network->context, &request, &lookup->transfer);
  }
  if (lookup->error != LB_OK) {
    lookup->transfer = NULL;
  }
}

void depot_lookup_stop(struct depot_lookup *lookup)
{
  if (lookup->transfer) {
    lookup->port->network->close(lookup->transfer);
    lookup->transfer = NULL;
  }
}

/* Reads the start of the version file. LB_MORE, LB_OK: lookup->text holds what there is; or why there is nothing. */
static int read_version(struct depot_lookup *lookup)
{
  const struct port_network *network = lookup->port->network;
  struct port_reply reply;
  if (!lookup->replied) {
    int result = network->reply(lookup->transfer, &reply);
    if (result != LB_OK) {
      return result;
    }
    lookup->replied = true;
    if (reply.status != PORT_HTTP_OK) {
      return MODULE_ERR_STATUS;
    }
  }
  uint32_t got = 0;
  uint32_t room = DEPOT_LOOKUP_SIZE - 1U - lookup->length;
  int result = network->read(lookup->transfer, lookup->text + lookup->length, room, &got);
  lookup->length += got;
  lookup->text[lookup->length] = '\0';
  if (result == LB_MORE) {
    return got == room ? LB_OK : LB_MORE; /* as much as a version needs: the changelog is not read */
  }
  return result;
}

static bool has_line(const char *text)
{
  while (*text != '\0' && *text != '\n') {
    text++;
  }
  return *text == '\n';
}

int depot_lookup_step(struct depot_lookup *lookup)
{
  int result = lookup->transfer ? read_version(lookup) : lookup->error;
  if (result == LB_MORE && now_ms(lookup) < lookup->give_up_ms) {
    return LB_MORE;
  }
  bool whole = lookup->length < DEPOT_LOOKUP_SIZE - 1U || has_line(lookup->text);
  depot_lookup_stop(lookup);
  if (result == LB_OK && whole && depot_take_version(lookup->text)) {
    return LB_OK;
  }
  lookup->unknown = result == LB_OK     ? "the server's answer is no version"
                    : result == LB_MORE ? "the server did not answer in time"
                                        : module_error_info(result)->cause;
  return LB_ERR_NOT_FOUND;
}
