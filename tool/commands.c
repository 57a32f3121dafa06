// SPDX-License-Identifier: MIT
/* The list of commands, and what --help says about each. */
#include "tool/commands.h"

#define HELP_CHIP "  --chip NAME           esp32 (default), esp32s2, esp32s3, esp32c3, ...\n"

static const struct command commands[] = {
    {"module", module_command, "--flash FILE [OPTIONS]", "Run a virtual module on a flash file, with its console",
     "  --flash FILE          the module's flash, made by 'lifeboat flash create' or read out of a real module\n"
     "  --sd DIR              what is in the module's SD card slot, seen as /sd\n"
     "  --store DIR           the module's own storage, seen as /store\n"
     "  --host NAME=ADDR:PORT the module's hosts file: NAME is that server; may be repeated\n"
     "  --ca FILE             trust only these authorities for https, instead of the computer's\n"
     "  --link up|down        begin with a network (default) or without one\n"
     "  --timing none|w25q128jv  let the flash take no time (default), or as long as that chip\n"
     "  --clock real|virtual  let time pass as it does (default), or let simulated time jump\n"
     "  --keep-going          with input that is no terminal: go on after a command that failed\n"
     "  --transcript          with input that is no terminal: print prompt and command before its output\n"
     "\nThe console is on stdin and stdout, the boot log on stderr; `help` there lists the commands.\n"
     "On a terminal lines can be edited; Tab completes, ? explains, Ctrl-C cancels, Ctrl-D switches the module off.\n"
     "Otherwise there is no prompt, and the module ends with the first command that fails.\n"},
    {"depot publish", depot_publish_command, "DIR IMAGE --product NAME --tag NAME [--changes FILE] [--json]",
     "Put a firmware into a depot that modules update from",
     "  --product NAME        what the firmware is for: v3.1\n"
     "  --tag NAME            the channel: main, eap, edge\n"
     "  --changes FILE        text that goes behind the version: what is new\n"
     "  --json                tell what was published for programs\n"},
    {"depot serve", depot_serve_command, "DIR [--listen ADDR:PORT] [--prefix PATH]", "Serve a depot over HTTP",
     "  --listen ADDR:PORT    where to listen (default 127.0.0.1:8070)\n"
     "  --prefix PATH         where in its URLs the depot begins (default /firmware/ota)\n"},
    {"flash create", flash_create_command,
     "FILE [--factory IMAGE] [--ota-0 IMAGE] [--ota-1 IMAGE] [--layout ovms|7m] [--force]",
     "Make the 16 MB flash of a module as it leaves production",
     "  --factory IMAGE       goes into the factory slot; the layout ovms needs it\n"
     "  --ota-0 IMAGE         goes into ota_0; the layout 7m needs it\n"
     "  --ota-1 IMAGE         goes into ota_1\n"
     "  --layout NAME         ovms (default): factory, ota_0 and ota_1 of 4 MB; 7m: ota_0 and ota_1 of 7 MB\n"
     "  --force               replace FILE if it exists\n"
     "\nImages are verified first; with a bad one no FILE is made.\n"},
    {"flash status", flash_status_command, "FILE [--chip NAME] [--json]",
     "Tell what is on a flash and what would boot from it",
     HELP_CHIP "  --json                the same for programs\n"
               "\nReads any dump of 4 to 32 MB and changes nothing. Exits with 3 if nothing on the flash boots.\n"},
    {"image info", image_info_command, "IMAGE [--json]", "Tell all about a firmware image, and whether it is good",
     "  --json                the same for programs\n"
     "\nExits with 1 if the image is bad.\n"},
    {"image verify", image_verify_command, "IMAGE... [--chip NAME]", "Verify firmware images",
     "  --chip NAME           they must be for this chip; else the one that each names is believed\n"
     "\nOne line an image. Exits with 1 if one of them is bad.\n"},
    {"image make", image_make_command, "OUT (--elf FILE | --segment ADDRESS=FILE ...) [OPTIONS]",
     "Make a firmware image from an ELF file or raw segments",
     "  --elf FILE            take the segments and the entry point from an ELF file\n"
     "  --segment ADDRESS=FILE  take a segment from a file; may be repeated\n"
     "  --entry ADDRESS       entry point; default: the ELF's, or the segment of mapped code\n" HELP_CHIP
     "  --version V           version of the firmware (default: what the input says, else 1)\n"
     "  --project P           its project (default: what the input says, else ovms3)\n"
     "  --date \"Apr  7 2018\"  date and\n"
     "  --time 16:26:57       time of the build, UTC (default: what the input says, else now or SOURCE_DATE_EPOCH)\n"
     "  --idf V               version of ESP-IDF that it was built with\n"
     "  --secure-version N    its security version (default: what the input says, else 0)\n"
     "  --min-revision N      least chip revision, 100 * major + minor: 300 is v3.0 (default 0)\n"
     "  --size N              pad to exactly N bytes, a multiple of 16\n"
     "  --flash-size 16MB     1MB 2MB 4MB 8MB 16MB (default) 32MB 64MB 128MB\n"
     "  --flash-mode dio      qio qout dio (default) dout\n"
     "  --flash-freq 40m      80m 40m (default) 26m 20m; esp32c2: 60m 30m 20m 15m; esp32h2: 48m 24m 16m 12m\n"},
};

const struct command *commands_all(size_t *count)
{
  *count = sizeof(commands) / sizeof(commands[0]);
  return commands;
}
