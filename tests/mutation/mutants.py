# SPDX-License-Identifier: MIT
"""Ways of breaking lib/ that matter: what each one does, where, and the tests that are run first.

`old` has to stand exactly once in the file, whatever white space is between its words. A mutant is something that a
tired person could write: not a syntax error, and not something that changes nothing.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    name: str  # what it breaks, in words
    file: str  # in lib/
    old: str
    new: str
    tests: tuple  # the likely killers, run first


def mutant(name, file, old, new, *tests):
    return Mutant(name, file, old, new, tests)


FLASH = (
    mutant(
        "forgets the length in the bounds of the chip",
        "flash.c",
        "return address <= flash->size && length <= flash->size - address;",
        "return address <= flash->size;",
        "test_flash",
    ),
    mutant(
        "adds up address and length without thinking of overflow",
        "flash.c",
        "return address <= flash->size && length <= flash->size - address;",
        "return address + length <= flash->size;",
        "test_flash",
    ),
    mutant(
        "programs across the end of a page",
        "flash.c",
        "uint32_t piece = lb_smaller(length, flash->page_size - (address & (flash->page_size - 1U)));",
        "uint32_t piece = lb_smaller(length, flash->page_size);",
        "test_flash",
    ),
    mutant(
        "erases a block that reaches behind the end",
        "flash.c",
        "address < end && size <= end - address",
        "address < end",
        "test_flash",
        "test_writer",
    ),
    mutant(
        "takes a driver's failed program for a good one",
        "flash.c",
        "if (!lb_is_blank(bytes, piece) && flash->program(flash->context, address, bytes, piece) != 0) {",
        "if (!lb_is_blank(bytes, piece) && flash->program(flash->context, address, bytes, piece) > 1000) {",
        "test_flash",
    ),
)

TABLE = (
    mutant(
        "lets a partition leave the flash where the sum overflows",
        "table_rules.c",
        "partition->offset > flash_size || partition->size > flash_size - partition->offset",
        "partition->offset + partition->size > flash_size",
        "test_partition",
    ),
    mutant(
        "does not notice that partitions overlap",
        "table_rules.c",
        "return overlap(a, b) ? LB_ERR_TABLE_OVERLAP : LB_OK;",
        "return LB_OK;",
        "test_partition",
    ),
    mutant(
        "takes a copy of the table without MD5",
        "partition.c",
        "if (read_at(table, flash, LB_TABLE_COPY_ADDRESS, md5) == LB_OK && table->has_md5) {",
        "if (read_at(table, flash, LB_TABLE_COPY_ADDRESS, md5) == LB_OK) {",
        "test_partition",
    ),
    mutant(
        "does not compare the MD5 of the table",
        "partition.c",
        "return memcmp(digest, stated, sizeof digest) == 0 ? LB_OK : LB_ERR_TABLE_MD5;",
        "return LB_OK;",
        "test_partition",
    ),
)

IMAGE = (
    mutant(
        "does not compare the digest",
        "image.c",
        "return memcmp(computed, image->part, LB_SHA256_SIZE) == 0 ? LB_OK : LB_ERR_IMAGE_DIGEST;",
        "return LB_OK;",
        "test_image",
    ),
    mutant(
        "does not compare the checksum",
        "image.c",
        "if (image->info.checksum != image->checksum) {",
        "if (false) {",
        "test_image",
    ),
    mutant(
        "forgets that a segment has to fit",
        "image.c",
        "if (segment->length > room(image)) {",
        "if (false) {",
        "test_image",
    ),
    mutant(
        "forgets checksum and digest when it counts the room",
        "image.c",
        "if (room(image) - data_length < tail) {",
        "if (room(image) < data_length) {",
        "test_image",
    ),
    mutant(
        "lets one segment more than there are through",
        "image.c",
        "info->segment_count > LB_IMAGE_SEGMENTS_MAX",
        "info->segment_count > LB_IMAGE_SEGMENTS_MAX + 1U",
        "test_image",
    ),
    mutant(
        "verifies only the beginning of a slot",
        "verify.c",
        "uint32_t left = verify->partition.size - verify->position;",
        "uint32_t left = verify->position < 1024U ? verify->partition.size - verify->position : 0U;",
        "test_verify",
    ),
    mutant(
        "takes a bootloader for an application",
        "image.c",
        "return LB_ERR_IMAGE_BOOTLOADER;",
        "return LB_OK;",
        "test_image",
        "test_update",
    ),
)

OTADATA = (
    mutant(
        "starts the CRC of a record wrong",
        "otadata.c",
        "#define CRC_SEED 0xFFFFFFFFU",
        "#define CRC_SEED 0x00000000U",
        "test_otadata",
    ),
    mutant(
        "counts a record with a wrong CRC",
        "otadata.c",
        "record->crc == lb_otadata_crc(record->sequence);",
        "true;",
        "test_otadata",
    ),
    mutant(
        "counts a rejected record", "otadata.c", "!record.trial.rejected;", "true;", "test_trial", "test_trial_boot"
    ),
    mutant(
        "lets the older record count",
        "otadata.c",
        "otadata->records[i].sequence > otadata->records[found].sequence",
        "otadata->records[i].sequence < otadata->records[found].sequence",
        "test_otadata",
    ),
    mutant(
        "counts slots from one",
        "otadata.c",
        "return (otadata->records[index].sequence - 1U) % slots;",
        "return otadata->records[index].sequence % slots;",
        "test_otadata",
    ),
    mutant(
        "clears bits without reading back",
        "otadata.c",
        "err = (found[i] & ~bytes[i]) != 0 ? LB_ERR_READ_BACK : LB_OK;",
        "err = LB_OK;",
        "test_trial",
        "test_otadata",
    ),
    mutant(
        "takes a firmware on trial for confirmed",
        "otadata.c",
        "return record->usable && record->trial.tagged && !record->trial.counts_at_once && !record->trial.confirmed;",
        "return false;",
        "test_trial",
    ),
    mutant(
        "erases the confirmed record first",
        "otadata_select.c",
        "return (uint8_t)(1 - keep);",
        "return (uint8_t)keep;",
        "test_otadata",
        "test_trial",
    ),
    mutant(
        "erases a record that is not void yet",
        "otadata_select.c",
        "return make_half_void(otadata, flash, otadata->half);",
        "return LB_OK;",
        "test_otadata",
        "test_trial",
    ),
    mutant(
        "does not erase what reads blank",
        "otadata_select.c",
        "return erase_half(otadata, flash, otadata->half, true);",
        "return erase_half(otadata, flash, otadata->half, false);",
        "test_otadata",
        "test_trial",
    ),
    mutant(
        "selects without a tag",
        "otadata_select.c",
        "err = write_tag(otadata, flash, selection);",
        "err = LB_OK;",
        "test_trial",
        "test_select",
    ),
    mutant(
        "writes the record before its tag",
        "otadata_select.c",
        "    err = write_tag(otadata, flash, selection);\n    otadata->phase = RECORDING;\n"
        "    return err ? err : LB_MORE;\n  case RECORDING:\n    err = write_record(otadata, flash);\n",
        "    err = write_record(otadata, flash);\n    otadata->phase = RECORDING;\n"
        "    return err ? err : LB_MORE;\n  case RECORDING:\n    err = write_tag(otadata, flash, selection);\n",
        "test_trial",
        "test_otadata",
    ),
    mutant(
        "does not see whether the record counts",
        "otadata_select.c",
        "return err == LB_OK && !counts ? LB_ERR_READ_BACK : err;",
        "return err;",
        "test_otadata",
    ),
    mutant(
        "does not read an erased sector back",
        "otadata_select.c",
        "return err == LB_OK && !blank ? LB_ERR_READ_BACK : err;",
        "return err;",
        "test_otadata",
        "test_trial",
    ),
    mutant(
        "leaves a trial that something else was selected over",
        "otadata_select.c",
        "return retire(otadata, flash, selection->attempts == 0);",
        "return LB_OK;",
        "test_trial_rules",
        "test_select",
    ),
    mutant(
        "forgets factory's order: the active record is made void first",
        "otadata_select.c",
        "otadata->half = (uint8_t)(otadata->active == LB_OTADATA_NONE ? 0 : 1 - otadata->active);",
        "otadata->half = (uint8_t)(otadata->active == LB_OTADATA_NONE ? 0 : otadata->active);",
        "test_otadata",
    ),
)

TRIAL = (
    mutant(
        "leaves a broken record as it is",
        "trial_boot.c",
        "return err || is_void ? err : done(lb_otadata_make_void(otadata, flash, index));",
        "return err;",
        "test_trial_settle",
    ),
    mutant(
        "does not complete a verdict",
        "trial_boot.c",
        "int result = settle_mark(otadata, flash, index, trial->confirmed, MARK_CONFIRMED_AT);",
        "int result = LB_OK;",
        "test_trial_settle",
    ),
    mutant(
        "does not program the record that counts again",
        "trial_boot.c",
        "int err = lb_otadata_clear_bits(flash, lb_otadata_address(otadata, otadata->active), bytes, sizeof bytes);",
        "int err = LB_OK;",
        "test_trial_settle",
    ),
    mutant(
        "gives a trial one attempt more",
        "trial_boot.c",
        "if (trial->failures < trial->attempts) {",
        "if (trial->failures <= trial->attempts) {",
        "test_trial_boot",
    ),
    mutant(
        "does not mark the attempt",
        "trial_boot.c",
        "int err = lb_trial_mark_boot(otadata, device->flash, boots, BOOT_STARTED);",
        "int err = LB_OK;",
        "test_trial_boot",
    ),
    mutant(
        "counts a loss of power after the trial time",
        "trial_boot.c",
        "reset == LB_RESET_POWER_ON && !boot_has(trial->last, BOOT_SURVIVED);",
        "reset == LB_RESET_POWER_ON;",
        "test_trial_boot",
    ),
    mutant(
        "counts a commanded reset",
        "trial_boot.c",
        "return crashed || power_failed ? BOOT_FAILED : BOOT_CLOSED;",
        "return BOOT_FAILED;",
        "test_trial_boot",
    ),
    mutant(
        "forgets crashes by the watchdog",
        "trial_boot.c",
        "bool crashed = reset == LB_RESET_CRASH || reset == LB_RESET_WATCHDOG;",
        "bool crashed = reset == LB_RESET_CRASH;",
        "test_trial_boot",
    ),
    mutant(
        "takes one rotten bit for a mark",
        "trial_read.c",
        "return count_cleared(mark, MARK_SIZE) >= 2U;",
        "return count_cleared(mark, MARK_SIZE) >= 1U;",
        "test_trial",
        "test_trial_settle",
    ),
    mutant(
        "does not look whose tag it is",
        "trial_read.c",
        "lb_load_le32(tag + TAG_SEQUENCE_AT) == sequence",
        "true",
        "test_trial",
    ),
    mutant(
        "does not check the CRC of a tag",
        "trial_read.c",
        "lb_load_le32(tag + TAG_CRC_AT) == lb_crc32(0, tag, TAG_CRC_AT)",
        "true",
        "test_trial",
        "test_rotten_tag",
    ),
    mutant(
        "confirms without the mark that counts",
        "trial.c",
        "err = lb_trial_mark(&otadata, device->flash, otadata.active, MARK_CONFIRMED_AT);",
        "err = LB_OK;",
        "test_trial",
    ),
    mutant(
        "rejects without the mark that counts",
        "trial.c",
        "int err = lb_otadata_clear_bits(flash, lb_otadata_address(otadata, index) + MARK_REJECTED_AT, bytes, "
        "sizeof bytes);",
        "int err = LB_OK;",
        "test_trial",
    ),
    mutant(
        "confirms whatever is on trial, and not what runs",
        "trial.c",
        "lb_otadata_means(otadata, device->table, otadata->active, running);",
        "(device != NULL && running != NULL);",
        "test_trial",
    ),
)

BOOT = (
    mutant(
        "boots what it has not verified",
        "boot.c",
        "int result = lb_verify_partition(attempt->verify, attempt->device, slot);",
        "int result = lb_verify_partition(attempt->verify, attempt->device, slot);\n"
        "  result = reason == LB_BOOT_SELECTED ? LB_OK : result;",
        "test_boot",
    ),
    mutant(
        "does not pass over what failed its trial",
        "boot.c",
        "lb_otadata_has_failed(otadata, digest)",
        "false",
        "test_trial_boot",
        "test_boot",
        "test_failed_image_elsewhere",
    ),
    mutant(
        "passes over what was chosen again after it had failed",
        "boot.c",
        "!lb_otadata_is_about(&otadata->records[index], digest)",
        "true",
        "test_trial_boot",
        "test_boot",
        "test_failed_image_elsewhere",
    ),
    mutant(
        "boots a firmware on trial whose failures cannot be counted",
        "boot.c",
        "  if (err) {\n    attempt->passed_over = true;",
        "  if (false) {\n    attempt->passed_over = true;",
        "test_trial_boot",
    ),
    mutant(
        "trusts otadata without settling it",
        "boot.c",
        "attempt->otadata_error = lb_trial_settle(&attempt->otadata, attempt->device);",
        "attempt->otadata_error = lb_otadata_read(&attempt->otadata, attempt->device);",
        "test_trial_boot",
        "test_boot",
    ),
    mutant(
        "selects before verifying",
        "select.c",
        "    select->state = VERIFYING;",
        "    select->state = SELECTING;",
        "test_select",
    ),
)

TARGET = (
    mutant(
        "writes to the running slot",
        "target.c",
        "if (lb_partition_same(running, slot)) {",
        "if (false) {",
        "test_target",
    ),
    mutant(
        "writes to factory",
        "target.c",
        "    return LB_ERR_TARGET_FACTORY;",
        "    return LB_OK;",
        "test_target",
        "test_update",
    ),
    mutant(
        "writes over what the trial goes back to",
        "target.c",
        "is_fallback && !proven",
        "false",
        "test_trial_rules",
        "test_update",
    ),
    mutant(
        "goes on with an update that was selected since",
        "target.c",
        "(record->usable || record->trial.rejected) && lb_otadata_slot_of(&otadata, i, slots) == target->number",
        "false",
        "test_target_of_interrupted",
        "test_target",
    ),
    mutant(
        "erases the slot that boots next",
        "erase.c",
        "err = lb_target_not_selected(device, slot);",
        "err = LB_OK;",
        "test_erase",
    ),
    mutant(
        "writes to a protected slot",
        "target.c",
        "(known.flags & (LB_FLAG_READ_ONLY | LB_FLAG_ENCRYPTED)) != 0",
        "(known.flags & LB_FLAG_READ_ONLY) != 0",
        "test_erase",
    ),
)

WRITER = (
    mutant(
        "keeps the first block if its sectors are equal",
        "writer.c",
        "!distrusted && !in_first_block(writer);",
        "!distrusted;",
        "test_writer",
    ),
    mutant(
        "compares behind what can be trusted",
        "writer.c",
        "return writer->address < writer->compare_end && ",
        "return ",
        "test_writer_limits",
        "test_resume_cuts",
    ),
    mutant(
        "compares a block that was in flight",
        "writer.c",
        "bool distrusted = writer->address >= writer->distrusted && writer->address < writer->distrust_end;",
        "bool distrusted = false;",
        "test_writer_limits",
        "test_resume_cuts",
    ),
    mutant(
        "forgets the gathered bytes in the bound",
        "writer.c",
        "if (length > writer->end - writer->address - writer->fill) {",
        "if (length > writer->end - writer->address) {",
        "test_writer_limits",
    ),
    mutant(
        "erases after it has programmed: the block counts as erased from the start",
        "writer.c",
        "  writer->erased = writer->address;\n  writer->phase = ERASE;",
        "  writer->erased = writer->address + writer->sector;\n  writer->phase = ERASE;",
        "test_writer",
    ),
    mutant(
        "leaves out the last page of a sector",
        "writer.c",
        "if (writer->done == writer->fill) {",
        "if (writer->done + writer->flash->page_size >= writer->fill) {",
        "test_writer",
        "test_update",
    ),
)

UPDATE = (
    mutant(
        "does not keep the first bytes back",
        "update.c",
        "bool kept_back = update->written < LB_IMAGE_HEADER_SIZE;",
        "bool kept_back = false;",
        "test_update",
    ),
    mutant(
        "does not compare what it read back with what was sent",
        "update.c",
        "if (image->result == LB_OK && memcmp(image->info.digest, update->image.info.digest, LB_SHA256_SIZE) != 0) {",
        "if (false) {",
        "test_update",
    ),
    mutant(
        "lets anything follow the image",
        "update.c",
        "return lb_is_blank(data, length) ? LB_OK : LB_ERR_IMAGE_TRAILING;",
        "return LB_OK;",
        "test_update",
    ),
    mutant(
        "does not count what was announced",
        "update.c",
        "update->received != size) {\n    return LB_ERR_SIZE_MISMATCH;",
        "false) {\n    return LB_ERR_SIZE_MISMATCH;",
        "test_update",
    ),
    mutant(
        "leaves the selection on the slot that it writes",
        "update_judge.c",
        "update->state = LB_UPDATE_RETIRING;",
        "update->state = LB_UPDATE_JOURNALING;",
        "test_update",
        "test_selection_rules",
    ),
    mutant(
        "writes over what a failed trial goes back to although it verifies",
        "update_retire.c",
        "result == LB_OK && is_what_was_confirmed(update)",
        "false",
        "test_fallback_stays",
        "test_retire",
        "test_selection_rules",
    ),
    mutant(
        "leaves a record that means the slot that it writes",
        "update_retire.c",
        "means_target(update, 0) || means_target(update, 1)",
        "false",
        "test_retire",
        "test_selection_rules",
    ),
    mutant(
        "takes another project's image",
        "update_judge.c",
        "return lb_same_text(wanted, named) ? LB_OK : LB_ERR_IMAGE_PROJECT;",
        "return LB_OK;",
        "test_update",
    ),
    mutant(
        "does not ask whether the image failed before",
        "update_judge.c",
        "return failed ? LB_ERR_FAILED_BEFORE : LB_OK;",
        "return LB_OK;",
        "test_update_rules",
        "test_trial",
    ),
    mutant(
        "compares a slot that holds no image",
        "update_journal.c",
        "if (err || bytes[0] != LB_IMAGE_MAGIC || bytes[1] > LB_IMAGE_SEGMENTS_MAX) {",
        "if (err || bytes[1] > LB_IMAGE_SEGMENTS_MAX) {",
        "test_update_rules",
        "test_writer",
    ),
    mutant(
        "trusts what an unfinished update left",
        "update_journal.c",
        "return err || !begun ? err : plan_after_cut(update);",
        "return err;",
        "test_update_rules",
        "test_update",
    ),
)

JOURNAL = (
    mutant(
        "erases a journal that is not void yet",
        "journal.c",
        "    journal->phase = ERASE;\n    err = make_void(flash, journal->address);",
        "    journal->phase = ERASE;\n    err = LB_OK;",
        "test_journal",
        "test_resume_cuts",
    ),
    mutant(
        "puts the journal where the image reaches",
        "journal.c",
        "journal->size > journal->address - offset",
        "journal->size > journal->slot.size",
        "test_journal",
    ),
    mutant(
        "accepts a journal whose texts have rotted",
        "journal.c",
        "if (err == LB_OK && memcmp(header, expected, LB_JOURNAL_HEADER_SIZE) != 0) {",
        "if (err == LB_OK && memcmp(header, expected, AT_CRC) != 0) {",
        "test_journal",
    ),
    mutant(
        "accepts a weak mark: done without a CRC",
        "journal_marks.c",
        "entry[AT_DONE + attempt] != 0xFF && !lb_is_blank(entry + AT_BLOCK_CRC, 4);",
        "entry[AT_DONE + attempt] != 0xFF;",
        "test_journal",
    ),
    mutant(
        "counts the marks of an earlier attempt",
        "journal_marks.c",
        "    if (entry[AT_BEGUN + i] != 0xFF) {\n      *attempt = i;",
        "    if (entry[AT_BEGUN + i] != 0xFF && *attempt == NO_ATTEMPT) {\n      *attempt = i;",
        "test_journal",
    ),
    mutant(
        "does not close the journal of a finished update",
        "update.c",
        "update->state = update->has_journal ? LB_UPDATE_CLOSING : LB_UPDATE_DONE;",
        "update->state = LB_UPDATE_DONE;\n    return LB_OK;",
        "test_update",
        "test_resume_cuts",
    ),
    mutant(
        "writes a block before it is marked as begun",
        "update_journal.c",
        "int err = lb_journal_begin_block(journal, update->block);",
        "int err = LB_OK;",
        "test_update",
        "test_resume_cuts",
    ),
    mutant(
        "marks a block as done before its last bytes are written",
        "update_journal.c",
        "  int result = lb_writer_flush(&update->writer);\n"
        "  if (result != LB_OK || !update->block_begun) {\n    return result;\n  }\n",
        "  int result = LB_OK;\n  if (!update->block_begun) {\n    return lb_writer_flush(&update->writer);\n  }\n",
        "test_update",
        "test_resume_cuts",
    ),
    mutant(
        "goes on with blocks whose CRC is wrong",
        "update_resume.c",
        "if (!block.done || block.crc != update->block_crc) {",
        "if (!block.done) {",
        "test_resume_rules",
        "test_resume_cuts",
        "test_update",
    ),
    mutant(
        "goes on without asking for the validator",
        "update_resume.c",
        "err = lb_journal_is_about(journal, config->source, config->validator, &same);",
        "err = lb_journal_is_about(journal, config->source, NULL, &same);",
        "test_resume_rules",
        "test_update",
        "test_journal",
    ),
    mutant(
        "compares the block that was being written when it was cut",
        "update_journal.c",
        "  if (block.begun) {\n    writer->distrusted = start;",
        "  if (false) {\n    writer->distrusted = start;",
        "test_resume_rules",
        "test_resume_cuts",
        "test_update",
    ),
    mutant(
        "compares although marks are in disorder",
        "update_journal.c",
        "writer->compare_end = disorder || journal->compare_end < start ? start : journal->compare_end;",
        "writer->compare_end = journal->compare_end < start ? start : journal->compare_end;",
        "test_resume_rules",
        "test_resume_cuts",
        "test_update",
    ),
    mutant(
        "goes on with a slot whose first bytes are foreign",
        "update_resume.c",
        "fits = fits && (chunk[i] & head[i]) == head[i];",
        "fits = true;",
        "test_resume_rules",
        "test_resume_cuts",
        "test_update",
    ),
    mutant(
        "writes into an image that may pass for a whole one",
        "update_resume.c",
        "if (!complete && update->sealing_begun) {",
        "if (false) {",
        "test_resume_rules",
        "test_resume_cuts",
        "test_update",
    ),
    mutant(
        "keeps the journal of an image that turned out bad",
        "update_journal.c",
        "if (!update->has_journal || !means_bad_image(update, error)) {",
        "if (true) {",
        "test_resume_rules",
        "test_update",
        "test_resume_cuts",
    ),
)

SETTINGS = (
    mutant(
        "writes settings without reading back",
        "nvs_page.c",
        "  if (err == LB_OK && !equal) {\n    err = LB_ERR_READ_BACK;",
        "  if (false) {\n    err = LB_ERR_READ_BACK;",
        "test_nvs_write",
    ),
    mutant(
        "takes a setting whose CRC is wrong",
        "nvs_item.c",
        "return crc == lb_load_le32(item->bytes + DATA_CRC) ? LB_OK : LB_ERR_NVS_DAMAGED;",
        "return LB_OK;",
        "test_nvs_read",
    ),
    mutant(
        "marks a setting before its data are written",
        "nvs_put.c",
        "return nvs_bitmap_written(nvs, item->page, item->index, item->index + 1U);",
        "return nvs_bitmap_written(nvs, item->page, item->index, item->index + item->span);",
        "test_nvs_write",
        "test_nvs_cuts",
    ),
    mutant(
        "takes a damaged entry of the history",
        "history.c",
        "if (lb_crc32(0, bytes, end) != lb_load_le32(bytes + end) || bytes[AT_VERSION] != VERSION ||",
        "if (bytes[AT_VERSION] != VERSION ||",
        "test_history_hostile",
        "test_history",
    ),
    mutant(
        "lets a string of the history leave its entry",
        "history.c",
        "bytes[at] >= texts[i].size || ",
        "",
        "test_history_hostile",
    ),
)

MUTANTS = FLASH + TABLE + IMAGE + OTADATA + TRIAL + BOOT + TARGET + WRITER + UPDATE + JOURNAL + SETTINGS
