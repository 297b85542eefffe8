/* The installation: what was decided when the database was set up, one row. */
#pragma once

#include "base/ctx.h"

/* What a new installation gets when nothing is configured. */
#define INSTALLATION_CURRENCY "CNY"
#define INSTALLATION_ZONE     "Asia/Shanghai"

/* Record the installation if that has not happened yet, and say what shop it serves; *ret is the arena's.
 * NULL for currency or zone takes what is recorded. ERR_CONFLICT when another one is recorded, ERR_INVALID
 * for a value that can't be. Several servers may do this at once. */
enum err installation_open(struct ctx *c, const char *currency, const char *zone,
                           struct shop *ret) MUST_CHECK;

#define INSTALLATION_SECRET_BYTES 32

/* The secret that keys the hashes of access keys. ERR_NOT_FOUND before installation_open. */
enum err installation_secret(struct ctx *c, uint8_t ret[INSTALLATION_SECRET_BYTES]) MUST_CHECK;
