/* The table of types. */
#include "jobs/types.h"

#include <assert.h>

#define BULK_TYPE(name_) #name_,
#define JOB_TYPE(name_)
#define EXPORT_TYPE(name_)
static const char *const file_names[] = {
        NULL,
#include "jobs/types.def"
};
#undef JOB_TYPE
#define JOB_TYPE(name_) #name_,
static const char *const bulk_names[] = {
        NULL,
#include "jobs/types.def"
};
#undef EXPORT_TYPE
#define EXPORT_TYPE(name_) #name_,
static const char *const export_names[] = {
        NULL,
#include "jobs/types.def"
};
#undef BULK_TYPE
#undef JOB_TYPE
#undef EXPORT_TYPE

const struct names bulk_file_type_names = {file_names, ARRAY_SIZE(file_names)};
const struct names bulk_type_names = {bulk_names, ARRAY_SIZE(bulk_names)};
const struct names export_type_names = {export_names, ARRAY_SIZE(export_names)};

#define BULK_TYPE(name_)   &bulk_type_##name_,
#define JOB_TYPE(name_)    &bulk_type_##name_,
#define EXPORT_TYPE(name_) &bulk_type_##name_,
static const struct bulk_type *const types[] = {
        NULL,
#include "jobs/types.def"
};
#undef BULK_TYPE
#undef JOB_TYPE
#undef EXPORT_TYPE

const struct bulk_type *bulk_type(unsigned index)
{
        assert(index > 0 && index < ARRAY_SIZE(types));
        return types[index];
}

const struct shape *bulk_type_shape(const struct bulk_type *type)
{
        return type->line_shape != NULL ? type->line_shape : type->shape();
}

const struct shape *bulk_out_shape(const struct bulk_type *type)
{
        if (type->out_shape != NULL)
                return type->out_shape;
        return type->out != NULL ? type->out() : bulk_type_shape(type);
}

#define SHAPE_T struct bulk_filter
SHAPE(bulk_filter, "What goes out.", FIELD(first_id), FIELD(last_id), FIELD(since), FIELD(until), FIELD(kind),
      FIELD(key_id), FIELD(operation), FIELD(group));
#undef SHAPE_T
