#include "shapes.h"

NAMES(shapes_colours, "red", "green", "blue");

#define SHAPE_T struct s_flags
SHAPE(s_flags, "Only flags.", FIELD(a), FIELD(b, .need = true), FIELD(c, .dflt = "true"));
#undef SHAPE_T

#define SHAPE_T struct s_numbers
SHAPE(s_numbers, "Only numbers.", FIELD(any), FIELD(small, .need = true, .min = 1, .max = 9),
      FIELD(from_zero, .from_zero = true), FIELD(negative, .min = -5, .max = -1, .dflt = "-3"), FIELD(narrow),
      FIELD(maybe), FIELD(maybe_small, .min = 2, .max = 3));
#undef SHAPE_T

#define SHAPE_T struct s_texts
SHAPE(s_texts, "Only texts.", FIELD(any), FIELD(one, .need = true, .min = 1, .max = 1),
      FIELD(code, .min = 1, .format = &format_code),
      FIELD(currency, .min = 3, .max = 3, .format = &format_currency),
      FIELD(printable, .format = &format_printable));
#undef SHAPE_T

#define SHAPE_T struct s_moments
SHAPE(s_moments, "Times and an id.", FIELD(at), FIELD(on, .need = true), FIELD(born), FIELD(id));
#undef SHAPE_T

#define SHAPE_T struct s_enums
SHAPE(s_enums, "Names.", FIELD(need, .need = true, .names = &shapes_colours),
      FIELD(maybe, .names = &shapes_colours), FIELD(with_default, .names = &shapes_colours, .dflt = "green"));
#undef SHAPE_T

#define SHAPE_T struct s_json
SHAPE(s_json, "Anything.", FIELD(any), FIELD(small, .max = 50));
#undef SHAPE_T

#define SHAPE_T struct s_lists
SHAPE(s_lists, "Lists.", FIELD(words, .min = 1, .max = 5), LIST(enums, s_enums),
      LIST(few, s_flags, .need = true, .min = 1, .max = 2));
#undef SHAPE_T

#define SHAPE_T struct s_defaults
SHAPE(s_defaults, "Everything has a default.", FIELD(number, .min = 1, .max = 200, .dflt = "50"),
      FIELD(yes, .dflt = "true"), FIELD(text, .dflt = "hello"), FIELD(on, .dflt = "2026-02-28"),
      FIELD(maybe, .dflt = "7"));
#undef SHAPE_T

#define SHAPE_T struct s_outer
SHAPE(s_outer, "Nested, by value and by pointer.", NEST(inner, s_defaults), POINTER(numbers, s_numbers),
      NEST(texts, s_texts, .need = true), NEST(needed, s_defaults, .need = true));
#undef SHAPE_T

#define SHAPE_T struct s_tree
SHAPE(s_tree, "Nested in lists.", FIELD(value), LIST(branches, s_outer, .max = 4), POINTER(lists, s_lists));
#undef SHAPE_T

#define SHAPE_T struct s_patch_inner
SHAPE(s_patch_inner, "A patch in a patch.", PRESENCE(has), FIELD(a), FIELD(b));
#undef SHAPE_T

#define SHAPE_T struct s_patch
SHAPE(s_patch, "A patch.", PRESENCE(has), FIELD(name, .min = 1), FIELD(count),
      FIELD(colour, .names = &shapes_colours), FIELD(at), FIELD(extra), NEST(inner, s_patch_inner));
#undef SHAPE_T

#define SHAPE_T struct s_secret
SHAPE(s_secret, "Personal data.", FIELD(name, .pii = PII_NAME), FIELD(phone, .pii = PII_PHONE),
      FIELD(email, .pii = PII_EMAIL), FIELD(all, .pii = PII_ALL), FIELD(born, .pii = PII_BIRTHDAY),
      FIELD(words, .pii = PII_ALL), FIELD(notes, .pii = PII_ALL), NEST(open, s_texts, .need = true));
#undef SHAPE_T

#define SHAPE_T struct s_order
SHAPE(s_order, "Path, query and a whole body.", FIELD(customer, .in = IN_PATH, .need = true, .max = 10),
      FIELD(limit, .in = IN_QUERY, .min = 1, .max = 200, .dflt = "50"),
      FIELD(backfill, .in = IN_QUERY, .dflt = "false"),
      FIELD(colour, .in = IN_QUERY, .names = &shapes_colours), FIELD(day, .in = IN_QUERY),
      NEST(body, s_defaults, .in = IN_WHOLE_BODY));
#undef SHAPE_T
