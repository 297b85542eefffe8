#include "base/page.h"

#define SHAPE_T struct page_position
SHAPE(page_position, "The last one shown.", FIELD(at), FIELD(number), FIELD(text), FIELD(id), FIELD(code));
#undef SHAPE_T

#define SHAPE_T struct paging
SHAPE(paging, "A position.", NEST(after, page_position), FIELD(limit));
#undef SHAPE_T
