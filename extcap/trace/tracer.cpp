// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/trace/tracer.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <utility>

#include "extcap/check/in_netns.h"
#include "extcap/trace/tracer_child.h"
#include "podman/core/text.h"

namespace podshark::extcap::tracing {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kStart = 5s;  // the child gives up after three
constexpr auto kEnd = 5s;

// False at the deadline, and when the other end is closed.
bool read_exactly(int fd, Clock::time_point end, char* to, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd waiting{fd, POLLIN, 0};
    if (left <= 0 || (::poll(&waiting, 1, static_cast<int>(left)) < 0 && errno != EINTR)) return false;
    const ssize_t n = ::recv(fd, to + done, size - done, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

struct Received {
  Frame kind = Frame::done;
  std::string bytes;
};

std::optional<Received> read_frame(int fd, Clock::time_point end) {
  FrameHead head;
  if (!read_exactly(fd, end, reinterpret_cast<char*>(&head), sizeof(head)) || head.size > kMaxFrame)
    return std::nullopt;
  Received out{head.kind, std::string(head.size, '\0')};
  if (!read_exactly(fd, end, out.bytes.data(), out.bytes.size())) return std::nullopt;
  return out;
}

void take_link(const std::string& bytes, Recording& out) {
  const std::size_t blank = bytes.find(' ');
  std::uint64_t index = 0;
  if (blank != std::string::npos && parse_number(bytes.substr(0, blank), UINT32_MAX, index))
    out.links[static_cast<std::uint32_t>(index)] = bytes.substr(blank + 1);
}

void take_frame(const Received& frame, Recording& out) {
  switch (frame.kind) {
    case Frame::message:
      if (std::optional<trace::Event> e = trace::parse_message(frame.bytes)) out.events.push_back(*e);
      break;
    case Frame::link:
      take_link(frame.bytes, out);
      break;
    case Frame::overruns:
      (void)parse_number(frame.bytes, UINT64_MAX, out.overruns);
      break;
    case Frame::left_out:
      (void)parse_number(frame.bytes, UINT64_MAX, out.left_out);
      break;
    case Frame::not_restored:
      out.restored = false;
      break;
    case Frame::done:
      out.whole = true;
      break;
    default:
      break;
  }
}

Error explain(const Received& frame, const NetnsPlace& place) {
  const std::string why = place.who() + ": " + one_line(frame.bytes, 300);
  if (frame.kind == Frame::denied)
    return {ErrorKind::permission, why, "run podshark trace with sudo, or as the container's owner"};
  return {ErrorKind::internal, why, {}};
}

}  // namespace

Tracer::~Tracer() {
  Recording nobody_asked;
  end(nobody_asked);
}

void Tracer::take(Tracer& other) {
  place_ = std::move(other.place_);
  loggers_ = std::move(other.loggers_);
  pid_ = std::exchange(other.pid_, 0);
  channel_ = std::move(other.channel_);
  no_legacy_ = std::move(other.no_legacy_);
}

Result<Tracer> Tracer::start(const NetnsPlace& place, const std::string& table,
                             const std::vector<trace::Selector>& selectors, const Loggers& loggers) {
  const UniqueFd netns = check::open_netns(place);
  if (!netns) return os_error(errno, "open the network namespace of " + place.who());
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return os_error(errno, "make a socket pair");
  Tracer out;
  out.channel_.reset(ends[0]);
  UniqueFd other(ends[1]);
  out.place_ = place;
  out.loggers_ = loggers;
  const ChildWork work{other.get(),
                       netns.get(),
                       place.kind == NetnsPlace::Kind::host,
                       table,
                       trace::nft_command(table, selectors),
                       loggers};
  out.pid_ = ::fork();
  if (out.pid_ == 0) run_tracer_child(work);
  other.reset();
  if (out.pid_ < 0) return os_error(errno, "start a child for " + place.who());
  const std::optional<Received> first = read_frame(out.channel_.get(), Clock::now() + kStart);
  if (!first) return Error{ErrorKind::internal, "trace " + place.who() + ": no answer in time", {}};
  if (first->kind != Frame::ready) return explain(*first, place);
  out.no_legacy_ = first->bytes;
  return out;
}

void Tracer::end(Recording& out) {
  if (pid_ <= 0) return;
  (void)::shutdown(channel_.get(), SHUT_WR);
  const auto deadline = Clock::now() + kEnd;
  while (!out.whole) {
    const std::optional<Received> frame = read_frame(channel_.get(), deadline);
    if (!frame) break;
    take_frame(*frame, out);
  }
  if (!out.whole) (void)::kill(-pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  if (out.whole || !loggers_.legacy()) return;
  const Loggers before = loggers_;
  const Result<std::string> done = check::in_netns(
      place_, [&before] { return restore_loggers(before) ? "1" : "0"; }, 3s);
  out.restored = done && *done == "1";
}

Recording Tracer::finish() {
  Recording out;
  out.no_legacy = no_legacy_;
  end(out);
  return out;
}

}  // namespace podshark::extcap::tracing
