// SPDX-License-Identifier: GPL-2.0-or-later
// nft is started as `nft -i` with a pipe as its stdin, because the table belongs to nft's netlink socket and
// has to live for as long as the trace; `nft -f -` would end with its input. It is a child of this child and
// dies with it (PR_SET_PDEATHSIG). What the kernel tells is kept in memory until the end: so the parent may
// probe meanwhile without reading.
#include "extcap/trace/tracer_child.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/netfilter/nfnetlink.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "extcap/check/in_netns.h"
#include "podman/core/process.h"
#include "podman/core/text.h"
#include "podman/trace/message.h"

namespace podshark::extcap::tracing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxKept = 16U << 20U;  // bytes of messages
constexpr int kReceiveBuffer = 8 << 20;
constexpr std::chrono::milliseconds kSetUp{3000};

// A child of ours is only what waitpid(2) needs to be, not a process group to be killed.
struct Nft {
  pid_t pid = 0;
  UniqueFd in;
  UniqueFd errors;
};

class TracerChild {
 public:
  explicit TracerChild(const ChildWork& work) : w_(work) {}
  void run();

 private:
  [[noreturn]] void give_up(Frame kind, const std::string& why);
  void open_events();
  void start_nft();
  void wait_for_table();
  void read_complaint();
  void record();
  bool receive(int fd);
  void keep(std::string_view message);
  void tidy_up();
  void tell();
  void send(Frame kind, std::string_view bytes) const;

  const ChildWork& w_;
  UniqueFd events_;
  UniqueFd log_;
  Nft nft_;
  bool table_ = false;
  bool restored_ = true;
  bool cut_short_ = false;
  std::vector<std::string> kept_;
  std::size_t bytes_ = 0;
  std::uint64_t overruns_ = 0;
  std::uint64_t left_out_ = 0;
};

void TracerChild::send(Frame kind, std::string_view bytes) const {
  FrameHead head;
  head.size = static_cast<std::uint32_t>(std::min(bytes.size(), kMaxFrame));
  head.kind = kind;
  std::string out(reinterpret_cast<const char*>(&head), sizeof(head));
  out.append(bytes.substr(0, head.size));
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t n = ::send(w_.channel, out.data() + done, out.size() - done, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody is there any more
    done += static_cast<std::size_t>(n);
  }
}

void TracerChild::give_up(Frame kind, const std::string& why) {
  tidy_up();
  send(kind, why);
  ::_exit(1);
}

// Trace messages, and what tells that our table is there.
void TracerChild::open_events() {
  events_.reset(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
  sockaddr_nl any{};
  any.nl_family = AF_NETLINK;
  if (!events_ || ::bind(events_.get(), reinterpret_cast<sockaddr*>(&any), sizeof(any)) != 0)
    give_up(Frame::failed, std::string("open a netlink socket: ") + std::strerror(errno));
  // Only root of the initial namespace may exceed the limit.
  if (::setsockopt(events_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof(kReceiveBuffer)) != 0)
    (void)::setsockopt(events_.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof(kReceiveBuffer));
  for (const int group : {int{NFNLGRP_NFTRACE}, int{NFNLGRP_NFTABLES}}) {
    if (::setsockopt(events_.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) == 0)
      continue;
    const bool denied = errno == EPERM || errno == EACCES;
    give_up(denied ? Frame::denied : Frame::failed,
            std::string("listen to the kernel's trace: ") + std::strerror(errno));
  }
}

void TracerChild::start_nft() {
  std::array<int, 2> in{};
  std::array<int, 2> errors{};
  const std::string program = find_program("nft");
  if (program.empty()) give_up(Frame::failed, "nft is not installed");
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(errors.data(), O_CLOEXEC) != 0)
    give_up(Frame::failed, "make a pipe");
  const pid_t parent = ::getpid();
  nft_.pid = ::fork();
  if (nft_.pid == 0) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ::dup2(in[0], 0);
    ::dup2(null, 1);
    ::dup2(errors[1], 2);
    const char* const argv[] = {program.c_str(), "-i", nullptr};
    // Without a HOME it leaves no history file behind.
    const char* const env[] = {"LC_ALL=C", "HOME=/nonexistent", "TERM=dumb", nullptr};
    ::execve(program.c_str(), const_cast<char* const*>(argv), const_cast<char* const*>(env));
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(errors[1]);
  nft_.in.reset(in[1]);
  nft_.errors.reset(errors[0]);
  if (nft_.pid < 0) give_up(Frame::failed, "start nft");
  const ssize_t n = ::write(nft_.in.get(), w_.command.data(), w_.command.size());
  if (n != static_cast<ssize_t>(w_.command.size())) give_up(Frame::failed, "write to nft");
}

// Warnings are no reason to give up.
void TracerChild::read_complaint() {
  std::array<char, 1000> text{};
  const ssize_t n = ::read(nft_.errors.get(), text.data(), text.size());
  const std::string said(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  if (said.empty()) give_up(Frame::failed, "nft ended");
  if (said.find("Error") == std::string::npos) return;
  const bool denied = said.find("not permitted") != std::string::npos;
  give_up(denied ? Frame::denied : Frame::failed, "nft: " + one_line(said.substr(0, said.find('\n')), 200));
}

void TracerChild::wait_for_table() {
  const auto end = Clock::now() + kSetUp;
  while (!table_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    std::array<pollfd, 3> waiting{
        {{events_.get(), POLLIN, 0}, {nft_.errors.get(), POLLIN, 0}, {w_.channel, POLLIN, 0}}};
    if (left <= 0) give_up(Frame::failed, "nft did not make the table in time");
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(left)) < 0 && errno != EINTR)
      give_up(Frame::failed, "wait for nft");
    if (waiting[2].revents != 0) give_up(Frame::failed, "ended");
    if (waiting[0].revents != 0) (void)receive(events_.get());
    if (!table_ && waiting[1].revents != 0) read_complaint();
  }
}

// One datagram. False when there is none.
bool TracerChild::receive(int fd) {
  alignas(nlmsghdr) static std::array<char, 65536> buffer;
  sockaddr_nl sender{};
  socklen_t size = sizeof(sender);
  const ssize_t n =
      ::recvfrom(fd, buffer.data(), buffer.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&sender), &size);
  if (n < 0 && errno == ENOBUFS) ++overruns_;
  if (n < 0) return errno == ENOBUFS || errno == EINTR;
  if (sender.nl_pid != 0) return true;  // not the kernel
  trace::each_message({buffer.data(), static_cast<std::size_t>(n)}, [this](std::string_view m) { keep(m); });
  return true;
}

void TracerChild::keep(std::string_view message) {
  if (trace::new_table(message) == w_.table) table_ = true;
  if (!trace::parse_message(message)) return;
  if (bytes_ + message.size() > kMaxKept) {
    ++left_out_;
    return;
  }
  bytes_ += message.size();
  kept_.emplace_back(message);
}

void TracerChild::record() {
  for (;;) {
    std::array<pollfd, 4> waiting{{{w_.channel, POLLIN, 0},
                                   {events_.get(), POLLIN, 0},
                                   {log_ ? log_.get() : -1, POLLIN, 0},
                                   {nft_.errors.get(), 0, 0}}};
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) return;
    if (waiting[1].revents != 0) (void)receive(events_.get());
    if (waiting[2].revents != 0) (void)receive(log_.get());
    if (waiting[0].revents != 0) break;                     // the parent wants no more, or is gone
    if ((waiting[3].revents & (POLLHUP | POLLERR)) != 0) {  // nft has ended, and the table with it
      cut_short_ = true;
      break;
    }
  }
}

void TracerChild::tidy_up() {
  nft_.in.reset();
  if (nft_.pid > 0) {
    (void)::kill(nft_.pid, SIGKILL);
    while (::waitpid(nft_.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    nft_.pid = 0;
  }
  if (log_) restored_ = restore_loggers(w_.loggers);
  if (events_) {
    while (receive(events_.get())) {
    }
  }
  while (log_ && receive(log_.get())) {
  }
  log_.reset();
}

void TracerChild::tell() {
  for (const std::string& message : kept_) send(Frame::message, message);
  if (struct if_nameindex* all = ::if_nameindex(); all != nullptr) {
    for (const struct if_nameindex* link = all; link->if_index != 0; ++link)
      send(Frame::link, std::to_string(link->if_index) + ' ' + link->if_name);
    ::if_freenameindex(all);
  }
  send(Frame::overruns, std::to_string(overruns_));
  send(Frame::left_out, std::to_string(left_out_));
  if (!restored_) send(Frame::not_restored, {});
  if (!cut_short_) send(Frame::done, {});
}

void TracerChild::run() {
  (void)::signal(SIGPIPE, SIG_IGN);  // nft may have ended
  (void)::setpgid(0, 0);             // Ctrl-C and a kill of the parent's group leave it time to tidy up
  if (!check::enter(w_.netns, w_.host)) give_up(Frame::denied, "it may not be entered");
  open_events();
  start_nft();
  wait_for_table();
  std::string no_legacy;
  if (w_.loggers.legacy()) {
    Result<UniqueFd> log = open_log(w_.loggers);
    if (log) log_ = std::move(*log);
    if (!log) no_legacy = log.error().line();
  }
  send(Frame::ready, no_legacy);
  record();
  tidy_up();
  tell();
}

// Of the parent's descriptors only the channel: another tracer's, kept open here, would keep that one alive.
void close_others(const ChildWork& work) {
  const unsigned first = static_cast<unsigned>(std::min(work.channel, work.netns));
  const unsigned last = static_cast<unsigned>(std::max(work.channel, work.netns));
  if (first > 3) (void)::close_range(3, first - 1, 0);
  if (last > first + 1) (void)::close_range(first + 1, last - 1, 0);
  (void)::close_range(last + 1, ~0U, 0);
}

}  // namespace

void run_tracer_child(const ChildWork& work) noexcept {
  close_others(work);
  TracerChild(work).run();
  ::_exit(0);
}

}  // namespace podshark::extcap::tracing
