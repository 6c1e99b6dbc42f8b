// SPDX-License-Identifier: GPL-2.0-or-later
// podshark-worker: the only code that ever holds privileges. Speaks on descriptor 0, takes no arguments.
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "extcap/worker/serve.h"

int main() {
  (void)::clearenv();
  (void)std::signal(SIGPIPE, SIG_IGN);
  int type = 0;
  socklen_t length = sizeof(type);
  if (::getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_SEQPACKET) {
    std::cerr << "podshark-worker is started by podshark and does nothing by hand; try 'podshark doctor'\n";
    return 2;
  }
  podshark::worker::serve(STDIN_FILENO);
  return 0;
}
