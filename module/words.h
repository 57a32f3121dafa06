// SPDX-License-Identifier: MIT
/* A line of a console and its words. */
#ifndef MODULE_WORDS_H
#define MODULE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Splits `line` in place at blanks; "double quotes" hold a word with blanks together. Returns the number of words, at
 * most `most`; further ones are left out, which the caller sees by a result of `most`.
 */
uint32_t words_split(char *line, char **words, uint32_t most);

/* Are they equal? Does `word` begin with `start`? */
bool words_equal(const char *a, const char *b);
bool words_begin(const char *word, const char *start);

#endif
