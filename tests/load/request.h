/* The requests that a load is made of. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum mix {
        MIX_NONE,
        MIX_ORDERS, /* new orders, customers drawn evenly */
        MIX_HOT,    /* new orders of ten customers */
        MIX_READS,  /* points of customers drawn evenly */
        MIX_MIXED,  /* four reads to one order */
        MIX_SEED,   /* order n is the first one of customer n; the same ids in every run */
};

/* Room for the longest request, headers and body. */
#define REQUEST_SIZE 2048

/* A coupon's code, with NUL; each must take COUPON_OFF_MINOR off. */
#define COUPON_SIZE      20
#define COUPON_OFF_MINOR 100

struct request_maker {
        enum mix mix;
        const char *key;              /* API key */
        const char *run;              /* unique in each run: part of the order ids */
        uint64_t customers;           /* to draw from */
        uint64_t made;                /* so far */
        char (*coupons)[COUPON_SIZE]; /* order n uses the n-th one; NULL: none does */
        uint64_t coupon_count;
        uint64_t random; /* state of the generator */
};

/* The mix with a name as it is written on the command line, or MIX_NONE. */
enum mix mix_by_name(const char *name);

/* Write the next request into text and return its length. */
size_t request_next(struct request_maker *maker, char text[REQUEST_SIZE]);
