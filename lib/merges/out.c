/* Type: merges, which only go out. Here, for jobs are below the domains that erase and join people. */
#include "access/scopes.h"
#include "jobs/people.h"
#include "merges/merges.h"

SQL_EACH(merges_out, bulk_filter, customer_merge,
         "SELECT t.customer_id, t.id, t.absorbed_id, t.created_at, t.undo_until, t.undone_at, "
         "t.undo_reason" OUT_OF_PLAIN("merges") OUT_IN_TIME("t.created_at") " ORDER BY t.customer_id, t.id")
OUT(merges, customer_merge, .doc = "Customers who became one, those that were taken apart again included.",
    .scope_read = SCOPE_CUSTOMERS_READ, .has_pii = true, OF_CUSTOMER);
