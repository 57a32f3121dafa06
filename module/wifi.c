// SPDX-License-Identifier: MIT
/* `wifi mode` and `wifi status`: the link that updates come over. */
#include "module/console.h"
#include "module/print.h"

static int set_link(struct console *console, bool up, const char *ssid)
{
  const struct port_network *network = console->module->port->network;
  int err = network->set_link(network->context, up, ssid);
  return err ? console_error(console, err) : LB_OK;
}

int wifi_client_start(struct console *console, int argc, char **argv)
{
  const struct port_network *network = console->module->port->network;
  int err = set_link(console, true, argc > 0 ? argv[0] : "");
  if (err == LB_OK) {
    console_print(console, "Starting WIFI as a client to %s...\n", network->ssid(network->context));
  }
  return err;
}

int wifi_off_start(struct console *console, int argc, char **argv)
{
  (void)argc;
  (void)argv;
  int err = set_link(console, false, "");
  if (err == LB_OK) {
    console_print(console, "Stopping wifi station...\n");
  }
  return err;
}

int wifi_status_start(struct console *console, int argc, char **argv)
{
  const struct port_network *network = console->module->port->network;
  bool up = network->is_up(network->context);
  (void)argc;
  (void)argv;
  console_print(console, "Power:             %s\n", up ? "on" : "off");
  console_print(console, "Mode:              %s\n", up ? "client" : "off");
  if (up) {
    console_print(console, "Network:           %s\n", network->ssid(network->context));
  }
  return LB_OK;
}
