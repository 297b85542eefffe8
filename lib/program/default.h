/* The programme that a new installation starts with. */
#pragma once

/* The document as JSON in UTF-8, as PUT /v1/program would take it; amounts in minor units. */
extern const char program_default_json[];
