// SPDX-License-Identifier: MIT
/*
 * A module at the end of a bad link: the whole firmware with the virtual module's own network, a small flash in memory,
 * and the virtual clock, which runs only when both ends have nothing to do.
 */
#ifndef TESTS_NETWORK_MODULE_ON_LINK_H
#define TESTS_NETWORK_MODULE_ON_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/bootloader.h"
#include "module/console.h"
#include "ports/mbedtls/hash.h"
#include "ports/sim/flash.h"
#include "ports/sim/network.h"
#include "tests/network/peer.h"

#define LINK_OUTPUT_SIZE 65536U
#define LINK_SOURCE      "http://depot.test/ovms3.bin"

struct module_on_link {
  struct sim_clock clock;
  struct sim_flash flash;
  struct sim_network *network;
  struct port_network counted; /* the network, with its bytes counted */
  struct mbedtls_hash hash_contexts[4];
  struct lb_hash hashes[4];
  struct port_files no_files;
  struct port port;
  struct lb_table table; /* as it was made */
  struct bootloader bootloader;
  struct module_uptime uptime;
  struct module module;
  struct console console;
  char output[LINK_OUTPUT_SIZE]; /* of the last line */
  size_t output_length;
  bool output_overflowed; /* something of it was dropped: what is not found there may have been said */
};

/* Bytes of images that the module has taken from its network, over all transfers; versions are not counted. */
extern uint64_t module_on_link_received;

/* What runs: factory, with blank slots; or ota_0, confirmed, with an older image in ota_1. */
enum module_state { MODULE_FROM_FACTORY, MODULE_FROM_SLOT };

/* False if the system does not let it. It is in the first state then, and sim_flash_rewind goes back to it. */
bool module_on_link_open(struct module_on_link *link, struct peer *peer, const struct built_image *old,
                         enum module_state state);

/* Can it apply patches, from its next boot on? At first it cannot. */
void module_on_link_take_patches(struct module_on_link *link, bool takes);

/* Power on. What lb_boot says; LB_OK: the firmware runs. */
int module_on_link_boot(struct module_on_link *link);

/* The power goes, with everything that was under way. */
void module_on_link_power_off(struct module_on_link *link);

/* A partition by its label. */
struct lb_partition module_on_link_partition(const struct module_on_link *link, const char *label);

#endif
