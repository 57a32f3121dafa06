// SPDX-License-Identifier: MIT
#include "module/port_error.h"

#include "module/port.h"

/* The last argument is one of the pairs below: the name and number of ESP-IDF's error. */
#define ENTRY(code, cause, remedy, ...)                                                                                \
  {                                                                                                                    \
    code, #code, cause, remedy, __VA_ARGS__                                                                            \
  }

#define FAIL             "ESP_FAIL", -1
#define NO_MEM           "ESP_ERR_NO_MEM", 0x101
#define INVALID_ARG      "ESP_ERR_INVALID_ARG", 0x102
#define INVALID_STATE    "ESP_ERR_INVALID_STATE", 0x103
#define INVALID_SIZE     "ESP_ERR_INVALID_SIZE", 0x104
#define NOT_FOUND        "ESP_ERR_NOT_FOUND", 0x105
#define TIMEOUT          "ESP_ERR_TIMEOUT", 0x107
#define INVALID_RESPONSE "ESP_ERR_INVALID_RESPONSE", 0x108
#define NOT_ALLOWED      "ESP_ERR_NOT_ALLOWED", 0x10D

static const struct lb_error_info errors[] = {
    ENTRY(PORT_ERR_FILE_NOT_FOUND, "there is no such file", "look at what there is with `vfs ls`", NOT_FOUND),
    ENTRY(PORT_ERR_FILE_PERMISSION, "the file may not be read", "give the module permission to read it", NOT_ALLOWED),
    ENTRY(PORT_ERR_FILE_IS_DIRECTORY, "this is a directory", "name a file in it", INVALID_ARG),
    ENTRY(PORT_ERR_FILE_NOT_DIRECTORY, "this is no directory", "name a directory", INVALID_ARG),
    ENTRY(PORT_ERR_FILE_OUTSIDE, "the path leaves its mount", "name a file below /sd or /store", NOT_ALLOWED),
    ENTRY(PORT_ERR_FILE_NO_MOUNT, "nothing is mounted there", "put a card in, or name a path below /sd or /store",
          NOT_FOUND),
    ENTRY(PORT_ERR_FILE_IO, "the file could not be read", "check the card", FAIL),
    ENTRY(PORT_ERR_FILE_EXISTS, "something has that name already", "choose another name, or remove it first",
          INVALID_STATE),
    ENTRY(PORT_ERR_FILE_NO_ROOM, "there is no room for the file", "remove others first", NO_MEM),
    ENTRY(PORT_ERR_FILE_OTHER_MOUNT, "a file keeps its mount when it is renamed", "copy it, and remove it here",
          INVALID_ARG),
    ENTRY(PORT_ERR_FILE_READ_ONLY, "the card is read-only here", "change it in a computer", NOT_ALLOWED),

    ENTRY(PORT_ERR_LINK_DOWN, "there is no network", "take the link up with `wifi mode client SSID`", INVALID_STATE),
    ENTRY(PORT_ERR_URL, "this is no http or https address", "give one like http://HOST/PATH", INVALID_ARG),
    ENTRY(PORT_ERR_NAME, "the name of the server is not known", "check the name and the network", NOT_FOUND),
    ENTRY(PORT_ERR_CONNECT, "the server does not accept the connection",
          "check the address, or try again when the server is there", FAIL),
    ENTRY(PORT_ERR_TIMEOUT, "nothing came from the server for a minute", "try again", TIMEOUT),
    ENTRY(PORT_ERR_CLOSED, "the server hung up before the end", "try again", INVALID_SIZE),
    ENTRY(PORT_ERR_TOO_MUCH, "the server sent more than it announced", "have the server mended", INVALID_SIZE),
    ENTRY(PORT_ERR_PROTOCOL, "the answer is no valid HTTP", "check the address and the server", INVALID_RESPONSE),
    ENTRY(PORT_ERR_REDIRECTS, "the server redirects too often or in a circle", "check the address and the server",
          INVALID_RESPONSE),
    ENTRY(PORT_ERR_DOWNGRADE, "the server redirects https to an address without it",
          "name the https address of the file itself", NOT_ALLOWED),
    ENTRY(PORT_ERR_TLS_CA, "the certificate of the server is of no known authority, or not valid today",
          "check the address, the clock and the certificate", FAIL),
    ENTRY(PORT_ERR_TLS_HOST, "the certificate of the server is for another name",
          "check the address and the certificate", FAIL),
    ENTRY(PORT_ERR_TLS, "the encrypted connection failed", "try again", FAIL),
    ENTRY(PORT_ERR_SSID, "the name of a network has at most 32 bytes", "give its name as it is", INVALID_ARG),
    ENTRY(PORT_ERR_BUSY, "all connections are in use", "try again when the others are done", NO_MEM),

    ENTRY(MODULE_ERR_LINE_TOO_LONG, "the line is too long", "use shorter names", INVALID_SIZE),
    ENTRY(MODULE_ERR_COMMAND, "this is no command", "see `help`", INVALID_ARG),
    ENTRY(MODULE_ERR_USAGE, "the arguments do not fit", "see `help`", INVALID_ARG),
    ENTRY(MODULE_ERR_UPDATE_RUNNING, "a flash operation is in progress", "wait for its end", INVALID_STATE),
    ENTRY(MODULE_ERR_STATUS, "the server did not answer with the file", "check the address", INVALID_RESPONSE),
    ENTRY(MODULE_ERR_NO_LENGTH, "the server did not announce a length", "use a server that sends Content-Length",
          INVALID_SIZE),
    ENTRY(MODULE_ERR_TOO_SMALL, "this is too small for an image: an empty file or an error page",
          "check the address and the file", INVALID_SIZE),
    ENTRY(MODULE_ERR_CANCELLED, "the command was cancelled", "give it again", INVALID_STATE),
};

#define COUNT (sizeof errors / sizeof errors[0])

unsigned module_error_count(void)
{
  return (unsigned)COUNT;
}

const struct lb_error_info *module_error_at(unsigned index)
{
  return index < COUNT ? &errors[index] : lb_error_info(LB_OK);
}

const struct lb_error_info *module_error_info(int error)
{
  for (unsigned i = 0; i < COUNT; i++) {
    if (errors[i].code == error) {
      return &errors[i];
    }
  }
  return lb_error_info(error);
}
