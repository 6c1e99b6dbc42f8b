// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/control/control.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <utility>

#include "extcap/control/keeper.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

// Wireshark opens its pipe within milliseconds after starting us, unless it is itself stopped or swapped out.
constexpr std::chrono::seconds kPatience{60};
constexpr std::size_t kMaxMark = 500;
constexpr std::size_t kMaxLine = 1000;
constexpr unsigned kMaxLines = 2000;  // Wireshark keeps the log in memory until it ends

UniqueFd pidfd_of(pid_t pid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

// Nothing of Wireshark's or the terminal's: it waits for our standard output and error to be closed.
void detach() {
  (void)::prctl(PR_SET_NAME, "podshark-keeper");
  (void)::setsid();
  (void)!::chdir("/");
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) (void)::dup2(null.get(), fd);
}

std::string time_of_day() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  std::array<char, 16> text{};
  (void)::localtime_r(&now, &local);
  const std::size_t n = std::strftime(text.data(), text.size(), "%H:%M:%S", &local);
  return {text.data(), n};
}

// `in` stays closed where there is no such fifo: Wireshark can not wait for us there either.
KeeperPipes open_pipes(const std::string& in_path, const std::string& out_path,
                       const std::string& fifo_path) {
  KeeperPipes pipes;
  pipes.in_path = in_path;
  pipes.log_control = static_cast<std::uint8_t>(ToolbarControl::log);
  pipes.in = open_wiresharks_fifo(in_path, O_RDONLY | O_NONBLOCK);
  if (!pipes.in) return pipes;
  pipes.out = open_wiresharks_fifo(out_path, O_RDWR | O_NONBLOCK);
  if (!fifo_path.empty()) pipes.fifo = open_wiresharks_fifo(fifo_path, O_PATH);
  pipes.wireshark_pid = pidfd_of(::getppid());
  pipes.program_pid = pidfd_of(::getpid());
  return pipes;
}

}  // namespace

Result<Control> Control::open(const std::string& in_path, const std::string& out_path,
                              const std::string& fifo_path) {
  if (in_path.empty() || out_path.empty()) return Control();
  KeeperPipes pipes = open_pipes(in_path, out_path, fifo_path);
  if (!pipes.in) return Control();
  std::array<int, 2> ends{-1, -1};
  const bool paired =
      ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0;
  UniqueFd ours(ends[0]);
  pipes.program.reset(ends[1]);
  const pid_t child = paired && pipes.program_pid ? ::fork() : -1;
  if (child == 0) {
    ours.reset();
    detach();
    Keeper(std::move(pipes), kPatience).run();
    ::_exit(0);
  }
  if (child > 0) return Control(std::move(ours));
  const int code = errno;
  Keeper(std::move(pipes), kPatience).run_until_connected();
  return os_error(code, "start the process that holds Wireshark's toolbar pipes");
}

std::optional<ToolbarCommand> Control::command(const ControlMessage& message) {
  if (message.verb == ControlVerb::initialized) running_ = true;
  if (message.verb != ControlVerb::set) return std::nullopt;
  switch (static_cast<ToolbarControl>(message.control)) {
    case ToolbarControl::mark: {
      // Also clears what Wireshark would otherwise send again when the next capture starts.
      send(ToolbarControl::mark, ControlVerb::set, "");
      std::string text(trim(one_line(message.payload, kMaxMark)));
      if (!running_ || text.empty()) return std::nullopt;
      return Mark{std::move(text)};
    }
    case ToolbarControl::pause:
      return PauseFollowing{!message.payload.empty() && message.payload[0] != '\0'};
    case ToolbarControl::loss:
      if (running_) return ExplainLoss{};
      return std::nullopt;
    case ToolbarControl::target:
      target_ = trim(one_line(message.payload, kMaxMark));
      return std::nullopt;
    case ToolbarControl::probe:
    case ToolbarControl::check:
      if (!running_) return std::nullopt;
      return RunTool{static_cast<ToolbarControl>(message.control) == ToolbarControl::probe, target_};
    default:
      return std::nullopt;
  }
}

std::optional<ToolbarCommand> Control::next() {
  std::array<char, kControlHeader + kMaxFromWireshark> bytes{};
  while (socket_ && !ended_) {
    const ssize_t n = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) ended_ = true;  // the keeper's end is closed
    if (n <= 0) break;
    ControlDecoder decoder;
    decoder.feed({bytes.data(), static_cast<std::size_t>(n)});
    const std::optional<ControlMessage> message = decoder.next();
    if (!message) continue;
    if (std::optional<ToolbarCommand> known = command(*message)) return known;
  }
  return std::nullopt;
}

void Control::send(ToolbarControl control, ControlVerb verb, std::string_view payload) {
  if (!socket_) return;
  const std::string bytes = encode({static_cast<std::uint8_t>(control), verb, std::string(payload)});
  if (::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) ++lost_;
}

void Control::log(std::string_view line) {
  if (lost_ > 0) send(ToolbarControl::log, ControlVerb::add, lost_note(std::exchange(lost_, 0)));
  const bool full = ++lines_ > kMaxLines;
  if (full) lines_ = 1;
  send(ToolbarControl::log, full ? ControlVerb::set : ControlVerb::add,
       time_of_day() + " " + one_line(line, kMaxLine) + "\n");
}

void Control::show_loss(std::string_view text) {
  const std::string clean = one_line(text, 60);
  if (clean == loss_) return;
  loss_ = clean;
  send(ToolbarControl::loss, ControlVerb::set, clean);
}

}  // namespace podshark::extcap
