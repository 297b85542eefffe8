/* Pure: the bytes of a file out of its Content-Encoding, as a stream and in constant memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct unpack;

/* For "gzip" (or "x-gzip"), "zstd", "identity" or NULL; NULL for any other name. */
struct unpack *unpack_new(const char *encoding);
void unpack_free(struct unpack *u);

/* Take bytes from *data (moves it and *len on) and write up to size of what they mean. False: they are no
 * such file. Call again while *len > 0 or *ret_len == size. */
bool unpack_run(struct unpack *u, const char **data, size_t *len, char *out, size_t size, size_t *ret_len);

/* Could the file end here? False when it was cut off. */
bool unpack_whole(const struct unpack *u);
