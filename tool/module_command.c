// SPDX-License-Identifier: MIT
/* `lifeboat module`: a virtual module on a flash file. */
#include <string.h>

#include "ports/sim/network.h"
#include "ports/sim/virtual_module.h"
#include "tool/commands.h"
#include "tool/options.h"
#include "tool/report.h"

#define HOSTS 32U

enum { FLASH = 256, SD, STORE, HOST, CA, LINK, CLOCK, TIMING, LISTEN, KEEP_GOING, TRANSCRIPT, FAULT, SEED };

static const struct option table[] = {
    {"flash", required_argument, NULL, FLASH},     {"sd", required_argument, NULL, SD},
    {"store", required_argument, NULL, STORE},     {"host", required_argument, NULL, HOST},
    {"ca", required_argument, NULL, CA},           {"link", required_argument, NULL, LINK},
    {"clock", required_argument, NULL, CLOCK},     {"timing", required_argument, NULL, TIMING},
    {"listen", required_argument, NULL, LISTEN},   {"keep-going", no_argument, NULL, KEEP_GOING},
    {"transcript", no_argument, NULL, TRANSCRIPT}, {"fault", required_argument, NULL, FAULT},
    {"seed", required_argument, NULL, SEED},       {0},
};

/* One of two words. */
static bool choose(const char *option, const char *text, const char *yes, const char *no, bool *chosen)
{
  *chosen = strcmp(text, yes) == 0;
  if (!*chosen && strcmp(text, no) != 0) {
    report_error("%s: '%s' is neither %s nor %s", option, text, yes, no);
    return false;
  }
  return true;
}

static bool add_host(struct virtual_module_options *options, const char **hosts, const char *host)
{
  if (!sim_network_host_is_valid(host)) {
    report_error("--host: '%s' is not NAME=ADDR:PORT, like api.openvehicles.com=127.0.0.1:8070", host);
    return false;
  }
  if (options->host_count == HOSTS) {
    report_error("--host: more than %u hosts", HOSTS);
    return false;
  }
  hosts[options->host_count++] = host;
  return true;
}

static bool add_fault(struct virtual_module_options *options, const char *fault)
{
  const char *wrong = faults_add(&options->faults, fault);
  if (wrong) {
    report_error("--fault: '%s': %s", fault, wrong);
  }
  return !wrong;
}

static bool take_option(struct virtual_module_options *options, const char **hosts, int option)
{
  bool chosen = false;
  switch (option) {
  case FLASH:
    options->flash = optarg;
    return true;
  case SD:
    options->sd = optarg;
    return true;
  case STORE:
    options->store = optarg;
    return true;
  case CA:
    options->ca_file = optarg;
    return true;
  case HOST:
    return add_host(options, hosts, optarg);
  case LINK:
    return choose("--link", optarg, "up", "down", &options->link_up);
  case CLOCK:
    if (!choose("--clock", optarg, "virtual", "real", &chosen)) {
      return false;
    }
    options->clock = chosen ? SIM_CLOCK_VIRTUAL : SIM_CLOCK_REAL;
    return true;
  case TIMING:
    return choose("--timing", optarg, "w25q128jv", "none", &options->flash_takes_time);
  case LISTEN:
    options->listen = optarg;
    return true;
  case KEEP_GOING:
    options->keep_going = true;
    return true;
  case TRANSCRIPT:
    options->transcript = true;
    return true;
  case FAULT:
    return add_fault(options, optarg);
  case SEED:
    options->has_seed = true;
    return options_number("--seed", optarg, 0, UINT32_MAX, &options->seed);
  default:
    return false;
  }
}

static int exit_code(enum virtual_module_end end)
{
  switch (end) {
  case VIRTUAL_MODULE_DONE:
    return TOOL_EXIT_DONE;
  case VIRTUAL_MODULE_HALTED:
    return TOOL_EXIT_NO_BOOT;
  case VIRTUAL_MODULE_INTERRUPTED:
    return TOOL_EXIT_INTERRUPTED;
  case VIRTUAL_MODULE_FAILED:
  case VIRTUAL_MODULE_NOT_STARTED:
    break;
  }
  return TOOL_EXIT_FAILED;
}

int module_command(int argc, char **argv)
{
  const char *hosts[HOSTS];
  struct virtual_module_options options = {.hosts = hosts, .link_up = true, .clock = SIM_CLOCK_REAL};
  int option;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG || !take_option(&options, hosts, option)) {
      return TOOL_EXIT_USAGE;
    }
  }
  if (!options_words(argc, 0, 0, "options only")) {
    return TOOL_EXIT_USAGE;
  }
  if (!options.flash) {
    report_error("--flash FILE is missing");
    return TOOL_EXIT_USAGE;
  }
  return exit_code(virtual_module_run(&options));
}
