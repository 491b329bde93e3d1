/* UTF-8, as callers pass it and people read it. Pure functions. */
#ifndef WINSHM_TEXT_H
#define WINSHM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Length of the UTF-8 sequence at s, or 0 if it is malformed: overlong, a
 * surrogate, beyond U+10FFFF, or cut off by the end. @param out [out] the code
 * point. */
size_t wshm_text_sequence(const unsigned char *s, uint32_t *out);

bool wshm_text_control(uint32_t code);

/**
 * Put a text that may be anything into UTF-8 that can be shown: what is no text
 * becomes \x and two digits, and what does not fit is left out.
 *
 * @param text [out] room for size bytes.
 */
void wshm_text_quote(char *text, size_t size, const char *from);

#endif
