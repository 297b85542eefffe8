/* What the files of the book share; nobody else includes this. Pure. */
#pragma once

#include "points/book.h"

/* Room for one more element; the old array stays in the arena, where it is freed with everything. */
void *grown(struct arena *arena, void *v, size_t count, size_t *room, size_t size);

/* Write the entry of a posting: the account is what it will be after it. */
void write_entry(struct book *book, struct journal *journal, const struct posting *why, enum entry_kind kind,
                 int64_t amount);

/* Note what the entry just written drew from lots (negative: gave back). */
void write_draw(struct book *book, struct journal *journal, size_t lot, int64_t amount);
void write_draws(struct book *book, struct journal *journal, const struct allocations *taken);
