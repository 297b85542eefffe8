#include "jobs/lines.h"

#include "jobs/split.h"

static void chunk_fill(struct text *block, const struct made_lines *lines, const struct chunk_in *chunk)
{
        struct text line = {0};

        text_clear(block);
        for (int64_t i = 0; i < chunk->lines; i++) {
                struct staged_line staged = {.line = chunk->first_line + i};
                text_clear(&line);
                lines->write(&line, staged.line, lines->arg);
                staged.data = line.data;
                staged.len = line.len;
                pack_line(block, chunk->first_line, &staged);
        }
        text_free(&line);
}

static enum err chunks_add(struct ctx *c, const struct made_lines *lines, struct job *job)
{
        struct text block = {0};
        enum err err = ERR_OK;

        while (err == ERR_OK && job->total < lines->n) {
                int64_t left = lines->n - job->total;
                struct chunk_in chunk = {.job_id = job->id,
                                         .chunk_no = job->chunks,
                                         .first_line = job->total + 1,
                                         .lines = left < CHUNK_LINES_MAX ? left : CHUNK_LINES_MAX};
                chunk_fill(&block, lines, &chunk);
                chunk.body = (struct bytes){(const uint8_t *)block.data, block.len};
                err = job_chunk_add(c, &chunk);
                job->chunks++;
                job->total += chunk.lines;
        }
        text_free(&block);
        return err;
}

enum err job_of_lines(struct ctx *c, const struct job *job, const struct made_lines *lines, struct job *ret)
{
        struct job made = {.id = uuid_new(c->now),
                           .type = job->type,
                           .mode = JOB_INDEPENDENT,
                           .format = FILE_NDJSON,
                           .key_id = job->key_id,
                           .created_at = c->now};

        TRY(job_create(c, &made));
        TRY(chunks_add(c, lines, &made));
        TRY(job_queue(c, &made));
        return job_get(c, made.id, ret);
}
