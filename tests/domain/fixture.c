#include "fixture.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "db/migrate.h"

/* China has kept one offset since 1991. */
static const struct zone_change shanghai_changes[] = {{INT64_MIN, 8 * 3600}};
static const struct shop shop = {.currency = "CNY", .zone = {"Asia/Shanghai", shanghai_changes, 1}};

static void must(struct ctx *c, enum err err, const char *what)
{
        if (err == ERR_OK)
                return;
        fprintf(stderr, "%s: %s %s\n", what, c->problem.detail,
                c->problem.cause != NULL ? c->problem.cause : "");
        exit(EXIT_FAILURE);
}

static void admin_script(struct fixture *fixture, const char *fmt)
{
        struct ctx *c = fixture_ctx(fixture);
        struct db *own = c->db;

        c->db = fixture->admin;
        must(c, db_ready(c), "admin connection");
        must(c, db_script(c, arena_printf(c->arena, fmt, fixture->name)), fmt);
        c->db = own;
}

struct fixture *fixture_new(const char *label)
{
        const char *server = getenv("PATRON_TEST_DATABASE_URL");
        struct fixture *fixture = calloc(1, sizeof *fixture);
        char *url = malloc(4096);
        int applied;

        if (server == NULL || fixture == NULL || url == NULL || sodium_init() < 0) {
                fprintf(stderr, "PATRON_TEST_DATABASE_URL names no server to test on\n");
                exit(EXIT_FAILURE);
        }
        fixture->name = malloc(64);
        snprintf(fixture->name, 64, "patron_test_%s_%d", label, (int)getpid());
        /* keyword form ("host=/run/pg user=postgres"): a later dbname wins */
        snprintf(url, 4096, "%s dbname=%s", server, fixture->name);
        fixture->url = url;
        fixture->admin = db_new(&(struct db_options){.url = server, .application = "patron-test"});
        fixture->ctx = (struct ctx){.shop = &shop};
        instant_parse("2026-11-21T12:00:00Z", &fixture->ctx.now);
        admin_script(fixture, "CREATE DATABASE %s TEMPLATE template0");
        fixture->ctx.db = db_new(&(struct db_options){.url = url, .application = "patron-test"});
        struct ctx *c = fixture_ctx(fixture);
        must(c, db_ready(c), "connect");
        must(c, migrate_up(c, &applied), "migrate");
        return fixture;
}

void fixture_free(struct fixture *fixture)
{
        db_free(fixture->ctx.db);
        fixture->ctx.db = NULL;
        admin_script(fixture, "DROP DATABASE IF EXISTS %s WITH (FORCE)");
        db_free(fixture->admin);
        problem_reset(&fixture->ctx);
        arena_free(fixture->ctx.arena);
        free(fixture->name);
        free((char *)fixture->url);
        free(fixture);
}

struct ctx *fixture_ctx(struct fixture *fixture)
{
        struct ctx *c = &fixture->ctx;

        arena_free(c->arena);
        problem_reset(c);
        c->arena = arena_new();
        return c;
}
