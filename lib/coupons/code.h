/* The codes of coupons: 15 random characters and one that checks them, shown in four groups of four.
 *
 * The alphabet has 31 characters: digits and capital letters without 0, 1, I, L and O, which people take for
 * each other. 15 of them are 74 bits. The last one makes the weighted sum of all (weights 1 to 16) a multiple
 * of 31, a prime: so every single wrong character is found, and every two that changed places. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

#define COUPON_CODE_CHARS 16
#define COUPON_CODE_SIZE  20 /* with three dashes and NUL */

/* A new code, from libsodium's random numbers. */
void coupon_code_make(char ret[COUPON_CODE_SIZE]);

enum coupon_code_form {
        COUPON_CODE_OK,
        COUPON_CODE_MISTYPED, /* 16 letters and digits, but no code that was ever made */
        COUPON_CODE_FOREIGN,  /* something else: perhaps a code of the shop's own */
};

/* Read what a person typed: case, dashes and spaces don't count. *ret is its one right form, when it is
 * COUPON_CODE_OK. */
enum coupon_code_form coupon_code_read(const char *text, char ret[COUPON_CODE_SIZE]);

/* Coupons of one order or basket, at most: beyond it nobody can foresee the price. */
#define COUPONS_PER_ORDER_MAX 5

/* Codes separated by commas. */
struct coupon_names {
        size_t n;                                 /* of codes in the right form */
        size_t mistyped;                          /* further ones that are mistyped */
        size_t foreign;                           /* and those of no such form */
        const char *codes[COUPONS_PER_ORDER_MAX]; /* each once */
        const char *text; /* the whole list again: codes in their right form, others as they came */
        bool too_many;
};
struct coupon_names coupon_names_read(struct arena *arena, const char *text);
