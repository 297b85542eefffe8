#include "jobs/unpack.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>
#include <zstd.h>

/* The most that a stream of zstd may make us remember: 8 MiB, what every decoder must support (RFC 8878). */
#define ZSTD_WINDOW_LOG_MAX_ 23
/* zlib: the largest window, and the header of gzip. */
#define GZIP_WINDOW_BITS (15 + 16)

enum kind { KIND_IDENTITY, KIND_GZIP, KIND_ZSTD };

struct unpack {
        enum kind kind;
        z_stream gzip;
        ZSTD_DStream *zstd;
        bool whole; /* between members or frames */
};

struct unpack *unpack_new(const char *encoding)
{
        struct unpack *u = calloc(1, sizeof *u);

        if (u == NULL)
                abort();
        if (encoding == NULL || strcasecmp(encoding, "identity") == 0) {
                u->kind = KIND_IDENTITY;
                u->whole = true;
        } else if (strcasecmp(encoding, "gzip") == 0 || strcasecmp(encoding, "x-gzip") == 0) {
                u->kind = KIND_GZIP;
                if (inflateInit2(&u->gzip, GZIP_WINDOW_BITS) != Z_OK)
                        abort();
        } else if (strcasecmp(encoding, "zstd") == 0) {
                u->kind = KIND_ZSTD;
                u->zstd = ZSTD_createDStream();
                if (u->zstd == NULL)
                        abort();
                ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX_);
        } else {
                free(u);
                return NULL;
        }
        return u;
}

void unpack_free(struct unpack *u)
{
        if (u == NULL)
                return;
        if (u->kind == KIND_GZIP)
                inflateEnd(&u->gzip);
        ZSTD_freeDStream(u->zstd);
        free(u);
}

static bool run_identity(const char **data, size_t *len, char *out, size_t size, size_t *ret_len)
{
        size_t n = *len < size ? *len : size;

        memcpy(out, *data, n);
        *data += n;
        *len -= n;
        *ret_len = n;
        return true;
}

static unsigned limited(size_t n)
{
        return n < UINT_MAX ? (unsigned)n : UINT_MAX;
}

static bool run_gzip(struct unpack *u, const char **data, size_t *len, char *out, size_t size,
                     size_t *ret_len)
{
        z_stream *z = &u->gzip;

        if (u->whole && *len > 0) { /* another member follows */
                if (inflateReset(z) != Z_OK)
                        return false;
                u->whole = false;
        }
        z->next_in = (Bytef *)(uintptr_t)*data;
        z->avail_in = limited(*len);
        z->next_out = (Bytef *)out;
        z->avail_out = limited(size);
        int status = inflate(z, Z_NO_FLUSH);
        size_t used = (size_t)((const char *)z->next_in - *data);
        *data += used;
        *len -= used;
        *ret_len = (size_t)((char *)z->next_out - out);
        u->whole = status == Z_STREAM_END;
        return status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR;
}

static bool run_zstd(struct unpack *u, const char **data, size_t *len, char *out, size_t size,
                     size_t *ret_len)
{
        ZSTD_inBuffer in = {*data, *len, 0};
        ZSTD_outBuffer into = {out, size, 0};
        size_t status = ZSTD_decompressStream(u->zstd, &into, &in);

        *data += in.pos;
        *len -= in.pos;
        *ret_len = into.pos;
        if (ZSTD_isError(status))
                return false;
        if (in.pos > 0 || into.pos > 0)
                u->whole = status == 0;
        return true;
}

bool unpack_run(struct unpack *u, const char **data, size_t *len, char *out, size_t size, size_t *ret_len)
{
        switch (u->kind) {
        case KIND_GZIP:
                return run_gzip(u, data, len, out, size, ret_len);
        case KIND_ZSTD:
                return run_zstd(u, data, len, out, size, ret_len);
        default:
                return run_identity(data, len, out, size, ret_len);
        }
}

bool unpack_whole(const struct unpack *u)
{
        return u->whole;
}
