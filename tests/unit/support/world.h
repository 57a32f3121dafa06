// SPDX-License-Identifier: MIT
/*
 * A whole module in the test's own process: simulated flash with the chip's times on the virtual clock, a network and
 * files that are bytes in memory, and two consoles.
 */
#ifndef TESTS_UNIT_SUPPORT_WORLD_H
#define TESTS_UNIT_SUPPORT_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/bootloader.h"
#include "module/console.h"
#include "ports/mbedtls/hash.h"
#include "ports/sim/flash.h"
#include "tests/unit/support/image_builder.h"

#define WORLD_LONGEST_US 150700U /* an erase of 64 KB, 150 ms, and a page, 0.7 ms */
#define WORLD_CONSOLES   2U
#define WORLD_TRANSFERS  3U
#define WORLD_FILE       "/sd/ovms3.bin" /* the one file there is: the image */

/* What the network and the files hand out: a run of bytes. */
struct port_transfer {
  const uint8_t *bytes;
  uint32_t length;
  uint32_t first; /* the byte that a part begins with; 0: all comes */
  uint32_t sent;  /* up to here */
  uint32_t polls;
  int status;
  int error;          /* instead of the byte at breaks_at; 0: none */
  uint32_t breaks_at; /* 0: there is not even a reply */
  const char *tag;
  bool at_once;
  bool open;
};

/* What the server has beside the image. */
struct world_served {
  const uint8_t *bytes; /* NULL: it has none, and answers 404 */
  uint32_t length;
  bool at_once;       /* all of it is there when the reply is */
  uint32_t asked;     /* so often */
  uint32_t failing;   /* the next so many requests are answered with */
  int status;         /* this status, or 200 and then */
  int error;          /* this error, */
  uint32_t breaks_at; /* behind so many bytes */
};

struct port_file {
  const struct built_image *image;
  uint32_t read;
  bool open;
};

struct world_console {
  struct console console;
  char output[8192];
  size_t output_length;
};

struct world {
  struct sim_clock clock;
  struct sim_flash flash;
  struct built_image image;  /* what the server and the file have */
  const char *version;       /* what the server says of it, with the changelog; NULL: it has no version file */
  const char *tag;           /* its strong validator of whatever it has, with quotes; NULL: none, and no parts either */
  struct world_served list;  /* of patches, beside the image; none at first */
  struct world_served patch; /* the file with any name that ends so */
  uint32_t image_asked;      /* how often the image was, or a part of it */
  bool link;                 /* there is a network */
  struct port_transfer transfers[WORLD_TRANSFERS];
  struct port_file file;
  struct port_network network;
  struct port_files files;
  struct mbedtls_hash hash_contexts[4];
  struct lb_hash hashes[4];
  struct port port;
  struct bootloader bootloader;
  struct module_uptime uptime;
  struct module module;
  struct world_console consoles[WORLD_CONSOLES];
};

/* A module of the layout with factory or the one without; all slots are blank. Allocate it with unit_allocate. */
void world_open(struct world *world, bool factory);
void world_close(struct world *world);

/* The image that the server and the file have from now on. */
void world_offer(struct world *world, uint32_t seed, uint32_t size, const char *version);

/* Puts an image into a slot, and something else behind it that an update has to erase. */
void world_put_image(struct world *world, uint32_t address, uint32_t size, uint32_t seed);

/* Through the bootloader into a firmware with fresh consoles, without taking simulated time. `expected` has to boot. */
void world_boot(struct world *world, const char *expected);

/* Begins a line on a console, or does its next step, and forgets or keeps what it has said before. */
int world_execute(struct world *world, unsigned console, const char *line);
int world_poll(struct world *world, unsigned console);

/*
 * Runs a command to its end on the first console, as the virtual module does; `expected` is its result. Fails the test
 * if any step takes longer than WORLD_LONGEST_US. Returns the simulated time that it took, in microseconds.
 */
uint64_t world_run(struct world *world, const char *line, int expected);

/* The same on any of the consoles. */
uint64_t world_run_on(struct world *world, unsigned console, const char *line, int expected);

/* Has a console said that since its last line began? Or not? Or just that? */
void world_assert_said(const struct world *world, unsigned console, const char *text);
void world_assert_never_said(const struct world *world, unsigned console, const char *text);
void world_assert_output(const struct world *world, unsigned console, const char *text);

/* No step since the last world_boot has taken too long, no rule of the flash was broken, nothing is left open. */
void world_assert_quiet(const struct world *world);

#endif
