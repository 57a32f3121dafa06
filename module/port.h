// SPDX-License-Identifier: MIT
/*
 * What the module's firmware asks of the board it runs on, besides the flash: a clock, files, a network. Each is a
 * small struct of functions that the port fills. The module has no threads: no function blocks longer than it says.
 *
 * Functions return LB_OK, LB_MORE (nothing yet, call again), an LB_ERR_... of the library or a PORT_ERR_... below.
 */
#ifndef MODULE_PORT_H
#define MODULE_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/device.h"
#include "lifeboat/error.h"

enum port_error {
  /* files */
  PORT_ERR_FILE_NOT_FOUND = -200,
  PORT_ERR_FILE_PERMISSION = -201,
  PORT_ERR_FILE_IS_DIRECTORY = -202,
  PORT_ERR_FILE_NOT_DIRECTORY = -203,
  PORT_ERR_FILE_OUTSIDE = -204,  /* the path or a link in it leaves its mount */
  PORT_ERR_FILE_NO_MOUNT = -205, /* nothing is mounted there */
  PORT_ERR_FILE_IO = -206,
  PORT_ERR_FILE_EXISTS = -207, /* something has that name already */
  PORT_ERR_FILE_NO_ROOM = -208,
  PORT_ERR_FILE_OTHER_MOUNT = -209, /* a file cannot be renamed from one mount to another */
  PORT_ERR_FILE_READ_ONLY = -210,   /* this port cannot change files */
  PORT_ERR_FILE_SYSTEM = -211,      /* there is a card, but nothing on it that the port can read */
  PORT_ERR_FILE_NAME = -212,        /* a file cannot have that name */
  PORT_ERR_FILE_BUSY = -213,        /* as many files are open as can be */
  /* network */
  PORT_ERR_LINK_DOWN = -220,
  PORT_ERR_URL = -221,       /* no URL, or a scheme other than http and https */
  PORT_ERR_NAME = -222,      /* the host name has no address */
  PORT_ERR_CONNECT = -223,   /* nobody accepts the connection */
  PORT_ERR_TIMEOUT = -224,   /* nothing came for PORT_NETWORK_TIMEOUT_MS */
  PORT_ERR_CLOSED = -225,    /* the server hung up before the announced length */
  PORT_ERR_TOO_MUCH = -226,  /* the server sent more than it announced */
  PORT_ERR_PROTOCOL = -227,  /* the answer is no HTTP */
  PORT_ERR_REDIRECTS = -228, /* more than PORT_NETWORK_REDIRECTS, or in a circle */
  PORT_ERR_DOWNGRADE = -229, /* https redirects to something else */
  PORT_ERR_TLS_CA = -230,    /* the certificate is not signed by a known authority, or has expired */
  PORT_ERR_TLS_HOST = -231,  /* the certificate is for another name */
  PORT_ERR_TLS = -232,       /* any other failure of TLS */
  PORT_ERR_SSID = -234,      /* the name of a network is too long */
  PORT_ERR_BUSY = -233,      /* all transfers are in use */
  PORT_ERR_SLOW = -235,      /* bytes trickle, less than 1 KB in five times PORT_NETWORK_TIMEOUT_MS */
  PORT_ERR_NO_TLS = -236,    /* https, and this board has no TLS */
};

/* What the module itself refuses, beside what the library and the port do. */
enum module_error {
  MODULE_ERR_LINE_TOO_LONG = -240,
  MODULE_ERR_COMMAND = -241, /* no such command, or an ambiguous one */
  MODULE_ERR_USAGE = -242,
  MODULE_ERR_UPDATE_RUNNING = -243,
  MODULE_ERR_STATUS = -244,    /* the server answered with another status than 200 */
  MODULE_ERR_NO_LENGTH = -245, /* the server announced no length */
  MODULE_ERR_TOO_SMALL = -246, /* fewer than 1024 bytes */
  MODULE_ERR_CANCELLED = -247,
  MODULE_ERR_SETTING = -248, /* that setting does not take such a value */
  MODULE_ERR_RESET = -249,   /* a command was under way when the module was reset */
  MODULE_ERR_BASE = -250,    /* the image that a patch is made for is there, but damaged */
  MODULE_ERR_PATCH = -251    /* the patch makes another image than its list says */
};

/* ---- time ---- */

struct port_clock {
  void *context;
  uint64_t (*now_ms)(void *context); /* since power-on, never going back */
  /* Seconds since 1970, UTC; 0 while the module does not know the time. */
  int64_t (*utc)(void *context);
  /* Nothing to do: waits until something may have happened, at most `ms`. */
  void (*idle)(void *context, uint32_t ms);
};

/* ---- files: /sd and /store ---- */

struct port_file; /* the port's own */

struct port_file_info {
  uint64_t size;
  int64_t modified; /* seconds since 1970, UTC; 0 where unknown */
  bool is_directory;
};

struct port_files {
  void *context;
  /* Opens a file for reading and describes it. A path is absolute and begins with a mount: "/sd/ovms3.bin". */
  int (*open)(void *context, const char *path, struct port_file **file, struct port_file_info *info);
  /* Reads up to `capacity` bytes, which is at most 4096; `*got` is 0 at the end of the file. */
  int (*read)(struct port_file *file, void *buffer, uint32_t capacity, uint32_t *got);
  void (*close)(struct port_file *file);
  int (*stat)(void *context, const char *path, struct port_file_info *info);
  /* Calls `entry` for each name in a directory, sorted by name, as far as the port has room; "/" lists the mounts. */
  int (*list)(void *context, const char *path,
              void (*entry)(void *entry_context, const char *name, const struct port_file_info *info),
              void *entry_context);
  /* Makes a new file for writing. PORT_ERR_FILE_EXISTS, PORT_ERR_FILE_READ_ONLY. */
  int (*create)(void *context, const char *path, struct port_file **file);
  /* Writes all of at most 4096 bytes behind what was written. PORT_ERR_FILE_NO_ROOM, PORT_ERR_FILE_IO. */
  int (*write)(struct port_file *file, const void *data, uint32_t length);
  /* Makes sure that what was written outlasts a power cut; the file is then closed as any other. */
  int (*commit)(struct port_file *file);
  /* Removes a file, not a directory. */
  int (*remove)(void *context, const char *path);
  /* Gives a file another name on the same mount, never one that exists. */
  int (*rename)(void *context, const char *from, const char *to);
};

/* ---- network: HTTP and HTTPS ---- */

#define PORT_NETWORK_TIMEOUT_MS 60000U /* without a single byte */
#define PORT_NETWORK_REDIRECTS  5U

struct port_transfer; /* the port's own */

#define PORT_HTTP_OK        200
#define PORT_HTTP_PARTIAL   206  /* the answer to a request of a range */
#define PORT_HTTP_NO_PART   416  /* there is no such range */
#define PORT_VALIDATOR_SIZE 128U /* bytes of a validator with its NUL */

struct port_request {
  const char *url;
  uint64_t first;        /* byte of the body to begin with; 0: all of it, and no range is asked for */
  const char *validator; /* with first > 0: If-Range, a strong ETag with its quotes */
};

struct port_reply {
  int status;      /* of the final answer, behind redirects: 200, 206 */
  bool has_length; /* the server announced one */
  uint64_t length; /* bytes of the body */
  bool has_range;  /* Content-Range: bytes first-last/total, all three given and consistent with `length` */
  uint64_t first;
  uint64_t total;
  bool weak;                           /* there is only a weak validator */
  char validator[PORT_VALIDATOR_SIZE]; /* the strong ETag with its quotes; "" if there is none, or it is too long */
};

struct port_network {
  void *context;
  bool (*is_up)(void *context);
  /* Takes the link up (to the named network; "" keeps the name) or down. */
  int (*set_link)(void *context, bool up, const char *ssid);
  /* The name of the network, "" if there is none. */
  const char *(*ssid)(void *context);
  /*
   * Begins a GET; `request` is copied. Redirects are followed; https never becomes anything else; certificates are
   * checked.
   * PORT_ERR_LINK_DOWN, PORT_ERR_URL, PORT_ERR_BUSY, LB_ERR_ARGUMENT for a part without a strong validator; whatever
   * takes time is reported by reply or read.
   */
  int (*open)(void *context, const struct port_request *request, struct port_transfer **transfer);
  /* LB_MORE until the final answer's headers are there, then LB_OK. Does not block. */
  int (*reply)(struct port_transfer *transfer, struct port_reply *reply);
  /*
   * Up to `capacity` bytes of the body. LB_MORE: `*got` bytes (0: none yet) and the end has not been seen; LB_OK:
   * `*got` bytes, and they are the last, as many as announced. Does not block.
   */
  int (*read)(struct port_transfer *transfer, void *buffer, uint32_t capacity, uint32_t *got);
  void (*close)(struct port_transfer *transfer); /* at any time; the transfer is gone then */
};

/* ---- all of it ---- */

/* Called by the flash driver again and again while the chip is busy, so that the network is drained meanwhile. */
struct port_idle {
  void (*poll)(void *context); /* NULL: nobody is interested */
  void *context;
};

struct command; /* module/command.h */

struct port {
  const struct lb_flash *flash;
  const struct lb_hash *sha256;       /* for the update and for selecting */
  const struct lb_hash *sha256_other; /* for whatever runs beside them */
  const struct lb_hash *sha256_patch; /* for applying a patch, beside the update's own; NULL: none can be applied */
  const struct lb_hash *md5;
  const struct lb_chip *chip;
  uint16_t revision;
  const struct port_clock *clock;
  const struct port_files *files;
  const struct port_network *network;
  uint32_t seed;          /* different on each module and at each start, for the jitter of pauses */
  struct port_idle *idle; /* the module's to fill, the flash driver's to call; NULL if the driver cannot */
  /* What this product's console has beside the module's commands; in any order. The module's cannot be replaced. */
  const struct command *commands; /* NULL: none */
  uint32_t command_count;
};

#endif
