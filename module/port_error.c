// SPDX-License-Identifier: MIT
#include "module/port_error.h"

#include "lifeboat/esp_error.h"
#include "module/port.h"

static const struct lb_error_info errors[] = {
    LB_ERROR_ROW(PORT_ERR_FILE_NOT_FOUND, "there is no such file", "look at what there is with `vfs ls`",
                 LB_ESP_NOT_FOUND),
    LB_ERROR_ROW(PORT_ERR_FILE_PERMISSION, "the file may not be read", "give the module permission to read it",
                 LB_ESP_NOT_ALLOWED),
    LB_ERROR_ROW(PORT_ERR_FILE_IS_DIRECTORY, "this is a directory", "name a file in it", LB_ESP_INVALID_ARG),
    LB_ERROR_ROW(PORT_ERR_FILE_NOT_DIRECTORY, "this is no directory", "name a directory", LB_ESP_INVALID_ARG),
    LB_ERROR_ROW(PORT_ERR_FILE_OUTSIDE, "the path leaves its mount", "name a file below /sd or /store",
                 LB_ESP_NOT_ALLOWED),
    LB_ERROR_ROW(PORT_ERR_FILE_NO_MOUNT, "nothing is mounted there",
                 "put a card in, or name a path below /sd or /store", LB_ESP_NOT_FOUND),
    LB_ERROR_ROW(PORT_ERR_FILE_IO, "the file could not be read", "check the card", LB_ESP_FAIL),
    LB_ERROR_ROW(PORT_ERR_FILE_EXISTS, "something has that name already", "choose another name, or remove it first",
                 LB_ESP_INVALID_STATE),
    LB_ERROR_ROW(PORT_ERR_FILE_NO_ROOM, "there is no room for the file", "remove others first", LB_ESP_NO_MEM),
    LB_ERROR_ROW(PORT_ERR_FILE_OTHER_MOUNT, "a file keeps its mount when it is renamed", "copy it, and remove it here",
                 LB_ESP_INVALID_ARG),
    LB_ERROR_ROW(PORT_ERR_FILE_READ_ONLY, "the card is read-only here", "change it in a computer", LB_ESP_NOT_ALLOWED),
    LB_ERROR_ROW(PORT_ERR_FILE_SYSTEM, "the card has no FAT file system", "format it with FAT (exFAT cannot be read)",
                 LB_ESP_FAIL),
    LB_ERROR_ROW(PORT_ERR_FILE_NAME, "a file cannot have that name", "use letters, digits, dots and hyphens",
                 LB_ESP_INVALID_ARG),
    LB_ERROR_ROW(PORT_ERR_FILE_BUSY, "too many files are open", "try again when the others are done", LB_ESP_NO_MEM),

    LB_ERROR_ROW(PORT_ERR_LINK_DOWN, "there is no network", "take the link up with `wifi mode client SSID`",
                 LB_ESP_INVALID_STATE),
    LB_ERROR_ROW(PORT_ERR_URL, "this is no http or https address", "give one like http://HOST/PATH",
                 LB_ESP_INVALID_ARG),
    LB_ERROR_ROW(PORT_ERR_NAME, "the name of the server is not known", "check the name and the network",
                 LB_ESP_NOT_FOUND),
    LB_ERROR_ROW(PORT_ERR_CONNECT, "the server does not accept the connection",
                 "check the address, or try again when the server is there", LB_ESP_FAIL),
    LB_ERROR_ROW(PORT_ERR_TIMEOUT, "nothing came from the server for a minute", "try again", LB_ESP_TIMEOUT),
    LB_ERROR_ROW(PORT_ERR_CLOSED, "the server hung up before the end", "try again", LB_ESP_INVALID_SIZE),
    LB_ERROR_ROW(PORT_ERR_TOO_MUCH, "the server sent more than it announced", "have the server mended",
                 LB_ESP_INVALID_SIZE),
    LB_ERROR_ROW(PORT_ERR_PROTOCOL, "the answer is no valid HTTP", "check the address and the server",
                 LB_ESP_INVALID_RESPONSE),
    LB_ERROR_ROW(PORT_ERR_REDIRECTS, "the server redirects too often or in a circle",
                 "check the address and the server", LB_ESP_INVALID_RESPONSE),
    LB_ERROR_ROW(PORT_ERR_DOWNGRADE, "the server redirects https to an address without it",
                 "name the https address of the file itself", LB_ESP_NOT_ALLOWED),
    LB_ERROR_ROW(PORT_ERR_TLS_CA, "the certificate of the server is of no known authority, or not valid today",
                 "check the address, the clock and the certificate", LB_ESP_FAIL),
    LB_ERROR_ROW(PORT_ERR_TLS_HOST, "the certificate of the server is for another name",
                 "check the address and the certificate", LB_ESP_FAIL),
    LB_ERROR_ROW(PORT_ERR_TLS, "the encrypted connection failed", "try again", LB_ESP_FAIL),
    LB_ERROR_ROW(PORT_ERR_SSID, "the name of a network has at most 32 bytes", "give its name as it is",
                 LB_ESP_INVALID_ARG),
    LB_ERROR_ROW(PORT_ERR_SLOW, "the server sent less than 1 KB in five minutes", "try again", LB_ESP_TIMEOUT),
    LB_ERROR_ROW(PORT_ERR_NO_TLS, "this board has no TLS", "use an http address", LB_ESP_NOT_SUPPORTED),
    LB_ERROR_ROW(PORT_ERR_BUSY, "all connections are in use", "try again when the others are done", LB_ESP_NO_MEM),

    LB_ERROR_ROW(MODULE_ERR_LINE_TOO_LONG, "the line is too long", "use shorter names", LB_ESP_INVALID_SIZE),
    LB_ERROR_ROW(MODULE_ERR_COMMAND, "this is no command", "see `help`", LB_ESP_INVALID_ARG),
    LB_ERROR_ROW(MODULE_ERR_USAGE, "the arguments do not fit", "see `help`", LB_ESP_INVALID_ARG),
    LB_ERROR_ROW(MODULE_ERR_UPDATE_RUNNING, "a flash operation is in progress", "wait for its end",
                 LB_ESP_INVALID_STATE),
    LB_ERROR_ROW(MODULE_ERR_STATUS, "the server did not answer with the file", "check the address",
                 LB_ESP_INVALID_RESPONSE),
    LB_ERROR_ROW(MODULE_ERR_NO_LENGTH, "the server did not announce a length", "use a server that sends Content-Length",
                 LB_ESP_INVALID_SIZE),
    LB_ERROR_ROW(MODULE_ERR_TOO_SMALL, "this is too small for an image: an empty file or an error page",
                 "check the address and the file", LB_ESP_INVALID_SIZE),
    LB_ERROR_ROW(MODULE_ERR_SETTING, "this setting does not take such a value", "give one that it takes",
                 LB_ESP_INVALID_ARG),
    LB_ERROR_ROW(MODULE_ERR_CANCELLED, "the command was cancelled", "give it again", LB_ESP_INVALID_STATE),
    LB_ERROR_ROW(MODULE_ERR_RESET, "the module was reset during the command", "give it again", LB_ESP_INVALID_STATE),
    LB_ERROR_ROW(MODULE_ERR_BASE, "the image that the patch is made for is damaged",
                 "use the whole image, and see `ota status full`", LB_ESP_OTA_VALIDATE),
    LB_ERROR_ROW(MODULE_ERR_PATCH, "the patch makes another image than its list says",
                 "publish the patches anew, or use the whole image", LB_ESP_INVALID_VERSION),
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
