// SPDX-License-Identifier: MIT
/* `lifeboat depot serve`: an HTTP server for a depot, until a signal ends it. */
#define _GNU_SOURCE /* sigwait, O_DIRECTORY */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool/commands.h"
#include "tool/depot_answer.h"
#include "tool/depot_listen.h"
#include "tool/depot_path.h"
#include "tool/options.h"
#include "tool/report.h"

#define CONNECTIONS_MAX    400U /* a socket and a file each, of the 1024 descriptors that a process usually has */
#define CONNECTION_TIMEOUT 60U  /* seconds without a byte */

struct serve_options {
  const char *folder;
  struct depot_listen listen;
  char prefix[DEPOT_PATH_SIZE]; /* "firmware/ota" */
};

static int parse_options(int argc, char **argv, struct serve_options *options)
{
  static const struct option table[] = {
      {"listen", required_argument, NULL, 'l'}, {"prefix", required_argument, NULL, 'p'}, {0}};
  const char *listen = "127.0.0.1:8070";
  const char *prefix = "/firmware/ota";
  int option = OPTIONS_END;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG) {
      return TOOL_EXIT_USAGE;
    } else if (option == 'l') {
      listen = optarg;
    } else {
      prefix = optarg;
    }
  }
  if (!options_words(argc, 1, 1, "one DIR")) {
    return TOOL_EXIT_USAGE;
  }
  options->folder = argv[optind];
  if (!depot_listen_parse(listen, &options->listen)) {
    report_error("--listen: %s is not ADDR:PORT or [ADDR]:PORT, with a port from 0 to 65535", listen);
    return TOOL_EXIT_USAGE;
  }
  if (!depot_path_prefix(prefix, options->prefix)) {
    report_error("--prefix: %s is no path of a URL like /firmware/ota", prefix);
    return TOOL_EXIT_USAGE;
  }
  return TOOL_EXIT_DONE;
}

static int open_depot(const char *folder)
{
  int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) {
    report_error("cannot open the depot %s: %s%s", folder, strerror(errno),
                 errno == ENOENT ? "; 'lifeboat depot publish' makes one" : "");
    return -1;
  }
  if (!depot_path_usable(root)) {
    report_error("cannot read the depot %s safely: %s; Linux 5.6 or later is needed (openat2)", folder,
                 strerror(errno));
    close(root);
    return -1;
  }
  return root;
}

__attribute__((format(printf, 2, 0))) static void log_fault(void *context, const char *format, va_list arguments)
{
  (void)context;
  (void)vfprintf(stderr, format, arguments);
}

static struct MHD_Daemon *start(struct depot_site *site, int listener)
{
  return MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL, depot_answer_handle, site,
                          MHD_OPTION_EXTERNAL_LOGGER, log_fault, NULL, MHD_OPTION_LISTEN_SOCKET, listener,
                          MHD_OPTION_UNESCAPE_CALLBACK, depot_answer_unescape, site, MHD_OPTION_URI_LOG_CALLBACK,
                          depot_answer_begin, site, MHD_OPTION_NOTIFY_COMPLETED, depot_answer_completed, site,
                          MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                          CONNECTION_TIMEOUT, MHD_OPTION_END);
}

/* Serves until a signal of `ending` comes; it is blocked, so it waits if it comes early. */
static int serve(const struct serve_options *options, int root, const sigset_t *ending)
{
  char where[DEPOT_LISTEN_TEXT_SIZE];
  struct depot_site site = {.root = root, .prefix = options->prefix};
  int listener = depot_listen_open(&options->listen, where);
  if (listener < 0) {
    return TOOL_EXIT_FAILED;
  }
  struct MHD_Daemon *daemon = start(&site, listener);
  if (!daemon) {
    report_system_error("start the server at", where, errno);
    return TOOL_EXIT_FAILED;
  }
  printf("Serving %s at http://%s/%s%s\n", options->folder, where, options->prefix,
         options->prefix[0] != '\0' ? "/" : "");
  int result = fflush(stdout) == 0 ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED; /* main() reports that one */
  int signal_number = 0;
  if (result == TOOL_EXIT_DONE && sigwait(ending, &signal_number) != 0) {
    result = TOOL_EXIT_FAILED;
  }
  MHD_stop_daemon(daemon);
  return result;
}

int depot_serve_command(int argc, char **argv)
{
  struct serve_options options = {0};
  sigset_t ending;
  sigset_t before;
  int result = parse_options(argc, argv, &options);
  if (result != TOOL_EXIT_DONE) {
    return result;
  }
  int root = open_depot(options.folder);
  if (root < 0) {
    return TOOL_EXIT_FAILED;
  }
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  sigprocmask(SIG_BLOCK, &ending, &before); /* before the daemon starts: its threads inherit this */
  result = serve(&options, root, &ending);
  sigprocmask(SIG_SETMASK, &before, NULL);
  close(root);
  return result;
}
