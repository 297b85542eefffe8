#include "access/installation.h"

#include <assert.h>
#include <sodium.h>

#include "base/shape.h"
#include "db/statement.h"
#include "db/zone.h"

struct installation {
        struct bytes hash_key;
        const char *currency, *zone;
};
#define SHAPE_T struct installation
SHAPE(installation, "What was decided at set-up.", FIELD(hash_key), FIELD(currency), FIELD(zone));
#undef SHAPE_T

SQL_EXEC(installation_record, installation,
         "INSERT INTO installation (hash_key, currency, zone, created_at)"
         " VALUES (:hash_key, :currency, :zone, :now) ON CONFLICT ON CONSTRAINT installation_pkey DO NOTHING")

SQL_ONE(installation_read, nothing, installation, "SELECT hash_key, currency, zone FROM installation")

static enum err check_currency(struct ctx *c, const char *configured, const char *recorded)
{
        if (configured == NULL || strcmp(configured, recorded) == 0)
                return ERR_OK;
        return fail(
                c, ERR_CONFLICT,
                "This database keeps its amounts in %s, but the setting currency says %s. Amounts are never "
                "converted: set currency to %s, or give the other shop a database of its own.",
                recorded, configured, recorded);
}

static enum err check_zone(struct ctx *c, const char *configured, const char *recorded)
{
        if (configured == NULL || strcmp(configured, recorded) == 0)
                return ERR_OK;
        return fail(
                c, ERR_CONFLICT,
                "This database counts days, birthdays and cycles in %s, but the setting zone says %s. Set zone to "
                "%s; or, to move the shop for good, stop every server and run: UPDATE installation SET zone = '%s'",
                recorded, configured, recorded, configured);
}

enum err installation_open(struct ctx *c, const char *currency, const char *zone, struct shop *ret)
{
        uint8_t secret[INSTALLATION_SECRET_BYTES];
        struct installation wanted = {
                .hash_key = {secret, sizeof secret},
                .currency = currency != NULL ? currency : INSTALLATION_CURRENCY,
                .zone = zone != NULL ? zone : INSTALLATION_ZONE,
        };
        struct installation recorded;
        struct shop shop = {0};

        if (!format_currency.ok(wanted.currency))
                return fail(c, ERR_INVALID, "The currency %s is not %s.", wanted.currency,
                            format_currency.hint);
        TRY(zone_load(c, wanted.zone, &shop.zone)); /* before it is recorded for good */
        randombytes_buf(secret, sizeof secret);

        TX(tx);
        TRY(tx_begin(c, &tx));
        TRY(installation_record(c, &wanted));
        TRY(installation_read(c, &(struct nothing){0}, &recorded));
        TRY(tx_commit(&tx));

        TRY(check_currency(c, currency, recorded.currency));
        TRY(check_zone(c, zone, recorded.zone));
        if (strcmp(recorded.zone, wanted.zone) != 0)
                TRY(zone_load(c, recorded.zone, &shop.zone));
        shop.currency = recorded.currency;
        *ret = shop;
        return ERR_OK;
}

enum err installation_secret(struct ctx *c, uint8_t ret[INSTALLATION_SECRET_BYTES])
{
        struct installation recorded;

        TRY(installation_read(c, &(struct nothing){0}, &recorded));
        assert(recorded.hash_key.n == INSTALLATION_SECRET_BYTES); /* CHECK installation_hash_key_check */
        memcpy(ret, recorded.hash_key.v, INSTALLATION_SECRET_BYTES);
        return ERR_OK;
}
