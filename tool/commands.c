// SPDX-License-Identifier: MIT
/* The list of commands, and what --help says about each. */
#include "tool/commands.h"

#define HELP_JSON_LINES "  --json                for programs: one object a line, progress and at last the result\n"
#define HELP_CHIP       "  --chip NAME           esp32, esp32s3, ... sifive_u (default: its bootloader's, else esp32)\n"

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
     "  --listen PATH         let 'lifeboat console PATH' attach further consoles, on this Unix socket\n"
     "  --keep-going          with input that is no terminal: go on after a command that failed\n"
     "  --transcript          with input that is no terminal: print prompt and command before its output\n"
     "  --fault SLOT=FAULT    firmware in that slot misbehaves: crash-at-start, crash-after:SECONDS, hang, no-network;\n"
     "                        may be repeated\n"
     "  --seed N              let what is left to chance be the same each time\n"
     "\nThe console is on stdin and stdout, the boot log on stderr; `help` there lists the commands.\n"
     "On a terminal lines can be edited; Tab completes, ? explains, Ctrl-C cancels, Ctrl-D switches the module off.\n"
     "Otherwise there is no prompt, and the module ends with the first command that fails.\n"},
    {"console", console_command, "PATH [--keep-going]", "Attach a further console to a virtual module that runs",
     "  PATH                  the socket that the module was started with: module --listen PATH\n"
     "  --keep-going          with input that is no terminal: go on after a command that failed\n"
     "\nIt works as the module's own console does, at the same time. Ctrl-D and exit only detach it; a command that is\n"
     "under way then goes on in the module. Ctrl-C cancels a command, pressed twice it detaches at once.\n"},
    {"depot publish", depot_publish_command, "DIR IMAGE --product NAME --tag NAME [OPTIONS]",
     "Put a firmware into a depot that modules update from",
     "  --product NAME        what the firmware is for: v3.1\n"
     "  --tag NAME            the channel: main, eap, edge\n"
     "  --changes FILE        text that goes behind the version: what is new\n"
     "  --patches N           make patches from so many releases, those published last (default 3; 0: none at all)\n"
     "  --base IMAGE          make one from this image, too: factory firmware; may be repeated\n"
     "  --json                tell what was published for programs\n"
     "\nFor each patch that is worth it a file is put beside the image, and all of them into a list that modules read.\n"
     "A release that was published before keeps its image and changelog; patches that it lacks are added.\n"},
    {"depot serve", depot_serve_command, "DIR [--listen ADDR:PORT] [--prefix PATH]", "Serve a depot over HTTP",
     "  --listen ADDR:PORT    where to listen (default 127.0.0.1:8070)\n"
     "  --prefix PATH         where in its URLs the depot begins (default /firmware/ota)\n"},
    {"flash create", flash_create_command, "FILE [--factory IMAGE] [--ota-0 IMAGE] [--ota-1 IMAGE] [OPTIONS]",
     "Make the flash of a module as it leaves production",
     "  --factory IMAGE       goes into the factory slot; the layout ovms needs it\n"
     "  --ota-0 IMAGE         goes into ota_0; the layout 7m needs it\n"
     "  --ota-1 IMAGE         goes into ota_1\n"
     "  --bootloader IMAGE    goes to 0x1000, or where else the chip has its bootloader; else that is left blank\n"
     "  --layout ovms|7m      ovms (default): factory, ota_0 and ota_1 of 4 MB; 7m: ota_0 and ota_1 of 7 MB\n"
     "  --size 16MB|32MB      of the whole flash (default 16MB)\n"
     "  --chip NAME           what the images are for (default: what the bootloader is for, else esp32)\n"
     "  --force               replace FILE if it exists\n"
     "\nImages are verified first; with a bad one no FILE is made.\n"},
    {"flash status", flash_status_command, "FILE [--chip NAME] [--json]",
     "Tell what is on a flash and what would boot from it",
     HELP_CHIP "  --json                the same for programs\n"
               "\nReads any dump of 4 to 32 MB and changes nothing. Exits with 3 if nothing on the flash boots.\n"},
    {"flash map", flash_map_command, "FILE [--svg OUT] [--width N] [--chip NAME]",
     "Draw what lies where on a flash, and in what state it is",
     "  --svg OUT             write it as a picture for documents instead\n"
     "  --width N             columns to draw in, 60 to 300 (default: the terminal's, else 80)\n" HELP_CHIP
     "\nEvery cell stands for the same number of bytes. Colours need a terminal without NO_COLOR, box drawing one whose\n"
     "locale is UTF-8; in a pipe the map is plain. BOOTS marks what the bootloader would start now, SELECTED what otadata\n"
     "names if that is not it. Reads any dump of 4 to 32 MB and changes nothing. Exits with 3 if nothing on it boots.\n"},
    {"flash boot", flash_boot_command, "FILE SLOT [--chip NAME] [--json]", "Select what boots next from a dump",
     HELP_CHIP HELP_JSON_LINES
     "\nSLOT is factory or an OTA slot. Its image is verified first; a bad one is refused and nothing changes.\n"},
    {"flash write", flash_write_command, "FILE SLOT IMAGE [--select] [OPTIONS]", "Write a firmware image into a dump",
     "  --select              the slot boots next\n"
     "  --production          allow factory, which is never written otherwise\n"
     "  --any-project         allow an image of another project than the firmware that boots now\n" HELP_CHIP
         HELP_JSON_LINES
     "\nThe slot that would boot now is refused: select another one first with 'lifeboat flash boot'. All other slots\n"
     "stay as they are. Sectors that are right already are left alone; all is read back and verified.\n"
     "Without --select what boots now goes on booting: otadata changes only if it names the slot, whose image is bad\n"
     "then; it is turned to the slot that boots now before the first byte is written.\n"
     "Killed at any moment it leaves a slot that does not begin like an image and is not selected: what boots now\n"
     "still boots, and the command can be repeated. With --production the same holds if another slot than factory is good;\n"
     "it also writes the copy of the partition table at 0x7000 if that place is blank.\n"},
    {"flash read", flash_read_command, "FILE SLOT OUT [--whole] [--force] [OPTIONS]",
     "Take a firmware image, or any partition, out of a dump",
     "  --whole               all bytes of the partition, whatever they are; SLOT is any label of the table then\n"
     "  --force               replace OUT if it exists\n" HELP_CHIP HELP_JSON_LINES
     "\nThe image is verified and has its true length. OUT is there whole or not at all.\n"},
    {"flash copy", flash_copy_command, "FILE FROM TO [--select] [--chip NAME] [--json]",
     "Copy the image of one slot of a dump into another",
     "  --select              the slot TO boots next\n" HELP_CHIP HELP_JSON_LINES
     "\nThe image is verified first. TO is an OTA slot that does not boot now; it is written as by 'flash write'.\n"},
    {"flash erase", flash_erase_command, "FILE SLOT [--chip NAME] [--json]", "Erase an OTA slot of a dump",
     HELP_CHIP HELP_JSON_LINES "\nFactory, the slot that would boot and the one that otadata selects are refused.\n"},
    {"flash table", flash_table_command, "FILE [--csv | --binary OUT | --set CSV --production] | --from-csv CSV OUT",
     "Tell, convert or replace a partition table",
     "  --csv                 print it as ESP-IDF's gen_esp32part does\n"
     "  --binary OUT          write its 0xC00 bytes to a file\n"
     "  --from-csv CSV        make the binary table OUT from CSV, with all rules of gen_esp32part\n"
     "  --flash-size 16MB     what the partitions have to fit into (default with --from-csv: 16MB)\n"
     "  --set CSV             write a new table into a dump; needs --production\n"
     "  --production          allow that\n"
     "  --force               replace OUT if it exists\n"
     "  --json                the table for programs\n" HELP_CHIP
     "\nFILE is a dump of 4 to 32 MB or a binary table of 0xC00 or 0x1000 bytes.\n"
     "--set is refused if the slot that boots now would not boot any more. It writes the copy at 0x7000 first and\n"
     "verifies it before it touches the table at 0x8000 (the other way round if only the copy is good): killed at any\n"
     "moment it leaves one of the two whole. Partitions are not moved: what lies where the new table says is what it is.\n"},
    {"flash settings", flash_settings_command, "FILE [--csv | --json | --set ... | --rm ...]",
     "Tell or change the settings in the nvs partition of a dump",
     "  --csv                 print them as ESP-IDF's nvs_partition_gen reads them\n"
     "  --set NAMESPACE KEY TYPE VALUE  set one; TYPE is u8, i8, u16, ... i64, string or blob\n"
     "  --rm NAMESPACE KEY    remove one\n"
     "  --json                the settings for programs\n" HELP_CHIP
     "\nA number is decimal or 0x..., a blob is written as hexadecimal digits. A change is made as the module makes it:\n"
     "an equal value writes nothing, and killed at any moment the old value or the new one is there.\n"
     "OVMS itself keeps its settings as files in the store partition (/store/ovms_config), which is left alone.\n"},
    {"flash history", flash_history_command, "FILE [--chip NAME] [--json]",
     "Tell the last updates of the module that a dump is of",
     "  --json                the same for programs\n" HELP_CHIP
     "\nThe newest first, as `ota history` on the module's console; what otadata knows of a trial that has ended\n"
     "meanwhile is added by the module, when it boots. 'flash status' tells that of a dump.\n"},
    {"image info", image_info_command, "IMAGE [--json]", "Tell all about a firmware image, and whether it is good",
     "  --json                the same for programs\n"
     "\nExits with 1 if the image is bad.\n"},
    {"image diff", image_diff_command, "IMAGE OTHER-IMAGE [--json]", "Tell what differs between two firmware images",
     "  --json                the same for programs\n"
     "\nCompares header, description and, by address, the segments; A is the first image, B the second. Moved bytes stand\n"
     "elsewhere in A, in a run of at least 32. The flash sectors that differ are what an update from A to B in the same\n"
     "slot has to erase and program at least. A bad image is compared as far as it can be read.\n"
     "Exits as diff(1) does: 0 if the images are equal, 1 if they differ, 2 if they could not be compared.\n"},
    {"image verify", image_verify_command, "IMAGE... [--chip NAME] [--json]", "Verify firmware images",
     "  --chip NAME           they must be for this chip; else the one that each names is believed\n"
     "  --json                for programs: one object a line for each image\n"
     "\nOne line an image. Exits with 1 if one of them is bad.\n"},
    {"image make", image_make_command, "OUT (--elf FILE | --segment ADDRESS=FILE ...) [OPTIONS]",
     "Make a firmware image from an ELF file or raw segments",
     "  --elf FILE            take the segments and the entry point from an ELF file\n"
     "  --segment ADDRESS=FILE  take a segment from a file; may be repeated\n"
     "  --entry ADDRESS       entry point; default: the ELF's, or the segment of mapped code\n"
     "  --chip NAME           esp32 (default), esp32s2, esp32s3, esp32c3, ... sifive_u\n"
     "  --version V           version of the firmware (default: what the input says, else 1)\n"
     "  --project P           its project (default: what the input says, else ovms3)\n"
     "  --date \"Apr  7 2018\"  date and\n"
     "  --time 16:26:57       time of the build, UTC (default: what the input says, else now or SOURCE_DATE_EPOCH)\n"
     "  --idf V               version of ESP-IDF that it was built with\n"
     "  --secure-version N    its security version (default: what the input says, else 0)\n"
     "  --min-revision N      least chip revision, 100 * major + minor: 300 is v3.0 (default 0)\n"
     "  --size N              pad to exactly N bytes, a multiple of 16\n"
     "  --bootloader          make a bootloader: without description, and loaded to wherever the input says\n"
     "  --flash-size 16MB     1MB 2MB 4MB 8MB 16MB (default) 32MB 64MB 128MB\n"
     "  --flash-mode dio      qio qout dio (default) dout\n"
     "  --flash-freq 40m      80m 40m (default) 26m 20m; esp32c2: 60m 30m 20m 15m; esp32h2: 48m 24m 16m 12m\n"},
    {"patch make", patch_make_command, "OLD NEW PATCH [--profile default|small] [OPTIONS]",
     "Make a patch that turns an old firmware into a new one",
     "  --profile default|small  memory that applying it takes: 10 KB, or 2.5 KB for a larger patch\n"
     "  --force               replace PATCH if it exists\n"
     "  --verbose             tell what was tried, and what the bytes are spent on\n" HELP_JSON_LINES
     "\nOLD is what the module runs; - stands for nothing: PATCH is the new image compressed, for any module. Files are\n"
     "images, or anything else, of up to 16 MB. The patch is applied and the outcome compared before it is written.\n"},
    {"patch apply", patch_apply_command, "OLD PATCH NEW [--force] [--json]",
     "Make the new firmware out of the old one and a patch",
     "  --force               replace NEW if it exists\n"
     "  --json                tell what was made for programs\n"
     "\nOLD may be - if the patch needs none. A damaged patch, or one made for another file, is refused before anything\n"
     "is written; NEW is there whole, with the digest that the patch states, or not at all.\n"},
    {"patch info", patch_info_command, "PATCH [--json]", "Tell what a patch makes of what, and whether it is whole",
     "  --json                the same for programs\n"
     "\nExits with 1 if it is damaged.\n"},
    {"completion", completion_command, "bash|zsh", "Print a script with which a shell completes these commands",
     "Now, in bash:  source <(lifeboat completion bash)\n"
     "For good:      put that line into ~/.bashrc; for zsh write the script to a file _lifeboat in a folder of $fpath.\n"},
};

const struct command *commands_all(size_t *count)
{
  *count = sizeof(commands) / sizeof(commands[0]);
  return commands;
}
