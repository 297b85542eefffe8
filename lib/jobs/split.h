/* Pure: a stream of bytes into records: lines of NDJSON, or records of CSV (RFC 4180), whose quoted cells may
 * hold line breaks. Bytes are taken as they are: in UTF-8 and GB18030 neither a line break nor a quote is
 * ever part of another character. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum file_format { FILE_UNKNOWN, FILE_NDJSON, FILE_CSV };

/* A longer record is not kept (too_long): far beyond any order, and what one worker holds of a stream. */
#define RECORD_BYTES_MAX ((size_t)1024 * 1024)

struct record {
        int64_t no; /* from 1; a CSV header counts here */
        const char *data;
        size_t len; /* without the line break */
        bool too_long;
};

struct splitter {
        bool is_marked; /* out: the file began with the byte order mark of UTF-8 */
        enum file_format format;
        struct text held; /* of a record that is not whole yet */
        int64_t records;  /* begun or given */
        unsigned bom;     /* bytes of a byte order mark that were dropped; 3 and more: past it */
        unsigned state;   /* in a CSV record */
        bool open;        /* a record has begun */
        bool given;       /* held is the caller's until the next call */
        bool too_long;
};

void splitter_start(struct splitter *s, enum file_format format);
void splitter_free(struct splitter *s);

/* The next record of the bytes; moves *data and *len on. False: all bytes are taken in. The record is good
 * until the next call. */
bool splitter_next(struct splitter *s, const char **data, size_t *len, struct record *ret);

/* After the last byte: the record that no line break ended, if there is one. *ret_unclosed: a quote was never
 * closed; the record is then its beginning. */
bool splitter_end(struct splitter *s, struct record *ret, bool *ret_unclosed);
