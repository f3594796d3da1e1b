/* zone.h - names of time zones ("Europe/Paris"), which the machine's database explains. */
#pragma once

#include "base/str.h"

/* By its form alone: parts of letters, digits and "._-+" that lead nowhere else in a file system.
 */
bool is_zone_name(str_t name);
/* Does the machine know it? Where it has no database every well-formed name may be a zone. */
bool is_known_zone(str_t name);
