// SPDX-License-Identifier: GPL-2.0-or-later
// podshark-agent: what podshark sends to machines without podshark. Static, no C++ library at run time; see
// docs/ARCHITECTURE.md.
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "extcap/agent/arguments.h"
#include "extcap/agent/capture.h"
#include "extcap/agent/clock.h"
#include "extcap/agent/idle.h"
#include "extcap/agent/say.h"
#include "extcap/worker/privilege.h"

namespace podshark::agent {
namespace {

constexpr const char* kUsageText =
    "usage: podshark-agent capture [-s SNAPLEN] [-r RING_KIB] [-L SECONDS] [-P] [-i LINK,LINK]...\n"
    "                              [-f LINKTYPE:HEX]... PID|self...\n"
    "       podshark-agent clock [SECONDS]\n"
    "       podshark-agent idle SECONDS\n"
    "       podshark-agent version\n";
constexpr std::uint32_t kMostSeconds = 86400;

ExitCode refuse(const char* word, const char* why) {
  Line what;
  what.add("'").add(word, strnlen(word, 80)).add("' ").add(why);
  say(what, nullptr);
  return kUsage;
}

ExitCode capture(int count, char** words) {
  CaptureArguments arguments;
  Complaint complaint;
  if (!parse_capture(count, words, &arguments, &complaint)) return refuse(complaint.word, complaint.why);
  if (isatty(STDOUT_FILENO) != 0) return refuse("capture", "does not write packets to a terminal");
  return run_capture(arguments);
}

ExitCode clock(int count, char** words) {
  std::uint32_t limit = 0;
  if (count > 1 || (count == 1 && !parse_number(words[0], 1, kMostSeconds, &limit)))
    return refuse("clock", "takes at most a number of seconds");
  worker::drop_all();
  return run_clock(limit);
}

ExitCode idle(int count, char** words) {
  std::uint32_t seconds = 0;
  if (count != 1 || !parse_number(words[0], 1, kMostSeconds, &seconds))
    return refuse("idle", "needs a number of seconds");
  return run_idle(seconds);
}

ExitCode run(int count, char** words) {
  if (count < 2) {
    (void)!write(STDERR_FILENO, kUsageText, strlen(kUsageText));
    return kUsage;
  }
  const char* verb = words[1];
  if (strcmp(verb, "capture") == 0) return capture(count - 2, words + 2);
  if (strcmp(verb, "clock") == 0) return clock(count - 2, words + 2);
  if (strcmp(verb, "idle") == 0) return idle(count - 2, words + 2);
  if (strcmp(verb, "version") != 0 || count != 2) return refuse(verb, "is nothing that it does");
  constexpr const char* kVersion = "podshark-agent " PODSHARK_VERSION "\n";
  return write(STDOUT_FILENO, kVersion, strlen(kVersion)) < 0 ? kReaderGone : kDone;
}

}  // namespace
}  // namespace podshark::agent

int main(int count, char** words) {
  // Whatever is opened below must not become one of the three.
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) (void)open("/dev/null", O_RDWR);
  }
  (void)signal(SIGPIPE, SIG_IGN);
  (void)prctl(PR_SET_NAME, "podshark-agent");  // it may have been started by a number: /proc/self/fd/4
  (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return podshark::agent::run(count, words);
}
