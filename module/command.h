// SPDX-License-Identifier: MIT
/*
 * The commands of the console: lines are executed, completed and explained from one view of the module's own and of
 * those that a product adds (struct port).
 */
#ifndef MODULE_COMMAND_H
#define MODULE_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/erase.h"
#include "lifeboat/otadata.h"
#include "lifeboat/select.h"
#include "module/depot_lookup.h"
#include "module/port.h"

struct console;

/* What an argument is, for completion. */
enum command_argument {
  COMMAND_NOTHING,
  COMMAND_TEXT,     /* free */
  COMMAND_SLOT,     /* factory, ota_0 ... */
  COMMAND_FILE,     /* a path on a mount */
  COMMAND_TO,       /* the word "to", then a slot; or "force" */
  COMMAND_FORCE,    /* the word "force"; behind "to" a slot */
  COMMAND_STATUS,   /* nocheck or full */
  COMMAND_PARAM,    /* the first word of a setting */
  COMMAND_INSTANCE, /* its second */
  COMMAND_URL,      /* the last one that was flashed from, or "to", or "force" */
};

#define COMMAND_WORDS     3U
#define COMMAND_ARGUMENTS 4U

struct command {
  const char *words[COMMAND_WORDS]; /* "ota", "flash", "http"; unused ones NULL */
  const char *arguments;            /* as shown to people: "[URL] [to SLOT] [force]" */
  const char *summary;
  uint8_t least; /* arguments it needs */
  uint8_t most;
  enum command_argument kinds[COMMAND_ARGUMENTS];
  /*
   * Begins the command. argv[0] to argv[argc - 1] are the words behind the command's own, argv[argc] is NULL; they stay
   * until the command ends. LB_OK: done. LB_MORE: console->job has been filled. Else it failed and has said so.
   */
  int (*start)(struct console *console, int argc, char **argv);
};

/* The module's own, sorted by their words. */
extern const struct command commands[];
extern const uint32_t command_count;

/* The result of looking a line's words up. */
enum command_match { COMMAND_FOUND, COMMAND_UNKNOWN, COMMAND_AMBIGUOUS, COMMAND_INCOMPLETE };

/*
 * Looks up the command that the first words mean; each may be abbreviated as long as it is unambiguous. Tells in
 * `*words` how many words it has: the arguments follow.
 */
enum command_match command_find(const struct port *port, int argc, char *const *argv, const struct command **command,
                                uint32_t *words);

/*
 * Walks over all commands that the first `argc` words can mean, sorted by their words: begins with `after` NULL, ends
 * with NULL. A word that is given whole does not mean a longer one that begins so. A product's command that is one of
 * the module's, begins one or goes on from one is left out.
 */
const struct command *command_next(const struct port *port, const struct command *after, int argc, char *const *argv);

/* Can the command be what the first `argc` words begin? */
bool command_fits(const struct command *command, int argc, char *const *argv);

/* Finds the app slot of that name for a command, and says so if there is none. LB_ERR_NOT_FOUND. */
int command_find_slot(struct console *console, const char *name, struct lb_partition *slot);

#define COMMAND_USAGE_SIZE 64U

/* Writes the words of the command and its arguments: "ota flash vfs FILE [to SLOT] [force]". */
void command_usage(const struct command *command, char usage[COMMAND_USAGE_SIZE]);

/* How many words the command has. */
uint32_t command_word_count(const struct command *command);

/* ---- the commands that take time ---- */

/* `ota status`: asks the depot for its version; with `full` it then reads all slots. */
struct status_job {
  bool full;
  bool told;     /* the lines of the plain status have been printed */
  uint32_t slot; /* of full: the app slot that is looked at */
  bool verifying;
  struct lb_verify verify;
  bool nocheck; /* the depot is not asked */
  struct depot_lookup lookup;
};

#define COPY_PATH_SIZE 256U

/* `vfs cat` and `vfs cp`: a file is read to its end, to the console or into another one. */
struct copy_job {
  struct port_file *from;
  struct port_file *to;            /* NULL: to the console */
  unsigned char last;              /* byte that was shown */
  char path[COPY_PATH_SIZE];       /* of the target */
  char unfinished[COPY_PATH_SIZE]; /* the name it has until it is whole */
};

/* `config set` and `config rm`. */
struct config_job {
  const char *param;
  const char *instance;
  const char *value; /* NULL: remove */
};

/* `ota history`. */
struct history_job {
  uint32_t below; /* entries from this number on have been printed */
};

/* `ota reject`: what boots instead is looked for first. */
struct reject_job {
  struct lb_otadata otadata;
  struct lb_partition fallback; /* what was confirmed last */
  int fallback_error;           /* why that does not boot, or LB_OK */
  uint32_t index;               /* of the candidate: 0 is the fallback, then the app slots */
  bool verifying;
  struct lb_verify verify; /* of the candidate */
};

struct command_job {
  int (*step)(struct console *console); /* NULL: no command is under way */
  void (*cancel)(struct console *console);
  bool waiting;     /* nothing to do until something comes from the network */
  uint32_t wait_ms; /* then: nothing comes, but so much time has to pass; 0: it is not waiting for the time alone */
  union {
    struct status_job status;
    struct lb_select select; /* `ota boot` */
    struct lb_erase erase;   /* `ota erase` */
    struct copy_job copy;
    struct config_job config;
    struct history_job history;
    struct reject_job reject; /* `ota reject` */
    uint64_t wait_until_ms;   /* `module wait` */
  } state;
};

/* The commands' beginnings, each in the file of its first word. */
int config_list_start(struct console *console, int argc, char **argv);
int config_set_start(struct console *console, int argc, char **argv);
int config_rm_start(struct console *console, int argc, char **argv);
int ota_history_start(struct console *console, int argc, char **argv);
int ota_status_start(struct console *console, int argc, char **argv);
int ota_confirm_start(struct console *console, int argc, char **argv);
int ota_reject_start(struct console *console, int argc, char **argv);
int ota_copy_start(struct console *console, int argc, char **argv);
int ota_erase_start(struct console *console, int argc, char **argv);
int ota_partitions_start(struct console *console, int argc, char **argv);
int ota_boot_start(struct console *console, int argc, char **argv);
int ota_flash_http_start(struct console *console, int argc, char **argv);
int ota_flash_vfs_start(struct console *console, int argc, char **argv);
int module_reset_start(struct console *console, int argc, char **argv);
int module_wait_start(struct console *console, int argc, char **argv);
int boot_status_start(struct console *console, int argc, char **argv);
int wifi_status_start(struct console *console, int argc, char **argv);
int wifi_client_start(struct console *console, int argc, char **argv);
int wifi_off_start(struct console *console, int argc, char **argv);
int vfs_ls_start(struct console *console, int argc, char **argv);
int vfs_cat_start(struct console *console, int argc, char **argv);
int vfs_cp_start(struct console *console, int argc, char **argv);
int vfs_mv_start(struct console *console, int argc, char **argv);
int vfs_rm_start(struct console *console, int argc, char **argv);
int vfs_stat_start(struct console *console, int argc, char **argv);
int help_start(struct console *console, int argc, char **argv);
int exit_start(struct console *console, int argc, char **argv);

#endif
