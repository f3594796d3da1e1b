/* console.c - the terminal that crun or runc opens in the container and sends us over a socket. */
#include "shim/shim.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

int console_listen(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || strlen(name) >= sizeof(at.sun_path))
        return -1;
    memcpy(at.sun_path, name, strlen(name) + 1);
    (void)unlink(name);
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 1) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Who connected has sent and gone by now, so nothing here waits. */
int console_take(int listener)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    char name[256]; /* runc sends the path of the terminal along. */
    struct iovec part = {name, sizeof(name)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    int master = -1;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return -1;
    struct cmsghdr *head;
    if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) >= 0 && (head = CMSG_FIRSTHDR(&message)) != NULL &&
        head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&master, CMSG_DATA(head), sizeof(int));
    close(fd);
    if (master >= 0)
        (void)fcntl(master, F_SETFL, O_NONBLOCK | O_RDWR);
    return master;
}

void console_resize(int master, uint16_t columns, uint16_t rows)
{
    struct winsize size = {.ws_col = columns, .ws_row = rows};
    (void)ioctl(master, TIOCSWINSZ, &size);
}
