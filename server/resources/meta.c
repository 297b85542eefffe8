/* /v1/meta */
#include "db/migrate.h"
#include "orders/orders.h"
#include "program/programs.h"
#include "resources/common.h"

struct meta {
        const char *version, *currency, *zone;
        struct instant now;
        int64_t schema_version, program_version, lines_per_order_max, list_limit_max;
};
#define SHAPE_T struct meta
SHAPE(meta, "What this server is.", FIELD(version, .need = true),
      FIELD(currency, .need = true, .doc = "Of the shop."),
      FIELD(zone, .need = true, .doc = "IANA name; decides days, birthdays and cycles."),
      FIELD(now, .need = true), FIELD(schema_version, .doc = "Number of the newest migration."),
      FIELD(program_version, .doc = "Of the programme in force."), FIELD(lines_per_order_max),
      FIELD(list_limit_max));
#undef SHAPE_T

ENDPOINT(meta_get, GET, "/v1/meta", nothing, 200, meta, .summary = "Get version, limits, currency and zone",
         .doc = "Open to everyone.")
{
        PROGRAM(program);

        (void)in;
        *out = (struct meta){
                .version = PATRON_VERSION,
                .currency = c->shop->currency,
                .zone = c->shop->zone.name,
                .now = c->now,
                .schema_version = migrations[migration_count - 1].number,
                .program_version = program->version,
                .lines_per_order_max = ORDER_LINES_MAX,
                .list_limit_max = LIST_LIMIT_MAX,
        };
        return ERR_OK;
}

RESOURCE(meta, "Meta", "The server about itself.", &meta_get_endpoint);
