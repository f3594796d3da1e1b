/* h2_server.c - not spoken yet: who insists on HTTP/2 is left. */
#include "http/server_priv.h"
void h2_take_over(struct connection *c, str_t bytes)
{
    (void)bytes;
    connection_close(c);
}
