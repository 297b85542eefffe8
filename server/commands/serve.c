/* patron serve: from the settings to a running server and, on a signal, to its end. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access/access.h"
#include "access/installation.h"
#include "audit/audit.h"
#include "base/log.h"
#include "cache_watch.h"
#include "commands/command.h"
#include "customers/attributes.h"
#include "db/migrate.h"
#include "db/statement.h"
#include "http/server.h"
#include "job_runner.h"
#include "program/programs.h"

/* What is kept in memory; the names are the payloads of NOTIFY patron_cache. */
static const struct cache caches[] = {
        {"keys", access_load},
        {"program", program_load},
        {"attributes", attributes_load},
};

static enum err schema_open(struct process *p)
{
        int applied;

        if (!p->config.migrate)
                return migrate_check(&p->c);
        TRY(migrate_up(&p->c, &applied));
        if (applied > 0)
                LOG(LOG_LEVEL_INFO, "migrated", LOG_I("applied", applied));
        return ERR_OK;
}

static enum err caches_load(struct process *p)
{
        audit_mask_now("attributes", attributes_mask);
        for (size_t i = 0; i < ARRAY_SIZE(caches); i++)
                TRY(caches[i].load(&p->c));
        return ERR_OK;
}

static enum err prepare(struct process *p)
{
        TRY(process_connect(p));
        TRY(schema_open(p));
        TRY(sql_check_all(&p->c));
        TRY(sql_check_constraints(&p->c));
        TRY(installation_open(&p->c, p->config.currency, p->config.zone, &p->shop));
        p->shop.behaviour_months = p->config.behaviour_months;
        p->c.shop = &p->shop;
        return caches_load(p);
}

static struct server_options options_of(const struct process *p)
{
        const struct config *config = &p->config;

        return (struct server_options){
                .host = config->listen_host,
                .port = (uint16_t)config->listen_port,
                .connections_max = (unsigned)config->connection_limit,
                .connection_idle_seconds = (unsigned)config->idle_timeout_seconds,
                .body_max_bytes = (size_t)config->body_limit_bytes,
                .queue_max = (unsigned)config->queue_limit,
                .orders_workers = (unsigned)config->order_workers,
                .api_workers = (unsigned)config->api_workers,
                .reports_workers = (unsigned)config->report_workers,
                .bulk_workers = (unsigned)config->bulk_workers,
                .request_deadline_ms = (unsigned)config->request_deadline_ms,
                .statement_timeout_ms = (unsigned)config->statement_timeout_ms,
                .report_timeout_ms = (unsigned)config->report_timeout_ms,
                .cors_origins = config->cors_origins,
                .database_url = config->database_url,
                .shop = &p->shop,
        };
}

static sigset_t stop_signals(void)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        return set;
}

/* Every thread inherits the mask, so that only the main one takes the signals. */
static void signals_block(void)
{
        sigset_t set = stop_signals();

        pthread_sigmask(SIG_BLOCK, &set, NULL);
        signal(SIGPIPE, SIG_IGN); /* a vanished client is an error of write(2), nothing more */
}

/* Wait for the first signal; a second one ends the process at once. */
static int signals_wait(void)
{
        sigset_t set = stop_signals();
        int number = SIGTERM;

        sigwait(&set, &number);
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        return number;
}

static void say_ready(const struct process *p, uint16_t port)
{
        bool six = strchr(p->config.listen_host, ':') != NULL;
        const char *address = arena_printf(p->arena, six ? "http://[%s]:%u" : "http://%s:%u",
                                           p->config.listen_host, (unsigned)port);

        LOG(LOG_LEVEL_INFO, "ready", LOG_S("address", address), LOG_S("version", PATRON_VERSION),
            LOG_S("currency", p->shop.currency), LOG_S("zone", p->shop.zone.name), LOG_I("pid", getpid()));
        printf("Patron is ready: %s\n", address);
        fflush(stdout);
}

static int serve_run(struct process *p)
{
        const char *why = "There is no thread for the caches.";

        signals_block();
        if (prepare(p) != ERR_OK)
                return process_failed(p);
        process_close(p); /* the lanes have connections of their own */
        struct server_options options = options_of(p);
        struct cache_watch *watch =
                cache_watch_start(caches, ARRAY_SIZE(caches), p->config.database_url, &p->shop);
        struct server *server = watch != NULL ? server_start(&options, &why) : NULL;
        if (server == NULL) {
                fprintf(stderr, "patron: %s\n", why);
                cache_watch_stop(watch);
                return EXIT_FAILURE;
        }
        struct job_runner *runner =
                job_runner_start(p->config.database_url, &p->shop, (unsigned)p->config.job_workers);
        if (runner == NULL)
                LOG(LOG_LEVEL_ERROR, "no_job_runner"); /* imports wait for another server */
        say_ready(p, server_port(server));

        int signal_number = signals_wait();
        LOG(LOG_LEVEL_INFO, "draining", LOG_S("signal", strsignal(signal_number)));
        job_runner_stop(runner);
        server_drain_and_stop(server, (unsigned)p->config.drain_seconds);
        cache_watch_stop(watch);
        attributes_unload();
        program_unload();
        access_unload();
        LOG(LOG_LEVEL_INFO, "stopped");
        return EXIT_SUCCESS;
}

const struct command serve_command = {
        .name = "serve",
        .usage = "[--SETTING VALUE ...]",
        .help = "Run the server until SIGTERM or SIGINT, then finish what was accepted.",
        .run = serve_run,
};
