#include "customers/past.h"

#define SHAPE_T struct past_page
SHAPE(past_page, "A position.", FIELD(customer_id), FIELD(since), FIELD(until), FIELD(kind), FIELD(before_at),
      FIELD(before_id), FIELD(limit));
#undef SHAPE_T
