// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/agent/clock.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "extcap/agent/clocks.h"
#include "extcap/agent/line.h"

namespace podshark::agent {
namespace {

constexpr std::uint64_t kSecond = 1000000000;

void add_time(Line* line, std::uint64_t ns) {
  line->add(ns / kSecond).add(".").add(ns % kSecond, 9);
}

}  // namespace

ExitCode run_clock(std::uint32_t limit_seconds) {
  const int limit = limit_seconds == 0 ? -1 : static_cast<int>(limit_seconds) * 1000;
  for (;;) {
    pollfd in[2] = {{STDIN_FILENO, POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
    const int ready = poll(in, 2, limit);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return kBeatsMissed;
    if (in[1].revents != 0) return kReaderGone;
    char pings[64];
    const ssize_t n = read(STDIN_FILENO, pings, sizeof(pings));
    const std::uint64_t came = wall_ns();
    if (n <= 0) return kDone;
    for (ssize_t i = 0; i < n; ++i) {
      Line line;
      add_time(&line, came);
      line.add(" ");
      add_time(&line, wall_ns());
      line.add("\n");
      if (write(STDOUT_FILENO, line.text().data, line.text().size) < 0) return kReaderGone;
    }
  }
}

}  // namespace podshark::agent
